"""Clients, providers and ticket contracts of the known providers, from the presets.

The methods `ClientConfig.known`, `Provider.known` and `TicketContract.known` call these functions. The model
lies far below; that its methods import this module when they are called is the one exception to the order of
the layers. A class derived from `Provider` up here would be a second class of that name, and a hook that this
module fills would be understood by neither readers nor type checkers.

Only what the caller says counts: neither the environment nor a configuration file is read.
"""

from __future__ import annotations

from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.errors import ConfigError
from loopback_auth.field_checks import check_text
from loopback_auth.model import ClientConfig, Provider
from loopback_auth.protocol.urls import check_endpoint
from loopback_auth.records import replace
from loopback_auth.settings import Settings, needs_secret, resolve
from loopback_auth.settings.checks import TICKETS_WITH_UI, has_other_way, needs_client_id
from loopback_auth.settings.configure import client_of, provider_of
from loopback_auth.settings.contracts import CONTRACTS
from loopback_auth.settings.presets import every_preset, preset_title
from loopback_auth.settings.reading import suggestion


def known_client(name: str, *, client_id: str, client_secret: str | None, domain: str) -> ClientConfig:
    """Return a client at a known provider, with the scope and the parameters that its preset suggests.

    Raises:
        ConfigError: the name is unknown, or the client ID, the client secret or the domain is missing.
    """
    check_text(client_id, "client_id")
    check_text(client_secret or "", "client_secret")
    settings = _settings(name, domain=domain, client_id=client_id or None, client_secret=client_secret)
    title, source = preset_title(name), every_preset()[name]["source"]
    if not client_id and needs_client_id(settings):
        raise ConfigError(
            f"There is no client ID for {title}.",
            hint=f"Register a client there, and give its ID: {source}",
            parameter="client_id",
        )
    if needs_secret(settings) and not has_other_way(settings):
        raise ConfigError(
            f"{title} needs a client secret, and there is none.",
            hint=f"Give the one that belongs to the client ID: {source}",
            parameter="client_secret",
        )
    return client_of(settings)


def known_provider(name: str, *, domain: str) -> Provider:
    """Return a provider from the table of presets.

    Raises:
        ConfigError: the name is unknown, or the domain of a self-hosted server is missing.
    """
    settings = _settings(name, domain=domain)
    made = provider_of(settings)
    # How it authenticates depends on whether the client has a secret, which is said later.
    return replace(made, client_auth=None) if settings.switch("secret_optional") else made


def known_contract(vendor: str, *, base: str, ui: str) -> TicketContract:
    """Return the ticket contract of a vendor, at other addresses if they are given.

    Raises:
        ConfigError: the vendor is unknown, an address is not a URL, or only one of two is given.
    """
    for argument, given in (("vendor", vendor), ("base", base), ("ui", ui)):
        check_text(given, argument)
    if vendor not in CONTRACTS:
        raise ConfigError(
            f"There is no ticket contract called {ascii(vendor)[:80]}.",
            hint=suggestion(vendor, CONTRACTS),
            parameter="vendor",
        )
    if vendor in TICKETS_WITH_UI and bool(base) != bool(ui):
        raise ConfigError(
            f"One of two addresses is given; the other one would be that of {vendor}.",
            hint="Give base and ui, or neither.",
            parameter="ui" if base else "base",
        )
    contract = CONTRACTS[vendor]
    for parameter, url in (("base", base), ("ui", ui)):
        if url:
            check_endpoint(url, name=parameter)
    return replace(contract, base=base.rstrip("/") or contract.base, ui=ui.rstrip("/") or contract.ui)


def _settings(name: str, *, domain: str, **flags: str | None) -> Settings:
    check_text(name, "provider")
    check_text(domain, "domain")
    presets = every_preset()
    if name not in presets:
        raise ConfigError(
            f"Unknown provider: {ascii(name)[:80]}.",
            hint=f"{suggestion(name, presets)} For any other server there is ClientConfig.at.",
            parameter="provider",
        )
    row, title = presets[name], preset_title(name)
    is_template = any("{domain}" in str(value) for value in row.values())
    if domain and not is_template:
        raise ConfigError(
            f"{title} has the same addresses for everybody, and a domain is given.",
            hint="Leave the domain out, or use ClientConfig.at for a server of your own.",
            parameter="domain",
        )
    if is_template and not (domain or row.get("domain")):
        raise ConfigError(
            f"{title} needs the domain of your own server.",
            hint=f"Give it without https://, as the provider documents it: {row['source']}",
            parameter="domain",
        )
    settings = resolve(
        provider=name,
        flags={**flags, "domain": domain or None},
        environ={},
        config={},
        config_path="",
    )
    if domain:
        for place in ("issuer", "authorization_endpoint", "token_endpoint"):
            if url := settings.text(place):
                _check_domain(domain, url, title)
    return settings


def _check_domain(domain: str, url: str, title: str) -> None:
    try:
        check_endpoint(url, name="domain")
    except ConfigError as exc:
        raise ConfigError(
            f"{domain[:120]!a} cannot be the domain of {title}.",
            hint="Give it without https://, as the provider documents it.",
            parameter="domain",
        ) from exc
