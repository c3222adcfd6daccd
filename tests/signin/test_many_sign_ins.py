"""Many sign-ins at once with any store: one asks the person, and all get what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest
from patience import SOON

from loopback_auth.errors import AttemptCancelled, AuthorizationError
from loopback_auth.events import silent
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.signin.single_flight import single_flight
from loopback_auth.signin.stores import Store, keep_new
from loopback_auth.store import FileTokenStore
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import SignIn, TokenSet

NAME = "example"
ISSUER = "https://id.example"
CLIENT = ClientConfig(Provider(NAME, ServerMetadata(ISSUER)), "client")
MANY = 8


class AsyncMemoryStore(AsyncTokenStore):
    """Keeps sign-ins in memory, by coroutines."""

    def __init__(self) -> None:
        self.kept: dict[str, SignIn] = {}

    async def read(self, name: str) -> SignIn | None:
        """Look it up."""
        await asyncio.sleep(0)
        return self.kept.get(name)

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep or remove it."""
        await asyncio.sleep(0)
        if sign_in is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = sign_in


class Shared(TokenStore):
    """A store of a program's own that processes share: its lock excludes them, and it says so.

    Args:
        folder: where they are kept.
    """

    excludes_processes = True

    def __init__(self, folder: str) -> None:
        self._files = FileTokenStore(folder)

    def read(self, name: str) -> SignIn | None:
        """Look it up."""
        return self._files.load(name)

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep or remove it."""
        self._files.write(name, sign_in)

    def lock(self, name: str, timeout: float = 30.0) -> contextlib.AbstractContextManager[None]:
        """Exclude threads and processes."""
        return self._files.lock(name, timeout)


STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryTokenStore(),
    "asynchronous": lambda folder: AsyncMemoryStore(),
    "files": lambda folder: FileTokenStore(str(folder)),
    "shared": lambda folder: Shared(str(folder)),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return each kind of store in turn."""
    return STORES[request.param](tmp_path)


class Person:
    """Signs in when asked, and counts.

    Args:
        seconds: that it takes.
        answer: an error to end with.
        callers: how many must have come before it ends; a late one would ask again.
    """

    def __init__(self, seconds: float = 0.05, answer: BaseException | None = None, callers: int = 1) -> None:
        self.asked = 0
        self.being_asked = asyncio.Event()
        self.seconds = seconds
        self.answer = answer
        self.callers = callers
        self._come: list[None] = []

    def come(self) -> None:
        """Count a caller."""
        self._come.append(None)

    @property
    def all_here(self) -> bool:
        """Whether nobody else will call."""
        return len(self._come) >= self.callers

    async def sign_in(self, store: Store) -> SignIn:
        """Sign in as `api.login` does, without a browser."""
        self.come()
        async with single_flight(store, CLIENT, silent, SOON) as theirs:
            if theirs is not None:
                return theirs
            self.asked += 1
            self.being_asked.set()
            while not self.all_here:  # noqa: ASYNC110 - they are in other threads and processes
                await asyncio.sleep(0.001)
            await asyncio.sleep(self.seconds)
            if self.answer is not None:
                raise self.answer
            tokens = TokenSet(f"access-{self.asked}", "Bearer", time.time())
            made = SignIn(NAME, "client", "none", ServerMetadata(ISSUER), "", tokens)
            await keep_new(store, made)
            return made


async def test_of_many_tasks_one_asks_and_all_get_the_result(store: Store) -> None:
    """Eight browsers for one person, who can use one of them."""
    person = Person(callers=MANY)
    got = await asyncio.gather(*(person.sign_in(store) for _ in range(MANY)))

    assert person.asked == 1
    assert {one.tokens.access_token for one in got} == {"access-1"}
    assert (await person.sign_in(store)).tokens.access_token == "access-2"


def test_of_many_threads_with_loops_of_their_own_one_asks(store: Store) -> None:
    """Locks of asyncio do not reach from one loop to another."""
    person, got = Person(seconds=0.3, callers=MANY), list[SignIn]()

    def run() -> None:
        got.append(asyncio.run(person.sign_in(store)))

    threads = [threading.Thread(target=run) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)

    assert (person.asked, len(got)) == (1, MANY)
    assert {one.tokens.access_token for one in got} == {"access-1"}


async def test_a_failure_is_shared_by_those_who_wait_for_it(store: Store) -> None:
    """Otherwise the same person is asked eight times, one after the other."""
    person = Person(answer=AuthorizationError("access_denied"), callers=MANY)
    got = await asyncio.gather(*(person.sign_in(store) for _ in range(MANY)), return_exceptions=True)

    assert person.asked == 1
    assert sorted(type(one).__name__ for one in got) == ["AuthorizationError"] + ["SignInRequired"] * (
        MANY - 1
    )


