"""What the adapters for httpx and for httpx2 do alike: the two libraries differ in their names alone.

It refuses to know either of them: a request and a response are what the protocols here say.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, MutableMapping
from functools import partial
from typing import Generic, Protocol, TypeVar, Unpack

from loopback_auth.clients.bearer import (
    Refusals,
    TokenArguments,
    check_destination,
    checked,
    rewound,
    start_of,
)
from loopback_auth.clients.presentation import READ, Presentation, presented, presented_sync
from loopback_auth.errors import StillRefused
from loopback_auth.network.threads import has_loop
from loopback_auth.token_source import TokenSource


class Request(Protocol):
    """A request of httpx or of httpx2."""

    @property
    def method(self) -> str:
        """Of HTTP, in upper case."""
        ...

    @property
    def url(self) -> object:
        """Where it goes; `str` makes text of it."""
        ...

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Its header."""
        ...

    @property
    def stream(self) -> object:
        """Its body."""
        ...

    @property
    def content(self) -> bytes:
        """Its body, if that is bytes; a RuntimeError if it has to be read first."""
        ...


RequestT = TypeVar("RequestT", bound=Request)
RequestT_co = TypeVar("RequestT_co", bound=Request, covariant=True)


class Response(Protocol[RequestT_co]):
    """A response of httpx or of httpx2."""

    @property
    def status_code(self) -> int:
        """Its status."""
        ...

    @property
    def is_success(self) -> bool:
        """Whether its status is 200 to 299."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its header; several fields of one name are joined by commas."""
        ...

    @property
    def request(self) -> RequestT_co:
        """What it answers; after redirects the last request."""
        ...


class BearerFlow(Generic[RequestT]):
    """Sends the access token of a source with every request (RFC 6750 §2.1).

    Args:
        source: of the tokens.
    """

    def __init__(self, source: TokenSource) -> None:
        self._source = checked(source)

    def sync_auth_flow(self, request: RequestT) -> Generator[RequestT, Response[RequestT], None]:
        """Send a request of a `Client`."""
        check_destination(str(request.url))
        sent, start = self._first_sync(), _start(request)
        refusals = self._refusals()
        response = yield _authorized(request, sent)
        while True:
            if not self._again(sent, response):
                arguments = self._token_arguments(response, sent, refusals)
                if arguments is None:
                    return
                refused = sent.token
                try:
                    sent = presented_sync(self._source, **arguments)
                except StillRefused:
                    return  # What the server has answered says more.
                if sent.token == refused:
                    return
            if not _rewound(response.request, start):
                return
            response = yield _authorized(response.request, sent)

    async def async_auth_flow(self, request: RequestT) -> AsyncGenerator[RequestT, Response[RequestT]]:
        """Send a request of an `AsyncClient`."""
        check_destination(str(request.url))
        sent, start = await self._first(), _start(request)
        refusals = self._refusals()
        response = yield _authorized(request, sent)
        while True:
            if not self._again(sent, response):
                arguments = self._token_arguments(response, sent, refusals)
                if arguments is None:
                    return
                refused = sent.token
                try:
                    sent = await awaited(self._source, **arguments)
                except StillRefused:
                    return  # What the server has answered says more.
                if sent.token == refused:
                    return
            if not _rewound(response.request, start):
                return
            response = yield _authorized(response.request, sent)

    def _first_sync(self) -> Presentation:
        """Return the token to send a request with, or an empty one."""
        return presented_sync(self._source)

    async def _first(self) -> Presentation:
        """Return what `_first_sync` returns."""
        return await awaited(self._source)

    def _refusals(self) -> Refusals:
        return Refusals(interactive=self._source.interactive)

    def _carried(self, response: Response[RequestT], sent: Presentation) -> bool:
        """Return whether the request had the token: after redirects to another origin the last has none."""
        return response.request.headers.get("Authorization", "") == sent.value

    def _again(self, sent: Presentation, response: Response[RequestT]) -> bool:
        """Learn from an answer, and return whether another proof would help."""
        if not sent.bound or not self._carried(response, sent):
            return False
        found = ((name, response.headers[name]) for name in READ if name in response.headers)
        request = response.request
        return sent.again(request.method, request.url, response.status_code, found)

    def _token_arguments(
        self, response: Response[RequestT], sent: Presentation, refusals: Refusals
    ) -> TokenArguments | None:
        if response.is_success or not self._carried(response, sent):
            return None
        challenge = response.headers.get("WWW-Authenticate", "")
        return refusals.token_arguments(response.status_code, challenge, sent.token)


async def awaited(source: TokenSource, **arguments: Unpack[TokenArguments]) -> Presentation:
    """Return how to present the token of a source; under trio in a thread, because a sign-in needs asyncio.

    Args:
        source: of the token.
        arguments: of `TokenSource.token`.
    """
    if has_loop():
        return await presented(source, **arguments)
    from anyio.to_thread import run_sync  # It comes with both libraries, and not with this package.

    return await run_sync(partial(presented_sync, source, **arguments))


def _authorized(request: RequestT, sent: Presentation) -> RequestT:
    sent.put(request.headers, request.method, request.url)
    return request


def _is_at_hand(request: Request) -> bool:
    """Return whether the body of a request is bytes, which can be sent any number of times."""
    try:
        _ = request.content
    except RuntimeError:
        return False  # The libraries' RequestNotRead is one.
    return True


def _start(request: Request) -> int | None:
    return None if _is_at_hand(request) else start_of(_file(request))


def _file(request: Request) -> object:
    # The libraries have no public name for the file that is sent as `content`.
    return getattr(request.stream, "_stream", None) if hasattr(request.stream, "__iter__") else None


def _rewound(request: Request, start: int | None) -> bool:
    """Return whether the body of a request can be sent again; a file has been rewound then."""
    if _is_at_hand(request):
        return True
    # A multipart form rewinds its files itself, those that can be rewound.
    fields: Iterable[object] | None = getattr(request.stream, "fields", None)
    if fields is not None:
        files = (getattr(field, "file", None) for field in fields)
        return all(rewound(file, start_of(file)) for file in files)
    file = _file(request)
    return file is not None and rewound(file, start)
