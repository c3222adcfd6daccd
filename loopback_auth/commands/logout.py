"""Revoke the tokens at the server, and delete them here.

Examples:
  python -m loopback_auth logout
  python -m loopback_auth logout github
  python -m loopback_auth logout --all
  python -m loopback_auth logout github --all     every account at github
  python -m loopback_auth logout https://mcp.example/mcp --unregister

They are deleted here even if the server cannot be reached or what is kept is damaged; then the exit status
says so. Renamed damaged files, and what a crash has left of a sign-in, are deleted too. With --unregister
the registration of the client is deleted too, if this program made it and no other sign-in needs it.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from loopback_auth.cli import described_error, print_json, tell, tell_error
from loopback_auth.commands import the_store
from loopback_auth.commands._accounts import load_without_key
from loopback_auth.commands._kept import (
    accounts_of,
    client_secret,
    in_use,
    kept,
    name_meant,
    private_key,
)
from loopback_auth.commands._warnings_only import remark
from loopback_auth.errors import LoopbackAuthError, SignInRequired, StoreError
from loopback_auth.folders import data_folder
from loopback_auth.redact import server_text
from loopback_auth.settings import provider_name
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.signin.logout import logout
from loopback_auth.store import FileTokenStore
from loopback_auth.store.damaged import Damaged
from loopback_auth.store.remains import remains

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from loopback_auth.tokens import SignIn


_ON_ITS_PAGE = "Remove the authorization on its web page if the tokens may be known."
USAGE = "[NAME] [--all] [--unregister] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; default: the one in use")
    parser.add_argument(
        "--all", action="store_true", help="sign out of everything that is kept, or of every account at NAME"
    )
    parser.add_argument(
        "--unregister", action="store_true", help="also delete the registration that this program has made"
    )


def run(options: argparse.Namespace) -> int:
    """Sign out."""
    store = the_store()
    left = remains(data_folder(os.environ))
    if not options.all:
        result, status = _leave(store, options.provider or "", left, unregister=options.unregister)
        _say_which_is_in_use(store)
        if options.json:
            print_json(result)
        return status
    results: list[dict[str, object]] = []
    worst = 0
    everything = sorted({*store.names(), *left})
    names = _accounts(store, options.provider, left) if options.provider else everything
    for name in names:
        try:
            result, status = _leave(store, name, left, unregister=options.unregister)
        except LoopbackAuthError as exc:
            tell_error(exc)
            result, status = {"name": name, "revoked": False, **described_error(exc)}, exc.exit_code
        results.append(result)
        worst = max(worst, status)
    if not results:
        tell("You are not signed in.")
    if options.json:
        print_json(results)
    return worst


def _accounts(store: FileTokenStore, named: str, left: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the names of all sign-ins at a provider, and the provider's own if something is left of that.

    Raises:
        SignInRequired: there is none.
    """
    names, own = accounts_of(store, provider_name(named)), name_meant(store, named)
    if own in left and own not in store.names():
        return (*names, own)
    with suppress(Damaged):
        return names or (kept(store, named, load_without_key).name,)
    return (own,)


def _leave(
    store: FileTokenStore, named: str, left: Mapping[str, tuple[str, ...]], *, unregister: bool
) -> tuple[dict[str, object], int]:
    """Give up one sign-in, and what is left of earlier ones of its name; return as `_logout` does.

    Neither revoking nor deleting needs a key. What cannot be read cannot be revoked, and is deleted.
    """
    name = name_meant(store, named)
    files = left.get(name, ())
    result: dict[str, object] = {"name": name, "revoked": False}
    status = 0
    try:
        sign_in = kept(store, named, load_without_key)
    except Damaged as exc:
        _delete(store, name)
        trouble = StoreError(
            f"The sign-in {name} is deleted here, and its tokens are not revoked: {exc.message}",
            hint=_ON_ITS_PAGE,
        )
        tell_error(trouble)
        files = (store.path(name), *files)
        result.update(described_error(trouble))
        status = trouble.exit_code
    except SignInRequired as exc:
        if not files or name in store.names():
            exc.hint = "Name one of those." if store.names() else "There is nothing to sign out of."
            raise
        _delete(store, name)
        tell(
            f"You were not signed in to {name}. What an earlier sign-in has left is deleted; its tokens are "
            f"not revoked.\n  what to do: {_ON_ITS_PAGE}"
        )
    else:
        result, status = _logout(sign_in, store, unregister=unregister)
    for file in files:
        if os.path.lexists(file):
            raise StoreError(f"{file} cannot be deleted.", hint="Delete it yourself: it may have a token.")
        tell(f"Deleted: {file}")
    if files:
        result["deleted"] = files
    return result, status


