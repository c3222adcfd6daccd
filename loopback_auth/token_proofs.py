"""What bound tokens of a source need besides themselves: proofs of their key.

Imported for bound tokens alone. The nonces of servers outlive a renewal, because it keeps the key.

Source: RFC 9449 §7.1, §9.
"""

from __future__ import annotations

import os
import re
import time
from urllib.parse import urlsplit

from loopback_auth.errors import ConfigError
from loopback_auth.field_checks import check_text
from loopback_auth.http_messages import Stamp
from loopback_auth.protocol.dpop import DpopKey, target
from loopback_auth.protocol.dpop_answers import Proofs, Prover
from loopback_auth.protocol.pkce import base64url
from loopback_auth.tokens import DPOP, SignIn

_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")

MOST_TOKENS = 8
"""Tokens of one sign-in that are remembered; requests with older ones have been answered by now."""


class Provers:
    """Makes the proofs for the latest tokens of one sign-in, for any number of threads."""

    def __init__(self) -> None:
        self._by_token: dict[str, Prover | None] = {}
        self._latest: Prover | None = None

    def known(self, token: str) -> bool:
        """Return whether it is known to what a token is bound."""
        return token in self._by_token

    def of(self, token: str, sign_in: SignIn | None = None) -> Prover | None:
        """Return what makes the proofs for a token; None: it is not bound to a key.

        Args:
            token: an access token.
            sign_in: that has it; None: the token is known.

        Raises:
            ConfigError: the key cannot be used, or the extra `oidc` is missing.
        """
        if sign_in is not None:
            found = self._prover(sign_in) if sign_in.tokens.token_type == DPOP else None
            self._by_token[token] = found
            if len(self._by_token) > MOST_TOKENS:
                self._by_token.pop(list(self._by_token)[0], None)  # noqa: RUF015 - as in `protocol.dpop_answers`
            return found
        return self._by_token[token]

    def _prover(self, sign_in: SignIn) -> Prover:
        latest = self._latest
        if latest is None or latest.key.public.get("x") != sign_in.dpop_key.get("x"):
            latest = self._latest = Prover(DpopKey(sign_in.dpop_key))
        return latest


def bound_headers(token: str, prover: Prover, method: str, url: str) -> dict[str, str]:
    """Return the headers of one request with a bound token.

    Raises:
        ConfigError: method or URL is missing, or is none.

    Source: RFC 9449 §7.1.
    """
    check_text(method, "method")
    check_text(url, "url")
    if not method or not url:
        raise ConfigError(
            "The token is bound to a key, so that its headers are for one request alone.",
            hint="Give the method and the URL of the request.",
            parameter="method url",
        )
    if not (_is_url(url) and _METHOD.fullmatch(method)):
        raise ConfigError(
            f"No request can be made of {ascii(method)[:40]} and {ascii(url)[:120]}.",
            hint="Give a method such as GET, and a URL that begins with https://.",
            parameter="method url",
        )
    proof = Proofs(prover, token).next(method.upper(), url, new_stamp())
    return {"Authorization": f"{DPOP} {token}", "DPoP": proof}


def _is_url(url: str) -> bool:
    try:
        return target(url).partition("://")[0] in ("https", "http") and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def new_stamp() -> Stamp:
    """Return the time, and an identifier that was never used before."""
    return Stamp(time.time(), base64url(os.urandom(16)))
