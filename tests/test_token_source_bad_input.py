"""Refused tokens, clocks that jump, short lives, stores that fail or lie: no storm, and no token is lost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from renewing import NAME, FailingStore, ending_in, keeping, sign_in_at, token_endpoint

from loopback_auth import token_acquisition, token_cache, token_source
from loopback_auth.errors import ConfigError, LoopbackAuthError, SignInRequired, StillRefused, StoreError
from loopback_auth.events import Event, Warned
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.signin import process_state
from loopback_auth.signin.logout import logout_sync
from loopback_auth.signin.process_state import MOST_REFUSED, NEW_SECONDS, REFUSED_FOR
from loopback_auth.store import FileTokenStore
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.damaged import Damaged
from loopback_auth.store.interface import TokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.testing import DemoAuthorizationServer, Faults, SimulatedUser, serve
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn


class Clock:
    """Two clocks that go on when they are told to; the wall clock can be set."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.set_by = 0.0

    def time(self) -> float:
        """Return Unix seconds."""
        return time.time() + self.passed + self.set_by

    def monotonic(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic() + self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which sources go."""
    clock = Clock()
    for module in (token_cache, token_source, token_acquisition, process_state):
        monkeypatch.setattr(module, "time", clock)
    wall = time.time
    monkeypatch.setattr(
        "loopback_auth.signin.refresh.time.time", lambda: wall() + clock.passed + clock.set_by
    )
    monkeypatch.setattr(Clock, "time", lambda _: time.time())
    return clock


def at(issuer: str) -> ClientConfig:
    """Return the client that made the sign-ins at a server."""
    return ClientConfig(Provider(NAME, ServerMetadata(issuer)), "client", scope="read")


# Refused tokens


async def test_a_server_that_refuses_everything_ends_in_an_error() -> None:
    """A loop around the request would renew for ever: the fault is with the server that refuses."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=keeping(ending_in(sign_in, 600)), interactive=False)
        token = await source.token()
        for _ in range(1 + MOST_REFUSED):
            token = await source.token(refused=token)
        with pytest.raises(StillRefused) as refusal:
            await source.token(refused=token)
        assert len(server.sent) == 1 + MOST_REFUSED
        assert await source.token() == token
        assert "--" not in refusal.value.hint


async def test_a_refused_token_can_be_renewed_again_after_a_while(clock: Clock) -> None:
    """A server that revokes a token now and then is no fault."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=keeping(ending_in(sign_in, 600)), interactive=False)
        token = await source.token()
        for pause in (REFUSED_FOR / 2, NEW_SECONDS):
            for _ in range(2 * MOST_REFUSED):
                token = await source.token(refused=token)
                clock.passed += pause
        assert len(server.sent) == 4 * MOST_REFUSED


async def test_what_another_process_has_renewed_is_the_answer_to_a_refusal(tmp_path: Path) -> None:
    """It has met the same refusal a moment before."""
    async with token_endpoint() as (server, sign_in):
        FileTokenStore(str(tmp_path)).save(ending_in(sign_in, 600))
        one, other = (
            TokenSource(at(server.issuer), store=FileTokenStore(str(tmp_path)), interactive=False)
            for _ in range(2)
        )
        old = await one.token()
        assert await other.token() == old
        new = await one.token(refused=old)
        assert await other.token(refused=old) == new
        assert len(server.sent) == 1


async def test_an_invalid_token_in_a_challenge_is_a_refusal() -> None:
    """RFC 6750 §3.1: the resource server may have more to say than the status."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=keeping(ending_in(sign_in, 600)), interactive=False)
        old = await source.token()
        assert await source.token(challenge='Basic realm="x"') == old
        assert await source.token(challenge='Bearer error="invalid_token"') == "access-1"
        assert await source.token(challenge='Bearer error="invalid_token"', refused=old) == "access-1"
        assert len(server.sent) == 1


def test_without_a_refresh_token_the_user_is_asked_once(server: DemoAuthorizationServer) -> None:
    """A server that refuses the new token, too, would open one browser after the other."""
    user = SimulatedUser()
    source = TokenSource(server.client(), open_browser=user.open, flow="token", notify=lambda _: None)
    old = source.token_sync()
    new = source.token_sync(refused=old)

    assert source.token_sync(refused=old) == new != old
    with pytest.raises(StillRefused):
        source.token_sync(refused=new)
    user.page_sync()
    assert len(user.links) == 2


@pytest.mark.parametrize("wrong", [b"t", 7, ["t"], True])
def test_what_is_no_token_is_refused_at_once(wrong: object) -> None:
    """A response in place of its header is an easy mistake."""
    source = TokenSource(at("http://127.0.0.1:1"), store=keeping(sign_in_at("http://127.0.0.1:1")))

    with pytest.raises(ConfigError, match="refused"):
        source.token_sync(refused=wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="challenge"):
        source.token_sync(challenge=wrong)  # type: ignore[arg-type]


# More scope


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve the demonstration, which revokes everything when a refresh token is used twice."""
    with serve(scopes={"files": "See your files."}) as running:
        yield running


def narrow_source(server: DemoAuthorizationServer, user: SimulatedUser) -> TokenSource:
    """Return a source whose user has signed in with one scope."""
    source = TokenSource(
        server.client(scope="profile"),
        store=MemoryTokenStore(),
        open_browser=user.open,
        flow="code",
        notify=lambda _: None,
    )
    source.token_sync()
    user.page_sync()
    return source


def test_a_step_up_loses_nothing_that_was_granted(server: DemoAuthorizationServer) -> None:
    """RFC 6750 §3.1 names what the resource needs, which is less than what the program needs."""
    user = SimulatedUser()
    source = narrow_source(server, user)
    old = source.token_sync()
    challenge = 'Bearer error="insufficient_scope", scope="email"'
    new = source.token_sync(challenge=challenge, refused=old)
    kept = source.sign_in_sync()
    user.page_sync()

    assert set(kept.tokens.scope.split()) == {"profile", "email"}
    assert source.token_sync() == new != old
    # Those that come later with the same challenge get the same token.
    assert source.token_sync(challenge=challenge, refused=old) == new
    assert source.token_sync(challenge=challenge) == new
    assert len(user.links) == 2


def test_sources_with_other_scopes_do_not_take_each_others(server: DemoAuthorizationServer) -> None:
    """Two parts of a program that each want a scope more would ask the user in turns."""
    user = SimulatedUser()
    source = narrow_source(server, user)
    one, other = source.with_scope("email"), source.with_scope("files")
    for _ in range(2):
        one.token_sync()
        other.token_sync()
        source.token_sync()
    user.page_sync()

    assert len(user.links) == 3
    assert one.token_sync() == other.token_sync() == source.token_sync()


def test_a_scope_that_the_user_does_not_allow_is_not_asked_for_again(server: DemoAuthorizationServer) -> None:
    """Each request of the program would open a browser."""
    user = SimulatedUser()
    source = narrow_source(server, user)
    server.faults = Faults(narrow_scope="profile email")
    for _ in range(2):
        with pytest.raises(SignInRequired) as refusal:
            source.token_sync(challenge='Bearer error="insufficient_scope", scope="email files"')
        assert refusal.value.scope == "email files"
    user.page_sync()

    assert len(user.links) == 2
    assert set(source.sign_in_sync().tokens.scope.split()) == {"profile", "email"}


def test_a_source_that_must_not_ask_says_what_is_missing() -> None:
    """The program can ask for it in its own way."""
    source = TokenSource(
        at("http://127.0.0.1:1"), store=keeping(sign_in_at("http://127.0.0.1:1")), interactive=False
    )
    with pytest.raises(SignInRequired) as refusal:
        source.with_scope("admin read").token_sync()

    assert refusal.value.scope == "admin"


# Clocks and short lives


@pytest.mark.parametrize("leeway", [None, 0, 4.9, 60, 1e6])
async def test_tokens_of_five_seconds_are_not_renewed_at_every_call(
    clock: Clock, leeway: float | None
) -> None:
    """Twenty calls a second for ten seconds used to be two hundred renewals."""
    async with token_endpoint() as (server, sign_in):
        server.document = {"expires_in": 5}
        source = TokenSource(at(server.issuer), store=keeping(sign_in), interactive=False, leeway=leeway)
        for _ in range(200):
            await source.token()
            clock.passed += 0.05
        assert 2 <= len(server.sent) <= 5


async def test_tokens_that_hardly_live_are_renewed_once_a_second(clock: Clock) -> None:
    """Otherwise each call would be a renewal."""
    async with token_endpoint() as (server, sign_in):
        server.document = {"expires_in": 1}
        source = TokenSource(at(server.issuer), store=keeping(sign_in), interactive=False)
        for _ in range(100):
            await source.token()
            clock.passed += 0.05
        assert 4 <= len(server.sent) <= 7


@pytest.mark.parametrize("jump", [-7200.0, -1800.0, -30.0, 30.0, 7200.0])
async def test_a_clock_that_is_set_is_no_storm(clock: Clock, jump: float) -> None:
    """Forwards every token has expired, backwards each is from the future: one new one is enough."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=keeping(ending_in(sign_in, 3000)), interactive=False)
        await source.token()
        clock.set_by += jump
        for _ in range(20):
            clock.passed += 0.3
            await source.token()
        assert len(server.sent) <= 1


async def test_a_clock_that_was_set_back_does_not_keep_a_token_for_ever(clock: Clock) -> None:
    """The other clock shows that its lifetime is over."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=keeping(ending_in(sign_in, 600)), interactive=False)
        assert await source.token() == "access-0"
        clock.set_by -= 600
        clock.passed += 599
        assert await source.token() == "access-0"
        clock.passed += 2
        assert await source.token() == "access-1"
        assert await source.token() == "access-1"
        assert len(server.sent) == 1


async def test_a_server_in_trouble_is_not_asked_at_every_call(clock: Clock) -> None:
    """The token still works for a minute, and a thousand requests would be a thousand attempts."""
    events: list[Event] = []
    async with token_endpoint() as (server, sign_in):
        server.status = 503
        source = TokenSource(
            at(server.issuer), store=keeping(ending_in(sign_in, 30)), interactive=False, notify=events.append
        )
        for _ in range(20):
            assert await source.token() == "access-0"
            clock.passed += 0.05
        warned = len([event for event in events if isinstance(event, Warned)])
        assert 1 <= warned <= 2
        server.status = 200
        clock.passed += 1
        assert await source.token() != "access-0"


# Stores


class BrokenStore(MemoryTokenStore):
    """A store whose reading fails as a database does, if it is told to."""

    broken = True

    def read(self, name: str) -> SignIn | None:
        """Fail."""
        if self.broken:
            raise ZeroDivisionError
        return super().read(name)


async def test_a_store_that_fails_is_an_error_of_ours() -> None:
    """A program catches LoopbackAuthError, and not what its database raises."""
    store = BrokenStore()
    source = TokenSource(at("http://127.0.0.1:1"), store=store)
    for failing in (source.token_sync, source.sign_in_sync, source.logout_sync):
        with pytest.raises(StoreError) as failure:
            failing()
        assert isinstance(failure.value.__cause__, ZeroDivisionError)
    with pytest.raises(StoreError):
        await source.token()


def test_a_store_that_fails_for_a_while_does_not_stop_a_program(clock: Clock) -> None:
    """It has a token in its hands that is good for an hour."""
    store = BrokenStore()
    store.broken = False
    store.save(ending_in(sign_in_at("http://127.0.0.1:1"), 600))
    source = TokenSource(at("http://127.0.0.1:1"), store=store, interactive=False)
    token = source.token_sync()
    store.broken = True
    for _ in range(5):
        clock.passed += 1.5
        assert source.token_sync() == token
    clock.passed += 600
    with pytest.raises(StoreError):
        source.token_sync()


@pytest.mark.parametrize("answer", [{}, "text", replace(sign_in_at("http://127.0.0.1:1"), name="other")])
async def test_a_store_that_returns_nonsense_is_an_error_of_ours(answer: object) -> None:
    """A token of another name must not be handed out."""

    class Lying(MemoryTokenStore):
        def read(self, name: str) -> SignIn | None:
            return answer  # type: ignore[return-value]

    source = TokenSource(at("http://127.0.0.1:1"), store=Lying(), interactive=False)
    with pytest.raises(StoreError):
        source.token_sync()
    with pytest.raises(StoreError):
        await source.token()


async def test_a_store_that_keeps_nothing_of_a_renewal_costs_no_second_use() -> None:
    """It says that it has kept the tokens, and has the old ones: the old refresh token is used up."""

    class Forgetful(MemoryTokenStore):
        first = True

        def write(self, name: str, sign_in: SignIn | None) -> None:
            if self.first:
                super().write(name, sign_in)
            self.first = False

    async with token_endpoint() as (server, sign_in):
        store = Forgetful()
        store.save(sign_in)
        source = TokenSource(at(server.issuer), store=store, interactive=False, notify=lambda _: None)
        tokens = [await source.token() for _ in range(5)]
        assert set(tokens) == {"access-1"}
        assert [form["refresh_token"] for form in server.sent] == ["refresh-0"]


async def test_tokens_that_are_not_kept_are_never_renewed_with_the_old_refresh_token() -> None:
    """Refused or expired: the refresh token in the store was used (RFC 9700 §4.14.2)."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(
            at(server.issuer), store=FailingStore(sign_in), interactive=False, notify=lambda _: None
        )
        token = await source.token()
        with pytest.raises(StoreError):
            await source.token(refused=token)
        assert await source.token() == token
        assert len(server.sent) == 1


