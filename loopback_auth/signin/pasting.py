"""Ask for the address on which the browser ended, until it is the right one.

Whether an answer is valid is decided by `protocol.paste`; how it is obtained is up to the caller.

Source: RFC 8252 §7.3; RFC 6749 §10.12.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import AttemptCancelled
from loopback_auth.events import Notify, PasteRefused, Warned
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
