"""Find the command that started this process, so that messages name a command that can be typed again.

All messages contain the general name. The command line, which shows them, replaces it by what was typed:
`loopback-auth`, `.venv/bin/python -m loopback_auth`. In a program that embeds this package the general name
stays.

This module is loaded before the browser is started, so slow imports are made where they are used.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GENERAL = "python -m loopback_auth"
"""The name of the command line in messages."""
SCRIPT = "loopback-auth"
"""The console script that the package installs."""
MAIN = "loopback_auth.__main__"
SAFE = "-_./=+" + ("\\:" if os.name == "nt" else "")
"""Characters that need no quotes in a shell, in addition to letters and digits."""


def as_typed(text: str) -> str:
    """Replace the general name in a text by the command that was typed."""
    if GENERAL not in text:
        return text
    import re  # Start-up.

    typed = invocation()
    # After a folder it names another interpreter.
    return re.sub(rf"(?<![/\\]){GENERAL}", lambda _: typed, text)


def invocation() -> str:
    """Return the command that started this process, so that it can be typed again."""
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
        module: that `python -m` runs; empty without -m.
        arguments: `sys.argv`.
        whole: `sys.orig_argv`, with the interpreter and its options.
        environ: the environment.
        frozen: the program contains Python, so that there is no interpreter to run a module with.
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
        # The PATH of `uv run` is not that of the person.
        words = ["uv", "run", *words]
    return " ".join(map(_quoted, words))


def _shortest(program: str, environ: Mapping[str, str]) -> str:
    """Return a program without its folder if the shell would find it there first."""
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
