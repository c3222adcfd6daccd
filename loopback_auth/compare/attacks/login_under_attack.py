"""The user's login under attack, on sockets: a real login, a user who approves, and a browser that can wait.

The browser is the simulated one, taken step by step, so that it is paused where the attacker acts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import ClientSession

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.compare.attacks.attack_actions import (
    NO_ANSWER,
    OVER,
    Exposed,
    LoginResult,
    Point,
    redeeming,
    seen,
)
from loopback_auth.compare.running.choices import Choice
from loopback_auth.demo.agent import Navigation, follow
from loopback_auth.demo.run_agent import fetch
from loopback_auth.effects import Effect, Observer, Send
from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.events import CallbackReceived, Event, LinkReady, PasteReady, PasteRefused
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.network.browser import Opening
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.signin.pasting import pasted
from loopback_auth.tokens import SignIn
from loopback_auth.trace.evidence import POLLS
from loopback_auth.trace.redactor import Redactor

LOGIN_SECONDS = 60.0
"""Seconds after which a login is given up."""
POLL_SECONDS = 20.0
"""Seconds in which a polling request comes."""


async def fetched(session: ClientSession, request: HttpRequest) -> HttpResponse:
    """Make a request; status 0 when there was no answer."""
    try:
        return await fetch(session, request)
    except TransportError:
        return NO_ANSWER


class LoginUnderAttack(Observer):
    """One login and its user; it begins with the first action of the scenario that lets it go on.

    Args:
        one: the run.
        session: of the browser.
        redactor: learns every secret that is sent.
    """

    def __init__(self, one: Choice, session: ClientSession, redactor: Redactor) -> None:
        self._one = one
        self._session = session
        self._redactor = redactor
        self._effects: list[Effect] = []
        self._start_url = ""
        self._renewed = self._taken = False
        self._tasks: list[asyncio.Task[None]] = []
        self._login: asyncio.Task[SignIn | LoopbackAuthError] | None = None
        self._wanted: Point | None = None
        self._reached: asyncio.Future[Exposed] = asyncio.get_running_loop().create_future()
        self._stands = False
        self._released = asyncio.Event()
        self._polled = asyncio.Event()
        self._to_paste: asyncio.Queue[str] = asyncio.Queue()
        self._refused: asyncio.Queue[str] = asyncio.Queue()

    # What follows is done by scenarios.

    async def until(self, point: Point) -> Exposed | None:
        """Let the login go on until a point; None when it ended before."""
        self._wanted, self._reached = point, asyncio.get_running_loop().create_future()
        self._released.set()
        await asyncio.wait((self._reached, self._begun()), return_when=asyncio.FIRST_COMPLETED)
        return self._reached.result() if self._reached.done() else None

    async def end(self) -> LoginResult:
        """Let the login go on to its end."""
        self._wanted = None
        self._released.set()
        end = await self._begun()
        return LoginResult(end, redeeming(self._effects), taken=self._taken, renewed=self._renewed)

    async def offered(self, text: str) -> str:
        """Paste a text; return why it was refused, empty if it was accepted."""
        self._to_paste.put_nowait(text)
        refusal, login = asyncio.ensure_future(self._refused.get()), self._begun()
        await asyncio.wait((refusal, login), return_when=asyncio.FIRST_COMPLETED)
        if not refusal.done():
            refusal.cancel()
            return OVER
        return refusal.result()

    async def leave(self) -> None:
        """Cancel what is still running; unexpected errors are raised."""
        tasks: list[asyncio.Task[object]] = [
            *self._tasks,
            *([self._login] if self._login is not None else []),
        ]
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, LoopbackAuthError):
                raise result

    def _begun(self) -> asyncio.Task[SignIn | LoopbackAuthError]:
        if self._login is None:
            self._login = asyncio.create_task(self._signed_in())
        return self._login

    async def _signed_in(self) -> SignIn | LoopbackAuthError:
        try:
            return await session.sign_in(
                self._one.client,
                planned(self._one.client, self._one.flow, opener=True, pastes=True),
                notify=self.notice,
                open_browser=self.open,
                timeout=LOGIN_SECONDS,
                paste=self.paste,
                observer=self,
            )
        except LoopbackAuthError as exc:
            return exc

    # What follows is called by the sign-in.

    async def open(self, url: str) -> Opening:
        """Open a browser, for the login, in its loop."""
        self._start_url = url
        self._browse(url)
        return Opening(program="simulated user agent")

    def notice(self, event: Event) -> None:
        """Handle an event of the login."""
        match event:
            case PasteReady(url=url):
                self._browse(url, reaches_us=False)
            case PasteRefused(reason=reason):
                self._refused.put_nowait(reason)
            case LinkReady(url=url, again=True):
                # The old link no longer works, and the user sees the new one.
                self._renewed = True
                self._browse(url)
            case CallbackReceived():
                # While the browser is paused, the callback is not from it.
                self._taken = self._taken or self._stands
            case _:
                pass

    async def paste(self, request: AuthorizationRequest) -> Callback:
        """Paste the texts of the scenario, until one is accepted."""
        callback = await pasted(request, notify=self.notice, read=self._to_paste.get)
        self._taken = self._taken or self._stands
        self._refused.put_nowait("")
        return callback

    def performed(self, effect: Effect, answer: object, *, begun: float, ended: float) -> None:
        """Keep an effect, and learn the secrets of requests."""
        self._effects.append(effect)
        if not isinstance(effect, Send):
            return
        self._redactor.learn_request(effect.request)
        if isinstance(answer, HttpResponse):
            self._redactor.learn_response(answer, effect.secrets)
        if effect.step in POLLS:
            self._polled.set()

    # What follows is the browser.

    def _browse(self, url: str, *, reaches_us: bool = True) -> None:
        self._tasks.append(asyncio.create_task(self._wander(url, reaches_us=reaches_us)))

    async def _wander(self, url: str, *, reaches_us: bool) -> None:
        way = follow(url)
        step, answer = next(way), NO_ANSWER
        while True:
            await self._before(step)
            if self._answers(step) and not reaches_us:
                self._to_paste.put_nowait(step.url)
                return
            answer = await fetched(self._session, step.request())
            if step.decides:
                await self._stand("approved")
            if not answer.status:
                return
            try:
                step = way.send(answer)
            except StopIteration:
                return

    async def _before(self, step: Navigation) -> None:
        if step.decides:
            if self._wanted == "approved":
                await self._just_polled()
            await self._stand("link")
        elif self._answers(step):
            await self._stand("answer", step)

    def _answers(self, step: Navigation) -> bool:
        page = step.url.partition("#")[0].partition("?")[0]
        return not step.relay and page == seen(self._effects).redirect_uri

    async def _just_polled(self) -> None:
        """Wait for a polling request, so that the next one does not disturb the attacker."""
        self._polled.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._polled.wait()

    async def _stand(self, point: Point, step: Navigation | None = None) -> None:
        if self._wanted == point:
            self._wanted = None
            self._released.clear()
            self._stands = True
            self._reached.set_result(seen(self._effects, start_url=self._start_url, answer=step))
            await self._released.wait()
            self._stands = False
