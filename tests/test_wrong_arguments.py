"""Every other door with every other type: an error of ours that names the argument, before anything is done.

Records are in `test_field_checks`, the options of a sign-in in `test_options`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo
from renewing import keeping, sign_in_at

from loopback_auth import (
    Accounts,
    ClientConfig,
    FileTokenStore,
    MemoryTokenStore,
    Options,
    Provider,
    RedisTokenStore,
    ServerMetadata,
    SignIn,
    TicketContract,
    TokenSource,
    login_sync,
    logout_sync,
    refresh_sync,
    renew_sync,
    two_step,
)
from loopback_auth.clients.aiohttp import bearer
from loopback_auth.clients.azure import TokenCredential
from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.model import Redirect
from loopback_auth.signin.option_checks import check_client_id
from loopback_auth.testing import serve
from loopback_auth.tokens import TokenSet

NOWHERE = "http://127.0.0.1:1"
KEPT = sign_in_at(NOWHERE, expires_at=None)
CLIENT = ClientConfig(Provider(KEPT.name, ServerMetadata(NOWHERE)), "client", scope="read")
KEY = "k" * 32


def source() -> TokenSource:
    """Return a source that has a token."""
    return TokenSource(CLIENT, store=keeping(KEPT), interactive=False)


def accounts() -> Accounts:
    """Return accounts, of which there are none."""
    return Accounts(CLIENT, store=MemoryTokenStore(), interactive=False)


def azure(scope: Any) -> AccessTokenInfo:
    """Ask as a client of Azure does."""
    return TokenCredential(source()).get_token_info(scope)


NOT_TEXT: list[object] = [1, True, None, b"x", ["x"], {"x": 1}, object(), str, lambda: "x"]
TEXTS: dict[str, Callable[[Any], object]] = {
    "scope": lambda value: source().with_scope(value),
    "account": lambda value: accounts().source(value),
    "account of remove": lambda value: accounts().remove_sync(value),
    "refresh_token": lambda value: refresh_sync(CLIENT, value),
    "provider": lambda value: Provider.known(value),
    "name of load": lambda value: MemoryTokenStore().load(value),
    "name of delete": lambda value: MemoryTokenStore().delete(value),
    "name of lock": lambda value: MemoryTokenStore().lock(value),
    "name of sign_in_lock": lambda value: MemoryTokenStore().sign_in_lock(value),
    "vendor": lambda value: TicketContract.known(value),
    "base": lambda value: TicketContract.known("netlify", base=value, ui="https://ui.example"),
    "ui": lambda value: TicketContract.known("netlify", base="https://api.example", ui=value),
    "scopes": azure,
}


@pytest.mark.parametrize("value", NOT_TEXT, ids=[type(each).__name__ for each in NOT_TEXT])
@pytest.mark.parametrize(("case", "call"), TEXTS.items(), ids=TEXTS)
def test_what_is_not_a_string_is_refused_by_its_name(
    case: str, call: Callable[[Any], object], value: object
) -> None:
    """Else it is an AttributeError somewhere below."""
    with pytest.raises(ConfigError) as caught:
        call(value)

    assert caught.value.parameter == case.partition(" ")[0]


WRONG: dict[str, Callable[[], object]] = {
    "sign_in": lambda: MemoryTokenStore().save(None),  # type: ignore[arg-type]
    "sign_in of a file": lambda: FileTokenStore("nowhere").save("x"),  # type: ignore[arg-type]
    "leeway": lambda: renew_sync(CLIENT, store=keeping(KEPT), leeway="x"),  # type: ignore[arg-type]
    "of": lambda: renew_sync(CLIENT, store=keeping(KEPT), of="refresh_token"),  # type: ignore[arg-type]
    "of of a source": lambda: source().sign_in_sync(of="refresh_token"),  # type: ignore[arg-type]
    "refused": lambda: source().token_sync(refused=b"x"),  # type: ignore[arg-type]
    "challenge": lambda: source().token_sync(challenge=7),  # type: ignore[arg-type]
    "notify": lambda: renew_sync(CLIENT, store=keeping(KEPT), notify="x"),  # type: ignore[arg-type]
    "notify of logout": lambda: logout_sync(CLIENT, store=MemoryTokenStore(), notify=1),  # type: ignore[arg-type]
    "notify of refresh": lambda: refresh_sync(CLIENT, "refresh", notify=1),  # type: ignore[arg-type]
    "leeway of a source": lambda: TokenSource(CLIENT, leeway=float("nan")),
    "client": lambda: two_step.begin_sync("x", "device"),  # type: ignore[arg-type]
    "pending": lambda: two_step.resume_sync(None, save=print),  # type: ignore[arg-type]
    "folder": lambda: FileTokenStore(None),  # type: ignore[arg-type]
    "folder of bytes": lambda: FileTokenStore(b"x"),  # type: ignore[arg-type]
    "folder without a name": lambda: FileTokenStore(""),
    "folder of pending logins": lambda: two_step.PendingStore(7),  # type: ignore[arg-type]
    "handle": lambda: two_step.PendingStore("nowhere").load(None),  # type: ignore[arg-type]
    "pending of save": lambda: two_step.PendingStore("nowhere").save(None),  # type: ignore[arg-type]
    "ended": lambda: two_step.PendingStore("nowhere").end("x"),  # type: ignore[arg-type]
    "origins": lambda: bearer(source(), origins=None),  # type: ignore[arg-type]
    "key": lambda: RedisTokenStore("redis://127.0.0.1:1", key=None),  # type: ignore[arg-type]
    "key of a list": lambda: RedisTokenStore("redis://127.0.0.1:1", key=[7]),  # type: ignore[list-item]
    "lease": lambda: RedisTokenStore("redis://127.0.0.1:1", key=KEY, lease="1"),  # type: ignore[arg-type]
    "prefix": lambda: RedisTokenStore("redis://127.0.0.1:1", key=KEY, prefix=None),  # type: ignore[arg-type]
    "timeout": lambda: RedisTokenStore("redis://127.0.0.1:1", key=KEY, timeout=10**400),
    "expires_at": lambda: TokenSet("a", "Bearer", 1.0, 10**400),
    "obtained_at": lambda: TokenSet("a", "Bearer", float("nan")),
}


@pytest.mark.parametrize(("case", "call"), WRONG.items(), ids=WRONG)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(case: str, call: Callable[[], object]) -> None:
    """Nothing was opened, sent or kept."""
    with pytest.raises(ConfigError) as caught:
        call()

    assert caught.value.parameter == case.partition(" ")[0]


def test_the_wait_of_a_login_in_two_steps_is_a_number(tmp_path: Path) -> None:
    """With one that is not, the program would sleep for ever."""
    client = ClientConfig(
        Provider("x", ServerMetadata(authorization_endpoint=NOWHERE, token_endpoint=NOWHERE), Redirect()), "x"
    )
    pending = two_step.begin_sync(client, "paste")
    for wait in (float("nan"), -1, 10**400, None, "1"):
        with pytest.raises(ConfigError) as caught:
            two_step.resume_sync(pending, save=two_step.PendingStore(str(tmp_path)).save, wait=wait)  # type: ignore[arg-type]
        assert caught.value.parameter == "wait"


def test_a_client_without_an_id_begins_nothing_but_a_ticket() -> None:
    """The server would say in the browser that it does not know the client, and the program would wait."""
    opened: list[str] = []
    with serve() as server:
        client = replace(server.client(), client_id="")
        choices = (Options(), Options(flow="code"), Options(allowed_flows=("code", "ticket")))
        for options in choices:
            options["open_browser"] = opened.append
            with pytest.raises(ConfigError) as caught:
                login_sync(client, **options)
            assert caught.value.parameter.split()[0] == "client_id"
        check_client_id(client, Options(flow="ticket"))
        check_client_id(client, Options(allowed_flows=("ticket",)))
    assert opened == []


@pytest.mark.parametrize("text", [None, 1, ["x"], {}])
def test_what_is_not_text_is_not_a_sign_in(text: object) -> None:
    """What a database returns for a row without content."""
    with pytest.raises(StoreError):
        SignIn.from_json(text)  # type: ignore[arg-type]
