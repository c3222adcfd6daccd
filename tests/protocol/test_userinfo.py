"""Who signed in, for people to read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from protocol_samples import CLIENT, ISSUER, METADATA, NOW, json_answer, raw_answer

from loopback_auth.errors import MalformedResponse
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.userinfo import account_name, userinfo_request, userinfo_response
from loopback_auth.tokens import IdToken, TokenSet

TOKENS = TokenSet("mF_9.B5f-4.1JqM", "Bearer", NOW)
ID_TOKEN = IdToken({"sub": "24400320"}, "verified", "a.b.c")
FIELDS = ("email", "name", "sub")


def test_token_travels_in_the_header_only() -> None:
    """RFC 6750 §2.1 with its token; in a URL it would end in logs (§2.3)."""
    request = userinfo_request(CLIENT, METADATA, TOKENS)

    assert request is not None
    assert (request.method, request.url, request.body) == ("GET", f"{ISSUER}/userinfo", b"")
    assert request.values("authorization") == ("Bearer mF_9.B5f-4.1JqM",)


def test_nothing_is_asked_without_an_endpoint() -> None:
    """Plain OAuth servers have none."""
    assert userinfo_request(CLIENT, replace(METADATA, userinfo_endpoint=None), TOKENS) is None


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"sub": "24400320", "name": "Jane Doe"}, "Jane Doe"),
        ({"sub": "24400320", "name": "Jane Doe", "email": "janedoe@example.com"}, "janedoe@example.com"),
        ({"sub": "24400320"}, "account 24400320"),
        ({"sub": "24400321", "name": "Mallory"}, ""),
        ({"name": "Mallory"}, ""),
        ({"sub": 24400320, "name": "Mallory"}, ""),
    ],
)
def test_answer_about_another_subject_is_discarded(claims: object, name: str) -> None:
    """OpenID Connect Core §5.3.2: sub MUST exactly match; else the values MUST NOT be used."""
    assert userinfo_response(json_answer(claims), ID_TOKEN, fields=FIELDS) == name


def test_answer_needs_no_subject_without_an_id_token() -> None:
    """GitHub and others have a page about the user and no OpenID."""
    assert userinfo_response(json_answer({"login": "octocat", "id": 1}), None, fields=("login",)) == "octocat"


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"sub": "24400320"}, 401),
        json_answer({"sub": "24400320"}, 302),
        HttpResponse(200, (("Content-Type", "application/jwt"),), b"a.b.c"),
        HttpResponse(200, (), b"{}"),
    ],
)
def test_useless_answer_names_nobody(answer: HttpResponse) -> None:
    """The name is a courtesy, the sign-in does not hang on it."""
    assert userinfo_response(answer, ID_TOKEN, fields=FIELDS) == ""


def test_answer_that_is_no_object_is_refused() -> None:
    """The flow decides that it does not matter; here it is an error."""
    with pytest.raises(MalformedResponse):
        userinfo_response(raw_answer(b"[]"), None, fields=FIELDS)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({}, ""),
        ({"email": " ", "name": "Jane"}, "Jane"),
        ({"email": "\u202e\u200b", "name": "Jane"}, "Jane"),
        ({"email": None, "name": ["x"], "sub": 7}, "account 7"),
        ({"email": True, "sub": "x"}, "x"),
        ({"email": "a\x1b[31m\r\nb"}, "a[31m b"),
        ({"email": "x" * 500}, "x" * 119 + "…"),
    ],
)
def test_name_is_the_first_that_says_something(claims: dict[str, object], name: str) -> None:
    """A name of blanks or invisible characters says nothing, and none may control the terminal."""
    assert account_name(claims, FIELDS) == name
