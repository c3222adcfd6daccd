"""Decide where the program's files are: one folder for the settings, one for what is kept.

`LOOPBACK_AUTH_CONFIG_DIR` and `LOOPBACK_AUTH_DATA_DIR` decide if they are set, otherwise platformdirs with
the conventions of the system. Importing platformdirs takes about as long as starting Python, and the command
that prints a kept token would wait for it; therefore the rule for plain Linux is written here, and a test
checks that both agree. Paths are `str` for the same reason: pathlib is slow to import. This module creates
nothing on the disk, and reads nothing there but when a file was changed, and which links lead to it.

Source: XDG Base Directory Specification, "Environment variables".
"""

# Importing pathlib costs more than all of this module.
# ruff: noqa: PTH100, PTH109, PTH115, PTH116, PTH118, PTH120

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

APP_NAME = "loopback_auth"
CONFIG_VARIABLE = "LOOPBACK_AUTH_CONFIG_DIR"
DATA_VARIABLE = "LOOPBACK_AUTH_DATA_DIR"
MOST_LINKS = 40
"""Symbolic links that are followed: as many as Linux follows (path_resolution(7))."""


def config_folder(environ: Mapping[str, str]) -> str:
    """Return the folder of the configuration file, as an absolute path.

    Args:
        environ: the environment variables; `os.environ` outside of tests.

    Raises:
        ConfigError: there is no home directory, or no current folder for a relative path.
    """
    if chosen := environ.get(CONFIG_VARIABLE):
        return _absolute(chosen, "config_dir")
    if _plain_linux(environ):
        return _xdg_folder(environ, "XDG_CONFIG_HOME", ".config", "config_dir")
    from platformdirs import user_config_dir  # Start-up.

    return user_config_dir(APP_NAME, appauthor=False)


def config_file(environ: Mapping[str, str]) -> str:
    """Return the path of the configuration file, whether or not it exists."""
    return f"{config_folder(environ)}{os.sep}config.toml"


def data_folder(environ: Mapping[str, str]) -> str:
    """Return the folder of what is kept between runs, as an absolute path.

    Args:
        environ: the environment variables; `os.environ` outside of tests.

    Raises:
        ConfigError: there is no home directory, or no current folder for a relative path.
    """
    if chosen := environ.get(DATA_VARIABLE):
        return _absolute(chosen, "store")
    if _plain_linux(environ):
        return _xdg_folder(environ, "XDG_DATA_HOME", ".local/share", "store")
    from platformdirs import user_data_dir  # Start-up.

    return user_data_dir(APP_NAME, appauthor=False)


def changed_at(path: str) -> float:
    """Return when a file was changed, or put where it is, in Unix seconds; 0 when there is none.

    A copy that is moved here, or a link that leads to another file now, may have content that is old; then
    the system knows of a later change (`st_ctime`), of the file or of the link.

    Args:
        path: of the file.
    """
    try:
        found = (os.lstat(path), os.stat(path))
    except FileNotFoundError:
        return 0.0
    return max(max(each.st_mtime, each.st_ctime) for each in found)


def links_on(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Return every symbolic link on the path to a file, and on the paths that these links name.

    On Windows these are not looked for.

    Args:
        path: of the file.

    Raises:
        OSError: there is no such file, or a folder cannot be searched.
    """
    if sys.platform == "win32":
        return
    # The current folder may be gone, and matters for a relative path alone.
    whole = path if path.startswith("/") else os.path.join(os.getcwd(), path)
    place, rest, found = "/", whole.split("/"), 0
    while rest:
        place = os.path.join(place, rest.pop(0))
        itself = os.lstat(place)
        if stat.S_ISLNK(itself.st_mode):
            found += 1
            if found > MOST_LINKS:  # The links have changed since the file was opened.
                import errno  # Start-up.

                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            yield place, itself
            rest = os.readlink(place).split("/") + rest
            place = "/" if rest[0] == "" else os.path.dirname(place)


def _absolute(folder: str, parameter: str) -> str:
    try:
        return os.path.abspath(folder)
    except OSError as exc:
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            f"The folder {ascii(folder)[:80]} is below the current folder, which cannot be found: "
            f"{exc.strerror or type(exc).__name__}",
            hint="Go to a folder that exists, or name an absolute path.",
            parameter=parameter,
        ) from None


def _plain_linux(environ: Mapping[str, str]) -> bool:
    # On Android sys.platform is linux too, but its folders are others.
    android = hasattr(sys, "getandroidapilevel") or "ANDROID_ROOT" in environ
    return sys.platform == "linux" and not android


def _xdg_folder(environ: Mapping[str, str], variable: str, default: str, parameter: str) -> str:
    # "All paths set in these environment variables must be absolute": a relative one is ignored.
    base = environ.get(variable, "")
    if not base.startswith("/"):
        base = f"{_home(environ, parameter)}/{default}"
    return os.path.join(base, APP_NAME)


def _home(environ: Mapping[str, str], parameter: str) -> str:
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        home = _home_of_account()
    if not home.startswith("/"):
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            "There is no home directory: HOME is not an absolute path, and the account has none",
            hint="Set HOME, or choose the folder yourself.",
            parameter=parameter,
        )
    return home.rstrip("/")


def _home_of_account() -> str:
    if sys.platform == "win32":
        return ""  # The rule of XDG is not used there.
    import pwd  # Of one platform.

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        # A container may run with a user ID that has no account.
        return ""
