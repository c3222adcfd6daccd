"""The helpers as processes: as a tool starts them, with what strangers write, and with nowhere to answer."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import PATIENCE, CommandLine, Running
from commands.people import visit
from helper_home import TABLE, Home
from renewing import TokenEndpoint

from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.serve import demo_thread
from loopback_auth.records import replace

QUESTION = b"protocol=https\nhost=git.example\n\n"


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line, for the same home."""
    return CommandLine(tmp_path)


@pytest.fixture
def variables(home: Home) -> dict[str, str]:
    """Return the variables by which a process finds this home."""
    return {"LOOPBACK_AUTH_DATA_DIR": str(home.folder / "data"), "LOOPBACK_AUTH_CONFIG_DIR": str(home.folder)}


@pytest.fixture
def there(home: Home, variables: dict[str, str]) -> dict[str, str]:
    """Keep a sign-in, and return those variables."""
    home.keep("work", "git.example")
    home.compare("work")
    return variables


def test_the_answer_is_alone_on_stdout(command_line: CommandLine, there: dict[str, str]) -> None:
    """The tool reads all of it."""
    ended = command_line.ask(QUESTION, "credential", "git", "get", **there)
    named = command_line.ask(QUESTION, "credential", "git", "work", "get", **there)
    decided = command_line.ask(
        QUESTION, "credential", "git", "get", **there, LOOPBACK_AUTH_CLIENT_ID="client"
    )

    assert ended.stdout.startswith("username=alice\npassword=canary-work\npassword_expiry_utc=")
    assert ended == named == decided
    assert (ended.status, ended.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="the package is not installed there")
@pytest.mark.parametrize("script", ["git-credential-loopback-auth", "docker-credential-loopback-auth"])
def test_the_programs_that_tools_look_for_are_installed(
    command_line: CommandLine, there: dict[str, str], script: str
) -> None:
    """Git puts git-credential- before the name in its settings, docker docker-credential-."""
    program = Path(sys.executable).with_name(script + (".exe" if sys.platform == "win32" else ""))
    question = QUESTION if script.startswith("git") else b"git.example"
    ended = subprocess.run(
        [program, "get"],
        input=question,
        capture_output=True,
        timeout=PATIENCE,
        env=command_line.environment(there),
    )

    assert b"canary-work" in ended.stdout
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("tool", ["git", "docker"])
@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"\n",
        b"\x00" * 100,
        b"host=git.example\nhost=evil.example\nprotocol=https\n",
        b"\xff\xfe",
        b"a" * 2_000_000,
    ],
)
def test_garbage_gets_nothing(
    command_line: CommandLine, there: dict[str, str], tool: str, question: bytes
) -> None:
    """The tool goes on as if there was no helper, and no traceback frightens the person."""
    ended = command_line.ask(question, "credential", tool, "get", **there)

    assert "canary" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.status == (0 if tool == "git" else 1)


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/zero")
def test_a_question_without_end_is_not_read_to_its_end(
    command_line: CommandLine, there: dict[str, str]
) -> None:
    """A gigabyte without a line break costs neither memory nor time."""
    with Path("/dev/zero").open("rb") as endless:
        process = subprocess.Popen(
            [sys.executable, "-m", "loopback_auth", "credential", "git", "get"],
            stdin=endless,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=command_line.environment(there),
        )
        stdout, stderr = process.communicate(timeout=PATIENCE)

    assert (process.returncode, stdout) == (0, b"")
    assert b"cannot be read" in stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the shell differs")
@pytest.mark.parametrize("ending", [">&-", "<&-", "2>&-", "| true", ">/dev/full"])
def test_a_closed_stream_ends_it_quietly(
    command_line: CommandLine, there: dict[str, str], ending: str
) -> None:
    """Git closes the pipe of a helper whose answer it does not want; nothing secret goes elsewhere."""
    helper = f"{sys.executable} -m loopback_auth credential git get"
    command = f"printf 'protocol=https\\nhost=git.example\\n' | {{ {helper}; }}"
    ended = subprocess.run(
        ["sh", "-c", f"{command} {ending}"],
        capture_output=True,
        timeout=PATIENCE,
        env=command_line.environment(there),
    )

    assert b"Traceback" not in ended.stderr
    assert b"canary" not in ended.stderr


