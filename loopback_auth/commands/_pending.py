"""A sign-in in two steps, as `start`, `status`, `finish` and `cancel` name it, show it, and tell its end."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager

from loopback_auth import words
from loopback_auth.cli import tell
from loopback_auth.environment import is_terminal
from loopback_auth.errors import AttemptExpired, ConfigError, OAuthError, SignInRequired, StoreError
from loopback_auth.flow_table import APPROVED_BY_ANYBODY
from loopback_auth.invocation import GENERAL
from loopback_auth.settings import provider_name
from loopback_auth.store.pending_sign_in import Ended
from loopback_auth.terminal.outcome import until
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from loopback_auth.store import FileTokenStore
    from loopback_auth.store.pending import PendingStore
    from loopback_auth.store.pending_sign_in import PendingSignIn
    from loopback_auth.tokens import SignIn

BEGIN_AGAIN = "Begin again: python -m loopback_auth start"
ELSEWHERE = "If another user or another LOOPBACK_AUTH_DATA_DIR started it, finish it there."
HOW_TO_APPROVE = (
    "Open url in any browser, on any device, and approve; if there is a user_code, only if the page shows "
    "it. Then run finish, again after retry_after seconds while it exits with 10. Its --yes accepts "
    "whichever account approved, which a program without a terminal has to do: compare the account in its "
    "answer."
)
HOW_TO_PASTE = (
    "Open url in any browser and approve; the browser ends on an address that begins with redirect_uri and "
    "cannot be opened: give all of it to finish, on stdin with --url -."
)


@contextmanager
def naming(handle: str) -> Generator[None]:
    """Name the command that forgets a login, in errors of which the login itself is the reason."""
    try:
        yield
    except StoreError as exc:
        if exc.parameter == "handle":
            exc.hint = f"Run: {GENERAL} cancel {handle}. Then begin again; nothing else is lost."
        raise


def chosen(pendings: PendingStore, handle: str) -> str:
    """Return the handle that is meant: the given one, or the only one.

    Raises:
        SignInRequired: there is none, or none of that name.
        ConfigError: there are several and none was given, or it cannot be a handle.
        StoreError: what is kept cannot be looked at.
    """
    with naming(handle):
        if handle and (os.path.lexists(pendings.path(handle)) or pendings.load(handle) is not None):
            return handle
    pendings.sweep(time.time())
    handles = pendings.handles()
    if handle:
        others = f"; unfinished: {', '.join(handles)}" if handles else ""
        raise SignInRequired(
            f"There is no unfinished login {handle}{others}.", hint=f"{ELSEWHERE} {BEGIN_AGAIN}."
        )
    if len(handles) == 0:
        raise SignInRequired("There is no unfinished login.", hint="Begin one: python -m loopback_auth start")
    if len(handles) > 1:
        raise ConfigError(
            f"There are several unfinished logins: {', '.join(handles)}.", hint="Name one of them."
        )
    return handles[0]


def outcome(ended: Ended, store: FileTokenStore) -> SignIn:
    """Return the sign-in that a finished login led to.

    Raises:
        AttemptExpired: its time was over.
        OAuthError: the server said no.
        SignInRequired: it came to nothing for another reason, or was given up since.
    """
    if ended.outcome == "expired":
        raise AttemptExpired(ended.message, hint=f"{BEGIN_AGAIN}.")
    if ended.outcome == "refused":
        refused = OAuthError(ended.outcome)
        refused.message, refused.hint = f"{ended.handle} has ended. {ended.message}", f"{BEGIN_AGAIN}."
        raise refused
    sign_in = store.load(ended.name) if ended.outcome == "signed in" else None
    if sign_in is None:
        raise SignInRequired(f"{ended.handle} has ended. {ended.message}", hint=f"{BEGIN_AGAIN}.")
    return sign_in


def invitation(handed: PendingSignIn) -> dict[str, object]:
    """Describe what the person is to do, for JSON; it holds the link, and no other secret."""
    optional = {
        "user_code": handed.user_code,
        "verification_uri": handed.verification_uri,
        "redirect_uri": handed.redirect_uri,
    }
    return {
        "handle": handed.handle,
        "name": handed.client.provider.name,
        "provider": _provider(handed),
        "flow": handed.flow,
        "url": handed.url,
        **{name: value for name, value in optional.items() if value},
        "expires_at": handed.expires_at,
        "expires_in": max(0, int(handed.expires_at - time.time())),
        "interval": handed.interval,
        "finish": finish_for_program(handed.handle, handed.flow),
        "how": HOW_TO_PASTE if handed.flow == "paste" else HOW_TO_APPROVE,
    }


def _provider(handed: PendingSignIn) -> str:
    provider = handed.client.provider
    return provider_name(provider.configured_as) if provider.configured_as else provider.name


def show(handed: PendingSignIn) -> None:
    """Show what to do."""
    name, paste = handed.client.provider.name, handed.flow == "paste"
    tell((Words.PASTE_LINK if paste else Words.APPROVE_ANYWHERE).format(name=name))
    tell(f"\n  {handed.url}\n")
    if handed.verification_uri not in ("", handed.url):
        tell(Words.APPROVE_OR_TYPE if handed.user_code else Words.APPROVE_OR_OPEN)
        tell(f"\n  {handed.verification_uri}\n")
    if handed.user_code:
        tell(f"{Words.APPROVE_CODE}\n\n  {handed.user_code}\n")
    if paste:
        tell(f"{Words.PASTE_EXPECT}\n\n  {handed.redirect_uri}?...\n")
    tell(words.START_COPY if paste else Words.APPROVE_WARNING)
    tell(words.START_FINISH.format(until=until(handed.expires_at)))
    tell(f"\n  {finish_command(handed.handle, handed.flow)}\n")


def finish_for_program(handle: str, flow: str) -> str:
    """Return the command for a program: where no person can be asked, it accepts any account."""
    asks = flow in APPROVED_BY_ANYBODY and not is_terminal(sys.stdin)
    return finish_command(handle, flow) + " --yes" * asks


def finish_command(handle: str, flow: str = "") -> str:
    """Return the command that goes on with a sign-in; where an address is to be pasted, it reads that."""
    return f"{GENERAL} finish {handle}{' --url -' if flow == 'paste' else ''}"
