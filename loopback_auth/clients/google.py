"""Tokens for Google's libraries: `AuthorizedSession(Credentials(source))`, and any `credentials=`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime

from loopback_auth.clients.bearer import check_destination, checked
from loopback_auth.clients.presentation import READ, Presentation
from loopback_auth.errors import StillRefused
from loopback_auth.records import dataclass
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

try:
    from google.auth import credentials
    from google.auth.exceptions import TransportError
except ImportError as _exc:
    raise ImportError(
        "loopback_auth.clients.google needs google-auth: pip install google-auth",
        name="google.auth",
    ) from _exc


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a thread has sent last.

    Args:
        sent: the token, and its proofs.
        url: to which it was sent.
    """

    sent: Presentation
    url: str


class Credentials(credentials.Credentials):
    """Credentials whose tokens come from a source, which also decides when they are renewed.

        from loopback_auth.clients.google import Credentials

        session = AuthorizedSession(Credentials(source))
        session.get("https://api.example/things")

    Every client of Google takes them as `credentials=`. After a 401 Google's transports call `refresh` and
    send the request again, with any body. Any number of threads may share them: all refusals of one token
    lead to one renewal.

    If the token is bound to a key, each request has a proof of its own, but not the requests of a redirect:
    Google's transports follow it by themselves.

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
        sent = Presentation(token, self._source.prover_sync(token))
        self._sent.last = _Sent(sent, url)
        sent.put(headers, method, url)

    def refresh(self, request: object) -> None:
        """Get a token other than the one that this thread has sent last, or a fresh one if it has sent none.

        Args:
            request: of google-auth. It is used where a token is bound to a key, to ask the server what it
                wants in a proof: Google's transports do not show its refusal.

        Raises:
            LoopbackAuthError: as of `TokenSource.token`.
        """
        last: _Sent | None = getattr(self._sent, "last", None)
        if last is not None and last.sent.bound and callable(request) and _other_proof(last, request):
            return
        refused = None if last is None else last.sent.token
        # Sent again with the same token, the request gets the same answer, which says more than an error.
        with suppress(StillRefused):
            self._take(self._source.sign_in_sync(refused=refused))

    def _take(self, sign_in: SignIn) -> None:
        ends = sign_in.tokens.expires_at
        self.expiry = None if ends is None else datetime.fromtimestamp(ends, UTC).replace(tzinfo=None)
        self.token = sign_in.tokens.access_token


def _other_proof(last: _Sent, request: Callable[..., object]) -> bool:
    """Ask a server for its nonce and its time, and return whether another proof would help (RFC 9449 §9)."""
    if last.sent.outdated(last.url):
        return True  # The server would accept the question, and that would look like a refused token.
    headers: dict[str, str] = {}
    last.sent.put(headers, "HEAD", last.url)
    try:
        answer = request(last.url, method="HEAD", headers=headers)
    except TransportError:
        return False
    found: Mapping[str, str] = getattr(answer, "headers", {})
    given = ((name, found[name]) for name in READ if name in found)
    return last.sent.again("HEAD", last.url, getattr(answer, "status", 0), given)
