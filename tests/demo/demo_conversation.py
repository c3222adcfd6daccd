"""What the tests of the demo server say to it: a client, its requests, and a small world to browse in."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from flow_world import Entropy

from loopback_auth.demo.agent import Decision, browse
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpRequest, HttpResponse, form_request

ISSUER = "http://127.0.0.1:8000"
REDIRECT_URI = "http://127.0.0.1:51234/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B
SECRET_CLIENT = DemoClient(
    "with secret", "p:ss wörd", redirect_uris=("https://client.example/cb?tenant=1", "http://127.0.0.1/cb")
)

Pairs = Sequence[tuple[str, str]]


class PlainSigner:
    """A signer whose signature is the word `signature`: the claims can be read without any key."""

    def sign(self, claims: Mapping[str, object]) -> str:
        """Wrap the claims in the form of a JWT."""
        return ".".join(("e30", base64.urlsafe_b64encode(json.dumps(claims).encode()).decode(), "signature"))

    def jwks(self) -> Mapping[str, object]:
        """Publish no key."""
        return {"keys": []}


def id_claims(token: str) -> Any:
    """Read the claims of an ID token made by `PlainSigner`."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1]))


def document(response: HttpResponse) -> Any:
    """Read a JSON body."""
    return json.loads(response.body)


def error(response: HttpResponse) -> tuple[int, str]:
    """Name the status and the error code of an answer in JSON."""
    return response.status, document(response)["error"]


def answer(response: HttpResponse) -> dict[str, str]:
    """Read the parameters of the authorization response that a redirect carries."""
    assert response.status == 303, response.body
    return dict(parse_qsl(urlsplit(response.header("location")).query))


def basic(client_id: str, secret: str) -> tuple[str, str]:
    """Write an Authorization header as RFC 6749 §2.3.1 has it."""
    pair = f"{urlencode({'': client_id})[1:]}:{urlencode({'': secret})[1:]}"
    return "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"


@dataclass
class Conversation:
    """One demo server, one clock, and the requests of a client that keeps all rules unless told otherwise."""

    server: DemoServer
    now: float = 1_000_000.0

    def get(self, path: str, *headers: tuple[str, str]) -> HttpResponse:
        """Make a GET request."""
        return self.server.handle(HttpRequest("GET", path, headers), self.now)

    def post(self, path: str, form: Pairs | Mapping[str, str], *headers: tuple[str, str]) -> HttpResponse:
        """Send a form."""
        pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
        return self.server.handle(form_request(path, pairs, headers), self.now)

    def authorize(self, *more: tuple[str, str], **changes: str | None) -> HttpResponse:
        """Make an authorization request."""
        return self.get(f"/authorize?{urlencode([*request(**changes).items(), *more])}")

    def browse(self, url: str, decision: Decision = "approve", account: str = "") -> HttpRequest:
        """Let the simulated user agent go on until it leaves the server; return what it asks elsewhere."""
        agent = browse(url, decision=decision, account=account)
        step = next(agent)
        while step.url.startswith(self.server.issuer):
            step = agent.send(self.server.handle(step, self.now))
        return step

    def visit(self, url: str, decision: Decision = "approve", user_code: str = "") -> HttpResponse:
        """Let the simulated user agent go on until nothing is left to do; return the last page."""
        agent = browse(url, decision=decision, user_code=user_code)
        step = next(agent)
        while True:
            try:
                step = agent.send(self.server.handle(step, self.now))
            except StopIteration as end:
                last: HttpResponse = end.value
                return last

    def send(self, method: str, url: str, members: object = None, *headers: tuple[str, str]) -> HttpResponse:
        """Make a request, with a JSON body where there are members."""
        body = b"" if members is None else json.dumps(members).encode()
        kind = (("Content-Type", "application/json"),) if body else ()
        return self.server.handle(HttpRequest(method, url, (*kind, *headers), body), self.now)

    def device(self, **changes: str | None) -> Any:
        """Get a device code and a user code."""
        form: dict[str, str | None] = {"client_id": "loopback-auth-demo", "scope": "profile email"}
        response = self.post("/device_authorization", present(form | changes))
        assert response.status == 200, response.body
        return document(response)

    def poll(self, device_code: str, /, *headers: tuple[str, str], **changes: str | None) -> HttpResponse:
        """Ask for tokens with a device code."""
        form: dict[str, str | None] = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": device_code,
            "client_id": "loopback-auth-demo",
        }
        return self.post("/token", present(form | changes), *headers)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def returned(self, decision: Decision = "approve", /, **changes: str | None) -> dict[str, str]:
        """Go through all pages; return the parameters of the authorization response."""
        step = self.browse(f"{self.server.issuer}/authorize?{urlencode(request(**changes))}", decision)
        return dict(parse_qsl(urlsplit(step.url).query or step.body.decode()))

    def code(self, **changes: str | None) -> str:
        """Get a code."""
        return self.returned(**changes)["code"]

    def exchange(self, code: str, /, *headers: tuple[str, str], **changes: str | None) -> HttpResponse:
        """Send a code to the token endpoint."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            "client_id": "loopback-auth-demo",
        }
        return self.post("/token", present(form | changes), *headers)

    def tokens(self, **changes: str | None) -> Any:
        """Sign in and get tokens."""
        response = self.exchange(self.code(**changes))
        assert response.status == 200, response.body
        return document(response)

    def refresh(self, token: str, /, **changes: str | None) -> HttpResponse:
        """Send a refresh token to the token endpoint."""
        form: dict[str, str | None] = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": "loopback-auth-demo",
        }
        return self.post("/token", present(form | changes))

    def userinfo(self, access_token: str) -> HttpResponse:
        """Ask who an access token stands for."""
        return self.get("/userinfo", ("Authorization", f"Bearer {access_token}"))


def request(**changes: str | None) -> dict[str, str]:
    """Write the parameters of an authorization request that keeps all rules; None leaves one out."""
    parameters: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "loopback-auth-demo",
        "redirect_uri": REDIRECT_URI,
        "state": "a state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "scope": "profile email",
    }
    return present(parameters | changes)


def present(parameters: Mapping[str, str | None]) -> dict[str, str]:
    """Drop what is None."""
    return {name: value for name, value in parameters.items() if value is not None}


def conversation(
    faults: Faults | None = None,
    *,
    signer: Signer | None = None,
    clients: Sequence[DemoClient] = (SECRET_CLIENT,),
    require_pushed_authorization_requests: bool = False,
    device_interval: int = 5,
) -> Conversation:
    """Begin with a fresh server."""
    server = DemoServer(
        ISSUER,
        entropy=Entropy(),
        signer=signer,
        clients=clients,
        faults=faults,
        require_pushed_authorization_requests=require_pushed_authorization_requests,
        device_interval=device_interval,
    )
    return Conversation(server)


def hidden(page: HttpResponse) -> str:
    """Find the id of the interaction in a page."""
    return page.body.decode().split('name="interaction" value="')[1].split('"')[0]


def query(url: str) -> dict[str, list[str]]:
    """Read a query with its repetitions."""
    return parse_qs(urlsplit(url).query)
