"""The signed authorization request: what is in the JWT, and what stays outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from client_key_samples import EC, EC_JWK, rsa_jwk, rsa_pem, verified
from protocol_samples import ATTEMPT, CHALLENGE, CLIENT, ISSUER, METADATA, NOW, REDIRECT_URI, asked, form

from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import Stamp
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.authorization import authorization_request
from loopback_auth.protocol.pushed import pushed_authorization_request
from loopback_auth.protocol.request_object import (
    LIFETIME,
    check_signed_request,
    signed_authorization_request,
)

KEY_CLIENT = replace(CLIENT, private_key=EC_JWK, signed_request=True)
STAMP = Stamp(NOW, "an-identifier")


def outside(client: ClientConfig = KEY_CLIENT) -> dict[str, str]:
    """Return what stands in the URL of a signed request."""
    request = signed_authorization_request(client, asked(client), STAMP)
    assert request.url.startswith(f"{ISSUER}/authorize?")
    assert tuple(parse_qsl(urlsplit(request.url).query)) == request.parameters
    return dict(request.parameters)


def claims_of(client: ClientConfig = KEY_CLIENT) -> dict[str, object]:
    """Return the claims of a signed request."""
    return verified(outside(client)["request"], EC)[1]


def test_rfc9101_4_example() -> None:
    """The claims of the RFC's example, with what is new at each request besides."""
    provider = replace(
        CLIENT.provider, pkce=False, metadata=replace(METADATA, issuer="https://server.example.com")
    )
    client = ClientConfig(
        provider,
        "s6BhdRkqt3",
        scope="openid",
        response_type="code id_token",
        max_age=86400,
        private_key=rsa_pem(),
        signed_request=True,
    )
    attempt = replace(ATTEMPT, state="af0ifjsldkj", nonce="n-0S6_WzA2Mj")
    metadata = replace(provider.metadata, response_modes_supported=None)
    request = authorization_request(client, metadata, attempt, redirect_uri="https://client.example.org/cb")
    signed = signed_authorization_request(client, request, STAMP)
    header, claims = verified(dict(signed.parameters)["request"], rsa_jwk())
    fresh = {"iat", "nbf", "exp", "jti"}

    assert header["alg"] == "RS256"
    assert {name: value for name, value in claims.items() if name not in fresh} == {
        "iss": "s6BhdRkqt3",
        "aud": "https://server.example.com",
        "response_type": "code id_token",
        "client_id": "s6BhdRkqt3",
        "redirect_uri": "https://client.example.org/cb",
        "scope": "openid",
        "state": "af0ifjsldkj",
        "nonce": "n-0S6_WzA2Mj",
        "max_age": 86400,
    }


def test_rfc9101_4_every_parameter_is_inside_apart_from_request_and_request_uri() -> None:
    """A Request Object MUST contain all the parameters, and MUST NOT contain these two."""
    plain = dict(asked(KEY_CLIENT).parameters)
    claims = claims_of()

    assert plain.items() <= claims.items()
    assert claims["code_challenge"] == CHALLENGE
    assert not {"request", "request_uri"} & claims.keys()


def test_rfc9101_5_client_id_stands_outside_and_is_the_same() -> None:
    """The client_id in the URL MUST be that in the request object; everything else stays out of the URL."""
    assert outside().keys() == {"client_id", "request"}
    assert outside()["client_id"] == claims_of()["client_id"] == CLIENT.client_id


def test_rfc9101_4_issuer_and_audience() -> None:
    """If signed, it SHOULD have the claims iss (the client) and aud (the issuer of the server)."""
    claims = claims_of()

    assert (claims["iss"], claims["aud"]) == (CLIENT.client_id, ISSUER)


def test_rfc9101_10_8_it_cannot_pass_for_a_client_assertion() -> None:
    """It has an explicit type, and no sub with the client's ID."""
    header, claims = verified(outside()["request"], EC)

    assert header["typ"] == "oauth-authz-req+jwt"
    assert "sub" not in claims


