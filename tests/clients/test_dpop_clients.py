"""Bound tokens with the real libraries, at a server that demands a proof of each request and checks it."""

from __future__ import annotations

import asyncio
import io
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from dpop_samples import read_proof
from google.auth.transport.requests import Request

from clients.api import api
from clients.callers import ALL, OURS, Call, Caller
from loopback_auth import MemoryTokenStore, TokenSource, token_proofs
from loopback_auth.clients import presentation
from loopback_auth.clients.azure import AsyncTokenCredential, TokenCredential
from loopback_auth.clients.bearer import Refusals
from loopback_auth.clients.google import Credentials
from loopback_auth.demo.features import Features
from loopback_auth.errors import ConfigError, SignInRequired
from loopback_auth.events import silent
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.testing import DemoAuthorizationServer, Faults, SimulatedUser

every = pytest.mark.parametrize("caller", ALL.values(), ids=ALL)
ours = pytest.mark.parametrize("caller", OURS.values(), ids=OURS)
DEMANDED = Features(dpop="required")
WITH_NONCES = Features(dpop="required", server_nonces=True, resource_nonces=True)


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an API that takes bound tokens alone."""
    with api(DEMANDED) as served:
        yield served


@pytest.fixture
def with_nonces() -> Iterator[DemoAuthorizationServer]:
    """Serve an API that also wants a nonce in each proof."""
    with api(WITH_NONCES) as served:
        yield served


def bound_source(server: DemoAuthorizationServer, store: TokenStore | None = None) -> TokenSource:
    """Return a source whose user has signed in for bound tokens."""
    source = TokenSource(
        replace(server.client(scope="profile"), dpop=True),
        store=store or MemoryTokenStore(),
        open_browser=SimulatedUser().open,
        notify=silent,
        flow="code",
        wait=True,
    )
    source.token_sync()
    return source


def refusals_at(server: DemoAuthorizationServer, path: str = "/resource") -> int:
    """Count the requests that were refused, without the questions of our own (see `clients.google`)."""
    return sum(one.path == path and one.status == 401 and one.method != "HEAD" for one in server.log)


def proofs_at(server: DemoAuthorizationServer, path: str = "/resource") -> list[dict[str, object]]:
    """Return the claims of the proofs that a path has got."""
    found = (dict(one.headers) for one in server.log if one.path == path)
    return [read_proof(headers["DPoP"]).claims for headers in found if "DPoP" in headers]


@every
def test_rfc9449_7_1_every_request_has_a_proof_of_its_own(
    server: DemoAuthorizationServer, caller: Caller
) -> None:
    """Many at the same time; the server refuses a proof that it has seen."""
    source = bound_source(server)
    answers = caller(source, [Call(f"{server.resource}?number={number}") for number in range(30)])

    assert {answer.status for answer in answers} == {200}
    assert len({claims["jti"] for claims in proofs_at(server)}) == 30
    assert {claims["htu"] for claims in proofs_at(server)} == {server.resource}


@every
def test_rfc9449_9_a_nonce_is_learnt_once(with_nonces: DemoAuthorizationServer, caller: Caller) -> None:
    """One refusal for all of it, and one more when the server changes its nonce."""
    source, server = bound_source(with_nonces), with_nonces
    refused = []
    for change in (False, False, True, False):
        if change:
            server.rotate_nonces()
        assert [answer.status for answer in caller(source, [Call(server.resource)])] == [200]
        refused.append(refusals_at(server))

    assert refused == [1, 1, 2, 2]
    assert server.requests("token", grant="refresh_token") == 0


def test_a_nonce_that_another_request_has_learnt_is_no_refused_token(
    with_nonces: DemoAuthorizationServer,
) -> None:
    """Google's transports do not show the refusal, and the question about it would be accepted by now."""
    source, server = bound_source(with_nonces), with_nonces
    credentials, session = Credentials(source), requests.Session()
    credentials.before_request(None, "GET", server.resource, {})
    OURS["requests"](source, [Call(server.resource)])
    credentials.refresh(Request(session))
    session.close()

    assert server.requests("token", grant="refresh_token") == 0


