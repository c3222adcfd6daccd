"""A sign-in in two steps, as `start`, `status`, `finish` and `cancel` name it, show it, and tell its end."""

from __future__ import annotations

import os
import time

from loopback_auth.cli import tell
from loopback_auth.errors import AttemptExpired, ConfigError, OAuthError, SignInRequired
from loopback_auth.invocation import GENERAL, as_typed
from loopback_auth.store.pending_sign_in import Ended
from loopback_auth.terminal.outcome import until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.model import SignIn
    from loopback_auth.store import FileTokenStore
    from loopback_auth.store.pending import PendingStore
    from loopback_auth.store.pending_sign_in import PendingSignIn

BEGIN_AGAIN = "Begin again: python -m loopback_auth start"
ELSEWHERE = "If another account or another LOOPBACK_AUTH_DATA_DIR began it, go on there."
HOW_TO_APPROVE = (
    "Open url in any browser, on any device, and approve; if there is a user_code, only if the page shows "
    "it. Then run finish, again after retry_after seconds while it exits with 10; without a terminal it "
    "needs --yes, which keeps whatever account it turns out to be."
)
HOW_TO_PASTE = (
    "Open url in any browser and approve; the browser ends on an address that begins with redirect_uri and "
    "cannot be opened: give all of it to finish, on stdin with --url -."
)


def chosen(pendings: PendingStore, handle: str) -> str:
    """Return the handle that is meant: the given one, or the only one.

    Raises:
        SignInRequired: there is none, or none of that name.
        ConfigError: there are several and none was given, or it cannot be a handle.
        StoreError: what is kept cannot be looked at.
    """
    if handle and (os.path.lexists(pendings.path(handle)) or pendings.load(handle) is not None):
        return handle
    pendings.sweep(time.time())
    handles = pendings.handles()
    if handle:
        others = f"; there is {', '.join(handles)}" if handles else ""
        raise SignInRequired(f"No sign-in {handle} is under way{others}.", hint=f"{ELSEWHERE} {BEGIN_AGAIN}.")
    if not handles:
        raise SignInRequired("No sign-in is under way.", hint="Begin one: python -m loopback_auth start")
    if len(handles) > 1:
        raise ConfigError(f"Several sign-ins are under way: {', '.join(handles)}.", hint="Name one of them.")
    return handles[0]


def outcome(ended: Ended, store: FileTokenStore) -> SignIn:
    """Return the sign-in that came of it.

    Raises:
        AttemptExpired: its time was over.
        OAuthError: the server said no.
        SignInRequired: it came to nothing for another reason, or was given up since.
    """
    if ended.outcome == "expired":
        raise AttemptExpired(ended.message, hint=f"{BEGIN_AGAIN}.")
    if ended.outcome == "refused":
        refused = OAuthError(ended.outcome)
        refused.message, refused.hint = f"{ended.handle} is over. {ended.message}", f"{BEGIN_AGAIN}."
        raise refused
    sign_in = store.load(ended.name) if ended.outcome == "signed in" else None
    if sign_in is None:
        raise SignInRequired(f"{ended.handle} is over. {ended.message}", hint=f"{BEGIN_AGAIN}.")
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
        "provider": handed.client.provider.name,
        "flow": handed.flow,
        "url": handed.url,
        **{name: value for name, value in optional.items() if value},
        "expires_at": handed.expires_at,
        "expires_in": max(0, int(handed.expires_at - time.time())),
        "interval": handed.interval,
        "finish": as_typed(finish_command(handed.handle, handed.flow)),
        "how": HOW_TO_PASTE if handed.flow == "paste" else HOW_TO_APPROVE,
    }


def show(handed: PendingSignIn) -> None:
    """Tell people what to do."""
    tell(f"Sign in to {handed.client.provider.name} at this link, in any browser:\n\n  {handed.url}\n")
    if handed.verification_uri not in ("", handed.url):
        typed = " and type the code" if handed.user_code else ""
        tell(f"Or open this address{typed}:\n\n  {handed.verification_uri}\n")
    if handed.user_code:
        tell(f"Check that the page shows this code, or enter it there:\n\n  {handed.user_code}\n")
    if handed.flow == "paste":
        tell("After you have signed in, the browser ends on an address that it cannot open:")
        tell(f"\n  {handed.redirect_uri}?...\n")
        tell("Copy that whole address; the command below asks for it.")
    else:
        tell("Approve only if you started this yourself just now.")
    tell(f"Valid until {until(handed.expires_at)}. Then finish with:")
    tell(f"\n  {finish_command(handed.handle, handed.flow)}\n")


def finish_command(handle: str, flow: str = "") -> str:
    """Return the command that goes on with a sign-in; where an address is to be pasted, it reads that."""
    return f"{GENERAL} finish {handle}{' --url -' if flow == 'paste' else ''}"
