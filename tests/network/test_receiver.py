"""The receiver on a real socket: everybody may knock, one visitor counts, nobody else can end the waiting."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import struct
import sys
from contextlib import suppress
from urllib.parse import quote

import pytest
from patience import SOON
from raw_http import CODE, DONE, GOOD, STATE, Answer, Waiting, exchange, parse, waiting

from loopback_auth.events import (
    CallbackReceived,
    CallbackTurnedAway,
    HttpsTried,
    LinkReady,
    RequestIgnored,
)
from loopback_auth.http_messages import FORM, HttpResponse
from loopback_auth.model import ResponseMode
from loopback_auth.network.connection import RECEIVED_LIMIT
from loopback_auth.network.connections import CONNECTIONS
from loopback_auth.network.loopback import bind
from loopback_auth.network.receiver import REQUEST_SECONDS, SUSPICIOUS

NAVIGATION = (
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Site", "cross-site"),
)
SAFE = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "connection": "close",
}
TLS_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(500)


def check_harmless(answer: Answer) -> None:
    """Every answer, whatever its status, keeps caches, frames and other origins out, and tells nothing."""
    for name, value in SAFE.items():
        assert answer.values(name) == (value,), name
    assert answer.values("content-security-policy")[0].startswith("default-src 'none'")
    for forbidden in ("access-control-allow-origin", "strict-transport-security", "set-cookie"):
        assert answer.values(forbidden) == ()
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]
    told = answer.body + repr(answer.headers).encode()
    for word in (b"aiohttp", b"Python/", b"Traceback", STATE.encode(), CODE.encode()):
        assert word not in told


async def turned_away(world: Waiting, answer: Answer, *statuses: int) -> None:
    """Check a refusal, and that it changed nothing."""
    assert answer.status in statuses
    if answer.status:
        check_harmless(answer)
    assert world.told(CallbackReceived) == []
    await world.complete()


BAD_QUERIES = {
    "wrong state": "?code=x&state=wrong",
    "missing state": "?code=x",
    "empty state": "?code=x&state=",
    "forged refusal": "?error=access_denied",
    "forged refusal with a state": "?error=access_denied&state=wrong",
    "two states, one good": f"?code=x&state={STATE}&state=wrong",
    "the good state twice": f"?code=x&state={STATE}&state={STATE}",
    "state not ASCII": "?code=x&state=%C3%A9",
    "no UTF-8": f"?code=%FF&state={STATE}",
    "a NUL": f"?code=%00&state={STATE}",
    "too many fields": f"?state={STATE}" + "&a=1" * 256,
    "semicolons": f"?code=x;state={STATE}",
}


@pytest.mark.parametrize("query", BAD_QUERIES.values(), ids=BAD_QUERIES)
async def test_callback_without_our_state_is_turned_away(query: str) -> None:
    """Any page in any browser can send these; whoever stopped for one could be stopped by any."""
    async with waiting() as world:
        await turned_away(world, await world.ask("/callback" + query), 400)


async def test_many_forged_callbacks_cause_one_warning() -> None:
    """The person should know that something is calling, once."""
    async with waiting() as world:
        for number in range(50):
            answer = await world.ask(f"/callback?code=x&state=wrong{number}")
            assert answer.status == 400
        await world.complete()
        ignored = [event for event in world.events if isinstance(event, RequestIgnored)]

    assert [event.count for event in ignored] == list(range(1, 51))
    assert [event.count for event in ignored if event.suspicious] == [SUSPICIOUS]


HOSTS = {
    "another name": ("evil.example:{port}", GOOD, "HTTP/1.1", 421),
    "no port": ("127.0.0.1", GOOD, "HTTP/1.1", 421),
    "localhost": ("localhost:{port}", GOOD, "HTTP/1.1", 421),
    "a name that resolves here": ("127.0.0.1.nip.example:{port}", GOOD, "HTTP/1.1", 421),
    "none": ("", GOOD, "HTTP/1.1", 400),
    "none in HTTP/1.0": ("", GOOD, "HTTP/1.0", 421),
    "absolute form": ("127.0.0.1:{port}", "http://evil.example" + GOOD, "HTTP/1.1", 400),
    "absolute form of our own": ("127.0.0.1:{port}", "http://127.0.0.1:{port}" + GOOD, "HTTP/1.1", 400),
    "asterisk": ("127.0.0.1:{port}", "*", "HTTP/1.1", 400),
}


@pytest.mark.parametrize(("host", "target", "version", "status"), HOSTS.values(), ids=HOSTS)
async def test_request_under_another_name_is_turned_away(
    host: str, target: str, version: str, status: int
) -> None:
    """A page that rebinds its name to 127.0.0.1 is same-origin with itself, but sends its own Host."""
    async with waiting() as world:
        port = str(world.bound.port)
        answer = await world.ask(
            target.replace("{port}", port), host=host.replace("{port}", port), version=version
        )
        await turned_away(world, answer, status, 421)


async def test_two_hosts_are_turned_away() -> None:
    """Of two Host headers a proxy may have believed the other one."""
    async with waiting() as world:
        answer = await world.ask(headers=(("Host", "evil.example"),))
        await turned_away(world, answer, 400, 421)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST"])
async def test_other_methods_are_turned_away(method: str) -> None:
    """A preflight, a link checker or a HEAD must not use up the code; no other origin is ever invited."""
    async with waiting() as world:
        asked = (
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Private-Network", "true"),
        )
        answer = await world.ask(method=method, headers=asked)
        assert answer.values("allow") == ("GET",)
        await turned_away(world, answer, 405)


async def test_allow_names_post_where_a_form_is_awaited() -> None:
    """RFC 9110 §15.5.6: Allow lists what would have done."""
    async with waiting(mode="form_post") as world:
        answer = await world.ask(method="PUT")

    assert answer.values("allow") == ("GET, POST",)


NO_NAVIGATION = {
    "image": (("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")),
    "fetch": (("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")),
    "frame": (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")),
    "websocket": (("Sec-Fetch-Mode", "websocket"), ("Sec-Fetch-Dest", "empty")),
    "prefetch": (*NAVIGATION, ("Sec-Purpose", "prefetch")),
    "prerender": (*NAVIGATION, ("Sec-Purpose", "prefetch;prerender")),
    "old prefetch": (("Purpose", "prefetch"),),
    "Firefox prefetch": (("X-Moz", "prefetch"),),
    "Safari preview": (("X-Purpose", "preview"),),
}


@pytest.mark.parametrize("headers", NO_NAVIGATION.values(), ids=NO_NAVIGATION)
async def test_what_no_person_has_clicked_on_is_turned_away(headers: tuple[tuple[str, str], ...]) -> None:
    """Subresources and prefetches carry a good state when a page or the browser itself repeats the URL."""
    async with waiting() as world:
        await turned_away(world, await world.ask(headers=headers), 403)


@pytest.mark.parametrize(
    "target",
    [
        "/favicon.ico",
        "/",
        "//evil.example/..",
        "/%63allback" + GOOD[9:],
        "/callback/" + GOOD[9:],
        "/Callback",
    ],
)
async def test_other_paths_hold_nothing(target: str) -> None:
    """Paths are compared byte for byte; a decoded one would be a second door."""
    async with waiting() as world:
        answer = await world.ask(target)
        assert answer.values("location") == ()
        await turned_away(world, answer, 404)


GARBAGE = {
    "noise": b"\x00\xff\xfe\x80 nothing of sense\r\n\r\n",
    "a code in a broken line": f"GET {GOOD}\r\n\r\n".encode(),
    "TLS": TLS_HELLO,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "negative length": f"POST {GOOD} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".encode(),
    "two lengths": b"POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "long request line": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n",
    "obsolete folding": b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_http_is_answered_in_our_words(
    data: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library quotes what it could not parse, in its answer and in its log; a code may be in there."""
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        async with waiting() as world:
            await turned_away(world, await world.send(data), 400, 421, 431, 0)
            assert len(world.told(RequestIgnored)) == 1

    asyncio.run(main(), debug=True)

    out, err = capfd.readouterr()
    assert CODE not in caplog.text + out + err
    # The loop's own remark on a machine that is busy names whatever it was that took long.
    assert not [
        record for record in caplog.records if record.name != "asyncio" and "aiohttp" in record.getMessage()
    ]


