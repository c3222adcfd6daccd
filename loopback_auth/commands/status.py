"""Show the sign-ins that are kept: account, until when, and scope; never a secret.

The one that other commands use when you name none is marked. Where there are several accounts at a provider
(help accounts), the provider is shown too.

With NAME, or the URL of a resource or an issuer, you also see the resource, the server, the client ID and
whether the program registered it, and whether the token is bound to a key (DPoP).

Logins that `start` began and that are not finished are shown too. With the handle of one, status shows what
`start` showed, with the link, and the exit status is 10.

Examples:
  python -m loopback_auth status
  python -m loopback_auth status github --json
  python -m loopback_auth status https://mcp.example/mcp
  python -m loopback_auth status github-0a1b2c
"""

from __future__ import annotations

import time

from loopback_auth import words
from loopback_auth.cli import described_error, print_json, print_table, tell_error
from loopback_auth.commands import any_store, the_pendings, the_store
from loopback_auth.commands._accounts import provider_of
from loopback_auth.commands._kept import described, how_to_sign_in, in_use, is_bound, kept
from loopback_auth.commands._pending import (
    finish_command,
    finish_for_program,
    invitation,
    naming,
    outcome,
    show,
)
from loopback_auth.errors import ConfigError, SignInRequired, StillPending, StoreError
from loopback_auth.protocol.urls import shown_url
from loopback_auth.redact import server_text
from loopback_auth.store import FileTokenStore
from loopback_auth.store.pending import PendingStore, is_handle
from loopback_auth.store.pending_sign_in import Ended, PendingSignIn
from loopback_auth.terminal.outcome import until

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.store.pending import PendingStore
    from loopback_auth.store.pending_sign_in import Ended, PendingSignIn
    from loopback_auth.tokens import SignIn


USAGE = "[NAME] [--json]"
KEPT_IN = ("a file for you alone", "an encrypted file; its key is in the keychain")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="only this sign-in")


def run(options: argparse.Namespace) -> int:
    """Show the sign-ins."""
    store, pendings = the_store(), the_pendings()
    if not options.provider:
        shown = (*_all(store), *_all_pending(pendings))
        return _show(*shown, as_json=options.json, used=_in_use(store))
    begun = _begun(pendings, options.provider)
    if begun is None:
        return _show_one(kept(store, options.provider), store, as_json=options.json)
    return _show_begun(begun, store, as_json=options.json)


def _show_one(sign_in: SignIn, store: FileTokenStore, *, as_json: bool) -> int:
    used = _in_use(store)
    if as_json:
        return _show([sign_in], {}, [], {}, as_json=True, used=used)
    account, when, scope = _row(sign_in)
    registered = " (registered by this program)" if sign_in.registered else ""
    rows = [
        ("name", sign_in.name + " (in use)" * (sign_in.name == used)),
        ("provider", provider_of(sign_in) if sign_in.configured_as else ""),
        ("account", account),
        ("until", when),
        ("scope", scope),
        ("resource", server_text(shown_url(sign_in.resource_server))),
        ("server", server_text(sign_in.metadata.issuer or sign_in.metadata.token_endpoint or "")),
        ("client", server_text(sign_in.client_id) + registered),
        ("kept in", KEPT_IN[store.is_encrypted(sign_in.name)]),
        ("token", words.RESULT_BOUND if is_bound(sign_in) else "Bearer"),
    ]
    print_table([row for row in rows if row[1]])
    return 0


def _show(
    sign_ins: list[SignIn],
    errors: dict[str, StoreError],
    begun: list[PendingSignIn],
    more_errors: dict[str, StoreError],
    *,
    as_json: bool,
    used: str = "",
) -> int:
    errors = errors | more_errors
    if not sign_ins and not errors and not begun:
        raise SignInRequired("You are not signed in.", hint=how_to_sign_in(""))
    if as_json:
        damaged = [{"name": name, **described_error(error)} for name, error in errors.items()]
        store = any_store()
        shown = [
            {**described(one), "in_use": one.name == used, "encrypted": store.is_encrypted(one.name)}
            for one in sign_ins
        ]
        print_json([*shown, *map(_described_begun, begun), *damaged])
    else:
        if sign_ins:
            print_table(_table(sign_ins, used))
        if begun:
            print_table([("unfinished", "by", "until", "finish with"), *map(_row_begun, begun)])
    for error in errors.values():
        tell_error(error)
    if errors:
        return StoreError.exit_code
    return 0 if sign_ins else StillPending.exit_code


def _show_begun(begun: PendingSignIn | Ended, store: FileTokenStore, *, as_json: bool) -> int:
    if isinstance(begun, Ended):
        return _show([outcome(begun, store)], {}, [], {}, as_json=as_json)
    if as_json:
        print_json([{"pending": True, **invitation(begun)}])
    else:
        show(begun)
    return StillPending.exit_code


def _in_use(store: FileTokenStore) -> str:
    try:
        return in_use(store)
    except ConfigError:
        return ""  # What is kept can be shown all the same.


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


def _all_pending(pendings: PendingStore) -> tuple[list[PendingSignIn], dict[str, StoreError]]:
    pendings.sweep(time.time())
    begun: list[PendingSignIn] = []
    errors: dict[str, StoreError] = {}
    for handle in pendings.handles():
        try:
            with naming(handle):
                found = pendings.load(handle)
        except StoreError as exc:
            errors[handle] = exc
        else:
            begun += [found] if isinstance(found, PendingSignIn) else []
    return begun, errors


def _begun(pendings: PendingStore, name: str) -> PendingSignIn | Ended | None:
    if not is_handle(name):
        return None
    pendings.sweep(time.time())
    with naming(name):
        return pendings.load(name)


def _table(sign_ins: list[SignIn], used: str) -> list[tuple[str, ...]]:
    # Beside others it matters which one is meant.
    marked = used if sign_ins[1:] else ""
    names = [f"{one.name} (in use)" if one.name == marked else one.name for one in sign_ins]
    rows = [(name, *_row(one)) for name, one in zip(names, sign_ins, strict=True)]
    table: list[tuple[str, ...]] = [("name", "account", "until", "scope"), *rows]
    if not any(one.configured_as for one in sign_ins):
        return table
    providers = ["provider", *map(provider_of, sign_ins)]
    return [(row[0], provider, *row[1:]) for row, provider in zip(table, providers, strict=True)]


def _row(sign_in: SignIn) -> tuple[str, str, str]:
    tokens = sign_in.tokens
    ended = "" if tokens.fresh(time.time()) else "ended "
    then = ", renewable" if tokens.refresh_token else ""
    then = ", server gone" if sign_in.temporary else then
    when = f"{ended}{until(tokens.expires_at)}{then}"
    return server_text(tokens.account) or "-", when, server_text(tokens.scope) or "-"


def _described_begun(begun: PendingSignIn) -> dict[str, object]:
    """Describe a sign-in that is under way for JSON, without the link."""
    return {
        "pending": True,
        "handle": begun.handle,
        "name": begun.client.provider.name,
        "flow": begun.flow,
        "created_at": begun.created_at,
        "expires_at": begun.expires_at,
        "finish": finish_for_program(begun.handle, begun.flow),
    }


def _row_begun(begun: PendingSignIn) -> tuple[str, str, str, str]:
    return (
        begun.handle,
        begun.flow,
        until(begun.expires_at),
        finish_command(begun.handle, begun.flow),
    )
