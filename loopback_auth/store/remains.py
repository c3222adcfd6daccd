"""What is left of sign-ins beside those that are kept: each of these files may still have a token or a key.

They are damaged files that were renamed, what a crash has left, and keys whose sign-in is gone.
"""

# Paths stay text, as in `private_files`: pathlib takes longer to import.
# ruff: noqa: PTH119

from __future__ import annotations

import os
from contextlib import suppress

from loopback_auth.errors import StoreError
from loopback_auth.store import SIGN_INS, SUFFIX, FileTokenStore
from loopback_auth.store.key_files import KEYS
from loopback_auth.store.migration import files_in


def remains(data: str) -> dict[str, tuple[str, ...]]:
    """Return the paths of the files, by the name of the sign-in that they are left of.

    `FileTokenStore.delete` removes them, also where there is no sign-in of that name any more.

    Args:
        data: the data folder.

    Raises:
        StoreError: the folder of the sign-ins cannot be listed, or is unsafe.
    """
    names = FileTokenStore(data).names()
    files = list(files_in(data, SIGN_INS))
    with suppress(StoreError):  # Said by what needs a key; giving up a sign-in does not.
        files += files_in(data, KEYS)
    found: dict[str, tuple[str, ...]] = {}
    for file in files:
        in_place = os.path.basename(file.path) == file.name + SUFFIX and file.name in names
        if file.name and not in_place:
            found[file.name] = (*found.get(file.name, ()), file.path)
    return found
