"""Find out what is not yet known about an authorization server.

Source: RFC 8414 §3; OpenID Connect Discovery 1.0 §4.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.effects import Flow, Send
from loopback_auth.errors import ConfigError, EndpointMissing, ProtocolError, TransportError
from loopback_auth.model import Provider, ServerMetadata
from loopback_auth.protocol.jws import jwks_request, jwks_response
from loopback_auth.protocol.metadata import (
    check_endpoints,
    is_absent,
    metadata_requests,
    metadata_response,
)


def discover(provider: Provider, start: str = "authorization_endpoint") -> Flow[ServerMetadata]:
    """Return the metadata of a provider, asking its issuer only when an endpoint is missing.

    Args:
        provider: what is known beforehand.
        start: the endpoint where the flow begins; besides the token endpoint the only one it needs.

    Raises:
        ConfigError: neither both endpoints nor an issuer are known.
        EndpointMissing: the issuer publishes no metadata.

    Source: RFC 8414 §3; OpenID Connect Discovery 1.0 §4.
    """
    known = provider.metadata
    check_endpoints(known)
    if known.token_endpoint is not None and (getattr(known, start) is not None or known.issuer is None):
        return known
    if known.issuer is None:
        raise ConfigError(
            f"It is not known where {provider.name} takes requests.",
            hint=f"Give --issuer, or both --{start.replace('_', '-')} and --token-endpoint.",
        )
    for request in metadata_requests(known.issuer):
        answer = yield from Send(request, step="metadata request")
        if not is_absent(answer):
            return metadata_response(provider, answer)
    raise EndpointMissing(
        f"{known.issuer} publishes no metadata (OpenID Connect Discovery, RFC 8414).",
        hint="Check the spelling of --issuer, or give --authorization-endpoint and --token-endpoint.",
    )


def signing_keys(metadata: ServerMetadata) -> Flow[Mapping[str, object] | None]:
    """Return the server's public keys, or None when it names no place for them.

    Source: OpenID Connect Core 1.0 §10.1.
    """
    request = jwks_request(metadata)
    if request is None:
        return None
    answer = yield from Send(request, step="key set request")
    return jwks_response(answer)


def keys_if_possible(metadata: ServerMetadata) -> Flow[Mapping[str, object] | None]:
    """Return the keys, or None when they cannot be had now: they are asked for again when needed.

    Source: OpenID Connect Core 1.0 §10.1.
    """
    try:
        return (yield from signing_keys(metadata))
    except (ProtocolError, TransportError):
        return None
