"""`compare`: the flows side by side, on a terminal, in files, and at a provider in a browser of one's own."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from stat import S_IMODE

import pytest
from command_line import CommandLine, Ended
from demo_client import FOLLOW_LINK
from jsonschema import Draft202012Validator

from commands.people import RecordingServer, client_flags, in_terminal, kept_in
from loopback_auth import words
from loopback_auth.compare.drawing.outputs import FORMS
from loopback_auth.compare.drawing.schema import schema
from loopback_auth.flow_table import COMPARED

pytestmark = pytest.mark.slow

BEGINS = {
    ".html": "<!doctype html>",
    ".json": "{",
    ".har": '{\n  "log"',
    ".md": "#",
    ".mmd": "sequenceDiagram",
    ".sarif": '{\n  "$schema"',
    ".summary.md": "## 2 flows with demo",
    ".svg": "<svg ",
    ".txt": "2 flows with demo, simulated in memory",
    ".xml": "<?xml",
}
TWO = ("--flows", "code,ticket")
posix = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and modes of POSIX")


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """How a comparison went to which nobody had to do anything."""
    return CommandLine(tmp_path_factory.mktemp("home")).run("compare", "--width", "80")


@pytest.fixture
def browser(tmp_path: Path) -> str:
    """A browser in which somebody approves whatever is asked."""
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{FOLLOW_LINK}' \"$1\"\n")
    program.chmod(0o700)
    return str(program)


def test_without_arguments_all_flows_are_compared(demonstrated: Ended) -> None:
    """On real sockets, with attacks, and nobody is asked for anything."""
    advice = re.findall(r"^(?:USE WHEN|USE|AVOID) +(.*?): ", demonstrated.stdout.replace("\n   ", " "), re.M)

    assert demonstrated.status == 0
    assert demonstrated.stdout.startswith("9 flows with demo, ")
    assert {name for names in advice for name in re.split(", +", names)} == set(COMPARED)
    assert "attacks found nothing of high severity" in " ".join(demonstrated.stdout.split())


def test_all_flows_fit_one_screen(demonstrated: Ended) -> None:
    """As in the simulation, which makes the same checks of more flows."""
    lines = demonstrated.stdout.splitlines()

    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80


def test_headway_is_told_a_line_a_stage(demonstrated: Ended) -> None:
    """On stderr, without anything that steers a terminal."""
    lines = demonstrated.stderr.splitlines()

    assert "9 flows" in lines[0]
    assert {
        f"{flow}: {stage}"
        for flow in COMPARED
        for stage in (words.RUN_BEGUN, words.RUN_SIGNED_IN, words.RUN_ATTACKED)
    } <= set(lines)
    assert "\r" not in demonstrated.stderr
    assert "\x1b" not in demonstrated.stderr + demonstrated.stdout


@posix
def test_terminal_gets_one_line_that_is_redrawn(command_line: CommandLine) -> None:
    """It is gone when the table comes, which is as wide as the terminal, and in colours."""
    with in_terminal(command_line, "compare", "--full", "--flows", "code,token", columns=80) as screen:
        status = screen.end()
    headway, _, table = screen.shown.partition("\r\n\x1b[1mWhat it is")

    assert status == 0
    assert f"\rcode: {words.RUN_BEGUN}" in headway.replace("\r\n", "\n")
    assert headway.endswith(" \r")
    assert "\x1b[32msigned" in table
    assert max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in table.splitlines()) <= 80


@posix
def test_terminal_ends_with_the_overview_and_what_else_there_is(
    command_line: CommandLine, tmp_path: Path
) -> None:
    """The end is what is in sight; whoever has a report need not be told of it."""
    with in_terminal(command_line, "compare", "--simulate", *TWO) as screen:
        screen.end()
    with in_terminal(
        command_line, "compare", "--simulate", *TWO, "-o", str(tmp_path / "report.html")
    ) as told:
        told.end()
    last = screen.shown.partition("2 flows with demo")[2].splitlines()

    assert len(last) < 20
    assert re.search(r"^\x1b\[33mUSE WHEN\x1b\[0m  ticket: ", "\n".join(last), re.M)
    assert "add --full" in " ".join(last[-2:])
    assert "add --full" not in told.shown


@posix
def test_no_color_is_respected(command_line: CommandLine) -> None:
    """See https://no-color.org."""
    with in_terminal(command_line, "compare", "--simulate", "--full", *TWO, NO_COLOR="1") as screen:
        screen.end()

    assert "signed" in screen.shown
    assert "\x1b" not in screen.shown


