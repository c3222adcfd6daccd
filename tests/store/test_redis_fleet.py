"""Programs on many hosts share one sign-in in Redis: one renewal for all, whoever dies at whatever moment."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from patience import SOON
from redis_server import KEY, RedisServer, needs_redis

from loopback_auth.api import login_sync
from loopback_auth.errors import NotKept, SignInRequired, StoreError
from loopback_auth.events import silent
from loopback_auth.signin.refresh import renew_sync
from loopback_auth.store.redis import RedisTokenStore
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

pytestmark = [
    needs_redis,
    pytest.mark.skipif(sys.platform == "win32", reason="redis-server is not made for Windows"),
    pytest.mark.slow,
]

NAME = "demo"
PROCESSES = 8
CLIENTS = 25
ROUNDS = 2

CROWD = """
import asyncio, json, sys
from concurrent.futures import ThreadPoolExecutor
from loopback_auth.signin.refresh import renew, renew_sync
from loopback_auth.store.redis import RedisTokenStore

url, key, clients, kind = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
stores = [RedisTokenStore(url, key=key) for _ in range(clients if kind == "threads" else 1)]
current = stores[0].load("demo")

async def tasks():
    return await asyncio.gather(*(renew(current, store=stores[0], force=True) for _ in range(clients)))

print("ready", flush=True)
for line in sys.stdin:
    if kind == "tasks":
        got = asyncio.run(tasks())
    else:
        with ThreadPoolExecutor(clients) as pool:
            got = list(pool.map(lambda store: renew_sync(current, store=store, force=True), stores))
    print(json.dumps([one.tokens.access_token for one in got]), flush=True)
    current = got[0]
"""
"""Renews when it is told: in threads with a store each, as hosts have, or in tasks with one store."""

DYING = """
import os, signal, sys
from contextlib import contextmanager
from loopback_auth.signin.refresh import renew_sync
from loopback_auth.store.redis import RedisTokenStore

url, key, last = sys.argv[1:]

def reach(step):
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

class Dying(RedisTokenStore):
    @contextmanager
    def lock(self, name, timeout=30.0):
        with super().lock(name, timeout):
            reach("locked")
            yield
            reach("about to leave")
        reach("left")

    def read(self, name):
        found = super().read(name)
        reach("read")
        return found

    def begin_refresh(self, sign_in):
        reach("about to note")
        super().begin_refresh(sign_in)
        reach("noted")

    def write(self, name, sign_in):
        reach("answered")
        super().write(name, sign_in)
        reach("kept")

current = RedisTokenStore(url, key=key).load("demo")
renew_sync(current, store=Dying(url, key=key, lease=0.5), force=True)
"""
"""A host that is killed when it reaches a step of its renewal."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for one test."""
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def demo() -> Iterator[DemoAuthorizationServer]:
    """A server that rotates refresh tokens, and revokes a grant whose refresh token comes twice."""
    with serve() as server:
        yield server


def signed_in(demo: DemoAuthorizationServer, store: RedisTokenStore) -> SignIn:
    """Sign in by the browser."""
    return login_sync(demo.client(), store=store, open_browser=SimulatedUser().open, notify=silent)


def renewals(demo: DemoAuthorizationServer, status: int = 0) -> int:
    """Count the refresh requests, and those that were refused if a status is given."""
    return demo.requests("token", grant="refresh_token", status=status)


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_of_200_clients_in_8_processes_one_renews(
    redis: RedisServer, demo: DemoAuthorizationServer, kind: str
) -> None:
    """A second refresh request with the same token would sign all of them out."""
    signed_in(demo, RedisTokenStore(redis.url, key=KEY))
    command = [sys.executable, "-c", CROWD, redis.url, KEY, str(CLIENTS), kind]
    with ExitStack() as stack:
        hosts = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(PROCESSES)
        ]
        for host in hosts:
            assert host.stdout is not None
            assert host.stdout.readline() == "ready\n"
        for asked in range(1, ROUNDS + 1):
            for host in hosts:
                assert host.stdin is not None
                host.stdin.write("go\n")
                host.stdin.flush()
            tokens: set[str] = set()
            for host in hosts:
                assert host.stdout is not None
                got = json.loads(host.stdout.readline())
                assert len(got) == CLIENTS
                tokens.update(got)
            assert len(tokens) == 1
            assert renewals(demo) == asked
        for host in hosts:
            assert host.stdin is not None
            host.stdin.close()
    assert renewals(demo, status=400) == 0


@pytest.mark.parametrize(
    ("step", "sent", "known"),
    [
        ("locked", 0, "unused"),
        ("read", 0, "unused"),
        ("about to note", 0, "unused"),
        ("noted", 0, "doubtful"),
        ("answered", 1, "doubtful"),
        ("kept", 1, "renewed"),
        ("about to leave", 1, "renewed"),
        ("left", 1, "renewed"),
    ],
)
def test_a_host_that_is_killed_costs_no_token_and_uses_none_twice(
    redis: RedisServer, demo: DemoAuthorizationServer, step: str, sent: int, known: str
) -> None:
    """The next one goes on where that is known to be right, and says so where it is not."""
    store = RedisTokenStore(redis.url, key=KEY, lease=0.5)
    before = signed_in(demo, store)
    died = subprocess.run(
        [sys.executable, "-c", DYING, redis.url, KEY, step], capture_output=True, timeout=60, check=False
    )
    assert died.returncode < 0, died.stderr
    assert renewals(demo) == sent

    if known == "doubtful":
        with pytest.raises(SignInRequired):
            renew_sync(before, store=store, force=True)
        assert renewals(demo) == sent
        assert store.load(NAME) == before
        assert signed_in(demo, store).tokens != before.tokens
        renew_sync(demo.client(), store=store, force=True)
    else:
        after = renew_sync(before, store=store, force=True)
        assert after.tokens.refresh_token != before.tokens.refresh_token
        assert store.load(NAME) == after
        assert renewals(demo) == 1
        renew_sync(after, store=store, force=True)
    assert renewals(demo, status=400) == 0


