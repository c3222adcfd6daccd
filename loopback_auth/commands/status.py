"""Show who is signed in where, until when, and with which scope; never a secret.

python -m loopback_auth status
python -m loopback_auth status github --json
"""

from __future__ import annotations

import os
import time

from loopback_auth.cli import print_json, tell
from loopback_auth.errors import ConfigError, LoopbackAuthError, SignInRequired
from loopback_auth.folders import data_folder
from loopback_auth.store import FileTokenStore, sign_in_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.model import SignIn


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="only this sign-in")


def run(options: argparse.Namespace) -> int:
    """Show the sign-ins."""
    store = FileTokenStore(data_folder(os.environ))
    names = [sign_in_name(options.provider)] if options.provider else list(store.names())
    sign_ins, errors = [], []
    for name in names:
        try:
            sign_ins.append(kept(store, name))
        except SignInRequired:
            raise
        except LoopbackAuthError as exc:
            errors.append(exc)
    if options.json:
        print_json([described(sign_in) for sign_in in sign_ins])
    elif sign_ins:
        _table(sign_ins)
    for error in errors:
        tell(f"error: {error.message}\n  what to do: {error.hint}")
    if errors:
        return errors[0].exit_code
    if not sign_ins:
        raise SignInRequired("Nobody is signed in.", hint="Sign in: python -m loopback_auth login")
    return 0


def kept(store: FileTokenStore, name: str) -> SignIn:
    """Load the named sign-in, or the only one.

    Raises:
        SignInRequired: there is none.
        ConfigError: there are several and no name was given.
        StoreError: it cannot be read.
    """
    names = store.names()
    if not name and len(names) > 1:
        raise ConfigError(f"There are several sign-ins: {', '.join(names)}.", hint="Name one of them.")
    wanted = sign_in_name(name) if name else "".join(names)
    sign_in = store.load(wanted) if wanted else None
    if sign_in is None:
        where = f" to {wanted}" if name else ""
        again = f" {name}" if name and name != "demo" else ""
        raise SignInRequired(
            f"Nobody is signed in{where}.", hint=f"Sign in: python -m loopback_auth login{again}"
        )
    return sign_in


def described(sign_in: SignIn) -> dict[str, object]:
    """Describe a sign-in without secrets, for JSON."""
    tokens = sign_in.tokens
    return {
        "name": sign_in.name,
        "issuer": sign_in.metadata.issuer,
        "client_id": sign_in.client_id,
        "account": tokens.account,
        "scope": tokens.scope,
        "obtained_at": tokens.obtained_at,
        "expires_at": tokens.expires_at,
        "fresh": tokens.fresh(time.time()),
        "refresh_token": tokens.refresh_token is not None,
        "id_token_signature": tokens.id_token.signature if tokens.id_token else None,
        "temporary": sign_in.temporary,
    }


def _table(sign_ins: list[SignIn]) -> None:
    from rich.console import Console
    from rich.table import Table

    from loopback_auth.shell.terminal import renewal, until

    table = Table("name", "account", "until", "scope", box=None, pad_edge=False)
    for sign_in in sign_ins:
        tokens = sign_in.tokens
        ended = "" if tokens.fresh(time.time()) else "ended "
        table.add_row(
            sign_in.name, tokens.account, f"{ended}{until(tokens.expires_at)}{renewal(sign_in)}", tokens.scope
        )
    Console(markup=False, highlight=False).print(table)
