"""Who knows which secret after each step: only what was sent, received or left behind."""

from __future__ import annotations

import pytest
from story_samples import rehearsed

from loopback_auth.explain.knowledge import KNOWERS, knowledge


def known(flow: str, step: str) -> dict[str, set[str]]:
    """Return what everyone knows after the first step of a name."""
    story = rehearsed(flow)
    assert story.trace is not None
    at = next(at for at, one in enumerate(story.scenes) if one.title.startswith(step))
    return {one.who: {*one.known, *one.learned} for one in knowledge(story.trace, story.scenes)[at]}


HISTORY, PROCESSES = KNOWERS["history"], KNOWERS["processes"]


def test_code_is_in_the_history_and_the_tokens_are_not() -> None:
    """That is what the code flow is for."""
    answered, ended = known("code", "authorization response"), known("code", "UserInfo request")

    assert "<code#1>" in answered["Browser"] & answered["Program"] & answered["Server"] & answered[HISTORY]
    assert {who for who, labels in ended.items() if "<access_token#1>" in labels} == {"Program", "Server"}
    assert {who for who, labels in ended.items() if "<code_verifier#1>" in labels} == {"Program", "Server"}


def test_form_keeps_the_code_out_of_the_history() -> None:
    """The body of a request is in no address (OAuth 2.0 Form Post Response Mode §2)."""
    answered = known("code form_post", "authorization response")

    assert "<code#1>" in answered["Browser"]
    assert "<code#1>" not in answered[HISTORY]


def test_token_in_a_fragment_reaches_the_history_before_the_program() -> None:
    """A fragment is not sent to the server (RFC 9110 §4.2.5), so the page has to hand it over."""
    answered, relayed = known("token", "authorization response"), known("token", "fragment relay")

    assert "<access_token#1>" in answered["Browser"] & answered[HISTORY]
    assert "<access_token#1>" not in answered["Program"]
    assert "<access_token#1>" in relayed["Program"]


def test_ticket_is_known_to_whoever_sees_the_link() -> None:
    """And it is all that the exchange asks for."""
    approved = known("ticket", "ticket approval page")

    assert all("<ticket#1>" in approved[who] for who in ("User", "Browser", "Program", "Server", HISTORY))


def test_device_code_stays_between_program_and_server() -> None:
    """The user sees the other one (RFC 8628 §3.2)."""
    ended = known("device", "device token request")

    assert {who for who, labels in ended.items() if "<device_code#1>" in labels} == {"Program", "Server"}
    assert "<user_code#1>" in ended["User"] & ended["Browser"] & ended[HISTORY]


def test_pasted_address_is_known_to_the_user() -> None:
    """Who copies it has read it, and so has who opened the link to the provider."""
    assert "<state#1>" in known("paste", "Show the link")["User"]
    assert "<code#1>" not in known("paste", "authorization response")["User"]
    assert "<code#1>" in known("paste", "The user pastes")["User"]


def test_only_the_start_page_is_in_the_process_list() -> None:
    """A program is started with its address (RFC 8252 §8.12 speaks of what others on the machine see)."""
    for flow in ("code", "token", "device"):
        story = rehearsed(flow)
        assert story.trace is not None
        last = {one.who: {*one.known, *one.learned} for one in knowledge(story.trace, story.scenes)[-1]}

        assert last[PROCESSES] == {"<start_key#1>"}


@pytest.mark.parametrize("flow", ["code", "code + dpop", "resource", "token", "ticket", "device", "paste"])
def test_nothing_is_forgotten_and_nothing_is_learned_twice(flow: str) -> None:
    """The rows of a step are those of the step before, and what that added."""
    story = rehearsed(flow)
    assert story.trace is not None
    steps = knowledge(story.trace, story.scenes)
    before: dict[str, tuple[str, ...]] = {one.who: () for one in steps[0]}

    assert len(steps) == len(story.scenes)
    for rows in steps:
        assert {one.who: one.known for one in rows} == before
        assert not any(set(one.known) & set(one.learned) for one in rows)
        before = {one.who: (*one.known, *one.learned) for one in rows}


def test_secrets_that_no_step_shows_are_left_out() -> None:
    """The demonstration server has values of its own, which say nothing about the flow."""
    story = rehearsed("code")
    assert story.trace is not None
    labels = {label for rows in knowledge(story.trace, story.scenes) for one in rows for label in one.learned}

    assert any(one.kind == "interaction" for one in story.trace.secrets)
    assert not any("interaction" in label for label in labels)
