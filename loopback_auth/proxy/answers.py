"""Answers to the client: those of the server, passed on as they are, and the proxy's own.

The proxy's own say so by `Proxy-Status` (RFC 9209), and in a sentence for people.
"""

from __future__ import annotations

from typing import Final

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from multidict import CIMultiDict

from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.invocation import as_typed
from loopback_auth.proxy.guards import Refusal
from loopback_auth.proxy.headers import Fields

NAME: Final = "loopback_auth"
_ADDED = ("Server", "Content-Type")
"""Fields that the library adds, and that a proxy has no right to add (RFC 9110 §8.3, §10.2.4)."""


class Forwarded(StreamResponse):
    """An answer of the server.

    Args:
        status: its status code.
        reason: its reason phrase.
        fields: of its header.
    """

    # Sent with the beginning of the content where that is at hand, else by `send_headers`.
    _send_headers_immediately = False

    def __init__(self, status: int, reason: str | None, fields: Fields) -> None:
        super().__init__(status=status, reason=_printable(reason or ""), headers=CIMultiDict(fields))
        self._without = [name for name in _ADDED if name not in self.headers]

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        for name in self._without:
            self.headers.popall(name, None)


class Switched(Forwarded):
    """The answer by which a connection becomes a websocket."""

    _length_check = False


def refused(refusal: Refusal, *, method: str) -> Response:
    """Return the proxy's own answer to a request that it does not forward, the last one of its connection.

    Args:
        refusal: why.
        method: of the request.
    """
    headers = [
        *refusal.headers,
        ("Cache-Control", "no-store"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Proxy-Status", f"{NAME}; error={refusal.error}"),
        ("Server", NAME),
        ("X-Content-Type-Options", "nosniff"),
    ]
    body = as_typed(f"{refusal.text}\n").encode()
    answer = Response(status=refusal.status, headers=headers, body=b"" if method == "HEAD" else body)
    answer.force_close()
    return answer


def unavailable(exc: LoopbackAuthError) -> Refusal:
    """Return why a request is not forwarded for want of a token."""
    return Refusal(503, f"{exc.message}\n{exc.hint}".rstrip(), "proxy_internal_error", told=True)


def unanswered(exc: TransportError, *, late: bool) -> Refusal:
    """Return why a request that was forwarded has no answer.

    Args:
        exc: in words.
        late: the server was reached, and has not begun to answer.
    """
    status, error = (504, "http_response_timeout") if late else (502, "destination_unavailable")
    return Refusal(status, f"{exc.message}\n{exc.hint}".rstrip(), error, told=True)


def in_one_line(text: str) -> str:
    """Return lines as the sentences of one line: what happened, then what to do."""
    lines = text.splitlines()
    return " ".join(line if line.endswith((".", ":")) else f"{line}." for line in lines)


def _printable(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ""


def wants_content(request: BaseRequest) -> bool:
    """Return whether the client waits to be told that its content is wanted.

    Source: RFC 9110 §10.1.1.
    """
    return (
        request.version >= (1, 1)
        and request.body_exists
        and request.headers.get("Expect", "").lower() == "100-continue"
    )
