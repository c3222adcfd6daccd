"""Questions to the person at the terminal, asked on stderr, because stdout is for the command's answer."""

from __future__ import annotations

import sys

from loopback_auth.cli import tell
from loopback_auth.errors import AttemptCancelled, ConfigError
from loopback_auth.terminal.line import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS = 5
LONGEST = 4096
"""Characters of an answer; a terminal passes on as many of a line."""


def ask(question: str, refuse: Callable[[str], str] = lambda answer: "") -> str:
    """Ask until the answer is a good one, and return it without the blanks around it.

    Args:
        question: with a colon or a question mark at its end.
        refuse: says what is wrong with an answer; empty: nothing.

    Raises:
        AttemptCancelled: the person has ended the input.
        ConfigError: no answer was a good one.
    """
    for _ in range(ATTEMPTS):
        answer, why = _line(f"{question} ")
        if why := why or refuse(answer):
            tell(why)
            continue
        return answer
    raise ConfigError("None of the answers could be used.", hint="Run this again.")


def ask_yes(question: str, *, default: bool) -> bool:
    """Ask a question that is answered by yes or no.

    Raises:
        AttemptCancelled: the person has ended the input.
        ConfigError: no answer was one of both.
    """
    answers = {"": default, "y": True, "yes": True, "n": False, "no": False}
    shown = "[Y/n]" if default else "[y/N]"
    answer = ask(
        f"{question} {shown}", lambda given: "" if given.lower() in answers else "Answer with y or n."
    )
    return answers[answer.lower()]


def _line(question: str) -> tuple[str, str]:
    """Ask, and read a line; return it, and what is wrong with it."""
    try:
        write(question)
        line = sys.stdin.readline(LONGEST + 1)
    except UnicodeDecodeError:
        return "", "This has bytes that are not text. Type it again."
    except KeyboardInterrupt:
        write("\n")  # The cursor is behind the question and ^C.
        raise
    if not line:
        write("\n")
        raise AttemptCancelled("Cancelled: the input has ended.")
    answer = line.strip()
    if not answer.isprintable():
        return "", "This has a key that is not text, such as an arrow. Type it again."
    return answer, "This is too long." if len(line) > LONGEST else ""
