"""What is tried: commands that were typed, recipes that were chosen, and this package's own login."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from loopback_auth import __version__
from loopback_auth.audit.programs.recipe import CLIENT_ID, SCOPE, TYPED, Recipe, is_pattern
from loopback_auth.audit.programs.recipe_files import recipe_named
from loopback_auth.audit.programs.templates import assignment, inner_path
from loopback_auth.audit.programs.versions import installed_version, missing
from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

LARGEST_FILE = 1024 * 1024
"""Bytes that a file for the program may have."""
STARTERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("python", "pypy", "node", "nodejs", "ruby", "perl", "php", "java", "env"), ()),
    **dict.fromkeys(("sh", "bash", "dash", "zsh", "npx", "bunx", "uvx"), ()),
    "bun": ("x", "run"),
    "deno": ("run",),
    "go": ("run",),
    "npm": ("exec", "run"),
    "pipx": ("run",),
    "pnpm": ("dlx", "exec"),
    "uv": ("tool", "run"),
    "yarn": ("dlx", "run"),
}
"""Programs that start another one, which gives the column its name; and words between the two."""


def recipes_to_try(options: argparse.Namespace) -> list[Recipe]:
    """Return what is tried, in the order of the columns."""
    typed = [_typed(words, options) for words in _commands(options.commands)]
    chosen = [_installed(recipe_named(name), options) for name in options.recipe]
    ours = [] if options.alone else [_ours(options)]
    return _with_titles([*typed, *chosen, *ours])


def _commands(words: Sequence[str]) -> list[list[str]]:
    """Split what was typed after the first `--` at each further one."""
    commands: list[list[str]] = [[]] if words else []
    for word in words:
        if word == "--":
            commands.append([])
        else:
            commands[-1].append(word)
    if not all(one and one[0] for one in commands):
        raise ConfigError("A command is missing after --.", hint="Write for example: audit -- my-tool login")
    return commands


def _typed(words: list[str], options: argparse.Namespace) -> Recipe:
    """Make a recipe of a command that was typed."""
    success = options.success or ""
    if not is_pattern(success):
        raise ConfigError(
            "--success must be a regular expression.", hint="Give a word of the program's output."
        )
    return Recipe(
        TYPED,
        tuple(map(_from_here, words)),
        title=title_of(words),
        env=dict(assignment(text, "--env") for text in options.env),
        files=dict(map(_file, options.file)),
        client_id=options.client_id or CLIENT_ID,
        scope=options.scope or SCOPE,
        secret=options.confidential,
        tls=options.tls,
        tty=options.tty,
        again=options.stays,
        here=options.here,
        input=(options.input or "").replace("\\n", "\n"),
        success=success,
    )


def _from_here(word: str) -> str:
    """Make the path of a file absolute: the program starts in another folder."""
    looks_like_one = "/" in word or "." in word
    return str(Path(word).absolute()) if looks_like_one and Path(word).is_file() else word


def _file(text: str) -> tuple[str, str]:
    """Read PATH=TEXT or PATH=@FILE."""
    path, content = assignment(text, "--file")
    inner_path(path)
    if not content.startswith("@"):
        return path, content
    source = Path(content[1:])
    try:
        with source.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise ConfigError(f"The file for the program is larger than {LARGEST_FILE} bytes.")
        return path, data.decode("utf-8")
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else "it is not UTF-8 text"
        raise ConfigError(
            f"The file for the program cannot be read: {why}.", hint="Write --file PATH=@FILE."
        ) from exc


def title_of(words: Sequence[str]) -> str:
    """Name a column after the program that matters: not after its interpreter."""
    rest = list(words)
    while len(rest) > 1:
        name = Path(rest[0]).name
        between = STARTERS.get(name, STARTERS.get(name.rstrip("0123456789.")))
        if between is None:
            break
        rest.pop(0)
        while len(rest) > 1 and (rest[0].startswith("-") or rest[0] in between):
            rest.pop(0)
    shown = Path(rest[0]).name or rest[0]
    return "".join(one for one in shown if one.isprintable())[:40] or "program"


def _installed(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """Return a recipe with its version in the title.

    Raises:
        ConfigError: its program is not installed.
    """
    version = installed_version(recipe, packages_folder(options), os.environ)
    if how := missing(recipe, version):
        raise ConfigError(
            f"The program of the recipe {recipe.name} is not installed.", hint=f"Install it: {how}"
        )
    return replace(recipe, title=f"{recipe.heading} {version}".strip())


def packages_folder(options: argparse.Namespace) -> Path | None:
    """Return the folder in which the packages of recipes are; None: those of this Python, and of this folder.

    Raises:
        ConfigError: there is no such folder.
    """
    if options.packages is None:
        return None
    folder = Path(options.packages).absolute()
    if not folder.is_dir():
        raise ConfigError(
            f"There is no folder {ascii(options.packages)[:80]}.",
            hint="Name the one with bin or node_modules.",
        )
    return folder


def _ours(options: argparse.Namespace) -> Recipe:
    """Make the recipe of this package's own login, which is tried as every other program is."""
    command = (sys.executable, "-m", "loopback_auth", "login", "--flow", "code")
    at_server = ("--issuer", "{issuer}", "--client-id", "{client_id}", "--scope", "{scope}")
    return Recipe(
        "ours",
        (*command, *at_server),
        title=f"loopback_auth {__version__}",
        # It may run from a folder that only this process knows of.
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        tls=options.tls,
    )


def _with_titles(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Give each column a title of its own."""
    seen: dict[str, int] = {}
    titled: list[Recipe] = []
    for recipe in recipes:
        count = seen[recipe.heading] = seen.get(recipe.heading, 0) + 1
        titled.append(replace(recipe, title=f"{recipe.heading} ({count})") if count > 1 else recipe)
    return titled
