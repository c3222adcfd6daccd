"""Plain tokens in the fragment of a server made with Authlib, read by our page in a real browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from foreign.conftest import HERE, serving

from browser.conftest import Tab
from browser.running import signing_in
from loopback_auth.errors import AuthorizationError
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.words import Words

pytestmark = [pytest.mark.browser, pytest.mark.foreign]


@pytest.fixture(scope="module")
def authlib_client() -> Iterator[ClientConfig]:
    """The client as the server made with Authlib knows it."""
    with serving(sys.executable, HERE / "authlib_server.py") as issuers:
        provider = Provider("authlib", ServerMetadata(issuer=issuers["either"]))
        yield ClientConfig(provider, "native", scope="email")


def test_approve(tab: Tab, authlib_client: ClientConfig) -> None:
    """The token leaves the browser in the body of our page's request alone, and the address bar after it."""
    with signing_in(authlib_client, "token") as running:
        tab.page.goto(running.link())
        tab.decide("Approve", Words.SUCCESS_TITLE)
        kept = running.end()
    (relay,) = [request for request in tab.requests if request.resource_type == "fetch"]

    assert kept.tokens.account == "ada@example.org"
    assert parse_qs(relay.post_data or "")["access_token"] == [kept.tokens.access_token]
    assert tab.page.url.endswith("/callback")
    assert tab.complaints == []


def test_deny(tab: Tab, authlib_client: ClientConfig) -> None:
    """So does a refusal, and the page says so."""
    with signing_in(authlib_client, "token") as running:
        tab.page.goto(running.link())
        tab.decide("Deny", Words.FAILURE_TITLE)
        with pytest.raises(AuthorizationError) as caught:
            running.end()

    assert caught.value.error == "access_denied"
    assert tab.page.url.endswith("/callback")
