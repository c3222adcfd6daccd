"""Tickets named by flag: whose they are, where they are made, and that nobody else gets to see them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from settings_samples import settings_of

from loopback_auth.errors import ConfigError
from loopback_auth.settings import resolve
from loopback_auth.settings.checks import TICKETS_WITH_UI, check_settings
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.contracts import CONTRACTS

MINE = "http://127.0.0.1:9461"
BOTH = {"ticket_base": f"{MINE}/api", "ticket_ui": MINE}
BASE = {"ticket_base": MINE}


def test_the_vendors_with_two_addresses_are_those_of_the_contracts() -> None:
    """The names stand twice, lest the browser waits for the contracts."""
    assert set(TICKETS_WITH_UI) == {name for name, contract in CONTRACTS.items() if contract.ui}


NAMES: list[tuple[str, dict[str, str], str]] = [
    ("", {"ticket": "npm"}, "npm"),
    ("", {"ticket": "npm", "ticket_base": "http://127.0.0.1:4873"}, "127.0.0.1:4873"),
    ("", {"ticket": "stripe", "ticket_base": "https://pay.example/x"}, "pay.example"),
    ("", {"ticket_base": "https://pay.example"}, "pay.example"),
    ("", {"ticket": "netlify", "client_id": "a"}, "netlify"),
    ("", {"userinfo_endpoint": "https://a.example/me"}, "a.example"),
    ("", {"device_authorization_endpoint": "https://a.example/device"}, "a.example"),
    ("npm", {"ticket_base": "http://127.0.0.1:4873"}, "npm"),
    ("demo", {"ticket": "npm"}, "demo"),
    ("", {}, "demo"),
]


@pytest.mark.parametrize(("provider", "flags", "name"), NAMES)
def test_tickets_of_two_servers_have_two_names(provider: str, flags: dict[str, str], name: str) -> None:
    """What is kept under one name replaces what was; and an address that was given is never passed over."""
    assert settings_of(provider, flags).name == name


def test_an_address_that_is_not_enough_is_refused_and_not_left_out() -> None:
    """Signing in to the demonstration instead would be no help."""
    with pytest.raises(ConfigError, match="no vendor") as caught:
        check_settings(settings_of(flags={"ticket_base": "https://pay.example"}))
    assert "--ticket" in caught.value.hint
    with pytest.raises(ConfigError, match="No server is named"):
        check_settings(settings_of(flags={"userinfo_endpoint": "https://a.example/me"}))
    with pytest.raises(ConfigError, match="--issuer"):
        settings_of("demo", {"issuer": "https://a.example"})


def test_a_vendor_that_asks_for_no_client_needs_none() -> None:
    """Stripe, npm, Heroku and Doppler make tickets for whoever asks."""
    contract = client_config(
        settings_of(flags={"ticket": "stripe", "ticket_base": "https://pay.example"})
    ).provider.ticket

    assert contract is not None
    assert contract.base == "https://pay.example"


OWN = {"client_id": "a", "issuer": MINE}
REFUSED: list[tuple[str, Mapping[str, str], str]] = [
    ("", {**OWN, "ticket": "netlify"}, "--ticket-base and --ticket-ui"),
    ("", {**OWN, "ticket": "stripe"}, "--ticket-base"),
    ("", {**OWN, "ticket": "netlify", **BASE}, "--ticket-base and --ticket-ui"),
    ("", {**OWN, "ticket": "netlify", "ticket_ui": MINE}, "--ticket-base and --ticket-ui"),
    ("", {**OWN, "ticket": "heroku", **BASE}, "--ticket-base and --ticket-ui"),
    ("netlify", {"client_id": "a", **BASE}, "--ticket-base and --ticket-ui"),
    ("netlify", {"client_id": "a", "ticket_ui": MINE}, "--ticket-base and --ticket-ui"),
    ("github", {"client_id": "a", "ticket": "netlify"}, "--ticket-base and --ticket-ui"),
    ("", {"client_id": "a", "issuer": MINE, **BASE}, "--ticket"),
]


@pytest.mark.parametrize(("provider", "flags", "hint"), REFUSED)
def test_no_ticket_is_made_or_shown_at_a_server_that_nobody_named(
    provider: str, flags: dict[str, str], hint: str
) -> None:
    """Who has the ticket redeems the token: one of my server is not for the vendor's page."""
    with pytest.raises(ConfigError) as caught:
        check_settings(settings_of(provider, flags))

    assert hint in caught.value.hint


ALLOWED: list[tuple[str, Mapping[str, str]]] = [
    ("netlify", {"client_id": "a", "ticket": "netlify", "flow": "ticket"}),
    ("netlify", {"client_id": "a", "flow": "ticket", **BOTH}),
    ("", {**OWN, "ticket": "netlify", **BOTH}),
    ("", {**OWN, "ticket": "npm", **BASE}),
    ("heroku", {"flow": "ticket"}),
    ("stripe", {}),
    ("doppler", {}),
]


@pytest.mark.parametrize(("provider", "flags"), ALLOWED)
def test_what_belongs_together_is_taken(provider: str, flags: dict[str, str]) -> None:
    """The vendor at its own addresses, and one's own server at both of one's own."""
    assert client_config(settings_of(provider, flags)).provider.ticket is not None


def test_another_address_of_the_same_server_leaves_its_ticket() -> None:
    """The way around a redirect that the server refuses is what tickets are for."""
    flags = {"client_id": "a", "authorization_endpoint": "https://app.netlify.com/authorize?site=x"}
    settings = settings_of("netlify", flags)

    assert (settings.text("ticket"), settings.origin("ticket")) == ("netlify", "preset netlify")
    assert settings.text("token_endpoint") == "https://api.netlify.com/oauth/token"


def test_a_ticket_that_is_left_out_is_said() -> None:
    """It is the vendor's, and the addresses are another server's; silence would look like a bug."""
    flags = {"client_id": "a", "authorization_endpoint": f"{MINE}/authorize"}
    settings = settings_of("netlify", flags)

    assert settings.text("ticket") is None
    assert len(settings.notes) == 1
    assert "--ticket-base" in settings.notes[0]
    assert settings.with_secret("s").completed({}, "x").notes == settings.notes
    assert settings_of("github", {"issuer": MINE}).notes == settings_of("netlify").notes == ()


def test_who_signs_in_by_ticket_only_says_so() -> None:
    """There is no address that could be given for another flow."""
    with pytest.raises(ConfigError, match="flow ticket"):
        check_settings(settings_of("stripe", {"flow": "code"}))


def test_an_address_for_tickets_in_the_environment_is_for_those_who_make_them() -> None:
    """It stays set in a shell, where people sign in elsewhere too."""
    environ = {"LOOPBACK_AUTH_TICKET_BASE": MINE, "LOOPBACK_AUTH_CLIENT_SECRET": "s"}
    flags = {"client_id": "a"}

    check_settings(
        resolve(provider="github", flags=flags, environ=environ, config={}, config_path="config.toml")
    )
