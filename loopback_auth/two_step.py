"""A login in two steps, for a program that cannot wait: begun by one process, finished by another.

    pendings, store = PendingStore(folder), FileTokenStore(folder)
    pending = begin_sync(client, "ticket")            # or "device", or "paste"
    pendings.save(pending)                            # secret; show pending.url and user_code

Later, in any process, with `pending.handle`:

    with pendings.lock(handle, 10.0):
        found = pendings.load(handle)
        if isinstance(found, PendingSignIn):          # otherwise it has ended, or there was none
            sign_in = resume_sync(found, save=pendings.save)
            store.save(sign_in)
            pendings.end(Ended(handle, sign_in.name, "signed in", ""))

`StillPending` says that the user has not approved yet, and with `retry_after` when to try again. After an
error of `FINAL` the login is over: end it as well, because what is pending holds secrets. In the flow `paste`
the user pastes the address on which the browser ended: `paste=pasted_address(text)`.

Anyone who has the link or the code of a ticket or a device can approve it, so show `sign_in.account`
and ask before you keep the sign-in (RFC 6749 §10.16). `begin` and `resume` are the same for a running event
loop.
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth.errors import StillPending
from loopback_auth.events import Notify
from loopback_auth.flow_table import TwoStepFlow
from loopback_auth.model import ClientConfig
from loopback_auth.network.threads import run_sync
from loopback_auth.program import Program
from loopback_auth.signin.driver import Paste
from loopback_auth.signin.stores import Store
from loopback_auth.signin.two_step import FINAL, begin, pasted_address, resume
from loopback_auth.store.pending import PendingStore
from loopback_auth.store.pending_sign_in import Ended, PendingSignIn
from loopback_auth.tokens import SignIn

__all__ = [
    "FINAL",
    "Ended",
    "PendingSignIn",
    "PendingStore",
    "StillPending",
    "begin",
    "begin_sync",
    "pasted_address",
    "resume",
    "resume_sync",
]


def begin_sync(
    client: ClientConfig,
    flow: TwoStepFlow,
    *,
    notify: Notify | None = None,
    store: Store | None = None,
    program: Program | None = None,
) -> PendingSignIn:
    """Begin a sign-in without an event loop; arguments, result and errors are those of `begin`."""
    return run_sync(lambda: begin(client, flow, notify=notify, store=store, program=program))


def resume_sync(
    pending: PendingSignIn,
    *,
    save: Callable[[PendingSignIn], None],
    client_secret: str | None = None,
    private_key: str | None = None,
    wait: float = 0.0,
    paste: Paste | None = None,
    notify: Notify | None = None,
    store: Store | None = None,
) -> SignIn:
    """Resume a sign-in without an event loop; arguments, result and errors are those of `resume`."""
    return run_sync(
        lambda: resume(
            pending,
            save=save,
            client_secret=client_secret,
            private_key=private_key,
            wait=wait,
            paste=paste,
            notify=notify,
            store=store,
        )
    )
