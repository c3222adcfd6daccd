"""The half of the command `audit` that tries programs: what is typed after `--`, or chosen as a recipe."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys

from loopback_auth.audit.programs.isolation import isolate
from loopback_auth.audit.programs.recipe_files import all_recipes
from loopback_auth.audit.programs.versions import installed_version, missing
from loopback_auth.cli import print_json, print_table, tell
from loopback_auth.commands._programs_to_try import packages_folder, recipes_to_try
from loopback_auth.commands._report_output import check_outputs, deliver
from loopback_auth.errors import ConfigError
from loopback_auth.terminal.line import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loopback_auth.audit.programs.column import Tell
    from loopback_auth.audit.programs.examining import Network
    from loopback_auth.audit.programs.program_setup import ProgramSetup
    from loopback_auth.audit.programs.recipe import Recipe
    from loopback_auth.audit.programs.trial import Trial

SECONDS = 900.0
"""Seconds that one program may take."""
AT_ONCE = 2
"""Sign-ins at the same time: more would disturb each other on a small machine."""
EXTRA = "Install it: python -m pip install 'loopback-auth[audit]'"


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
    several("--only", "ID", "try only this: an ID from --list; may be repeated")
    switch("--alone", "leave out the column of this package's own login")
    several("--env", "NAME=TEXT", "give the program a variable; may be repeated")
    several("--keep-env", "NAME", "pass this variable of your environment on; may be repeated")
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
    recipes = recipes_to_try(options)
    network = _network(options)
    setups = _setups(recipes, options, reaches_out=network != "kept")
    from loopback_auth.audit.programs.examining import examine_programs  # It needs the packages.

    count = f"{len(setups)} program{'s' * (len(setups) != 1)}"
    tell(
        f"Trying {count}, each with up to {len(trials)} sign-ins at the demo server. That takes minutes, and "
        "asks you nothing."
    )
    with _Progress() as progress:
        comparison = asyncio.run(
            examine_programs(
                setups,
                trials,
                network=network,
                seconds=options.time_limit,
                at_once=options.at_once,
                ours=not options.alone,
                tell=progress.of,
            )
        )
    return deliver(comparison, outputs)


class _Progress:
    """Shows on stderr what is tried: in one line, or in a line for each trial."""

    def __init__(self) -> None:
        self._line = Line()

    def of(self, title: str) -> Tell:
        """Return the function that shows the progress of one program."""

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
            raise ConfigError(f"There is no trial or finding {ascii(name)[:80]}.", hint="See --list.")
    if not only:
        return tuple(trials)
    first, *others = trials
    return (first, *(one for one in others if {one.id, *(each.id for each in one.questions)} & set(only)))


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


def _setups(
    recipes: Sequence[Recipe], options: argparse.Namespace, *, reaches_out: bool
) -> list[tuple[str, ProgramSetup]]:
    from loopback_auth.audit.programs.authority import Authority  # It needs the packages.
    from loopback_auth.audit.programs.program_setup import ProgramSetup  # The same.
    from loopback_auth.demo.keys import rsa_signer  # The same.

    signer, authority = rsa_signer(), Authority() if any(one.tls for one in recipes) else None
    return [
        (
            recipe.heading,
            ProgramSetup(
                recipe,
                dict(os.environ),
                kept=tuple(options.keep_env),
                packages=packages_folder(options),
                signer=signer,
                authority=authority if recipe.tls else None,
                reaches_out=reaches_out,
                secret=secrets.token_urlsafe(24) if recipe.secret else "",
            ),
        )
        for recipe in recipes
    ]


def _list_recipes(options: argparse.Namespace) -> int:
    packages = packages_folder(options)
    rows: list[tuple[str, str, str, str]] = []
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
