"""How the client says who it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from client_key_samples import EC_JWK
from protocol_samples import CLIENT, ISSUER, METADATA, PROVIDER, SECRET_CLIENT, form

from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientAuth, ClientConfig, Network
from loopback_auth.protocol.client_auth import (
    NEEDS,
    authenticated_request,
    check_client_authentication,
    client_authentication,
    endpoint_url,
    token_endpoint_request,
)
from loopback_auth.protocol.revocation import revocation_request

URL = "https://as.example/token"


def with_method(client: ClientConfig, method: ClientAuth | None) -> ClientConfig:
    """Declare a method for the provider of a client."""
    return replace(client, provider=replace(client.provider, client_auth=method))


KEY_CLIENT = replace(CLIENT, private_key=EC_JWK)
CERTIFIED = replace(CLIENT, provider=replace(PROVIDER, network=Network(client_cert="client.pem")))
ALIASES = {"token_endpoint": f"{ISSUER}:8443/token", "revocation_endpoint": f"{ISSUER}:8443/revoke"}


@pytest.mark.parametrize(
    ("client", "declared", "listed", "chosen"),
    [
        (CLIENT, None, None, "none"),
        (CLIENT, None, ("client_secret_basic",), "none"),
        (CLIENT, "none", None, "none"),
        (SECRET_CLIENT, None, None, "client_secret_basic"),
        (SECRET_CLIENT, None, (), "client_secret_basic"),
        (SECRET_CLIENT, None, ("client_secret_post", "client_secret_basic"), "client_secret_basic"),
        (SECRET_CLIENT, None, ("client_secret_post",), "client_secret_post"),
        (SECRET_CLIENT, None, ("private_key_jwt",), "client_secret_basic"),
        (SECRET_CLIENT, "client_secret_post", ("client_secret_basic",), "client_secret_post"),
        (SECRET_CLIENT, "none", None, "none"),
        (KEY_CLIENT, None, None, "private_key_jwt"),
        (KEY_CLIENT, None, ("private_key_jwt", "none"), "private_key_jwt"),
        (KEY_CLIENT, None, ("none", "client_secret_basic"), "none"),
        (KEY_CLIENT, "none", ("private_key_jwt",), "none"),
        (replace(KEY_CLIENT, client_secret="x"), None, None, "client_secret_basic"),
        (replace(KEY_CLIENT, client_secret="x"), "private_key_jwt", None, "private_key_jwt"),
        (CERTIFIED, None, ("tls_client_auth",), "none"),
        (CERTIFIED, "tls_client_auth", None, "tls_client_auth"),
        (CERTIFIED, "self_signed_tls_client_auth", None, "self_signed_tls_client_auth"),
    ],
)
def test_method_follows_declaration_secret_and_metadata(
    client: ClientConfig, declared: ClientAuth | None, listed: tuple[str, ...] | None, chosen: str
) -> None:
    """Basic is what servers must support (RFC 6749 §2.3.1); a declaration knows better."""
    metadata = replace(METADATA, token_endpoint_auth_methods_supported=listed)

    assert client_authentication(with_method(client, declared), metadata) == chosen


@pytest.mark.parametrize("method", NEEDS)
def test_declared_method_without_its_secret_is_refused(method: ClientAuth) -> None:
    """The server would refuse it after the person has approved; here the hint says what is missing."""
    with pytest.raises(ConfigError, match=method) as refusal:
        check_client_authentication(with_method(CLIENT, method), METADATA)

    assert refusal.value.parameter == NEEDS[method][0]


def test_basic_of_the_specification() -> None:
    """RFC 6749 §2.3.1 gives this header for this client."""
    request = authenticated_request(URL, [("a", "b")], SECRET_CLIENT, METADATA)

    assert request.values("authorization") == ("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",)
    assert form(request) == {"a": "b"}


def test_client_of_a_resource_names_itself_in_the_body_as_well() -> None:
    """Servers made with the Python SDK of MCP demand it, and RFC 6749 §3.2.1 allows it."""
    client = replace(SECRET_CLIENT, resource_server="https://mcp.example/mcp")
    request = authenticated_request(URL, [("a", "b")], client, METADATA)

    assert len(request.values("authorization")) == 1
    assert form(request) == {"a": "b", "client_id": client.client_id}


def test_basic_encodes_both_halves_as_a_form() -> None:
    """A colon in an id would move the border between id and secret (RFC 6749 §2.3.1, appendix B)."""
    client = replace(CLIENT, client_id="a:b c", client_secret="%= +")

    request = authenticated_request(URL, [], client, METADATA)

    assert request.header("authorization") == "Basic YSUzQWIrYzolMjUlM0QrJTJC"  # a%3Ab+c:%25%3D+%2B


def test_secret_in_the_form_is_in_no_header() -> None:
    """A client uses one method for each request (RFC 6749 §2.3)."""
    request = authenticated_request(URL, [], with_method(SECRET_CLIENT, "client_secret_post"), METADATA)

    assert form(request) == {
        "client_id": SECRET_CLIENT.client_id,
        "client_secret": SECRET_CLIENT.client_secret,
    }
    assert not request.header("authorization")


def test_public_client_names_itself_and_sends_no_secret() -> None:
    """RFC 6749 §3.2.1: a client that does not authenticate sends its client_id."""
    request = authenticated_request(URL, [("a", "b")], CLIENT, METADATA)

    assert form(request) == {"a": "b", "client_id": "s6BhdRkqt3"}
    assert not request.header("authorization")


def test_request_is_a_form_that_asks_for_json() -> None:
    """RFC 6749 §3.2 and §4.1.3: POST, form encoded, the URL untouched."""
    request = authenticated_request(URL + "?tenant=1", [("a", "b c&d=é")], CLIENT, METADATA)

    assert (request.method, request.url) == ("POST", URL + "?tenant=1")
    assert request.header("content-type") == "application/x-www-form-urlencoded"
    assert request.header("accept") == "application/json"
    assert form(request)["a"] == "b c&d=é"


# RFC 8705: mutual TLS


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_rfc8705_2_request_names_the_client(method: ClientAuth) -> None:
    """The client MUST include client_id, so that the server finds the certificate that it expects."""
    request = token_endpoint_request([("grant_type", "x")], with_method(CERTIFIED, method), METADATA)

    assert form(request) == {"grant_type": "x", "client_id": CLIENT.client_id}
    assert request.header("authorization") == ""


def test_rfc8705_5_alias_is_used_in_preference_to_the_endpoint() -> None:
    """A client that does mutual TLS MUST use the alias where there is one, and others must not."""
    metadata = replace(METADATA, mtls_endpoint_aliases=ALIASES)
    client = with_method(CERTIFIED, "tls_client_auth")
    revocation = revocation_request(client, metadata, token="x", token_type_hint="access_token")

    assert token_endpoint_request([], client, metadata).url == ALIASES["token_endpoint"]
    assert revocation is not None
    assert revocation.url == ALIASES["revocation_endpoint"]
    assert endpoint_url(client, metadata, "userinfo_endpoint") == METADATA.userinfo_endpoint
    assert token_endpoint_request([], CLIENT, metadata).url == METADATA.token_endpoint


def test_rfc8705_4_public_client_with_a_certificate_uses_the_alias_too() -> None:
    """Its tokens can be bound to the certificate, although it does not authenticate."""
    metadata = replace(METADATA, mtls_endpoint_aliases=ALIASES)

    assert token_endpoint_request([], CERTIFIED, metadata).url == ALIASES["token_endpoint"]
