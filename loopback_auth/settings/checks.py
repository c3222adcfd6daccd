"""Refuse settings that cannot work, before a browser is started.

Every error says which value is wrong, where it came from, and what to do. The server is not asked anything
here. Building a client from them is the work of `configure`, which imports the model; this module does not.

Source: RFC 6749 §2.2, §2.3, §3.3, appendix A; RFC 8252 §7.3; RFC 8414 §2.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import ENDPOINTS
from loopback_auth.narrow import is_visible
from loopback_auth.protocol.urls import check_endpoint, check_issuer, check_resource, check_resource_server
from loopback_auth.settings import Settings, needs_secret, redirect_of
from loopback_auth.settings.presets import PLACES, preset
from loopback_auth.settings.setting import SETTINGS
from loopback_auth.store import sign_in_name

SECRET_HINT = (
    "Set LOOPBACK_AUTH_CLIENT_SECRET, or client_secret in the configuration file, or run the command in a "
    "terminal, which asks for it."
)
NETWORK = ("ca_file", "client_cert", "client_key", "allow_private")
PROOFS = {
    "private_key_jwt": ("private_key_file", "the private key of the client"),
    "signed_request": ("private_key_file", "the private key of the client"),
    "tls_client_auth": ("client_cert", "a client certificate"),
    "self_signed_tls_client_auth": ("client_cert", "a client certificate"),
}
"""What a client needs to authenticate so, or to sign (RFC 7523 §2.2; RFC 8705 §2; RFC 9101): the setting."""

TICKETS_WITH_UI = ("netlify", "heroku")
"""Vendors whose contract has a second address, to which the ticket or the token is sent too."""

TICKETS_FOR_CLIENTS = ("netlify",)
"""Vendors whose tickets are for a registered client; those of the others are for every program."""


def check_settings(settings: Settings) -> None:
    """Refuse settings from which no client can be built.

    Raises:
        ConfigError: a value is missing or invalid.

    Source: RFC 6749 §2.2, §2.3.1, §3.3; RFC 8414 §2; RFC 8707 §2.
    """
    redirect_of(settings)
    sign_in_name(settings.name)
    _check_ticket(settings)
    _check_places(settings)
    _check_client_id(settings)
    _check_client_secret(settings)
    _check_proofs(settings)
    _check_scope(settings)
    # Those of a preset are tested; only a table of the file can have others.
    own = any(item.quirk and settings.origin(item.name).startswith("file ") for item in SETTINGS)
    if own or settings.switch("nonce") is False:
        from loopback_auth.settings.quirks import check_quirks  # Start-up.

        check_quirks(settings)
    if any(settings.get(name) for name in NETWORK):
        from loopback_auth.settings.network import check_network  # One file less before the launch.

        check_network(settings)
    if settings.text("private_key_file"):
        from loopback_auth.settings.private_key import (
            check_private_key_file,  # One file less before the launch.
        )

        check_private_key_file(settings)
    for resource in settings.words("resource"):
        check_resource(resource)


def registers(settings: Settings) -> bool:
    """Return whether a client without an ID can register itself: at a server that names itself.

    The servers of the presets say how to register by hand, and few of them offer anything else.
    """
    issuer = settings.text("issuer") and not from_preset(settings, "issuer")
    # An empty ID is a mistake, such as a variable that is not set.
    return settings.get("client_id") is None and bool(settings.text("resource_server") or issuer)


def only_by_ticket(settings: Settings) -> bool:
    """Return whether only a ticket can be used, because it was chosen or no other address is known."""
    flow = settings.text("flow")
    places = (
        "resource_server",
        "issuer",
        "authorization_endpoint",
        "device_authorization_endpoint",
    )
    nowhere_else = bool(settings.text("ticket")) and not any(settings.text(name) for name in places)
    return flow == "ticket" or (flow is None and nowhere_else)


def has_other_way(settings: Settings) -> bool:
    """Return whether another flow works without the client secret that a code needs: ticket or device."""
    places = ("resource_server", "issuer", "ticket", "device_authorization_endpoint")
    return settings.text("flow") is None and any(settings.text(name) for name in places)


def from_preset(settings: Settings, name: str) -> bool:
    """Return whether the value of a setting is that of a preset."""
    return settings.origin(name).startswith("preset ")


def _check_ticket(settings: Settings) -> None:
    """Refuse a ticket that would be sent to another server, which could exchange it for the token."""
    vendor, base, ui = (settings.text(name) for name in ("ticket", "ticket_base", "ticket_ui"))
    if not vendor:
        by_flag = any(settings.origin(name).startswith("flag ") for name in ("ticket_base", "ticket_ui"))
        # If this provider has an address, a variable may be for another one.
        if (base or ui) and (by_flag or not any(settings.text(name) for name in PLACES)):
            raise ConfigError(
                f"The address {(base or ui or '')[:120]!a} is for tickets, but no vendor of tickets is named",
                hint="Name the vendor with --ticket.",
                parameter="ticket",
            )
        return
    row = preset(vendor)
    elsewhere = any(settings.text(name) not in (None, row.get(name)) for name in PLACES)
    if elsewhere and not base:
        raise ConfigError(
            f"The ticket would be requested from {vendor} and not from {settings.name}",
            hint=f"Give the addresses of {settings.name} for tickets with {_ticket_flags(vendor)}.",
            parameter="ticket_base ticket_ui",
        )
    if vendor in TICKETS_WITH_UI and bool(base) != bool(ui):
        raise ConfigError(
            f"One of two addresses for tickets is given; the other one would be that of {vendor}",
            hint=f"Give both: {_ticket_flags(vendor)}.",
            parameter="ticket_base ticket_ui",
        )


def _ticket_flags(vendor: str) -> str:
    return "--ticket-base and --ticket-ui" if vendor in TICKETS_WITH_UI else "--ticket-base"


def _check_places(settings: Settings) -> None:
    if settings.text("flow") == "ticket" and not settings.text("ticket"):
        raise ConfigError(
            f"{settings.name} does not sign in by ticket.",
            hint="Choose another --flow, or name the vendor whose contract it follows with --ticket, and the "
            "addresses with --ticket-base and --ticket-ui.",
            parameter="flow ticket ticket_base ticket_ui",
        )
    if only_by_ticket(settings):
        return
    if any("{domain}" in (settings.text(name) or "") for name in ("issuer", *ENDPOINTS)):
        if domain := settings.text("domain"):
            raise ConfigError(
                f"{domain[:120]!a} cannot be the domain of {settings.name}",
                hint=f"Give it without https://, as the provider documents it. {settings.advice}",
                parameter="domain",
            )
        raise ConfigError(
            f"{settings.name} needs the domain of your own server",
            hint=f"Give --domain, or domain in a table of the configuration file. {settings.advice}",
            parameter="domain",
        )
    issuer, resource_server = settings.text("issuer"), settings.text("resource_server")
    if resource_server:
        check_resource_server(resource_server)
    missing = [name for name in ("authorization_endpoint", "token_endpoint") if not settings.text(name)]
    named = issuer or resource_server
    if not named and missing and settings.text("ticket"):
        raise ConfigError(
            f"{settings.name} supports only the flow ticket",
            hint="Leave --flow out, or give --flow ticket.",
            parameter="flow",
        )
    if not named and missing:
        raise ConfigError(
            f"No server is named: there is neither an issuer nor {' and '.join(missing)}",
            hint="Name a provider, or give --resource-server or --issuer, or give both "
            "--authorization-endpoint and --token-endpoint.",
            parameter="resource_server issuer authorization_endpoint token_endpoint",
        )
    if issuer:
        check_issuer(issuer)
    for name in ENDPOINTS:
        if url := settings.text(name):
            check_endpoint(url, name=name)


def needs_client_id(settings: Settings) -> bool:
    """Return whether the client must have an ID: not for the tickets of some vendors, nor to register."""
    if registers(settings):
        return False
    return not only_by_ticket(settings) or settings.text("ticket") in TICKETS_FOR_CLIENTS


def _check_client_id(settings: Settings) -> None:
    client_id = settings.text("client_id") or ""
    if url := settings.text("client_metadata_url"):
        check_endpoint(url, name="client_metadata_url")
    if not needs_client_id(settings):
        return
    if not client_id:
        raise ConfigError(
            f"There is no client ID for {settings.name}",
            hint=f"{settings.advice or 'Register a client at the server.'} Then give its ID with --client-id "
            "or LOOPBACK_AUTH_CLIENT_ID.",
            parameter="client_id",
        )
    _check_visible(settings, "client_id", client_id)


def _check_client_secret(settings: Settings) -> None:
    client_auth, client_secret = settings.text("client_auth"), settings.text("client_secret")
    if needs_secret(settings) and not has_other_way(settings):
        raise ConfigError(
            f"There is no client secret for {settings.name}, and {client_auth} needs one "
            f"(from {settings.origin('client_auth')})",
            hint=SECRET_HINT,
            parameter="client_secret",
        )
    if client_secret and client_auth != "none":
        _check_visible(settings, "client_secret", client_secret)


def _check_proofs(settings: Settings) -> None:
    """Refuse a way to authenticate or to sign without the file that it needs."""
    for name, value in (("client_auth", settings.text("client_auth")), ("signed_request", "signed_request")):
        wanted, what = PROOFS.get(value or "", ("", ""))
        if settings.get(name) and wanted and not settings.text(wanted):
            raise ConfigError(
                f"{value} needs {what}, and none is named (from {settings.origin(name)})",
                hint=f"Name its file with --{wanted.replace('_', '-')}.",
                parameter=wanted,
            )


def _check_visible(settings: Settings, name: str, value: str) -> None:
    if not is_visible(value):
        raise ConfigError(
            f"The {name} has a character that is not allowed, such as a line break "
            f"(from {settings.origin(name)})",
            hint="Copy it again, without any characters before or after it.",
            parameter=name,
        )


def _check_scope(settings: Settings) -> None:
    scope, origin = settings.text("scope") or "", settings.origin("scope")
    # RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    if not all(" " <= character <= "~" and character not in '"\\' for character in scope):
        raise ConfigError(
            f"The scope has a character that is not allowed: {scope[:120]!a} (from {origin})",
            hint="Separate scopes by single spaces, without quotes.",
            parameter="scope",
        )
