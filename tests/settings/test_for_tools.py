"""Which hosts and which user name the settings give to the token of a kept sign-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopback_auth.errors import ConfigError
from loopback_auth.model import ServerMetadata
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.tokens import SignIn, TokenSet

GITHUB = ServerMetadata(None, token_endpoint="https://github.com/login/oauth/access_token")
GITLAB = ServerMetadata("https://gitlab.com", token_endpoint="https://gitlab.com/oauth/token")
OWN = ServerMetadata("https://git.example", token_endpoint="https://git.example/oauth/token")

TABLES = """
[providers.gitlab]
client_id = "a"
hosts = ["gitlab.com", "registry.gitlab.com"]

[providers.work]
preset = "gitlab"
issuer = "https://git.example"
client_id = "b"
hosts = ["git.example", "git.example:5050"]
token_username = "token"

[providers.plain]
preset = "gitlab"
issuer = "https://git.example"
client_id = "b"
"""


def kept_settings(folder: Path, config: str = "") -> KeptSettings:
    """Return the settings of a configuration file."""
    if config:
        (folder / "config.toml").write_text(config)
        (folder / "config.toml").chmod(0o600)
    return KeptSettings({"LOOPBACK_AUTH_CONFIG_DIR": str(folder)})


def sign_in(name: str, server: ServerMetadata) -> SignIn:
    """Return a kept sign-in."""
    return SignIn(name, "a", "none", server, "", TokenSet("access", "Bearer", 0.0))


@pytest.mark.parametrize(
    ("config", "name", "server", "hosts", "user"),
    [
        pytest.param("", "github", GITHUB, ("github.com", "gist.github.com"), "", id="preset"),
        pytest.param("", "github-work", GITHUB, ("github.com", "gist.github.com"), "", id="another name"),
        pytest.param("", "gitlab", OWN, (), "", id="the name of a preset, and another server"),
        pytest.param("", "gitlab", GITLAB, ("gitlab.com",), "oauth2", id="preset with a user name"),
        pytest.param(
            TABLES, "gitlab", GITLAB, ("gitlab.com", "registry.gitlab.com"), "oauth2", id="a table adds to it"
        ),
        pytest.param(TABLES, "work", OWN, ("git.example", "git.example:5050"), "token", id="a table alone"),
        pytest.param(TABLES, "plain", OWN, (), "oauth2", id="a table for another server than its preset's"),
        pytest.param(TABLES, "gitlab", OWN, (), "", id="a table, and a sign-in at another server"),
        pytest.param(
            TABLES, "work", GITLAB, ("gitlab.com",), "oauth2", id="a sign-in at the preset's server"
        ),
        pytest.param(TABLES, "elsewhere", OWN, (), "", id="a name that no table has"),
    ],
)
def test_what_the_settings_give_to_a_token(
    config: str, name: str, server: ServerMetadata, hosts: tuple[str, ...], user: str, tmp_path: Path
) -> None:
    """A preset speaks for its own server alone: its hosts must not get the tokens of another."""
    assert kept_settings(tmp_path, config).for_tools(sign_in(name, server)) == (hosts, user)


def test_a_misspelt_key_is_told(tmp_path: Path) -> None:
    """Without hosts the helpers say nothing, and the person would look for the reason elsewhere."""
    with pytest.raises(ConfigError, match="Unknown key 'host'"):
        kept_settings(tmp_path, '[providers.work]\nhost = ["git.example"]\n').for_tools(sign_in("work", OWN))
