"""Step-up authentication at the demo server (RFC 9470): what is wanted, and how to get it."""

from __future__ import annotations

from typing import Any

import pytest
from demo_conversation import (
    ISSUER,
    Conversation,
    PlainSigner,
    conversation,
    document,
    error,
    hidden,
    id_claims,
)

from loopback_auth.demo.faults import Faults
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.challenge import challenges

SENSITIVE = "/resource/sensitive"
CONFIRMED = "urn:demo:confirmed"
SOURCE = "/.well-known/oauth-protected-resource"


def use(talk: Conversation, tokens: Any) -> HttpResponse:
    """Ask for the sensitive resource."""
    return talk.get(SENSITIVE, ("Authorization", f"Bearer {tokens['access_token']}"))


def asked(response: HttpResponse) -> dict[str, str]:
    """Read the parameters of the challenge."""
    [challenge] = challenges(response.header("www-authenticate"))
    return dict(challenge.parameters)


def test_rfc9470_3_challenge_says_what_is_wanted() -> None:
    """The token is good, but the person is not known well enough."""
    talk = conversation()
    refused = use(talk, talk.tokens())

    assert error(refused) == (401, "insufficient_user_authentication")
    assert asked(refused)["error"] == "insufficient_user_authentication"
    assert (asked(refused)["acr_values"], asked(refused)["max_age"]) == (CONFIRMED, "300")
    assert asked(refused)["resource_metadata"] == f"{ISSUER}{SOURCE}{SENSITIVE}"


def test_rfc9470_4_what_the_challenge_wants_is_enough() -> None:
    """The ID token says it as well (OpenID Connect Core §2)."""
    talk = conversation(signer=PlainSigner())
    tokens = talk.tokens(scope="openid", nonce="n", acr_values=f"urn:unknown {CONFIRMED}", max_age="300")
    claims = id_claims(tokens["id_token"])

    assert use(talk, tokens).status == 200
    assert (claims["acr"], claims["auth_time"]) == (CONFIRMED, int(talk.now))


def test_confirmation_grows_old_and_a_renewal_does_not_help() -> None:
    """A refresh request does not ask the person (OpenID Connect Core §12.2)."""
    talk = conversation()
    tokens = talk.tokens(acr_values=CONFIRMED)
    talk.wait(301)
    renewed = document(talk.refresh(tokens["refresh_token"]))

    assert [use(talk, each).status for each in (tokens, renewed)] == [401, 401]
    assert use(talk, talk.tokens(acr_values=CONFIRMED)).status == 200


def test_token_without_credentials_is_no_question_of_authentication() -> None:
    """First the client needs a token at all."""
    refused = conversation().get(SENSITIVE)

    assert (refused.status, "acr_values" in asked(refused)) == (401, False)


@pytest.mark.parametrize(
    ("path", "status"), [("/resource", 200), (SENSITIVE, 200), ("/mcp", 401), ("/resource/other", 401)]
)
def test_tokens_of_the_whole_resource_are_accepted(path: str, status: int) -> None:
    """The sensitive part belongs to the resource (RFC 8707 §2)."""
    talk = conversation()
    tokens = talk.tokens(acr_values=CONFIRMED, resource=ISSUER + path)

    assert use(talk, tokens).status == status


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("acr_values", "urn:unknown", "unmet_authentication_requirements"),
        ("max_age", "soon", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("max_age", "\u0663", "invalid_request"),
        ("max_age", "1" * 12, "invalid_request"),
    ],
)
def test_rfc9470_5_what_cannot_be_met_is_refused(name: str, value: str, code: str) -> None:
    """A client that gets less than it asked for would ask again, and again."""
    location = conversation().authorize((name, value)).header("location")

    assert f"error={code}" in location


def test_pages_say_that_the_person_is_asked_again() -> None:
    """Otherwise a person would wonder why."""
    talk = conversation()
    page = talk.authorize(acr_values=CONFIRMED)
    consent = talk.post("/sign-in", {"interaction": hidden(page), "account": "demo-1"})

    assert b"confirm it by signing in now" in page.body
    assert b"You have just confirmed who you are" in consent.body
    assert b"confirm" not in talk.authorize().body


def test_server_that_ignores_the_wish() -> None:
    """The client must notice that a further sign-in would not help either."""
    talk = conversation(Faults(ignore_acr=True))

    assert error(use(talk, talk.tokens(acr_values=CONFIRMED))) == (401, "insufficient_user_authentication")
