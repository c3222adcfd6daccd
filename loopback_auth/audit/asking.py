"""Runs flows that ask a server and wait, over the network: examinations and attacks."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

from loopback_auth.effects import UNOBSERVED, Flow, FlowResult, Now, Observer, Send, Sleep, Tick, resume_flow
from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.network.transport import Transport
from loopback_auth.signin.driver import new_stamp

T = TypeVar("T")


async def asked(
    flow: Flow[T], transport: Transport, *, observer: Observer = UNOBSERVED, most: int | None = None
) -> T:
    """Run a flow to its end.

    Args:
        flow: with requests and waits alone; it gets the answers as they are, for it judges them.
        transport: is open.
        observer: sees the requests, and not the waits.
        most: requests; each further one fails. None: the flow itself counts.

    Raises:
        LoopbackAuthError: what the flow raises.
    """
    answer: object = None
    left = most
    try:
        while not isinstance(step := resume_flow(flow, answer), FlowResult):
            match step:
                case Send() if left == 0:
                    answer = TransportError(f"It was not asked: {most} requests were made already")
                case Send():
                    left = None if left is None else left - 1
                    answer = await _sent(step, transport, observer)
                case Sleep(seconds):
                    await asyncio.sleep(seconds)
                    answer = Tick(time.monotonic(), time.time())
                case Now():
                    answer = new_stamp(time.time())
                case _:
                    raise AssertionError(f"Such a flow cannot have the effect {type(step).__name__}.")
        return step.value
    finally:
        flow.close()


async def _sent(send: Send, transport: Transport, observer: Observer) -> HttpResponse | LoopbackAuthError:
    begun = time.monotonic()
    received: HttpResponse | LoopbackAuthError
    try:
        received = await transport.send(send.request, step=send.step)
    except LoopbackAuthError as exc:
        received = exc
    observer.performed(send, received, begun=begun, ended=time.monotonic())
    return received
