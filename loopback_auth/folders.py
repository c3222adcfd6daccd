"""Where files of ours live: one folder for settings, one for what is kept.

`LOOPBACK_AUTH_CONFIG_DIR` and `LOOPBACK_AUTH_DATA_DIR` decide if set; otherwise the conventions of the
system do, by way of platformdirs. Importing that costs about as much as starting the interpreter, and the
command that prints a kept token waits for it; hence on plain Linux the rule is written out here and a test
holds the two equal. Paths are `str` for the same reason: pathlib is slow to import. Nothing is looked up on
disk and nothing is made here.

Source: XDG Base Directory Specification, "Environment variables".
"""

# Importing pathlib costs more than all of this module.
# ruff: noqa: PTH100, PTH118

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

APP_NAME = "loopback_auth"
CONFIG_VARIABLE = "LOOPBACK_AUTH_CONFIG_DIR"
DATA_VARIABLE = "LOOPBACK_AUTH_DATA_DIR"


def config_folder(environ: Mapping[str, str]) -> str:
    """Name the folder of the settings file, as an absolute path.

    Args:
        environ: the environment variables; `os.environ` outside of tests.

    Raises:
        ConfigError: there is no home directory to start from.
    """
    if chosen := environ.get(CONFIG_VARIABLE):
        return os.path.abspath(chosen)
    if _plain_linux(environ):
        return _xdg_folder(environ, "XDG_CONFIG_HOME", ".config", CONFIG_VARIABLE)
    from platformdirs import user_config_dir  # Start-up.

    return user_config_dir(APP_NAME, appauthor=False)


def data_folder(environ: Mapping[str, str]) -> str:
    """Name the folder of what is kept between runs, as an absolute path.

    Args:
        environ: the environment variables; `os.environ` outside of tests.

    Raises:
        ConfigError: there is no home directory to start from.
    """
    if chosen := environ.get(DATA_VARIABLE):
        return os.path.abspath(chosen)
    if _plain_linux(environ):
        return _xdg_folder(environ, "XDG_DATA_HOME", ".local/share", DATA_VARIABLE)
    from platformdirs import user_data_dir  # Start-up.

    return user_data_dir(APP_NAME, appauthor=False)


def _plain_linux(environ: Mapping[str, str]) -> bool:
    # Android calls itself Linux and has folders of its own.
    android = hasattr(sys, "getandroidapilevel") or "ANDROID_ROOT" in environ
    return sys.platform == "linux" and not android


def _xdg_folder(environ: Mapping[str, str], variable: str, default: str, ours: str) -> str:
    # "All paths set in these environment variables must be absolute": a relative one is to be ignored.
    base = environ.get(variable, "")
    if not base.startswith("/"):
        base = f"{_home(environ, ours)}/{default}"
    return os.path.join(base, APP_NAME)


def _home(environ: Mapping[str, str], ours: str) -> str:
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        home = _home_of_account()
    if not home.startswith("/"):
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            "No home directory: HOME is not an absolute path and the account has none",
            hint=f"Set HOME, or set {ours} to the folder to use.",
        )
    return home.rstrip("/")


def _home_of_account() -> str:
    if sys.platform == "win32":
        return ""  # The rule of XDG is not asked for there.
    import pwd  # Of one platform.

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        # A container may run under a user id that no account has.
        return ""
