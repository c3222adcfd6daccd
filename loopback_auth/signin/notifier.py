"""Tell events to the program, whose `notify` may fail, and may be a coroutine function.

Every public coroutine with a `notify` calls it through a `Notifier`, so that all of them treat it alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from inspect import isawaitable
from types import TracebackType

from loopback_auth.events import Event, Notify, silent
from loopback_auth.network.threads import report_mistake
from loopback_auth.signin.option_checks import CHECKS

TELL_SECONDS = 5.0
"""Seconds for a coroutine function to take in what was told last, when the sign-in has ended."""


class Notifier:
    """Calls a `notify` with each event, in order; an async context manager that ends when all was taken in.

    Args:
        notify: the program's own; None: events are ignored.

    Raises:
        ConfigError: it cannot be called.
    """

    def __init__(self, notify: Notify | None) -> None:
        CHECKS["notify"]("notify", notify)
        self._notify = silent if notify is None else notify
        self.listens: bool = self._notify is not silent
        """Whether an event makes a difference."""
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._working: asyncio.Task[None] | None = None
        self._failed = False

    async def __aenter__(self) -> Notifier:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        working = self._working
        if working is None:
            return
        self._queue.put_nowait(None)
        try:
            # A sign-in that is cancelled does not wait for the program's `notify`.
            seconds = 0.0 if isinstance(exc, asyncio.CancelledError) else TELL_SECONDS
            await asyncio.wait([working], timeout=seconds)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    def tell(self, event: Event) -> None:
        """Tell an event now, or after those that a coroutine function has not taken in yet."""
        if self._working is not None:
            self._queue.put_nowait(event)
        elif (taking := self._call(event)) is not None:
            self._working = asyncio.create_task(self._work(taking))

    async def _work(self, taking: Awaitable[object] | None) -> None:
        while True:
            if taking is not None:
                try:
                    await taking
                except Exception as exc:
                    self._report(exc)
            event = await self._queue.get()
            if event is None:
                return
            taking = self._call(event)

    def _call(self, event: Event) -> Awaitable[object] | None:
        try:
            answer = self._notify(event)
        except (Exception, asyncio.CancelledError) as exc:
            # A callback that fails must not cost a sign-in that the user has approved; what it has waited for
            # may have been cancelled, but not the sign-in.
            self._report(exc)
            return None
        return answer if isawaitable(answer) else None

    def _report(self, error: BaseException) -> None:
        """Report the first failure: the others are likely to be the same."""
        if not self._failed:
            self._failed = True
            report_mistake("the notify of the program failed", error)


@asynccontextmanager
async def told_afterwards(notify: Notify) -> AsyncGenerator[Notify]:
    """Pass events on when the block has ended, which holds a lock or the only good tokens.

    A `notify` may end the program, and it may call what waits for the same lock.
    """
    events: list[Event] = []
    try:
        yield events.append
    finally:
        for event in events:
            notify(event)
