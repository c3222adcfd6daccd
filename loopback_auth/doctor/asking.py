"""Sends the questions to a server: counts them, and leaves a host alone that does not answer.

A host that has left two requests without a response is not asked again, and neither is one that has answered
429: the person who reads the result can ask again later.

Source: RFC 6585 §4 (429 Too Many Requests).
"""

from __future__ import annotations

from loopback_auth.effects import Flow, Send, Sleep
from loopback_auth.errors import TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.urls import origin

UNANSWERED = 2
"""Requests to one host that may stay without an answer before it is left alone."""
TOO_MANY = 429


class Asking:
    """Sends the questions to servers, and counts them.

    Args:
        limit: how many requests are made at most.
        pause: seconds between two of them.
    """

    def __init__(self, limit: int, *, pause: float = 0.0) -> None:
        self.sent: int = 0
        """How many requests were made."""
        self._limit = limit
        self._pause = pause
        self._silent: dict[str, int] = {}
        self._refusing: set[str] = set()

    def send(self, request: HttpRequest, *, step: str) -> Flow[HttpResponse]:
        """Make a request, unless that would be too many.

        Raises:
            TransportError: there was no answer, or no request was made.
            ProtocolError: the answer was too large.

        Source: RFC 6585 §4.
        """
        host = origin(request.url)
        if self._silent.get(host, 0) >= UNANSWERED:
            raise TransportError(f"It was not asked: {host} did not answer before")
        if host in self._refusing:
            raise TransportError(f"It was not asked: {host} has answered 429, which means too many requests")
        if self.sent >= self._limit:
            raise TransportError("It was not asked: there were enough questions already")
        if self.sent and self._pause:
            yield from Sleep(self._pause)
        self.sent += 1
        try:
            answer = yield from Send(request, step=step)
        except TransportError:
            self._silent[host] = self._silent.get(host, 0) + 1
            raise
        if answer.status == TOO_MANY:
            self._refusing.add(host)
        return answer
