"""ID tokens: what the claims must say, and whether the signature was checked.

The claims are checked with nothing but the standard library. Signatures need the extra `oidc` (joserfc):
cryptography is never our own. A token that came straight from the token endpoint over TLS may do without
(OpenID Connect Core 1.0 §3.1.3.7, 6); which of the two happened is part of the result.

Source: OpenID Connect Core 1.0 §2, §3.1.3.7, §3.1.3.8, §10.1, §12.2; RFC 7515 §4.1; RFC 8725.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, NoReturn

from loopback_auth.errors import MalformedResponse
from loopback_auth.model import (
    AuthorizationResponse,
    ClientConfig,
    HttpRequest,
    HttpResponse,
    IdToken,
    ServerMetadata,
)
from loopback_auth.protocol.json import is_json, parse_object, text_member
from loopback_auth.protocol.pkce import base64url
from loopback_auth.protocol.response import same_secret
from loopback_auth.redact import server_text

JWS_LIMIT = 64 * 1024
LEEWAY = 60.0
"""Seconds by which two clocks may differ."""

ASYMMETRIC = frozenset(
    f"{family}{size}" for family in ("RS", "PS", "ES") for size in ("256", "384", "512")
) | {"EdDSA", "Ed25519"}
SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
SOURCE = "OpenID Connect Core 1.0 §3.1.3.7"


def jwks_request(metadata: ServerMetadata) -> HttpRequest | None:
    """Build the request for the server's public keys; None when it names no place for them.

    Source: RFC 8414 §2 (`jwks_uri`); OpenID Connect Core 1.0 §10.1.
    """
    if metadata.jwks_uri is None:
        return None
    return HttpRequest("GET", metadata.jwks_uri, (("Accept", "application/json"),))


def jwks_response(answer: HttpResponse) -> Mapping[str, object]:
    """Check a key set's shape.

    Raises:
        MalformedResponse: not 200, no JSON object, or no list of at most 100 keys.

    Source: RFC 7517 §5.
    """
    if answer.status != 200 or not (is_json(answer) or answer.header("content-type").startswith("text/")):
        raise MalformedResponse(
            f"The key set could not be read: HTTP status {answer.status}",
            source="RFC 7517 §5",
            hint="Try again in a few minutes, or check --jwks-uri.",
        )
    document = parse_object(answer.body, what="key set", source="RFC 7517 §5")
    keys = document.get("keys")
    if not isinstance(keys, list) or len(keys) > 100 or not all(isinstance(key, dict) for key in keys):
        raise MalformedResponse("The key set has no list of at most 100 keys", source="RFC 7517 §5.1")
    return document


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
        client: who it must be meant for.
        metadata: whose issuer it must name.
        nonce: the one that was sent, or None when none was.
        access_token: the one that came with it, for `at_hash`; empty when none did.
        now: Unix seconds.
        keys: the server's key set; None to leave the signature unchecked.

    Raises:
        MalformedResponse: any claim, the header, or the signature is not as it must be.

    Source: OpenID Connect Core 1.0 §3.1.3.7.
    """
    header, claims = decode(raw)
    algorithm = _algorithm(header, client, metadata)
    if keys is not None:
        verify_signature(raw, algorithm=algorithm, client=client, keys=keys)
    check_claims(claims, client=client, metadata=metadata, now=now)
    if nonce is not None and not same_secret(text_member(claims, "nonce"), nonce):
        _refuse("nonce", "is not the one that was sent", "OpenID Connect Core 1.0 §3.1.3.7 (11)")
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
    """Check an ID token that came through the browser: signature and hashes are no choice there.

    Args:
        raw: compact JWS; untrusted.
        client: who it must be meant for.
        response: what came with it.
        now: Unix seconds.
        keys: the server's key set.

    Raises:
        MalformedResponse: anything is not as it must be.

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
        _refuse(name, "does not belong to what came with it", "OpenID Connect Core 1.0 §3.1.3.8, §3.3.2.11")


def decode(raw: str) -> tuple[dict[str, object], dict[str, object]]:
    """Split a compact JWS into header and claims, without believing either.

    Raises:
        MalformedResponse: not three parts of strict base64url, too long, or no JSON objects.

    Source: RFC 7515 §3.1, §5.2, §4.1.11 (`crit`).
    """
    parts = raw.split(".")
    if len(raw) > JWS_LIMIT or len(parts) != 3 or not all(_BASE64URL.match(part) for part in parts):
        _refuse("form", "is not a compact JWS", "RFC 7515 §3.1")
    octets = [_octets(part) for part in parts]
    header = parse_object(octets[0], what="ID token header", source="RFC 7515 §4")
    claims = parse_object(octets[1], what="ID token", source="OpenID Connect Core 1.0 §2")
    if "crit" in header:
        _refuse("crit", "demands an extension that is not known here", "RFC 7515 §4.1.11")
    return header, claims


def check_claims(
    claims: Mapping[str, object], *, client: ClientConfig, metadata: ServerMetadata, now: float
) -> None:
    """Check who issued an ID token, for whom, and when.

    Raises:
        MalformedResponse: names the claim that is wrong.

    Source: OpenID Connect Core 1.0 §2, §3.1.3.7 (2, 3, 4, 5, 9, 10); RFC 7519 §4.1.5.
    """
    issuer = text_member(claims, "iss")
    if not issuer:
        _refuse("iss", "is missing", "OpenID Connect Core 1.0 §2")
    if metadata.issuer is not None and issuer not in (metadata.issuer, client.provider.allowed_issuer):
        _refuse("iss", f"is {server_text(issuer, 120)!a}, expected {metadata.issuer}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client.client_id not in audiences:
        _refuse("aud", "does not name this client")
    party = claims.get("azp")
    if (party is not None or len(audiences) > 1) and party != client.client_id:
        _refuse("azp", "does not name this client")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        _refuse("sub", "is missing")
    if now >= _time(claims, "exp") + LEEWAY:
        _refuse("exp", "has passed")
    if _time(claims, "iat") > now + 300:
        _refuse("iat", "lies in the future")
    if "nbf" in claims and _time(claims, "nbf") > now + LEEWAY:
        _refuse("nbf", "lies in the future")


def check_refreshed(new: IdToken, old: IdToken | None) -> None:
    """Check that a refreshed ID token speaks of the same person.

    Raises:
        MalformedResponse: another issuer, subject, or nonce.

    Source: OpenID Connect Core 1.0 §12.2.
    """
    if old is None:
        return
    for name in ("iss", "sub"):
        if new.claims.get(name) != old.claims.get(name):
            _refuse(name, "is not that of the first sign-in", "OpenID Connect Core 1.0 §12.2")
    nonce = new.claims.get("nonce")
    if nonce is not None and nonce != old.claims.get("nonce"):
        _refuse("nonce", "is not that of the first sign-in", "OpenID Connect Core 1.0 §12.2")


def half_hash(text: str, algorithm: str) -> str:
    """Return the left half of a hash, as `at_hash` and `c_hash` carry it.

    Source: OpenID Connect Core 1.0 §3.1.3.6.
    """
    bits = algorithm[-3:] if algorithm[-3:] in ("256", "384", "512") else "512"
    digest = hashlib.new(f"sha{bits}", text.encode("ascii", "replace")).digest()
    return base64url(digest[: len(digest) // 2])


def verify_signature(raw: str, *, algorithm: str, client: ClientConfig, keys: Mapping[str, object]) -> None:
    """Check the signature of a compact JWS with the server's keys (needs joserfc, the extra `oidc`).

    Keys named in the token itself (`jku`, `x5u`, `jwk`) are never looked at. Without a `kid`, exactly one
    key of the right type has to fit.

    Raises:
        MalformedResponse: no fitting key, or the signature is wrong.

    Source: RFC 7515 §5.2; RFC 8725 §3.1; OpenID Connect Core 1.0 §10.1.
    """
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet, OctKey

    # RFC 7515 §4: header parameters that are not understood are ignored (`crit` was refused before).
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = JWS_LIMIT  # The default of 512 is less than one embedded certificate.
    key: Any
    try:
        if algorithm in SYMMETRIC:
            key = OctKey.import_key(client.client_secret or "")
        else:
            key = KeySet.import_key_set(_fitting(keys, decode(raw)[0], algorithm))  # type: ignore[arg-type]
        jws.deserialize_compact(raw, key, registry=registry)
    except (JoseError, ValueError, KeyError, TypeError) as exc:
        raise MalformedResponse(
            f"The signature of the ID token is wrong or its key unknown ({type(exc).__name__})",
            source="RFC 7515 §5.2",
            hint="Sign in again; if it stays so, ask the provider: its keys do not fit its tokens.",
        ) from exc


def names_key(raw: str, keys: Mapping[str, object]) -> bool:
    """Tell whether a key set holds the key that a token names; a token without `kid` names none.

    Source: OpenID Connect Core 1.0 §10.1.1 (an unknown `kid` is the sign to fetch the keys again).
    """
    kid = decode(raw)[0].get("kid")
    listed = keys.get("keys")
    return kid is None or any(key.get("kid") == kid for key in (listed if isinstance(listed, list) else []))


def _fitting(keys: Mapping[str, object], header: Mapping[str, object], algorithm: str) -> dict[str, object]:
    family = {"R": "RSA", "P": "RSA", "E": "EC"}[algorithm[0]]
    family = "OKP" if algorithm.startswith("Ed") else family
    listed = keys.get("keys")
    fitting = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if key.get("kty") == family
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and ("kid" not in header or key.get("kid") == header["kid"])
    ]
    if len(fitting) != 1:
        detail = "no key fits" if not fitting else "several keys fit and it does not say which"
        _refuse("signature", f"cannot be checked: {detail}", "OpenID Connect Core 1.0 §10.1")
    return {"keys": fitting}


def _algorithm(header: Mapping[str, object], client: ClientConfig, metadata: ServerMetadata) -> str:
    algorithm = header.get("alg")
    allowed = ASYMMETRIC | SYMMETRIC if client.client_secret else ASYMMETRIC
    announced = metadata.id_token_signing_alg_values_supported
    if announced is not None:
        allowed = allowed & frozenset(announced)
    if not isinstance(algorithm, str) or algorithm not in allowed:
        _refuse("alg", f"{server_text(str(algorithm), 20)!a} is not accepted here", "RFC 8725 §3.1")
    return algorithm


def _time(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(name, "is missing or no number", "OpenID Connect Core 1.0 §2")
    return float(max(0.0, min(value, 1e12)))  # Before the conversion: a very long integer is no float.


def _octets(part: str) -> bytes:
    try:
        octets = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        octets = b""
    # RFC 4648 §3.5: unused bits that are not zero would be a second spelling of the same token.
    if base64url(octets) != part:
        raise MalformedResponse("The ID token is not base64url", source="RFC 7515 §2")
    return octets


def _refuse(claim: str, detail: str, source: str = SOURCE) -> NoReturn:
    hint = "Sign in again; if it stays so, check --issuer and --client-id, or tell the provider."
    if claim in ("exp", "iat", "nbf"):
        hint = "Set the clock of this machine, then sign in again."
    raise MalformedResponse(f"The ID token was refused: {claim} {detail}", source=source, hint=hint)