async def test_https_on_our_port_is_named() -> None:
    """A browser that insists on https for this host leaves the person with a riddle."""
    async with waiting() as world:
        for hello in (TLS_HELLO, TLS_HELLO[:1], TLS_HELLO):
            await world.send(hello)
        assert HttpsTried(world.bound.authority) in world.events
        reasons = [event.reason for event in world.events if isinstance(event, RequestIgnored)]
        told = world.told(HttpsTried)

    assert all("https" in reason for reason in reasons)
    assert len(told) == 1


@pytest.mark.parametrize("amount", [16_000, 70_000, 1_000_000])
async def test_cookies_of_other_programs_do_not_matter(amount: int) -> None:
    """Cookies know no ports, so those of everything that was ever served on 127.0.0.1 come along."""
    crumbs = b"".join(b"Cookie: c%d=%s\r\n" % (number, b"x" * 4_000) for number in range(amount // 4_000))

    async with waiting() as world:
        world.receiver.send_browser_to("https://as.example/")
        data = world.message(f"/{world.bound.key}").replace(b"\r\n\r\n", b"\r\n" + crumbs + b"\r\n")
        started = await world.send(data)
        data = world.message().replace(b"\r\n\r\n", b"\r\nCookie: " + b"x" * amount + b"\r\n\r\n")
        visit = asyncio.create_task(world.send(data))
        await world.receive()
        await world.receiver.finish(DONE)
        seen = [started.status, (await visit).status]

    assert seen == [302, 200]


async def test_request_that_is_too_long_is_called_that() -> None:
    """RFC 6585 §5."""
    async with waiting() as world:
        answer = await world.ask(headers=(("X", "x" * 70_000),))
        check_harmless(answer)
        status = answer.status

    assert status == 431


async def test_form_that_waits_to_be_asked_for_is_asked_for() -> None:
    """RFC 9110 §10.1.1: a client may send its body only after `100 Continue`."""
    async with waiting(mode="form_post") as world, asyncio.timeout(SOON):
        length = ("Content-Length", str(len(GOOD_FORM)))
        head = world.message(
            "/callback", method="POST", headers=(FORM_TYPE, ("Expect", "100-continue"), length)
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", world.bound.port)
        writer.write(head)
        said = await reader.readuntil(b"\r\n\r\n")
        writer.write(GOOD_FORM)
        callback = await world.receive()
        await world.receiver.finish(DONE)
        said += await reader.readline()
        writer.close()
        await writer.wait_closed()

    assert said == b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
    assert dict(callback.parameters)["code"] == CODE


async def test_form_in_chunks_is_read() -> None:
    """RFC 9112 §7.1: nobody has to know the length beforehand."""
    async with waiting(mode="form_post") as world:
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD_FORM), GOOD_FORM)
        chunked = ("Transfer-Encoding", "chunked")
        visit = asyncio.create_task(
            world.ask("/callback", method="POST", headers=(FORM_TYPE, chunked), body=chunks)
        )
        callback = await world.receive()
        await world.receiver.finish(DONE)
        await visit

    assert dict(callback.parameters)["code"] == CODE


async def test_websocket_is_not_upgraded() -> None:
    """No page may keep a channel into this program."""
    async with waiting() as world:
        upgrade = (
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        )
        await turned_away(world, await world.ask(GOOD, headers=upgrade), 403)


async def test_large_cookies_and_codes_are_accepted() -> None:
    """Other programs on 127.0.0.1 leave cookies that reach us; some servers' codes are signed documents."""
    async with waiting() as world:
        target = f"/callback?code={'c' * 9_000}&state={STATE}"
        visit = asyncio.create_task(world.ask(target, headers=(("Cookie", "a=" + "b" * 16_000), *NAVIGATION)))
        await world.receive()
        await world.receiver.finish(DONE)
        answer = await visit

    assert answer.status == 200


async def test_endless_header_is_cut_off() -> None:
    """256 headers of 64 KiB each would be 16 MiB of a stranger's in memory, for each connection."""
    data = b"GET / HTTP/1.1\r\n" + b"".join(
        b"X-%d: " % number + b"a" * 60_000 + b"\r\n" for number in range(RECEIVED_LIMIT // 60_000 + 1)
    )

    async with waiting() as world:
        await turned_away(world, await world.send(data), 0)
        assert len(world.told(RequestIgnored)) == 1


GOOD_FORM = f"code={CODE}&state={STATE}".encode()
FORM_TYPE = ("Content-Type", FORM)
BODIES = {
    "too large": ((FORM_TYPE,), GOOD_FORM + b"&x=" + b"a" * 64 * 1024, (413, 0)),
    "endless": (
        (FORM_TYPE, ("Transfer-Encoding", "chunked")),
        b"8000\r\n" + b"a" * 0x8000 + b"\r\n",
        (413, 0),
    ),
    "broken chunks": ((FORM_TYPE, ("Transfer-Encoding", "chunked")), b"zz\r\n", (400,)),
    "compressed": ((FORM_TYPE, ("Content-Encoding", "gzip")), gzip.compress(GOOD_FORM), (400,)),
    "multipart": ((("Content-Type", "multipart/form-data; boundary=b"),), b"--b--", (415,)),
    "JSON": ((("Content-Type", "application/json"),), b"{}", (415,)),
    "text": ((("Content-Type", "text/plain"),), GOOD_FORM, (415,)),
    "no type": ((), GOOD_FORM, (415,)),
    "wrong state": ((FORM_TYPE,), b"code=x&state=wrong", (400,)),
    "nothing": ((FORM_TYPE,), b"", (400,)),
}


@pytest.mark.parametrize(("headers", "body", "statuses"), BODIES.values(), ids=BODIES)
async def test_body_that_is_no_answer_is_turned_away(
    headers: tuple[tuple[str, str], ...], body: bytes, statuses: tuple[int, ...]
) -> None:
    """Only a form of at most 64 KiB with our state in it can be the answer."""
    async with waiting(mode="form_post") as world:
        data = world.message("/callback", method="POST", headers=headers, body=body)
        if b"8000\r\n" in body:
            data += body * 6
        await turned_away(world, await world.send(data), *statuses)


async def test_form_post_of_another_origin_is_accepted() -> None:
    """Browsers send `Origin: null` from an https page to http on loopback; the state is what counts."""
    async with waiting(mode="form_post") as world:
        visit = asyncio.create_task(world.post(GOOD_FORM, ("Origin", "null"), *NAVIGATION))
        callback = await world.receive()
        await world.receiver.finish(DONE)
        via, answer = callback.via, await visit

    assert (via, answer.status) == ("form_post", 200)


async def test_body_of_a_post_nobody_asked_for_is_not_read() -> None:
    """A server that redirects its log-in form with 307 sends the person's password along (RFC 9700 §4.12)."""
    async with waiting() as world:
        # The body is announced and never comes: whoever waited for it would not answer.
        head = world.message(method="POST", headers=(FORM_TYPE, ("Content-Length", "60000")))
        await turned_away(world, await world.send(head), 405)


async def knock(port: int, data: bytes, count: int) -> list[asyncio.StreamWriter]:
    """Open connections that say little and stay."""
    writers = []
    for _ in range(count):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        writers.append(writer)
    return writers


async def leave(writers: list[asyncio.StreamWriter]) -> None:
    """Close them."""
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("data", [b"", b"GET /callback HTTP/1.1\r\nHost: "], ids=["idle", "half a head"])
async def test_crowd_of_silent_connections_does_not_keep_the_browser_out(data: bytes) -> None:
    """Browsers preconnect and say nothing; a stranger may do the same a thousand times."""
    async with waiting() as world:
        crowd = await knock(world.bound.port, data, CONNECTIONS + 40)
        await world.complete()
        await leave(crowd)


@pytest.mark.skipif(sys.platform == "win32", reason="its loop leaves connections open that nobody has taken")
async def test_callback_in_the_middle_of_a_sudden_crowd_is_read() -> None:
    """Connections that arrive all at once are taken in one after another, and each is looked at."""
    bound = bind("127.0.0.1", (0,), "/callback")
    crowd = [socket.create_connection(("127.0.0.1", bound.port), timeout=SOON) for _ in range(20)]
    genuine = socket.create_connection(("127.0.0.1", bound.port), timeout=SOON)
    genuine.sendall(f"GET {GOOD} HTTP/1.1\r\nHost: {bound.authority}\r\n\r\n".encode())
    crowd += [socket.create_connection(("127.0.0.1", bound.port), timeout=SOON) for _ in range(300)]

    async with waiting(bound=bound) as world, asyncio.timeout(SOON):
        await world.receiver.receive(world.request)
        await world.receiver.finish(DONE)
    answer = parse(genuine.makefile("rb").read())
    for one in (genuine, *crowd):
        one.close()

    assert answer.status == 200


@pytest.mark.parametrize(
    "data", [b"", b"GET /callback HTTP/1.1\r\nHost: ", b"POST"], ids=["idle", "half a head", "a word"]
)
async def test_unfinished_request_runs_out_of_time(data: bytes) -> None:
    """Whoever does not say what he wants loses the connection, however few there are."""
    async with waiting(request_seconds=0.01) as world:
        answer = await world.send(data)
        assert answer.status == 0


async def test_unfinished_body_runs_out_of_time() -> None:
    """A form that never ends must not be waited for either."""
    async with waiting(mode="form_post", request_seconds=0.05) as world:
        head = world.message(
            "/callback", method="POST", headers=(FORM_TYPE, ("Content-Length", "100")), body=b"code="
        )
        answer = await world.send(head)
        assert answer.status in (0, 400)


async def test_held_callback_outlives_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the request is complete it is our turn, and the exchange may take longer than ten seconds."""
    async with waiting() as world:
        idle, writer = await asyncio.open_connection("127.0.0.1", world.bound.port)
        visit = asyncio.create_task(exchange(world.bound.port, world.message(), seconds=3 * REQUEST_SECONDS))
        await world.receive()
        # The clock jumps: the time is long enough for a busy machine, and nothing waits for it.
        loop = asyncio.get_running_loop()
        clock = loop.time
        monkeypatch.setattr(loop, "time", lambda: clock() + REQUEST_SECONDS)
        with suppress(ConnectionError):
            assert await idle.read() == b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        await world.receiver.finish(DONE)
        answer = await visit

    assert answer.status == 200


@pytest.mark.slow
async def test_flood_is_survived_and_counted() -> None:
    """Two thousand requests of a stranger cost two thousand short answers, and one warning."""
    async with waiting() as world:
        data = world.message("/callback?code=x&state=wrong")

        async def some() -> None:
            for _ in range(250):
                await exchange(world.bound.port, data)

        async with asyncio.timeout(SOON):
            await asyncio.gather(*(some() for _ in range(8)))
        await world.complete()
        ignored = [event for event in world.events if isinstance(event, RequestIgnored)]

    assert ignored[-1].count == 2_000
    assert sum(event.suspicious for event in ignored) == 1


async def test_a_client_that_resets_its_connection_ends_nothing() -> None:
    """Any program of this machine could close the port so, and take it over (python/cpython#93821)."""
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    async with waiting() as world:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", world.bound.port)) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            await world.ask("/favicon.ico")
        await world.complete()


async def test_of_two_equal_callbacks_one_counts() -> None:
    """A double click, or a browser that repeats a request, must not redeem the code twice."""
    async with waiting() as world:
        visits = [asyncio.create_task(world.ask()) for _ in range(2)]
        await world.receive()
        await world.ask("/favicon.ico")
        await world.receiver.finish(DONE)
        bodies, received = [(await visit).body for visit in visits], len(world.told(CallbackReceived))

    assert (bodies, received) == ([DONE.body] * 2, 1)


async def test_browser_that_asks_again_gets_what_the_first_would_have_got() -> None:
    """Stop and reload, or a connection that broke (RFC 9110 §9.2.2): the page tells the truth to the last."""
    async with waiting() as world:
        _, writer = await asyncio.open_connection("127.0.0.1", world.bound.port)
        writer.write(world.message())
        await world.receive()
        writer.close()
        await writer.wait_closed()
        again = asyncio.create_task(world.ask())
        await world.ask("/favicon.ico")
        await world.receiver.finish(DONE)
        answers, told = [await again, await world.ask()], world.told(CallbackTurnedAway)

    assert [(answer.status, answer.body) for answer in answers] == [(200, DONE.body)] * 2
    assert told == []


async def test_another_code_under_the_same_state_is_turned_away() -> None:
    """Whoever has the state and brings something else is not the browser that we wait for."""
    async with waiting() as world:
        visit = asyncio.create_task(world.ask())
        await world.receive()
        other = await world.ask(f"/callback?code=other&state={STATE}")
        await world.receiver.finish(DONE)
        await visit
        answer = other

    assert answer.status == 410
    check_harmless(answer)


async def test_repeated_announcement_of_the_request_does_not_reopen_it() -> None:
    """A flow says twice what it waits for, before and after the browser left; the first answer counts."""
    async with waiting() as world:
        first = asyncio.create_task(world.ask())
        await world.receive()
        await world.receive()
        second = await world.ask(f"/callback?code=other&state={STATE}")
        await world.receiver.finish(DONE)
        await first
        status = second.status

    assert status == 410


async def test_nothing_is_a_callback_before_the_browser_was_sent_away() -> None:
    """Without a request there is no state to compare with."""
    async with waiting(expecting=False) as world:
        status = (await world.ask("/callback?code=x&state=")).status

    assert status == 404


async def test_second_request_on_a_connection_is_not_answered() -> None:
    """A kept connection could bring the next sign-in's callback to a flow that is over."""
    async with waiting() as world:
        answer = await world.send(world.message("/favicon.ico") + world.message("/favicon.ico"))

    assert answer.body.count(b"HTTP/1.1") == 0
    assert answer.values("connection") == ("close",)


async def test_answers_are_harmless_whatever_their_status() -> None:
    """Success, redirect and refusal alike may show a code in their address."""
    async with waiting() as world:
        world.receiver.send_browser_to("https://as.example/authorize?client_id=x")
        answers = [
            await world.ask(f"/{world.bound.key}"),
            await world.ask(f"/{world.bound.key}"),
            await world.ask("/favicon.ico"),
            await world.ask(method="HEAD"),
            await world.ask(host="evil.example"),
        ]
        for answer in answers:
            check_harmless(answer)
        seen = {answer.status for answer in answers}

    assert seen == {302, 410, 404, 405, 421}


async def test_page_is_held_until_the_end() -> None:
    """The page says how it ended, so it cannot be sent before that is known."""
    async with waiting() as world:
        visit = asyncio.create_task(world.ask())
        await world.receive()
        stranger = await world.ask("/favicon.ico")
        assert (stranger.status, visit.done()) == (404, False)
        await world.receiver.finish(DONE)
        assert (await visit).body == DONE.body


async def test_page_asks_for_the_last_one_after_a_question_elsewhere() -> None:
    """A question in the terminal may take long, and may be answered before the page has asked again."""
    async with waiting() as world:
        visit = asyncio.create_task(world.ask(headers=NAVIGATION))
        await world.receive()
        world.receiver.ask_elsewhere("alice@example.com")
        ending = asyncio.create_task(world.receiver.finish(DONE))
        page = await visit
        check_harmless(page)
        path, token = (_attribute(page, name) for name in ("data-live", "data-token"))
        forged = await world.ask(f"{path}/last")
        last = await world.ask(f"{path}/last", headers=(("X-Loopback-Relay", token),))
        await ending

    assert (page.status, b"alice@example.com" in page.body) == (200, True)
    assert (forged.status, last.status, last.body) == (403, 200, DONE.body)


@pytest.mark.parametrize(
    ("answer", "refused"), [(GOOD, False), (f"/callback?error=access_denied&state={STATE}", True)]
)
async def test_refusal_is_told_apart(answer: str, refused: bool) -> None:
    """Nothing is fetched after one, so nobody should say so."""
    async with waiting() as world:
        visit = asyncio.create_task(world.ask(answer))
        await world.receive()
        await world.receiver.finish(DONE)
        await visit
        seen = world.told(CallbackReceived)

    assert seen == [CallbackReceived(refused=refused)]


async def test_browser_that_left_does_not_delay_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person may close the tab while the code is being redeemed."""
    monkeypatch.setattr("loopback_auth.network.receiver.LAST_PAGE_SECONDS", 2 * SOON)
    async with waiting() as world:
        _, writer = await asyncio.open_connection("127.0.0.1", world.bound.port)
        writer.write(world.message())
        await world.receive()
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(world.receiver.finish(DONE), SOON)


async def test_end_without_a_last_page_leaves_nothing() -> None:
    """A mistake in the program that embeds us must not leave it hanging on a held connection."""

    async def main() -> list[int]:
        async with waiting(expecting=True) as world:
            visits = [asyncio.create_task(world.ask()), asyncio.create_task(world.ask(f"/{world.bound.key}"))]
            await world.receive()
            await world.opened.wait()
        return [(await visit).status for visit in visits]

    assert await asyncio.wait_for(main(), SOON) == [0, 0]


async def test_late_callback_after_giving_up_sees_the_truth() -> None:
    """Whoever comes back a moment too late is told so, and nobody else is told that he came."""
    async with waiting() as world:
        await world.receiver.finish(HttpResponse(400, (), b"too late"))
        answer, received = await world.ask(), len(world.told(CallbackReceived))

    assert (answer.status, answer.body, received) == (400, b"too late", 0)


async def test_failing_watcher_does_not_come_between_browser_and_answer() -> None:
    """A mistake in a progress display is reported, and the person gets the page all the same."""
    reported: list[str] = []

    def fail(_event: object) -> None:
        raise ValueError("a mistake")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: reported.append(context["message"]))
    async with waiting() as world:
        world.receiver._notify = fail
        visit = asyncio.create_task(world.ask())
        await world.receive()
        await world.receiver.finish(DONE)
        answer = await visit

    assert answer.status == 200
    assert reported == ["loopback_auth: a watcher of the sign-in failed"]


async def test_start_page_waits_for_the_address_to_go_to() -> None:
    """The browser is faster than discovery; it waits on our page, not on an error."""
    async with waiting() as world:
        visit = asyncio.create_task(world.ask(f"/{world.bound.key}", headers=NAVIGATION))
        await world.opened.wait()
        assert not visit.done()
        world.receiver.send_browser_to("https://as.example/authorize?client_id=x")
        answer = await visit

    assert (answer.status, answer.values("location")) == (302, ("https://as.example/authorize?client_id=x",))


async def test_start_page_tells_of_a_failure_before_the_redirect() -> None:
    """The tab is ours already, so trouble with discovery need not end in a blank page."""
    async with waiting() as world:
        visit = asyncio.create_task(world.ask(f"/{world.bound.key}"))
        await world.opened.wait()
        await world.receiver.finish(HttpResponse(400, (), b"no metadata"))
        answer = await visit

    assert answer.body == b"no metadata"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_browser_on_its_way_finds_the_last_page(host: str) -> None:
    """It was started before anything was known, and must not find a dead port when all ends early."""
    async with waiting(any_port=True) as world:
        ending = asyncio.create_task(world.receiver.finish(HttpResponse(400, (), b"no metadata"), due=SOON))
        await asyncio.sleep(0)
        still_there = not ending.done()
        answer = await world.ask(f"/{world.bound.key}", host=f"{host}:{world.bound.port}")
        await ending

    assert (still_there, answer.body) == (True, b"no metadata")


async def test_browser_that_does_not_come_is_not_awaited_for_ever() -> None:
    """It may have been closed, or be on another machine."""

    async def main() -> None:
        async with waiting() as world:
            await world.receiver.finish(DONE, due=0.01)

    await asyncio.wait_for(main(), SOON)


async def test_link_works_once_and_is_renewed_in_the_terminal_only() -> None:
    """Its address shows in the process list, and it opens the way to the state."""
    async with waiting() as world:
        world.receiver.send_browser_to("https://as.example/")
        first, second = [await world.ask(f"/{world.bound.key}") for _ in range(2)]
        world.receiver.send_browser_to("https://as.example/")
        links = [event.url for event in world.events if isinstance(event, LinkReady)]
        new = links[0].removeprefix(f"http://{world.bound.authority}")
        third = await world.ask(new)
        statuses = [first.status, second.status, third.status]

    assert statuses == [302, 410, 302]
    assert len(links) == 1
    assert links[0].rpartition("/")[2].encode() not in second.body


async def test_old_link_cannot_end_a_new_one() -> None:
    """Whoever has the old link could otherwise make every new one worthless before the person opens it."""
    async with waiting() as world:
        world.receiver.send_browser_to("https://as.example/")
        for _ in range(10):
            await world.ask(f"/{world.bound.key}")
        world.receiver.send_browser_to("https://as.example/")
        links = [event.url for event in world.events if isinstance(event, LinkReady)]
        answer = await world.ask("/" + links[-1].rpartition("/")[2])
        status = len(links), answer.status

    assert status == (1, 302)


async def test_no_new_link_once_the_answer_is_here() -> None:
    """A second tab would sign in for nobody."""
    async with waiting() as world:
        await world.ask(f"/{world.bound.key}", method="HEAD")
        visit = asyncio.create_task(world.ask())
        await world.receive()
        world.receiver.send_browser_to("https://as.example/")
        await world.ask(f"/{world.bound.key}")
        await world.ask(f"/{world.bound.key}")
        await world.receiver.finish(DONE)
        await visit
        count = len(world.told(LinkReady))

    assert count == 0


@pytest.mark.parametrize(
    ("method", "host", "headers", "status"),
    [
        ("GET", "evil.example", (), 421),
        ("HEAD", None, (), 405),
        ("POST", None, (), 405),
        ("GET", None, (("Sec-Purpose", "prefetch"),), 403),
        ("GET", None, (("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")), 403),
    ],
)
async def test_strangers_do_not_use_up_the_link(
    method: str, host: str | None, headers: tuple[tuple[str, str], ...], status: int
) -> None:
    """A previewer that looks at the link before the person does must not spoil it."""
    async with waiting() as world:
        world.receiver.send_browser_to("https://as.example/")
        first = await world.ask(f"/{world.bound.key}", method=method, host=host, headers=headers)
        second = await world.ask(f"/{world.bound.key}", headers=NAVIGATION)
        result = first.status, second.status

    assert result == (status, 302)


async def test_no_start_page_means_none() -> None:
    """Who opens the provider's page directly serves nothing but the redirect endpoint."""
    async with waiting(start_page=False) as world:
        world.receiver.send_browser_to("https://as.example/")
        await turned_away(world, await world.ask(f"/{world.bound.key}"), 404)


async def test_localhost_is_answered_on_both_families() -> None:
    """Whichever address the browser takes for localhost, it finds us."""
    async with waiting(host="localhost") as world:
        data = world.message("/favicon.ico")
        seen = [(await exchange(world.bound.port, data, host=host)).status for host in ("127.0.0.1", "::1")]

    assert seen == [404, 404]


async def test_hostile_values_are_not_reflected() -> None:
    """A page on our origin that repeated its address would be a place for scripts of others."""
    hostile = "<script>alert(1)</script>"

    async def main() -> list[Answer]:
        async with waiting() as world:
            values = quote(hostile)
            return [
                await world.ask(f"/callback?error_description={values}&state={values}"),
                await world.ask(f"/{values}?x={values}"),
                await world.ask("/" + hostile.replace(" ", "")),
            ]

    for answer in await main():
        assert b"alert" not in answer.body


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/callback?error=access_denied", "it carried no state (error=access_denied)"),
        (f"/callback?code={CODE}", "it carried no state"),
        ("/callback?code=x&state=other", "it carried another state"),
        (f"/callback?code=%ff&state={STATE}", "it could not be read"),
    ],
)
async def test_answer_that_is_turned_away_is_told(target: str, told: str) -> None:
    """Otherwise a person who has approved waits in vain, and never learns why."""
    async with waiting() as world:
        await turned_away(world, await world.ask(target), 400)
        seen = [str(event) for event in world.told(CallbackTurnedAway)]

    assert seen == [told]


async def test_what_never_was_an_answer_is_told_of_nobody() -> None:
    """A favicon or a look at another path is nothing that a person could mend."""
    async with waiting() as world:
        await world.ask("/favicon.ico")
        await world.ask("/")
        seen = world.told(CallbackTurnedAway)

    assert seen == []


@pytest.mark.parametrize("mode", ["query", "form_post", "fragment"])
async def test_page_without_an_answer_says_so_to_both(mode: ResponseMode) -> None:
    """A server that loses the answer on the way leaves person and terminal with nothing to go by."""
    async with waiting(mode=mode) as world:
        page = await world.ask("/callback", headers=NAVIGATION)
        path, token = (_attribute(page, name) for name in ("data-relay", "data-token"))
        origin = ("Origin", f"http://{world.bound.authority}")
        relayed = (FORM_TYPE, origin, ("X-Loopback-Relay", token), ("Content-Length", "0"))
        answer = await world.ask(path, method="POST", headers=relayed)
        seen = answer.status, [str(event) for event in world.told(CallbackTurnedAway)]

    assert seen == (400, ["it carried no answer"])


@pytest.mark.parametrize("mode", ["query", "form_post"])
async def test_answer_in_the_fragment_arrives_unasked(mode: ResponseMode) -> None:
    """Some servers list form_post and answer by fragment; what that means is judged later, but not never."""
    async with waiting(mode=mode) as world:
        page = await world.ask("/callback", headers=NAVIGATION)
        path, token = (_attribute(page, name) for name in ("data-relay", "data-token"))
        ours = (FORM_TYPE, ("Origin", f"http://{world.bound.authority}"), ("X-Loopback-Relay", token))
        visit = asyncio.create_task(world.ask(path, method="POST", headers=ours, body=GOOD_FORM))
        callback = await world.receive()
        await world.receiver.finish(DONE)
        status = callback.via, (await visit).status

    assert status == ("relay", 200)


@pytest.mark.parametrize(("outcome", "status"), [(200, 200), (400, 400)])
async def test_fragment_is_relayed_by_a_page_of_ours(outcome: int, status: int) -> None:
    """No request carries a fragment; our page posts it, and turns into the page of how it ended."""
    async with waiting(mode="fragment") as world:
        page = await world.ask("/callback", headers=NAVIGATION)
        assert page.status == 200
        check_harmless(page)
        path, token = (_attribute(page, name) for name in ("data-relay", "data-token"))
        ours = (FORM_TYPE, ("Origin", f"http://{world.bound.authority}"), ("X-Loopback-Relay", token))
        body = f"access_token={CODE}&token_type=bearer&state={STATE}".encode()
        forged = [
            await world.ask(path, method="POST", headers=(*ours[:1], *ours[2:]), body=body),
            await world.ask(path, method="POST", headers=ours[:2], body=body),
            await world.ask(path, method="POST", headers=(ours[0], ("Origin", "null"), ours[2]), body=body),
        ]
        assert [answer.status for answer in forged] == [403, 403, 403]
        visit = asyncio.create_task(world.ask(path, method="POST", headers=ours, body=body))
        callback = await world.receive()
        await world.receiver.finish(HttpResponse(outcome, (), b"the end"))
        via, answer, ignored = (
            callback.via,
            await visit,
            [event for event in world.events if isinstance(event, RequestIgnored)],
        )

    assert (via, answer.status, len(ignored)) == ("relay", status, 3)


def _attribute(page: Answer, name: str) -> str:
    return page.body.decode().partition(f'{name}="')[2].partition('"')[0]


async def test_opening_that_is_cancelled_leaves_the_next_receiver_alone() -> None:
    """The event loop must forget the socket, or it never hears the next one with that file number."""

    async def open_one() -> None:
        async with waiting():
            pytest.fail("it was cancelled before it was open")

    opening = asyncio.create_task(open_one())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with waiting() as world:
        answer = await asyncio.wait_for(world.ask("/"), SOON)

    assert answer.status == 404
