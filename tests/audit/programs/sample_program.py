"""A program that signs in, careful as it is; with a weakness it falls to one attack.

It stands for other people's programs: it uses the standard library alone, and nothing of ours. The decisions
are here, without sockets, so that tests are fast; `sample_script` runs them on a real port.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

Reply = tuple[int, Mapping[str, str], bytes]
Send = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Sends method, URL, headers and body; raises TimeoutError when no answer comes in time."""

WEAKNESSES = frozenset(
    {
        "all-interfaces",
        "any-scheme",
        "any-method",
        "bare-page",
        "bearer-in-url",
        "code-in-file",
        "code-twice",
        "cors",
        "crash-on-bytes",
        "crash-on-tls",
        "deaf",
        "early-success",
        "error-first",
        "exchanges-again",
        "exit-zero",
        "first-request",
        "follows-redirects",
        "ignored-issuer",
        "ignored-metadata",
        "ignored-state",
        "late-port",
        "leaves-child",
        "localhost",
        "markup",
        "no-id-token-check",
        "no-page",
        "no-pkce",
        "no-redirect-uri",
        "no-state",
        "one-at-a-time",
        "open-file",
        "open-redirect",
        "other-hosts",
        "patient",
        "plain-pkce",
        "prefetched",
        "prints-code",
        "raw-terminal",
        "readable",
        "refusal-ends",
        "same-values",
        "secrets-in-argv",
        "shared-port",
        "shell",
        "short-state",
        "short-verifier",
        "silent",
        "small-headers",
        "stays-when-denied",
        "third-party-page",
        "token-on-stderr",
        "verifier-as-state",
        "welcome-when-denied",
        "wrong-state-ends",
    }
)

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}
LIMIT = 65536
"""Bytes of a request."""


