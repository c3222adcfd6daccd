"""The proxy on real sockets: what reaches the server, what comes back, and with which token."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest
from forward_world import (
    REFUSED,
    SOON,
    Tokens,
    answer,
    answering,
    client,
    content_of,
    head_of,
    proxied,
)

from loopback_auth.errors import SignInRequired
from loopback_auth.proxy.request_body import KEPT

OK = answer("200 OK", "Content-Type: text/plain", body=b"fine")


async def test_the_server_gets_the_token_in_place_of_the_clients() -> None:
    """RFC 6750 §2.1; a client's own token must not be sent beside it."""
    async with proxied(answering(OK), path="/v1") as world, client() as session:
        own = {"Authorization": "Bearer theirs", "Accept-Encoding": "br", "Cookie": "a=b"}
        async with session.get(f"{world.url}/things?x=%20", headers=own) as response:
            assert (response.status, await response.read()) == (200, b"fine")
        (head,) = world.heads

        assert head.line == "GET /v1/things?x=%20 HTTP/1.1"
        assert head.values("Authorization") == ["Bearer canary-0"]
        assert head.values("Accept-Encoding") == ["br"]
        assert head.values("Cookie") == ["a=b"]
        assert head.values("Via") == ["1.1 us-1"]
        assert head.values("Host")[0].startswith("127.0.0.1:")


async def test_nothing_is_added_to_a_request_or_an_answer() -> None:
    """A type or a name that the sender has not stated is a statement of ours."""
    async with proxied(answering(answer(body=b"x"))) as world:
        received = await world.raw(world.request())

    assert {name for name, _ in world.heads[0].fields} == {"Host", "Via", "Authorization"}
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Type:" not in received
    assert b"\r\nServer:" not in received
    assert b"\r\nDate:" in received  # RFC 9110 §6.6.1: a recipient with a clock MUST append it.


async def test_a_refused_token_is_renewed_and_the_request_sent_again() -> None:
    """RFC 6750 §3.1: with another token it may succeed; its content is the same."""
    async with proxied(answering(REFUSED, OK)) as world, client() as session:
        async with session.post(f"{world.url}/a", data=b"content") as response:
            assert response.status == 200
        first, second = world.heads

        assert world.tokens.renewals == 1
        assert first.values("Authorization") != second.values("Authorization") == ["Bearer canary-1"]
        assert first.values("Content-Length") == second.values("Content-Length") == ["7"]


async def test_a_refusal_before_all_content_is_there_costs_none_of_it() -> None:
    """The server answers at the head; what is still to come goes with the second try."""
    contents: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader, writer)
        if head.values("Authorization") == ["Bearer canary-0"]:
            await reader.readexactly(10)
            writer.write(REFUSED)
            return
        contents.append(await content_of(head, reader))
        writer.write(OK)

    told = asyncio.Event()
    sent = [b"0123456789", b"x" * 1000, b"y" * (2 * KEPT)]

    async def content() -> object:
        yield sent[0]
        await told.wait()
        yield sent[1]
        yield sent[2]

    async with proxied(serve) as world, client() as session:
        asking = asyncio.ensure_future(session.post(f"{world.url}/a", data=content()))
        async with asyncio.timeout(SOON):
            await world.tokens.renewed.wait()
            told.set()
            async with await asking as response:
                assert response.status == 200

    assert contents == [b"".join(sent)]


async def test_content_that_is_not_kept_is_not_sent_twice() -> None:
    """Memory is bounded; the answer is the server's, and the next request has the new token."""
    async with proxied(answering(REFUSED, OK)) as world, client() as session:
        async with session.post(f"{world.url}/a", data=b"x" * (KEPT + 1)) as response:
            assert (response.status, await response.read()) == (401, b"no")
        async with session.get(f"{world.url}/a") as response:
            assert response.status == 200

        assert world.heads[1].values("Authorization") == ["Bearer canary-1"]


async def test_a_server_that_always_refuses_is_not_asked_for_ever() -> None:
    """Its answer is for the client, with its challenge (RFC 9110 §11.6.1)."""
    async with proxied(answering(REFUSED), tokens=Tokens(most=1)) as world, client() as session:
        for requests in (2, 3):
            async with session.get(f"{world.url}/a") as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert len(world.heads) == requests

        assert world.told


async def test_a_challenge_of_another_scheme_is_not_about_the_token() -> None:
    """A renewal would not help, and would be one at every request."""
    basic = answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')
    async with proxied(answering(basic)) as world, client() as session:
        async with session.get(f"{world.url}/a") as response:
            assert response.status == 401

        assert world.tokens.renewals == 0


