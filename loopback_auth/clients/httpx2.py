"""Tokens for httpx2: `httpx2.Client(auth=BearerAuth(source))`, and the same for `AsyncClient`."""

from __future__ import annotations

from loopback_auth.clients.httpx_like import BearerFlow

try:
    import httpx2
except ImportError as _exc:
    raise ImportError(
        "loopback_auth.clients.httpx2 needs httpx2: pip install httpx2", name="httpx2"
    ) from _exc


class BearerAuth(BearerFlow[httpx2.Request], httpx2.Auth):
    """Sends the access token of a source with every request (RFC 6750 §2.1, RFC 9449 §7.1).

        from loopback_auth.clients.httpx2 import BearerAuth

        client = httpx2.Client(auth=BearerAuth(source))
        client.get("https://api.example/things")

    A body that is bytes, text, JSON or a form is sent again after a 401, and so is a seekable file, also in a
    multipart form; a generator is not. httpx2 takes the token off when it follows a redirect to another
    origin; the proof of a bound token goes along, and is of no use without the token. Each request has a
    proof of its own; that of a redirect gets it when the server has refused the proof for the one before.

    Args:
        source: of the tokens.

    Raises:
        ConfigError: (by a request) the URL is http, and not on this machine (RFC 6750 §5.3).
        LoopbackAuthError: (by a request) as of `TokenSource.token`.
    """
