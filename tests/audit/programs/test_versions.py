"""Which version of a program is there, or how it is installed."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.recipe_files import all_recipes, recipe_named, recipe_names
from loopback_auth.audit.programs.versions import installed_version, missing
from loopback_auth.errors import ConfigError


def test_python_package() -> None:
    """By any spelling of its name, in this Python and in another folder."""
    recipe = Recipe("tool", ("tool",), version="Pytest", install={"pip": ("pytest",)}, runtime="python")

    assert installed_version(recipe, None, os.environ) == version("pytest")
    assert installed_version(recipe, Path(sys.prefix), os.environ) == version("pytest")
    assert installed_version(recipe, Path("/no/such/folder"), os.environ) == ""


def test_node_package(tmp_path: Path) -> None:
    """In the folder with its packages; what is no description of one is none."""
    recipe = Recipe(
        "tool", ("tool",), version="@scope/tool", install={"npm": ("@scope/tool",)}, runtime="node"
    )
    folder = tmp_path / "node_modules" / "@scope" / "tool"
    folder.mkdir(parents=True)
    described = folder / "package.json"
    described.write_text(json.dumps({"version": "1.2.3"}))
    found = installed_version(recipe, tmp_path, os.environ)
    described.write_text("[]")

    assert found == "1.2.3"
    assert installed_version(recipe, tmp_path, os.environ) == ""
    assert missing(recipe, "") == "npm install @scope/tool"


def test_printed_version() -> None:
    """A command prints it, in its first line."""
    printed = Recipe("tool", ("tool",), version=f"{sys.executable} --version")
    silent = Recipe("tool", ("tool",), version="/no/such/program --version", install={"apt": ("a", "b")})

    assert installed_version(printed, None, os.environ).startswith("Python 3.")
    assert installed_version(silent, None, os.environ) == ""
    assert missing(silent, "") == "apt install a b"


def test_without_a_version() -> None:
    """Then the program itself has to be on PATH."""
    assert missing(Recipe("sh", ("sh",)), "") == ""
    assert missing(Recipe("tool", ("no-such-program",)), "") == "install tool"


def test_all_recipes_are_found() -> None:
    """Each file is a recipe, and has the name by which it is chosen."""
    assert tuple(one.name for one in all_recipes()) == recipe_names()
    assert recipe_named("msal").install["pip"]


@pytest.mark.parametrize(("name", "hint"), [("msall", "Did you mean msal?"), ("qqqq", "--list-recipes")])
def test_recipe_that_does_not_exist(name: str, hint: str) -> None:
    """The nearest is named, or where all of them are."""
    with pytest.raises(ConfigError) as caught:
        recipe_named(name)

    assert hint in caught.value.hint