@every
def test_a_nonce_that_changes_each_time_ends_with_the_refusal(caller: Caller) -> None:
    """The program gets the answer of the server; no token is renewed for it."""
    with api(WITH_NONCES) as server:
        source = bound_source(server)
        server.faults = Faults(nonce_changes=True)
        [answer] = caller(source, [Call(server.resource)])

        assert answer.status == 401
        assert server.requests("resource") <= 6
        assert server.requests("token", grant="refresh_token") <= (caller is ALL["google"])


@every
def test_a_token_that_is_refused_is_renewed_with_its_key(
    with_nonces: DemoAuthorizationServer, caller: Caller
) -> None:
    """What is known of the server's nonce outlives the renewal."""
    source, server = bound_source(with_nonces), with_nonces
    caller(source, [Call(server.resource)])
    server.expire_tokens()
    before = server.requests("resource", status=401)
    [answer] = caller(source, [Call(server.resource)])

    assert answer.status == 200
    assert server.requests("token", grant="refresh_token", status=200) == 1
    assert server.requests("resource", status=401) - before <= 1 + (caller is ALL["google"])


@ours
@pytest.mark.parametrize("content", [b"bytes", {"a": "form"}])
def test_a_body_is_sent_again_with_the_nonce(
    with_nonces: DemoAuthorizationServer, caller: Caller, content: bytes | dict[str, str]
) -> None:
    """By the same rules as after a refused token."""
    [answer] = caller(bound_source(with_nonces), [Call(with_nonces.resource, "POST", content)])

    assert answer.status == 200
    assert "bytes" in answer.text or "a=form" in answer.text


@pytest.mark.parametrize("name", [name for name in OURS if not name.endswith("async")])
def test_a_file_is_sent_again_from_its_start(with_nonces: DemoAuthorizationServer, name: str) -> None:
    """The async clients of httpx and httpx2 take none."""
    call = Call(with_nonces.resource, "POST", io.BytesIO(b"a whole file"))
    [answer] = OURS[name](bound_source(with_nonces), [call])

    assert answer.status == 200
    assert "a whole file" in answer.text


@ours
def test_a_body_that_is_gone_leaves_the_refusal(with_nonces: DemoAuthorizationServer, caller: Caller) -> None:
    """A generator yields once; the next request has the nonce."""
    source = bound_source(with_nonces)
    first, second = (
        caller(source, [Call(with_nonces.resource, "POST", [b"one", b"two"])])[0].status for _ in range(2)
    )

    assert (first, second) == (401, 200)


@ours
@pytest.mark.parametrize(("method", "status"), [("GET", 302), ("GET", 307), ("POST", 303), ("POST", 307)])
def test_the_request_of_a_redirect_has_a_proof_of_its_own(
    server: DemoAuthorizationServer, caller: Caller, method: str, status: int
) -> None:
    """It has another address, and may have another method."""
    source = bound_source(server)
    query = urlencode({"url": "/resource?a=b", "status": status})
    [answer] = caller(
        source, [Call(f"{server.issuer}/to?{query}", method, b"body" if method == "POST" else None)]
    )

    assert answer.status == 200
    last = proofs_at(server)[-1]
    assert (last["htm"], last["htu"]) == ("GET" if status < 307 else method, server.resource)


@ours
def test_another_origin_gets_no_token(server: DemoAuthorizationServer, caller: Caller) -> None:
    """A bound token is of no use there, and the next server may have a bug."""
    with api(DEMANDED) as other:
        query = urlencode({"url": other.resource})
        [answer] = caller(bound_source(server), [Call(f"{server.issuer}/to?{query}")])

        assert answer.status == 401
        assert not [one for one in other.log if "authorization" in {name.lower() for name, _ in one.headers}]


