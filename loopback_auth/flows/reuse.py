"""Decide whether a kept sign-in is for a client: a token must not go to another server than its own.

What the client says is compared with the sign-in; what the client leaves open may have any value there.

A client for a resource has not found its server yet; its sign-in is the one for that resource.

Source: RFC 6749 §3.3, §10.4; RFC 8707 §2; RFC 9700 §2.3.
"""

from __future__ import annotations

from loopback_auth.protocol.scope import scope_missing, union
from loopback_auth.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.model import ClientConfig
    from loopback_auth.tokens import SignIn


def why_not_reusable(sign_in: SignIn, client: ClientConfig) -> str:
    """Return why a kept sign-in is not for a client, as a clause; empty when it is.

    Source: RFC 6749 §3.3 (scope); RFC 8707 §2 (resource); RFC 9449 §5 (binding).
    """
    if why := why_foreign(sign_in, client) or why_bound_otherwise(sign_in, client):
        return why
    missing = scope_unasked(sign_in, client)
    return f"it was made without the scope {' '.join(missing)}" if missing else ""


def why_foreign(sign_in: SignIn, client: ClientConfig) -> str:
    """Return why the tokens of a sign-in are of no use to a client with any scope; empty when they are.

    Source: RFC 8707 §2 (resource).
    """
    if is_undecided(client):
        # The address is what it was found to be at the sign-in: a resource or an issuer.
        client = as_resource(client) if sign_in.resource_server else as_issuer(client)
    # Without a client ID, the program uses the one that it has got at the server.
    if client.client_id and sign_in.client_id != client.client_id:
        return "it was made by another client"
    if not _same_server(sign_in, client):
        return "it was made at another server"
    if not _same_resource(sign_in, client):
        return "it is for another resource"
    if sign_in.audience != client.audience:
        return "it is for another audience"
    return ""


def why_bound_otherwise(sign_in: SignIn, client: ClientConfig) -> str:
    """Return that tokens are bound to a key, or are not, although the client demands the contrary.

    Source: RFC 9449 §5 (what is not bound can be stolen).
    """
    # The word as it is kept: on the way to a kept token next to nothing is imported.
    bound = sign_in.tokens.token_type == "DPoP"
    if client.dpop is None or client.dpop == bound:
        return ""
    return "its tokens are bound to a key" if bound else "its tokens are not bound to a key"


def is_undecided(client: ClientConfig) -> bool:
    """Return whether a client knows one address, and not whether it is a resource's or an issuer's.

    Source: RFC 9728 §1.2 (resource identifier); RFC 8414 §2 (issuer).
    """
    known = client.provider.metadata
    return (
        bool(client.resource_server) and client.resource_server == known.issuer and not known.token_endpoint
    )


def as_resource(client: ClientConfig) -> ClientConfig:
    """Return an undecided client as one that knows a resource.

    Source: RFC 9728 §1.2.
    """
    known = replace(client.provider.metadata, issuer=None)
    return replace(client, provider=replace(client.provider, metadata=known))


def as_issuer(client: ClientConfig) -> ClientConfig:
    """Return an undecided client as one that knows an issuer.

    Source: RFC 8414 §2.
    """
    return replace(client, resource_server="")


def scope_unasked(sign_in: SignIn, client: ClientConfig) -> list[str]:
    """List the scopes that a client wants, and that were neither requested nor granted at the sign-in.

    Source: RFC 6749 §3.3.
    """
    # A scope that was requested and not granted would not be granted next time either.
    unasked = " ".join(sorted(set(client.scope.split()) - set(sign_in.requested_scope.split())))
    return scope_missing(requested=unasked, tokens=sign_in.tokens, quirks=sign_in.quirks)


def widened(client: ClientConfig, sign_in: SignIn | None, scope: str = "") -> ClientConfig:
    """Return a client that asks for a scope more, without losing what is granted already.

    Args:
        client: that asks.
        sign_in: that is kept; it counts only if it is for this client, with any scope.
        scope: what is wanted in addition, separated by spaces.

    Source: RFC 6750 §3.1; RFC 6749 §3.3.
    """
    granted = ""
    if sign_in is not None and not why_foreign(sign_in, client):
        granted = sign_in.requested_scope or (sign_in.tokens.scope if client.scope or scope else "")
    if client.challenge and not (client.scope or granted):
        return client  # What the challenge names is read together with the metadata of the resource.
    return replace(client, scope=union(client.scope, granted, scope))


def _same_resource(sign_in: SignIn, client: ClientConfig) -> bool:
    if canonical_resource(sign_in.resource_server) != canonical_resource(client.resource_server):
        return False
    # Found at the resource, the indicator may be that of a parent.
    return bool(client.resource_server and not client.resource) or set(sign_in.resource) == set(
        client.resource
    )


def canonical_resource(url: str) -> str:
    """Return the URL of a resource in the spelling by which two are compared; it is never sent.

    Source: RFC 3986 §6.2.2.1; MCP authorization specification 2025-11-25, "Canonical Server URI".
    """
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.rstrip("/").partition("/")
    return f"{scheme}{mark}{host}".lower() + slash + path


def _same_server(sign_in: SignIn, client: ClientConfig) -> bool:
    provider, kept = client.provider, sign_in.metadata
    wanted = provider.metadata
    # A sign-in by endpoints alone has no issuer; then the endpoints must be the same.
    by_endpoints = kept.issuer is None and wanted.token_endpoint is not None
    if wanted.issuer is not None and not by_endpoints:
        known = {wanted.issuer, provider.allowed_issuer or wanted.issuer}
        if kept.issuer not in known:
            return False
    # A configured endpoint takes precedence over the published one, and was kept with the sign-in.
    names = ("authorization_endpoint", "token_endpoint")
    pairs = ((getattr(wanted, name), getattr(kept, name)) for name in names)
    if any(asked is not None and asked != there for asked, there in pairs):
        return False
    if sign_in.flow != "ticket" or provider.ticket is None or not sign_in.revoke_url:
        return True
    return sign_in.revoke_url.startswith(provider.ticket.base)
