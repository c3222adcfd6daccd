"""Check DPoP proofs: that a request was made by the holder of a key.

The rules are written apart from the client's half, so that a slip in one does not hide in the other. A nonce
is derived from the time, and accepted in its own period of five minutes and the next one.

Source: RFC 9449 §4.3, §8, §9, §11.1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from loopback_auth.demo.grants import Ledger
from loopback_auth.demo.jwts import PRIVATE, number, parts, verified_by
from loopback_auth.demo.setup import DPOP_ALGORITHMS, Setup
from loopback_auth.demo.single_use import Seen
from loopback_auth.demo.wire import Refused
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.narrow import is_object

Place = Literal["server", "resource"]
"""Who checks a proof; each has nonces of its own."""

WINDOW = 60.0
"""Seconds that the time in a proof may differ from the clock of the server."""
NONCE_PERIOD = 300.0
PORTS = {"http": 80, "https": 443}


class Proofs:
    """The check of proofs, the same for every endpoint; remembers which were used."""

    def __init__(self, setup: Setup, ledger: Ledger) -> None:
        self._setup = setup
        self._ledger = ledger
        self._used = Seen(2 * WINDOW)
        self._secret = b""  # Drawn for the first nonce: a server without nonces draws only what it uses.
        self._turns = 0

    @property
    def on(self) -> bool:
        """Return whether proofs are read at all."""
        return self._setup.features.dpop != "off"

    def rotate_nonces(self) -> None:
        """Let every nonce that was given out so far be refused."""
        self._turns += 2

    def thumbprint(self, request: HttpRequest, place: Place, now: float, *, access_token: str = "") -> str:
        """Check the proof of a request, and return the thumbprint of its key; empty without a proof.

        Args:
            request: with a header `DPoP`, or none.
            place: who checks.
            now: Unix seconds.
            access_token: that came with it; empty: none.

        Source: RFC 9449 §4.3.
        """
        sent = request.values("dpop")
        if not self.on or not sent:
            return ""
        compact, *more = sent
        if more:
            raise _bad("There must be one DPoP header.")
        found = parts(compact)
        if found is None:
            raise _bad("The DPoP header holds no JWT.")
        header, claims = found
        key = _public_key(header)
        if not verified_by(key, compact, DPOP_ALGORITHMS):
            raise _bad("The signature of the proof does not fit its key.")
        self._check_claims(claims, request, place, now, access_token)
        thumbprint = _thumbprint(key)
        if not self._used.first(f"{thumbprint} {claims['jti']}", now):
            raise _bad("The proof was used before.")
        return thumbprint

    def stamped(self, response: HttpResponse, place: Place, now: float) -> HttpResponse:
        """Add the nonce for the next proof to a response, where nonces are wanted.

        Source: RFC 9449 §8.2, §9.
        """
        if not self._wants_nonce(place):
            return response
        nonce = ("DPoP-Nonce", self._nonce(place, now))
        return HttpResponse(response.status, (*response.headers, nonce), response.body)

    def _check_claims(
        self, claims: Mapping[str, object], request: HttpRequest, place: Place, now: float, access_token: str
    ) -> None:
        if not isinstance(claims.get("jti"), str) or not claims["jti"]:
            raise _bad("The jti of the proof is missing.")
        if claims.get("htm") != request.method:
            raise _bad("The htm of the proof is not the method of the request.")
        if not self._same_url(claims.get("htu"), request.url):
            raise _bad("The htu of the proof is not the URL of the request.")
        # The nonce comes first: a client with a wrong clock is told of it only by what follows
        if self._wants_nonce(place) and claims.get("nonce") not in self._accepted(place, now):
            raise Refused("use_dpop_nonce", "The proof needs the nonce of the header DPoP-Nonce.")
        issued_at = number(claims.get("iat"))
        if issued_at is None or not abs(issued_at - now) <= WINDOW:
            raise _bad("The iat of the proof is too far from the time of this server.")
        if access_token and claims.get("ath") != _base64url(
            hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest()
        ):
            raise _bad("The ath of the proof is not the hash of the access token.")

    def _same_url(self, said: object, target: str) -> bool:
        """Compare without query and fragment, in the normal form of RFC 3986 §6.2.2 and §6.2.3."""
        path = target.removeprefix(self._setup.issuer).partition("?")[0] or "/"
        return isinstance(said, str) and _normal(said) == _normal(self._setup.issuer + path)

    def _wants_nonce(self, place: Place) -> bool:
        features = self._setup.features
        return self.on and (features.server_nonces if place == "server" else features.resource_nonces)

    def _nonce(self, place: Place, now: float, *, periods_ago: int = 0) -> str:
        if self._setup.faults.nonce_changes:
            return self._ledger.unguessable()
        self._secret = self._secret or self._ledger.entropy(32)
        period = int(now // NONCE_PERIOD) + self._turns - periods_ago
        return _base64url(hmac.digest(self._secret, f"{place} {period}".encode(), "sha256")[:18])

    def _accepted(self, place: Place, now: float) -> tuple[str, str]:
        return self._nonce(place, now), self._nonce(place, now, periods_ago=1)


def _public_key(header: Mapping[str, object]) -> Mapping[str, object]:
    """Return the key in the header of a proof (RFC 9449 §4.2)."""
    if header.get("typ") != "dpop+jwt":
        raise _bad("The typ of the proof is not dpop+jwt.")
    if header.get("alg") not in DPOP_ALGORITHMS:
        raise _bad("The alg of the proof is not supported.")
    key = header.get("jwk")
    if not is_object(key) or PRIVATE & key.keys():
        raise _bad("The jwk of the proof is missing, or is not a public key.")
    return key


def _thumbprint(key: Mapping[str, object]) -> str:
    """Return the thumbprint of a key that was used already, so that its members are there (RFC 7638 §3)."""
    members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}[str(key["kty"])]
    text = json.dumps({name: key[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(text.encode()).digest())


def _normal(url: str) -> tuple[str, str, int | None, str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or parts.query or parts.fragment or "?" in url or "#" in url:
        return None
    return parts.scheme.lower(), parts.hostname.lower(), port, parts.path or "/"


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _bad(description: str) -> Refused:
    return Refused("invalid_dpop_proof", description)
