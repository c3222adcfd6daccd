"""Proofs that the program which sends a token has the key that the token is bound to (DPoP).

A `DpopKey` signs, a `Prover` also remembers what each server wants in its proofs, and `Proofs` are those of
one request: the first, and the few that may follow a refusal. This module refuses to know where a key is
kept, and how a request is sent. Signing needs the extra `oidc`: the cryptography is that of joserfc.

Source: RFC 9449; RFC 7638.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TypeVar
from urllib.parse import quote, urlsplit

from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpResponse, Stamp
from loopback_auth.model import ServerMetadata
from loopback_auth.narrow import is_list
from loopback_auth.protocol.challenge import challenges
from loopback_auth.protocol.json import object_or_none
from loopback_auth.protocol.pkce import base64url
from loopback_auth.protocol.polling import http_date

ALGORITHM = "ES256"
PUBLIC = ("crv", "kty", "x", "y")
"""Members of a public key of this type, in the order of a thumbprint (RFC 7638 §3.2)."""

USE_NONCE, INVALID_PROOF = "use_dpop_nonce", "invalid_dpop_proof"
ERRORS = frozenset({USE_NONCE, INVALID_PROOF})

MOST_ORIGINS = 100
"""Servers whose nonces are remembered; a program that talks to more asks the oldest again."""

SKEW = 2.0
"""Seconds between two clocks that can be chance: a `Date` has whole seconds and has been under way."""

T = TypeVar("T")

_NONCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,4096}")
_NUMBER = re.compile(r"[A-Za-z0-9_-]{43}")
_PATH = "%/:@!$&'()*+,;=[]"
"""What stays in a path beside letters, digits and `-._~` (RFC 3986 §3.3)."""
_DEFAULT_PORTS = {"https": 443, "http": 80}


class DpopKey:
    """A private key to which tokens are bound; its `repr` shows the thumbprint of the public one.

    Args:
        jwk: of an EC key on the curve P-256, with the private member `d`.

    Raises:
        ConfigError: it is not such a key, or the extra `oidc` is missing.

    Source: RFC 9449 §4.2, §11.6; RFC 7518 §6.2.
    """

    def __init__(self, jwk: Mapping[str, str]) -> None:
        known = (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256")
        if not known or not all(_NUMBER.fullmatch(jwk.get(name, "")) for name in ("x", "y", "d")):
            raise _unusable()
        self.public: dict[str, str] = {name: jwk[name] for name in PUBLIC}
        try:
            from joserfc.jwk import ECKey  # Optional package.
        except Exception as exc:  # A compiled library of it may not load: see `can_verify_signatures`.
            raise missing_package() from exc
        try:
            self._key = ECKey.import_key({**self.public, "d": jwk["d"]})
            public_numbers = self._key.private_key.public_key().public_numbers()  # type: ignore[union-attr]
        except Exception as exc:
            raise _unusable() from exc
        ours = (base64url(number.to_bytes(32)) for number in (public_numbers.x, public_numbers.y))
        if tuple(ours) != (jwk["x"], jwk["y"]):
            raise _unusable()

    def __repr__(self) -> str:
        return f"DpopKey({thumbprint(self.public)!r})"

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a proof with these claims, as a compact JWS.

        Source: RFC 9449 §4.2 (`typ`, `alg`, `jwk`).
        """
        from joserfc import jws  # Optional package.

        # RFC 9449 §4.2: the jwk MUST NOT contain a private key.
        header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": self.public}
        payload = json.dumps(claims, separators=(",", ":")).encode("ascii")
        return jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])


