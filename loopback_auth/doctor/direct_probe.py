"""Asks an authorization server, before a person is sent there, what can be asked without a browser.

The metadata are read for their lists. A pushed request is a real one, which the server checks completely. The
token endpoint gets made-up codes and tokens, and its refusal shows whether it looked for them. A device code
is requested and left to expire. The client secret is sent if there is one; where it is missing, a refusal
that demands it decides nothing.

Source: RFC 8414 §2; RFC 9126 §2.3; RFC 6749 §5.2; RFC 8628 §3.1-3.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.doctor.redirect_probe import (
    OF_CLIENT,
    OF_REDIRECT_URI,
    REDIRECT_URI,
    REFUSED,
    ProbeAnswer,
    probe_redirect_uri,
    quoted,
)
from loopback_auth.errors import EndpointMissing, LoopbackAuthError, OAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.narrow import is_list
from loopback_auth.protocol.client_auth import token_endpoint_request
from loopback_auth.protocol.device import GRANT_TYPE as DEVICE_CODE
from loopback_auth.protocol.device import device_authorization_request, device_authorization_response
from loopback_auth.protocol.json import parse_object
from loopback_auth.protocol.metadata import metadata_response
from loopback_auth.protocol.pushed import pushed_authorization_request, pushed_authorization_response
from loopback_auth.protocol.token import token_document
from loopback_auth.redact import server_text

GrantType = Literal["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"]

MADE_UP = "made-up-by-loopback-auth-doctor"
"""Code, refresh token and device code of the questions; an operator who reads the server's log can tell."""

METADATA, PUSHED, DEVICE = "metadata", "pushed_authorization_request", "device_authorization"
SILENCE = {
    "response_types_supported": "nothing",
    "response_modes_supported": "query and fragment",
    "grant_types_supported": "authorization_code and implicit",
    "code_challenge_methods_supported": "no PKCE",
}
"""Names of lists in the metadata, and what it means that one is missing (RFC 8414 §2)."""

# The last three are GitHub's.
GRANT_KNOWN = frozenset({"invalid_grant", "expired_token", "authorization_pending", "slow_down"}) | {
    "bad_verification_code",
    "bad_refresh_token",
    "incorrect_device_code",
}
GRANT_REFUSED = frozenset({"unauthorized_client", "unsupported_grant_type"})


@dataclass(frozen=True, slots=True)
class Described:
    """What the metadata of a server say, and the answers that are in them.

    Args:
        metadata: as a sign-in would use them.
        answered: what needs no further request.
        response_types: that the server lists; None where it has no such list.
    """

    metadata: ServerMetadata
    answered: tuple[ProbeAnswer, ...]
    response_types: tuple[str, ...] | None = None


def metadata_probe_response(provider: Provider, answer: HttpResponse) -> Described:
    """Read the metadata, and the lists in them.

    Raises:
        ProtocolError: a sign-in would not accept them either.

    Source: RFC 8414 §2, §3.3.
    """
    metadata = metadata_response(provider, answer)
    document = parse_object(answer.body, what="metadata document", source="RFC 8414 §3.2")
    there = ProbeAnswer(METADATA, "yes", f"The server describes itself as {metadata.issuer}.", "RFC 8414 §3")
    lists = tuple(_listed(document, name) for name in SILENCE)
    return Described(metadata, (there, *lists), _strings(document, "response_types_supported"))


def not_listed(described: Described, response_type: str) -> ProbeAnswer | None:
    """Return *no* for a response type that is missing in the server's list, whatever the order of its words.

    None when the server lists it, or has no list.

    Source: RFC 8414 §2 (`response_types_supported`); RFC 6749 §3.1.1.
    """
    listed = described.response_types
    if listed is None or any(set(one.split()) == set(response_type.split()) for one in listed):
        return None
    because = "The metadata do not list it, so it was not asked for."
    return ProbeAnswer(f"response_type={response_type}", "no", because, "RFC 8414 §2")


def pushed_probe(client: ClientConfig, request: AuthorizationRequest) -> HttpRequest:
    """Build the pushed request, with which a server checks the parameters without a browser.

    Source: RFC 9126 §2.1.
    """
    return pushed_authorization_request(_without_proof(client), request)


def pushed_probe_response(
    client: ClientConfig, request: AuthorizationRequest, what: str, answer: HttpResponse
) -> tuple[AuthorizationRequest | None, tuple[ProbeAnswer, ...]]:
    """Judge the answer to a pushed request; return with it the request to visit, None if it was refused.

    Source: RFC 9126 §2.2, §2.3.
    """
    source = "RFC 9126 §2.3"
    try:
        pushed = pushed_authorization_response(client, request, answer)
    except OAuthError as exc:
        return None, _not_taken(client, request, what, exc)
    except LoopbackAuthError as exc:
        return None, (ProbeAnswer(PUSHED, "unknown", f"{exc.message}.", source),)
    taken = f"The server takes a request with {request.redirect_uri}."
    return pushed, (
        ProbeAnswer(PUSHED, "yes", "The server takes requests directly.", "RFC 9126 §2.2"),
        ProbeAnswer(REDIRECT_URI, "yes", taken, source),
        ProbeAnswer(what, "likely", "The server takes a request for it.", source),
    )


