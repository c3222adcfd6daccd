"""The source of tokens: never the wrong one, one renewal for all, a person only when nothing else helps."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import demo_client
import pytest
from renewing import (
    NAME,
    FailingStore,
    ending_in,
    keeping,
    sign_in_at,
    token_endpoint,
)

from loopback_auth.demo.serve import demo_thread
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import LoopbackAuthError, SignInRequired, TokenError, TransportError
from loopback_auth.events import Event, Warned
from loopback_auth.flows.reuse import why_not_reusable
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.quirks import Quirks
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

NOWHERE = "http://127.0.0.1:1"
# For a day, since all tests together may take a while.
KEPT = ending_in(sign_in_at(NOWHERE), 86_400.0, lifetime=90_000.0)
CLIENT = ClientConfig(Provider(NAME, KEPT.metadata), "client", scope="read")


def at(issuer: str) -> ClientConfig:
    """Return the client that made the sign-ins at a server."""
    return replace(CLIENT, provider=Provider(NAME, ServerMetadata(issuer)))


OTHERS = [
    (CLIENT, replace(KEPT, client_id="another")),
    (at("https://staging.example"), KEPT),
    (replace(CLIENT, provider=Provider(NAME, ServerMetadata(token_endpoint="https://x.example/t"))), KEPT),
    (
        replace(
            CLIENT, provider=Provider(NAME, ServerMetadata(authorization_endpoint="https://x.example/a"))
        ),
        KEPT,
    ),
    (at(NOWHERE), replace(KEPT, metadata=ServerMetadata(token_endpoint=KEPT.metadata.token_endpoint))),
    (replace(CLIENT, scope="read admin"), KEPT),
    (replace(CLIENT, resource=("https://api.example",)), KEPT),
    (CLIENT, replace(KEPT, resource=("https://api.example",))),
    (replace(CLIENT, resource=("https://a.example",)), replace(KEPT, resource=("https://b.example",))),
    (replace(CLIENT, audience="api"), KEPT),
    (replace(CLIENT, audience="api"), replace(KEPT, audience="another")),
]


@pytest.mark.parametrize(("client", "kept"), OTHERS)
async def test_what_was_made_for_something_else_is_not_handed_out(client: ClientConfig, kept: SignIn) -> None:
    """A token that is sent to another server than its own is that server's to keep."""
    source = TokenSource(client, store=keeping(kept), interactive=False)

    assert why_not_reusable(kept, client)
    with pytest.raises(SignInRequired, match="sign-in, but it"):
        await source.token()


@pytest.mark.parametrize(
    ("client", "kept"),
    [
        (CLIENT, KEPT),
        (at(NOWHERE), KEPT),
        (CLIENT, replace(KEPT, metadata=ServerMetadata(token_endpoint=KEPT.metadata.token_endpoint))),
        (replace(CLIENT, scope=""), KEPT),
        (replace(CLIENT, scope="write  read"), KEPT),
        (replace(CLIENT, scope="admin"), replace(KEPT, tokens=replace(KEPT.tokens, scope="admin"))),
        (replace(CLIENT, scope="read offline_access"), KEPT),
        (
            replace(CLIENT, scope="mail"),
            replace(
                KEPT,
                tokens=replace(KEPT.tokens, scope="https://x.example/mail"),
                quirks=Quirks(scope_aliases=(("mail", "https://x.example/mail"),)),
            ),
        ),
        # The person took a scope out: asking again each time would not bring it.
        (replace(CLIENT, scope="read write"), replace(KEPT, tokens=replace(KEPT.tokens, scope="read"))),
        (
            replace(CLIENT, resource=("https://a.example", "https://b.example")),
            replace(KEPT, resource=("https://b.example", "https://a.example")),
        ),
        (replace(CLIENT, audience="api"), replace(KEPT, audience="api")),
        (
            replace(
                CLIENT,
                provider=Provider(NAME, ServerMetadata("https://x.example"), allowed_issuer=NOWHERE),
            ),
            KEPT,
        ),
    ],
)
async def test_what_was_made_for_this_is_handed_out(client: ClientConfig, kept: SignIn) -> None:
    """Nobody is asked twice for the same."""
    source = TokenSource(client, store=keeping(kept), interactive=False)

    assert await source.token() == "access-0"


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    """Return each kind of store in turn."""
    return MemoryTokenStore() if request.param == "memory" else FileTokenStore(str(tmp_path))


