"""Sign in when only the URL of a protected resource is known."""

from __future__ import annotations

from resource_world import resource_server

from loopback_auth import ClientConfig, login_sync
from loopback_auth.events import silent
from loopback_auth.testing import SimulatedUser, serve


def test_url_of_a_resource_is_enough_to_sign_in() -> None:
    """The authorization server and the scope are found at the resource, and the tokens are for it."""
    user = SimulatedUser()
    with serve() as server, resource_server() as resource:
        url = resource.protect("/mcp", server.issuer, scopes=("profile", "email"))
        client = ClientConfig.for_resource(url, client_id=server.client_id)
        sign_in = login_sync(client, open_browser=user.open, notify=silent, wait=True)
        authorization = next(one for one in server.log if one.path == "/authorize")
        exchange = next(one for one in server.log if one.grant == "authorization_code")

    assert (sign_in.resource_server, sign_in.resource) == (url, (url,))
    assert (sign_in.metadata.issuer, sign_in.requested_scope) == (
        server.issuer,
        "profile email offline_access",
    )
    assert sign_in.tokens.account == "demo@example.com"
    assert (authorization.parameters["resource"], exchange.parameters["resource"]) == (url, url)
