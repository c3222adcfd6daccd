"""Renewals: no token is lost, whatever happens when the server has used up the old ones."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from renewing import (
    NAME,
    FailingStore,
    ending_in,
    keeping,
    sign_in_at,
    token_endpoint,
)

from loopback_auth.errors import (
    ConfigError,
    MalformedResponse,
    NotKept,
    SignInRequired,
    StoreError,
    TransportError,
)
from loopback_auth.events import Event, Exchanged, Warned
from loopback_auth.signin import refresh
from loopback_auth.signin.refresh import renew
from loopback_auth.signin.stores import keep
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import IdToken, SignIn

NOWHERE = "http://127.0.0.1:1"


def tokens_in(store: MemoryTokenStore) -> tuple[str, str | None]:
    """Return the access and refresh token that are kept."""
    kept = store.load(NAME)
    assert kept is not None
    return kept.tokens.access_token, kept.tokens.refresh_token


async def test_a_person_who_changed_is_told_after_keeping_and_handed_out_never() -> None:
    """OpenID Connect Core §12.2; the refresh token goes on, the access token of the other person does not."""
    async with token_endpoint() as (server, sign_in):
        first = IdToken({"iss": server.issuer, "sub": "one"}, "not verified", "a.b.c")
        sign_in = replace(sign_in, tokens=replace(sign_in.tokens, id_token=first))
        store = keeping(sign_in)
        # {"alg":"RS256"} . {"iss":"https://other.example","sub":"two"}
        server.document = {
            "id_token": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUiLCJzdWIiOiJ0d28ifQ.AAAA"
        }
        for asked in (1, 2):
            with pytest.raises(MalformedResponse):
                await renew(sign_in, store=store)
            assert len(server.sent) == asked
            assert tokens_in(store) == server.last
        server.document = {}
        assert (await renew(sign_in, store=store)).tokens.refresh_token == "refresh-3"


class Ends(BaseException):
    """The program is ended by its own notify."""


@pytest.mark.parametrize("error", [None, RuntimeError, Ends])
async def test_an_id_token_of_no_use_costs_a_warning(error: type[BaseException] | None) -> None:
    """What listens may fail at it, too: the tokens are kept by then, and returned if the program goes on."""
    events: list[Event] = []
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def listen(event: Event) -> None:
        events.append(event)
        if error is not None:
            raise error("the window is gone")

    async with token_endpoint() as (server, sign_in):
        first = IdToken({"iss": server.issuer, "sub": "one"}, "not verified", "a.b.c")
        sign_in = replace(sign_in, tokens=replace(sign_in.tokens, id_token=first))
        store = keeping(sign_in)
        server.document = {"id_token": 7}
        renewing = renew(sign_in, store=store, notify=listen)
        if error is Ends:
            with pytest.raises(Ends):
                await renewing
        else:
            assert (await renewing).tokens.id_token == first
            assert [type(one) for one in events if isinstance(one, Warned)] == [Warned]
        assert tokens_in(store) == server.last
        assert len(reported) == (error is RuntimeError)


async def test_notify_may_be_a_coroutine_function() -> None:
    """As that of a login may."""
    events: list[Event] = []

    async def listen(event: Event) -> None:
        await asyncio.sleep(0)
        events.append(event)

    async with token_endpoint() as (server, sign_in):
        renewed = await renew(sign_in, store=keeping(sign_in), notify=listen)
        assert renewed.tokens.access_token == server.last[0]
        assert any(isinstance(one, Exchanged) for one in events)


async def test_a_disk_that_cannot_be_written_costs_no_refresh_token() -> None:
    """It is looked at before the server is asked, for afterwards the old refresh token is dead."""
    async with token_endpoint() as (server, sign_in):
        with pytest.raises(StoreError):
            await renew(sign_in, store=FailingStore(sign_in, writable=False))
        good = ending_in(sign_in, 30)
        assert await renew(good, store=FailingStore(good, writable=False)) == good
        assert server.sent == []


async def test_a_lock_that_cannot_be_had_costs_no_token_that_is_good() -> None:
    """On a disk that can only be read no lock file can be made."""

    class ReadOnly(MemoryTokenStore):
        def lock(self, name: str, timeout: float = 30.0) -> AbstractContextManager[None]:
            raise StoreError("The disk can only be read.", hint="Make it writable.")

    for seconds in (30, -1):
        store, sign_in = ReadOnly(), ending_in(sign_in_at(NOWHERE), seconds)
        store.save(sign_in)
        if seconds > 0:
            assert await renew(sign_in, store=store) == sign_in
        else:
            with pytest.raises(StoreError):
                await renew(sign_in, store=store)


async def test_the_demonstration_is_not_renewed() -> None:
    """Its server has ended, and whoever has its port by now would be shown the refresh token."""
    sign_in = replace(sign_in_at(NOWHERE), temporary=True)

    with pytest.raises(SignInRequired, match="demonstration"):
        await renew(sign_in, store=keeping(sign_in))


async def test_a_disk_that_fills_up_meanwhile_is_tried_again() -> None:
    """What came is nowhere else."""
    async with token_endpoint() as (server, sign_in):
        store = FailingStore(sign_in, failures=1)
        await renew(sign_in, store=store)
        assert tokens_in(store) == server.last


async def test_tokens_that_cannot_be_kept_are_given_to_the_caller() -> None:
    """It may still use them, or keep them elsewhere."""
    async with token_endpoint() as (server, sign_in):
        for old in (sign_in, ending_in(sign_in, 30)):
            with pytest.raises(NotKept) as lost:
                await renew(old, store=FailingStore(old))
            assert isinstance(lost.value.sign_in, SignIn)
            assert lost.value.sign_in.tokens.access_token == server.last[0]
            assert server.last[1] not in str(lost.value) + lost.value.hint + repr(lost.value)


async def test_a_new_refresh_token_in_a_useless_answer_is_kept() -> None:
    """The old one may be dead by now (RFC 9700 §4.14.2)."""
    async with token_endpoint() as (server, sign_in):
        store = keeping(sign_in)
        server.document = {"access_token": 7}
        with pytest.raises(MalformedResponse):
            await renew(sign_in, store=store)
        assert tokens_in(store) == ("access-0", "refresh-1")


async def test_a_token_that_has_not_ended_outlives_trouble_with_its_renewal() -> None:
    """The minute before its end is there so that something may go wrong."""
    events: list[Event] = []
    sign_in = sign_in_at(NOWHERE)
    good = ending_in(sign_in, 30)
    needs_secret = replace(good, client_auth="client_secret_basic")

    assert await renew(good, store=keeping(good), notify=events.append) == good
    assert await renew(needs_secret, store=keeping(needs_secret)) == needs_secret
    for old, force in ((sign_in, False), (good, True)):
        with pytest.raises(TransportError):
            await renew(old, store=keeping(old), force=force)
    ended = replace(sign_in, client_auth="client_secret_basic")
    with pytest.raises(ConfigError):
        await renew(ended, store=keeping(ended))

    assert len([one for one in events if isinstance(one, Warned)]) == 1


async def test_a_token_that_nothing_can_renew_is_used_to_its_end() -> None:
    """A person who is asked a minute early gains nothing; a caller who needs that minute can say so."""
    sign_in = ending_in(sign_in_at(NOWHERE, refresh_token=None), 30)

    store = keeping(sign_in)
    assert await renew(sign_in, store=store) == sign_in
    for leeway, force in ((60.0, False), (None, True)):
        with pytest.raises(SignInRequired, match="no refresh token"):
            await renew(sign_in, store=store, leeway=leeway, force=force)


async def test_of_many_one_renews_tokens_of_a_short_life() -> None:
    """What has just been renewed is as fresh as it gets, and another renewal brings nothing better."""
    async with token_endpoint() as (server, sign_in):
        server.document = {"expires_in": 30}
        store = keeping(sign_in)
        got = await asyncio.gather(*(renew(sign_in, store=store, leeway=60) for _ in range(8)))
        assert {one.tokens.access_token for one in got} == {"access-1"}
        again = got[0]
        for leeway in (None, 60.0):
            assert await renew(again, store=store, leeway=leeway) == again
        assert len(server.sent) == 1


async def test_the_leeway_decides_when_a_token_is_due() -> None:
    """A caller whose work takes five minutes needs a token for as long."""
    async with token_endpoint() as (server, sign_in):
        for seconds, leeway, asked in ((90, None, 0), (90, 300.0, 1), (30, 10.0, 1), (30, None, 2)):
            old = ending_in(sign_in, seconds)
            await renew(old, store=keeping(old), leeway=leeway)
            assert len(server.sent) == asked


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"resource": ("https://api.example",)},
        {"audience": "another"},
        {"metadata": sign_in_at("https://other.example").metadata},
    ],
)
async def test_another_sign_in_under_the_same_name_is_not_taken_for_it(changes: dict[str, object]) -> None:
    """Its token would go to a server that it is not meant for."""
    sign_in = sign_in_at(NOWHERE)
    other = replace(ending_in(sign_in, 600), **changes)  # type: ignore[arg-type]

    with pytest.raises(SignInRequired, match="replaced"):
        await renew(sign_in, store=keeping(other))


async def test_new_tokens_are_kept_though_the_renewal_is_cancelled_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the answer and the disk is the one moment in which they are nowhere else."""
    async with token_endpoint() as (server, sign_in):
        store = keeping(sign_in)
        tasks: list[asyncio.Task[SignIn]] = []

        async def interrupted(*arguments: object) -> None:
            tasks[0].cancel()
            await asyncio.sleep(0)
            await keep(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(refresh, "keep", interrupted)
        tasks.append(asyncio.create_task(renew(sign_in, store=store)))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert tokens_in(store) == server.last
