"""One store and many processes, also forked ones: one renewal, and what one has done the others notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from patience import SOON
from renewing import ending_in

from loopback_auth.errors import LoopbackAuthError, SignInRequired
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.store import FileTokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.token_cache import LOOK_SECONDS
from loopback_auth.token_source import TokenSource

PROCESSES = 8
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")

PROGRAM = """
import asyncio, json, sys
from loopback_auth import ClientConfig, FileTokenStore, Provider, ServerMetadata, TokenSource
issuer, client_id, folder, how = sys.argv[1:]
client = ClientConfig(Provider("demo", ServerMetadata(issuer)), client_id, scope="profile")
source = TokenSource(client, store=FileTokenStore(folder), interactive=False)
sys.stdin.readline()
if how == "logout":
    print(json.dumps(source.logout_sync()))
else:
    refused = how.partition(" ")[2] or None
    ask = source.token(refused=refused) if "loop" in how else None
    token = asyncio.run(ask) if ask else source.token_sync(refused=refused)
    print(json.dumps(token))
"""

CLOSED = """
import asyncio, sys, threading
from loopback_auth import ClientConfig, FileTokenStore, Provider, ServerMetadata, TokenSource
from loopback_auth.network.browser import Opening
from loopback_auth.testing import SimulatedUser
issuer, client_id, folder = sys.argv[1:]
user, opened = SimulatedUser(), threading.Event()
def second_time(url):
    if opened.is_set():
        return user.open(url)
    opened.set()
    return Opening(why_not="a test")
client = ClientConfig(Provider("demo", ServerMetadata(issuer)), client_id, scope="profile")
source = TokenSource(client, store=FileTokenStore(folder), open_browser=second_time, flow="code")
loop = asyncio.new_event_loop()
begun = loop.create_task(source.token())
while not opened.is_set():
    loop.run_until_complete(asyncio.sleep(0.001))
loop.run_until_complete(asyncio.sleep(0.01))
loop.close()
print(source.token_sync())
user.page_sync()
"""


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve the demonstration, which revokes everything when a refresh token is used twice."""
    with serve() as running:
        yield running


def client_at(server: DemoAuthorizationServer) -> ClientConfig:
    """Return the client of all programs here."""
    return ClientConfig(Provider("demo", ServerMetadata(server.issuer)), server.client_id, scope="profile")


def signed_in(server: DemoAuthorizationServer, store: FileTokenStore | MemoryTokenStore) -> TokenSource:
    """Return a source whose user has signed in."""
    user = SimulatedUser()
    source = TokenSource(
        client_at(server), store=store, open_browser=user.open, flow="code", notify=lambda _: None
    )
    source.token_sync()
    user.page_sync()
    return source


def expire(source: TokenSource) -> None:
    """Let the kept token end a second ago."""
    store = source.store
    assert isinstance(store, FileTokenStore | MemoryTokenStore)
    kept = store.load("demo")
    assert kept is not None
    store.save(ending_in(kept, -1))


def renewals(server: DemoAuthorizationServer, status: int = 200) -> int:
    """Count the refresh requests."""
    return server.requests("token", grant="refresh_token", status=status)


class Programs:
    """Other processes that use the same store.

    Args:
        server: where they renew.
        folder: of the store.
        ways: what each of them does.
    """

    def __init__(self, server: DemoAuthorizationServer, folder: Path, *ways: str) -> None:
        command = [sys.executable, "-c", PROGRAM, server.issuer, server.client_id, str(folder)]
        self._running = [
            subprocess.Popen(
                [*command, how],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            )
            for how in ways
        ]

    def go(self) -> list[object]:
        """Let all of them begin at once; return what they say."""
        for one in self._running:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        said = [one.communicate(timeout=SOON) for one in self._running]
        assert [error for _, error in said if "Traceback" in error] == []
        return [json.loads(text) for text, _ in said]


@pytest.mark.slow
@pytest.mark.parametrize("refuses", [False, True])
def test_many_processes_share_one_renewal(
    server: DemoAuthorizationServer, tmp_path: Path, refuses: bool
) -> None:
    """A second one would use a refresh token twice, and the server would revoke all of them."""
    source = signed_in(server, FileTokenStore(str(tmp_path)))
    old = source.token_sync()
    if not refuses:
        expire(source)
    suffix = f" {old}" if refuses else ""
    programs = Programs(
        server, tmp_path, *(f"{'loop' if n % 2 else 'sync'}{suffix}" for n in range(PROCESSES))
    )
    tokens = programs.go()

    assert len(set(tokens)) == 1
    assert old not in tokens
    assert (renewals(server), renewals(server, 400)) == (1, 0)
    assert within_a_second(source.token_sync, tokens[0])


