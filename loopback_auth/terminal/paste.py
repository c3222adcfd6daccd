"""Read the address on which the browser ended, in this terminal.

Nothing of the answer is ever shown: a code may be in it, and terminals are shared, recorded and scrolled
back. Whether the answer is valid is decided elsewhere (`protocol.paste`); here it is only obtained: from the
terminal, even when stdin is something else, or, where there is no terminal at all, as a line from stdin.

Source: RFC 8252 §7.3; RFC 6749 §10.12.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from loopback_auth.errors import Unavailable
from loopback_auth.network.threads import apart
from loopback_auth.signin.pasting import LIMIT
from loopback_auth.words import Words


async def read_line(
    prompt: str,
    *,
    stream: TextIO | None = None,
    terminal: str = "/dev/tty",
    hidden: bool = True,
    words: Words | None = None,
) -> str:
    """Read one answer from the person at the terminal; can be cancelled at any moment.

    Args:
        prompt: shown before the answer, with a blank at its end, and wiped away afterwards.
        stream: where an answer may come from; None: stdin.
        terminal: path of the controlling terminal, which is asked when `stream` is not a terminal.
        hidden: show only how long the answer is.
        words: what is said of that; None: ours in English.

    Returns:
        The answer without Enter, `LIMIT` bytes at most; of a longer one `LIMIT` + 1.

    Raises:
        AttemptCancelled: Ctrl-D without an answer, or the terminal was closed.
        Unavailable: there is no terminal, and stdin has come to its end.
    """
    stream = sys.stdin if stream is None else stream
    from loopback_auth.terminal.keyboard import own_terminal, read_terminal  # Start-up.

    descriptor = own_terminal(stream, terminal)
    if descriptor is None:
        return await apart(_piped, stream)
    brackets = os.environ.get("TERM", "dumb") != "dumb"
    try:
        return await read_terminal(
            descriptor, prompt, words or Words(), limit=LIMIT, hidden=hidden, brackets=brackets
        )
    finally:
        os.close(descriptor)


def _piped(stream: TextIO | None) -> str:
    try:
        line = b"" if stream is None else stream.buffer.readline(LIMIT + 1)
        rest = line
        while stream is not None and len(rest) > LIMIT and not rest.endswith(b"\n"):
            rest = stream.buffer.readline(LIMIT + 1)
    except (OSError, ValueError):
        line = b""
    if not line:
        raise Unavailable(
            "The address cannot be pasted: there is no terminal, and stdin has ended.",
            hint="Run this in a terminal, write the address to stdin, or choose another flow.",
            parameter="flow",
        )
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n")
