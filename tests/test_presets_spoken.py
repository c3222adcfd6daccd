"""Every preset signs in, renews and signs out at a demo server that speaks its provider's dialect.

The preset's row is used as it stands, but for its addresses, which are the demo's; on real sockets, through
the doors for programs. What is not our own is the dialect, which is written apart from the row.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from dialect_server import REVOKE, DialectServer, DialectSigner
from dialects import DIALECTS, Dialect
from patience import SOON

from loopback_auth.api import login
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.setup import PATHS
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import LoopbackAuthError, SignInRequired
from loopback_auth.events import Event, Warned
from loopback_auth.flow_table import FlowName
from loopback_auth.model import ClientConfig
from loopback_auth.settings import Settings, needs_secret, redirect_of, resolve
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.presets import every_preset
from loopback_auth.signin.logout import logout
from loopback_auth.signin.refresh import renew
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import SignIn

PRESETS = every_preset()
BY_CODE = [name for name, row in PRESETS.items() if row.get("flow") != "ticket"]
BY_TICKET = [name for name, row in PRESETS.items() if "ticket" in row]
BY_DEVICE = [name for name, row in PRESETS.items() if "device_authorization_endpoint" in row]
SIGNER = rsa_signer()
SECRET = "secret"


def addresses(name: str, issuer: str) -> dict[str, object]:
    """Return the preset's addresses, each moved to the demo server."""
    row, moved = PRESETS[name], {**{key: issuer + path for key, path in PATHS.items()}, "issuer": issuer}
    moved |= {"revoke_url": issuer + REVOKE, "revoke_method": str(row.get("revoke_method"))}
    table: dict[str, object] = {key: value for key, value in moved.items() if key in row}
    if "allowed_issuer" in row:
        table["allowed_issuer"] = row["allowed_issuer"]
    if "ticket" in row:
        contract = demo_contract(str(row["ticket"]), issuer)
        table |= {"ticket": row["ticket"], "ticket_base": contract.base, "ticket_ui": contract.ui}
    return table


def settings_of(name: str, issuer: str, **more: object) -> Settings:
    """Take the preset's row, at the demo's addresses and with a client of the demo's."""
    table = {"preset": name, **addresses(name, issuer), "port": 0, "client_id": "mine", **more}
    # A secret only where the preset wants one: a preset that could do without must.
    bare = {"provider": "here", "providers": {"here": table}}
    settings = resolve(provider="here", flags={}, environ={}, config=bare, config_path="config.toml")
    return settings.with_secret(SECRET) if needs_secret(settings) else settings


class Place:
    """One provider's demo server, and a person who approves there."""

    def __init__(self, name: str, *, public: bool = False, **more: object) -> None:
        self.name = name
        self.public = public
        self.more = more
        self.events: list[Event] = []
        self.user = SimulatedUser()
        self.client: ClientConfig
        self.server: DialectServer

    def make(self, issuer: str) -> DialectServer:
        """Make the server, with the client registered as the preset's note says."""
        settings = settings_of(self.name, issuer, **self.more)
        self.client = client_config(settings)
        host, _, path = redirect_of(settings)
        if self.public:
            self.client = replace(self.client, client_secret=None)
        secret = self.client.client_secret
        method = self.client.provider.client_auth if secret else None
        registered = DemoClient(
            "mine", client_secret=secret, redirect_uris=(f"http://{host}{path}",), client_auth=method
        )
        scopes = {scope: f"Allow {scope}." for scope in self.client.scope.split()}
        row, dialect = PRESETS[self.name], DIALECTS.get(self.name, Dialect())
        self.server = DialectServer(
            issuer,
            entropy=os.urandom,
            signer=DialectSigner(SIGNER, dialect) if SIGNER is not None else None,
            clients=(registered,),
            scopes=scopes,
            # Only what publishes its metadata sends an issuer along.
            faults=Faults(omit_iss="issuer" not in row, without_metadata="issuer" not in row),
            device_interval=1,
        )
        self.server.dialect = dialect
        return self.server

    async def sign_in(self, flow: FlowName, store: MemoryTokenStore) -> SignIn:
        """Sign in as a program does."""
        sign_in = await login(
            self.client,
            flow=flow,
            store=store,
            open_browser=self.user.open,
            notify=self.events.append,
        )
        await self.user.page()
        return sign_in

    def warnings(self) -> list[str]:
        """Return what a person was warned of, besides PKCE where the preset has to do without."""
        texts = [event.text for event in self.events if isinstance(event, Warned)]
        return texts if self.client.provider.pkce else [text for text in texts if "PKCE" not in text]


def aged(sign_in: SignIn) -> SignIn:
    """Let the access token end."""
    return replace(sign_in, tokens=replace(sign_in.tokens, expires_at=time.time() - 1))


async def renewed(place: Place, store: MemoryTokenStore, sign_in: SignIn) -> SignIn:
    """Renew the tokens after their end."""
    old = aged(sign_in)
    store.save(old)
    return await renew(old, store=store, client_secret=place.client.client_secret, notify=place.events.append)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_CODE)
