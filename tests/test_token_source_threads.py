"""One source in many threads and loops, cancelled, blocked and closed: one renewal, no token lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from patience import SOON
from renewing import ending_in

from loopback_auth.errors import ConfigError, LoopbackAuthError
from loopback_auth.network.browser import Opening
from loopback_auth.store import FileTokenStore
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

THREADS = 8


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve the demonstration, which revokes everything when a refresh token is used twice."""
    with serve() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> FileTokenStore:
    """Return a store in files."""
    return FileTokenStore(str(tmp_path))


@pytest.fixture
def source(server: DemoAuthorizationServer, store: FileTokenStore) -> TokenSource:
    """Return a source whose user has signed in."""
    user = SimulatedUser()
    client = server.client(scope="profile offline_access")
    source = TokenSource(client, store=store, open_browser=user.open, flow="code", notify=lambda _: None)
    source.token_sync()
    user.page_sync()
    return source


def expire(source: TokenSource) -> SignIn:
    """Let the kept token end a second ago."""
    store = source.store
    assert isinstance(store, FileTokenStore)
    kept = store.load("demo")
    assert kept is not None
    store.save(ending_in(kept, -1))
    return kept


def renewals(server: DemoAuthorizationServer, status: int = 200) -> int:
    """Count the refresh requests."""
    return server.requests("token", grant="refresh_token", status=status)


async def _token(source: TokenSource, refused: str | None) -> str:
    return await source.token(refused=refused)


def in_a_loop(source: TokenSource, refused: str | None) -> str:
    """Ask in a loop of its own."""
    return asyncio.run(_token(source, refused))


def many_in_a_loop(source: TokenSource, refused: str | None) -> str:
    """Ask six times at once in a loop of its own."""

    async def ask() -> set[str]:
        return set(await asyncio.gather(*(source.token(refused=refused) for _ in range(6))))

    [token] = asyncio.run(ask())
    return token


def blocking(source: TokenSource, refused: str | None) -> str:
    """Ask without a loop."""
    return source.token_sync(refused=refused)


def blocking_a_loop(source: TokenSource, refused: str | None) -> str:
    """Ask without await in a coroutine."""

    async def ask() -> str:
        return source.token_sync(refused=refused)

    return asyncio.run(ask())


WAYS: list[Callable[[TokenSource, str | None], str]] = [
    in_a_loop,
    many_in_a_loop,
    blocking,
    blocking_a_loop,
]


@pytest.mark.parametrize("refuses", [False, True])
def test_all_threads_and_loops_share_one_renewal(
    source: TokenSource, server: DemoAuthorizationServer, refuses: bool
) -> None:
    """A second one would use a refresh token twice, and the server would revoke all of them."""
    old = expire(source).tokens.access_token if not refuses else source.token_sync()
    refused = old if refuses else None
    barrier = threading.Barrier(THREADS)

    def ask(number: int) -> str:
        barrier.wait(SOON)
        return WAYS[number % len(WAYS)](source, refused)

    with ThreadPoolExecutor(THREADS) as threads:
        tokens = set(threads.map(ask, range(THREADS)))
    with ThreadPoolExecutor(THREADS) as threads:
        tokens |= set(threads.map(ask, range(THREADS)))

    assert len(tokens) == 1
    assert old not in tokens
    assert (renewals(server), renewals(server, 400)) == (1, 0)


@pytest.mark.parametrize("refuses", [False, True])
def test_a_failure_is_shared_too(source: TokenSource, server: DemoAuthorizationServer, refuses: bool) -> None:
    """Eight threads must not ask the user eight times, one after the other."""
    user = SimulatedUser("deny")
    store = source.store
    server.revoke_tokens()
    old = source.token_sync() if refuses else None
    if not refuses:
        expire(source)
    asking = TokenSource(
        source.client, store=store, open_browser=user.open, flow="code", notify=lambda _: None
    )
    barrier = threading.Barrier(THREADS)

    def ask(number: int) -> type[BaseException]:
        barrier.wait(SOON)
        with pytest.raises(LoopbackAuthError) as failure:
            WAYS[number % len(WAYS)](asking, old)
        return failure.type

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(ask, range(THREADS)))
    user.page_sync()

    assert len(user.links) == 1
    assert renewals(server, 400) == 1


