"""Sign-ins in Redis: encrypted, one holder at a time, and nothing overwritten that is not ours."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import trustme
from patience import SOON
from protocol_samples import json_answer
from redis_server import KEY, RedisServer, needs_redis
from registration_script import CLIENT, HAD, ISSUER, KEPT, URI, Script

from loopback_auth.errors import AuthorizationError, ConfigError, NotKept, SignInRequired, StoreError
from loopback_auth.events import silent
from loopback_auth.model import ServerMetadata
from loopback_auth.registration import Registration, Registrations
from loopback_auth.signin.dpop_keys import new_key
from loopback_auth.signin.registering import registered
from loopback_auth.signin.stores import keep
from loopback_auth.store.redis import RedisTokenStore
from loopback_auth.tokens import SignIn, TokenSet

pytestmark = [
    needs_redis,
    pytest.mark.skipif(sys.platform == "win32", reason="redis-server is not made for Windows"),
]

NAME = "example"
CANARY = "canary-7f3a"
TOKENS = TokenSet(f"access-{CANARY}", "Bearer", 0.0, refresh_token=f"refresh-{CANARY}", account=f"{CANARY}@x")
SIGN_IN = SignIn(NAME, "client", "none", ServerMetadata(), "", TOKENS)
NEW = replace(SIGN_IN, tokens=replace(TOKENS, refresh_token="refresh-2"))
OTHER_KEY = "another-key-0123456789abcdef-0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests here, which use prefixes of their own."""
    started = RedisServer(tmp_path_factory.mktemp("redis"))
    yield started
    started.kill()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """A prefix that no other test has."""
    return f"test[{request.node.name}]"


@pytest.fixture
def store(server: RedisServer, prefix: str) -> RedisTokenStore:
    """A store of one host."""
    return RedisTokenStore(server.url, key=KEY, prefix=prefix)


@pytest.fixture
def other(server: RedisServer, prefix: str) -> RedisTokenStore:
    """The store of another host."""
    return RedisTokenStore(server.url, key=KEY, prefix=prefix)


def raw(server: RedisServer) -> dict[str, bytes]:
    """Return everything that is in Redis as it is there."""
    from redis import Redis  # Of an extra.

    client = Redis.from_url(server.url)
    found = {}
    for key in cast("list[bytes]", client.keys("*")):
        if client.type(key) == b"string":
            found[key.decode()] = cast("bytes", client.get(key))
    client.close()
    return found


def put(server: RedisServer, key: str, value: bytes) -> None:
    """Write to Redis without the store."""
    from redis import Redis  # Of an extra.

    client = Redis.from_url(server.url)
    client.set(key, value)
    client.close()


def test_a_sign_in_is_kept_listed_replaced_and_forgotten(
    store: RedisTokenStore, other: RedisTokenStore
) -> None:
    """As in every other store; and what one host keeps the other one has."""
    before = store.names(), store.load(NAME), store.delete(NAME)
    store.check_writable()
    store.save(replace(SIGN_IN, name="second"))
    store.save(SIGN_IN)

    assert before == ((), None, False)
    assert (other.names(), other.load(NAME)) == ((NAME, "second"), SIGN_IN)
    other.save(NEW)
    assert store.load(NAME) == NEW
    assert (store.delete(NAME), store.delete(NAME), other.load(NAME)) == (True, False, None)
    with pytest.raises(ConfigError):
        store.load("../x")


def test_redis_sees_no_token_and_no_account(store: RedisTokenStore, server: RedisServer) -> None:
    """Who reads the memory of Redis, or its backup, must not be signed in."""
    store.save(SIGN_IN)

    kept = b" ".join(raw(server).values())
    assert kept
    assert CANARY.encode() not in kept
    assert KEY.encode() not in kept


def test_the_key_of_bound_tokens_is_kept_encrypted_beside_them(
    store: RedisTokenStore, other: RedisTokenStore, server: RedisServer
) -> None:
    """Every host makes proofs with it (RFC 9449 §4.2)."""
    key = new_key()
    bound = replace(SIGN_IN, tokens=replace(TOKENS, token_type="DPoP"), dpop_key=key)
    store.save(bound)

    assert other.load(NAME) == bound
    assert key["d"] not in repr(raw(server))


