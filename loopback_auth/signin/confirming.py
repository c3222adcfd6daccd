"""Refuse to wait, inside of a `confirm`, for the very sign-in that it is to confirm.

`confirm` of a program may call an API with the source whose sign-in it confirms, to show whose account it is.
The source would wait for the sign-in, and the sign-in for `confirm`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import isawaitable

from loopback_auth.errors import ConfigError
from loopback_auth.tokens import SignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.signin.session import Confirm

_WITHIN: ContextVar[tuple[object, ...]] = ContextVar("within", default=())
"""The sign-ins in whose `confirm` the running code is; one may wait for another."""


def marked(confirm: Confirm, owner: object) -> Confirm:
    """Return the same function, during which `check_not_within` refuses.

    Args:
        confirm: of the program; a plain function, or one that returns an awaitable.
        owner: what asks it, compared by identity.
    """

    def marking(sign_in: SignIn) -> bool | Awaitable[bool]:
        with _within(owner):
            answer = confirm(sign_in)
        return awaiting(answer) if isawaitable(answer) else answer

    async def awaiting(answer: Awaitable[bool]) -> bool:
        with _within(owner):
            return await answer

    return marking


def check_not_within(owner: object) -> None:
    """Refuse to wait for what waits for the caller.

    Raises:
        ConfigError: the caller is part of a confirmation that the owner waits for.
    """
    if any(each is owner for each in _WITHIN.get()):
        raise ConfigError(
            "This sign-in waits for its confirmation, so the confirmation cannot get a token of it.",
            hint="Use the SignIn that is passed to confirm: it has the account and the tokens.",
            parameter="confirm",
        )


@contextmanager
def _within(owner: object) -> Generator[None]:
    before = _WITHIN.set((*_WITHIN.get(), owner))
    try:
        yield
    finally:
        _WITHIN.reset(before)
