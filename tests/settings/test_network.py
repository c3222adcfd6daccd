"""The settings about the network: what reaches the transport, and what is refused before a browser starts."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from settings_samples import settings_of

from loopback_auth.errors import ConfigError
from loopback_auth.model import Network, ServerMetadata
from loopback_auth.settings import unknown_variables
from loopback_auth.settings.checks import check_settings
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.tokens import SignIn, TokenSet

SERVER = {"issuer": "https://a.example", "client_id": "abc"}


def test_settings_reach_the_network_with_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later process, which renews the tokens, may run in another folder."""
    monkeypatch.chdir(tmp_path)
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(tmp_path))
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).touch()
    flags = {
        "ca_file": "ca.pem",
        "client_cert": "~/client.pem",
        "client_key": f".{os.sep}client.key",
        "allow_private": ["token.corp.example", "[fd00::1]"],
    }
    settings = settings_of(flags={**SERVER, **flags})

    assert client_config(settings).provider.network == Network(
        str(tmp_path / "ca.pem"),
        str(tmp_path / "client.pem"),
        str(tmp_path / "client.key"),
        ("token.corp.example", "[fd00::1]"),
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"ca_file": "/nowhere/ca.pem"}, r"ca\.pem cannot be read"),
        ({"client_cert": "/nowhere/client.pem"}, r"client\.pem cannot be read"),
        ({"client_key": __file__}, "no certificate"),
        ({"allow_private": ["https://token.example/"]}, "not a host"),
        ({"allow_private": ["token.example:8443"]}, "not a host"),
        ({"allow_private": ["*.example"]}, "not a host"),
        ({"allow_private": ["10.0.0.0/8"]}, "not a host"),
    ],
)
def test_unfit_settings_are_refused_with_their_origin(
    flags: dict[str, object], words: str, tmp_path: Path
) -> None:
    """Before the browser is started; what is allowed inside is named host by host."""
    with pytest.raises(ConfigError, match=words) as caught:
        check_settings(settings_of(flags={**SERVER, **flags}))

    assert "flag --" in caught.value.message


def test_settings_of_now_are_found_for_what_is_kept(tmp_path: Path) -> None:
    """`token` has no flags for them: they come from the environment and the file, whoever the provider is."""
    (tmp_path / "config.toml").write_text('[providers.work]\nissuer = "https://a.example"\n')
    (tmp_path / "config.toml").chmod(0o600)
    environ = {"LOOPBACK_AUTH_CONFIG_DIR": str(tmp_path), "LOOPBACK_AUTH_ALLOW_PRIVATE": "in.example"}
    kept = SignIn("elsewhere", "abc", "none", ServerMetadata(), "", TokenSet("token", "Bearer", 0.0))

    assert KeptSettings(environ).network(kept) == Network(allow_private=("in.example",))
    assert KeptSettings(environ).network(replace(kept, name="work")).allow_private == ("in.example",)
    with pytest.raises(ConfigError, match="cannot be read"):
        KeptSettings({**environ, "LOOPBACK_AUTH_CA_FILE": "/nowhere"}).network(kept)


def test_variable_with_the_password_of_the_key_is_known() -> None:
    """It is no setting, lest it is given as an argument, and no slip of the pen either."""
    assert unknown_variables({"LOOPBACK_AUTH_CLIENT_KEY_PASSWORD": "x"}) == ()
