"""What a program meets when anything but the sign-in itself fails: neutral words there, too.

Renewals, sign-outs, stores, proxies, the receiver, and a login in two steps.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from demo_client import client
from neutral import check_neutral
from patience import SOON
from renewing import FailingStore, keeping, token_endpoint

from loopback_auth.api import login
from loopback_auth.demo.serve import serve_demo
from loopback_auth.errors import (
    AttemptExpired,
    ConfigError,
    LoopbackAuthError,
    MalformedResponse,
    NotKept,
    RedirectUnavailable,
    RevocationError,
    SignInRequired,
    StoreError,
    TokenError,
    TransportError,
)
from loopback_auth.loopback_receiver import LoopbackReceiver
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.store import FileTokenStore
from loopback_auth.token_source import TokenSource
from loopback_auth.two_step import PendingStore, begin, resume

NOBODY = "http://127.0.0.1:1"

RENEWALS = [
    (400, {"error": "invalid_grant"}, SignInRequired, ""),
    (400, {"error": "invalid_scope"}, SignInRequired, ""),
    (401, {"error": "invalid_client"}, TokenError, "client_id client_secret private_key client_auth"),
    (500, {}, TransportError, ""),
    (503, {"error": "temporarily_unavailable"}, TransportError, ""),
    (307, {}, MalformedResponse, "token_endpoint"),
    (200, {"access_token": ""}, MalformedResponse, "token_endpoint"),
]


@pytest.mark.parametrize(("status", "document", "error", "parameter"), RENEWALS)
async def test_renewal_that_fails_names_no_flag(
    status: int,
    document: dict[str, object],
    error: type[LoopbackAuthError],
    parameter: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It fails where nobody looks at a terminal, and in programs that have none."""
    async with token_endpoint() as (server, kept):
        server.status, server.document = status, document
        one = ClientConfig(Provider(kept.name, kept.metadata), "client", scope="read write")
        with pytest.raises(LoopbackAuthError) as caught:
            await renew(kept, store=keeping(kept))
        with pytest.raises(LoopbackAuthError) as again:
            await TokenSource(one, store=keeping(kept), interactive=False).token()

    said = capsys.readouterr().err
    for met in (caught.value, again.value):
        assert (type(met), met.parameter) == (error, parameter)
        check_neutral(met, said)


async def test_store_that_fails_names_no_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A full disk, a damaged file, a folder that is none, and nobody who is signed in."""
    folder, damaged = tmp_path / "file", tmp_path / "kept"
    folder.write_text("")
    store = FileTokenStore(str(damaged))
    met: list[LoopbackAuthError] = []
    async with token_endpoint() as (_, kept):
        one = ClientConfig(Provider(kept.name, kept.metadata), "client", scope="read write")
        store.save(kept)
        await asyncio.to_thread(Path(store.path(kept.name)).write_text, "{")
        for failing in (
            renew(kept, store=FailingStore(kept)),
            renew(kept, store=FailingStore(kept, writable=False)),
            login(one, store=FileTokenStore(str(folder)), flow="code"),
            TokenSource(one, store=store, interactive=False).token(),
            TokenSource(one, interactive=False).token(),
        ):
            with pytest.raises(LoopbackAuthError) as caught:
                await failing
            met.append(caught.value)

    assert [type(one) for one in met] == [NotKept, StoreError, StoreError, SignInRequired, SignInRequired]
    said = capsys.readouterr().err
    for error in met:
        check_neutral(error, said)


@pytest.mark.parametrize(
    ("status", "error"), [(400, RevocationError), (503, TransportError), (404, RevocationError)]
)
async def test_sign_out_that_fails_names_no_flag(status: int, error: type[LoopbackAuthError]) -> None:
    """The tokens are still good then, and the user has to be told so."""
    async with token_endpoint() as (server, kept):
        server.status = status
        metadata = replace(kept.metadata, revocation_endpoint=kept.metadata.token_endpoint)
        signed_in = replace(kept, metadata=metadata)
        with pytest.raises(LoopbackAuthError) as caught:
            await logout(signed_in, store=keeping(signed_in))

    assert type(caught.value) is error
    check_neutral(caught.value)


WAYS = [
    ({"HTTPS_PROXY": NOBODY}, "https://id.example", TransportError),
    ({"HTTPS_PROXY": "gopher://127.0.0.1"}, "https://id.example", ConfigError),
    ({"HTTPS_PROXY": "socks5h://127.0.0.1:1"}, "https://id.example", TransportError),
    ({}, "https://127.0.0.1:{port}", TransportError),
]


@pytest.mark.parametrize(("environ", "issuer", "error"), WAYS)
async def test_way_to_the_server_that_fails_names_no_flag(
    environ: dict[str, str],
    issuer: str,
    error: type[LoopbackAuthError],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A proxy that is down, one that is not known, and a server that does not speak TLS."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with serve_demo() as demo:
        one = client(issuer.format(port=demo.issuer.rpartition(":")[2]))
        with pytest.raises(LoopbackAuthError) as caught:
            await login(one, flow="code", open_browser=lambda _: False, timeout=SOON)

    assert type(caught.value) is error
    check_neutral(caught.value, capsys.readouterr().err)


async def test_receiver_that_waits_in_vain_names_no_flag(capsys: pytest.CaptureFixture[str]) -> None:
    """It is used with protocol code of others, whose users know nothing of ours."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(RedirectUnavailable) as taken:
        async with LoopbackReceiver(redirect=Redirect(ports=(other.getsockname()[1],))):
            pass
    async with LoopbackReceiver(open_browser=lambda _: False, timeout=0.2) as receiver:
        back = quote(receiver.redirect_uri, safe="")
        with pytest.raises(AttemptExpired) as over:
            await receiver.visit(f"{NOBODY}/authorize?state={'s' * 43}&redirect_uri={back}")

    said = capsys.readouterr().err
    check_neutral(taken.value, said)
    check_neutral(over.value, said)


async def test_login_in_two_steps_that_fails_names_no_flag(tmp_path: Path) -> None:
    """Its two commands are ours alone; a program has functions of its own for them."""
    pendings = PendingStore(str(tmp_path))
    met: list[LoopbackAuthError] = []
    async with serve_demo() as demo:
        begun = await begin(client(demo.issuer), "ticket")
        nowhere = replace(begun.client, provider=replace(begun.client.provider, metadata=ServerMetadata()))
        for failing in (
            begin(client(demo.issuer), "code"),  # type: ignore[arg-type]
            begin(nowhere, "device"),
            resume(replace(begun, with_secret=True), save=pendings.save),
            resume(replace(begun, expires_at=1.0), save=pendings.save),
        ):
            with pytest.raises(LoopbackAuthError) as caught:
                await failing
            met.append(caught.value)

    assert [type(one) for one in met] == [ConfigError, ConfigError, ConfigError, AttemptExpired]
    for error in met:
        check_neutral(error)
