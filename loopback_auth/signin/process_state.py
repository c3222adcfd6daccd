"""What one process knows of a sign-in besides its tokens: what is under way, and what has failed.

A server that refuses every token must not lead to a renewal, or to a question, at every request.
"""

from __future__ import annotations

import asyncio
import time
from threading import Lock

from loopback_auth.errors import ConfigError, SignInRequired, StillRefused
from loopback_auth.flows.requirement import UNNAMED, Authentication, Found, Requirement
from loopback_auth.freshness import FOR_EVER
from loopback_auth.model import ClientConfig
from loopback_auth.network.shared_call import SharedCall
from loopback_auth.signin.unsaved_tokens import UnsavedTokens
from loopback_auth.tokens import SignIn, TokenSet

REFUSED_FOR = 60.0
"""Seconds for which a refused refresh token is not sent again, and the user is not asked the same again."""

MOST_REFUSED = 5
"""New tokens that may be refused within `REFUSED_FOR` seconds until they are no longer renewed for that."""

MOST_ASKED = 5
"""Questions within `REFUSED_FOR` seconds because servers want more, which may be something else each time."""

NEW_SECONDS = 5.0
"""Age of a token up to which it is new, if that is not more than half of its lifetime."""


class ProcessState:
    """What one process knows; a child process begins anew after a fork.

    Args:
        name: of the sign-in.
        parent: what the parent process knew when it forked; None: this process was not forked.
    """

    def __init__(self, name: str, parent: ProcessState | None) -> None:
        self._name = name
        self.forked: bool = parent is not None
        """Whether the parent process may renew the same tokens."""
        self.lock: Lock = Lock()
        """Guards `call` and `ended`."""
        self.call: SharedCall[SignIn] | None = None
        """The renewal or the question that is under way."""
        self.looks: dict[asyncio.AbstractEventLoop, asyncio.Task[SignIn | None]] = {}
        """Looks at the store that are under way; see `shared_look`."""
        self.unsaved: UnsavedTokens | None = None
        """What the store has not taken."""
        self.dead: tuple[TokenSet, float, str, str] | None = None
        """Tokens that cannot be renewed, until when not to try again (monotonic), message and hint."""
        self.without_id_token: TokenSet | None = None
        """Tokens from a renewal that brought no new ID token; the next one would not bring one either."""
        self.lost: str = ""
        """Why the store had a sign-in that can never be read again, before the user signed in anew."""
        self.refusals: list[float] = []
        """When new tokens were renewed because a server refused them, in monotonic seconds."""
        self.asked: dict[str, float] = {}
        """When the user was asked for what (see `Requirement.reason`), in monotonic seconds."""
        self.ended: int = 0
        """How many calls have ended."""
        self.signed_in = False
        """The store had a sign-in of this client before."""
        if parent is not None and parent.unsaved is not None and parent.unsaved.replaced is not None:
            spent = parent.unsaved.replaced.tokens
            self.dead = (
                spent,
                FOR_EVER,
                "The refresh token was used by the parent process.",
                "Sign in again.",
            )

    def begin(self, about: ClientConfig | None, ended: int) -> SharedCall[SignIn] | None:
        """Return a new call; None when one is under way, or has ended since the caller looked.

        Args:
            about: the client for which the user is asked; None for a renewal.
            ended: how many calls had ended when the caller looked.
        """
        with self.lock:
            if self.call is not None or self.ended != ended:
                return None
            self.call = SharedCall(about, self._ended)
            return self.call

    def check_renewable(self, kept: SignIn | None, needed: Requirement) -> None:
        """Refuse to renew tokens again and again because a server refuses them.

        Raises:
            StillRefused: it was done too often.
        """
        if kept is None or not _refused_anew(kept, needed):
            return
        since = time.monotonic() - REFUSED_FOR
        if len([moment for moment in self.refusals if moment > since]) >= MOST_REFUSED:
            raise StillRefused(
                f"The tokens for {self._name} are refused although they are new: "
                f"{MOST_REFUSED} were renewed within {REFUSED_FOR:g} seconds.",
                hint="Check that they are for the server that refuses them: resource, audience and scope.",
                parameter="resource audience scope",
            )

    def check_askable(self, look: Found, needed: Requirement, command: str) -> None:
        """Refuse to ask the user where that is not allowed, or of no use.

        Args:
            look: what the store has.
            needed: what the caller wants.
            command: that the user types to sign in again; empty when there is none.

        Raises:
            SignInRequired: the user must not be asked, or has just been asked.
            ConfigError: another client uses the name, too.
        """
        recent = self._recently_asked()
        if (
            not needed.interactive
            or needed.reason in recent
            or (needed.steps_up and len(recent) >= MOST_ASKED)
        ):
            raise self._required(look, needed, command)
        if look.foreign and self.signed_in:
            # To ask again would replace the tokens of the other client, which would then do the same.
            raise ConfigError(
                f"The sign-in {self._name} was replaced by another one: {look.foreign}.",
                hint="Give each client a provider name of its own.",
                parameter="name",
            )

    def note(self, look: Found, needed: Requirement, *, renews: bool) -> None:
        """Remember what is done because a server refused a token, or wants more scope."""
        now = time.monotonic()
        if not renews:
            if needed.reason is not None:
                # Nothing shows whether more scope would help, so that this is asked only once.
                moment = FOR_EVER if needed.reason == UNNAMED else now
                self.asked = {**self._recently_asked(), needed.reason: moment}
        elif look.kept is not None and _refused_anew(look.kept, needed):
            self.refusals = [*self.refusals[-MOST_REFUSED:], now]

    def _recently_asked(self) -> dict[str, float]:
        since = time.monotonic() - REFUSED_FOR
        return {reason: moment for reason, moment in self.asked.items() if moment > since}

    def _required(self, look: Found, needed: Requirement, command: str) -> SignInRequired:
        scope = needed.challenge_scope
        if look.usable is not None and needed.steps_up and not (needed.unnamed_scope and needed.interactive):
            return wanted(self._name, needed)
        if look.usable is not None and needed.of == "id_token" and not needed.refuses(look.usable):
            return SignInRequired(
                f"The renewal for {self._name} brought no new ID token.",
                hint=f"Sign in again: {command}" if command else "Sign in again.",
            )
        if look.usable is not None:
            return StillRefused(
                f"The access token for {self._name} is refused, and so was the one before.",
                hint="Check that it is for the server that refuses it, or sign in again.",
            )
        why = f" as it is wanted: there is a sign-in, but {look.why}" if look.why else ""
        return SignInRequired(
            f"You are not signed in to {self._name}{why}.",
            hint=f"Sign in first: {command}" if command else "Sign in first.",
            scope=scope or look.unasked,
        )

    def _ended(self, call: SharedCall[SignIn]) -> None:
        with self.lock:
            if self.call is call:
                self.call = None
                self.ended += 1


