"""The door for other programs: whole sign-ins on real sockets, renewals that race, every way to give up."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from demo_client import client
from patience import SOON
from time_leap import leaping
from watching import no_socket_left  # noqa: F401 - a fixture

from loopback_auth.api import login, login_sync
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import Demo, demo_thread, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import (
    AttemptExpired,
    AuthorizationError,
    EndpointMissing,
    NotKept,
    RevocationError,
    SignInRequired,
    StoreError,
    TokenError,
    TransportError,
)
from loopback_auth.events import (
    CallbackReceived,
    Event,
    Exchanged,
    LinkOpened,
    LinkReady,
    LinkRequested,
    SignInSucceeded,
    Warned,
    silent,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Provider, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.network.transport import Transport
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.store import FileTokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn
from loopback_auth.words import Words

NAME = "demo"
TOKEN = ("POST", "/token")


def faulty(faults: Faults) -> Callable[[str], DemoServer]:
    """Make demo servers with these faults."""
    return lambda issuer: DemoServer(issuer, entropy=os.urandom, faults=faults)


async def signed_in(demo: Demo, store: FileTokenStore | MemoryTokenStore | None = None) -> SignIn:
    """Sign in at a demo server."""
    user = SimulatedUser()
    sign_in = await login(client(demo.issuer), store=store, open_browser=user.open)
    await user.page()
    return sign_in


def stale(sign_in: SignIn) -> SignIn:
    """Let the access token expire."""
    return replace(sign_in, tokens=replace(sign_in.tokens, expires_at=time.time() - 1))


def port_of(user: SimulatedUser) -> int:
    """Return the port of the redirect URI."""
    return int(user.links[0].split("/")[2].rpartition(":")[2])


@pytest.mark.parametrize("broken", [Warned, CallbackReceived, LinkOpened, Exchanged])
async def test_watcher_that_fails_loses_no_sign_in(broken: type[Event], tmp_path: Path) -> None:
    """A person has approved: what a progress display makes of that is no reason to lose it."""
    reported: list[object] = []

    def fails(event: Event) -> None:
        if isinstance(event, broken):
            raise ZeroDivisionError

    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    store, user = FileTokenStore(str(tmp_path)), SimulatedUser()
    async with serve_demo() as demo:
        kept = await signed_in(demo, store)
        store.save(replace(kept, tokens=replace(kept.tokens, account="somebody-else@example.com")))
        again = await login(client(demo.issuer), store=store, open_browser=user.open, notify=fails)
        assert Words.SUCCESS_TITLE in await user.page()
    assert store.load(NAME) == again

    assert reported


def check_closed(user: SimulatedUser) -> None:
    """Check that nobody listens any more."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(user)), timeout=SOON)


async def test_server_that_calls_itself_localhost_can_be_used() -> None:
    """Development servers do, and their documents have to say so, too (RFC 6761 §6.3, RFC 8414 §3.3)."""

    def named(issuer: str) -> DemoServer:
        return DemoServer(issuer.replace("127.0.0.1", "localhost"), entropy=os.urandom)

    user = SimulatedUser()
    async with serve_demo(server_factory=named) as demo:
        issuer = demo.issuer.replace("127.0.0.1", "localhost")
        sign_in = await login(client(issuer), open_browser=user.open, notify=silent)
        assert sign_in.metadata.issuer == issuer


async def test_sign_in_ends_with_tokens_a_page_and_a_closed_port() -> None:
    """The whole way, as a person has it."""
    store, user = MemoryTokenStore(), SimulatedUser()
    events: list[Event] = []
    async with serve_demo() as demo:
        sign_in = await login(client(demo.issuer), store=store, notify=events.append, open_browser=user.open)
        page = await user.page()
        assert demo.server.active(sign_in.tokens.access_token, time.time())
    assert Words.SUCCESS_TITLE in page
    assert store.load(NAME) == sign_in
    kinds = [type(event) for event in events if not isinstance(event, Exchanged)]
    assert kinds == [LinkReady, LinkRequested, LinkOpened, CallbackReceived, SignInSucceeded]
    check_closed(user)


