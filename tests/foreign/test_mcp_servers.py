"""Real clients at real MCP servers: the MCP SDK and fastmcp, each with its own authorization server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import fastmcp
import httpx2
import pytest
import trio
from command_line import CommandLine
from fastmcp.client.transports import StreamableHttpTransport
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from foreign.conftest import HERE, serving
from foreign.person import Person
from loopback_auth import FileTokenStore, mcp
from loopback_auth.events import silent
from loopback_auth.mcp import ResourceAuth

pytestmark = [pytest.mark.foreign, pytest.mark.slow]

PROGRAMS = 20


def server_of(kind: str, port: int = 0) -> AbstractContextManager[dict[str, str]]:
    """Run a server of the SDK or of fastmcp, which forgets everything when it ends."""
    return serving(sys.executable, HERE / "mcp_server.py", kind, str(port))


@pytest.fixture(scope="module", params=["sdk", "fastmcp"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve; give the URL of the MCP server."""
    with server_of(request.param) as found:
        yield found["mcp"]


def counts(url: str) -> dict[str, int]:
    """Return how often each path of a server was asked so far."""
    found: dict[str, int] = httpx2.get(url.replace("/mcp", "/counts")).json()
    return found


def auth_for(url: str, folder: Path, **options: Any) -> ResourceAuth:
    """Return what signs in."""
    return mcp.sign_in(
        url, store=FileTokenStore(folder), open_browser=Person().open, notify=silent, timeout=60, **options
    )