@pytest.mark.slow
def test_a_logout_of_another_process_is_noticed(server: DemoAuthorizationServer, tmp_path: Path) -> None:
    """A token in memory would go on for an hour; the rule is a second."""
    signed_in(server, FileTokenStore(str(tmp_path)))
    source = TokenSource(client_at(server), store=FileTokenStore(str(tmp_path)), interactive=False)
    assert source.token_sync()
    assert Programs(server, tmp_path, "logout").go() == [True]

    def signed_out() -> str:
        try:
            return source.token_sync()
        except SignInRequired:
            return "signed out"

    assert within_a_second(signed_out, "signed out")


def within_a_second(look: Callable[[], object], wanted: object) -> bool:
    """Return whether something comes about in the time that memory may be ahead of the store."""
    end = time.monotonic() + LOOK_SECONDS + 0.5
    while time.monotonic() < end:
        if look() == wanted:
            return True
        threading.Event().wait(0.01)
    return False


def forked(work: Callable[[], str]) -> str:
    """Return what work returns in a forked process, or the class of its error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = work()
        except BaseException as exc:
            said = type(exc).__name__
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


@pytest.mark.slow
def test_a_loop_that_is_closed_during_a_question_leaves_no_lock(
    server: DemoAuthorizationServer, tmp_path: Path
) -> None:
    """Nothing in it can end properly; the next call must not wait for the sign-in of its own process."""
    # In a process of its own, because what is left of that loop complains when it is collected.
    command = [sys.executable, "-c", CLOSED, server.issuer, server.client_id, str(tmp_path)]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=SOON, check=False)
    kept = FileTokenStore(str(tmp_path)).load("demo")

    assert done.returncode == 0, done.stderr
    assert kept is not None
    assert done.stdout.strip() == kept.tokens.access_token


@posix
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_goes_on_with_the_source(server: DemoAuthorizationServer, tmp_path: Path) -> None:
    """As the workers of a web server do; the renewal of one is the renewal of all."""
    source = signed_in(server, FileTokenStore(str(tmp_path)))
    assert forked(source.token_sync) == source.token_sync()
    expire(source)
    tokens = {forked(source.token_sync), forked(source.token_sync)}

    assert len(tokens) == 1
    assert renewals(server) == 1
    assert within_a_second(source.token_sync, tokens.pop())


@posix
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_during_a_renewal_neither_hangs_nor_renews_again(
    server: DemoAuthorizationServer, tmp_path: Path
) -> None:
    """The child has the locks of a thread that it does not have."""
    source = signed_in(server, FileTokenStore(str(tmp_path)))
    expire(source)
    server.delay["/token"] = 0.3
    tokens: list[str] = []
    renewing = threading.Thread(target=lambda: tokens.append(source.token_sync()))
    renewing.start()
    until = time.monotonic() + SOON
    while source._shared.acquisition()._state.call is None and time.monotonic() < until:
        threading.Event().wait(0.001)
    in_child = forked(source.token_sync)
    renewing.join(SOON)

    assert tokens == [in_child]
    assert (renewals(server), renewals(server, 400)) == (1, 0)


@posix
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_does_not_renew_what_it_only_has_a_copy_of(server: DemoAuthorizationServer) -> None:
    """A store in memory is copied by a fork, and so is the refresh token, which works once."""
    source = signed_in(server, MemoryTokenStore())
    old = source.token_sync()
    assert forked(source.token_sync) == old
    expire(source)
    quiet = source.with_scope("")
    quiet._interactive = False

    assert forked(quiet.token_sync) == "SignInRequired"
    assert source.token_sync() != old
    assert (renewals(server), renewals(server, 400)) == (1, 0)


@posix
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_can_sign_in_anew(server: DemoAuthorizationServer) -> None:
    """What it has got itself it may renew, too."""
    user = SimulatedUser()
    source = TokenSource(
        client_at(server),
        store=MemoryTokenStore(),
        open_browser=user.open,
        flow="code",
        notify=lambda _: None,
    )

    def work() -> str:
        first = source.token_sync()
        user.page_sync()
        expire(source)
        return str(source.token_sync() != first)

    assert forked(work) == "True"
    assert renewals(server) == 1


def test_errors_name_nothing_that_only_our_command_has(tmp_path: Path) -> None:
    """They are shown by programs that have neither our flags nor our commands."""
    client = ClientConfig(Provider("demo", ServerMetadata("http://127.0.0.1:1")), "id")
    with pytest.raises(LoopbackAuthError) as refusal:
        TokenSource(client, store=FileTokenStore(str(tmp_path)), interactive=False).token_sync()

    assert "--" not in refusal.value.hint
    assert "loopback_auth" not in refusal.value.hint
