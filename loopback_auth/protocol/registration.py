"""Dynamic client registration: a program without a client ID gets one from the authorization server.

What the server registers may differ from what was asked for. It is compared before anything is sent with it,
because the user would otherwise be led to an error page from which no browser comes back.

Source: RFC 7591; OpenID Connect Dynamic Client Registration 1.0 §2, §3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import ConfigError, EndpointMissing, MalformedResponse, RegistrationError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientAuth, ClientConfig, ServerMetadata
from loopback_auth.narrow import is_list, is_strings, is_tuple, is_visible
from loopback_auth.protocol.answer import check_well, members_of, refused
from loopback_auth.protocol.device import GRANT_TYPE as DEVICE_CODE
from loopback_auth.protocol.json import number, text_member
from loopback_auth.protocol.polling import http_date
from loopback_auth.protocol.scope import union
from loopback_auth.protocol.urls import check_endpoint, leads_inside, origin
from loopback_auth.records import dataclass, field, get_args, replace
from loopback_auth.redact import server_text
from loopback_auth.registration import Registration

SOURCE = "RFC 7591 §3.2.1"

NAME_LIMIT = 100
"""Characters of the name of a program; servers show it on a small page."""

VALUE_LIMIT = 4096
"""Characters of an ID, a secret or a token; each is sent in a header, or in the address of a page."""

LATEST = 1e12
"""Unix seconds, far beyond every date: what is later can be kept all the same."""

BY_HAND = "Register a client at the server by hand, and give its client ID."

METHODS: tuple[ClientAuth, ...] = ("none", "client_secret_post", "client_secret_basic")
"""How a registered client may authenticate without a key of its own, best first.

