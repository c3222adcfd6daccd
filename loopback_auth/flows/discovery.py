"""Fetch what is not yet known about an authorization server: its metadata and its keys.

Which members are accepted is decided in `protocol.metadata`.

Source: RFC 8414 §3; OpenID Connect Discovery 1.0 §4.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.effects import Flow, Send, Warn
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    ProtocolError,
    TransportError,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Provider, ServerMetadata
from loopback_auth.protocol.answer import came_instead
from loopback_auth.protocol.jws import jwks_request, jwks_response
from loopback_auth.protocol.metadata import (
    ADDRESSES,
    CHECK_ISSUER,
    check_endpoints,
    is_absent,
    merged,
    metadata_doubts,
    metadata_requests,
    metadata_response,
)

UNVERIFIED = (
    "The server's keys could not be fetched, so the signature of the ID token was not checked. The token "
    "came over TLS from the server itself."
)
"""OpenID Connect Core 1.0 §3.1.3.7 (6) accepts that."""


def discover(
    provider: Provider,
    start: str = "authorization_endpoint",
    also: tuple[str, ...] = (),
    *,
    of_resource: bool = False,
) -> Flow[ServerMetadata]:
    """Return the metadata of a provider; its issuer is asked only when an endpoint is missing.

    The document of OpenID Connect does not define revocation, device and push endpoints. If one of those is
    wanted and is not in the first document, it is looked for in the next document of the same issuer.

    Args:
        provider: what is known before the server is asked.
        start: the endpoint at which the flow begins; the flow needs it and the token endpoint.
        also: further members that are wanted.
        of_resource: as in `metadata_requests`.

    Raises:
        ConfigError: neither both endpoints nor an issuer are known.
        EndpointMissing: the issuer publishes no metadata.
        ProtocolError, TransportError: the metadata could not be read.

    Source: RFC 8414 §3; OpenID Connect Discovery 1.0 §4.
    """
    known = provider.metadata
    check_endpoints(known)
    if known.token_endpoint is not None and (getattr(known, start) is not None or known.issuer is None):
        return known
    if known.issuer is None:
        raise ConfigError(
            f"The endpoints of {provider.name} are not known.",
            hint=f"Give the issuer, or the URLs of the {start.replace('_', ' ')} and the token endpoint.",
            parameter=f"issuer {start} token_endpoint",
        )
    wanted = ("token_endpoint", start, *also)
    requests = metadata_requests(known.issuer, of_resource=of_resource)
    absent: list[HttpResponse] = []
    for at, request in enumerate(requests):
        answer = yield from Send(request, step="metadata request")
        if is_absent(answer):
            absent.append(answer)
            continue
        # After a failure of the server the next document is not tried: it may be an older one.
        found = metadata_response(provider, answer)
        if doubts := metadata_doubts(provider, answer):
            yield from Warn(doubts)
        return (yield from _completed(provider, found, wanted, requests[at + 1 :]))
    raise EndpointMissing(
        f"{known.issuer} publishes no metadata (OpenID Connect Discovery, RFC 8414). The first answer was "
        f"{came_instead(absent[0])}.",
        hint=CHECK_ISSUER,
        parameter=ADDRESSES,
    )


def _completed(
    provider: Provider, found: ServerMetadata, wanted: tuple[str, ...], requests: tuple[HttpRequest, ...]
) -> Flow[ServerMetadata]:
    """Add members that only further documents of the same issuer have; these documents may be missing."""
    for request in requests:
        if all(getattr(found, name) is not None for name in wanted):
            break
        try:
            answer = yield from Send(request, step="metadata request")
            if not is_absent(answer):
                # RFC 8414 §3.3: it must name the issuer as well.
                found = merged(metadata_response(provider, answer), found)
        except (ProtocolError, TransportError):
            continue
    return found


def signing_keys(metadata: ServerMetadata) -> Flow[Mapping[str, object] | None]:
    """Return the server's public keys, or None when the metadata has no address for them.

    Source: OpenID Connect Core 1.0 §10.1.
    """
    request = jwks_request(metadata)
    if request is None:
        return None
    answer = yield from Send(request, step="key set request")
    return jwks_response(answer)


def keys_if_possible(metadata: ServerMetadata) -> Flow[Mapping[str, object] | None]:
    """Return the keys, or None when they cannot be fetched now; they are requested again when needed.

    Source: OpenID Connect Core 1.0 §10.1.
    """
    try:
        return (yield from signing_keys(metadata))
    except (ProtocolError, TransportError):
        return None
