"""The store of sign-ins: two speeds, one truth, and nothing lost to crashes or neighbours."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.model import ServerMetadata
from loopback_auth.store import FileTokenStore, read_fresh_token, sign_in_name
from loopback_auth.store.interface import TokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.store.sign_in_lock import ProcessLock
from loopback_auth.tokens import IdToken, SignIn, TokenSet

ROOT = Path(__file__).parents[2]
CANARY = "canary-7f3a"
NOW = 2000.0
TOKENS = TokenSet(
    f"access-{CANARY}",
    "Bearer",
    obtained_at=1000.0,
    expires_at=4600.0,
    refresh_token=f"refresh-{CANARY}",
    id_token=IdToken({"sub": CANARY}, "not verified", f"raw-{CANARY}"),
)
SIGN_IN = SignIn("as.example", "client", "none", ServerMetadata(issuer="https://as.example"), "", TOKENS)
OTHER = replace(SIGN_IN, name="other", tokens=replace(TOKENS, access_token="other"))

# What the child processes below have in common; argv[1] is the data folder.
PRELUDE = """
import os, sys
from dataclasses import replace
from loopback_auth.errors import StoreError
from loopback_auth.store import FileTokenStore
store = FileTokenStore(sys.argv[1])
"""


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    """Return each kind of store in turn."""
    return MemoryTokenStore() if request.param == "memory" else FileTokenStore(str(tmp_path))


@pytest.fixture
def files(tmp_path: Path) -> FileTokenStore:
    """Return a file store that keeps one sign-in."""
    kept = FileTokenStore(str(tmp_path))
    kept.save(SIGN_IN)
    return kept


def test_home_folder_is_found_by_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell has replaced it; a folder called `~` would be wherever the program was started."""
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    FileTokenStore("~/.my-tool").save(SIGN_IN)

    assert FileTokenStore(tmp_path / "home" / ".my-tool").load(SIGN_IN.name) == SIGN_IN
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def file_of(tmp_path: Path, name: str = "as.example") -> Path:
    """Name the file of a sign-in."""
    return tmp_path / "sign-ins" / f"{name}.json"


def entries(tmp_path: Path) -> list[str]:
    """List what is in the folder of sign-ins."""
    return sorted(path.name for path in (tmp_path / "sign-ins").iterdir())


