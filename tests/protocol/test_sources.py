"""Each public function of the protocol names the clause that it keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import loopback_auth.protocol

FOLDER = Path(loopback_auth.protocol.__file__).parent


def public_functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Find them without importing anything."""
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{path.stem}.{node.name}", node


def test_the_walk_finds_the_functions() -> None:
    """A guard that finds nothing guards nothing."""
    names = {name for name, _ in public_functions()}

    assert {"pkce.code_challenge", "redirect.redirect_endpoint", "token.token_response"} <= names
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} == {
        name.partition(".")[0] for name in names
    }


@pytest.mark.parametrize(("name", "node"), [pytest.param(*item, id=item[0]) for item in public_functions()])
def test_public_function_names_its_source(name: str, node: ast.FunctionDef) -> None:
    """A reader who doubts a check can look it up, and `compare` can quote it."""
    lines = (ast.get_docstring(node) or "").splitlines()

    assert any(line.startswith("Source: ") for line in lines), f"{name} has no line that begins with Source:"
