"""Private files under attack: modes, links, pipes, strangers, full disks."""

from __future__ import annotations

import errno
import os
import shlex
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback_auth.errors import StoreError
from loopback_auth.store import damaged as aside
from loopback_auth.store import private_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners, modes and links of POSIX")


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Run the test under one umask."""
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of ours, with a name that a shell would split."""
    path = tmp_path / "kept here"
    path.mkdir(mode=0o700)
    return path


def private_file(folder: Path, content: bytes = b"old") -> Path:
    """Make a file as we keep them."""
    path = folder / "file.json"
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def mode(path: Path) -> int:
    """Return the permission bits of what is at a path, links not followed."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("umask")
def test_no_umask_opens_a_folder_its_parents_or_a_file(tmp_path: Path) -> None:
    """Under umask 000 a plain `open` makes a token file that anybody may write (CVE-2025-27154)."""
    deep = tmp_path / "a" / "b" / "c"
    private_files.make_folder(str(deep))
    new = Path(private_files.write_private(str(deep), b"content"))

    assert [mode(path) for path in (deep.parents[1], deep.parent, deep)] == [0o700] * 3
    assert (mode(new), new.read_bytes()) == (0o600, b"content")


def test_a_umask_that_shuts_us_out_is_noticed(folder: Path) -> None:
    """A file that its owner cannot read again is no place for a token."""
    old = os.umask(0o777)
    try:
        with pytest.raises(StoreError) as caught:
            private_files.write_private(str(folder), b"content")
        with pytest.raises(StoreError):
            private_files.make_folder(str(folder / "new"))
    finally:
        os.umask(old)

    assert "umask" in caught.value.hint
    assert [entry.name for entry in folder.iterdir() if entry.is_file()] == []


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o602, 0o601, 0o666, 0o200])
def test_the_fix_command_mends_a_wrong_mode(folder: Path, bits: int) -> None:
    """What the hint says to run must be exactly what makes the file acceptable."""
    path = private_file(folder)
    path.chmod(bits)
    with pytest.raises(StoreError, match=f"mode {bits:04o}") as caught:
        private_files.read_private(str(path))
    command = caught.value.hint.removeprefix("Run: ")
    subprocess.run(shlex.split(command), check=True)

    assert command == f"chmod 600 '{path}'"
    assert private_files.read_private(str(path)) == b"old"


def test_a_private_file_is_read_and_an_absent_one_is_none(folder: Path) -> None:
    """Absence is an answer, not a problem."""
    path = private_file(folder)

    assert private_files.read_private(str(path)) == b"old"
    assert private_files.read_private(str(folder / "absent.json")) is None


def test_a_link_is_refused_and_then_replaced(folder: Path, tmp_path: Path) -> None:
    """A planted link must lead us neither to read nor to write what it points to."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    victim.chmod(0o600)
    link = folder / "file.json"
    link.symlink_to(victim)
    with pytest.raises(StoreError, match="symbolic link") as caught:
        private_files.read_private(str(link))
    private_files.move_over(private_files.write_private(str(folder), b"new"), str(link))

    assert caught.value.hint == f"Run: rm '{link}'"
    assert victim.read_bytes() == b"untouched"
    assert (link.is_symlink(), link.read_bytes()) == (False, b"new")


def test_a_named_pipe_is_refused_without_waiting(folder: Path) -> None:
    """Opening a pipe that nobody writes to would otherwise never end."""
    pipe = folder / "file.json"
    os.mkfifo(pipe, 0o600)

    with pytest.raises(StoreError, match="not a regular file"):
        private_files.read_private(str(pipe))


def test_a_folder_and_a_socket_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies there, the error is ours and no descriptor stays open."""
    monkeypatch.chdir(folder)
    (folder / "file.json").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.json")
        before = len(os.listdir("/dev/fd"))  # noqa: PTH208 -- counts, and holds no descriptor itself
        for name in ("file.json", "socket.json"):
            with pytest.raises(StoreError, match=name):
                private_files.read_private(str(folder / name))

        assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 -- as above


def test_a_second_name_is_refused(folder: Path, tmp_path: Path) -> None:
    """With a hard link, somebody may have chosen which of our files we take for the kept one."""
    path = private_file(folder)
    (tmp_path / "other name").hardlink_to(path)

    with pytest.raises(StoreError, match="hard link"):
        private_files.read_private(str(path))


def test_a_stranger_s_file_and_folder_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-in planted by another user would make us act in their name (RFC 6749 §10.16)."""
    path = private_file(folder)
    us = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)

    with pytest.raises(StoreError, match=f"user ID {us}"):
        private_files.read_private(str(path))
    with pytest.raises(StoreError, match=f"user ID {us}"):
        private_files.check_folder(str(folder))


