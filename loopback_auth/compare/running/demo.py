"""The flows on real sockets, side by side: the demo server, the real driver, a simulated user.

Two things differ from a real login: everything is on this machine, so requests take a millisecond, and the
user approves every request after a moment.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from loopback_auth import words
from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.compare.running.choices import THINKING, Choice, Tell, choice, demo_client, silent
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.serve import Demo, ServerFactory, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.effects import Observer
from loopback_auth.errors import AttemptCancelled, LoopbackAuthError
from loopback_auth.events import CallbackReceived, Event, LinkOpened, PasteReady, VerificationPrompted
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.network.browser import Opening
from loopback_auth.protocol.paste import Pasted, pasted_callback
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.tokens import SignIn
from loopback_auth.trace.recorder import Recorder

FLOW_SECONDS = 30.0
"""Seconds after which a flow is given up."""
LAST_PAGE_SECONDS = 5.0
"""Seconds that a browser gets to load its last page."""

Ended = tuple[str, Recorder, SignIn | LoopbackAuthError]


async def run_against_demo(
    flows: Sequence[str], *, tell: Tell, thinking: float, device_interval: int
) -> list[Ended]:
    """Run flows against a server that keeps the rules, and signs ID tokens where the package for it is there.

    Args:
        flows: names of runs.
        tell: called with the progress of each.
        thinking: seconds that the user takes to approve.
        device_interval: seconds that the server wants between two polls.

    Raises:
        ConfigError: there is no such flow.
    """
    signer = await asyncio.to_thread(rsa_signer)

    def server(issuer: str) -> DemoServer:
        entropy = secrets.token_bytes
        return DemoServer(issuer, entropy=entropy, signer=signer, device_interval=device_interval)

    return await run_on_demo(flows, server, openid=signer is not None, tell=tell, thinking=thinking)


async def run_on_demo(
    flows: Sequence[str],
    server_factory: ServerFactory,
    *,
    openid: bool,
    tell: Tell = silent,
    thinking: float = THINKING,
    flow_seconds: float = FLOW_SECONDS,
) -> list[Ended]:
    """Run flows at the same time; return, in their order, what was recorded and how each ended.

    Args:
        flows: names of runs.
        server_factory: makes the server.
        openid: it signs ID tokens.
        tell: called with the progress of each.
        thinking: seconds that the user takes to approve.
        flow_seconds: seconds after which a flow is given up.

    Raises:
        ConfigError: there is no such flow.
    """
    async with serve_demo(server_factory=server_factory) as demo:
        client = demo_client(demo.issuer, openid=openid)
        chosen = [choice(name, client) for name in flows]
        return await asyncio.gather(
            *(_run(one, demo, tell=tell, thinking=thinking, flow_seconds=flow_seconds) for one in chosen)
        )


async def _run(one: Choice, demo: Demo, *, tell: Tell, thinking: float, flow_seconds: float) -> Ended:
    recorder = Recorder(one.name, ground="demo", provider=one.client.provider.name, clock=time.monotonic)
    person = ObservedUser(recorder, demo.issuer, thinking=thinking, tell=lambda stage: tell(one.name, stage))
    tell(one.name, words.RUN_BEGUN)
    try:
        end: SignIn | LoopbackAuthError = await session.sign_in(
            one.client,
            planned(one.client, one.flow, opener=True, pastes=True),
            notify=person.notice,
            open_browser=person.open,
            timeout=flow_seconds,
            paste=person.paste,
            observer=recorder,
        )
    except LoopbackAuthError as exc:
        end = exc
    except BaseException:
        person.close()
        raise
    recorder.ended(end)
    await person.leave()
    tell(one.name, words.RUN_FAILED if isinstance(end, LoopbackAuthError) else words.RUN_SIGNED_IN)
    return one.name, recorder, end


class ObservedUser(Observer):
    """A simulated user whose browser is recorded, and who pastes the URL that it could not open.

    Args:
        recorder: observes the browser.
        issuer: the only server that the browser can reach where the URL has to be pasted.
        thinking: seconds before each decision, and before the URL is pasted.
        tell: called with the progress.
    """

    def __init__(
        self, recorder: Recorder, issuer: str, *, thinking: float, tell: Callable[[str], None]
    ) -> None:
        self._recorder = recorder
        self._issuer = issuer
        self._thinking = thinking
        self._tell = tell
        self._user = SimulatedUser(thinking=thinking, observer=self)
        self._stranded: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def open(self, url: str) -> Opening:
        """Open a browser, for the login, in its loop."""
        return self._user.open(url)

    def notice(self, event: Event) -> None:
        """Handle an event of the login."""
        match event:
            case PasteReady(url=url):
                self._recorder.opened(url, "")
                self._user.visit(url, reaches=self._issuer)
            case LinkOpened():
                self._tell(words.RUN_OPENED)
            case VerificationPrompted():
                self._tell(words.RUN_PROMPTED)
            case CallbackReceived():
                self._tell(words.RUN_ANSWERED)
            case _:
                pass

    async def paste(self, request: AuthorizationRequest) -> Callback:
        """Paste the URL that the browser could not open."""
        address = await self._stranded
        await asyncio.sleep(self._thinking)
        pasted = pasted_callback(address, request)
        if not isinstance(pasted, Pasted):
            raise AttemptCancelled(pasted.reason)
        return replace(pasted.callback, received_at=time.time())

    def browsed(
        self, request: HttpRequest, answer: HttpResponse | None, *, address: str, begun: float, ended: float
    ) -> None:
        """Pass a request to the recorder, and keep the URL that could not be opened."""
        self._recorder.browsed(request, answer, address=address, begun=begun, ended=ended)
        if answer is None and not self._stranded.done():
            self._stranded.set_result(address)

    async def leave(self) -> None:
        """Load the last page, if there is one, and close the browser."""
        visits = [asyncio.wrap_future(visit) for visit in self._user.visits]
        if visits:
            await asyncio.wait(visits, timeout=LAST_PAGE_SECONDS)
        self.close()
        for result in await asyncio.gather(*visits, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, LoopbackAuthError):
                raise result

    def close(self) -> None:
        """Close the browser at once."""
        for visit in self._user.visits:
            visit.cancel()
