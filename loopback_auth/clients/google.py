"""Tokens for Google's libraries: `AuthorizedSession(Credentials(source))`, and any `credentials=`."""

from __future__ import annotations

import threading
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime

from loopback_auth.clients.bearer import check_destination, checked
from loopback_auth.errors import StillRefused
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

try:
    from google.auth import credentials
except ImportError as _exc:
    raise ImportError(
        "loopback_auth.clients.google needs google-auth: pip install google-auth",
        name="google.auth",
    ) from _exc


class Credentials(credentials.Credentials):
    """Credentials whose tokens come from a source, which also decides when they are renewed.

        from loopback_auth.clients.google import Credentials

        session = AuthorizedSession(Credentials(source))
        session.get("https://api.example/things")

    Every client of Google takes them as `credentials=`. After a 401 Google's transports call `refresh` and
    send the request again, with any body. Any number of threads may share them: all refusals of one token
    lead to one renewal.

    Args:
        source: of the tokens.

    Attributes:
        token: the access token that was sent last; None before the first request.
        expiry: its end, in UTC without a time zone, as google-auth has it; None: it is not known.
    """

    token: str | None
    expiry: datetime | None

    def __init__(self, source: TokenSource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.token = None
        self._source = checked(source)
        self._sent = threading.local()

    def before_request(
        self, request: object, method: str, url: str, headers: MutableMapping[str, str]
    ) -> None:
        """Put the token into the headers of a request.

        Raises:
            ConfigError: the URL is http, and not on this machine (RFC 6750 §5.3).
            LoopbackAuthError: as of `TokenSource.token`.
        """
        check_destination(url)
        token = self._source.token_sync()
        if token != self.token:
            self._take(self._source.sign_in_sync())
        self._sent.token = token
        self.apply(headers, token)  # type: ignore[no-untyped-call]

    def refresh(self, request: object) -> None:
        """Get a token other than the one that this thread has sent last, or a fresh one if it has sent none.

        Args:
            request: not used; the source has connections of its own.

        Raises:
            LoopbackAuthError: as of `TokenSource.token`.
        """
        refused: str | None = getattr(self._sent, "token", None)
        # Sent again with the same token, the request gets the same answer, which says more than an error.
        with suppress(StillRefused):
            self._take(self._source.sign_in_sync(refused=refused))

    def _take(self, sign_in: SignIn) -> None:
        ends = sign_in.tokens.expires_at
        self.expiry = None if ends is None else datetime.fromtimestamp(ends, UTC).replace(tzinfo=None)
        self.token = sign_in.tokens.access_token
