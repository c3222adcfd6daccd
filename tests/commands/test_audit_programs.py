"""`audit -- COMMAND`: a program of somebody else is tried, and the report is like that of our flows."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from command_line import PATIENCE, CommandLine, Ended

from loopback_auth.audit.programs.descendants import MARKER
from loopback_auth.audit.programs.temporary_folder import PREFIX
from loopback_auth.commands._programs_to_try import title_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="programs are not tried on Windows"),
]

PROGRAM = str(Path(__file__).parents[1] / "audit" / "programs" / "small_program.py")
AT_SERVER = ("{authorization_endpoint}", "{token_endpoint}", "{client_id}")
CANARY = "variable-canary-7f3a"
PLAIN = ("audit", "--alone", "--only", "plain", "--json")


def tried(command_line: CommandLine, *switches: str, flags: tuple[str, ...] = PLAIN) -> Ended:
    """Try the small program."""
    return command_line.run(*flags, "--", sys.executable, PROGRAM, *AT_SERVER, *switches)


def only_run(ended: Ended) -> dict[str, object]:
    """Read the only column of a report."""
    (run,) = json.loads(ended.stdout)["runs"]
    assert isinstance(run, dict)
    return run


def test_report_of_a_program(command_line: CommandLine) -> None:
    """It has a conclusion, findings, and a trace of the sign-in that nothing disturbed."""
    ended = tried(command_line)
    document, run = json.loads(ended.stdout), only_run(ended)

    assert ended.status == 0
    assert (document["kind"], run["name"], run["outcome"]) == ("programs", "small_program.py", "signed in")
    assert [one["run"] for one in document["conclusions"]] == ["small_program.py"]
    steps = [one.get("step") for one in run["entries"]]  # type: ignore[attr-defined]
    assert steps.index("authorization request") < steps.index("token request")


def test_ours_is_the_last_column(command_line: CommandLine) -> None:
    """Our own login goes through the same as the others, and two commands get two columns."""
    command = ("--", sys.executable, PROGRAM, *AT_SERVER)
    ended = command_line.run("audit", "--only", "plain", "--json", *command, *command, "--opener", "print")
    titles = [(one["name"], one["outcome"]) for one in json.loads(ended.stdout)["runs"]]

    assert [name for name, _ in titles[:2]] == ["small_program.py", "small_program.py (2)"]
    assert titles[2][0].startswith("loopback_auth ")
    assert {outcome for _, outcome in titles} == {"signed in"}


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        (("--opener", "none"), "opened no link"),
        (("--elsewhere", "https://as.example/authorize"), "as.example"),
        (("--unknown-switch",), "status 2"),
    ],
)
def test_program_that_does_not_sign_in_is_a_report(
    command_line: CommandLine, switches: tuple[str, ...], words: str
) -> None:
    """It says what the program did instead; there is no conclusion then."""
    ended = tried(command_line, *switches, flags=(*PLAIN, "--time-limit", "6"))

    assert ended.status == 0
    assert only_run(ended)["outcome"] == "failed"
    assert words in str(only_run(ended)["reason"])
    assert json.loads(ended.stdout)["conclusions"][0]["advice"] == "not judged"


def test_program_that_fails_early_is_quoted(command_line: CommandLine) -> None:
    """Its own error message says what it lacks; our login is then not tried any further."""
    code = (
        "import os, sys; print('\\x1b[31m\\x07' + os.environ['MINE']);sys.exit('no such host: auth.internal')"
    )
    flags = ("audit", "--only", "denied", "--only", "stolen-code", "--json")
    ended = command_line.run(
        *flags, "--keep-env", "MINE", "--", sys.executable, "-c", code, MINE="a-secret-of-the-user"
    )
    document = json.loads(ended.stdout)
    theirs, ours = document["runs"]

    assert (theirs["outcome"], ours["outcome"]) == ("failed", "signed in")
    assert [one["advice"] for one in document["conclusions"]] == ["not judged", "not judged"]
    assert "for comparison" in document["conclusions"][1]["sentence"]
    assert "no such host: auth.internal" in theirs["reason"]
    assert "{authorization_endpoint}" in theirs["reason"]
    assert theirs["reason"].isprintable()
    assert "a-secret-of-the-user" not in ended.stdout
    assert "1 of 1, plain" in ended.stderr
    assert "of 3, denied" not in ended.stderr


def test_terminal_is_given_on_a_second_try(command_line: CommandLine) -> None:
    """A program that ends without a terminal gets one, and the report says so."""
    ended = tried(command_line, "--terminal")
    rows = {one["id"]: one["cells"] for one in json.loads(ended.stdout)["rows"]}

    assert only_run(ended)["outcome"] == "signed in"
    assert "terminal" in rows["notes"][0]["text"]


def test_variables_and_files(command_line: CommandLine, tmp_path: Path) -> None:
    """What the program has to know can come in variables and files, too."""
    text = tmp_path / "settings.json"
    text.write_text('{"token": "{token_endpoint}"}')
    code = (
        "import json, os, sys, runpy; token = json.load(open('s.json'))['token'];"
        "sys.argv = ['p', os.environ['AUTH'], token, '{client_id}'];"
    )
    ended = command_line.run(
        *PLAIN,
        "--env",
        "AUTH={authorization_endpoint}",
        "--file",
        f"s.json=@{text}",
        "--",
        sys.executable,
        "-c",
        f"{code} runpy.run_path({PROGRAM!r}, run_name='__main__')",
    )

    assert only_run(ended)["outcome"] == "signed in"


def test_tls(command_line: CommandLine) -> None:
    """The server speaks https, and the program trusts it by a variable."""
    ended = tried(command_line, flags=(*PLAIN, "--tls"))

    assert only_run(ended)["outcome"] == "signed in"


def test_confidential_client(command_line: CommandLine) -> None:
    """The server knows a secret, without which the program is refused."""
    ended = tried(command_line, flags=(*PLAIN, "--confidential"))

    assert only_run(ended)["outcome"] == "failed"
    assert "invalid_client" in str(only_run(ended)["reason"])


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are of Linux")
def test_no_way_out(command_line: CommandLine) -> None:
    """The program runs without any network but that of this machine, where the system can do that."""
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 20)"
    ended = command_line.run(*PLAIN, "--offline", "--", sys.executable, "-c", code, "login")
    if "network namespace" in ended.stderr:
        pytest.skip("this system gives none")

    rows = {one["id"]: one["cells"] for one in json.loads(ended.stdout)["rows"]}
    assert rows["network"][0]["text"] == "no way to other machines"
    assert "status 1" in str(only_run(ended)["reason"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--",), "a command"),
        (("--", "--", "tool"), "missing"),
        (("--", ""), "missing"),
        (("--", "no-such-program-at-all"), "no-such-program-at-all"),
        (("--", "true", "--", "no-such-program-at-all"), "no-such-program-at-all"),
        (("--", "/etc/passwd"), "/etc/passwd"),
        (("https://as.example", "--", "true"), "not both"),
        (("--only", "no-such-trial", "--", "true"), "no-such-trial"),
        (("--recipe", "no-such-recipe"), "no-such-recipe"),
        (("--recipe", "../recipes/msal"), "recipe"),
        (("--env", "NAME", "--", "true"), "--env"),
        (("--file", "../a=b", "--", "true"), "path"),
        (("--file", "a=@/no/such/file", "--", "true"), "file"),
        (("--file", "a/b=1", "--file", "a=2", "--", "true"), "'a'"),
        (("--success", "(", "--", "true"), "--success"),
        (("--at-once", "0", "--", "true"), "--at-once"),
        (("--time-limit", "nan", "--", "true"), "--time-limit"),
        (("--packages", "/no/such/folder", "--recipe", "msal"), "/no/such/folder"),
        (("--online", "--offline", "--", "true"), "--offline"),
        (("-o", "report.doc", "--", "true"), "ending"),
    ],
)
def test_bad_arguments(command_line: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    """Each is refused before anything is started, and named."""
    ended = command_line.run("audit", *arguments)

    assert ended.status == 2
    assert words in ended.complaint
    assert "1 of" not in ended.stderr


def test_lists(command_line: CommandLine) -> None:
    """What is tried, and which programs there are recipes for, with how to install them."""
    trials = json.loads(command_line.run("audit", "--list", "--json").stdout)
    recipes = json.loads(command_line.run("audit", "--list-recipes", "--json").stdout)

    assert {"plain", "forgeries"} <= {one["trial"] for one in trials}
    assert "msal" in {one["name"] for one in recipes}
    assert all(one["version"] or one["install"] for one in recipes)


def test_no_secret_leaves(command_line: CommandLine, tmp_path: Path) -> None:
    """Whatever the program prints and writes, no report has a code or a token of it."""
    reports = [
        tmp_path / f"report.{ending}" for ending in ("html", "json", "har", "md", "txt", "xml", "sarif")
    ]
    secrets = tmp_path / "secrets.json"
    flags = ("audit", "--alone", "--only", "stolen-code", "--only", "login-csrf", "--full")
    outputs = (part for one in reports for part in ("-o", str(one)))
    switches = ("--write", str(secrets), "--environment")
    ended = tried(command_line, *switches, flags=(*flags, "--env", "KEPT=1", *outputs))
    tokens = [
        one for one in json.loads(secrets.read_text()).values() if isinstance(one, str) and len(one) > 20
    ]
    written = [one.read_text() for one in reports] + [ended.stdout, ended.stderr]

    assert len(tokens) >= 2
    assert not [token for token in tokens if any(token in text for text in written)]


def test_what_a_program_is_given_is_not_quoted(command_line: CommandLine) -> None:
    """A variable, and what is typed, may be a password; the report quotes what the program printed."""
    given = ("--env", f"KEPT={CANARY} at {{issuer}}", "--input", f"{CANARY}-typed")
    script = 'read line; echo "It says: $KEPT, $ALSO and $line"; exit 3'
    kept = ("--keep-env", "ALSO", "--", "sh", "-c", script)
    ended = command_line.run(*PLAIN, *given, *kept, ALSO=f"{CANARY}-kept")

    assert "It says: <variable#" in str(only_run(ended)["reason"])
    assert CANARY not in ended.stdout + ended.stderr


def test_a_short_secret_is_known_by_the_name_of_its_variable(command_line: CommandLine) -> None:
    """A PIN has four digits; what is as short and has another name stays readable."""
    given = ("--env", "USER_PIN=0x7f", "--env", "MODE=fast", "--keep-env", "API_TOKEN")
    script = ("--", "sh", "-c", 'echo "It says: $USER_PIN, $MODE and $API_TOKEN"; exit 3')
    ended = command_line.run(*PLAIN, *given, *script, API_TOKEN="t0kn")

    assert ", fast and <variable#" in str(only_run(ended)["reason"])
    assert "0x7f" not in ended.stdout + ended.stderr
    assert "t0kn" not in ended.stdout + ended.stderr


def test_interrupted(command_line: CommandLine, tmp_path: Path) -> None:
    """Ctrl-C ends the program and its children, and removes their folders."""
    program = ("--", sys.executable, PROGRAM, *AT_SERVER, "--opener", "none", "--child")
    with command_line.start(*PLAIN, *program, TMPDIR=str(tmp_path)) as running:
        running.line("plain")
        _until(lambda: len(_programs(tmp_path)) == 2)
        begun = len(_programs(tmp_path))
        running.give_up()
        ended = running.end()

    assert begun == 2
    assert ended.status == 130
    assert _programs(tmp_path) == []
    assert list(tmp_path.glob(f"{PREFIX}*")) == []


def test_killed(command_line: CommandLine, tmp_path: Path) -> None:
    """A job that is cancelled, or memory that runs out: nothing can be done then in the process itself."""
    program = ("--", sys.executable, PROGRAM, *AT_SERVER, "--opener", "none", "--child")
    with command_line.start(*PLAIN, *program, TMPDIR=str(tmp_path)) as running:
        running.line("plain")
        _until(lambda: len(_programs(tmp_path)) == 2)
        running.process.kill()
        running.end()
    _until(lambda: not _programs(tmp_path) and not list(tmp_path.glob(f"{PREFIX}*")))

    assert _programs(tmp_path) == []
    assert list(tmp_path.glob(f"{PREFIX}*")) == []


def _until(seen: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not seen() and time.monotonic() < limit:
        time.sleep(0.05)


def test_nothing_is_left(command_line: CommandLine, tmp_path: Path) -> None:
    """After an audit there is no process and no folder of it, whatever the program does."""
    flags = (*PLAIN, "--stays")
    program = ("--", sys.executable, PROGRAM, *AT_SERVER, "--child", "--stay", "--deaf")
    ended = command_line.run(*flags, *program, TMPDIR=str(tmp_path))

    assert only_run(ended)["outcome"] == "signed in"
    assert _programs(tmp_path) == []
    assert list(tmp_path.glob(f"{PREFIX}*")) == []


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (["my-tool", "login"], "my-tool"),
        (["/usr/bin/python3.12", "-u", "tool.py", "login"], "tool.py"),
        (["python", "-m", "tool", "login"], "tool"),
        (["npx", "--yes", "tool"], "tool"),
        (["uv", "tool", "run", "thing"], "thing"),
        (["python"], "python"),
        (["\x1b[31m"], "[31m"),
    ],
)
def test_titles(words: list[str], title: str) -> None:
    """A column is called after the program, not after what runs it."""
    assert title_of(words) == title


def _programs(folder: Path) -> list[int]:
    """Return the processes of programs whose home is below a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            variables = process.environ()
            ours = MARKER in variables and variables.get("HOME", "").startswith(str(folder))
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found
