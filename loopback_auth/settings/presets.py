"""Which preset or template a provider extends, and what of its row counts there.

The addresses of a preset belong to one server: whoever says by other means where to sign in gets none of
them, lest the tokens of one server are shown to another (RFC 6749 §10.3).

Loaded before the browser is started; the tables are imported when a provider is named.
"""

from __future__ import annotations

from loopback_auth.flow_table import ENDPOINTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PLACES = ("issuer", "authorization_endpoint", "token_endpoint")
"""The settings of which one says where to sign in."""
ADDRESSES = (
    "issuer",
    *ENDPOINTS,
    "allowed_issuer",
    "domain",
    "ticket",
    "ticket_base",
    "ticket_ui",
    "approval_hosts",
    "revoke_method",
    "revoke_url",
)


def preset(name: str) -> dict[str, object]:
    """Return a preset, or a template whose `{domain}` is still to be filled in; empty when there is none."""
    if not name or "://" in name:
        return {}
    from loopback_auth.settings.providers import PRESETS  # Start-up.

    return PRESETS[name] if name in PRESETS else every_preset().get(name, {})


def every_preset() -> dict[str, dict[str, object]]:
    """Return all presets and templates by name."""
    from loopback_auth.settings.providers import PRESETS  # Start-up.
    from loopback_auth.settings.templates import TEMPLATES

    return dict(sorted({**PRESETS, **TEMPLATES}.items()))


def filled(preset: Mapping[str, object], domain: str) -> dict[str, object]:
    """Put a domain into a template; one with a scheme stands for the address as a whole."""
    return {
        key: value.replace("https://{domain}" if "://" in domain else "{domain}", domain.rstrip("/"))
        if isinstance(value, str)
        else value
        for key, value in preset.items()
    }


def preset_name(name: str, table: Mapping[str, object]) -> str:
    """Return the preset of a provider; a table called like a preset extends it, unless it lies elsewhere."""
    if "preset" in table:
        return str(table["preset"])
    elsewhere = any(place in table for place in PLACES)
    return name if not elsewhere and preset(name) else ""


def preset_row(name: str, nearer: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return a preset's row; without its addresses where another server is named nearer to the person."""
    row = preset(name)
    given = [(place, str(layer[place])) for layer in nearer for place in PLACES if place in layer]
    if all(_is_of_row(row, place, url) for place, url in given):
        return row
    return {key: value for key, value in row.items() if key not in ADDRESSES}


def left_out(extended: str, values: Mapping[str, tuple[object, str, int]]) -> tuple[str, ...]:
    """Say that a preset's ticket is left out, which is a flow that a person may count on."""
    if values["ticket"][0] or not preset(extended).get("ticket"):
        return ()
    return (
        f"The tickets of {extended} are left out, for another server is named than its own. If that one "
        "makes tickets too, give --ticket, --ticket-base and --ticket-ui.",
    )


def _is_of_row(row: Mapping[str, object], place: str, url: str) -> bool:
    """Return whether an address is of a preset's own server, so that the others there are still its.

    Tenants share a server, and are none: an issuer is compared as a whole, and a template is everybody's own.
    """
    if place == "issuer" or any("{domain}" in str(value) for value in row.values()):
        return url == row.get(place)
    return _origin(url) in {_origin(str(row.get(one))) for one in PLACES}


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def of_vendor(extended: str, environ: Mapping[str, str]) -> Mapping[str, object]:
    """Return what the vendor's own tools take from the environment, under the names of our settings."""
    aliases = preset(extended).get("environment", {})
    pairs = aliases.items() if isinstance(aliases, dict) else ()
    return {name: environ[variable] for name, variable in pairs if environ.get(variable)}
