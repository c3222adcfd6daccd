"""Runs the examination of servers over the network, and puts them side by side.

Servers are asked at the same time, each at its own pace. One that cannot be reached ends no other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from loopback_auth import __version__
from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.examination import examine
from loopback_auth.audit.servers.judging import FLOW, judged, side_by_side
from loopback_auth.audit.servers.rows import Examined
from loopback_auth.audit.servers.server import Server
from loopback_auth.compare.model import Comparison
from loopback_auth.effects import Flow, FlowResult, Send, Sleep, Tick, resume_flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.network.transport import Transport
from loopback_auth.protocol.urls import is_loopback_url
from loopback_auth.signin.driver import new_attempt
from loopback_auth.trace.recorder import Recorder

PAUSE = 0.3
"""Seconds between two requests to a server that is not on this machine."""


async def examine_servers(servers: Sequence[Server]) -> Comparison:
    """Examine servers, and put them side by side.

    Args:
        servers: in the order of the columns.

    Raises:
        ConfigError: an issuer cannot be one.
    """
    made_at = time.time()
    examined = await asyncio.gather(*map(_examined, servers))
    return side_by_side(examined, made_at=made_at, version=__version__)


async def _examined(server: Server) -> Examined:
    client = server.client
    recorder = Recorder(FLOW, ground="live", provider=client.provider.name, clock=time.monotonic)
    known = client.provider.metadata
    address = known.issuer or known.authorization_endpoint or known.token_endpoint or ""
    pause = 0.0 if is_loopback_url(address) else PAUSE
    async with Transport(client.provider.network) as transport:
        observed = await _answered(examine(client, iter(new_attempt, None), pause=pause), transport, recorder)
    return judged(server.name, observed, recorder.trace())


async def _answered(flow: Flow[Observed], transport: Transport, recorder: Recorder) -> Observed:
    """Run a flow that does nothing but ask and wait; the waits are not recorded."""
    answer: object = None
    try:
        while not isinstance(step := resume_flow(flow, answer), FlowResult):
            match step:
                case Send():
                    answer = await _sent(step, transport, recorder)
                case Sleep(seconds):
                    await asyncio.sleep(seconds)
                    answer = Tick(time.monotonic(), time.time())
                case _:
                    raise AssertionError(f"An examination cannot have the effect {type(step).__name__}.")
        return step.value
    finally:
        flow.close()


async def _sent(send: Send, transport: Transport, recorder: Recorder) -> HttpResponse | LoopbackAuthError:
    begun = time.monotonic()
    received: HttpResponse | LoopbackAuthError
    try:
        received = await transport.send(send.request, step=send.step)
    except LoopbackAuthError as exc:
        received = exc
    recorder.performed(send, received, begun=begun, ended=time.monotonic())
    return received
