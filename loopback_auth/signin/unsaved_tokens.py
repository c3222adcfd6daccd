"""Tokens that the store has not taken: they are used from memory, and kept as soon as that is possible.

The refresh token that the store still has was used for them, so it must not be used again (RFC 9700 §4.14.2).
"""

from __future__ import annotations

import time

from loopback_auth.errors import NotKept, StoreError
from loopback_auth.events import Notify, Warned
from loopback_auth.signin.stores import OpenStore, Store, save_checked
from loopback_auth.tokens import SignIn


class UnsavedTokens:
    """The newer tokens, and what the store had when it did not take them.

    Args:
        replaced: what the store had; None: nothing.
        newer: what it did not take.
    """

    def __init__(self, replaced: SignIn | None, newer: SignIn) -> None:
        self.replaced = replaced
        self.newer = newer

    @classmethod
    def of(cls, replaced: SignIn | None, lost: NotKept, notify: Notify) -> UnsavedTokens:
        """Take the tokens from an error, and warn about them.

        Raises:
            NotKept: it has no tokens.
        """
        if not isinstance(lost.sign_in, SignIn):
            raise lost
        notify(Warned(f"{lost.message} They are used from memory. {lost.hint}"))
        return cls(replaced, lost.sign_in)

    async def save_again(self, store: Store) -> tuple[SignIn | None, bool]:
        """Try again to keep the tokens, unless the store has others by now.

        Returns:
            The latest sign-in, and whether it is in the store.

        Raises:
            StoreError: the store still does not take the tokens, and they have expired.
        """
        opened = OpenStore(store)
        try:
            async with opened.locked(self.newer.name):
                kept = await opened.load(self.newer.name)
                if kept == self.replaced:
                    await save_checked(opened, self.newer)
                    kept = self.newer
        except StoreError:
            if not self.newer.tokens.alive(time.time()):
                raise
            return self.newer, False
        return kept, True
