"""Fetch the documents of clients for a served demo server."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from loopback_auth.demo.client_documents import LOCAL, MOST_BYTES
from loopback_auth.http_messages import HttpResponse

FETCH_SECONDS = 5.0
"""Seconds that each part of an answer may take."""


def fetch_locally(url: str) -> HttpResponse | None:
    """Fetch a document from this machine; from any other it is None.

    A demo server may be running while its user visits any web page, which must not make it send requests.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOCAL:
        return None
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=FETCH_SECONDS)
    try:
        connection.request("GET", url.partition(parts.netloc)[2], headers={"Accept": "application/json"})
        answer = connection.getresponse()
        return HttpResponse(answer.status, tuple(answer.getheaders()), answer.read(MOST_BYTES + 1))
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
