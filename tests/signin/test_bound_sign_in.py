"""Whole sign-ins for bound tokens over the network: from the first request to the last, in every flow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dpop_samples import read_proof

from loopback_auth import Accounts, TokenSource, login_sync, logout_sync, renew_sync
from loopback_auth.demo.features import Features
from loopback_auth.errors import ConfigError, EndpointMissing, SignInRequired
from loopback_auth.events import Event, Exchanged, Warned, silent
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.store import FileTokenStore
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.two_step import PendingSignIn, PendingStore, StillPending, begin_sync, resume_sync


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve one that issues bound tokens alone, and wants nonces."""
    with serve(features=Features(dpop="required", server_nonces=True, resource_nonces=True)) as served:
        yield served


def bound(server: DemoAuthorizationServer) -> ClientConfig:
    """Return a client whose tokens are to be bound."""
    return replace(server.client(scope="profile email offline_access"), dpop=True)


def test_from_sign_in_to_logout(server: DemoAuthorizationServer, tmp_path: Path) -> None:
    """With files, as a program has them: nothing that is shown or kept beside the key has the key."""
    client, store, events = bound(server), FileTokenStore(tmp_path), list[Event]()
    kept = login_sync(
        client, store=store, open_browser=SimulatedUser().open, notify=events.append, flow="code", wait=True
    )
    renewed = renew_sync(client, store=store, force=True)
    secret = kept.dpop_key["d"]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    shown = [f"{event.request}{event.response}" for event in events if isinstance(event, Exchanged)]

    assert (kept.tokens.token_type, renewed.tokens.token_type) == ("DPoP", "DPoP")
    assert renewed.tokens.access_token != kept.tokens.access_token
    assert renewed.dpop_key == kept.dpop_key
    assert files == [tmp_path / "keys" / "demo.json"]
    assert secret not in f"{kept!r}{events!r}{shown}"
    assert logout_sync(client, store=store)
    assert list((tmp_path / "keys").iterdir()) == []


def lose_key(folder: Path) -> None:
    """Remove the file of the only key."""
    (lost,) = (folder / "keys").iterdir()
    lost.unlink()


def damage_key(folder: Path) -> None:
    """Leave half of the file of the only key."""
    (damaged,) = (folder / "keys").iterdir()
    damaged.write_text("{")