class _Clock:
    """A clock that is two hours slow."""

    @staticmethod
    def time() -> float:
        """Return Unix seconds, as it has them."""
        return time.time() - 7200


@every
def test_a_wrong_clock_here_is_corrected(
    server: DemoAuthorizationServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the Date of the refusal, once."""
    source = bound_source(server)
    monkeypatch.setattr(token_proofs, "time", _Clock)
    monkeypatch.setattr(presentation, "time", _Clock)
    answers = [caller(source, [Call(server.resource)])[0].status for _ in range(2)]

    assert answers == [200, 200]
    assert refusals_at(server) == 1


def test_headers_of_a_bound_token_are_for_one_request(server: DemoAuthorizationServer) -> None:
    """Both kinds of call; the server takes them."""
    source = bound_source(server)
    asyncio.run(_used(source.headers("get", server.resource), server.resource))

    assert source.headers_sync("GET", server.resource) != source.headers_sync("GET", server.resource)
    odd = (
        ("GET", "https://h:x/"),
        ("GET", "/resource"),
        ("GET", "ftp://h/"),
        ("GET", "\ud800"),
        ("G T", server.resource),
    )
    for method, url in (("", ""), ("GET", ""), ("", server.resource), *odd):
        with pytest.raises(ConfigError) as caught:
            source.headers_sync(method, url)
        assert caught.value.parameter == "method url"


async def _used(headers: object, url: str) -> None:
    given = await headers  # type: ignore[misc]
    request = urllib.request.Request(url, headers=given)
    assert await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=60).status) == 200


def test_headers_of_a_bearer_token_need_no_arguments() -> None:
    """Where the server does not demand a key, and none was asked for."""
    with api() as server:
        store = MemoryTokenStore()
        store.save(server.sign_in())
        source = TokenSource(server.client(), store=store, interactive=False)

        assert source.headers_sync() == {"Authorization": f"Bearer {source.token_sync()}"}
        assert asyncio.run(source.headers()) == source.headers_sync()
        assert source.prover_sync(source.token_sync()) is None


@every
def test_a_key_that_is_lost_is_told(server: DemoAuthorizationServer, caller: Caller, tmp_path: Path) -> None:
    """In another process, which does not have it in memory."""
    bound_source(server, FileTokenStore(tmp_path))
    (tmp_path / "keys" / "demo.json").unlink()
    client, store = replace(server.client(scope="profile"), dpop=True), FileTokenStore(tmp_path)
    source = TokenSource(client, store=store, interactive=False)

    with pytest.raises(SignInRequired) as caught:
        caller(source, [Call(server.resource)])
    assert "Sign in again" in caught.value.hint


@every
def test_a_key_that_is_lost_leads_to_a_new_sign_in(
    server: DemoAuthorizationServer, caller: Caller, tmp_path: Path
) -> None:
    """A program that has nothing but the source could not go on."""
    bound_source(server, FileTokenStore(tmp_path))
    (tmp_path / "keys" / "demo.json").unlink()
    [answer] = caller(bound_source(server, FileTokenStore(tmp_path)), [Call(server.resource)])

    assert answer.status == 200


def test_azure_refuses_bound_tokens_in_words(server: DemoAuthorizationServer) -> None:
    """Its clients send every token as a bearer token, which would be refused without a word about why."""
    source = bound_source(server)
    with pytest.raises(ConfigError) as caught:
        TokenCredential(source).get_token()
    with pytest.raises(ConfigError):
        asyncio.run(AsyncTokenCredential(source).get_token())

    assert caught.value.parameter == "dpop"


@pytest.mark.parametrize("error", ["use_dpop_nonce", "invalid_dpop_proof"])
def test_a_refused_proof_is_no_reason_to_renew_the_token(error: str) -> None:
    """A server that never takes one would have every token renewed."""
    refusals = Refusals(interactive=True)

    assert refusals.token_arguments(401, f'DPoP error="{error}"', "token") is None
    assert refusals.token_arguments(401, 'DPoP error="invalid_token"', "token") is not None
