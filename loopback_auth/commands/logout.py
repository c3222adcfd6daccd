"""Revoke the tokens at the server, and delete them here.

Examples:
  python -m loopback_auth logout
  python -m loopback_auth logout github
  python -m loopback_auth logout --all
  python -m loopback_auth logout github --all     every account at github
  python -m loopback_auth logout https://mcp.example/mcp --unregister

They are deleted here even if the server cannot be reached; then the exit status says so. With --unregister
the client is given up too, if this program registered it by itself and no other sign-in needs it.
"""

from __future__ import annotations

import asyncio
import os

from loopback_auth.cli import described_error, print_json, tell, tell_error
from loopback_auth.commands import the_store
from loopback_auth.commands._accounts import load_without_key
from loopback_auth.commands._kept import accounts_of, client_secret, in_use, kept, private_key
from loopback_auth.commands._warnings_only import remark
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.redact import server_text
from loopback_auth.settings import provider_name
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.signin.logout import logout
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.tokens import SignIn


USAGE = "[NAME] [--all] [--unregister] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; default: the one in use")
    parser.add_argument(
        "--all", action="store_true", help="sign out of everything that is kept, or of every account at NAME"
    )
    parser.add_argument(
        "--unregister", action="store_true", help="also give up the client that this program has registered"
    )


def run(options: argparse.Namespace) -> int:
    """Sign out."""
    store = the_store()
    if not options.all:
        result, status = _logout(_kept(store, options.provider or ""), store, unregister=options.unregister)
        _say_which_is_in_use(store)
        if options.json:
            print_json(result)
        return status
    results: list[dict[str, object]] = []
    worst = 0
    names = _accounts(store, options.provider) if options.provider else store.names()
    for name in names:
        try:
            result, status = _logout(_kept(store, name), store, unregister=options.unregister)
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


def _kept(store: FileTokenStore, name: str) -> SignIn:
    """Load a sign-in, if need be without its key: neither revoking nor deleting needs it.

    Raises:
        LoopbackAuthError: as `kept`.
    """
    return kept(store, name, load_without_key)


def _accounts(store: FileTokenStore, named: str) -> tuple[str, ...]:
    """Return the names of all sign-ins at a provider.

    Raises:
        SignInRequired: there is none.
    """
    names = accounts_of(store, provider_name(named))
    return names or (_kept(store, named).name,)


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
        tell(f"The client {client_id} is given up.")
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
            "revocation.\n  what to do: Remove the authorization on its web page if the tokens may be known."
        )