def test_a_huge_file_is_refused(folder: Path) -> None:
    """We never wrote it, and reading it would only use up memory."""
    path = private_file(folder, b"")
    os.truncate(path, private_files.SIZE_LIMIT)
    whole = private_files.read_private(str(path))
    os.truncate(path, private_files.SIZE_LIMIT + 1)

    assert whole == bytes(private_files.SIZE_LIMIT)
    with pytest.raises(StoreError, match="1 MiB"):
        private_files.read_private(str(path))


@pytest.mark.parametrize("bits", [0o777, 0o755, 0o710, 0o500])
def test_an_open_folder_is_refused_with_the_command_that_closes_it(folder: Path, bits: int) -> None:
    """In a folder that others may write to, every name can be swapped under our hands."""
    folder.chmod(bits)
    with pytest.raises(StoreError, match=f"mode {bits:04o}") as caught:
        private_files.make_folder(str(folder))
    subprocess.run(shlex.split(caught.value.hint.removeprefix("Run: ")), check=True)

    assert private_files.check_folder(str(folder))


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_is_refused(tmp_path: Path, folder: Path, kind: str) -> None:
    """A link in place of the folder could send our files into another folder of the same owner."""
    path = tmp_path / "place"
    path.symlink_to(folder) if kind == "link" else path.touch()

    with pytest.raises(StoreError, match="not a folder"):
        private_files.make_folder(str(path))


def test_a_file_among_the_parents_is_reported(tmp_path: Path) -> None:
    """The path is named, so that the person finds what is in the way."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "below" / "folder"
    with pytest.raises(StoreError) as made:
        private_files.make_folder(str(path))
    with pytest.raises(StoreError):
        private_files.check_folder(str(path))
    with pytest.raises(StoreError):
        private_files.write_private(str(path), b"")

    assert str(path) in made.value.message
    assert made.value.parameter == "store"


def test_a_failed_move_leaves_the_old_content(folder: Path) -> None:
    """A folder cannot be replaced by a file; what is in it must survive the attempt."""
    path = folder / "file.json"
    path.mkdir()
    (path / "inner").touch()
    with pytest.raises(StoreError, match="could not be replaced"):
        private_files.move_over(private_files.write_private(str(folder), b"new"), str(path))

    assert (path / "inner").exists()


def test_keeping_aside_never_overwrites(folder: Path) -> None:
    """Two damaged files within one second are two copies."""
    for content in (b"first", b"second"):
        aside.move_aside(str(private_file(folder, content)), 1000.9)

    assert (folder / "file.json.corrupt-1000").read_bytes() == b"first"
    assert (folder / "file.json.corrupt-1001").read_bytes() == b"second"


def test_keeping_nothing_aside_is_no_error(folder: Path) -> None:
    """Another process may have deleted the damaged file a moment before."""
    aside.move_aside(str(folder / "file.json"), 1000.0)

    assert list(folder.iterdir()) == []


def test_only_old_left_overs_are_removed(folder: Path) -> None:
    """A new file may be another process's, about to be put in place."""
    new = Path(private_files.write_private(str(folder), b"in flight"))
    old = Path(private_files.write_private(str(folder), b"left over"))
    kept = private_file(folder)
    now = new.stat().st_mtime
    for path in (old, kept):
        os.utime(path, (now - 3601, now - 3601))
    private_files.discard_left_overs(str(folder), now + 1)

    assert (new.exists(), old.exists(), kept.exists()) == (True, False, True)


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EROFS, "writable"),
        (errno.EACCES, "HOME"),
        (errno.EIO, "ls -la"),
    ],
)
def test_every_refusal_of_the_system_has_a_way_out(number: int, word: str) -> None:
    """The name of an error number helps nobody; a command does."""
    error = private_files.system_refused(OSError(number, os.strerror(number)), "/some where/file", "written")

    assert error.message == f"/some where/file could not be written: {os.strerror(number)}"
    assert word in error.hint
    assert error.parameter == "store"
    assert "chmod" not in error.hint


def test_folder_of_ours_that_is_closed_can_be_opened(tmp_path: Path) -> None:
    """Only its owner can do that, and only where it is."""
    refusal = OSError(errno.EACCES, os.strerror(errno.EACCES))
    error = private_files.system_refused(refusal, str(tmp_path / "file"), "written")

    assert f"chmod u+rwx {tmp_path}" in error.hint


def test_folder_that_is_not_there_leads_to_the_home_that_is_wrong() -> None:
    """A container under a user id of its own has / for its home."""
    refusal = OSError(errno.EACCES, os.strerror(errno.EACCES))
    error = private_files.system_refused(refusal, "/nowhere/.local/share/loopback_auth", "made")

    assert "HOME" in error.hint