class AsyncMemory(AsyncTokenStore):
    """A store that is bound to one loop, as the client of a database is."""

    def __init__(self, sign_in: SignIn) -> None:
        self._loop = asyncio.get_running_loop()
        self._kept: SignIn | None = sign_in
        self.looks = 0

    async def read(self, name: str) -> SignIn | None:
        """Return what is kept."""
        assert asyncio.get_running_loop() is self._loop
        self.looks += 1
        return self._kept

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep it, or remove it."""
        assert asyncio.get_running_loop() is self._loop
        self._kept = sign_in


async def test_a_store_with_coroutines_is_used_in_the_loop_of_the_caller() -> None:
    """The connection of a database belongs to one loop."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=AsyncMemory(sign_in), interactive=False)
        tokens = await asyncio.gather(*(source.token() for _ in range(10)))
        assert set(tokens) == {"access-1"}
        assert (await source.sign_in()).tokens.refresh_token == "refresh-1"
        assert len(server.sent) == 1


async def test_a_store_with_coroutines_is_looked_at_once_a_second(clock: Clock) -> None:
    """It may be a database on another machine."""
    store = AsyncMemory(ending_in(sign_in_at("http://127.0.0.1:1"), 600))
    source = TokenSource(at("http://127.0.0.1:1"), store=store, interactive=False)
    for _ in range(100):
        assert await source.token() == "access-0"
        clock.passed += 0.05
    assert 5 <= store.looks <= 6
    await store.delete(NAME)
    with pytest.raises(SignInRequired):
        await source.token()