Servers that are made with the SDKs of MCP offer both methods with a secret, or the form alone; some of their
endpoints want the secret in the form whatever they offer (`mcp.server.auth.handlers.revoke`).
"""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL)
"""Escape sequences for terminals, as in names that were made for one (ECMA-48 §5.4)."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What a server has registered.

    Args:
        registration: checked, to be kept before it is used.
        warnings: what differs from what was asked for, and was accepted.
    """

    registration: Registration = field(repr=False)
    warnings: tuple[str, ...] = ()


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


def registration_response(
    answer: HttpResponse, document: Mapping[str, object], *, issuer: str, endpoint: str
) -> Registered:
    """Check what a server has registered against what it was asked to register.

    Args:
        answer: untrusted.
        document: that was sent.
        issuer: of the server.
        endpoint: to which it was sent.

    Raises:
        RegistrationError: the server refused.
        TransportError: the server failed.
        MalformedResponse: the answer is not a registration, or not one that can be used.

    Source: RFC 7591 §3.2.1, §3.2.2.
    """
    check_well(answer, "registration endpoint")
    members = members_of(
        answer, what="registration response", source=SOURCE, hint=BY_HAND, parameter="client_id"
    )
    if (said_no := refused(members, answer)) is not None:
        raise RegistrationError(said_no.error, said_no.description, said_no.uri)
    # RFC 7591 §3.2.1 requires 201; a client ID with 200 is accepted as well.
    if not 200 <= answer.status < 300:
        raise _unusable(f"its HTTP status is {answer.status}")
    return client_information(answer, members, document, issuer=issuer, endpoint=endpoint)


def client_information(
    answer: HttpResponse,
    members: Mapping[str, object],
    document: Mapping[str, object],
    *,
    issuer: str,
    endpoint: str,
    before: tuple[str, ...] = (),
) -> Registered:
    """Check the members of a client information response.

    Args:
        answer: that has them; untrusted.
        members: of it.
        document: that was asked for.
        issuer: of the server.
        endpoint: of the server, where clients are registered.
        before: redirect URIs that were registered before. The program listens at its own redirect URIs alone,
            whatever else a server says.

    Raises:
        MalformedResponse: it is not a registration that can be used.

    Source: RFC 7591 §3.2.1; RFC 7592 §3.
    """
    client_id = _value(members, "client_id")
    if not client_id:
        raise _unusable("it has no client_id")
    redirect_uris = _listed(members, document, "redirect_uris")
    for uri in _strings(document, "redirect_uris"):
        if uri not in redirect_uris:
            shown = server_text(", ".join(redirect_uris), 200) or "none"
            raise _unusable(f"the redirect URI {uri} was not registered, but {shown}")
    # The others are of use, and not needed: a sign-in without a refresh token is one all the same.
    needed = _strings(document, "grant_types")[:1]
    if not set(needed) <= set(_listed(members, document, "grant_types")):
        raise _unusable(f"the grant {needed[0]} was not registered")
    secret = _value(members, "client_secret") or None
    method = _method(members, document, secret)
    expires_at = _expiry(answer, members, secret)
    scope = union(text_member(document, "scope"), server_text(text_member(members, "scope"), VALUE_LIMIT))
    registration = Registration(
        issuer,
        client_id,
        tuple(uri for uri in redirect_uris if uri in (*before, *_strings(document, "redirect_uris"))),
        client_auth=method,
        client_secret=secret if method.startswith("client_secret") else None,
        client_secret_expires_at=expires_at,
        client_id_issued_at=_time(members, "client_id_issued_at"),
        scope=scope,
    )
    registration, warning = _managed(registration, members, endpoint)
    return Registered(registration, (warning,) if warning else ())


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
    members: dict[str, object] = key.key.as_dict(private=False)
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


def _method(members: Mapping[str, object], document: Mapping[str, object], secret: str | None) -> ClientAuth:
    """Return how the client is to authenticate, which the server may decide.

    Source: RFC 7591 §2 (the default is client_secret_basic), §3.2.1 (the server may replace values).
    """
    asked = text_member(document, "token_endpoint_auth_method")
    named = members.get("token_endpoint_auth_method")
    if named is None:
        # Some servers return none of the metadata. A secret that was not asked for is there to be used.
        named = "client_secret_basic" if secret and asked == "none" else asked
    if not isinstance(named, str) or named not in (*METHODS, asked) or named not in get_args(ClientAuth):
        raise _unusable(f"the client is to authenticate by {server_text(str(named), 80)!a}")
    if named.startswith("client_secret") and not secret:
        raise _unusable(f"the client is to authenticate by {named}, and has got no secret")
    method: ClientAuth = named  # type: ignore[assignment]
    return method


def _expiry(answer: HttpResponse, members: Mapping[str, object], secret: str | None) -> float | None:
    """Return when the secret expires, in Unix seconds; None: never, or there is none.

    Source: RFC 7591 §3.2.1 (`client_secret_expires_at`; 0 means never).
    """
    expires_at = _time(members, "client_secret_expires_at")
    if secret is None or not expires_at:
        return None
    if expires_at <= served_at(answer):
        raise _unusable("its client_secret has expired already")
    return expires_at


def _time(members: Mapping[str, object], name: str) -> float | None:
    value = number(members.get(name))
    return None if value is None else min(value, LATEST)


def served_at(answer: HttpResponse) -> float:
    """Return when an answer was made, in Unix seconds: by the server's clock, which sets what expires.

    Source: RFC 9110 §6.6.1 (`Date`).
    """
    theirs = http_date(answer.header("date"))
    return answer.received_at if theirs is None else theirs


def _managed(
    registration: Registration, members: Mapping[str, object], endpoint: str
) -> tuple[Registration, str]:
    """Add where the registration is managed, if its token goes to no other server than its own.

    Source: RFC 7592 §3, §5 (the registration access token is a bearer token).
    """
    uri, token = text_member(members, "registration_client_uri"), _value(members, "registration_access_token")
    if not uri or not token:
        return registration, ""
    try:
        check_endpoint(uri, name="registration_client_uri")
        if len(uri) > VALUE_LIMIT or origin(uri) not in (origin(endpoint), origin(registration.issuer)):
            raise ConfigError("It is at another server.")
    except ConfigError:
        return registration, (
            f"{registration.issuer} says that its registration is managed at another address, which is not "
            f"used: {server_text(uri, 120)!a}. The registration cannot be changed or deleted by this program."
        )
    return replace(registration, registration_client_uri=uri, registration_access_token=token), ""


def _value(members: Mapping[str, object], name: str) -> str:
    """Return an ID, a secret or a token; empty when there is none.

    Source: RFC 6749 appendix A.1, A.2; RFC 6750 §2.1.
    """
    value = members.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not is_visible(value):
        raise _unusable(f"its {name} is not a text of visible ASCII characters")
    if len(value) > VALUE_LIMIT:
        raise _unusable(f"its {name} is longer than {VALUE_LIMIT} characters")
    return value


def _listed(members: Mapping[str, object], document: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return a list that was registered; the one that was asked for if the server does not say."""
    value = members.get(name)
    if value is None:
        return _strings(document, name)
    if not is_strings(value):
        raise _unusable(f"its {name} is not a list of strings")
    return tuple(value)


def _strings(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = document.get(name)
    return tuple(value) if is_strings(value) else ()


def _unusable(why: str) -> MalformedResponse:
    return MalformedResponse(
        f"The registration cannot be used: {why}", source=SOURCE, hint=BY_HAND, parameter="client_id"
    )