async def test_a_leader_that_is_cancelled_is_replaced(store: Store) -> None:
    """Its cancellation concerns it alone, and the others still want to sign in."""
    person = Person(seconds=SOON)
    leader = asyncio.create_task(person.sign_in(store))
    await person.being_asked.wait()
    person.seconds = 0.01
    others = [asyncio.create_task(person.sign_in(store)) for _ in range(MANY)]
    await asyncio.sleep(0)
    leader.cancel()
    got = await asyncio.wait_for(asyncio.gather(*others), SOON)

    assert leader.cancelled()
    assert person.asked == 2
    assert {one.tokens.access_token for one in got} == {"access-2"}


@pytest.mark.parametrize("end", [AttemptCancelled("given up"), RuntimeError("crash")], ids=repr)
async def test_a_leader_that_gives_up_or_crashes_is_replaced(store: Store, end: BaseException) -> None:
    """A crash says nothing about the person."""
    person = Person(answer=end, callers=2)

    async def first() -> None:
        try:
            await person.sign_in(store)
        finally:
            person.answer = None

    leader = asyncio.create_task(first())
    await person.being_asked.wait()
    got = await asyncio.wait_for(person.sign_in(store), SOON)
    with pytest.raises(type(end)):
        await leader

    assert got.tokens.access_token == "access-2"


async def test_waiting_can_be_cancelled_at_any_moment(store: Store) -> None:
    """What is cancelled must neither keep the lock nor take it."""
    person = Person(seconds=SOON)
    leader = asyncio.create_task(person.sign_in(store))
    await person.being_asked.wait()
    for turns in range(12):
        waiting = asyncio.create_task(person.sign_in(store))
        for _ in range(turns):
            await asyncio.sleep(0.001 if turns > 6 else 0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    leader.cancel()
    await asyncio.gather(leader, return_exceptions=True)
    person.seconds = 0.0

    assert (await asyncio.wait_for(person.sign_in(store), SOON)).tokens.access_token == "access-2"


def test_a_loop_that_is_closed_under_the_leader_frees_the_others(store: Store) -> None:
    """A window that closes its loop ends none of the blocks that are open in it."""
    person = Person(seconds=SOON)
    loop = asyncio.new_event_loop()
    task = loop.create_task(person.sign_in(store))
    loop.run_until_complete(person.being_asked.wait())
    loop.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    del task, loop
    gc.collect()
    person.seconds = 0.0

    assert asyncio.run(asyncio.wait_for(person.sign_in(store), SOON)).tokens.access_token == "access-2"


async def test_without_a_store_there_is_nothing_to_wait_for() -> None:
    """What is kept nowhere can be given to nobody."""
    async with (
        single_flight(None, CLIENT, silent, 1) as first,
        single_flight(None, CLIENT, silent, 1) as second,
    ):
        assert first is second is None


async def test_another_client_under_the_name_asks_for_itself() -> None:
    """Its token is for another server."""
    store, person = MemoryTokenStore(), Person()
    first = asyncio.create_task(person.sign_in(store))
    await person.being_asked.wait()
    other = ClientConfig(Provider(NAME, ServerMetadata("https://other.example")), "client")
    async with single_flight(store, other, silent, SOON) as theirs:
        assert theirs is None
    await first


class PersonOfProcesses(Person):
    """Is called by many processes.

    Args:
        come: how many have called.
    """

    def __init__(self, come: Synchronized[int]) -> None:
        super().__init__(seconds=0.5)
        self._counted = come

    def come(self) -> None:
        """Count a caller."""
        with self._counted.get_lock():
            self._counted.value += 1

    @property
    def all_here(self) -> bool:
        """Whether nobody else will call."""
        return self._counted.value == MANY


def _sign_in_there(kind: str, folder: str, come: Synchronized[int], told: Queue[tuple[int, float]]) -> None:
    person = PersonOfProcesses(come)
    got = asyncio.run(person.sign_in(STORES[kind](Path(folder))))
    told.put((person.asked, got.tokens.obtained_at))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["files", "shared"])
def test_of_many_processes_one_asks_if_the_lock_of_the_store_excludes_them(kind: str, tmp_path: Path) -> None:
    """Eight terminals, one person."""
    context = multiprocessing.get_context("spawn")
    come, told = context.Value("i", 0), context.Queue()
    processes = [
        context.Process(target=_sign_in_there, args=(kind, str(tmp_path), come, told)) for _ in range(MANY)
    ]
    for process in processes:
        process.start()
    got = [told.get(timeout=SOON) for _ in processes]
    for process in processes:
        process.join(SOON)

    assert sum(asked for asked, _ in got) == 1
    assert len({obtained_at for _, obtained_at in got}) == 1
