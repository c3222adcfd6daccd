"""Where a provider differs from the RFCs: said in its row or in the user's own table, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
from settings_samples import settings_of

from loopback_auth.errors import ConfigError
from loopback_auth.quirks import Quirks
from loopback_auth.settings import load_config, resolve
from loopback_auth.settings.checks import check_settings
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.quirks import QUIRKS
from loopback_auth.settings.setting import SETTINGS

WORK = {
    "authorization_endpoint": "https://id.example/authorize",
    "token_endpoint": "https://id.example/token",
    "client_id": "a",
}
OF_A_PROVIDER = [setting for setting in SETTINGS if setting.quirk]

TABLE = """
[providers.work]
authorization_endpoint = "https://id.example/authorize"
token_endpoint = "https://id.example/token"
client_id = "a"
access_token_path = "authed_user.access_token"
token_body = "json"
token_parameters = {tenant = "7"}
token_headers = {X-Version = "2026-01-01"}
token_types = ["user", "bot"]
nonce = false
dead_refresh_errors = "bad_refresh_token unauthorized"
scope_parameter = "user_scope"
device_scope_parameter = "scopes"
scope_aliases = {email = "https://id.example/email https://id.example/mail"}
scope_prefixes = "https://id.example/"
approval_hosts = ["www.id.example", "go.example"]
revoke_method = "DELETE"
revoke_url = "https://api.id.example/token"
userinfo_method = "POST"
"""


def file(table: Mapping[str, object], provider: str = "work") -> Mapping[str, object]:
    """Return a configuration file with one table, which is the user's own."""
    return {"providers": {provider: table}}


def test_every_quirk_can_be_said_in_a_table() -> None:
    """A tolerance that only our own rows could say would leave every other provider without."""
    assert tuple(field.name for field in fields(Quirks)) == QUIRKS
    assert [setting.name for setting in OF_A_PROVIDER if setting.flag or setting.variable] == []


def test_the_users_own_table_reaches_the_client(tmp_path: Path) -> None:
    """As people write it, from the file to what the flows go by."""
    path = tmp_path / "config.toml"
    path.write_text(TABLE)
    path.chmod(0o600)
    config = load_config(str(path))
    settings = resolve(provider="work", flags={}, environ={}, config=config, config_path=str(path))

    assert client_config(settings).provider.quirks == Quirks(
        access_token_path="authed_user.access_token",
        token_body="json",
        token_parameters=(("tenant", "7"),),
        token_headers=(("X-Version", "2026-01-01"),),
        token_types=("user", "bot"),
        nonce=False,
        dead_refresh_errors=("bad_refresh_token", "unauthorized"),
        scope_parameter="user_scope",
        device_scope_parameter="scopes",
        scope_aliases=(("email", "https://id.example/email"), ("email", "https://id.example/mail")),
        scope_prefixes=("https://id.example/",),
        approval_hosts=("www.id.example", "go.example"),
        revoke_method="DELETE",
        revoke_url="https://api.id.example/token",
        userinfo_method="POST",
    )


def test_nobody_has_quirks_by_default() -> None:
    """A server that nothing is said about is held to the standards."""
    assert client_config(settings_of("work", config=file(WORK))).provider.quirks == Quirks()


