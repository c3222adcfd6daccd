"""What came of one sign-in of a program: tokens or none, when it was done, and when its port was closed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from loopback_auth.audit.programs.browsing import Browsing
from loopback_auth.audit.programs.descendants import addresses
from loopback_auth.audit.programs.interaction import Opened
from loopback_auth.audit.programs.links import port_of
from loopback_auth.audit.programs.observed import Listener, ProgramResult, Seen
from loopback_auth.audit.programs.process import Process
from loopback_auth.audit.programs.requested import AuthorizationRequested
from loopback_auth.audit.programs.server import AuditServer


class Outcome:
    """Collects how one sign-in went: its tokens, when it was done, and when its port was closed.

    Args:
        server: that the program was given.
        requested: its authorization request.
        browsing: of the user.
    """

    def __init__(self, server: AuditServer, requested: AuthorizationRequested, browsing: Browsing) -> None:
        self._server = server
        self._requested = requested
        self._browsing = browsing
        self._open_at: float | None = None
        self._closed_at: float | None = None

    @property
    def done_at(self) -> float | None:
        """When the program had its tokens and the browser its page, in monotonic seconds; None before."""
        if not self._server.token_answers or self._browsing.busy:
            return None
        issued = [one.ended for one in self._server.served if one.record.path == "/token"]
        return max(issued[-1], self._browsing.answered_at or 0.0)

    def watch_port(self, listeners: Sequence[Listener]) -> None:
        """Note whether the port for the response is still open."""
        now, port = time.monotonic(), port_of(self._requested.redirect_uri)
        if not port or self._closed_at is not None:
            return
        if addresses(listeners, port):
            self._open_at = now
        elif self.done_at is not None:
            self._closed_at = now

    def result(
        self,
        process: Process,
        seen: Seen,
        *,
        opened: Sequence[Opened],
        left_behind: int,
        succeeds: Callable[[int | None], bool],
    ) -> ProgramResult:
        """Return how the sign-in went.

        Args:
            process: the program, which has been ended.
            seen: at its end.
            opened: the links that were opened.
            left_behind: how many of its processes had to be ended after it.
            succeeds: returns whether a program with tokens has ended well, by its exit status.
        """
        answered_at, tokens = self._browsing.answered_at, self._tokens()
        ended = process.ended or time.monotonic()
        return ProgramResult(
            status=seen.status,
            succeeded=bool(tokens) and succeeds(seen.status),
            account=self._server.owner(tokens.get("access_token", "")),
            link=self._requested.link,
            request=self._requested.parameters,
            repeated=self._requested.repeated,
            requests=tuple(one.record for one in self._server.served),
            tokens=tokens,
            visits=tuple(self._browsing.visits),
            listened_first=self._listened_first(opened),
            seconds=ended - process.begun,
            answered_after=ended - answered_at if not seen.running and answered_at is not None else None,
            port_open_after=self._port_open_after(ended, running=seen.running),
            left_behind=left_behind,
            seen=seen,
        )

    def _tokens(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for members in self._server.token_answers:
            found |= {name: value for name, value in members.items() if isinstance(value, str)}
        return found

    def _listened_first(self, opened: Sequence[Opened]) -> bool | None:
        port = port_of(self._requested.redirect_uri)
        return bool(addresses(opened[0].listeners, port)) if port and opened else None

    def _port_open_after(self, ended: float, *, running: bool) -> float | None:
        """Return for how many seconds the port was open after the sign-in was done."""
        done_at = self.done_at
        if done_at is None or not port_of(self._requested.redirect_uri):
            return None
        closed_at = self._closed_at or time.monotonic()
        # The end of a process closes its port, unless a child of it had it open, too.
        if not running and (self._open_at is None or self._open_at <= ended):
            closed_at = min(closed_at, ended)
        return max(closed_at - done_at, 0.0)
