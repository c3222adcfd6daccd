"""The half of the command `audit` that tries programs: what is typed after `--`, or chosen as a recipe."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path

from loopback_auth import __version__
from loopback_auth.audit.programs.isolation import isolate
from loopback_auth.audit.programs.recipe import CLIENT_ID, SCOPE, Recipe, is_pattern
from loopback_auth.audit.programs.recipe_files import all_recipes, recipe_named
from loopback_auth.audit.programs.templates import assignment, inner_path
from loopback_auth.audit.programs.versions import installed_version, missing
from loopback_auth.cli import print_json, print_table, tell
from loopback_auth.commands._delivery import check_outputs, deliver
from loopback_auth.errors import ConfigError
from loopback_auth.terminal.line import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from loopback_auth.audit.programs.column import Tell
    from loopback_auth.audit.programs.examining import Network
    from loopback_auth.audit.programs.kit import Kit
    from loopback_auth.audit.programs.trial import Trial

SECONDS = 900.0
"""Seconds that one program may take."""
AT_ONCE = 2
"""Sign-ins at the same time: more would disturb each other on a small machine."""
LARGEST_FILE = 1024 * 1024
"""Bytes of a file for the program."""
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
EXTRA = "Install it: python -m pip install 'loopback_auth[audit]'"


def add_program_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags for programs."""
    group = parser.add_argument_group(
        "programs",
        "A command after -- is started once for each trial. In it, in --env and in --file, names in braces "
        "stand for what the program has to know: {issuer}, {authorization_endpoint}, {token_endpoint}, "
        "{client_id} and others, see help programs.",
    )

    def switch(flag: str, text: str) -> None:
        group.add_argument(flag, action="store_true", help=text)

    def several(flag: str, metavar: str, text: str) -> None:
        group.add_argument(flag, action="append", default=[], metavar=metavar, help=text)

    several("--recipe", "NAME", "try a program by its recipe; may be repeated")
    switch("--list-recipes", "list the recipes, and what is installed")
    switch("--list", "list what is tried on a program")
    several("--only", "ID", "try this alone; may be repeated")
    switch("--alone", "leave out the column of this package's own login")
    several("--env", "NAME=TEXT", "give the program a variable; may be repeated")
    several("--keep-env", "NAME", "hand on a variable of yours; may be repeated")
    several(
        "--file",
        "PATH=TEXT",
        "write a file before each start, below the working folder, or below the home folder after ~/; "
        "@FILE in place of TEXT copies a file; may be repeated",
    )
    group.add_argument("--input", metavar="TEXT", help=r"type this into the program; \n ends a line")
    group.add_argument("--success", metavar="REGEX", help="output that means success; default: exit status 0")
    switch("--tls", "the server speaks https, with a certificate authority of its own")
    switch("--confidential", "the client has a secret: {client_secret}")
    switch("--tty", "start the program in a terminal")
    switch("--stays", "the program does not end by itself")
    switch("--here", "start it in this folder, not in an empty one")
    group.add_argument("--packages", metavar="DIR", help="where a recipe's packages are: bin, node_modules")
    group.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N", help="sign-ins at the same time")
    group.add_argument(
        "--time-limit", type=float, default=SECONDS, metavar="SECONDS", help="for each program; default: 900"
    )
    reach = group.add_mutually_exclusive_group()
    reach.add_argument(
        "--offline", action="store_true", help="try nothing unless programs can be kept on this machine"
    )
    reach.add_argument("--online", action="store_true", help="let programs use the network")


def wanted(options: argparse.Namespace) -> bool:
    """Return whether programs are meant, not a server."""
    return bool(options.commands or options.recipe or options.list or options.list_recipes)


def run_programs(options: argparse.Namespace) -> int:
    """Try the programs, and write the result."""
    if options.list_recipes:
        return _list_recipes(options)
    if sys.platform == "win32":
        raise ConfigError(
            "Programs cannot be tried on Windows: no browser can stand in for the real one there.",
            hint="Try them under Linux or macOS, for example in WSL.",
        )
    _check_packages()
    from loopback_auth.audit.programs.trials import TRIALS  # It needs the packages.

    trials = _chosen(options.only, TRIALS)
    if options.list:
        return _list_trials(options, trials)
    if options.provider:
        raise ConfigError(
            "A server and a command are two audits.", hint="Give an issuer, or a command after --, not both."
        )
    outputs = check_outputs(options, kind="programs")
    _check_numbers(options)
    recipes = _recipes(options)
    network = _network(options)
    kits = _kits(recipes, options, reaches_out=network != "kept")
    from loopback_auth.audit.programs.examining import examine_programs  # It needs the packages.

    count = f"{len(kits)} program{'s' * (len(kits) != 1)}"
    tell(
        f"Trying {count}, each with up to {len(trials)} sign-ins at the demo server; nothing is asked of you."
    )
    with _Progress() as progress:
        comparison = asyncio.run(
            examine_programs(
                kits,
                trials,
                network=network,
                seconds=options.time_limit,
                at_once=options.at_once,
                tell=progress.of,
            )
        )
    return deliver(comparison, outputs)


