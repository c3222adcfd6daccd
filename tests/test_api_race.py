"""Flows side by side on real sockets: who wins, what is given up, and what ends everything."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from demo_client import client
from patience import SOON

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.demo.agent import Decision, browse
from loopback_auth.demo.serve import Demo, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.effects import Send
from loopback_auth.errors import (
    AuthorizationError,
    LoopbackAuthError,
    NoFlowAvailable,
    RedirectUnavailable,
    Unavailable,
)
from loopback_auth.events import (
    Event,
    LinkReady,
    PasteReady,
    RouteBegan,
    RouteEnded,
    VerificationPrompted,
    silent,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.plan.model import ASKED, AT_ONCE, UNVISITED, YES, Fact, Facts, Place, Plan, Route
from loopback_auth.protocol.paste import Pasted, pasted_callback
from loopback_auth.signin import session
from loopback_auth.signin.controls import Controls
from loopback_auth.signin.resources import Resources
from loopback_auth.tokens import SignIn

AT_LAST = 60.0
"""Seconds that no test waits."""
Code = Route("code", AT_ONCE, "The browser reaches this machine.")
Ticket = Route("ticket", UNVISITED, "It works in any browser.")
Device = Route("device", UNVISITED, "It works on any device.")
Pasting = Route("paste", UNVISITED, "It works in any browser.")


def plan(*routes: Route, patience: float = AT_LAST, opens: bool = True) -> Plan:
    """Make a plan of just these routes."""
    yes = Fact(YES, "It is a test.")
    return Plan(
        place=Place("test", "a test"),
        facts=Facts(opens=yes, reaches=yes, person=yes, waits=yes),
        routes=routes,
        refused={},
        opens=opens,
        why_not="" if opens else "nobody wants one",
        patience=patience,
    )


def at_once(route: Route) -> Route:
    """Let a route begin with the others."""
    return Route(route.flow, AT_ONCE, route.why)


class Recording(DemoServer):
    """A demo server that may be polled quickly, and remembers what it was asked."""

    def __init__(self, issuer: str, refusing: str = "") -> None:
        super().__init__(issuer, entropy=os.urandom, device_interval=1)
        self.paths: list[str] = []
        self.refusing = refusing

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Note where a request went, and answer it."""
        self.paths.append(request.url.partition("?")[0])
        if self.refusing and self.refusing in self.paths[-1]:
            refusal = b'{"error": "unauthorized_client"}'
            return HttpResponse(400, (("Content-Type", "application/json"),), refusal)
        return super().handle(request, now)


class AtTerminal(SimulatedUser):
    """A person who sees the events, and follows the links of one kind."""

    def __init__(self, *, clicks: type[Event] | None = None, decision: Decision = "approve") -> None:
        super().__init__(decision)
        self.events: list[Event] = []
        self.controls = Controls()
        self.on: Callable[[Event], None] = lambda _: None
        self._clicks = clicks

    def notify(self, event: Event) -> None:
        """Look at what is shown, and do what there is to do."""
        self.events.append(event)
        self.on(event)
        if self._clicks is not None and isinstance(event, self._clicks):
            if isinstance(event, VerificationPrompted):
                self.visit(event.url, user_code=event.user_code)
            elif isinstance(event, LinkReady):
                self.visit(event.url)

    def saw(self, kind: type[Event]) -> list[Event]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


def lost(_: str) -> Opening:
    """Be an opener of browsers that reach nobody."""
    return Opening(program="browser elsewhere")


@asynccontextmanager
async def serving(refusing: str = "") -> AsyncIterator[tuple[Demo, Recording]]:
    """Serve a demo server that remembers."""
    made: list[Recording] = []

    def factory(issuer: str) -> Recording:
        made.append(Recording(issuer, refusing))
        return made[0]

    async with serve_demo(server_factory=factory) as demo, asyncio.timeout(SOON):
        yield demo, made[0]


async def race(
    chosen: Plan,
    user: AtTerminal,
    *,
    opener: Callable[[str], Opening] | None = None,
    change: Callable[[ClientConfig], ClientConfig] = lambda one: one,
) -> tuple[SignIn, list[str]]:
    """Sign in by a plan; return what came of it, and where requests went at the server."""

    async def nobody(_: AuthorizationRequest) -> Callback:
        raise Unavailable("There is nobody to ask.")

    async with serving() as (demo, server):
        try:
            sign_in = await session.sign_in(
                change(client(demo.issuer)),
                chosen,
                open_browser=opener or user.open,
                notify=user.notify,
                controls=user.controls,
                paste=nobody,
            )
        finally:
            await user.done()
        return sign_in, server.paths


def began(user: AtTerminal) -> list[tuple[str, str]]:
    """Return the routes that joined, and why."""
    return [(event.flow, event.why) for event in user.events if isinstance(event, RouteBegan)]


async def test_redirect_wins_and_nothing_else_was_asked_for() -> None:
    """Whoever gets there by redirect costs the server no ticket and no device code."""
    user = AtTerminal()
    sign_in, paths = await race(plan(Code, Ticket, Device), user)

    assert (sign_in.flow, sign_in.reason) == ("code", Code.why)
    assert began(user) == []
    assert [path for path in paths if "ticket" in path or "device" in path] == []


