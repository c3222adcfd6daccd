"""Several accounts at one provider: none takes the place of another, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import demo_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from renewing import sign_in_at

from loopback_auth import Accounts, TokenSource
from loopback_auth.errors import NotKept, SignInRequired, StoreError
from loopback_auth.model import ClientConfig
from loopback_auth.store import FileTokenStore
from loopback_auth.store.account_name import account_name
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.interface import TokenStore, checked_name
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.testing import Account, DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.tokens import SignIn

FIRST, SECOND = "demo@example.com", "second@example.com"


class AsyncMemory(AsyncTokenStore):
    """The smallest store with coroutines."""

    def __init__(self) -> None:
        self.kept: dict[str, SignIn] = {}

    async def read(self, name: str) -> SignIn | None:
        """Return what is kept."""
        return self.kept.get(name)

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep it, or remove it."""
        self.kept.pop(name, None)
        if sign_in is not None:
            self.kept[name] = sign_in

    async def names(self) -> tuple[str, ...]:
        """List them."""
        return tuple(sorted(self.kept))


@pytest.fixture(scope="module")
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve the demonstration once for all tests here."""
    with serve() as running:
        yield running


@pytest.fixture(params=["file", "memory", "async"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore | AsyncTokenStore:
    """Return each kind of store in turn."""
    if request.param == "async":
        return AsyncMemory()
    return MemoryTokenStore() if request.param == "memory" else FileTokenStore(str(tmp_path))


def accounts_at(
    server: DemoAuthorizationServer,
    store: TokenStore | AsyncTokenStore,
    user: SimulatedUser,
    **client: object,
) -> Accounts:
    """Return the accounts of the client that the server knows."""
    made = replace(demo_client.client(server.issuer, scope="profile email"), **client)  # type: ignore[arg-type]
    return Accounts(made, store=store, open_browser=user.open, flow="code", notify=lambda _: None)


async def test_two_people_have_tokens_of_their_own(
    server: DemoAuthorizationServer, store: TokenStore | AsyncTokenStore
) -> None:
    """Adding the second one used to replace the first."""
    user = SimulatedUser()
    accounts = accounts_at(server, store, user)
    first = await accounts.add()
    user.approve(SECOND)
    second = await accounts.add()
    await user.page()

    assert (first.account, second.account) == (FIRST, SECOND)
    listed = await asyncio.to_thread(accounts.list)
    assert listed == (first, second)
    source = await asyncio.to_thread(accounts.source, FIRST)
    assert await source.token() == first.tokens.access_token
    assert await asyncio.to_thread(accounts.source, FIRST) is source
    assert (await asyncio.to_thread(accounts.source, SECOND)).token_sync() == second.tokens.access_token


def test_adding_an_account_again_replaces_its_tokens_only(
    server: DemoAuthorizationServer, store: TokenStore | AsyncTokenStore
) -> None:
    """The other one may be at work at this moment."""
    user = SimulatedUser()
    accounts = accounts_at(server, store, user)
    user.approve(SECOND)
    other = accounts.add_sync()
    user.approve()
    before = accounts.add_sync()
    after = accounts.add_sync()
    user.page_sync()

    assert before.name == after.name
    assert accounts.list() == (after, other)
    assert accounts.source(FIRST).token_sync() == after.tokens.access_token


def test_removing_an_account_leaves_the_others(
    server: DemoAuthorizationServer, store: TokenStore | AsyncTokenStore
) -> None:
    """Its tokens end at the server, too."""
    user = SimulatedUser()
    accounts = accounts_at(server, store, user)
    gone = accounts.add_sync()
    user.approve(SECOND)
    stays = accounts.add_sync()
    source = accounts.source(FIRST)
    user.page_sync()

    assert accounts.remove_sync(FIRST) is True
    assert accounts.list() == (stays,)
    with pytest.raises(SignInRequired, match=SECOND):
        accounts.source(FIRST)
    with pytest.raises(SignInRequired, match=SECOND):
        accounts.remove_sync(FIRST)
    assert gone.name != stays.name
    assert source.client.login_hint == FIRST


def test_an_unknown_account_is_an_error_that_lists_the_others() -> None:
    """A typing mistake must not open a browser."""
    accounts = Accounts(demo_client.client("http://127.0.0.1:1"))

    with pytest.raises(SignInRequired, match="no other account"):
        accounts.source("nobody@example.com")
    with pytest.raises(SignInRequired) as refused:
        accounts.source("\x1b[2J\udcff\n" + "x" * 5000)
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 200


def test_signing_in_with_another_account_replaces_nothing(
    server: DemoAuthorizationServer, store: TokenStore | AsyncTokenStore
) -> None:
    """The browser offers the account that it is signed in with, which may be the wrong one."""
    user = SimulatedUser()
    accounts = accounts_at(server, store, user)
    first = accounts.add_sync()
    source = accounts.source(FIRST)
    user.approve(SECOND)
    with pytest.raises(SignInRequired, match=SECOND):
        source.token_sync(challenge='Bearer error="insufficient_scope", scope="openid"')
    user.page_sync()

    assert [each.account for each in accounts.list()] == [FIRST, SECOND]
    assert source.token_sync() == first.tokens.access_token


def test_an_account_without_a_name_is_not_kept(server: DemoAuthorizationServer, tmp_path: Path) -> None:
    """Two of them would be one; the error has the tokens."""
    user = SimulatedUser()
    nameless = demo_client.client(server.issuer, scope="offline_access")
    provider = replace(nameless.provider, account_fields=())
    accounts = accounts_at(
        server, FileTokenStore(str(tmp_path)), user, provider=provider, scope="offline_access"
    )
    with pytest.raises(NotKept, match="whose account") as lost:
        accounts.add_sync()
    user.page_sync()

    assert isinstance(lost.value.sign_in, SignIn)
    assert accounts.list() == ()


def test_two_people_with_one_display_name_are_not_one() -> None:
    """Some servers name an account by its display name, which is not unique (OpenID Connect Core §5.7)."""
    user = SimulatedUser()
    alike = [Account(f"sub-{number}", f"{number}@example.com", "A. Name") for number in range(2)]
    with serve(accounts=alike) as server:
        client = server.client(scope="openid profile")
        provider = replace(client.provider, account_fields=("name",))
        accounts = accounts_at(server, MemoryTokenStore(), user, provider=provider, scope="openid profile")
        first = accounts.add_sync()
        again = accounts.add_sync()
        user.approve("1@example.com")
        with pytest.raises(NotKept, match="another user"):
            accounts.add_sync()
        user.page_sync()

    assert first.account == "A. Name"
    assert accounts.list() == (again,)


def test_sources_and_accounts_of_one_provider_do_not_meet(server: DemoAuthorizationServer) -> None:
    """A program that had one account before keeps it."""
    user, store = SimulatedUser(), MemoryTokenStore()
    accounts = accounts_at(server, store, user)
    client = demo_client.client(server.issuer)
    plain = TokenSource(client, store=store, open_browser=user.open, flow="code", notify=lambda _: None)
    before = plain.sign_in_sync()
    added = accounts.add_sync()
    user.page_sync()

    assert plain.sign_in_sync() == before
    assert accounts.list() == (added,)


def test_an_account_whose_file_is_damaged_can_be_added_again(
    server: DemoAuthorizationServer, tmp_path: Path
) -> None:
    """To sign in again is what the error advises."""
    store, user = FileTokenStore(str(tmp_path)), SimulatedUser()
    accounts = accounts_at(server, store, user)
    first = accounts.add_sync()
    user.page_sync()
    Path(store.path(account_name("demo", first.account))).write_text("{}")
    again = accounts.add_sync()
    user.page_sync()

    assert accounts.list() == (again,)


def test_what_is_damaged_or_of_another_client_is_not_listed(tmp_path: Path) -> None:
    """One damaged file must not hide all accounts."""
    store = FileTokenStore(str(tmp_path))
    kept = sign_in_at("https://as.example", account="a@example.com")
    store.save(replace(kept, name=account_name("demo", "a@example.com")))
    store.save(replace(kept, name=account_name("demo", "b"), tokens=replace(kept.tokens, account="b")))
    store.save(replace(kept, name=account_name("demo", "c"), client_id="other"))
    Path(store.path(account_name("demo", "b"))).write_text("{}")
    client = demo_client.client("https://as.example")
    accounts = Accounts(replace(client, client_id=kept.client_id), store=store)

    assert [each.account for each in accounts.list()] == ["a@example.com"]


def test_names_that_are_none_are_a_failure_of_the_store() -> None:
    """A return was forgotten; the program catches one kind of error."""

    class Unfinished(MemoryTokenStore):
        def names(self) -> Any:
            """Return nothing."""

    with pytest.raises(StoreError):
        Accounts(demo_client.client("https://as.example"), store=Unfinished()).list()


@pytest.mark.parametrize(
    "alike",
    [
        ("a.b@c", "a-b@c", "a_b@c", "a b@c", "A.b@c", "a.b_40c"),
        ("é", "e\u0301", "E", "e"),
        ("x" * 200, "x" * 201, "X" * 200, "x" * 60),
        ("", "-", "_", "_5f", "\ud800", "."),
    ],
)
def test_names_of_accounts_that_look_alike_differ(alike: tuple[str, ...]) -> None:
    """The tokens of one person would be those of the other."""
    names = {account_name(provider, account) for account in alike for provider in ("p", "p-a", "p.a")}

    assert len(names) == 3 * len(alike)
    assert all(checked_name(name) == name for name in names)


@given(st.text(), st.text(), st.sampled_from(["p", "p-", "p_", "p" * 100]))
def test_every_account_has_a_name_of_its_own(one: str, other: str, provider: str) -> None:
    """Any text can name an account, and any name can be a file's."""
    assert checked_name(account_name(provider, one))
    assert (account_name(provider, one) == account_name(provider, other)) == (one == other)


def test_the_arguments_are_checked_at_once() -> None:
    """Not when the user has signed in."""
    client: ClientConfig = demo_client.client("http://127.0.0.1:1")
    with pytest.raises(TypeError, match="notfy"):
        Accounts(client, notfy=print)  # type: ignore[call-arg]
