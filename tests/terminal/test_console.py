"""Keys at a Windows console, whose run-time library is played by a list of keys."""

from __future__ import annotations

import asyncio
import sys
from collections import deque

import pytest
from patience import SOON

if sys.platform != "win32":
    pytest.skip("the console of Windows", allow_module_level=True)

from loopback_auth.terminal import console
from loopback_auth.terminal.keys import TypedAnswer


class Keys:
    """The keys that wait at the console, in place of `msvcrt`."""

    def __init__(self, *keys: str) -> None:
        self.waiting = deque(keys)

    def kbhit(self) -> bool:
        """Return whether a key waits."""
        return bool(self.waiting)

    def getwch(self) -> str:
        """Return the next key."""
        return self.waiting.popleft()


@pytest.mark.parametrize(
    ("keys", "read"),
    [
        ((), None),
        (("y", "\r"), b"y\r"),
        (("\xe0", "H", "y"), b"y"),  # the arrow upwards
        (("\x00", ";", "\x00", "<"), None),  # F1 and F2
        (("\ud83d", "\ude00"), "\N{GRINNING FACE}".encode()),
        (("\ud83d",), b"\xef\xbf\xbd"),
    ],
)
def test_keys_are_read_as_utf8(
    monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], read: bytes | None
) -> None:
    """What the console hands out in its own pieces is told from keys that mean nothing."""
    monkeypatch.setattr(console, "msvcrt", Keys(*keys))

    assert console.read(0) == read


async def test_a_long_paste_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code may be several thousand characters long, and arrives while others are still on their way."""
    keys = Keys(*"http://127.0.0.1:8400/callback?code=", *("c" * 2 * console.MOST), "\r")
    monkeypatch.setattr(console, "msvcrt", keys)
    answer = TypedAnswer(4 * console.MOST)

    over = asyncio.Event()

    def take() -> None:
        if answer.feed(console.read(0) or b""):
            over.set()

    with console.arriving(0, take):
        await asyncio.wait_for(over.wait(), SOON)

    assert len(answer.text) == 36 + 2 * console.MOST


async def test_nothing_is_read_once_the_block_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed afterwards belongs to the shell."""
    keys = Keys("x")
    monkeypatch.setattr(console, "msvcrt", keys)

    with console.arriving(0, lambda: None):
        pass
    for _ in range(5):
        await asyncio.sleep(0)

    assert keys.waiting


def test_a_pipe_is_no_console() -> None:
    """Whoever pipes an address into the program is not asked at the console."""
    assert console.own_terminal(sys.stdin, "") is None
