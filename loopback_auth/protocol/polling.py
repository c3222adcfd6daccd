"""When to ask again: the one rhythm of everything that can only be learnt by asking.

Quick while an approval is likely, slow while it is not. Likely is: in the first moments, and whenever the
person comes back to our tab, which says so (`returned`). In between the gap grows with the time that has
passed, so that whoever takes long costs few requests, and whoever is quick waits little. What the server
demands stands above all: its interval, its `slow_down`, its `Retry-After`.

Pure: times come in, gaps come out. Spreading the gaps a little (jitter) is the interpreter's business.

Source: RFC 8628 §3.3, §3.5; RFC 9110 §10.2.3; RFC 6585 §4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from loopback_auth.model import HttpResponse, Pending

DEFAULT_INTERVAL = 5.0
"""Seconds; RFC 8628 §3.2."""
LONGEST_GAP = 10.0
AWAY_GAP = 15.0
"""Seconds between polls while our own tab would tell of the person's return."""
GROWTH = 0.12
"""The gap as a part of the time that has passed since the start or the last return."""
EAGER_SECONDS = 6.0
EAGER_GAP = 1.0
SLOW_DOWN = 5.0
LONGEST_RETRY = 120.0
LONGEST_BACK_OFF = 60.0
NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a poller stands; times are of one monotonic clock, in seconds.

    Args:
        interval: what has to pass between two polls.
        since: when somebody last showed up: the start, or the person's return.
        last: when was polled last; `NEVER` before the first time.
        not_before: when the server may be asked again at all.
        failures: polls in a row that got no answer.
    """

    interval: float
    since: float
    last: float = NEVER
    not_before: float = NEVER
    failures: int = 0


def next_poll(rhythm: Rhythm, *, watched: bool) -> float:
    """Return the moment of the next poll if nothing happens before.

    Args:
        rhythm: as it stands.
        watched: our own tab is open and will tell when the person comes back to it.

    Source: RFC 8628 §3.5 (never sooner than the interval; back off after failures).
    """
    if rhythm.last == NEVER:
        return max(rhythm.since + max(EAGER_GAP, rhythm.interval), rhythm.not_before)
    if rhythm.since > rhythm.last:
        return max(rhythm.last + rhythm.interval, rhythm.not_before)
    passed = rhythm.last - rhythm.since
    if passed < EAGER_SECONDS:
        gap = EAGER_GAP
    elif watched:
        gap = AWAY_GAP
    else:
        gap = min(max(EAGER_GAP, passed * GROWTH), LONGEST_GAP)
    gap = max(gap, rhythm.interval) * 2.0 ** min(rhythm.failures, 4)
    return max(rhythm.last + min(gap, LONGEST_BACK_OFF), rhythm.not_before)


def polled(rhythm: Rhythm, now: float) -> Rhythm:
    """Note a poll whose answer was "not yet".

    Source: RFC 8628 §3.5.
    """
    return replace(rhythm, last=now, failures=0)


def failed(rhythm: Rhythm, now: float) -> Rhythm:
    """Note a poll without a useful answer: the gap doubles until one comes.

    Source: RFC 8628 §3.5 (exponential back-off).
    """
    return replace(rhythm, last=now, failures=rhythm.failures + 1)


def slowed(rhythm: Rhythm, now: float) -> Rhythm:
    """Note `slow_down`: five seconds more for this and all later gaps.

    Source: RFC 8628 §3.5.
    """
    return replace(rhythm, last=now, interval=rhythm.interval + SLOW_DOWN, failures=0)


def paused(rhythm: Rhythm, now: float, seconds: float) -> Rhythm:
    """Note that the server wants to be left alone for a while.

    Source: RFC 9110 §10.2.3.
    """
    return replace(rhythm, last=now, not_before=now + min(max(seconds, 0.0), LONGEST_RETRY))


def returned(rhythm: Rhythm, now: float) -> Rhythm:
    """Note that the person is back: the next poll is due as soon as the server allows one.

    Source: RFC 8628 §3.5 (not before the interval).
    """
    # Before the first poll nothing has to be waited for: the interval is one between polls.
    last = now - rhythm.interval if rhythm.last == NEVER else rhythm.last
    return replace(rhythm, since=max(now, last), last=last)


def unanswered(answer: HttpResponse) -> Pending | None:
    """Tell whether an answer is none to the question: trouble that may pass, and is waited out.

    Too many requests, a failing server, and a page where JSON was expected, as a captive portal or a
    challenge of a network in front of the server sends it.

    Source: RFC 6585 §4 (429); RFC 9110 §15.6 (5xx), §10.2.3 (Retry-After).
    """
    retry_after = wait_wanted(answer)
    if answer.status == 429:
        return Pending(retry_after=5.0 if retry_after is None else retry_after, trouble="too many requests")
    if answer.status >= 500 or answer.status == 408:
        return Pending(retry_after=retry_after, trouble=f"HTTP status {answer.status}")
    kind = answer.header("content-type").partition(";")[0].strip().lower()
    if kind == "text/html":
        return Pending(
            trouble="a web page came instead of an answer; is there a log-in page in this network?"
        )
    return None


def wait_wanted(answer: HttpResponse) -> float | None:
    """Return for how many seconds a server wants to be left alone; None when it does not say.

    Source: RFC 9110 §10.2.3; `X-RateLimit-Reset` in Unix seconds as Netlify and GitHub document it.
    """
    text = answer.header("retry-after").strip()
    if text.isascii() and text.isdigit():
        return float(text[:6])
    if text:
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - answer.received_at)
        except (ValueError, TypeError):
            return None
    reset = answer.header("x-ratelimit-reset").strip()
    if answer.status == 429 and reset.isascii() and reset.isdigit():
        return max(0.0, float(reset[:12]) - answer.received_at)
    return None