@pytest.mark.slow
@pytest.mark.parametrize("route", [Ticket, Device], ids=lambda route: route.flow)
async def test_nobody_comes_so_another_way_opens_and_wins(route: Route) -> None:
    """A browser that cannot reach us says nothing; its silence is what we learn from."""
    user = AtTerminal(clicks=VerificationPrompted)
    sign_in, _ = await race(plan(Code, route, patience=0.05), user, opener=lost)

    why = "No browser has come to the link within 0.05 seconds."

    assert (sign_in.flow, sign_in.reason) == (route.flow, why)
    assert began(user) == [(route.flow, why)]


@pytest.mark.slow
async def test_failed_opener_opens_another_way_at_once() -> None:
    """The opener's exit status is known long before any patience is over (xdg-open ends with 3)."""
    user = AtTerminal(clicks=VerificationPrompted)

    def fails(_: str) -> Opening:
        class Failing(Opening):
            __slots__ = ()

            def watch(self, failed: Callable[[int], object]) -> None:
                failed(3)

        return Failing(program="xdg-open")

    sign_in, _ = await race(plan(Code, Device), user, opener=fails)

    assert sign_in.flow == "device"
    assert began(user) == [("device", "The browser did not open (xdg-open ended with 3).")]


@pytest.mark.slow
async def test_port_that_is_taken_brings_another_way() -> None:
    """A registered port may be busy; only that flow needs it."""
    user = AtTerminal(clicks=VerificationPrompted)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]

        def fixed(one: ClientConfig) -> ClientConfig:
            return replace(one, provider=replace(one.provider, redirect=Redirect(ports=(port,))))

        sign_in, _ = await race(plan(Code, Device), user, opener=lost, change=fixed)

    assert sign_in.flow == "device"
    assert [event.flow for event in user.events if isinstance(event, RouteEnded)] == ["code"]


@pytest.mark.slow
async def test_flow_that_the_server_does_not_have_brings_the_next() -> None:
    """What metadata does not name is only found out by asking."""
    user = AtTerminal(clicks=VerificationPrompted)

    def without_tickets(one: ClientConfig) -> ClientConfig:
        return replace(one, provider=replace(one.provider, ticket=None))

    sign_in, _ = await race(
        plan(Code, Ticket, Device, patience=0.05), user, opener=lost, change=without_tickets
    )

    assert sign_in.flow == "device"
    assert {flow for flow, _ in began(user)} == {"ticket", "device"}


async def test_grant_that_the_client_may_not_use_leaves_the_others_open() -> None:
    """Nobody was asked anything yet, so nobody's "no" is passed over (RFC 8628 §3.2, RFC 6749 §5.2)."""
    user = AtTerminal(clicks=LinkReady)

    async with serving("/device_authorization") as (demo, _):
        sign_in = await session.sign_in(
            client(demo.issuer),
            plan(at_once(Device), Code),
            open_browser=lost,
            notify=user.notify,
        )
        await user.done()

    assert sign_in.flow == "code"
    assert [event.flow for event in user.events if isinstance(event, RouteEnded)] == ["device"]


async def test_pasted_address_wins_beside_a_redirect() -> None:
    """The browser ends on an address that it cannot open; that address is all that is needed."""
    user = AtTerminal()
    links: list[str] = []
    user.on = lambda event: links.append(event.url) if isinstance(event, PasteReady) else None

    async with serving() as (demo, server):

        async def pastes(request: AuthorizationRequest) -> Callback:
            browser = browse(links[0])
            step = next(browser)
            while not step.url.startswith(request.redirect_uri):
                step = browser.send(server.handle(step, time.time()))
            answer = pasted_callback(step.url, request)
            assert isinstance(answer, Pasted)
            return answer.callback

        sign_in = await session.sign_in(
            client(demo.issuer),
            plan(Code, Pasting, patience=0.05),
            open_browser=lost,
            notify=user.notify,
            paste=pastes,
        )
        paths = server.paths

    assert sign_in.flow == "paste"
    known = [path for path in paths if "well-known" in path]
    assert len(known) == len(set(known)) > 0


async def test_two_flows_that_want_metadata_at_a_time_ask_once() -> None:
    """The second one begins before the server has answered the first one."""
    async with serving() as (demo, server), Resources() as resources:
        request = HttpRequest("GET", f"{demo.issuer}/.well-known/oauth-authorization-server")
        send = Send(request, step="metadata request")
        one, other = await asyncio.gather(resources.send(send), resources.send(send))
        paths = server.paths

    assert one == other
    assert len(paths) == 1


async def test_refusal_ends_the_sign_in_and_no_other_way_is_tried() -> None:
    """To go on by device after a "no" would be a downgrade that nobody asked for."""
    user = AtTerminal(decision="deny")

    with pytest.raises(AuthorizationError, match="access_denied"):
        await race(plan(Code, Device), user)

    assert began(user) == []


