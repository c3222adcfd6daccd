"""`run` as a script and a shell meet it: the command has the token, and nothing else is different."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import PATIENCE, CommandLine, Ended, Running

import loopback_auth
from commands.people import RecordingServer, age, client_flags, keep, kept_in, sign_in, store
from loopback_auth.signin.dpop_keys import new_key

if sys.platform == "win32":
    pytest.skip("the commands that are run here are those of POSIX", allow_module_level=True)

import resource

NOW = time.time()
TOKEN = "access-token-of-one"
ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"
ABOUT_ME = """
import json, os, resource, signal, sys
ignored = [each for each in range(1, 32) if signal.getsignal(each) == signal.SIG_IGN]
blocked = [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ())]
limit = resource.getrlimit(resource.RLIMIT_CORE)
about = {"pid": os.getpid(), "ignored": ignored, "blocked": blocked, "core": limit}
print(json.dumps(about))
"""
FILE = "{token_file}"
STAYS = 'trap "exit 3" TERM; echo "$1"; while :; do read x <>"$2"; done'
"""Says where its file is, and stays; it opens a pipe that has no other end."""


@pytest.fixture(autouse=True)
def kept(command_line: CommandLine) -> None:
    """Somebody has signed in."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)


def python(code: str, *arguments: str) -> list[str]:
    """Return the command that runs a program."""
    return ["--", sys.executable, "-c", code, *arguments]


def left(command_line: CommandLine) -> list[str]:
    """Return what runs have left."""
    return sorted(
        path.name for path in (kept_in(command_line) / "running").rglob("*") if path.name != ".lock"
    )


def environment_of(ended: Ended) -> dict[str, str]:
    """Return the variables that a command has found."""
    assert ended.status == 0, ended.stderr
    return {name: str(value) for name, value in ended.json.items()}


def test_token_is_in_the_variables_that_were_asked_for(command_line: CommandLine) -> None:
    """And in no other; what was there stays as it was."""
    given = {"GH_TOKEN": "of another", "LOOPBACK_AUTH_CLIENT_SECRET": "mine"}
    flags = ["--env", "GH_TOKEN", "--env", "HEADERS=Authorization: Bearer {token}"]
    found = environment_of(command_line.run("run", "one", *flags, *python(ENVIRONMENT), **given))
    plain = environment_of(command_line.run("run", *python(ENVIRONMENT)))

    assert {name for name, value in found.items() if TOKEN in value} == {"GH_TOKEN", "HEADERS"}
    assert found["HEADERS"] == f"Authorization: Bearer {TOKEN}"
    assert found["LOOPBACK_AUTH_CLIENT_SECRET"] == "mine"
    assert {name for name, value in plain.items() if TOKEN in value} == {"ACCESS_TOKEN"}
    assert "LOOPBACK_AUTH_CLIENT_SECRET" not in plain