async def test_a_notify_that_fails_costs_no_token(caplog: pytest.LogCaptureFixture) -> None:
    """The widget that shows warnings is gone, and the program goes on."""

    def fail(_: Event) -> None:
        raise ZeroDivisionError

    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=keeping(sign_in), interactive=False, notify=fail)
        assert await source.token() == "access-1"
        assert await asyncio.to_thread(lambda: source.token_sync(refused="access-1")) == "access-2"
    assert {record.exc_info[0] for record in caplog.records if record.exc_info} == {ZeroDivisionError}


async def test_a_notify_may_be_a_coroutine_function_of_the_callers_loop() -> None:
    """A window draws in its own loop, and a renewal does not run there."""
    told: list[str] = []
    loop = asyncio.get_running_loop()

    async def tell(event: Event) -> None:
        await asyncio.sleep(0)
        assert asyncio.get_running_loop() is loop
        told.append(type(event).__name__)

    async with token_endpoint() as (server, sign_in):
        server.status = 503
        source = TokenSource(
            at(server.issuer), store=keeping(ending_in(sign_in, 30)), interactive=False, notify=tell
        )
        assert await source.token() == "access-0"

    assert told[-1] == "Warned"


def write_file(folder: Path, change: object) -> FileTokenStore:
    """Keep a fresh sign-in in a file as another version of this package may have written it."""
    store = FileTokenStore(str(folder))
    store.save(ending_in(sign_in_at("http://127.0.0.1:1"), 600))
    path = Path(store.path(NAME))
    if isinstance(change, dict):
        members = json.loads(path.read_text()) | change
        path.write_text(json.dumps({name: value for name, value in members.items() if value is not None}))
    else:
        path.write_text(str(change))
    return store


