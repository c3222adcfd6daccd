"""Evidence and failures in a race whose flows do nothing: what is begun, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loopback_auth.errors import RedirectUnavailable
from loopback_auth.flows.catalog import Conditions
from loopback_auth.model import ClientConfig, Provider, ServerMetadata, SignIn, TokenSet
from loopback_auth.plan.nouns import ASKED, AT_ONCE, UNVISITED, YES, Fact, Facts, Place, Plan, Route
from loopback_auth.shell.driver import Driver
from loopback_auth.shell.events import Event, LinkOpened, OpenerFailed, RouteBegan, RouteEnded
from loopback_auth.shell.race import Race
from loopback_auth.shell.underway import UnderWay


def plan(*routes: Route) -> Plan:
    """Return a plan of some routes."""
    return Plan(
        place=Place("test", "a test"),
        facts=Facts(opens=Fact(YES), reaches=Fact(YES), person=Fact(YES), waits=Fact(YES)),
        routes=routes,
        refused={},
        opens=True,
        patience=60.0,
    )


CODE = Route("code", AT_ONCE, "The browser reaches this machine.")
PLAN = plan(
    CODE, Route("device", UNVISITED, "It works anywhere, should no browser have come after 60 seconds.")
)
DONE = SignIn("as", "x", "none", ServerMetadata(), "", TokenSet("token", "Bearer", obtained_at=0.0))
FAILED = OpenerFailed("xdg-open", 3)


def raced(by_browser: Callable[[], object], *early: Event, chosen: Plan = PLAN) -> tuple[str, list[Event]]:
    """Race what is approved at once with a browser; return who won, and what was told."""
    told: list[Event] = []

    async def run(flow: str, _: Driver) -> SignIn:
        if flow == "code":
            by_browser()
            await asyncio.Event().wait()
        return DONE

    async def main() -> str:
        race = Race(chosen, drive=lambda *_: Driver(), run=run, notify=told.append)
        route, _ = await asyncio.wait_for(race.run(early), 10)
        return route.flow

    return asyncio.run(main()), told


def test_browser_that_failed_beforehand_is_evidence_too() -> None:
    """An opener may end while we are still being imported."""
    won, told = raced(lambda: None, FAILED)

    assert won == "device"
    assert told == [RouteBegan("device", "The browser did not open (xdg-open ended with 3).")]


def test_flow_that_takes_over_does_not_speak_of_waiting() -> None:
    """Why it would have begun is not why it has begun."""
    won, told = raced(_taken)

    assert won == "device"
    assert told == [RouteEnded("code", "No port is free."), RouteBegan("device", "It takes over.")]


def test_flow_that_is_open_already_needs_nobody_to_take_over() -> None:
    """A third way at once, with a link and a code of its own, would only confuse."""
    chosen = plan(CODE, Route("ticket", AT_ONCE, "It works anywhere."), Route("device", ASKED, "The same."))
    won, told = raced(_taken, chosen=chosen)

    assert won == "ticket"
    assert told == [RouteEnded("code", "No port is free.")]


def _taken() -> None:
    raise RedirectUnavailable("No port is free.")


def test_browser_that_has_come_did_not_fail() -> None:
    """One that is its own opener may crash an hour later, or end with whatever it likes."""
    told: list[Event] = []

    async def main() -> None:
        under_way = UnderWay(
            ClientConfig(Provider("as", ServerMetadata()), "x"),
            PLAN,
            notify=told.append,
            conditions=Conditions(),
            timeout=None,
            paste=None,
        )
        under_way.tell(LinkOpened("127.0.0.1:1"))
        under_way.tell(FAILED)

    asyncio.run(main())

    assert told == [LinkOpened("127.0.0.1:1")]
