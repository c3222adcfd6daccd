"""What the user does at the program itself: opens links, presses Enter, types; and what is seen meanwhile.

A link is opened when the program starts a browser with it. One that is only printed is opened too, a moment
later, as a user would who was shown it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from loopback_auth.audit.programs.links import links_in, plain, port_of
from loopback_auth.audit.programs.observed import Listener, Seen
from loopback_auth.audit.programs.process import Process
from loopback_auth.audit.programs.program_environment import ProgramEnvironment

TICK = 0.02
"""Seconds between two looks at the program."""
SCAN_SECONDS = 0.1
"""Seconds between two looks for new processes."""
READ_SECONDS = 0.2
"""Seconds between two looks for printed links."""
PRINTED_SECONDS = 0.7
"""Seconds after which a printed link is opened: no browser will be started any more."""
LOCAL_SECONDS = 3.0
"""The same for a printed link to the program itself, which may only tell where it listens."""
QUESTIONS = ("?", ":", ">", "]", ")")
"""What questions end with."""
TYPING_SECONDS = 0.3
"""Seconds without output after which a question in a terminal is answered by the next line."""
ENTER_SECONDS, ENTERS = 2.0, 3
"""Seconds after which a line is typed without a question, or Enter pressed where there is none; how often."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that was opened in the browser.

    Args:
        url: as it was handed over, or printed.
        command: name of the browser that the program started; empty for a printed link.
        at: monotonic seconds.
        listeners: the ports of the program at that moment.
    """

    url: str = field(repr=False)
    command: str
    at: float
    listeners: tuple[Listener, ...]


class Interaction:
    """Plays the user at the program itself, during one sign-in.

    Args:
        process: the program.
        program_environment: of the program.
        is_page: whether a URL is a page of the server: such a link is opened as soon as it is printed.
        lines: typed into its terminal, one after the other.
        open_link: opens a link in the browser.
    """

    def __init__(
        self,
        process: Process,
        program_environment: ProgramEnvironment,
        *,
        is_page: Callable[[str], bool],
        lines: tuple[str, ...],
        open_link: Callable[[Opened], None],
    ) -> None:
        self.opened: list[Opened] = []
        self.handed: dict[str, None] = {}
        """Every link with which a browser was started, in order."""
        self.enters: int = 0
        """How often Enter was pressed."""
        self.listeners: tuple[Listener, ...] = ()
        """The ports on which the program listened when it was last looked at."""
        self._process = process
        self._program_environment = program_environment
        self._is_page = is_page
        self._lines = list(lines)
        self._open_link = open_link
        self._browsers: list[str] = []
        self._printed: dict[str, float] = {}
        self._scanned = self._read = self._typed = process.begun
        self._task = asyncio.create_task(self._watch())

    @property
    def over(self) -> bool:
        """Whether the program has ended, and everything that it started."""
        if self._process.status() is None:
            return False
        self._process.descendants.scan()  # What it started last may not have been seen yet.
        return not self._process.descendants.alive()

    @property
    def asks(self) -> bool:
        """Whether the last line that it wrote is not ended, as that of a question."""
        return bool(self._last_line())

    def _last_line(self) -> str:
        return re.split(r"[\r\n]", plain(self._process.stdout.text))[-1].strip()

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so; return whether it is, after that many seconds at most."""
        limit = time.monotonic() + seconds
        while not done():
            if self._task.done():
                self._task.result()
            if time.monotonic() >= limit:
                return False
            await asyncio.sleep(TICK)
        return True

    def look(self) -> tuple[Listener, ...]:
        """Return the ports on which the program listens now."""
        self._process.descendants.scan()
        self.listeners = self._process.descendants.listeners()
        return self.listeners

    def seen(self) -> Seen:
        """Return what can be seen of the program now."""
        status = self._process.status()
        self._process.catch_up()
        self._take_starts()
        printed = links_in(f"{self._process.stdout.text}\n{self._process.stderr.text}")
        return Seen(
            listeners=self.look(),
            running=status is None,
            status=status,
            stdout=self._process.stdout.text,
            stderr=self._process.stderr.text,
            argv=(*self._process.descendants.lines, *self._browsers),
            files=self._program_environment.written(),
            links=tuple(dict.fromkeys((*self.handed, *printed))),
        )

    async def leave(self) -> None:
        """Stop watching the program."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        while True:
            now = time.monotonic()
            self._process.status()
            self._take_starts()
            if now - self._scanned >= SCAN_SECONDS:
                self._scanned = now
                self._process.descendants.scan()
            if not self.opened and now - self._read >= READ_SECONDS:
                self._read = now
                self._read_links(now)
            self._type(now)
            await asyncio.sleep(TICK)

    def _take_starts(self) -> None:
        for start in self._program_environment.stand_ins.starts():
            self._browsers.append(start.line)
            for link in start.links:
                self.handed[link] = None
                self._open(link, start.command)

    def _read_links(self, now: float) -> None:
        """Open what is only printed: a page of the server soon, one of the program itself later."""
        if not (self._process.stdout.written or self._process.stderr.written):
            return
        ports: frozenset[int] | None = None
        for link in links_in(f"{self._process.stdout.text}\n{self._process.stderr.text}"):
            since = self._printed.setdefault(link, now)
            if self._is_page(link):
                due = now - since >= PRINTED_SECONDS
            elif due := now - since >= LOCAL_SECONDS:
                if ports is None:  # They are looked at once for all links: there may be thousands.
                    ports = frozenset(one.port for one in self.look())
                due = port_of(link) in ports
            if due:
                self._open(link, "")
                return

    def _open(self, link: str, command: str) -> None:
        if any(one.url == link for one in self.opened):
            return
        opened = Opened(link, command, time.monotonic(), self.look())
        self.opened.append(opened)
        self._open_link(opened)

    def _type(self, now: float) -> None:
        """Type the next line when the program is quiet; press Enter where it waits for that, it seems."""
        if not self._process.terminal or self._process.status() is not None:
            return
        quiet = now - max(self._process.stdout.at, self._typed)
        if self._lines:
            if quiet >= (TYPING_SECONDS if self._last_line().endswith(QUESTIONS) else ENTER_SECONDS):
                self._process.type(self._lines.pop(0) + "\n")
                self._typed = now
        elif not self.opened and self.enters < ENTERS and quiet >= ENTER_SECONDS and self.asks:
            self._process.type("\n")
            self._typed = now
            self.enters += 1
