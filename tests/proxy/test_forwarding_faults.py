"""The proxy where either side breaks the rules: nothing hangs, leaks, or looks complete and is not."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys

import pytest
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from forward_world import SOON, answer, answering, client, content_of, head_of, proxied

from loopback_auth.proxy.answers import in_one_line
from loopback_auth.proxy.serving import served

OK = answer(body=b"fine")


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 2000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"HTTP/2.0 200 OK\r\n\r\n"[:6],
    ],
)
async def test_a_server_that_sends_garbage_is_a_bad_gateway(garbage: bytes) -> None:
    """RFC 9110 §15.6.3; the words of a library about it may quote a secret, and are not passed on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(garbage)
        await writer.drain()

    async with proxied(serve) as world, client() as session:
        async with session.get(f"{world.url}/a") as response:
            text = await response.text()
            assert response.status == 502
            assert response.headers["Proxy-Status"].startswith("loopback_auth; error=")
        assert "canary" not in text + "".join(world.told)
        assert world.told


def test_what_happened_and_what_to_do_are_two_sentences() -> None:
    """An error has no full stop after a detail, and stderr has one line for both."""
    assert in_one_line("No answer: it broke off\nTry again.") == "No answer: it broke off. Try again."
    assert in_one_line("It is over.\n") == "It is over."


async def test_a_server_that_is_not_there_is_a_bad_gateway() -> None:
    """The proxy stays up: the server may be back in a moment."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with proxied(serve) as world, client() as session, session.get(f"{world.url}/a") as response:
        assert response.status == 502


async def test_a_server_that_hangs_is_given_up() -> None:
    """RFC 9110 §15.6.5; a client that waits for ever is no help to its person."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        await asyncio.Event().wait()

    async with proxied(serve, patience=0.05) as world, client() as session:
        response = await session.get(f"{world.url}/a")
        await response.read()

        assert response.status == 504


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 1000", b"Transfer-Encoding: chunked"],
)
async def test_an_answer_that_breaks_off_is_broken_off(head: bytes) -> None:
    """RFC 9112 §8: a recipient must be able to see that it is incomplete."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n3\r\nabc\r\n")
        await writer.drain()

    async with proxied(serve) as world:
        received = await world.raw(world.request())

    assert not received.endswith(b"0\r\n\r\n")
    assert b"Proxy-Status" not in received
    assert world.told


async def test_content_that_breaks_off_does_not_look_complete_to_the_server() -> None:
    """The server would do half of what was asked."""
    ends = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader, writer)
        try:
            await content_of(head, reader)
        except (asyncio.IncompleteReadError, ValueError, ConnectionError):
            ends.set_result("broken off")
        else:
            ends.set_result("complete")

    async with proxied(serve) as world, asyncio.timeout(SOON):
        _, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(
            world.request("POST /key/a HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n")
        )
        await world.arrived.get()
        writer.transport.abort()

        assert await ends == "broken off"


SMUGGLED = b"GET /key/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        ("Content-Length: 40", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 40"),
        ("Content-Length: 0", "Content-Length: 40"),
        ("Content-Length: +40",),
        ("Content-Length: 40, 40",),
        ("Content-Length: 0x28",),
        ("Content-Length : 40",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: chunked\r\n ,x",),
        ("Transfer-Encoding: \x0bchunked",),
        ("X: y\nContent-Length: 40",),
        ("X: y\rContent-Length: 40",),
        (" Content-Length: 40",),
        ("Content-Length: 40\r\n 1",),
        ("X\0: y",),
    ],
)
async def test_rfc9112_11_2_requests_of_no_certain_length_are_refused(fields: tuple[str, ...]) -> None:
    """Two servers that disagree on the length take the content for another request (smuggling)."""
    async with proxied(answering(OK)) as world:
        await world.raw(world.request("POST /key/a HTTP/1.1", *fields, body=b"0\r\n\r\n" + SMUGGLED))

        assert not [one for one in world.heads if "smuggled" in one.line]
        for head in world.heads:  # What is forwarded at all is framed in one way.
            assert len(head.values("Content-Length")) + len(head.values("Transfer-Encoding")) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /key/a HTTP/1.1\r\n\r\n",
        b"GET /key/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /key/a HTTP/3.0\r\nHost: a\r\n\r\n",
        b"get /key/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /key/a\r\n\r\n",
        b"GET  /key/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
        os.urandom(2000) + b"\r\n\r\n",
    ],
)
async def test_what_is_not_a_request_for_us_reaches_no_server(data: bytes) -> None:
    """RFC 9112 §3.2: no or several `Host` MUST be answered with 400; no other text is quoted."""
    async with proxied(answering(OK)) as world:
        received = await world.raw(data)

        assert world.heads == []
        assert not received or received.split(b" ")[1][:1] == b"4"


async def test_a_header_of_other_bytes_than_text_passes() -> None:
    """RFC 9110 §5.5: obs-text is data that a recipient should treat as opaque."""
    async with proxied(answering(answer("200 OK", "X-Name: caf\udce9", body=b"x"))) as world:
        received = await world.raw(world.request("GET /key/a HTTP/1.1", "X-Name: caf\udce9"))

    assert received.startswith(b"HTTP/1.1 200 OK")
    assert "X-Name: caf\u00e9".encode() in received


async def test_pipelined_requests_are_answered_in_order() -> None:
    """RFC 9112 §9.3.2."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await head_of(reader, writer)
            writer.write(answer(body=head.line.encode()))

    async with proxied(serve) as world:
        first = world.request("GET /key/1 HTTP/1.1").replace(b"Connection: close\r\n", b"")
        received = await world.raw(first + world.request("GET /key/2 HTTP/1.1"))

    assert received.index(b"GET /1 ") < received.index(b"GET /2 ")


