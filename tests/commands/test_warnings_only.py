"""What a command that runs for long says about each request, and how often."""

from __future__ import annotations

import pytest

from loopback_auth.commands import _warnings_only
from loopback_auth.commands._warnings_only import MOST_TEXTS, REPEAT_SECONDS, tell_seldom


class Clock:
    """Stands for the module `time`."""

    now = 1000.0

    def monotonic(self) -> float:
        """Return the seconds that the test has set."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the remarks."""
    clock = Clock()
    monkeypatch.setattr(_warnings_only, "time", clock)
    return clock


def test_a_line_is_told_again_only_after_a_minute(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """A client that tries again and again would fill the log with one line."""
    show = tell_seldom()
    for seconds in (0.0, 1.0, REPEAT_SECONDS - 2.0, 1.0):
        clock.now += seconds
        show("refused")

    assert capsys.readouterr().err.splitlines() == ["refused", "refused"]


def test_lines_that_a_client_chooses_are_bounded(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """The name of a tool, or a host, may be another one in every request."""
    show = tell_seldom()
    for number in range(3 * MOST_TEXTS):
        show(f"refused {number}")

    assert len(capsys.readouterr().err.splitlines()) == MOST_TEXTS
