"""Each fault breaks its rule, and a server without faults keeps it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import fields
from urllib.parse import urlencode

import pytest
from demo_conversation import (
    ISSUER,
    VERIFIER,
    PlainSigner,
    conversation,
    document,
    error,
    id_claims,
    query,
    request,
)

from loopback_auth.demo import faults as module
from loopback_auth.demo.faults import Faults

WELL_KNOWN = "/.well-known/oauth-authorization-server"


def test_every_fault_is_in_the_table() -> None:
    """The table is the documentation: a fault that it leaves out does not exist for a reader."""
    listed = (module.__doc__ or "").split()

    assert [field.name for field in fields(Faults) if not {field.name, field.name + ","} & set(listed)] == []


def test_deny_all() -> None:
    """Even an approval comes back as a denial."""
    assert conversation(Faults(deny_all=True)).returned("approve")["error"] == "access_denied"


def test_wrong_state() -> None:
    """The answer belongs to another sign-in."""
    assert conversation(Faults(wrong_state=True)).returned()["state"] != "a state"


def test_wrong_and_missing_issuer() -> None:
    """The answer comes from another server, or does not say."""
    assert conversation(Faults(wrong_iss=True)).returned()["iss"] == f"{ISSUER}/another"
    assert "iss" not in conversation(Faults(omit_iss=True)).returned()


def test_duplicate_parameter() -> None:
    """One parameter is sent twice."""
    talk = conversation(Faults(duplicate_parameter="code"))
    step = talk.browse(f"{ISSUER}/authorize?{urlencode(request())}")

    assert {name: len(values) for name, values in query(step.url).items()} == {
        "code": 2,
        "state": 1,
        "iss": 1,
    }


def test_metadata_faults() -> None:
    """The document lies, keeps silent or is missing."""
    lies = Faults(metadata_issuer="https://evil.example", authorization_endpoint="file:///etc/passwd")
    lying = document(conversation(lies).get(WELL_KNOWN))
    silent = document(conversation(Faults(pkce_unannounced=True)).get(WELL_KNOWN))
    missing = conversation(Faults(without_metadata=True)).get(WELL_KNOWN)

    assert (lying["issuer"], lying["authorization_endpoint"]) == (
        "https://evil.example",
        "file:///etc/passwd",
    )
    assert "code_challenge_methods_supported" not in silent
    assert missing.status == 404


def test_redirect_token_endpoint() -> None:
    """The code is lured elsewhere; it is not used up by that."""
    talk = conversation(Faults(redirect_token_endpoint="https://evil.example/token"))
    response = talk.exchange(talk.code())

    assert (response.status, response.header("location")) == (307, "https://evil.example/token")


@pytest.mark.parametrize(
    ("faults", "status", "media_type", "body"),
    [
        (Faults(token_status=503, token_html=True), 503, "text/html; charset=utf-8", module.HTML),
        (Faults(token_html=True), 200, "text/html; charset=utf-8", module.HTML),
        (Faults(token_body=b"[1]"), 200, "application/json", b"[1]"),
        (Faults(token_body=b""), 200, "application/json", b""),
    ],
)
def test_spoiled_token_response(faults: Faults, status: int, media_type: str, body: bytes) -> None:
    """The request was good, and the answer is not what it should be."""
    talk = conversation(faults)
    response = talk.exchange(talk.code())

    assert (response.status, response.header("content-type"), response.body) == (status, media_type, body)


def test_refusals_are_spoiled_too() -> None:
    """Some servers answer errors with status 200."""
    assert error(conversation(Faults(token_status=200)).exchange("unknown")) == (200, "invalid_grant")


def test_members_of_the_token_response() -> None:
    """A lifetime of no sense, and members that are missing."""
    tokens = conversation(Faults(expires_in="soon", omit_members=("token_type", "refresh_token"))).tokens()

    assert tokens["expires_in"] == "soon"
    assert tokens.keys() == {"access_token", "expires_in", "scope"}


def test_narrow_scope() -> None:
    """The server grants less than was asked for, and means it."""
    talk = conversation(Faults(narrow_scope="email offline_access"))
    tokens = talk.tokens()

    assert tokens["scope"] == "email"
    assert "name" not in document(talk.userinfo(tokens["access_token"]))


def test_id_token_faults() -> None:
    """The ID token is for another sign-in, for another client, or not signed by this server."""
    faults = Faults(wrong_nonce=True, wrong_audience=True, bad_signature=True)
    token = conversation(faults, signer=PlainSigner()).tokens(scope="openid", nonce="n")["id_token"]

    assert id_claims(token)["nonce"] != "n"
    assert id_claims(token)["aud"] == "another-client"
    assert not token.endswith(".signature")


def test_wrong_subject() -> None:
    """The UserInfo response is about another subject (OpenID Connect Core §5.3.2)."""
    talk = conversation(Faults(wrong_subject=True))

    assert document(talk.userinfo(talk.tokens()["access_token"]))["sub"] == "another-subject"


def test_lenient_without_pkce() -> None:
    """Programs that send no code challenge can be looked at, too (RFC 9700 §2.1.1 forbids them)."""
    talk = conversation(Faults(lenient=True))
    code = talk.code(code_challenge=None, code_challenge_method=None)

    assert talk.exchange(code, code_verifier=None, redirect_uri=None).status == 200


def test_lenient_with_any_scope() -> None:
    """Programs ask for the scopes of their own servers."""
    tokens = conversation(Faults(lenient=True)).tokens(scope="repo admin:org")

    assert tokens["scope"] == "repo admin:org"


def test_lenient_with_plain() -> None:
    """No verifier is demanded of a challenge that is not S256, because it protects nothing."""
    talk = conversation(Faults(lenient=True))

    assert talk.exchange(talk.code(code_challenge_method="plain"), code_verifier=None).status == 200


def test_lenient_with_a_padded_verifier() -> None:
    """Some programs leave the padding of base64 in their verifier, which other servers accept."""
    padded = "padded-verifier-with-the-padding-of-base64-in-it=="
    challenge = base64.urlsafe_b64encode(hashlib.sha256(padded.encode()).digest()).decode().rstrip("=")
    lenient, strict = conversation(Faults(lenient=True)), conversation(Faults())

    assert lenient.exchange(lenient.code(code_challenge=challenge), code_verifier=padded).status == 200
    assert error(strict.exchange(strict.code(code_challenge=challenge), code_verifier=padded))[0] == 400


def test_lenient_with_s256() -> None:
    """A program that keeps the rule is held to it, so that what it sends is known to be right."""
    talk = conversation(Faults(lenient=True))

    assert error(talk.exchange(talk.code(), code_verifier=None)) == (400, "invalid_request")
    assert error(talk.exchange(talk.code(), code_verifier="v" * 43)) == (400, "invalid_grant")
    assert error(talk.exchange(talk.code(), redirect_uri="http://127.0.0.1/other")) == (400, "invalid_grant")
    assert error(talk.exchange("unknown", code_verifier=None)) == (400, "invalid_request")


def test_optional_pkce() -> None:
    """Anybody may redeem a code without a challenge; others stay bound (RFC 9700 §4.8.2)."""
    talk = conversation(Faults(pkce_optional=True))
    unbound, bound = talk.code(code_challenge=None, code_challenge_method=None), talk.code()
    another = "another-verifier-that-is-long-enough-to-be-one"

    assert talk.exchange(unbound, code_verifier=another).status == 200
    assert error(talk.exchange(bound, code_verifier=another)) == (400, "invalid_grant")
    assert error(talk.exchange(bound, code_verifier=None)) == (400, "invalid_request")
    assert conversation().returned(code_challenge=None)["error"] == "invalid_request"


def test_plain_challenges() -> None:
    """The verifier stands in the address of the authorization request (RFC 9700 §2.1.1)."""
    talk = conversation(Faults(plain_challenges=True))
    code = talk.code(code_challenge=VERIFIER, code_challenge_method="plain")

    assert error(talk.exchange(code, code_verifier=VERIFIER[::-1])) == (400, "invalid_grant")
    assert talk.exchange(code, code_verifier=VERIFIER).status == 200
    assert talk.exchange(talk.code()).status == 200
    assert conversation().returned(code_challenge_method="plain")["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("redirect_uri", "accepted"),
    [
        ("http://127.0.0.1.attacker.example/callback", True),
        ("http://127.0.0.1:51234/another", True),
        ("https://attacker.example/callback", False),
    ],
)
def test_loose_redirect_uris(redirect_uri: str, accepted: bool) -> None:
    """A host name may go on where the registered one ends (RFC 9700 §2.1)."""
    page = conversation(Faults(loose_redirect_uris=True)).authorize(redirect_uri=redirect_uri)

    assert page.status == (200 if accepted else 400)
    assert conversation().authorize(redirect_uri=redirect_uri).status == 400