def test_simulation_is_the_same_each_time(command_line: CommandLine) -> None:
    """Byte for byte: reports can be held against each other."""
    first, second = (command_line.run("compare", "--simulate", "--json") for _ in range(2))

    assert (first.status, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    assert (
        command_line.run("compare", "--simulate").stdout == command_line.run("compare", "--simulate").stdout
    )


def test_twins_run_in_memory_beside_their_flows(command_line: CommandLine) -> None:
    """Which is said, because the program itself cannot leave a defence out."""
    ended = command_line.run("compare", "--without", "--json")
    runs = ended.json["runs"]
    assert isinstance(runs, list)

    assert ended.status == 0
    assert ended.json["ground"] == "simulate"
    assert "in memory" in ended.stderr
    assert [run["name"] for run in runs][:3] == ["code", "code without pkce", "code without state"]
    assert command_line.run("compare", "--without", "--json", "--simulate").stdout == ended.stdout


def test_first_screen_says_what_a_defence_stops(command_line: CommandLine) -> None:
    """The clause, the attacks that succeed now, and what stops the others."""
    ended = command_line.run("compare", "--without", "pkce", "--flows", "code", "--full")
    shown = " ".join(ended.stdout.split())

    assert "AVOID code without pkce: Without PKCE (RFC 7636 §1; RFC 9700 §2.1.1)" in shown
    assert "these attacks succeed: stolen-code" in shown
    assert "What each defence stops" in shown


def test_json_is_as_described(command_line: CommandLine) -> None:
    """A program can rely on the schema, which is printed on request."""
    printed = command_line.run("compare", "--schema").json
    ended = command_line.run("compare", "--simulate", "--json", *TWO)

    Draft202012Validator.check_schema(printed)
    assert list(Draft202012Validator(printed).iter_errors(ended.json)) == []
    assert ended.json["ground"] == "simulate"


def test_every_ending_is_written(command_line: CommandLine, tmp_path: Path) -> None:
    """All at once if that is wanted, and the table goes to stdout all the same."""
    paths = [tmp_path / f"report{suffix}" for suffix in FORMS]
    flags = [flag for path in paths for flag in ("-o", str(path))]
    ended = command_line.run("compare", "--simulate", *TWO, *flags, "-o", "-")
    written = {path.name.removeprefix("report"): path.read_text() for path in paths}

    assert ended.status == 0
    assert [suffix for suffix in FORMS if not written[suffix].startswith(BEGINS[suffix])] == []
    assert ended.stderr.splitlines() == [f"Written: {path.resolve()}" for path in paths]
    assert ended.stdout.startswith("2 flows with demo")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == sorted(
        path.name for path in paths
    )


def test_report_is_put_over_what_was_there(command_line: CommandLine, tmp_path: Path) -> None:
    """Through a link as well, which stays one."""
    target, link = tmp_path / "report.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    command_line.run("compare", "--simulate", *TWO, "-o", str(link))

    assert target.read_text().startswith("2 flows")
    assert link.is_symlink()


REFUSED = [
    (["--flows", "code,magic"], "'magic'", "code form_post, code id_token"),
    (
        ["--flows", "code code_id_token"],
        "'code_id_token'",
        "code id_token?",
    ),
    (["--flows", "code", "--flows", "tickt"], "'tickt'", "ticket?"),
    (["--flows", ""], "''", "code form_post"),
    (["-o", "report.pdf"], "report.pdf", ".html, .json"),
    (["-o", "report"], "'report'", ".html"),
    (["-o", "/nowhere/at/all/report.html"], "/nowhere/at/all", "folder"),
    (["--width", "10"], "10 characters", "--width 40"),
    (["--width", "wide"], "is not a whole number", "compare --help"),
    (["github"], "'github'", "Add --live"),
    (["--issuer", "https://id.example"], "--issuer", "Add --live"),
    (["--client-id", "abc"], "--client-id", "Add --live"),
    (["--resume"], "--resume", "Add --live"),
    (["--simulate", "--live"], "not allowed with argument", "compare --help"),
    (["--live", "--without", "pkce"], "--without", "Leave one"),
    (["--without", "--live"], "--without", "Leave one"),
    (["--without", "pkcee"], "'pkcee'", "pkce?"),
    (["--without", "state+pcke"], "'pcke'", "pkce?"),
    (["--without", "pkce", "--flows", "device"], "no pkce", "code form_post"),
    (["github", "--without", "pkce"], "'github'", "Add --live"),
    (["nowhere", "--live"], "'nowhere'", "https://"),
    (["github", "--live"], "client ID", "--client-id"),
]


@pytest.mark.parametrize(("arguments", "named", "hint"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_run(
    command_line: CommandLine, arguments: list[str], named: str, hint: str
) -> None:
    """By one sentence and one piece of advice."""
    ended = command_line.run("compare", *arguments)

    assert (ended.status, ended.stdout) == (2, "")
    assert named in ended.complaint
    assert hint in ended.complaint


def test_folder_is_not_replaced_by_a_file(command_line: CommandLine, tmp_path: Path) -> None:
    """Not even one with the right ending."""
    folder = tmp_path / "reports.html"
    folder.mkdir()
    ended = command_line.run("compare", "--simulate", "-o", str(folder))

    assert (ended.status, ended.stdout) == (2, "")
    assert folder.is_dir()


@posix
def test_device_is_not_replaced_by_a_file(command_line: CommandLine, tmp_path: Path) -> None:
    """Root could do that, once."""
    pipe = tmp_path / "pipe.html"
    os.mkfifo(pipe)
    ended = command_line.run("compare", "--simulate", "-o", str(pipe))

    assert (ended.status, ended.stdout) == (2, "")
    assert pipe.is_fifo()


def test_secrets_are_labels_unless_asked_for(command_line: CommandLine, tmp_path: Path) -> None:
    """And whoever asks for them is warned, and gets a file that only they can read."""
    plain, raw = tmp_path / "plain.json", tmp_path / "raw.json"
    command_line.run("compare", "--simulate", "--flows", "code", "-o", str(plain))
    ended = command_line.run("compare", "--simulate", "--flows", "code", "--show-secrets", "-o", str(raw))
    code = re.search(r"code=([\w-]{43})", raw.read_text())
    labelled, shown = json.loads(plain.read_text())["runs"][0], json.loads(raw.read_text())["runs"][0]

    assert ended.stderr.startswith("warning: --show-secrets writes codes and tokens as they are")
    assert code is not None
    assert code[1] not in plain.read_text()
    assert "code=<code#1>" in plain.read_text()
    assert os.name != "posix" or S_IMODE(raw.stat().st_mode) == 0o600
    assert labelled["findings"] == shown["findings"]
    assert len(labelled["entries"]) == len(shown["entries"])


@posix
def test_every_file_is_private_where_secrets_are_shown(command_line: CommandLine, tmp_path: Path) -> None:
    """Whatever its form is, and also where a readable file was there before."""
    paths = [tmp_path / f"report{form}" for form in FORMS]
    paths[0].write_text("old")
    flags = [flag for path in paths for flag in ("-o", str(path))]
    command_line.run("compare", "--simulate", "--flows", "code", "--show-secrets", *flags)

    assert {S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


def test_one_flow_may_be_named_as_for_login(command_line: CommandLine) -> None:
    """`--flow` is what people have typed before."""
    assert command_line.run("compare", "--simulate", "--flow", "token").stdout.startswith("1 flow with demo")


def test_name_of_a_flow_may_have_a_blank(command_line: CommandLine) -> None:
    """A blank separates names, and is in some of them."""
    listed = ("--flows", "code form_post,code  id_token", "--flows", "ticket code")
    ended = command_line.run("compare", "--simulate", "--json", *listed)

    assert [run["flow"] for run in json.loads(ended.stdout)["runs"]] == [
        "code form_post",
        "code id_token",
        "ticket",
        "code",
    ]


def test_default_provider_of_the_file_changes_nothing(command_line: CommandLine, tmp_path: Path) -> None:
    """Nothing is sent to it unasked."""
    ended = command_line.run("compare", "--simulate", "--flows", "code", LOOPBACK_AUTH_PROVIDER="github")

    assert (ended.status, ended.stdout.partition("\n")[0]) == (0, "1 flow with demo, simulated in memory")


@posix
def test_live_at_the_demonstration(command_line: CommandLine, browser: str, tmp_path: Path) -> None:
    """In a browser of one's own; nothing of it is kept but the report."""
    report = tmp_path / "report.json"
    ended = command_line.run("compare", "--live", *TWO, "-o", str(report), BROWSER=browser)
    document = json.loads(report.read_text())

    assert ended.status == 0
    assert list(Draft202012Validator(schema()).iter_errors(document)) == []
    assert [run["outcome"] for run in document["runs"]] == ["signed in", "signed in"]
    assert (document["ground"], document["provider"]) == ("live", "demo")
    assert "at most 12 requests" in ended.stderr
    assert "Flow 1 of 2, code:" in ended.stderr
    assert ended.stderr.count("revoked") == 2
    assert [path for path in kept_in(command_line).rglob("*") if path.is_file()] == []


@posix
def test_flow_that_is_not_possible_is_skipped_with_the_reason(
    command_line: CommandLine, browser: str, server: RecordingServer
) -> None:
    """Nobody is at a terminal to paste, and a plain client has no tickets."""
    flags = client_flags(server.issuer)
    ended = command_line.run(
        "compare", *flags, "--live", "--flows", "ticket,paste,code", "--json", BROWSER=browser
    )
    runs = ended.json["runs"]
    assert isinstance(runs, list)

    assert ended.status == 0
    assert [run["outcome"] for run in runs] == ["not possible", "not possible", "signed in"]
    assert "ticket: skipped." in ended.stderr
    assert "paste: skipped." in ended.stderr
    assert "Flow 1 of 1, code" in ended.stderr


def test_nobody_is_waited_for_in_a_build_server(command_line: CommandLine) -> None:
    """It would only hang there."""
    ended = command_line.run("compare", "github", "--client-id", "abc", "--live", CI="true")

    assert ended.status == 3
    assert "Not waiting for a login" in ended.complaint
    assert "--wait" in ended.complaint


@posix
def test_what_was_finished_before_ctrl_c_is_gone_on_with(
    command_line: CommandLine, browser: str, tmp_path: Path
) -> None:
    """Six consents are not given twice."""
    idle = tmp_path / "idle"
    idle.write_text(
        f'#!/bin/sh\ncase $(cat {tmp_path}/count 2>/dev/null) in "") echo 1 >{tmp_path}/count; '
        f'exec {browser} "$1";; esac\n'
    )
    idle.chmod(0o700)
    with command_line.start("compare", "--live", *TWO, BROWSER=str(idle)) as running:
        running.line("Flow 2 of 2, ticket")
        running.line("Valid for")
        running.give_up()
        given_up = running.end()
    (kept,) = [path for path in kept_in(command_line).rglob("*.json")]
    kept_text = kept.read_text()
    resumed = command_line.run("compare", "--live", "--resume", *TWO, "--json", BROWSER=browser)
    runs = resumed.json["runs"]
    assert isinstance(runs, list)

    assert given_up.status == 130
    assert "Cancelled: 1 of 2 flows have ended, and are kept." in given_up.stderr
    assert "Run the same command with --resume to go on." in given_up.stderr
    assert S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert "<code#1>" in kept_text
    assert "Finished before: code." in resumed.stderr
    assert "Flow 1 of 1, ticket" in resumed.stderr
    assert [run["outcome"] for run in runs] == ["signed in", "signed in"]
    assert not kept.exists()


def test_help_says_what_is_sent_to_whom(command_line: CommandLine) -> None:
    """Before anybody is asked for six consents."""
    shown = " ".join(command_line.run("compare", "--help").stdout.split())

    assert "consent" in shown
    assert "never kept" in shown
