"""The driver: what it tells, what it never tells, and in which order it lets things happen."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from patience import SOON
from raw_http import CODE, GOOD, STATE, Answer, exchange, request_for

from loopback_auth.authorization_messages import Callback
from loopback_auth.effects import Bind, Browse, Flow, Now, Receive, Sleep, Warn
from loopback_auth.errors import (
    BrowserUnavailable,
    ConfigError,
    LoopbackAuthError,
    MalformedResponse,
    TokenError,
)
from loopback_auth.events import CallbackReceived, Event, Exchanged, LinkReady, OpenerFailed, Warned
from loopback_auth.http_messages import Stamp
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.network.loopback import bind
from loopback_auth.signin import session
from loopback_auth.signin.browsers import watch
from loopback_auth.signin.driver import Driver, new_attempt
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.signin.resources import Resources

SECRET = "client+secret/canary 0123456789"
ACCESS, REFRESH = "access-canary-0123456789abcdef", "1//refresh/canary+0123456789"


async def visit(port: int, target: str) -> Answer:
    """Ask the receiver for something, as a browser would."""
    data = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    return await exchange(port, data.encode())


async def test_callback_that_comes_before_the_flow_waits_for_it_is_kept() -> None:
    """A server that knows the person redirects at once, while the flow still fetches the server's keys."""
    bound = bind("127.0.0.1", (0,), "/callback")
    request = request_for(bound)
    arrived = asyncio.Event()

    def leave() -> Flow[None]:
        yield from Bind(Redirect())
        yield from Browse(request.url, request)

    def wait() -> Flow[Callback]:
        return (yield from Receive(request))

    def notify(event: Event) -> None:
        if isinstance(event, CallbackReceived):
            arrived.set()

    async with asyncio.timeout(SOON), Resources(notify=notify, bound=bound) as resources:
        await Driver(resources).run(leave())
        early = asyncio.create_task(visit(bound.port, GOOD))
        await arrived.wait()
        callback = await Driver(resources).run(wait())
        early.cancel()
        with suppress(asyncio.CancelledError):
            await early

    assert dict(callback.parameters)["code"] == CODE


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "-a", "https://x/ y", "https://x/\r\nz"]
)
async def test_hostile_address_is_refused_before_anything_opens_it(url: str) -> None:
    """Without a start page the URL of a server goes straight to a program on this machine (CVE-2025-6514)."""
    opened: list[str] = []

    def flow() -> Flow[None]:
        yield from Bind(Redirect())
        yield from Browse(url)

    def open_browser(seen: str) -> Opening:
        opened.append(seen)
        return Opening()

    async with Resources(open_browser=open_browser, start_page=False) as resources:
        with pytest.raises(ConfigError):
            await Driver(resources).run(flow())

    assert opened == []


@pytest.mark.parametrize("start_page", [True, False])
async def test_what_is_opened_is_our_page_or_the_servers(start_page: bool) -> None:
    """With a start page the state stays out of the process list."""
    opened: list[str] = []

    def flow() -> Flow[str]:
        redirect_uri = yield from Bind(Redirect())
        yield from Browse(f"https://as.example/authorize?state={STATE}")
        return redirect_uri

    def open_browser(seen: str) -> Opening:
        opened.append(seen)
        return Opening()

    async with Resources(open_browser=open_browser, start_page=start_page) as resources:
        redirect_uri = await Driver(resources).run(flow())

    assert len(opened) == 1
    assert (STATE in opened[0]) is not start_page
    assert opened[0].startswith(redirect_uri.removesuffix("callback")) is start_page


async def test_browsing_without_a_redirect_uri_is_one_of_our_errors() -> None:
    """A flow that is put together wrongly must not end in an AttributeError."""

    def flow() -> Flow[None]:
        yield from Browse("https://as.example/")

    async with Resources() as resources:
        with pytest.raises(BrowserUnavailable):
            await Driver(resources).run(flow())


