"""The port of a program is free again before the program is started again."""

from __future__ import annotations

import asyncio
import socket

import pytest

from loopback_auth.audit.programs.ports import is_free, wait_for_port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_port_in_use(host: str) -> None:
    """Whichever address of localhost it is in use at."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert not is_free(port)
        assert not await wait_for_port(port, 0.1)

    assert is_free(port)


async def test_port_becomes_free() -> None:
    """What the last run left is waited for."""
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    asyncio.get_running_loop().call_later(0.1, taken.close)

    assert await wait_for_port(port, 10.0)
