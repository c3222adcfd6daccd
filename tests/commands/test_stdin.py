"""Reading what a tool has written, once for the quick way and once for the command."""

from __future__ import annotations

import io
import sys

import pytest

from loopback_auth.commands._stdin import question


class NothingYet(io.RawIOBase):
    """A stream that does not block, and that nobody has written to."""

    def readable(self) -> bool:
        """Return whether it can be read."""
        return True

    def readinto(self, _: object) -> None:
        """Return at once, without bytes."""


def test_a_stream_that_does_not_block_may_have_nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Event loops leave stdin like that to the programs that they start; it reads as None."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(NothingYet())))

    assert question(100) == b""


def test_what_was_read_can_be_read_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command reads it again where the quick way gives up."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"uri": "https://a.example"}')))

    assert question(100) == question(100) == b'{"uri": "https://a.example"}'
