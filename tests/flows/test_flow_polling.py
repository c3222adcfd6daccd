"""When is asked, when no more, and what becomes of answers that are none: the loop of devices and tickets."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_polls import HTML, JSON, NOT_YET, SLOWER, START, TOKENS, Answer, ScriptedPolls, refuses, says

from loopback_auth.effects import Flow, Send
from loopback_auth.errors import (
    AttemptExpired,
    DeviceError,
    LoopbackAuthError,
    MalformedResponse,
    TransportError,
)
from loopback_auth.flows.polling import SPREAD, poll
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.device import device_token_response
from loopback_auth.protocol.polling import LONGEST_GAP, RETURN_GAP

REQUEST = HttpRequest("POST", "https://as.example/token")
CUT = TransportError("The poll got no answer: connection reset")
PAGE = HttpResponse(200, HTML, b"<h1>Log in to this network</h1>")
DOWN = HttpResponse(503, HTML, b"<h1>Bad gateway</h1>")


def ask() -> Flow[HttpResponse]:
    """Send a poll."""
    return iter(Send(REQUEST, "poll"))


def device(world: ScriptedPolls, *, interval: float = 5.0, lifetime: float = 600.0) -> HttpResponse:
    """Poll as the device grant does."""
    return world.run(poll(ask, device_token_response, interval=interval, lifetime=lifetime))


def ticket(world: ScriptedPolls, *, lifetime: float = 300.0, long_poll: bool = False) -> HttpResponse:
    """Poll as a ticket does whose server names no interval."""
    flow = poll(
        ask,
        device_token_response,
        interval=1.0,
        lifetime=lifetime,
        own_pace=True,
        long_poll=long_poll,
    )
    return world.run(flow)


# RFC 8628


def test_each_slow_down_adds_five_seconds_for_good() -> None:
    """RFC 8628 §3.5; peers ignore it, or slow down for one wait only."""
    world = ScriptedPolls([SLOWER, SLOWER, SLOWER, NOT_YET, TOKENS])

    assert device(world).status == 200
    assert world.gaps() == [5, 10, 15, 20, 20]


def test_no_poll_comes_before_the_interval_has_passed() -> None:
    """RFC 8628 §3.5: a client that hurries is slowed down, or thrown out."""
    world = ScriptedPolls([NOT_YET], latency=0.2)

    with pytest.raises(AttemptExpired):
        device(world, interval=7)
    assert min(world.gaps()[:-1]) >= 7
    assert world.gaps()[0] == 7


def test_denial_after_waiting_ends_it_at_once() -> None:
    """The person has said no; to ask on would be rude and in vain."""
    world = ScriptedPolls([NOT_YET, NOT_YET, refuses("access_denied")])

    with pytest.raises(DeviceError, match="access_denied"):
        device(world)
    assert len(world.polls) == 3


def test_expiry_at_the_server_is_the_end() -> None:
    """RFC 8628 §3.5 `expired_token`: the server's clock is the one that counts."""
    with pytest.raises(DeviceError, match="expired_token"):
        device(ScriptedPolls([NOT_YET, refuses("expired_token")]))


@pytest.mark.parametrize(
    "pending",
    [
        refuses("authorization_pending", 403),  # Docker Hub, Auth0
        refuses("authorization_pending", 428),  # Google
        refuses("authorization_pending", 200),  # GitHub
        HttpResponse(400, (("content-type", "application/JSON; charset=utf-8"),), NOT_YET.body),
    ],
)
def test_pending_is_believed_whatever_the_status(pending: HttpResponse) -> None:
    """The error code says it; vendors do not agree on the number."""
    world = ScriptedPolls([pending, TOKENS])

    assert device(world).status == 200
    assert world.warnings == []


def test_slow_down_counts_though_it_comes_with_429() -> None:
    """Auth0 sends it so; the gaps have to grow as for any other."""
    world = ScriptedPolls([refuses("slow_down", 429), NOT_YET, TOKENS])

    device(world)

    assert world.gaps() == [5, 10, 10]


