"""One piece of work, and any number of callers that wait for its result in any thread and any event loop.

The work runs where its first caller wants it: in that caller's event loop, in a thread that has a loop of its
own, or here and now. It is cancelled when the last caller has gone. A loop may be stopped or closed in the
middle of the work; then the callers in other loops and threads learn that there is no result, and one of them
has to begin again. Knows nothing of sign-ins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError as Cancelled
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Lock, Thread

from loopback_auth.network.threads import has_loop, run_sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    T = TypeVar("T")
else:  # As in `threads`, without typing.
    T = object
    Generic = {T: object}

Work = Callable[[], Coroutine[object, object, T]]

MOST_AWAITS = 100
"""Awaits in the last steps of a coroutine, each of which needs a push where there is no loop."""

LOOK_SECONDS = 1.0
"""Seconds after which a caller looks again whether the loop of the work is still running."""


class SharedCall(Generic[T]):
    """One piece of work, from before it begins until it has ended.

    Args:
        about: what callers compare to know whether a failure concerns them.
        ended: called with this object when the work has ended, before any caller knows.
    """

    def __init__(self, about: object, ended: Callable[[SharedCall[T]], None]) -> None:
        self.about = about
        self._ended = ended
        self._outcome: Future[T] = Future()
        self._lock = Lock()
        self._waiting = 0
        self._given_up = False
        self._apart = False
        self._stopped_at: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def run_here(self, work: Work[T]) -> T | None:
        """Do the work in the running loop, and return what `wait` returns."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._work(work))
        # A task that is cancelled before its first step does nothing at all.
        self._task.add_done_callback(lambda _: self._settle(self._outcome.cancel))
        return await self.wait()

    async def run_apart(self, work: Work[T]) -> T | None:
        """Do the work in a thread, whatever becomes of the running loop, and return what `wait` returns."""
        self._apart = True

        def run() -> None:
            with suppress(BaseException):
                asyncio.run(self._work(work))
            self._settle(self._outcome.cancel)

        try:
            Thread(target=run, name="loopback_auth renewal", daemon=True).start()
        except BaseException:
            self._settle(self._outcome.cancel)
            raise
        return await self.wait()

    def run_sync(self, work: Work[T]) -> T | None:
        """Do the work now, and return what `wait` returns."""
        self._enter()
        try:
            run_sync(lambda: self._work(work))
        finally:
            self._leave()
            self._settle(self._outcome.cancel)
        return self._result()

    async def wait(self) -> T | None:
        """Wait for the result; None when the work was cancelled, or its loop has stopped.

        Raises:
            Exception: that of the work.
        """
        woken = self._woken()
        self._enter()
        try:
            await self._ended_or_stopped(woken)
        except asyncio.CancelledError:
            if self._leave():
                # What it is doing at its end may hold the only good token.
                await self._ended_or_stopped(woken)
            raise
        except BaseException:
            self._leave()
            raise
        self._leave()
        return self._result()

    async def _ended_or_stopped(self, woken: asyncio.Future[None]) -> None:
        while not self._outcome.done():
            self._look_after()
            await asyncio.wait([woken], timeout=LOOK_SECONDS)

    def needs_this_thread(self) -> bool:
        """Return whether the work is done by the event loop that is running in this thread."""
        return has_loop() and asyncio.get_running_loop() is self._loop

    def wait_sync(self) -> T | None:
        """Wait for the result; None when the work was cancelled, or its loop has stopped.

        Raises:
            Exception: that of the work.
        """
        self._enter()
        try:
            while not self._outcome.done():
                self._look_after()
                wait([self._outcome], timeout=LOOK_SECONDS)
        finally:
            self._leave()
        return self._result()

    async def _work(self, work: Work[T]) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if self._given_up:
            return
        try:
            result = await work()
        except Exception as exc:
            failure = exc
            self._settle(lambda: self._outcome.set_exception(failure))
        except BaseException as exc:
            ended = exc
            if self._apart and not isinstance(exc, asyncio.CancelledError):
                # No Ctrl-C comes to that thread: the work itself raises it, and would do so again.
                self._settle(lambda: self._outcome.set_exception(ended))
            self._settle(self._outcome.cancel)
            raise
        else:
            self._settle(lambda: self._outcome.set_result(result))

    def _settle(self, how: Callable[[], object]) -> None:
        with self._lock:
            if self._outcome.done():
                return
            self._ended(self)
            how()

    def _result(self) -> T | None:
        try:
            return self._outcome.result()
        except Cancelled:
            return None

    def _enter(self) -> None:
        with self._lock:
            self._waiting += 1

    def _leave(self) -> bool:
        """Count a caller less, and cancel the work for the last one; return whether that was done."""
        with self._lock:
            self._waiting -= 1
            if self._waiting or self._outcome.done():
                return False
            self._given_up = True
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # It has just been closed.
                self._loop.call_soon_threadsafe(self._task.cancel)
        return True

    def _look_after(self) -> None:
        """Give up waiting for a loop that is closed or stands still, and for work that never began."""
        loop, now = self._loop, time.monotonic()
        if self._outcome.done() or (loop is not None and loop.is_running()):
            self._stopped_at = None
            return
        if self._stopped_at is None:
            self._stopped_at = now
        closed = loop is not None and loop.is_closed()
        if closed or now - self._stopped_at > LOOK_SECONDS:
            task, self._task = self._task, None
            self._settle(self._outcome.cancel)
            if closed and task is not None:
                # In a thread without a loop, because its own one is gone and this one is another.
                ending = Thread(target=_close, args=(task.get_coro(),), daemon=True)
                ending.start()
                ending.join()

    def _woken(self) -> asyncio.Future[None]:
        """Return what is done in the running loop when the work has ended."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()

        def wake(_: object) -> None:
            with suppress(RuntimeError):  # The loop of a caller may be closed by then.
                loop.call_soon_threadsafe(_set_done, woken)

        self._outcome.add_done_callback(wake)
        return woken


def _close(work: object) -> None:
    """Have a coroutine give back its locks, although whatever it awaits at its end will not come."""
    for _ in range(MOST_AWAITS):
        with suppress(Exception):  # Among them that it awaits something.
            if isinstance(work, Coroutine):
                work.close()
            return


def _set_done(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


async def shared_look(looks: dict[asyncio.AbstractEventLoop, asyncio.Task[T]], work: Work[T]) -> T:
    """Do a short piece of work; tasks of one loop that want it at the same time share it.

    Args:
        looks: what is under way, by its loop.
        work: is not cancelled with those that wait for it.
    """
    loop = asyncio.get_running_loop()
    task = looks.get(loop)
    if task is None:
        task = looks[loop] = loop.create_task(work())

        def ended(ended: asyncio.Task[T]) -> None:
            if looks.get(loop) is ended:
                del looks[loop]
            if not ended.cancelled():
                ended.exception()  # It is raised where it is waited for, if that is still so.

        task.add_done_callback(ended)
    return await asyncio.shield(task)
