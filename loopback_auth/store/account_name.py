"""The names under which the sign-ins of several accounts at one provider are kept.

An account can be any text, and the name of a sign-in is also that of a file. No two accounts have one name,
also where the file system does not tell upper from lower case.
"""

from __future__ import annotations

from loopback_auth.narrow import NAME_LIMIT

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.")
_DIGEST = 32
"""Characters of the digest in place of the end of a long name."""


def account_name(provider: str, account: str) -> str:
    """Return the name under which the sign-in of an account is kept; no two accounts have the same.

    Args:
        provider: the name of the provider.
        account: any text.

    Returns:
        What can be the name of a sign-in: at most 100 characters out of `a-z0-9._-`.
    """
    encoded = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"_{byte:02x}"
        for byte in account.encode("utf-8", "surrogatepass")
    )
    name = f"{provider}-{encoded}"
    if len(name) <= NAME_LIMIT:
        return name
    import hashlib  # Few accounts have names as long as that.

    # No other name has a z after the underscore.
    digest = hashlib.sha256(f"{provider} {account}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{name[: NAME_LIMIT - _DIGEST - 2]}_z{digest}"


def may_be_account(name: str, provider: str) -> bool:
    """Return whether a name can be that of an account at a provider; what is kept there says it for sure."""
    return name.startswith(f"{provider}-"[: NAME_LIMIT - _DIGEST - 2])