# Whenever it ends


def test_nobody_approves() -> None:
    """It ends at the deadline, with one last look, and says how long it was."""
    world = ScriptedPolls([NOT_YET])

    with pytest.raises(AttemptExpired, match="5 minutes") as expiry:
        ticket(world)

    assert world.polls[-1] == 300
    assert expiry.value.hint
    assert world.warnings == []


def test_short_lifetimes_are_told_in_seconds() -> None:
    """Nobody waits for 0 minutes."""
    with pytest.raises(AttemptExpired, match="within 20 seconds"):
        ticket(ScriptedPolls([NOT_YET]), lifetime=20)


def test_approval_in_the_last_moment_is_seen() -> None:
    """The last poll is at the deadline and not before."""
    world = ScriptedPolls([*[NOT_YET] * 2, TOKENS])

    assert device(world, lifetime=11).status == 200
    assert world.polls == [5, 10, 11]


def test_laptop_that_slept_does_not_go_on() -> None:
    """The monotonic clock of some systems stands still meanwhile; the wall clock tells."""
    world = ScriptedPolls([NOT_YET], jumps=((8.0, 3600.0),))

    with pytest.raises(AttemptExpired):
        device(world)
    assert world.polls == [5, 10]


def test_laptop_that_slept_finds_the_approval() -> None:
    """What was approved meanwhile is fetched, not thrown away."""
    assert device(ScriptedPolls([NOT_YET, TOKENS], jumps=((8.0, 3600.0),))).status == 200


def test_clock_that_jumps_back_prolongs_nothing() -> None:
    """The monotonic clock goes on; whoever sets a clock by hand does not wait for hours."""
    world = ScriptedPolls([NOT_YET], jumps=((8.0, -86400.0),))

    with pytest.raises(AttemptExpired):
        device(world, lifetime=60)
    assert world.polls[-1] == 60


def test_gaps_are_spread_but_not_beyond_the_end() -> None:
    """Clients that started together must not go on together; a deadline is one."""
    world = ScriptedPolls([NOT_YET])

    with pytest.raises(AttemptExpired):
        device(world, lifetime=30)
    assert world.spreads == [0.0, *[SPREAD, 0.0] * 5, 0.0, 0.0]


# Answers that are none


@pytest.mark.parametrize("trouble", [CUT, DOWN, PAGE, HttpResponse(408), HttpResponse(500, JSON, b"{")])
def test_trouble_is_survived_and_told_once(trouble: Answer) -> None:
    """Networks fail, servers restart, and hotels show pages: none of it is an answer."""
    world = ScriptedPolls([*[trouble] * 5, NOT_YET, TOKENS])

    assert ticket(world).status == 200
    assert world.gaps()[:6] == [1, 2, 4, 4, 4, 4]
    assert len(world.warnings) == 1
    assert "Still waiting" in world.warnings[0]


@pytest.mark.parametrize("trouble", [DOWN, PAGE])
def test_trouble_until_the_end_is_named_at_the_end(trouble: Answer) -> None:
    """That nobody approved would be a guess: nobody could be seen to."""
    world = ScriptedPolls([trouble])

    with pytest.raises(AttemptExpired, match=r": (HTTP status 503|a web page)"):
        ticket(world)
    assert world.polls[-1] == 300
    assert len(world.polls) <= 22
    assert len(world.warnings) == 1


@pytest.mark.parametrize("detail", ["connection refused", "unknown host", "time-out"])
def test_network_that_stays_away_is_named_at_the_end(detail: str) -> None:
    """The driver's own words are the best there are."""
    world = ScriptedPolls([TransportError(detail)], latency=30.0 if detail == "time-out" else 0.0)

    with pytest.raises(TransportError, match=detail):
        ticket(world)
    assert world.now <= 300 + 30
    assert len(world.warnings) == 1


