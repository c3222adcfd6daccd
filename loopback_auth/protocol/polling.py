"""When to ask again: the one rhythm of everything that can only be learnt by asking.

Quick while an approval is likely, slow while it is not. Likely is: in the first moments, and whenever the
person comes back to our tab, which says so (`returned`). In between the gap grows with the time that has
passed, so that whoever takes long costs few requests, and whoever is quick waits little. What the server
demands stands above all: its interval, its `slow_down`, its `Retry-After`.

In numbers, for a ticket at one second and nothing in the way: 6 polls in the first 6 s. With our tab open,
and left, 17 in the first minute, and one as the person returns, at the latest 0.25 s later. Without it 25
polls in the first minute, and an approval is known 12 % of the time that it took later, 10 s at most.

Pure: times come in, gaps come out. Spreading the gaps a little (jitter) is the interpreter's business.

Source: RFC 8628 §3.3, §3.5; RFC 9110 §10.2.3; RFC 6585 §4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

from loopback_auth.device_and_ticket import Pending
from loopback_auth.model import HttpResponse
from loopback_auth.protocol.json import is_wall, number

DEFAULT_INTERVAL = 5.0
"""Seconds; RFC 8628 §3.2."""
LONGEST_GAP = 10.0
GROWTH = 0.12
"""The gap as a part of the time that has passed since the start or the last return."""
WATCHED_GROWTH = 0.22
"""The same while our own tab would tell of a return; who approves there may still go elsewhere afterwards."""
AWAY_INTERVALS = 3
"""Of a server that named one: a poll begins its interval anew, and a return within it has to wait.

So the first poll is kept back, too: no time has to pass before it, and the return is its best moment."""
EAGER_SECONDS = 6.0
EAGER_GAP = 1.0
RETURN_GAP = 0.25
"""Seconds between two polls when the person comes back and no server has named an interval."""
SLOW_DOWN = 5.0
LONGEST_RETRY = 120.0
"""Seconds; a wrong clock on either side must not turn a moment's patience into hours."""
LONGEST_BACK_OFF = 60.0
SHORTEST_BACK_OFF = 4.0
BACK_OFF_GROWTH = 0.25
"""Where no server has named an interval backing off goes no further at first, nor than this part of the time
that has passed: a person may have approved, and is waiting for one of the polls."""
NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """How a poller stands; times are of one monotonic clock, in seconds.

    Args:
        interval: what has to pass between two polls.
        since: when somebody last showed up: the start, or the person's return.
        last: when was polled last; `NEVER` before the first time.
        not_before: when the server may be asked again at all.
        failures: polls in a row that got no answer.
        back: the person has returned, and has not been asked about since.
        own_pace: no server has named the interval, so that a return need not wait for its end.
    """

    interval: float
    since: float
    last: float = NEVER
    not_before: float = NEVER
    failures: int = 0
    back: bool = False
    own_pace: bool = False


def next_poll(rhythm: PollSchedule, *, watched: bool) -> float:
    """Return the moment of the next poll if nothing happens before.

    Args:
        rhythm: as it stands.
        watched: our own tab is open, the person has left it, and it will tell when they come back.

    Source: RFC 8628 §3.5 (never sooner than the interval; back off after failures).
    """
    if rhythm.back:
        pause = min(RETURN_GAP, rhythm.interval) if rhythm.own_pace else rhythm.interval
        # Before the first poll nothing has to be waited for: the interval is one between polls.
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
    # Last, since enough `slow_down` may have led beyond where backing off ends.
    return max(rhythm.last + max(gap, rhythm.interval), rhythm.not_before)


def polled(rhythm: PollSchedule, now: float) -> PollSchedule:
    """Note a poll whose answer was "not yet".

    Source: RFC 8628 §3.5.
    """
    return replace(rhythm, last=now, failures=0, back=False)


def failed(rhythm: PollSchedule, now: float) -> PollSchedule:
    """Note a poll without a useful answer: the gap doubles until one comes.

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
    """Note that the server wants to be left alone for a while.

    Source: RFC 9110 §10.2.3.
    """
    return replace(rhythm, not_before=now + min(max(seconds, 0.0), LONGEST_RETRY))


def returned(rhythm: PollSchedule, now: float) -> PollSchedule:
    """Note that the person is back: the next poll is due as soon as the server allows one.

    Source: RFC 8628 §3.5 (not before the interval).
    """
    return replace(rhythm, since=now, back=True)


def unanswered(answer: HttpResponse) -> Pending | None:
    """Return whether an answer is none to the question: trouble that may pass, and is waited out.

    Too many requests, a failing server, and a page where JSON was expected, as a captive portal or a
    challenge of a network in front of the server sends it.

    Source: RFC 6585 §4 (429); RFC 9110 §15.6 (5xx), §10.2.3 (Retry-After).
    """
    retry_after = wait_wanted(answer)
    if answer.status == 429:
        return Pending(retry_after=5.0 if retry_after is None else retry_after, trouble="too many requests")
    if answer.status >= 500 or answer.status == 408:
        return Pending(retry_after=retry_after, trouble=f"HTTP status {answer.status}")
    if is_wall(answer):
        return Pending(
            trouble="a web page came instead of an answer; is there a log-in page in this network?"
        )
    return None


def wait_wanted(answer: HttpResponse) -> float | None:
    """Return for how many seconds a server wants to be left alone; None when it does not say.

    A moment is compared with the server's own `Date` where it sends one: our clock may be wrong.

    Source: RFC 9110 §10.2.3, §6.6.1; `X-RateLimit-Reset` in Unix seconds as Netlify and GitHub document it.
    """
    until: float | None = None
    text = answer.header("retry-after").strip()
    if (seconds := number(text)) is not None:
        return seconds
    if text:
        until = _moment(text)
    elif answer.status == 429:
        until = number(answer.header("x-ratelimit-reset"))
    if until is None:
        return None
    here = _moment(answer.header("date"))
    return max(0.0, until - (answer.received_at if here is None else here))


def _moment(text: str) -> float | None:
    """Read an HTTP date as Unix seconds; None when it is none."""
    try:
        # RFC 9110 §5.6.7: always GMT, also where a sender leaves the zone out.
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
