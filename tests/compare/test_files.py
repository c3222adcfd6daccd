"""Paths of reports: what cannot be written is refused before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparison_samples import COMPARISON

from loopback_auth.compare.running.files import check_target, write_report
from loopback_auth.errors import ConfigError


def test_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """The system says so only when it is asked for that file; that was once an internal error."""
    with pytest.raises(ConfigError) as caught:
        check_target(str(tmp_path / f"{'a' * 300}.md"))

    assert caught.value.exit_code == 2


def test_longest_name_can_be_written(tmp_path: Path) -> None:
    """The file beside it, which is written first, must not have a longer name."""
    path = check_target(str(tmp_path / f"{'a' * 252}.md"))
    write_report(COMPARISON, path, private=False)

    assert [one.name for one in tmp_path.iterdir()] == [Path(path).name]


def test_link_to_itself_is_refused(tmp_path: Path) -> None:
    """It leads nowhere; that was once an internal error."""
    link = tmp_path / "report.md"
    link.symlink_to(link)

    with pytest.raises(ConfigError):
        check_target(str(link))


def test_link_is_followed(tmp_path: Path) -> None:
    """The file that it leads to is replaced, not the link, also where that file is not there yet."""
    link = tmp_path / "report.md"
    link.symlink_to("target.md")
    write_report(COMPARISON, check_target(str(link)), private=False)

    assert link.is_symlink()
    assert (tmp_path / "target.md").is_file()