def test_command_takes_the_place_of_this_process(command_line: CommandLine) -> None:
    """So it has the signals, the terminal and the limits that it would have without us."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(
        resource.RLIMIT_CORE, (min(before[1], 4096) if before[1] > 0 else before[1], before[1])
    )
    expected = list(resource.getrlimit(resource.RLIMIT_CORE))
    plain = json.loads(subprocess.check_output([sys.executable, "-c", ABOUT_ME]))
    try:
        with command_line.start("run", *python(ABOUT_ME)) as running:
            ended = running.end()
        watched = command_line.run("run", *python(ABOUT_ME, FILE))
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)

    assert ended.json["pid"] == running.process.pid
    for each in (ended, watched):
        assert {name: each.json[name] for name in ("ignored", "blocked")} == {
            name: plain[name] for name in ("ignored", "blocked")
        }
        assert each.json["core"] == expected


@pytest.mark.parametrize("file", ["", FILE])
@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 7", 7), ("kill -TERM $$", -signal.SIGTERM), ("kill -KILL $$", -signal.SIGKILL)],
)
def test_status_is_that_of_the_command(
    command_line: CommandLine, file: str, script: str, status: int
) -> None:
    """A shell above sees the signal that the command died of, and makes 128 + N of it."""
    ended = command_line.run("run", "--", "sh", "-c", script, "sh", file)

    assert (ended.status, ended.stderr) == (status, "")
    assert left(command_line) == []


@pytest.mark.parametrize("file", ["", FILE])
def test_command_that_cannot_be_started(command_line: CommandLine, file: str) -> None:
    """With the statuses that shells have for it (POSIX XCU 2.8.2), and nothing is left."""
    script = command_line.home / "script"
    script.write_text("no first line")
    (command_line.home / "gone").write_text("#!/no/such/interpreter\n")
    (command_line.home / "gone").chmod(0o700)
    folder, plain = str(command_line.home), str(script)
    statuses = [
        command_line.run("run", "--", each, file).status for each in ("no-such-command", folder, plain)
    ]
    script.chmod(0o700)
    statuses += [command_line.run("run", "--", each, file).status for each in (plain, f"{folder}/gone")]

    assert statuses == [127, 126, 126, 126, 127]
    assert left(command_line) == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["--"], id="nothing after --"),
        pytest.param(["one", "echo"], id="no --"),
        pytest.param(["--leeway", "-1", "--", "echo"], id="leeway"),
        pytest.param(["--", "echo", "x{token}"], id="token among the arguments"),
        pytest.param(["--env", "1A", "--", "echo"], id="no name"),
        pytest.param(["--env", "", "--", "echo"], id="empty name"),
        pytest.param(["--env", "A-B", "--", "echo"], id="hyphen"),
        pytest.param(["--env", "A=b", "--", "echo"], id="no placeholder"),
        pytest.param(["--env", "PATH", "--", "echo"], id="PATH"),
        pytest.param(["--env", "ld_preload={token}", "--", "echo"], id="LD_PRELOAD"),
        pytest.param(["--env", "GIT_SSH_COMMAND", "--", "echo"], id="a program that others start"),
        pytest.param(["--env", "LOOPBACK_AUTH_ISSUER", "--", "echo"], id="a setting"),
        pytest.param(["--id-token", "--", "echo"], id="no ID token"),
        pytest.param(["--token-file", "", "--", "echo"], id="empty path"),
        pytest.param(["--token-file", "a", "--header-file", "a", "--", "echo"], id="one path twice"),
    ],
)
def test_what_cannot_be_run_is_said(command_line: CommandLine, arguments: list[str]) -> None:
    """Before anything has happened."""
    ended = command_line.run("run", *arguments)

    assert ended.status in (2, 6, 9)
    assert ended.complaint
    assert ended.stdout == ""


def test_unknown_sign_in(command_line: CommandLine) -> None:
    """The command does not run without its token."""
    ended = command_line.run("run", "two", "--", "echo", "ran")

    assert (ended.status, ended.stdout) == (9, "")


def test_bound_token_is_refused(command_line: CommandLine) -> None:
    """It would be of no use to a command, which has no key (RFC 9449 §7.1)."""
    made = keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)
    store(command_line).save(
        replace(made, tokens=replace(made.tokens, token_type="DPoP"), dpop_key=new_key())
    )

    assert command_line.run("run", "--", "echo").status == 2


def test_json_after_the_dashes_is_for_the_command(command_line: CommandLine) -> None:
    """An error of ours on stdout would be read as its answer."""
    theirs = command_line.run("run", "two", "--", "gh", "--json")
    ours = command_line.run("run", "two", "--json", "--", "sh")

    assert theirs.stdout == ""
    assert ours.json["error"] == "SignInRequired"


def test_files_are_private_and_go_with_the_command(command_line: CommandLine) -> None:
    """Nobody else can open them, at any moment, whatever the umask is."""
    code = """