def test_registrations_are_kept_encrypted_and_are_not_among_the_sign_ins(
    store: RedisTokenStore, other: RedisTokenStore, server: RedisServer
) -> None:
    """They have secrets too, and every host uses the same client (RFC 7591 §3.2.1)."""
    issuer = "https://as.example/tenant"
    kept = Registrations((Registration(issuer, CANARY, ("http://127.0.0.1:8400/",), client_secret=CANARY),))
    store.write_registrations(issuer, kept)

    assert (other.read_registrations(issuer), other.registered_ports(issuer)) == (kept, (8400,))
    assert (other.read_registrations("https://as.example"), other.names()) == (None, ())
    assert CANARY not in repr(raw(server))

    other.write_registrations(issuer, None)
    assert store.read_registrations(issuer) is None


async def test_of_two_hosts_one_registers(store: RedisTokenStore, other: RedisTokenStore) -> None:
    """Both look under the same lock, and the second one finds what the first one has kept."""
    servers = Script(json_answer({"client_id": "id-1"}, 201)), Script(json_answer(HAD))

    async def client_id(server: Script, host: RedisTokenStore) -> str:
        found = await registered(CLIENT, URI, server.run_async, host, None, notify=silent)
        return found.client_id

    assert await client_id(servers[0], store) == "id-1"
    kept = store.read_registrations(ISSUER)
    assert kept is not None
    store.write_registrations(ISSUER, kept.used(KEPT))
    assert await client_id(servers[1], other) == "id-1"
    assert [server.asked for server in servers] == [[("POST", "/register")], [("GET", "/register/id-1")]]


