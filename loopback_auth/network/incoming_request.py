"""Turn aiohttp's requests into `HttpRequest`: the head at once, the body only when it is needed."""

from __future__ import annotations

from aiohttp.web_protocol import RequestPayloadError
from aiohttp.web_request import BaseRequest

from loopback_auth.http_messages import HttpRequest
from loopback_auth.protocol.parameters import BODY_LIMIT
from loopback_auth.protocol.redirect import TurnedAway
from loopback_auth.words import Words


def head_of(request: BaseRequest) -> HttpRequest:
    """Return method, target and headers as they were sent."""
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
    return HttpRequest(request.method, request.raw_path, tuple(headers))


def path_of(head: HttpRequest) -> str:
    """Return the raw path of a request's target."""
    return head.url.partition("?")[0]


async def body_of(request: BaseRequest) -> bytes | TurnedAway:
    """Read the body, up to the size of a callback; or return why it cannot be read."""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # RFC 9110 §10.1.1
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > BODY_LIMIT:
                return TurnedAway(413, Words.REFUSED_TOO_LONG, why=Words.REFUSED_WHY_TOO_LONG)
    except (RequestPayloadError, ConnectionError):
        return TurnedAway(400, Words.REFUSED_NO_BODY, why=Words.REFUSED_WHY_UNREADABLE)
    return bytes(body)