import os, sys
print([oct(os.stat(path).st_mode & 0o777) for file in sys.argv[1:] for path in (file, os.path.dirname(file))])
print([open(file).read() for file in sys.argv[1:]])
"""
    before = os.umask(0)
    try:
        ended = command_line.run("run", *python(code, FILE, "{header_file}"))
    finally:
        os.umask(before)

    assert ended.stdout.splitlines() == [
        str(["0o600", "0o700"] * 2),
        str([TOKEN, f"Authorization: Bearer {TOKEN}\n"]),
    ]
    assert left(command_line) == []


def stays(command_line: CommandLine, *flags: str) -> list[str]:
    """Return a command that says where its file is, and stays."""
    pipe = command_line.home / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)
    return ["run", *flags, "--", "sh", "-c", STAYS, "sh", FILE, str(pipe)]


def first_line(running: Running) -> str:
    """Wait for the first line of a command, and return it."""
    assert running.process.stdout is not None
    return running.process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1])
def test_signals_reach_the_command_and_the_file_goes(
    command_line: CommandLine, number: signal.Signals
) -> None:
    """Those that a process sends to us alone are passed on; our end is that of the command."""
    with command_line.start(*stays(command_line)) as running:
        path = first_line(running)
        assert Path(path).read_text() == TOKEN
        running.process.send_signal(number)
        status = running.end().status

    assert status == (3 if number == signal.SIGTERM else -number)
    assert not Path(path).exists()
    assert left(command_line) == []


def test_ignored_signals_stay_ignored(command_line: CommandLine) -> None:
    """As below nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with command_line.start(*stays(command_line)) as running:
            signal.signal(signal.SIGHUP, before)
            first_line(running)
            running.process.send_signal(signal.SIGHUP)
            running.process.send_signal(signal.SIGTERM)
            assert running.end().status == 3
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_a_killed_run_has_left_the_next_one_removes(command_line: CommandLine) -> None:
    """But not what belongs to one that still runs."""
    link = str(command_line.home / "token")
    with (
        command_line.start(*stays(command_line)) as alive,
        command_line.start(*stays(command_line, "--token-file", link)) as killed,
    ):
        kept_path, lost_path = first_line(alive), first_line(killed)
        killed.process.kill()
        killed.process.wait()
        assert Path(lost_path).exists()
        ended = command_line.run("run", "--token-file", link, "--", "cat", link)

        assert (ended.status, ended.stdout) == (0, TOKEN)
        assert not Path(lost_path).exists()
        assert Path(kept_path).exists()
        alive.process.terminate()
        alive.end()
    assert left(command_line) == []
    assert not os.path.lexists(link)


def test_chosen_path_leads_to_the_private_file(command_line: CommandLine) -> None:
    """For a tool whose configuration names the path; in the session's own folder, where there is one."""
    session = command_line.home / "session"
    session.mkdir(mode=0o700)
    link = command_line.home / "header"
    ended = command_line.run(
        "run",
        "--header-file",
        str(link),
        "--",
        "sh",
        "-c",
        f"cat {link}; readlink {link}",
        XDG_RUNTIME_DIR=str(session),
    )

    header, target = ended.stdout.splitlines()
    assert header == f"Authorization: Bearer {TOKEN}"
    assert target.startswith(str(session))
    assert not os.path.lexists(link)
    assert not (kept_in(command_line) / "running").exists()


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_folder_that_others_can_write_to_is_refused(command_line: CommandLine, mode: int) -> None:
    """They could put a token of theirs in the place of ours, or read what is written."""
    folder = command_line.home / "open"
    folder.mkdir()
    folder.chmod(mode)
    ended = command_line.run("run", "--token-file", str(folder / "token"), "--", "echo", "ran")

    assert (ended.status, ended.stdout) == (2, "")
    assert list(folder.iterdir()) == []
    assert left(command_line) == []


