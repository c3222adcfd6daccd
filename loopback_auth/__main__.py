"""`python -m loopback_auth`: print a kept token at once when that is all, else run the commands.

Scripts and tools ask for a token many times a minute, each time in a new process. So three calls are answered
before argparse, asyncio and everything else is imported:

    token [NAME]                          `_kept_token`: the kept token, as it is
    token [NAME] --as TOOL [--host HOST]  `_kept_token`: the same in the form of a tool
    credential git|docker [NAME] get      `_kept_credential`: the answer to git or docker

Each of them gives up in every doubtful case: another flag, a variable that may mean something, a sign-in that
was not compared with these settings yet (`store.settings_match`), a token that is due, any error. Then the
command runs from its beginning, and explains what is wrong.
"""

from __future__ import annotations

import gc
import os
import sys

OLDEST = (3, 11)
"""The first version of Python that can read the rest of the package; this file any from 3.8 on can."""
GARBAGE = 50_000
"""New objects that are still there, before garbage is looked for."""
INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


def main() -> int:
    """Run the command line; returns the exit status."""
    return _main(sys.argv[1:])


def git_credential() -> int:
    """Run `credential git`, under the name by which git finds its helpers; returns the exit status."""
    return _main(["credential", "git", *sys.argv[1:]])


def docker_credential() -> int:
    """Run `credential docker`, under the name by which docker finds its helpers; returns the exit status."""
    return _main(["credential", "docker", *sys.argv[1:]])


def _main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST:
        return _too_old()
    text, status = None, 0
    try:
        if arguments[:1] == ["token"]:
            text = _kept_token(arguments[1:])
        elif arguments[:1] == ["credential"] and arguments[-1] == "get":
            text, status = _kept_credential(arguments[1:-1])
        if text is not None and _written(text):
            return status
        # Imports make many objects and hardly any garbage, which by default is looked for hundreds of times.
        gc.set_threshold(GARBAGE, 10, 10)
        from loopback_auth.cli import run
    except KeyboardInterrupt:
        # As of git, whose helpers have the same terminal, while one waits for a question.
        return INTERRUPTED

    children: list[bool] = []
    if sys.platform != "win32":
        os.register_at_fork(after_in_parent=lambda: children.append(True))
    try:
        status = run(arguments)
    finally:
        # The interpreter would go over all of them once more before it ends.
        gc.freeze()
    if children:
        _end_at_once(status)
    return status


def _end_at_once(status: int) -> None:
    """End without the interpreter's clean-up; return if output cannot be written, for it to report that.

    The child that keeps the last page up shares our memory: each page of it that is touched is copied first.
    """
    import atexit

    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] - nothing public runs them
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError:
        return
    os._exit(status)


def _too_old() -> int:
    needed, found = ".".join(map(str, OLDEST)), sys.version.split()[0]
    sys.stderr.write(
        f"error: loopback_auth needs Python {needed} or later; this is {found} ({sys.executable}).\n"
        "  what to do: Run it with a later one; in a clone, scripts/install looks for it and makes .venv.\n"
    )
    return 3


def _kept_token(arguments: list[str]) -> str | None:
    """Return what the command `token` prints, if all that is asked for is a fresh token as it is kept.

    Args:
        arguments: after the command; only [NAME] [--as TOOL [--host HOST]], in this order, is plain.
    """
    if "" in arguments:
        return None  # A variable of a script that is not set.
    tool = host = ""
    if arguments[-2:-1] == ["--host"]:
        *arguments, _, host = arguments
    if arguments[-2:-1] == ["--as"]:
        *arguments, _, tool = arguments
    name = "".join(arguments)
    if len(arguments) > 1 or name.startswith("-") or (host and not tool):
        return None
    import time

    from loopback_auth.folders import data_folder
    from loopback_auth.store.settings_match import settings_state, variables_decide

    try:
        settings, folder = settings_state(os.environ), data_folder(os.environ)
    except Exception:
        return None  # The command meets the same trouble again, and explains it.
    # A configuration file may name a default provider.
    if variables_decide(os.environ) or (settings and not name):
        return None
    if tool:
        from loopback_auth.commands._stdin import question
        from loopback_auth.store.fresh_output import read_fresh_output

        return read_fresh_output(
            tool,
            folder,
            time.time(),
            name,
            host=host,
            settings=settings,
            environ=os.environ,
            question=question,
        )
    from loopback_auth.store import read_fresh_token

    token = read_fresh_token(folder, time.time(), name, settings)
    return None if token is None else token + "\n"


def _kept_credential(arguments: list[str]) -> tuple[str | None, int]:
    """Return the answer and the exit status of the command `credential`, if neither needs more than a glance.

    Args:
        arguments: after the command, without the action; only TOOL [NAME] is plain.
    """
    tool, name = "".join(arguments[:1]), "".join(arguments[1:])
    if tool not in ("git", "docker") or len(arguments) > 2 or name.startswith("-"):
        return None, 0
    from importlib import import_module

    from loopback_auth.commands.credential import question
    from loopback_auth.store.settings_match import variables_decide

    if variables_decide(os.environ):
        return None, 0
    try:
        content = question()
        answer = import_module(f"loopback_auth.credential_helpers.{tool}").answer_at_a_glance(content, name)
    except Exception:
        answer = None  # The command meets the same trouble again, and explains it.
    return answer or (None, 0)


def _written(text: str) -> bool:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, AttributeError):
        # A closed stdout is None. The ordinary way fails at it too, and says so.
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
