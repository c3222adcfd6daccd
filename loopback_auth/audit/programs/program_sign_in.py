"""One sign-in of a program: it is started, its link opened, a user approves, and a scenario acts meanwhile.

The program runs for as long as the scenario lets it; then everything that it started is ended.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import ClientSession

from loopback_auth.audit.programs.actions import ANSWER_SECONDS, END_SECONDS
from loopback_auth.audit.programs.browsing import Browsing
from loopback_auth.audit.programs.interaction import Interaction, Opened
from loopback_auth.audit.programs.links import is_here
from loopback_auth.audit.programs.observed import ProgramResult, Seen
from loopback_auth.audit.programs.outcome import Outcome
from loopback_auth.audit.programs.process import Process
from loopback_auth.audit.programs.program_environment import ProgramEnvironment
from loopback_auth.audit.programs.recording import Recording
from loopback_auth.audit.programs.requested import AuthorizationRequested
from loopback_auth.audit.programs.server import AuditServer, Served
from loopback_auth.compare.attacks.attack_actions import NO_ANSWER, Exposed, Point
from loopback_auth.demo.agent import Navigation
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.trace.redactor import Redactor

LINK_SECONDS = 30.0
"""Seconds in which a program has to open its link."""
STAYING_SECONDS = 6.0
"""Seconds after which a program with its tokens stays, as a server does."""
LEAVING_SECONDS = 3.0
"""Seconds in which what a program has left behind may end by itself."""
QUIET_SECONDS = 0.5
"""Seconds that a program which stays gets to do what it does with its tokens."""
PAGE_SECONDS = 2.0
"""Seconds that a browser gets to see how its last request ended, when the program is gone."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the program behaves, as far as that was found out before.

    Args:
        terminal: it wants a terminal.
        stays: it does not end by itself when it has its tokens.
        seconds: that it may take from its start until the browser has its last page.
    """

    terminal: bool = False
    stays: bool = False
    seconds: float = 60.0


class ProgramSignIn:
    """One sign-in; it begins with the first action that lets it go on.

    Args:
        start: starts the program.
        server: for this sign-in alone.
        session: of the browser.
        program_environment: the folders and variables of the program.
        redactor: learns every secret that passes.
        behaviour: of the program.
        lines: typed into its terminal.
        success: pattern in its output that means success; empty: exit status 0 does.
    """

    def __init__(
        self,
        start: Callable[[], Process],
        server: AuditServer,
        session: ClientSession,
        program_environment: ProgramEnvironment,
        redactor: Redactor,
        *,
        behaviour: Behaviour,
        lines: tuple[str, ...] = (),
        success: str = "",
    ) -> None:
        self.recording: Recording = Recording()
        """What has happened, for the trace."""
        self.requested: AuthorizationRequested = AuthorizationRequested(server)
        """The authorization request, as far as it is known."""
        self.browsing: Browsing = Browsing(
            server,
            session,
            redactor,
            redirect_uri=lambda: self.requested.redirect_uri,
            seen=self._browsed,
        )
        """The user's browser, with which scenarios make their requests, too."""
        self.outcome: Outcome = Outcome(server, self.requested, self.browsing)
        """What came of it so far."""
        self.asked: bool = False
        """Whether the program seemed to wait for an answer in its terminal when it was ended."""
        self._start = start
        self._server = server
        self.program_environment: ProgramEnvironment = program_environment
        """The folders and variables of the program."""
        self._behaviour = behaviour
        self._lines = lines
        self._success = success
        self._process: Process | None = None
        self._interaction: Interaction | None = None
        self._kept: list[asyncio.StreamWriter] = []
        self._limit = 0.0
        self._left_behind: int | None = None

    # What follows is done by scenarios.

    async def until(self, point: Point) -> Exposed | None:
        """Let the sign-in go on until a point; None when it ended, or came to nothing, before."""
        interaction = self._begun()
        reached = self.browsing.pause_at(point)
        await self._linked(lambda: reached.is_set())
        await interaction.until(lambda: reached.is_set() or self._nothing_more(), self._time_left())
        return self._exposed() if reached.is_set() else None

    async def end(self, within: float = END_SECONDS) -> ProgramResult:
        """Let the sign-in go on to its end."""
        interaction = self._begun()
        self.browsing.go_on()
        await self._linked(lambda: False)
        limit = time.monotonic() + within
        await interaction.until(
            lambda: not self.browsing.busy or interaction.over, min(within, self._time_left())
        )
        await self._finished(max(limit - time.monotonic(), QUIET_SECONDS))
        return await self._concluded()

    async def abandon(self, interrupt_after: float, within: float) -> ProgramResult:
        """Close the tab, and press Ctrl-C after a while."""
        interaction = self._begun()
        await self.browsing.close()
        if not await interaction.until(lambda: interaction.over, interrupt_after):
            self.process.interrupt()
            await interaction.until(lambda: interaction.over, within)
        return await self._concluded()

    async def ask(self, request: HttpRequest) -> HttpResponse:
        """Send a request; status 0 when there is no answer in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self.browsing.load(request)
        return NO_ANSWER

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, until the program ends."""
        interaction = self._begun()
        await interaction.until(lambda: interaction.over, seconds)

    def look(self) -> Seen:
        """See what can be seen of the program now."""
        return self._begun().seen()

    async def leave(self) -> None:
        """End everything; unexpected errors of the browser are raised."""
        try:
            for writer in self._kept:
                writer.close()
            if self._interaction is not None:
                await self._interaction.leave()
            await self.browsing.close()
        finally:
            await self._ended()

    @property
    def issuer(self) -> str:
        """The server of this sign-in."""
        return self._server.issuer

    @property
    def served(self) -> Sequence[Served]:
        """What the program asked the server."""
        return self._server.served

    @property
    def opened(self) -> Sequence[Opened]:
        """The links that were opened."""
        return self._interaction.opened if self._interaction is not None else ()

    @property
    def enters(self) -> int:
        """How often Enter was pressed."""
        return self._interaction.enters if self._interaction is not None else 0

    @property
    def process(self) -> Process:
        """The program, which has been started."""
        if self._process is None:
            raise RuntimeError("the program was not started")
        return self._process

    def keep(self, writer: asyncio.StreamWriter) -> None:
        """Keep a connection open until the sign-in ends."""
        self._kept.append(writer)

    # What follows waits for the program.

    def _begun(self) -> Interaction:
        if self._interaction is None:
            self._process = self._start()
            self._limit = time.monotonic() + self._behaviour.seconds
            self._interaction = Interaction(
                self._process,
                self.program_environment,
                is_page=self._server.is_page,
                lines=self._lines,
                open_link=self._open,
            )
        return self._interaction

    def _time_left(self) -> float:
        return max(self._limit - time.monotonic(), 0.0)

    async def _linked(self, done: Callable[[], bool]) -> None:
        """Wait for the first link."""
        interaction = self._begun()
        await interaction.until(
            lambda: bool(done() or interaction.opened or interaction.over),
            min(LINK_SECONDS, self._time_left()),
        )

    def _nothing_more(self) -> bool:
        """Return whether the browser has nothing more to do, or the program is gone."""
        interaction = self._begun()
        return interaction.over or not interaction.opened or not self.browsing.busy

    async def _finished(self, within: float) -> None:
        """Wait until the program has ended, or has its tokens and stays."""
        interaction = self._begun()
        limit = time.monotonic() + within
        if not interaction.opened:
            return
        while not interaction.over and time.monotonic() < limit:
            done_at = self.outcome.done_at
            if done_at is not None:
                self.outcome.watch_port(self._begun().look())
                since = time.monotonic() - done_at
                status = self.process.status()
                if status is not None and since > LEAVING_SECONDS:
                    return  # What it left behind does not end by itself.
                if status is None and self._stays(since):
                    return
            await asyncio.sleep(0.02)
        # The browser has still to see how its last request ended.
        await self.browsing.settled(min(PAGE_SECONDS, max(limit - time.monotonic(), 0.0)))

    def _stays(self, since: float) -> bool:
        return since > (QUIET_SECONDS if self._behaviour.stays else STAYING_SECONDS)

    async def _concluded(self) -> ProgramResult:
        """Note how the sign-in went, and end the program."""
        interaction = self._begun()
        self.outcome.watch_port(interaction.look())
        seen, still_runs = interaction.seen(), self.process.status() is None
        self.asked = still_runs and self.process.terminal and interaction.asks
        left_behind = await self._ended() - still_runs
        return self.outcome.result(
            self.process,
            seen,
            opened=interaction.opened,
            left_behind=left_behind,
            succeeds=lambda status: self._ended_well(status, seen),
        )

    def _ended_well(self, status: int | None, seen: Seen) -> bool:
        if self._success:
            return re.search(self._success, seen.output) is not None
        return status == 0 or (status is None and self._behaviour.stays)

    async def _ended(self) -> int:
        """End the program once, and return how many processes there were."""
        if self._left_behind is None:
            self._left_behind = await self._process.leave() if self._process is not None else 0
        return self._left_behind

    # What follows is the browser.

    def _open(self, opened: Opened) -> None:
        self.recording.opened(opened.url, opened.command, opened.at)
        self.requested.saw(opened.url)
        if is_here(opened.url):
            self.browsing.open(opened.url, user_code=self._user_code())

    def _user_code(self) -> str:
        codes = [members.get("user_code") for members in self._server.answered("/device_authorization")]
        return next((code for code in reversed(codes) if isinstance(code, str)), "")

    def _browsed(self, step: Navigation, answer: HttpResponse, begun: float, ended: float) -> None:
        self.requested.saw(step.url, step.body)
        self.recording.browsed(step, answer, begun, ended)

    def _exposed(self) -> Exposed:
        waiting = self.browsing.waiting
        opened = self._begun().opened
        first = opened[0].url if opened else ""
        at_server = first.startswith(f"{self._server.issuer}/")
        answers = waiting is not None and not waiting.decides
        return Exposed(
            start_url="" if at_server else first,
            link=self.requested.link or (first if at_server else ""),
            redirect_uri=self.requested.redirect_uri,
            state=self.requested.parameters.get("state", ""),
            answer=waiting if answers else None,
        )
