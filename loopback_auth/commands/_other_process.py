"""A login while another process already signs in to the same provider: wait, and use its result."""

from __future__ import annotations

import asyncio
import time

from loopback_auth.cli import tell
from loopback_auth.errors import AttemptExpired
from loopback_auth.events import Event, WaitingForOtherProcess
from loopback_auth.flows.reuse import why_not_reusable
from loopback_auth.settings import Settings
from loopback_auth.settings.configure import client_config
from loopback_auth.signin.single_flight import wait_for_other
from loopback_auth.signin.stores import OpenStore
from loopback_auth.store import FileTokenStore
from loopback_auth.store.sign_in_lock import SignInLock
from loopback_auth.tokens import SignIn
from loopback_auth.words import Words


def sign_in_of_other_process(
    lock: SignInLock, settings: Settings, store: FileTokenStore, since: float | None
) -> SignIn | None:
    """Wait for another process that signs in to the same provider; None when this process has to sign in.

    Args:
        lock: that the other process holds, or has held.
        settings: of the login.
        store: where sign-ins are kept.
        since: as of `login.signed_in`.

    Raises:
        AttemptExpired: the other process has not ended in time.
    """

    def told(event: Event) -> None:
        if isinstance(event, WaitingForOtherProcess):
            tell(Words.FOLLOWS.format(process=event.process, name=settings.shown_name))

    waiting = wait_for_other(
        lock,
        OpenStore(store),
        settings.kept_as,
        since=time.time() if since is None else since,
        notify=told,
        reusable=lambda theirs: not why_not_reusable(theirs, client_config(settings)),
        seconds=settings.seconds("timeout"),
    )
    try:
        theirs = asyncio.run(waiting)
    except AttemptExpired as exc:
        exc.hint = f"{exc.hint} To sign in all the same, use --alone."
        raise
    if theirs is not None:
        tell(f"Another process has signed in to {theirs.name}. That sign-in is used here too.")
    return theirs
