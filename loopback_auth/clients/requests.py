"""Tokens for requests: `session.auth = BearerAuth(source)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from loopback_auth.clients.bearer import Refusals, check_destination, checked, rewound, start_of
from loopback_auth.errors import StillRefused
from loopback_auth.token_source import TokenSource

try:
    from requests import PreparedRequest, Response
    from requests.auth import AuthBase
except ImportError as _exc:
    raise ImportError(
        "loopback_auth.clients.requests needs requests: pip install requests", name="requests"
    ) from _exc


class BearerAuth(AuthBase):
    """Sends the access token of a source with every request (RFC 6750 §2.1).

        from loopback_auth.clients.requests import BearerAuth

        session = requests.Session()
        session.auth = BearerAuth(source)
        session.get("https://api.example/things")

    A body that is bytes, text, JSON or a form is sent again after a 401, and so is a seekable file; a
    generator is not. requests takes the token off when it follows a redirect to another host.

    Args:
        source: of the tokens.

    Raises:
        ConfigError: (by a request) the URL is http, and not on this machine (RFC 6750 §5.3).
        LoopbackAuthError: (by a request) as of `TokenSource.token`.
    """

    def __init__(self, source: TokenSource) -> None:
        self._source = checked(source)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Prepare a request."""
        check_destination(r.url or "")
        token = self._source.token_sync()
        r.headers["Authorization"] = f"Bearer {token}"
        r.register_hook("response", _Answered(self._source, token, start_of(r.body)))  # type: ignore[no-untyped-call]
        return r


class _How(TypedDict):
    stream: bool
    timeout: float | tuple[float, float] | tuple[float, None] | None
    verify: bool | str
    cert: bytes | str | tuple[bytes | str, bytes | str] | None
    proxies: Mapping[str, str] | None


class _Answered:
    """Sees the answers to one request and to its redirects, and sends it again where that helps."""

    def __init__(self, source: TokenSource, token: str, start: int | None) -> None:
        self._source = source
        self._token = token
        self._start = start
        self._refusals = Refusals(interactive=source.interactive)

    def __call__(self, response: Response, **how: Unpack[_How]) -> Response:
        while response.status_code >= 400:
            request, token = response.request, self._token
            # A redirect to another host has taken the token off.
            if request.headers.get("Authorization") != f"Bearer {token}":
                return response
            challenge = response.headers.get("WWW-Authenticate", "")
            arguments = self._refusals.token_arguments(response.status_code, challenge, token)
            if arguments is None:
                return response
            try:
                self._token = self._source.token_sync(**arguments)
            except StillRefused:
                return response  # What the server has answered says more.
            except BaseException:
                response.close()
                raise
            if self._token == token or not rewound(request.body, self._start):
                return response
            response = self._again(response, **how)
        return response

    def _again(self, response: Response, **how: Unpack[_How]) -> Response:
        """Send a request again, over the same connection if possible."""
        response.content  # noqa: B018 - reading it to its end is what sets the connection free
        response.close()
        request = response.request
        # The session goes on with this object, for redirects as well; the history has what was sent before.
        response.request = request.copy()
        request.headers["Authorization"] = f"Bearer {self._token}"
        answer = response.connection.send(request, **how)
        answer.history = [*response.history, response]
        return answer
