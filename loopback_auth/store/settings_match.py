"""Note that a kept sign-in matches the settings, and which hosts they give its token to.

The commands compare a sign-in with the settings each time, for which they read all settings. Scripts and
tools ask for a token many times a minute, so what came of a comparison is kept, in one private file each,
`<folder>/matches/<name>.json`. It counts as long as nothing has changed that could change the answer: the
configuration file, the sign-in and this program are the same, and no variable decides anything. It is never
needed: without it, and in every doubtful case, the settings are read again.

Nothing here is secret. Whether a sign-in matches is decided in `settings.kept`, and which hosts its token
belongs to in `outputs.hosts`; `commands._fresh` asks both, and notes it.
"""

# As in `private_files`.
# ruff: noqa: PTH116, PTH118, PTH120

from __future__ import annotations

import json
import os

from loopback_auth import __version__
from loopback_auth.folders import CONFIG_VARIABLE, DATA_VARIABLE, changed_at, config_file, links_on
from loopback_auth.records import dataclass
from loopback_auth.store import SIGN_INS, SUFFIX
from loopback_auth.store.private_files import (
    check_folder,
    discard,
    make_folder,
    move_over,
    read_private,
    write_private,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "matches"
PREFIX = "LOOPBACK_AUTH_"
ANY_TEXT = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "ACR_VALUES",
        "CA_FILE",
        "CLIENT_CERT",
        "CLIENT_KEY",
        "CLIENT_KEY_PASSWORD",
        "CLIENT_METADATA_URL",
        "CLIENT_NAME",
        "CLIENT_SECRET",
        "LOGIN_HINT",
        "MESSAGE",
        "PRIVATE_KEY_FILE",
        "PROMPT",
        "REDIRECT_URI",
    )
)
"""Variables that are for a new sign-in or a renewal, whatever text they have."""
ANY_SWITCH = frozenset(
    f"{PREFIX}{name}"
    for name in ("BROWSER", "PERSON", "PKCE", "PUSH", "REACHABLE", "SIGNED_REQUEST", "START_PAGE", "WAIT")
)
"""Likewise, but a value that cannot be read changes what commands say."""
SWITCHES = ("true", "false", "1", "0")
SIGNAL = f"{PREFIX}SIGNAL"
"""Likewise; its value is `name=value ...`."""
SETTLED_SECONDS = 2.0
"""In which a file may change again and have the same time of change, as on disks with FAT."""


@dataclass(frozen=True, slots=True)
class SettingsMatch:
    """What the settings say about a sign-in that matches them.

    Args:
        hosts: to which its token may be sent, each as `host:port`, from `outputs.hosts.belongs_to`.
        username: that goes with the token where a tool wants one; empty: the account.
    """

    hosts: frozenset[str]
    username: str


def variables_decide(environ: Mapping[str, str]) -> bool:
    """Return whether a variable may change which sign-in is meant, whether it matches, or its hosts.

    Args:
        environ: the environment variables. Those of ours that are not known here may change everything.
    """
    return any(
        name.startswith(PREFIX) and value and not _is_harmless(name, value) for name, value in environ.items()
    )


def _is_harmless(name: str, value: str) -> bool:
    if name in (CONFIG_VARIABLE, DATA_VARIABLE):
        return True  # Where the files are is a part of what is noted.
    if name in ANY_TEXT:
        return value.isascii()
    if name == SIGNAL:
        signals = [word.partition("=")[0] for word in value.split() if "=" in word]
        return value.isascii() and all(signals) and len(set(signals)) == len(value.split())
    return name in ANY_SWITCH and value in SWITCHES


