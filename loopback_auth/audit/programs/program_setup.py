"""What all sign-ins of one program have in common, and what one of them is given."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loopback_auth.audit.programs.authority import Authority
from loopback_auth.audit.programs.process import program_path
from loopback_auth.audit.programs.program_environment import ProgramEnvironment
from loopback_auth.audit.programs.recipe import TYPED, Recipe
from loopback_auth.audit.programs.templates import filled, fixed_parts, server_values
from loopback_auth.audit.programs.temporary_folder import temporary_folder
from loopback_auth.demo.keys import Signer
from loopback_auth.trace.redactor import Redactor
from loopback_auth.trace.secret_names import is_secret

SHORTEST_SECRET = 8
"""Characters of what the user has given from which on it is taken for a secret."""
SHORTEST_NAMED = 4
"""The same for a variable whose name says that it is a secret, such as a PIN; many words have fewer."""
MOST_SECRETS = 20_000
"""Secrets of one program that are remembered; each sign-in has some forty."""
AUTHORITY_FILE = "authority.pem"


@dataclass(frozen=True, slots=True)
class Given:
    """What one sign-in of the program is given.

    Args:
        command: the program and its arguments.
        environment: its variables.
        folder: in which it starts.
        typed: into it.
    """

    command: tuple[str, ...] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    typed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProgramSetup:
    """What all sign-ins of one program have in common.

    Args:
        recipe: of the program.
        inherited: variables of the user, of which few are handed on.
        kept: names of more that are.
        folder: in which the folders of its sign-ins are made; None: that of the system for such ones.
        packages: folder in which the recipe's packages are; None: those of this Python, and of the current
            folder.
        signer: signs ID tokens; None: there are none.
        authority: of the server's certificate; None without TLS.
        reaches_out: the program may use the network beyond this machine.
        redactor: learns every secret that passes.
        secret: of the client; empty for a public one.
    """

    recipe: Recipe
    inherited: Mapping[str, str] = field(repr=False)
    kept: tuple[str, ...] = ()
    folder: Path | None = None
    packages: Path | None = None
    signer: Signer | None = None
    authority: Authority | None = None
    reaches_out: bool = False
    redactor: Redactor = field(default_factory=lambda: Redactor(MOST_SECRETS))
    secret: str = field(default="", repr=False)

    def check(self) -> None:
        """Make sure that the program is there, and that it can be given what it has to be.

        Raises:
            ConfigError: it cannot.
        """
        with temporary_folder(self.folder) as root:
            given = self.given(root, ProgramEnvironment(root), "http://127.0.0.1:9", terminal=False)
            program_path(given.command[0], given.environment["PATH"])

    def given(
        self, root: Path, program_environment: ProgramEnvironment, issuer: str, *, terminal: bool
    ) -> Given:
        """Write the files of one sign-in, and return what else it is given.

        Args:
            root: folder of this sign-in.
            program_environment: of the program, in it.
            issuer: of the server.
            terminal: the program gets a terminal.

        Raises:
            ConfigError: a path of the recipe leads out of the program's folders.
        """
        ca_file = ""
        if self.authority is not None:
            ca_file = str(root / AUTHORITY_FILE)
            Path(ca_file).write_bytes(self.authority.certificate)
        values = self._values(issuer, program_environment, ca_file)
        files = {path: filled(text, values) for path, text in self.recipe.files.items()}
        if self.recipe.driver:
            files[Path(values["driver"]).name] = filled(self.recipe.driver, values)
        program_environment.write(files)
        if self.recipe.runtime == "node" and self.recipe.driver:
            # What a module imports is looked for beside it; NODE_PATH does not count for modules.
            (program_environment.folder / "node_modules").symlink_to(values["node_modules"])
        environment = program_environment.variables(
            self.inherited,
            self._variables(values),
            ca_file=ca_file,
            terminal=terminal,
            reaches_out=self.reaches_out,
        )
        return Given(
            tuple(filled(one, values) for one in self.recipe.command),
            environment,
            Path.cwd() if self.recipe.here else program_environment.folder,
            filled(self.recipe.input, values),
        )

    def _variables(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that the user and the recipe name."""
        kept = {name: self.inherited[name] for name in self.kept if name in self.inherited}
        given = {name: filled(text, values) for name, text in self.recipe.env.items()}
        typed = list(self.recipe.env.items()) if self.recipe.name == TYPED else []
        parts = [(name, part) for name, text in typed for part in fixed_parts(text)]
        for name, value in (*kept.items(), *parts):
            named = is_secret(name) or is_secret(name.rpartition("_")[2])
            if len(value) >= (SHORTEST_NAMED if named else SHORTEST_SECRET):
                self.redactor.learn("variable", value)
        return kept | given

    def _values(self, issuer: str, program_environment: ProgramEnvironment, ca_file: str) -> dict[str, str]:
        """Return what the placeholders stand for."""
        recipe, python = self.recipe, Path(sys.executable)
        programs = python.parent if self.packages is None else self.packages / "bin"
        modules = (self.packages or Path.cwd()) / "node_modules"
        driver = program_environment.folder / f"driver.{'mjs' if recipe.runtime == 'node' else 'py'}"
        folders = {
            "folder": program_environment.folder,
            "home": program_environment.home,
            "here": Path.cwd(),
            "bin": modules / ".bin" if recipe.runtime == "node" else programs,
            "node_modules": modules,
            "python": python if self.packages is None else programs / "python",
            "driver": driver,
        }
        return {
            **server_values(
                issuer, client_id=recipe.client_id, client_secret=self.secret, scope=recipe.scope
            ),
            **{name: str(path) for name, path in folders.items()},
            "ca_file": ca_file,
        }
