"""A login by another account than the one whose sign-in is kept: both are kept, or one is replaced.

Source: gh and gcloud keep both accounts too, and use the one that signed in last.
"""

from __future__ import annotations

import os
from dataclasses import replace

from loopback_auth import words
from loopback_auth.commands._accounts import account_name, provider_of
from loopback_auth.errors import StoreError
from loopback_auth.narrow import NAME_CHARACTERS, is_name
from loopback_auth.redact import server_text
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.signin.stores import is_another_account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import SignIn

MOST = 100_000
"""Numbers up to which one is tried in place of an account's name that cannot be used."""


async def kept_beside(
    before: SignIn,
    sign_in: SignIn,
    *,
    store: FileTokenStore,
    agrees: Callable[[str, str], Awaitable[bool]] | None,
) -> SignIn:
    """Return a new sign-in under the name for it: that of another account, or one of its own beside it.

    Args:
        before: the kept sign-in of another account, which it would replace.
        sign_in: the new one.
        store: where sign-ins are kept.
        agrees: says a sentence, and asks for yes or no; None: no person can be asked, and it is replaced.
    """
    if agrees is None:
        return sign_in
    name = free_name(sign_in, store)
    theirs, account = server_text(before.account, 80), server_text(sign_in.account, 80)
    text = words.REPLACES.format(name=sign_in.name, before=theirs, account=account or "another account")
    if await agrees(text, words.REPLACES_PROMPT.format(before=theirs, beside=name)):
        return sign_in
    return replace(sign_in, name=name, configured_as=_known_as(sign_in))


def free_name(sign_in: SignIn, store: FileTokenStore) -> str:
    """Return a name for the sign-in of one more account, after the account.

    The same account gets the same name again, and no other one loses its sign-in.
    """
    providers, base = KeptSettings(os.environ).providers(), provider_of(sign_in)
    spelled = (_spelled(sign_in.account.partition("@")[0]), _spelled(sign_in.account))
    accounts = (*filter(is_name, spelled), *map(str, range(2, MOST)))
    names = (account_name(base, account) for account in accounts)
    return next(name for name in names if name not in providers and _is_free(name, sign_in, store))


def _spelled(account: str) -> str:
    return "".join(each if each in NAME_CHARACTERS else "-" for each in account.lower()).strip("._-")


def _is_free(name: str, sign_in: SignIn, store: FileTokenStore) -> bool:
    if not os.path.lexists(store.path(name)):
        return True
    try:
        kept = store.load(name)
    except StoreError:
        return False
    same = kept is not None and not is_another_account(kept, replace(sign_in, name=name))
    return same and kept is not None and kept.account != "" and provider_of(kept) == provider_of(sign_in)


def _known_as(sign_in: SignIn) -> str:
    """Return the name or address by which the settings find the provider."""
    if sign_in.configured_as or sign_in.name in KeptSettings(os.environ).providers():
        return sign_in.configured_as or sign_in.name
    return sign_in.resource_server or sign_in.metadata.issuer or sign_in.name