async def test_link_is_shown_without_anybody_to_tell(capsys: pytest.CaptureFixture[str]) -> None:
    """Over SSH no browser opens, and a program that shows no link waits for nobody."""
    async with serve_demo() as demo:
        user = SimulatedUser()
        await login(client(demo.issuer), open_browser=user.open, flow="code")
        await user.page()
        shown = capsys.readouterr()
        assert f"  {user.links[0]}\n" in shown.err
        assert shown.out == ""

        await login(client(demo.issuer), open_browser=user.open, flow="code", notify=silent)
        await user.page()
        assert capsys.readouterr() == ("", "")


async def test_page_waits_until_the_tokens_are_kept() -> None:
    """A page that says "signed in" before that may be wrong."""

    class SlowStore(MemoryTokenStore):
        go = threading.Event()
        begun = threading.Event()

        def save(self, sign_in: SignIn) -> None:
            self.begun.set()
            self.go.wait(SOON)
            super().save(sign_in)

    store, user = SlowStore(), SimulatedUser()
    async with serve_demo() as demo:
        task = asyncio.create_task(login(client(demo.issuer), store=store, open_browser=user.open))
        await asyncio.to_thread(store.begun.wait, SOON)
        assert not user.visits[0].done()
        store.go.set()
        await task
        assert Words.SUCCESS_TITLE in await user.page()


async def test_refused_code_shows_in_the_tab() -> None:
    """The person looks at the browser, not at the terminal."""
    user = SimulatedUser()
    refusal = b'{"error": "invalid_grant", "error_description": "no luck"}'
    faults = Faults(token_status=400, token_body=refusal)
    async with serve_demo(server_factory=faulty(faults)) as demo:
        with pytest.raises(TokenError):
            await login(client(demo.issuer), open_browser=user.open)
        page = await user.page()
        assert demo.server.log[TOKEN] == 1
    assert "no luck" in page
    assert Words.SUCCESS_TITLE not in page
    check_closed(user)


async def test_denial_is_told_in_both_places() -> None:
    """Saying no is an answer too."""
    user = SimulatedUser("deny")
    async with serve_demo() as demo:
        with pytest.raises(AuthorizationError) as caught:
            await login(client(demo.issuer), open_browser=user.open)
        page = await user.page()
        assert demo.server.log[TOKEN] == 0
    assert caught.value.error == "access_denied"
    assert "access_denied" in page


async def test_trouble_before_the_redirect_shows_in_the_tab() -> None:
    """The tab is ours from the first moment, also when there is no address to send it to."""
    user = SimulatedUser()
    async with serve_demo(server_factory=faulty(Faults(without_metadata=True))) as demo:
        with pytest.raises(EndpointMissing):
            await login(client(demo.issuer), open_browser=user.open)
        page = await user.page()
    assert "publishes no metadata" in page


async def test_store_that_fails_at_the_end_is_no_success() -> None:
    """Tokens that are not kept are no sign-in for the next command."""

    class FullStore(MemoryTokenStore):
        def save(self, sign_in: SignIn) -> None:
            raise StoreError("The disk is full")

    user = SimulatedUser()
    async with serve_demo() as demo:
        with pytest.raises(StoreError):
            await login(client(demo.issuer), store=FullStore(), open_browser=user.open)
        page = await user.page()
    assert "The disk is full" in page


async def test_store_that_cannot_keep_is_known_before_anybody_is_asked() -> None:
    """Nobody should sign in for nothing."""

    class ReadOnlyStore(MemoryTokenStore):
        def check_writable(self) -> None:
            raise StoreError("The folder is read-only")

    user = SimulatedUser()
    with pytest.raises(StoreError):
        await login(client("http://127.0.0.1:1"), store=ReadOnlyStore(), open_browser=user.open)
    assert user.links == []