@pytest.mark.parametrize(
    "change",
    [
        {
            "resource": None,
            "audience": None,
            "network": None,
            "quirks": None,
            "revoke_url": None,
            "flow": None,
        },
        {"of_a_later_version": [1, {"a": None}]},
    ],
)
def test_what_an_older_or_later_version_has_kept_is_used(tmp_path: Path, change: object) -> None:
    """Two programs with two versions share a folder."""
    source = TokenSource(at("http://127.0.0.1:1"), store=write_file(tmp_path, change), interactive=False)

    assert source.token_sync() == "access-0"
    assert source.sign_in_sync().tokens.access_token == "access-0"


@pytest.mark.parametrize(
    "change",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"x"',
        "\x00",
        "é",
        {"tokens": []},
        {"tokens": {}},
        {"version": 2},
        {"version": True},
        {"name": "other"},
        {"metadata": 7},
        {"tokens": {"access_token": 7}},
        {"quirks": []},
        {"resource": 7},
        {"requested_scope": 7},
        {"client_id": ["client"]},
        {"resource": "https://api.example"},
    ],
)
def test_a_damaged_file_is_an_error_and_no_token(tmp_path: Path, change: object) -> None:
    """The quick look must not take for right what the complete reading refuses."""
    store = write_file(tmp_path, change)
    before = Path(store.path(NAME)).read_bytes()
    client = replace(at("http://127.0.0.1:1"), scope="")
    source = TokenSource(client, store=store, interactive=False)
    with pytest.raises(LoopbackAuthError):
        source.token_sync()

    assert Path(store.path(NAME)).read_bytes() == before