async def test_a_preset_signs_in_renews_and_signs_out(name: str) -> None:
    """What a provider says in its own way is understood, without a warning, to the end."""
    place, store = Place(name), MemoryTokenStore()
    async with serve_demo(server_factory=place.make), asyncio.timeout(SOON):
        sign_in = await place.sign_in("code", store)
        assert place.server.active(sign_in.tokens.access_token, time.time())
        assert place.warnings() == []
        assert sign_in.tokens.account != "" or place.client.provider.metadata.userinfo_endpoint is None

        second = await renewed(place, store, sign_in)
        assert second.tokens.access_token != sign_in.tokens.access_token
        assert place.server.active(second.tokens.access_token, time.time())

        revoked = await logout(second, store=store, client_secret=place.client.client_secret)
        assert store.load("here") is None
        assert place.server.active(second.tokens.access_token, time.time()) is not revoked


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_CODE)
async def test_a_dead_refresh_token_leads_to_a_new_sign_in(name: str) -> None:
    """Under whatever name and status the provider says it; what is kept stays until the new one is there."""
    place, store = Place(name), MemoryTokenStore()
    async with serve_demo(server_factory=place.make), asyncio.timeout(SOON):
        sign_in = await place.sign_in("code", store)
        await renewed(place, store, sign_in)
        with pytest.raises(SignInRequired):
            await renewed(place, store, sign_in)
        assert store.load("here") is not None


@pytest.mark.parametrize("name", [name for name in BY_CODE if "revoke_url" in PRESETS[name]])
async def test_a_grant_is_given_up_though_its_access_token_has_ended(name: str) -> None:
    """The token itself authorizes the request; that it has ended says nothing of the refresh token."""
    place, store = Place(name), MemoryTokenStore()
    async with serve_demo(server_factory=place.make), asyncio.timeout(SOON):
        sign_in = await place.sign_in("code", store)
        ledger = place.server._ledger
        del ledger.access_tokens[sign_in.tokens.access_token]
        assert await logout(sign_in, store=store, client_secret=place.client.client_secret)
        assert len(ledger.refresh_tokens) == 2
        assert not any(ledger.active(token, time.time()) for token in ledger.refresh_tokens)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_TICKET)
async def test_a_preset_signs_in_by_ticket(name: str) -> None:
    """For whoever asks, or for the client that is registered."""
    place = Place(name)
    async with serve_demo(server_factory=place.make), asyncio.timeout(SOON):
        sign_in = await place.sign_in("ticket", MemoryTokenStore())
        assert place.server.active(sign_in.tokens.access_token, time.time())

    assert sign_in.flow == "ticket"


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_DEVICE)
async def test_a_preset_signs_in_by_device_code(name: str) -> None:
    """The first poll is too early, and is answered in the provider's own words."""
    place = Place(name, scope="email offline_access")
    async with serve_demo(server_factory=place.make), asyncio.timeout(SOON):
        sign_in = await place.sign_in("device", MemoryTokenStore())
        assert place.warnings() == []

    assert "email" in sign_in.tokens.scope


@pytest.mark.slow
@pytest.mark.parametrize("name", ["github", "twitch"])
async def test_a_client_without_a_secret_has_the_device_code(name: str) -> None:
    """Twitch's public clients have nothing else; what they get is renewed without a secret, too."""
    place, store = Place(name, public=True), MemoryTokenStore()
    async with serve_demo(server_factory=place.make), asyncio.timeout(SOON):
        sign_in = await place.sign_in("device", store)
        second = await renewed(place, store, sign_in)
        assert place.server.active(second.tokens.access_token, time.time())
        assert await logout(second, store=store) is (name == "twitch")


def test_a_dialect_is_of_a_preset() -> None:
    """A row that nothing uses shows nothing."""
    assert set(DIALECTS) <= set(PRESETS)
    assert {name for name, row in DIALECTS.items() if row == Dialect()} == set()


STANDARD: Mapping[str, object] = {
    "access_token_path": "access_token",
    "token_body": "form",
    "token_types": [],
    "dead_refresh_errors": [],
    "scope_parameter": "scope",
    "userinfo_method": "GET",
    "nonce": True,
}


@pytest.mark.parametrize(
    ("name", "quirk"),
    [
        ("slack", "access_token_path"),
        ("slack", "token_types"),
        ("slack", "scope_parameter"),
        ("notion", "token_body"),
        ("linkedin", "nonce"),
        ("dropbox", "userinfo_method"),
    ],
)
async def test_without_its_quirk_a_preset_is_not_understood(name: str, quirk: str) -> None:
    """The dialects are spoken: a quirk that could be left out would prove nothing by being there."""

    async def main() -> tuple[str, list[str]]:
        place = Place(name)
        place.more = {quirk: STANDARD[quirk]}
        if name == "slack":
            place.more["scope"] = "email"
        async with serve_demo(server_factory=place.make), asyncio.timeout(SOON):
            sign_in = await place.sign_in("code", MemoryTokenStore())
            return sign_in.tokens.account, place.warnings()

    try:
        account, warnings = await main()
    except LoopbackAuthError:
        return
    assert warnings or not account
