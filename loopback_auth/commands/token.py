"""Print the access token to stdout, and nothing else; renew it first if need be.

Examples:
  curl -H "Authorization: Bearer $(python -m loopback_auth token)" "$URL"
  python -m loopback_auth token github
  python -m loopback_auth token --json
  python -m loopback_auth token github --login

Nobody is asked anything: without a usable token the exit status is 9. With --login the person is asked to
sign in then; of many processes that need it at once one asks, and all of them get the token.
"""

from __future__ import annotations

import os
import time

from loopback_auth.cli import answer, print_json
from loopback_auth.commands.status import kept
from loopback_auth.errors import SignInRequired
from loopback_auth.folders import data_folder
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.model import SignIn


USAGE = "[NAME] [--renew] [--login] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; needed only with several")
    parser.add_argument("--renew", action="store_true", help="renew it even if it is still good")
    parser.add_argument("--login", action="store_true", help="sign in if there is no usable token")


def run(options: argparse.Namespace) -> int:
    """Print the token."""
    store = FileTokenStore(data_folder(os.environ))
    looked_at = time.time()
    try:
        sign_in = _usable(store, options.provider or "", renew=options.renew)
    except SignInRequired:
        if not options.login:
            raise
        sign_in = _usable(store, _login(options.provider or "", looked_at), renew=False)
    tokens = sign_in.tokens
    if not tokens.access_token:
        raise SignInRequired(
            f"The sign-in to {sign_in.name} says who you are, but it came without an access token.",
            hint="Sign in again with another --flow, code for example.",
        )
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
        answer(tokens.access_token + "\n")
    return 0


def _usable(store: FileTokenStore, name: str, *, renew: bool) -> SignIn:
    sign_in = kept(store, name)
    if renew or not sign_in.tokens.fresh(time.time()):
        sign_in = _renewed(sign_in, store, force=renew)
    return sign_in


def _login(provider: str, since: float) -> str:
    """Do what the command `login` does, with the settings that it would have; return the sign-in's name."""
    from loopback_auth.arguments import Parser
    from loopback_auth.commands import login

    parser = Parser("login", usage=login.USAGE, description="")
    login.arguments(parser)
    return login.signed_in(parser.read([provider] if provider else []), since=since).name


def _renewed(sign_in: SignIn, store: FileTokenStore, *, force: bool) -> SignIn:
    if sign_in.temporary:
        raise SignInRequired(
            "The token of the demonstration cannot be renewed: its server ended with the sign-in.",
            hint="Sign in again: python -m loopback_auth login",
        )
    import asyncio

    from loopback_auth.upkeep import renew

    secret = client_secret(sign_in)
    return asyncio.run(renew(sign_in, store=store, client_secret=secret, force=force))


def client_secret(sign_in: SignIn) -> str | None:
    """Find the secret of a confidential client again: it is never kept with the tokens.

    The settings are those by which it signed in: of the provider of that name, or of none.

    Raises:
        ConfigError: the configuration file cannot be read.
    """
    if sign_in.client_auth == "none":
        return None
    from loopback_auth.errors import ConfigError
    from loopback_auth.settings import config_file, load_config, resolve

    path = config_file(os.environ)
    config = load_config(path)
    for provider in (sign_in.name, ""):
        try:
            settings = resolve(
                provider=provider, flags={}, environ=os.environ, config=config, config_path=path
            )
        except ConfigError:
            continue  # It signed in by an issuer, so that there is no provider of its name.
        # The secret of another client is nobody's business at this server.
        if settings.text("client_secret") and settings.text("client_id") in (None, sign_in.client_id):
            return settings.text("client_secret")
    return None
