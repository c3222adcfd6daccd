"""What is uploaded to a package index: made, checked and tried by scripts/build."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="scripts/build needs a POSIX shell"),
]
ROOT = Path(__file__).resolve().parent.parent
SUMS = "SHA256SUMS"


def build(root: Path, *arguments: str | Path) -> None:
    """Run the script of a tree."""
    done = subprocess.run(
        [root / "scripts" / "build", *arguments],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what was built, and tried in an empty environment."""
    folder = tmp_path_factory.mktemp("built")
    build(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def metadata(built: Path) -> Message:
    """What an index shows of the wheel."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_hashes_are_those_of_the_files(built: Path) -> None:
    """Whoever downloads one compares it."""
    check = ["sha256sum", "--check", "--strict", SUMS]

    assert subprocess.run(check, cwd=built, capture_output=True, check=False).returncode == 0
    named = {line.split()[1] for line in (built / SUMS).read_text().splitlines()}
    assert named == {path.name for path in built.iterdir()} - {SUMS}


def test_sdist_builds_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """Without the history: it is what distributions build from."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    root = next(tmp_path.iterdir())
    build(root, "--untried", tmp_path / "again")

    assert (tmp_path / "again" / SUMS).read_text() == (built / SUMS).read_text()


def test_metadata_promise_what_is_tested(metadata: Message) -> None:
    """No version of Python that the checks do not run; they read the classifiers."""
    promised = [
        one.rpartition(" ")[2]
        for one in metadata.get_all("Classifier", ())
        if re.search(r"Python :: 3\.\d+$", one)
    ]
    line = re.search(r"^ *promised=.*$", (ROOT / "scripts" / "check").read_text(), re.MULTILINE)
    assert line is not None
    checked = subprocess.run(
        ["bash", "-c", f"{line[0]}; echo $promised"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert checked.stdout.split() == promised
    assert metadata["Requires-Python"] == f">={promised[0]}"


def test_every_extra_is_in_the_one_for_all(metadata: Message) -> None:
    """Whoever wants everything need not list it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    one = re.fullmatch(r"loopback-auth\[(.*)\]", *extras.pop("all"))

    assert one is not None
    assert one[1].split(",") == sorted(extras)
    assert set(metadata.get_all("Provides-Extra", ())) == {"all", *extras}
