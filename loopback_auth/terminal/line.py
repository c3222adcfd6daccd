"""What is written to stderr for people: messages, and below them one line that is drawn again and again.

The line is redrawn by a carriage return and blanks alone, never by an escape sequence, which an old console
would show as it is; and it is cut to the width, because a line that wraps cannot be redrawn. Sentences are
broken between words; what begins with a blank is left to the terminal: then a link stays one link. Where
stderr is not a terminal there is no such line. A closed stderr is not an error.

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

from loopback_auth.invocation import as_typed
from loopback_auth.program import Program
from loopback_auth.terminal.drawing import takes_escapes
from loopback_auth.words import SIGNED_IN, Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TextIO

ECHO = "^C"
"""What a terminal that hears no single keys writes behind the line when Ctrl-C is pressed."""


class Line:
    """Writes messages, and keeps one line up to date below them.

    Args:
        words: what those who write here say; None: ours in English.
    """

    def __init__(self, words: Words | None = None) -> None:
        self.words: Words = words or Program().resolved_words()
        self.live: bool = sys.stderr.isatty()
        self._drawn = 0
        self._resting = 0
        self._held: list[str] = []

    @property
    def resting(self) -> bool:
        """Whether a question is open, so that messages have to wait."""
        return self._resting > 0

    def say(self, text: str) -> None:
        """Write a message in place of the line; while that rests, afterwards."""
        if self._resting:
            self._held.append(text)
            return
        self.clear()
        say(text, words=self.words)

    def draw(self, *texts: str) -> None:
        """Show the first text that fits, or else as much of the last as does, in place of what was there."""
        if not self.live or self._resting:
            return
        room = _room()
        shown = next((text for text in texts if len(text) <= room), texts[-1])
        shown = shown if len(shown) <= room else shown[: room - 3] + "..."
        write("\r" + shown.ljust(min(self._drawn, room)))
        self._drawn = len(shown)

    def clear(self) -> None:
        """Take the line away; the next message or drawing begins where it stood."""
        if self._drawn:
            write("\r" + " " * (min(self._drawn, _room()) + len(ECHO)) + "\r")
            self._drawn = 0

    @contextmanager
    def rest(self) -> Generator[None]:
        """Keep still while the person is asked for something; what there was to say comes afterwards."""
        self.clear()
        self._resting += 1
        try:
            yield
        finally:
            self._resting -= 1
            if not self._resting:
                held, self._held = self._held, []
                for text in held:
                    self.say(text)


def say(text: str, *, prose: bool = False, words: Words | None = None) -> None:
    """Write a message to stderr, at a terminal broken between words.

    Args:
        text: lines that begin with a blank are there to be copied or scanned, and are left alone.
        prose: unless these, too, are sentences.
        words: by which errors and warnings are known; None: ours in English.
    """
    text = as_typed(text)
    if sys.stderr.isatty():
        text = wrapped(text, size()[0], prose=prose)
        if takes_escapes(os.environ, sys.platform):
            text = coloured(text, words or Words())
    write(text + "\n")


def coloured(text: str, words: Words) -> str:
    """Colour the whole first line of important messages, so that a search for its text still finds it.

    Errors are red, warnings yellow, and what was done is green; they are known by how they begin.
    """
    colours = {words.ERROR: "1;31", words.WARNING: "1;33", SIGNED_IN: "1;32"}
    colour = next((colour for one, colour in colours.items() if text.startswith(one.partition("{")[0])), "")
    first, end, rest = text.partition("\n")
    return f"\x1b[{colour}m{first}\x1b[0m{end}{rest}" if colour else text


def write(text: str) -> None:
    """Write to stderr for people; a closed stderr is not an error."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        mute(sys.stderr)


def mute(stream: TextIO) -> None:
    """Send what a stream still holds to nowhere: Python would try, and complain, once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def size() -> tuple[int, int]:
    """Return columns and lines of stderr; a pseudo-terminal without a size counts as 80 by 24."""
    return _size(sys.stderr)


def width_of(stream: TextIO) -> int:
    """Return the columns of a terminal."""
    return _size(stream)[0]


def _size(stream: TextIO) -> tuple[int, int]:
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return columns or 80, lines or 24


def fitted(text: str, room: int) -> str:
    """Cut a line at its front to a width, so that what is typed at its end is seen."""
    return text if len(text) <= room else "..."[:room] + text[len(text) - max(room - 3, 0) :]


def _room() -> int:
    """Return how many columns a line may take so that the echo of Ctrl-C still fits behind."""
    return max(size()[0] - 1 - len(ECHO), 4)


def wrapped(text: str, columns: int, *, prose: bool = False) -> str:
    """Break what people read between words; what they copy or scan is not touched, unless it is prose too."""
    return "\n".join(
        line
        if len(line) <= columns or line.startswith("\x1b") or (line.startswith(" ") and not prose)
        else _filled(line, columns)
        for line in text.split("\n")
    )


def hanging(line: str, columns: int, *, indent: int) -> str:
    """Break one line of a table between words, its last column below itself; a deep one below the first."""
    from textwrap import fill  # Start-up.

    deep = " " * (indent if indent <= columns // 2 else 4)
    return fill(
        line,
        columns,
        subsequent_indent=deep,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _filled(line: str, columns: int) -> str:
    from textwrap import fill  # Start-up.

    indent = line[: len(line) - len(line.lstrip())]
    return fill(line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
