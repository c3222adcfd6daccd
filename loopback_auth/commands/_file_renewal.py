"""Keeps the token in files fresh while a program reads them, in a thread of its own.

It asks the source when the token is due, and in between whether another process has renewed it, or signed in
again. The terminal belongs to the program that runs: a failure is said in one line, and at a terminal only
when the program has ended, because it may draw the whole screen.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from loopback_auth.cli import tell
from loopback_auth.environment import is_terminal
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.freshness import fresh_period
from loopback_auth.invocation import as_typed
from loopback_auth.outputs.credential import Credential, credential
from loopback_auth.tokens import SignIn

LOOK_SECONDS = 30.0
"""Seconds after which the source is asked again in any case: the clock may be set, the machine may sleep."""
SHORTEST_SECONDS = 0.5
END_SECONDS = 10.0
"""Seconds for a renewal that is under way at the end: its answer may hold the only valid refresh token."""


class Source(Protocol):
    """Where the token comes from."""

    async def sign_in(self) -> SignIn:
        """Return the sign-in with a fresh token."""
        ...


class FileRenewal:
    """Renews for as long as the block lasts.

    Args:
        source: of the token.
        first: what the files have.
        write: writes a token into the files.
        obtained_at: of the first token, in Unix seconds.
    """

    def __init__(
        self, source: Source, first: Credential, write: Callable[[str], None], obtained_at: float
    ) -> None:
        self._source = source
        self._current = first
        self._obtained_at = obtained_at
        self._write = write
        self._end = threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._renew, name="loopback_auth renewal", daemon=True)

    def __enter__(self) -> FileRenewal:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(END_SECONDS)
        if self._trouble and is_terminal(sys.stderr):
            tell(self._trouble)

    def _renew(self) -> None:
        failures = 0
        while not self._end.wait(self._pause(failures)):
            try:
                found = asyncio.run(self._source.sign_in())
                got = credential(found, of=self._current.of)
                if got.token != self._current.token:
                    self._write(got.token)
                self._current, self._obtained_at, failures = got, found.tokens.obtained_at, 0
            except LoopbackAuthError as exc:
                failures += 1
                self._say(f"{exc.message} {exc.hint}")
            except Exception as exc:
                # Such as one of a system without free files. Its words may quote a secret.
                failures += 1
                self._say(f"Internal error: {type(exc).__name__}")

    def _pause(self, failures: int) -> float:
        """Return for how many seconds the files are good, or nothing can be done."""
        if failures:
            return min(SHORTEST_SECONDS * 2.0**failures, LOOK_SECONDS)
        until = fresh_period(obtained_at=self._obtained_at, expires_at=self._current.expires_at)[1]
        return min(max(until - time.time(), SHORTEST_SECONDS), LOOK_SECONDS)

    def _say(self, why: str) -> None:
        if self._trouble:
            return
        since = time.strftime("%H:%M:%S")
        self._trouble = as_typed(f"The token in the file could not be renewed at {since}: {why}".rstrip())
        if not is_terminal(sys.stderr):
            tell(self._trouble)
