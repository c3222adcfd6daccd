"""The bridge from stdio to an MCP server behind HTTP: what a client hears, and what the server is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from dpop_samples import KEY, read_proof
from mcp_world import Tokens, bridged, event, modern, result, stream

from loopback_auth.clients.presentation import Presentation
from loopback_auth.errors import ConfigError
from loopback_auth.model import Network
from loopback_auth.protocol.dpop import DpopKey
from loopback_auth.protocol.dpop_answers import Prover
from loopback_auth.proxy.stdio import bridge


async def test_mcp_sending_messages_headers_of_a_session() -> None:
    """After `initialize` each request has the ID of the session and the version that was negotiated."""
    async with bridged() as (client, server, _):
        await client.begin()
        client.say({"id": 1, "method": "ping"})
        heard = await client.hear()

    assert heard == {"id": 1, "result": {"echo": None}}
    (first,), (ping,) = server.sent("initialize"), server.sent("ping")
    assert first["accept"] == "application/json, text/event-stream"
    assert first["authorization"] == ping["authorization"] == "Bearer token-1"
    assert "mcp-session-id" not in first
    assert "mcp-protocol-version" not in first
    assert (ping["mcp-session-id"], ping["mcp-protocol-version"]) == ("session-1", "2025-06-18")


async def test_mcp_session_management_ends_with_the_client() -> None:
    """A client that no longer needs the session SHOULD delete it; stdin ends, and so does the bridge."""
    async with bridged() as (client, server, running):
        await client.begin()
        client.say_bytes(b"")
        await running

    assert [one["mcp-session-id"] for one in server.sent("DELETE")] == ["session-1"]


async def test_session_is_ended_by_a_cancellation_too() -> None:
    """As by SIGTERM, with which clients end what does not end by itself."""
    async with bridged() as (client, server, running):
        await client.begin()
        client.say({"id": 1, "method": "ping"})
        await client.hear()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert len(server.sent("DELETE")) == 1


async def test_answers_that_are_under_way_are_written_before_the_end() -> None:
    """A client may write all it has and close its end, as a pipe does."""
    async with bridged() as (client, _, running):
        client.say({"id": 1, "method": "ping"})
        client.say_bytes(b"")
        await running

        assert (await client.hear())["id"] == 1


async def test_messages_wait_for_the_session_that_is_begun() -> None:
    """All at once from a pipe, as in a first try in a shell; none of them goes without the session."""
    async with bridged() as (client, server, running):
        client.say({"id": 0, "method": "initialize"}, {"method": "notifications/initialized"})
        client.say({"id": 1, "method": "ping"})
        client.say_bytes(b"")
        await running

        assert [(await client.hear())["id"] for _ in range(2)] == [0, 1]
    sent = [*server.sent("notifications/initialized"), *server.sent("ping")]
    assert [one.get("mcp-session-id") for one in sent] == ["session-1", "session-1"]


async def test_stream_of_messages_before_the_response() -> None:
    """What the server sends for a request comes in order, on one line each."""

    async def call(request: web.Request) -> web.StreamResponse:
        spread = b'data: {"jsonrpc":"2.0",\ndata: "id":1,"result":{"a":"b\\n"}}\n\n'
        return await stream(request, event({"jsonrpc": "2.0", "method": "notifications/progress"}), spread)

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.say({"id": 1, "method": "tools/call"})

        assert await client.hear() == {"method": "notifications/progress"}
        assert await client.hear() == {"id": 1, "result": {"a": "b\n"}}


async def test_requests_are_answered_as_they_are_ready() -> None:
    """A slow one holds up no other."""
    slow = asyncio.Event()

    async def call(request: web.Request) -> web.StreamResponse:
        await slow.wait()
        return web.json_response(result(1, "late"))

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.say({"id": 1, "method": "tools/call"}, {"id": "1", "method": "ping"})
        first = await client.hear()
        slow.set()

        assert first["id"] == "1"
        assert await client.hear() == {"id": 1, "result": "late"}


async def test_messages_of_the_server_come_by_get() -> None:
    """The client's answer to a request of the server is posted."""

    async def get(request: web.Request) -> web.StreamResponse:
        if "last-event-id" in request.headers:
            return web.Response(status=405)
        return await stream(request, event({"jsonrpc": "2.0", "id": "s", "method": "roots/list"}, id="e1"))

    async with bridged() as (client, server, running):
        server.handlers["GET"] = get
        await client.begin()
        assert await client.hear() == {"id": "s", "method": "roots/list"}
        client.say({"id": "s", "result": {"roots": []}})
        client.say_bytes(b"")
        await running

    assert server.sent("GET")[0]["accept"] == "text/event-stream"
    assert [message for name, _, message in server.requests if name == "response"] == [
        result("s", {"roots": []})
    ]