@pytest.mark.parametrize("harm", [lose_key, damage_key])
def test_logout_needs_no_key(
    server: DemoAuthorizationServer, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """A revocation request has no proof (RFC 7009 §2.1); and nothing of the sign-in may be left here."""
    client, store, events = bound(server), FileTokenStore(tmp_path), list[Event]()
    login_sync(client, store=store, open_browser=SimulatedUser().open, notify=silent, flow="code", wait=True)
    harm(tmp_path)
    revoked = logout_sync(client, store=store, notify=events.append)
    sent = [one for one in server.log if one.path == "/revoke"]

    assert revoked is True
    assert len(sent) == 2
    assert [event for event in events if isinstance(event, Warned)]
    assert store.names() == ()
    assert list((tmp_path / "keys").iterdir()) == []
    assert logout_sync(client, store=store) is False


def test_without_its_key_a_token_is_not_sent_to_the_vendor(tmp_path: Path) -> None:
    """There the token itself would authorize the request, and a refusal would look like a dead token."""
    with serve(features=Features(dpop="required")) as server:
        client, store = bound(server), FileTokenStore(tmp_path)
        kept = login_sync(client, open_browser=SimulatedUser().open, notify=silent, flow="code", wait=True)
        alone = replace(ServerMetadata(), issuer=kept.metadata.issuer)
        store.save(
            replace(kept, metadata=alone, revoke_method="POST", revoke_url=f"{server.issuer}/userinfo")
        )
        lose_key(tmp_path)
        before = len(server.log)
        revoked = logout_sync(client, store=store, notify=silent)

        assert revoked is False
        assert len(server.log) == before
        assert store.names() == ()


def test_token_source_signs_out_without_a_key(server: DemoAuthorizationServer, tmp_path: Path) -> None:
    """Another door to the same."""
    client, store = bound(server), FileTokenStore(tmp_path)
    login_sync(client, store=store, open_browser=SimulatedUser().open, notify=silent, flow="code", wait=True)
    lose_key(tmp_path)

    assert TokenSource(client, store=store, notify=silent).logout_sync() is True
    assert store.names() == ()


@pytest.mark.parametrize("harm", [lose_key, damage_key])
def test_token_source_asks_anew_where_the_key_is_lost(
    server: DemoAuthorizationServer, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """A program that has nothing but the source could not go on; without a user it learns that it has to."""
    client, store, user = bound(server), FileTokenStore(tmp_path), SimulatedUser()
    source = TokenSource(client, store=store, open_browser=user.open, notify=silent, flow="code", wait=True)
    source.token_sync()
    harm(tmp_path)
    fresh = TokenSource(client, store=store, open_browser=user.open, notify=silent, flow="code", wait=True)
    with pytest.raises(SignInRequired):
        TokenSource(client, store=store, interactive=False).headers_sync("GET", server.resource)

    headers = fresh.headers_sync("GET", server.resource)
    assert headers["Authorization"] == f"DPoP {fresh.token_sync()}"
    assert len(user.links) == 2


def test_an_account_without_its_key_can_be_added_again_and_removed(
    server: DemoAuthorizationServer, tmp_path: Path
) -> None:
    """To sign in again is what the error advises."""
    store = FileTokenStore(tmp_path)
    accounts = Accounts(
        bound(server), store=store, open_browser=SimulatedUser().open, notify=silent, flow="code", wait=True
    )
    account = accounts.add_sync().account
    lose_key(tmp_path)
    again = accounts.add_sync()
    kept = accounts.list()
    lose_key(tmp_path)

    assert kept == (again,)
    assert accounts.remove_sync(account) is True
    assert store.names() == ()


def test_every_sign_in_has_a_key_of_its_own(server: DemoAuthorizationServer) -> None:
    """Otherwise a server could tell that they are from one program, and dpop_jkt would bind little (§10)."""
    kept = [
        login_sync(
            bound(server), open_browser=SimulatedUser().open, notify=silent, flow="code", wait=True
        ).dpop_key["x"]
        for _ in range(2)
    ]

    assert kept[0] != kept[1]


def test_device_code_in_two_steps(server: DemoAuthorizationServer, tmp_path: Path) -> None:
    """The key waits with the sign-in, and each process makes proofs of its own."""
    store, user = PendingStore(str(tmp_path)), SimulatedUser()
    pending = begin_sync(bound(server), "device")
    store.save(pending)
    with pytest.raises(StillPending):
        resume_sync(pending, save=store.save)
    user.visit(pending.url)
    user.page_sync()
    again = store.load(pending.handle)
    assert isinstance(again, PendingSignIn)
    kept = resume_sync(again, save=store.save, wait=20.0)

    assert (kept.flow, kept.tokens.token_type) == ("device", "DPoP")
    assert pending.attempt.dpop_key["d"] not in repr(pending)
    proofs = [
        read_proof(value) for one in server.log for name, value in one.headers if name.lower() == "dpop"
    ]
    assert len({proof.claims["jti"] for proof in proofs}) == len(proofs)


def test_pasted_address(server: DemoAuthorizationServer) -> None:
    """The code flow, whose answer comes in another way."""
    pending = begin_sync(bound(server), "paste")
    kept = resume_sync(pending, save=lambda _: None, paste=SimulatedUser().paste)

    assert (kept.flow, kept.tokens.token_type) == ("paste", "DPoP")


def test_a_ticket_alone_is_refused_in_words(server: DemoAuthorizationServer) -> None:
    """The other flows would go on without it."""
    with pytest.raises(EndpointMissing) as caught:
        login_sync(bound(server), open_browser=SimulatedUser().open, notify=silent, flow="ticket", wait=True)

    assert caught.value.parameter == "flow dpop"


def test_a_bearer_token_that_is_kept_is_not_used_for_a_bound_one(tmp_path: Path) -> None:
    """The user signs in again; a renewal would bring another bearer token."""
    with serve() as server:
        store = FileTokenStore(tmp_path)
        store.save(server.sign_in(scope="profile email offline_access"))
        with pytest.raises(SignInRequired):
            renew_sync(bound(server), store=store)
        assert logout_sync(bound(server), store=store)


def test_without_the_extra_the_error_says_what_to_install(
    server: DemoAuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the user is asked for anything."""
    monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
    with pytest.raises(ConfigError) as caught:
        login_sync(bound(server), open_browser=SimulatedUser().open, notify=silent, flow="code", wait=True)

    assert "loopback-auth[oidc]" in caught.value.hint
    assert server.requests("authorize") == 0