REFUSED = [
    ({"token_parameters": {"code": "x"}}, "code is set by the program"),
    ({"token_parameters": {"grant_type": "password"}}, "grant_type is set by the program"),
    ({"token_headers": {"Authorization": "Basic x"}}, "Authorization is set by the program"),
    ({"token_headers": {"X-A": "b\r\nX-C: d"}}, "'X-A' cannot be sent"),
    ({"token_headers": {"X A": "b"}}, "'X A' cannot be sent"),
    ({"token_headers": {"": "b"}}, "'' cannot be sent"),
    ({"access_token_path": "user..token"}, "a name in it"),
    ({"scope_parameter": ""}, "a name in it"),
    ({"approval_hosts": "https://id.example/"}, "is not a host"),
    ({"approval_hosts": "id.example:8443"}, "is not a host"),
    ({"hosts": ["https://git.example/"]}, "something else than a host"),
    ({"hosts": "*.example"}, "something else than a host"),
    ({"token_username": "a:b"}, "cannot be a user name"),
    ({"token_username": "a\nb"}, "cannot be a user name"),
    ({"token_username": ""}, "cannot be a user name"),
    ({"revoke_url": "https://id.example/token"}, "needs revoke_method"),
    ({"revoke_method": "DELETE"}, "needs revoke_method"),
    ({"revoke_method": "DELETE", "revoke_url": "http://id.example/"}, "plain http"),
    ({"revoke_method": "GET", "revoke_url": "https://id.example/"}, "'GET' is not a known value"),
    ({"token_body": "xml"}, "'xml' is not a known value"),
    ({"nonce": False, "pkce": False}, "pkce is off"),
    ({"token_types": 5}, "a list of strings"),
    ({"scope_aliases": ["email"]}, "form name=value"),
]


@pytest.mark.parametrize(("quirks", "message"), REFUSED)
def test_a_quirk_that_cannot_be_is_refused_before_anybody_is_asked(
    quirks: Mapping[str, object], message: str
) -> None:
    """Found out after the approval it would cost the sign-in."""
    with pytest.raises(ConfigError) as caught:
        check_settings(settings_of("work", config=file({**WORK, **quirks})))

    assert message in caught.value.message
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize("setting", OF_A_PROVIDER, ids=lambda setting: setting.name)
def test_a_quirk_belongs_to_one_provider(setting: object) -> None:
    """At the top of the file it would lower what is asked of every server."""
    name = getattr(setting, "name", "")
    with pytest.raises(ConfigError, match="table of a provider") as caught:
        resolve(provider="github", flags={}, environ={}, config={name: "x"}, config_path="config.toml")

    assert "[providers.work]" in caught.value.hint


def test_a_preset_is_corrected_by_the_users_table() -> None:
    """Providers change sooner than our releases reach everybody."""
    table = {"client_id": "a", "client_secret": "s", "dead_refresh_errors": ["gone"]}

    assert client_config(
        settings_of("github", config=file(table, "github"))
    ).provider.quirks.dead_refresh_errors == ("gone",)


def test_another_server_gets_no_address_out_of_the_quirks() -> None:
    """A token of one's own server is not shown to the vendor's revocation."""
    table = {**WORK, "preset": "dropbox"}

    assert settings_of("work", config=file(table)).text("revoke_url") is None
    assert settings_of("work", config=file(table)).text("revoke_method") is None


@pytest.mark.parametrize("key", ["token_headers", "token_parameters"])
def test_what_may_be_a_secret_shows_in_no_repr(key: str) -> None:
    """Clients and sign-ins end up in logs and tracebacks."""
    client = client_config(settings_of("work", config=file({**WORK, key: {"api_key": "hunter2"}})))

    assert getattr(client.provider.quirks, key) == (("api_key", "hunter2"),)
    assert "hunter2" not in repr(client)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("key", ["token_headers", "token_parameters"])
def test_what_may_hold_a_secret_is_kept_from_other_users(key: str, tmp_path: Path) -> None:
    """Some servers take an API key there."""
    path = tmp_path / "config.toml"
    path.write_text(f'[providers.work]\n{key} = {{api_key = "hunter2"}}\n')
    path.chmod(0o644)

    with pytest.raises(ConfigError, match="other users can read") as caught:
        load_config(str(path))
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_presets_quirk_is_looked_at_beside_the_persons_flags() -> None:
    """LinkedIn leaves the nonce out, so that PKCE is all that defends the code."""
    flags = {"client_id": "a", "pkce": False}
    settings = resolve(provider="linkedin", flags=flags, environ={}, config={}, config_path="config.toml")

    with pytest.raises(ConfigError, match="pkce is off"):
        check_settings(settings)
