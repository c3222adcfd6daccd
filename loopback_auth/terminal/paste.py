"""Ask for the address on which the browser ended, in this terminal, until it is the right one.

Nothing of the answer is ever shown: a code may be in it, and terminals are shared, recorded and scrolled
back. Whether the answer is valid is decided elsewhere (`protocol.paste`); here it is only obtained: from the
terminal, even when stdin is something else, or, where there is no terminal at all, as a line from stdin.

Source: RFC 8252 §7.3; RFC 6749 §10.12.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TextIO

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import AttemptCancelled, Unavailable
from loopback_auth.events import Notify, PasteRefused, Warned
from loopback_auth.network.threads import apart
from loopback_auth.protocol.paste import NotAccepted, pasted_callback
from loopback_auth.words import Words

LIMIT = 64 * 1024
"""Bytes that an answer may have; browsers and servers end far below."""

TRIES = 50
"""After so many wrong answers, it is not a person who answers."""


async def pasted(
    request: AuthorizationRequest, *, notify: Notify, read: Callable[[], Awaitable[str]]
) -> Callback:
    """Ask until the answer to this request is pasted; say why any other text is not accepted.

    Args:
        request: whose answer is awaited.
        notify: called with every refusal, and with a warning about a code that came alone.
        read: asks once, as by `read_line`.

    Raises:
        AttemptCancelled: the person gave up, or `TRIES` answers were wrong.
        Unavailable: there is no terminal to ask on.
    """
    for _ in range(TRIES):
        text = await read()
        if len(text.encode("utf-8", "surrogateescape")) > LIMIT:
            notify(PasteRefused(Words.PASTE_TOO_LONG.format(limit=LIMIT // 1024)))
            continue
        answer = pasted_callback(text, request)
        if isinstance(answer, NotAccepted):
            notify(PasteRefused(answer.reason))
            continue
        if answer.warning:
            notify(Warned(answer.warning))
        return replace(answer.callback, received_at=time.time())
    raise AttemptCancelled(
        f"What was pasted {TRIES} times was not the answer to this sign-in.",
        hint="Sign in again and open the link that is shown then.",
    )


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
