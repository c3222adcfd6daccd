"""Whatever went over the wire, without its secrets: learnt as it passes, labelled wherever it turns up.

A secret is known by the name of its parameter, by its place (an Authorization header, a cookie, a page of
ours), or, where the browser and the server have names of their own, by looking like one. What cannot be read
is not shown at all, only how long it was: what cannot be understood cannot be made safe.
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, unquote_plus

from loopback_auth.model import FORM, HttpRequest, HttpResponse
from loopback_auth.protocol.json import member, object_or_none
from loopback_auth.redact import server_text
from loopback_auth.trace.secret_labels import SHORT, SecretLabels
from loopback_auth.trace.secret_names import is_secret

LIMIT = 4096
"""Characters of an address or a header, after which they are cut."""
BODY_LIMIT = 16 * LIMIT
DEPTH = 4
"""How many addresses within addresses are looked into."""

HEADERS = frozenset(
    {
        "accept",
        "access-control-allow-origin",
        "allow",
        "authorization",
        "cache-control",
        "content-security-policy",
        "content-type",
        "host",
        "location",
        "origin",
        "referer",
        "referrer-policy",
        "retry-after",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-fetch-user",
        "www-authenticate",
        "x-frame-options",
        "x-loopback-relay",
        "x-ratelimit-reset",
    }
)
"""What matters to somebody who judges a sign-in; cookies are learnt, and never shown."""

PUBLIC = frozenset(
    {
        *("audience", "client_id", "code_challenge", "iss", "login_hint", "prompt", "resource", "scope"),
        *("aud", "azp", "jti", "sub"),  # RFC 7519 §4.1, OpenID Connect Core §2
        *("e", "kid", "n", "x", "x5c", "x5t", "x5t#S256", "y"),  # RFC 7517 §4, RFC 7518 §6: public keys
    }
)
"""Parameters and members that look like secrets and are none."""

WRAPPED = frozenset({"content", "data", "raw", "text", "value"})
"""Members that say nothing of their own: what they hold is what the object around them is."""

OWN_KEY = re.compile(r"^https?://(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?/([0-9a-f]{32})(?=$|[/?#])")
"""The address of a page of ours on a loopback port."""

# Compiled when first used: few conversations have something to be looked at so closely.
_LOOKS_SECRET = r"(?=[A-Za-z0-9._~-]*[0-9])(?=[A-Za-z0-9._~-]*[A-Za-z])[A-Za-z0-9_~-][A-Za-z0-9._~-]{15,}"
_JWT = r"eyJ[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)"
_TITLE = r"(?is)<title[^>]*>(.*?)</title"


class Redactor:
    """Learns the secrets of one conversation, and writes the conversation without them."""

    def __init__(self) -> None:
        self._labels = SecretLabels()

    def __repr__(self) -> str:
        return f"Redactor({len(self._labels.known())})"

    def known(self) -> tuple[tuple[str, int], ...]:
        """Return every label, and the length of what it stands for."""
        return self._labels.known()

    def learn(self, kind: str, secret: str) -> None:
        """Remember one secret; of a token in three parts each part that tells something as well."""
        self._labels.learn(kind, secret)
        if secret.startswith("eyJ") and (parts := re.fullmatch(_JWT, secret)) is not None:
            for part in parts.groups():
                self._labels.learn(f"{kind}_part", part)
            self._members(_payload(parts.group(1)))

    def learn_parameter(self, name: str, value: str) -> None:
        """Remember a parameter if it is a secret, and the secrets of an address if it is one."""
        self._pair(name, value, guess=False, depth=0)

    def learn_form(self, text: str, *, guess: bool = False, depth: int = 0) -> None:
        """Remember the secrets of a query, a fragment or a form, and of the addresses within.

        Args:
            text: still encoded.
            guess: take for a secret what looks like one, whatever its name.
            depth: how many addresses this one is within.
        """
        for name, value in parse_qsl(text):
            self._pair(name, value, guess=guess, depth=depth)
        for name, _, raw in (pair.partition("=") for pair in text.split("&")):
            # Bytes that are no UTF-8 are lost in decoding, and must not be seen either.
            if is_secret(unquote(name)) and self._labels.text(raw) == raw:
                self._labels.learn(unquote(name), raw)

    def learn_url(self, url: str, *, guess: bool = False, depth: int = 0) -> None:
        """Remember the secrets of an address: in its query, its fragment, and the key of a page of ours."""
        if (key := OWN_KEY.match(url)) is not None:
            self.learn("start_key", key.group(1))
        head, _, fragment = url.partition("#")
        for part in (head.partition("?")[2], fragment.removeprefix("?")):
            self.learn_form(part, guess=guess, depth=depth)

    def learn_request(self, request: HttpRequest, *, guess: bool = False) -> None:
        """Remember the secrets of a request, `guess` as in `learn_form`."""
        if token := request.header("x-loopback-relay"):
            self.learn("relay_token", token)
            if (key := OWN_KEY.match(request.url)) is not None:
                self.learn("relay_key", key.group(1))
        self.learn_url(request.url, guess=guess)
        self.learn_url(request.header("referer"), guess=guess)
        for value in request.values("cookie"):
            self._cookies(value.split(";"))
        self._credentials(request.header("authorization"))
        document = object_or_none(request.body)
        if document is not None:
            self._members(document)
        else:
            self.learn_form(_form(request), guess=guess)

    def learn_response(self, answer: HttpResponse, secrets: tuple[str, ...] = ()) -> None:
        """Remember the secrets of an answer.

        Args:
            answer: untrusted.
            secrets: paths of JSON members that are secret, or addresses that hold something secret.
        """
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self._cookies([value.partition(";")[0]])
            elif name.lower() == "location":
                self.learn_url(value)
        document = object_or_none(answer.body)
        if document is None:
            if _kind(answer) == FORM or answer.body.startswith(b"access_token="):
                self.learn_form(_form(answer))
            return
        for path in secrets:
            self._named(path.rpartition(".")[2], member(document, path))
        # In a refusal `code` is the vendor's number or word for what went wrong, however deep it is.
        refusal = answer.status >= 400 or "error" in document
        self._members(_without_codes(document) if refusal else document)

    def whole(self, text: str) -> str:
        """Write a text without its secrets, however long it is."""
        return self._labels.text(text)

    def text(self, text: str) -> str:
        """Write a text without its secrets, cut to a sensible length."""
        return _cut(self._labels.text(text), LIMIT)

    def headers(self, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Write the headers that matter."""
        kept = ((name, value) for name, value in headers if name.lower() in HEADERS)
        return tuple((name, self.text(_spelt_out(name, value))) for name, value in kept)

    def body(self, message: HttpRequest | HttpResponse) -> str:
        """Write a body: a form or JSON in full, of anything else how long it was, and the title of a page."""
        if not message.body:
            return ""
        kind, size = _kind(message), f"{len(message.body):,}".replace(",", " ")
        if len(message.body) > BODY_LIMIT:
            return f"({size} bytes of {self.text(server_text(kind, 80)) or 'an unknown type'})"
        if isinstance(message, HttpRequest) and kind == FORM:
            return _cut(self._labels.text(_form(message)), BODY_LIMIT)
        if (document := object_or_none(message.body)) is not None:
            return _cut(json.dumps(self._written(document), ensure_ascii=False), BODY_LIMIT)
        if kind == "text/html":
            title = re.search(_TITLE, message.body.decode("utf-8", "replace"))
            words = self.text(server_text(title.group(1), 200)) if title is not None else ""
            return f"{f'<title>{words}</title> ' if words else ''}({size} bytes of HTML)"
        return f"({size} bytes of {self.text(server_text(kind, 80)) or 'an unknown type'})"

    def _pair(self, name: str, value: str, *, guess: bool, depth: int) -> None:
        if is_secret(name) or (guess and name not in PUBLIC and _looks_secret(value)):
            self.learn(name, value)
        inner = unquote(value)
        if depth < DEPTH and ("?" in inner or "#" in inner):
            self.learn_url(inner, guess=guess, depth=depth + 1)

    def _cookies(self, pairs: list[str]) -> None:
        for pair in pairs:
            value = pair.partition("=")[2].strip()
            # Shorter ones are settings, such as a language.
            if len(value) >= SHORT:
                self.learn("cookie", value)

    def _credentials(self, header: str) -> None:
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() == "basic":
            secret = _basic(credentials).partition(":")[2]
            self.learn("client_secret", unquote_plus(secret))
            if self._labels.text(secret) == secret:
                self.learn("client_secret", secret)
        else:
            self.learn("access_token", credentials.strip())

    def _members(self, value: object, name: str = "") -> None:
        """Remember the secrets in a JSON document, however deep: by their names, or as they look like it."""
        if isinstance(value, dict):
            for inner, one in value.items():
                self._members(one, name if is_secret(name) and inner in WRAPPED else inner)
        elif isinstance(value, list):
            for one in value:
                self._members(one, name)
        elif is_secret(name):
            self._named(name, value)
        elif isinstance(value, str):
            self._pair(name, value, guess=True, depth=0)

    def _named(self, name: str, value: object) -> None:
        """Remember a member that is said to be secret: a text, a number for a token, or an address."""
        if isinstance(value, int | float) and not isinstance(value, bool) and name.endswith("_token"):
            value = str(value)
        if not isinstance(value, str):
            return
        if "/" in value and not is_secret(name):
            self.learn_url(value)
            for part in filter(_looks_secret, re.split(r"[/?#&=]", unquote(unquote(value)))):
                self.learn("ticket", part)
            return
        self.learn(name if is_secret(name) else "ticket", value)

    def _written(self, value: object) -> object:
        if isinstance(value, dict):
            return {self._labels.text(name): self._written(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._written(one) for one in value]
        if isinstance(value, str):
            return self._labels.text(value)
        if isinstance(value, int | float) and (shown := self._labels.text(str(value))) != str(value):
            return shown
        return value


def _looks_secret(text: str) -> bool:
    return len(text) >= 16 and re.fullmatch(_LOOKS_SECRET, text) is not None


def _cut(text: str, limit: int) -> str:
    # Half a character, which JSON can hold, could not be written anywhere.
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def _spelt_out(name: str, value: str) -> str:
    """Take the credentials of Basic out of their base64, which would hide where the secret ends."""
    scheme, _, credentials = value.partition(" ")
    if name.lower() != "authorization" or scheme.lower() != "basic":
        return value
    return f"{scheme} {_basic(credentials)}"


def _basic(credentials: str) -> str:
    with suppress(ValueError):
        return base64.b64decode(credentials).decode("utf-8")
    return f":{credentials}"


def _payload(part: str) -> object:
    with suppress(ValueError):
        return object_or_none(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return None


def _without_codes(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_codes(one) for name, one in value.items() if name != "code"}
    return [_without_codes(one) for one in value] if isinstance(value, list) else value


def _form(message: HttpRequest | HttpResponse) -> str:
    return message.body.decode("utf-8", "backslashreplace").removeprefix("?")


def _kind(message: HttpRequest | HttpResponse) -> str:
    return message.header("content-type").partition(";")[0].strip().lower()