def _delete(store: FileTokenStore, name: str) -> None:
    with store.lock(name):
        store.delete(name)


def _say_which_is_in_use(store: FileTokenStore) -> None:
    """Say whose token `token` prints from now on, so that it is not sent where it does not belong."""
    try:
        name = in_use(store)
    except LoopbackAuthError:
        return  # What cannot be read says so when it is needed.
    if name in store.names():
        tell(f"In use now: {name}. Without a name, `token` prints its token.")


def _logout(sign_in: SignIn, store: FileTokenStore, *, unregister: bool) -> tuple[dict[str, object], int]:
    """Give up one sign-in; return what happened, for JSON, and the exit status."""
    secret = client_secret(sign_in)
    registered = unregister and _is_registered(sign_in, store)
    leaving = logout(
        sign_in,
        store=store,
        client_secret=secret,
        private_key=private_key(sign_in),
        notify=remark,
        network=KeptSettings(os.environ).network(sign_in),
        unregister=registered,
    )
    try:
        revoked = asyncio.run(leaving)
    except LoopbackAuthError as exc:
        if sign_in.name in store.names():
            raise  # Then they are not forgotten either.
        not_ended = "not everything was ended at the server" if registered else "not revoked"
        tell(f"The tokens for {sign_in.name} are forgotten here, but {not_ended}.")
        tell_error(exc)
        return {"name": sign_in.name, "revoked": False, **described_error(exc)}, exc.exit_code
    _say(sign_in, revoked=revoked)
    result: dict[str, object] = {"name": sign_in.name, "revoked": revoked}
    if unregister:
        gone = registered and not _is_registered(sign_in, store)
        result["unregistered"] = gone
        _say_unregistered(sign_in, registered=registered, gone=gone)
    return result, 0


def _is_registered(sign_in: SignIn, store: FileTokenStore) -> bool:
    """Return whether the client is kept; a file that cannot be read must not pass for none."""
    found = store.read_registrations(sign_in.metadata.issuer or "")
    return found is not None and found.of(sign_in.client_id) is not None


def _say_unregistered(sign_in: SignIn, *, registered: bool, gone: bool) -> None:
    client_id = server_text(sign_in.client_id)
    if gone:
        tell(f"The registration of the client {client_id} is deleted.")
    elif not registered and sign_in.registered:
        tell(f"The client {client_id} is kept by the server: its registration is not here any more.")
    elif not registered:
        tell(f"The client {client_id} is kept: this program has not registered it.")


def _say(sign_in: SignIn, *, revoked: bool) -> None:
    if not sign_in.tokens.access_token and sign_in.tokens.refresh_token is None:
        tell(f"Signed out of {sign_in.name}: it is forgotten; there was no token that could be revoked.")
    elif revoked:
        tell(f"Signed out of {sign_in.name}: the tokens are revoked and forgotten.")
    elif sign_in.temporary:
        tell(f"Signed out of {sign_in.name}: the tokens are forgotten; the server ended with the sign-in.")
    else:
        tell(
            f"Signed out of {sign_in.name}: the tokens are forgotten here, but {sign_in.name} offers no "
            f"revocation.\n  what to do: {_ON_ITS_PAGE}"
        )
