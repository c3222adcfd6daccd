"""`login` where the machine says odd things, browsers misbehave, and streams or keys are not as usual."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loopback_auth.words import Words

if sys.platform == "win32":
    pytest.skip("there are neither shells nor pseudo-terminals", allow_module_level=True)

import termios

from command_line import PATIENCE, TYPED, CommandLine

from commands.people import in_terminal, sign_in, store, visit
from commands.race_people import (
    AT_LAST,
    INVITED,
    KEYS,
    VISITS,
    WHOSE,
    PromptServer,
    browser,
    serving,
    shown_link,
    visible,
)

NOISE = "Opening in existing browser session."


@pytest.fixture
def prompt() -> Iterator[PromptServer]:
    """A server that nobody has asked anything yet."""
    with serving() as server:
        yield server


NOBODY = [("CI", "true"), ("CI", "1"), ("GITHUB_ACTIONS", "true"), ("AI_AGENT", "1")]


@pytest.mark.parametrize(("variable", "value"), NOBODY)
def test_where_nobody_can_be_waited_for_the_other_way_is_named(
    command_line: CommandLine, prompt: PromptServer, variable: str, value: str
) -> None:
    """A job would hang until somebody pays for it; an agent sees nothing until the end."""
    ended = command_line.run("login", *prompt.flags, BROWSER="never-started", **{variable: value})

    assert ended.status == 3
    assert f"{TYPED} start --json" in ended.complaint
    assert prompt.requests == []


@pytest.mark.slow
@pytest.mark.parametrize("value", ["false", "0"])
def test_ci_that_says_no_is_none(command_line: CommandLine, prompt: PromptServer, value: str) -> None:
    """Some shells set it for everybody."""
    ended = sign_in(command_line, *prompt.flags, CI=value)

    assert ended.status == 0


def test_person_who_does_not_want_to_wait_gets_no_advice_on_the_place(command_line: CommandLine) -> None:
    """What to do about a container or a build server does not help with a setting."""
    flags = ("--issuer", "http://127.0.0.1:9", "--client-id", "my-tool", "--no-wait")
    ended = command_line.run("login", *flags, "--json", CI="true")

    assert ended.status == 3
    assert str(ended.json["hint"]).startswith("To wait all the same: --wait. For two steps: ")


def test_wait_is_obeyed_under_an_agent(command_line: CommandLine, prompt: PromptServer) -> None:
    """Whoever shows the agent's output while it comes knows better."""
    ended = sign_in(command_line, *prompt.flags, "--wait", AI_AGENT="1")

    assert ended.status == 0


@pytest.mark.slow
def test_wait_is_obeyed_in_a_job(command_line: CommandLine, prompt: PromptServer) -> None:
    """A browser does not come back to a build server, but a person can approve from their desk."""
    with command_line.start("login", "--wait", "--yes", *prompt.flags, CI="true") as running:
        link = running.link()
        visit(link)
        ended = running.end()

    assert ended.status == 0
    assert "/device" in link


CONTRADICTIONS = {
    "SSH_CONNECTION": "10.0.0.2 50000 10.0.0.1 22",
    "DISPLAY": ":0",
    "CI": "false",
    "TMUX": "tmux-1000,1,0",
}


def test_variables_that_contradict_each_other_give_one_line_and_a_sign_in(
    command_line: CommandLine, prompt: PromptServer
) -> None:
    """As in a tmux that was begun at the desk and is used over SSH."""
    with command_line.start("login", *prompt.flags, **CONTRADICTIONS) as running:
        visit(running.link())
        ended = running.end()
    places = [line for line in ended.stderr.splitlines() if line.startswith("This is ")]

    assert ended.status == 0
    assert places == [Words.ENVIRONMENT.format(place="an SSH session")]
    assert "warning" not in ended.stderr


@pytest.mark.slow
def test_variables_that_contradict_each_other_give_one_line_at_a_terminal(
    command_line: CommandLine, prompt: PromptServer
) -> None:
    """There, more can be offered, and so the line goes on."""
    with in_terminal(command_line, "login", *prompt.flags, columns=200, **CONTRADICTIONS) as screen:
        visit(shown_link(screen, INVITED, containing="user_code="))
        screen.wait_for(WHOSE)
        screen.type("y\n")
        status = screen.end()
    places = [line for line in visible(screen).splitlines() if line.startswith("This is ")]

    assert status == 0
    assert [line.startswith(Words.ENVIRONMENT.format(place="an SSH session")) for line in places] == [True]


