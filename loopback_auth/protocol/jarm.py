"""Authorization responses in a signed JWT: JWT Secured Authorization Response Mode (JARM).

The signature, and for whom, by whom and until when the response is, are checked before anything that it says
is believed, a refusal too. This module refuses to know how the response arrived.

Source: JWT Secured Authorization Response Mode for OAuth 2.0 (JARM) §2, §4; RFC 7519 §4.1; RFC 8725 §3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import ConfigError, IssuerMismatch, MalformedResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.narrow import is_list
from loopback_auth.protocol.json import number, text_member
from loopback_auth.protocol.jws import SYMMETRIC, accepted_algorithm, decode, refuse, verify_signature
from loopback_auth.protocol.jwt import LEEWAY
from loopback_auth.protocol.request_checks import check_package
from loopback_auth.protocol.response import DECISIVE
from loopback_auth.redact import error_code, server_text

WHAT = "authorization response"
SOURCE = "JARM §2.4"
OF_THE_JWT = frozenset({"aud", "exp", "iat", "nbf", "jti"})
"""Claims about the JWT itself (RFC 7519 §4.1); `iss` is also a parameter of the response (RFC 9207 §2)."""


def check_signed_mode(client: ClientConfig, metadata: ServerMetadata) -> None:
    """Refuse to request a signed response that could not be checked.

    Raises:
        ConfigError: joserfc is missing, or the server publishes no keys, names no issuer, or signs with no
            algorithm that is accepted here.

    Source: JARM §2.2, §2.4, §4.
    """
    check_package(f"The {WHAT} cannot be checked", "response_mode")
    missing = [name for name in ("issuer", "jwks_uri") if getattr(metadata, name) is None]
    if client.client_secret is not None:
        missing = [name for name in missing if name != "jwks_uri"]  # It may be signed with the secret.
    if missing:
        raise ConfigError(
            f"The {WHAT} cannot be checked: the server's {' and '.join(missing)} is not known.",
            hint="Give it, or choose a response mode without a signature.",
            parameter=f"{' '.join(missing)} response_mode",
        )


def unverified_state(raw: str) -> str:
    """Return the state in a signed response, to find the request that it answers; empty when it has none.

    Args:
        raw: untrusted, as everything in it is.

    Source: JARM §2.4 (1).
    """
    try:
        return text_member(decode(raw, what=WHAT)[1], "state")
    except MalformedResponse:
        return ""


def signed_response(callback: Callback) -> str:
    """Return the JWT of a signed response.

    Raises:
        MalformedResponse: it is not there exactly once, or something stands beside it.

    Source: JARM §2.3; RFC 6749 §3.1.
    """
    parameters = [(name, value) for name, value in callback.parameters if value and name in DECISIVE]
    signed = [value for name, value in parameters if name == "response"]
    beside = sorted({name for name, _ in parameters} - {"response", "state", "iss"})
    if len(signed) == 1 and not beside:
        return signed[0]
    said = next((value for name, value in parameters if name == "error"), "")
    raise MalformedResponse(
        f"The {WHAT} is not the signed one that was requested"
        + (f"; it says {error_code(said)}, which cannot be believed" if said else ""),
        source="JARM §2.3",
        hint="Sign in again. If that does not help, choose a response mode without a signature.",
        parameter="response_mode",
    )


def needs_keys(raw: str, client: ClientConfig, metadata: ServerMetadata) -> bool:
    """Return whether a signed response is checked with the server's keys, and not with the client secret.

    Raises:
        MalformedResponse: it is not signed by an algorithm that is accepted.

    Source: JARM §2.2, §2.4 (6: `none` MUST NOT be accepted).
    """
    return _algorithm(raw, client, metadata) not in SYMMETRIC


def verified_callback(
    raw: str,
    *,
    client: ClientConfig,
    request: AuthorizationRequest,
    callback: Callback,
    keys: Mapping[str, object],
) -> Callback:
    """Check a signed response, and return the callback with the parameters that are in it.

    Args:
        raw: the JWT; untrusted.
        client: for which it must be.
        request: that it answers; its server must be the issuer.
        callback: with which it arrived, and when.
        keys: the server's key set.

    Raises:
        MalformedResponse: the signature, a claim or a parameter is wrong.
        IssuerMismatch: it is another server's.

    Source: JARM §2.1, §2.4.
    """
    metadata = request.metadata
    algorithm = _algorithm(raw, client, metadata)
    verify_signature(raw, algorithm=algorithm, client=client, keys=keys, what=WHAT)
    claims = decode(raw, what=WHAT)[1]
    issuer = text_member(claims, "iss")
    if issuer != metadata.issuer:
        raise IssuerMismatch(
            f"The {WHAT} is signed by another server: expected {metadata.issuer}, "
            f"found {server_text(issuer)!a}",
            source=SOURCE,
            expected=metadata.issuer or "",
            received=server_text(issuer),
            hint="Do not approve again before you know the reason: a mix-up attack looks like this.",
        )
    audience = claims.get("aud")
    if client.client_id not in (audience if is_list(audience) else [audience]):
        refuse("aud", "does not name this client", SOURCE, what=WHAT)
    ends = None if isinstance(claims.get("exp"), str) else number(claims.get("exp"))
    if ends is None:
        refuse("exp", "is missing or not a number", "JARM §2.1", what=WHAT)
    if callback.received_at >= ends + LEEWAY:
        refuse("exp", "has passed", SOURCE, clock=True, what=WHAT)
    return replace(callback, parameters=tuple(_parameters(claims)))


def _algorithm(raw: str, client: ClientConfig, metadata: ServerMetadata) -> str:
    announced = metadata.authorization_signing_alg_values_supported
    return accepted_algorithm(decode(raw, what=WHAT)[0], client, announced, what=WHAT)


def _parameters(claims: Mapping[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in claims.items():
        if name in OF_THE_JWT:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)  # Such as expires_in.
        if isinstance(value, str):
            found.append((name, value))
        elif name in DECISIVE and value is not None:
            refuse(name, "is not a string", "JARM §2.1", what=WHAT)
    return found
