"""Which authorization server of a resource can be used, and which scope is requested there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loopback_auth import ClientConfig, ClientMetadata, ServerMetadata
from loopback_auth.errors import EndpointMissing, MalformedResponse
from loopback_auth.protocol.protected_resource import ProtectedResource
from loopback_auth.protocol.resource_servers import (
    check_fit,
    check_named_issuer,
    default_endpoints,
    other_spelling,
    scope_to_request,
)
from loopback_auth.protocol.token_demand import TokenDemand

URL = "https://mcp.example/mcp"
CLIENT = ClientConfig.for_resource(URL, client_id="x")
NEW = ClientConfig.for_resource(URL)
SERVER = ServerMetadata(
    issuer="https://as.example",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    code_challenge_methods_supported=("S256",),
    document={"registration_endpoint": "https://as.example/register"},
)


def test_fit_server_is_let_through() -> None:
    """With a client ID, or with a way to get one."""
    check_fit(CLIENT, SERVER)
    check_fit(NEW, SERVER)


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization_endpoint": None},
        {"token_endpoint": None},
        {"code_challenge_methods_supported": None},
        {"code_challenge_methods_supported": ()},
        {"code_challenge_methods_supported": ("plain",)},
    ],
)
def test_mcp_without_pkce_clients_must_not_go_on(
    changes: dict[str, tuple[str, ...] | None],
) -> None:
    """The specification: if code_challenge_methods_supported is absent, clients MUST refuse to proceed."""
    with pytest.raises(EndpointMissing) as refusal:
        check_fit(CLIENT, replace(SERVER, **changes))  # type: ignore[arg-type]

    assert refusal.value.parameter == "resource_server"


def test_device_flow_needs_no_pkce() -> None:
    """RFC 8628 has no code that a browser carries."""
    check_fit(
        CLIENT,
        replace(
            SERVER,
            authorization_endpoint=None,
            code_challenge_methods_supported=None,
            device_authorization_endpoint="https://as.example/device",
        ),
    )


def test_new_client_needs_a_way_to_an_id() -> None:
    """A document counts only if the program hosts one and the server reads it; a kept registration always."""
    closed = replace(SERVER, document={"client_id_metadata_document_supported": True})
    hosted = replace(NEW, client_metadata=ClientMetadata(url="https://tool.example/client.json"))

    check_fit(hosted, closed)
    check_fit(NEW, closed, known=True)
    for document in ({}, {"registration_endpoint": 7}, {"client_id_metadata_document_supported": "true"}):
        with pytest.raises(EndpointMissing) as refusal:
            check_fit(hosted, replace(SERVER, document=document))
        assert refusal.value.parameter == "client_id"
    with pytest.raises(EndpointMissing):
        check_fit(NEW, closed)


@pytest.mark.parametrize(
    "issuer", ["", "as.example", "http://as.example", "https://as.example/?a", "https://"]
)
def test_rfc9728_2_named_issuers_are_https_urls(issuer: str) -> None:
    """RFC 8414 §2 has no other issuer."""
    with pytest.raises(MalformedResponse) as refusal:
        check_named_issuer(issuer, by=URL)

    assert refusal.value.parameter == "resource_server"


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8080", "https://10.1.2.3/as", "https://localhost"])
def test_rfc9728_7_7_public_resource_names_no_private_server(issuer: str) -> None:
    """Unless the user allows the host; and a resource on this machine may."""
    with pytest.raises(MalformedResponse) as refusal:
        check_named_issuer(issuer, by=URL)
    host = issuer.partition("://")[2].partition("/")[0].partition(":")[0]

    assert refusal.value.parameter == "allow_private"
    check_named_issuer(issuer, by=URL, allowed=(host,))
    check_named_issuer("http://127.0.0.1:8080", by="http://localhost:1/mcp")


def test_rfc3986_6_2_3_slash_of_an_empty_path_is_the_only_other_spelling() -> None:
    """With a path, the slash makes another issuer (RFC 8414 §3.3)."""
    assert other_spelling("https://as.example") == "https://as.example/"
    assert other_spelling("https://as.example/") == "https://as.example"
    assert other_spelling("https://as.example/tenant") is None
    assert other_spelling("https://as.example/tenant/") is None


def test_mcp_2025_03_26_default_endpoints() -> None:
    """The table of "Fallbacks for Servers without Metadata Discovery"."""
    found = default_endpoints("https://api.example.com")

    assert found.authorization_endpoint == "https://api.example.com/authorize"
    assert found.token_endpoint == "https://api.example.com/token"
    assert found.document == {"registration_endpoint": "https://api.example.com/register"}
    assert not found.discovered


@pytest.mark.parametrize(
    ("own", "challenge", "resource", "server", "requested"),
    [
        # "Scope Selection Strategy": the challenge, else all that the resource supports, else none.
        ("", "a b", ("c",), None, "a b"),
        ("", "", ("c", "d"), None, "c d"),
        ("", "", None, None, ""),
        ("", "", (), None, ""),
        # What the program wants is not widened.
        ("x", "a", ("c",), ("offline_access",), "x"),
        # offline_access is for the server to offer, and not for the resource to name.
        ("", "a", None, ("a", "offline_access"), "a offline_access"),
        ("", "a offline_access", None, ("a",), "a"),
        ("", "", ("c", "offline_access"), None, "c"),
        ("", "", ("offline_access", "c"), ("offline_access",), "c offline_access"),
        # Alone it would take the place of the server's default.
        ("", "", None, ("offline_access",), ""),
    ],
)
def test_mcp_scope_to_request(
    own: str,
    challenge: str,
    resource: tuple[str, ...] | None,
    server: tuple[str, ...] | None,
    requested: str,
) -> None:
    """Least privilege, and a refresh token where one can be had."""
    document = {} if server is None else {"scopes_supported": list(server)}
    found = scope_to_request(
        replace(CLIENT, scope=own),
        TokenDemand(scope=challenge) if challenge else None,
        ProtectedResource(URL, scopes_supported=resource),
        replace(SERVER, document=document),
    )

    assert found == requested