async def test_foreign_mistake_leaves_nothing_hanging() -> None:
    """A store of the embedding program may raise anything, with a browser still waiting on our page."""

    class BrokenStore(MemoryTokenStore):
        def save(self, sign_in: SignIn) -> None:
            raise ZeroDivisionError

    user = SimulatedUser()
    async with serve_demo() as demo:
        with pytest.raises(NotKept) as lost:
            await login(client(demo.issuer), store=BrokenStore(), open_browser=user.open)
        page = await user.page()
    assert isinstance(lost.value.sign_in, SignIn)
    assert Words.SUCCESS_TITLE not in page
    assert Words.FAILURE_TITLE in page
    check_closed(user)


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Accept requests and never answer; the event says that one has come."""
    asked = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readline()
        asked.set()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", asked
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def cancelled(task: asyncio.Task[SignIn]) -> None:
    """Cancel a sign-in and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_before_metadata() -> None:
    """The tab waits on our start page, and is told."""
    user = SimulatedUser()
    async with silent_server() as (issuer, asked):
        arrived = asyncio.Event()

        def note(event: Event) -> None:
            if isinstance(event, LinkRequested):
                arrived.set()

        task = asyncio.create_task(login(client(issuer), notify=note, open_browser=user.open))
        await asked.wait()
        await arrived.wait()
        await cancelled(task)
    check_closed(user)
    assert Words.CANCELLED_LEAD in await user.page()


async def test_cancelled_while_the_person_thinks() -> None:
    """An embedding program may end before its user does."""
    ready = asyncio.Event()
    store = MemoryTokenStore()
    links: list[str] = []

    def open_later(url: str) -> Opening:
        links.append(url)
        ready.set()
        return Opening(why_not="a test")

    async with serve_demo() as demo:
        task = asyncio.create_task(login(client(demo.issuer), store=store, open_browser=open_later))
        await ready.wait()
        await cancelled(task)
        assert demo.server.log[TOKEN] == 0
    assert store.names() == ()


async def test_cancelled_during_the_exchange() -> None:
    """The callback is held by then, and the tab must not be left with a spinning wheel."""
    user, store = SimulatedUser(), MemoryTokenStore()
    async with serve_demo() as demo, silent_server() as (nowhere, asked):
        known = ServerMetadata(
            authorization_endpoint=f"{demo.issuer}/authorize", token_endpoint=f"{nowhere}/token"
        )
        asking = replace(client(""), provider=Provider(NAME, known))
        task = asyncio.create_task(login(asking, store=store, open_browser=user.open))
        await asked.wait()
        await cancelled(task)
        assert Words.CANCELLED_LEAD in await user.page()
    assert store.names() == ()
    check_closed(user)


async def test_cancelled_before_the_port_is_bound() -> None:
    """Nothing was opened, and nothing is."""

    class SlowStore(MemoryTokenStore):
        go = threading.Event()
        begun = threading.Event()

        def check_writable(self) -> None:
            self.begun.set()
            self.go.wait(SOON)

    user, store = SimulatedUser(), SlowStore()
    task = asyncio.create_task(login(client("http://127.0.0.1:1"), store=store, open_browser=user.open))
    await asyncio.to_thread(store.begun.wait, SOON)
    await cancelled(task)
    store.go.set()
    assert user.links == []


@pytest.mark.parametrize("answer", [True, None], ids=["as webbrowser.open", "nothing"])
async def test_an_opener_may_be_any_function_of_a_link(answer: bool | None) -> None:
    """Programs have one already, and it knows nothing of ours."""
    user = SimulatedUser()
    events: list[Event] = []

    def opener(url: str) -> bool | None:
        user.open(url)
        return answer

    async with serve_demo() as demo:
        sign_in = await login(client(demo.issuer), open_browser=opener, notify=events.append)
        await user.page()
    assert sign_in.flow == "code"
    assert next(one for one in events if isinstance(one, LinkReady)).opened_with


