"""Notice that a resource takes the tokens of another authorization server by now.

A token that a resource refuses may be one of a server that it has left. To renew it there would bring another
token of no use, and send it to a resource that no longer trusts its issuer.

Source: RFC 9728 §5.2; MCP authorization specification 2025-11-25, "Token Requirements".
"""

from __future__ import annotations

from loopback_auth.effects import Flow
from loopback_auth.errors import ConfigError, EndpointMissing, ProtocolError, SignInRequired, TransportError
from loopback_auth.flows.resource_answer import ask_resource
from loopback_auth.flows.reuse import canonical_resource
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.urls import shown_url
from loopback_auth.tokens import SignIn


def check_still_named(client: ClientConfig, sign_in: SignIn) -> Flow[None]:
    """Refuse to go on with a sign-in at a server that its resource does not name any more.

    A resource that cannot be asked, or that names no servers, changes nothing.

    Args:
        client: for the resource.
        sign_in: whose token the resource has refused.

    Raises:
        SignInRequired: the resource names other servers.

    Source: RFC 9728 §5.2.
    """
    try:
        found = yield from ask_resource(client)
    except (ConfigError, EndpointMissing, ProtocolError, TransportError):
        return
    named = found.metadata.authorization_servers if found.metadata is not None else ()
    issuer = canonical_resource(sign_in.metadata.issuer or "")
    if named and issuer not in map(canonical_resource, named):
        raise SignInRequired(
            f"{shown_url(sign_in.resource_server)} takes the tokens of another server by now.",
            hint="Sign in again.",
        )
