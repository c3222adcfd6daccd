"""Build `Quirks` from the settings, and refuse values that cannot be sent or that are unsafe.

The values are from a preset or from a table of the configuration file. This module is imported when a client
is built, and before the browser is started only for a table with such keys. Which quirks exist is decided in
`loopback_auth.quirks`.

Source: RFC 9110 §5.5, §5.6.2; RFC 9700 §4.5.3.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.field_checks import OWN_HEADERS, OWN_PARAMETERS
from loopback_auth.narrow import is_host, is_visible
from loopback_auth.outputs.hosts import authorities, is_user
from loopback_auth.protocol.urls import check_endpoint
from loopback_auth.settings import Settings
from loopback_auth.settings.setting import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from loopback_auth.quirks import Quirks

_OTHERS = ("secret_optional", "hosts", "token_username")
QUIRKS = tuple(item.name for item in SETTINGS if item.quirk and item.name not in _OTHERS)


def quirks_of(settings: Settings) -> Quirks:
    """Return where the provider differs from the RFCs.

    In the settings, several names under which one scope is granted have spaces between them.
    """
    from loopback_auth.quirks import Quirks  # Start-up.

    given: dict[str, Any] = {name: settings.get(name) for name in QUIRKS if settings.get(name) is not None}
    for name in ("token_parameters", "token_headers"):
        if name in given:
            given[name] = tuple(given[name].items())
    aliases = settings.pairs("scope_aliases").items()
    given["scope_aliases"] = tuple((asked, name) for asked, names in aliases for name in names.split())
    return Quirks(**given)


def check_quirks(settings: Settings) -> None:
    """Refuse invalid quirks.

    Raises:
        ConfigError: a value is invalid; the message names key and origin.
    """
    for name, own in (("token_parameters", OWN_PARAMETERS), ("token_headers", OWN_HEADERS)):
        for key, value in settings.pairs(name).items():
            if key.lower() in own:
                raise _unfit(settings, name, f"{key} is set by the program itself", "Leave it out.")
            # A line break would start another header (RFC 9110 §5.5).
            if not (key.isascii() and key.replace("-", "_").isidentifier() and is_visible(value)):
                hint = "Use letters, digits, - and _ in the name, and visible ASCII in the value."
                raise _unfit(settings, name, f"{ascii(key)[:80]} cannot be sent", hint)
    for name in ("access_token_path", "scope_parameter", "device_scope_parameter"):
        path = settings.text(name)
        if path is not None and not all(path.split(".")):
            raise _unfit(
                settings,
                name,
                "a name in it is empty",
                "Write names with dots between them, such as user.access_token.",
            )
    for host in settings.words("approval_hosts"):
        if not is_host(host):
            hint = "Write the host alone, such as login.example.com."
            raise _unfit(settings, "approval_hosts", f"{ascii(host)[:80]} is not a host", hint)
    for host in settings.words("hosts"):
        authorities(host)
    user = settings.text("token_username")
    if user is not None and not is_user(user):
        hint = "Use visible ASCII without a colon."
        raise _unfit(settings, "token_username", f"{ascii(user)[:80]} cannot be a user name", hint)
    revoke_url = settings.text("revoke_url")
    if (revoke_url is None) != (settings.text("revoke_method") is None):
        raise _unfit(
            settings, "revoke_url", "it needs revoke_method as well", "Give both of them, or neither."
        )
    if revoke_url is not None:
        check_endpoint(revoke_url, name="revoke_url")
    if settings.switch("nonce") is False and settings.switch("pkce") is False:
        hint = "Leave one of them on: without both, a stolen code could be used (RFC 9700 §4.5.3)."
        raise _unfit(settings, "nonce", "it is off, and pkce is off too", hint)


def _unfit(settings: Settings, name: str, reason: str, hint: str) -> ConfigError:
    return ConfigError(
        f"The setting {name} cannot be used: {reason} (from {settings.origin(name)})", hint=hint
    )
