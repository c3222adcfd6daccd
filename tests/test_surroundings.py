"""How the tests are started must not change what they find."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from surroundings import IN_CI

CHILD = "import signal; print([signal.getsignal(n) is signal.SIG_IGN for n in (1, 2, 3)])"
PARENT = f"import subprocess, sys, surroundings; subprocess.run([sys.executable, '-c', {CHILD!r}])"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither background jobs nor nohup")
@pytest.mark.parametrize("worker", ["", "PYTEST_XDIST_WORKER=gw0 "])
def test_signals_that_were_ignored_are_heard_by_what_the_tests_start(worker: str) -> None:
    """A background job is started deaf to Ctrl-C, what `nohup` starts to a closed terminal."""
    script = f'trap \'\' HUP INT QUIT; {worker}exec "$0" -c "$1"'
    command = ["sh", "-c", script, sys.executable, PARENT]
    shown = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60, check=True
    )

    assert shown.stdout.strip() == "[False, False, False]"


def outcome_of(folder: Path, text: str, *options: str, environ: Mapping[str, str] = os.environ) -> str:
    """Run a file of tests in a process of its own, and return what is said of it."""
    folder.joinpath("test_it.py").write_text(text)
    run = (
        "import pytest, sys; sys.path.insert(0, sys.argv[1]); pytest.main(['-psurroundings', *sys.argv[2:]])"
    )
    command = [sys.executable, "-c", run, str(Path(__file__).parent), *options, str(folder)]
    shown = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    return shown.stdout


def test_a_coroutine_that_fails_fails_its_test(tmp_path: Path) -> None:
    """A coroutine that nobody awaits would pass whatever is in it."""
    said = outcome_of(tmp_path, "async def test_it(tmp_path):\n    assert not tmp_path.exists()\n")

    assert "1 failed" in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' Python comes without the programs")
@pytest.mark.parametrize(("job", "ended"), [("", "1 skipped"), ("true", "1 failed")])
@pytest.mark.parametrize("options", [[], pytest.param(["-n1"], marks=pytest.mark.slow)])
def test_what_is_missing_fails_a_test_in_ci(tmp_path: Path, job: str, ended: str, options: list[str]) -> None:
    """The tests forget that they run there, and would be skipped for ever once an installation fails."""
    environ = {name: value for name, value in os.environ.items() if name != IN_CI} | {"CI": job}
    text = "from command_line import missing\ndef test_it():\n    missing('there is no such program')\n"

    assert ended in outcome_of(tmp_path, text, *options, environ=environ)


async def test_a_coroutine_is_a_test() -> None:
    """It runs in a loop of its own, which is gone at its end."""
    assert asyncio.get_running_loop().is_running()
