"""Work that blocks, and may be left alone."""

from __future__ import annotations

import asyncio
import time
from threading import Event

import pytest

from loopback_auth.shell.threads import apart, to_the_end

SILENCE = 60.0
SOON = 10.0


def test_work_apart_returns_what_it_found() -> None:
    """Arguments go in, and the value comes back."""
    assert asyncio.run(apart(int, "ff", base=16)) == 255


def test_error_of_work_apart_is_raised_where_it_is_awaited() -> None:
    """As if it had been done here."""
    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(apart(int, "none"))


@pytest.mark.parametrize("grace", [0.05, None], ids=["to the end, within limits", "at once"])
def test_a_file_system_that_hangs_holds_nobody(grace: float | None) -> None:
    """A cancelled sign-in ends although what it has begun to keep is not kept yet."""
    answer = Event()

    async def main() -> None:
        work = apart(answer.wait, SILENCE)
        keeping = asyncio.create_task(work if grace is None else to_the_end(work, grace))
        await asyncio.sleep(0)
        keeping.cancel()
        await asyncio.wait([keeping])

    begun = time.monotonic()
    asyncio.run(main())
    answer.set()

    assert time.monotonic() - begun < SOON
