"""Every command once, on Windows; what it does in each case is tested where processes can be watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("on other systems the commands are tested one by one", allow_module_level=True)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose files are in a folder."""
    own = {"LOOPBACK_AUTH_DATA_DIR": str(folder / "kept"), "LOOPBACK_AUTH_CONFIG_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "loopback_auth", *arguments],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        env=os.environ | own,
        timeout=90,
    )


@pytest.mark.parametrize("flow", ["code", "token", "id_token", "code id_token", "ticket", "device"])
def test_a_sign_in_from_beginning_to_end(tmp_path: Path, flow: str) -> None:
    """Port, browser, store and loop are the system's, and no flow goes without them."""
    done = run(tmp_path, "login", "--simulate-person", "--flow", flow, "--json")
    token = run(tmp_path, "token")
    status = run(tmp_path, "status", "--json")
    forgotten = run(tmp_path, "logout")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["account"] == "demo@example.com"
    assert (token.returncode, bool(token.stdout.strip())) == ((9, False) if flow == "id_token" else (0, True))
    assert json.loads(status.stdout)
    assert (forgotten.returncode, list((tmp_path / "kept" / "sign-ins").glob("*.json"))) == (0, [])


def test_a_report_is_written(tmp_path: Path) -> None:
    """It has characters that the usual encoding of Windows does not have."""
    report = tmp_path / "report.html"
    done = run(tmp_path, "compare", "--simulate", "-o", str(report))

    assert done.returncode == 0, done.stderr
    assert "</html>" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["doctor", "settings", "providers", "explain ticket netlify", "--help"])
def test_what_only_tells(tmp_path: Path, command: str) -> None:
    """Into a pipe, whose encoding is another one than the terminal's."""
    done = run(tmp_path, *command.split())

    assert done.returncode == 0, done.stderr
    assert done.stdout
