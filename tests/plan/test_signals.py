"""What is looked at, and what may be shown of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_samples import CODESPACES, DOCKER, HELPER, PROPERTY, SSH, TMUX, VSCODE, WSL, WSL_KERNEL, machine

from loopback_auth.plan.model import Surroundings
from loopback_auth.plan.signals import PROBED, READ, overridden, signals, truthy

STREAMS = {"stdin", "stderr", "opener"}


def shown(seen: Surroundings) -> dict[str, str]:
    """Return what is shown of each signal, apart from those that are always there."""
    return {one.name: one.value for one in signals(seen) if one.name not in STREAMS}


def test_bare_machine_shows_its_terminals_and_opener() -> None:
    """That there is no terminal, or nothing to open pages with, is a finding too."""
    seen = machine(stderr=False, opener="")

    assert [(one.name, one.value) for one in signals(seen)] == [
        ("stdin", "a terminal"),
        ("stderr", "no terminal"),
        ("opener", "none found"),
    ]


def test_harmless_values_are_shown() -> None:
    """They are what a reader of a report needs."""
    seen = machine(
        {"CI": "true", "DISPLAY": "localhost:10.0", "WAYLAND_DISPLAY": "wayland-0"},
        {"TERM_PROGRAM": "vscode", "AWS_EXECUTION_ENV": "CloudShell", "BROWSER": "/usr/bin/firefox %s"},
        opener="/usr/bin/firefox",
    )

    assert shown(seen) == {
        "BROWSER": "firefox",
        "WAYLAND_DISPLAY": "wayland-0",
        "DISPLAY": "localhost:10.0",
        "TERM_PROGRAM": "vscode",
        "AWS_EXECUTION_ENV": "CloudShell",
        "CI": "true",
    }


def test_values_that_identify_are_only_said_to_be_set() -> None:
    """A report is posted in public: no person, no machine, no address, no workspace."""
    seen = machine(
        SSH,
        VSCODE,
        WSL,
        TMUX,
        CODESPACES,
        {"DISPLAY": "alices-mac.example:0", "SUDO_USER": "alice", "JUPYTERHUB_USER": "alice"},
        {"BROWSER": "/home/alice smith/bin/open", "WAYLAND_DISPLAY": "/run/user/1000/wayland-0"},
        {"STY": "123.pts-0.alices-mac", "KUBERNETES_SERVICE_HOST": "10.1.2.3", "SNAP": "/home/alice"},
        {"CODER_WORKSPACE_NAME": "alice", "RS_SERVER_URL": "https://alice.example", "FLATPAK_ID": "alice"},
    )
    harmless = {"CODESPACES": "true", "TERM_PROGRAM": "vscode"}

    assert {name: value for name, value in shown(seen).items() if value != "set"} == harmless
    assert set(shown(seen)) == set(seen.environ)


def test_helper_of_vscode_is_named_without_its_folder() -> None:
    """The folder is a person's home."""
    assert shown(machine(VSCODE, opener=HELPER))["BROWSER"] == "browser.sh"


@PROPERTY
@given(st.dictionaries(st.sampled_from(READ), st.text(min_size=33), min_size=1))
def test_nothing_long_is_ever_shown(environ: dict[str, str]) -> None:
    """Whatever somebody's machine puts there, what is shown are words that we know to be short."""
    assert all(len(one.value) <= 32 for one in signals(machine(environ)))


def test_files_and_kernel_are_signals() -> None:
    """Containers and WSL show themselves by them alone when a variable is missing."""
    seen = machine(files=DOCKER, kernel=WSL_KERNEL)

    assert shown(seen) == {"/.dockerenv": "exists", "kernel": "Microsoft's"}
    assert set(DOCKER) < set(PROBED)


def test_a_variable_that_says_no_is_shown_as_that() -> None:
    """`CI=false` is set by people who want to be treated as people."""
    said = {one.name: one.meaning for one in signals(machine({"CI": "false", "LOOPBACK_AUTH_AGENT": "1"}))}

    assert said["CI"] == "not a CI job"
    assert said["LOOPBACK_AUTH_AGENT"] == "a coding agent"


def test_no_browser_wanted_is_shown() -> None:
    """An empty BROWSER is a wish, not an absence."""
    assert shown(machine({"BROWSER": ""})) == {"BROWSER": "nothing"}
    assert shown(machine({"BROWSER": "/bin/echo"})) == {"BROWSER": "echo"}
    assert shown(machine({"BROWSER": "/usr/bin/w3m"}, opener="")) == {"BROWSER": "w3m"}


def test_every_signal_says_what_it_means() -> None:
    """A name and a value alone tell a reader little."""
    environ = dict.fromkeys(READ, "1")

    assert {one.name for one in signals(machine(environ))} == set(READ) | STREAMS
    assert all(one.meaning for one in signals(machine(environ)))
    assert len(set(READ)) == len(READ)


@pytest.mark.parametrize("value", ["", "0", "false", "False", " no ", "off", None])
def test_values_that_mean_no(value: str | None) -> None:
    """Many tools take any value for a yes, and are cursed for it."""
    assert truthy(value) is False


@pytest.mark.parametrize("value", ["1", "true", "yes", "claude-code", "2"])
def test_values_that_mean_yes(value: str) -> None:
    """Some jobs put a number or a name there."""
    assert truthy(value) is True


def test_the_person_overrides_variables_and_files() -> None:
    """Trying out another machine, or correcting this one, needs no other shell."""
    environ = {"CI": "1", "DISPLAY": ":0", "HOME": "/home/alice"}
    overrides = {
        "CI": "",
        "SSH_TTY": "/dev/pts/1",
        "BROWSER": "a=b",
        "DEBUG": "",
        PROBED[0]: "",
        PROBED[1]: "1",
    }
    variables, files = overridden(environ, PROBED[:1], overrides)

    assert variables == {"DISPLAY": ":0", "HOME": "/home/alice", "SSH_TTY": "/dev/pts/1", "BROWSER": "a=b"}
    assert files == (PROBED[1],)
    assert environ["CI"] == "1"
