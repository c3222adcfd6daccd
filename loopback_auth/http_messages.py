"""One HTTP request and its response, as plain values: what a flow asks for, and what it gets.

Knows nothing of sockets or of what a message means.
"""

from __future__ import annotations

from loopback_auth.records import dataclass, field

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request, sent by the program or received by it.

    Args:
        method: in upper case.
        url: absolute in a request that is sent; as in the request line of one that is received.
        headers: names and values, in order.
        body: as sent; empty for none.
    """

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, in order; the name is matched without case."""
        return tuple(value for key, value in self.headers if key.lower() == name)

    def header(self, name: str) -> str:
        """Return the first value of a header given in lower case, or the empty string."""
        return next(iter(self.values(name)), "")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP response.

    Args:
        status: for example 200.
        headers: names and values, in order.
        body: after decompression.
        received_at: Unix seconds; the only way in which the protocol learns the time.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    received_at: float = 0.0

    def header(self, name: str) -> str:
        """Return the first value of a header given in lower case, or the empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time, and an identifier: what a signed message needs to be a new one.

    Args:
        wall: Unix seconds.
        unique: 128 random bits in URL-safe characters, different at each call (`jti`, RFC 7519 §4.1.7).
    """

    wall: float
    unique: str


def form_request(
    url: str, parameters: list[tuple[str, str]], headers: tuple[tuple[str, str], ...] = ()
) -> HttpRequest:
    """Build a POST with a form body, asking for JSON (RFC 6749 §4.1.3, appendix B)."""
    from urllib.parse import urlencode  # Start-up.

    fixed = (("Content-Type", FORM), ("Accept", "application/json"))
    return HttpRequest("POST", url, fixed + headers, urlencode(parameters).encode("ascii"))
