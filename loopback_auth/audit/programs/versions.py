"""Which version of a program is installed, and how one that is not can be."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from shutil import which

from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.narrow import is_object
from loopback_auth.redact import server_text

VERSION_SECONDS = 10.0
"""Seconds in which a program has to print its version."""
LONGEST = 40
"""Characters of a version."""
INSTALLING = {
    "pip": "pip install",
    "npm": "npm install",
    "apt": "apt install",
    "go": "go install",
}


def installed_version(recipe: Recipe, packages: Path | None, environment: Mapping[str, str]) -> str:
    """Return the version of a recipe's program; empty when it is not installed, or does not say.

    Args:
        recipe: of the program.
        packages: folder with the packages of recipes; None: those of this Python, and of the current folder.
        environment: in which the command that prints the version runs.
    """
    if " " in recipe.version:
        return _printed(recipe.version.split(), environment)
    if recipe.runtime == "node":
        return _of_node_package(recipe.version, (packages or Path.cwd()) / "node_modules")
    return _of_python_package(recipe.version, packages) if recipe.version else ""


def missing(recipe: Recipe, version: str) -> str:
    """Return the commands that install a recipe's program; empty when it is there.

    Args:
        recipe: of the program.
        version: from `installed_version`.
    """
    if version or (not recipe.version and which(recipe.command[0]) is not None):
        return ""
    ways = [f"{INSTALLING[by]} {' '.join(names)}" for by, names in recipe.install.items() if names]
    return "; ".join(ways) or f"install {recipe.heading}"


def _printed(command: list[str], environment: Mapping[str, str]) -> str:
    with suppress(OSError, subprocess.SubprocessError):
        ended = subprocess.run(  # noqa: S603 - a recipe of ours names it
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_SECONDS,
            env=environment,
            check=True,
        )
        return server_text(ended.stdout.decode("utf-8", "replace").strip().partition("\n")[0], LONGEST)
    return ""


def _of_node_package(name: str, modules: Path) -> str:
    with suppress(OSError, ValueError):
        document = json.loads((modules / name / "package.json").read_text(encoding="utf-8"))
        found = document.get("version") if is_object(document) else None
        return server_text(found, LONGEST) if isinstance(found, str) else ""
    return ""


def _of_python_package(name: str, packages: Path | None) -> str:
    folders = (
        sys.path if packages is None else [str(one) for one in packages.glob("lib/python*/site-packages")]
    )
    wanted = _normal(name)
    for one in distributions(path=folders):
        if _normal(one.metadata["Name"] or "") == wanted:
            return server_text(one.version, LONGEST)
    return ""


def _normal(name: str) -> str:
    """Compare names of Python packages as installers do."""
    return re.sub(r"[-_.]+", "-", name).lower()
