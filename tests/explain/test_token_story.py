"""Tokens explained: what they say, until when, that nobody checked the signature, and no secret of them."""

from __future__ import annotations

import json

import pytest
from hostile_samples import PROPERTY, TEXTS
from hypothesis import given
from hypothesis import strategies as st
from link_samples import ACCESS_TOKEN, CANARY, ID_TOKEN, KEY, NOW, jwt, part, token, wrapped

from loopback_auth.explain.narration import Story
from loopback_auth.explain.story import ExplainedValue
from loopback_auth.explain.story_text import members, text
from loopback_auth.explain.tokens.token_story import GUESSED, NOT_CHECKED, time_text
from loopback_auth.explain.tokens.token_words import CLAIMS, HEADER, KINDS, REQUIRED, TIMES, TYPES


def claims(story: Story) -> dict[str, ExplainedValue]:
    """Return the claims by name."""
    return {value.name: value for value in story.scenes[-1].sent}


def everything(story: Story) -> str:
    """Return all that is shown of a story, in every form."""
    return text(story, width=100) + text(story, width=40) + json.dumps(members(story)) + repr(story)


def test_claims_are_shown_with_their_meaning() -> None:
    """Personal ones too: it is the user's own token."""
    story = token(jwt({**ID_TOKEN, "email": "demo@as.example", "roles": ["a", "b"], "own": {"x": 1}}))
    shown = claims(story)

    assert (shown["email"].value, shown["sub"].value) == ("demo@as.example", ID_TOKEN["sub"])
    assert (shown["roles"].value, shown["own"].value) == ('["a", "b"]', '{"x": 1}')
    assert shown["iss"].meaning == CLAIMS["iss"][0]
    assert story.title == "ID token of https://as.example"


def test_times_are_dates_for_people() -> None:
    """With how far they are from now."""
    shown = claims(token(jwt(ID_TOKEN)))

    assert "2027-01-15 08:10:00 UTC, in 10 minutes" in shown["exp"].value
    assert "1 minutes ago" not in shown["iat"].value
    assert "60 seconds ago" in shown["iat"].value


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (NOW, "0 seconds ago"),
        (NOW + 7200, "in 2 hours"),
        (NOW - 30 * 86_400, "30 days ago"),
        (0.0, "1970-01-01"),
        (1e14, "not a date"),
        (253_402_300_800.0, "not a date"),
    ],
)
def test_time_is_written_for_people(seconds: float, words: str) -> None:
    """Whatever the token says."""
    assert words in time_text(seconds, NOW)


def test_signature_is_said_to_be_unchecked_first() -> None:
    """Anyone can write a token that reads well."""
    for one in (jwt(ID_TOKEN), jwt(ID_TOKEN, {"alg": "none"}, ""), wrapped(jwt(ID_TOKEN))):
        assert token(one).notes[0] == NOT_CHECKED


def test_kind_that_only_the_claims_say_is_said_to_be_concluded() -> None:
    """RFC 8725 §3.11: the type in the header is what keeps one kind from being taken for another."""
    guessed, stated = token(jwt(ACCESS_TOKEN)), token(jwt(ACCESS_TOKEN, {"alg": "ES256", "typ": "at+jwt"}))

    assert GUESSED in guessed.notes
    assert GUESSED not in stated.notes


def test_nothing_is_concluded_of_a_token_that_does_not_say_what_it_is() -> None:
    """Then two sentences would contradict each other."""
    story = token(jwt({"own": 1}))

    assert story.title == "token"
    assert GUESSED not in story.notes


@pytest.mark.parametrize(
    ("alg", "words"),
    [("HS256", "the client secret"), ("none", "alg is none"), ("RS256", "the issuer publishes")],
)
def test_key_of_the_signature_follows_from_the_algorithm(alg: str, words: str) -> None:
    """HMAC has no public key (OpenID Connect Core 1.0 §3.1.3.7)."""
    answers = {one.question: one for one in token(jwt(ID_TOKEN, {"alg": alg})).answers}

    assert words in answers["How is its signature checked?"].answer


def test_validity_is_answered() -> None:
    """Whether it is over is what people look for."""
    fresh, old = token(jwt(ID_TOKEN)), token(jwt({**ID_TOKEN, "exp": NOW - 5000}))

    assert [one.answer[:3] for one in (*fresh.answers[:1], *old.answers[:1])] == ["Yes", "No:"]