async def test_a_new_scope_is_asked_for_and_a_known_one_is_not(store: TokenStore) -> None:
    """A new version of a program that wants one scope more has to get it."""
    user = SimulatedUser()
    with demo_thread() as demo:
        narrow = demo_client.client(demo.issuer, scope="profile")
        wide = replace(narrow, scope="profile email")
        for client, asked in ((narrow, 1), (narrow, 1), (wide, 2), (narrow, 2), (wide, 2)):
            source = TokenSource(client, store=store, open_browser=user.open, flow="code")
            await source.token()
            assert len(user.links) == asked
        await user.page()


def test_threads_with_loops_of_their_own_share_one_sign_in_and_one_renewal(store: TokenStore) -> None:
    """A program with worker threads has one source, and the person one browser."""
    user = SimulatedUser()
    with demo_thread() as demo, ThreadPoolExecutor(8) as threads:
        client = demo_client.client(demo.issuer, scope="profile")
        source = TokenSource(client, store=store, open_browser=user.open, flow="code")
        first = list(threads.map(lambda _: asyncio.run(source.token()), range(24)))
        user.page_sync()
        kept = store.load(client.provider.name)
        assert kept is not None
        store.save(ending_in(kept, -1))
        second = list(threads.map(lambda _: asyncio.run(source.token()), range(24)))

        assert len(user.links) == len(set(first)) == len(set(second)) == 1
        assert set(first) != set(second)
        assert demo.server.log["POST", "/token"] == 2


def test_a_loop_that_was_closed_in_the_middle_leaves_the_source_usable() -> None:
    """A notebook that is interrupted, a test that fails: the next call has to work."""
    user = SimulatedUser()
    opened = threading.Event()

    def second_time(url: str) -> Opening:
        if opened.is_set():
            return user.open(url)
        opened.set()
        return Opening(why_not="a test")

    with demo_thread() as demo:
        client = demo_client.client(demo.issuer, scope="profile")
        source = TokenSource(client, store=MemoryTokenStore(), open_browser=second_time, flow="code")

        async def main() -> None:
            asking = asyncio.create_task(source.token())
            await asyncio.to_thread(opened.wait, 20)
            raise ZeroDivisionError(asking)

        with pytest.raises(ZeroDivisionError):
            asyncio.run(main())
        assert asyncio.run(source.token())
        user.page_sync()


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (400, {"error": "invalid_grant"}),
        (200, {"error": "bad_refresh_token"}),
        (401, {"id": "unauthorized"}),
        (400, {"error": "invalid_client"}),
    ],
)
async def test_a_person_is_asked_after_any_refusal(status: int, document: dict[str, object]) -> None:
    """Whatever name the server gives it: the kept tokens are of no use any more."""
    asked = asyncio.Event()

    def note(_url: str) -> Opening:
        asked.set()
        return Opening(program="a browser")

    async with token_endpoint() as (server, sign_in):
        server.status, server.document = status, document
        store = keeping(sign_in)
        client = replace(at(server.issuer), scope="read")
        silent = TokenSource(client, store=store, interactive=False)
        with pytest.raises((SignInRequired, TokenError)):
            await silent.token()
        source = TokenSource(client, store=store, open_browser=note, flow="code")
        asking = asyncio.create_task(source.token())
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert store.load(NAME) == sign_in


async def test_a_refused_refresh_token_is_not_sent_at_every_call() -> None:
    """A program that asks for a token at each request of its own would be a flood; a new one is tried."""
    async with token_endpoint() as (server, sign_in):
        server.status, server.document = 400, {"error": "invalid_grant"}
        store = keeping(sign_in)
        source = TokenSource(at(server.issuer), store=store, interactive=False)
        for _ in range(5):
            with pytest.raises(SignInRequired, match="invalid_grant"):
                await source.token()
        assert len(server.sent) == 1
        store.save(replace(sign_in, tokens=replace(sign_in.tokens, refresh_token="another")))
        server.status, server.document = 200, {}
        assert await source.token() == "access-2"


async def test_an_identity_without_an_access_token_is_none() -> None:
    """`response_type=id_token` brings none, and an empty string would be sent as if it were one."""
    identity = replace(KEPT, tokens=replace(KEPT.tokens, access_token=""))
    source = TokenSource(CLIENT, store=keeping(identity), interactive=False)

    with pytest.raises(SignInRequired, match="no access token"):
        await source.token()


