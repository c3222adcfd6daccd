"""What servers answer to proofs: the nonces that they want, and why they refuse one.

A `Prover` remembers what each server wants, and `Proofs` are those of one request: the first, and the few
that may follow a refusal. This module refuses to know how a request is sent.

Source: RFC 9449 §7.1, §8, §9.
"""

from __future__ import annotations

import re
from typing import TypeVar

from loopback_auth.http_messages import HttpResponse, Stamp
from loopback_auth.protocol.challenge import challenges
from loopback_auth.protocol.dpop import DpopKey, proof
from loopback_auth.protocol.json import object_or_none
from loopback_auth.protocol.polling import SKEW, clock_offset
from loopback_auth.protocol.urls import compared_origin

USE_NONCE, INVALID_PROOF = "use_dpop_nonce", "invalid_dpop_proof"

MOST_ORIGINS = 100
"""Servers whose nonces are remembered; a program that talks to more asks the oldest again."""

T = TypeVar("T")

_NONCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,4096}")


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
    return next((each for each in errors if isinstance(each, str) and each in (USE_NONCE, INVALID_PROOF)), "")


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
        return self._nonces.get(compared_origin(url), "")

    def skew(self, url: str) -> float:
        """Return by how many seconds the clock of that server is ahead of ours, as far as it is known."""
        return self._skews.get(compared_origin(url), 0.0)

    def learn(self, url: str, answer: HttpResponse) -> None:
        """Remember the nonce in an answer, whatever its status."""
        # RFC 9449 §8.2: the client MUST use the new nonce for the next request and all that follow.
        if nonce := nonce_in(answer):
            _remember(self._nonces, compared_origin(url), nonce)

    def learn_time(self, url: str, answer: HttpResponse) -> bool:
        """Remember the clock of a server that refused a proof; return whether it is another than was used."""
        ahead = clock_offset(answer)
        if ahead is None or abs(ahead - self.skew(url)) < SKEW:
            return False
        _remember(self._skews, compared_origin(url), ahead)
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

    def outdated(self, url: str) -> bool:
        """Return whether another request has learnt another nonce since the last proof was made."""
        return self._prover.nonce(url) != self._nonce

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


def _remember(known: dict[str, T], origin: str, value: T) -> None:
    known.pop(origin, None)  # The latest is the last to be forgotten.
    known[origin] = value
    if len(known) > MOST_ORIGINS:
        known.pop(list(known)[0], None)  # noqa: RUF015 - an iterator would see what other threads add