def test_json_that_is_none_ends_it_at_once() -> None:
    """What claims to be JSON and is not is no wall in between: it will not pass."""
    world = ScriptedPolls([HttpResponse(200, JSON, b"{")])

    with pytest.raises(MalformedResponse):
        device(world)
    assert len(world.polls) == 1


@pytest.mark.parametrize(
    ("answer", "gap"),
    [
        (HttpResponse(429, (("Retry-After", "17"),)), 17),
        (HttpResponse(429, (("X-RateLimit-Reset", str(int(START) + 1 + 23)),)), 23),
        (HttpResponse(429), 5),
        (HttpResponse(429, (("Retry-After", "soon"),)), 5),
        (HttpResponse(429, (("Retry-After", "86400"),)), 120),
        (HttpResponse(503, (("Retry-After", "9"),)), 9),
        (refuses("authorization_pending", 400, ("Retry-After", "8")), 8),
        (
            HttpResponse(
                429, (("Retry-After", format_datetime(datetime.fromtimestamp(START + 12, UTC), True)),)
            ),
            11,
        ),
    ],
)
def test_server_is_left_alone_as_long_as_it_wants(answer: HttpResponse, gap: float) -> None:
    """RFC 9110 §10.2.3, RFC 6585 §4; and then it goes on as if nothing had been."""
    world = ScriptedPolls([answer, NOT_YET, TOKENS])

    assert ticket(world).status == 200
    assert world.gaps() == [1, gap, pytest.approx(min(max(1.0, (1 + gap) * 0.12), 10.0))]
    assert world.warnings == []


# The person's return


@pytest.mark.parametrize("back", [0.0, 0.4, 3.05, 3.99, 4.0, 6.0, 7.3, 20.0, 59.9, 250.0])
def test_return_is_noticed_at_once(back: float) -> None:
    """Whoever comes back to our tab has done what there was to do, and is waiting now."""
    world = ScriptedPolls([NOT_YET], watched=True, returns=(back,))

    with pytest.raises(AttemptExpired):
        ticket(world)
    after = next(poll for poll in world.polls if poll >= back)
    assert after - back < 0.3


def test_return_while_a_poll_is_on_its_way_is_not_lost() -> None:
    """The answer may be older than the approval; so it is asked again."""
    world = ScriptedPolls([NOT_YET], watched=True, latency=0.5, returns=(7.5,))

    with pytest.raises(AttemptExpired):
        ticket(world)

    before = [poll for poll in world.polls if poll <= 7.5][-1]
    after = next(poll for poll in world.polls if poll > 7.5)
    assert before + 0.5 > 7.5
    assert after == pytest.approx(before + 0.5 + RETURN_GAP)


def test_return_does_not_hurry_a_server_with_an_interval() -> None:
    """RFC 8628 §3.5 knows no exception; but the first poll needs no interval before it."""
    world = ScriptedPolls([NOT_YET], watched=True, returns=(1.0, 2.0, 3.0))

    with pytest.raises(AttemptExpired):
        device(world)
    assert world.polls[:3] == [1, 6, 11]
    assert min(world.gaps()[1:-1]) >= 5


def test_open_tab_saves_polls() -> None:
    """Seventeen in a minute, where others ask sixty times; somebody on a phone is noticed all the same."""
    world = ScriptedPolls([NOT_YET], watched=True)

    with pytest.raises(AttemptExpired):
        ticket(world)

    assert world.polls[:6] == [1, 2, 3, 4, 5, 6]
    assert len([poll for poll in world.polls if poll <= 60]) == 17
    assert max(world.gaps()) <= LONGEST_GAP


