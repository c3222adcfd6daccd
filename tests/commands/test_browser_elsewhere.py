"""A browser whose 127.0.0.1 is not ours, as over SSH: a network namespace stands in for its machine."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from command_line import CommandLine, missing

from commands.people import RecordingServer, authority_of, client_flags, port_of, visit
from commands.remote_browser import carry
from loopback_auth.commands._program import COMMAND_LINE
from loopback_auth.words import Words

pytestmark = pytest.mark.slow

REMOTE_BROWSER = Path(__file__).with_name("remote_browser.py")
NAMESPACE = ("unshare", "--map-root-user", "--net")
FORWARDED = 9000
SUCCESS = f"{Words.SUCCESS_TITLE} - {COMMAND_LINE.name}"
"""Title of the last page of a login that succeeded."""


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    """Without namespaces there is no other machine here."""
    try:
        subprocess.run([*NAMESPACE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        missing("the kernel gives us no network namespace")


@pytest.fixture
def far_browser(tmp_path: Path) -> str:
    """A browser on another machine: it starts, says nothing, and reaches nobody."""
    program = tmp_path / "browser"
    folders = os.pathsep.join((str(REMOTE_BROWSER.parent.parent),))
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={folders} {" ".join(NAMESPACE)} {sys.executable} {REMOTE_BROWSER} "$1"\n'
    )
    program.chmod(0o700)
    return str(program)


def test_browser_that_cannot_reach_us_brings_a_device_code(
    command_line: CommandLine, server: RecordingServer, far_browser: str
) -> None:
    """Nothing says that the page was not found, so after a while we stop waiting for it."""
    with command_line.start(
        "login",
        "--yes",
        "--reachable",
        *client_flags(server.issuer),
        BROWSER=far_browser,
        LOOPBACK_AUTH_PATIENCE="1",
    ) as running:
        running.link()
        running.line("No browser has come to the link within 1 second.")
        link = running.link()
        visit(link)
        ended = running.end()

    assert ended.status == 0
    assert "verification" in link or "device" in link


def test_port_forwarded_under_another_number_signs_in_by_redirect(
    command_line: CommandLine, server: RecordingServer, tmp_path: Path
) -> None:
    """The browser says by which name it reaches us, and the redirect URI follows that."""
    with command_line.start("login", "--no-browser", "--yes", *client_flags(server.issuer)) as running:
        link = running.link()
        there = link.replace(authority_of(link), f"127.0.0.1:{FORWARDED}")
        title = asyncio.run(
            browse_elsewhere(
                there, {FORWARDED: port_of(link), port_of(server.issuer): port_of(server.issuer)}, tmp_path
            )
        )
        ended = running.end()

    assert (ended.status, title) == (0, SUCCESS)
    assert f"http://127.0.0.1:{FORWARDED}/callback" in server.sent("redirect_uri")


def test_port_that_is_registered_is_not_given_up_for_another(
    command_line: CommandLine, server: RecordingServer, tmp_path: Path
) -> None:
    """A server that knows one redirect URI would refuse every other; so we say what is wrong instead."""
    before = server.sent("redirect_uri")
    with command_line.start(
        "login", "--no-browser", "--yes", "--port", "8427", *client_flags(server.issuer)
    ) as running:
        link = running.link()
        there = link.replace(authority_of(link), f"127.0.0.1:{FORWARDED}")
        title = asyncio.run(browse_elsewhere(there, {FORWARDED: port_of(link)}, tmp_path))
        visit(link)
        ended = running.end()

    assert title != SUCCESS
    assert ended.status == 0
    assert server.sent("redirect_uri") - before == {"http://127.0.0.1:8427/callback"}


async def browse_elsewhere(link: str, ports: dict[int, int], tmp_path: Path) -> str:
    """Open a link on the other machine, with tunnels from its ports to ours; return the last page's title."""
    async with asyncio.timeout(60), tunnels(ports, tmp_path) as pairs:
        process = await asyncio.create_subprocess_exec(
            *NAMESPACE,
            sys.executable,
            str(REMOTE_BROWSER),
            link,
            *pairs,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REMOTE_BROWSER.parent.parent)},
        )
        output, _ = await process.communicate()
    return output.decode().strip()


@asynccontextmanager
async def tunnels(ports: dict[int, int], tmp_path: Path) -> AsyncIterator[list[str]]:
    """Carry what comes out of a Unix socket to a port of ours, as the far end of `ssh -L` does."""
    pairs, servers = [], []
    for theirs, ours in ports.items():

        async def accept(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = ours
        ) -> None:
            await carry(reader, writer, *await asyncio.open_connection("127.0.0.1", port))

        path = str(tmp_path / f"tunnel-{theirs}")
        servers.append(await asyncio.start_unix_server(accept, path))
        pairs.append(f"{theirs}={path}")
    try:
        yield pairs
    finally:
        for server in servers:
            server.close()