def test_finding_says_what_was_found_before_what_was_expected() -> None:
    """A title alone reads as if the opposite had been found: the token is not signed."""
    story = token(jwt(ID_TOKEN, {"alg": "none"}, ""))
    [unsigned] = [one for one in story.findings if one.id == "token-signed"]
    lines = [line.strip() for line in text(story, width=1000).splitlines()]
    at = lines.index(f"{unsigned.severity.upper()} token-signed [{unsigned.source}]")

    assert lines[at + 1 : at + 3] == [unsigned.because, f"Expected: {unsigned.title}."]


def test_encrypted_token_shows_its_header() -> None:
    """And says that there is no more to be read."""
    story = token(f"{part({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.{CANARY}.{CANARY}.{CANARY}.{CANARY}")

    assert [scene.title for scene in story.scenes] == ["header"]
    assert story.title.startswith("encrypted")
    assert CANARY not in everything(story)


def test_token_inside_is_told_too() -> None:
    """With a heading of its own."""
    titles = [scene.title for scene in token(wrapped(jwt(ID_TOKEN))).scenes]

    assert titles == ["header", "header of the token inside", "claims of the token inside"]


SECRETS: list[str] = [
    jwt(ID_TOKEN),
    jwt({**ID_TOKEN, "nonce": CANARY}),
    jwt({**ID_TOKEN, "code": CANARY, "state": CANARY}),
    jwt({**ID_TOKEN, "access_token": CANARY, "idp_access_token": CANARY}),
    jwt({**ID_TOKEN, "nested": {"refresh_token": CANARY, "deep": [{"password": CANARY}]}}),
    jwt({**ID_TOKEN, "token_inside": jwt({"a": CANARY})}),
    jwt({**ID_TOKEN, "inside": [jwt({"a": 1})]}),
    jwt({**ID_TOKEN, "nonce": CANARY, "sub": CANARY, "aud": [CANARY]}),
    jwt({**ID_TOKEN, "nonce": CANARY, CANARY: 1}),
    jwt({**ACCESS_TOKEN, "cnf": {"jwk": {**KEY, "d": CANARY}}}),
    jwt(ID_TOKEN, {"alg": "ES256", "jwk": {**KEY, "d": CANARY}}),
    jwt(ID_TOKEN, {"alg": "ES256", "x5c": [CANARY]}),
    jwt({**ID_TOKEN, "nonce": CANARY, "iss": f"https://as.example/{CANARY}"}),
    f"{jwt(ID_TOKEN)}~{CANARY}",
    f"!.{CANARY}.{CANARY}",
    f"{part({'alg': 'ES256'})}.{CANARY}.{CANARY}",
    wrapped(jwt({"nonce": CANARY})),
]


@pytest.mark.parametrize("one", SECRETS)
def test_secret_in_a_token_is_never_shown(one: str) -> None:
    """Neither the signature, nor what in the claims is a secret itself."""
    story = token(one)

    assert CANARY not in everything(story)
    assert one not in everything(story)


def test_names_of_certificates_and_keys_are_short() -> None:
    """A certificate fills a screen."""
    header = token(jwt(ID_TOKEN, {"alg": "ES256", "x5c": ["a" * 2000, "b" * 2000]})).scenes[0].sent

    assert next(value for value in header if value.name == "x5c").value == "(2 certificates, not shown)"


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


@PROPERTY
@given(
    st.dictionaries(TEXTS, VALUES | st.lists(VALUES, max_size=2), max_size=3),
    st.dictionaries(st.sampled_from([*HEADER, *CLAIMS]), VALUES, max_size=5),
)
def test_strange_tokens_are_explained(one: dict[str, object], other: dict[str, object]) -> None:
    """Nothing else comes out, and no control character goes to the terminal."""
    for story in (token(jwt(one, other)), token(jwt({**ID_TOKEN, **other}, one))):
        shown = text(story, width=60)

        assert all(character.isprintable() or character == "\n" for character in shown)
        assert max(map(len, shown.splitlines())) <= 60
        assert json.loads(json.dumps(members(story)))


@pytest.mark.parametrize("one", ["", ".", "..", "eyJ", "x", "\x00.\x1b.", "e30.e30.", "e30.e30.x~"])
def test_what_is_no_token_is_explained_as_such(one: str) -> None:
    """The findings say what is wrong."""
    assert any(finding.verdict == "fail" for finding in token(one).findings)


def test_words_have_a_source() -> None:
    """Which a reader can look up."""
    tables = {**CLAIMS, **HEADER}

    assert [name for name, (words, _) in tables.items() if not words] == []
    assert [name for name, (_, source) in CLAIMS.items() if not source] == []
    assert {*REQUIRED, *TYPES} <= set(KINDS)
    assert set(CLAIMS) >= TIMES
