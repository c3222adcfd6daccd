"""Revoke the tokens at the server and forget them here.

  python -m loopback_auth logout
  python -m loopback_auth logout github
  python -m loopback_auth logout --all

They are forgotten here even if the server cannot be reached; then the exit status says so.
"""

from __future__ import annotations

import os

from loopback_auth.cli import print_json, tell
from loopback_auth.commands.status import kept
from loopback_auth.commands.token import client_secret
from loopback_auth.folders import data_folder
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.model import SignIn


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; needed only with several")
    parser.add_argument("--all", action="store_true", help="give up every sign-in")


def run(options: argparse.Namespace) -> int:
    """Sign out."""
    from loopback_auth.errors import LoopbackAuthError

    store = FileTokenStore(data_folder(os.environ))
    names = store.names() if options.all else (options.provider or "",)
    results, status = [], 0
    for name in names:
        sign_in = kept(store, name)
        try:
            revoked = _logout(sign_in, store)
        except LoopbackAuthError as exc:
            revoked, status = False, exc.exit_code
            tell(f"The tokens for {sign_in.name} are forgotten here, but not revoked. {exc.message}")
            tell(f"  what to do: {exc.hint}")
        else:
            _say(sign_in, revoked=revoked)
        results.append({"name": sign_in.name, "revoked": revoked})
    if options.json:
        print_json(results)
    return status


def _logout(sign_in: SignIn, store: FileTokenStore) -> bool:
    import asyncio

    from loopback_auth.api import logout

    return asyncio.run(logout(sign_in, store=store, client_secret=client_secret(sign_in)))


def _say(sign_in: SignIn, *, revoked: bool) -> None:
    if revoked:
        tell(f"Signed out of {sign_in.name}: the tokens are revoked and forgotten.")
    elif sign_in.temporary:
        tell(f"Signed out of {sign_in.name}: the tokens are forgotten; the server ended with the sign-in.")
    else:
        tell(
            f"Signed out of {sign_in.name}: the tokens are forgotten here, but {sign_in.name} offers no "
            "revocation.\n  what to do: Remove the authorization on its web page if the tokens may be known."
        )
