"""A report of a plan: fit to be posted in public, and read back to the same plan or not at all."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_samples import DESKTOP, DOCKER, HELPER, PROPERTY, SSH, VSCODE, machine
from truth_table import TABLE

from loopback_auth.doctor.report import ANY_PORT, FACTS, Circumstances, circumstances_of, described
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.narrow import is_object
from loopback_auth.plan.model import NO, YES, Capabilities, Plan, Surroundings
from loopback_auth.plan.signals import PROBED, READ

VALUES = (
    "",
    " ",
    "0",
    "false",
    "1",
    "true",
    "none",
    "echo",
    "/usr/bin/true",
    "w3m",
    "w3m:firefox",
    "/home/alice/bin/my browser %s",
    "'",
    HELPER,
    ":0",
    "localhost:10.0",
    "[::1]:10.0",
    "alice-laptop:0",
    "CloudShell",
    "cloud-shell/1.0",
    "Services",
    "podman",
    "198.51.100.7 52000 203.0.113.9 22",
)
"""What may stand in a variable: every value that means something somewhere, and some that name somebody."""


def case(
    seen: Surroundings,
    *,
    overrides: dict[str, tuple[str, str]] | None = None,
    flow: str | None = None,
    refused: dict[str, str] | None = None,
    provider: str = "example",
    authority: str = f"127.0.0.1:{ANY_PORT}",
) -> Circumstances:
    """Put together what a plan is made of."""
    return Circumstances(
        seen,
        Capabilities(refused or {}, any_port=authority.endswith(ANY_PORT)),
        overrides=overrides or {},
        allowed=CHOOSABLE,
        flow=flow,
        provider=provider,
        authority=authority,
    )


def document(circumstances: Circumstances) -> dict[str, object]:
    """Make a report and send it through JSON."""
    read = json.loads(json.dumps(described(circumstances, [])))
    assert isinstance(read, dict)
    return read


def outline(plan: Plan) -> tuple[object, ...]:
    """Return what a plan decides; the words may name a program in a shorter way."""
    levels = [getattr(plan.facts, name).level for name in FACTS]
    routes = [(one.flow, one.starts) for one in plan.routes]
    return plan.place.name, levels, routes, plan.refused, plan.opens, plan.start_page, plan.patience


@pytest.mark.parametrize("name", TABLE)
def test_report_replays_to_the_same_plan(name: str) -> None:
    """Somebody else's machine can be looked at without being there, whatever was left out."""
    original = case(TABLE[name].seen)

    replayed = circumstances_of(document(original))

    assert outline(replayed.plan()) == outline(original.plan())
    assert document(replayed) == document(original)


@PROPERTY
@given(
    environ=st.dictionaries(st.sampled_from(READ), st.sampled_from(VALUES), max_size=6),
    platform=st.sampled_from(["linux", "darwin", "win32", "cygwin"]),
    files=st.sets(st.sampled_from(PROBED)),
    kernel=st.sampled_from(["6.1.0-18-amd64", "5.15.167.4-microsoft-standard-WSL2"]),
    stdin=st.booleans(),
    opener=st.sampled_from(["", "xdg-open", "/home/alice/bin/my browser", HELPER, "firefox"]),
)
def test_every_report_replays_to_the_same_plan(
    environ: dict[str, str], platform: str, files: set[str], kernel: str, stdin: bool, opener: str
) -> None:
    """The table has one row for each place, and machines are mixtures."""
    seen = machine(
        environ,
        platform=platform,
        files=tuple(sorted(files)),
        kernel=kernel,
        stdin=stdin,
        stderr=stdin,
        opener=opener,
    )

    replayed = circumstances_of(document(case(seen)))

    assert outline(replayed.plan()) == outline(case(seen).plan())


def test_report_names_neither_person_nor_machine() -> None:
    """It is asked for in bug reports."""
    seen = machine(
        SSH,
        VSCODE,
        {
            "DISPLAY": "alice-laptop:0",
            "CODESPACE_NAME": "alice-fluffy",
            "SUDO_USER": "alice",
            "CODER_WORKSPACE_NAME": "alice",
            "HOME": "/home/alice",
            "AWS_SECRET_ACCESS_KEY": "alice",
        },
        kernel="6.1.0-alice",
        opener=HELPER,
    )
    overrides = {"opens": (NO, "file /home/alice/.config/loopback_auth/config.toml [providers.x]")}

    posted = json.dumps(document(case(seen, overrides=overrides)))

    assert "alice" not in posted
    assert "198.51.100.7" not in posted
    assert "203.0.113.9" not in posted
    assert "the configuration file" in posted


def test_report_names_what_the_command_line_can_do_about_it() -> None:
    """The plan is for every program and names no flag; `doctor` is the command line's."""
    nobody = described(case(machine(SSH, stdin=False)), [])["refused"]
    container = described(case(machine(files=DOCKER)), [], command="login --port {port}")["recipe"]

    assert is_object(nobody)
    assert "--yes" in str(nobody["device"])
    assert f"login --port {ANY_PORT}" in str(container)


