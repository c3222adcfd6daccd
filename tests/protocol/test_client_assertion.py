"""The client proves who it is with its private key."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from client_key_samples import EC, EC_JWK, verified
from protocol_samples import CLIENT, ISSUER, METADATA, NOW, form

from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import Stamp, form_request
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.client_assertion import (
    ASSERTION_TYPE,
    LIFETIME,
    asserted,
    check_assertable,
    client_assertion,
)
from loopback_auth.protocol.client_auth import client_authentication, token_endpoint_request
from loopback_auth.quirks import Quirks

KEY_CLIENT: ClientConfig = replace(CLIENT, private_key=EC_JWK)
STAMP = Stamp(NOW + 0.7, "an-identifier")


def claims_of(client: ClientConfig = KEY_CLIENT, stamp: Stamp = STAMP) -> dict[str, object]:
    """Make an assertion, and return what it says."""
    return verified(client_assertion(client, METADATA, stamp), EC)[1]


def test_rfc7523_2_2_example() -> None:
    """The request of the RFC, up to the assertion itself."""
    code = ("code", "n0esc3NRze7LTCu7iYzS6a5acc3f0ogp4")
    plain = form_request(f"{ISSUER}/token", [("grant_type", "authorization_code"), code])
    body = asserted(plain, KEY_CLIENT, METADATA, STAMP).body.decode("ascii")

    assert body.startswith(
        "grant_type=authorization_code&code=n0esc3NRze7LTCu7iYzS6a5acc3f0ogp4&client_assertion_type="
        "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=eyJ"
    )


def test_rfc7523_3_1_issuer_is_the_client() -> None:
    """The JWT MUST contain an iss (issuer) claim; for client authentication it is the client's ID."""
    assert claims_of()["iss"] == CLIENT.client_id


def test_rfc7523_3_2_subject_is_the_client() -> None:
    """For client authentication, the subject MUST be the client_id."""
    assert claims_of()["sub"] == CLIENT.client_id


def test_rfc7523_3_3_audience_is_the_issuer_alone() -> None:
    """A string, and not a list, in which a second server could stand (draft-ietf-oauth-rfc7523bis §4)."""
    assert claims_of()["aud"] == ISSUER


def test_rfc7523_3_3_server_without_an_issuer_is_named_by_its_token_endpoint() -> None:
    """Where only endpoints are given, the RFC's other name of the server is left."""
    nameless = replace(METADATA, issuer=None)

    assert verified(client_assertion(KEY_CLIENT, nameless, STAMP), EC)[1]["aud"] == f"{ISSUER}/token"


def test_rfc7523_3_4_and_3_6_assertion_ends_after_a_minute() -> None:
    """It MUST have an exp; both times are numbers of whole seconds."""
    claims = claims_of()

    assert (claims["iat"], claims["exp"]) == (int(NOW), int(NOW) + LIFETIME)
    assert LIFETIME <= 60


def test_rfc7523_3_7_each_assertion_has_an_identifier_of_its_own() -> None:
    """A server refuses one that it has seen."""
    assert {claims_of(stamp=Stamp(NOW, each))["jti"] for each in ("one", "two")} == {"one", "two"}


def test_rfc7523_3_8_assertion_is_signed_and_explicitly_typed() -> None:
    """What the key signs for another purpose is no assertion (draft-ietf-oauth-rfc7523bis §4)."""
    header, _ = verified(client_assertion(KEY_CLIENT, METADATA, STAMP), EC)

    assert header == {"alg": "ES256", "typ": "client-authentication+jwt", "kid": "16"}


def test_rfc7521_4_2_client_id_names_the_same_client() -> None:
    """It is optional, and MUST be the subject of the assertion where it is sent."""
    plain = token_endpoint_request([("grant_type", "x")], KEY_CLIENT, METADATA)
    sent = form(asserted(plain, KEY_CLIENT, METADATA, STAMP))

    assert client_authentication(KEY_CLIENT, METADATA) == "private_key_jwt"
    assert (sent["client_id"], sent["client_assertion_type"]) == (CLIENT.client_id, ASSERTION_TYPE)
    assert "client_secret" not in sent


def test_rfc6749_2_3_no_other_method_is_used_in_the_same_request() -> None:
    """The client MUST NOT use more than one authentication method in each request."""
    both = replace(KEY_CLIENT, client_secret="secret")
    declared = replace(both, provider=replace(both.provider, client_auth="private_key_jwt"))
    plain = token_endpoint_request([("grant_type", "x")], declared, METADATA)
    request = asserted(plain, declared, METADATA, STAMP)

    assert "secret" not in form(request)
    assert request.header("authorization") == ""


def test_body_of_json_gets_the_assertion_as_members() -> None:
    """Some providers take no form."""
    quirks = Quirks(token_body="json")
    client = replace(KEY_CLIENT, provider=replace(KEY_CLIENT.provider, quirks=quirks))
    plain = token_endpoint_request([("grant_type", "x")], client, METADATA)
    sent = json.loads(asserted(plain, client, METADATA, STAMP).body)

    assert sent["grant_type"] == "x"
    assert verified(sent["client_assertion"], EC)[1]["iss"] == CLIENT.client_id


def test_repeated_parameters_stay_repeated() -> None:
    """RFC 8707 §2: one request may name several resources."""
    plain = form_request(
        f"{ISSUER}/token", [("resource", "https://a.example"), ("resource", "https://b.example")]
    )
    pairs = parse_qsl(asserted(plain, KEY_CLIENT, METADATA, STAMP).body.decode())

    assert [value for name, value in pairs if name == "resource"] == [
        "https://a.example",
        "https://b.example",
    ]


@pytest.mark.parametrize("text", ["{}", '{"kty": "EC"}'])
def test_unusable_key_is_refused_before_the_user_is_asked(text: str) -> None:
    """It would be noticed when the user has approved already."""
    with pytest.raises(ConfigError) as refusal:
        check_assertable(replace(KEY_CLIENT, private_key=text), METADATA)

    assert refusal.value.parameter == "private_key"


def test_rfc8414_2_algorithm_that_the_server_does_not_list_is_refused() -> None:
    """`token_endpoint_auth_signing_alg_values_supported` says what the server can check."""
    metadata = replace(METADATA, token_endpoint_auth_signing_alg_values_supported=("RS256",))
    with pytest.raises(ConfigError, match="ES256"):
        check_assertable(KEY_CLIENT, metadata)