def test_without_the_tab_the_delay_grows_with_the_wait() -> None:
    """Twelve per cent, and ten seconds at most."""
    world = ScriptedPolls([NOT_YET])

    with pytest.raises(AttemptExpired):
        ticket(world)

    assert len([poll for poll in world.polls if poll <= 60]) == 25
    for begin, end in pairwise(world.polls):
        assert end - begin <= max(1.0, min(10.0, begin * 0.12)) + 1e-6


# Long polls


def test_silence_of_a_long_poll_means_not_yet() -> None:
    """The server holds the poll until it knows more; our time-out, or a router's 503, cuts it off."""
    for silence in (CUT, DOWN):
        world = ScriptedPolls([silence, silence, silence, silence, TOKENS], latency=30.0)

        assert ticket(world, long_poll=True).status == 200
        assert world.warnings == []
        assert all(end - begin <= 30 + 1.0 for begin, end in pairwise(world.polls))


def test_long_poll_that_nobody_answers_expires() -> None:
    """It was silent, as it should be: nobody approved, and nothing is broken."""
    with pytest.raises(AttemptExpired, match="not approved"):
        ticket(ScriptedPolls([CUT], latency=30.0), long_poll=True)


def test_long_poll_that_fails_at_once_has_failed() -> None:
    """A refused connection is no silence: it backs off and is told."""
    world = ScriptedPolls([*[CUT] * 4, TOKENS])

    assert ticket(world, long_poll=True).status == 200
    assert world.gaps()[:4] == [1, 2, 4, 4]
    assert len(world.warnings) == 1


# Whatever comes

ANSWERS = st.sampled_from(
    [
        NOT_YET,
        SLOWER,
        CUT,
        DOWN,
        PAGE,
        HttpResponse(429),
        HttpResponse(429, (("Retry-After", "40"),)),
        HttpResponse(429, (("Retry-After", "x"),)),
        HttpResponse(503, (("X-RateLimit-Reset", "0"),)),
        says({}, 502),
        refuses("server_error", 500),
    ]
)


@pytest.mark.slow
@settings(max_examples=200)
@given(
    answers=st.lists(ANSWERS, max_size=40),
    interval=st.floats(1, 60),
    latency=st.sampled_from([0.0, 0.3, 30.0]),
    returns=st.lists(st.floats(0, 400), max_size=8).map(sorted).map(tuple),
    watched=st.booleans(),
    back=st.floats(-1e5, 50),
)
def test_rhythm_keeps_its_promises(
    answers: list[Answer],
    interval: float,
    latency: float,
    returns: tuple[float, ...],
    watched: bool,
    back: float,
) -> None:
    """Never closer than the interval, which only grows; and over when it is over."""
    answers = [*answers, NOT_YET]
    world = ScriptedPolls(answers, latency, watched, returns, jumps=((20.0, back),))

    with pytest.raises(LoopbackAuthError) as end:
        device(world, interval=interval, lifetime=400)

    assert isinstance(end.value, AttemptExpired | TransportError)
    assert world.now <= 400 + latency
    wanted = interval
    for answer, (begin, following) in zip(answers, pairwise(world.polls[:-1]), strict=False):
        wanted += 5 if answer is SLOWER else 0
        assert following - begin >= wanted - 1e-6


@pytest.mark.slow
@settings(max_examples=150)
@given(
    answers=st.lists(ANSWERS, max_size=40),
    returns=st.lists(st.floats(0, 300), max_size=30).map(sorted).map(tuple),
)
def test_own_pace_has_a_limit_too(answers: list[Answer], returns: tuple[float, ...]) -> None:
    """Whoever goes to and fro between two tabs does not hammer the server."""
    world = ScriptedPolls([*answers, NOT_YET], watched=True, returns=returns)

    with pytest.raises(LoopbackAuthError):
        ticket(world)

    assert all(end - begin >= RETURN_GAP - 1e-6 for begin, end in pairwise(world.polls[:-1]))
    # 42 in the five minutes of a ticket, and a fresh start with every return.
    assert len(world.polls) <= 42 + 14 * len(returns)
