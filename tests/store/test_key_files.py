"""The key of a bound token has a file of its own: what is lost with it, and what no crash may lose."""

from __future__ import annotations

import json
import shutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dpop_samples import KEY, OTHER_KEY

from loopback_auth.errors import StoreError
from loopback_auth.model import ServerMetadata
from loopback_auth.store import FileTokenStore, key_files, read_fresh_token
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import SignIn, TokenSet

NAME = "as.example"
TOKENS = TokenSet("a-token", "DPoP", obtained_at=1000.0, expires_at=4600.0, refresh_token="a-refresh-token")
BEARER = SignIn(
    NAME,
    "client",
    "none",
    ServerMetadata(issuer="https://as.example"),
    "",
    replace(TOKENS, token_type="Bearer"),
)
BOUND = replace(BEARER, tokens=TOKENS, dpop_key=KEY)


@pytest.fixture
def store(tmp_path: Path) -> FileTokenStore:
    """Return a store that keeps one sign-in with its key."""
    kept = FileTokenStore(tmp_path)
    kept.save(BOUND)
    return kept


def key_file(folder: Path) -> Path:
    """Name the file of the key."""
    return folder / "keys" / f"{NAME}.json"


def sign_in_file(folder: Path) -> Path:
    """Name the file of the sign-in."""
    return folder / "sign-ins" / f"{NAME}.json"


def test_what_is_kept_is_read_with_its_key(store: FileTokenStore) -> None:
    """Also by another object, as in the next process."""
    assert store.load(NAME) == BOUND


def test_memory_keeps_the_key_as_well() -> None:
    """It has no files."""
    store = MemoryTokenStore()
    store.save(BOUND)

    assert store.load(NAME) == BOUND


def test_the_file_of_the_sign_in_alone_is_worth_nothing(store: FileTokenStore, tmp_path: Path) -> None:
    """A copy of it has tokens, and not the key without which no server takes them."""
    text = sign_in_file(tmp_path).read_text()
    elsewhere = tmp_path / "elsewhere"
    FileTokenStore(elsewhere).save(BEARER)
    shutil.copy(sign_in_file(tmp_path), sign_in_file(elsewhere))

    assert KEY["d"] not in text
    assert KEY["x"] in text
    with pytest.raises(StoreError) as caught:
        FileTokenStore(elsewhere).load(NAME)
    assert "Sign in again" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")
def test_the_key_is_for_its_owner_alone(store: FileTokenStore, tmp_path: Path) -> None:
    """With any umask."""
    assert [path.stat().st_mode & 0o777 for path in (key_file(tmp_path), key_file(tmp_path).parent)] == [
        0o600,
        0o700,
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="files have no mode there")
def test_a_key_that_others_can_read_is_refused(store: FileTokenStore, tmp_path: Path) -> None:
    """They may have it already."""
    key_file(tmp_path).chmod(0o644)

    with pytest.raises(StoreError):
        store.load(NAME)


def test_a_key_goes_with_its_sign_in(store: FileTokenStore, tmp_path: Path) -> None:
    """Also what a crash has left of it."""
    (key_file(tmp_path).parent / f".new-{NAME}-{'0' * 16}").write_text("x")
    store.delete(NAME)

    assert list(key_file(tmp_path).parent.iterdir()) == []


def test_a_key_goes_when_the_next_tokens_are_not_bound(store: FileTokenStore, tmp_path: Path) -> None:
    """Nothing would be signed with it any more."""
    store.save(BEARER)

    assert not key_file(tmp_path).exists()
    assert store.load(NAME) == BEARER


