"""The store of the command line, and of the helpers that other tools start."""

from __future__ import annotations

import os

from loopback_auth.folders import data_folder
from loopback_auth.store import FileTokenStore


def the_store() -> FileTokenStore:
    """Return the store in which the command line keeps sign-ins.

    Raises:
        ConfigError: a variable names a folder that cannot be one.
    """
    return FileTokenStore(data_folder(os.environ))