async def test_warnings_and_time_reach_the_flow_and_the_watcher() -> None:
    """The clock comes into a flow through the driver alone."""
    events: list[Event] = []

    def flow() -> Flow[float]:
        yield from Warn("careful")
        moment = yield from Sleep(0)
        return moment.wall

    async with Resources(notify=events.append, exchanges=True) as resources:
        seen = await Driver(resources).run(flow())

    assert seen > 1_700_000_000
    assert events == [Warned("careful")]


async def test_an_identifier_is_never_given_twice() -> None:
    """A proof that repeats one is refused as a replay (RFC 9449 §11.1)."""

    def flow() -> Flow[list[Stamp]]:
        return [(yield from Now()), (yield from Now())]

    async with Resources() as resources:
        one, other = await Driver(resources).run(flow())

    assert one.unique != other.unique
    assert len(one.unique) >= 22
    assert 1_700_000_000 < one.wall <= other.wall


class Failing(Opening):
    """An opener whose end comes when the test says so."""

    def watch(self, failed: Callable[[int], object]) -> None:
        """Keep the callback."""
        self.failed = failed


async def test_failing_opener_is_told_while_it_matters() -> None:
    """The exit status of a browser that is closed hours later is nobody's business."""
    events: list[Event] = []
    opening = Failing(program="browser")

    def flow() -> Flow[None]:
        yield from Bind(Redirect())
        opening.failed(3)
        yield from Sleep(0)

    async with Resources(notify=events.append, open_browser=lambda _url: opening) as resources:
        await Driver(resources).run(flow())
    opening.failed(4)
    await asyncio.sleep(0)
    opening.failed(5)

    assert [event for event in events if isinstance(event, OpenerFailed)] == [OpenerFailed("browser", 3)]


async def test_watching_outlives_the_loop() -> None:
    """The thread that waits for the opener may find the loop closed."""
    opening = Failing(program="browser")

    watch(opening, lambda _event: None)
    opening.failed(1)


def test_randomness_is_independent() -> None:
    """A verifier that is also the state would travel through the browser (RFC 9700 §2.1.1)."""
    first, second = new_attempt(), new_attempt()
    values = {
        getattr(attempt, name) for attempt in (first, second) for name in ("state", "code_verifier", "nonce")
    }

    assert len(values) == 6
    assert len(first.code_verifier) == 43
    assert not any(value in repr(first) for value in values)


# What follows signs in for real, with a server that throws everything it gets back at us.


@dataclass
class Seen:
    """All that a token request contained, and all that our side said."""

    form: dict[str, str] = field(default_factory=dict)
    authorization: str = ""
    state: str = ""
    events: list[Event] = field(default_factory=list)
    page: bytes = b""

    @property
    def everything(self) -> str:
        """Spell all secrets out in a row."""
        return " ".join([*self.form.values(), self.authorization, self.state, SECRET])


Reply = Callable[[Seen], tuple[str, str, bytes]]


def refusal(description: Callable[[Seen], str], *, error: str = "invalid_grant") -> Reply:
    """Refuse as RFC 6749 §5.2 has it, with these words."""

    def reply(seen: Seen) -> tuple[str, str, bytes]:
        document = {"error": error, "error_description": description(seen), "error_uri": description(seen)}
        return "400 No", "application/json", json.dumps(document).encode()

    return reply


def escaped(seen: Seen) -> tuple[str, str, bytes]:
    """Refuse in JSON whose slashes are escaped, as PHP writes them."""
    body = json.dumps({"error": "x", "error_description": seen.everything}).replace("/", "\\/")
    return "400 No", "application/json", body.encode()


def granted(_seen: Seen) -> tuple[str, str, bytes]:
    """Grant tokens."""
    document = {"access_token": ACCESS, "refresh_token": REFRESH, "token_type": "Bearer", "expires_in": 60}
    return "200 OK", "application/json", json.dumps(document).replace("/", "\\/").encode()


