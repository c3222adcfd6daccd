"""What one sign-in of a program is given: its files, its input, its packages."""

from __future__ import annotations

from pathlib import Path

from loopback_auth.audit.programs.program_environment import ProgramEnvironment
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.recipe import Recipe

ISSUER = "http://127.0.0.1:9000"


def test_what_is_typed_names_the_server(tmp_path: Path) -> None:
    """Git's helpers, for example, read the host from standard input."""
    recipe = Recipe("tool", ("git", "credential", "fill"), input="protocol=http\nhost={authority}\n\n")

    given = ProgramSetup(recipe, {}).given(tmp_path, ProgramEnvironment(tmp_path), ISSUER, terminal=False)

    assert given.typed == "protocol=http\nhost=127.0.0.1:9000\n\n"


def test_a_driver_for_node_finds_its_packages(tmp_path: Path) -> None:
    """Node.js looks for what a module imports in the folders above the module's file."""
    packages = tmp_path / "packages"
    (packages / "node_modules" / "open").mkdir(parents=True)
    recipe = Recipe("tool", ("node", "{driver}"), runtime="node", driver="import open from 'open';")
    program_environment = ProgramEnvironment(tmp_path)

    given = ProgramSetup(recipe, {}, packages=packages).given(
        tmp_path, program_environment, ISSUER, terminal=False
    )

    assert (Path(given.command[1]).parent / "node_modules" / "open").is_dir()
    assert program_environment.written() == ()