async def test_mcp_resumability_by_get_after_the_time_that_the_server_names() -> None:
    """The response of a stream that was cut off comes by a GET with the last event's ID."""

    async def call(request: web.Request) -> web.StreamResponse:
        return await stream(request, b"id: e1\nretry: 10\ndata:\n\n")

    async def get(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Last-Event-ID") == "e1":
            return await stream(request, event({"jsonrpc": "2.0", "method": "notifications/x"}, id="e2"))
        return await stream(request, event(result(1, "resumed")))

    async with bridged() as (client, server, _):
        server.handlers |= {"tools/call": call, "GET": get}
        client.say({"id": 1, "method": "tools/call"})

        assert await client.hear() == {"method": "notifications/x"}
        assert await client.hear() == {"id": 1, "result": "resumed"}
    assert [one["last-event-id"] for one in server.sent("GET")] == ["e1", "e2"]


async def test_stream_without_a_response_fails_its_request() -> None:
    """A client would wait for ever."""

    async def call(request: web.Request) -> web.StreamResponse:
        return await stream(request, event(result(2, "of another")))

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.say({"id": 1, "method": "tools/call"})
        heard = await client.hear()

    assert (heard["id"], heard["error"]["code"]) == (1, -32000)


async def test_mcp_session_management_404_begins_a_new_session() -> None:
    """Once for all requests that meet it, with the client's own `initialize`; the client need not know."""

    async def ping(request: web.Request) -> web.StreamResponse:
        if request.headers["Mcp-Session-Id"] == "session-1":
            return web.Response(status=404)
        return web.json_response(result((await request.json())["id"], "new"))

    async with bridged() as (client, server, _):
        await client.begin()
        server.handlers["ping"] = ping
        client.say(*({"id": number, "method": "ping"} for number in range(1, 6)))
        heard = [await client.hear() for _ in range(5)]

    assert sorted(one["id"] for one in heard) == [1, 2, 3, 4, 5]
    assert {one["result"] for one in heard} == {"new"}
    assert (len(server.sent("initialize")), len(server.sent("notifications/initialized"))) == (2, 2)
    assert "mcp-session-id" not in server.sent("initialize")[1]


async def test_refused_token_is_renewed_once_for_all() -> None:
    """Five requests meet 401, and one renewal serves them."""
    tokens = Tokens()

    async def ping(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] == "Bearer token-1":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return web.json_response(result((await request.json())["id"], "good"))

    async with bridged(tokens) as (client, server, _):
        server.handlers["ping"] = ping
        client.say(*({"id": number, "method": "ping"} for number in range(5)))
        heard = [await client.hear() for _ in range(5)]

    assert {one["result"] for one in heard} == {"good"}
    assert tokens.refused == ["token-1"]


@pytest.mark.parametrize(
    ("status", "challenge", "error"),
    [
        (401, 'Bearer error="invalid_token"', "SignInRequired"),
        (403, 'Bearer error="insufficient_scope", scope="write"', "SignInRequired"),
        (403, "", "TransportError"),
        (500, "", "TransportError"),
        (302, "", "TransportError"),
    ],
)
async def test_refusal_answers_the_request(status: int, challenge: str, error: str) -> None:
    """With what is missing, in the answer and on stderr, and without the token."""

    async def ping(request: web.Request) -> web.StreamResponse:
        headers = {"WWW-Authenticate": challenge, "Location": "https://elsewhere.example/?code=secret"}
        return web.Response(status=status, headers=headers)

    async with bridged() as (client, server, _):
        server.handlers["ping"] = ping
        client.say({"id": 1, "method": "ping"})
        heard = await client.hear()

    assert (heard["id"], heard["error"]["data"]["error"]) == (1, error)
    assert client.told == [heard["error"]["message"]]
    assert ("login" in client.told[0] and "--scope write" in client.told[0]) == ("scope" in challenge)
    assert not {"token-1", "token-2", "secret"} & set(json.dumps(heard).replace("=", " ").split())


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (202, "application/json", b""),
        (200, "text/html", b"<p>Hello"),
        (200, "application/json", b"not json"),
        (200, "application/json", b"[]"),
        (404, "application/json", b'{"error":"not found"}'),
        (200, "text/event-stream", b"data: not json\n\n"),
        (200, "text/event-stream", b""),
    ],
)
async def test_answer_that_is_none_fails_the_request(status: int, kind: str, body: bytes) -> None:
    """Whatever is behind the address; the client does not wait for ever."""

    async def ping(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, content_type=kind)

    async with bridged() as (client, server, _):
        server.handlers["ping"] = ping
        client.say({"id": 1, "method": "ping"})
        heard = await client.hear()

    assert (heard["id"], heard["error"]["data"]["error"]) == (1, "TransportError")