def test_a_host_that_stood_still_keeps_what_it_has_got(
    redis: RedisServer, demo: DemoAuthorizationServer
) -> None:
    """A laptop that sleeps in the middle of a renewal has the only good tokens when it wakes up."""
    from redis import Redis  # Of an extra.

    store = RedisTokenStore(redis.url, key=KEY, lease=0.5)
    before = signed_in(demo, store)
    demo.delay["/token"] = 3.0
    command = [sys.executable, "-c", DYING, redis.url, KEY, "never"]
    with subprocess.Popen(command) as host, Redis.from_url(redis.url) as looking:
        until = time.monotonic() + SOON
        while not looking.hget("loopback_auth:{demo}:use", "fence") and time.monotonic() < until:
            time.sleep(0.01)
        host.send_signal(signal.SIGSTOP)
        with pytest.raises(SignInRequired):
            renew_sync(before, store=store, force=True)
        assert store.load(NAME) == before
        host.send_signal(signal.SIGCONT)
        assert host.wait(SOON) == 0
    after = renew_sync(before, store=store, force=True)
    assert after.tokens.refresh_token != before.tokens.refresh_token
    assert (renewals(demo), renewals(demo, status=400)) == (1, 0)


def test_whoever_resends_may_be_lucky(redis: RedisServer, demo: DemoAuthorizationServer) -> None:
    """The host has died before the server got the request."""
    before = signed_in(demo, RedisTokenStore(redis.url, key=KEY))
    subprocess.run(
        [sys.executable, "-c", DYING, redis.url, KEY, "noted"], capture_output=True, timeout=60, check=False
    )
    store = RedisTokenStore(redis.url, key=KEY, resend=True)
    assert renew_sync(before, store=store, force=True).tokens != before.tokens
    assert renewals(demo) == 1


def test_a_refused_token_is_renewed_once_for_all_hosts(
    redis: RedisServer, demo: DemoAuthorizationServer
) -> None:
    """Two hosts with a source each get 401 for the same token, at the same time."""
    signed_in(demo, RedisTokenStore(redis.url, key=KEY))
    sources = [
        TokenSource(demo.client(), store=RedisTokenStore(redis.url, key=KEY), interactive=False)
        for _ in range(4)
    ]
    tokens = {source.token_sync() for source in sources}
    assert len(tokens) == 1
    refused = tokens.pop()
    with ThreadPoolExecutor(len(sources)) as pool:
        renewed = set(pool.map(lambda source: source.token_sync(refused=refused), sources))
    assert len(renewed) == 1
    assert renewed != {refused}
    assert (renewals(demo), renewals(demo, status=400)) == (1, 0)


def test_redis_that_ends_in_the_middle_of_a_renewal_costs_no_tokens(
    redis: RedisServer, demo: DemoAuthorizationServer
) -> None:
    """The server has answered, and the error has what it said."""

    class Unlucky(RedisTokenStore):
        def write(self, name: str, sign_in: SignIn | None) -> None:
            redis.kill()
            super().write(name, sign_in)

    before = signed_in(demo, RedisTokenStore(redis.url, key=KEY))
    begun = time.monotonic()
    with pytest.raises(NotKept) as lost:
        renew_sync(before, store=Unlucky(redis.url, key=KEY, timeout=1.0), force=True)
    assert isinstance(lost.value.sign_in, SignIn)
    assert lost.value.sign_in.tokens.refresh_token != before.tokens.refresh_token
    with pytest.raises(StoreError):
        renew_sync(before, store=RedisTokenStore(redis.url, key=KEY, timeout=1.0), force=True)
    assert time.monotonic() - begun < SOON
    assert renewals(demo) == 1
    assert renew_sync(before, store=RedisTokenStore(redis.url, key=KEY, timeout=1.0)) == before


def test_hosts_that_sign_in_at_once_open_one_browser(
    redis: RedisServer, demo: DemoAuthorizationServer
) -> None:
    """The store is asked whom to wait for, whatever host that is on."""
    script = (
        "import sys\n"
        "from loopback_auth.api import login_sync\n"
        "from loopback_auth.demo.user import SimulatedUser\n"
        "from loopback_auth.events import silent\n"
        "from loopback_auth.model import ClientConfig, Provider, ServerMetadata\n"
        "from loopback_auth.store.redis import RedisTokenStore\n"
        "client = ClientConfig(Provider('demo', ServerMetadata(sys.argv[3])), 'loopback-auth-demo')\n"
        "store, user = RedisTokenStore(sys.argv[1], key=sys.argv[2]), SimulatedUser()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "done = login_sync(client, store=store, open_browser=user.open, notify=silent, wait=True)\n"
        "print(done.tokens.access_token, len(user.links), flush=True)\n"
    )
    demo.delay["/token"] = 2.0
    command = [sys.executable, "-c", script, redis.url, KEY, demo.issuer]
    with ExitStack() as stack:
        hosts = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(4)
        ]
        for host in hosts:
            assert host.stdout is not None
            assert host.stdout.readline() == "ready\n"
        for host in hosts:
            assert host.stdin is not None
            host.stdin.write("\n")
            host.stdin.flush()
        said = [host.communicate(timeout=60)[0].split() for host in hosts]

    assert len({token for token, _ in said}) == 1
    assert sum(int(links) for _, links in said) == 1
