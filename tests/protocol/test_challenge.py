"""What a resource server says when it refuses a token (RFC 6750 §3, RFC 9110 §11.6.1)."""

from __future__ import annotations

import sys

import pytest
from costs import PROPORTIONAL, growth
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.protocol.challenge import (
    MOST_SCOPE_CHARACTERS,
    MOST_SCOPES,
    MOST_SECONDS,
    Challenge,
    challenges,
    scope_words,
    token_challenge,
)

HOSTILE = [
    '"' * 16_000,
    'a="' * 5_000,
    "," * 16_000,
    "a " * 8_000,
    '\\"' * 8_000,
    'a="\\' * 4_000,
    "a=," * 5_000,
    'a"' * 8_000,
    'Bearer scope="' + "\\a" * 8_000,
]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("", ()),
        ("Bearer", (Challenge("bearer"),)),
        ('BEARER Realm="a"', (Challenge("bearer", {"realm": "a"}),)),
        (
            'Bearer\trealm="a"  , error = invalid_token',
            (Challenge("bearer", {"realm": "a", "error": "invalid_token"}),),
        ),
        # The example of RFC 9110 §11.6.1: commas within, between parameters and between challenges.
        (
            'Basic realm="simple, or not", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
            (
                Challenge("basic", {"realm": "simple, or not"}),
                Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
            ),
        ),
        ("Negotiate YWJj/+==, Bearer", (Challenge("negotiate", token68="YWJj/+=="), Challenge("bearer"))),
        (", ,Bearer,, Basic ,", (Challenge("bearer"), Challenge("basic"))),
        # Not quoted, as some servers send it: what follows is still read.
        (
            'Bearer error_description=It expired: sorry, scope="a"',
            (Challenge("bearer", {"error_description": "It", "scope": "a"}),),
        ),
        ('Bearer error="a", error="b"', (Challenge("bearer", {"error": "a"}),)),
        ('Bearer realm="a", error="never closed', (Challenge("bearer", {"realm": "a"}),)),
        ('realm="of no scheme"', ()),
    ],
)
def test_a_header_is_read_as_the_grammar_has_it(value: str, read: tuple[Challenge, ...]) -> None:
    """One value may hold several challenges, and a comma separates both them and their parameters."""
    assert challenges(value) == read


@pytest.mark.skipif(sys.platform == "win32", reason="processor time comes in steps of 16 ms there")
@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_header_is_read_in_linear_time(value: str) -> None:
    """Any server can send it, and a program reads it at once."""
    assert growth(challenges, value) < PROPORTIONAL


@given(st.one_of(st.text(), st.text(alphabet='Bearer =",\\\t;ab\x00é')))
def test_nothing_raises(value: str) -> None:
    """A header that cannot be read must not end a program."""
    found = token_challenge(value)

    assert found is None or (found.scheme in ("bearer", "dpop") and found.error == found.error.lower())


def test_the_challenge_with_an_error_is_the_one_that_counts() -> None:
    """A server may offer several kinds of token, and says of one of them what is wrong with it."""
    found = token_challenge('Basic realm="a", Bearer realm="b", Bearer error="Insufficient_Scope", scope="x"')

    assert found is not None
    assert (found.error, found.scope) == ("insufficient_scope", "x")
    assert token_challenge('Basic realm="a", Negotiate error="invalid_token"') is None


def test_rfc9449_7_1_challenge_for_a_bound_token_counts_as_well() -> None:
    """A resource may name both schemes, or this one alone; what it says of the token is the same."""
    both = 'Bearer realm="a", DPoP algs="ES256", error="insufficient_scope", scope="write"'
    found = token_challenge(both)

    assert found is not None
    assert (found.scheme, found.error, found.scope) == ("dpop", "insufficient_scope", "write")


def test_rfc9470_3_example() -> None:
    """The example of the RFC: a user who was authenticated within five minutes, in one of two ways."""
    found = token_challenge(
        'Bearer error="insufficient_user_authentication", error_description="A different authentication '
        'level is required", acr_values="myACR", max_age="5"'
    )

    assert found is not None
    assert (found.error, found.acr_values, found.max_age) == ("insufficient_user_authentication", "myACR", 5)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 60 ", 60),
        ("00000000000000005", 5),
        ("9" * 5000, MOST_SECONDS),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("\u0665", None),
        ("soon", None),
    ],
)
def test_rfc9470_3_max_age_is_a_number_of_seconds(text: str, seconds: int | None) -> None:
    """Anything else counts as absent; a number may have any length."""
    assert Challenge("bearer", {"max_age": text}).max_age == seconds


def test_rfc9470_3_acr_values_are_visible_words() -> None:
    """They become a parameter of the next request."""
    assert Challenge("bearer", {"acr_values": 'a  b a \x07 "c"'}).acr_values == "a b"


def test_only_what_can_be_a_scope_is_taken() -> None:
    """It becomes part of a request and of a message (RFC 6750 §3: no quotation mark, no backslash)."""
    many = " ".join(f"s{number}" for number in range(MOST_SCOPES + 10))
    found = token_challenge('Bearer scope="read  write\\" read a\\\\b \x07c é"')

    assert found is not None
    assert found.scope == "read"
    assert len((token_challenge(f'Bearer scope="{many}"') or Challenge("")).scope.split()) == MOST_SCOPES


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["x" * 100_000, "a"], ("a",)),
        (["x" * (MOST_SCOPE_CHARACTERS - 1), "a"], ("x" * (MOST_SCOPE_CHARACTERS - 1),)),
        (["x" * 3000, "y" * 3000, "z"], ("x" * 3000,)),
    ],
)
def test_scopes_fit_into_an_address(words: list[str], kept: tuple[str, ...]) -> None:
    """A resource that names endless scopes must not keep its users from signing in."""
    assert scope_words(words) == kept
