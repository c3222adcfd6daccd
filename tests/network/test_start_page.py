"""The link to our start page: when it is used, who may use it, and what a second opening means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from other_users import NOBODY, asked_by_another, needs_another_user
from patience import SOON
from raw_http import CODE, DONE, STATE, Answer, Waiting, waiting

from loopback_auth.effects import VerificationPrompt
from loopback_auth.events import (
    CallbackReceived,
    CallbackTurnedAway,
    Event,
    LinkOpened,
    LinkOpenedTwice,
    LinkReady,
    LinkRequested,
    OtherUserTurnedAway,
    Warned,
)
from loopback_auth.model import ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.session import _confirmed
from loopback_auth.tokens import SignIn, TokenSet
from loopback_auth.words import Words

BROWSER = (("Accept", "text/html"), ("User-Agent", "Mozilla/5.0"), ("Sec-Fetch-Mode", "navigate"))
THERE = "https://as.example/authorize"
FRESH_STATE = "fresh-state-canary-0123456789"


def opened_by(program: str) -> BoundRedirect:
    """Bind, as if a browser was on its way with the link in its command line."""
    bound = bind("127.0.0.1", (0,), "/callback")
    bound.opening = Opening(program=program)
    return bound


async def visit(world: Waiting, link: str = "") -> Answer:
    """Open a link as a browser does; the first one by default."""
    return await world.ask("/" + (link or world.bound.start_url).rpartition("/")[2], headers=BROWSER)


async def leave_at_once(world: Waiting) -> None:
    """Ask for the start page, and be gone before there is an answer."""
    _, writer = await asyncio.open_connection("127.0.0.1", world.bound.port)
    writer.write(world.message(f"/{world.bound.key}", headers=BROWSER))
    writer.close()
    await writer.wait_closed()


def begun_anew(world: Waiting) -> None:
    """Do what the flow does that begins anew."""
    world.receiver.expect(replace(world.request, state=FRESH_STATE))
    world.receiver.send_browser_to(f"{THERE}?fresh", state=FRESH_STATE)


@pytest.mark.parametrize("known", [False, True], ids=["while we do not know where to", "when we know"])
async def test_link_is_not_used_by_whoever_did_not_take_the_answer(*, known: bool) -> None:
    """A tab that moved to another process, or a scanner: the browser that asks again is as good as before."""
    async with waiting() as world:
        if known:
            world.receiver.send_browser_to(THERE)
        for _ in range(3):
            await leave_at_once(world)
        async with asyncio.timeout(SOON):
            await world.opened.wait()
        coming = asyncio.create_task(visit(world))
        await world.ask("/favicon.ico")
        world.receiver.send_browser_to(THERE)
        kinds = (LinkRequested, LinkOpened, LinkReady, LinkOpenedTwice)
        answer, (asked, opened, renewed, twice) = await coming, [len(world.told(kind)) for kind in kinds]

    assert (answer.status, answer.values("location")) == (302, (THERE,))
    assert asked > 1
    assert (opened, renewed, twice) == (1, 0, 0)


async def test_browser_is_said_to_be_there_when_it_has_its_answer() -> None:
    """Until then it stands on our page, and may give up."""
    async with waiting() as world:
        coming = asyncio.create_task(visit(world))
        await world.opened.wait()
        before = bool(world.told(LinkOpened))
        world.receiver.send_browser_to(THERE)
        await coming
        seen = [before, bool(world.told(LinkOpened))]

    assert seen == [False, True]


async def test_reload_of_our_own_page_is_no_second_opening() -> None:
    """Whoever waits reloads; what they are about to approve must not be withdrawn for that."""
    async with waiting() as world:
        world.receiver.prompt(VerificationPrompt("as", "https://as.example/device", "WDJB-MJHT"))
        page = await visit(world)
        live = page.body.decode().partition('data-live="')[2].partition('"')[0]
        again = await visit(world, live)
        stranger = await world.ask(live, headers=(("Sec-Fetch-Mode", "no-cors"),))
        statuses = [page.status, again.status, stranger.status]
        seen = statuses, again.body == page.body, len(world.told(LinkOpenedTwice))

    assert seen == ([200, 200, 403], True, 0)


async def test_page_of_what_has_expired_turns_into_that_of_what_is_still_open() -> None:
    """Its button led to a ticket that nothing waits for any more; at the end it says that it is over."""
    async with waiting() as world:
        world.receiver.prompt(VerificationPrompt("as", "https://as.example/ticket"))
        page = await visit(world)
        live = page.body.decode().partition('data-live="')[2].partition('"')[0]
        world.receiver.prompt_instead(VerificationPrompt("as", "https://as.example/device", "WDJB-MJHT"))
        instead = (await visit(world, live)).body.decode()
        world.receiver.withdraw_prompt()
        over = (await visit(world, live)).body.decode()

    assert "https://as.example/ticket" in page.body.decode()
    assert "https://as.example/ticket" not in instead
    assert "https://as.example/device" in instead
    assert "WDJB-MJHT" in instead
    assert "https://as.example/device" not in over
    assert "data-live" not in over


async def test_second_opening_withdraws_what_the_first_was_given() -> None:
    """One of the two may be a thief, who has our state and our code challenge by now (RFC 9700 §4.7)."""
    async with waiting() as world:
        world.receiver.send_browser_to(THERE, state=STATE)
        statuses = [(await visit(world)).status for _ in range(2)]
        assert len(world.told(LinkOpenedTwice)) == 1
        statuses.append((await world.ask()).status)
        assert world.told(CallbackReceived) == []
        begun_anew(world)
        (renewed,) = (event.url for event in world.events if isinstance(event, LinkReady))
        fresh = await visit(world, renewed)
        assert fresh.values("location") == (f"{THERE}?fresh",)
        back = asyncio.create_task(world.ask(f"/callback?code={CODE}&state={FRESH_STATE}"))
        await world.ask("/favicon.ico")
        await world.receiver.finish(DONE)
        statuses += [(await back).status, (await world.ask()).status]
        told = [str(event) for event in world.told(CallbackTurnedAway)]

    assert statuses == [302, 410, 410, 200, 410]
    assert told == ["it belonged to a link that is not valid any more"]


async def test_old_link_cannot_withdraw_what_a_fresh_one_led_to() -> None:
    """Whoever has read the first link could otherwise end each sign-in that follows."""
    async with waiting() as world:
        world.receiver.send_browser_to(THERE, state=STATE)
        for _ in range(2):
            await visit(world)
        begun_anew(world)
        links = [event.url for event in world.events if isinstance(event, LinkReady)]
        await visit(world, links[-1])
        for _ in range(3):
            await visit(world)
        count = len(world.told(LinkOpenedTwice))

    assert count == 1


async def test_opening_after_the_answer_casts_doubt_on_it() -> None:
    """A thief may have been faster than the browser; then only the account can tell."""
    async with waiting() as world:
        world.receiver.send_browser_to(THERE, state=STATE)
        await visit(world)
        back = asyncio.create_task(world.ask())
        await world.receive()
        before = world.receiver.start.doubted
        await visit(world)
        after = world.receiver.start.doubted
        await world.receiver.finish(DONE)
        await back
        seen = [before, after]

    assert seen == [False, True]


async def test_links_for_a_program_and_for_the_eye_are_not_the_same() -> None:
    """What is shown in the terminal is in no command line, and what is used is not shown again."""
    async with waiting(bound=opened_by("firefox")) as world:
        world.receiver.send_browser_to(THERE)
        start = world.receiver.start
        assert start.fresh_link(exposed=True) == world.bound.start_url
        assert (await visit(world)).status == 302
        for_a_program = start.fresh_link(exposed=True)
        shown = start.fresh_link(exposed=False)
        assert len({world.bound.start_url, for_a_program, shown}) == 3
        assert start.fresh_link(exposed=False) == shown
        assert (await visit(world, for_a_program)).status == 302
        assert (await visit(world, shown)).status == 302
        assert world.told(LinkOpenedTwice) == []


async def steal(world: Waiting, target: str, *, waits: bool = True) -> Answer:
    """Make a request as another user of this machine."""
    return await asked_by_another(world.bound.port, world.message(target, headers=BROWSER), waits=waits)


@needs_another_user
async def test_another_user_gets_nothing_by_the_link_of_our_browser() -> None:
    """It shows in the process list, and whoever polls that is faster than every browser."""
    async with waiting(bound=opened_by("firefox")) as world:
        world.receiver.send_browser_to(THERE, state=STATE)
        stolen = await steal(world, f"/{world.bound.key}")
        genuine = await visit(world)

    assert (stolen.status, stolen.values("location")) == (403, ())
    assert THERE.encode() not in stolen.body
    assert genuine.status == 302
    assert [event.user for event in world.events if isinstance(event, OtherUserTurnedAway)] == [NOBODY]
    assert world.told(LinkOpenedTwice) == []


@needs_another_user
async def test_another_user_cannot_bring_the_answer_to_a_state_that_they_could_read() -> None:
    """It was in the arguments of a command, so the link need not have been."""
    async with waiting() as world:
        world.receiver.guard(STATE)
        stolen = await steal(world, f"/callback?code=of-the-thief&state={STATE}")
        await world.complete()

    assert stolen.status == 403


@needs_another_user
async def test_another_user_who_opens_a_used_link_is_no_evidence() -> None:
    """Otherwise everybody on the machine could end every sign-in there."""
    async with waiting(bound=opened_by("firefox")) as world:
        world.receiver.send_browser_to(THERE, state=STATE)
        await visit(world)
        await steal(world, f"/{world.bound.key}")
        await world.complete()
        seen = [len(world.told(kind)) for kind in (LinkOpenedTwice, LinkReady)]

    assert seen == [0, 0]


@needs_another_user
@pytest.mark.parametrize("waits", [True, False], ids=["waits for the page", "hangs up at once"])
async def test_another_user_cannot_bring_the_answer_though_they_have_the_state(*, waits: bool) -> None:
    """With it a person would be signed in to the thief's account, and nobody would be asked."""
    async with waiting(bound=opened_by("firefox")) as world:
        world.receiver.send_browser_to(THERE, state=STATE)
        await visit(world)
        target = f"/callback?code=of-the-thief&state={STATE}"
        stolen = await steal(world, target, waits=waits)
        await world.ask("/favicon.ico")
        assert world.told(CallbackReceived) == []
        await world.complete()
        status, told = stolen.status, {str(event) for event in world.told(CallbackTurnedAway)}
    why = {f"it was brought by another user of this machine (user id {NOBODY})"}

    assert status == (403 if waits else 0)
    assert told == why if waits else told <= why


