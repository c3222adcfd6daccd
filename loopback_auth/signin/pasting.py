"""Ask for the address on which the browser ended, until it is the right one.

Whether an answer is valid is decided by `protocol.paste`; how it is obtained is up to the caller.

Source: RFC 8252 §7.3; RFC 6749 §10.12.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from inspect import isawaitable

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import AttemptCancelled, ConfigError, Unavailable
from loopback_auth.events import Notify, PasteRefused, Warned
from loopback_auth.network.threads import apart
from loopback_auth.protocol.paste import NotAccepted, pasted_callback
from loopback_auth.words import Words

Answer = str | Callback
AskForAddress = Callable[[AuthorizationRequest], Answer | Awaitable[Answer]]
"""Asks for the address on which the browser ended; the `url` of the request is the link to open.

It returns the text that was pasted, which is judged then, or the response that it has made of it itself.
"""

LIMIT = 64 * 1024
"""Bytes that an answer may have; browsers and servers end far below."""

TRIES = 50
"""After so many wrong answers, it is not a user who answers."""


async def pasted(
    request: AuthorizationRequest, *, notify: Notify, read: Callable[[], Awaitable[Answer]]
) -> Callback:
    """Ask until the answer to this request is pasted; say why any other text is not accepted.

    Args:
        request: whose answer is awaited.
        notify: called with every refusal, and with a warning about a code that came alone.
        read: asks once, as by `read_line`; a response is returned as it is.

    Raises:
        AttemptCancelled: the user gave up, or `TRIES` answers were wrong.
        Unavailable: there is no terminal to ask on.
    """
    for _ in range(TRIES):
        text = await read()
        if isinstance(text, Callback):
            return text
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


async def pasted_by(ask: AskForAddress, request: AuthorizationRequest, notify: Notify) -> Callback:
    """Ask by the function of a program; a plain function is called in a thread, and may block.

    Raises:
        AttemptCancelled: `TRIES` answers were wrong.
        Unavailable: the function had nothing to read from.
        ConfigError: the function returned something else.
    """

    async def read() -> Answer:
        try:
            answer = await apart(ask, request)
            return _checked(await answer if isawaitable(answer) else answer)
        except EOFError:
            raise Unavailable(
                "No address can be pasted: there is nothing to read from.",
                hint="Ask where the user can answer.",
                parameter="paste",
            ) from None

    return await pasted(request, notify=notify, read=read)


def _checked(answer: object) -> Answer:
    if isinstance(answer, str | Callback):
        return answer
    raise ConfigError(
        f"paste must return the text that was pasted, not a value of type {type(answer).__name__}.",
        hint="Return what the user has typed.",
        parameter="paste",
    )
