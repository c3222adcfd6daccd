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

    # These are started by another tool in a folder of its own: git (with the mark), and a client of MCP.
    text = re.sub(
        rf"(?<=!){GENERAL}|{GENERAL}(?=[^\n]* --stdio\b)", lambda _: invocation(whole_path=True), text
    )
    typed = invocation()
    # After a folder it names another interpreter.
    return re.sub(rf"(?<![/\\]){GENERAL}", lambda _: typed, text)


def invocation(*, whole_path: bool = False) -> str:
    """Return the command that started this process, so that it can be typed again.

    Args:
        whole_path: it has to run in every folder.
    """
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    module = spec.name if spec is not None else ""
    whole = (
        bool(getattr(sys, "frozen", False)) or type(getattr(spec, "loader", None)).__name__ == "zipimporter"
    )
    return invocation_of(module, sys.argv, sys.orig_argv, os.environ, whole=whole, whole_path=whole_path)


def invocation_of(
    module: str,
    arguments: Sequence[str],
    line: Sequence[str],
    environ: Mapping[str, str],
    *,
    whole: bool = False,
    whole_path: bool = False,
) -> str:
    """Return the command that started a process.

    Args:
        module: that `python -m` runs; empty without -m.
        arguments: `sys.argv`.
        line: `sys.orig_argv`, with the interpreter and its options.
        environ: the environment.
        whole: the program is one file that holds all it needs (PyInstaller, zipapp, shiv), so that no
            interpreter knows the module.
        whole_path: a program that was typed as a path is named so that it is found from every folder.
    """
    script = arguments[0] if arguments else ""
    folder, name = os.path.split(script)
    before = list(line[: len(line) - len(arguments) + 1])
    if module == MAIN and before[1:] and before[-1].endswith("loopback_auth"):
        words = before
    elif script and whole:
        # An archive that is not executable is run by Python.
        words = [script] if os.access(script, os.X_OK) or len(before) < 2 else before
    elif name.startswith(SCRIPT):
        words = [script]  # pipx can add a suffix.
    elif name.removesuffix(".exe").endswith(f"-{SCRIPT}"):
        words = [os.path.join(folder, SCRIPT)]  # noqa: PTH118 - as above; a helper of git or docker lies beside it
    elif script and os.path.basename(os.path.realpath(script)).startswith(SCRIPT):  # noqa: PTH119 - pathlib costs
        words = [script]  # A link of another name.
    else:
        return GENERAL
    if runner := _runner(words[0]):
        return f"{runner} {SCRIPT}"
    words[0] = _shortest(words[0], environ)
    for at, word in enumerate(words) if whole_path else ():
        # The interpreter, or an archive that it runs; options have no folder.
        if os.path.dirname(word) and at in (0, len(words) - 1):  # noqa: PTH120 - pathlib costs
            words[at] = os.path.abspath(word)  # noqa: PTH100 - as above
    if environ.get("UV_RUN_RECURSION_DEPTH"):
        # The PATH of `uv run` is not that of the person.
        words = ["uv", "run", *words]
    return " ".join(map(_quoted, words))


def _runner(program: str) -> str:
    """Return the command that has made an environment for one run, as uv and pipx do in their caches."""
    parts = program.replace("\\", "/").split("/")
    if len(parts) < 5:
        return ""
    *_, outer, above, own, _folder, _name = parts
    if above in ("archive-v0", "builds-v0", "environments-v2"):
        return "uvx"
    hexadecimal = len(own) >= 12 and not own.strip("0123456789abcdef")
    return "pipx run" if hexadecimal and "pipx" in (outer, above) else ""


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
