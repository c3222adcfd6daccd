"""Signed tokens: their format, the server's keys, and whether a signature is right.

Signatures need the extra `oidc`: the cryptography is that of joserfc. What the claims of a token mean is
decided in `protocol.jwt`.

Source: RFC 7515 §3.1, §4.1, §5.2; RFC 7517 §5; RFC 8725 §3.1; OpenID Connect Core 1.0 §10.1.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, NoReturn

from loopback_auth.errors import MalformedResponse
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.narrow import is_list, is_object
from loopback_auth.protocol.answer import came_instead
from loopback_auth.protocol.json import is_json, parse_object
from loopback_auth.protocol.jwk import public_key
from loopback_auth.protocol.pkce import base64url
from loopback_auth.redact import server_text

JWS_LIMIT = 64 * 1024

ASYMMETRIC = frozenset(
    f"{family}{size}" for family in ("RS", "PS", "ES") for size in ("256", "384", "512")
) | {"EdDSA", "Ed25519"}
SYMMETRIC = frozenset({"HS256", "HS384", "HS512"})

ID_TOKEN = "ID token"
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
SOURCE = "OpenID Connect Core 1.0 §3.1.3.7"


def jwks_request(metadata: ServerMetadata) -> HttpRequest | None:
    """Build the request for the server's public keys; None when the metadata has no address for them.

    Source: RFC 8414 §2 (`jwks_uri`); OpenID Connect Core 1.0 §10.1.
    """
    if metadata.jwks_uri is None:
        return None
    return HttpRequest("GET", metadata.jwks_uri, (("Accept", "application/json"),))


def jwks_response(answer: HttpResponse) -> Mapping[str, object]:
    """Check the form of a key set.

    Raises:
        MalformedResponse: not a success, not a JSON object, or not a list of at most 100 keys.

    Source: RFC 7517 §5.
    """
    if not 200 <= answer.status < 300 or not is_json(answer):
        raise MalformedResponse(
            f"The key set could not be read: {came_instead(answer)}",
            source="RFC 7517 §5",
            hint="Try again in a few minutes, or check the URL of the key set.",
            parameter="jwks_uri",
        )
    document = parse_object(answer.body, what="key set", source="RFC 7517 §5")
    keys = document.get("keys")
    if not is_list(keys) or len(keys) > 100 or not all(isinstance(key, dict) for key in keys):
        raise MalformedResponse("The key set must have a list of at most 100 keys", source="RFC 7517 §5.1")
    return document


def decode(raw: str, *, what: str = ID_TOKEN) -> tuple[dict[str, object], dict[str, object]]:
    """Split a compact JWS into header and claims; both are still untrusted.

    Args:
        raw: the JWS.
        what: its name for people.

    Raises:
        MalformedResponse: not three parts of strict base64url, too long, or not JSON objects.

    Source: RFC 7515 §3.1, §5.2, §4.1.11 (`crit`).
    """
    parts = raw.split(".")
    if len(raw) > JWS_LIMIT or len(parts) != 3 or not all(_BASE64URL.match(part) for part in parts):
        refuse("form", "is not a compact JWS", "RFC 7515 §3.1", what=what)
    octets = [_octets(part, what) for part in parts]
    header = parse_object(octets[0], what=f"{what} header", source="RFC 7515 §4")
    claims = parse_object(octets[1], what=what, source="RFC 7519 §7.2")
    if "crit" in header:
        refuse("crit", "demands an unknown extension", "RFC 7515 §4.1.11", what=what)
    return header, claims


def verify_signature(
    raw: str,
    *,
    algorithm: str,
    client: ClientConfig,
    keys: Mapping[str, object],
    what: str = ID_TOKEN,
) -> None:
    """Check the signature of a compact JWS with the server's keys (needs joserfc, the extra `oidc`).

    Keys that the token itself names (`jku`, `x5u`, `jwk`) are ignored. Without a `kid`, exactly one key of
    the right type must be there.

    Raises:
        MalformedResponse: no matching key, or the signature is wrong.

    Source: RFC 7515 §5.2; RFC 8725 §3.1; OpenID Connect Core 1.0 §10.1.
    """
    from joserfc import jws  # Optional package.
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey, import_key

    key: Any
    try:
        if algorithm in SYMMETRIC:
            key = OctKey.import_key(client.client_secret or "")
        else:
            fitting = _fitting(keys, decode(raw, what=what)[0], algorithm, what)
            key = import_key(public_key(fitting))
        jws.deserialize_compact(raw, key, registry=registry_for(algorithm))
    except (JoseError, ValueError, KeyError, TypeError) as exc:
        raise MalformedResponse(
            f"The signature of the {what} is wrong or its key unknown ({type(exc).__name__})",
            source="RFC 7515 §5.2",
            hint="Sign in again. If that does not help, ask the provider: its keys do not match its tokens.",
        ) from exc


def registry_for(algorithm: str) -> Any:
    """Return what lets joserfc use one algorithm and no other.

    Source: RFC 8725 §3.1.
    """
    from joserfc import jws  # Optional package.

    class Registry(jws.JWSRegistry):
        def get_alg(self, name: str) -> Any:
            # Without the warning about names that RFC 9864 has replaced: the server chose them.
            if name != algorithm:
                raise ValueError("another algorithm than the one that was accepted")
            return self.algorithms[name]

    # RFC 7515 §4: header parameters that are not understood are ignored (`crit` was refused before).
    registry = Registry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = JWS_LIMIT  # The default of 512 is less than one embedded certificate.
    return registry


def names_key(raw: str, keys: Mapping[str, object]) -> bool:
    """Return whether a key set has the key that a token names by `kid`.

    Source: OpenID Connect Core 1.0 §10.1.1 (an unknown `kid` is the sign to fetch the keys again).
    """
    kid = decode(raw)[0].get("kid")
    return kid is None or any(key.get("kid") == kid for key in _listed(keys))


def _listed(keys: Mapping[str, object]) -> list[dict[str, object]]:
    listed = keys.get("keys")
    return [key for key in listed if is_object(key)] if is_list(listed) else []


def _fitting(
    keys: Mapping[str, object], header: Mapping[str, object], algorithm: str, what: str
) -> Mapping[str, object]:
    family = {"R": "RSA", "P": "RSA", "E": "EC"}[algorithm[0]]
    family = "OKP" if algorithm.startswith("Ed") else family
    fitting = [
        key
        for key in _listed(keys)
        if key.get("kty") == family
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and ("kid" not in header or key.get("kid") == header["kid"])
    ]
    if len(fitting) != 1:
        detail = "no key matches" if not fitting else "several keys match, and it has no kid"
        refuse("signature", f"cannot be checked: {detail}", "OpenID Connect Core 1.0 §10.1", what=what)
    return fitting[0]


def accepted_algorithm(
    header: Mapping[str, object],
    client: ClientConfig,
    announced: tuple[str, ...] | None,
    *,
    what: str = ID_TOKEN,
) -> str:
    """Return the algorithm in a header if it is an accepted one.

    Args:
        header: untrusted.
        client: whose secret is the key of HMAC.
        announced: the algorithms that the server lists for this; None: it lists none.
        what: is signed, for people.

    Raises:
        MalformedResponse: `none`, HMAC without a client secret, or an algorithm that the server does not
            list.

    Source: RFC 8725 §3.1; OpenID Connect Core 1.0 §3.1.3.7 (7, 8).
    """
    algorithm = header.get("alg")
    allowed = ASYMMETRIC | SYMMETRIC if client.client_secret else ASYMMETRIC
    if announced is not None:
        allowed = allowed & frozenset(announced)
    if not isinstance(algorithm, str) or algorithm not in allowed:
        detail = f"{server_text(str(algorithm), 20)!a} is not accepted here"
        refuse("alg", detail, "RFC 8725 §3.1", what=what)
    return algorithm


def _octets(part: str, what: str) -> bytes:
    try:
        octets = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        octets = b""
    # RFC 4648 §3.5: with unused bits that are not zero, one token would have two spellings.
    if base64url(octets) != part:
        raise MalformedResponse(f"The {what} is not base64url", source="RFC 7515 §2")
    return octets


def refuse(
    claim: str, detail: str, source: str = SOURCE, *, clock: bool = False, what: str = ID_TOKEN
) -> NoReturn:
    """Refuse a signed token because of one of its claims or header parameters.

    Args:
        claim: name of the claim or parameter.
        detail: what is wrong with it.
        source: the clause that it breaks.
        clock: a wrong clock could be the reason.
        what: is refused, for people.

    Raises:
        MalformedResponse: always.

    Source: OpenID Connect Core 1.0 §3.1.3.7.
    """
    hint = "Sign in again. If that does not help, check the issuer and the client ID, or ask the provider."
    parameter = "issuer client_id"
    if clock:
        hint, parameter = "Set the clock of this machine, then sign in again.", ""
    raise MalformedResponse(
        f"The {what} was refused: {claim} {detail}", source=source, hint=hint, parameter=parameter
    )
