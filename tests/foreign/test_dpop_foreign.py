"""Bound tokens at oidc-provider, which checks proofs by itself: from the sign-in to requests and renewals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from foreign.client import client
from foreign.keys import Keys
from foreign.person import Person
from foreign.test_oidc_provider import sign_in, steps, userinfo_status
from loopback_auth.clients.httpx import BearerAuth
from loopback_auth.errors import SignInRequired, StoreError, TokenError
from loopback_auth.events import Event
from loopback_auth.signin.dpop_keys import new_key
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.store import FileTokenStore
from loopback_auth.token_source import TokenSource

pytestmark = pytest.mark.foreign


@pytest.mark.parametrize("server", ["either", "pushed", "nonces"])
async def test_bound_from_sign_in_to_logout(
    oidc_provider: dict[str, str], server: str, tmp_path: Path
) -> None:
    """By the URL, pushed, and where every proof needs a nonce; the UserInfo endpoint is a resource."""
    wanted = replace(client(oidc_provider[server], "bound"), dpop=True)
    kept = await sign_in(wanted, Person())
    store = FileTokenStore(tmp_path)
    store.save(kept)
    source = TokenSource(wanted, store=store, interactive=False)
    userinfo = str(kept.metadata.userinfo_endpoint)
    async with httpx.AsyncClient(auth=BearerAuth(source)) as http:
        answers = [(await http.get(userinfo)).status_code for _ in range(2)]
    renewed = await renew(wanted, store=store, force=True)

    assert (kept.tokens.token_type, kept.tokens.account) == ("DPoP", "ada@example.org")
    assert answers == [200, 200]
    assert userinfo_status(kept) in (400, 401)  # As a bearer token, by a thief.
    assert renewed.tokens.access_token != kept.tokens.access_token
    assert renewed.dpop_key == kept.dpop_key
    assert await logout(wanted, store=store) is True


async def test_nonces_cost_one_request(oidc_provider: dict[str, str]) -> None:
    """The first proof is refused, and the nonce serves all that follow."""
    events = list[Event]()
    await sign_in(replace(client(oidc_provider["nonces"], "bound"), dpop=True), Person(), events)

    assert [status for step, status in steps(events) if step == "token request"] == [400, 200]
    assert [status for step, status in steps(events) if step == "UserInfo request"] in ([], [200])


async def test_a_client_that_must_be_bound_is_told(oidc_provider: dict[str, str]) -> None:
    """The hint names what to switch on."""
    with pytest.raises(TokenError) as caught:
        await sign_in(client(oidc_provider["either"], "bound"), Person())

    assert caught.value.error in ("invalid_request", "invalid_dpop_proof", "invalid_grant")


async def test_the_refresh_token_is_of_no_use_with_another_key(
    oidc_provider: dict[str, str], tmp_path: Path
) -> None:
    """A thief who has the sign-in's file without its key gets nothing (RFC 9449 §5)."""
    wanted = replace(client(oidc_provider["either"], "bound"), dpop=True)
    kept = await sign_in(wanted, Person())
    stolen = FileTokenStore(tmp_path)
    stolen.save(replace(kept, dpop_key=new_key()))

    with pytest.raises((SignInRequired, TokenError)):
        await renew(wanted, store=stolen, force=True)


async def test_a_copy_of_the_file_alone_cannot_be_read(oidc_provider: dict[str, str], tmp_path: Path) -> None:
    """It has no key at all."""
    wanted = replace(client(oidc_provider["either"], "bound"), dpop=True)
    FileTokenStore(tmp_path / "mine").save(await sign_in(wanted, Person()))
    theirs = tmp_path / "theirs" / "sign-ins"
    theirs.mkdir(parents=True, mode=0o700)
    (tmp_path / "theirs").chmod(0o700)
    copied = theirs / "foreign.json"
    copied.write_bytes((tmp_path / "mine" / "sign-ins" / "foreign.json").read_bytes())
    copied.chmod(0o600)

    with pytest.raises(StoreError):
        FileTokenStore(tmp_path / "theirs").load("foreign")


async def test_proof_and_assertion_are_new_at_each_try(
    oidc_provider: dict[str, str], client_keys: Keys
) -> None:
    """The server has seen the assertion of the try that it refused for want of a nonce (RFC 7523 §3).

    It keeps the identifiers of assertions and proofs in one place, so that no two may be the same.
    """
    wanted = client(oidc_provider["nonces"], "key")
    kept = await sign_in(replace(wanted, private_key=client_keys.jwk("ES256"), dpop=True), Person())

    assert (kept.tokens.token_type, kept.client_auth) == ("DPoP", "private_key_jwt")