def settings_state(environ: Mapping[str, str]) -> list[object]:
    """Return what changes when another configuration file is read; empty when there is none.

    A file that was edited, replaced, or put here with its folder, a link that leads elsewhere, and a variable
    that names another folder all make a difference. So do owners and modes, of all that `settings.trusted`
    looks at: a file that other users can change is refused.

    Args:
        environ: the environment variables.

    Returns:
        The path, and numbers, as JSON can have them.

    Raises:
        ConfigError: there is no home directory.
        OSError: it cannot be looked at.
    """
    path = config_file(environ)
    try:
        link, file = os.lstat(path), os.stat(path)
    except FileNotFoundError:
        return []
    state = [path, *_state(link), *_state(file)]
    for found in (itself for _, itself in links_on(path)):
        state += _state(found)
    for folder in (os.path.dirname(path), os.path.dirname(os.path.realpath(path))):
        there = os.stat(folder)
        state += [there.st_ino, there.st_mode, there.st_uid]
    return state


def sign_in_state(folder: str, name: str) -> list[object]:
    """Return what changes when a sign-in is kept anew, renewed for example.

    Args:
        folder: the data folder.
        name: of the sign-in.

    Raises:
        OSError: there is none, or it cannot be looked at.
    """
    return _state(os.lstat(_sign_in(folder, name)))


def read_match(folder: str, name: str, settings: Sequence[object]) -> SettingsMatch | None:
    """Return what was noted about a sign-in; None when nothing was, or something has changed since.

    The caller has read the sign-in before, so that it is this one or a later one that is looked at.

    Args:
        folder: the data folder.
        name: of the sign-in.
        settings: from `settings_state`.
    """
    path = _path(folder, name)
    try:
        content = read_private(path) if check_folder(os.path.dirname(path)) else None
        if content is None:
            return None
        noted = json.loads(content)
        if noted["state"] != _whole_state(settings, sign_in_state(folder, name)):
            return None
        if not isinstance(noted["username"], str):
            return None
        return SettingsMatch(frozenset(map(str, noted["hosts"])), noted["username"])
    except Exception:
        return None  # Then the settings are read, and what is wrong there is said.


def keep_match(
    folder: str,
    name: str,
    match: SettingsMatch,
    *,
    settings: Sequence[object],
    sign_in: Sequence[object],
    now: float,
) -> None:
    """Note that a sign-in matches the settings, unless one of both has changed this very moment.

    Args:
        folder: the data folder.
        name: of the sign-in.
        match: what the settings say about it.
        settings: from `settings_state`, looked at before they were read.
        sign_in: from `sign_in_state`, looked at before it was read.
        now: Unix seconds.

    Raises:
        OSError: one of both is not there any more.
        StoreError: it cannot be kept.
    """
    paths = [_sign_in(folder, name), *map(str, settings[:1])]
    if max(map(changed_at, paths)) > now - SETTLED_SECONDS:
        return
    path = _path(folder, name)
    within = os.path.dirname(path)
    noted = {
        "state": _whole_state(settings, sign_in),
        "hosts": sorted(match.hosts),
        "username": match.username,
    }
    make_folder(within)
    new = write_private(within, json.dumps(noted).encode("ascii"), name)
    try:
        move_over(new, path)
    except BaseException:
        discard(new)
        raise


def discard_match(folder: str, name: str) -> None:
    """Remove what was noted about a sign-in, and what a crash has left of it."""
    from loopback_auth.store.damaged import discard_copies  # Start-up.

    path = _path(folder, name)
    discard(path)
    discard_copies(path, name)


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, FOLDER, name + SUFFIX)


def _sign_in(folder: str, name: str) -> str:
    return os.path.join(folder, SIGN_INS, name + SUFFIX)


def _whole_state(settings: Sequence[object], sign_in: Sequence[object]) -> list[object]:
    # Another version of the program may know other hosts.
    return [__version__, list(settings), list(sign_in)]


def _state(found: os.stat_result) -> list[object]:
    # On Windows the last one is when the file was made.
    times = (found.st_mtime_ns, found.st_ctime_ns)
    return [found.st_ino, found.st_mode, found.st_uid, found.st_size, *times]