def wanted(name: str, needed: Requirement, *, hint: str = "") -> SignInRequired:
    """Return the error that says what a server asks for, where the user must not be asked.

    Args:
        name: of the sign-in.
        needed: with a scope or an authentication that a server asks for.
        hint: why the user must not be asked; empty: by default to sign in.

    Source: RFC 6750 §3.1; RFC 9470 §3.
    """
    if scope := needed.challenge_scope:
        return SignInRequired(
            f"The access token for {name} lacks a scope that a server asks for: {scope}.",
            hint=hint or "Sign in with this scope, and allow it.",
            parameter="scope",
            scope=scope,
        )
    if needed.unnamed_scope:
        return SignInRequired(
            f"The access token for {name} lacks a scope that the server asks for, and does not name.",
            hint=hint or "Sign in again: the metadata of the resource may name it.",
            parameter="scope",
        )
    how = needed.authentication or Authentication()
    return SignInRequired(
        f"A server asks for a stronger or more recent authentication than the sign-in to {name} had"
        f"{f': {how}' if str(how) else ''}.",
        hint=hint or "Sign in again in this way.",
        parameter="acr_values max_age",
        acr_values=how.acr_values,
        max_age=how.max_age,
    )


def _refused_anew(kept: SignIn, needed: Requirement) -> bool:
    """Return whether the token that a server refuses is a new one, so that another one will hardly do."""
    tokens = kept.tokens
    if not needed.refuses(kept):
        return False
    new = NEW_SECONDS
    if tokens.expires_at is not None:
        new = min(new, (tokens.expires_at - tokens.obtained_at) / 2)
    return time.time() - tokens.obtained_at < new
