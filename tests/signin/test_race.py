"""Evidence and failures in a race whose flows do nothing: what is begun, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from patience import SOON

from loopback_auth.errors import (
    AttemptExpired,
    DeviceError,
    LoopbackAuthError,
    MalformedResponse,
    RedirectUnavailable,
    TicketError,
    TransportError,
)
from loopback_auth.events import (
    CallbackReceived,
    Event,
    HttpsTried,
    LinkOpened,
    LinkOpenedTwice,
    OpenerFailed,
    RouteBegan,
    RouteEnded,
    VerificationPrompted,
)
from loopback_auth.flows.catalog import FlowOptions
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.plan.model import ASKED, AT_ONCE, UNVISITED, YES, Fact, Facts, Place, Plan, Route
from loopback_auth.signin.attempt import SignInAttempt
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.race import HTTPS_ONLY, Race
from loopback_auth.signin.resources import Resources
from loopback_auth.tokens import SignIn, TokenSet


def plan(*routes: Route, second_look: float = 60.0, start_page: bool = True, patience: float = 60.0) -> Plan:
    """Return a plan of some routes."""
    return Plan(
        place=Place("test", "a test"),
        facts=Facts(opens=Fact(YES), reaches=Fact(YES), person=Fact(YES), waits=Fact(YES)),
        routes=routes,
        refused={},
        opens=True,
        start_page=start_page,
        patience=patience if start_page else 0.0,
        second_look=second_look,
    )


CODE = Route("code", AT_ONCE, "The browser reaches this machine.")
PLAN = plan(
    CODE, Route("device", UNVISITED, "It works anywhere, should no browser have come after 60 seconds.")
)
DONE = SignIn("as", "x", "none", ServerMetadata(), "", TokenSet("token", "Bearer", obtained_at=0.0))
FAILED = OpenerFailed("xdg-open", 3)


async def raced(
    by_browser: Callable[[], object], *early: Event, chosen: Plan = PLAN
) -> tuple[str, list[Event]]:
    """Race what is approved at once with a browser; return who won, and what was told."""
    told: list[Event] = []

    async def run(flow: str, _: Driver) -> SignIn:
        if flow == "code":
            by_browser()
            await asyncio.Event().wait()
        return DONE

    race = Race(chosen, drive=lambda *_: Driver(Resources()), run=run, notify=told.append, provider="as")
    route, _ = await asyncio.wait_for(race.run(early), SOON)
    return route.flow, told


async def test_browser_that_failed_beforehand_is_evidence_too() -> None:
    """An opener may end while we are still being imported."""
    won, told = await raced(lambda: None, FAILED)

    assert won == "device"
    assert told == [RouteBegan("device", "The browser did not open (xdg-open ended with 3).")]


async def test_browser_that_insists_on_https_is_not_said_not_to_have_come() -> None:
    """It has come, and could not be answered."""
    impatient = plan(CODE, PLAN.routes[1], patience=0.01)
    won, told = await raced(lambda: None, HttpsTried("127.0.0.1:1"), chosen=impatient)

    assert won == "device"
    assert told == [RouteBegan("device", HTTPS_ONLY)]


async def test_link_that_was_opened_twice_has_its_flow_begun_anew() -> None:
    """What the first visitor was given is worth nothing any more; what our link leads to not goes on."""
    chosen = plan(CODE, Route("device", AT_ONCE, "It works anywhere."))
    runs: list[str] = []

    begun = asyncio.Event()

    async def run(flow: str, driver: Driver) -> SignIn:
        runs.append(flow)
        driver.led = flow == "code"
        if runs.count("code") > 1:
            return DONE
        if len(runs) == 2:
            begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    race = Race(chosen, drive=lambda *_: Driver(Resources()), run=run, notify=lambda _: None, provider="as")
    racing = asyncio.ensure_future(race.run())
    await asyncio.wait_for(begun.wait(), SOON)
    race.evidence(LinkOpenedTwice())
    route, _ = await asyncio.wait_for(racing, SOON)
    assert route.flow == "code"

    assert sorted(runs) == ["code", "code", "device"]


async def test_flow_that_takes_over_does_not_speak_of_waiting() -> None:
    """Why it would have begun is not why it has begun."""
    won, told = await raced(_taken)

    assert won == "device"
    assert told == [RouteEnded("code", "No port is free."), RouteBegan("device", "It takes over.")]


async def test_flow_that_is_open_already_needs_nobody_to_take_over() -> None:
    """A third way at once, with a link and a code of its own, would only confuse."""
    chosen = plan(CODE, Route("ticket", AT_ONCE, "It works anywhere."), Route("device", ASKED, "The same."))
    won, told = await raced(_taken, chosen=chosen)

    assert won == "ticket"
    assert told == [RouteEnded("code", "No port is free.")]


class Answered(Driver):
    """The driver of a flow whose callback is here."""

    answered = True


NOT_BACK = RouteBegan("device", "Your browser went to as and has not come back within 0.01 seconds.")


@pytest.mark.parametrize("early", [(LinkOpened("127.0.0.1:1"),), (LinkOpened(), LinkOpened())])
async def test_browser_that_does_not_come_back_brings_another_way(early: tuple[Event, ...]) -> None:
    """A server that does not know the redirect URI must not redirect (RFC 6749 §4.1.2.1)."""
    won, told = await raced(lambda: None, *early, chosen=plan(CODE, *PLAN.routes[1:], second_look=0.01))

    assert won == "device"
    assert told == [NOT_BACK]


async def test_without_a_page_of_ours_what_does_not_come_back_is_evidence_too() -> None:
    """Nobody's coming can be seen then, so both times have to pass."""
    won, told = await raced(
        lambda: None, chosen=plan(CODE, *PLAN.routes[1:], second_look=0.01, start_page=False)
    )

    assert won == "device"
    assert told == [NOT_BACK]


