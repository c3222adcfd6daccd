"""When a token is fresh: the one rule that every reader of tokens asks."""

from __future__ import annotations

import pytest

from loopback_auth.freshness import fresh


@pytest.mark.parametrize(
    ("lifetime", "left", "leeway", "expected"),
    [
        (3600, 61, None, True),
        (3600, 60, None, False),
        (600, 61, None, True),
        (60, 7, None, True),
        (60, 6, None, False),
        (30, 4, None, True),
        (30, 3, None, False),
        (0, 0, None, False),
        (-5, -5, None, False),
        (3600, 1, 0, True),
        (3600, 0, 0, False),
        (3600, 300, 300, False),
        (3600, 301, 300, True),
        (60, 60, 300, True),
        (60, 6, 300, False),
    ],
)
def test_the_leeway_is_a_part_of_a_short_life(
    lifetime: float, left: float, leeway: float | None, expected: bool
) -> None:
    """A token of 30 seconds with a leeway of 60 could never be used."""
    now = 1000.0 + lifetime - left

    assert fresh(obtained_at=1000.0, expires_at=1000.0 + lifetime, now=now, leeway=leeway) is expected


@pytest.mark.parametrize(("now", "expected"), [(939.0, False), (941.0, True), (1e12, True)])
def test_a_clock_that_was_set_back_is_not_believed(now: float, expected: bool) -> None:
    """A token from the future may have ended long ago; a second or two is nothing."""
    assert fresh(obtained_at=1000.0, expires_at=1e13, now=now) is expected


def test_a_token_without_a_stated_end_is_fresh() -> None:
    """RFC 6749 §5.1: the member is only recommended."""
    assert fresh(obtained_at=1000.0, expires_at=None, now=0.0)
