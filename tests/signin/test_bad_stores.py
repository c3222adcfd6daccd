"""Stores that fail, are slow or old, and cancellation at any moment: no token is lost, no lock is kept."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from patience import SOON
from renewing import NAME, TokenEndpoint, ending_in, keeping, sign_in_at, token_endpoint

from loopback_auth.errors import NotKept, SignInRequired, StoreError
from loopback_auth.events import Event, Warned
from loopback_auth.signin.logout import logout, logout_sync
from loopback_auth.signin.refresh import renew, renew_sync
from loopback_auth.signin.stores import OpenStore, Store
from loopback_auth.store import FileTokenStore
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import SignIn

NOWHERE = "http://127.0.0.1:1"


class Async(AsyncTokenStore):
    """Keeps one sign-in, by coroutines that end in a later turn of the loop.

    Args:
        sign_in: that is kept at first.
    """

    def __init__(self, sign_in: SignIn | None = None) -> None:
        self.kept = sign_in

    async def read(self, name: str) -> SignIn | None:
        """Return it later."""
        await asyncio.sleep(0)
        return self.kept

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep it later."""
        await asyncio.sleep(0)
        self.kept = sign_in


class Bound(Async):
    """Belongs to the loop in which it is used first, as a pool of connections does."""

    _loop: asyncio.AbstractEventLoop | None = None

    async def read(self, name: str) -> SignIn | None:
        """Refuse another loop, as asyncpg does."""
        self._loop = self._loop or asyncio.get_running_loop()
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("attached to a different loop")
        return await super().read(name)


class Refusing(MemoryTokenStore):
    """Fails in some of its methods, as a connection that was closed does.

    Args:
        sign_in: that is kept.
        failing: names of methods.
    """

    def __init__(self, sign_in: SignIn, *failing: str) -> None:
        super().__init__()
        super().write(sign_in.name, sign_in)
        self.failing = failing

    def _fail(self, method: str) -> None:
        if method in self.failing:
            raise ConnectionError("canary-7f3a: the connection is closed")

    def read(self, name: str) -> SignIn | None:
        """Fail, or read."""
        self._fail("read")
        return super().read(name)

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Fail, or write."""
        self._fail("write")
        super().write(name, sign_in)

    def lock(self, name: str, timeout: float = 30.0) -> AbstractContextManager[None]:
        """Fail, or lock."""
        self._fail("lock")
        return super().lock(name, timeout)

    def check_writable(self) -> None:
        """Fail, or not."""
        self._fail("check_writable")

    def begin_refresh(self, sign_in: SignIn) -> None:
        """Fail, or not."""
        self._fail("begin_refresh")

    def abandon_refresh(self, sign_in: SignIn) -> None:
        """Fail, or not."""
        self._fail("abandon_refresh")


async def kept_in(store: Store) -> SignIn | None:
    """Read it, and show that the lock is free."""
    opened = OpenStore(store)
    async with opened.locked(NAME, 5.0):
        return await opened.load(NAME)


class Disconnected(AsyncTokenStore):
    """Fails to write as a pool of connections does that is closed meanwhile.

    Args:
        sign_in: that is kept.
    """

    def __init__(self, sign_in: SignIn) -> None:
        self._kept = sign_in

    async def read(self, name: str) -> SignIn | None:
        """Read."""
        return self._kept

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Wait for what is cancelled by another."""
        asking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asking.cancel()
        await asking


async def test_a_store_that_was_cancelled_costs_no_tokens() -> None:
    """Its caller was not cancelled, and the refresh token is used up: the new one is in the error."""
    async with token_endpoint() as (server, sign_in):
        with pytest.raises(NotKept) as failed:
            await renew(sign_in, store=Disconnected(sign_in))
        assert isinstance(failed.value.sign_in, SignIn)
        assert failed.value.sign_in.tokens.refresh_token == server.last[1]
        assert len(server.sent) == 1


class Exhausted(MemoryTokenStore):
    """Fails as a generator does that has nothing to return."""

    def check_writable(self) -> None:
        """Fail."""
        next(iter(()))

    def sign_in_lock(self, name: str) -> Any:
        """Return nothing, as a method does whose return was forgotten."""