REPLIES: dict[str, Reply] = {
    "success": granted,
    "a refusal that quotes": refusal(lambda seen: seen.everything),
    "a quotation in base64": refusal(lambda seen: base64.b64encode(seen.everything.encode()).decode()),
    "a quotation in an address": refusal(lambda seen: "https://as.example/?" + urlencode(seen.form)),
    "a quotation cut in the middle": refusal(lambda seen: "x" * 480 + seen.form["code_verifier"]),
    "the code as error": refusal(lambda seen: "", error=CODE),
    "escaped": escaped,
    "a page": lambda seen: ("200 OK", "text/html", seen.everything.encode()),
    "a broken document": lambda seen: ("200 OK", "application/json", b"{" + seen.everything.encode()),
    "an odd content type": lambda seen: ("200 OK", "text/" + seen.form["code"], b""),
    "an odd token type": lambda seen: (
        "200 OK",
        "application/json",
        json.dumps({"access_token": ACCESS, "token_type": seen.form["code"]}).encode(),
    ),
    "a server error": lambda seen: ("500 " + seen.form["code"], "text/plain", seen.everything.encode()),
    "a redirect": lambda seen: ("307 There\r\nLocation: /?" + urlencode(seen.form), "text/plain", b""),
    "no HTTP": lambda seen: (seen.form["code"], "text/plain", seen.everything.encode()),
}


@asynccontextmanager
async def token_endpoint(reply: Reply, seen: Seen) -> AsyncIterator[str]:
    """Serve a token endpoint that knows what it was told."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.partition(": ")[::2] for line in head.split("\r\n")[1:])
        body = await reader.readexactly(int(headers["Content-Length"]))
        seen.form = dict(parse_qsl(body.decode()))
        seen.authorization = headers.get("Authorization", "")
        status, kind, answer = reply(seen)
        first, _, more = status.partition("\r\n")
        lines = [f"HTTP/1.1 {first}", *more.splitlines(), f"Content-Type: {kind}", "Connection: close"]
        lines += [f"Content-Length: {len(answer)}", "", ""]
        writer.write("\r\n".join(lines).encode() + answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/token"
        if seen.form:
            await ended.wait()


def sign_in(reply: Reply, callback: Callable[[str], str], seen: Seen) -> LoopbackAuthError | None:
    """Sign in with a browser that comes straight back with a callback; return how it ended."""
    visits: list[asyncio.Task[Answer]] = []

    def come_back(url: str) -> Opening:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        seen.state = query["state"]
        port = urlsplit(query["redirect_uri"]).port
        assert port is not None
        visits.append(asyncio.create_task(visit(port, f"/callback?{callback(seen.state)}")))
        return Opening(program="a browser")

    async def main() -> LoopbackAuthError | None:
        async with asyncio.timeout(SOON), token_endpoint(reply, seen) as url:
            metadata = ServerMetadata(
                authorization_endpoint="https://as.example/authorize", token_endpoint=url
            )
            client = ClientConfig(
                Provider("demo", metadata, client_auth="client_secret_basic"),
                "client",
                SECRET,
                scope="profile",
            )
            try:
                await session.sign_in(
                    client,
                    planned(client, opener=True),
                    notify=seen.events.append,
                    open_browser=come_back,
                    start_page=False,
                    exchanges=True,
                )
            except LoopbackAuthError as exc:
                return exc
            finally:
                seen.page = (await visits[0]).body
            return None

    return asyncio.run(main(), debug=True)


def spellings(secret: str) -> set[str]:
    """Spell a secret in every way that is to be looked for, and its first half, as cutting would leave it."""
    encoded = base64.b64encode(secret.encode()).decode()
    half = secret[: len(secret) // 2]
    return {secret, quote(secret, safe=""), encoded.rstrip("="), half, json.dumps(secret)[1:-1]}


def check_silent(seen: Seen, error: LoopbackAuthError | None, logged: str) -> None:
    """Look for every secret in everything that our side said."""
    said = [logged, seen.page.decode()]
    for event in seen.events:
        said.append(repr(event))
        if isinstance(event, Exchanged):
            said += [event.url, event.request, event.response]
        elif not isinstance(event, LinkReady):  # The one link that the person is to open.
            said += [str(getattr(event, name)) for name in getattr(event, "__slots__", ())]
    if error is not None:
        said += [str(error), repr(error), repr(error.args), error.hint, repr(vars(error))]
        said += traceback.format_exception(error)
    text = "\n".join(said)
    secrets = [seen.state, CODE, SECRET, ACCESS, REFRESH, seen.form.get("code_verifier", seen.state)]
    for secret in secrets:
        for spelling in spellings(secret):
            assert spelling not in text


@pytest.mark.slow
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_no_secret_is_ever_told(
    reply: Reply, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Logs, errors, events and pages are pasted into bug reports; a server may put anything into them."""
    caplog.set_level(logging.DEBUG)
    seen = Seen()

    error = sign_in(reply, lambda state: urlencode({"code": CODE, "state": state}), seen)

    assert (error is None) is (reply is granted)
    assert seen.form["code"] == CODE
    assert [event for event in seen.events if isinstance(event, CallbackReceived)]
    check_silent(seen, error, caplog.text + "".join(capfd.readouterr()))


