"""ID tokens: what the claims must say, and whether the signature was checked.

The claims are checked here with the standard library alone, signatures in `protocol.jws`. The signature of a
token from the token endpoint need not be checked, because TLS protects it (OpenID Connect Core 1.0 §3.1.3.7,
6); the result says whether it was.

Source: OpenID Connect Core 1.0 §2, §3.1.3.7, §3.1.3.8, §10.1, §12.2; RFC 7515 §4.1; RFC 8725.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from loopback_auth.authorization_messages import AuthorizationResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.narrow import is_list
from loopback_auth.protocol.json import number, text_member
from loopback_auth.protocol.jws import accepted_algorithm, decode, refuse, verify_signature
from loopback_auth.protocol.pkce import base64url
from loopback_auth.protocol.response import same_secret
from loopback_auth.redact import server_text
from loopback_auth.tokens import IdToken

LEEWAY = 60.0
"""Seconds by which the clocks of server and client may differ."""

SIGN_IN_SECONDS = 900.0
"""Seconds that a user may have taken after the authentication, to allow the access for example."""

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def id_token(
    raw: str,
    *,
    client: ClientConfig,
    metadata: ServerMetadata,
    nonce: str | None,
    access_token: str,
    now: float,
    keys: Mapping[str, object] | None,
) -> IdToken:
    """Check an ID token from the token endpoint.

    Args:
        raw: compact JWS; untrusted.
        client: the `aud` claim must name it.
        metadata: the `iss` claim must be its issuer.
        nonce: the one that was sent; None when none was sent.
        access_token: the one that came with it, for `at_hash`; empty when there was none.
        now: Unix seconds.
        keys: the server's key set; None: do not check the signature.

    Raises:
        MalformedResponse: a claim, the header, or the signature is wrong.

    Source: OpenID Connect Core 1.0 §3.1.3.7.
    """
    header, claims = decode(raw)
    algorithm = accepted_algorithm(header, client, metadata.id_token_signing_alg_values_supported)
    if keys is not None:
        verify_signature(raw, algorithm=algorithm, client=client, keys=keys)
    check_claims(claims, client=client, metadata=metadata, now=now)
    if nonce is not None and not same_secret(text_member(claims, "nonce"), nonce):
        refuse("nonce", "is not the one that was sent", "OpenID Connect Core 1.0 §3.1.3.7 (11)")
    if client.max_age is not None:
        _check_authentication(claims, max_age=client.max_age, now=now)
    if access_token:
        _check_hash(claims, "at_hash", access_token, algorithm, required=False)
    return IdToken(claims=claims, signature="verified" if keys is not None else "not verified", raw=raw)


def front_channel_id_token(
    raw: str,
    *,
    client: ClientConfig,
    response: AuthorizationResponse,
    now: float,
    keys: Mapping[str, object],
) -> IdToken:
    """Check an ID token that came through the browser, where signature and hashes must be checked.

    Args:
        raw: compact JWS; untrusted.
        client: the `aud` claim must name it.
        response: the authorization response that it came with.
        now: Unix seconds.
        keys: the server's key set.

    Raises:
        MalformedResponse: a claim, a hash, the header, or the signature is wrong.

    Source: OpenID Connect Core 1.0 §3.2.2.9, §3.2.2.11, §3.3.2.10, §3.3.2.11; FAPI 1.0 (`s_hash`).
    """
    request = response.request
    access_token = response.parameters.get("access_token", "")
    checked = id_token(
        raw,
        client=client,
        metadata=request.metadata,
        nonce=request.nonce or "",
        access_token="",
        now=now,
        keys=keys,
    )
    algorithm = str(decode(raw)[0].get("alg"))
    if access_token:
        _check_hash(checked.claims, "at_hash", access_token, algorithm, required=True)
    if response.code:
        _check_hash(checked.claims, "c_hash", response.code, algorithm, required=True)
    _check_hash(checked.claims, "s_hash", request.state, algorithm, required=False)
    return checked


def _check_hash(
    claims: Mapping[str, object], name: str, text: str, algorithm: str, *, required: bool
) -> None:
    if name not in claims and not required:
        return
    if not same_secret(text_member(claims, name), half_hash(text, algorithm)):
        source = "OpenID Connect Core 1.0 §3.1.3.8, §3.2.2.9, §3.3.2.10"
        refuse(name, "does not belong to what came with it", source)


def check_claims(
    claims: Mapping[str, object], *, client: ClientConfig, metadata: ServerMetadata, now: float
) -> None:
    """Check who issued an ID token, for which client, and when.

    Raises:
        MalformedResponse: a claim is wrong; the message names it.

    Source: OpenID Connect Core 1.0 §2, §3.1.3.7 (2, 3, 4, 5, 9, 10); RFC 7519 §4.1.5.
    """
    issuer = text_member(claims, "iss")
    if not issuer:
        refuse("iss", "is missing", "OpenID Connect Core 1.0 §2")
    known = (_of_tenant(metadata.issuer, claims), client.provider.allowed_issuer)
    if metadata.issuer is not None and issuer not in known:
        refuse("iss", f"is {server_text(issuer, 120)!a}, expected {metadata.issuer}")
    audience = claims.get("aud")
    audiences = audience if is_list(audience) else [audience]
    if client.client_id not in audiences:
        refuse("aud", "does not name this client")
    # `azp` is for extensions only (Core with errata set 2, §3.1.3.7 (4, 5)): Entra, Keycloak and Google put
    # other parties into it, or leave it out with several audiences.
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        refuse("sub", "is missing")
    if now >= _time(claims, "exp") + LEEWAY:
        refuse("exp", "has passed", clock=True)
    if _time(claims, "iat") > now + 300:
        refuse("iat", "lies in the future", clock=True)
    if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY:
        refuse("nbf", "lies in the future", clock=True)


def _check_authentication(claims: Mapping[str, object], *, max_age: int, now: float) -> None:
    """Check when the user was authenticated, because a server may not know the parameter `max_age`."""
    source = "OpenID Connect Core 1.0 §3.1.3.7 (13)"
    if now > _time(claims, "auth_time") + max_age + SIGN_IN_SECONDS:
        refuse("auth_time", f"is more than {max_age} seconds before this sign-in", source)


def _of_tenant(issuer: str | None, claims: Mapping[str, object]) -> str | None:
    """Replace `{tenantid}` in an issuer, which the metadata for all tenants of Entra contain.

    The settings must have allowed such metadata by name, because they name another issuer than the one that
    was asked. The tenant must be a UUID, so that nothing else can get into the address.

    Source: https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens#validate-the-issuer
    """
    tenant = claims.get("tid")
    fits = isinstance(tenant, str) and re.fullmatch(_UUID, tenant) is not None
    return issuer.replace("{tenantid}", str(tenant)) if issuer is not None and fits else issuer


def check_refreshed(new: IdToken, old: IdToken | None) -> None:
    """Check that a refreshed ID token is about the same person.

    Raises:
        MalformedResponse: issuer, subject, or nonce differ.

    Source: OpenID Connect Core 1.0 §12.2.
    """
    if old is None:
        return
    for name in ("iss", "sub"):
        if new.claims.get(name) != old.claims.get(name):
            refuse(name, "is not that of the first sign-in", "OpenID Connect Core 1.0 §12.2")
    nonce = new.claims.get("nonce")
    if nonce is not None and nonce != old.claims.get("nonce"):
        refuse("nonce", "is not that of the first sign-in", "OpenID Connect Core 1.0 §12.2")


def half_hash(text: str, algorithm: str) -> str:
    """Return the left half of a hash, as `at_hash` and `c_hash` carry it.

    Source: OpenID Connect Core 1.0 §3.1.3.6.
    """
    bits = algorithm[-3:] if algorithm[-3:] in ("256", "384", "512") else "512"
    digest = hashlib.new(f"sha{bits}", text.encode("ascii", "replace")).digest()
    return base64url(digest[: len(digest) // 2])


def _time(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    # RFC 7519 §2: NumericDate is a JSON number; a signed claim of another type is refused.
    seconds = None if isinstance(value, str) else number(value)
    if seconds is None:
        refuse(name, "is missing or not a number", "OpenID Connect Core 1.0 §2")
    return seconds