def test_a_renewal_does_not_write_the_key_again(store: FileTokenStore, tmp_path: Path) -> None:
    """It has not changed, and each write is flushed to the disk."""
    before = key_file(tmp_path).stat()
    store.save(replace(BOUND, tokens=replace(TOKENS, access_token="another")))
    after = key_file(tmp_path).stat()

    # Reading may change the time of the last access.
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_new_sign_in_replaces_the_key(store: FileTokenStore, tmp_path: Path) -> None:
    """It has a key of its own; the one before it goes with the next."""
    for key in (OTHER_KEY, KEY, OTHER_KEY):
        store.save(replace(BOUND, dpop_key=key))
        loaded = store.load(NAME)

        assert loaded is not None
        assert dict(loaded.dpop_key) == key
        assert len(json.loads(key_file(tmp_path).read_bytes())["keys"]) == 2


def test_a_crash_between_key_and_sign_in_loses_neither(
    store: FileTokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key comes first, and the one of the old sign-in stays beside it, however often that happens."""
    kept = sign_in_file(tmp_path).read_bytes()
    for key in (OTHER_KEY, {**OTHER_KEY, "x": KEY["x"]}):
        store.save(replace(BOUND, dpop_key=key))
        sign_in_file(tmp_path).write_bytes(kept)

        assert FileTokenStore(tmp_path).load(NAME) == BOUND


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff{"),
        lambda path: path.write_bytes(b"[]"),
        lambda path: path.write_bytes(b'{"keys": 7}'),
        lambda path: path.write_bytes(b'{"keys": [7, {"d": 7}, {}]}'),
        lambda path: path.write_bytes(json.dumps({"keys": [OTHER_KEY]}).encode()),
        lambda path: path.write_bytes(json.dumps({"keys": [{**KEY, "d": None}]}).encode()),
        lambda path: path.write_bytes(
            json.dumps({"keys": [{name: value for name, value in KEY.items() if name != "d"}]}).encode()
        ),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_key_that_is_damaged_or_missing_means_signing_in_again(
    store: FileTokenStore, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    """The error says so, quotes nothing, and a new sign-in repairs it where that is possible."""
    damage(key_file(tmp_path))
    with pytest.raises(StoreError) as caught:
        store.load(NAME)
    assert KEY["d"] not in str(caught.value)
    if key_file(tmp_path).is_dir():
        return

    store.save(replace(BOUND, dpop_key=OTHER_KEY))
    loaded = store.load(NAME)
    assert loaded is not None
    assert dict(loaded.dpop_key) == OTHER_KEY


def test_the_error_shows_no_other_key_of_the_file(store: FileTokenStore, tmp_path: Path) -> None:
    """Reporters of errors write down the local variables of each frame."""
    key_file(tmp_path).write_text(json.dumps({"keys": [OTHER_KEY]}))
    with pytest.raises(StoreError) as caught:
        store.load(NAME)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]

    assert not any(OTHER_KEY["d"] in repr(value) for each in frames for value in each.f_locals.values())


def test_a_bound_token_without_any_key_is_damaged(store: FileTokenStore, tmp_path: Path) -> None:
    """It would be sent as it cannot be used."""
    members = json.loads(sign_in_file(tmp_path).read_bytes())
    del members["dpop_key"]
    sign_in_file(tmp_path).write_text(json.dumps(members))

    with pytest.raises(StoreError):
        store.load(NAME)


def test_a_key_that_cannot_be_kept_leaves_the_old_sign_in(
    store: FileTokenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-in comes second."""

    def full(path: str, content: bytes, *, label: str = "", encrypt: bool = False) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(key_files, "keep", full)
    with pytest.raises(StoreError):
        store.save(replace(BOUND, dpop_key=OTHER_KEY))

    assert store.load(NAME) == BOUND
    assert list((tmp_path / "sign-ins").glob(".new-*")) == []


def test_the_fast_path_gives_no_token_that_is_bound(store: FileTokenStore, tmp_path: Path) -> None:
    """It is of no use without a proof, which the command that is loaded then says (RFC 9449 §7.1)."""
    assert read_fresh_token(str(tmp_path), 2000.0) is None

    store.save(BEARER)
    assert read_fresh_token(str(tmp_path), 2000.0) == "a-token"
