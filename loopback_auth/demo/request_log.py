"""Keep what a demo server was asked, for tests of its clients.

The values are there to be compared; the text form of a record has the names of parameters only, because a
failing test prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.wire import query_of
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request that a demo server got, and the status of its answer.

    Args:
        method: of HTTP.
        path: of the URL, without the query.
        names: of the parameters, in order.
        parameters: of the query and of a form in the body, by name; of a repeated one the last value. They
            include secrets.
        headers: names and values, in order. They include secrets.
        body: in bytes, of any kind.
        status: of the answer.
        received_at: Unix seconds.
    """

    method: str
    path: str
    names: tuple[str, ...]
    parameters: Mapping[str, str] = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    status: int
    received_at: float

    @property
    def grant(self) -> str:
        """The `grant_type` of a token request; empty for every other request."""
        return self.parameters.get("grant_type", "")

    def header(self, name: str) -> str:
        """Return the first value of a header, whose name may be in any case; empty when it is absent."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")


class LoggingServer(DemoServer):
    """A demo server that keeps its requests; the arguments are those of `DemoServer`."""

    @cached_property
    def requests(self) -> list[LoggedRequest]:
        """All of them, in the order of their answers."""
        return []

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer any request, and log it; never raises."""
        answer = super().handle(request, now)
        self.requests.append(logged(request, answer.status, now))
        return answer


def logged(request: HttpRequest, status: int, now: float) -> LoggedRequest:
    """Write a request down."""
    pairs = parse_qsl(query_of(request.url), keep_blank_values=True)
    if request.header("content-type").partition(";")[0].strip().lower() == FORM:
        pairs += parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)
    return LoggedRequest(
        request.method,
        request.url.partition("?")[0],
        tuple(name for name, _ in pairs),
        dict(pairs),
        request.headers,
        request.body,
        status,
        now,
    )