@pytest.mark.parametrize("kind", ["file", "link", "folder", "missing folder"])
def test_path_that_is_taken_is_refused(command_line: CommandLine, kind: str) -> None:
    """It would be lost at the end."""
    path = command_line.home / "taken"
    if kind == "file":
        path.write_text("mine")
    elif kind == "link":
        path.symlink_to("nowhere")
    elif kind == "folder":
        path.mkdir()
    else:
        path = path / "below"
    ended = command_line.run("run", "--token-file", str(path), "--", "echo", "ran")

    assert (ended.status, ended.stdout) == (2, "")
    assert os.path.lexists(path) == (kind != "missing folder")
    assert left(command_line) == []


def test_children_that_are_left_do_not_hold_us_up(command_line: CommandLine) -> None:
    """The file goes with the command; what it has left behind has to do without."""
    pipe = command_line.home / "pipe"
    os.mkfifo(pipe)
    script = f"(read x <>{pipe}) >/dev/null 2>&1 & echo $!"
    ended = command_line.run("run", "--", "sh", "-c", script, "sh", FILE)
    child = int(ended.stdout)
    try:
        assert (ended.status, left(command_line)) == (0, [])
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what others see of a process is in /proc")
@pytest.mark.parametrize("file", ["", FILE])
def test_token_is_seen_in_no_arguments_and_no_strange_environment(
    command_line: CommandLine, file: str
) -> None:
    """Arguments can be read by all users, and our own environment is not the command's."""
    code = "import sys; print(1, flush=True); sys.stdin.read()"
    arguments = ["run", *python(code, file)]
    environment = command_line.environment({})
    with subprocess.Popen(
        [sys.executable, "-m", "loopback_auth", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seen = {}
        for each in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    text = (each / name).read_bytes()
                except OSError:
                    continue
                if TOKEN.encode() in text:
                    seen[int(each.name), name] = True
        process.communicate(b"")

    assert list(seen) == ([] if file else [(process.pid, "environ")])


@pytest.mark.slow
def test_token_that_is_due_is_renewed_first(command_line: CommandLine, server: RecordingServer) -> None:
    """Once; the command has the new one."""
    sign_in(command_line, *client_flags(server.issuer))
    age(command_line)
    name = server.issuer.partition("://")[2].replace(":", "-")
    ended = command_line.run("run", name, "--", "sh", "-c", 'echo "$ACCESS_TOKEN"')

    assert ended.stdout.strip() == command_line.run("token", name).stdout.strip() != ""
    assert ended.stderr == ""


@pytest.mark.slow
def test_file_is_renewed_while_the_command_runs(command_line: CommandLine, server: RecordingServer) -> None:
    """A program that reads it again has the new token, which another process finds in the store too."""
    before = server.expires_in
    server.expires_in = 3
    try:
        sign_in(command_line, *client_flags(server.issuer))
        code = """
import select, sys
read = lambda: open(sys.argv[1]).read()
first = read()
while read() == first:
    assert not select.select([], [], [], 0.02)[0]
print(first, read(), flush=True)
"""
        name = server.issuer.partition("://")[2].replace(":", "-")
        ended = command_line.run("run", name, *python(code, FILE))
    finally:
        server.expires_in = before

    old, new = ended.stdout.split()
    assert old != new
    assert (ended.status, ended.stderr) == (0, "")


def test_a_current_folder_that_is_gone_is_said(command_line: CommandLine) -> None:
    """A path that begins there leads nowhere."""
    run = f"{sys.executable} -m loopback_auth run one --token-file t -- true"
    script = f'mkdir "$1" && cd "$1" && rmdir "$1" && exec {run}'
    ended = subprocess.run(
        ["sh", "-c", script, "sh", str(command_line.home / "gone")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=command_line.environment({"PYTHONPATH": str(Path(loopback_auth.__file__).parent.parent)}),
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Internal error" not in ended.stderr