async def test_visit_of_a_program_without_a_window_is_none() -> None:
    """`xdg-open` falls back to w3m, which prints the page to nobody: the failing opener stays evidence."""
    chosen = plan(CODE, *PLAN.routes[1:], second_look=0.0)
    won, told = await raced(lambda: None, LinkOpened("127.0.0.1:1", "w3m"), FAILED, chosen=chosen)

    assert won == "device"
    assert told == [RouteBegan("device", "The browser did not open (xdg-open ended with 3).")]


@pytest.mark.parametrize("event", [LinkOpened(), CallbackReceived()])
async def test_who_is_back_or_has_nothing_to_paste_is_left_alone(event: Event) -> None:
    """An address to paste is what ends at a redirect; where there is none, there is nothing to paste."""
    told: list[Event] = []
    paste = Route("paste", UNVISITED, "It works anywhere, should no browser have come after 60 seconds.")
    routes = (paste,) if isinstance(event, LinkOpened) else PLAN.routes[1:]

    back = asyncio.Event()

    async def run(flow: str, _: Driver) -> SignIn:
        await back.wait()
        return DONE

    race = Race(
        plan(CODE, *routes, second_look=0.0),
        drive=lambda *_: Answered(Resources()),
        run=run,
        notify=told.append,
        provider="as",
    )
    running = asyncio.ensure_future(race.run([LinkOpened(), event]))
    for _ in range(5):
        await asyncio.sleep(0)
    back.set()
    won, _ = await asyncio.wait_for(running, SOON)
    text = won.flow

    assert text == "code"
    assert told == []


class Asking(Driver):
    """The driver of a flow that has shown the person where to go."""

    def __init__(self) -> None:
        super().__init__(Resources())
        self.asked = True


async def broken_beside_a_redirect(flow: str, error: LoopbackAuthError) -> tuple[str, list[Event]]:
    """Race a redirect that takes a moment with what fails at once; return who won, and what was told."""
    told: list[Event] = []

    async def run(began: str, _: Driver) -> SignIn:
        if began == flow:
            raise error
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return DONE

    race = Race(
        plan(CODE, Route(flow, AT_ONCE, "It works anywhere.")),
        drive=lambda *_: Asking(),
        run=run,
        notify=told.append,
        provider="as",
    )
    route, _ = await asyncio.wait_for(race.run(), SOON)
    await race.close()
    return route.flow, told


@pytest.mark.parametrize(
    ("flow", "error"),
    [
        ("device", MalformedResponse("The answer is no JSON", source="RFC 8628 §3.5")),
        ("device", TransportError("The server has gone.")),
        ("device", DeviceError("invalid_grant")),
        ("device", DeviceError("expired_token")),
        ("ticket", TicketError("exchange_refused")),
        ("ticket", AttemptExpired("The login was not approved within 5 minutes.")),
    ],
)
async def test_what_breaks_beside_a_redirect_leaves_it_open(flow: str, error: LoopbackAuthError) -> None:
    """A server that spells "not yet" in its own way must not end what the person is just doing."""
    assert await broken_beside_a_redirect(flow, error) == ("code", [RouteEnded(flow, error.message)])


