"""The polling loop of the device grant and of tickets.

It ends when the answer is more than "not yet", when the server refuses, or when the time is over by one of
two clocks: the monotonic one may stop while a laptop sleeps, the other may jump. Then it polls a last time.
When to poll is decided in `protocol.polling`.

Some vendors answer a poll only when the person has decided (a long poll). Our own timeout ends such a poll
like any other; it means "not yet", and the next poll begins at once.

Source: RFC 8628 §3.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from loopback_auth.device_and_ticket import Pending
from loopback_auth.effects import Flow, Sleep, Tick, Warn
from loopback_auth.errors import AttemptExpired, TransportError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.polling import PollSchedule, failed, next_poll, paused, polled, returned, slowed

T = TypeVar("T")

SPREAD = 0.1
"""Spread of the gaps, so that clients that started together do not keep polling together."""

WORRYING = 3
"""Number of useless answers in a row after which the person is warned."""

LONG_SILENCE = 20.0
"""Seconds; a poll that takes longer was a long poll that was cut off, by us or by a proxy."""


def poll(
    ask: Callable[[], Flow[HttpResponse]],
    judge: Callable[[HttpResponse], Pending | T],
    *,
    interval: float,
    lifetime: float,
    own_pace: bool = False,
    long_poll: bool = False,
) -> Flow[T]:
    """Repeat a request until its answer is more than "not yet".

    Args:
        ask: sends the request once, and returns the answer.
        judge: returns `Pending`, or the final answer; raises an error that ends the polling.
        interval: seconds between two polls at least.
        lifetime: seconds after which the person cannot approve any more.
        own_pace: the interval was not named by the server, so that the person's return may shorten it.
        long_poll: the server answers only when the person has decided.

    Raises:
        AttemptExpired: the lifetime is over.
        TransportError: the lifetime is over, and the last poll got no answer.

    Source: RFC 8628 §3.4, §3.5.
    """
    moment = yield from Sleep(0)
    deadline, wall_deadline = moment.now + lifetime, moment.wall + lifetime
    rhythm = _noticed(PollSchedule(interval, since=moment.now, own_pace=own_pace), moment)
    while True:
        due = min(next_poll(rhythm, watched=moment.watched), deadline)
        if moment.now < due:
            moment = yield from Sleep(due - moment.now, SPREAD if due < deadline else 0.0)
            rhythm = _noticed(rhythm, moment)
            continue
        begun, late = moment.now, moment.wall >= wall_deadline
        verdict, trouble = yield from _asked(ask(), judge)
        if not isinstance(verdict, Pending):
            return verdict
        moment = yield from Sleep(0)
        silent = long_poll and bool(verdict.trouble) and moment.now - begun >= LONG_SILENCE
        if silent:
            verdict, trouble = Pending(), None
        if late or moment.now >= deadline:
            raise trouble or _expired(lifetime, verdict.trouble)
        rhythm = _after(rhythm, verdict, moment.now)
        rhythm = returned(rhythm, moment.now) if silent else _noticed(rhythm, moment)
        if verdict.trouble and rhythm.failures == WORRYING:
            yield from Warn(f"Still waiting, but the last answers could not be used: {verdict.trouble}")


def _asked(
    asking: Flow[HttpResponse], judge: Callable[[HttpResponse], Pending | T]
) -> Flow[tuple[Pending | T, TransportError | None]]:
    try:
        answer = yield from asking
    except TransportError as exc:
        return Pending(trouble=exc.message), exc
    return judge(answer), None


def _expired(lifetime: float, trouble: str) -> AttemptExpired:
    span = f"{lifetime:.0f} seconds" if lifetime < 120 else f"{lifetime / 60:.0f} minutes"
    if trouble:
        return AttemptExpired(
            f"The login was not approved within {span}, and the last answer could not be used: {trouble}",
            hint="Check the network, then sign in again.",
        )
    return AttemptExpired(f"The login was not approved within {span}.", hint="Sign in again.")


def _noticed(rhythm: PollSchedule, moment: Tick) -> PollSchedule:
    return returned(rhythm, moment.now) if moment.returned else rhythm


def _after(rhythm: PollSchedule, verdict: Pending, now: float) -> PollSchedule:
    if verdict.slow_down:
        rhythm = slowed(rhythm, now)
    elif verdict.trouble:
        rhythm = failed(rhythm, now)
    else:
        rhythm = polled(rhythm, now)
    return rhythm if verdict.retry_after is None else paused(rhythm, now, verdict.retry_after)