class _Progress:
    """Shows on stderr what is tried: in one line, or in a line for each trial."""

    def __init__(self) -> None:
        self._line = Line()

    def of(self, title: str) -> Tell:
        """Return what is told of one program."""

        def told(trial: str, number: int, count: int) -> None:
            text = f"{title}: {number} of {count}, {trial}"
            if self._line.live:
                self._line.draw(text, f"{number} of {count}")
            else:
                self._line.say(text)

        return told

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.clear()


def _check_packages() -> None:
    for name in ("psutil", "cryptography"):
        if not any(finder.find_spec(name, None) for finder in sys.meta_path):
            raise ConfigError(f"To try programs, this Python needs the package {name}.", hint=EXTRA)


def _check_numbers(options: argparse.Namespace) -> None:
    if not 1 <= options.at_once <= 16:
        raise ConfigError("--at-once must be a number from 1 to 16.", hint="Leave it out for 2.")
    if not 1 <= options.time_limit <= 86_400:  # Also false for what is not a number.
        raise ConfigError(
            "--time-limit must be a number of seconds from 1 to 86400.", hint="Leave it out for 900."
        )


def _chosen(only: Sequence[str], trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return the trials that were chosen, by their ids or those of their questions; the first always."""
    known = {name for trial in trials for name in (trial.id, *(one.id for one in trial.questions))}
    for name in only:
        if name not in known:
            raise ConfigError(f"Nothing that is tried is called {ascii(name)[:80]}.", hint="See --list.")
    if not only:
        return tuple(trials)
    first, *others = trials
    return (first, *(one for one in others if {one.id, *(each.id for each in one.questions)} & set(only)))


def _recipes(options: argparse.Namespace) -> list[Recipe]:
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
        "typed",
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
    version = installed_version(recipe, _packages(options), os.environ)
    if how := missing(recipe, version):
        raise ConfigError(
            f"The program of the recipe {recipe.name} is not installed.", hint=f"Install it: {how}"
        )
    return replace(recipe, title=f"{recipe.heading} {version}".strip())


def _packages(options: argparse.Namespace) -> Path | None:
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


def _network(options: argparse.Namespace) -> Network:
    """Take the network away, where the system allows that, and say what keeps programs on this machine."""
    if options.online:
        return "open"
    if isolate():
        return "none"
    if options.offline:
        raise ConfigError(
            "Programs cannot be kept on this machine here: the system gives no network namespace.",
            hint="Run this in a container without a network, or leave --offline out.",
        )
    tell("Programs may reach other machines: this system gives no network namespace. See help programs.")
    return "kept"


def _kits(
    recipes: Sequence[Recipe], options: argparse.Namespace, *, reaches_out: bool
) -> list[tuple[str, Kit]]:
    from loopback_auth.audit.programs.authority import Authority  # It needs the packages.
    from loopback_auth.audit.programs.kit import Kit  # The same.
    from loopback_auth.demo.keys import rsa_signer  # The same.

    signer, authority = rsa_signer(), Authority() if any(one.tls for one in recipes) else None
    return [
        (
            recipe.heading,
            Kit(
                recipe,
                dict(os.environ),
                kept=tuple(options.keep_env),
                packages=_packages(options),
                signer=signer,
                authority=authority if recipe.tls else None,
                reaches_out=reaches_out,
                secret=secrets.token_urlsafe(24) if recipe.secret else "",
            ),
        )
        for recipe in recipes
    ]


def _list_recipes(options: argparse.Namespace) -> int:
    packages, rows = _packages(options), []
    for recipe in all_recipes():
        version = installed_version(recipe, packages, os.environ)
        rows.append((recipe.name, recipe.heading, version, missing(recipe, version)))
    if options.json:
        names = ("name", "title", "version", "install")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return 0
    print_table([(*row[:2], row[2] or (row[3] and f"not installed: {row[3]}")) for row in rows])
    return 0


def _list_trials(options: argparse.Namespace, trials: Sequence[Trial]) -> int:
    rows = [(trial.id, one.id, one.severity, one.title) for trial in trials for one in trial.questions]
    if options.json:
        print_json([dict(zip(("trial", "id", "severity", "title"), row, strict=True)) for row in rows])
        return 0
    print_table(rows)
    return 0