@pytest.mark.parametrize(
    ("flow", "error"),
    [
        ("device", DeviceError("access_denied")),
        ("device", DeviceError("authorization_declined")),
        ("ticket", TicketError("denied_or_expired")),
    ],
)
async def test_refusal_beside_a_redirect_ends_it_all(flow: str, error: LoopbackAuthError) -> None:
    """Who has said no on the phone does not want to be asked by the browser."""
    with pytest.raises(type(error)):
        await broken_beside_a_redirect(flow, error)


class Leading(Driver):
    """The driver of a flow that says when the start page is to lead elsewhere."""

    def __init__(self, flow: str, page: list[str]) -> None:
        super().__init__(Resources())
        self.flow, self.page = flow, page
        self.asked = True
        self.led = flow == "ticket"

    def lead(self) -> bool:
        """Write down where the start page leads, if this flow has an address."""
        self.page += [self.flow] if self.flow != "paste" else []
        return self.flow != "paste"

    def lead_nowhere(self) -> None:
        """Write that down too."""
        self.page.append("nowhere")


@pytest.mark.parametrize(("beside", "leads"), [("device", ["device"]), ("paste", ["nowhere"])])
async def test_start_page_leads_to_what_is_still_open(beside: str, leads: list[str]) -> None:
    """The page would have a button to a ticket that has expired."""
    page: list[str] = []

    async def run(flow: str, _: Driver) -> SignIn:
        if flow == "ticket":
            raise AttemptExpired("The login was not approved within 5 minutes.")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return DONE

    race = Race(
        plan(Route("ticket", AT_ONCE, "It works anywhere."), Route(beside, AT_ONCE, "So does this.")),
        drive=lambda flow, _: Leading(flow, page),
        run=run,
        notify=lambda _: None,
        provider="as",
    )
    route, _ = await asyncio.wait_for(race.run(), SOON)
    await race.close()

    assert (route.flow, page) == (beside, leads)


@pytest.mark.parametrize(("seconds", "shown"), [(3.0, 3), (900.0, 600), (None, 600)])
async def test_code_is_valid_for_no_longer_than_is_waited(
    seconds: float | None, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the server says: when the person's time is over, nobody asks any more."""
    told: list[Event] = []

    under_way = SignInAttempt(
        ClientConfig(Provider("as", ServerMetadata()), "x"),
        plan(Route("device", AT_ONCE, "It works anywhere.")),
        notify=told.append,
        options=lambda _: FlowOptions(),
        timeout=seconds,
        paste=None,
    )

    async def prompted(*_: object) -> SignIn:
        under_way.tell(VerificationPrompted("https://as.example/d", "WDJB-MJHT", "", 600.0))
        return DONE

    monkeypatch.setattr(Driver, "run", prompted)
    async with Resources() as resources:
        await under_way.run(resources, None)

    assert [round(event.lifetime) for event in told if isinstance(event, VerificationPrompted)] == [shown]


async def test_watcher_that_fails_does_not_end_the_sign_in() -> None:
    """What a person has approved is not lost because a progress display is broken; that is reported."""
    reported: list[dict[str, object]] = []

    def fails(_: Event) -> None:
        raise ZeroDivisionError

    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    async with Notifier(fails) as notifier:
        under_way = SignInAttempt(
            ClientConfig(Provider("as", ServerMetadata()), "x"),
            PLAN,
            notify=notifier.tell,
            options=lambda _: FlowOptions(),
            timeout=None,
            paste=None,
        )
        under_way.tell(FAILED)
        under_way.tell(LinkOpened("127.0.0.1:1"))

    assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]


def _taken() -> None:
    raise RedirectUnavailable("No port is free.")


async def test_browser_that_has_come_did_not_fail() -> None:
    """One that is its own opener may crash an hour later, or end with whatever it likes."""
    told: list[Event] = []

    under_way = SignInAttempt(
        ClientConfig(Provider("as", ServerMetadata()), "x"),
        PLAN,
        notify=told.append,
        options=lambda _: FlowOptions(),
        timeout=None,
        paste=None,
    )
    under_way.tell(LinkOpened("127.0.0.1:1"))
    under_way.tell(FAILED)

    assert told == [LinkOpened("127.0.0.1:1")]
