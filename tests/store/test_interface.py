"""A store of one's own: two methods are enough, and what a store does wrong becomes an error of ours."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import replace

import pytest
from patience import SOON

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.model import ServerMetadata
from loopback_auth.signin.stores import OpenStore
from loopback_auth.store import FileTokenStore
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.interface import TokenStore, check_store
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import SignIn, TokenSet

NAME = "example"
SIGN_IN = SignIn(NAME, "client", "none", ServerMetadata(), "", TokenSet("access", "Bearer", 0.0))


class TwoMethods(TokenStore):
    """The least that a program has to write; it calls no constructor of ours."""

    def __init__(self) -> None:
        self.kept: dict[str, SignIn] = {}

    def read(self, name: str) -> SignIn | None:
        """Look it up."""
        return self.kept.get(name)

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep or remove it."""
        if sign_in is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = sign_in


class TwoCoroutines(AsyncTokenStore):
    """The same, asynchronous."""

    def __init__(self) -> None:
        self.kept: dict[str, SignIn] = {}

    async def read(self, name: str) -> SignIn | None:
        """Look it up."""
        return self.kept.get(name)

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep or remove it."""
        if sign_in is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = sign_in


class Answers(TokenStore):
    """Returns, or raises, what it is given."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def read(self, name: str) -> SignIn | None:
        """Return or raise it."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Raise it."""
        if isinstance(self.answer, Exception):
            raise self.answer


@pytest.mark.parametrize(
    "store", [TwoMethods(), TwoCoroutines(), MemoryTokenStore()], ids=lambda store: type(store).__name__
)
async def test_a_store_of_two_methods_does_all_that_the_engine_asks(
    store: TokenStore | AsyncTokenStore,
) -> None:
    """Six methods were too many to guess, and the other four are the same in most stores."""
    opened = OpenStore(store)
    before = await opened.load(NAME), await opened.delete(NAME)
    await opened.check_writable()
    async with opened.locked(NAME):
        await opened.save(SIGN_IN)

    assert before == (None, False)
    assert await opened.load(NAME) == SIGN_IN
    assert (await opened.delete(NAME), await opened.load(NAME)) == (True, None)


async def test_the_defaults_of_both_kinds_are_methods_of_their_own_too() -> None:
    """A program speaks to its store without an engine in between."""
    plain, coroutines = TwoMethods(), TwoCoroutines()
    plain.save(SIGN_IN)
    await coroutines.save(SIGN_IN)

    assert plain.load(NAME) == await coroutines.load(NAME) == SIGN_IN
    assert plain.names() == await coroutines.names() == ()
    assert plain.delete(NAME) is await coroutines.delete(NAME) is True
    for name in ("", "../x", "A"):
        with pytest.raises(ConfigError):
            plain.load(name)
        with pytest.raises(ConfigError):
            await coroutines.load(name)
        with pytest.raises(ConfigError):
            plain.lock(name)


@pytest.mark.parametrize("answer", [{"name": NAME}, "text", 7, replace(SIGN_IN, name="other")], ids=repr)
async def test_a_store_that_lies_is_an_error_of_the_store(answer: object) -> None:
    """The token of another name would go to a server that it is not meant for."""
    store = Answers(answer)
    with pytest.raises(StoreError):
        store.load(NAME)
    with pytest.raises(StoreError):
        await OpenStore(store).load(NAME)


async def test_a_foreign_exception_is_an_error_of_the_store_and_shows_no_secret() -> None:
    """A program has one `except`; the text of a database's error may contain its password."""
    fault = RuntimeError("password=canary-7f3a")
    store = Answers(fault)
    for use in (store.load, store.delete):
        with pytest.raises(StoreError) as raised:
            use(NAME)
        assert raised.value.__cause__ is fault
        assert "canary" not in raised.value.message + raised.value.hint
    with pytest.raises(StoreError):
        await OpenStore(store).save(SIGN_IN)
    ours = StoreError("The disk is full.", hint="Free some space.")
    with pytest.raises(StoreError) as same:
        Answers(ours).load(NAME)
    assert same.value is ours


