"""Proof Key for Code Exchange: only the program that began the sign-in can exchange its code.

Source: RFC 7636.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

from loopback_auth.errors import ConfigError

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def code_verifier(entropy: bytes) -> str:
    """Derive a code verifier from random octets.

    Args:
        entropy: 32 to 96 octets from the operating system; 32 give the recommended 43 characters.

    Returns:
        Unpadded base64url, 43 to 128 characters.

    Raises:
        ConfigError: too few or too many octets.

    Source: RFC 7636 §4.1, §7.1.
    """
    if not 32 <= len(entropy) <= 96:
        raise ConfigError(f"A code verifier is made from 32 to 96 octets, not {len(entropy)}.")
    return base64url(entropy)


def code_challenge(code_verifier: str) -> str:
    """Derive the S256 challenge of a code verifier.

    Args:
        code_verifier: 43 to 128 unreserved ASCII characters.

    Returns:
        43 characters of unpadded base64url.

    Raises:
        ConfigError: the verifier has another length or alphabet.

    Source: RFC 7636 §4.2.
    """
    if not 43 <= len(code_verifier) <= 128 or not _UNRESERVED.issuperset(code_verifier):
        raise ConfigError("A code verifier has 43 to 128 unreserved ASCII characters.")
    return base64url(hashlib.sha256(code_verifier.encode("ascii")).digest())


def base64url(octets: bytes) -> str:
    """Encode octets without padding.

    Source: RFC 7636 appendix A; RFC 7515 §2.
    """
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
