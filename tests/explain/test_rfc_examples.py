"""The examples of the specifications, explained; and what single clauses demand of a client."""

from __future__ import annotations

import pytest
from link_samples import ID_TOKEN, broken, jwt, link, request, response, token

from loopback_auth.explain.links.link import read_link
from loopback_auth.explain.subject import recognised

EXAMPLES = {
    "RFC 6749 §4.1.1": (
        "https://server.example.com/authorize?response_type=code&client_id=s6BhdRkqt3&state=xyz"
        "&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb",
        {"pkce-s256", "state-unguessable", "resource-named"},
    ),
    "RFC 6749 §4.1.2": (
        "https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz",
        {"iss-returned", "code-in-history"},
    ),
    "RFC 6749 §4.1.2.1": (
        "https://client.example.com/cb?error=access_denied&state=xyz",
        {"iss-returned"},
    ),
    "RFC 6749 §4.2.1": (
        "https://server.example.com/authorize?response_type=token&client_id=s6BhdRkqt3&state=xyz"
        "&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb",
        {"no-implicit-grant", "state-unguessable", "resource-named"},
    ),
    "RFC 6749 §4.2.2": (
        "http://example.com/cb#access_token=2YotnFZFEjr1zCsicMWpAA&state=xyz&token_type=example&expires_in=3600",
        {"plain-http-on-loopback-only", "token-in-fragment", "iss-returned"},
    ),
    "OpenID Connect Core 1.0 §3.1.2.1": (
        "https://server.example.com/authorize?response_type=code&scope=openid%20profile%20email"
        "&client_id=s6BhdRkqt3&state=af0ifjsldkj&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb",
        {"pkce-s256", "nonce-with-openid", "state-unguessable", "resource-named"},
    ),
    "OpenID Connect Core 1.0 §3.2.2.1": (
        "https://server.example.com/authorize?response_type=id_token%20token&client_id=s6BhdRkqt3"
        "&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb&scope=openid%20profile&state=af0ifjsldkj"
        "&nonce=n-0S6_WzA2Mj",
        {"no-implicit-grant", "state-unguessable", "nonce-unguessable", "resource-named"},
    ),
    "RFC 9126 §4": (
        "https://as.example.com/authorize?client_id=s6BhdRkqt3"
        "&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6esc_11ACC5bwc014ltc14eY22c",
        set(),
    ),
    "RFC 8707 §2.1": (
        "https://as.example.com/as/authorization.oauth2?response_type=token&client_id=example-client"
        "&state=XzZaJlcwYew1u0QBrRv_Gw&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb"
        "&resource=https%3A%2F%2Fapi.example.com%2Fapp%2F",
        {"no-implicit-grant"},
    ),
    "RFC 9207 §2.1": (
        "https://client.example/cb?code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58"
        "&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example",
        {"code-in-history"},
    ),
    "RFC 9207 §2.2": (
        "https://client.example/cb?error=access_denied&state=N2JjNGJhY2JiZjRhYzA3MGJkMzNmMDE5OWJhZmJhZjA"
        "&iss=https%3A%2F%2Fhonest.as.example",
        set(),
    ),
    "RFC 8628 §3.3.1": ("https://example.com/device?user_code=WDJB-MJHT", {"user-code-shown"}),
}


@pytest.mark.parametrize("clause", EXAMPLES)
def test_example_of_a_clause_breaks_what_is_known(clause: str) -> None:
    """Some are older than the advice of today."""
    text, expected = EXAMPLES[clause]

    assert recognised(text).kind == "link"
    assert broken(link(text)) == expected


CHALLENGES = {
    (
        'Bearer realm="example", error="invalid_token", error_description="The access token expired"'
    ): "invalid_token",
    (
        'DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof"'
    ): "use_dpop_nonce",
    (
        'Bearer error="insufficient_user_authentication", '
        'error_description="A different authentication level is required", acr_values="myACR"'
    ): "insufficient_user_authentication",
}


@pytest.mark.parametrize("challenge", CHALLENGES, ids=CHALLENGES.values())
def test_challenge_of_a_resource_is_an_error(challenge: str) -> None:
    """RFC 6750 §3, RFC 9449 §9, RFC 9470 §3: their examples."""
    for text in (challenge, f"WWW-Authenticate: {challenge}"):
        assert (recognised(text).kind, recognised(text).text) == ("error", CHALLENGES[challenge])


def test_rfc6749_3_1_parameters_must_not_be_included_more_than_once() -> None:
    """In requests and responses."""
    assert "parameters-once" in broken(link(request(more="&state=x")))
    assert "parameters-once" in broken(link(response() + "&state=x"))