@pytest.mark.parametrize("cut", ["", "x" * 490], ids=["whole", "cut in the middle"])
def test_no_secret_is_told_by_a_refusal_in_the_browser(cut: str, caplog: pytest.LogCaptureFixture) -> None:
    """An authorization error response may quote the request that it refuses."""
    caplog.set_level(logging.DEBUG)
    seen = Seen()

    error = sign_in(
        granted,
        lambda state: urlencode(
            {"error": "server_error", "error_description": f"{cut}{state} was odd", "state": state}
        ),
        seen,
    )

    assert error is not None
    check_silent(seen, error, caplog.text)


def test_error_code_survives_redaction() -> None:
    """Programs act on it; a server that repeats it under another name must not make it a secret."""

    def reply(_seen: Seen) -> tuple[str, str, bytes]:
        body = json.dumps({"error": "invalid_grant", "code": "invalid_grant"})
        return "400 No", "application/json", body.encode()

    error = sign_in(reply, lambda state: urlencode({"code": CODE, "state": state}), Seen())

    assert isinstance(error, TokenError)
    assert error.error == "invalid_grant"


def test_exchange_is_told_with_labels() -> None:
    """A reader can follow the code from the redirect to the token request without seeing it."""
    seen = Seen()
    sign_in(granted, lambda state: urlencode({"code": CODE, "state": state}), seen)
    (told,) = (event for event in seen.events if isinstance(event, Exchanged))

    assert (told.step, told.method, told.status) == ("token request", "POST", 200)
    assert "code=<code#1>" in told.request
    assert "<access_token#1>" in told.response
    assert told.seconds >= 0


async def test_an_error_leaves_the_locals_behind_that_hold_tokens() -> None:
    """Reporters of errors write down the locals of every frame, and a refused answer has tokens in them."""

    def flow() -> Flow[None]:
        secret = "access-token-in-a-local"
        try:
            yield from Warn("so that it is one")
            raise ValueError(secret)
        except ValueError as exc:
            raise MalformedResponse("it cannot be read", source="RFC 6749 §5.1") from exc

    async with Resources() as resources:
        with pytest.raises(MalformedResponse) as refused:
            await Driver(resources).run(flow())
    told = "".join(traceback.TracebackException.from_exception(refused.value, capture_locals=True).format())

    assert "access-token-in-a-local" not in told
    # Neither where somebody looks behind `from None`: it holds the document that could not be read.
    assert refused.value.__context__ is None