def missing_package() -> ConfigError:
    """Return the error for a program that cannot sign, because the extra `oidc` is not installed.

    Source: RFC 9449 §4.2 (a proof is signed).
    """
    return ConfigError(
        "Tokens cannot be bound to a key, because the package joserfc is missing.",
        hint="Install the extra: pip install 'loopback_auth[oidc]'.",
        parameter="dpop",
    )


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of an EC key, as it stands in `dpop_jkt` and in `cnf`: 43 characters.

    Source: RFC 7638 §3; RFC 9449 §6.1, §10.
    """
    members = {name: jwk[name] for name in PUBLIC}
    return base64url(sha256(json.dumps(members, separators=(",", ":")).encode("ascii")).digest())


def proof(
    key: DpopKey,
    method: str,
    url: str,
    stamp: Stamp,
    *,
    nonce: str = "",
    access_token: str = "",
    skew: float = 0.0,
) -> str:
    """Return the value of the `DPoP` header for one request.

    Args:
        key: to which the token is, or will be, bound.
        method: of the request, in upper case.
        url: of the request, absolute.
        stamp: the time, and an identifier that no other proof has.
        nonce: that the server wants; empty: none.
        access_token: that the request carries; empty: none.
        skew: seconds by which the server's clock is ahead of ours.

    Source: RFC 9449 §4.2, §8, §9.
    """
    claims: dict[str, object] = {
        "jti": stamp.unique,
        "htm": method,
        "htu": target(url),
        "iat": max(0, int(stamp.wall + skew)),
    }
    if access_token:
        claims["ath"] = base64url(sha256(access_token.encode("ascii")).digest())
    if nonce:
        claims["nonce"] = nonce
    return key.sign(claims)


def target(url: str) -> str:
    """Return the `htu` of a request: its URL without query and fragment.

    Scheme, host, port and an empty path are normalized, and what must be escaped is. The rest of the path
    stays as it is sent: a server that normalizes it gets the same from both, and one that does not would see
    a difference.

    Args:
        url: absolute; a user name and password in it are left out.

    Source: RFC 9449 §4.2, §4.3 (9); RFC 3986 §6.2.2.1, §6.2.3.
    """
    return f"{_origin_of(url)}{quote(urlsplit(url).path, safe=_PATH) or '/'}"


def check_offered(metadata: ServerMetadata) -> str:
    """Refuse a server that lists other algorithms only; return a sentence of doubt where it lists none.

    Raises:
        ConfigError: ES256 is not among the algorithms.

    Source: RFC 9449 §5.1 (`dpop_signing_alg_values_supported`).
    """
    listed = metadata.document.get("dpop_signing_alg_values_supported")
    if listed is None and metadata.discovered:
        return "The server does not announce DPoP; it is used anyway, and may be ignored."
    if is_list(listed) and ALGORITHM not in listed:
        raise ConfigError(
            f"The server does not accept DPoP proofs that are signed with {ALGORITHM}.",
            hint="Switch DPoP off, or ask the provider to accept this algorithm.",
            parameter="dpop",
        )
    return ""


def nonce_in(answer: HttpResponse) -> str:
    """Return the nonce that a server wants in the next proof; empty when it names none that can be used.

    Source: RFC 9449 §8 (not more than one header), §8.1.
    """
    values = {value.strip() for name, value in answer.headers if name.lower() == "dpop-nonce"}
    value = values.pop() if len(values) == 1 else ""
    return value if _NONCE.fullmatch(value) else ""


def error_in(answer: HttpResponse) -> str:
    """Return why a server has refused a proof: `use_dpop_nonce` or `invalid_dpop_proof`; empty if it has not.

    Source: RFC 9449 §5, §7.1, §8 (in the body), §9 (in the challenge).
    """
    if answer.status < 400:
        return ""
    challenge = ", ".join(value for name, value in answer.headers if name.lower() == "www-authenticate")
    errors: list[object] = [each.error for each in challenges(challenge) if each.scheme == "dpop"]
    if answer.body:
        errors.append((object_or_none(answer.body) or {}).get("error"))
    return next((each for each in errors if isinstance(each, str) and each in ERRORS), "")


class Prover:
    """Makes the proofs of one key, and remembers the nonce and the clock of each server by its origin.

    Several threads may share it.

    Args:
        key: that signs.

    Source: RFC 9449 §8, §9 (a nonce is for the server that issued it).
    """

    def __init__(self, key: DpopKey) -> None:
        self.key = key
        self._nonces: dict[str, str] = {}
        self._skews: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"Prover({self.key!r})"

    def nonce(self, url: str) -> str:
        """Return the latest nonce of the server of a URL; empty when there is none."""
        return self._nonces.get(_origin_of(url), "")

    def skew(self, url: str) -> float:
        """Return by how many seconds the clock of that server is ahead of ours, as far as it is known."""
        return self._skews.get(_origin_of(url), 0.0)

    def learn(self, url: str, answer: HttpResponse) -> None:
        """Remember the nonce in an answer, whatever its status."""
        # RFC 9449 §8.2: the client MUST use the new nonce for the next request and all that follow.
        if nonce := nonce_in(answer):
            _remember(self._nonces, _origin_of(url), nonce)

    def learn_time(self, url: str, answer: HttpResponse) -> bool:
        """Remember the clock of a server that refused a proof; return whether it is another than was used."""
        theirs = http_date(answer.header("date"))
        if theirs is None or abs(theirs - answer.received_at - self.skew(url)) < SKEW:
            return False
        _remember(self._skews, _origin_of(url), theirs - answer.received_at)
        return True


class Proofs:
    """The proofs of one request: the first, and at most two more after refusals.

    Args:
        prover: that makes them.
        access_token: that the request carries; empty: none.

    Source: RFC 9449 §7.3 (a new proof for every try), §8, §9.
    """

    def __init__(self, prover: Prover, access_token: str = "") -> None:
        self._prover = prover
        self._access_token = access_token
        self._nonce = ""
        self._left = {"nonce", "clock"}

    def next(self, method: str, url: str, stamp: Stamp) -> str:
        """Return the proof for the next try, or for the next address of a redirect."""
        prover = self._prover
        self._nonce = prover.nonce(url)
        return proof(
            prover.key,
            method,
            url,
            stamp,
            nonce=self._nonce,
            access_token=self._access_token,
            skew=prover.skew(url),
        )

    def again(self, url: str, answer: HttpResponse) -> bool:
        """Learn from an answer; return whether to send the request again, with a new proof.

        Once for a nonce, and once for a wrong clock: if the nonce of a server changes at each answer, the
        caller gets its refusal.

        Args:
            url: of the request.
            answer: untrusted; `received_at` is by the clock of the stamps.
        """
        prover = self._prover
        prover.learn(url, answer)
        error = error_in(answer)
        reasons: set[str] = set()
        if error and prover.nonce(url) != self._nonce:
            reasons.add("nonce")
        if error == INVALID_PROOF and prover.learn_time(url, answer):
            reasons.add("clock")
        reasons &= self._left
        self._left -= reasons
        return bool(reasons)


def _origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, in the form in which they are compared."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    shown = f"[{host}]" if ":" in host else host
    ending = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{shown}{ending}"


def _remember(known: dict[str, T], origin: str, value: T) -> None:
    known.pop(origin, None)  # The latest is the last to be forgotten.
    known[origin] = value
    if len(known) > MOST_ORIGINS:
        known.pop(list(known)[0], None)  # noqa: RUF015 - an iterator would see what other threads add


def _unusable() -> ConfigError:
    return ConfigError(
        "The key to which the tokens are bound cannot be used: it is not a private key for ES256.",
        hint="Sign in again.",
        parameter="dpop",
    )
