"""What holds for every test: in which order and how it is run, that signals are heard."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Coroutine
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

from loopback_auth.plan.signals import AGENTS, CI

SLOW = ("slow", "browser", "foreign")
"""Markers of tests that wait for other programs."""
HUNG = r"Timeout \(>"
"""What pytest-timeout says of a test that hangs; it would hang again."""
IN_CI = "TESTS_IN_CI"
"""Environment variable that is set where the tests run in a CI job; there no test may miss a program."""
TEST_SECONDS = 120.0
"""Seconds after which a coroutine test is cancelled; what it opened is then closed."""


@pytest.hookimpl(trylast=True)  # after pytest-randomly, whose order stays within the two halves
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of slow tests: a process that ends with one leaves the others without work.

    A slow test that fails is run once more, and the summary lists it: it waits for browsers, processes and
    other programs, any of which a busy machine can hold up. A quick test has one run.
    """
    slow = [item for item in items if any(map(item.get_closest_marker, SLOW))]
    of_file = Counter(item.path for item in slow)
    items.sort(key=lambda item: -of_file[item.path])
    if items and items[0].config.pluginmanager.hasplugin("rerunfailures"):
        for item in slow:
            item.add_marker(pytest.mark.flaky(reruns=1, rerun_except=HUNG))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what stays to the end anyway.

    Many tests collect, to see what was left open, which took 40 ms each among thousands of collected tests.
    """
    _begin_hypothesis()
    gc.freeze()


@settings(max_examples=1, database=None)
@given(none())
def _begin_hypothesis(_: None) -> None:
    """Have Hypothesis make its source of random numbers.

    It then asks the garbage collector who keeps the source, and warns where that is among what is frozen.
    """


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function in a loop of its own; afterwards no task may be left."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_alone(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})))
    if sys.platform == "win32":
        # Its open sockets cannot be counted there. What warns when it is collected has to do so in this test.
        gc.collect()
    return True


async def _alone(test: Coroutine[object, object, None]) -> None:
    async with asyncio.timeout(TEST_SECONDS):
        await test
    # On Windows the loop itself still has to end what it was accepting.
    others = {
        task
        for task in asyncio.all_tasks() - {asyncio.current_task()}
        if "IocpProactor" not in repr(task.get_coro())
    }
    if others:
        # What is cancelled needs another turn of the loop.
        _, left = await asyncio.wait(others, timeout=20.0)
        assert left == set()


if sys.platform == "win32":

    class _Accepted(socket.socket):
        """A socket that asyncio has made for the next connection, which closes itself when it is dropped.

        The proactor (`IocpProactor.accept`, and `loop` in its `_start_serving`) drops an open one where the
        server is closed before AcceptEx is called, where its task is cancelled before the first step, and
        where the client has gone before its address is asked for. In the latter two it stays in a cycle, so
        that the warning came in another test, of something else. A connection that was made has a
        transport, which warns of itself when it is left open. See python/cpython#93821, #156365.
        """

        def __del__(self) -> None:
            self.close()

    def _accept_socket(_proactor: asyncio.IocpProactor, family: int) -> socket.socket:
        """Do what `IocpProactor._get_accept_socket` does."""
        accepted = _Accepted(family)
        accepted.settimeout(0)
        return accepted

    asyncio.IocpProactor._get_accept_socket = _accept_socket  # type: ignore[attr-defined]  # private


def _go_on(number: int, frame: FrameType | None) -> None:
    """Outlive a signal; unlike one that is ignored, it is not ignored by the programs that are started."""


def hear_signals() -> None:
    """Undo what a shell does to a background job, and `nohup` to everything: they ignore signals.

    Each child inherits that (signal(7)), and a program that is told to end would not. Tests end by Ctrl-C, as
    ever. Those that were to outlive their terminal still do, and so do the processes of pytest-xdist, which
    end with the one that they work for.
    """
    for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has but the first.
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            usual = {"SIGINT": signal.default_int_handler, "SIGHUP": _go_on}
            signal.signal(number, usual.get(name, signal.SIG_DFL))
    if "PYTEST_XDIST_WORKER" in os.environ and sys.platform != "win32":
        signal.signal(signal.SIGHUP, _go_on)


hear_signals()
# Files that the tests make are as private as a login shell makes them: what others can write to is refused.
os.umask(0o022)

# A test is in a CI job or in the shell of an agent only if it says so: nobody is waited for there. That the
# tests themselves are in a CI job is kept in another variable, which the processes of pytest-xdist inherit.
if os.environ.get("CI"):
    os.environ[IN_CI] = "1"
for name in (*CI, *AGENTS):
    os.environ.pop(name, None)

# How long an example takes says how busy the machine is; what is too slow meets the time limit of its test.
settings.register_profile(
    "checks", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("checks")
