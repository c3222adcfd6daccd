"""How the tests are started must not change what they find."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_coroutine_that_fails_fails_its_test(tmp_path: Path) -> None:
    """A coroutine that nobody awaits would pass whatever is in it."""
    tmp_path.joinpath("test_it.py").write_text(
        "async def test_it(tmp_path):\n    assert not tmp_path.exists()\n"
    )
    folder = str(Path(__file__).parent)
    run = "import pytest, sys; sys.path.insert(0, sys.argv[1]); pytest.main(['-psurroundings', sys.argv[2]])"
    command = [sys.executable, "-c", run, folder, str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert "1 failed" in shown.stdout


async def test_a_coroutine_is_a_test() -> None:
    """It runs in a loop of its own, which is gone at its end."""
    assert asyncio.get_running_loop().is_running()