def test_a_damaged_file_leads_to_a_new_sign_in_once(tmp_path: Path) -> None:
    """A program that has nothing but the source could not go on; the damaged file is renamed."""
    user, told = SimulatedUser(), list[Event]()
    with serve() as server:
        store, client = FileTokenStore(tmp_path), server.client()
        store.save(server.sign_in())
        path = Path(store.path(client.provider.name))
        path.write_text("{")
        source = TokenSource(client, store=store, open_browser=user.open, flow="code", notify=told.append)
        with pytest.raises(SignInRequired, match="damaged"):
            source.without_asking().token_sync()
        assert source.token_sync() == TokenSource(client, store=store, interactive=False).token_sync()
        assert len(user.links) == 1
        assert any(isinstance(event, Warned) and "damaged" in event.text for event in told)
        assert [*path.parent.glob("*.corrupt-*")]
        user.page_sync()


def test_a_file_of_a_newer_version_stays(tmp_path: Path) -> None:
    """It is not damaged: another program on this machine can read it, and may need its refresh token."""
    user = SimulatedUser()
    store = write_file(tmp_path, {"version": 2})
    before = Path(store.path(NAME)).read_bytes()
    source = TokenSource(at("http://127.0.0.1:1"), store=store, open_browser=user.open, flow="code")
    with pytest.raises(StoreError, match="newer version"):
        source.token_sync()
    with pytest.raises(StoreError, match="newer version"):
        source.logout_sync()

    assert (user.links, Path(store.path(NAME)).read_bytes()) == ([], before)


def test_a_store_that_stays_damaged_is_no_reason_to_ask_again(tmp_path: Path) -> None:
    """Each call would open a browser."""

    class Broken(FileTokenStore):
        def read(self, name: str) -> SignIn | None:
            """Fail for ever."""
            raise Damaged("It is damaged.")

        def glance(self, name: str) -> SignIn | None:
            """Fail likewise."""
            return self.read(name)

    user = SimulatedUser()
    with serve() as server:
        source = TokenSource(
            server.client(),
            store=Broken(tmp_path),
            open_browser=user.open,
            flow="code",
            notify=lambda _: None,
        )
        source.token_sync()
        user.page_sync()
        with pytest.raises(StoreError):
            source.sign_in_sync()
        assert len(user.links) == 1


@pytest.mark.parametrize("by_source", [True, False])
def test_signing_out_deletes_what_is_damaged(tmp_path: Path, *, by_source: bool) -> None:
    """A token may be in it, and there is no other way to get rid of it than by hand."""
    store = write_file(tmp_path, "{")
    client = at("http://127.0.0.1:1")
    Path(store.path(NAME)).write_text("{")
    if by_source:
        assert TokenSource(client, store=store).logout_sync() is False
    else:
        assert logout_sync(client, store=store) is False

    assert store.names() == ()


# Two clients on one name


def test_two_clients_on_one_name_do_not_replace_each_other_for_ever() -> None:
    """Each would ask the user at each call, and lose the refresh token of the other."""
    user, store = SimulatedUser(), MemoryTokenStore()
    events: list[Event] = []
    with serve() as one_server, serve() as other_server:
        one, other = (
            TokenSource(
                server.client(name="same"),
                store=store,
                open_browser=user.open,
                flow="code",
                notify=events.append,
            )
            for server in (one_server, other_server)
        )
        first = one.token_sync()
        assert [event for event in events if isinstance(event, Warned)] == []
        second = other.token_sync()
        [warning] = [event for event in events if isinstance(event, Warned) and "replaced" in event.text]
        with pytest.raises(ConfigError) as clash:
            one.token_sync()
        user.page_sync()

        assert "another server" in warning.text
        assert clash.value.parameter == "name"
        assert other.token_sync() == second != first
        assert len(user.links) == 2


def test_the_arguments_are_checked_when_the_source_is_made() -> None:
    """Not when the first token is needed, in the middle of a request."""
    client = at("http://127.0.0.1:1")
    for wrong in (
        {"leeway": -1},
        {"leeway": "60"},
        {"leeway": True},
        {"leeway": float("nan")},
        {"interactive": 2},
    ):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            TokenSource(client, **wrong)
    with pytest.raises(ConfigError):
        TokenSource(client, store={})  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        TokenSource(sign_in_at("http://127.0.0.1:1"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="stor"):
        TokenSource(client, stor=None)  # type: ignore[call-arg]
    assert isinstance(TokenSource(client).store, TokenStore)