async def test_a_scope_that_is_missing_is_told_to_the_person() -> None:
    """RFC 6750 §3.1: only the person can give more; the answer passes to the client."""
    more = answer("403 Forbidden", 'WWW-Authenticate: Bearer error="insufficient_scope", scope="write"')
    async with proxied(answering(more)) as world, client() as session:
        async with session.get(f"{world.url}/a") as response:
            assert response.status == 403

        assert world.tokens.renewals == 0
        assert "write" in world.told[0]


async def test_without_a_usable_token_the_client_is_told_and_the_server_not_asked() -> None:
    """The sign-in was removed while the proxy runs; it goes on when there is one again."""
    missing = SignInRequired("You are not signed in.", hint="Sign in.")
    async with proxied(answering(OK), tokens=Tokens(missing)) as world, client() as session:
        async with session.get(f"{world.url}/a") as response:
            assert (response.status, await response.text()) == (503, "You are not signed in.\nSign in.\n")
            assert response.headers["Proxy-Status"].startswith("loopback_auth; error=")
        assert world.heads == []
        world.tokens.failure = None
        async with session.get(f"{world.url}/a") as response:
            assert response.status == 200


@pytest.mark.parametrize("place", ["https://evil.example/a", "//evil.example/a"])
async def test_a_redirect_to_elsewhere_is_for_the_client(place: str) -> None:
    """The proxy follows none: the token would go to the other host."""
    moved = answer("302 Found", f"Location: {place}")
    async with proxied(answering(moved)) as world, client() as session:
        async with session.get(f"{world.url}/a", allow_redirects=False) as response:
            assert response.status == 302
            assert response.headers["Location"].endswith("//evil.example/a")

        assert len(world.heads) == 1


async def test_a_redirect_below_the_base_leads_through_the_proxy() -> None:
    """RFC 9110 §10.2.2: as the client knows the address."""
    moved = answer("302 Found", "Location: /v1/b")
    async with proxied(answering(moved, OK), path="/v1") as world, client() as session:
        response = await session.get(f"{world.url}/a")
        await response.read()

        assert (response.status, response.url.path) == (200, "/key/b")


async def test_an_answer_that_echoes_the_token_in_a_header_loses_it() -> None:
    """The client is not to have the token."""
    echo = answer("200 OK", "X-Got: Bearer canary-0", "X-Kept: 1")
    async with proxied(answering(echo)) as world, client() as session:
        async with session.get(f"{world.url}/a") as response:
            assert "X-Got" not in response.headers
            assert response.headers["X-Kept"] == "1"

        assert world.told
        assert "canary" not in "".join(world.told)


async def test_an_answer_that_echoes_the_token_in_its_reason_loses_it() -> None:
    """RFC 9112 §4: a client SHOULD ignore the phrase, so nothing is lost with it."""
    async with proxied(answering(answer("400 Bad canary-0"), answer("400 Bad day"))) as world:
        first, second = await world.raw(world.request()), await world.raw(world.request())

    assert first.startswith(b"HTTP/1.1 400 \r\n")
    assert b"canary" not in first
    assert second.startswith(b"HTTP/1.1 400 Bad day\r\n")


async def test_the_server_does_not_learn_the_secret_of_the_address() -> None:
    """RFC 9110 §17.9; a crawler sends where it was, and WebDAV (RFC 4918 §10.3) where to."""
    async with proxied(answering(OK), path="/v1") as world:
        own = (f"Referer: {world.url}/a?b", f"Destination: {world.url}/c", f"X-Base: {world.url}")
        await world.raw(world.request("GET /key/a HTTP/1.1", *own, "X-Original: /key/a", "Cookie: a=b"))
        (head,) = world.heads
        server = f"http://{head.values('Host')[0]}/v1"

    assert head.values("Referer") == [f"{server}/a?b"]
    assert head.values("Destination") == [f"{server}/c"]
    assert head.values("X-Base") == [server]
    assert head.values("X-Original") == []
    assert head.values("Cookie") == ["a=b"]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_rfc9110_6_4_1_answers_without_content_have_none(status: str) -> None:
    """The next answer on the connection begins right behind the head."""
    empty = f'HTTP/1.1 {status}\r\nETag: "1"\r\n\r\n'.encode()
    async with proxied(answering(empty)) as world:
        received = await world.raw(world.request())

    assert received.startswith(f"HTTP/1.1 {status}\r\n".encode())
    assert received.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in received
    assert b"Transfer-Encoding" not in received


async def test_rfc9110_9_3_2_head_has_the_length_and_no_content() -> None:
    """The length of a GET is what clients ask with HEAD for."""
    length = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with proxied(answering(length)) as world:
        received = await world.raw(world.request("HEAD /key/a HTTP/1.1"))

    assert b"\r\nContent-Length: 1000000000\r\n" in received
    assert received.endswith(b"\r\n\r\n")