def child(script: str, tmp_path: Path) -> subprocess.Popen[str]:
    """Start another process that shares the store."""
    command = [sys.executable, "-c", PRELUDE + script, str(tmp_path)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def lock_held_elsewhere(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the lock until its standard input is closed."""
    script = "with store.lock('as.example'):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    with child(script, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_sign_in_is_kept_listed_replaced_and_forgotten(store: TokenStore) -> None:
    """Both stores are interchangeable, for otherwise tests with one say nothing of the other."""
    empty = (store.names(), store.load("as.example"), store.delete("as.example"))
    store.check_writable()
    store.save(OTHER)
    store.save(OTHER)
    store.save(SIGN_IN)
    renewed = replace(SIGN_IN, tokens=replace(TOKENS, access_token="renewed"))
    store.save(renewed)

    assert empty == ((), None, False)
    assert store.names() == ("as.example", "other")
    assert (store.load("as.example"), store.load("other")) == (renewed, OTHER)
    assert (store.delete("other"), store.delete("other"), store.names()) == (True, False, ("as.example",))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/etc/passwd", "A", "-a", ".a", "ä", "a\n", "a" * 101, "a\0"]
)
def test_a_name_cannot_lead_out_of_the_folder(store: TokenStore, name: str) -> None:
    """Names come from hosts and command lines, and become file names."""
    for use in (store.load, store.delete, store.lock):
        with pytest.raises(ConfigError):
            use(name)
    with pytest.raises(ConfigError):
        store.save(replace(SIGN_IN, name=name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("as.example", "as.example"),
        ("AS.Example:8443", "as.example-8443"),
        ("[::1]", "1-"),
        ("../../etc/passwd", "etc-passwd"),
        ("Bücher", "b-cher"),
        ("a" * 100, "a" * 100),
    ],
)
def test_any_host_gets_a_name(store: TokenStore, text: str, name: str) -> None:
    """A name must be good on every file system, those that ignore case included."""
    assert sign_in_name(text) == name
    assert store.load(name) is None


def test_what_cannot_be_in_a_name_is_hashed() -> None:
    """Two addresses that differ at their ends have two sign-ins, and a secret in a query is not shown."""
    texts = [
        "a" * 101,
        "a" * 102,
        "mcp.example/mcp?key=s3cret",
        "mcp.example/mcp?key=other",
        "mcp.example/mcp",
    ]
    names = [sign_in_name(text) for text in texts]

    assert len(set(names)) == len(texts)
    assert all(len(name) <= 100 and sign_in_name(name) == name for name in names)
    assert not any("s3cret" in name for name in names)


@pytest.mark.parametrize("text", ["", "...", "?", "?a", "日本"])
def test_a_text_without_letters_gives_no_name(text: str) -> None:
    """Two such texts would otherwise share one sign-in."""
    with pytest.raises(ConfigError):
        sign_in_name(text)


@pytest.mark.parametrize("now", [939.9, 940.0, 1000.0, 4539.9, 4540.0, 4600.0])
def test_both_speeds_agree_on_freshness(files: FileTokenStore, tmp_path: Path, now: float) -> None:
    """The fast reader repeats the rule of the model and must not drift from it."""
    fast = read_fresh_token(str(tmp_path), now)
    slow = files.load("as.example")

    assert slow == SIGN_IN
    assert fast == (TOKENS.access_token if TOKENS.fresh(now) else None)


def test_a_token_without_a_lifetime_is_fresh(tmp_path: Path) -> None:
    """Some servers never say when a token ends (RFC 6749 §5.1)."""
    FileTokenStore(str(tmp_path)).save(replace(SIGN_IN, tokens=replace(TOKENS, expires_at=None)))

    assert read_fresh_token(str(tmp_path), 1e12) == TOKENS.access_token


def test_the_fast_reader_does_not_choose_between_sign_ins(files: FileTokenStore, tmp_path: Path) -> None:
    """A token sent to the wrong server is a leaked token."""
    only = read_fresh_token(str(tmp_path), NOW)
    files.save(OTHER)

    assert only == TOKENS.access_token
    assert read_fresh_token(str(tmp_path), NOW) is None
    assert read_fresh_token(str(tmp_path), NOW, "other") == "other"
    assert read_fresh_token(str(tmp_path), NOW, "absent") is None
    assert read_fresh_token(str(tmp_path), NOW, "../sign-ins/other") is None


@pytest.mark.parametrize("token", ["", "line\nbreak", "\x1b[31m", "tökén"])
def test_the_fast_reader_prints_nothing_odd(tmp_path: Path, token: str) -> None:
    """What it returns goes to a terminal or a header unseen (RFC 6749 appendix A.12)."""
    FileTokenStore(str(tmp_path)).save(replace(SIGN_IN, tokens=replace(TOKENS, access_token=token)))

    assert read_fresh_token(str(tmp_path), NOW) is None


@pytest.mark.skipif(os.name != "posix", reason="mode bits")
def test_the_fast_reader_is_silent_about_every_problem(files: FileTokenStore, tmp_path: Path) -> None:
    """The slow way has the words for it; two explanations would differ."""
    path = file_of(tmp_path)
    answers = [read_fresh_token(str(tmp_path / "absent"), NOW)]
    path.chmod(0o644)
    answers.append(read_fresh_token(str(tmp_path), NOW))
    path.chmod(0o600)
    path.parent.chmod(0o755)
    answers.append(read_fresh_token(str(tmp_path), NOW))
    path.parent.chmod(0o700)

    assert answers == [None, None, None]
    assert read_fresh_token(str(tmp_path), NOW) == TOKENS.access_token


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": 1', '"version": 2'),
        ('"version": 1', '"version": true'),
        ('"expires_at": 4600.0', '"expires_at": "4600"'),
        ('"expires_at": 4600.0', '"expires_at": true'),
        ('"obtained_at": 1000.0', '"obtained_at": null'),
        ('"obtained_at": 1000.0', '"obtained_at": NaN'),
        (f'"access-{CANARY}"', "17"),
        ('"tokens"', '"token"'),
    ],
)
@pytest.mark.usefixtures("files")
def test_the_fast_reader_checks_what_it_reads(tmp_path: Path, old: str, new: str) -> None:
    """Fast must not mean careless: a file of another shape is left to the slow way."""
    path = file_of(tmp_path)
    text = path.read_text()
    path.write_text(text.replace(old, new))

    assert old in text
    assert read_fresh_token(str(tmp_path), NOW) is None


@pytest.mark.usefixtures("files")
def test_the_fast_reader_imports_next_to_nothing(tmp_path: Path) -> None:
    """Printing a kept token should cost hardly more than starting the interpreter and reading JSON."""
    script = (
        "import __future__, errno, json, os, stat, sys, time; before = set(sys.modules)\n"
        "from loopback_auth.store import read_fresh_token\n"
        f"print(read_fresh_token(sys.argv[1], {NOW}))\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    token, modules = answer.stdout.splitlines()

    assert token == TOKENS.access_token
    assert set(modules.split()) == {
        "loopback_auth",
        "loopback_auth.freshness",
        "loopback_auth.narrow",
        "loopback_auth.store.current",
        "loopback_auth.store.interface",
        "loopback_auth.store.private_files",
        "loopback_auth.store",
    }


@pytest.mark.skipif(os.name != "posix", reason="mode bits")
def test_an_unsafe_file_is_kept_aside_when_a_new_one_is_saved(files: FileTokenStore, tmp_path: Path) -> None:
    """Whoever was told to sign in again must not be refused once more, nor lose the old file."""
    path = file_of(tmp_path)
    old = path.read_bytes()
    path.chmod(0o644)
    with pytest.raises(StoreError, match="mode 0644"):
        files.load("as.example")
    files.save(SIGN_IN)
    [aside] = [name for name in entries(tmp_path) if "corrupt" in name]

    assert files.load("as.example") == SIGN_IN
    assert (path.parent / aside).read_bytes() == old
    assert files.names() == ("as.example",)


def test_a_damaged_file_is_refused_untouched_and_kept_aside(files: FileTokenStore, tmp_path: Path) -> None:
    """It may hold the only refresh token there is, so nothing of it may be lost."""
    path = file_of(tmp_path)
    path.write_bytes(b"damaged")
    with pytest.raises(StoreError, match="damaged: not JSON") as caught:
        files.load("as.example")
    left = path.read_bytes()
    files.save(SIGN_IN)
    [aside] = [name for name in entries(tmp_path) if name.startswith("as.example.json.corrupt-")]

    assert str(path) in caught.value.message
    assert "renamed" in caught.value.hint
    assert (left, (path.parent / aside).read_bytes()) == (b"damaged", b"damaged")
    assert files.load("as.example") == SIGN_IN


def test_a_link_in_place_of_the_file_is_replaced(files: FileTokenStore, tmp_path: Path) -> None:
    """The victim that it points to must neither be read nor written."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    file_of(tmp_path).unlink()
    file_of(tmp_path).symlink_to(victim)
    files.save(SIGN_IN)

    assert (victim.read_bytes(), entries(tmp_path)) == (b"untouched", ["as.example.json"])
    assert files.load("as.example") == SIGN_IN


def test_a_refused_replacement_leaves_the_old_sign_in(
    files: FileTokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses it while another program has the file open; the new tokens must not lie about then."""

    def refuse(_: str, path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StoreError, match="could not be replaced"):
        files.save(OTHER)

    assert entries(tmp_path) == ["as.example.json"]


def test_a_folder_in_place_of_the_file_can_be_reported(files: FileTokenStore, tmp_path: Path) -> None:
    """Errors of the operating system leave as ours, with the path in them."""
    file_of(tmp_path).unlink()
    file_of(tmp_path).mkdir()

    with pytest.raises(StoreError, match=r"as\.example\.json"):
        files.delete("as.example")


def test_a_file_in_place_of_the_folder_is_noticed_beforehand(tmp_path: Path) -> None:
    """Nobody should sign in in the browser only to learn that the token cannot be kept."""
    (tmp_path / "data").touch()
    blocked = FileTokenStore(str(tmp_path / "data"))
    for use in (blocked.check_writable, blocked.names, lambda: blocked.save(SIGN_IN)):
        with pytest.raises(StoreError) as caught:
            use()

        assert str(tmp_path / "data") in caught.value.message
        assert caught.value.hint


def test_the_probe_leaves_nothing(tmp_path: Path) -> None:
    """It runs before every sign-in."""
    FileTokenStore(str(tmp_path)).check_writable()

    assert entries(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="limits of resources")
@pytest.mark.usefixtures("files")
def test_a_full_disk_leaves_the_old_sign_in(tmp_path: Path) -> None:
    """Half a file in place of a good one would sign the person out."""
    script = """
import resource
old = store.load("as.example")
big = replace(old, tokens=replace(old.tokens, access_token="x" * 100_000))
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
for use in (store.check_writable, lambda: store.save(big)):
    try:
        use()
    except StoreError as exc:
        print(exc.hint.startswith("Free some space"))
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
print(store.load("as.example") == old, os.listdir(sys.argv[1] + "/sign-ins"))
"""
    with child(script, tmp_path) as process:
        output, _ = process.communicate()

    assert output.splitlines() == ["True", "True", "True ['as.example.json']"]


def test_a_crash_before_the_replacement_leaves_the_old_sign_in(files: FileTokenStore, tmp_path: Path) -> None:
    """Power cuts and kill -9 do not wait for us; what they leave is cleared away an hour later."""
    script = """
def crash(event, arguments):
    if event == "os.rename":
        os._exit(137)
sys.addaudithook(crash)
old = store.load("as.example")
store.save(replace(old, requested_scope="new"))
"""
    with child(script, tmp_path) as process:
        process.communicate()
    after = (files.load("as.example"), files.names(), read_fresh_token(str(tmp_path), NOW))
    [left] = [name for name in entries(tmp_path) if name.startswith(".new-")]
    os.utime(tmp_path / "sign-ins" / left, (1.0, 1.0))
    files.save(SIGN_IN)

    assert process.returncode == 137
    assert after == (SIGN_IN, ("as.example",), TOKENS.access_token)
    assert entries(tmp_path) == ["as.example.json"]


def test_a_lock_keeps_other_processes_out(files: FileTokenStore, tmp_path: Path) -> None:
    """Two refreshes with one rotating refresh token end the whole grant (RFC 9700 §4.14.2)."""
    with lock_held_elsewhere(tmp_path):
        with pytest.raises(StoreError, match="another process") as caught, files.lock("as.example", 0.0):
            pass
        with files.lock("other", 0.0):
            pass
    with files.lock("as.example", 0.0):
        pass

    assert "Try again" in caught.value.hint


def test_the_lock_of_a_killed_process_is_free(files: FileTokenStore, tmp_path: Path) -> None:
    """A stale lock would block every later command until somebody removes a file by hand."""
    with lock_held_elsewhere(tmp_path) as process:
        process.kill()
        process.wait()

        with files.lock("as.example", 0.0):
            pass


def test_nothing_is_lost_between_two_processes(files: FileTokenStore, tmp_path: Path) -> None:
    """Read, change and save under the lock is what a refresh does."""
    script = """
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    with store.lock("as.example"):
        old = store.load("as.example")
        store.save(replace(old, requested_scope=old.requested_scope + "x"))
"""
    with child(script, tmp_path) as first, child(script, tmp_path) as second:
        for process in (first, second):
            assert process.stdout is not None
            process.stdout.readline()
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
    kept = files.load("as.example")

    assert kept is not None
    assert kept.requested_scope == "x" * 10


@pytest.mark.skipif(os.name != "posix", reason="fork")
def test_a_lock_that_was_left_is_not_held_by_a_forked_process(tmp_path: Path) -> None:
    """It has inherited the open file, and may live for hours; a second descriptor is what it has of it."""
    lock, other = (
        ProcessLock(str(tmp_path / "data" / "x.lock")),
        ProcessLock(str(tmp_path / "data" / "x.lock")),
    )
    lock.take()
    inherited = os.dup(cast("int", lock.descriptor))
    held = other.take()
    lock.release()
    free = other.take()
    other.release()
    os.close(inherited)

    assert (held, free) == (False, True)


def test_a_lock_may_be_left_by_another_thread(store: TokenStore) -> None:
    """An event loop enters and leaves it in whichever worker thread is free."""
    held = store.lock("as.example", 0.0)
    worker = threading.Thread(target=held.__enter__)
    worker.start()
    worker.join()
    with pytest.raises(StoreError), store.lock("as.example", 0.0):
        pass
    held.__exit__(None, None, None)

    with store.lock("as.example", 0.0):
        pass


def test_a_lock_is_given_back_after_an_error(store: TokenStore) -> None:
    """A failed refresh must not block the next one."""
    with pytest.raises(ZeroDivisionError), store.lock("as.example", 0.0):
        _ = 1 / 0

    with store.lock("as.example", 0.0):
        pass


@pytest.mark.skipif(os.name != "posix", reason="mode bits; elsewhere the lock file goes with its holder")
def test_the_lock_file_is_private_and_no_sign_in(files: FileTokenStore, tmp_path: Path) -> None:
    """Whoever can open a lock file can hold it for ever."""
    with files.lock("as.example"):
        pass

    assert (tmp_path / "sign-ins" / "as.example.json.lock").stat().st_mode & 0o777 == 0o600
    assert files.names() == ("as.example",)


def test_a_lock_that_cannot_be_made_is_our_error(files: FileTokenStore, tmp_path: Path) -> None:
    """The library's exceptions mean nothing to a person."""
    (tmp_path / "sign-ins" / "as.example.json.lock").mkdir()

    with pytest.raises(StoreError, match="could not be locked"), files.lock("as.example", 0.0):
        pass


def test_what_cannot_be_read_back_is_not_written(files: FileTokenStore) -> None:
    """The limit for reading has to be one for writing too."""
    huge = replace(SIGN_IN, tokens=replace(TOKENS, access_token="x" * 2**20))
    odd = replace(SIGN_IN, tokens=replace(TOKENS, id_token=IdToken({"odd": b""}, "verified", "")))
    for sign_in in (huge, odd):
        with pytest.raises(StoreError, match="cannot be kept"):
            files.save(sign_in)

    assert files.load("as.example") == SIGN_IN


def test_a_file_cut_anywhere_is_damaged_or_whole(files: FileTokenStore, tmp_path: Path) -> None:
    """Neither speed may crash or make something up."""
    path = file_of(tmp_path)
    whole = path.read_bytes()
    outcomes = []
    for length in range(len(whole)):
        os.truncate(path, 0)
        path.write_bytes(whole[:length])
        try:
            outcomes.append(files.load("as.example") == SIGN_IN)
        except StoreError:
            outcomes.append(False)
        assert (read_fresh_token(str(tmp_path), NOW) is not None) == outcomes[-1]

    # Only the line break at the end may be missing.
    assert outcomes == [False] * (len(whole) - 1) + [True]


@given(st.binary(max_size=100))
def test_both_speeds_survive_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """The disk may hand us anything."""
    folder = tmp_path_factory.mktemp("data")
    files = FileTokenStore(str(folder))
    files.save(SIGN_IN)
    file_of(folder).write_bytes(content)

    assert read_fresh_token(str(folder), NOW) is None
    with pytest.raises(StoreError):
        files.load("as.example")


def test_no_secret_is_in_an_error_or_a_repr(files: FileTokenStore, tmp_path: Path) -> None:
    """Errors are printed, logged and pasted into issues."""
    path = file_of(tmp_path)
    good = json.loads(path.read_text())
    shapes = [
        {**good, "version": CANARY},
        {**good, "tokens": CANARY},
        {**good, "tokens": {**good["tokens"], "expires_at": CANARY}},
        {**good, "client_auth": CANARY},
    ]
    contents = [json.dumps(shape).encode() for shape in shapes]
    contents += [path.read_bytes()[:-9], path.read_bytes() + b"\xff", path.read_bytes() + CANARY.encode()]
    memory = MemoryTokenStore()
    memory.save(SIGN_IN)
    shown = [repr(files), repr(memory), repr(files.load("as.example"))]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(StoreError) as caught:
            files.load("as.example")
        shown += [*traceback.format_exception(caught.value), repr(caught.value), caught.value.hint]

    assert CANARY not in "".join(shown)