async def test_an_opener_that_says_no_is_believed() -> None:
    """`webbrowser.open` returns False where there is no browser; the link is what is left then."""
    events: list[Event] = []
    notify = leaping(10.0, at=LinkReady, notify=events.append)
    async with silent_server() as (issuer, _):
        with pytest.raises(AttemptExpired):
            await login(client(issuer), open_browser=lambda _: False, notify=notify, timeout=10.0)
    shown = next(one for one in events if isinstance(one, LinkReady))
    assert (shown.opened_with, bool(shown.why_not)) == ("", True)


async def test_nobody_comes_back_in_time() -> None:
    """The deadline is the person's, and a tab that waits is told about it."""
    user, notify = SimulatedUser(), leaping(10.0, at=LinkRequested)
    async with silent_server() as (issuer, _):
        with pytest.raises(AttemptExpired) as caught:
            await login(client(issuer), open_browser=user.open, notify=notify, timeout=10.0)
        page = await user.page()
    assert "10 seconds" in page
    assert "timeout" in caught.value.parameter.split()
    check_closed(user)


async def test_deadline_ends_with_the_callback() -> None:
    """Who came back in the last second must not lose a code that the server has already taken."""
    user, notify = SimulatedUser(), leaping(10.0, at=CallbackReceived)
    async with serve_demo() as demo:
        sign_in = await login(client(demo.issuer), open_browser=user.open, notify=notify, timeout=10.0)
        await user.page()
    assert sign_in.tokens.access_token


def test_sign_in_without_a_loop() -> None:
    """Scripts have none."""
    user = SimulatedUser()
    with demo_thread() as demo:
        assert login_sync(client(demo.issuer), open_browser=user.open).tokens.access_token
        assert Words.SUCCESS_TITLE in user.page_sync()


async def test_sign_in_under_a_loop_that_cannot_be_awaited() -> None:
    """Notebooks have one."""
    user = SimulatedUser()
    with demo_thread() as demo:
        assert login_sync(client(demo.issuer), open_browser=user.open).tokens.access_token
        assert Words.SUCCESS_TITLE in await user.page()


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.parametrize("looped", [False, True], ids=["no loop", "under a loop"])
def test_ctrl_c_ends_the_wait(looped: bool) -> None:
    """A person who presses Ctrl-C once has said it."""
    ports: list[int] = []

    def interrupt(url: str) -> Opening:
        ports.append(int(url.split("/")[2].rpartition(":")[2]))
        os.kill(os.getpid(), signal.SIGINT)
        return Opening(why_not="a test")

    def sign_in() -> SignIn:
        return login_sync(client(demo.issuer), open_browser=interrupt)

    async def under_a_loop() -> SignIn:
        return sign_in()

    with demo_thread() as demo, pytest.raises(KeyboardInterrupt):
        asyncio.run(under_a_loop()) if looped else sign_in()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]), timeout=SOON)


RENEW = """
import asyncio, sys
from loopback_auth.signin.refresh import renew
from loopback_auth.network.transport import Transport
from loopback_auth.store import FileTokenStore
store = FileTokenStore(sys.argv[1])
kept = store.load("demo")
print("ready", flush=True)
sys.stdin.readline()
print(asyncio.run(renew(kept, store=store)).tokens.access_token)
"""


