"""Flows explained step by step: what the program does at a provider, and nothing that it does not do."""

from __future__ import annotations

import json
import re

import pytest
from trace_samples import TICKET, changed

from loopback_auth.compare.running.simulate import ISSUER
from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.narration import Story, rehearsed_story
from loopback_auth.explain.parameter_words import PARAMETERS, SECRETS
from loopback_auth.explain.rehearsal import rehearse
from loopback_auth.explain.story import PUBLIC, ExplainedStep
from loopback_auth.explain.story_questions import questions
from loopback_auth.explain.story_templates import ANSWERS, QUESTIONS, TAKERS
from loopback_auth.explain.story_text import members, text
from loopback_auth.explain.story_words import STEPS
from loopback_auth.explain.wording import FROM_RESPONSE, Wording
from loopback_auth.flow_table import COMPARED, FLOWS, NAMES
from loopback_auth.settings import needs_secret, resolve
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.providers import PRESETS
from loopback_auth.trace.reading import LABEL

SECRET = "0123456789-the-client-secret"
TICKETS = "https://api.netlify.com/api/v1/oauth/tickets"


def explained(flow: str, provider: str = "") -> Story:
    """Explain a flow, with the addresses of a preset."""
    if not provider:
        rehearsal = rehearse(flow)
        return rehearsed_story(
            rehearsal.run, Wording(rehearsal.provider, rehearsal.translated, rehearsal.contract)
        )
    flags = {"client_id": "CLIENT_ID", "flow": flow.partition(" ")[0]}
    settings = resolve(provider=provider, flags=flags, environ={}, config={}, config_path="")
    if needs_secret(settings):
        settings = settings.with_secret(SECRET)
    rehearsal = rehearse(flow, client_config(settings))
    wording = Wording(
        rehearsal.provider,
        rehearsal.translated,
        rehearsal.contract,
        rehearsed=True,
        declared=client_config(settings).provider,
    )
    return rehearsed_story(rehearsal.run, wording)


def requests(story: Story) -> list[str]:
    """Return each request, with sender and receiver."""
    return [f"{step.who}: {step.request}" for step in story.scenes if step.request]


def found(story: Story, question: str) -> Answer:
    """Return the answer to a question, by its key in the table."""
    return next(one for one in story.answers if one.question == QUESTIONS[question])


def answer(story: Story, question: str) -> str:
    """Return the words of the answer to a question, by its key in the table."""
    return found(story, question).answer


def titled(story: Story, title: str) -> list[ExplainedStep]:
    """Return the steps with a title, repeated or not."""
    return [one for one in story.scenes if one.title.partition(",")[0] == title]


def taken_by(story: Story, label: str) -> list[str]:
    """Return who could have taken a secret."""
    return next(one.taken_by.split("; ") for one in story.fates if one.label == label)


def test_ticket_at_netlify_is_four_calls_in_order() -> None:
    """The order of the calls is what people ask first."""
    assert requests(explained("ticket", "netlify")) == [
        f"program to netlify: POST {TICKETS}",
        "browser to netlify: GET https://app.netlify.com/authorize",
        f"program to netlify: GET {TICKETS}/<ticket#1>",
        f"program to netlify: GET {TICKETS}/<ticket#1>",
        f"program to netlify: POST {TICKETS}/<ticket#1>/exchange",
    ]


def test_questions_about_tickets_are_answered() -> None:
    """What a ticket is, why the redirect URI is ignored, how the program learns of the approval."""
    story = explained("ticket", "netlify")

    asked = ("ticket", "approval", "no_redirect_uri", "code", "access_token")
    assert [one.question for one in story.answers] == [QUESTIONS[key] for key in asked]
    assert f"(POST {TICKETS}/<ticket#1>/exchange)" in answer(story, "ticket")
    approval = answer(story, "approval")
    assert all(fact in approval for fact in (f"GET {TICKETS}/<ticket#1>,", "3 times", "1 s", "authorized"))
    assert len(found(story, "approval").steps) == 3
    assert "https://api.netlify.com/oauth/token" in answer(story, "code")
    assert ANSWERS["code secret"] in answer(story, "code")
    assert {one.source for one in story.answers[:3]} == {"https://github.com/netlify/open-api"}
    assert TAKERS["extensions"] in taken_by(story, "<ticket#1>")


def test_ticket_with_a_challenge_needs_the_verifier() -> None:
    """Its ID alone is not enough for the exchange (RFC 7636 §4.6)."""
    bound = changed(TICKET, "ticket exchange", "/exchange", "/exchange?code_verifier=<code_verifier#1>")
    said = [next(one.answer for one in questions(run, Wording())) for run in (TICKET, bound)]

    assert ANSWERS["ticket holder"] in said[0]
    assert ANSWERS["ticket holder bound"] in said[1]


