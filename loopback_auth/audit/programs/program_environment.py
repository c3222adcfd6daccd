"""What a program is given: a home, a working folder and variables of its own, and nothing of the user's.

The program runs as the same user all the same: it can read what that user can read. What this keeps from it
are the secrets that programs find by themselves: variables, files below the home folder, the session's bus
with the keychain behind it, and agents that are found by a variable.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from loopback_auth.audit.programs.observed import WrittenFile
from loopback_auth.audit.programs.stand_ins import StandIns
from loopback_auth.audit.programs.templates import inner_path
from loopback_auth.errors import ConfigError

KEPT = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "TZ",
    "TZDIR",
    "USER",
    "LOGNAME",
    "SHELL",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "NODE_PATH",
    "JAVA_HOME",
)
"""Variables that the program gets as they are: without them it may not start, and none has a secret."""
DISPLAY = ":99"
"""A display that is not there: programs look for one before they start a browser."""
NO_BUS = "disabled:"
"""The address of no message bus, so that none is started and the user's is not found."""
AUTHORITY_FILES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "DENO_CERT",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "PIP_CERT",
)
"""Variables by which programs find the certificate authority."""
NO_PROXY = "127.0.0.1,localhost,::1"
DEAD_PROXY = "http://127.0.0.1:9"
"""A proxy that is not there (port 9 is that of the discard service, RFC 863), for all but this machine."""

READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""How a file is opened: what became a link or a pipe meanwhile is an error, or empty."""
LARGEST_FILE, MOST_FILES, MOST_BYTES = 1024 * 1024, 500, 16 * 1024 * 1024
"""Limits for what is read of the files that a program wrote."""


class ProgramEnvironment:
    """The folders and variables of one run.

    Args:
        root: an empty folder that is removed after the run.
    """

    def __init__(self, root: Path) -> None:
        self.stand_ins: StandIns = StandIns(root)
        self.home: Path = root / "home"
        self.folder: Path = self.home / "work"
        self._before: dict[Path, tuple[int, int]] = {}
        self._variables = {
            "XDG_CONFIG_HOME": self.home / ".config",
            # Else xdg-open finds the desktop's own browser before the one that is named.
            "XDG_CONFIG_DIRS": self.home / ".config",
            "XDG_DATA_DIRS": self.home / ".local" / "share",
            "XDG_CACHE_HOME": self.home / ".cache",
            "XDG_DATA_HOME": self.home / ".local" / "share",
            "XDG_STATE_HOME": self.home / ".local" / "state",
            "XDG_RUNTIME_DIR": self.home / ".run",
            "TMPDIR": self.home / ".tmp",
        }
        for folder in (self.home, self.folder, *self._variables.values()):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def variables(
        self,
        inherited: Mapping[str, str],
        given: Mapping[str, str],
        *,
        ca_file: str = "",
        terminal: bool = False,
        reaches_out: bool = False,
    ) -> dict[str, str]:
        """Return the environment of the program.

        Args:
            inherited: that of the user, of which `KEPT` alone is handed on.
            given: more variables, which count more than all others.
            ca_file: path of the certificate authority; empty: there is none.
            terminal: the program runs in a terminal.
            reaches_out: no proxy is named to keep it on this machine.
        """
        made = {name: inherited[name] for name in KEPT if name in inherited}
        made["PATH"] = os.pathsep.join((str(self.stand_ins.folder), made.get("PATH", os.defpath)))
        made |= {name: str(folder) for name, folder in self._variables.items()}
        made |= {
            "HOME": str(self.home),
            "BROWSER": self.stand_ins.browser,
            "DISPLAY": DISPLAY,
            "DBUS_SESSION_BUS_ADDRESS": NO_BUS,
            "TERM": "xterm-256color" if terminal else "dumb",
        }
        if ca_file:
            made |= dict.fromkeys(AUTHORITY_FILES, ca_file)
        if not reaches_out:
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                made[name] = DEAD_PROXY
            made |= {"no_proxy": NO_PROXY, "NO_PROXY": NO_PROXY}
        return {**made, **given}

    def write(self, files: Mapping[str, str]) -> None:
        """Write the files that the program is configured by; they do not count as its own.

        Raises:
            ConfigError: a path leads out of the folders, or no file can have it.
        """
        for path, text in files.items():
            at_home, inner = inner_path(path)
            target = (self.home if at_home else self.folder) / inner
            try:
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
                target.chmod(0o600)
            except OSError as exc:
                raise ConfigError(
                    f"The file {ascii(path)[:80]} for the program cannot be written: {exc.strerror}.",
                    hint="Give it another path: a file cannot be a folder too.",
                ) from exc
        self._before = {path: _version(path) for path in _files(self.home)}

    def written(self) -> tuple[WrittenFile, ...]:
        """Return the files that were made or changed since `write`."""
        found: list[WrittenFile] = []
        left = MOST_BYTES
        for path in sorted(_files(self.home)):
            try:
                if self._before.get(path) == _version(path) or len(found) == MOST_FILES:
                    continue
                with os.fdopen(os.open(path, READING), "rb") as stream:
                    mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
                    content = stream.read(min(LARGEST_FILE, left)) or b""
                left -= len(content)
            except OSError:
                continue  # It is gone already, or not for us.
            found.append(WrittenFile(path.relative_to(self.home).as_posix(), mode, content))
        return tuple(found)


def _files(folder: Path) -> list[Path]:
    """Return the regular files below a folder; links are not followed."""
    found: list[Path] = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                if stat.S_ISREG(path.lstat().st_mode):
                    found.append(path)
            except OSError:
                continue  # It is gone already.
            if len(found) > 20 * MOST_FILES:
                return found
    return found


def _version(path: Path) -> tuple[int, int]:
    now = path.stat()
    return now.st_mtime_ns, now.st_size
