"""Between event loops and threads: calls without a loop, work that must be completed, locks that block.

Knows nothing of sign-ins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, closing, suppress
from functools import partial
from threading import Event, Thread

from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:  # Since Python 3.14 asyncio does without typing, and so does a token that is awaited.
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

LOOK_SECONDS = 0.1
"""Seconds after which the waiting thread looks again whether it should stop."""


def run_sync(begin: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a coroutine to its end whether or not a loop is running in this thread.

    Under a running loop another thread gets a loop of its own; this one waits, and passes Ctrl-C on.
    """
    if not has_loop():
        return asyncio.run(begin())  # type: ignore[arg-type, unused-ignore]
    with closing(LoopThread()) as thread:
        return thread.run(begin)


class LoopThread:
    """An event loop in a thread of its own, for calls from code that has none, or that must not use its own.

    The loop runs until `close`, so what one call has begun goes on until the next.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._serve, name="loopback_auth", daemon=True)
        self._thread.start()

    def run(self, begin: Callable[[], Coroutine[object, object, T]]) -> T:
        """Run a coroutine to its end, wait for it, and pass Ctrl-C on to it, once; a second one leaves it.

        `asyncio.run` turns the first Ctrl-C into the cancellation of its task, which is ours and cannot
        notice while it waits here; hence the looking after it.
        """
        outcome: Future[T] = Future()

        async def main() -> None:
            try:
                outcome.set_result(await begin())
            except BaseException as exc:
                outcome.set_exception(exc)

        def ended(_: object) -> None:
            if not outcome.done():  # A task that is cancelled before its first step does not even begin.
                outcome.set_exception(asyncio.CancelledError())

        def begun() -> None:
            tasks.append(self._loop.create_task(main()))
            tasks[0].add_done_callback(ended)

        tasks: list[asyncio.Task[None]] = []
        outer = _current_task()
        before = outer.cancelling() if outer is not None else 0  # Before anything can be interrupted.
        interrupted = asked = False
        self._loop.call_soon_threadsafe(begun)
        while not outcome.done():
            try:
                wait((outcome,), LOOK_SECONDS)
                cancelled = outer is not None and outer.cancelling() > before
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = cancelled = True
            if cancelled and not asked:
                asked = True
                self._loop.call_soon_threadsafe(lambda: tasks[0].cancel())
        if interrupted:
            raise KeyboardInterrupt
        return outcome.result()

    def close(self) -> None:
        """End the loop, and what still runs in it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


async def to_the_end(work: Coroutine[object, object, T], grace: float | None = None) -> T:
    """Complete a piece of work, and let a cancellation take effect only then; a second one changes nothing.

    Args:
        work: runs in a task of its own.
        grace: seconds after which it is cancelled all the same.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        late = asyncio.get_running_loop().call_later(grace, task.cancel) if grace is not None else None
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if late is not None:
            late.cancel()
        if not task.cancelled():
            task.exception()  # It is not raised, and asyncio need not report that.
        raise


async def apart(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Do what may block for as long as it likes in a thread of its own, which can be left alone.

    The loop's executor would not do: at their ends `asyncio.run` and the interpreter wait for all that is
    still running in it, so that Ctrl-C would wait for a name server, or for a file server, that is silent.
    """
    return await asyncio.wrap_future(begun(partial(work, *arguments, **named)))


def check_asyncio() -> None:
    """Refuse to run under another kind of loop, in words that say how it can be done.

    Raises:
        ConfigError: no asyncio event loop is running.
    """
    if not has_loop():
        raise ConfigError(
            "This needs a running asyncio loop, and there is none here.",
            hint="Under trio: await trio.to_thread.run_sync(login_sync, client). Without a loop: login_sync.",
        )


def has_loop() -> bool:
    """Return whether this thread has a running loop; what is closed after its loop has none."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def report_mistake(what: str, exc: BaseException | None) -> None:
    """Pass an exception to the exception handler of the running loop, which logs it by default."""
    asyncio.get_running_loop().call_exception_handler({"message": f"loopback_auth: {what}", "exception": exc})


class HeldLock:
    """A lock that a thread of its own enters and leaves.

    Common locks, such as `threading.RLock` and by default `filelock.FileLock`, can be left only by the thread
    that has entered them. Another thread would leave them held, and some do not even say so.

    Args:
        lock: entered at once, which may block.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._leaving = Event()
        self._entered: Future[None] = Future()
        self._entered.set_running_or_notify_cancel()
        self._left = begun(self._hold)
        self._left.add_done_callback(self._failed)

    async def entered(self) -> None:
        """Wait until the lock is held; if that is cancelled, it is left as soon as it has been entered.

        Raises:
            Exception: that of the lock.
        """
        try:
            await asyncio.wrap_future(self._entered)
        except asyncio.CancelledError:
            self._leaving.set()
            raise

    async def left(self) -> None:
        """Leave the lock, and wait for that.

        Raises:
            Exception: that of the lock.
        """
        self._leaving.set()
        await asyncio.wrap_future(self._left)

    def leave(self, seconds: float) -> None:
        """Leave the lock, and block until that is done, but not for longer than this."""
        self._leaving.set()
        wait((self._left,), seconds)

    def _hold(self) -> None:
        with self._lock:
            self._entered.set_result(None)
            self._leaving.wait()

    def _failed(self, left: Future[None]) -> None:
        if not self._entered.done():
            self._entered.set_exception(left.exception())


def begun(work: Callable[[], T]) -> Future[T]:
    """Begin a piece of work in a thread of its own, which can be left alone."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except (StopIteration, asyncio.CancelledError) as exc:
            # A future would never be done of the one (PEP 479), and taken for cancelled of the other.
            failed = RuntimeError(f"{type(exc).__name__} was raised")
            failed.__cause__ = exc
            outcome.set_exception(failed)
        except BaseException as exc:
            outcome.set_exception(exc)

    Thread(target=run, name="loopback_auth work", daemon=True).start()
    return outcome
