"""The commands of `python -m loopback_auth`, one file each, imported when used; and the store of all of them.

The helpers that other tools start use that store too.
"""

from __future__ import annotations

import os

from loopback_auth.folders import data_folder
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.settings import Settings
    from loopback_auth.store.pending import PendingStore


def any_store() -> FileTokenStore:
    """Return a store that reads what is kept, whatever the settings say; to write there is `the_store`.

    Raises:
        ConfigError: a variable names a folder that cannot be one.
    """
    return FileTokenStore(data_folder(os.environ))


def the_store(settings: Settings | None = None) -> FileTokenStore:
    """Return the store in which the command line keeps sign-ins.

    Args:
        settings: of the command, if it has flags for them; None: the variables and the configuration file.

    Raises:
        ConfigError: a variable names a folder that cannot be one, or the setting `store` cannot be used.
    """
    if not _in_keychain(settings):
        return any_store()
    from loopback_auth.store.keychain import KeychainTokenStore  # Start-up.

    return KeychainTokenStore(data_folder(os.environ))


def the_pendings(settings: Settings | None = None) -> PendingStore:
    """Return the store of the sign-ins that `start` has begun; arguments and errors as for `the_store`."""
    from loopback_auth.store.pending import PendingStore  # Start-up.

    return PendingStore(data_folder(os.environ), encrypt=_in_keychain(settings))


def _in_keychain(settings: Settings | None) -> bool:
    if settings is not None:
        return settings.text("store") == "keychain"
    from loopback_auth.settings.kept import KeptSettings  # Start-up.

    return KeptSettings(os.environ).store() == "keychain"
