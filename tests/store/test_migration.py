"""The move to the keychain and back: nothing is lost at any moment, and nothing stays in plain text."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fake_keychain
import pytest
from fake_keychain import be_wrong, lose_all, new_process
from test_keychain import BOUND, CANARY, ISSUER, REGISTERED, SIGN_IN, contents
from test_keychain import data as data
from test_keychain import secrets as secrets
from test_pending import HANDED

from loopback_auth.errors import StoreError
from loopback_auth.store import FileTokenStore, migration, private_files
from loopback_auth.store import kept_files as module
from loopback_auth.store.migration import in_keychain, kept_files, move
from loopback_auth.store.pending import PendingStore

pytestmark = pytest.mark.usefixtures("secrets")

NEW = f".new-as.example-{'0' * 16}"
CHANGES = frozenset({"open", "os.rename", "os.remove", "os.utime", "os.mkdir"})
"""Audit events of what changes files."""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no new file, and for no disk."""
    monkeypatch.setattr(migration, "LEFT_OVER_SECONDS", 0.0)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def kept(data: Path) -> Path:
    """Keep one of everything, and what a crash and a damaged file have left."""
    store = FileTokenStore(data)
    store.save(SIGN_IN)
    path = Path(store.path("as.example"))
    path.write_text(f"damaged {CANARY}")
    store.save(SIGN_IN)
    store.save(BOUND)
    store.write_registrations(ISSUER, REGISTERED)
    PendingStore(data).save(HANDED)
    for folder in ("sign-ins", "keys"):
        (data / folder / NEW).write_text(CANARY)
        (data / folder / NEW).chmod(0o600)
    return data


def all_is_kept(data: Path) -> bool:
    """Return whether everything can be read, by a process that has it from nowhere else."""
    store = FileTokenStore(data)
    found = (store.load("as.example"), store.load("bound"), store.read_registrations(ISSUER))
    return found == (SIGN_IN, BOUND, REGISTERED) and PendingStore(data).load(HANDED.handle) == HANDED


def plain(data: Path) -> list[str]:
    """Return the files that have a secret in plain text."""
    return [name for name, content in contents(data).items() if CANARY.encode() in content]


def test_everything_is_moved_there_and_back(kept: Path) -> None:
    """The copies of damaged files have secrets too, and so has what a crash has left."""
    before = {name: content for name, content in contents(kept).items() if ".new-" not in name}
    there = move(str(kept), encrypt=True)

    assert (there.moved, there.failures) == (6, ())
    assert plain(kept) == []
    assert all_is_kept(kept)
    assert move(str(kept), encrypt=True).moved == 0

    back = move(str(kept), encrypt=False)
    assert (back.moved, back.failures) == (6, ())
    after = contents(kept)
    assert {name: after[name] for name in before} == before
    FileTokenStore(kept).save(replace(SIGN_IN, name="new"))
    assert in_keychain(FileTokenStore(kept).path("new")) is False


def test_the_time_of_a_file_is_kept(kept: Path) -> None:
    """By it the ports are known that were used last."""
    (path,) = (kept / "registrations").glob("*.json")
    os.utime(path, ns=(1_000, 2_000_000_000))
    move(str(kept), encrypt=True)

    assert path.stat().st_mtime_ns == 2_000_000_000


def test_an_empty_folder_is_moved_at_once(data: Path) -> None:
    """Whoever installs the program may choose first and sign in later."""
    assert move(str(data), encrypt=False).moved == 0
    assert not data.exists()
    assert move(str(data), encrypt=True).moved == 0

    FileTokenStore(data).save(SIGN_IN)
    assert plain(data) == []


