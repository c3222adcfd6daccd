"""The browsers that one sign-in starts: by our own opener, or by the program's, which may be anything.

An opener that takes its time is not waited for, and one that turns out to have failed is reported when that
is known. An awaitable that it returned runs beside the sign-in and ends with it at the latest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from inspect import isawaitable

from loopback_auth.effects import Observer
from loopback_auth.events import OpenerFailed
from loopback_auth.network.browser import Opening
from loopback_auth.network.opener import OWN, OpenerCall, failed, opened
from loopback_auth.network.threads import apart, report_mistake

BLOCKED_SECONDS = 0.25
"""Seconds after which an opener that has not returned counts as one that has opened the page."""
LEAVE_SECONDS = 0.25
"""Seconds for an awaitable of an opener to end by itself when the sign-in has ended."""


class Browsers:
    """Follows the openers that have begun; await `close` when the sign-in has ended.

    Args:
        notify: called with `OpenerFailed` when it is known later that no page was opened.
        observer: sees what was opened.
    """

    def __init__(
        self,
        notify: Callable[[OpenerFailed], object],
        observer: Observer,
    ) -> None:
        self._notify = notify
        self._observer = observer
        self._running: set[asyncio.Future[object]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._over = False

    async def begun(self, opening: Opening | OpenerCall, url: str) -> Opening:
        """Return what came of an attempt to open a URL, as far as it is known in a moment."""
        if isinstance(opening, OpenerCall):
            opening = await self._returned(opening)
        self._observer.opened(url, opening.program)
        watch(opening, self._tell)
        return opening

    async def close(self, *, at_once: bool = False) -> None:
        """Let what openers returned end, and cancel what does not.

        Args:
            at_once: the sign-in was given up, and nothing is waited for.
        """
        self._over = True
        for late in self._late:
            late.cancel()
        if self._running and not at_once:
            await asyncio.wait(self._running, timeout=LEAVE_SECONDS)
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._late, *self._running, return_exceptions=True)

    async def _returned(self, call: OpenerCall) -> Opening:
        if call.thread.is_alive():
            await apart(call.thread.join, BLOCKED_SECONDS)
        if not call.thread.is_alive():
            return await self._read(call)
        late = asyncio.create_task(self._returned_late(call))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return Opening(program=OWN)

    async def _returned_late(self, call: OpenerCall) -> None:
        await apart(call.thread.join)
        opening = await self._read(call)
        watch(opening, self._tell)
        self._tell_failed(opening)

    async def _read(self, call: OpenerCall) -> Opening:
        if call.wants_a_loop():
            try:
                return await self._meant(call.opener(call.url))
            except Exception as exc:
                return _mistaken(exc)
        return await self._meant(call.answer) if call.error is None else _mistaken(call.error)

    async def _meant(self, answer: object) -> Opening:
        if not isawaitable(answer):
            return opened(answer)
        running: asyncio.Future[object] = asyncio.ensure_future(answer)
        self._running.add(running)
        # An opener that has nothing to wait for has ended after one turn of the loop.
        await asyncio.sleep(0)
        if running.done():
            self._running.discard(running)
            return _outcome(running)
        running.add_done_callback(self._ended)
        return Opening(program=OWN)

    def _ended(self, running: asyncio.Future[object]) -> None:
        self._running.discard(running)
        self._tell_failed(_outcome(running))

    def _tell_failed(self, opening: Opening) -> None:
        if opening.why_not:
            self._tell(OpenerFailed(OWN, why=opening.why_not))

    def _tell(self, event: OpenerFailed) -> None:
        # A browser that is its own opener may end hours later; then its exit status means nothing.
        if not self._over:
            self._notify(event)


def _outcome(running: asyncio.Future[object]) -> Opening:
    if running.cancelled():
        return Opening(why_not="what should have opened it was cancelled")
    error = running.exception()
    return opened(running.result()) if error is None else _mistaken(error)


def _mistaken(error: BaseException) -> Opening:
    # The link is shown as well, and a person can open it.
    report_mistake("the program's way to open a page failed", error)
    return failed(error)


def watch(opening: Opening, notify: Callable[[OpenerFailed], object]) -> None:
    """Tell when the program that should open the browser has failed; to be called in a running loop."""
    loop = asyncio.get_running_loop()

    def ended(status: int) -> None:
        # The sign-in may be over by then, and the loop with it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(notify, OpenerFailed(opening.program, status))

    opening.watch(ended)
