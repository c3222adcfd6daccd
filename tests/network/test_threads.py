"""Work that blocks, and may be left alone."""

from __future__ import annotations

import asyncio
import time
from threading import Event

import pytest
from patience import SOON

from loopback_auth.network.threads import apart, run_sync, to_the_end

SILENCE = 2 * SOON


async def test_work_apart_returns_what_it_found() -> None:
    """Arguments go in, and the value comes back."""
    assert await apart(int, "ff", base=16) == 255


async def test_error_of_work_apart_is_raised_where_it_is_awaited() -> None:
    """As if it had been done here."""
    with pytest.raises(ValueError, match="invalid literal"):
        await apart(int, "none")


@pytest.mark.parametrize("error", [StopIteration(), asyncio.CancelledError()], ids=repr)
async def test_error_that_no_future_can_have_is_raised_all_the_same(error: BaseException) -> None:
    """`next` without a default is a common mistake, and would be waited for without an end."""

    def fail() -> None:
        raise error

    with pytest.raises(RuntimeError) as caught:
        await asyncio.wait_for(apart(fail), SOON)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("within", [False, True], ids=["without a loop", "under a running loop"])
def test_error_of_a_coroutine_brings_no_context_of_ours(within: bool) -> None:
    """Its traceback would begin with our search for a running loop, which its reader never asked for."""

    async def fail() -> None:
        raise ValueError("none")

    async def cell() -> None:
        run_sync(fail)

    with pytest.raises(ValueError, match="none") as caught:
        asyncio.run(cell()) if within else run_sync(fail)

    assert caught.value.__context__ is None


@pytest.mark.parametrize("grace", [0.05, None], ids=["to the end, within limits", "at once"])
async def test_a_file_system_that_hangs_holds_nobody(grace: float | None) -> None:
    """A cancelled sign-in ends although what it has begun to keep is not kept yet."""
    answer = Event()

    begun = time.monotonic()
    work = apart(answer.wait, SILENCE)
    keeping = asyncio.create_task(work if grace is None else to_the_end(work, grace))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait([keeping])
    answer.set()

    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_work_is_completed_however_often_it_is_cancelled(times: int) -> None:
    """A second Ctrl-C, or a time-out around a cancelled group, must not leave the work to itself."""
    done = []

    async def work() -> None:
        await asyncio.sleep(0.02)
        done.append(1)

    keeping = asyncio.create_task(to_the_end(work(), SILENCE))
    for _ in range(times):
        await asyncio.sleep(0)
        keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert done == [1]
