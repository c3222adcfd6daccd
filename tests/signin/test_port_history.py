"""What went wrong at our port is told once more where a sign-in ends in vain."""

from __future__ import annotations

import asyncio

import pytest

from loopback_auth.errors import AttemptExpired
from loopback_auth.events import CallbackTurnedAway, Event, HttpsTried, LinkOpened, silent
from loopback_auth.flows.catalog import FlowOptions
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.plan.model import AT_ONCE, YES, Fact, Facts, Place, Plan, Route
from loopback_auth.signin.attempt import SignInAttempt
from loopback_auth.signin.port_history import PortHistory
from loopback_auth.signin.resources import Resources

NO_STATE = CallbackTurnedAway("carried no state", "access_denied")


def after(*events: Event) -> str:
    """Say what is remembered of some events."""
    history = PortHistory()
    for event in events:
        history.note(event)
    return history.sentences()


def test_each_answer_that_was_turned_away_is_counted() -> None:
    """One is a mistake of the server, many are somebody who plays with the port."""
    assert after(LinkOpened()) == ""
    assert after(NO_STATE) == "One response was refused: it carried no state (error=access_denied)."
    assert after(NO_STATE, NO_STATE, CallbackTurnedAway("carried another state")) == (
        "3 responses were refused, the last one because it carried another state."
    )


def test_https_at_our_port_is_remembered_with_what_to_do() -> None:
    """A browser that insists on https has come, whatever else is said."""
    assert "http://127.0.0.1:1234" in after(HttpsTried("127.0.0.1:1234"))


ENDPOINT = "http://127.0.0.1:1/"
CLIENT = ClientConfig(
    Provider("as", ServerMetadata(authorization_endpoint=ENDPOINT, token_endpoint=ENDPOINT)), "x"
)


def a_plan() -> Plan:
    """Return a plan with the redirect alone."""
    where = Fact(YES)
    return Plan(
        place=Place("test", "a test"),
        facts=Facts(opens=where, reaches=where, person=where, waits=where),
        routes=(Route("code", AT_ONCE, "It is a test."),),
        refused={},
        opens=True,
        patience=60.0,
    )


@pytest.mark.parametrize("visited", [False, True])
async def test_sign_in_that_ends_in_vain_says_what_happened(*, visited: bool) -> None:
    """A reason that is known stands in place of guesses."""
    under_way = SignInAttempt(
        CLIENT, a_plan(), notify=silent, options=lambda _: FlowOptions(), timeout=0.2, paste=None
    )
    async with Resources(notify=under_way.tell, start_page=False) as resources:
        waiting = asyncio.ensure_future(under_way.run(resources, None))
        if visited:
            under_way.tell(LinkOpened())
        under_way.tell(NO_STATE)
        with pytest.raises(AttemptExpired) as caught:
            await waiting
        hint = caught.value.hint

    assert hint.startswith(after(NO_STATE))
    assert "client ID" not in hint


async def test_a_link_that_nobody_opened_leads_to_what_can_work_here() -> None:
    """Where there is no browser, the same flow ends in the same way."""
    under_way = SignInAttempt(
        CLIENT, a_plan(), notify=silent, options=lambda _: FlowOptions(), timeout=0.1, paste=None
    )
    async with Resources(notify=under_way.tell, start_page=False) as resources:
        with pytest.raises(AttemptExpired) as caught:
            await under_way.run(resources, None)

    assert "another flow" in caught.value.hint
    assert "flow" in caught.value.parameter.split()