@pytest.mark.parametrize("name", ["sub", "aud", "iss", "exp", "nbf", "iat", "jti"])
def test_rfc9101_10_8_no_parameter_becomes_a_claim_of_the_jwt(name: str) -> None:
    """An extra parameter of that name would make another JWT of it."""
    client = replace(KEY_CLIENT, extra={name: CLIENT.client_id})
    with pytest.raises(ConfigError) as refusal:
        signed_authorization_request(client, asked(client), STAMP)

    assert "extra" in refusal.value.parameter


def test_request_ends_and_is_new() -> None:
    """FAPI 2.0 Message Signing §5.3.1 demands both times; a clock a minute behind ours accepts it."""
    claims: dict[str, Any] = claims_of()

    assert (claims["iat"], claims["exp"], claims["jti"]) == (int(NOW), int(NOW) + LIFETIME, STAMP.unique)
    assert claims["nbf"] <= int(NOW) - 60
    assert claims["exp"] - claims["nbf"] <= 3600


def test_rfc9101_4_numbers_are_numbers_and_structures_are_structures() -> None:
    """Numerical values MUST be included as JSON numbers; claims are an object (OpenID Connect Core §5.5)."""
    extra = {"claims": '{"id_token":{"acr":null}}', "authorization_details": '[{"type":"x"}]', "year": "2026"}
    claims = claims_of(replace(KEY_CLIENT, max_age=0, extra=extra))

    assert claims["max_age"] == 0
    assert claims["claims"] == {"id_token": {"acr": None}}
    assert claims["authorization_details"] == [{"type": "x"}]
    assert claims["year"] == "2026"


@pytest.mark.parametrize("text", ["{not json", "[" * 20_000, "", '{"a":NaN}', "[1e400]"])
def test_structure_that_is_none_is_sent_as_it_is(text: str) -> None:
    """The server says what is wrong with it."""
    assert claims_of(replace(KEY_CLIENT, extra={"claims": text}))["claims"] == text


def test_rfc8707_2_several_resources_are_a_list() -> None:
    """A member of a JSON object cannot be repeated."""
    several = ("https://a.example", "https://b.example")

    assert claims_of(replace(KEY_CLIENT, resource=several))["resource"] == list(several)
    assert claims_of(replace(KEY_CLIENT, resource=several[:1]))["resource"] == several[0]


def test_rfc9126_3_pushed_request_has_the_request_object() -> None:
    """Outside are only the parameters that authenticate the client."""
    signed = signed_authorization_request(KEY_CLIENT, asked(KEY_CLIENT), STAMP)

    assert form(pushed_authorization_request(KEY_CLIENT, signed)) == dict(signed.parameters)


def test_what_later_steps_compare_with_stays() -> None:
    """The response is compared with the request, and not with its form (RFC 9700 §4.4.2)."""
    plain = asked(KEY_CLIENT)
    signed = signed_authorization_request(KEY_CLIENT, plain, STAMP)

    assert replace(signed, url=plain.url, parameters=plain.parameters) == plain
    assert signed.redirect_uri == REDIRECT_URI


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"signed_request": False}, "signed_request"),
        ({"private_key": None}, "private_key"),
        ({"private_key": None, "signed_request": None}, "private_key"),
    ],
)
def test_rfc9101_10_5_what_the_server_requires_and_the_client_cannot_is_refused(
    changes: dict[str, Any], parameter: str
) -> None:
    """`require_signed_request_object`: the server would refuse the request in the browser."""
    with pytest.raises(ConfigError) as refusal:
        check_signed_request(replace(KEY_CLIENT, **changes), METADATA)

    assert refusal.value.parameter == parameter


def test_rfc9101_10_5_algorithm_that_the_server_does_not_list_is_refused() -> None:
    """`request_object_signing_alg_values_supported` says what the server can check; `none` is never sent."""
    metadata = replace(METADATA, request_object_signing_alg_values_supported=("none", "RS256"))
    with pytest.raises(ConfigError, match="ES256"):
        check_signed_request(KEY_CLIENT, metadata)
