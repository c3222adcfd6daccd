"""Build the ID tokens of the demo server, for every flow.

The hashes bind an ID token to the code and the access token that come with it; through the browser nothing
else does. RS256 means SHA-256, of which the left half is used.
"""

from __future__ import annotations

import base64
import hashlib

from loopback_auth.demo.accounts import claims
from loopback_auth.demo.grants import Grant
from loopback_auth.demo.setup import Setup


def base64url(octets: bytes) -> str:
    """Encode without padding (RFC 7515 §2); written apart from the client's, as `tokens.s256` is."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def left_half(value: str) -> str:
    """Return the hash of an ASCII value for `at_hash`, `c_hash` or `s_hash`.

    Source: OpenID Connect Core §3.1.3.6, §3.3.2.11.
    """
    return base64url(hashlib.sha256(value.encode("ascii")).digest()[:16])


def id_token(
    setup: Setup,
    grant: Grant,
    now: float,
    *,
    nonce: str,
    scope: tuple[str, ...] | None = None,
    access_token: str = "",
    code: str = "",
    state: str = "",
) -> str:
    """Return a signed ID token for a grant; empty without a signer, or when `openid` was not granted.

    Args:
        setup: of the server, faults included.
        grant: what was approved.
        now: Unix seconds.
        nonce: of the authorization request; empty after a refresh and in the device grant.
        scope: a part of the granted one; None: all of it.
        access_token: issued together with this ID token.
        code: the same.
        state: of the authorization request, where this ID token travels through the browser.

    Source: OpenID Connect Core §2, §12.2; §3.2.2.10 and §3.3.2.11 for the hashes.
    """
    scope = grant.scope if scope is None else scope
    if setup.signer is None or "openid" not in scope:
        return ""
    faults = setup.faults
    said_now = int(now + faults.clock_skew)
    said: dict[str, object] = {
        "iss": setup.issuer,
        "aud": "another-client" if faults.wrong_audience else grant.client_id,
        "exp": said_now + setup.expires_in,
        "iat": said_now,
        "auth_time": int(grant.auth_time + faults.clock_skew),
        **claims(grant.account, scope),
    }
    if grant.acr:
        said["acr"] = grant.acr
    if nonce:
        said["nonce"] = "not-the-nonce-you-sent" if faults.wrong_nonce else nonce
    hashed = {"at_hash": access_token, "c_hash": code, "s_hash": state}
    said |= {name: left_half(value) for name, value in hashed.items() if value}
    signed = setup.signer.sign(said)
    return damaged(signed) if faults.bad_signature else signed


def damaged(token: str) -> str:
    """Change the signature of a JWT, for a fault."""
    head, dot, signature = token.rpartition(".")
    return f"{head}{dot}{'B' if signature.startswith('A') else 'A'}{signature[1:]}"