@pytest.mark.slow
def test_what_a_browser_prints_is_not_ours(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """Chromium tells of its sessions, Firefox of its profiles; a script reads our answer."""
    script = f"echo {NOISE}\necho {NOISE} >&2\n{VISITS}"
    ended = command_line.run("login", *prompt.flags, "--json", BROWSER=browser(tmp_path, script))

    assert ended.status == 0
    assert ended.json["issuer"] == prompt.issuer
    assert NOISE not in ended.stderr


@pytest.mark.slow
def test_browser_that_fails_brings_another_way_at_once(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """Without a terminal too; patience would be over in an hour."""
    flags = (*prompt.flags, *AT_LAST, "--reachable", "--yes")
    with command_line.start("login", *flags, BROWSER=browser(tmp_path, "exit 3")) as running:
        running.link()
        visit(running.link())
        ended = running.end()

    assert ended.status == 0
    assert ended.stderr.count("The browser did not open") == 1
    assert ended.stderr.count(f"Waiting for {Words.AWAITED_BROWSER} or {Words.AWAITED_DEVICE}.") == 1


@contextmanager
def lasting(folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Make a browser that never returns; give its path, and what makes it answer and end."""
    ask, answer = folder / "ask", folder / "answer"
    for one in (ask, answer):
        os.mkfifo(one)
    # Open for both ways, so that neither end waits for the other.
    asking, answering = (os.open(one, os.O_RDWR) for one in (ask, answer))

    asked = []

    def answered() -> str:
        asked.append(True)
        os.write(asking, b"\n")
        ready, _, _ = select.select([answering], [], [], PATIENCE)
        return os.read(answering, 100).decode().strip() if ready else "gone"

    try:
        yield browser(folder, f"read -r line <{ask}\necho still here >{answer}"), answered
    finally:
        if not asked:
            answered()  # It would wait for ever for somebody to hear it.
        os.close(asking)
        os.close(answering)


def test_browser_that_never_returns_is_waited_for_by_nobody(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """Many a browser is its own opener, and runs until the person goes home."""
    with (
        lasting(tmp_path) as (program, _),
        command_line.start("login", *prompt.flags, BROWSER=program) as running,
    ):
        visit(running.link())
        ended = running.end()

    assert ended.status == 0


@pytest.mark.slow
def test_ctrl_c_ends_us_and_not_the_browser(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """It may show other pages that nobody wants to lose."""
    with (
        lasting(tmp_path) as (program, answer),
        in_terminal(command_line, "login", *prompt.flags, BROWSER=program) as screen,
    ):
        screen.wait_for(KEYS)
        screen.type("\x03")
        status = screen.end()
        alive = answer()

    assert status == 130
    assert alive == "still here"


@pytest.mark.slow
def test_ctrl_c_while_keys_are_heard_restores_the_terminal(
    command_line: CommandLine, prompt: PromptServer
) -> None:
    """Otherwise the shell would show nothing of what is typed."""
    with in_terminal(command_line, "login", *prompt.flags, BROWSER="none") as screen:
        before = termios.tcgetattr(screen.terminal)
        screen.wait_for(KEYS)
        meanwhile = termios.tcgetattr(screen.terminal)
        screen.type("\x03")
        status = screen.end()
        after = termios.tcgetattr(screen.terminal)

    assert status == 130
    assert meanwhile != before
    assert after == before


CLOSED = ["<&-", "2>&-", ">&-", "<&- >&- 2>&-"]


@pytest.mark.slow
@pytest.mark.parametrize("closed", CLOSED)
def test_streams_that_are_closed_stop_no_sign_in(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path, closed: str
) -> None:
    """Services are started so; the next socket must not become somebody's stderr."""
    command = [sys.executable, "-m", "loopback_auth", "login", *prompt.flags]
    ended = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=command_line.environment({"BROWSER": browser(tmp_path, VISITS)}),
    )

    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Traceback" not in ended.stderr
    assert len(store(command_line).names()) == 1
