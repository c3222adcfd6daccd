"""The first screen about tickets: what people ask most, answered at once."""

from __future__ import annotations

import re

import pytest

from loopback_auth.explain.narration import Story, rehearsed_story
from loopback_auth.explain.rehearsal import rehearse
from loopback_auth.explain.story_text import text
from loopback_auth.explain.ticket_screen import QUESTIONS
from loopback_auth.explain.wording import Wording
from loopback_auth.settings import needs_secret, resolve
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.contracts import CONTRACTS

LINES, WIDTH = 24, 80
"""Of a terminal that nobody has made larger."""


def explained(vendor: str) -> Story:
    """Explain the tickets of a vendor; empty: those of the demonstration."""
    if not vendor:
        rehearsal = rehearse("ticket")
        return rehearsed_story(
            rehearsal.run, Wording(rehearsal.provider, rehearsal.translated, rehearsal.contract)
        )
    flags = {"client_id": "CLIENT_ID", "flow": "ticket"}
    settings = resolve(provider=vendor, flags=flags, environ={}, config={}, config_path="")
    client = client_config(settings.with_secret("0123456789") if needs_secret(settings) else settings)
    rehearsal = rehearse("ticket", client)
    wording = Wording(
        rehearsal.provider,
        rehearsal.translated,
        rehearsal.contract,
        rehearsed=True,
        declared=client.provider,
    )
    return rehearsed_story(rehearsal.run, wording)


def first_screen(vendor: str) -> str:
    """Return what a terminal shows of it without scrolling, as one line."""
    return " ".join(" ".join(text(explained(vendor), width=WIDTH).splitlines()[:LINES]).split())


def answers(vendor: str) -> dict[str, str]:
    """Return the short answers by the keys of their questions."""
    asked = {question: key for key, question in QUESTIONS.items()}
    return {asked[one.question]: " ".join((one.answer, *one.points)) for one in explained(vendor).short}


@pytest.mark.parametrize("vendor", ["", *CONTRACTS])
def test_first_screen_answers_every_question(vendor: str) -> None:
    """At 24 lines of 80 characters; the last line of the last answer too."""
    shown = first_screen(vendor)

    assert set(answers(vendor)) == set(QUESTIONS)
    for one in explained(vendor).short:
        assert one.question in shown
        assert all(point in shown for point in one.points)
        assert one.answer in shown


def test_order_at_netlify_is_the_four_calls() -> None:
    """Create, open, poll, exchange."""
    order = explained("netlify").short[0].points

    assert order == (
        "program: POST https://api.netlify.com/api/v1/oauth/tickets with client_id, for its id",
        "browser: https://app.netlify.com/authorize?response_type=ticket&ticket=ID",
        "program: GET https://api.netlify.com/api/v1/oauth/tickets/ID, until authorized is true",
        "program: POST https://api.netlify.com/api/v1/oauth/tickets/ID/exchange, for access_token",
    )


def test_answers_are_those_of_the_vendor() -> None:
    """Heroku answers a long request, npm's ID alone is not enough, and Stripe has no code flow."""
    netlify, heroku, npm, stripe = map(answers, ("netlify", "heroku", "npm", "stripe"))

    assert "https://api.netlify.com/oauth/token" in netlify["code"]
    assert "client secret" in netlify["code"]
    assert "polls" in netlify["approval"]
    assert "polls" not in heroku["approval"]
    assert "Anyone" in netlify["ticket"]
    assert "Anyone" not in npm["ticket"]
    assert stripe["code"].startswith("No ")
    assert "https://api.netlify.com/oauth/token" in answers("")["code"]


@pytest.mark.parametrize("vendor", ["", *CONTRACTS])
def test_answers_point_to_the_requests_above_them(vendor: str) -> None:
    """The steps below have numbers of their own, which are others."""
    short = {key: one.answer for key, one in zip(QUESTIONS, explained(vendor).short, strict=True)}
    order = explained(vendor).short[0].points
    told = {key: re.findall(r"\(request (\d+) above\)", answer) for key, answer in short.items()}
    [[polling], [redeeming]] = told.pop("approval"), told.pop("token")

    assert order[int(polling) - 1].startswith("program: ")
    assert order[int(polling) - 2].startswith("browser: ")
    assert int(redeeming) == len(order)
    assert not any(told.values())
    assert not any("step " in answer for answer in short.values())


def test_curl_is_named_where_it_is() -> None:
    """The demonstration has no addresses that a person could call."""
    assert explained("netlify").by_hand
    assert "at the end" in answers("netlify")["curl"]
    assert not explained("").by_hand
    assert "explain ticket netlify" in answers("")["curl"]


def test_other_flows_have_no_such_screen() -> None:
    """Their questions are others."""
    rehearsal = rehearse("device")

    assert rehearsed_story(rehearsal.run, Wording(rehearsal.provider, rehearsal.translated)).short == ()
