"""Where files live: our variables, the XDG rule, and platformdirs as its measure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from loopback_auth.errors import ConfigError
from loopback_auth.folders import config_folder, data_folder
from loopback_auth.settings import load_config

ROOT = Path(__file__).parents[1]


def set_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Let these be all that the environment says about folders."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    "variables",
    [
        {"HOME": "/home/ada"},
        {"HOME": "/home/ada/"},
        {"HOME": "/home/ada//"},
        {"HOME": "/"},
        {"HOME": ""},
        {"HOME": "ada"},
        {},
        {"HOME": "/home/ada", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"},
        {"HOME": "/home/ada", "XDG_CONFIG_HOME": "/c/", "XDG_DATA_HOME": "/"},
        {"HOME": "/home/ada", "XDG_CONFIG_HOME": "c", "XDG_DATA_HOME": "../d"},
        {"HOME": "/home/ada", "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "~/d"},
        {"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"},
    ],
)
def test_our_xdg_rule_is_that_of_platformdirs(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """The rule is written out only for speed, so it must never differ from the library."""
    set_environment(monkeypatch, variables)

    assert config_folder(os.environ) == platformdirs.user_config_dir("loopback_auth", appauthor=False)
    assert data_folder(os.environ) == platformdirs.user_data_dir("loopback_auth", appauthor=False)


def test_our_own_variables_decide() -> None:
    """Whoever names a folder gets that one, whatever the conventions of the system are."""
    environ = {
        "HOME": "/home/ada",
        "XDG_DATA_HOME": "/d",
        "LOOPBACK_AUTH_CONFIG_DIR": "/mine/c",
        "LOOPBACK_AUTH_DATA_DIR": "/mine/d",
    }

    wanted = [str(Path(folder).absolute()) for folder in ("/mine/c", "/mine/d")]
    assert [config_folder(environ), data_folder(environ)] == wanted


def test_a_relative_folder_is_made_absolute() -> None:
    """Messages must name the folder in a way that holds in every terminal."""
    environ = {"LOOPBACK_AUTH_CONFIG_DIR": "c", "LOOPBACK_AUTH_DATA_DIR": "./d"}

    assert config_folder(environ) == str(Path.cwd() / "c")
    assert data_folder(environ) == str(Path.cwd() / "d")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that a program is in cannot be removed there")
def test_the_current_folder_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It matters for a relative path alone, and that is no fault of the program."""
    (tmp_path / "gone").mkdir()
    (tmp_path / "config.toml").write_text('client_name = "mine"\n')
    (tmp_path / "config.toml").chmod(0o600)
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(ConfigError) as config:
        config_folder({"LOOPBACK_AUTH_CONFIG_DIR": "c"})
    with pytest.raises(ConfigError) as data:
        data_folder({"LOOPBACK_AUTH_DATA_DIR": "./d"})

    assert (config.value.parameter, data.value.parameter) == ("config_dir", "store")
    assert load_config(str(tmp_path / "config.toml")) == {"client_name": "mine"}


def test_an_empty_variable_counts_as_unset() -> None:
    """`NAME= command` is how a shell user switches a setting off."""
    environ = {"HOME": "/home/ada", "LOOPBACK_AUTH_CONFIG_DIR": "", "LOOPBACK_AUTH_DATA_DIR": ""}

    assert config_folder(environ) == config_folder({"HOME": "/home/ada"})
    assert data_folder(environ) == data_folder({"HOME": "/home/ada"})


def test_other_systems_are_left_to_platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Android calls itself Linux but keeps files elsewhere; only the library knows where."""
    set_environment(monkeypatch, {"HOME": "/home/ada"})
    environ = {"ANDROID_ROOT": "/system", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"}

    assert config_folder(environ) == platformdirs.user_config_dir("loopback_auth", appauthor=False)
    assert data_folder(environ) == platformdirs.user_data_dir("loopback_auth", appauthor=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG rule is ours on Linux only")
def test_without_any_home_the_variable_to_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run under a user id without an account, and must be told the way out."""
    import pwd

    def no_account(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", no_account)

    with pytest.raises(ConfigError) as config:
        config_folder({})
    with pytest.raises(ConfigError) as data:
        data_folder({"HOME": "relative"})

    assert config.value.parameter == "config_dir"
    assert data.value.parameter == "store"


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG rule is ours on Linux only")
def test_naming_a_folder_imports_nothing() -> None:
    """The command that prints a kept token waits for this module."""
    script = (
        "import __future__, os, sys; before = set(sys.modules)\n"
        "from loopback_auth.folders import config_folder, data_folder\n"
        "config_folder(os.environ), data_folder(os.environ)\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={"HOME": "/home/ada"}, capture_output=True, text=True
    )

    assert set(answer.stdout.split()) == {"loopback_auth", "loopback_auth.folders"}
