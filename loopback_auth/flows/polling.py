"""Ask until there is an answer: the one loop of the device grant and of tickets.

It ends when the answer is more than "not yet", when the server refuses, or when the time is over by either
clock: the monotonic one may stand still while a laptop sleeps, the other may jump. Then it asks once more.

Some vendors answer a poll only when it is over (a long poll). To us that is a poll like any other: our own
time-out ends it, and after such a silence, which means "not yet", the next one begins at once.

Source: RFC 8628 §3.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from loopback_auth.device_and_ticket import Pending
from loopback_auth.effects import Flow, Send, Sleep, Tick, Warn
from loopback_auth.errors import AttemptExpired, TransportError
from loopback_auth.model import HttpRequest, HttpResponse
from loopback_auth.protocol.polling import PollSchedule, failed, next_poll, paused, polled, returned, slowed

T = TypeVar("T")

SPREAD = 0.1
"""Clients that started together should not go on asking together."""

WORRYING = 3
"""Useless answers in a row after which the person is told."""

LONG_SILENCE = 20.0
"""Seconds; what takes longer was a long poll cut off, by us or by something in between."""


def poll(
    request: HttpRequest,
    judge: Callable[[HttpResponse], Pending | T],
    *,
    step: str,
    interval: float,
    lifetime: float,
    own_pace: bool = False,
    long_poll: bool = False,
    secrets: tuple[str, ...] = (),
) -> Flow[T]:
    """Send a request again and again until its answer is one.

    Args:
        request: the poll.
        judge: says what an answer means; raises what ends the waiting.
        step: names the poll for people.
        interval: seconds between two polls at least.
        lifetime: seconds after which nobody can approve any more.
        own_pace: the interval is not the server's wish, and the person's return may cut it short.
        long_poll: the server keeps silent until it knows more.
        secrets: paths of secret members of the answer, see `Send`.

    Raises:
        AttemptExpired: the lifetime is over.
        TransportError: it is over, and the last poll did not even get an answer.

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
        verdict, trouble = yield from _asked(Send(request, step, secrets), judge)
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
            yield from Warn(f"Still waiting, but the last answers were of no use: {verdict.trouble}")


def _asked(
    send: Send, judge: Callable[[HttpResponse], Pending | T]
) -> Flow[tuple[Pending | T, TransportError | None]]:
    try:
        answer = yield from send
    except TransportError as exc:
        return Pending(trouble=exc.message), exc
    return judge(answer), None


def _expired(lifetime: float, trouble: str) -> AttemptExpired:
    span = f"{lifetime:.0f} seconds" if lifetime < 120 else f"{lifetime / 60:.0f} minutes"
    if trouble:
        return AttemptExpired(
            f"No approval could be seen within {span}; the last answer was of no use: {trouble}",
            hint="Check the network and run the command again.",
        )
    return AttemptExpired(f"Nobody approved within {span}.", hint="Run the command again.")


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
