"""What is recorded of public programs fits the recipes and the trials of today."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from loopback_auth.audit.programs.assembling import questions
from loopback_auth.audit.programs.recipe import read_recipe
from loopback_auth.compare.model import Advice
from loopback_auth.narrow import is_list, is_object

ROOT = Path(__file__).resolve().parents[3]
RECIPES = files("loopback_auth.audit") / "recipes"
TRACES_OF_THE_PLACE = ("/tmp/", "/root/", "/work/", "/home/")  # noqa: S108 - to be found in texts


def recorded() -> list[dict[str, object]]:
    """Read the record."""
    found = json.loads((ROOT / "scripts" / "measured.json").read_text("utf-8"))
    assert is_list(found)
    return [one for one in found if is_object(one)]


RECORDED = {str(one["name"]): one for one in recorded()}
OURS = "loopback_auth"
PRIVATE = {"shell-command"}
"""What a program's authors have to hear first."""


def test_a_dozen_programs_are_recorded() -> None:
    """Each once, in the order of their names."""
    names = [str(one["name"]) for one in recorded()]

    assert len(names) >= 12
    assert names == sorted(set(names))


@pytest.mark.parametrize("name", [name for name in RECORDED if name != OURS])
def test_the_version_is_that_of_the_recipe(name: str) -> None:
    """A record of another version accuses, or praises, the wrong program."""
    recipe = read_recipe(name, (RECIPES / f"{name}.toml").read_text("utf-8"))
    one = RECORDED[name]
    exact = [re.split(r"==|(?<=.)@", package)[-1] for package in recipe.install.get("pip", ())]
    exact += [re.split(r"(?<=.)@", package)[-1] for package in recipe.install.get("npm", ())[:1]]

    assert str(one["title"]).startswith(recipe.heading)
    assert all(str(one["title"]).endswith(f" {version}") for version in exact)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", str(one["date"]))
    assert one["advice"] in get_args(Advice)


@pytest.mark.parametrize("name", RECORDED)
def test_each_finding_is_there_once(name: str) -> None:
    """A finding that was renamed, added or removed shows here: audit the programs again."""
    one = RECORDED[name]
    found = [id for key in ("failed", "not_observed", "not_applicable", "passed") for id in _ids(one[key])]

    assert sorted(found) == sorted({question.id for question in questions()} - PRIVATE)


def test_nothing_of_the_place_where_it_was_measured() -> None:
    """Programs write paths of the machine into their messages."""
    text = json.dumps(list(RECORDED.values()))

    assert not [trace for trace in TRACES_OF_THE_PLACE if trace in text]


def _ids(value: object) -> list[str]:
    return [str(id) for id in value] if is_object(value) or is_list(value) else []
