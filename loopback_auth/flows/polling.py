"""Ask until there is an answer: the one loop of the device grant and of tickets.

It ends when the answer is more than "not yet", when the server refuses, or when the time is over by either
clock: the monotonic one may stand still while a laptop sleeps, the other may jump.

Source: RFC 8628 §3.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from loopback_auth.effects import Flow, Send, Sleep, Warn
from loopback_auth.errors import AttemptExpired, TransportError
from loopback_auth.model import HttpRequest, HttpResponse, Pending
from loopback_auth.protocol.polling import Rhythm, failed, next_poll, paused, polled, returned, slowed

T = TypeVar("T")

SPREAD = 0.1
"""Clients that started together should not go on asking together."""

WORRYING = 3
"""Useless answers in a row after which the person is told."""


def poll(
    request: HttpRequest,
    judge: Callable[[HttpResponse], Pending | T],
    *,
    step: str,
    interval: float,
    lifetime: float,
) -> Flow[T]:
    """Send a request again and again until its answer is one.

    Args:
        request: the poll.
        judge: says what an answer means; raises what ends the waiting.
        step: names the poll for people.
        interval: seconds that the server wants between two polls.
        lifetime: seconds after which nobody can approve any more.

    Raises:
        AttemptExpired: the lifetime is over.
        TransportError: it is over, and the last poll did not even get an answer.

    Source: RFC 8628 §3.4, §3.5.
    """
    moment = yield from Sleep(0)
    deadline, wall_deadline = moment.now + lifetime, moment.wall + lifetime
    rhythm = Rhythm(interval, since=moment.now)
    while True:
        due = min(next_poll(rhythm, watched=moment.watched), deadline)
        if moment.now < due:
            moment = yield from Sleep(due - moment.now, SPREAD)
            if moment.returned:
                rhythm = returned(rhythm, moment.now)
            continue
        over = moment.now >= deadline or moment.wall >= wall_deadline
        try:
            answer = yield from Send(request, step)
        except TransportError as exc:
            if over:
                raise
            verdict: Pending | T = Pending(trouble=exc.message)
        else:
            verdict = judge(answer)
        if not isinstance(verdict, Pending):
            return verdict
        if over:
            raise AttemptExpired(
                f"Nobody approved within {lifetime / 60:.0f} minutes.", hint="Run the command again."
            )
        moment = yield from Sleep(0)
        rhythm = _after(rhythm, verdict, moment.now)
        if verdict.trouble and rhythm.failures == WORRYING:
            yield from Warn(f"Still waiting, but the last answers were of no use: {verdict.trouble}")


def _after(rhythm: Rhythm, verdict: Pending, now: float) -> Rhythm:
    if verdict.slow_down:
        rhythm = slowed(rhythm, now)
    elif verdict.trouble:
        rhythm = failed(rhythm, now)
    else:
        rhythm = polled(rhythm, now)
    return rhythm if verdict.retry_after is None else paused(rhythm, now, verdict.retry_after)
