"""Real clients through the proxy: curl, git, kubectl's library, httpx, websockets, and clients of MCP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fastmcp
import httpx
import kubernetes.client
import pytest
from command_line import PATIENCE, CommandLine, program
from commands.forwarding_server import Echo, echo
from commands.people import keep, store
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from foreign.conftest import HERE, serving
from foreign.person import Person
from loopback_auth import mcp
from loopback_auth.events import silent

pytestmark = [pytest.mark.foreign, pytest.mark.slow]

NOW = time.time()
TOKEN = "access-token-of-one"


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line with a sign-in."""
    made = CommandLine(tmp_path)
    keep(made, "one", expires_at=NOW + 36000, obtained_at=NOW)
    return made


@pytest.fixture
def behind() -> Iterator[Echo]:
    """A server that is to get the token."""
    with echo() as server:
        yield server


@contextmanager
def proxy(command_line: CommandLine, *arguments: str) -> Iterator[str]:
    """Run a proxy; give its address."""
    with command_line.start("proxy", *arguments) as started:
        assert started.process.stdout is not None
        yield started.process.stdout.readline().strip()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets for Python there")
def test_curl_by_port_and_by_socket(command_line: CommandLine, behind: Echo, tmp_path: Path) -> None:
    """The lines of the help; a content of which curl asks first whether it is wanted."""
    curl = program("curl", purpose="the proxy")
    big = tmp_path / "big"
    big.write_bytes(b"x" * 2_000_000)
    with proxy(command_line, "one", "--to", behind.url) as url:
        asked = subprocess.run([curl, "-sS", f"{url}/user"], capture_output=True, timeout=PATIENCE)
        expects = ["-H", "Expect: 100-continue", "--data-binary", f"@{big}"]
        sent = subprocess.run([curl, "-sS", *expects, f"{url}/put"], capture_output=True, timeout=PATIENCE)
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    with proxy(command_line, "one", "--to", behind.url, "--unix", str(folder / "s")) as path:
        by_socket = subprocess.run(
            [curl, "-sS", "--unix-socket", path, "http://localhost/user"],
            capture_output=True,
            timeout=PATIENCE,
        )

    assert json.loads(asked.stdout)["path"] == json.loads(by_socket.stdout)["path"] == "/user"
    assert len(json.loads(sent.stdout)["content"]) == 2_000_000
    assert set(behind.tokens) == {TOKEN}


def test_git_clones_what_the_token_opens(command_line: CommandLine, tmp_path: Path) -> None:
    """Git asks for no password: the server gets the token, which is in no file of the clone."""
    git = program("git", purpose="the proxy")
    source, bare = tmp_path / "source", tmp_path / "served" / "repo.git"
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    run = partial(subprocess.run, check=True, capture_output=True, timeout=PATIENCE, env=environ)
    run([git, "init", "-q", str(source)])
    (source / "file").write_text("content")
    run([git, "-C", str(source), "add", "file"])
    author = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    run([git, "-C", str(source), *author, "commit", "-qm", "one"])
    run([git, "clone", "-q", "--bare", str(source), str(bare)])
    run([git, "-C", str(bare), "update-server-info"])
    with _files(bare.parent) as url, proxy(command_line, "one", "--to", url, "--read-only") as address:
        run([git, "clone", "-q", f"{address}/repo.git", str(tmp_path / "clone")])

    assert (tmp_path / "clone" / "file").read_text() == "content"
    config = (tmp_path / "clone" / ".git" / "config").read_text()
    assert TOKEN not in config


async def test_httpx_keeps_its_connections(command_line: CommandLine, behind: Echo) -> None:
    """As `base_url`, so that a program changes one line."""
    with proxy(command_line, "one", "--to", behind.url) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            answers = [await client.get("/a") for _ in range(3)]

    assert [(one.status_code, one.json()["path"]) for one in answers] == [(200, "/a")] * 3


async def test_a_websocket(command_line: CommandLine) -> None:
    """The client and the server of `websockets`, with their compression."""
    seen: list[str] = []

    async def answer(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.headers["Authorization"])
        async for message in connection:
            await connection.send(message)

    async with serve(answer, "127.0.0.1", 0, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        with proxy(command_line, "one", "--to", f"http://127.0.0.1:{port}") as url:
            address = url.replace("http:", "ws:") + "/chat"
            async with connect(address, proxy=None, max_size=None) as client:
                for message in ("a", "b" * 1_000_000):
                    await client.send(message)
                    assert await client.recv() == message

    assert seen == [f"Bearer {TOKEN}"]


def test_the_library_of_kubernetes(command_line: CommandLine) -> None:
    """As with `kubectl proxy`: its host is an address without credentials."""
    version = json.dumps({"major": "1", "minor": "30"} | dict.fromkeys(VERSION, "x"))
    with _answering(version) as url, proxy(command_line, "one", "--to", url) as address:
        api = kubernetes.client.ApiClient(kubernetes.client.Configuration(host=address))
        found = kubernetes.client.VersionApi(api).get_code()

    assert found.minor == "30"


VERSION = ("gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform")


@pytest.fixture(scope="module", params=["sdk", "fastmcp"])
def mcp_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """An MCP server that wants tokens."""
    with serving(sys.executable, HERE / "mcp_server.py", request.param, "0") as found:
        yield found["mcp"]


async def test_mcp_clients_that_know_no_oauth(mcp_server: str, tmp_path: Path) -> None:
    """The SDK's client and that of fastmcp by the address, and one that starts a command."""
    command_line = CommandLine(tmp_path)
    auth = mcp.sign_in(
        mcp_server, store=store(command_line), open_browser=Person().open, notify=silent, timeout=60
    )
    async with fastmcp.Client(mcp_server, auth=auth) as client:
        await client.list_tools()
    with proxy(command_line, mcp_server, "--to", mcp_server) as url:
        async with Client(streamable_http_client(url)) as sdk:
            first = await sdk.call_tool("add", {"a": 1, "b": 2})
        async with fastmcp.Client(StreamableHttpTransport(url)) as other:
            second = await other.call_tool("add", {"a": 3, "b": 4})
    arguments = ["-m", "loopback_auth", "proxy", mcp_server, "--to", mcp_server, "--stdio"]
    started = StdioTransport(sys.executable, arguments, env=command_line.environment({}))
    async with fastmcp.Client(started) as third:
        last = await third.call_tool("add", {"a": 5, "b": 6})

    assert first.structured_content == {"result": 3}
    assert second.structured_content == {"result": 7}
    assert last.structured_content == {"result": 11}


class _Guarded(SimpleHTTPRequestHandler):
    """Files for those who have the token."""

    def do_GET(self) -> None:
        """Serve a file."""
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            super().do_GET()
        else:
            self.send_error(401)

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


@contextmanager
def _files(folder: Path) -> Iterator[str]:
    with _served(partial(_Guarded, directory=str(folder))) as url:
        yield url


@contextmanager
def _answering(text: str) -> Iterator[str]:
    class Fixed(_Guarded):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers.get("Authorization") == f"Bearer {TOKEN}" else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

    with _served(Fixed) as url:
        yield url


@contextmanager
def _served(handler: type[_Guarded] | partial[_Guarded]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
