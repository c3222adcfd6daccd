"""Whether another client is signed in under the name that a new sign-in would have.

What is kept is read off its file: building a `SignIn` imports dataclasses, and would keep the browser
waiting. Before the browser is started, this module is imported only when there is such a file.
"""

from __future__ import annotations

import json

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.store import sign_in_name
from loopback_auth.store.private_files import read_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.settings import Settings
    from loopback_auth.store import FileTokenStore


def check_same_client(settings: Settings, store: FileTokenStore) -> None:
    """Refuse to put one client's tokens in place of another's that go by the same name.

    Raises:
        ConfigError: another client, or a client of another server, is signed in under this name.
    """
    name = sign_in_name(settings.name)
    try:
        kept = json.loads(read_private(store.path(name)) or b"")
        known = {**kept["metadata"], "client_id": kept.get("client_id")}
    except (StoreError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return  # A damaged file is set aside when the new one is kept.
    for place in ("client_id", "issuer", "token_endpoint"):
        asked, there = settings.text(place), known.get(place)
        if "{domain}" in (asked or ""):
            continue  # What is missing there is said when the settings are checked.
        if asked and there and asked != there and there != settings.text("allowed_issuer"):
            raise ConfigError(
                f"{name} is signed in already, by another client: {ascii(there)[1:-1][:120]}",
                hint=f"Sign out first: python -m loopback_auth logout {name}. Or give the new one a name: a "
                "table [providers.NAME] in the configuration file.",
            )
