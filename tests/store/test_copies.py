"""What is forgotten leaves no copy behind: neither what was set aside, nor what a crash has left."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loopback_auth.model import ServerMetadata
from loopback_auth.store import FileTokenStore
from loopback_auth.store.private_files import write_private
from loopback_auth.tokens import SignIn, TokenSet

SIGN_IN = SignIn("as", "client", "none", ServerMetadata(), "", TokenSet("secret", "Bearer", 0.0))


def entries(folder: Path) -> set[str]:
    """List the folder of sign-ins without locks."""
    return {path.name for path in (folder / "sign-ins").iterdir() if path.suffix != ".lock"}


@pytest.fixture
def store(tmp_path: Path) -> FileTokenStore:
    """Return a store with two sign-ins whose names begin alike, and copies of both."""
    store = FileTokenStore(str(tmp_path))
    for name in ("as", "as-b"):
        file = tmp_path / "sign-ins" / f"{name}.json"
        store.save(replace(SIGN_IN, name=name))
        file.write_text("damaged, with a secret")
        store.save(replace(SIGN_IN, name=name))
        write_private(str(file.parent), b"half written, with a secret", name)
    return store


def test_copies_go_with_the_sign_in_and_those_of_others_stay(store: FileTokenStore, tmp_path: Path) -> None:
    """A backup that nobody knows of is where tokens are found years later."""
    before = entries(tmp_path)
    with store.lock("as"):
        store.delete("as")
    left = entries(tmp_path)

    assert len(before) == 6
    assert len(left) == 3
    assert all("as-b" in name for name in left)


def test_a_sign_in_that_is_gone_already_leaves_no_copy_either(store: FileTokenStore, tmp_path: Path) -> None:
    """Somebody has removed the file by hand."""
    (tmp_path / "sign-ins" / "as.json").unlink()
    with store.lock("as"):
        assert store.delete("as") is False

    assert all("as-b" in name for name in entries(tmp_path))


def test_the_choice_goes_with_the_sign_in(store: FileTokenStore, tmp_path: Path) -> None:
    """Another one of that name would be chosen by nobody."""
    store.choose("as")
    chosen = store.chosen()
    store.delete("as-b")
    still = store.chosen()
    store.delete("as")

    assert (chosen, still, store.chosen()) == ("as", "as", "")
    assert "chosen" not in entries(tmp_path)


def test_what_is_chosen_already_is_not_written_again(store: FileTokenStore, tmp_path: Path) -> None:
    """A person who signs in again looks at a page that waits for the disk."""
    file = tmp_path / "sign-ins" / "chosen"
    store.choose("as")
    before = file.stat().st_ino
    store.choose("as")
    after = file.stat().st_ino
    store.choose("as-b")

    assert (after, store.chosen()) == (before, "as-b")


@pytest.mark.skipif(sys.platform == "win32", reason="other rights")
def test_a_choice_that_others_could_have_made_is_replaced(store: FileTokenStore, tmp_path: Path) -> None:
    """It may name the right one by chance, and could not be read the next time."""
    file = tmp_path / "sign-ins" / "chosen"
    store.choose("as")
    file.chmod(0o666)
    store.choose("as")

    assert (file.stat().st_mode & 0o777, store.chosen()) == (0o600, "as")