class Malformed(Exception):
    """A request that is not HTTP."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    @classmethod
    def read(cls, data: bytes) -> Asked:
        """Read the head of a request."""
        try:
            first, *lines = data.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
            method, target, version = first.split(" ")
            pairs = [line.partition(":") for line in lines]
        except ValueError as exc:
            raise Malformed from exc
        if not version.startswith("HTTP/1."):
            raise Malformed
        path, _, query = target.partition("?")
        return cls(method, path, query, {name.lower(): value.strip() for name, _, value in pairs})

    def parameters(self) -> list[tuple[str, str]]:
        """Read the query strictly."""
        return parse_qsl(self.query, keep_blank_values=True, errors="strict")


@dataclass(slots=True)
class SampleProgram:
    """One sign-in.

    Args:
        issuer: the server.
        port: at which it listens.
        send: sends requests.
        entropy: returns random bytes.
        weak: its weaknesses.
        lingers: its port stays open for a moment after the response.
        client_id: at the server.
    """

    issuer: str
    port: int
    send: Send
    entropy: Callable[[int], bytes]
    weak: frozenset[str] = frozenset()
    lingers: bool = False
    client_id: str = "loopback-auth-demo"
    metadata: dict[str, object] = field(default_factory=dict)
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    argv: list[str] = field(default_factory=list)
    status: int | None = None
    link: str = ""
    state: str = ""
    verifier: str = ""
    nonce: str = ""
    page: bytes = b""
    ending: int | None = None

    def begin(self) -> None:
        """Read the metadata and make the link; ends the program when they are another server's."""
        _, _, body = self.send("GET", f"{self.issuer}/.well-known/openid-configuration", {}, b"")
        self.metadata = json.loads(body)
        if self.metadata["issuer"] != self.issuer and "ignored-metadata" not in self.weak:
            return self.end(1, "Error: the metadata are of another issuer.")
        endpoint = str(self.metadata["authorization_endpoint"])
        if not endpoint.startswith("http") and "any-scheme" not in self.weak:
            return self.end(1, "Error: the authorization endpoint is not a web address.")
        if set(endpoint) & set("`$() ") and "shell" not in self.weak:
            return self.end(1, "Error: the authorization endpoint is malformed.")
        self.verifier = self.random(32)
        self.state = "s" if "no-state" in self.weak else self.random(16)
        self.nonce = self.random(16)
        if "short-state" in self.weak:
            self.state = self.state[:8]
        if "short-verifier" in self.weak:
            self.verifier = self.verifier[:20]
        if "verifier-as-state" in self.weak:
            self.state = self.verifier
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64url(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if self.weak & {"plain-pkce", "short-verifier"}:
            asked |= {"code_challenge": self.verifier, "code_challenge_method": "plain"}
        if "no-pkce" in self.weak:
            del asked["code_challenge"], asked["code_challenge_method"]
        if "no-state" in self.weak:
            del asked["state"]
        self.link = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"
        self.say(f"Open {self.link}")
        return None

    @property
    def authority(self) -> str:
        """Host and port of the redirect URI."""
        return f"{'localhost' if 'localhost' in self.weak else '127.0.0.1'}:{self.port}"

    @property
    def redirect_uri(self) -> str:
        """Where the response comes."""
        return f"http://{self.authority}/callback"

    def random(self, size: int) -> str:
        """Make a value that nobody can guess."""
        return base64url(b"x" * size if "same-values" in self.weak else self.entropy(size))

    def say(self, text: str) -> None:
        """Tell the person something."""
        if "silent" not in self.weak:
            self.out.append(text)

    def end(self, status: int, text: str) -> None:
        """End with a status."""
        self.say(text)
        self.ending = 0 if "exit-zero" in self.weak else status
        if not self.lingers:
            self.finish()

    def finish(self) -> None:
        """Close the port, and end with what was decided."""
        self.status = self.ending

    def interrupted(self) -> None:
        """Take Ctrl-C."""
        if "deaf" not in self.weak:
            self.end(130, "Cancelled.")

    def received(self, data: bytes) -> bytes:
        """Answer what came on one connection: nothing, a request, or something else."""
        if "first-request" in self.weak and b"code=" not in data:
            self.end(1, "Error: no response.")
            return b""
        if "crash-on-tls" in self.weak and data.startswith(b"\x16"):
            self.end(1, "Error: no HTTP.")
            return b""
        limit = 8190 if "small-headers" in self.weak else LIMIT
        if len(data) > limit:
            return self.answer(431, "Too large.")
        try:
            asked = Asked.read(data)
            asked.parameters()
        except (Malformed, ValueError):
            if "crash-on-bytes" in self.weak and b"\xff" in data:
                self.end(1, "UnicodeDecodeError")
                return b""
            return self.answer(400, "This is not a request.") if data else b""
        reply = self.judged(asked)
        return reply if asked.method != "HEAD" else reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def judged(self, asked: Asked) -> bytes:
        """Decide whether a request is the response."""
        if asked.headers.get("host") != self.authority and "other-hosts" not in self.weak:
            return self.answer(421, "Another host.")
        if asked.method == "OPTIONS" and "cors" in self.weak:
            return self.answer(200, "", {"Access-Control-Allow-Origin": "*"})
        if asked.method != "GET" and "any-method" not in self.weak:
            return self.answer(405, "Another method.", {"Allow": "GET"})
        if asked.path != "/callback":
            return self.answer(404, "Nothing is here.")
        if "sec-purpose" in asked.headers and "prefetched" not in self.weak:
            return self.answer(403, "This cannot be fetched in advance.")
        if "prints-code" in self.weak:
            self.err.append(f'127.0.0.1 - "GET {asked.path}?{asked.query} HTTP/1.1" 200 -')
        return self.response(asked.parameters())

    def response(self, pairs: list[tuple[str, str]]) -> bytes:
        """Decide what a response says."""
        sent = dict(pairs)
        if "open-redirect" in self.weak and "next" in sent:
            return self.answer(302, "Go on.", {"Location": sent["next"]})
        states = [value for name, value in pairs if name == "state"]
        if "error-first" in self.weak and "error" in sent:
            return self.denied(sent)
        unchecked = self.weak & {"ignored-state", "no-state"}
        if states != [self.state] and not unchecked:
            if "wrong-state-ends" in self.weak and "error" not in sent and sent:
                self.end(1, "Error: wrong state.")
            if "markup" in self.weak:
                return self.answer(400, f"Wrong: {sent.get('error_description', '')}", raw=True)
            return self.answer(400, "This is not the response that was asked for.")
        if self.page:
            return self.exchanged(sent["code"]) if "exchanges-again" in self.weak else self.page
        if "error" in sent:
            return self.denied(sent)
        promised = self.metadata.get("authorization_response_iss_parameter_supported")
        if sent.get("iss") != self.issuer and promised and "ignored-issuer" not in self.weak:
            return self.failed("The response is of another issuer.")
        if "code" not in sent:
            return self.answer(400, "There is no code.")
        if "early-success" in self.weak:
            self.page = self.answer(200, "You are signed in. Authentication successful.")
        return self.exchanged(sent["code"])

    def denied(self, sent: Mapping[str, str]) -> bytes:
        """End because of an error."""
        text = sent.get("error_description", "")
        if "stays-when-denied" in self.weak:
            return self.answer(400, "The request was denied.")
        printed = text if "raw-terminal" in self.weak else "".join(filter(str.isprintable, text))
        self.end(1, f"Denied: {sent['error']}: {printed}")
        if "welcome-when-denied" in self.weak:
            return self.answer(200, "Authentication successful.")
        return self.answer(400, f"The request was denied: {text}", raw="markup" in self.weak)

    def failed(self, why: str) -> bytes:
        """End because something was wrong."""
        self.end(1, f"Error: {why}")
        return self.page or self.answer(400, f"The sign-in failed: {why}")

    def exchanged(self, code: str) -> bytes:
        """Exchange the code, and answer the browser."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        for weakness, name in (("no-pkce", "code_verifier"), ("no-redirect-uri", "redirect_uri")):
            if weakness in self.weak:
                del form[name]
        try:
            status, body = self.post(str(self.metadata["token_endpoint"]), form)
            if "code-twice" in self.weak:
                self.post(str(self.metadata["token_endpoint"]), form)
        except TimeoutError:
            return self.failed("The server does not answer.")
        try:
            tokens = dict(json.loads(body))
        except (TypeError, ValueError):
            return self.failed("The server's answer is not a JSON object.")
        if status != 200 or not isinstance(tokens.get("access_token"), str):
            return self.failed(f"The server refused the code: {tokens.get('error', status)}.")
        if "no-id-token-check" not in self.weak and not self.genuine(str(tokens.get("id_token", ""))):
            return self.failed("The ID token is not genuine.")
        self.keep(code, tokens)
        self.end(0, "Signed in.")
        self.page = self.page or self.answer(200, "You are signed in. You can close this window.")
        return b"" if "no-page" in self.weak else self.page

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a form; a redirect is not followed."""
        headers, body = {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
        status, given, answer = self.send("POST", url, headers, body)
        if status == 307 and "follows-redirects" in self.weak:
            status, given, answer = self.send("POST", given["location"], headers, body)
        return status, answer

    def keep(self, code: str, tokens: Mapping[str, object]) -> None:
        """Keep the tokens, and use them once."""
        token = str(tokens["access_token"])
        mode = 0o644 if "open-file" in self.weak else 0o600
        self.files[".sample/tokens.json"] = (mode, json.dumps(tokens))
        if "code-in-file" in self.weak:
            self.files[".sample/last.txt"] = (0o600, code)
        if "token-on-stderr" in self.weak:
            self.err.append(f"debug: {token}")
        if "secrets-in-argv" in self.weak:
            self.argv.append(f"helper --token {token}")
        userinfo = str(self.metadata["userinfo_endpoint"])
        if "bearer-in-url" in self.weak:
            self.send("GET", f"{userinfo}?access_token={token}", {}, b"")
        else:
            self.send("GET", userinfo, {"Authorization": f"Bearer {token}"}, b"")

    def genuine(self, token: str) -> bool:
        """Check an ID token (OpenID Connect Core §3.1.3.7)."""
        try:
            head, middle, signature = token.split(".")
            claims = json.loads(unbase64url(middle))
            _, _, body = self.send("GET", str(self.metadata["jwks_uri"]), {}, b"")
            (key,) = json.loads(body)["keys"]
        except ValueError:
            return False
        right = (self.issuer, self.client_id, self.nonce)
        if (claims["iss"], claims["aud"], claims.get("nonce")) != right:
            return False
        return signed(f"{head}.{middle}".encode(), unbase64url(signature), key)

    def answer(
        self, status: int, text: str, headers: Mapping[str, str] | None = None, *, raw: bool = False
    ) -> bytes:
        """Make a page."""
        if "refusal-ends" in self.weak and status >= 400:
            self.end(1, "")
        logo = '<img src="https://cdn.example/logo.png">' if "third-party-page" in self.weak else ""
        page = f"<!doctype html><title>Sample</title>{logo}<p>{text if raw else html.escape(text)}</p>"
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close"]
        lines += ["Content-Type: text/html; charset=utf-8", f"Content-Length: {len(page.encode())}"]
        fixed = {} if "bare-page" in self.weak else PAGE_HEADERS
        if "readable" in self.weak:
            fixed = {**fixed, "Access-Control-Allow-Origin": "*"}
        lines += [f"{name}: {value}" for name, value in (fixed | dict(headers or {})).items()]
        return ("\r\n".join(lines) + "\r\n\r\n" + page).encode()


def base64url(data: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    """Decode without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(data: bytes, signature: bytes, key: Mapping[str, str]) -> bool:
    """Check a signature with RS256 (RFC 8017 §8.2.2, §9.2)."""
    modulus, exponent = (int.from_bytes(unbase64url(key[name]), "big") for name in ("n", "e"))
    size = (modulus.bit_length() + 7) // 8
    shown = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
    return shown == b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
