"""Dynamic client registration: what a program without a client ID asks an authorization server to register.

Source: RFC 7591 §2, §3.1; OpenID Connect Dynamic Client Registration 1.0 §2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import ConfigError, EndpointMissing, MalformedResponse
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import ClientAuth, ClientConfig, ServerMetadata
from loopback_auth.narrow import is_list, is_tuple
from loopback_auth.protocol.device import GRANT_TYPE as DEVICE_CODE
from loopback_auth.protocol.json import text_member
from loopback_auth.protocol.jwk import whole_numbers
from loopback_auth.protocol.urls import check_endpoint, leads_inside
from loopback_auth.redact import server_text

NAME_LIMIT = 100
"""Characters of the name of a program; servers show it on a small page."""

BY_HAND = "Register a client at the server by hand, and give its client ID."

METHODS: tuple[ClientAuth, ...] = ("none", "client_secret_post", "client_secret_basic")
"""How a registered client may authenticate without a key of its own, best first.

Servers that are made with the SDKs of MCP offer both methods with a secret, or the form alone; some of their
endpoints want the secret in the form whatever they offer (`mcp.server.auth.handlers.revoke`).
"""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)
"""Escape sequences for terminals, as in names that were made for one (ECMA-48 §5.4)."""


def registration_endpoint(metadata: ServerMetadata, allowed: Collection[str] = ()) -> str:
    """Return where a client is registered.

    Args:
        metadata: of the server.
        allowed: hosts in the private network that the settings allow.

    Raises:
        EndpointMissing: the server registers no clients by itself.
        MalformedResponse: the address cannot be used, or leads inside from a public server.

    Source: RFC 8414 §2 (`registration_endpoint`); RFC 9728 §7.7.
    """
    url = text_member(metadata.document, "registration_endpoint")
    if not url:
        raise EndpointMissing(
            f"{metadata.issuer} registers no clients by itself: it has no registration endpoint.",
            hint=BY_HAND,
            parameter="client_id",
        )
    try:
        check_endpoint(url, name="registration_endpoint")
    except ConfigError as exc:
        raise MalformedResponse(
            exc.message, source="RFC 7591 §3", hint=BY_HAND, parameter="client_id"
        ) from None
    if leads_inside(url, by=metadata.issuer or "", allowed=allowed):
        raise MalformedResponse(
            f"In the metadata of {metadata.issuer}, registration_endpoint is on this machine or in its "
            f"network: {url[:120]!a}",
            source="RFC 9728 §7.7",
            hint=f"{BY_HAND} Or allow this host, if it belongs to your own network.",
            parameter="client_id allow_private",
        )
    return url


def client_document(
    client: ClientConfig, metadata: ServerMetadata, redirect_uri: str, *, name: str
) -> dict[str, object]:
    """Return what the program asks a server to register.

    Args:
        client: what the program says of itself, and what it will ask for.
        metadata: of the server: which grants and which authentication it offers.
        redirect_uri: that is bound already, for servers that compare its port too.
        name: of the program, where the client's own metadata have none.

    Raises:
        ConfigError: the server offers no authentication that this program can do.

    Source: RFC 7591 §2, §2.1; OpenID Connect Dynamic Client Registration 1.0 §2 (`application_type`).
    """
    document: dict[str, object] = {
        "redirect_uris": [redirect_uri],
        "application_type": "native",
        "token_endpoint_auth_method": registered_auth(client, metadata),
        "grant_types": list(_grant_types(client, metadata)),
        "response_types": [client.response_type],
    }
    if client.scope:
        document["scope"] = client.scope
    if client.private_key is not None:
        document["jwks"] = {"keys": [public_key(client.private_key or "")]}
    return {**document, **descriptive_members(client.client_metadata or ClientMetadata(), name)}


def descriptive_members(metadata: ClientMetadata, name: str) -> dict[str, object]:
    """Return what a program says of itself, for people.

    Args:
        metadata: of the program.
        name: where the metadata have none.

    Source: RFC 7591 §2.
    """
    shown = client_name(metadata.client_name or name)
    members: dict[str, object] = {"client_name": shown} if shown else {}
    for member in ("client_uri", "logo_uri", "contacts", "software_id", "software_version"):
        value: object = getattr(metadata, member)
        if value:
            members[member] = list(value) if is_tuple(value) else value
    return members


def client_name(name: str) -> str:
    """Return the name of a program as it is sent to a server: one line, without escapes, cut.

    Source: RFC 7591 §2.2 (human-readable values).
    """
    return server_text(_ESCAPES.sub("", name), NAME_LIMIT)


def registered_auth(client: ClientConfig, metadata: ServerMetadata) -> ClientAuth:
    """Choose how the client will authenticate: by its key if it has one, else not at all if that will do.

    Raises:
        ConfigError: the server offers nothing that this program can do by itself.

    Source: RFC 7591 §2 (`token_endpoint_auth_method`); RFC 8252 §8.4 (native apps are public clients).
    """
    offered = metadata.token_endpoint_auth_methods_supported
    declared, able = client.provider.client_auth, METHODS
    if client.private_key is not None:
        able = ("private_key_jwt", *METHODS)
    for method in able if declared is None else (declared,):
        if method in able and (offered is None or declared is not None or method in offered):
            return method
    raise ConfigError(
        f"{metadata.issuer} offers no client authentication that this program can register by itself.",
        hint=BY_HAND,
        parameter="client_id private_key client_auth",
    )


def key_thumbprint(client: ClientConfig) -> str:
    """Return the thumbprint of the client's key, which is registered with it; empty if it has none.

    Raises:
        ConfigError: the private key cannot be used, or joserfc is missing.

    Source: RFC 7638 §3.
    """
    if client.private_key is None:
        return ""
    from loopback_auth.protocol.client_key import client_key  # Few clients have a key.

    thumbprint: str = client_key(client.private_key).key.thumbprint()
    return thumbprint


def registration_request(endpoint: str, document: Mapping[str, object]) -> HttpRequest:
    """Build the request that registers a client.

    Args:
        endpoint: from `registration_endpoint`.
        document: from `client_document`.

    Source: RFC 7591 §3.1.
    """
    return json_request("POST", endpoint, document)


def json_request(
    method: str, url: str, document: Mapping[str, object], headers: tuple[tuple[str, str], ...] = ()
) -> HttpRequest:
    """Build a request whose body is a JSON object.

    Source: RFC 7591 §3.1 (`application/json`).
    """
    fixed = (("Content-Type", "application/json"), ("Accept", "application/json"))
    return HttpRequest(method, url, (*fixed, *headers), json.dumps(document).encode("ascii"))


def public_key(private_key: str) -> dict[str, object]:
    """Return the public half of a client's key, as it is registered.

    Args:
        private_key: PEM, or a JWK as JSON.

    Raises:
        ConfigError: it is not such a key, or joserfc is missing.

    Source: RFC 7591 §2 (`jwks`); RFC 7517 §4.
    """
    from loopback_auth.protocol.client_key import client_key  # Few clients have a key.

    key = client_key(private_key)
    members = whole_numbers(key.key.as_dict(private=False))
    named = {"kid": key.kid} if key.kid else {}
    return {**members, "use": "sig", **named}


def _grant_types(client: ClientConfig, metadata: ServerMetadata) -> tuple[str, ...]:
    """Return the grants that the flows of a client may use at a server."""
    offered = metadata.document.get("grant_types_supported")
    words = client.response_type.split()
    grants = ["authorization_code"] if "code" in words else []
    if words != ["code"]:
        grants.append("implicit")  # RFC 7591 §2.1
    if "code" in words and (not is_list(offered) or "refresh_token" in offered):
        grants.append("refresh_token")
    if metadata.device_authorization_endpoint and (not is_list(offered) or DEVICE_CODE in offered):
        grants.append(DEVICE_CODE)
    return tuple(grants)
