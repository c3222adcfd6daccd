"""What the README, the topics and the help of commands name: commands, flags, modules, topics. They exist."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shlex
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import loopback_auth
from loopback_auth import TokenSource, login, login_sync
from loopback_auth.cli import COMMANDS, TOPICS, command_of
from loopback_auth.commands.help import topic
from loopback_auth.flow_table import NAMES
from loopback_auth.options import Options

README = Path(__file__).resolve().parent.parent / "README.md"
TEXTS = {
    "README": README.read_text().replace("\\|", "|"),  # as a table is shown
    **{name: topic(name) for name in TOPICS},
    **{f"{name} --help": str(command_of(name)[0].__doc__) for name in COMMANDS},
}
OF_NO_COMMAND = {
    *("--version", "--help", "--quick", "--network", "--unix-socket"),
    *("--global", "--add", "--index-url", "--keyring-provider", "--repository-url"),
    *("--from", "--console-script", "--output-file", "--netrc-file", "--from-file", "--type", "--credential"),
}
"""Flags of the program itself, of its scripts, and of other programs."""
MODULES = {one.name for one in pkgutil.walk_packages(loopback_auth.__path__, "loopback_auth.")}


def flags() -> set[str]:
    """Return every flag of every command."""
    return {
        flag
        for command in COMMANDS
        for action in command_of(command)[1]._actions  # argparse has no other list of them
        for flag in action.option_strings
    }


def commands(text: str) -> list[list[str]]:
    """Return the commands in a text, as words: on lines of their own, in backquotes, and inside of others."""
    run = r"(?:\S*python -m loopback_auth|(?:uvx )?loopback-auth)"
    found = re.findall(rf"^(?:\$ |  )(?:\S+ && )?{run} (.+)$", text, re.M)
    found += re.findall(rf"`{run} ([^`]+)`|`((?:{'|'.join(COMMANDS)}) [^`]+)`", text)
    found += re.findall(rf"\$\({run} ([^)]+)\)", text)
    lines = ["".join(one) for one in found]
    return [shlex.split(re.split(r" {3}| +[#<>|]", line)[0]) for line in lines]


@pytest.mark.parametrize("name", TEXTS)
def test_commands_can_be_typed_as_they_stand_there(name: str) -> None:
    """People copy the example before they read anything."""
    found = [(command, arguments) for command, *arguments in commands(TEXTS[name])]

    assert len(found) >= {"README": 15, "agents": 3, "netlify": 3, "environments": 2}.get(name, 0)
    for command, arguments in found:
        command_of(command)[1].read(arguments)


@pytest.mark.parametrize("name", TEXTS)
def test_flags_exist(name: str) -> None:
    """A flag that is misspelt or gone costs the reader an error."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXTS[name]))

    assert named - flags() - OF_NO_COMMAND == set()


@pytest.mark.parametrize("name", TEXTS)
def test_topics_exist(name: str) -> None:
    """A pointer to more must not end nowhere."""
    pointers = set(re.findall(r"\bhelp ([a-z]+(?:-[a-z]+)*)`", TEXTS[name]))
    pointers |= set(re.findall(r"\bhelp ([a-z]+(?:-[a-z]+)*)[.:]", TEXTS[name]))

    assert pointers <= {*TOPICS, *COMMANDS}
    assert name != "README" or pointers >= {"files", "embedding", "netlify", "flows", "agents", "security"}


@pytest.mark.parametrize("name", TEXTS)
def test_modules_exist(name: str) -> None:
    """Whoever follows a name into the source must not end nowhere."""
    for dotted in re.findall(r"\bloopback_auth(?:\.\w+)+", TEXTS[name]):
        if dotted in MODULES:
            continue
        module, _, member = dotted.rpartition(".")
        if module == "loopback_auth.mcp" or module.startswith("loopback_auth.clients."):
            library = module.rpartition(".")[2].replace("mcp", "httpx")
            if sys.platform == "win32" and find_spec(library) is None:
                pytest.skip("not in Windows' Python")
        assert hasattr(importlib.import_module(module), member)


def test_arguments_that_are_explained_for_programs_exist() -> None:
    """A keyword that is gone would be an error in the first line that somebody copies."""
    named = set(re.findall(r"^  (\w+)=", TEXTS["options"], re.M))

    assert len(named) >= 5
    for function in (login, login_sync, TokenSource):
        assert named - set(inspect.signature(function).parameters) - set(Options.__annotations__) == set()


@pytest.mark.parametrize("name", ["README", "flows"])
def test_every_flow_is_explained(name: str) -> None:
    """Whoever has to choose one needs all of them."""
    text = TEXTS[name]

    assert [flow for flow in NAMES if not re.search(rf"`{flow}`|^{flow}[.,]|, {flow}[.,]", text, re.M)] == []


def test_what_the_package_needs_is_said() -> None:
    """Whoever takes a dependency asks what else comes with it."""
    project = tomllib.loads((README.parent / "pyproject.toml").read_text())["project"]
    names = [Requirement(one).name for one in project["dependencies"]]

    assert f"needs {', '.join(names[:-1])} and {names[-1]};" in " ".join(TEXTS["README"].split())
    assert Requirement(*project["optional-dependencies"]["oidc"]).name in TEXTS["README"]


def test_the_readme_is_short_enough_to_be_read() -> None:
    """What is longer belongs into a topic of `help`."""
    assert len(TEXTS["README"].splitlines()) < 330
