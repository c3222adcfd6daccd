"""The presets: complete, well-formed, and usable as they stand."""

from __future__ import annotations

import re

import pytest

from loopback_auth.settings import redirect_of, resolve
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.providers import PRESETS
from loopback_auth.settings.setting import SETTINGS

DESCRIPTION = {"title", "source", "note"}
NAMES = {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_only_what_settings_can_say(name: str) -> None:
    """A misspelt key would silently do nothing."""
    assert set(PRESETS[name]) <= DESCRIPTION | NAMES | {"environment"}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_described_and_sourced(name: str) -> None:
    """Whoever doubts an endpoint needs the page that states it, whoever starts needs to know what to do."""
    preset = PRESETS[name]

    assert set(preset) >= DESCRIPTION
    assert str(preset["source"]).startswith("https://")
    assert re.fullmatch(r"[A-Z][^{}\n]+\.", str(preset["note"]))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_brings_no_client(name: str) -> None:
    """A client shipped to everybody would ask for consent in somebody else's name."""
    assert not {"client_id", "client_secret"} & set(PRESETS[name])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_needs_nothing_but_a_client(name: str) -> None:
    """With a registered client, the name of the provider has to be enough."""
    environ = {"LOOPBACK_AUTH_CLIENT_ID": "id", "LOOPBACK_AUTH_CLIENT_SECRET": "secret"}
    settings = resolve(provider=name, flags={}, environ=environ, config={}, config_path="config.toml")
    client = client_config(settings)
    metadata = client.provider.metadata

    assert client.provider.name == name
    endpoints = metadata.authorization_endpoint and metadata.token_endpoint
    assert metadata.issuer or endpoints or (settings.text("flow") == "ticket" and client.provider.ticket)


@pytest.mark.parametrize("name", PRESETS)
def test_the_note_names_the_redirect_uri_that_is_used(name: str) -> None:
    """A person registers what the note says, and the server then compares it with what we send."""
    settings = resolve(provider=name, flags={}, environ={}, config={}, config_path="config.toml")
    host, ports, path = redirect_of(settings)
    port = "" if ports == (0,) else f":{ports[0]}"
    named = re.findall(r"http://[^ ,;]+", str(PRESETS[name]["note"]))

    assert named in ([], [f"http://{host}{port}{path}"])


def test_netlify_is_spoken_to_as_its_users_found_out() -> None:
    """A verifier, a body secret or a free port each end in an error there."""
    netlify = PRESETS["netlify"]

    assert netlify["pkce"] is False
    assert netlify["client_auth"] == "client_secret_basic"
    assert netlify["token_endpoint"] == "https://api.netlify.com/oauth/token"
    assert "client secret" in str(netlify["note"])


def test_microsoft_has_no_issuer_and_asks_for_no_id_token() -> None:
    """The metadata for all tenants names an issuer that no ID token carries."""
    microsoft = PRESETS["microsoft"]

    assert "issuer" not in microsoft
    assert "openid" not in str(microsoft["scope"]).split()