async def test_a_mistake_in_a_store_is_not_waited_for() -> None:
    """Some exceptions cannot be handed from one thread to another."""
    async with token_endpoint() as (server, sign_in):
        store = Exhausted()
        store.save(sign_in)
        with pytest.raises(StoreError):
            await asyncio.wait_for(renew(sign_in, store=store), SOON)
        assert server.sent == []
    with pytest.raises(StoreError, match="SignInLock"):
        OpenStore(store).sign_in_lock(NAME)


@pytest.mark.parametrize("method", ["read", "lock", "check_writable", "begin_refresh"])
async def test_a_store_that_fails_before_costs_no_refresh_token(method: str) -> None:
    """What comes for it could not be kept; a token that is good goes on."""
    events: list[Event] = []
    async with token_endpoint() as (server, sign_in):
        with pytest.raises(StoreError) as failed:
            await renew(sign_in, store=Refusing(sign_in, method))
        assert isinstance(failed.value.__cause__, ConnectionError)
        assert "canary" not in failed.value.message + failed.value.hint
        good = ending_in(sign_in, 30)
        assert await renew(good, store=Refusing(good, method), notify=events.append) == good
        assert server.sent == []
    assert [type(one) for one in events if isinstance(one, Warned)] == [Warned]


async def test_a_store_that_fails_after_the_rotation_gives_the_tokens_to_the_caller() -> None:
    """The old refresh token is dead by then (RFC 9700 §4.14.2)."""
    async with token_endpoint() as (server, sign_in):
        store = Refusing(sign_in, "write")
        with pytest.raises(NotKept) as lost:
            await renew(sign_in, store=store)
        assert isinstance(lost.value.sign_in, SignIn)
        assert lost.value.sign_in.tokens.refresh_token == server.last[1]
        assert await kept_in(store) == sign_in


async def test_a_renewal_that_fails_is_told_to_the_store_and_its_failure_then_hides_nothing() -> None:
    """The error of the server is what helps."""
    told: list[str] = []

    class Telling(Refusing):
        def begin_refresh(self, sign_in: SignIn) -> None:
            told.append("begin")

        def abandon_refresh(self, sign_in: SignIn) -> None:
            told.append("abandon")
            super().abandon_refresh(sign_in)

    async with token_endpoint() as (server, sign_in):
        store = Telling(sign_in, "abandon_refresh")
        server.status, server.document = 400, {"error": "invalid_grant"}
        with pytest.raises(SignInRequired):
            await renew(sign_in, store=store)
        assert told == ["begin", "abandon"]
        server.status, server.document = 200, {}
        await renew(sign_in, store=store)
        store.failing = ("write",)
        with pytest.raises(NotKept):
            await renew(sign_in, store=Telling(sign_in, "write"))
    assert told == ["begin", "abandon", "begin", "begin"]


async def test_signing_out_of_a_store_that_fails_ends_as_far_as_it_can() -> None:
    """What cannot be read is removed; what cannot be removed is reported."""
    sign_in = sign_in_at(NOWHERE)
    unreadable = Refusing(sign_in, "read")
    assert await logout(sign_in, store=unreadable) is False
    unreadable.failing = ()
    assert await kept_in(unreadable) is None
    with pytest.raises(StoreError):
        await logout(sign_in, store=Refusing(sign_in, "write"))


async def test_an_asynchronous_store_renews_and_signs_out() -> None:
    """One of many at once, as with every other store."""
    async with token_endpoint() as (server, sign_in):
        store = Async(sign_in)
        got = await asyncio.gather(*(renew(sign_in, store=store) for _ in range(8)))
        assert {one.tokens.access_token for one in got} == {server.last[0]}
        assert len(server.sent) == 1
        await logout(got[0], store=store)
        assert store.kept is None


