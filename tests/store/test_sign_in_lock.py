"""Who leads a crowd, how the others learn of the end, and what a leader that dies leaves behind."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loopback_auth.errors import AttemptCancelled, AuthorizationError, ConfigError, SignInRequired, StoreError
from loopback_auth.store import FileTokenStore
from loopback_auth.store.sign_in_lock import FileSignInLock

LEAD_AND_WAIT = """\
import sys
from loopback_auth.store.sign_in_lock import FileSignInLock
crowd = FileSignInLock(sys.argv[1])
assert crowd.lead()
with crowd:
    print("leading", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """The file of a crowd, in a folder that is still to be made."""
    return str(tmp_path / "data" / "demo.json.crowd")


def test_one_leads_and_the_others_know_who(path: str) -> None:
    """A person wants to know which of their windows asks."""
    leader, other = FileSignInLock(path), FileSignInLock(path)

    assert (leader.lead(), other.lead()) == (True, False)

    with leader:
        assert other.leader() == os.getpid()

    assert other.lead()
    other.leave()


@pytest.mark.skipif(sys.platform == "win32", reason="mode bits of POSIX")
def test_file_is_for_its_owner_alone(path: str) -> None:
    """Whoever could write there could tell others that we have failed."""
    crowd = FileSignInLock(path)
    crowd.lead()
    crowd.leave()

    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600


def test_end_is_told_to_those_who_waited_and_to_nobody_later(path: str) -> None:
    """What ended before one came is no answer to one's own question."""
    crowd = FileSignInLock(path)
    crowd.lead()
    with crowd:
        pass
    ended_at = json.loads(Path(path).read_text())["ended_at"]

    assert crowd.ended_since(ended_at - 1)
    assert not crowd.ended_since(ended_at + 1)


def test_end_that_is_yet_to_come_is_none(path: str) -> None:
    """A clock that was a year ahead would else end every sign-in of that year before it has begun."""
    crowd = FileSignInLock(path)
    crowd.lead()
    Path(path).write_text(json.dumps({"ended_at": time.time() + 3600, "error": "denied"}))

    assert not crowd.ended_since(0)

    crowd.leave()


def test_refusal_is_everybodys(path: str) -> None:
    """Twenty processes must not ask the same person twenty times after a "no"."""
    crowd = FileSignInLock(path)
    crowd.lead()
    with pytest.raises(AuthorizationError), crowd:
        raise AuthorizationError("access_denied")

    with pytest.raises(SignInRequired, match="access_denied"):
        crowd.ended_since(0)


@pytest.mark.parametrize("error", [AttemptCancelled("Given up."), KeyboardInterrupt(), ZeroDivisionError()])
def test_giving_up_speaks_for_oneself_alone(path: str, error: BaseException) -> None:
    """Ctrl-C in one window is no answer for the others: one of them asks next."""
    crowd = FileSignInLock(path)
    crowd.lead()
    with pytest.raises(type(error)), crowd:
        raise error

    assert not crowd.ended_since(0)


def test_leader_that_is_killed_is_replaced(path: str) -> None:
    """The lock is the operating system's, so nobody has to judge whether a leader still lives."""
    command = [sys.executable, "-c", LEAD_AND_WAIT, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        leader.stdout.readline()
        crowd = FileSignInLock(path)
        before = crowd.lead(), crowd.leader()
        leader.kill()
        leader.wait(60)

    assert before == (False, leader.pid)
    assert crowd.lead()
    assert not crowd.ended_since(0)
    crowd.leave()


FORK_AND_BE_KILLED = """
import os, sys
from loopback_auth.store.sign_in_lock import FileSignInLock
lock = FileSignInLock(sys.argv[1])
assert lock.lead()
if os.fork() == 0:
    lock.leave()
    print("child", flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX has fork")
def test_lock_stays_with_the_process_that_took_it(path: str) -> None:
    """A child that was forked meanwhile neither gives it up nor keeps it when its parent is killed."""
    command = [sys.executable, "-c", FORK_AND_BE_KILLED, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        leader.stdout.readline()
        crowd = FileSignInLock(path)
        before = crowd.lead()
        leader.kill()
        leader.wait(60)
        # The child lives until its stdin ends.
        after = crowd.lead()
    crowd.leave()

    assert (before, after) == (False, True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"process": "x", "ended_at": "now"}', b"\xff"])
def test_file_that_was_edited_says_nothing(path: str, content: bytes) -> None:
    """Nothing in it has to be known; the lock is what counts."""
    crowd = FileSignInLock(path)
    crowd.lead()
    Path(path).write_bytes(content)

    assert (crowd.leader(), crowd.ended_since(0)) == (0, False)

    crowd.leave()


@pytest.mark.skipif(sys.platform == "win32", reason="a link takes a privilege there")
def test_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Another user of a shared folder could have us truncate a file of ours."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (folder / "x.crowd").symlink_to(precious)

    with pytest.raises(StoreError):
        FileSignInLock(str(folder / "x.crowd")).lead()

    assert precious.read_text() == "kept"


def test_name_is_checked_like_that_of_a_sign_in(tmp_path: Path) -> None:
    """It becomes a path."""
    with pytest.raises(ConfigError):
        FileTokenStore(str(tmp_path)).sign_in_lock("../x")


def test_where_nothing_can_be_locked_nobody_waits(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On some network file systems; two tabs are better than waiting for a leader who is not there."""

    def without_locks(_descriptor: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("loopback_auth.store.sign_in_lock._lock", without_locks)

    assert FileSignInLock(path).lead()
    assert FileSignInLock(path).lead()
