"""Where names lead, whatever name servers say, and when they say nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest
from name_directory import Names
from patience import SOON

from loopback_auth.errors import TransportError
from loopback_auth.http_messages import HttpRequest
from loopback_auth.network.resolver import PrivateAddressError, Resolver, SystemResolver
from loopback_auth.network.transport import Transport

SILENCE = 2 * SOON
"""Seconds for which the name server says nothing: far longer than the tests may take."""

INSIDE = ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"]


@pytest.mark.parametrize("address", INSIDE)
async def test_public_server_cannot_lead_inside(address: str) -> None:
    """Its token endpoint may have a name that leads to a machine which trusts us (RFC 9728 §7.7)."""
    names = Names({"as.example": ["93.184.216.34"], "token.example": [address]})

    resolver = Resolver(names)
    await resolver.resolve("as.example", 443)
    with pytest.raises(PrivateAddressError, match=r"token\.example is a private address"):
        await resolver.resolve("token.example", 443)


async def test_private_answers_beside_public_ones_are_no_cloak() -> None:
    """A server with one address of each kind still counts as a public one."""
    names = Names({"as.example": ["93.184.216.34", "10.0.0.1"], "token.example": ["10.0.0.1"]})

    resolver = Resolver(names)
    await resolver.resolve("as.example", 443)
    with pytest.raises(PrivateAddressError):
        await resolver.resolve("token.example", 443)


async def test_private_server_may_stay_private() -> None:
    """A company's own authorization server is no attack."""
    names = Names({"as.corp.example": ["10.0.0.1"], "token.corp.example": ["10.0.0.2"]})

    resolver = Resolver(names)
    await resolver.resolve("as.corp.example", 443)
    seen = [found["host"] for found in await resolver.resolve("token.corp.example", 443)]

    assert seen == ["10.0.0.2"]


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "198.18.0.5", "100.100.1.1", "fd00::1"])
async def test_host_that_is_allowed_may_lead_inside(address: str) -> None:
    """Split name servers, private links and overlay networks are no attack; no other host gains by it."""
    names = Names({"as.example": ["93.184.216.34"], "token.corp": [address], "other.corp": [address]})
    resolver = Resolver(names, allowed=("Token.Corp.",))

    await resolver.resolve("as.example", 443)
    await resolver.resolve("token.corp", 443)
    with pytest.raises(PrivateAddressError, match=r"other\.corp"):
        await resolver.resolve("other.corp", 443)
    assert resolver.seen_public


async def test_what_was_public_before_may_not_lead_inside_now() -> None:
    """A later process begins with what an earlier one has seen."""
    resolver = Resolver(Names({"as.example": ["10.0.0.1"]}), public=True)

    with pytest.raises(PrivateAddressError):
        await resolver.resolve("as.example", 443)


@pytest.mark.parametrize("host", ["localhost", "as.localhost", "LOCALHOST", "localhost."])
async def test_localhost_is_this_machine_whatever_name_servers_say(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise plain http to that name would go to whoever answers for it (RFC 6761 §6.3)."""

    def lie(*_arguments: object, **_named: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", lie)

    found = await Resolver().resolve(host, 80)

    assert {one["host"] for one in found} == {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("code", "words"),
    [(socket.EAI_AGAIN, "no name server answered"), (socket.EAI_NONAME, "the name is not known")],
)
async def test_silence_is_told_from_a_name_that_does_not_exist(
    code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one is a matter of the network, the other of spelling."""

    def fail(*_arguments: object, **_named: object) -> list[object]:
        raise socket.gaierror(code, "as the system says it")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    async with Transport(environ={}) as transport:
        with pytest.raises(TransportError, match=words):
            await transport.send(HttpRequest("GET", "https://as.example/"), step="metadata request")


def test_cancelling_does_not_wait_for_a_silent_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the task nor the end of the loop: every VPN that drops leaves names without an answer."""
    answer = Event()
    loop: asyncio.AbstractEventLoop
    asked: asyncio.Event

    def silent(*_arguments: object, **_named: object) -> list[object]:
        loop.call_soon_threadsafe(asked.set)
        answer.wait(SILENCE)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)

    async def main() -> None:
        nonlocal loop, asked
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        async with Transport(environ={}) as transport:
            request = HttpRequest("GET", "https://as.example/")
            sending = asyncio.create_task(transport.send(request, step="metadata request"))
            await asked.wait()
            sending.cancel()
            await asyncio.wait([sending])

    begun = time.monotonic()
    asyncio.run(main())
    answer.set()

    assert time.monotonic() - begun < SOON


async def test_silence_is_not_waited_for_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system with several name servers may try them for minutes, and then says no more than this."""
    answer = Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_named: answer.wait(SILENCE))

    with pytest.raises(socket.gaierror) as caught:
        await SystemResolver(seconds=0.01).resolve("as.example", 443)
    answer.set()

    assert caught.value.errno == socket.EAI_AGAIN


COMMAND = f"""
import os, socket, sys, time
def silent(*arguments, **named):
    os.write(1, b"asked\\n")
    time.sleep({SILENCE})
socket.getaddrinfo = silent
sys.argv[1:] = "login --issuer https://as.example --client-id x --no-browser --yes".split() + sys.argv[1:]
from loopback_auth.__main__ import main
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can only be sent to a whole console there")
@pytest.mark.parametrize(("pressed", "status"), [(True, 130), (False, 7)], ids=["Ctrl-C", "timeout"])
def test_command_ends_although_the_name_server_is_silent(pressed: bool, status: int, tmp_path: Path) -> None:
    """It ended only with the name server's own time-out, however often Ctrl-C was pressed."""
    command = [sys.executable, "-c", COMMAND, "--timeout", "600" if pressed else "3"]
    environ = {
        "PATH": os.environ["PATH"],
        "LOOPBACK_AUTH_CONFIG_DIR": str(tmp_path / "config"),
        "LOOPBACK_AUTH_DATA_DIR": str(tmp_path / "data"),
    }
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asked\n"
        if pressed:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=SOON)

    assert process.returncode == status