async def test_error_of_the_server_is_passed_on() -> None:
    """MCP 2026-07-28: an unknown method is 404, with a JSON-RPC error; its id may be null."""
    error = {"code": -32601, "message": "Method not found"}

    async def ping(_: web.Request) -> web.StreamResponse:
        return web.json_response({"jsonrpc": "2.0", "id": None, "error": error}, status=404)

    async with bridged() as (client, server, _):
        server.handlers["ping"] = ping
        client.say(modern("ping", 1))

        assert await client.hear() == {"id": 1, "error": error}


async def test_rfc9449_7_1_bound_token_has_a_proof_in_each_request() -> None:
    """A new one for the nonce that the server wants (§9), and for every message."""
    prover = Prover(DpopKey(KEY))

    class Bound(Tokens):
        async def presentation(
            self, *, refused: str | None = None, challenge: str | None = None
        ) -> Presentation:
            return Presentation("bound", prover)

    async def ping(request: web.Request) -> web.StreamResponse:
        if read_proof(request.headers["DPoP"]).claims.get("nonce") != "n1":
            headers = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": "n1"}
            return web.Response(status=401, headers=headers)
        return web.json_response(result((await request.json())["id"], "good"))

    async with bridged(Bound()) as (client, server, _):
        server.handlers["ping"] = ping
        for number in (1, 2):
            client.say({"id": number, "method": "ping"})
            assert (await client.hear())["result"] == "good"

    proofs = [read_proof(each["dpop"]).claims for each in server.sent("ping")]
    assert {each["authorization"] for each in server.sent("ping")} == {"DPoP bound"}
    assert [each.get("nonce") for each in proofs] == [None, "n1", "n1"]
    assert {each["htu"] for each in proofs} == {f"{server.url}/mcp"}
    assert len({each["jti"] for each in proofs}) == 3


async def test_server_that_hangs_does_not_hold_up_the_end() -> None:
    """Clients end a server two seconds after they have closed its stdin (MCP, stdio, "Shutdown")."""

    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with bridged() as (client, server, running):
        await client.begin()
        server.handlers |= {"tools/call": hang, "DELETE": hang}
        client.say({"id": 1, "method": "tools/call"})
        client.say_bytes(b"")
        begun = asyncio.get_running_loop().time()
        await running

        assert asyncio.get_running_loop().time() - begun < 10


