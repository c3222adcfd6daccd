"""Check whether another client is signed in under the name that a new sign-in would have.

The file of the kept sign-in is read here without the model, because importing dataclasses would delay the
start of the browser. Before that, this module is imported only when there is such a file.
"""

from __future__ import annotations

import json

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.settings import provider_name
from loopback_auth.store import sign_in_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.settings import Settings
    from loopback_auth.store import FileTokenStore

_ANOTHER_NAME = (
    "keep both: give the new sign-in another name by --as, or by a table [providers.NAME] in the "
    "configuration file"
)


def check_same_client(settings: Settings, store: FileTokenStore) -> None:
    """Refuse to replace the sign-in of another client that has the same name.

    Raises:
        ConfigError: another client, or a client of another server, is signed in under this name.
    """
    name = settings.kept_as
    try:
        kept = json.loads(store.read_file(name) or b"")
        known = {**kept["metadata"], **{place: kept.get(place) for place in ("client_id", "resource_server")}}
    except (StoreError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return  # A damaged file is renamed when the new sign-in is kept.
    configured_as = kept.get("configured_as") or ""
    provider = provider_name(str(configured_as)) if configured_as else name
    if provider != sign_in_name(settings.name):
        whose = f"{name} is an account at {provider}" if configured_as else f"The name {name} is taken"
        raise ConfigError(
            f"{whose}, and {settings.shown_name} is another provider",
            hint=f"Sign out first: python -m loopback_auth logout {name}. Or {_ANOTHER_NAME}.",
        )
    places = ["client_id", "issuer", "token_endpoint", "resource_server"]
    if settings.text("issuer") == settings.text("resource_server"):
        # A bare address is what it was when it was last asked: a resource, which names its issuer, or one.
        places.remove("issuer" if known["resource_server"] else "resource_server")
    for place in places:
        asked, there = settings.text(place), known.get(place)
        if "{domain}" in (asked or ""):
            continue  # The check of the settings says that the domain is missing.
        if asked and there and asked != there and there != settings.text("allowed_issuer"):
            raise ConfigError(
                f"Another client is signed in as {name}: {ascii(there)[1:-1][:120]}",
                hint=f"Sign out first: python -m loopback_auth logout {name}. Or {_ANOTHER_NAME}.",
            )