def test_an_asynchronous_store_works_without_a_loop_too() -> None:
    """Each call has a loop of its own, also in threads, and the lock reaches from one to the other."""
    sign_in = ending_in(sign_in_at(NOWHERE), 600)
    store, got = Async(sign_in), list[SignIn]()
    threads = [
        threading.Thread(target=lambda: got.append(renew_sync(sign_in, store=store))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert got == [sign_in] * 4
    assert logout_sync(sign_in, store=store) is False
    assert store.kept is None


def test_an_asynchronous_store_of_another_loop_is_an_error_of_the_store() -> None:
    """Its loop may be closed by now; the program learns which of its calls was wrong."""
    store = Bound(sign_in_at(NOWHERE))
    asyncio.run(OpenStore(store).load(NAME))
    with pytest.raises(StoreError) as failed:
        asyncio.run(OpenStore(store).load(NAME))
    assert isinstance(failed.value.__cause__, RuntimeError)
    with pytest.raises(StoreError):
        renew_sync(sign_in_at(NOWHERE), store=store)


async def test_a_store_that_answers_late_delays_nobody_else() -> None:
    """The loop of the program goes on, and a call can be given up."""
    answer = threading.Event()

    class Late(MemoryTokenStore):
        def read(self, name: str) -> SignIn | None:
            answer.wait(SOON)
            return super().read(name)

    sign_in = ending_in(sign_in_at(NOWHERE), 600)
    store = Late()
    store.save(sign_in)
    waiting = asyncio.create_task(renew(sign_in, store=store))
    for _ in range(10):
        await asyncio.sleep(0.001)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    other = asyncio.create_task(renew(sign_in, store=store))
    answer.set()
    assert await other == sign_in


def as_written_before(path: Path) -> None:
    """Leave in the file what an early version wrote, and add what a later one may write."""
    kept = json.loads(path.read_text())
    members = {"version", "name", "client_id", "client_auth", "metadata", "requested_scope", "tokens"}
    tokens = {"access_token", "token_type", "obtained_at", "expires_at", "refresh_token", "scope", "account"}
    old = {key: value for key, value in kept.items() if key in members}
    old["tokens"] = {key: value for key, value in kept["tokens"].items() if key in tokens}
    path.write_text(json.dumps(old | {"of_a_later_version": True}))


async def test_a_file_of_an_older_version_is_renewed_in_its_place(tmp_path: Path) -> None:
    """Two versions of a program share a folder; each reads what the other one wrote."""
    async with token_endpoint() as (server, sign_in):
        store = FileTokenStore(str(tmp_path))
        store.save(sign_in)
        as_written_before(Path(store.path(NAME)))
        renewed = await renew(sign_in, store=store)
        assert (renewed.tokens.access_token, renewed.tokens.refresh_token) == server.last
        as_written_before(Path(store.path(NAME)))
        assert await kept_in(store) == renewed


async def cancelled_after(turns: int, work: Coroutine[object, object, object], times: int) -> bool:
    """Cancel a piece of work after so many turns of the loop; return whether it was over by then."""
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0.0003 if turns > 12 else 0)
    over = task.done()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), SOON)
    return over


def tokens_of(server: TokenEndpoint, before: SignIn) -> tuple[str, str | None]:
    """Return the tokens that have to be kept: the last ones, or those of before."""
    return server.last if server.sent else (before.tokens.access_token, before.tokens.refresh_token)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("make", [keeping, Async], ids=["plain", "asynchronous"])
async def test_a_renewal_can_be_cancelled_at_any_moment(make: Callable[[SignIn], Store], times: int) -> None:
    """Whatever the server has answered is kept, once, and the lock is free."""
    turns, over = 0, False
    while not over:
        async with token_endpoint() as (server, sign_in):
            store = make(sign_in)
            over = await cancelled_after(turns, renew(sign_in, store=store), times)
            kept = await kept_in(store)
            assert kept is not None
            assert (kept.tokens.access_token, kept.tokens.refresh_token) == tokens_of(server, sign_in)
            assert len(server.sent) <= 1
        turns += 1 if turns < 12 else 6
    assert turns > 12


@pytest.mark.parametrize("make", [keeping, Async], ids=["plain", "asynchronous"])
async def test_signing_out_can_be_cancelled_at_any_moment(make: Callable[[SignIn], Store]) -> None:
    """It is done or not begun, and the lock is free."""
    turns, over = 0, False
    while not over:
        async with token_endpoint() as (_, sign_in):
            store = make(sign_in)
            over = await cancelled_after(turns, logout(sign_in, store=store), 1)
            kept = await kept_in(store)
            assert kept in (None, sign_in)
        turns += 1 if turns < 12 else 6
    assert kept is None
