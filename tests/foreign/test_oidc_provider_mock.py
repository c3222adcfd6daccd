"""Sign-ins at oidc-provider-mock, which is written with Authlib and takes any client."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from foreign.client import client
from foreign.person import Page, Person
from loopback_auth.api import login
from loopback_auth.events import Event, RequestIgnored, Warned, silent
from loopback_auth.network.browser import Opening
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn

pytestmark = pytest.mark.foreign

mock_client = partial(client, client_id="any", secret="any")
"""Any ID and any secret will do, but a secret there must be."""


async def sign_in(issuer: str, person: Person, events: list[Event] | None = None) -> SignIn:
    """Sign in with the real thing, and a scripted person for a browser."""
    notify = silent if events is None else events.append
    return await login(mock_client(issuer), open_browser=person.open, notify=notify, timeout=60)


async def test_sign_in(oidc_provider_mock: str) -> None:
    """A server with other habits, no form_post and no word on PKCE, will do as well."""
    events = list[Event]()
    kept = await sign_in(oidc_provider_mock, Person("ada"), events)

    assert kept.tokens.account == "ada@example.org"
    assert kept.tokens.id_token is not None
    assert kept.tokens.id_token.signature == "verified"
    assert any(isinstance(event, Warned) and "PKCE" in event.text for event in events)


async def test_flow_refresh(oidc_provider_mock: str, tmp_path: Path) -> None:
    """A server without rotation keeps its refresh token (RFC 6749 §6)."""
    store = FileTokenStore(str(tmp_path))
    kept = await sign_in(oidc_provider_mock, Person("ada"))
    store.save(kept)
    renewed = await renew(kept, store=store, client_secret="any", force=True)

    assert renewed.tokens.access_token != kept.tokens.access_token
    assert renewed.tokens.account == "ada@example.org"
    assert renewed.tokens.refresh_token


async def test_no_revocation(oidc_provider_mock: str, tmp_path: Path) -> None:
    """Where nothing can be revoked, the logout says so and forgets the tokens all the same."""
    store = FileTokenStore(str(tmp_path))
    kept = await sign_in(oidc_provider_mock, Person("ada"))
    store.save(kept)

    assert await logout(kept, store=store) is False
    assert store.names() == ()


async def test_refusal_without_state(oidc_provider_mock: str) -> None:
    """This server forgets the state when it refuses, so nobody can tell whose refusal it is: it is ignored.

    RFC 6749 §4.1.2.1 demands the state. Any page could end a sign-in if it were taken on trust.
    """
    person, pages = Person("ada", deny=True), list[Future[Page]]()

    turned_away: asyncio.Future[RequestIgnored] = asyncio.get_running_loop().create_future()

    def notify(event: Event) -> None:
        if isinstance(event, RequestIgnored):
            turned_away.set_result(event)

    def open_browser(url: str) -> Opening:
        pages.append(person.begin(url))
        return Opening(program="a scripted person")

    waiting = asyncio.create_task(
        login(mock_client(oidc_provider_mock), open_browser=open_browser, notify=notify)
    )
    event = await turned_away
    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])

    assert (event.status, pages[0].result().status) == (400, 400)