def test_a_sign_in_that_was_moved_to_another_name_is_refused(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """Who can write to Redis could otherwise send the token of one server to another one."""
    second = replace(SIGN_IN, name="second")
    store.save(SIGN_IN)
    store.save(second)
    here, there = (raw(server)[f"{prefix}:{{{name}}}"] for name in (NAME, "second"))
    put(server, f"{prefix}:{{{NAME}}}", there)
    put(server, f"{prefix}:{{second}}", here)

    for name in (NAME, "second"):
        with pytest.raises(StoreError):
            store.load(name)
    put(server, f"{prefix}:{{second}}", there[:-1] + bytes([there[-1] ^ 1]))
    with pytest.raises(StoreError):
        store.load("second")
    put(server, f"{prefix}:{{second}}", there)
    assert store.load("second") == second
    elsewhere = RedisTokenStore(server.url, key=KEY, prefix=f"{prefix}-2")
    put(server, f"{prefix}-2:{{second}}", there)
    with pytest.raises(StoreError):
        elsewhere.load("second")


def test_a_wrong_key_reads_nothing_and_overwrites_nothing(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """A host with an old configuration must not throw away what all others use."""
    store.save(SIGN_IN)
    wrong = RedisTokenStore(server.url, key=OTHER_KEY, prefix=prefix)
    uses: list[Callable[[], object]] = [
        lambda: wrong.load(NAME),
        lambda: wrong.save(NEW),
        lambda: wrong.delete(NAME),
    ]
    for use in uses:
        with pytest.raises(StoreError):
            use()

    assert store.load(NAME) == SIGN_IN


def test_what_is_not_encrypted_at_all_is_left_alone(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """Another program has that prefix."""
    put(server, f"{prefix}:{{{NAME}}}", b"something else")
    with pytest.raises(StoreError):
        store.load(NAME)
    with pytest.raises(StoreError):
        store.save(NEW)

    assert raw(server)[f"{prefix}:{{{NAME}}}"] == b"something else"


def test_keys_are_replaced_while_all_hosts_work(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """The new one goes first, and the old one away when everything has been renewed."""
    store.save(SIGN_IN)
    both = RedisTokenStore(server.url, key=(OTHER_KEY.encode(), KEY), prefix=prefix)
    assert both.load(NAME) == SIGN_IN
    both.save(NEW)
    assert both.load(NAME) == NEW
    assert RedisTokenStore(server.url, key=OTHER_KEY, prefix=prefix).load(NAME) == NEW
    with pytest.raises(StoreError):
        store.load(NAME)


@pytest.mark.parametrize("key", ["", "short", b"short", (), ("x" * 32, 7)], ids=repr)
def test_a_key_that_protects_nothing_is_refused(key: object) -> None:
    """A password of eight characters is found in an hour by whoever has the memory of Redis."""
    with pytest.raises(ConfigError) as refused:
        RedisTokenStore("redis://127.0.0.1:1", key=key)  # type: ignore[arg-type]
    assert "short" not in refused.value.message
    # As reporters of errors do, which show what the frames have.
    assert traceback.TracebackException.from_exception(refused.value, capture_locals=True).stack


@pytest.mark.parametrize(
    "url", ["", "http://x", "redis://127.0.0.1:x", f"redis://:{CANARY}@h:99999999/?db=x"]
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    """The error is shown to people, and ends in logs."""
    with pytest.raises(ConfigError) as refused:
        RedisTokenStore(url, key=KEY)
    assert CANARY not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("library", ["redis", "cryptography"])
def test_a_missing_library_is_named_with_its_extra(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not installed with the package, because most programs run on one host."""
    for name in [name for name in sys.modules if name == library or name.startswith(f"{library}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=library) as refused:
        RedisTokenStore("redis://127.0.0.1:1", key=KEY)
    assert "loopback-auth[redis]" in refused.value.hint


@pytest.mark.parametrize(("argument", "seconds"), [("lease", 0.0), ("timeout", 0.5), ("lease", float("nan"))])
def test_times_that_cannot_work_are_refused(argument: str, seconds: float) -> None:
    """A lease of no time protects nothing, and a wait of half a second would count as a failure."""
    with pytest.raises(ConfigError) as refused:
        RedisTokenStore("redis://127.0.0.1:1", key=KEY, **{argument: seconds})  # type: ignore[arg-type]
    assert refused.value.parameter == argument


def test_redis_by_tls_is_who_it_says(tmp_path: Path) -> None:
    """What is kept is encrypted anyway, but whoever is in between could answer that nothing is kept."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    server = RedisServer(tmp_path, certificate=tmp_path / "server.pem")
    try:
        store = RedisTokenStore(f"{server.url}?ssl_ca_certs={tmp_path / 'ca.pem'}", key=KEY)
        store.save(SIGN_IN)
        assert store.load(NAME) == SIGN_IN
        with pytest.raises(StoreError):
            RedisTokenStore(server.url, key=KEY).load(NAME)
    finally:
        server.kill()


def test_a_password_in_the_url_is_shown_nowhere(tmp_path: Path) -> None:
    """Neither when it is right nor when it is wrong."""
    server = RedisServer(tmp_path, password=CANARY)
    try:
        store = RedisTokenStore(server.url, key=KEY)
        store.save(SIGN_IN)
        assert store.load(NAME) == SIGN_IN
        wrong = RedisTokenStore(server.url.replace(CANARY, f"{CANARY}-2"), key=KEY)
        with pytest.raises(StoreError) as refused:
            wrong.load(NAME)
    finally:
        server.kill()
    shown = "".join(traceback.format_exception(refused.value)) + repr(store) + repr(vars(store))
    assert CANARY not in shown
    assert KEY not in shown


@pytest.mark.slow
def test_a_redis_that_ends_or_stands_still_is_an_error_soon(tmp_path: Path) -> None:
    """A program that waits for a database for ever looks like one that has crashed."""
    server = RedisServer(tmp_path)
    store = RedisTokenStore(server.url, key=KEY, timeout=1.0)
    store.save(SIGN_IN)
    begun = time.monotonic()
    server.stand_still()
    with pytest.raises(StoreError):
        store.load(NAME)
    server.go_on()
    assert RedisTokenStore(server.url, key=KEY).load(NAME) == SIGN_IN
    server.kill()
    for use in (
        lambda: store.load(NAME),
        lambda: store.save(SIGN_IN),
        store.check_writable,
        store.names,
        lambda: store.lock(NAME).__enter__(),
    ):
        with pytest.raises(StoreError) as failed:
            use()
        assert str(server.port) in failed.value.message

    assert time.monotonic() - begun < SOON


async def test_tokens_are_not_lost_with_redis(tmp_path: Path) -> None:
    """They are new, and the server has forgotten the old ones."""
    server = RedisServer(tmp_path)
    store = RedisTokenStore(server.url, key=KEY)
    with store.lock(NAME):
        server.kill()
        with pytest.raises(NotKept) as lost:
            await keep(store, NEW)
    assert lost.value.sign_in == NEW


def test_of_threads_and_hosts_one_holds_the_lock(store: RedisTokenStore, other: RedisTokenStore) -> None:
    """Two renewals at once would revoke both (RFC 9700 §4.14.2)."""
    inside, most = [0], [0]

    def work(host: RedisTokenStore) -> None:
        for _ in range(5):
            with host.lock(NAME):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1

    threads = [threading.Thread(target=work, args=(host,)) for host in (store, other) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert most == [1]


def test_a_lock_is_waited_for_as_long_as_asked(store: RedisTokenStore, other: RedisTokenStore) -> None:
    """A caller has a time-out of its own; and another name is free."""
    with store.lock(NAME):
        for timeout in (0.0, 0.2):
            for host in (store, other):
                with pytest.raises(StoreError), host.lock(NAME, timeout):
                    raise AssertionError("not reached")
        with other.lock("second", 0.0):
            pass
    with other.lock(NAME, 0.0):
        pass


def test_whoever_waits_is_woken(
    store: RedisTokenStore, other: RedisTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that looks now and then would lose half a second at each renewal."""
    monkeypatch.setattr("loopback_auth.store.redis_lock.LOOK_SECONDS", 2 * SOON)
    waiting = threading.Event()
    took: list[float] = []

    def wait() -> None:
        waiting.set()
        with other.lock(NAME):
            took.append(time.monotonic())

    thread = threading.Thread(target=wait)
    with store.lock(NAME):
        thread.start()
        waiting.wait(SOON)
        time.sleep(0.1)
        left = time.monotonic()
    thread.join(SOON)

    assert took[0] - left < SOON


@pytest.mark.slow
def test_the_lease_of_a_living_host_is_extended(server: RedisServer, prefix: str) -> None:
    """A slow server must not cost the lock."""
    one, two = (RedisTokenStore(server.url, key=KEY, prefix=prefix, lease=2.0) for _ in range(2))
    with one.lock(NAME), pytest.raises(StoreError), two.lock(NAME, 2.5):
        raise AssertionError("not reached")


@contextlib.contextmanager
def standing_still(server: RedisServer, prefix: str) -> Iterator[RedisTokenStore]:
    """Give a store whose host holds the lock, and does not extend it."""
    host = RedisTokenStore(server.url, key=KEY, prefix=prefix, lease=0.05)
    lock = host.lock(NAME)
    with lock:
        ended = lock._lease._ended  # type: ignore[attr-defined]
        assert ended is not None
        ended.set()
        yield host


def test_a_host_that_stood_still_overwrites_nothing(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """Another one has worked since: this is what the number of the lock is for."""
    store.save(SIGN_IN)
    with standing_still(server, prefix) as late:
        with store.lock(NAME):
            store.save(NEW)
        with pytest.raises(StoreError):
            late.save(SIGN_IN)
        with pytest.raises(StoreError):
            late.delete(NAME)
        with pytest.raises(StoreError):
            late.begin_refresh(NEW)
    assert store.load(NAME) == NEW


def test_a_host_that_stood_still_keeps_what_it_has_if_no_other_has_worked(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """Its lease has lapsed, and its tokens are the only ones that are good."""
    store.save(SIGN_IN)
    with standing_still(server, prefix) as late:
        time.sleep(0.1)
        late.save(NEW)
    assert store.load(NAME) == NEW


def test_a_refresh_token_that_may_be_used_up_is_not_sent_again(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """The server would revoke the whole grant (RFC 9700 §4.14.2); the first host may come back."""
    store.save(SIGN_IN)
    with standing_still(server, prefix) as late:
        late.begin_refresh(SIGN_IN)
        with store.lock(NAME), pytest.raises(SignInRequired):
            store.begin_refresh(SIGN_IN)
        assert store.load(NAME) == SIGN_IN
        late.save(NEW)
    with store.lock(NAME):
        with pytest.raises(StoreError):
            store.begin_refresh(SIGN_IN)
        store.begin_refresh(NEW)


def test_a_new_sign_in_ends_the_doubt(store: RedisTokenStore, server: RedisServer, prefix: str) -> None:
    """The user has signed in again, and what the first host brings is of the grant before."""
    store.save(SIGN_IN)
    with standing_still(server, prefix) as late:
        late.begin_refresh(SIGN_IN)
        with store.lock(NAME):
            store.save(NEW)
            store.begin_refresh(NEW)
        with pytest.raises(StoreError):
            late.save(SIGN_IN)
    assert store.load(NAME) == NEW


def test_whoever_asks_for_it_sends_it_again(store: RedisTokenStore, server: RedisServer, prefix: str) -> None:
    """Some servers accept a refresh token twice for a while, and some programs can ask no user."""
    store.save(SIGN_IN)
    bold = RedisTokenStore(server.url, key=KEY, prefix=prefix, resend=True)
    with standing_still(server, prefix) as late:
        late.begin_refresh(SIGN_IN)
        with bold.lock(NAME):
            bold.begin_refresh(SIGN_IN)
            bold.save(NEW)
        with pytest.raises(StoreError):
            late.save(SIGN_IN)


def test_a_refresh_token_that_stays_is_sent_again(
    store: RedisTokenStore, server: RedisServer, prefix: str
) -> None:
    """Its server does not rotate, so that nothing is used up."""
    store.save(SIGN_IN)
    with store.lock(NAME):
        store.begin_refresh(SIGN_IN)
        store.save(replace(SIGN_IN, tokens=replace(TOKENS, access_token="second")))
    with standing_still(server, prefix) as late:
        late.begin_refresh(SIGN_IN)
        with store.lock(NAME):
            store.begin_refresh(SIGN_IN)


def test_a_request_that_failed_leaves_no_doubt(store: RedisTokenStore) -> None:
    """Its host is alive, and knows."""
    store.save(SIGN_IN)
    with store.lock(NAME):
        store.begin_refresh(SIGN_IN)
        store.abandon_refresh(SIGN_IN)
    with store.lock(NAME):
        store.begin_refresh(SIGN_IN)


def test_hosts_learn_who_signs_in_and_how_it_ended(store: RedisTokenStore, other: RedisTokenStore) -> None:
    """By the clock of the one that asks: those of two hosts differ."""
    since = time.time()
    leader, follower = store.sign_in_lock(NAME), other.sign_in_lock(NAME)
    assert leader.lead()
    assert leader.lead()
    with leader:
        assert not follower.lead()
        assert follower.leader() > 0
        assert not follower.ended_since(since)
    assert follower.ended_since(since)
    assert not follower.ended_since(time.time() + 5)
    assert follower.lead()
    with contextlib.suppress(AuthorizationError), follower:
        raise AuthorizationError("access_denied")
    with pytest.raises(SignInRequired):
        leader.ended_since(since)


@pytest.mark.parametrize("said", [b"7", b"null", b"[1]", b'"ended_at"', b"\xff", b""])
def test_what_others_wrote_into_a_lock_says_nothing(
    store: RedisTokenStore, server: RedisServer, prefix: str, said: bytes
) -> None:
    """Another program may share the database; what a leader says is optional."""
    put(server, f"{prefix}:{{{NAME}}}:turn:said", said)
    lock = store.sign_in_lock(NAME)

    assert lock.leader() == 0
    assert not lock.ended_since(0)
