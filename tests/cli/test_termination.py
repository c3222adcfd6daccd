"""Signals that end a program: what is under way gets its time, and the program ends by the signal."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

PRELUDE = """
import asyncio, signal, sys
from loopback_auth.cli.termination import Termination
async def work():
    try:
        print("ready", flush=True)
        await asyncio.sleep(60)
    finally:
        print("tidied up", flush=True)
def main():
    with Termination():
        try:
            asyncio.run(work())
        except KeyboardInterrupt:
            print("cancelled", flush=True)
    print("over", flush=True)
"""


def ended(*numbers: signal.Signals, before: str = "") -> tuple[int, list[str]]:
    """Run a program that is sent signals when it is ready; return its end and what it said."""
    script = f"{PRELUDE}\n{before}\nmain()"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        for number in numbers:
            child.send_signal(number)
        said = child.communicate(timeout=60)[0].split("\n")[:-1]
    return child.returncode, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("before", ["", "signal.signal(signal.SIGINT, signal.SIG_IGN)"])
def test_what_is_under_way_is_cancelled_and_then_the_signal_ends_it(
    number: signal.Signals, before: str
) -> None:
    """Also in a job of a script, where Ctrl-C is ignored from the start."""
    usual = "" if before else "signal.signal(signal.SIGINT, signal.default_int_handler)"
    status, said = ended(number, before=before or usual)

    assert said == ["tidied up", "cancelled"]
    assert status == -number


def test_an_ignored_interrupt_stays_ignored() -> None:
    """Ctrl-C is meant for the program in front."""
    status, said = ended(signal.SIGINT, signal.SIGTERM, before="signal.signal(signal.SIGINT, signal.SIG_IGN)")

    assert (status, said) == (-signal.SIGTERM, ["tidied up", "cancelled"])


def test_what_is_ignored_from_the_start_is_not_heard() -> None:
    """That is what nohup is for."""
    before = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    status, said = ended(signal.SIGHUP, signal.SIGTERM, before=before)

    assert (status, said) == (-signal.SIGTERM, ["tidied up", "cancelled"])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)])
def test_an_interruption_that_python_ignores_is_repeated(number: signal.Signals, status: int) -> None:
    """Each import ends with a weakref callback, and what is raised in one goes no further."""
    script = f"""
import signal, time, weakref
from loopback_auth.cli.termination import Termination
class Module: pass
signal.signal(signal.SIGINT, signal.default_int_handler)
with Termination():
    try:
        module = Module()
        watched = weakref.ref(module, lambda _: signal.raise_signal({number:d}))
        del module
        print("imported", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("cancelled", flush=True)
"""
    ended = _run(script)

    assert ended.stdout.split() == ["imported", "cancelled"]
    assert (ended.returncode, ended.stderr) == (status, "")


def test_whatever_else_python_ignores_is_reported() -> None:
    """Only an interruption is repeated; a mistake is as visible as ever."""
    script = """
from loopback_auth.cli.termination import Termination
class Broken:
    def __del__(self): raise ZeroDivisionError
with Termination():
    Broken()
"""
    ended = _run(script)

    assert ended.returncode == 0
    assert "ZeroDivisionError" in ended.stderr


def test_everything_is_as_before_afterwards() -> None:
    """A program that calls the command line goes on with its own handlers."""
    script = """
from loopback_auth.cli.termination import Termination
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
def state():
    handlers = [signal.getsignal(number) for number in numbers]
    return handlers, signal.pthread_sigmask(signal.SIG_BLOCK, ()), sys.unraisablehook
before = state()
with Termination():
    pass
assert before == state()
"""
    assert _run(script).returncode == 0


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