@needs_another_user
async def test_provider_opened_directly_is_guarded_too() -> None:
    """Without our start page the whole request, state and all, is in the command line."""
    async with waiting(start_page=False) as world:
        world.receiver.exposed("firefox", STATE)
        stolen = await steal(world, f"/callback?code=of-the-thief&state={STATE}")
        await world.complete()
        status = stolen.status

    assert status == 403


async def by_a_link_that_was_only_shown(world: Waiting) -> Answer:
    """Open a link that no program was started with."""
    return await steal(world, "/" + world.receiver.start.fresh_link(exposed=False).rpartition("/")[2])


async def by_the_first_link(world: Waiting) -> Answer:
    """Open the link that the browser was started with."""
    return await steal(world, f"/{world.bound.key}")


@needs_another_user
@pytest.mark.parametrize(
    ("opener", "come"),
    [("", by_the_first_link), ("firefox", by_a_link_that_was_only_shown), ("sudo", by_the_first_link)],
)
async def test_whoever_has_a_link_that_nobody_could_read_is_let_in(
    opener: str, come: Callable[[Waiting], Awaitable[Answer]]
) -> None:
    """A port may be forwarded by a daemon of another user, and a browser started as one on purpose."""
    async with waiting(bound=opened_by(opener)) as world:
        world.receiver.send_browser_to(THERE, state=STATE)
        statuses = [(await come(world)).status]
        visit = asyncio.create_task(steal(world, f"/callback?code={CODE}&state={STATE}"))
        await world.receive()
        await world.receiver.finish(DONE)
        seen = [*statuses, (await visit).status]

    assert seen == [302, 200]


async def test_account_is_asked_about_where_the_answer_is_doubted() -> None:
    """Whoever cannot be asked is told at least; nobody is asked about what nothing speaks against."""
    sign_in = SignIn("as", "x", "none", ServerMetadata(), "", TokenSet("t", "Bearer", 0.0), flow="code")
    asked: list[SignIn] = []
    told: list[Event] = []

    def not_mine(shown: SignIn) -> bool:
        asked.append(shown)
        return False

    async with Resources(bound=bind("127.0.0.1", (0,), "/callback")) as resources:
        answers = [await _confirmed(sign_in, not_mine, resources, told.append)]
        resources.own_receiver().start.doubted = True
        answers.append(await _confirmed(sign_in, not_mine, resources, told.append))
        seen = [*answers, await _confirmed(sign_in, None, resources, told.append)]

    assert seen == [True, False, True]
    assert (asked, told) == ([sign_in], [Warned(Words.LINK_OPENED_AFTERWARDS)])
