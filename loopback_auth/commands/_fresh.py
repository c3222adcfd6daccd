"""A kept sign-in with a fresh token, for every command and helper that hands a token on."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from loopback_auth.commands._kept import client_secret, how_to_sign_in_again, kept, private_key
from loopback_auth.errors import LoopbackAuthError, SignInRequired
from loopback_auth.folders import data_folder
from loopback_auth.outputs.hosts import belongs_to
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.store.settings_match import (
    SettingsMatch,
    keep_match,
    read_match,
    settings_state,
    sign_in_state,
    variables_decide,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback_auth.network.loopback import BoundRedirect
    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import SignIn, Token


def matching(store: FileTokenStore, named: str) -> SignIn:
    """Return the kept sign-in that a name means, if the settings ask for no other; its token may be old.

    Args:
        store: where it is kept.
        named: as in `kept`.

    Raises:
        SignInRequired: there is no such sign-in, or it does not match the settings.
        LoopbackAuthError: the store or the settings cannot be read.
    """
    sign_in = kept(store, named)
    try:
        before = settings_state(os.environ)
    except OSError:
        before = None  # What is wrong with the file is said now.
    settings = KeptSettings(os.environ)
    if why := settings.why_not_reusable(sign_in, named):
        # Variables that name a server do so for a login without a name, too.
        alone = f"Sign in again: python -m loopback_auth login {named}".rstrip()
        raise SignInRequired(
            f"The sign-in to {sign_in.name} is not the one that the settings ask for: {why}.",
            hint=alone if named or settings.naming_variable() else how_to_sign_in_again(sign_in),
        )
    if named == sign_in.name and before is not None:
        # By another name other settings may have been asked.
        _note_match(store, sign_in, settings, before)
    return sign_in


def _note_match(
    store: FileTokenStore, sign_in: SignIn, settings: KeptSettings, before: Sequence[object]
) -> None:
    """Note that a sign-in matches the settings, so that its token is found at a glance next time.

    Args:
        store: where it is kept.
        sign_in: that was read there, and matches.
        settings: that it matches.
        before: their state before they were read.
    """
    folder, name = data_folder(os.environ), sign_in.name
    if variables_decide(os.environ) or read_match(folder, name, before) is not None:
        return
    with suppress(OSError, LoopbackAuthError):  # It costs some time, and nothing else.
        looked_at = sign_in_state(folder, name)
        if store.load(name) == sign_in:
            hosts, username = settings.for_tools(sign_in)
            match = SettingsMatch(belongs_to(sign_in, hosts), username)
            keep_match(folder, name, match, settings=before, sign_in=looked_at, now=time.time())


def fresh_sign_in(
    store: FileTokenStore,
    named: str,
    *,
    force: bool = False,
    leeway: float | None = None,
    of: Token = "access_token",
    ask: bool = True,
) -> SignIn:
    """Return the kept sign-in that a name means, with a fresh token, which is renewed if needed.

    The user is not asked to sign in.

    Args:
        store: where it is kept.
        named: as in `kept`.
        force: renew a fresh token too.
        leeway: seconds for which the token must still be good; None: 60, or a tenth of a short lifetime.
        of: which token has to be fresh.
        ask: a person at the terminal may be asked for the secret of a client, if it has one that is not set.

    Raises:
        SignInRequired: there is no such sign-in, it does not match the settings, or it cannot be renewed.
        NotKept: the tokens were renewed, but could not be kept; the error has them.
        LoopbackAuthError: any other failure; the store is unchanged.
    """
    sign_in = matching(store, named)
    if not force and sign_in.tokens.fresh(time.time(), leeway, of=of):
        return sign_in
    if of == "id_token" and sign_in.id_token is None:
        raise SignInRequired(
            f"The sign-in to {sign_in.name} came without an ID token.",
            hint=how_to_sign_in_again(sign_in, f'--scope "{_with_openid(sign_in)}"'),
        )
    # A script mostly finds a fresh token.
    import asyncio

    from loopback_auth.commands._warnings_only import remark
    from loopback_auth.signin.refresh import renew

    renewing = renew(
        sign_in,
        store=store,
        client_secret=client_secret(sign_in, ask=ask),
        private_key=private_key(sign_in),
        notify=remark,
        force=force,
        leeway=leeway,
        of=of,
        network=KeptSettings(os.environ).network(sign_in),
    )
    try:
        return asyncio.run(renewing)
    except SignInRequired as exc:
        exc.hint = how_to_sign_in_again(sign_in)
        raise


def _with_openid(sign_in: SignIn) -> str:
    """Return the scope of a sign-in with `openid`; without words that a shell may understand otherwise."""
    scope = sign_in.requested_scope or sign_in.tokens.scope or ""
    plain = (
        word
        for word in scope.split()
        if all(one.isascii() and (one.isalnum() or one in "-._:/") for one in word)
    )
    return " ".join(dict.fromkeys(("openid", *plain)))


def signed_in(named: str, bounds: list[BoundRedirect], *, since: float, alone: bool = False) -> SignIn:
    """Do what the command `login` does, with the settings that it would have, and return the sign-in.

    Args:
        named: which provider or sign-in; empty: the one in use.
        bounds: gets what still shows the last page, for `login.serve_after_exit`.
        since: Unix seconds at which there was no usable token; a sign-in that was made later is used.
        alone: do not wait for another process that signs in.

    Raises:
        LoopbackAuthError: as of the command.
    """
    # A script mostly finds a fresh token.
    from loopback_auth.cli.arguments import Parser
    from loopback_auth.commands import login

    parser = Parser("login", usage=login.USAGE, description="")
    login.arguments(parser)
    read = parser.read([*([named] if named else []), *["--alone"] * alone])
    return login.signed_in(read, bounds, since=since)
