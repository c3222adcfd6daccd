"""The world that the flows are tested in: one demo server in memory, one client, one attempt, no chance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from loopback_auth.authorization_messages import Attempt
from loopback_auth.demo.clients import DEMO_CLIENT, DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.features import Features
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.flows.code import authorization_code
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.tokens import SignIn

ISSUER = "https://as.example"
PROVIDER = Provider("example", ServerMetadata(issuer=ISSUER))
CLIENT = ClientConfig(PROVIDER, DEMO_CLIENT.client_id, scope="profile email")
OPENID = replace(CLIENT, scope="openid profile email")
SECRET_CLIENT = DemoClient("with-secret", "a secret", redirect_uris=("http://127.0.0.1/callback",))
ATTEMPT = Attempt(
    state="state-0123456789-0123456789",
    code_verifier="verifier-0123456789-0123456789-0123456789-0123",
    nonce="nonce-0123456789-0123456789",
)

Disturb = Callable[[HttpRequest], HttpResponse | None]


class Entropy:
    """Bytes that differ at each call and are the same in each run."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, size: int) -> bytes:
        """Return the next ones."""
        self.calls += 1
        return hashlib.sha256(b"%d" % self.calls).digest()[:size]


def world(
    faults: Faults | None = None,
    *,
    signer: Signer | None = None,
    disturb: Disturb | None = None,
    require_push: bool = False,
    features: Features | None = None,
) -> MemoryWorld:
    """Begin with a fresh server."""
    server = DemoServer(
        ISSUER,
        entropy=Entropy(),
        signer=signer,
        clients=(SECRET_CLIENT,),
        faults=faults,
        require_pushed_authorization_requests=require_push,
        features=features,
    )
    return MemoryWorld(server, disturb=disturb)


def signed_in(world: MemoryWorld, client: ClientConfig = CLIENT, *, verify: bool = False) -> SignIn:
    """Run the whole sign-in."""
    return world.run(authorization_code(client, ATTEMPT, verify_signature=verify))


def story(world: MemoryWorld) -> list[str]:
    """Tell what the flow asked of the world, in order: effects, or the step where it is a request."""
    return [getattr(effect, "step", type(effect).__name__) for effect in world.effects]


def at(path: str, answer: HttpResponse | Exception, times: int = 1) -> Disturb:
    """Answer the first requests to a path of the server, or let them fail; the others pass."""
    left = [times]

    def disturb(request: HttpRequest) -> HttpResponse | None:
        if request.url != ISSUER + path or not left[0]:
            return None
        left[0] -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    return disturb


def plain(status: int, text: str = "") -> HttpResponse:
    """Answer with a page."""
    return HttpResponse(status, (("Content-Type", "text/html"),), text.encode())
