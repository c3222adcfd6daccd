"""The client that MCP's conformance suite judges: the MCP SDK, `loopback_auth.mcp` and a scripted person.

The suite runs it once for each scenario, as `python mcp_client.py URL`, with the name of the scenario and
what was registered beforehand in environment variables.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile

import httpx2
from mcp import Client
from mcp.client import session
from mcp.client.streamable_http import streamable_http_client

from foreign.person import Person
from loopback_auth import ClientMetadata, FileTokenStore, Program, mcp
from loopback_auth.events import silent
from loopback_auth.mcp import ResourceAuth

session.DISCOVER_TIMEOUT_SECONDS = 90.0  # The SDK gives its first message ten seconds, the sign-in included.

DOCUMENT = "https://conformance-test.local/client-metadata.json"
"""The client ID that the suite expects where a server takes one of this kind."""


def auth_for(url: str, folder: str) -> ResourceAuth:
    """Return what signs in."""
    given = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    hosted = "" if given.get("client_id") else DOCUMENT
    return mcp.sign_in(
        url,
        client_id=given.get("client_id", ""),
        client_secret=given.get("client_secret"),
        client_metadata=ClientMetadata(url=hosted) if hosted else None,
        program=Program("conformance"),
        store=FileTokenStore(folder),
        open_browser=Person().open,
        notify=silent,
        timeout=60,
    )


async def main(url: str) -> None:
    """Begin a session, list the tools, and call the first one."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            httpx2.AsyncClient(auth=auth_for(url, folder), timeout=60) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            tools = await client.list_tools()
            for tool in tools.tools[:1]:
                await client.call_tool(tool.name, {})


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
