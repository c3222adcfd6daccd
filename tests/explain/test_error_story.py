"""Error codes explained: those of the standards, and what single providers answer."""

from __future__ import annotations

import re

import pytest

from loopback_auth.explain.errors.error_story import ADVICE, CAUSES, STEP, error_story, near
from loopback_auth.explain.errors.error_words import REQUESTS, STANDARD, KnownError
from loopback_auth.explain.errors.microsoft_errors import NUMBERED, SOURCE
from loopback_auth.explain.errors.vendor_errors import VENDOR
from loopback_auth.explain.narration import Story
from loopback_auth.explain.story_text import text
from loopback_auth.hints import HINTS
from loopback_auth.settings.contracts import CONTRACTS
from loopback_auth.settings.presets import every_preset

CLAUSES = {
    "RFC 6749 §4.1.2.1": (
        "invalid_request unauthorized_client access_denied unsupported_response_type invalid_scope "
        "server_error temporarily_unavailable"
    ),
    "RFC 6749 §5.2": (
        "invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type "
        "invalid_scope"
    ),
    "RFC 8628 §3.5": "authorization_pending slow_down access_denied expired_token",
    "RFC 6750 §3.1": "invalid_request invalid_token insufficient_scope",
    "OpenID Connect Core 1.0 §3.1.2.6": (
        "interaction_required login_required account_selection_required consent_required "
        "invalid_request_uri invalid_request_object request_not_supported request_uri_not_supported "
        "registration_not_supported"
    ),
    "RFC 9449 §5, §8": "invalid_dpop_proof use_dpop_nonce",
    "RFC 9470 §3": "insufficient_user_authentication",
    "RFC 8707 §2": "invalid_target",
    "RFC 7591 §3.2.2": (
        "invalid_redirect_uri invalid_client_metadata invalid_software_statement "
        "unapproved_software_statement"
    ),
    "RFC 7009 §2.2.1": "unsupported_token_type",
    "RFC 9396 §5": "invalid_authorization_details",
}
EVERY: tuple[KnownError, ...] = (*STANDARD, *VENDOR)


def answered(story: Story, question: str) -> str:
    """Return the whole answer to a question; empty where it was not asked."""
    found = [one for one in story.answers if one.question == question]
    return " ".join((found[0].answer, *found[0].points)) if found else ""


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_code_of_a_clause_is_explained(clause: str) -> None:
    """Each with the step, the usual causes, and what to do."""
    for code in CLAUSES[clause].split():
        story = error_story(code)

        assert all(answered(story, question) for question in (STEP, CAUSES, ADVICE))
        assert story.summary in {one.happened for one in STANDARD}


def test_every_hint_is_a_code_that_is_explained() -> None:
    """What a refusal advises can be asked about."""
    codes = {one.code for one in EVERY}

    assert {code for _, code in HINTS} - codes - {"creation_refused"} == set()


def test_advice_is_that_of_the_hints() -> None:
    """One table says what to do, so that the error and its explanation do not disagree."""
    missing = [
        (request, one.code)
        for one in STANDARD
        for request in one.requests
        if (request, one.code) in HINTS
        and HINTS[request, one.code][0] not in answered(error_story(one.code), ADVICE)
    ]

    assert missing == []


def test_every_entry_says_all_and_has_a_public_source() -> None:
    """Sentences end with a full stop, sources are clauses or addresses."""
    source = re.compile(r"(?:RFC \d+ §|OpenID Connect |https://)")

    assert [one.code for one in EVERY if not source.match(one.source)] == []
    assert [one.code for one in EVERY if not all(map(_is_sentence, (one.happened, *one.causes)))] == []
    assert [one.code for one in EVERY if one.advice and not _is_sentence(one.advice)] == []
    assert {request for one in EVERY for request in one.requests} == set(REQUESTS)
    assert [n for n, words in NUMBERED.items() if not all(map(_is_sentence, words))] == []
    assert {one.provider for one in VENDOR} <= {*every_preset(), *CONTRACTS}


def test_code_of_two_providers_is_told_for_each() -> None:
    """Google and GitHub have the same word for different things."""
    both, google = (
        error_story("redirect_uri_mismatch"),
        error_story("redirect_uri_mismatch", provider="google"),
    )

    assert "GitHub" in " ".join(one.question for one in both.answers)
    assert "GitHub" not in repr(google)
    assert "Desktop app" in answered(google, ADVICE)


def test_provider_says_more_about_a_common_code() -> None:
    """Google's refresh tokens end after a week in the status Testing; the standard's causes remain."""
    story = error_story("invalid_grant", provider="google")

    assert "7 days" in answered(story, CAUSES)
    assert any("code_verifier" in " ".join(one.points) for one in story.answers)


def test_provider_without_words_of_its_own_gets_those_of_the_standard() -> None:
    """Most providers add nothing."""
    assert error_story("invalid_grant", provider="zoom").summary == error_story("invalid_grant").summary


def test_numbered_code_of_microsoft_is_told_with_its_page() -> None:
    """Also inside of the description of a common code."""
    alone = error_story("AADSTS50011")
    inside = error_story("invalid_client", description="AADSTS7000218: The request body must contain ...")
    unknown = error_story("AADSTS99999999")

    assert "code=50011" in repr(alone.answers)
    assert (alone.summary, alone.source) == (NUMBERED["50011"][0], SOURCE)
    assert NUMBERED["7000218"][0] in repr(inside.answers)
    assert "code=99999999" in repr(unknown.answers)


def test_unknown_code_is_said_to_be_unknown() -> None:
    """With those that are spelled like it, and no guess."""
    story = error_story("invalid_grnt")

    assert "invalid_grant" in answered(story, ADVICE)
    assert answered(story, CAUSES) == ""
    assert near("xyzzy") == ()


@pytest.mark.parametrize("code", ["", "\x1b[31m", "x" * 10_000, "\u202egrant", "a\nb", "half \ud800"])
def test_strange_codes_are_cleaned(code: str) -> None:
    """A server chose them; they go to a terminal."""
    shown = text(error_story(code, description=code, said=code), width=80)

    assert all(character.isprintable() or character == "\n" for character in shown)
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("width", [40, 80, 100])
def test_text_fits(width: int) -> None:
    """Each code, at each width."""
    for one in EVERY:
        shown = text(error_story(one.code, provider=one.provider), width=width)

        assert max(map(len, shown.splitlines())) <= width


def _is_sentence(words: str) -> bool:
    return words[0].isupper() and words[-1] == "."