@pytest.mark.slow
def test_of_many_processes_one_renews(tmp_path: Path) -> None:
    """A rotating server ends everything when a refresh token comes twice (RFC 9700 §4.14.2)."""
    store = FileTokenStore(str(tmp_path))
    with demo_thread() as demo:
        store.save(stale(asyncio.run(signed_in(demo))))
        before = demo.server.log[TOKEN]
        children = [
            subprocess.Popen(
                [sys.executable, "-c", RENEW, str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(8)
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        tokens = set()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            tokens.add(child.communicate(timeout=60)[0].strip())
            assert child.returncode == 0
        kept = store.load(NAME)
        assert kept is not None

        assert demo.server.log[TOKEN] == before + 1
        assert tokens == {kept.tokens.access_token}
        assert demo.server.active(kept.tokens.refresh_token or "", time.time())


async def test_fresh_tokens_are_left_alone_unless_forced() -> None:
    """Every renewal is a chance to lose the refresh token."""
    store = MemoryTokenStore()
    async with serve_demo() as demo:
        first = await signed_in(demo, store)
        assert await renew(first, store=store) == first
        forced = await renew(first, store=store, force=True)
        assert forced.tokens.access_token != first.tokens.access_token
        assert await renew(first, store=store, force=True) == forced
        assert demo.server.log[TOKEN] == 2


async def test_refusal_touches_nothing_that_is_kept() -> None:
    """Without working locks the winner of a race is about to write, and its refresh token is the good one."""
    store = MemoryTokenStore()
    async with serve_demo() as demo:
        sign_in = stale(await signed_in(demo))
        sign_in = replace(sign_in, tokens=replace(sign_in.tokens, refresh_token="unknown"))
        store.save(sign_in)
        with pytest.raises(SignInRequired, match="invalid_grant"):
            await renew(sign_in, store=store)
    assert store.load(NAME) == sign_in


async def test_refusal_does_not_harm_what_somebody_else_has_got() -> None:
    """Locks mean nothing on some file systems; the winner's tokens are the good ones."""

    class Unlocked(MemoryTokenStore):
        winner: SignIn | None = None

        def load(self, name: str) -> SignIn | None:
            found = super().load(name)
            if self.winner is not None:
                super().save(self.winner)
            return found

    store = Unlocked()
    async with serve_demo() as demo:
        good = await signed_in(demo)
        loser = stale(replace(good, tokens=replace(good.tokens, refresh_token="used", access_token="old")))
        store.save(loser)
        store.winner = good
        assert await renew(loser, store=store) == good
    assert store.load(NAME) == good


async def test_nothing_is_renewed_after_a_logout() -> None:
    """A renewal that was waiting for the lock must not bring back what was given up."""
    store = MemoryTokenStore()
    async with serve_demo() as demo:
        sign_in = stale(await signed_in(demo))
        with pytest.raises(SignInRequired):
            await renew(sign_in, store=store)
        assert demo.server.log[TOKEN] == 1
    assert store.names() == ()


async def test_trouble_of_the_server_keeps_what_is_kept() -> None:
    """A server that is down for a minute must not cost the sign-in."""
    store = MemoryTokenStore()
    faults = Faults(token_status=503, token_html=True)
    async with serve_demo() as demo:
        sign_in = stale(await signed_in(demo))
    async with serve_demo(server_factory=faulty(faults)) as broken:
        metadata = replace(sign_in.metadata, token_endpoint=f"{broken.issuer}/token")
        sign_in = replace(sign_in, metadata=metadata)
        store.save(sign_in)
        with pytest.raises(TransportError):
            await renew(sign_in, store=store)
    assert store.load(NAME) == sign_in


async def test_cancelled_renewal_keeps_the_answer_that_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has used up the old refresh token; losing the new one would sign the person out."""
    store = MemoryTokenStore()
    async with serve_demo() as demo:
        sign_in = stale(await signed_in(demo, store))
        store.save(sign_in)
        sent = asyncio.Event()
        send = Transport.send

        async def sending(self: Transport, request: HttpRequest, *, step: str) -> HttpResponse:
            sent.set()
            return await send(self, request, step=step)

        monkeypatch.setattr(Transport, "send", sending)
        task = asyncio.create_task(renew(sign_in, store=store))
        await sent.wait()
        await cancelled(task)
        kept = store.load(NAME)
        assert kept is not None
        assert kept.tokens.access_token != sign_in.tokens.access_token
        assert demo.server.active(kept.tokens.refresh_token or "", time.time())


async def test_cancelled_wait_for_a_lock_gives_it_back() -> None:
    """The thread that waits for it cannot be cancelled, and must not keep it for ever."""
    store = MemoryTokenStore()
    async with serve_demo() as demo:
        sign_in = await signed_in(demo, store)
    with store.lock(NAME):
        task = asyncio.create_task(renew(sign_in, store=store))
        await asyncio.sleep(0.01)
        await cancelled(task)
    await asyncio.to_thread(_lock_once, store)


def _lock_once(store: MemoryTokenStore) -> None:
    with store.lock(NAME, timeout=SOON):
        pass


async def test_source_asks_once_for_everybody() -> None:
    """A program that starts twenty requests at once must not open twenty tabs."""
    user, store = SimulatedUser(), MemoryTokenStore()
    async with serve_demo() as demo:
        source = TokenSource(client(demo.issuer), store=store, open_browser=user.open)
        tokens = await asyncio.gather(*(source.token() for _ in range(20)))
        await user.page()
        assert len(set(tokens)) == len(user.links) == 1
        kept = store.load(NAME)
        assert kept is not None
        store.save(stale(kept))
        renewed = await asyncio.gather(*(source.token() for _ in range(20)))
        assert len(set(renewed)) == 1
        assert set(renewed) != set(tokens)
        assert demo.server.log[TOKEN] == 2


async def test_source_fails_once_for_everybody() -> None:
    """One no is enough: the second in the queue must not ask the person again."""
    user = SimulatedUser("deny")
    async with serve_demo() as demo:
        source = TokenSource(client(demo.issuer), store=MemoryTokenStore(), open_browser=user.open)
        ends = await asyncio.gather(*(source.token() for _ in range(5)), return_exceptions=True)
        await user.page()
    assert [type(end) for end in ends] == [AuthorizationError] * 5
    assert len(user.links) == 1


async def test_source_is_cancelled_with_the_last_who_waits() -> None:
    """One impatient caller must not take the sign-in from the others; when all are gone it ends."""
    links: list[str] = []
    ready = asyncio.Event()

    def note(url: str) -> Opening:
        links.append(url)
        ready.set()
        return Opening(why_not="a test")

    async with serve_demo() as demo:
        source = TokenSource(client(demo.issuer), store=MemoryTokenStore(), open_browser=note)
        first, second = (asyncio.create_task(source.token()) for _ in range(2))
        await ready.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        port = int(links[0].split("/")[2].rpartition(":")[2])
        await asyncio.to_thread(lambda: socket.create_connection(("127.0.0.1", port), timeout=SOON).close())
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=SOON)


async def test_source_that_may_not_ask_says_so() -> None:
    """In a job without a person the answer is an error, not a browser."""
    user = SimulatedUser()
    source = TokenSource(
        client("http://127.0.0.1:1"),
        store=MemoryTokenStore(),
        interactive=False,
        open_browser=user.open,
    )
    with pytest.raises(SignInRequired):
        await source.token()
    assert user.links == []


async def test_logout_revokes_the_refresh_token_first_and_forgets() -> None:
    """A logout cut in half must have ended what lives longest (RFC 7009 §2.1)."""
    store = MemoryTokenStore()
    events: list[Event] = []
    async with serve_demo() as demo:
        sign_in = await signed_in(demo, store)
        assert await logout(sign_in, store=store, notify=events.append)
        sent = [event.request for event in events if isinstance(event, Exchanged)]
        assert ["refresh_token" in text.split("hint=")[1] for text in sent] == [True, False]
        assert not demo.server.active(sign_in.tokens.access_token, time.time())
    assert store.names() == ()


async def test_logout_gives_up_what_is_kept_now() -> None:
    """Another process may have renewed the tokens; revoking the old ones would end nothing."""
    store = MemoryTokenStore()
    async with serve_demo() as demo:
        old = await signed_in(demo, store)
        new = await renew(old, store=store, force=True)
        await logout(old, store=store)
        assert not demo.server.active(new.tokens.refresh_token or "", time.time())
        assert not demo.server.active(new.tokens.access_token, time.time())


async def test_logout_forgets_even_if_the_server_is_gone() -> None:
    """Tokens on this machine are the person's to delete."""
    store = MemoryTokenStore()
    async with serve_demo() as demo:
        sign_in = await signed_in(demo, store)
    with pytest.raises((TransportError, RevocationError)):
        await logout(sign_in, store=store)
    assert store.names() == ()