def test_report_has_the_documented_shape() -> None:
    """Scripts and people with a bug report rely on it."""
    server = [{"what": "redirect_uri", "verdict": "yes", "because": "It is.", "source": "RFC 6749 §4.1.2.1"}]
    report = described(case(machine(SSH), refused={"ticket": "None is known."}), server)

    assert list(report) == [
        "version",
        "signals",
        "surroundings",
        "asked",
        "place",
        "facts",
        "routes",
        "refused",
        "advice",
        "recipe",
        "network",
        "server",
    ]
    assert report["version"] == 1
    assert report["place"] == {"name": "ssh", "title": "an SSH session"}
    assert report["refused"] == {"ticket": "None is known."}
    assert report["recipe"] == "ssh -L PORT:127.0.0.1:PORT you@this-machine"
    assert report["server"] == server


def test_wishes_flow_and_limits_replay_too() -> None:
    """A plan is made of more than the machine."""
    wished = case(
        machine(DESKTOP),
        overrides={"opens": (NO, "flag --no-browser"), "person": (YES, "environment LOOPBACK_AUTH_PERSON")},
        refused={"device": "It has none."},
        provider="mein Büro",
        authority="localhost:8400",
    )
    only = case(machine(DESKTOP), flow="code id_token")

    replayed = circumstances_of(document(wished))

    assert outline(replayed.plan()) == outline(wished.plan())
    assert replayed.plan().why_not == "--no-browser was given"
    assert (replayed.provider, replayed.authority) == ("mein Büro", "localhost:8400")
    assert [one.flow for one in circumstances_of(document(only)).plan().routes] == ["code id_token"]


def test_flow_that_is_insisted_on_keeps_what_speaks_against_it() -> None:
    """A sign-in tries it all the same, and a person wants to know beforehand why it will fail."""
    insisted = case(
        machine(DESKTOP), flow="ticket", refused={"ticket": "None is known.", "code": "Nor this."}
    )

    chosen = insisted.plan()

    assert [one.flow for one in chosen.routes] == ["ticket"]
    assert chosen.refused == {"ticket": "None is known."}


HOSTILE = [
    ([], "version", 2, "version"),
    ([], "surroundings", None, "surroundings"),
    ([], "asked", [], "asked"),
    (["surroundings"], "hostname", "x", "surroundings"),
    (["surroundings"], "stdin", "yes", "stdin"),
    (["surroundings"], "platform", "\x1b[2J", "platform"),
    (["surroundings"], "platform", 7, "platform"),
    (["surroundings"], "files", ["/etc/passwd"], "files"),
    (["surroundings"], "files", "/.dockerenv", "files"),
    (["surroundings"], "openers", ["a b"], "openers"),
    (["surroundings"], "openers", [7], "openers"),
    (["surroundings"], "environ", ["CI"], "environ"),
    (["surroundings", "environ"], "LD_PRELOAD", "x", "environ"),
    (["surroundings", "environ"], "CODER_WORKSPACE_NAME", "x; rm -rf ~", "CODER_WORKSPACE_NAME"),
    (["surroundings", "environ"], "SSH_CONNECTION", "1 2 -oProxyCommand=x 22", "SSH_CONNECTION"),
    (["surroundings", "environ"], "CI", "x" * 65, "CI"),
    (["surroundings", "environ"], "CI", "1\n", "CI"),
    (["asked"], "provider", "\u202eelgoog", "provider"),
    (["asked"], "provider", "", "provider"),
    (["asked"], "flow", "x\ny", "flow"),
    (["asked"], "allowed", ["password"], "allowed"),
    (["asked"], "any_port", 1, "any_port"),
    (["asked"], "authority", "evil.example:80", "authority"),
    (["asked"], "authority", "127.0.0.1:$(x)", "authority"),
    (["asked"], "wishes", ["opens"], "wishes"),
    (["asked", "wishes"], "shell", ["yes", "x"], "wishes"),
    (["asked", "wishes"], "opens", ["maybe", "x"], "opens"),
    (["asked", "wishes"], "opens", "yes", "opens"),
    (["asked", "wishes"], "opens", ["yes", "\x07"], "origin"),
    (["asked", "refused"], "code", "\x1b]0;x\x07", "code"),
    (["asked", "refused"], "password", "x", "refused"),
]


@pytest.mark.parametrize(("path", "name", "value", "named"), HOSTILE)
def test_what_no_report_has_is_refused(path: list[str], name: str, value: object, named: str) -> None:
    """A stranger wrote it, and it goes to a terminal and into a command that people copy."""
    report = document(case(machine(SSH, files=DOCKER)))
    changed: object = report
    for step in path:
        assert isinstance(changed, dict)
        changed = changed[step]
    assert isinstance(changed, dict)
    changed[name] = value

    with pytest.raises(ConfigError, match=rf": .*{named}") as refusal:
        circumstances_of(report)
    assert refusal.value.message.isprintable()
    assert "doctor --json" in refusal.value.hint


@pytest.mark.parametrize("member", ["surroundings", "asked"])
def test_missing_member_is_refused(member: str) -> None:
    """Nothing is guessed."""
    whole = document(case(machine(SSH)))
    part = whole[member]
    assert isinstance(part, dict)
    for name in part:
        report = deepcopy(whole)
        cut = report[member]
        assert isinstance(cut, dict)
        del cut[name]

        with pytest.raises(ConfigError):
            circumstances_of(report)
