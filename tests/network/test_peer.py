"""Who is at the other end of a connection, as the kernel tells it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from other_users import NOBODY, asked_by_another, needs_another_user

from loopback_auth.network import peer

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a socket is")


@linux
@pytest.mark.parametrize(
    ("family", "host", "through"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET, "127.0.0.1", "::ffff:127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
    ],
)
def test_our_own_user_is_found_by_either_look(family: int, host: str, through: str) -> None:
    """Some sandboxes have no netlink; a browser may reach IPv4 by a socket for IPv6."""
    with socket.socket(family) as listening:
        listening.bind((host, 0))
        listening.listen()
        with socket.create_connection((through, listening.getsockname()[1])) as browser:
            near, _ = listening.accept()
            with near:
                both = peer.ends(near)
                assert peer._by_netlink(*both) == peer._by_table(*both) == os.geteuid()
                assert peer.other_user(*both) is None
                browser.close()
                # What is closed belongs to nobody, and must not pass for root's.
                assert peer._by_netlink(*both) == peer._by_table(*both) == peer.LEFT
                assert peer.other_user(*both) is None


def test_nobody_can_be_told_where_there_is_no_socket() -> None:
    """A forwarded connection has its other end elsewhere, and is no reason to refuse anybody."""
    assert peer.other_user(("127.0.0.1", 1), ("127.0.0.1", 2)) is None
    assert peer.other_user(("192.0.2.1", 1), ("127.0.0.1", 2)) is None


def nothing_more(_: socket.socket) -> None:
    """Send nothing after the request."""


def a_byte(browser: socket.socket) -> None:
    """Let something be there to read, which then is not the end."""
    browser.sendall(b"x")


def more_than_fits(browser: socket.socket) -> None:
    """Let the end wait behind what cannot be sent yet."""
    browser.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            browser.send(bytes(1 << 20))


@pytest.mark.parametrize("send", [nothing_more, a_byte, more_than_fits])
def test_connection_is_open_until_the_other_side_has_closed_it(send: Callable[[socket.socket], None]) -> None:
    """Whose a closed socket was nobody can tell, so another user would hang up first, and pass."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        browser = socket.create_connection(listening.getsockname())
        near, _ = listening.accept()
        with near, browser:
            send(browser)
            before = peer.is_open(near)
            browser.close()
            assert (before, peer.is_open(near)) == (
                True,
                sys.platform != "linux" and send is not nothing_more,
            )


@needs_another_user
@pytest.mark.parametrize("without_netlink", [False, True])
async def test_another_user_is_found(monkeypatch: pytest.MonkeyPatch, *, without_netlink: bool) -> None:
    """By the table too, where netlink is forbidden."""

    def forbidden(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    if without_netlink:
        monkeypatch.setattr(peer, "_by_netlink", forbidden)
    found = []

    async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        both = (writer.get_extra_info(name) for name in ("peername", "sockname"))
        found.append(peer.other_user(*both))
        writer.close()

    async with await asyncio.start_server(look, "127.0.0.1", 0) as server:
        await asked_by_another(server.sockets[0].getsockname()[1], b"x")

    assert found == [NOBODY]


def test_openers_that_change_the_user_are_known() -> None:
    """Their browser would be turned away as a stranger."""
    assert peer.runs_as_another("sudo")
    assert not peer.runs_as_another("xdg-open")
