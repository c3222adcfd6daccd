"""Each public function of the protocol names the clause that it keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import loopback_auth.protocol

FOLDER = Path(loopback_auth.protocol.__file__).parent


# A class with methods of its own is a rule of a specification too; the others are values and errors.
Rule = ast.FunctionDef | ast.ClassDef


def public_rules() -> Iterator[tuple[str, Rule]]:
    """Find them without importing anything."""
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, Rule) and not node.name.startswith("_") and _rules(node):
                yield f"{path.stem}.{node.name}", node


def _rules(node: Rule) -> bool:
    methods = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
    return isinstance(node, ast.FunctionDef) or any(not name.startswith("_") for name in methods)


def test_the_walk_finds_the_functions() -> None:
    """A guard that finds nothing guards nothing."""
    names = {name for name, _ in public_rules()}

    assert {"pkce.code_challenge", "redirect.redirect_endpoint", "token.token_response"} <= names
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} == {
        name.partition(".")[0] for name in names
    }


@pytest.mark.parametrize(("name", "node"), [pytest.param(*item, id=item[0]) for item in public_rules()])
def test_public_function_names_its_source(name: str, node: Rule) -> None:
    """A reader who doubts a check can look it up, and `compare` can quote it."""
    lines = (ast.get_docstring(node) or "").splitlines()

    assert any(line.startswith("Source: ") for line in lines), f"{name} has no line that begins with Source:"
