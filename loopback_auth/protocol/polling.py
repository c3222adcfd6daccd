"""Decide when to poll next, for tickets and for device codes.

Polls are frequent while an approval is likely: at the beginning, and when the person comes back to our tab,
which reports it (`returned`). Otherwise the gap grows with the time that has passed: a slow approval costs
few requests, and a quick one is noticed soon. The server's demands come first: its interval, `slow_down` and
`Retry-After`.

In numbers, for a ticket with an interval of one second: 6 polls in the first 6 s. While our tab is open and
the person is on another one: 17 in the first minute, and one at most 0.25 s after the person returns. Without
our tab: 25 in the first minute, and an approval is noticed later by 12 % of the time that it took, at most 10
s.

Pure: times come in, gaps come out. The interpreter adds a random spread to the gaps (jitter).

Source: RFC 8628 §3.3, §3.5; RFC 9110 §10.2.3; RFC 6585 §4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

from loopback_auth.device_and_ticket import Pending
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.json import is_wall, number

SKEW = 2.0
"""Seconds between two clocks that can be chance: a `Date` has whole seconds and has been under way."""

DEFAULT_INTERVAL = 5.0
"""Seconds; RFC 8628 §3.2."""
LONGEST_GAP = 10.0
GROWTH = 0.12
"""The gap, as a fraction of the time that has passed since the start or the last return."""
WATCHED_GROWTH = 0.22
"""The same while our tab would report a return; after approving the person may still not return to it."""
AWAY_INTERVALS = 3
"""Intervals between polls while the person is away, if the server has named one: a poll after a return must
wait until the interval since the last poll is over.

