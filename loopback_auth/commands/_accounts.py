"""Several accounts at one provider: under which names their sign-ins are kept, and the settings of each.

`login github --as work` keeps the sign-in as `github-work`, and every command takes that name. The sign-in
itself says that its provider is `github`, so nothing has to be guessed from the name, and a provider of the
same name is never confused with it.
"""

from __future__ import annotations

import os

from loopback_auth.cli import settings_of
from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.narrow import is_name
from loopback_auth.settings import DEMO, provider_name
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.store import sign_in_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.settings import Settings
    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import SignIn


def login_settings(options: argparse.Namespace, store: FileTokenStore) -> Settings:
    """Return the settings of a login, of which `--as` or the name of a kept sign-in says the account.

    Args:
        options: of the command line; `provider` becomes the one that settings find.
        store: where sign-ins are kept.

    Raises:
        ConfigError: as from `settings_of`, or the account cannot have that name.
        StoreError: the kept sign-in that is named cannot be read.
    """
    again = _kept_account(options.provider or "", store)
    if again is None:
        settings = settings_of(options)
    else:
        options.provider = _configured_as(again)
        settings = settings_of(options)
    if options.account is not None:
        return settings.for_account(_checked_account(settings, options.account))
    if again is None:
        return settings
    known = {} if again.registered else {"client_id": again.client_id}
    known["scope"] = again.requested_scope
    values = {name: value for name, value in known.items() if value}
    return settings.completed(values, f"sign-in {again.name}").for_account(again.name)


def account_name(provider: str, account: str) -> str:
    """Return the name under which the sign-in of one of several accounts is kept.

    Args:
        provider: the name under which the sign-in of the only account is kept.
        account: what the person calls the account.
    """
    return sign_in_name(f"{provider}-{account}")


def provider_of(sign_in: SignIn) -> str:
    """Return the name under which the sign-in would be kept if it were the only one at its provider."""
    return provider_name(sign_in.configured_as) if sign_in.configured_as else sign_in.name


def load_without_key(store: FileTokenStore, name: str) -> SignIn | None:
    """Load a sign-in; without its key if that cannot be read.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return store.load(name)
    except StoreError as exc:
        from loopback_auth.store.damaged import KeyUnreadable  # Start-up.

        if isinstance(exc, KeyUnreadable):
            return exc.sign_in
        raise


def login_finds(sign_in: SignIn) -> bool:
    """Return whether the command `login` knows where to sign in from the name of a kept sign-in alone."""
    return bool(_configured_as(sign_in))


def _kept_account(name: str, store: FileTokenStore) -> SignIn | None:
    """Return the kept sign-in of a name; None when the settings know a provider of that name."""
    if not is_name(name) or name == DEMO or name in KeptSettings(os.environ).providers():
        return None
    sign_in = load_without_key(store, name)
    return sign_in if sign_in is not None and _configured_as(sign_in) else None


def _configured_as(sign_in: SignIn) -> str:
    """Return what settings find the provider by; empty when they do not know it any more."""
    if sign_in.configured_as:
        return sign_in.configured_as
    address = sign_in.resource_server or sign_in.metadata.issuer or ""
    return address if address and provider_name(address) == sign_in.name else ""


def _checked_account(settings: Settings, account: str) -> str:
    if not is_name(account):
        raise ConfigError(
            f"{ascii(account)[:80]} cannot be the name of an account here",
            hint="Give --as a short name of a-z, 0-9, dot, underscore and hyphen, such as work.",
        )
    name = account_name(sign_in_name(settings.name), account)
    if name in KeptSettings(os.environ).providers():
        raise ConfigError(
            f"The sign-in would be kept as {name}, which is the name of a provider",
            hint="Give the account another name with --as.",
        )
    return name