async def test_redirect_is_followed_on_the_same_server_alone() -> None:
    """Servers redirect to the same address with a slash at its end; no other server gets the token."""
    async with bridged() as (client, server, _), bridged() as (_, other, _):

        async def ping(request: web.Request) -> web.StreamResponse:
            if request.path == "/mcp":
                return web.Response(status=307, headers={"Location": "/mcp/"})
            target = other.url if (await request.json())["id"] == 2 else "/mcp/"
            if (await request.json())["id"] == 2:
                return web.Response(status=307, headers={"Location": target})
            return web.json_response(result(1, request.path))

        server.handlers["ping"] = ping
        client.say({"id": 1, "method": "ping"})
        first = await client.hear()
        client.say({"id": 2, "method": "ping"})
        second = await client.hear()

    assert first == {"id": 1, "result": "/mcp/"}
    assert second["error"]["data"]["error"] == "TransportError"
    assert other.requests == []


async def test_not_signed_in_answers_until_the_person_has() -> None:
    """The bridge stays: a sign-in in another window helps at once."""
    tokens = Tokens(signed_in=False)
    async with bridged(tokens) as (client, server, _):
        client.say({"id": 1, "method": "initialize"})
        refused = await client.hear()
        tokens.signed_in = True
        client.say({"id": 2, "method": "ping"})

        assert refused["error"]["data"]["error"] == "SignInRequired"
        assert (await client.hear())["id"] == 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("line", "code", "id"),
    [
        (b"not json\n", -32700, None),
        (b"\xff\xfe\n", -32700, None),
        (b"[" * 100_000 + b"\n", -32700, None),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}\n', -32700, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n', -32600, None),
        (b'"text"\n', -32600, None),
        (b'{"id":1,"method":"ping"}\n', -32600, 1),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}\n', -32600, None),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}\n', -32600, None),
        (b'{"jsonrpc":"2.0","id":"x"}\n', -32600, "x"),
        (b"x" * (32 * 1024 * 1024 + 1) + b"\n", -32600, None),
    ],
)
async def test_jsonrpc_5_1_what_is_no_message_is_answered(line: bytes, code: int, id: object) -> None:
    """And the next message is read as ever."""
    async with bridged() as (client, server, _):
        client.say_bytes(b"\r\n \n" + line[:2])
        client.say_bytes(line[2:])
        client.say({"id": 7, "method": "ping"})
        first, second = await client.hear(), await client.hear()

    assert (first["error"]["code"], first["id"]) == (code, id)
    assert second["id"] == 7
    assert len(server.requests) == 1


async def test_big_messages_pass_both_ways() -> None:
    """Ten megabytes, as one JSON document and as one event."""
    text = "x" * 10_000_000

    async def call(request: web.Request) -> web.StreamResponse:
        return await stream(request, event(result(2, (await request.json())["params"])))

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.say({"id": 1, "method": "ping", "params": {"text": text}})
        first = await client.hear()
        client.say({"id": 2, "method": "tools/call", "params": {"text": text}})

        assert first["result"]["echo"]["text"] == text
        assert (await client.hear())["result"]["text"] == text


