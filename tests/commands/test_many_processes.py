"""Twenty processes that need a token at once, one browser tab, and what becomes of the others."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from command_line import CommandLine, Running
from demo_client import FOLLOW_LINK

from commands.people import client_flags, visit
from commands.split_people import within
from loopback_auth.demo.serve import demo_thread

pytestmark = pytest.mark.slow

MANY = 20
DENYING = FOLLOW_LINK.replace("run_agent(sys.argv[1])", "run_agent(sys.argv[1], decision='deny')")


@pytest.fixture
def issuer() -> Iterator[str]:
    """A demo server whose tokens live long enough to be shared."""
    with demo_thread() as demo:
        yield demo.issuer


def browser(tmp_path: Path, script: str) -> str:
    """Make a browser that notes every time that it is started."""
    program = tmp_path / "browser"
    program.write_text(
        f"#!/bin/sh\necho opened >> {tmp_path}/tabs\nexec {sys.executable} - \"$1\" <<'EOF'\n{script}EOF\n"
    )
    program.chmod(0o700)
    return str(program)


def tabs(tmp_path: Path) -> int:
    """Count the tabs that were opened."""
    noted = tmp_path / "tabs"
    return len(noted.read_text().splitlines()) if noted.exists() else 0


def environment(tmp_path: Path, issuer: str, script: str) -> dict[str, str]:
    """Return what makes `token --login` sign in at this server with that browser."""
    return {
        "BROWSER": browser(tmp_path, script),
        "LOOPBACK_AUTH_ISSUER": issuer,
        "LOOPBACK_AUTH_CLIENT_ID": client_flags(issuer)[3],
    }


def crowd(stack: ExitStack, command_line: CommandLine, environ: dict[str, str], count: int) -> list[Running]:
    """Start many processes that need a token."""
    return [
        stack.enter_context(command_line.start("token", "--login", "--json", **environ)) for _ in range(count)
    ]


def test_twenty_processes_open_one_tab_and_share_the_token(
    command_line: CommandLine, tmp_path: Path, issuer: str
) -> None:
    """Twenty tabs are what people complain about (int128/kubelogin#904)."""
    with ExitStack() as stack:
        running = crowd(stack, command_line, environment(tmp_path, issuer, FOLLOW_LINK), MANY)
        ended = [one.end() for one in running]

    assert {one.status for one in ended} == {0}
    assert len({str(one.json["access_token"]) for one in ended}) == 1
    assert tabs(tmp_path) == 1


def test_refusal_is_asked_for_once(command_line: CommandLine, tmp_path: Path, issuer: str) -> None:
    """Who has said no to one has said no to all that were waiting."""
    with ExitStack() as stack:
        running = crowd(stack, command_line, environment(tmp_path, issuer, DENYING), 5)
        ended = [one.end() for one in running]

    assert sorted(one.status for one in ended) == [4, 9, 9, 9, 9]
    assert tabs(tmp_path) == 1


def test_leader_that_is_killed_is_replaced(command_line: CommandLine, tmp_path: Path, issuer: str) -> None:
    """Somebody has to go on asking, and that is whoever was waiting."""
    environ = environment(tmp_path, issuer, FOLLOW_LINK) | {"BROWSER": "none"}
    with ExitStack() as stack:
        (leader,) = crowd(stack, command_line, environ, 1)
        leader.link()
        (heir,) = crowd(stack, command_line, environ, 1)
        waits_for = heir.line("is signing in")
        os.kill(leader.process.pid, signal.SIGKILL)
        visit(heir.link())
        ended = heir.end()

    assert f"Process {leader.process.pid} " in waits_for
    assert ended.status == 0
    assert ended.json["access_token"]


LEADER_HAS_JUST_ENDED = """
import json, os, sys, time
over = []
def hook(event, arguments):
    path = str(arguments[0]) if event == "open" else ""
    if path.endswith(".crowd") and not over:
        over.append(path)
        from loopback_auth.model import ServerMetadata
        from loopback_auth.tokens import SignIn, TokenSet
        from loopback_auth.store import FileTokenStore
        tokens = TokenSet("theirs", "Bearer", obtained_at=time.time(), expires_at=time.time() + 600)
        store = FileTokenStore(os.environ["LOOPBACK_AUTH_DATA_DIR"])
        store.save(SignIn("127.0.0.1-1", "x", "none", ServerMetadata("http://127.0.0.1:1"), "", tokens))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, json.dumps({"ended_at": time.time(), "error": ""}).encode())
        os.close(descriptor)
"""


def test_who_looked_before_the_leader_ended_asks_nobody(command_line: CommandLine) -> None:
    """Between looking for a token and wanting to lead there is time enough for another process to do both."""
    environ = {
        "LOOPBACK_AUTH_ISSUER": "http://127.0.0.1:1",
        "LOOPBACK_AUTH_CLIENT_ID": "x",
        "BROWSER": "none",
    }
    with within(command_line, LEADER_HAS_JUST_ENDED, "token", "--login", **environ) as running:
        ended = running.end()

    assert (ended.status, ended.stdout) == (0, "theirs\n")
    assert "Another process has signed in" in ended.stderr
