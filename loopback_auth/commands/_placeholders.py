"""Where a token goes in a command that is run: into variables, and into files whose paths are its arguments.

A pure function of what was typed. No token is put into arguments, which all users of a machine can read, nor
into a variable by which the system finds or changes programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.reserved_variables import effect_of
from loopback_auth.records import dataclass

TOKEN, TOKEN_FILE, HEADER_FILE = "{token}", "{token_file}", "{header_file}"
FILES = {TOKEN_FILE: "token", HEADER_FILE: "header"}
"""Placeholders of files, and the names of these files."""
DEFAULT = {"access_token": "ACCESS_TOKEN", "id_token": "ID_TOKEN"}
"""The variable that is set where nothing was chosen."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\{(?:token|token_file|header_file)\}")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the token goes.

    Args:
        command: with the placeholders of files.
        variables: their values, with placeholders.
        files: the names of the files that are needed, of `FILES`.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str]
    files: frozenset[str]

    def command_with(self, paths: Mapping[str, str]) -> list[str]:
        """Return the command with the paths of the files."""
        return [_filled(each, paths, "") for each in self.command]

    def variables_with(self, paths: Mapping[str, str], token: str) -> dict[str, str]:
        """Return the variables with the paths and the token."""
        return {name: _filled(value, paths, token) for name, value in self.variables.items()}


def places(command: Sequence[str], variables: Sequence[str], files: Sequence[str], of: str) -> Places:
    """Find out where the token goes.

    Args:
        command: program and arguments.
        variables: as typed: NAME, or NAME=TEXT with placeholders.
        files: that are wanted in any case, of `FILES`.
        of: which token it is.

    Raises:
        ConfigError: a variable must not be set, or the token would be among the arguments.
    """
    if any(TOKEN in each for each in command):
        raise ConfigError(
            f"The command has {TOKEN} among its arguments, which other users can read.",
            hint=f"Use {HEADER_FILE} or {TOKEN_FILE} there, or --env.",
        )
    values = dict(_variable(each) for each in variables)
    texts = [*command, *values.values()]
    needed = {FILES[each] for each in FILES if any(each in text for text in texts)} | set(files)
    if not values and not needed:
        values = {DEFAULT[of]: TOKEN}
    return Places(tuple(command), values, frozenset(needed))


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not _VARIABLE.fullmatch(name):
        raise ConfigError(
            f"{ascii(name)[:80]} is not the name of a variable.",
            hint="Use letters, digits and _, as in GH_TOKEN.",
        )
    if effect := effect_of(name):
        raise ConfigError(
            f"The variable {name} is not for tokens: it {effect}.",
            hint="Use the variable from which the command reads its token.",
        )
    if equals and not _PLACEHOLDER.search(value):
        raise ConfigError(
            f"The text for {name} has no placeholder.",
            hint=f"Write {TOKEN}, {TOKEN_FILE} or {HEADER_FILE} into it; for the token alone: --env {name}",
        )
    return name, value if equals else TOKEN


def _filled(text: str, paths: Mapping[str, str], token: str) -> str:
    found = {TOKEN: token, **{each: paths.get(name, "") for each, name in FILES.items()}}
    return _PLACEHOLDER.sub(lambda match: found[match[0]], text)