async def test_nobody_is_asked_because_the_server_is_not_well() -> None:
    """It will be well again, and the tokens are as good as before."""
    async with token_endpoint() as (server, sign_in):
        server.status = 503
        source = TokenSource(at(server.issuer), store=keeping(sign_in))
        with pytest.raises(TransportError):
            await source.token()


async def test_tokens_that_the_store_does_not_take_are_used_and_kept_later() -> None:
    """A disk that is full for a while must not end a program that has good tokens in its hands."""
    events: list[Event] = []
    async with token_endpoint() as (server, sign_in):
        store = FailingStore(sign_in)
        source = TokenSource(at(server.issuer), store=store, interactive=False, notify=events.append)
        assert [await source.token(), await source.token()] == ["access-1", "access-1"]
        assert len([one for one in events if isinstance(one, Warned)]) == 1
        assert store.load(NAME) == sign_in
        store.failures = 0
        assert await source.token() == "access-1"
        kept = store.load(NAME)
        assert kept is not None
        assert kept.tokens.refresh_token == "refresh-1"
        assert len(server.sent) == 1


async def test_what_another_program_has_kept_meanwhile_stands_above_memory() -> None:
    """The person may have signed in anew, as somebody else."""
    async with token_endpoint() as (server, sign_in):
        store = FailingStore(sign_in)
        source = TokenSource(at(server.issuer), store=store, interactive=False, notify=lambda _: None)
        await source.token()
        store.failures = 0
        newer = ending_in(replace(sign_in, tokens=replace(sign_in.tokens, access_token="newer")), 600)
        store.save(newer)
        assert await source.token() == "newer"
        assert store.load(NAME) == newer


async def test_the_leeway_of_a_source_is_the_callers(store: TokenStore) -> None:
    """A job of five minutes needs a token for as long."""
    async with token_endpoint() as (server, sign_in):
        store.save(ending_in(sign_in, 200))
        assert await TokenSource(at(server.issuer), store=store).token() == "access-0"
        assert await TokenSource(at(server.issuer), store=store, leeway=300).token() == "access-1"


def test_without_asyncio_the_error_says_how_it_can_be_done() -> None:
    """A bare "no running event loop" sends people to the wrong places."""
    source = TokenSource(CLIENT, store=keeping(KEPT))

    with pytest.raises(LoopbackAuthError, match="asyncio") as refusal:
        source.token().send(None)

    assert "trio.to_thread.run_sync(login_sync" in refusal.value.hint


async def test_a_refused_token_is_renewed_once_for_all() -> None:
    """Fifty requests that meet a revoked token are one renewal: a second one would revoke the first."""
    async with token_endpoint() as (server, sign_in):
        source = TokenSource(at(server.issuer), store=keeping(ending_in(sign_in, 600)), interactive=False)
        old = await source.token()
        came = await asyncio.gather(*(source.token(refused=old) for _ in range(50)))

        assert (old, set(came)) == ("access-0", {"access-1"})
        assert await source.token(refused=old) == "access-1"
        assert len(server.sent) == 1
        assert await source.token(refused="access-1") == "access-2"


async def test_a_scope_that_is_missing_is_named_where_no_person_may_be_asked() -> None:
    """The program that catches the error can ask for it in its own way (RFC 6750 §3.1)."""
    source = TokenSource(CLIENT, store=keeping(KEPT), interactive=False)
    with pytest.raises(SignInRequired) as refusal:
        await source.token(challenge='Bearer error="insufficient_scope", scope="read admin"')

    assert refusal.value.scope == "read admin"


def test_from_code_without_a_loop() -> None:
    """Most programs have none."""
    source = TokenSource(CLIENT, store=keeping(KEPT), interactive=False)

    assert source.token_sync() == "access-0"
    assert source.headers_sync() == {"Authorization": "Bearer access-0"}
    assert source.sign_in_sync() == KEPT
    assert source.with_scope("write").client.scope == "read write"


async def test_signing_out_leaves_nothing_behind() -> None:
    """The next call asks the person, or says that it has to."""
    store = keeping(KEPT)
    source = TokenSource(CLIENT, store=store, interactive=False)

    assert await source.logout() is False
    assert store.names() == ()
    assert await source.logout() is False
    with pytest.raises(SignInRequired):
        await source.token()
