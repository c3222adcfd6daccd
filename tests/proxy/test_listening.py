"""Where the proxy listens: only this user's programs come in."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from loopback_auth.errors import ConfigError
from loopback_auth.proxy.listening import (
    allow_connections,
    file_of,
    on_port,
    on_unix_socket,
    remove_unix_socket,
)

if sys.platform == "win32":
    pytest.skip("there are no Unix sockets for Python there", allow_module_level=True)

import resource


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this user with a short name: a socket's path has some hundred bytes."""
    with TemporaryDirectory() as name:
        yield Path(name)


def test_a_socket_can_be_opened_by_its_owner_alone(folder: Path) -> None:
    """Mode 0600, whatever the umask is, and from its first moment."""
    path, before = folder / "s", os.umask(0)
    try:
        with closing(on_unix_socket(str(path))):
            assert stat.S_IMODE(path.lstat().st_mode) == 0o600
            assert os.umask(0) == 0
    finally:
        os.umask(before)


def test_a_socket_of_a_process_that_was_killed_is_replaced(folder: Path) -> None:
    """It stays behind, and nothing listens on it."""
    path = str(folder / "s")
    on_unix_socket(path).close()
    with closing(on_unix_socket(path)), closing(socket.socket(socket.AF_UNIX)) as one:
        one.connect(path)
    file = file_of(path)
    remove_unix_socket(path, file)
    remove_unix_socket(path, file)

    assert not Path(path).exists()


def test_a_socket_that_is_in_use_is_left_alone(folder: Path) -> None:
    """Another proxy's clients would come to this one, with another token."""
    path = str(folder / "s")
    with closing(on_unix_socket(path)), pytest.raises(ConfigError, match="Another program") as refused:
        on_unix_socket(path)

    assert refused.value.parameter == "unix"


def test_the_socket_of_a_later_process_is_not_removed(folder: Path) -> None:
    """Where a person has removed the first one, its process must not take the second one away."""
    path = str(folder / "s")
    with closing(on_unix_socket(path)):
        first = file_of(path)
        Path(path).rename(folder / "moved")
        with closing(on_unix_socket(path)):
            remove_unix_socket(path, first)

            assert Path(path).is_socket()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(folder: Path, kind: str) -> None:
    """It may be a person's file."""
    path = folder / "s"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(folder / "elsewhere")
    with pytest.raises(ConfigError):
        on_unix_socket(str(path))

    assert path.is_symlink() or path.exists()


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o1770, 0o720])
def test_a_folder_that_others_can_change_is_refused(folder: Path, mode: int) -> None:
    """They could put a socket of theirs there when this one is gone, and read what clients send."""
    folder.chmod(mode)
    with pytest.raises(ConfigError, match="Other users") as caught:
        on_unix_socket(str(folder / "s"))
    folder.chmod(0o700)

    assert caught.value.parameter == "unix"
    assert not (folder / "s").exists()


def test_a_path_that_cannot_be_one_is_refused(folder: Path) -> None:
    """The system's limit is a hundred bytes; a folder has to be there."""
    with pytest.raises(ConfigError, match="too long"):
        on_unix_socket(str(folder / ("s" * 120)))
    with pytest.raises(ConfigError, match="no folder"):
        on_unix_socket(str(folder / "missing" / "s"))


def test_a_port_that_is_in_use_is_refused() -> None:
    """Clients would speak to the other program."""
    with closing(on_port(0)) as bound, pytest.raises(ConfigError, match="uses it"):
        on_port(bound.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    """The system's own error is none of ours."""
    with pytest.raises(ConfigError):
        on_port(port)


def test_the_limit_of_open_files_is_raised_and_never_lowered() -> None:
    """Many systems begin with 256 or 1024, and each request needs two connections."""
    before = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 200), hard))
        allow_connections(150)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (250, hard)
        allow_connections(50)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (250, hard)
        if hard != resource.RLIM_INFINITY:
            allow_connections(hard + 1)
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_only_the_loopback_interface_is_listened_on() -> None:
    """Other machines have no business here."""
    with closing(on_port(0)) as bound:
        assert bound.getsockname()[0] == "127.0.0.1"
