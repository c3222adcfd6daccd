"""One flow in memory: fixed randomness, a simulated clock, and the same trace each time.

The assumptions: every request takes 20 ms, and the user takes 2 s to approve, and 2 s more to paste a URL
where the flow needs that.

Without ID tokens: their signatures need a package that is not always there, and a key that is not always the
same.
"""

from __future__ import annotations

import hashlib

from loopback_auth.authorization_messages import Attempt
from loopback_auth.compare.running.at_resource import completed
from loopback_auth.compare.running.choices import THINKING, Choice
from loopback_auth.demo.memory import MemoryWorld, PageKeys
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.flows.catalog import FlowOptions, flow_named
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages import Pages
from loopback_auth.protocol.pkce import base64url, code_verifier
from loopback_auth.tokens import SignIn
from loopback_auth.trace.recorder import Recorder

ISSUER = "https://as.example"
STARTED_AT = 1_700_000_000.0
LATENCY = 0.02
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
"""The published example of RFC 7515 appendix A.3.1: a key that differs each time would show in the trace."""


class Entropy:
    """Bytes that differ at each call and are the same in each run."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._calls = 0

    def __call__(self, size: int) -> bytes:
        """Return the next ones, at most 64."""
        self._calls += 1
        return hashlib.blake2b(f"{self._seed} {self._calls}".encode(), digest_size=size).digest()


def simulated_world(name: str) -> MemoryWorld:
    """Make the world that a flow is simulated in, without an observer."""
    drawn = Entropy(f"client of {name}")
    server = DemoServer(ISSUER, entropy=Entropy(f"server of {name}"))
    keys = PageKeys(f"/{drawn(16).hex()}", f"/{drawn(16).hex()}", drawn(16).hex())
    if name == "paste":
        # The browser is on another machine, so it could not reach the start page either.
        keys = PageKeys("", keys.relay, keys.token)
    return MemoryWorld(
        server,
        now=STARTED_AT,
        thinking=THINKING,
        latency=LATENCY,
        keys=keys,
        paste=name == "paste",
    )


def simulate(
    choice: Choice, world: MemoryWorld | None = None, *, verify_signature: bool = False
) -> tuple[Recorder, SignIn | LoopbackAuthError]:
    """Run one flow, and return its recorder and how it ended.

    Args:
        choice: what to run; its client points at `ISSUER`.
        world: to run in; None: a fresh one, where everybody keeps the rules.
        verify_signature: ID tokens, which that world's server signs, can be checked.
    """
    name, client = choice.name, choice.client
    here = world or simulated_world(name)
    recorder = Recorder(name, ground="simulate", provider=client.provider.name, clock=lambda: here.now)
    here.observer = recorder
    drawn = Entropy(f"attempt of {name}")
    attempt = Attempt(
        state=base64url(drawn(24)),
        code_verifier=code_verifier(drawn(32)),
        nonce=base64url(drawn(24)),
        dpop_key=KEY if client.dpop else {},
    )
    try:
        if client.resource_server:
            client = here.run(completed(client))
        flow = flow_named(choice.flow, client, attempt, FlowOptions(verify_signature=verify_signature))
        end: SignIn | LoopbackAuthError = here.run(choice.rewrite(flow, attempt))
    except LoopbackAuthError as exc:
        end = exc
    recorder.ended(end)
    here.finish(_last_page(end))
    return recorder, end


def _last_page(end: SignIn | LoopbackAuthError) -> HttpResponse:
    if isinstance(end, LoopbackAuthError):
        return Pages().failure(message=end.message, hint=end.hint)
    tokens = end.tokens
    return Pages().success(
        client=end.client_id, provider=end.name, account=tokens.account, scope=tokens.scope, detail=""
    )