def grant_probe(
    client: ClientConfig, metadata: ServerMetadata, attempt: Attempt, grant_type: GrantType
) -> HttpRequest:
    """Build a token request with a made-up code or token.

    Raises:
        EndpointMissing: the server has no token endpoint.

    Source: RFC 6749 §4.1.3, §6; RFC 8628 §3.4.
    """
    if metadata.token_endpoint is None:
        raise EndpointMissing("The server has no token endpoint.", hint="Give it with --token-endpoint.")
    parameters = [("grant_type", str(grant_type))]
    if grant_type == "authorization_code":
        parameters += [("code", MADE_UP), ("redirect_uri", probe_redirect_uri(client.provider.redirect))]
        if client.provider.pkce:
            parameters.append(("code_verifier", attempt.code_verifier))
    else:
        parameters.append(("device_code" if grant_type == DEVICE_CODE else "refresh_token", MADE_UP))
    return token_endpoint_request(parameters, _without_proof(client), metadata)


def grant_probe_response(client: ClientConfig, grant_type: GrantType, answer: HttpResponse) -> ProbeAnswer:
    """Judge the answer to a made-up code or token: a server that has looked for it supports the grant.

    Source: RFC 6749 §5.2; RFC 8628 §3.5.
    """
    what, source = f"grant_type={grant_type}", "RFC 6749 §5.2"
    try:
        token_document(answer)
    except OAuthError as exc:
        if exc.error in GRANT_KNOWN:
            because = f"The server looked for what was made up, and did not find it: {quoted(exc)}."
            return ProbeAnswer(what, "yes", because, source)
        # Some say invalid_request to what does not look like a code of theirs, others to the grant itself.
        named = exc.error == "invalid_request" and re.search(r"grant[ _]type", exc.error_description)
        return _refusal(client, what, exc, source, no=exc.error in GRANT_REFUSED or bool(named))
    except LoopbackAuthError as exc:
        return ProbeAnswer(what, "unknown", f"{exc.message}.", source)
    return ProbeAnswer(
        what, "unknown", "The server gives tokens for what was made up: is it a real one?", source
    )


def device_probe(client: ClientConfig, metadata: ServerMetadata) -> HttpRequest:
    """Build the request for a device code, which is left to expire.

    Raises:
        EndpointMissing: the server has no device authorization endpoint.

    Source: RFC 8628 §3.1.
    """
    return device_authorization_request(_without_proof(client), metadata)


def device_probe_response(client: ClientConfig, answer: HttpResponse) -> ProbeAnswer:
    """Judge the answer to the request for a device code.

    Source: RFC 8628 §3.2; RFC 6749 §5.2.
    """
    source = "RFC 8628 §3.2"
    known = client.provider.metadata
    try:
        device_authorization_response(answer, by=known.issuer or known.token_endpoint or "")
    except OAuthError as exc:
        # The request was a real one, and GitHub has a code of its own.
        no = exc.error in REFUSED | GRANT_REFUSED | {"device_flow_disabled"}
        return _refusal(client, DEVICE, exc, source, no=no)
    except LoopbackAuthError as exc:
        return ProbeAnswer(DEVICE, "unknown", f"{exc.message}.", source)
    return ProbeAnswer(DEVICE, "yes", "The server gave a code, which is left to lapse.", source)


def _not_taken(
    client: ClientConfig, request: AuthorizationRequest, what: str, error: OAuthError
) -> tuple[ProbeAnswer, ...]:
    source = "RFC 9126 §2.3"
    first = ProbeAnswer(what, "unknown", "The server first refuses the client or the redirect URI.", source)
    if error.error in OF_CLIENT:
        # Who has to prove itself here need not do so at the authorization endpoint.
        return (_refusal(client, PUSHED, error, source, no=True), first)
    # RFC 9126 §2.3 has no code of its own for it; its example has a description that names it.
    if error.error in OF_REDIRECT_URI or "redirect_uri" in error.error_description:
        because = f"The server refuses {request.redirect_uri}: {quoted(error)}."
        return (ProbeAnswer(REDIRECT_URI, "no", because, source), first)
    return (_refusal(client, what, error, source, no=error.error in REFUSED),)


def _refusal(client: ClientConfig, what: str, error: OAuthError, source: str, *, no: bool) -> ProbeAnswer:
    if error.error in OF_CLIENT:
        if _lacks_secret(client):
            because = "The server wants the client secret first, and there is none here"
            return ProbeAnswer(what, "unknown", f"{because}: {quoted(error)}.", source)
        because = "The server does not know this client, or wants it to authenticate"
        return ProbeAnswer(what, "no", f"{because}: {quoted(error)}.", source, of_client=True)
    if no:
        return ProbeAnswer(what, "no", f"The server refuses it: {quoted(error)}.", source)
    return ProbeAnswer(
        what, "unknown", f"The server first objects to something else: {quoted(error)}.", source
    )


def _lacks_secret(client: ClientConfig) -> bool:
    return client.client_secret is None and client.provider.client_auth not in (None, "none")


def _without_proof(client: ClientConfig) -> ClientConfig:
    """Return the client; one whose secret is not known here sends its ID alone."""
    if not _lacks_secret(client):
        return client
    return replace(client, provider=replace(client.provider, client_auth="none"))


def _listed(document: Mapping[str, object], name: str) -> ProbeAnswer:
    values = _strings(document, name)
    if values is None:
        because = f"The metadata do not say, which means {SILENCE[name]}."
        return ProbeAnswer(name, "unknown", because, "RFC 8414 §2")
    shown = server_text(", ".join(values), 400) or "nothing"
    no = name == "code_challenge_methods_supported" and "S256" not in values
    return ProbeAnswer(name, "no" if no else "yes", f"The metadata list {shown}.", "RFC 8414 §2")


def _strings(document: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    values = document.get(name)
    if not is_list(values):
        return None
    return tuple(value for value in values if isinstance(value, str))
