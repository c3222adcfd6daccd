"""What a resource server says when it refuses a token (RFC 6750 §3, RFC 9110 §11.6.1)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.protocol.challenge import MOST_SCOPES, Challenge, bearer_challenge, challenges

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


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_header_is_read_in_linear_time(value: str) -> None:
    """Any server can send it, and a program reads it at once."""
    began = time.process_time()
    challenges(value)

    assert time.process_time() - began < 0.2


@given(st.one_of(st.text(), st.text(alphabet='Bearer =",\\\t;ab\x00é')))
def test_nothing_raises(value: str) -> None:
    """A header that cannot be read must not end a program."""
    found = bearer_challenge(value)

    assert found is None or (found.scheme == "bearer" and found.error == found.error.lower())


def test_the_challenge_with_an_error_is_the_one_that_counts() -> None:
    """A server may offer several kinds of token, and says of one of them what is wrong with it."""
    found = bearer_challenge(
        'Basic realm="a", Bearer realm="b", Bearer error="Insufficient_Scope", scope="x"'
    )

    assert found is not None
    assert (found.error, found.scope) == ("insufficient_scope", "x")
    assert bearer_challenge('Basic realm="a", DPoP error="invalid_token"') is None


def test_only_what_can_be_a_scope_is_taken() -> None:
    """It becomes part of a request and of a message (RFC 6750 §3: no quotation mark, no backslash)."""
    many = " ".join(f"s{number}" for number in range(MOST_SCOPES + 10))
    found = bearer_challenge('Bearer scope="read  write\\" read a\\\\b \x07c é"')

    assert found is not None
    assert found.scope == "read"
    assert len((bearer_challenge(f'Bearer scope="{many}"') or Challenge("")).scope.split()) == MOST_SCOPES
