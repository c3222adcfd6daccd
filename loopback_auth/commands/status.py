"""Show who is signed in where, until when, and with which scope; never a secret.

Examples:
  python -m loopback_auth status
  python -m loopback_auth status github --json
"""

from __future__ import annotations

import os
import time

from loopback_auth.cli import described_error, print_json, print_table, tell_error
from loopback_auth.errors import ConfigError, SignInRequired, StoreError
from loopback_auth.folders import data_folder
from loopback_auth.store import FileTokenStore, sign_in_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.model import SignIn


USAGE = "[NAME] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="only this sign-in")


def run(options: argparse.Namespace) -> int:
    """Show the sign-ins."""
    store = FileTokenStore(data_folder(os.environ))
    sign_ins, errors = ([kept(store, options.provider)], {}) if options.provider else _all(store)
    if not sign_ins and not errors:
        raise SignInRequired("Nobody is signed in.", hint=_how_to_sign_in(""))
    if options.json:
        damaged = [{"name": name, **described_error(error)} for name, error in errors.items()]
        print_json([*map(described, sign_ins), *damaged])
    elif sign_ins:
        print_table([("name", "account", "until", "scope"), *map(_row, sign_ins)])
    for error in errors.values():
        tell_error(error)
    return StoreError.exit_code if errors else 0


def kept(store: FileTokenStore, name: str) -> SignIn:
    """Load the named sign-in, or the one that is meant when none is named.

    Args:
        store: where it is kept.
        name: of a provider or of a sign-in, or an issuer; empty: the default provider, or the only sign-in.

    Raises:
        SignInRequired: there is none.
        ConfigError: there are several and no name was given.
        StoreError: it cannot be read.
    """
    names = store.names()
    name = name or _default_provider()
    if not name and len(names) > 1:
        raise ConfigError(f"There are several sign-ins: {', '.join(names)}.", hint="Name one of them.")
    wanted = sign_in_name(name.partition("://")[2].rstrip("/") or name) if name else "".join(names)
    sign_in = store.load(wanted) if wanted else None
    if sign_in is None:
        where = f" to {wanted}" if name else ""
        others = f"; there is {', '.join(names)}" if names else ""
        raise SignInRequired(f"Nobody is signed in{where}{others}.", hint=_how_to_sign_in(wanted))
    return sign_in


def _all(store: FileTokenStore) -> tuple[list[SignIn], dict[str, StoreError]]:
    sign_ins: list[SignIn] = []
    errors: dict[str, StoreError] = {}
    for name in store.names():
        try:
            sign_in = store.load(name)
        except StoreError as exc:
            errors[name] = exc
        else:
            # It may have been given up since it was listed.
            sign_ins += [sign_in] if sign_in else []
    return sign_ins, errors


def _default_provider() -> str:
    from loopback_auth.settings import config_file, load_config

    named = os.environ.get("LOOPBACK_AUTH_PROVIDER") or load_config(config_file(os.environ)).get("provider")
    return named if isinstance(named, str) else ""


def _how_to_sign_in(name: str) -> str:
    # The name of a sign-in that an issuer gave has a dot, and is no name of a provider.
    provider = f" {name}" if name != "demo" and "." not in name else ""
    return f"Sign in: python -m loopback_auth login{provider}".rstrip()


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


def _row(sign_in: SignIn) -> tuple[str, str, str, str]:
    from loopback_auth.redact import server_text
    from loopback_auth.shell.terminal import until

    tokens = sign_in.tokens
    ended = "" if tokens.fresh(time.time()) else "ended "
    then = ", renewable" if tokens.refresh_token else ""
    then = ", server gone" if sign_in.temporary else then
    when = f"{ended}{until(tokens.expires_at)}{then}"
    return sign_in.name, server_text(tokens.account) or "-", when, server_text(tokens.scope) or "-"
