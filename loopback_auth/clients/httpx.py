"""Tokens for httpx: `httpx.Client(auth=BearerAuth(source))`, and the same for `AsyncClient`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable

from loopback_auth.clients.bearer import (
    Refusals,
    TokenArguments,
    check_destination,
    checked,
    rewound,
    start_of,
)
from loopback_auth.errors import StillRefused
from loopback_auth.token_source import TokenSource

try:
    import httpx
except ImportError as _exc:
    raise ImportError("loopback_auth.clients.httpx needs httpx: pip install httpx", name="httpx") from _exc


class BearerAuth(httpx.Auth):
    """Sends the access token of a source with every request (RFC 6750 §2.1).

        from loopback_auth.clients.httpx import BearerAuth

        client = httpx.Client(auth=BearerAuth(source))
        client.get("https://api.example/things")

    A body that is bytes, text, JSON or a form is sent again after a 401, and so is a seekable file, also in a
    multipart form; a generator is not. httpx takes the token off when it follows a redirect to another
    origin.

    Args:
        source: of the tokens.

    Raises:
        ConfigError: (by a request) the URL is http, and not on this machine (RFC 6750 §5.3).
        LoopbackAuthError: (by a request) as of `TokenSource.token`.
    """

    def __init__(self, source: TokenSource) -> None:
        self._source = checked(source)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request of `httpx.Client`."""
        check_destination(str(request.url))
        token, start = self._source.token_sync(), _start(request)
        refusals = Refusals(interactive=self._source.interactive)
        response = yield _authorized(request, token)
        while arguments := _token_arguments(response, token, refusals):
            refused = token
            try:
                token = self._source.token_sync(**arguments)
            except StillRefused:
                return  # What the server has answered says more.
            if token == refused or not _rewound(response.request, start):
                return
            response = yield _authorized(response.request, token)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request of `httpx.AsyncClient`."""
        check_destination(str(request.url))
        token, start = await self._source.token(), _start(request)
        refusals = Refusals(interactive=self._source.interactive)
        response = yield _authorized(request, token)
        while arguments := _token_arguments(response, token, refusals):
            refused = token
            try:
                token = await self._source.token(**arguments)
            except StillRefused:
                return  # What the server has answered says more.
            if token == refused or not _rewound(response.request, start):
                return
            response = yield _authorized(response.request, token)


def _authorized(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _token_arguments(response: httpx.Response, token: str, refusals: Refusals) -> TokenArguments | None:
    # After redirects this is the last request, without a token if it went to another origin.
    if response.is_success or response.request.headers.get("Authorization") != f"Bearer {token}":
        return None
    return refusals.token_arguments(response.status_code, response.headers.get("WWW-Authenticate", ""), token)


def _start(request: httpx.Request) -> int | None:
    return None if isinstance(request.stream, httpx.ByteStream) else start_of(_file(request))


def _file(request: httpx.Request) -> object:
    # httpx has no public name for the file that is sent as `content`.
    return (
        getattr(request.stream, "_stream", None) if isinstance(request.stream, httpx.SyncByteStream) else None
    )


def _rewound(request: httpx.Request, start: int | None) -> bool:
    """Return whether the body of a request can be sent again; a file has been rewound then."""
    if isinstance(request.stream, httpx.ByteStream):
        return True
    # A multipart form rewinds its files itself, those that can be rewound.
    fields: Iterable[object] | None = getattr(request.stream, "fields", None)
    if fields is not None:
        files = (getattr(field, "file", None) for field in fields)
        return all(rewound(file, start_of(file)) for file in files)
    file = _file(request)
    return file is not None and rewound(file, start)