def test_many_at_once_renew_once(
    command_line: CommandLine, home: Home, variables: dict[str, str], server: TokenEndpoint
) -> None:
    """Git fetches submodules in parallel; renewed twice, a rotated refresh token ends the sign-in."""
    home.keep("work", "git.example", issuer=server.issuer, expires_at=1.0)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "loopback_auth", "credential", "git", "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=command_line.environment(variables),
        )
        for _ in range(4)
    ]
    answers = [process.communicate(QUESTION, timeout=PATIENCE) for process in processes]

    assert [(b"password=access-1\n" in stdout, stderr) for stdout, stderr in answers] == [(True, b"")] * 4
    assert len(server.sent) == 1


@pytest.mark.slow
@pytest.mark.parametrize("is_kept", [False, True])
def test_a_person_is_asked_where_the_settings_of_the_tool_say_so(
    command_line: CommandLine, home: Home, variables: dict[str, str], is_kept: bool
) -> None:
    """With a name there need be no sign-in yet; the answer is on stdout, the link on stderr."""
    with demo_thread() as demo:
        table = TABLE.format(name="work", issuer=demo.issuer, hosts=["git.example"])
        home.configure(table.replace('"client"', f'"{CLIENT_ID}"'))
        if is_kept:
            ended = home.keep("work", issuer=demo.issuer, expires_at=1.0, refresh_token=None)
            home.store.save(replace(ended, client_id=CLIENT_ID))
        process = subprocess.Popen(
            [sys.executable, "-m", "loopback_auth", "credential", "git", "--login", "work", "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=command_line.environment({**variables, "BROWSER": "none", "LOOPBACK_AUTH_WAIT": "true"}),
        )
        assert process.stdin is not None
        process.stdin.write(QUESTION.decode())
        process.stdin.close()
        process.stdin = None
        running = Running(process)
        visit(running.link())
        ended_process = running.end()

    assert ended_process.status == 0
    assert f"password={home.token('work')}\n" in ended_process.stdout
    assert home.token("work") not in ended_process.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_token_is_nowhere_but_on_stdout(command_line: CommandLine, there: dict[str, str]) -> None:
    """Other users can read arguments and, as root, environments; logs keep what is on stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loopback_auth", "credential", "git", "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=command_line.environment(there | {"LOOPBACK_AUTH_CLIENT_ID": "client"}),
    )
    assert process.stdin is not None
    process.stdin.write(QUESTION)
    process.stdin.flush()
    seen = b"".join(Path(f"/proc/{process.pid}/{file}").read_bytes() for file in ("cmdline", "environ"))
    stdout, stderr = process.communicate(timeout=PATIENCE)

    assert b"canary" in stdout
    assert b"canary" not in seen + stderr


def test_a_helper_that_is_ended_ends(command_line: CommandLine, there: dict[str, str]) -> None:
    """Git ends with Ctrl-C, and its helper, which waits for a question, with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loopback_auth", "credential", "git", "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=command_line.environment(there),
    )
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=PATIENCE)

    assert stdout == b""
    assert b"canary" not in stderr
    assert process.returncode != 0


INTERRUPTED = """
import sys
from loopback_auth import __main__
from loopback_auth.commands import credential

def question():
    raise KeyboardInterrupt

credential.question = question
sys.exit(__main__.main())
"""


@pytest.mark.parametrize("tool", ["git", "docker"])
def test_ctrl_c_is_no_fault(command_line: CommandLine, there: dict[str, str], tool: str) -> None:
    """It reaches git and its helper, which waits for a question; a traceback would be about nothing."""
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "credential", tool, "get"],
        capture_output=True,
        timeout=PATIENCE,
        env=command_line.environment(there),
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


@pytest.mark.parametrize(
    "arguments", [(), ("get",), ("svn", "get"), ("git",), ("git", "a", "b", "get"), ("git", "-x", "get")]
)
def test_a_wrong_line_in_the_settings_of_a_tool_is_told(
    command_line: CommandLine, arguments: tuple[str, ...]
) -> None:
    """The person wrote it there, and reads stderr."""
    ended = command_line.ask(QUESTION, "credential", *arguments)

    assert (ended.status, ended.stdout) == (2, "")
    assert ended.complaint