@pytest.mark.slow
async def test_person_begins_a_flow_by_hand() -> None:
    """Nobody has to wait for our patience to be over."""
    user = AtTerminal(clicks=VerificationPrompted)

    def press(event: Event) -> None:
        if isinstance(event, LinkReady):
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, lambda: user.controls.begin("device"))

    user.on = press
    sign_in, _ = await race(plan(Code, Route("device", ASKED, "It works on any device.")), user, opener=lost)

    assert sign_in.flow == "device"
    assert began(user) == [("device", "You asked for it.")]


async def test_all_that_is_left_says_why_of_each() -> None:
    """Three half sentences in a row help nobody; one list does."""
    user = AtTerminal()

    def nothing(one: ClientConfig) -> ClientConfig:
        metadata = ServerMetadata(
            authorization_endpoint="https://as.example/a", token_endpoint="https://as.example/t"
        )
        return replace(one, provider=Provider("demo", metadata))

    with pytest.raises(NoFlowAvailable) as caught:
        await race(plan(at_once(Ticket), at_once(Device)), user, opener=lost, change=nothing)

    assert set(caught.value.reasons) == {"ticket", "device"}


async def test_remedies_are_kept_when_nothing_is_left() -> None:
    """A port that is taken can be changed, although a ticket could not be had either."""
    user = AtTerminal()

    def busy(one: ClientConfig) -> ClientConfig:
        known = replace(one.provider, ticket=None, redirect=Redirect(ports=(listening.getsockname()[1],)))
        return replace(one, provider=known)

    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(NoFlowAvailable) as caught:
        await race(plan(at_once(Code), at_once(Ticket)), user, opener=lost, change=busy)

    assert caught.value.parameter == "ports flow"


async def test_only_route_fails_with_its_own_error() -> None:
    """A list of one would only be in the way."""

    def busy(one: ClientConfig) -> ClientConfig:
        return replace(one, provider=replace(one.provider, redirect=Redirect(ports=(1,))))

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        def fixed(one: ClientConfig) -> ClientConfig:
            return replace(one, provider=replace(one.provider, redirect=Redirect(ports=(port,))))

        with pytest.raises(RedirectUnavailable):
            await race(plan(Code), AtTerminal(), change=fixed)


async def test_redirect_follows_a_port_that_was_forwarded_under_another_number() -> None:
    """`ssh -L 9000:127.0.0.1:43210`: the browser knows us as 9000, and only there does it come back."""
    user = AtTerminal()
    async with serving() as (demo, server), forwarded() as forward:

        def opens(url: str) -> Opening:
            return user.open(forward(url))

        sign_in = await session.sign_in(
            client(demo.issuer), plan(Code), open_browser=opens, notify=user.notify
        )
        await user.done()
        _ = server.paths

    assert sign_in.flow == "code"


@asynccontextmanager
async def forwarded() -> AsyncIterator[Callable[[str], str]]:
    """Forward a port of its own to whatever port the next link names; gives the way to rewrite a link."""
    target: list[int] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target[0])

        async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while piece := await source.read(65536):
                    sink.write(piece)
                    await sink.drain()
            except ConnectionError:
                pass
            finally:
                sink.close()

        await asyncio.gather(pipe(reader, back), pipe(there, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def rewrite(url: str) -> str:
        own = url.partition("://")[2].partition("/")[0]
        target.append(int(own.rpartition(":")[2]))
        return url.replace(own, f"127.0.0.1:{port}")

    async with server:
        yield rewrite


@pytest.mark.slow
@pytest.mark.parametrize("flow", ["code", "device"])
async def test_losers_leave_nothing_behind(flow: str) -> None:
    """Tasks, sockets and polls of whoever lost end with the race."""
    before: set[asyncio.Task[object]] = set()
    user = AtTerminal(clicks=LinkReady if flow == "code" else VerificationPrompted)

    async with serving() as (demo, _):
        before.update(asyncio.all_tasks())
        sign_in = await session.sign_in(
            client(demo.issuer),
            plan(Code, at_once(Device)),
            open_browser=lost,
            notify=user.notify,
        )
        await user.done()
        won, left = sign_in.flow, asyncio.all_tasks() - before

    assert won == flow
    assert {task for task in left if not task.done() and "demo" not in repr(task)} == set()


async def test_unexpected_error_ends_the_race() -> None:
    """A fault of ours must not leave anybody waiting."""

    async def broken(_: AuthorizationRequest) -> Callback:
        raise ZeroDivisionError

    async with serving() as (demo, _):
        with pytest.raises(ZeroDivisionError):
            await session.sign_in(
                client(demo.issuer), plan(at_once(Pasting)), open_browser=lost, notify=silent, paste=broken
            )


async def test_opener_that_fails_leaves_the_link() -> None:
    """The link is shown as well, and who follows it signs in."""
    user = AtTerminal(clicks=LinkReady)
    reported: list[object] = []

    def broken(_: str) -> Opening:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        raise ZeroDivisionError

    sign_in, _ = await race(plan(Code), user, opener=broken)

    assert sign_in.flow == "code"
    assert len(reported) == 1


def test_error_of_ours_is_one_of_ours() -> None:
    """`except LoopbackAuthError` catches the race's own error too."""
    assert issubclass(NoFlowAvailable, LoopbackAuthError)
