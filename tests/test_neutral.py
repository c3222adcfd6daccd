"""No sentence of the engine names a flag, a variable or a command of ours: every program shows them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from neutral import ARGUMENTS, CLIENT, ours_in

import loopback_auth
from loopback_auth import hints
from loopback_auth.cli.advice import ELSEWHERE, SETTING_OF, SPELLINGS

PACKAGE = Path(loopback_auth.__file__).parent
OF_PROGRAMS = ("settings/contracts.py", "settings/known.py")
"""What programs use of the settings."""
OF_THE_COMMAND_LINE = (
    "__main__.py",
    "invocation.py",
    *("audit", "cli", "commands", "compare", "credential_helpers", "doctor", "explain", "proxy", "settings"),
    # These plan for a command: they are given its settings.
    *("signin/planning.py", "signin/demo_plan.py"),
    "outputs/table.py",  # It says what to write into the settings of tools.
)
READ = {
    "folders.py": {"LOOPBACK_AUTH_CONFIG_DIR", "LOOPBACK_AUTH_DATA_DIR"},
    "network/browser.py": {"LOOPBACK_AUTH_"},
    "network/trust.py": {"LOOPBACK_AUTH_CLIENT_KEY_PASSWORD"},
    "outputs/reserved_variables.py": {"LOOPBACK_AUTH_*"},
    "plan/signals.py": {"LOOPBACK_AUTH_AGENT"},
    "plan/routes.py": {"flag"},
    "store/settings_match.py": {"LOOPBACK_AUTH_"},
}
"""Variables that a module reads or refuses, and a kind of origin: names alone, and in no sentence."""


def _sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module that are not documentation."""
    nodes = list(ast.walk(tree))
    documentation = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def _engine() -> list[Path]:
    files = sorted(PACKAGE.rglob("*.py"))
    names = {one: one.relative_to(PACKAGE).as_posix() for one in files}
    return [
        one for one in files if names[one] in OF_PROGRAMS or not names[one].startswith(OF_THE_COMMAND_LINE)
    ]


def _texts(file: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if file.name == "words.py":
        # Below the class is what only commands and the demonstration say.
        tree = ast.Module([node for node in tree.body if isinstance(node, ast.ClassDef)], [])
    yield from _sentences(tree)


@pytest.mark.parametrize("file", _engine(), ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_the_engine_names_nothing_of_the_command_line(file: Path) -> None:
    """A person in front of another program would look for a flag that it does not have."""
    named = READ.get(file.relative_to(PACKAGE).as_posix(), set())
    told = [f"line {line}: {text}" for line, text in _texts(file) if text not in named and ours_in(text)]

    assert told == []


NOT_ARGUMENTS = {
    *("client_key_password", "config_dir", "handle", "jwks", "keychain"),
    *("port", "unix"),
    *("region", "role_arn", "syntax", "username", "variable"),
}
"""Two variables, the handle of a sign-in in two steps, the keys in a client's metadata document, the system's
keychain; arguments of the proxy and of outputs for tools.
"""
NOT_SPELLED = {"name", "provider"}
"""What no flag and no variable sets."""


def _parameters(file: Path) -> Iterator[str]:
    """Yield the parameters that the errors of a module are about, as far as they are written out."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        given: list[ast.expr] = (
            [node.value] if isinstance(node, ast.keyword) and node.arg == "parameter" else []
        )
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Trouble", "store_error"):
            given += node.args[2:3]
        for one in given:
            for part in ast.walk(one):
                if isinstance(part, ast.Constant):
                    yield from str(part.value).split()


def test_parameters_are_arguments_that_the_command_line_can_spell() -> None:
    """A program looks for the name in its own call, a person for the flag of that name."""
    named = {name for _, names in hints.HINTS.values() for name in names.split()}
    named |= {name for file in _engine() for name in _parameters(file)}

    assert named - ARGUMENTS - NOT_ARGUMENTS == set()
    assert (named & CLIENT) - {*SETTING_OF, *ELSEWHERE, *SPELLINGS} <= NOT_SPELLED
    assert {"client_id", "ca_file", "store", "flow", "timeout"} <= named


def test_what_is_excepted_is_there() -> None:
    """An exception for a file that has gone would hide the next one of its name."""
    assert [
        name for name in (*OF_THE_COMMAND_LINE, *OF_PROGRAMS, *READ) if not (PACKAGE / name).exists()
    ] == []
    for name, words in READ.items():
        assert words <= {text for _, text in _texts(PACKAGE / name)}
