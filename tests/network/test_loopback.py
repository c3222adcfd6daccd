"""Owning a port: the whole redirect flow rests on nobody else having it, not even for a moment."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys

import pytest
from patience import SOON
from raw_http import waiting

from loopback_auth.effects import Bind, Flow
from loopback_auth.errors import ConfigError, RedirectUnavailable
from loopback_auth.model import Redirect
from loopback_auth.network import loopback
from loopback_auth.network.browser import Opening
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.resources import Resources


def taken_port() -> tuple[socket.socket, int]:
    """Occupy a port as another program would."""
    other = socket.create_server(("127.0.0.1", 0))
    return other, other.getsockname()[1]


def test_busy_port_is_reported_with_a_way_out() -> None:
    """A fixed port may belong to somebody else; the person has to learn which one, and what to do."""
    other, port = taken_port()
    with other, pytest.raises(RedirectUnavailable) as caught:
        bind("127.0.0.1", (port,), "/callback")

    assert f"port {port} on 127.0.0.1" in caught.value.message
    assert caught.value.parameter == "ports"


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EADDRNOTAVAIL, "no such address"), (errno.EACCES, "from 1024 on"), (errno.EADDRINUSE, "End the")],
)
def test_each_refusal_of_a_port_has_its_own_remedy(
    number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without IPv6 there is no program that could be ended, and none holds a port that only root may have."""

    def refuse(*_arguments: object) -> socket.socket:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(loopback, "listen", refuse)
    with pytest.raises(RedirectUnavailable) as caught:
        bind("[::1]", (80,), "/callback")

    assert words in caught.value.hint


@pytest.mark.parametrize("ports", [(10080,), (6000,), (0, 6667), (8400, 22)])
def test_port_that_browsers_refuse_is_refused_here(ports: tuple[int, ...]) -> None:
    """Chromium says ERR_UNSAFE_PORT, and we would wait for a visit that cannot come (Fetch §2.9)."""
    with pytest.raises(ConfigError) as caught:
        bind("127.0.0.1", ports, "/callback")

    assert any(str(port) in caught.value.message for port in ports)


def test_port_of_the_system_that_browsers_refuse_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `ip_local_port_range` begins low it may choose one."""
    chosen: list[int] = []
    listen = loopback.listen

    def watched(*arguments: object) -> socket.socket:
        one: socket.socket = listen(*arguments)  # type: ignore[arg-type]
        chosen.append(one.getsockname()[1])
        monkeypatch.setattr(loopback, "BAD_PORTS", frozenset(chosen[:3]))
        return one

    monkeypatch.setattr(loopback, "listen", watched)
    bound = bind("127.0.0.1", (0,), "/callback")
    bound.close()

    assert len(chosen) == 4
    assert bound.port == chosen[3]


async def test_no_browser_is_sent_to_a_port_that_is_not_ours() -> None:
    """The program that has the port would get the code (RFC 8252 §8.3)."""
    opened: list[str] = []

    def open_browser(url: str) -> Opening:
        opened.append(url)
        return Opening()

    async def main(port: int) -> None:
        def flow() -> Flow[str]:
            return (yield from Bind(Redirect(ports=(port,))))

        async with Resources(open_browser=open_browser) as resources:
            await Driver(resources).run(flow())

    other, port = taken_port()
    with other, pytest.raises(RedirectUnavailable):
        await main(port)

    assert opened == []


def test_list_of_ports_falls_through() -> None:
    """A client registered with several ports uses the first that is free."""
    other, port = taken_port()
    with other:
        bound = bind("127.0.0.1", (port, 0), "/callback")
        bound.close()

    assert bound.port != port


def test_every_taken_port_is_named() -> None:
    """With several ports the person must be able to see all of them."""
    first, one = taken_port()
    second, two = taken_port()
    with first, second, pytest.raises(RedirectUnavailable) as caught:
        bind("127.0.0.1", (one, two), "/callback")

    assert str(one) in caught.value.message
    assert str(two) in caught.value.message


def test_impossible_port_is_no_crash() -> None:
    """Numbers beyond 65535 make the system's library raise something that is no OSError."""
    with pytest.raises(RedirectUnavailable, match="70000"):
        bind("127.0.0.1", (70000,), "/callback")