def test_ticket_that_the_browser_sees_is_named_beside_the_token() -> None:
    """A program that reads it there can be first, except where more is needed than the ID."""
    assert "<ticket#1>" in answer(explained("ticket", "netlify"), "access_token")
    assert LABEL.search(answer(explained("ticket", "npm"), "access_token")) is None
    assert LABEL.search(answer(explained("code", "netlify"), "access_token")) is None


def test_calls_at_netlify_can_be_made_by_hand() -> None:
    """No secret is in an argument, where every process of the machine could read it."""
    commands = explained("ticket", "netlify").by_hand
    lines = [line for command in commands for line in command.splitlines()]

    assert [line for line in lines if line.startswith("url")] == [
        f'url = "{TICKETS}?client_id=CLIENT_ID"',
        f'url = "{TICKETS}/$ticket"',
        f'url = "{TICKETS}/$ticket/exchange"',
    ]
    assert 'echo "https://app.netlify.com/authorize?response_type=ticket&ticket=$ticket"' in lines
    assert {line for line in lines if line.startswith("curl")} == {"curl -K- <<END"}
    assert LABEL.search("".join(lines)) is None
    assert lines[0] in text(explained("ticket", "netlify"), width=40).splitlines()


def test_addresses_that_a_server_gives_are_read_in_by_hand() -> None:
    """By the names that they have in its responses."""
    commands = explained("device", "google").by_hand

    assert commands[0].endswith("\ncurl 'https://accounts.google.com/.well-known/openid-configuration'")
    assert commands[1].startswith("read -rs device_authorization_endpoint ")
    assert 'url = "$token_endpoint"' in "".join(commands)


def test_flow_that_a_browser_comes_back_from_has_no_commands() -> None:
    """A program has to listen for the redirect."""
    assert explained("code", "netlify").by_hand == ()


def test_parameters_say_where_they_are_sent() -> None:
    """A reader who writes the request needs to know it."""
    created = explained("ticket", "netlify").scenes[0]
    redeemed = next(step for step in explained("code", "netlify").scenes if step.title == "token request")

    assert [(said.name, said.where) for said in created.sent] == [("client_id", "query")]
    assert [(said.name, said.where) for said in redeemed.sent] == [
        ("grant_type", "form"),
        ("code", "form"),
        ("redirect_uri", "form"),
        ("client_id", "Authorization: Basic"),
        ("client_secret", "Authorization: Basic"),
    ]


def test_metadata_at_two_addresses_are_two_requests() -> None:
    """The demonstration server has no metadata at the first address."""
    asked = [step for step in explained("code").scenes if step.title == "metadata request"]

    assert [(step.request.rpartition("/")[2], step.status) for step in asked] == [
        ("openid-configuration", 404),
        ("oauth-authorization-server", 200),
    ]


def test_code_at_netlify_has_its_token_endpoint_and_the_secret() -> None:
    """No published description of the API has the endpoint, and Netlify has no PKCE."""
    story = explained("code", "netlify")
    said = answer(story, "token_endpoint")

    assert "https://api.netlify.com/oauth/token" in said
    assert ANSWERS["token_endpoint client_secret"] in said
    assert "code_verifier" not in text(story)
    assert "http://localhost:8400/callback" in answer(story, "redirect_uri")
    assert ANSWERS["redirect_uri loopback"] not in answer(story, "redirect_uri")


def test_token_flow_shows_the_token_to_the_browser() -> None:
    """That is why the flow is not recommended."""
    story = explained("token")

    assert answer(story, "access_token") == ANSWERS["access_token fragment"]
    assert TAKERS["port"] in taken_by(story, "<access_token#1>")
    assert taken_by(explained("code"), "<access_token#1>") == [
        TAKERS["only inside TLS"].format(provider="demo")
    ]


def test_response_of_the_demonstration_is_not_a_claim_about_the_provider() -> None:
    """Netlify does not document refresh tokens; the demonstration server issues them."""
    assert "refresh_token" in text(explained("code"))
    assert "refresh_token" not in text(explained("code", "netlify"))
    assert "iss" not in {said.name for step in explained("code", "github").scenes for said in step.sent}


def test_addresses_that_only_metadata_has_stay_names() -> None:
    """They are neither fetched nor guessed."""
    story = explained("code", "google")

    assert "browser to google: GET {authorization_endpoint}" in requests(story)
    assert "program to google: POST {token_endpoint}" in requests(story)
    assert "program to google: GET https://accounts.google.com/.well-known/openid-configuration" in requests(
        story
    )
    assert "curl https://accounts.google.com/.well-known/openid-configuration" in " ".join(story.notes)
    assert "--token-endpoint URL" in " ".join(story.notes)


def test_addresses_that_a_vendor_gives_stay_names() -> None:
    """The registry of npm chooses the addresses of its pages."""
    story = explained("ticket", "npm")

    assert requests(story)[0] == "program to npm: POST https://registry.npmjs.org/-/v1/login"
    assert f"program to npm: GET {{doneUrl{FROM_RESPONSE}" in requests(story)
    assert [secret.label for secret in story.fates if secret.label.startswith("<ticket")] == ["<ticket#2>"]