async def test_an_encoded_part_passes_untouched() -> None:
    """Content-Encoding, ranges and validators are between the client and the server."""
    part = answer(
        "206 Partial Content", "Content-Encoding: gzip", "Content-Range: bytes 0-3/9", body=b"\x1f\x8b\0\xff"
    )
    async with proxied(answering(part)) as world, client() as session:
        headers = {"Range": "bytes=0-3", "If-Range": '"1"'}
        async with session.get(f"{world.url}/a", headers=headers) as response:
            assert (response.status, await response.read()) == (206, b"\x1f\x8b\0\xff")
            assert response.headers["Content-Encoding"] == "gzip"

        assert world.heads[0].values("Range") == ["bytes=0-3"]


async def test_compressed_content_of_a_request_passes_untouched() -> None:
    """The library would decode it, and the length would be another."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await content_of(await head_of(reader, writer), reader))
        writer.write(OK)

    async with proxied(serve) as world:
        coded = b"\x1f\x8b\x08 is not even gzip"
        fields = "Content-Encoding: gzip", f"Content-Length: {len(coded)}"
        await world.raw(world.request("POST /key/a HTTP/1.1", *fields, body=coded))

    assert seen == [coded]


async def test_chunks_go_both_ways_and_trailers_end_here() -> None:
    """RFC 9112 §7.1; RFC 9110 §6.5.1: trailers may be discarded, as is what announces them."""
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
        b"2\r\nab\r\n1\r\nc\r\n0\r\nX-T: 1\r\n\r\n"
    )
    body = b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
    async with proxied(answering(chunked)) as world:
        received = await world.raw(
            world.request("POST /key/a HTTP/1.1", "Transfer-Encoding: chunked", "Trailer: X-T", body=body)
        )
        (head,) = world.heads

    assert head.values("Transfer-Encoding") == ["chunked"]
    assert head.values("Trailer") == head.values("Content-Length") == []
    assert b"X-T" not in received
    assert received.endswith(b"0\r\n\r\n")


async def test_rfc9112_6_1_http_1_0_gets_no_chunks() -> None:
    """A server MUST NOT send them; the end of the connection ends the content."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with proxied(answering(chunked)) as world:
        received = await world.raw(f"GET /key/a HTTP/1.0\r\nHost: 127.0.0.1:{world.port}\r\n\r\n".encode())

    assert b"chunked" not in received
    assert received.endswith(b"\r\n\r\nabc")


async def test_rfc9110_10_1_1_content_is_asked_for_when_the_request_may_pass() -> None:
    """100 comes once the rules and the token are settled; a refusal comes without it."""
    async with proxied(answering(OK)) as world:
        fields = "Expect: 100-continue", "Content-Length: 4"
        passed = await world.raw(world.request("POST /key/a HTTP/1.1", *fields, body=b"abcd"))
        refused = await world.raw(world.request("POST /nothing HTTP/1.1", *fields))
        world.tokens.failure = SignInRequired("no")
        without = await world.raw(world.request("POST /key/a HTTP/1.1", *fields))

    assert passed.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert refused.startswith(b"HTTP/1.1 404 ")
    assert without.startswith(b"HTTP/1.1 503 ")


async def test_a_stream_of_events_arrives_as_it_is_written() -> None:
    """Server-sent events are of use one by one; the head comes before the first."""
    go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(3):
            await go.wait()
            go.clear()
            writer.write(b"data: %d\n\n" % number)

    async with proxied(serve) as world, client() as session, asyncio.timeout(SOON):
        response = await session.get(f"{world.url}/events")
        for number in range(3):
            go.set()
            assert await response.content.readuntil(b"\n\n") == b"data: %d\n\n" % number
        response.close()


async def test_memory_stays_bounded_with_a_client_that_never_reads() -> None:
    """The server is read only as fast as the client takes it."""
    written = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await head_of(reader, writer)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        piece = b"x" * 65536
        while True:
            writer.write(piece)
            await writer.drain()
            written += len(piece)

    async with proxied(serve) as world:
        tracemalloc.start()
        _, writer = await asyncio.open_connection("127.0.0.1", world.port, limit=1024)
        writer.write(world.request())
        before, still = -1, 0
        async with asyncio.timeout(SOON):
            while still < 20:  # Nothing has moved for a while: every buffer is full.
                await asyncio.sleep(0.01)
                still = still + 1 if written == before else 0
                before = written
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        writer.transport.abort()

    assert 0 < written < 64_000_000
    assert peak < 8_000_000


async def test_a_client_that_leaves_ends_the_request_to_the_server() -> None:
    """A stream that nobody reads would go on for ever."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await reader.read()
        gone.set()

    async with proxied(serve) as world, asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(world.request())
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        await gone.wait()
