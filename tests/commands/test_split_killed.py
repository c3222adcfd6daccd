"""Killed at any step: either the tokens arrive all the same, or the person is told to begin again.

A process is killed right before one of its changes to the disk, and the next time before the one after that:
in between it only talks to the server, so that no other moment is of another kind.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import cast

import pytest
from command_line import TYPED, CommandLine, Ended

from commands.people import RecordingServer, client_flags, kept_in, store
from commands.split_people import Begun, began, pending_files, within
from loopback_auth.cli import run
from loopback_auth.demo.serve import demo_thread
from loopback_auth.flow_table import TWO_STEP, TwoStepFlow
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.store.pending_sign_in import PendingSignIn

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="SIGKILL and modes of POSIX"),
    pytest.mark.slow,
]

KILLED = """
import os, signal, sys
left = [int(sys.argv.pop(1))]
def hook(event, details):
    if event in ("os.rename", "os.remove") and "/kept/" in str(details[0]):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@dataclass(frozen=True)
class Death:
    """A process that was killed, and what was there afterwards."""

    ended: Ended
    begun: Begun | None
    home: CommandLine

    @property
    def open_to_others(self) -> list[Path]:
        """What others could look into."""
        paths = [path for path in kept_in(self.home).rglob("*") if not path.is_symlink()]
        return [path for path in paths if path.stat().st_mode & 0o077]


def killed(home: CommandLine, change: int, *arguments: str) -> Ended:
    """Run a command, and kill it right before one of its changes to the disk."""
    with within(home, KILLED, str(change), *arguments) as running:
        return running.end()


def deaths(tmp_path: Path, die: Callable[[CommandLine, int], Death]) -> list[Death]:
    """Let a command die of every one of its changes in turn, each time in a home of its own."""
    found = []
    for change in count(1):
        home = CommandLine(tmp_path / str(change))
        home.home.mkdir()
        found.append(die(home, change))
        if found[-1].ended.status != -signal.SIGKILL:
            return found
    raise AssertionError


@pytest.mark.parametrize("flow", TWO_STEP)
def test_a_finish_that_was_killed_is_finished_by_the_next_one(
    flow: TwoStepFlow,
    tmp_path: Path,
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is one moment at which it cannot be: when the server has given the tokens, and we died of joy."""

    def die(home: CommandLine, change: int) -> Death:
        begun = began(home, server, flow)
        address = begun.visit()
        begun.pass_time()
        more = ("--url", address) if address else ("--yes",)
        return Death(killed(home, change, "finish", begun.handle, *more), begun, home)

    every = deaths(tmp_path, die)
    statuses, shown = [], ""
    for death in every:
        assert death.begun is not None
        assert death.open_to_others == []
        for name, value in death.home.environment({}).items():
            monkeypatch.setenv(name, value)
        # An address that was kept need not be brought again; one that was not is brought now.
        found = death.begun.pendings.load(death.begun.handle)
        brought = isinstance(found, PendingSignIn) and not found.answered and death.begun.handed.redirect_uri
        more = ("--url", death.begun.visit()) if brought else () if flow == "paste" else ("--yes",)
        statuses.append(run(["finish", death.begun.handle, *more]))
        said = capsys.readouterr()
        shown += said.out + said.err + death.ended.stdout + death.ended.stderr
        if statuses[-1] == 0:
            assert store(death.home).names() == ("work",)
        else:
            assert f"{TYPED} start" in said.err
        left = set(pending_files(death.home))
        assert left & {f"{death.begun.handle}{kind}" for kind in (".json", ".ended")} == {
            f"{death.begun.handle}.ended"
        }

    assert len(every) > 5
    assert every[-1].ended.status == 0
    assert sorted(statuses) == [0] * (len(every) - 1) + [4]
    secrets = {secret for death in every for secret in _secrets(death)}
    assert [secret for secret in secrets if secret in shown] == []


class Slow(RecordingServer):
    """Takes its time for the answer that has the tokens."""

    given = threading.Event()
    answering = threading.Event()

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Give the tokens at once, and answer when told so."""
        answer = super().handle(request, now)
        if answer.status == 200 and b'"access_token"' in answer.body:
            self.given.set()
            self.answering.wait(60)
        return answer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_tokens_on_their_way_survive_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """They are given once; a build server that cancels its job must not cost the approval."""
    Slow.given.clear()
    Slow.answering.clear()
    home = CommandLine(tmp_path)
    with demo_thread(server_factory=Slow) as demo:
        begun = began(home, cast("Slow", demo.server), "device")
        begun.visit()
        begun.pass_time()
        with home.start("finish", begun.handle, "--yes") as running:
            assert Slow.given.wait(60)
            running.process.send_signal(number)
            Slow.answering.set()
            ended = running.end()
        again = home.run("finish", begun.handle, "--yes")

    assert ended.status == (130 if number == signal.SIGINT else -number)
    assert again.status == 0, again.stderr
    assert store(home).names() == ("work",)


def test_a_start_that_was_killed_leaves_nothing_or_all_of_it(
    tmp_path: Path, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shown can be finished; what was not, nobody has to tidy up."""

    def die(home: CommandLine, change: int) -> Death:
        flags = (*client_flags(server.issuer), "--flow", "device", "--json")
        return Death(killed(home, change, "start", *flags), None, home)

    every = deaths(tmp_path, die)
    afterwards = []
    for death in every:
        assert death.open_to_others == []
        for name, value in death.home.environment({}).items():
            monkeypatch.setenv(name, value)
        afterwards.append((death.ended.stdout != "", run(["finish", "--yes"])))

    assert afterwards == [(False, 9)] * (len(every) - 1) + [(True, 10)]
    assert len(every) > 2


def _secrets(death: Death) -> set[str]:
    """Return what must not be seen of one sign-in."""
    sign_in = store(death.home).load("work")
    tokens = {sign_in.tokens.access_token} if sign_in is not None else set()
    attempt = death.begun.handed.attempt if death.begun is not None else None
    return tokens | ({attempt.state, attempt.code_verifier} if attempt is not None else set())


def test_left_overs_are_swept_up(tmp_path: Path, server: RecordingServer) -> None:
    """A kill between writing a file and putting it in place leaves one, with secrets in it, for an hour."""
    home = CommandLine(tmp_path)
    began(home, server, "ticket")
    left = tmp_path / "kept" / "pending" / ".new-0123456789abcdef"
    left.write_text("x")
    os.utime(left, (0, 0))

    assert home.run("status").status == 10
    assert not left.exists()