async def test_what_cannot_be_read_can_be_deleted() -> None:
    """Signing out has to end in a store without tokens."""
    assert Answers({"not": "a sign-in"}).delete(NAME)


def test_anything_else_is_refused_as_a_store_at_once() -> None:
    """A coroutine that is never awaited keeps nothing, and a sign-in would seem to succeed."""

    class Mixed(TwoMethods):
        async def write(self, name: str, sign_in: SignIn | None) -> None:  # type: ignore[override]
            raise AssertionError("not reached")

    class Looks:
        def load(self, name: str) -> None: ...

    wrong: tuple[object, ...] = ("folder", {}, Looks(), FileTokenStore, Mixed())
    for store in wrong:
        with pytest.raises(ConfigError):
            check_store(store)
        with pytest.raises(ConfigError):
            OpenStore(store)  # type: ignore[arg-type]
    for good in (TwoMethods(), TwoCoroutines(), MemoryTokenStore(), FileTokenStore("folder")):
        check_store(good)


def test_a_method_that_returns_a_coroutine_is_refused_when_it_does() -> None:
    """A decorator hides what kind of function is behind it."""

    async def later() -> None:
        raise AssertionError("not reached")

    class Hidden(TwoMethods):
        def read(self, name: str) -> SignIn | None:
            return later()  # type: ignore[return-value]

        def write(self, name: str, sign_in: SignIn | None) -> None:
            return later()  # type: ignore[return-value]

    with pytest.raises(StoreError):
        Hidden().load(NAME)
    with pytest.raises(StoreError):
        Hidden().save(SIGN_IN)


@pytest.mark.parametrize("store", [TwoMethods(), TwoCoroutines()], ids=lambda each: type(each).__name__)
async def test_the_default_lock_excludes_threads_and_says_how_long_it_waited(
    store: TokenStore | AsyncTokenStore,
) -> None:
    """Two renewals of one refresh token would revoke both (RFC 9700 §4.14.2)."""
    opened = OpenStore(store)
    async with opened.locked(NAME):
        with pytest.raises(StoreError):
            async with opened.locked(NAME, 0.0):
                raise AssertionError("not reached")
        async with opened.locked("other", 0.0):
            pass
    async with opened.locked(NAME, 0.0):
        pass


async def test_a_lock_may_be_asynchronous_or_fail_when_it_is_left() -> None:
    """What was done under it is done, and its result must not be lost."""
    left: list[str] = []

    @contextmanager
    def failing() -> Iterator[None]:
        yield
        left.append("plain")
        raise OSError("connection lost")

    @asynccontextmanager
    async def failing_too() -> AsyncIterator[None]:
        yield
        left.append("asynchronous")
        raise OSError("connection lost")

    class Plain(TwoMethods):
        def lock(self, name: str, timeout: float = 30.0) -> AbstractContextManager[None]:
            return failing()

    class Asynchronous(TwoCoroutines):
        def lock(self, name: str, timeout: float = 30.0) -> AbstractAsyncContextManager[None]:
            return failing_too()

    for store in (Plain(), Asynchronous()):
        async with OpenStore(store).locked(NAME):
            left.append("inside")

    assert left == ["inside", "plain", "inside", "asynchronous"]


def test_a_store_with_locks_can_be_copied_and_sent_to_another_process() -> None:
    """A lock cannot be pickled, and a program that configures workers pickles its store."""
    store = TwoMethods()
    store.save(SIGN_IN)
    with store.lock(NAME):
        for other in (copy.deepcopy(store), pickle.loads(pickle.dumps(store))):  # noqa: S301 - our own
            assert other.load(NAME) == SIGN_IN
            with other.lock(NAME, 0.0):
                pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_lock_that_was_held_at_a_fork_is_free_in_the_child() -> None:
    """The thread that held it is not in the child, and nothing would ever release it."""
    store = TwoMethods()
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.lock(NAME):
            entered.set()
            leave.wait(SOON)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(SOON)
    child = os.fork()
    if child == 0:
        try:
            with store.lock(NAME, 0.0):
                os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    leave.set()
    thread.join()

    assert status == 0
