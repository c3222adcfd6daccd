"""How one request presents its token: as a bearer token, or with a proof for every try and every address.

It refuses to know about any HTTP library.

Source: RFC 6750 §2.1; RFC 9449 §7, §9.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, MutableMapping
from typing import Unpack

from loopback_auth.clients.bearer import UNAUTHORIZED, TokenArguments
from loopback_auth.http_messages import HttpResponse
from loopback_auth.token_source import TokenSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.protocol.dpop_answers import Prover

READ = ("DPoP-Nonce", "WWW-Authenticate", "Date")
"""Headers of an answer that say whether another proof would help."""

MOST_ADDRESSES = 20
"""Addresses of redirects that get a proof of their own; HTTP libraries follow no more of them."""


class Presentation:
    """The headers with which one request carries its token, and what the answers say of them.

    Args:
        token: the access token; empty: the request has none.
        prover: makes the proofs of its key; None: it is a bearer token.
    """

    __slots__ = ("_addresses", "_proofs", "_proven", "bound", "token", "value")

    def __init__(self, token: str = "", prover: Prover | None = None) -> None:
        self.token: str = token
        self.bound: bool = prover is not None
        """Whether each try needs a proof."""
        if prover is None:
            self.value: str = f"Bearer {token}" if token else ""
            """The value of the header `Authorization`; empty: the header is not sent."""
            return
        # Start-up: most tokens are not bound.
        from loopback_auth.protocol.dpop_answers import Proofs
        from loopback_auth.tokens import DPOP

        self.value = f"{DPOP} {token}"
        self._proofs = Proofs(prover, token)
        self._proven = ("", "")
        self._addresses = MOST_ADDRESSES

    def put(self, headers: MutableMapping[str, str], method: str, url: object) -> None:
        """Put the token into the headers of one try at one address."""
        if self.value:
            headers["Authorization"] = self.value
        if self.bound:
            from loopback_auth.token_proofs import new_stamp  # Start-up.

            text = str(url)
            self._proven = method, _target(text)
            headers["DPoP"] = self._proofs.next(method, text, new_stamp())

    def outdated(self, url: object) -> bool:
        """Return whether another request has learnt another nonce of the server since the last try."""
        return self.bound and self._proofs.outdated(str(url))

    def again(self, method: str, url: object, status: int, headers: Iterable[tuple[str, str]]) -> bool:
        """Learn from an answer; return whether the request should be sent again with another proof.

        Args:
            method: of the request that was answered: after redirects the last one.
            url: of that request.
            status: of the answer.
            headers: of the answer; those in `READ` are enough.

        Source: RFC 9449 §8.2, §9.
        """
        if not self.bound:
            return False
        text, answer = str(url), HttpResponse(status, tuple(headers), received_at=time.time())
        if self._proofs.again(text, answer):
            return True
        if status != UNAUTHORIZED or self._proven == (method, _target(text)) or not self._addresses:
            return False
        # A library that follows redirects by itself has sent the proof for the address before.
        self._addresses -= 1
        return True


def presented_sync(source: TokenSource, **arguments: Unpack[TokenArguments]) -> Presentation:
    """Return how to present the token of a source; arguments are those of `TokenSource.token`."""
    token = source.token_sync(**arguments)
    return Presentation(token, source.prover_sync(token))


async def presented(source: TokenSource, **arguments: Unpack[TokenArguments]) -> Presentation:
    """Return what `presented_sync` returns."""
    token = await source.token(**arguments)
    return Presentation(token, await source.prover(token))


def _target(url: str) -> str:
    from loopback_auth.protocol.dpop import target  # As above.

    return target(url)