async def test_cancellation_of_a_session_is_posted() -> None:
    """MCP 2025-11-25, Transports: to cancel, the client SHOULD send a notification; no answer follows."""

    async def call(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with bridged() as (client, server, running):
        await client.begin()
        server.handlers["tools/call"] = call
        client.say({"id": 1, "method": "tools/call"})
        client.say({"method": "notifications/cancelled", "params": {"requestId": 1}})
        client.say_bytes(b"")
        await running

        assert len(server.sent("notifications/cancelled")) == 1
        assert not client.has_heard_more


async def test_mcp_2026_cancellation_closes_the_connection() -> None:
    """Streamable HTTP has no notification for it since then; closing the stream is the cancellation."""
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def call(request: web.Request) -> web.StreamResponse:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        raise AssertionError

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.say(modern("tools/call", 1, name="slow"))
        await begun.wait()
        client.say({"method": "notifications/cancelled", "params": {"requestId": 1}})
        await given_up.wait()

        assert server.sent("notifications/cancelled") == []
        assert not client.has_heard_more


async def test_mcp_2026_request_metadata_is_mirrored() -> None:
    """Method, name and version, and the parameters that the list of tools has marked."""
    schema = {
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
            "left": {"type": "boolean", "x-mcp-header": "Left-Out"},
        }
    }
    wrong = {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}
    tools = [{"name": "w", "inputSchema": schema}, {"name": "bad", "inputSchema": wrong}]

    async def listed(request: web.Request) -> web.StreamResponse:
        return web.json_response(result(1, {"tools": tools}))

    async with bridged() as (client, server, _):
        server.handlers["tools/list"] = listed
        client.say(modern("tools/list", 1))
        heard = await client.hear()
        client.say(modern("tools/call", 2, name="w", arguments={"region": "Zürich", "deep": {"n": -7}}))
        await client.hear()

    assert [tool["name"] for tool in heard["result"]["tools"]] == ["w"]
    (sent,) = server.sent("tools/call")
    assert {name: value for name, value in sent.items() if name.startswith("mcp-")} == {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "w",
        "mcp-param-region": "=?base64?WsO8cmljaA==?=",
        "mcp-param-n": "-7",
    }


async def test_client_that_does_not_read_stops_the_reading_from_the_server() -> None:
    """What it has not taken is not held here without a bound."""
    sent = 0
    stuck = asyncio.Event()

    async def call(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        noise = event({"jsonrpc": "2.0", "method": "notifications/x", "params": {"text": "x" * 500_000}})
        for _ in range(200):
            try:
                async with asyncio.timeout(0.3):
                    await response.write(noise)
            except TimeoutError:
                stuck.set()
                break
            sent += 1
        return response

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.reads.clear()
        client.say({"id": 1, "method": "tools/call"})
        await stuck.wait()

    assert sent < 100


async def test_more_requests_than_can_be_held_are_refused() -> None:
    """A server that hangs must not fill the memory; other messages are still read."""

    async def call(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.say(*({"id": number, "method": "tools/call"} for number in range(257)))
        heard = await client.hear()

    assert (heard["id"], heard["error"]["code"]) == (256, -32000)


async def test_server_that_cannot_be_reached_answers_the_request() -> None:
    """The bridge stays: it may come back."""

    async def call(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with bridged() as (client, server, _):
        server.handlers["tools/call"] = call
        client.say({"id": 1, "method": "tools/call"})
        failed = await client.hear()
        client.say({"id": 2, "method": "ping"})

        assert failed["error"]["data"]["error"] == "TransportError"
        assert (await client.hear())["id"] == 2


async def gone(_: bytes) -> None:
    """Write to a client that has ended."""
    raise BrokenPipeError


async def test_client_that_is_gone_ends_the_bridge() -> None:
    """Its end of stdout is closed."""
    async with bridged() as (_, server, _):
        pass
    with pytest.raises(BrokenPipeError):
        async with asyncio.timeout(10):
            await bridge(
                Tokens(), server.url, network=Network(), read=reading(b"garbage\n"), write=gone, tell=print
            )


def reading(*pieces: bytes) -> Callable[[], Awaitable[bytes]]:
    """Return what reads these pieces, and then waits."""
    waiting = list(pieces)

    async def read() -> bytes:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        return b""

    return read


async def test_token_is_not_sent_without_encryption() -> None:
    """RFC 6750 §5.3: over TLS, or on this machine."""
    with pytest.raises(ConfigError):
        await bridge(
            Tokens(), "http://mcp.example/mcp", network=Network(), read=reading(), write=gone, tell=print
        )