def test_rfc6749_3_1_2_redirect_uri_must_be_absolute_and_without_fragment() -> None:
    """Whatever else is in it."""
    for uri in (
        "/cb",
        "cb",
        "//client.example/cb",
        "https://client.example/cb#",
        "https://client.example/#a",
    ):
        assert "redirect-uri-form" in broken(link(request({"redirect_uri": uri})))


def test_rfc6749_2_3_1_client_secret_must_not_be_in_the_uri() -> None:
    """Of a request to any endpoint."""
    assert "no-secret-in-link" in broken(link(request({"client_secret": "x"})))


def test_rfc6749_10_12_state_must_not_be_guessable() -> None:
    """A counter is not a state."""
    assert "state-unguessable" in broken(link(request({"state": "1"})))


def test_rfc7636_4_3_method_defaults_to_plain() -> None:
    """A request that leaves it out is not protected by S256."""
    assert "pkce-s256" in broken(link(request(without=["code_challenge_method"])))


def test_rfc8252_8_3_localhost_is_not_recommended() -> None:
    """A name may be resolved to another address."""
    assert "redirect-loopback-literal" in broken(link(request({"redirect_uri": "http://localhost/cb"})))


def test_rfc8707_2_resource_must_be_absolute_and_without_fragment() -> None:
    """Several may be named."""
    assert "resource-form" in broken(link(request({"resource": "api#x"})))
    assert "parameters-once" not in broken(link(request(more="&resource=https%3A%2F%2Fb.example")))


def test_rfc9101_5_request_and_request_uri_must_not_be_used_together() -> None:
    """One of them decides."""
    signed = jwt({"client_id": "x"})
    text = f"https://as.example/authorize?client_id=x&request={signed}&request_uri=urn:x"

    assert "request-once" in broken(link(text))


def test_rfc9101_6_3_inside_of_a_signed_request_counts() -> None:
    """A value outside can be changed by anyone."""
    signed = jwt({"client_id": "x", "state": "inside"})
    text = f"https://as.example/authorize?client_id=x&state=outside&request={signed}"

    assert read_link(text).value("state") == "inside"


def test_rfc9700_2_6_response_must_not_be_transmitted_unencrypted() -> None:
    """Except on this machine."""
    assert "redirect-encrypted" in broken(link(request({"redirect_uri": "http://client.example/cb"})))
    assert "redirect-encrypted" not in broken(link(request({"redirect_uri": "http://[::1]:1/cb"})))


def test_openid_core_3_1_2_1_prompt_none_must_stand_alone() -> None:
    """The server must answer with an error."""
    assert "prompt-none-alone" in broken(link(request({"prompt": "consent none"})))


def test_rfc9449_4_2_examples_are_proofs_that_are_old() -> None:
    """Figure 2 of the RFC: made in 2019, and in order otherwise."""
    header = {
        "typ": "dpop+jwt",
        "alg": "ES256",
        "jwk": {
            "kty": "EC",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
            "crv": "P-256",
        },
    }
    claims = {
        "jti": "-BwC3ESc6acc2lTc",
        "htm": "POST",
        "htu": "https://server.example.com/token",
        "iat": 1562262616,
    }

    assert broken(token(jwt(claims, header))) == {"proof-fresh"}


def test_rfc9068_2_2_example_is_an_access_token_that_is_over() -> None:
    """Figure 3 of the RFC."""
    header = {"typ": "at+JWT", "alg": "RS256", "kid": "RjEwOwOA"}
    claims = {
        "iss": "https://authorization-server.example.com/",
        "sub": "5ba552d67",
        "aud": "https://rs.example.com/",
        "exp": 1639528912,
        "iat": 1618354090,
        "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
        "client_id": "s6BhdRkqt3",
        "scope": "openid profile reademail",
    }

    assert broken(token(jwt(claims, header))) == {"not-expired", "lifetime-short"}


def test_openid_core_2_example_is_an_id_token_that_is_over() -> None:
    """With a nonce and a subject of the specification."""
    claims = {
        "iss": "https://server.example.com",
        "sub": "24400320",
        "aud": "s6BhdRkqt3",
        "nonce": "n-0S6_WzA2Mj",
        "exp": 1311281970,
        "iat": 1311280970,
        "auth_time": 1311280969,
        "acr": "urn:mace:incommon:iap:silver",
    }

    assert broken(token(jwt(claims))) == {"not-expired"}


def test_backchannel_logout_2_4_example_lacks_what_the_errata_demand() -> None:
    """An `exp`, since the second errata set."""
    claims = {
        "iss": "https://server.example.com",
        "sub": "248289761001",
        "aud": "s6BhdRkqt3",
        "iat": 1471566154,
        "jti": "bWJq",
        "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }

    assert broken(token(jwt(claims, {"alg": "ES256", "kid": "1", "typ": "logout+jwt"}))) == {
        "claims-required"
    }
    assert ID_TOKEN["sub"] == claims["sub"]
