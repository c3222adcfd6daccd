"""Questions and keys at one terminal: which part of the program gets the keys.

Theory of operation. While a sign-in waits, every key is heard. A question takes the keys for itself and gives
them back; the terminal stays as it is set in between, so that nothing typed or pasted meanwhile is lost. In
the background (`bg`, `&`) the terminal is left alone: the system stops a process that touches it there.

Knows nothing of sign-ins; what keys are is decided in `keys`, how the terminal is set in `tty`, or on Windows
in `console`.

Source: POSIX.1-2017 §11.1.4 (a background process that reads or sets its terminal is sent a signal).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from loopback_auth.errors import AttemptCancelled, Unavailable
from loopback_auth.terminal.keys import Keys, Typed, TypedAnswer
from loopback_auth.words import Words

if sys.platform == "win32":
    from loopback_auth.terminal.console import Keyboard, arriving, in_background, read
    from loopback_auth.terminal.console import own_terminal as own_terminal
else:
    from loopback_auth.terminal.tty import Keyboard, arriving, in_background, read
    from loopback_auth.terminal.tty import own_terminal as own_terminal

ESCAPE_SECONDS = 0.3
"""Seconds without another byte after which Esc was the key, and not the beginning of a sequence."""


class Prompt:
    """One question on a line of its own, and the answer so far.

    Args:
        prompt: shown before the answer, with a blank at its end.
        words: what is said of a hidden answer.
        limit: bytes that an answer may have.
        hidden: show only how long the answer is.
        may_leave: Esc gives the question back unanswered.
    """

    def __init__(
        self, prompt: str, words: Words, *, limit: int, hidden: bool = True, may_leave: bool = False
    ) -> None:
        self._words = words
        self._prompt = prompt
        self._answer = TypedAnswer(limit)
        self._hidden = hidden
        self._may_leave = may_leave
        self._answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def line(self) -> str:
        """The text to show now."""
        answer = self._answer
        if not self._hidden:
            return self._prompt + "".join(filter(str.isprintable, answer.text))
        if not answer.characters:
            return self._prompt
        count = f"{answer.characters:,}".replace(",", " ")
        words = self._words
        pasted = words.PASTED_CHARACTERS if answer.characters > 1 else words.PASTED_CHARACTER
        return self._prompt + pasted.format(count=count)

    def feed(self, piece: bytes) -> None:
        """Take the bytes that have arrived; none when the terminal was closed."""
        if self._answered.done():
            return
        try:
            if not piece:
                raise AttemptCancelled("The terminal was closed.")
            over = self._answer.feed(piece)
        except AttemptCancelled as exc:
            self._answered.set_exception(exc)
            return
        if over:
            self._answered.set_result(self._answer.text)
        elif self._may_leave and self._answer.escape:
            asyncio.get_running_loop().call_later(ESCAPE_SECONDS, self._leave)

    async def answered(self) -> str:
        """Wait for Enter and return the answer, for Esc and return nothing.

        Raises:
            AttemptCancelled: the person gave up, or the terminal was closed.
        """
        return await self._answered

    def _leave(self) -> None:
        if self._answer.escape and not self._answered.done():
            self._answered.set_result("")


async def read_terminal(
    terminal: int, prompt: str, words: Words, *, limit: int, hidden: bool = True, brackets: bool = True
) -> str:
    """Read one answer, up to Enter; shown is how long it is, or with `hidden` False the answer itself.

    Raises:
        AttemptCancelled: the person gave up, or the terminal was closed.
        Unavailable: it is not a terminal.
    """
    question = Prompt(prompt, words, limit=limit, hidden=hidden)

    def take() -> None:
        piece = read(terminal)
        if piece is not None:
            question.feed(piece)
            keyboard.draw(question.line)

    with Keyboard(terminal, brackets=brackets) as keyboard, arriving(terminal, take):
        keyboard.draw(question.line)
        return await question.answered()


class Listening:
    """Hears every key of a terminal, except while a question is asked.

    Args:
        terminal: file descriptor of the terminal.
        typed: called with every key and paste, in the running loop.
        limit: bytes that an answer or a paste may have.
        words: what is said of a hidden answer.
    """

    def __init__(self, terminal: int, typed: Callable[[Typed], None], *, limit: int, words: Words) -> None:
        self._words = words
        self._terminal = terminal
        self._typed = typed
        self._limit = limit
        self._keys = Keys(limit)
        self._keyboard: Keyboard | None = None
        self._questions: list[Prompt] = []
        self._closed = False
        self._stack = ExitStack()
        self.away: bool = False
        """Whether another process group has the terminal now."""

    def __enter__(self) -> Listening:
        self.look()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    @property
    def hears(self) -> bool:
        """Whether a question can be asked here."""
        return self._keyboard is not None

    def look(self) -> None:
        """Leave the terminal alone while another process group has it, and take it back then; call often."""
        self.away = in_background(self._terminal)
        if self._keyboard is not None and (self.away or not self._keyboard.inside):
            self._leave()
        if self._keyboard is None and not self.away and not self._closed:
            self._enter()

    async def ask(
        self,
        prompt: str,
        *,
        hidden: bool = True,
        begun: str = "",
        afresh: bool = True,
        may_leave: bool = False,
    ) -> str:
        """Ask one question.

        Args:
            prompt: shown before the answer.
            hidden: show only how long the answer is.
            begun: what was typed already.
            afresh: throw away what was typed before the question could be read.
            may_leave: Esc gives the question back unanswered.

        Raises:
            AttemptCancelled: the person gave up, or the terminal was closed.
            Unavailable: the terminal is not ours any longer.
        """
        keyboard = self._keyboard
        if keyboard is None:
            raise Unavailable("There is no terminal any longer on which to ask.")
        question = Prompt(prompt, self._words, limit=self._limit, hidden=hidden, may_leave=may_leave)
        if afresh:
            keyboard.forget_keys()
        self._questions.append(question)
        try:
            if begun:
                question.feed(begun.encode("utf-8", "surrogateescape"))
            keyboard.draw(question.line)
            return await question.answered()
        finally:
            self._questions.remove(question)
            self._keys = Keys(self._limit)
            keyboard.forget_keys()
            keyboard.wipe()
            if self._questions:
                keyboard.draw(self._questions[-1].line)

    def _enter(self) -> None:
        with ExitStack() as stack:
            try:
                keyboard = stack.enter_context(Keyboard(self._terminal, brackets=True))
            except Unavailable:
                self._closed = True
                return
            stack.enter_context(arriving(self._terminal, self._take))
            self._keyboard, self._stack = keyboard, stack.pop_all()

    def _leave(self) -> None:
        self._keyboard = None
        self._stack.close()

    def _take(self) -> None:
        if not self._questions and in_background(self._terminal):
            self._leave()
            return
        piece = read(self._terminal)
        if piece is not None:
            self._hear(piece)

    def _hear(self, piece: bytes) -> None:
        if self._questions and self._keyboard is not None:
            self._questions[-1].feed(piece)
            self._keyboard.draw(self._questions[-1].line)
        elif piece:
            for one in self._keys.feed(piece):
                self._typed(one)
        if not piece:
            self._closed = True
            self._leave()


@contextmanager
def listening(typed: Callable[[Typed], None], *, limit: int, words: Words) -> Generator[Listening | None]:
    """Hear every key for as long as the block lasts, if stdin is a terminal that can do without Enter.

    Args:
        typed: called with every key and paste, in the running loop.
        limit: bytes that an answer or a paste may have.
        words: what is said of a hidden answer.
    """
    stream = sys.stdin
    able = stream is not None and not stream.closed and stream.isatty()
    # Windows has no TERM, and its console needs no escape sequences for this.
    capable = sys.platform == "win32" or os.environ.get("TERM", "") not in ("", "dumb")
    terminal = own_terminal(stream, "") if able and capable else None
    if terminal is None:
        yield None
        return
    try:
        with Listening(terminal, typed, limit=limit, words=words) as one:
            yield one
    finally:
        os.close(terminal)
