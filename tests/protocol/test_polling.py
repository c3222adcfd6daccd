"""What an answer to a poll says about the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import NOW, PROPERTY

from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.json import LARGEST
from loopback_auth.protocol.polling import (
    LONGEST_BACK_OFF,
    LONGEST_RETRY,
    NEVER,
    PollSchedule,
    failed,
    next_poll,
    paused,
    polled,
    returned,
    slowed,
    unanswered,
    wait_wanted,
)


def answer(status: int, *headers: tuple[str, str]) -> HttpResponse:
    """Answer at the time of `NOW`."""
    return HttpResponse(status, headers, received_at=NOW)


def date(seconds: float, zone: timezone = UTC) -> str:
    """Write a moment so many seconds after `NOW` as an HTTP date."""
    return format_datetime(datetime.fromtimestamp(NOW + seconds, zone), usegmt=zone is UTC)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, [], None),
        (202, [("Retry-After", "5")], 5),
        (429, [("retry-after", " 7 ")], 7),
        (429, [("Retry-After", "0")], 0),
        (429, [("Retry-After", "-1")], None),
        (429, [("Retry-After", "1.5")], 1.5),
        (429, [("Retry-After", "٣")], None),
        (429, [("Retry-After", date(30))], 30),
        (429, [("Retry-After", date(-30))], 0),
        (429, [("Retry-After", date(30, timezone(timedelta(hours=2))))], 30),
        (429, [("Retry-After", date(30).replace("GMT", "-0000"))], 30),
        (429, [("Retry-After", "Tue, 99 Nov 2023 22:13:20 GMT")], None),
        (429, [("Retry-After", date(3630)), ("Date", date(3600))], 30),
        (429, [("X-RateLimit-Reset", str(int(NOW) + 9))], 9),
        (429, [("X-RateLimit-Reset", str(int(NOW) - 9))], 0),
        (429, [("X-RateLimit-Reset", str(int(NOW) - 7191)), ("Date", date(-7200))], 9),
        (429, [("X-RateLimit-Reset", "soon")], None),
        (200, [("X-RateLimit-Reset", str(int(NOW) + 9))], None),  # sent with each answer, and no wish then
        (429, [("Retry-After", "3"), ("X-RateLimit-Reset", str(int(NOW) + 9))], 3),
    ],
)
def test_wish_to_be_left_alone_is_read(
    status: int, headers: list[tuple[str, str]], seconds: float | None
) -> None:
    """RFC 9110 §10.2.3, and by the server's own clock where it tells the time."""
    assert wait_wanted(answer(status, *headers)) == seconds


@PROPERTY
@given(st.text(), st.text(), st.text(), st.sampled_from([200, 429, 503]))
def test_no_header_is_too_strange(retry_after: str, reset: str, date: str, status: int) -> None:
    """Headers come from anybody on the way; the wait stays a number of seconds."""
    headers = (("Retry-After", retry_after), ("X-RateLimit-Reset", reset), ("Date", date))

    seconds = wait_wanted(answer(status, *headers))

    assert seconds is None or 0 <= seconds <= LARGEST


@pytest.mark.parametrize(
    ("status", "kind", "trouble"),
    [
        (200, "application/json", False),
        (400, "application/json", False),
        (404, "text/html", False),
        (401, "text/html; charset=utf-8", False),
        (200, "text/html; charset=utf-8", True),
        (302, "TEXT/HTML", True),
        (403, "text/html", True),
        (408, "", True),
        (429, "application/json", True),
        (500, "application/json", True),
        (511, "text/html", True),
    ],
)
def test_trouble_that_may_pass_is_told_from_an_answer(status: int, kind: str, trouble: bool) -> None:
    """A wall in between is waited out; the word of the server, that nothing is there, is not."""
    found = unanswered(answer(status, ("Content-Type", kind)))

    assert (found is not None and found.trouble != "") is trouble


def test_too_many_requests_without_a_number_means_five_seconds() -> None:
    """RFC 6585 §4 leaves it open."""
    found = unanswered(answer(429))

    assert found is not None
    assert found.retry_after == 5


def test_pause_has_an_end() -> None:
    """A clock that is wrong by a day does not end the sign-in."""
    rhythm = paused(polled(PollSchedule(1.0, since=0.0), 10.0), 10.0, 86400.0)

    assert next_poll(rhythm, watched=False) == 10 + LONGEST_RETRY
    assert next_poll(returned(rhythm, 11.0), watched=True) == 10 + LONGEST_RETRY


def test_first_poll_waits_as_long_as_any() -> None:
    """RFC 8628 §3.5 speaks of the time between polls; nobody approves in no time."""
    assert next_poll(PollSchedule(5.0, since=3.0), watched=False) == 8.0
    assert next_poll(PollSchedule(0.5, since=3.0), watched=False) == 4.0


def test_first_poll_is_kept_for_the_return() -> None:
    """Nothing has to pass before it, but after it the interval of the server (RFC 8628 §3.5)."""
    assert next_poll(PollSchedule(5.0, since=3.0), watched=True) == 18.0
    assert next_poll(PollSchedule(5.0, since=3.0, own_pace=True), watched=True) == 8.0


def test_returning_before_the_first_poll_brings_it() -> None:
    """There is no poll yet from which an interval could count."""
    assert next_poll(returned(PollSchedule(5.0, since=0.0), 2.0), watched=True) == 2.0


@pytest.mark.parametrize(("own_pace", "due"), [(True, 20.25), (False, 25.0)])
def test_returning_shortens_the_gap_where_it_is_ours(own_pace: bool, due: float) -> None:
    """An interval that the server named is kept, whoever waits."""
    rhythm = polled(PollSchedule(5.0, since=0.0, own_pace=own_pace), 20.0)

    assert next_poll(returned(rhythm, 20.1), watched=True) == due
    assert next_poll(returned(rhythm, 33.0), watched=True) == 33.0


def test_slow_down_takes_the_pace_away() -> None:
    """RFC 8628 §3.5: from then on the interval is the server's."""
    rhythm = slowed(PollSchedule(1.0, since=0.0, own_pace=True), 20.0)

    assert rhythm.interval == 6.0
    assert next_poll(returned(rhythm, 21.0), watched=True) == 26.0


def test_back_off_doubles_and_ends_and_is_forgotten() -> None:
    """RFC 8628 §3.5 (exponential back-off); one answer is enough to be quick again."""
    rhythm, gaps = PollSchedule(5.0, since=0.0), []
    for _ in range(6):
        rhythm = failed(rhythm, 1.0)
        gaps.append(next_poll(rhythm, watched=False) - 1.0)

    assert gaps == [10, 20, 40, 60, 60, 60]
    assert next_poll(polled(rhythm, 1.0), watched=False) == 6.0


def test_no_back_off_undercuts_the_interval() -> None:
    """A server that has said `slow_down` a dozen times is not asked each minute."""
    rhythm = failed(PollSchedule(LONGEST_BACK_OFF + 30, since=0.0), 1.0)

    assert next_poll(rhythm, watched=False) == 1 + LONGEST_BACK_OFF + 30


def test_polls_come_after_what_they_follow() -> None:
    """`NEVER` is no number to reckon with."""
    assert next_poll(PollSchedule(1.0, since=0.0, last=NEVER, not_before=50.0), watched=False) == 50.0