def test_a_call_that_blocks_its_loop_waits_for_a_renewal_of_that_loop(
    source: TokenSource, server: DemoAuthorizationServer
) -> None:
    """A coroutine that calls a library without await stops the loop in which the renewal was begun."""
    expire(source)
    server.delay["/token"] = 0.2

    async def main() -> tuple[str, str]:
        renewing = asyncio.create_task(source.token())
        while source._shared.acquisition()._state.call is None:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)
        return source.token_sync(), await renewing

    one, other = asyncio.run(asyncio.wait_for(main(), SOON))
    assert one == other
    assert renewals(server) == 1


def test_a_call_that_would_wait_for_itself_is_an_error(server: DemoAuthorizationServer) -> None:
    """The loop that asks the user cannot wait for the answer; to hang would be worse."""
    opened = asyncio.Event()

    def note(_url: str) -> Opening:
        opened.set()
        return Opening(why_not="a test")

    source = TokenSource(server.client(), open_browser=note, flow="code", notify=lambda _: None)

    async def main() -> None:
        asking = asyncio.create_task(source.token())
        await opened.wait()
        with pytest.raises(ConfigError, match="event loop"):
            source.token_sync()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(asyncio.wait_for(main(), SOON))


@pytest.mark.parametrize("steps", range(12))
async def test_a_call_can_be_cancelled_anywhere(
    source: TokenSource, server: DemoAuthorizationServer, steps: int
) -> None:
    """Whatever it was doing: the next call returns a good token, and none was used twice."""
    expire(source)
    calling = asyncio.create_task(source.token())
    for _ in range(steps):
        await asyncio.sleep(0.002)
    calling.cancel()
    await asyncio.wait([calling])
    token = await source.token()

    assert await source.token() == token
    assert renewals(server) == 1
    assert renewals(server, 400) == 0


@pytest.mark.parametrize("steps", range(0, 40, 3))
async def test_a_question_can_be_cancelled_anywhere(server: DemoAuthorizationServer, steps: int) -> None:
    """A window is closed, a request takes too long: the next call asks again, or has the tokens."""
    user = SimulatedUser()
    source = TokenSource(server.client(), open_browser=user.open, flow="code", notify=lambda _: None)
    calling = asyncio.create_task(source.token())
    for _ in range(steps):
        await asyncio.sleep(0.002)
    calling.cancel()
    await asyncio.wait([calling])
    token = await source.token()

    assert await source.token() == token
    assert 1 <= len(user.links) <= 2
    await user.page()


def test_a_loop_that_is_closed_during_a_renewal_loses_no_token(
    source: TokenSource, server: DemoAuthorizationServer
) -> None:
    """The new refresh token is on its way, and the old one is used up."""
    expire(source)
    server.delay["/token"] = 0.1
    loop = asyncio.new_event_loop()
    begun = loop.create_task(source.token())
    until = loop.time() + SOON
    while source._shared.acquisition()._state.call is None and loop.time() < until:
        loop.run_until_complete(asyncio.sleep(0.001))
    loop.stop()
    loop.run_forever()
    # As `asyncio.run` does when its main task fails, but without waiting for anything.
    begun.get_coro().close()
    loop.close()

    assert source.token_sync()
    assert renewals(server) == 1
    assert renewals(server, 400) == 0


def test_what_the_store_object_has_deleted_is_noticed_at_once(source: TokenSource) -> None:
    """Two sources of one program, of which one signs out."""
    other = TokenSource(source.client, store=source.store, interactive=False)
    assert other.token_sync() == source.token_sync()
    source.logout_sync()

    with pytest.raises(LoopbackAuthError, match="not signed in"):
        other.token_sync()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_confirmation_does_not_wait_for_itself(
    server: DemoAuthorizationServer, *, asynchronous: bool
) -> None:
    """To call an API with the source, to show whose account it is, is a near guess."""
    refused: list[ConfigError] = []

    def confirm(_: SignIn) -> bool:
        with pytest.raises(ConfigError, match="confirm") as caught:
            made.token_sync()
        refused.append(caught.value)
        return True

    async def confirm_later(_: SignIn) -> bool:
        with pytest.raises(ConfigError, match="confirm") as caught:
            await made.token()
        refused.append(caught.value)
        return True

    made = TokenSource(
        server.client(),
        open_browser=SimulatedUser().open,
        flow="device",
        notify=lambda _: None,
        confirm=confirm_later if asynchronous else confirm,
    )

    assert asyncio.run(asyncio.wait_for(made.token(), SOON))
    assert [each.parameter for each in refused] == ["confirm"]
    assert made.token_sync()
