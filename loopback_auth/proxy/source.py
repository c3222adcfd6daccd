"""Where a proxy gets the token of each request."""

from __future__ import annotations

from typing import Protocol

from loopback_auth.clients.presentation import Presentation


class Source(Protocol):
    """Returns fresh tokens for any number of requests at the same time."""

    async def presentation(self, *, refused: str | None = None, challenge: str | None = None) -> Presentation:
        """Return how one request presents the token.

        Args:
            refused: a token to which the server has answered 401; it is renewed, once for all callers.
            challenge: the value of `WWW-Authenticate` that came with the refusal; untrusted.

        Raises:
            LoopbackAuthError: there is no usable token.
        """
        ...
