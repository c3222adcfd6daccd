"""Print the access token to stdout, and nothing else; renew it first if need be.

  curl -H "Authorization: Bearer $(python -m loopback_auth token)" https://api.example/
  python -m loopback_auth token github
  python -m loopback_auth token --json

Nobody is ever asked anything: without a usable token the exit status is 9.
"""

from __future__ import annotations

import os
import sys
import time

from loopback_auth.cli import print_json
from loopback_auth.commands.status import kept
from loopback_auth.folders import data_folder
from loopback_auth.settings import Settings
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.model import SignIn


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; needed only with several")
    parser.add_argument("--renew", action="store_true", help="renew it even if it is still good")


def run(options: argparse.Namespace) -> int:
    """Print the token."""
    store = FileTokenStore(data_folder(os.environ))
    sign_in = kept(store, options.provider or "")
    if options.renew or not sign_in.tokens.fresh(time.time()):
        sign_in = _renewed(sign_in, store, force=options.renew)
    tokens = sign_in.tokens
    if options.json:
        print_json(
            {
                "access_token": tokens.access_token,
                "token_type": tokens.token_type,
                "expires_at": tokens.expires_at,
                "scope": tokens.scope,
            }
        )
    else:
        sys.stdout.write(tokens.access_token + "\n")
    return 0


def _renewed(sign_in: SignIn, store: FileTokenStore, *, force: bool) -> SignIn:
    from loopback_auth.errors import SignInRequired

    if sign_in.temporary:
        raise SignInRequired(
            "The token of the demonstration has expired, and its server is gone.",
            hint="Sign in again: python -m loopback_auth login",
        )
    import asyncio

    from loopback_auth.api import renew

    secret = client_secret(sign_in)
    return asyncio.run(renew(sign_in, store=store, client_secret=secret, force=force))


def client_secret(sign_in: SignIn) -> str | None:
    """Find the secret of a confidential client again: it is never kept with the tokens."""
    if sign_in.client_auth == "none":
        return None
    from loopback_auth.errors import ConfigError
    from loopback_auth.settings import config_file, load_config, resolve

    path = config_file(os.environ)
    try:
        settings: Settings = resolve(
            provider=sign_in.name, flags={}, environ=os.environ, config=load_config(path), config_path=path
        )
    except ConfigError:
        return os.environ.get("LOOPBACK_AUTH_CLIENT_SECRET")
    return settings.text("client_secret")