Therefore the first poll is held back too: it needs no interval, and the return is the best moment for it."""
EAGER_SECONDS = 6.0
EAGER_GAP = 1.0
RETURN_GAP = 0.25
"""Seconds between two polls when the person comes back and no server has named an interval."""
SLOW_DOWN = 5.0
LONGEST_RETRY = 120.0
"""Seconds; with a wrong clock on either side a short wait must not become hours."""
LONGEST_BACK_OFF = 60.0
SHORTEST_BACK_OFF = 4.0
BACK_OFF_GROWTH = 0.25
"""If the server has named no interval, the back-off is limited to `SHORTEST_BACK_OFF` at first, and later to
this fraction of the time that has passed: the person may have approved, and waits for one of the polls."""
NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """The state of the polling; times are seconds of one monotonic clock.

    Args:
        interval: seconds between two polls.
        since: when the person was last active: the start, or their return to our tab.
        last: when the last poll was; `NEVER` before the first one.
        not_before: the server must not be polled before this time.
        failures: consecutive polls without a useful answer.
        back: the person has returned since the last poll.
        own_pace: the server has named no interval, so that a poll after a return need not wait for its end.
    """

    interval: float
    since: float
    last: float = NEVER
    not_before: float = NEVER
    failures: int = 0
    back: bool = False
    own_pace: bool = False


def next_poll(rhythm: PollSchedule, *, watched: bool) -> float:
    """Return the time of the next poll if nothing happens before.

    Args:
        rhythm: the state of the polling.
        watched: our tab is open, the person has left it, and the tab will report their return.

    Source: RFC 8628 §3.5 (never sooner than the interval; back off after failures).
    """
    if rhythm.back:
        pause = min(RETURN_GAP, rhythm.interval) if rhythm.own_pace else rhythm.interval
        # The interval is between two polls, so the first one need not wait.
        return max(rhythm.since, rhythm.last + pause, rhythm.not_before)
    away = 0.0
    if watched and not rhythm.own_pace:
        away = min(AWAY_INTERVALS * rhythm.interval, LONGEST_BACK_OFF)
    if rhythm.last == NEVER:
        return max(rhythm.since + max(EAGER_GAP, rhythm.interval, away), rhythm.not_before)
    passed = rhythm.last - rhythm.since
    if passed < EAGER_SECONDS:
        gap = EAGER_GAP
    else:
        gap = max(min(max(EAGER_GAP, passed * (WATCHED_GROWTH if watched else GROWTH)), LONGEST_GAP), away)
    if rhythm.failures:
        doubled = max(EAGER_GAP, rhythm.interval) * 2.0 ** min(rhythm.failures, 6)
        most = max(SHORTEST_BACK_OFF, passed * BACK_OFF_GROWTH) if rhythm.own_pace else LONGEST_BACK_OFF
        gap = max(gap, min(doubled, most, LONGEST_BACK_OFF))
    # Last, because repeated `slow_down` may exceed the limit of the back-off.
    return max(rhythm.last + max(gap, rhythm.interval), rhythm.not_before)


def polled(rhythm: PollSchedule, now: float) -> PollSchedule:
    """Note a poll whose answer was "not yet".

    Source: RFC 8628 §3.5.
    """
    return replace(rhythm, last=now, failures=0, back=False)


def failed(rhythm: PollSchedule, now: float) -> PollSchedule:
    """Note a poll without a useful answer: the gap doubles until a useful one comes.

    Source: RFC 8628 §3.5 (exponential back-off).
    """
    return replace(rhythm, last=now, failures=rhythm.failures + 1, back=False)


def slowed(rhythm: PollSchedule, now: float) -> PollSchedule:
    """Note `slow_down`: five seconds more for this and all later gaps.

    Source: RFC 8628 §3.5.
    """
    interval = rhythm.interval + SLOW_DOWN
    return replace(rhythm, last=now, interval=interval, failures=0, back=False, own_pace=False)


def paused(rhythm: PollSchedule, now: float, seconds: float) -> PollSchedule:
    """Note that the server demands a pause.

    Source: RFC 9110 §10.2.3.
    """
    return replace(rhythm, not_before=now + min(max(seconds, 0.0), LONGEST_RETRY))


def returned(rhythm: PollSchedule, now: float) -> PollSchedule:
    """Note that the person is back in our tab: the next poll is due as soon as the server allows it.

    Source: RFC 8628 §3.5 (not before the interval).
    """
    return replace(rhythm, since=now, back=True)


def unanswered(answer: HttpResponse) -> Pending | None:
    """Return `Pending` for a failure that may pass; None for an answer to the question.

    Such failures are too many requests, a failing server, and a web page where JSON was expected, as a
    captive portal or a bot check sends it.

    Source: RFC 6585 §4 (429); RFC 9110 §15.6 (5xx), §10.2.3 (Retry-After).
    """
    retry_after = wait_wanted(answer)
    if answer.status == 429:
        return Pending(retry_after=5.0 if retry_after is None else retry_after, trouble="too many requests")
    if answer.status >= 500 or answer.status == 408:
        return Pending(retry_after=retry_after, trouble=f"HTTP status {answer.status}")
    if is_wall(answer):
        return Pending(trouble="a web page came instead of an answer; does this network have a log-in page?")
    return None


def wait_wanted(answer: HttpResponse) -> float | None:
    """Return for how many seconds a server wants no requests; None when it does not say.

    A date is compared with the server's own `Date` if it sends one, because our clock may be wrong.

    Source: RFC 9110 §10.2.3, §6.6.1; `X-RateLimit-Reset` in Unix seconds as Netlify and GitHub document it.
    """
    until: float | None = None
    text = answer.header("retry-after").strip()
    if (seconds := number(text)) is not None:
        return seconds
    if text:
        until = http_date(text)
    elif answer.status == 429:
        until = number(answer.header("x-ratelimit-reset"))
    if until is None:
        return None
    here = http_date(answer.header("date"))
    return max(0.0, until - (answer.received_at if here is None else here))


def clock_offset(answer: HttpResponse) -> float | None:
    """Return by how many seconds the clock of a server is ahead of ours; None: its answer has no date.

    Less than `SKEW` can be chance.

    Source: RFC 9110 §6.6.1.
    """
    theirs = http_date(answer.header("date"))
    return None if theirs is None else theirs - answer.received_at


def http_date(text: str) -> float | None:
    """Return an HTTP date as Unix seconds; None when the text is not a date.

    Source: RFC 9110 §5.6.7.
    """
    try:
        # Always GMT, even if the sender leaves the zone out.
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
