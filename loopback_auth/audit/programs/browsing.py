"""The user's browser in an audit: tabs that wait where a scenario acts, and never leave this machine.

What is for the authorization server is handed to it directly, so that its log has the program's requests
alone. Other requests are sent to addresses of this machine, and to no other: where a page leads elsewhere,
that is noted, and nothing is sent.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from loopback_auth.audit.programs.links import is_here
from loopback_auth.audit.programs.observed import Visit
from loopback_auth.audit.programs.server import AuditServer
from loopback_auth.compare.attacks.attack_actions import NO_ANSWER, Point
from loopback_auth.demo.agent import Navigation, follow
from loopback_auth.demo.run_agent import fetch
from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.urls import is_localhost
from loopback_auth.trace.redactor import Redactor

PAGE_SECONDS = 30.0
"""Seconds that the browser waits for one page of the program."""
LARGEST_PAGE = 4 * 1024 * 1024
"""Bytes of a page that are read."""


class ThisMachine(AbstractResolver):
    """Knows the name localhost, as browsers do (RFC 6761 §6.3), and asks no name server about others."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return both loopback addresses for localhost.

        Raises:
            OSError: it is another name.
        """
        if not is_localhost(host):
            raise OSError(f"{host} is not this machine")
        both = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, address in both
        ]

    async def close(self) -> None:
        """Release nothing."""


def browser_session() -> ClientSession:
    """Make the connections of a browser, which reach this machine alone and trust every certificate on it."""
    return ClientSession(
        connector=TCPConnector(resolver=ThisMachine(), ssl=False, force_close=True, limit=0),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=PAGE_SECONDS),
        auto_decompress=False,
        trust_env=False,
    )


class Browsing:
    """The tabs of one user.

    Args:
        server: the authorization server.
        session: from `browser_session`.
        redactor: learns every secret that passes.
        redirect_uri: returns where the response is going to come; empty while that is not known.
        seen: called with every request and its answer, and the address bar, and when it began and ended, in
            monotonic seconds.
    """

    def __init__(
        self,
        server: AuditServer,
        session: ClientSession,
        redactor: Redactor,
        *,
        redirect_uri: Callable[[], str],
        seen: Callable[[Navigation, HttpResponse, float, float], None],
    ) -> None:
        self.visits: list[Visit] = []
        self.answered_at: float | None = None
        """When the last answer came from another than the server, in monotonic seconds."""
        self.page: HttpResponse | None = None
        """The page of the server on which the user cannot go on, such as a refusal."""
        self.waiting: Navigation | None = None
        """The step before which the browser waits."""
        self._server = server
        self._session = session
        self._redactor = redactor
        self._redirect_uri = redirect_uri
        self._seen = seen
        self._tabs: list[asyncio.Task[None]] = []
        self._wanted: Point | None = None
        self._reached = asyncio.Event()
        self._released = asyncio.Event()

    def open(self, url: str, *, user_code: str = "") -> None:
        """Open a tab."""
        self._tabs.append(asyncio.create_task(self._wander(url, user_code)))

    @property
    def busy(self) -> bool:
        """Whether a tab has not come to its end."""
        return any(not tab.done() for tab in self._tabs)

    async def settled(self, within: float) -> None:
        """Wait until every tab has come to its end, for some seconds at most."""
        if self._tabs:
            await asyncio.wait(self._tabs, timeout=within)

    def pause_at(self, point: Point) -> asyncio.Event:
        """Go on until a point; the event is set when it is reached."""
        self._wanted, self._reached = point, asyncio.Event()
        self._go_on()
        return self._reached

    def go_on(self) -> None:
        """Let the browser go on to the end."""
        self._wanted = None
        self._go_on()

    async def close(self) -> None:
        """Close the tabs; unexpected errors are raised."""
        for tab in self._tabs:
            tab.cancel()
        for result in await asyncio.gather(*self._tabs, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, LoopbackAuthError):
                raise result

    async def load(self, request: HttpRequest) -> HttpResponse:
        """Send one request, as a tab or an attacker does; status 0 when there was no answer."""
        if request.url.startswith(f"{self._server.issuer}/"):
            answer = self._server.answer(request, time.time())
        elif is_here(request.url):
            try:
                answer = await fetch(self._session, request, most=LARGEST_PAGE)
            except (TransportError, ValueError, OSError):
                answer = NO_ANSWER
        else:
            answer = NO_ANSWER
        self._redactor.learn_response(answer)
        return answer

    def _go_on(self) -> None:
        released, self._released = self._released, asyncio.Event()
        released.set()

    async def _wander(self, url: str, user_code: str) -> None:
        way = follow(url, user_code=user_code)
        try:
            step = next(way)
            while True:
                await self._before(step)
                answer = await self._took(step)
                if step.decides:
                    await self._stand("approved", step)
                if not answer.status:
                    return
                step = way.send(answer)
        except StopIteration:
            return
        except LoopbackAuthError:
            return  # A page leads nowhere; what it was is in the visits.

    async def _took(self, step: Navigation) -> HttpResponse:
        request, begun = step.request(), time.monotonic()
        # What an attacker sends is invented, and no secret.
        self._redactor.learn_request(request, guess=True)
        self._redactor.learn_url(step.url, guess=True)
        answer = await self.load(request)
        ended = time.monotonic()
        if request.url.startswith(f"{self._server.issuer}/"):
            self.page = answer
        else:
            self.visits.append(Visit(request, answer, step.address))
            if answer.status:
                self.answered_at = ended
        self._seen(step, answer, begun, ended)
        return answer

    async def _before(self, step: Navigation) -> None:
        if step.decides:
            await self._stand("link", step)
        elif self._answers(step):
            await self._stand("answer", step)

    def _answers(self, step: Navigation) -> bool:
        expected = self._redirect_uri()
        page = step.url.partition("#")[0].partition("?")[0]
        return bool(expected) and not step.relay and page == expected.partition("?")[0]

    async def _stand(self, point: Point, step: Navigation) -> None:
        if self._wanted == point:
            self._wanted, self.waiting = None, step
            released = self._released
            self._reached.set()
            await released.wait()
            self.waiting = None
