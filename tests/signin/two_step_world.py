"""The world that split sign-ins are tested in: one demo server in memory, and a clock that is moved."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from client_key_samples import EC, EC_JWK, public_half

from loopback_auth.demo.agent import Decision, browse
from loopback_auth.demo.clients import DEMO_CLIENT, DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.flow_table import TwoStepFlow
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.signin.driver import Paste
from loopback_auth.signin.two_step import begin, pasted_address, resume
from loopback_auth.store.pending_sign_in import PendingSignIn, from_json, to_json
from loopback_auth.tokens import SignIn

ISSUER = "https://as.example"
SECRET_CLIENT = DemoClient("with-secret", "client-secret-canary", ("http://127.0.0.1/callback",))
PROVIDER = Provider("example", ServerMetadata(issuer=ISSUER), ticket=demo_contract("netlify", ISSUER))
CLIENT = ClientConfig(PROVIDER, DEMO_CLIENT.client_id, scope="profile email")
KEY_CLIENT = replace(
    CLIENT,
    provider=replace(PROVIDER, client_auth="private_key_jwt"),
    client_id="with-key",
    private_key=EC_JWK,
)
WITH_KEY = DemoClient(
    "with-key",
    redirect_uris=("http://127.0.0.1/callback",),
    client_auth="private_key_jwt",
    jwks={"keys": [{**public_half(EC), "kid": "16"}]},
)
PORT = 49152

Trouble = HttpResponse | Exception | None


@dataclass
class PretendWorld:
    """Time, a server, and what goes wrong.

    Args:
        server: answers what is sent to its issuer.
        time: Unix seconds.
        troubles: step to what happens instead of its answers, in order; None lets one pass.
        lost: steps whose answer is lost once, after the server has acted.
        sleeping: called whenever there is a sleep.
    """

    server: DemoServer
    time: float = 1_700_000_000.0
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    lost: dict[str, Exception] = field(default_factory=dict)
    sleeping: Callable[[], object] | None = None
    slept: list[float] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def now(self) -> float:
        """Return the time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.time += seconds
        if self.sleeping is not None:
            self.sleeping()

    async def send(self, request: HttpRequest, *, step: str) -> HttpResponse:
        """Let the server answer, or not."""
        self.steps.append(step)
        self.bodies.append(request.body)
        waiting = self.troubles.get(step)
        trouble = waiting.pop(0) if waiting else None
        if isinstance(trouble, Exception):
            raise trouble
        answer = trouble or self.server.handle(request, self.time)
        if step in self.lost:
            raise self.lost.pop(step)
        return replace(answer, received_at=self.time)

    async def look_at(self, urls: tuple[str, ...]) -> None:
        """Find nothing wrong."""

    @property
    def seen_public(self) -> bool:
        """Say that nothing public was seen."""
        return False

    def free_port(self, host: str) -> int:
        """Return always the same one."""
        return PORT

    def visit(self, handed: PendingSignIn, decision: Decision = "approve") -> str:
        """Be the person; return the address on which the browser ends, where it cannot be opened."""
        person = browse(handed.url, decision=decision, user_code=handed.user_code)
        request = next(person)
        try:
            while not (handed.redirect_uri and request.url.startswith(handed.redirect_uri)):
                request = person.send(self.server.handle(request, self.time))
        except StopIteration:
            return ""
        return request.url


def world(faults: Faults | None = None, *, signer: Signer | None = None) -> PretendWorld:
    """Begin with a fresh server."""
    return PretendWorld(
        DemoServer(
            ISSUER,
            entropy=secrets.token_bytes,
            clients=(SECRET_CLIENT, WITH_KEY),
            faults=faults,
            signer=signer,
        )
    )


def begun(world: PretendWorld, flow: TwoStepFlow, client: ClientConfig = CLIENT) -> PendingSignIn:
    """Begin a sign-in."""
    return asyncio.run(begin(client, flow, world=world))


@dataclass
class Process:
    """Goes on with a sign-in as one process after another does: each knows only what was kept."""

    world: PretendWorld
    kept: list[bytes] = field(default_factory=list)

    def save(self, handed: PendingSignIn) -> None:
        """Keep it as the store does."""
        self.kept.append(to_json(handed))

    def resume(
        self,
        handed: PendingSignIn | bytes,
        *,
        wait: float = 0.0,
        pasted: str | None = None,
        secret: str | None = None,
        key: str | None = None,
    ) -> SignIn:
        """Go on from what was kept."""
        content = handed if isinstance(handed, bytes) else to_json(handed)
        handle = handed.handle if isinstance(handed, PendingSignIn) else read(handed).handle
        paste: Paste | None = None if pasted is None else pasted_address(pasted)
        return asyncio.run(
            resume(
                from_json(PendingSignIn, content, handle),
                save=self.save,
                wait=wait,
                paste=paste,
                client_secret=secret,
                private_key=key,
                world=self.world,
            )
        )

    @property
    def last(self) -> PendingSignIn:
        """What was kept last."""
        return read(self.kept[-1])


def read(content: bytes) -> PendingSignIn:
    """Read what was kept, whatever its handle."""
    handle = content.decode("ascii").partition('"handle": "')[2].partition('"')[0]
    return from_json(PendingSignIn, content, handle)
