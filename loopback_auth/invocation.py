"""What was typed to get here, so that messages can name a command that runs when it is typed again.

Messages everywhere are written with the general name; where they are shown, by the command line alone, it is
replaced by what was typed: `loopback-auth`, `.venv/bin/python -m loopback_auth`. A program that embeds the
package is never taken for the command line, and keeps the general name.

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GENERAL = "python -m loopback_auth"
"""How messages name the command line."""
SCRIPT = "loopback-auth"
"""The console script that the package installs."""
MAIN = "loopback_auth.__main__"
SAFE = "-_./=+" + ("\\:" if os.name == "nt" else "")
"""Characters besides letters and digits that mean nothing to a shell."""


def as_typed(text: str) -> str:
    """Put the command that was typed into a text that has the general name."""
    if GENERAL not in text:
        return text
    import re  # Start-up.

    typed = invocation()
    # After a folder it is the name of another interpreter.
    return re.sub(rf"(?<![/\\]){GENERAL}", lambda _: typed, text)


def invocation() -> str:
    """Return the command that started this process, ready to be typed again."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    module = spec.name if spec is not None else ""
    frozen = bool(getattr(sys, "frozen", False))
    return invocation_of(module, sys.argv, sys.orig_argv, os.environ, frozen=frozen)


def invocation_of(
    module: str,
    arguments: Sequence[str],
    whole: Sequence[str],
    environ: Mapping[str, str],
    *,
    frozen: bool = False,
) -> str:
    """Return the command that started a process.

    Args:
        module: that `python -m` runs; empty for none.
        arguments: `sys.argv`.
        whole: `sys.orig_argv`, which has the interpreter and its options too.
        environ: the environment.
        frozen: Python itself is part of the program, so that there is none to be run with a module.
    """
    script = arguments[0] if arguments else ""
    before = list(whole[: len(whole) - len(arguments) + 1])
    if module == MAIN and before[1:] and before[-1].endswith("loopback_auth"):
        words = before
    elif script and (frozen or os.path.basename(script).removesuffix(".exe") == SCRIPT):  # noqa: PTH119 - pathlib costs
        words = [script]
    else:
        return GENERAL
    words[0] = _shortest(words[0], environ)
    if environ.get("UV_RUN_RECURSION_DEPTH"):
        # What `uv run` finds on its PATH is not on that of the person.
        words = ["uv", "run", *words]
    return " ".join(map(_quoted, words))


def _shortest(program: str, environ: Mapping[str, str]) -> str:
    """Leave the folder out where the shell would look into it first."""
    folder, name = os.path.split(program)
    for place in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(program) else ():  # noqa: PTH117
        if os.path.exists(os.path.join(place, name)):  # noqa: PTH110, PTH118 - pathlib costs
            return name if os.path.normpath(place) == os.path.normpath(folder) else program
    return program


def _quoted(word: str) -> str:
    """Quote a word for the shell, if it needs that."""
    if all(character.isalnum() or character in SAFE for character in word):
        return word
    if os.name == "nt":
        return f'"{word}"'
    from shlex import quote  # Start-up.

    return quote(word)