@pytest.mark.slow
@pytest.mark.parametrize("provider", PRESETS)
@pytest.mark.parametrize("flow", COMPARED)
def test_every_preset_is_explained_or_says_what_is_missing(flow: str, provider: str) -> None:
    """With its own addresses only, and none of the demonstration server."""
    try:
        story = explained(flow, provider)
    except (ConfigError, EndpointMissing):
        return
    whole = text(story)

    assert ISSUER not in whole
    assert "as.example" not in whole
    assert "49152" not in whole
    assert SECRET not in whole
    assert story.title.startswith(f"{flow} at {provider}")


def test_provider_without_the_flow_is_refused() -> None:
    """The program cannot do it there, so there is nothing to explain."""
    with pytest.raises(ConfigError, match=r"github .* ticket"):
        explained("ticket", "github")
    with pytest.raises(EndpointMissing, match="device authorization endpoint"):
        explained("device", "netlify")


@pytest.mark.parametrize("flow", NAMES)
def test_every_step_says_what_it_is_for_and_by_which_clause(flow: str) -> None:
    """A list of steps without reasons is not an explanation."""
    story = explained(flow)

    assert [step.title for step in story.scenes if not (step.words and step.source)] == []
    assert [one.question for one in story.answers if not (one.answer and one.source and one.steps)] == []
    assert [
        secret.label for secret in story.fates if not (secret.good_for and secret.taken_by and secret.source)
    ] == []
    assert "{contract}" not in json.dumps(members(story))


@pytest.mark.parametrize("flow", NAMES)
def test_steps_point_at_entries_of_the_trace(flow: str) -> None:
    """A statement without evidence cannot be checked."""
    run = rehearse(flow).run
    story = explained(flow)
    numbers = {entry.number for entry in run.trace.entries}
    steps = [number for step in story.scenes for number in step.steps]

    assert set(steps) <= numbers
    assert len(steps) == len(set(steps))
    assert all(set(one.steps) <= numbers for one in story.answers)


@pytest.mark.parametrize("flow", NAMES)
def test_values_are_labels_or_public(flow: str) -> None:
    """Of every other value only the name is shown."""
    said = [one for step in explained(flow).scenes if step.request for one in (*step.sent, *step.received)]

    assert [
        one.name for one in said if one.value and one.name not in PUBLIC and not LABEL.fullmatch(one.value)
    ] == []
    assert [one for one in said if one.name == "code_challenge" and one.value] == []


def test_parameter_is_explained_once() -> None:
    """Repeated explanations would hide the new ones."""
    story = explained("code")
    meanings = [one.name for step in story.scenes for one in (*step.sent, *step.received) if one.meaning]

    assert len(meanings) == len(set(meanings))
    assert {"state", "code_challenge", "code_verifier", "access_token"} <= set(meanings)


def test_code_alone_is_enough_only_without_a_verifier() -> None:
    """Then the first program that exchanges it gets the tokens (RFC 7636 §1)."""
    bound = next(secret for secret in explained("code").fates if secret.label == "<code#1>")
    alone = next(secret for secret in explained("code", "netlify").fates if secret.label == "<code#1>")

    assert (bound.good_for, bound.source) == SECRETS["code bound"]
    assert (alone.good_for, alone.source) == SECRETS["code"]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
@pytest.mark.parametrize("flow", COMPARED)
def test_text_fits(flow: str, width: int) -> None:
    """Links of a page may be cut into lines, prose is wrapped."""
    assert max(map(len, text(explained(flow), width=width).splitlines())) <= width


def test_pending_polls_are_a_step_of_their_own() -> None:
    """Most polls find that the user has not approved yet."""
    pending, approved = titled(explained("ticket"), "ticket status request")

    assert (len(pending.steps), pending.words) == (2, STEPS["ticket status request pending"][0])
    assert (len(approved.steps), approved.words) == (1, STEPS["ticket status request"][0])


def test_every_sentence_is_one_and_has_a_source() -> None:
    """The source is a clause or page that a reader can look up."""
    entries = [entry for table in (STEPS, PARAMETERS, SECRETS) for entry in table.values()]
    entries += [(flow.summary, flow.source) for flow in FLOWS]
    source = re.compile(
        r"RFC \d+ §|OpenID Connect (?:Core|Dynamic Client Registration) 1\.0 §|OAuth 2\.0 |https://github\.com/|[\w-]+/[\w-]+#\d|\{contract\}"
    )

    assert [words for words, clause in entries if not source.match(clause)] == []
    assert [words for table in (STEPS, SECRETS) for words, _ in table.values() if words[-1] != "."] == []
    assert [flow.name for flow in FLOWS if flow.summary[-1] != "."] == []


def test_explanation_is_the_same_each_time() -> None:
    """So that it can be quoted."""
    assert explained("ticket", "netlify") == explained("ticket", "netlify")
    assert text(explained("code")) == text(explained("code"))
