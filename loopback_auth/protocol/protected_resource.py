"""The metadata of a protected resource: where they are requested, and which may be used.

They list the authorization servers whose tokens the resource takes. They are used only if they are about the
resource that was asked: otherwise a resource could have the program get a token for another one, and hand it
over.

Source: RFC 9728 §2, §3, §5.1, §7.3; MCP authorization specification 2025-11-25.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loopback_auth.errors import ConfigError, MalformedResponse, ResourceMismatch
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.answer import came_instead, check_well
from loopback_auth.protocol.challenge import scope_words
from loopback_auth.protocol.json import is_json, parse_object, strings_member, text_member
from loopback_auth.protocol.token_demand import CHECK_RESOURCE
from loopback_auth.protocol.urls import check_endpoint, compared_origin, leads_inside, shown_url
from loopback_auth.redact import server_text

SOURCE = "RFC 9728 §3.2"

WELL_KNOWN = "/.well-known/oauth-protected-resource"

MOST_SERVERS = 10
"""Authorization servers of one resource that are looked at; each may cost a few requests."""


@dataclass(frozen=True, slots=True)
class ProtectedResource:
    """The metadata of a protected resource; members that cannot be used count as absent.

    Args:
        resource: its identifier, which tokens are requested for.
        authorization_servers: issuers of the tokens that it takes.
        scopes_supported: scopes of such tokens; None when it does not say.
        resource_name: what people call it; empty when it does not say.
        dpop_bound_access_tokens_required: it takes only tokens that are bound to a key (RFC 9449).
        document: all members, unchecked.

    Source: RFC 9728 §2.
    """

    resource: str
    authorization_servers: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] | None = None
    resource_name: str = ""
    dpop_bound_access_tokens_required: bool = False
    document: Mapping[str, object] = field(default_factory=dict[str, object], repr=False, compare=False)


def resource_metadata_urls(url: str) -> tuple[str, ...]:
    """Return the well-known addresses of a resource's metadata: with its path, and then without.

    Args:
        url: of the resource; checked.

    Source: RFC 9728 §3, §3.1; MCP authorization specification 2025-11-25 (the second address).
    """
    scheme, _, rest = url.partition("://")
    cut = next((at for at, character in enumerate(rest) if character in "/?"), len(rest))
    host, tail = rest[:cut], rest[cut:]
    # §3.1: a slash that terminates the host is removed before the path is inserted.
    tail = "" if tail == "/" else tail.removeprefix("/") if tail.startswith("/?") else tail
    root = f"{scheme}://{host}{WELL_KNOWN}"
    return (root + tail, root) if tail else (root,)


def check_metadata_url(url: str, *, by: str, allowed: Collection[str] = ()) -> str:
    """Return the address of metadata unchanged, or refuse it.

    Args:
        url: from a challenge; untrusted.
        by: the URL of the resource.
        allowed: as in `leads_inside`.

    Raises:
        ConfigError: it is not an address that a request may go to.

    Source: RFC 9728 §5.1, §7.7.
    """
    check_endpoint(url, name="resource_metadata")
    if leads_inside(url, by=by, allowed=allowed):
        raise ConfigError(
            f"The resource names an address on this machine or in its network: {ascii(url)[:120]}.",
            hint=f"Stop here, unless you know that {urlsplit(url).hostname} belongs to your own network: "
            "then allow this host.",
            parameter="allow_private",
        )
    return url


def resource_metadata_request(url: str) -> HttpRequest:
    """Build the request for the metadata of a resource.

    Source: RFC 9728 §3.1.
    """
    return HttpRequest("GET", url, (("Accept", "application/json"),))


def resource_metadata_response(answer: HttpResponse, *, at: str) -> ProtectedResource:
    """Read the metadata of a resource; `metadata_place` decides whether they may be used.

    Args:
        answer: untrusted.
        at: the address that was asked.

    Raises:
        TransportError: the server failed.
        MalformedResponse: the answer is not such a document.

    Source: RFC 9728 §2, §3.2.
    """
    check_well(answer, "resource metadata endpoint")
    if answer.status != 200 or not is_json(answer):
        raise MalformedResponse(
            f"The metadata at {shown_url(at)} could not be read: {came_instead(answer)}",
            source=SOURCE,
            hint=CHECK_RESOURCE,
            parameter="resource_server",
        )
    document = parse_object(answer.body, what="resource metadata", source=SOURCE)
    return ProtectedResource(
        resource=text_member(document, "resource"),
        authorization_servers=tuple(dict.fromkeys(strings_member(document, "authorization_servers") or ())),
        scopes_supported=_scopes(document),
        resource_name=server_text(text_member(document, "resource_name"), 80),
        dpop_bound_access_tokens_required=document.get("dpop_bound_access_tokens_required") is True,
        document=document,
    )


def metadata_place(found: ProtectedResource, *, url: str, at: str) -> str:
    """Return the address from which metadata of this resource may be used: `at`, or another to be asked.

    The metadata have to name the URL that was requested (§3.3). They may also be those of a parent of it on
    the same origin, as with MCP servers; then the only source that counts is the parent's own well-known
    address.

    Args:
        found: as it was read at an address.
        url: of the resource that was asked.
        at: that address.

    Raises:
        ResourceMismatch: they are about another resource, and must not be used.

    Source: RFC 9728 §3.3, §7.3; MCP authorization specification 2025-11-25.
    """
    if found.resource != url and is_parent(found.resource, url):
        own = resource_metadata_urls(found.resource)[0]
        return at if at.rstrip("/") == own.rstrip("/") else own
    check_resource_identity(found, url)
    return at


def check_resource_identity(found: ProtectedResource, resource: str) -> None:
    """Refuse metadata that do not name a resource, byte for byte.

    Raises:
        ResourceMismatch: they are about another one.

    Source: RFC 9728 §3.3.
    """
    if found.resource == resource:
        return
    named = ascii(found.resource)[:200]
    raise ResourceMismatch(
        f"The metadata are about another resource: asked {shown_url(resource)}, found {shown_url(named)}",
        source="RFC 9728 §3.3",
        expected=resource,
        received=named,
        hint=CHECK_RESOURCE,
        parameter="resource_server",
    )


def is_parent(resource: str, url: str) -> bool:
    """Return whether a URL is that of a resource or below it, on the same origin.

    Args:
        resource: untrusted.
        url: checked.

    Source: RFC 6454 §4; RFC 3986 §6.2.3 (an empty path is the same as a slash).
    """
    try:
        above, below = urlsplit(check_endpoint(resource, name="resource")), urlsplit(url)
    except ConfigError:
        return False
    if "?" in resource or compared_origin(resource) != compared_origin(url):
        return False
    # Dots would lead out of the path again.
    parts = below.path.lower().replace("%2e", ".").split("/")
    return ".." not in parts and f"{below.path}/".startswith(f"{above.path.rstrip('/')}/")


def _scopes(document: Mapping[str, object]) -> tuple[str, ...] | None:
    listed = strings_member(document, "scopes_supported")
    return None if listed is None else scope_words(listed)
