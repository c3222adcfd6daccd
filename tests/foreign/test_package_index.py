"""The backend of keyring with pip, uv and twine, at an index that demands the token."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import PATIENCE
from helper_home import Home
from renewing import TokenEndpoint

from foreign.token_site import Site, package_index, served

pytestmark = [pytest.mark.foreign, pytest.mark.slow]

NAME = "loopback-auth-test-package"
WHEEL = "loopback_auth_test_package-1.0-py3-none-any.whl"


@pytest.fixture
def site(home: Home) -> Iterator[Site]:
    """An index with one package, which takes the token of the sign-in `work`."""
    folder = home.folder / "index"
    folder.mkdir()
    make_wheel(folder / WHEEL)
    with served(package_index(folder), "canary-work") as site:
        yield site


def make_wheel(path: Path) -> None:
    """Make a package with one module (PEP 427)."""
    info = "loopback_auth_test_package-1.0.dist-info"
    files = {
        "loopback_auth_test_package.py": "answer = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{name},sha256={_digest(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def run(home: Home, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program beside this Python, in an empty home; `keyring` is on its PATH."""
    programs = Path(sys.executable).parent
    # pip does not run the one of its own environment.
    elsewhere = home.folder / "bin"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "keyring").write_text(f'#!/bin/sh\nexec {programs / "keyring"} "$@"\n')
    (elsewhere / "keyring").chmod(0o755)
    environ = {
        "PATH": f"{elsewhere}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home.folder),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CACHE": "1",
        "UV_NO_CONFIG": "1",
        "PIP_CONFIG_FILE": os.devnull,
        **{name: value for name, value in os.environ.items() if name.endswith(("DATA_DIR", "CONFIG_DIR"))},
    }
    return subprocess.run(
        [programs / program, *arguments],
        env=environ,
        cwd=home.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def pip(home: Home, index: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Install the package into a folder with pip."""
    options = ("--no-input", "--no-deps", "--target", str(home.folder / "installed"), "--index-url", index)
    return run(home, "python", "-m", "pip", "install", *options, *arguments, NAME)


def uv(home: Home, index: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Install the package into a folder with uv."""
    options = ("--no-deps", "--target", str(home.folder / "installed"), "--index-url", index)
    return run(home, "uv", "pip", "install", "--python", sys.executable, *options, *arguments, NAME)


def assert_installed(home: Home, done: subprocess.CompletedProcess[str]) -> None:
    """Check that the package is there, and that nothing secret was said."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert (home.folder / "installed" / "loopback_auth_test_package.py").exists()
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.parametrize("provider", ["import", "subprocess"])
def test_pip_installs_with_the_token(home: Home, site: Site, provider: str) -> None:
    """Beside it in one environment, and by the program keyring."""
    home.keep("work", site.host)
    done = pip(home, f"http://{site.host}/simple/", "--keyring-provider", provider)

    assert_installed(home, done)
    assert set(site.authorizations) == {"Basic alice:canary-work"}


def test_pip_gets_a_renewed_token(home: Home, site: Site, server: TokenEndpoint) -> None:
    """The old one is never sent."""
    home.keep("work", site.host, issuer=server.issuer, expires_at=time.time() - 1)
    site.tokens = {"access-1"}

    assert_installed(home, pip(home, f"http://{site.host}/simple/", "--keyring-provider", "import"))
    assert set(site.authorizations) == {"Basic alice:access-1"}


@pytest.mark.parametrize("install", [pip, uv])
def test_another_index_is_sent_nothing(home: Home, site: Site, install: object) -> None:
    """Each index that is named asks for a password, and gets none of another's."""
    assert callable(install)
    home.keep("work", site.host)
    provider = "import" if install is pip else "subprocess"
    with served(package_index(home.folder / "index"), "canary-work") as other:
        done = install(home, f"http://alice@{other.host}/simple/", "--keyring-provider", provider)

    assert done.returncode != 0
    assert not any("canary" in one for one in other.authorizations)


def test_uv_installs_with_the_token(home: Home, site: Site) -> None:
    """Uv runs the program keyring, with a user name that it has from the address."""
    home.keep("work", site.host)
    done = uv(home, f"http://oauth2@{site.host}/simple/", "--keyring-provider", "subprocess")

    assert_installed(home, done)
    assert {one.partition(":")[2] for one in site.authorizations} - {""} == {"canary-work"}


def test_twine_uploads_with_the_token(home: Home, site: Site) -> None:
    """It asks for the user name, and then for the password of that user."""
    home.keep("work", site.host)
    url = f"http://{site.host}/legacy/"
    done = run(
        home, "twine", "upload", "--non-interactive", "--repository-url", url, home.folder / "index" / WHEEL
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert b"loopback_auth_test_package" in (home.folder / "index" / "uploaded").read_bytes()
    assert set(site.authorizations) == {"Basic alice:canary-work"}
    assert "canary" not in done.stdout + done.stderr
