"""Which variables `run` puts a token into: whoever makes the token must not decide what is run."""

from __future__ import annotations

import pytest

from loopback_auth.commands._placeholders import places
from loopback_auth.errors import ConfigError
from loopback_auth.outputs.credential import Credential
from loopback_auth.outputs.env import env

TOKEN = Credential("token", None, "as", "", "access_token")


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "Path", "HOME", "XDG_CONFIG_HOME", "GIT_DIR", "GIT_EXEC_PATH"),
        *("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "NODE_OPTIONS", "PERL5OPT", "RUBYOPT"),
        *("BASH_ENV", "ENV", "PS4", "IFS", "ZDOTDIR"),
        *("EDITOR", "VISUAL", "PAGER", "BROWSER", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EDITOR"),
        *("GIT_SEQUENCE_EDITOR", "GIT_PAGER", "SSH_ASKPASS", "PROMPT_COMMAND", "RESTIC_PASSWORD_COMMAND"),
        *("BORG_PASSCOMMAND", "AWS_PAGER", "KUBE_EDITOR", "RUSTC_WRAPPER", "LESSOPEN", "RSYNC_RSH"),
        *("GIT_CONFIG_PARAMETERS", "GIT_CONFIG_KEY_0", "MAKEFLAGS", "GOFLAGS", "JAVA_TOOL_OPTIONS"),
        "LOOPBACK_AUTH_ISSUER",
    ],
)
@pytest.mark.parametrize("text", ["{}", "{}={{token}}", "{}=x{{token_file}}"])
def test_what_runs_or_changes_programs_gets_no_token(name: str, text: str) -> None:
    """Neither as the whole value nor within one, and in any spelling: Windows knows no case there."""
    with pytest.raises(ConfigError, match=name):
        places(["echo"], [text.format(name)], [], "access_token")
    with pytest.raises(ConfigError, match=name):
        env(TOKEN, variable=name)


@pytest.mark.parametrize(
    "name",
    [
        *("GH_TOKEN", "GIT_TOKEN", "GIT_PASSWORD", "GIT_CONFIG_VALUE_0", "NODE_AUTH_TOKEN", "NPM_TOKEN"),
        *("GEM_HOST_API_KEY", "CARGO_REGISTRY_TOKEN", "AWS_SESSION_TOKEN", "PGPASSWORD", "TOKEN_DIR"),
        *("EDITOR_TOKEN", "PATH_TOKEN", "ENVIRONMENT_TOKEN", "RESTIC_PASSWORD_FILE", "MY_LD_PRELOAD"),
    ],
)
def test_what_is_read_as_a_token_gets_it(name: str) -> None:
    """A name that only looks like another is not refused."""
    assert places(["echo"], [name], [], "access_token").variables == {name: "{token}"}
