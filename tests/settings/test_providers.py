"""The presets: complete, well-formed, and usable as they stand."""

from __future__ import annotations

import re

import pytest

from loopback_auth.settings import needs_secret, redirect_of, resolve
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.setting import SETTINGS

PRESETS = every_preset()

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
    """With a registered client, the name of the provider has to be enough, or else a domain of one's own."""
    environ = {"LOOPBACK_AUTH_CLIENT_ID": "id", "LOOPBACK_AUTH_CLIENT_SECRET": "secret"}
    needed = "{domain}" in str(PRESETS[name]) and "domain" not in PRESETS[name]
    flags = {"domain": "id.example.com/tenant"} if needed else {}
    settings = resolve(provider=name, flags=flags, environ=environ, config={}, config_path="config.toml")
    client = client_config(settings)
    metadata = client.provider.metadata

    assert client.provider.name == name
    assert "{domain}" not in repr(client)
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


QUIRKS: list[tuple[str, str, object]] = [
    ("google", "allowed_issuer", "accounts.google.com"),
    ("google", "approval_hosts", ("www.google.com",)),
    ("microsoft", "dead_refresh_errors", ("interaction_required", "login_required", "consent_required")),
    ("github", "dead_refresh_errors", ("bad_refresh_token",)),
    ("atlassian", "dead_refresh_errors", ("unauthorized_client",)),
    ("bitbucket", "dead_refresh_errors", ("invalid_request",)),
    ("heroku", "dead_refresh_errors", ("unauthorized",)),
    ("heroku", "ticket", "heroku"),
    ("dropbox", "revoke_url", "https://api.dropboxapi.com/2/auth/token/revoke"),
    ("dropbox", "userinfo_method", "POST"),
    ("linear", "revoke_url", "https://api.linear.app/oauth/revoke"),
    ("slack", "access_token_path", "authed_user.access_token"),
    ("slack", "scope_parameter", "user_scope"),
    ("notion", "token_body", "json"),
    ("linkedin", "nonce", False),
    ("gitlab", "device_authorization_endpoint", "https://gitlab.com/oauth/authorize_device"),
    ("huggingface", "approval_hosts", ("hf.co",)),
    ("github", "hosts", ("github.com", "gist.github.com")),
    ("gitlab", "token_username", "oauth2"),
    ("bitbucket", "token_username", "x-token-auth"),
]


@pytest.mark.parametrize(("name", "key", "value"), QUIRKS)
def test_what_is_known_of_a_provider_reaches_its_settings(name: str, key: str, value: object) -> None:
    """Each of these ends a sign-in, or a renewal, or warns of nothing, where it is not known."""
    settings = resolve(provider=name, flags={}, environ={}, config={}, config_path="config.toml")

    assert settings.get(key) == value


@pytest.mark.parametrize("name", ["linear", "digitalocean"])
def test_a_secret_that_may_be_left_out_is_not_asked_for(name: str) -> None:
    """With PKCE these servers know public clients; with a secret it goes where they want it."""
    public = resolve(
        provider=name, flags={"client_id": "a"}, environ={}, config={}, config_path="config.toml"
    )
    environ = {"LOOPBACK_AUTH_CLIENT_ID": "a", "LOOPBACK_AUTH_CLIENT_SECRET": "s"}
    confidential = resolve(provider=name, flags={}, environ=environ, config={}, config_path="config.toml")

    assert not needs_secret(public)
    assert client_config(public).provider.client_auth == "none"
    assert client_config(confidential).provider.client_auth == "client_secret_post"


def test_microsoft_has_no_issuer_and_asks_for_no_id_token() -> None:
    """The metadata for all tenants names an issuer that no ID token carries."""
    microsoft = PRESETS["microsoft"]

    assert "issuer" not in microsoft
    assert "openid" not in str(microsoft["scope"]).split()
