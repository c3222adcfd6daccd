"""Work that callers in any thread and any loop wait for: done once, and never waited for in vain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

import pytest
from patience import SOON

from loopback_auth.network import shared_call
from loopback_auth.network.shared_call import SharedCall, shared_look


def call() -> tuple[SharedCall[str], list[SharedCall[str]]]:
    """Return a call, and a list of those that have ended."""
    ended: list[SharedCall[str]] = []
    return SharedCall("this", ended.append), ended


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    while not condition():  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.001)


class Work:
    """Work that ends when it is told to.

    Args:
        result: returned, or raised if it is an exception.
    """

    def __init__(self, result: str | Exception = "done") -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.cancelled = threading.Event()
        self._result = result

    def __call__(self) -> Coroutine[object, object, str]:
        """Begin."""
        return self._run()

    async def _run(self) -> str:
        self.begun.set()
        try:
            await until(self.may_end.is_set)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


@pytest.mark.parametrize("way", ["run_here", "run_apart"])
@pytest.mark.parametrize("result", ["done", ZeroDivisionError()])
def test_all_callers_get_one_result(way: str, result: str | Exception) -> None:
    """In the loop of the work, in other loops and in plain threads; a failure is a result, too."""
    shared, ended = call()
    work = Work(result)

    async def first() -> list[object]:
        leading = asyncio.create_task(getattr(shared, way)(work))
        await asyncio.to_thread(work.begun.wait, SOON)
        waiting = [asyncio.create_task(shared.wait()) for _ in range(3)]
        with ThreadPoolExecutor(4) as threads:
            others = [threads.submit(shared.wait_sync) for _ in range(2)]
            others += [threads.submit(lambda: asyncio.run(shared.wait())) for _ in range(2)]
            await until(lambda: shared._waiting == 8)
            work.may_end.set()
            await asyncio.wait([leading, *waiting])
            ends: list[object] = [one.exception() or one.result() for one in (leading, *waiting)]
            await asyncio.to_thread(threads.shutdown)
        return ends + [one.exception() or one.result() for one in others]

    assert asyncio.run(first()) == [result] * 8
    assert ended == [shared]


def test_without_a_loop_the_first_caller_does_the_work_itself() -> None:
    """A command line tool has no thread to spare."""
    shared, ended = call()
    work = Work()
    work.may_end.set()

    assert (shared.run_sync(work), ended) == ("done", [shared])


@pytest.mark.parametrize("way", ["run_here", "run_apart"])
async def test_work_is_cancelled_with_the_last_caller(way: str) -> None:
    """One impatient caller must not take the result from the others."""
    shared, ended = call()
    work = Work()
    first = asyncio.create_task(getattr(shared, way)(work))
    await asyncio.to_thread(work.begun.wait, SOON)
    second = asyncio.create_task(shared.wait())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not work.cancelled.is_set()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second

    assert work.cancelled.is_set()
    assert ended == [shared]


async def test_a_caller_in_another_thread_keeps_the_work_alive() -> None:
    """The caller that has begun it may have a time limit."""
    shared, _ = call()
    work = Work()
    first = asyncio.create_task(shared.run_here(work))
    await asyncio.to_thread(work.begun.wait, SOON)
    other = asyncio.create_task(asyncio.to_thread(shared.wait_sync))
    await until(lambda: shared._waiting == 2)
    first.cancel()
    work.may_end.set()

    assert await other == "done"


async def test_work_that_ends_the_program_is_not_begun_again() -> None:
    """Its callers would take it for cancelled, and one of them would begin it anew, time after time."""

    async def exits() -> str:
        raise SystemExit(3)

    shared, ended = call()
    with pytest.raises(SystemExit):
        await shared.run_apart(exits)
    assert ended == [shared]


async def test_work_that_is_cancelled_before_its_first_step_has_no_result() -> None:
    """Such a task does not run at all, so nothing in it can say so."""
    shared, ended = call()
    work = Work()
    first = asyncio.create_task(shared.run_here(work))
    await asyncio.sleep(0)
    assert shared._task is not None
    shared._task.cancel()

    assert await first is None
    assert not work.begun.is_set()
    assert ended == [shared]


def test_a_call_that_never_begins_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C can come between the decision to begin and the beginning."""
    monkeypatch.setattr(shared_call, "LOOK_SECONDS", 0.01)
    shared, ended = call()

    assert shared.wait_sync() is None
    assert ended == [shared]


@pytest.mark.parametrize("closed", [True, False])
def test_a_loop_that_stands_still_is_not_waited_for(closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may stop its loop in the middle and never go on; another thread begins again."""
    monkeypatch.setattr(shared_call, "LOOK_SECONDS", 0.01)
    shared, ended = call()
    work = Work()
    loop = asyncio.new_event_loop()
    begun = loop.create_task(shared.run_here(work))
    loop.run_until_complete(asyncio.sleep(0.01))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(shared.wait_sync)
        if closed:
            loop.close()
        assert waiting.result(SOON) is None
    assert ended == [shared]
    if not closed:
        begun.cancel()
        loop.run_until_complete(asyncio.wait([begun]))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def test_a_caller_can_leave_work_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cancelled with its last caller, but a loop that is stopped does not even notice that."""
    monkeypatch.setattr(shared_call, "LOOK_SECONDS", 0.01)
    shared, ended = call()
    work = Work()
    loop = asyncio.new_event_loop()

    def begin() -> asyncio.Task[str | None]:
        begun = loop.create_task(shared.run_here(work))
        loop.run_until_complete(asyncio.sleep(0.001))
        return begun

    begun = await asyncio.to_thread(begin)
    waiting = asyncio.create_task(shared.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=SOON)

    assert waiting.cancelled() or waiting.result() is None
    await asyncio.to_thread(
        lambda: loop.run_until_complete(asyncio.wait([begun])) if begun.cancel() else None
    )
    loop.close()
    assert ended == [shared]


async def test_the_thread_of_the_work_is_known() -> None:
    """It must not block, for then the work would never end."""
    shared, _ = call()
    work = Work()
    task = asyncio.create_task(shared.run_here(work))
    await asyncio.to_thread(work.begun.wait, SOON)

    assert shared.needs_this_thread()
    assert not await asyncio.to_thread(shared.needs_this_thread)
    work.may_end.set()
    await task


async def test_tasks_that_look_at_the_same_time_share_a_look() -> None:
    """A thousand tasks must not be a thousand threads; the next look is a new one."""
    looks: dict[asyncio.AbstractEventLoop, asyncio.Task[int]] = {}
    done: list[int] = []

    async def look() -> int:
        await asyncio.sleep(0.01)
        done.append(1)
        return len(done)

    assert await asyncio.gather(*(shared_look(looks, look) for _ in range(5))) == [1] * 5
    assert await shared_look(looks, look) == 2
    impatient = asyncio.create_task(shared_look(looks, look))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await shared_look(looks, look) == 3
