"""From the URL of a resource to its server and scope: what is asked, in which order, and what is refused."""

from __future__ import annotations

import pytest
from resource_world import NOTHING, ResourceWorld, challenged, document, server_metadata

from loopback_auth import ClientConfig, ResourceMismatch
from loopback_auth.flows.resource import find_resource
from loopback_auth.records import replace

URL = "https://mcp.example/mcp"
PLACE = "https://mcp.example/.well-known/oauth-protected-resource/mcp"
ROOT = "https://mcp.example/.well-known/oauth-protected-resource"
ISSUER = "https://as.example"
CLIENT = ClientConfig.for_resource(URL)


def protected(**members: object) -> dict[str, object]:
    """Describe the resource."""
    return {"resource": URL, "authorization_servers": [ISSUER], **members}


def test_rfc9728_5_challenge_leads_to_the_server() -> None:
    """Three requests are enough where everything is where it should be."""
    world = ResourceWorld(
        {
            URL: challenged('Bearer resource_metadata="https://mcp.example/about", scope="read"'),
            "https://mcp.example/about": document(protected(scopes_supported=["read", "write"])),
            f"{ISSUER}/.well-known/oauth-authorization-server": server_metadata(ISSUER),
        }
    )

    access = world.run(find_resource(CLIENT))

    assert (access.resource, access.metadata.issuer, access.scope) == (URL, ISSUER, "read")
    assert world.asked == [
        f"GET {URL}",
        "GET https://mcp.example/about",
        f"GET {ISSUER}/.well-known/oauth-authorization-server",
    ]


def test_rfc9728_5_1_challenge_that_is_known_already_is_not_asked_for() -> None:
    """A program that was refused has the challenge, perhaps one that this resource gives to POST alone."""
    world = ResourceWorld(
        {
            "https://mcp.example/about": document(protected(scopes_supported=["read", "write"])),
            f"{ISSUER}/.well-known/oauth-authorization-server": server_metadata(ISSUER),
        }
    )
    challenge = (
        'Basic, Bearer error="invalid_token", resource_metadata="https://mcp.example/about", scope="read"'
    )

    access = world.run(find_resource(replace(CLIENT, challenge=challenge)))

    assert access.scope == "read"
    assert world.asked[0] == "GET https://mcp.example/about"


def test_mcp_path_comes_before_the_root() -> None:
    """Without resource_metadata both well-known places are tried, in the order of the MCP specification."""
    world = ResourceWorld(
        {
            URL: challenged("Bearer"),
            ROOT: document(protected(resource="https://mcp.example")),
            f"{ISSUER}/.well-known/openid-configuration": server_metadata(ISSUER),
        }
    )

    access = world.run(find_resource(CLIENT))

    assert access.resource == "https://mcp.example"
    assert world.asked[1:3] == [f"GET {PLACE}", f"GET {ROOT}"]


def test_rfc9728_3_3_metadata_about_another_resource_are_not_used() -> None:
    """A resource that has tokens requested for another one would get them."""
    world = ResourceWorld(
        {
            URL: challenged(f'Bearer resource_metadata="{PLACE}"'),
            PLACE: document(protected(resource="https://bank.example/api")),
        }
    )

    with pytest.raises(ResourceMismatch) as refusal:
        world.run(find_resource(CLIENT))

    assert (refusal.value.expected, refusal.value.parameter) == (URL, "resource_server")


def test_mcp_2025_03_26_origin_is_the_issuer_with_default_endpoints() -> None:
    """A server older than RFC 9728 is its own authorization server."""
    world = ResourceWorld({f"GET {URL}": NOTHING, f"POST {URL}": challenged("Bearer")})

    access = world.run(find_resource(CLIENT))

    assert (access.resource, access.metadata.issuer) == (URL, "https://mcp.example")
    assert access.metadata.authorization_endpoint == "https://mcp.example/authorize"
    assert access.metadata.token_endpoint == "https://mcp.example/token"
