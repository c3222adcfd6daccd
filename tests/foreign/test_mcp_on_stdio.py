"""Clients that know no OAuth start `proxy --stdio` as their server: the MCP SDK's and fastmcp's."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import fastmcp
import httpx2
import pytest
from command_line import CommandLine
from fastmcp.client.transports import StdioTransport
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from foreign.conftest import HERE, serving
from foreign.person import Person
from loopback_auth import FileTokenStore, mcp
from loopback_auth.events import silent

pytestmark = [pytest.mark.foreign, pytest.mark.slow]


@pytest.fixture(scope="module", params=["sdk", "fastmcp"])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve; give the URL of the MCP server."""
    with serving(sys.executable, HERE / "mcp_server.py", request.param) as found:
        yield found["mcp"]


def counts(url: str) -> dict[str, int]:
    """Return how often each path of a server was asked so far."""
    found: dict[str, int] = httpx2.get(url.replace("/mcp", "/counts")).json()
    return found


def kept_in(command_line: CommandLine) -> str:
    """Return the folder of the sign-ins."""
    return command_line.environment({})["LOOPBACK_AUTH_DATA_DIR"]


def signed_in(command_line: CommandLine, url: str) -> None:
    """Sign in, as `login URL` does."""
    auth = mcp.sign_in(
        url,
        store=FileTokenStore(kept_in(command_line)),
        open_browser=Person().open,
        notify=silent,
        timeout=30,
    )
    auth.source.token_sync()


def age(command_line: CommandLine) -> None:
    """Let the tokens expire."""
    for file in Path(kept_in(command_line), "sign-ins").glob("*.json"):
        members = json.loads(file.read_text())
        for name in ("obtained_at", "expires_at"):
            members["tokens"][name] -= 10_000
        file.write_text(json.dumps(members))


def line(command_line: CommandLine, url: str) -> StdioServerParameters:
    """Return the entry of a client's configuration."""
    arguments = ["-m", "loopback_auth", "proxy", url, "--stdio"]
    return StdioServerParameters(
        command=sys.executable, args=arguments, env=command_line.environment(dict(os.environ))
    )


async def test_sdk_client_calls_a_tool(command_line: CommandLine, server: str) -> None:
    """With whatever version of the protocol it has agreed on with the server behind."""
    signed_in(command_line, server)
    async with Client(stdio_client(line(command_line, server))) as client:
        tools = await client.list_tools()
        result = await client.call_tool("add", {"a": 1, "b": 2})

    assert [tool.name for tool in tools.tools] == ["add"]
    assert result.structured_content == {"result": 3}


async def test_fastmcp_client_calls_a_tool(command_line: CommandLine, server: str) -> None:
    """It opens a session, as clients did before 2026-07-28."""
    signed_in(command_line, server)
    entry = line(command_line, server)
    transport = StdioTransport(entry.command, entry.args, env=entry.env, keep_alive=False)
    async with fastmcp.Client(transport) as client:
        result = await client.call_tool("add", {"a": 3, "b": 4})

    assert result.structured_content == {"result": 7}


async def test_token_that_has_expired_is_renewed(command_line: CommandLine, server: str) -> None:
    """Before the first message; the person is asked nothing."""
    signed_in(command_line, server)
    before = counts(server)
    age(command_line)
    async with Client(stdio_client(line(command_line, server))) as client:
        result = await client.call_tool("add", {"a": 1, "b": 2})
    after = counts(server)

    assert result.structured_content == {"result": 3}
    assert after["POST /token"] == before["POST /token"] + 1
    assert after["GET /authorize"] == before["GET /authorize"]


async def test_client_is_told_to_sign_in(command_line: CommandLine, server: str) -> None:
    """It shows no stderr, so the answer to its first message says what to type."""
    with pytest.raises(ExceptionGroup) as caught:
        async with Client(stdio_client(line(command_line, server))):
            pass

    assert caught.group_contains(MCPError, match="login")
