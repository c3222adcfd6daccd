"""Build a client from settings that `checks` has accepted.

Source: RFC 6749 §2.2, §2.3; RFC 7591 §2; RFC 8707 §2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.flow_table import ENDPOINTS
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.protocol.urls import check_endpoint
from loopback_auth.records import replace
from loopback_auth.settings import Settings, redirect_of
from loopback_auth.settings.checks import check_settings, from_preset, registers
from loopback_auth.settings.network import network_of
from loopback_auth.settings.presets import PLACES, preset, preset_title
from loopback_auth.settings.private_key import private_key_of
from loopback_auth.settings.quirks import quirks_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from loopback_auth.device_and_ticket import TicketContract
    from loopback_auth.model import ClientAuth, ResponseMode


def client_config(settings: Settings) -> ClientConfig:
    """Build the client that the settings describe.

    Raises:
        ConfigError: a value is missing or invalid.

    Source: RFC 6749 §2.2, §2.3.1; RFC 8707 §2.
    """
    check_settings(settings)
    return client_of(settings)


def redirect_in(settings: Settings) -> Redirect:
    """Return the redirect URI that the settings describe.

    Raises:
        ConfigError: as of `redirect_of`.
    """
    host, ports, path = redirect_of(settings)
    return Redirect(cast("Any", host), ports, path)


def provider_of(settings: Settings) -> Provider:
    """Return the provider that the settings describe; `check_settings` has accepted them."""
    text = settings.text
    metadata = ServerMetadata(text("issuer") or None)
    metadata = metadata.with_endpoints({name: text(name) or None for name in ENDPOINTS})
    plain = Provider(settings.kept_as, metadata, configured_as=settings.configured_as)
    return replace(
        plain,
        title=_title(settings),
        redirect=redirect_in(settings),
        client_auth=cast("ClientAuth | None", _client_auth(settings)),
        pkce=settings.switch("pkce") is not False,
        scope_separator=text("scope_separator") or plain.scope_separator,
        allowed_issuer=text("allowed_issuer") or None,
        account_fields=settings.words("account_fields") or plain.account_fields,
        ticket=_ticket(settings),
        quirks=quirks_of(settings),
        network=network_of(settings),
    )


def client_of(settings: Settings) -> ClientConfig:
    """Return the client that the settings describe; `check_settings` has accepted them."""
    text = settings.text
    provider = provider_of(settings)
    return ClientConfig(
        provider=provider,
        client_id=text("client_id") or "",
        client_metadata=_client_metadata(settings),
        # A secret that is never sent is left out.
        client_secret=None if provider.client_auth == "none" else text("client_secret") or None,
        scope=_scope(settings),
        response_mode=cast("ResponseMode | None", text("response_mode")),
        push=settings.switch("push"),
        resource=settings.words("resource"),
        audience=text("audience") or None,
        prompt=text("prompt") or None,
        login_hint=text("login_hint") or None,
        extra=cast("Mapping[str, str]", settings.get("extra") or {}),
        resource_server=text("resource_server") or "",
        dpop=settings.switch("dpop"),
        private_key=private_key_of(settings),
        signed_request=settings.switch("signed_request"),
        acr_values=text("acr_values") or "",
        max_age=settings.age("max_age"),
    )


def _client_metadata(settings: Settings) -> ClientMetadata | None:
    if not registers(settings):
        return None
    return ClientMetadata(
        client_name=settings.text("client_name") or "", url=settings.text("client_metadata_url") or ""
    )


def _title(settings: Settings) -> str:
    """Return what people call the provider: the title of its preset, unless another server is named.

    What is named after the URL of a resource is called by the host alone, as in `ClientConfig.for_resource`.
    """
    host = (settings.text("resource_server") or "").partition("://")[2].partition("/")[0]
    if host and settings.name.startswith(host):
        return host
    elsewhere = any(settings.text(place) and not from_preset(settings, place) for place in PLACES)
    return "" if elsewhere or not preset(settings.name) else preset_title(settings.name)


def _ticket(settings: Settings) -> TicketContract | None:
    vendor = settings.text("ticket")
    if not vendor:
        return None
    from loopback_auth.settings.contracts import CONTRACTS  # Few providers have one.

    contract = CONTRACTS[vendor]
    base, ui = settings.text("ticket_base") or contract.base, settings.text("ticket_ui") or contract.ui
    check_endpoint(base, name="ticket_base")
    if ui:
        check_endpoint(ui, name="ticket_ui")
    return replace(contract, base=base.rstrip("/"), ui=ui.rstrip("/"))


def _client_auth(settings: Settings) -> str | None:
    """Return how the client authenticates; `none` when its secret is optional and not set."""
    optional = settings.switch("secret_optional") and not settings.text("client_secret")
    return "none" if optional else settings.text("client_auth")


def _scope(settings: Settings) -> str:
    """Return the scopes with spaces between them, also where the provider separates them by commas."""
    scope, separator = settings.text("scope") or "", settings.text("scope_separator") or " "
    return " ".join(scope.replace(separator, " ").split())
