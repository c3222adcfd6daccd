"""Programs that carry this package in themselves: a zip, and what PyInstaller is told."""

from __future__ import annotations

import os
import pkgutil
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest

import loopback_auth
from loopback_auth import pages
from loopback_auth.cli import COMMANDS
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.errors import ConfigError
from loopback_auth.pages import frame
from loopback_auth.signin.refresh import can_verify_signatures
from loopback_auth.store.encryption import Encryption

PACKAGE = Path(loopback_auth.__file__).parent
SIGN_IN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from loopback_auth.__main__ import main
assert ".zip" in sys.modules["loopback_auth"].__file__, sys.modules["loopback_auth"].__file__
sys.exit(main())
"""


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package in a zip, as zipapp, pex and shiv have it."""
    archive = tmp_path_factory.mktemp("zipped") / "package.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in PACKAGE.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                made.write(path, path.relative_to(PACKAGE.parent))
    return archive


def run(zipped: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line out of the zip."""
    environ = {**os.environ, "HOME": str(home), "BROWSER": "none"}
    environ |= {
        "LOOPBACK_AUTH_DATA_DIR": str(home / "data"),
        "LOOPBACK_AUTH_CONFIG_DIR": str(home / "config"),
    }
    command = [sys.executable, "-c", SIGN_IN, str(zipped), *arguments]
    return subprocess.run(
        command, env=environ, cwd=home, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.slow
def test_signing_in_from_a_zip(zipped: Path, tmp_path: Path) -> None:
    """Pages are read of whoever has loaded the package; a zip has no folder for them."""
    done = run(zipped, tmp_path, "login", "--simulate-person", "--yes", "--json")

    assert (done.returncode, '"account": "demo@example.com"' in done.stdout) == (0, True), done.stderr


@pytest.mark.slow
def test_report_from_a_zip(zipped: Path, tmp_path: Path) -> None:
    """The report has files of its own, in another folder."""
    done = run(zipped, tmp_path, "compare", "--simulate", "--flows", "code", "-o", "report.html")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_missing_page_is_one_of_our_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Freezing without the pages is found out before a person is sent away, and says what to do."""
    loader = sys.modules["loopback_auth.pages"].__loader__
    monkeypatch.setattr(loader, "get_data", missing)
    frame.file_text.cache_clear()

    with pytest.raises(ConfigError, match=r"page\.html") as caught:
        pages.check_complete()
    frame.file_text.cache_clear()

    assert "--collect-data" in caught.value.hint


def missing(path: str) -> bytes:
    """Have no file."""
    raise FileNotFoundError(path)


class _Broken(MetaPathFinder):
    """Fails as cryptography does in a zip, where its compiled half is missing.

    Args:
        names: of modules that import it.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Fail, or leave it to others."""
        if fullname in self._names:
            raise AttributeError("module has no attribute 'hashes'")


@pytest.fixture
def no_compiled_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no library load that has to bring compiled code."""
    names = ("joserfc.jwk", "cryptography.hazmat.primitives.hashes")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Broken(names), *sys.meta_path])


@pytest.mark.usefixtures("no_compiled_libraries")
def test_compiled_libraries_are_as_good_as_missing_in_a_zip() -> None:
    """They end in other errors than ImportError, and a sign-in goes on without them."""
    assert not can_verify_signatures()
    assert rsa_signer() is None
    with pytest.raises(ConfigError, match="cryptography"):
        Encryption("k" * 32)


def test_hook_of_pyinstaller_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are imported by name, so nobody who follows imports would find them."""
    every = entry_points(group="pyinstaller40", name="hook-dirs")
    (found,) = {one.value: one for one in every if one.value.startswith("loopback_auth.")}.values()
    (folder,) = found.load()()
    (hook,) = Path(folder).glob("hook-*.py")
    hooks = ModuleType("PyInstaller.utils.hooks")
    vars(hooks).update(collect_data_files=files_of, copy_metadata=lambda _: [], collect_submodules=modules_of)
    monkeypatch.setitem(sys.modules, "PyInstaller.utils.hooks", hooks)
    told = runpy.run_path(str(hook))

    assert hook.stem == f"hook-{loopback_auth.__name__}"
    assert {f"loopback_auth.commands.{name.replace('-', '_')}" for name in COMMANDS} <= set(
        told["hiddenimports"]
    )
    assert not {"loopback_auth.clients.httpx", "loopback_auth.testing"} & set(told["hiddenimports"])
    assert {"success.html", "waiting.js", "style.css", "report.html"} <= {
        Path(name).name for name in told["datas"]
    }
    assert not [name for name in told["datas"] if "__pycache__" in name]


def files_of(package: str, *, excludes: list[str]) -> list[str]:
    """Be PyInstaller's function of that purpose, without the folders."""
    # One file exists for a moment only: another Python compiles the package.
    found = [*PACKAGE.rglob("*.*"), PACKAGE / "__pycache__" / "hints.cpython-313.pyc.27374640"]
    kept = (path for path in found if path.suffix not in (".py", ".pyc"))
    return [str(path) for path in kept if not any(path.parent.match(pattern) for pattern in excludes)]


def modules_of(package: str, filter: Callable[[str], bool]) -> list[str]:
    """Be PyInstaller's function of that purpose."""
    names = (one.name for one in pkgutil.walk_packages([str(PACKAGE)], f"{package}."))
    return [name for name in names if filter(name)]