@pytest.mark.parametrize("fault", ["locked", "truncates", "forgets"])
def test_nothing_is_moved_with_a_keychain_that_cannot_be_used(
    kept: Path, secrets: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a move would be no better than none."""
    before = contents(kept)
    be_wrong(secrets, fault)
    with pytest.raises(StoreError):
        move(str(kept), encrypt=True)

    after = contents(kept)
    assert {name: after[name] for name in before} == before
    FileTokenStore(kept).save(SIGN_IN)


def test_nothing_is_moved_back_while_the_keychain_is_locked(
    kept: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be unlocked, and then everything is there."""
    move(str(kept), encrypt=True)
    before = contents(kept)
    be_wrong(secrets, "locked")
    new_process(monkeypatch)
    with pytest.raises(StoreError):
        move(str(kept), encrypt=False)

    assert contents(kept) == before


def test_what_has_lost_its_key_stays_as_it_is(
    kept: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key may come back; and what is kept from now on is plain, as was asked for."""
    move(str(kept), encrypt=True)
    before = contents(kept)
    lose_all(secrets)
    new_process(monkeypatch)
    done = move(str(kept), encrypt=False)

    assert (done.moved, len(done.failures)) == (0, 6)
    after = contents(kept)
    assert {name: after[name] for name in before if name != "keychain.json"} == {
        name: content for name, content in before.items() if name != "keychain.json"
    }
    FileTokenStore(kept).save(SIGN_IN)
    assert FileTokenStore(kept).load("as.example") == SIGN_IN


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_a_file_that_is_unsafe_is_named_and_the_others_are_moved(kept: Path) -> None:
    """One link must not keep all other tokens in plain text."""
    outside = kept.parent / "outside"
    outside.write_text(CANARY)
    (kept / "sign-ins" / "link.json").symlink_to(outside)
    done = move(str(kept), encrypt=True)

    assert (done.moved, len(done.failures)) == (6, 1)
    assert "link.json" in str(done.failures[0])
    assert outside.read_text() == CANARY


def test_a_file_whose_lock_is_held_is_named(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal that is under way would be overwritten with a refresh token that is used up."""
    monkeypatch.setattr(migration, "LOCK_SECONDS", 0.0)
    with FileTokenStore(kept).lock("as.example"):
        done = move(str(kept), encrypt=True)

    assert {name.partition("/")[0] for name in plain(kept)} >= {"sign-ins"}
    assert done.failures
    assert move(str(kept), encrypt=True).failures == ()
    assert plain(kept) == []


def test_a_program_of_before_writes_no_plain_text_during_the_move(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has looked whether to encrypt before the move began, and moves its file into place afterwards."""
    original = private_files.move_over

    def moved_first(new: str, path: str) -> None:
        monkeypatch.setattr(module, "move_over", original)
        move(str(data), encrypt=True)
        original(new, path)

    FileTokenStore(data).save(replace(SIGN_IN, name="other"))
    monkeypatch.setattr(module, "move_over", moved_first)
    monkeypatch.setattr(migration, "_discard_left_over", lambda path: None)
    FileTokenStore(data).save(SIGN_IN)

    assert plain(data) == []
    assert FileTokenStore(data).load("as.example") == SIGN_IN


def test_a_change_without_the_lock_is_not_overwritten(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may save a sign-in without asking for the lock."""
    store, renewed = FileTokenStore(data), replace(SIGN_IN, client_id="renewed")
    store.save(SIGN_IN)
    original = private_files.write_private

    def saved_meanwhile(folder: str, content: bytes, label: str = "") -> str:
        monkeypatch.setattr(migration, "write_private", original)
        new = original(folder, content, label)
        store.save(renewed)
        return new

    monkeypatch.setattr(migration, "write_private", saved_meanwhile)
    move(str(data), encrypt=True)

    assert store.load("as.example") == renewed
    assert plain(data) == []


def test_readers_and_writers_go_on_during_moves(data: Path) -> None:
    """A token is asked for by scripts many times a minute, whatever else is going on."""
    store, errors, ended = FileTokenStore(data), list[BaseException](), threading.Event()
    store.save(BOUND)
    written = 0

    def read() -> None:
        while not ended.is_set():
            found = FileTokenStore(data).load("bound")
            assert found is not None
            assert found.dpop_key == BOUND.dpop_key

    def write() -> None:
        nonlocal written
        while not ended.is_set():
            with store.lock("bound"):
                store.save(replace(BOUND, client_id=f"client-{written + 1}"))
                written += 1
            ended.wait(0.01)  # The lock is asked for again and again, and not queued for.

    def noting(act: Callable[[], None]) -> Callable[[], None]:
        def noted() -> None:
            try:
                act()
            except BaseException as exc:
                errors.append(exc)

        return noted

    threads = [threading.Thread(target=noting(act)) for act in (read, read, write)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            assert move(str(data), encrypt=True).failures == ()
            assert plain(data) == []
            assert move(str(data), encrypt=False).failures == ()
    finally:
        ended.set()
        for thread in threads:
            thread.join()

    assert errors == []
    found = store.load("bound")
    assert found is not None
    assert found.client_id == f"client-{written}"


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.slow
@pytest.mark.parametrize("encrypt", [True, False])
def test_a_kill_at_any_step_loses_nothing(data: Path, encrypt: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next move takes it up, and then nothing is left in plain text, or encrypted."""
    store = FileTokenStore(data)
    store.save(BOUND)
    if not encrypt:
        move(str(data), encrypt=True)
    original = data.parent / "original"
    data.rename(original)
    for step in range(1, 1000):
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(original, data)
        new_process(monkeypatch)
        survived = killed_at(step, lambda: move(str(data), encrypt=encrypt))
        new_process(monkeypatch)
        assert store.load("bound") == BOUND, step
        assert move(str(data), encrypt=encrypt).failures == (), step
        assert store.load("bound") == BOUND, step
        assert not encrypt or plain(data) == [], step
        assert {in_keychain(file.path) for file in kept_files(str(data))} == {encrypt}, step
        assert list(data.rglob("*/.new-*")) == [], step
        if survived:
            break

    assert step > 20


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Let a process be killed before it changes a file for the n-th time; return whether it survived."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1] == 0
    count = 0

    def killing(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        count += event in CHANGES
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(killing)
        act()
        os._exit(0)
    finally:
        os._exit(1)


def test_the_sample_has_every_kind_of_file(kept: Path) -> None:
    """What the tests above move is all there is."""
    assert {file.folder for file in kept_files(str(kept))} == set(migration.FOLDERS)
    assert fake_keychain.CANARY not in str(plain(kept))
