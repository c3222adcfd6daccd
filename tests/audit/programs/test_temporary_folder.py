"""The folder of a run is removed, whatever is in it."""

from __future__ import annotations

from pathlib import Path

from loopback_auth.audit.programs.temporary_folder import remove, temporary_folder


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A program can put a link to anything there; what it leads to stays as it is."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("text")
    kept.chmod(0o500)
    with temporary_folder() as folder:
        (folder / "link").symlink_to(kept)
        (folder / "closed").mkdir()
        (folder / "closed" / "link").symlink_to(kept / "file")
        (folder / "closed").chmod(0)

    assert not folder.exists()
    assert (kept / "file").read_text() == "text"
    assert kept.stat().st_mode & 0o777 == 0o500


def test_gone_already(tmp_path: Path) -> None:
    """A program can remove its own folder."""
    remove(tmp_path / "gone")

    assert list(tmp_path.iterdir()) == []
