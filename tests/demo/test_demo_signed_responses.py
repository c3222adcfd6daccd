"""Authorization responses of the demo server that come in a signed JWT (JARM)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from demo_conversation import (
    ISSUER,
    Conversation,
    PlainSigner,
    conversation,
    document,
    hidden,
    id_claims,
    query,
)
from flow_world import Entropy

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.features import Features
from loopback_auth.demo.server import DemoServer


def opened(faults: Faults | None = None, decision: Any = "approve", **changes: str | None) -> dict[str, Any]:
    """Sign in, and read the claims of the one parameter that comes back."""
    talk = conversation(faults, signer=PlainSigner())
    returned = talk.returned(decision, response_mode="jwt", **changes)
    assert list(returned) == ["response"]
    claims: dict[str, Any] = id_claims(returned["response"])
    return claims


def test_jarm_2_1_response_is_a_jwt() -> None:
    """It says who sent it, to whom, and until when; and all that would stand in the clear."""
    claims = opened()

    assert (claims["iss"], claims["aud"], claims["state"]) == (ISSUER, "loopback-auth-demo", "a state")
    assert claims["exp"] == 1_000_600
    assert claims["code"]


def test_jarm_2_1_errors_come_so_as_well() -> None:
    """A denial, and what is refused before anybody is asked."""
    talk = conversation(signer=PlainSigner())
    location = talk.authorize(response_mode="jwt", scope="everything").header("location")
    refused = id_claims(query(location)["response"][0])

    assert opened(decision="deny")["error"] == "access_denied"
    assert (refused["error"], refused["state"], refused["iss"]) == ("invalid_scope", "a state", ISSUER)


@pytest.mark.parametrize(
    ("mode", "where"), [("query.jwt", "query"), ("fragment.jwt", "fragment"), ("form_post.jwt", "body")]
)
def test_jarm_2_3_response_modes(mode: str, where: str) -> None:
    """The JWT travels as the parameters would."""
    talk = conversation(signer=PlainSigner())
    page = talk.authorize(response_mode=mode)
    consent = talk.post("/sign-in", {"interaction": hidden(page), "account": "demo-1"})
    done = talk.post("/consent", {"interaction": hidden(consent), "decision": "approve"})
    parts = urlsplit(done.header("location"))
    found = dict(parse_qsl(parts.query if where == "query" else parts.fragment))

    assert mode in document(talk.get("/.well-known/openid-configuration"))["response_modes_supported"]
    if where == "body":
        assert b'name="response"' in done.body
        assert b'name="code"' not in done.body
    else:
        assert list(found) == ["response"]


def test_jarm_2_3_tokens_do_not_come_in_the_query() -> None:
    """The signed query is no better than the plain one (JARM §2.3.1)."""
    talk = conversation(signer=PlainSigner())
    asked = {"response_type": "id_token", "scope": "openid", "nonce": "n", "response_mode": "query.jwt"}
    parts = urlsplit(talk.authorize(**asked).header("location"))

    assert parts.query == ""
    assert id_claims(dict(parse_qsl(parts.fragment))["response"])["error"] == "invalid_request"


def test_faults_of_a_response_are_inside() -> None:
    """What a client must notice in the clear it must notice here."""
    assert opened(Faults(wrong_state=True))["state"] == "not-the-state-you-sent"
    assert opened(Faults(wrong_iss=True))["iss"] != ISSUER
    assert "iss" not in opened(Faults(omit_iss=True))
    assert opened(Faults(wrong_audience=True))["aud"] == "another-client"
    assert opened(Faults(clock_skew=-3600))["exp"] < 1_000_000


def test_bad_signature() -> None:
    """The claims are the same, and the signature is not."""
    good, bad = (
        conversation(Faults(bad_signature=bad), signer=PlainSigner()).returned(response_mode="jwt")[
            "response"
        ]
        for bad in (False, True)
    )

    assert good.rpartition(".")[0] == bad.rpartition(".")[0]
    assert good.rpartition(".")[2] == "signature" != bad.rpartition(".")[2]


@pytest.mark.parametrize("signed", [True, False])
def test_server_without_signed_responses(signed: bool) -> None:
    """Without a key, or switched off, the modes are neither announced nor accepted."""
    signer = None if signed else PlainSigner()
    server = DemoServer(ISSUER, entropy=Entropy(), signer=signer, features=Features(signed_responses=signed))
    talk = Conversation(server)

    assert "jwt" not in str(server.metadata()["response_modes_supported"])
    assert "error=invalid_request" in talk.authorize(response_mode="jwt").header("location")