async def test_a_connection_that_the_server_has_closed_is_not_a_failure() -> None:
    """It may close an idle one at any time (RFC 9112 §9.3.1); a GET can be sent again."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        writer.write(OK)
        await writer.drain()

    async with proxied(serve) as world, client() as session:
        for _ in range(3):
            async with session.get(f"{world.url}/a") as response:
                assert response.status == 200


async def test_the_end_waits_for_requests_under_way_and_not_for_ever() -> None:
    """A person who presses Ctrl-C wants what is under way to end well, within seconds."""
    go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader, writer)
        await go.wait()
        writer.write(OK if "soon" in head.line else b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.Event().wait()

    async with asyncio.timeout(SOON):
        async with proxied(serve, grace=2.0) as world:
            soon = asyncio.ensure_future(world.raw(world.request("GET /key/soon HTTP/1.1")))
            never = asyncio.ensure_future(world.raw(world.request("GET /key/never HTTP/1.1")))
            await world.arrived.get()
            await world.arrived.get()
            asyncio.get_running_loop().call_later(0.05, go.set)
            began = asyncio.get_running_loop().time()

        assert asyncio.get_running_loop().time() - began < 3.5
        assert (await soon).endswith(b"fine")
        await never


async def test_a_failure_outside_of_requests_is_a_line_and_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When no file is left for a connection, the event loop writes thousands of lines each second."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    async with proxied(answering(OK)) as world:
        words = "socket.accept() out of system resource"
        loop.call_exception_handler({"message": words, "exception": OSError(24, "Too many open files")})
        loop.call_exception_handler({"message": words, "exception": ValueError("canary")})

        assert len(world.told) == 2
        assert "Too many open files" in world.told[0]
        assert "canary" not in world.told[1]
    assert not caplog.records
    assert loop.get_exception_handler() is before


class _Full(socket.socket):
    """A listening socket for whose connections the system has no file."""

    attempts = 0

    def accept(self) -> tuple[socket.socket, object]:
        """Fail, and count it."""
        self.attempts += 1
        raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.skipif(sys.platform == "win32", reason="the event loop of Windows accepts in another way")
async def test_without_a_free_file_no_time_is_lost_by_trying() -> None:
    """The event loop tries again a second later for each attempt, so that many become ever more."""

    async def nobody(request: BaseRequest) -> StreamResponse:
        raise AssertionError(request)

    told = asyncio.Queue[str]()
    with _Full(socket.AF_INET) as bound, socket.socket() as one, socket.socket() as another:
        bound.bind(("127.0.0.1", 0))
        bound.setblocking(False)
        async with served(bound, nobody, told.put_nowait), asyncio.timeout(SOON):
            one.connect(bound.getsockname())
            another.connect(bound.getsockname())
            assert "Too many open files" in await told.get()
            for _ in range(10):
                await asyncio.sleep(0)

            # The fix of python/cpython#90871 added one to the number that the event loop is given.
            assert bound.attempts == (1 if sys.version_info < (3, 13, 12) else 2)