def test_port_is_bound_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probing, closing and binding again lets another process take the port in between."""
    addresses: list[tuple[str, int]] = []

    def bound(one: socket.socket, address: tuple[str, int]) -> None:
        addresses.append(address)
        super(socket.socket, one).bind(address)

    async def main() -> tuple[int, int]:
        async with waiting() as world:
            descriptor = world.bound.sockets[0].fileno()
            await world.complete()
            return descriptor, world.bound.sockets[0].fileno()

    with asyncio.Runner() as runner:
        runner.get_loop()  # Where there are no socket pairs, the loop makes itself one at a port.
        monkeypatch.setattr(socket.socket, "bind", bound)
        before, during = runner.run(main())

    assert before == during
    assert addresses == [("127.0.0.1", 0)]


def test_other_addresses_of_this_machine_are_not_served() -> None:
    """Listening on all interfaces would invite the whole network."""
    bound = bind("127.0.0.1", (0,), "/callback")
    try:
        addresses = [one.getsockname()[0] for one in bound.sockets]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", bound.port), timeout=SOON)
    finally:
        bound.close()

    assert addresses == ["127.0.0.1"]


def test_localhost_is_owned_on_both_families() -> None:
    """A browser may try ::1 first, where somebody else could be waiting on our port."""
    bound = bind("localhost", (0,), "/callback")
    addresses = {one.getsockname()[:2] for one in bound.sockets}
    bound.close()

    assert addresses == {("127.0.0.1", bound.port), ("::1", bound.port)}
    assert bound.redirect_uri == f"http://localhost:{bound.port}/callback"


def test_localhost_with_one_family_taken_is_refused() -> None:
    """Half of localhost is not enough: the browser decides which half it uses."""
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::1", 0))
        other.listen()
        with pytest.raises(RedirectUnavailable):
            bind("localhost", (other.getsockname()[1],), "/callback")


def test_ipv6_literal_keeps_its_brackets() -> None:
    """The redirect URI is compared as a string with what is registered."""
    bound = bind("[::1]", (0,), "/callback")
    bound.close()

    assert bound.redirect_uri == f"http://[::1]:{bound.port}/callback"


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT")
def test_port_cannot_be_shared() -> None:
    """With SO_REUSEPORT on both sides the kernel would deal callbacks out in turns."""
    bound = bind("127.0.0.1", (0,), "/callback")
    try:
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(("127.0.0.1", bound.port))
    finally:
        bound.close()


def test_browser_is_not_refused_before_the_server_runs() -> None:
    """The browser is started before aiohttp is imported and may be the faster of the two."""
    bound = bind("127.0.0.1", (0,), "/callback")
    try:
        with socket.create_connection(("127.0.0.1", bound.port), timeout=SOON) as early:
            connected = early.getpeername()
    finally:
        bound.close()

    assert connected == ("127.0.0.1", bound.port)


async def test_fixed_port_is_free_again_at_once() -> None:
    """A second sign-in a second later must not fail because of the first one's closed connections."""
    async with waiting() as world:
        await world.complete()
        port = world.bound.port
    bind("127.0.0.1", (port,), "/callback").close()


def test_sockets_are_not_inherited() -> None:
    """The browser that we start must not keep our port open."""
    bound = bind("127.0.0.1", (0,), "/callback")
    inheritable = [one.get_inheritable() for one in bound.sockets]
    bound.close()

    assert inheritable == [False]


def test_keys_differ_and_do_not_show() -> None:
    """The key of the start page opens the way to the state."""
    first, second = (bind("127.0.0.1", (0,), "/callback") for _ in range(2))
    first.close()
    second.close()

    assert first.key != second.key
    assert len(first.key) == 32
    assert first.key not in repr(first)


def test_module_costs_nothing_to_import() -> None:
    """It runs before the browser is started, so a heavy import here is seconds that the person waits."""
    script = "import sys, loopback_auth.network.loopback, loopback_auth.network.browser; print(*sys.modules)"
    # Where coverage is measured it would be among what is counted.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, env=plain)

    assert not {"aiohttp", "asyncio", "ssl", "yarl", "dataclasses"} & set(loaded.stdout.split())


def test_redirect_uri_and_start_page_share_the_authority() -> None:
    """The browser proves at the start page that it will reach the redirect URI."""
    bound = BoundRedirect((), authority="127.0.0.1:1234", path="/callback", key="abc")

    assert (bound.redirect_uri, bound.start_url) == (
        "http://127.0.0.1:1234/callback",
        "http://127.0.0.1:1234/abc",
    )
