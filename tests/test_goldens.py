"""What people see, as it was last looked at: any change of it shows up as a difference in a file.

`scripts/goldens.py --write`, which `scripts/fix` runs, makes the files anew.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
NAMES = sorted(path.relative_to(TESTS).as_posix() for path in TESTS.glob("*/goldens/*"))


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    """What is written now, by the script that keeps the files."""
    spec = importlib.util.spec_from_file_location("goldens", TESTS.parent / "scripts" / "goldens.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return dict(script.goldens())


def test_every_golden_is_made(written: dict[str, str]) -> None:
    """One that nobody makes any more would never change again."""
    assert set(NAMES) == set(written)


@pytest.mark.parametrize("name", NAMES)
def test_golden_is_current(written: dict[str, str], name: str) -> None:
    """What people see has not changed, or somebody has looked at the change."""
    assert written.get(name) == TESTS.joinpath(name).read_text("utf-8"), "run scripts/goldens.py --write"
