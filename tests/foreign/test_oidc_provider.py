"""Sign-ins at oidc-provider, a certified OpenID implementation for Node.js."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Literal
from urllib.error import HTTPError

import pytest

from foreign.client import client
from foreign.person import Person
from loopback_auth.api import login
from loopback_auth.errors import IssuerMismatch, SignInRequired, TokenError
from loopback_auth.events import Event, Exchanged, silent
from loopback_auth.model import ClientConfig, Provider
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn

pytestmark = pytest.mark.foreign

SECRET = "a secret/with: signs+that need encoding"


async def sign_in(wanted: ClientConfig, person: Person, events: list[Event] | None = None) -> SignIn:
    """Sign in with the real thing, and a scripted person for a browser."""
    notify = silent if events is None else events.append
    return await login(wanted, open_browser=person.open, notify=notify, timeout=60)


def steps(events: list[Event]) -> list[tuple[str, int]]:
    """Return what was asked of the server, and the status of each answer."""
    return [(event.step, event.status) for event in events if isinstance(event, Exchanged)]


def posted(person: Person) -> bool:
    """Return whether the server answered with a form that posts itself."""
    return any("Submitting Callback" in page.text for page in person.visited)


def userinfo_status(kept: SignIn) -> int:
    """Ask who the owner of an access token is, for the status only."""
    headers = {"Authorization": f"Bearer {kept.tokens.access_token}"}
    request = urllib.request.Request(str(kept.metadata.userinfo_endpoint), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return int(reply.status)
    except HTTPError as exc:
        with exc:
            return exc.code


async def test_sign_in(oidc_provider: dict[str, str]) -> None:
    """Discovery, PKCE, the code by form_post without being told so, and a verified ID token."""
    person, events = Person(), list[Event]()
    kept = await sign_in(client(oidc_provider["either"]), person, events)

    assert kept.tokens.account == "ada@example.org"
    assert kept.tokens.id_token is not None
    assert kept.tokens.id_token.signature == "verified"
    assert kept.tokens.refresh_token
    assert posted(person)
    assert steps(events) == [
        ("metadata request", 200),
        ("key set request", 200),
        ("token request", 200),
        ("UserInfo request", 200),
    ]


@pytest.mark.parametrize("mode", ["query", "form_post"])
async def test_chosen_response_mode(
    oidc_provider: dict[str, str], mode: Literal["query", "form_post"]
) -> None:
    """Both ways of bringing the answer back are understood."""
    person = Person()
    wanted = client(oidc_provider["either"])
    asked = ClientConfig(wanted.provider, wanted.client_id, scope=wanted.scope, response_mode=mode)

    assert (await sign_in(asked, person)).tokens.account == "ada@example.org"
    assert posted(person) == (mode == "form_post")


async def test_pushed_request_where_required(oidc_provider: dict[str, str]) -> None:
    """A server that takes only pushed requests gets one without being asked for it (RFC 9126 §5)."""
    events = list[Event]()
    kept = await sign_in(client(oidc_provider["pushed"]), Person(), events)

    assert kept.tokens.account == "ada@example.org"
    assert ("pushed authorization request", 201) in steps(events)


@pytest.mark.parametrize("client_id", ["basic", "post"])
async def test_confidential_client(oidc_provider: dict[str, str], client_id: str) -> None:
    """A secret with signs in it arrives unharmed, in the header and in the form (RFC 6749 §2.3.1)."""
    wanted = client(oidc_provider["either"], client_id, secret=SECRET)
    method: Literal["client_secret_basic", "client_secret_post"] = (
        "client_secret_basic" if client_id == "basic" else "client_secret_post"
    )
    provider = Provider("foreign", wanted.provider.metadata, client_auth=method)
    kept = await sign_in(ClientConfig(provider, client_id, SECRET, scope="openid"), Person())

    assert kept.tokens.account == "ada"


async def test_foreign_issuer_in_the_answer(oidc_provider: dict[str, str]) -> None:
    """An answer that names another issuer ends it all before the code is sent anywhere (RFC 9207 §2.4)."""
    events = list[Event]()
    with pytest.raises(IssuerMismatch):
        await sign_in(
            client(oidc_provider["either"]), Person(forged={"iss": "https://other.example"}), events
        )

    assert "token request" not in dict(steps(events))


async def test_forged_code(oidc_provider: dict[str, str]) -> None:
    """The server's refusal of a code is told as what it is."""
    with pytest.raises(TokenError) as caught:
        await sign_in(client(oidc_provider["either"]), Person(forged={"code": "made-up"}))

    assert (caught.value.error, bool(caught.value.hint)) == ("invalid_grant", True)


async def test_rotation(oidc_provider: dict[str, str], tmp_path: Path) -> None:
    """A renewal brings a new refresh token; the old one is dead, and its reuse kills the new one too."""
    first = await sign_in(client(oidc_provider["either"]), Person())
    current, stale = FileTokenStore(str(tmp_path / "current")), FileTokenStore(str(tmp_path / "stale"))
    for store in (current, stale):
        store.save(first)
    second = await renew(first, store=current, force=True)

    assert second.tokens.refresh_token not in (None, first.tokens.refresh_token)
    assert second.tokens.access_token != first.tokens.access_token
    assert userinfo_status(second) == 200
    with pytest.raises(SignInRequired, match="invalid_grant"):
        await renew(first, store=stale, force=True)
    with pytest.raises(SignInRequired, match="invalid_grant"):
        await renew(second, store=current, force=True)


async def test_logout(oidc_provider: dict[str, str], tmp_path: Path) -> None:
    """After a logout the server knows neither token any longer (RFC 7009 §2)."""
    kept = await sign_in(client(oidc_provider["either"]), Person())
    store = FileTokenStore(str(tmp_path / "kept"))
    store.save(kept)

    assert userinfo_status(kept) == 200
    assert await logout(kept, store=store) is True
    assert userinfo_status(kept) == 401
    assert store.names() == ()
    store.save(kept)
    with pytest.raises(SignInRequired, match="invalid_grant"):
        await renew(kept, store=store, force=True)
