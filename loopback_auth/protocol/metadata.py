"""Authorization server metadata: where it is requested, and which of its members are accepted.

The document is fetched from an address that is derived from the issuer, and must name exactly that issuer.
Its endpoints must be usable URLs, and a public issuer must not name this machine or its private network.

Source: RFC 8414 §3; OpenID Connect Discovery 1.0 §4; RFC 9728 §7.7 (server-side request forgery).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from loopback_auth.errors import ConfigError, IssuerMismatch, MalformedResponse
from loopback_auth.flow_table import ENDPOINTS
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Provider, ServerMetadata
from loopback_auth.narrow import is_list, is_object, is_strings
from loopback_auth.protocol.answer import PASSING, came_instead, check_well
from loopback_auth.protocol.json import is_json, object_or_none, parse_object, strings_member, text_member
from loopback_auth.protocol.urls import (
    check_endpoint,
    check_issuer,
    leads_inside,
)

SOURCE = "RFC 8414 §3.2"

NEEDED = ("authorization_endpoint", "token_endpoint")
"""Endpoints without which no sign-in is possible."""

CHECK_ISSUER = (
    "Check the spelling of the issuer, or give the URLs of the authorization endpoint and the token endpoint."
)
ADDRESSES = "issuer authorization_endpoint token_endpoint"
"""The parameters that `CHECK_ISSUER` is about."""

LISTS = (
    "response_modes_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_methods_supported",
    "id_token_signing_alg_values_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "request_object_signing_alg_values_supported",
    "authorization_signing_alg_values_supported",
)


def check_endpoints(metadata: ServerMetadata) -> None:
    """Refuse endpoints in the settings that cannot be used.

    Raises:
        ConfigError: see `check_endpoint`.

    Source: RFC 6749 §3.1, §3.2; RFC 8414 §2.
    """
    for name in ENDPOINTS:
        url = getattr(metadata, name)
        if url is not None:
            check_endpoint(url, name=name)
    for name, url in metadata.mtls_endpoint_aliases.items():
        check_endpoint(url, name=f"mtls_endpoint_aliases.{name}")


def metadata_requests(issuer: str, *, of_resource: bool = False) -> tuple[HttpRequest, ...]:
    """Build the requests that may find the metadata of an issuer, in the order in which to try them.

    OpenID Connect appends its well-known path to the issuer; RFC 8414 inserts it between host and path. For
    an issuer without a path the two differ in the last segment only.

    Args:
        issuer: whose metadata they are.
        of_resource: a protected resource has named the issuer; for MCP servers the order is another one.

    Raises:
        ConfigError: the URL cannot be an issuer.

    Source: OpenID Connect Discovery 1.0 §4.1; RFC 8414 §3.1, §5; MCP authorization specification 2025-11-25.
    """
    check_issuer(issuer)
    base = issuer.rstrip("/")
    scheme, _, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    tail = slash + path
    urls = [
        f"{base}/.well-known/openid-configuration",
        f"{scheme}://{host}/.well-known/oauth-authorization-server{tail}",
    ]
    if tail:
        urls.append(f"{scheme}://{host}/.well-known/openid-configuration{tail}")
    if of_resource:
        urls = [*urls[1:], urls[0]]
    return tuple(HttpRequest("GET", url, (("Accept", "application/json"),)) for url in urls)


def is_absent(response: HttpResponse, *members: str) -> bool:
    """Return whether an answer means that the document is not at this address, so that the next is tried.

    Args:
        response: untrusted.
        members: such a document has one of these; by default those of an authorization server.

    Servers answer 404, 405, 410 or 501, gateways 400, 401 or 403; some redirect to their home page.
    Single-page applications answer 200 with HTML; others 200 or 204 without content, or with JSON that is not
    metadata.

    Source: RFC 8414 §3.2 ("the applicable HTTP status code value").
    """
    if 300 <= response.status < 500 or response.status == 501:
        return response.status not in PASSING
    if not 200 <= response.status < 300:
        return False
    if not is_json(response) or response.body.strip() in (b"", b"null", b"[]"):
        return True
    document = object_or_none(response.body)
    return document is not None and not any(name in document for name in (members or ("issuer", *NEEDED)))


def metadata_document(response: HttpResponse, issuer: str) -> Mapping[str, object]:
    """Return the members of a metadata document without checking them.

    Raises:
        TransportError: the server failed.
        MalformedResponse: the answer is not such a document.

    Source: RFC 8414 §3.2.
    """
    check_well(response, "metadata endpoint")
    if not 200 <= response.status < 300 or not is_json(response):
        raise MalformedResponse(
            f"The metadata of {issuer} could not be read: {came_instead(response)}",
            source=SOURCE,
            hint=CHECK_ISSUER,
            parameter=ADDRESSES,
        )
    return parse_object(response.body, what="metadata document", source=SOURCE)


def metadata_response(provider: Provider, response: HttpResponse) -> ServerMetadata:
    """Validate a metadata document; endpoints in the settings take precedence.

    An unusable member counts as absent, unless every sign-in needs it; `metadata_doubts` names it.

    Args:
        provider: the document must name its issuer, byte for byte.
        response: untrusted.

    Raises:
        IssuerMismatch: the document describes another issuer.
        TransportError: the server failed.
        MalformedResponse: not such a document, an unusable endpoint of the code flow, or a public issuer that
            names a private address.

    Source: RFC 8414 §2, §3.2, §3.3, §6.2.
    """
    issuer = provider.metadata.issuer or ""
    document = metadata_document(response, issuer)
    check_metadata_issuer(provider, document)
    configured = {name for name in ENDPOINTS if getattr(provider.metadata, name) is not None}
    allowed = provider.network.allow_private
    endpoints = {
        name: _endpoint(document, name, issuer, allowed) for name in ENDPOINTS if name not in configured
    }
    lists: dict[str, Any] = {name: strings_member(document, name) for name in LISTS}
    found = ServerMetadata(
        issuer=text_member(document, "issuer"),
        authorization_response_iss_parameter_supported=_flag(
            document, "authorization_response_iss_parameter_supported"
        ),
        require_pushed_authorization_requests=(document.get("require_pushed_authorization_requests") is True),
        require_signed_request_object=_flag(document, "require_signed_request_object"),
        mtls_endpoint_aliases={
            name: url
            for name, url in _aliases(document).items()
            if name not in configured and _is_usable_alias(url, name, issuer, allowed)
        },
        discovered=True,
        document=document,
        **lists,
    )
    return merged(found.with_endpoints(endpoints), provider.metadata)


def metadata_doubts(provider: Provider, response: HttpResponse) -> str:
    """Return a sentence that names the unusable members of a metadata document; empty when there are none.

    Args:
        provider: whose document it is; members that the settings replace are not looked at.
        response: one that `metadata_response` has accepted.

    Source: RFC 8414 §2.
    """
    document = metadata_document(response, provider.metadata.issuer or "")
    doubtful = [name for name in LISTS if not _is_list_of_strings(document.get(name))]
    for name in ENDPOINTS:
        if getattr(provider.metadata, name) is None and _unfit(document.get(name), name):
            doubtful.append(name)
    allowed = provider.network.allow_private
    issuer, aliases = provider.metadata.issuer or "", _aliases(document).items()
    if not all(_is_usable_alias(url, name, issuer, allowed) for name, url in aliases):
        doubtful.append("mtls_endpoint_aliases")
    if not doubtful:
        return ""
    return f"The server's metadata have members that cannot be used: {', '.join(doubtful)}."


def check_metadata_issuer(provider: Provider, document: Mapping[str, object]) -> None:
    """Refuse a metadata document that names another issuer than the one that was asked.

    Raises:
        IssuerMismatch: the issuers differ, and the provider does not allow this one (`allowed_issuer`).

    Source: RFC 8414 §3.3; OpenID Connect Discovery 1.0 §4.3.
    """
    asked, named = provider.metadata.issuer, document.get("issuer")
    if named == asked or (provider.allowed_issuer is not None and named == provider.allowed_issuer):
        return
    raise IssuerMismatch(
        f"The metadata names another issuer: asked {asked}, found {ascii(named)[:200]}",
        source="RFC 8414 §3.3",
        expected=asked or "",
        received=ascii(named)[:200],
        hint="Check the spelling of the issuer, down to the last slash. If the provider documents this other "
        "issuer, allow it.",
        parameter="issuer allowed_issuer",
    )


def merged(found: ServerMetadata, configured: ServerMetadata) -> ServerMetadata:
    """Return the discovered metadata with the configured values on top: those that differ from the default.

    The issuer is the discovered one, because `iss` parameters and ID tokens are compared with it.

    Source: RFC 8414 §2 (names).
    """
    default = ServerMetadata()
    changed = {
        member.name: getattr(configured, member.name)
        for member in fields(ServerMetadata)
        if member.name not in ("issuer", "discovered")
        and getattr(configured, member.name) != getattr(default, member.name)
    }
    return replace(found, **changed)


def _endpoint(document: Mapping[str, object], name: str, issuer: str, allowed: tuple[str, ...]) -> str | None:
    value = document.get(name)
    if trouble := _unfit(value, name):
        # The others are optional until their function is requested.
        if name not in NEEDED:
            return None
        raise MalformedResponse(trouble, source="RFC 8414 §2", hint="Give the right URL.", parameter=name)
    if not isinstance(value, str) or not value:
        return None
    if leads_inside(value, by=issuer, allowed=allowed):
        host = urlsplit(value).hostname
        raise MalformedResponse(
            f"In the metadata of {issuer}, {name} is on this machine or in its network: {value[:120]!a}",
            source="RFC 9728 §7.7",
            hint=f"Stop here, unless you know that {host} belongs to your own network: then allow this host.",
            parameter="allow_private",
        )
    return value


def _aliases(document: Mapping[str, object]) -> dict[str, object]:
    """Return the aliases of endpoints that are known here; further ones are for what we do not do."""
    named = document.get("mtls_endpoint_aliases")
    return {name: url for name, url in named.items() if name in ENDPOINTS} if is_object(named) else {}


def _is_usable_alias(url: object, name: str, by: str, allowed: tuple[str, ...]) -> TypeGuard[str]:
    # A wrong one is left out: clients without a certificate need none (RFC 8705 §5).
    return bool(url) and not _unfit(url, name) and not leads_inside(str(url), by=by, allowed=allowed)


def _unfit(value: object, name: str) -> str:
    """Return why a value cannot be an endpoint; empty when it can, or when there is none."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        return f"The metadata member {name} is not a string"
    try:
        check_endpoint(value, name=name)
    except ConfigError as exc:
        return exc.message
    return ""


def _flag(document: Mapping[str, object], name: str) -> bool:
    # A server that sends "true" as a string means it, and the check that it promises must not be left out.
    value = document.get(name)
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _is_list_of_strings(value: object) -> bool:
    if is_list(value):
        return is_strings(value)
    return value is None or value == ""
