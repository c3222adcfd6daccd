"""What a tool's author writes first, as other libraries taught it; mypy and pyright take it as well."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loopback_auth import (
    Accounts,
    ClientConfig,
    FileTokenStore,
    MemoryTokenStore,
    SignIn,
    TokenSource,
    TokenStore,
    login,
    login_sync,
    logout_sync,
    renew_sync,
)
from loopback_auth.events import Event, LinkReady
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there is no $BROWSER for a simulated user there"
)


@pytest.fixture
def client(demo_authorization_server: DemoAuthorizationServer) -> ClientConfig:
    """Register nothing: the server knows this client."""
    server = demo_authorization_server
    return ClientConfig.at(server.issuer, client_id=server.client_id, scope="email")


class Rows(TokenStore):
    """A store of one's own."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    def read(self, name: str) -> SignIn | None:
        """Read a row."""
        return SignIn.from_json(self.rows[name]) if name in self.rows else None

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Write a row, or remove it."""
        if sign_in is None:
            self.rows.pop(name, None)
        else:
            self.rows[name] = sign_in.to_json()


async def test_sign_in(client: ClientConfig, simulated_user: SimulatedUser) -> None:
    """One object, one call."""
    assert (await login(client)).account == "demo@example.com"


def test_a_header(client: ClientConfig, simulated_user: SimulatedUser) -> None:
    """What an HTTP client takes."""
    source = TokenSource(client)

    assert source.headers_sync() == {"Authorization": f"Bearer {source.token_sync()}"}


def test_renew_and_sign_out(client: ClientConfig, simulated_user: SimulatedUser, tmp_path: Path) -> None:
    """The client says whose tokens are meant."""
    store = FileTokenStore(tmp_path / "kept")
    first = login_sync(client, store=store)

    assert renew_sync(client, store=store, force=True).tokens.access_token != first.tokens.access_token
    assert logout_sync(client, store=store)
    assert store.names() == ()


@pytest.mark.slow
def test_a_device_code(client: ClientConfig, simulated_user: SimulatedUser) -> None:
    """One argument, whose spelling is checked."""
    assert login_sync(client, flow="device").flow == "device"


def test_a_store_of_ones_own(client: ClientConfig, simulated_user: SimulatedUser) -> None:
    """Two methods, no lock."""
    store = Rows()
    source = TokenSource(client, store=store)

    assert source.token_sync() == TokenSource(client, store=store, interactive=False).token_sync()


def test_a_browser_of_ones_own(client: ClientConfig, simulated_user: SimulatedUser) -> None:
    """A function of the link, which returns whatever it likes."""

    async def in_a_loop(url: str) -> None:
        simulated_user.open(url)

    def returning_nothing(url: str) -> None:
        simulated_user.open(url)

    assert login_sync(client, open_browser=in_a_loop).account
    assert login_sync(client, open_browser=returning_nothing).account
    assert login_sync(client, open_browser=lambda url: bool(simulated_user.open(url))).account


def test_the_link_in_a_window(client: ClientConfig, simulated_user: SimulatedUser) -> None:
    """An event, which has the link."""
    shown: list[str] = []

    def show(event: Event) -> None:
        if isinstance(event, LinkReady):
            shown.append(event.url)

    login_sync(client, notify=show)

    assert shown == simulated_user.links


def test_accounts(client: ClientConfig, simulated_user: SimulatedUser) -> None:
    """Two people at one provider."""
    accounts = Accounts(client, store=MemoryTokenStore())
    accounts.add_sync()
    simulated_user.approve("second@example.com")
    accounts.add_sync()

    assert [one.account for one in accounts.list()] == ["demo@example.com", "second@example.com"]
    assert accounts.source("demo@example.com").token_sync()