@asynccontextmanager
async def sdk_client(url: str, auth: ResourceAuth) -> AsyncIterator[Client]:
    """Open a session of the SDK's client."""
    async with (
        httpx2.AsyncClient(auth=auth) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


async def test_sdk_client_signs_in_and_others_share_that(server: str, tmp_path: Path) -> None:
    """One registration and one question, for the SDK's client and for that of fastmcp."""
    before = counts(server)
    async with sdk_client(server, auth_for(server, tmp_path)) as client:
        result = await client.call_tool("add", {"a": 1, "b": 2})
    quiet = mcp.sign_in(server, store=FileTokenStore(tmp_path), interactive=False)
    async with fastmcp.Client(server, auth=quiet) as other:
        again = await other.call_tool("add", {"a": 3, "b": 4})

    assert (result.structured_content, again.structured_content) == ({"result": 3}, {"result": 7})
    assert [counts(server)[each] - before.get(each, 0) for each in ("POST /register", "GET /authorize")] == [
        1,
        1,
    ]


async def test_fastmcp_client_signs_in(server: str, tmp_path: Path) -> None:
    """In place of its own `auth="oauth"`."""
    async with fastmcp.Client(server, auth=auth_for(server, tmp_path)) as client:
        result = await client.call_tool("add", {"a": 1, "b": 2})

    assert result.structured_content == {"result": 3}


async def test_a_client_without_oauth_gets_headers_from_the_command(server: str, tmp_path: Path) -> None:
    """As Claude Code runs its `headersHelper`: a shell, the server's URL in a variable, JSON on stdout."""
    command_line = CommandLine(tmp_path)
    async with sdk_client(server, auth_for(server, tmp_path / "kept")) as client:
        await client.list_tools()
    ended = command_line.run("token", "--as", "mcp", CLAUDE_CODE_MCP_SERVER_URL=server)
    other = command_line.run("token", "--as", "mcp", CLAUDE_CODE_MCP_SERVER_URL="https://other.example/mcp")
    transport = StreamableHttpTransport(server, headers=json.loads(ended.stdout))
    async with fastmcp.Client(transport) as plain:
        result = await plain.call_tool("add", {"a": 1, "b": 2})

    assert result.structured_content == {"result": 3}
    assert (other.status, other.stdout) == (9, "")


async def test_proxy_of_fastmcp_hands_the_sign_in_on(tmp_path: Path) -> None:
    """Its consent page, and the pages of another server, come before the redirect to this program."""
    with server_of("proxy") as found:
        auth = auth_for(found["mcp"], tmp_path)
        async with fastmcp.Client(found["mcp"], auth=auth) as client:
            result = await client.call_tool("add", {"a": 1, "b": 2})
        old = await auth.source.token()
        new = await auth.source.token(refused=old)
        async with sdk_client(found["mcp"], auth) as other:
            await other.list_tools()
        asked = counts(found["mcp"])

    assert result.structured_content == {"result": 3}
    assert new != old
    assert (asked["POST /register"], asked["GET /authorize"], asked["POST /consent"]) == (1, 1, 1)


async def test_token_is_renewed_with_the_secret_of_the_registration(server: str, tmp_path: Path) -> None:
    """These servers give a secret to every client that registers itself, and want it at each renewal."""
    auth = auth_for(server, tmp_path)
    async with sdk_client(server, auth) as client:
        await client.list_tools()
    before, old = counts(server), await auth.source.token()
    new = await auth.source.token(refused=old)
    async with sdk_client(server, auth) as client:
        await client.list_tools()

    assert new != old
    assert counts(server).get("GET /authorize") == before["GET /authorize"]


async def test_signing_out_revokes(server: str, tmp_path: Path) -> None:
    """The server refuses the token afterwards."""
    auth = auth_for(server, tmp_path)
    async with sdk_client(server, auth) as client:
        await client.list_tools()
    token = await auth.source.token()

    assert await auth.source.logout() is True
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
        assert (await http.post(server, json=message)).status_code == 401


def test_scope_of_the_program_is_asked_for(server: str, tmp_path: Path) -> None:
    """In place of the one that the server names."""
    auth = auth_for(server, tmp_path, scope="read write")
    with httpx2.Client(auth=auth) as client:
        client.post(server, json={"jsonrpc": "2.0", "id": 1, "method": "ping"})

    assert set(auth.source.sign_in_sync().scope.split()) == {"read", "write"}


def test_under_trio(server: str, tmp_path: Path) -> None:
    """The SDK runs under trio as well; a thread signs in then."""

    async def main() -> object:
        async with sdk_client(server, auth_for(server, tmp_path)) as client:
            return (await client.call_tool("add", {"a": 1, "b": 2})).structured_content

    assert trio.run(main) == {"result": 3}


@pytest.mark.parametrize("kind", ["sdk", "fastmcp"])
async def test_server_that_has_forgotten_everything_is_signed_in_to_again(kind: str, tmp_path: Path) -> None:
    """Registration, refresh token and access token are all unknown to it; the user is asked once."""
    with server_of(kind) as found:
        url = found["mcp"]
        async with sdk_client(url, auth_for(url, tmp_path)) as client:
            await client.list_tools()
    with server_of(kind, int(found["origin"].rpartition(":")[2])):
        async with sdk_client(url, auth_for(url, tmp_path)) as client:
            result = await client.call_tool("add", {"a": 1, "b": 2})
        asked = counts(url)

    assert result.structured_content == {"result": 3}
    assert (asked["POST /register"], asked["GET /authorize"]) == (1, 1)


@pytest.mark.timeout(240)
def test_twenty_programs_register_once_and_open_one_tab(tmp_path: Path) -> None:
    """They begin at the same time, as the programs of an editor do when it starts."""
    with server_of("sdk") as found, ThreadPoolExecutor(PROGRAMS) as pool:
        program = [sys.executable, str(HERE / "one_of_many.py"), found["mcp"], str(tmp_path)]

        def run(_: int) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                program, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(HERE.parent)}
            )

        done = list(pool.map(run, range(PROGRAMS)))
        asked = counts(found["mcp"])

    assert [(each.returncode, each.stderr[-500:]) for each in done] == [(0, "")] * PROGRAMS
    assert (tmp_path / "tabs").read_text().splitlines() == ["one"]
    assert (asked["POST /register"], asked["GET /authorize"], asked["POST /token"]) == (1, 1, 1)
