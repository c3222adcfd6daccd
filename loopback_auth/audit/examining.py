"""Runs the examination of servers over the network, and puts them side by side.

Servers are asked at the same time, each at its own pace. One that cannot be reached ends no other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from loopback_auth import __version__
from loopback_auth.audit.asking import asked
from loopback_auth.audit.servers.examination import examine
from loopback_auth.audit.servers.judging import FLOW, judged, side_by_side
from loopback_auth.audit.servers.rows import Examined
from loopback_auth.audit.servers.server import Server
from loopback_auth.audit.this_machine import transport_here
from loopback_auth.compare.model import Comparison
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
    seen = await asyncio.gather(*map(_examined, servers))
    return side_by_side(seen, made_at=made_at, version=__version__)


async def _examined(server: Server) -> Examined:
    network = server.client.provider.network
    # The person named a server on this machine; it must not lead the examination to another machine.
    here = is_loopback_url(_address(server))
    async with transport_here(network) if here else Transport(network) as transport:
        return await examined(server, transport)


async def examined(server: Server, transport: Transport) -> Examined:
    """Examine one server.

    Args:
        server: which, and with which client.
        transport: is open.

    Raises:
        ConfigError: the issuer cannot be one.
    """
    client = server.client
    recorder = Recorder(FLOW, ground="live", provider=client.provider.name, clock=time.monotonic)
    pause = 0.0 if is_loopback_url(_address(server)) else PAUSE
    flow = examine(client, iter(new_attempt, None), pause=pause)
    observed = await asked(flow, transport, observer=recorder)
    return judged(server.name, observed, recorder.trace())


def _address(server: Server) -> str:
    known = server.client.provider.metadata
    return known.issuer or known.authorization_endpoint or known.token_endpoint or ""
