"""Find the preset or template that a provider extends, and which of its values are used.

The addresses in a preset belong to one server: when another server is named elsewhere, none of them are used,
so that no token is sent to another server (RFC 6749 §10.3).

This module is loaded before the browser is started; it imports the tables only when a provider is named.
"""

from __future__ import annotations

from loopback_auth.flow_table import ENDPOINTS
from loopback_auth.narrow import is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PLACES = ("resource_server", "issuer", "authorization_endpoint", "token_endpoint")
"""The settings that name a server."""
ADDRESSES = (
    "resource_server",
    "issuer",
    *ENDPOINTS,
    "allowed_issuer",
    "domain",
    "ticket",
    "ticket_base",
    "ticket_ui",
    "approval_hosts",
    "hosts",
    "revoke_method",
    "revoke_url",
)


def preset(name: str) -> dict[str, object]:
    """Return a preset, or a template that still contains `{domain}`; empty when there is none."""
    if not name or "://" in name:
        return {}
    from loopback_auth.settings.providers import PRESETS  # Start-up.

    return PRESETS[name] if name in PRESETS else every_preset().get(name, {})


def every_preset() -> dict[str, dict[str, object]]:
    """Return all presets and templates by name."""
    from loopback_auth.settings.providers import PRESETS  # Start-up.
    from loopback_auth.settings.templates import TEMPLATES

    return dict(sorted({**PRESETS, **TEMPLATES}.items()))


def preset_of_server(issuer: str | None, token_endpoint: str | None) -> Mapping[str, object]:
    """Return the preset of the server that has issued a token; empty when there is none.

    Args:
        issuer: of the server, as it is kept with the token; compared byte for byte (RFC 8414 §3.3).
        token_endpoint: likewise; it counts where the preset names no issuer.
    """
    from loopback_auth.settings.providers import PRESETS  # Start-up.

    for row in PRESETS.values():
        place, url = ("issuer", issuer) if "issuer" in row else ("token_endpoint", token_endpoint)
        if url and row.get(place) == url:
            return row
    return {}


def preset_title(name: str) -> str:
    """Return what people call the provider of a preset, without what tells presets apart."""
    return str(preset(name).get("title", name)).partition(" (")[0]


def for_domain(preset: Mapping[str, object], domain: str) -> dict[str, object]:
    """Replace `{domain}` in a template; a domain with a scheme replaces `https://{domain}`."""
    return {
        key: value.replace("https://{domain}" if "://" in domain else "{domain}", domain.rstrip("/"))
        if isinstance(value, str)
        else value
        for key, value in preset.items()
    }


def preset_name(name: str, table: Mapping[str, object]) -> str:
    """Return the preset that a provider extends; a table of that name does, unless it names a server."""
    if "preset" in table:
        return str(table["preset"])
    elsewhere = any(place in table for place in PLACES)
    return name if not elsewhere and preset(name) else ""


def preset_row(name: str, nearer: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return the values of a preset, without its addresses if an earlier source names another server."""
    row = preset(name)
    given = [(place, str(layer[place])) for layer in nearer for place in PLACES if place in layer]
    if all(_is_of_row(row, place, url) for place, url in given):
        return row
    return {key: value for key, value in row.items() if key not in ADDRESSES}


def left_out(extended: str, values: Mapping[str, tuple[object, str, int]]) -> tuple[str, ...]:
    """Return the note that the tickets of a preset are not used; empty when they are, or it has none."""
    if values["ticket"][0] or not preset(extended).get("ticket"):
        return ()
    return (
        f"The tickets of {extended} are not used, because another server is named. If that server has "
        "tickets too, give --ticket, --ticket-base and --ticket-ui.",
    )


def _is_of_row(row: Mapping[str, object], place: str, url: str) -> bool:
    """Return whether an address is on the server of a preset, so that its other addresses are valid.

    Tenants share a host, so an issuer is compared as a whole; so are all addresses of a template.
    """
    if place == "issuer" or any("{domain}" in str(value) for value in row.values()):
        return url == row.get(place)
    return _origin(url) in {_origin(str(row.get(one))) for one in PLACES}


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def of_vendor(extended: str, environ: Mapping[str, str]) -> Mapping[str, object]:
    """Return the values of the vendor's own environment variables, under the names of our settings."""
    aliases = preset(extended).get("environment", {})
    pairs = aliases.items() if is_object(aliases) else ()
    return {name: environ[str(variable)] for name, variable in pairs if environ.get(str(variable))}
