"""What a server quotes of our secrets: nobody may read it, neither now nor in what is kept."""

from __future__ import annotations

import asyncio
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from loopback_auth.api import login
from loopback_auth.errors import AuthorizationError
from loopback_auth.events import Event
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.store import FileTokenStore

SECRET = "canary secret/with+odd=characters"
METADATA = ServerMetadata(
    authorization_endpoint="https://as.example/authorize", token_endpoint="https://as.example/token"
)


def _get(url: str) -> str:
    """Get a page as a browser does, and return where it leads."""
    where = urlsplit(url)
    connection = HTTPConnection(where.netloc, timeout=60)
    connection.request("GET", f"{where.path}?{where.query}" if where.query else where.path)
    leads_to = connection.getresponse().headers.get("Location", "")
    connection.close()
    return leads_to


def refuse(link: str) -> None:
    """Be a browser and an authorization server that quotes the client secret in its refusal."""
    asked = parse_qs(urlsplit(_get(link)).query)
    words = {"error": "invalid_request", "error_description": f"{SECRET} is not right"}
    _get(f"{asked['redirect_uri'][0]}?{urlencode({**words, 'state': asked['state'][0]})}")


def contents(folder: Path) -> bytes:
    """Return what all the files below a folder hold."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_secret_that_the_authorization_endpoint_quotes_is_neither_told_nor_kept(tmp_path: Path) -> None:
    """It answers before any request of ours has carried the secret, and other processes read how it ended."""
    client = ClientConfig(Provider("as", METADATA), "me", client_secret=SECRET)
    events: list[Event] = []
    visits: list[asyncio.Future[None]] = []

    def opener(link: str) -> Opening:
        visits.append(asyncio.ensure_future(asyncio.to_thread(refuse, link)))
        return Opening(program="browser")

    with pytest.raises(AuthorizationError) as caught:
        await login(
            client,
            store=FileTokenStore(str(tmp_path)),
            notify=events.append,
            open_browser=opener,
            flow="code",
        )
    await asyncio.gather(*visits)
    kept = contents(tmp_path)

    assert "<client_secret#1> is not right" in caught.value.error_description
    assert "canary" not in f"{caught.value}{caught.value.hint}{events}"
    assert b"<client_secret#1>" in kept
    assert b"canary" not in kept
