"""The table of a provider before it is written: whether its name and its values can be used."""

from __future__ import annotations

from dataclasses import replace

from loopback_auth.commands import the_store
from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.flows.discovery import discover
from loopback_auth.flows.resource import find_resource
from loopback_auth.model import ServerMetadata
from loopback_auth.narrow import is_name
from loopback_auth.settings import Settings, needs_secret, resolve
from loopback_auth.settings.checks import check_settings
from loopback_auth.settings.config import RESERVED, provider_tables
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.presets import preset_name
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.resources import Resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def checked_name(name: str, tables: Mapping[str, object]) -> str:
    """Return the name of a provider, or refuse it.

    Args:
        name: to be checked.
        tables: of the configuration file.

    Raises:
        ConfigError: it cannot be the name of a provider, or a kept sign-in of an account has it.
    """
    if not name:
        raise ConfigError(
            "No provider is named.", hint="Name a known one, or choose a short name for a server of your own."
        )
    if name in tables:
        return name
    if not is_name(name) or name in RESERVED:
        raise ConfigError(
            f"{ascii(name)[:80]} cannot be the name of a provider of yours.",
            hint="Choose a short name of a-z, 0-9, dot, underscore and hyphen, and an address with --issuer.",
        )
    try:
        kept = the_store().load(name)
    except StoreError:
        kept = None
    if kept is not None and kept.configured_as:
        raise ConfigError(
            f"{name} is the name of a kept sign-in, of an account at {kept.configured_as}.",
            hint=f"Choose another name, or sign out first: python -m loopback_auth logout {name}",
        )
    return name


def checked_settings(
    name: str,
    table: Mapping[str, object],
    values: Mapping[str, object],
    config: Mapping[str, object],
    path: str,
) -> Settings:
    """Return the settings that a provider will have, whatever flags and variables say.

    Args:
        name: of the provider.
        table: what the configuration file has for it.
        values: what it will have as well; None: the key will be removed.
        config: the whole file.
        path: of the file.

    Raises:
        ConfigError: they cannot work.
    """
    new = {key: value for key, value in {**table, **values}.items() if value is not None}
    whole = {**config, "providers": {**provider_tables(config, path), name: new}}
    if not preset_name(name, new) and not any(place in new for place in ("issuer", "resource_server")):
        known = f"{name} is not a known provider, and no server is named for it."
        if not any(key.endswith("_endpoint") for key in new):
            raise ConfigError(
                known,
                hint="Give its address with --issuer, or with --preset a known provider.",
                parameter="issuer",
            )
    settings = resolve(provider=name, flags={}, environ={}, config=whole, config_path=path)
    # The secret may come from a prompt or a variable at every login.
    check_settings(settings.with_secret("later") if needs_secret(settings) else settings)
    return settings


async def ask_server(settings: Settings) -> str:
    """Ask a server for its metadata, and return in a sentence what came of it.

    Raises:
        LoopbackAuthError: it does not answer, or its answer breaks a rule.
    """
    client = client_config(settings.with_secret("later") if needs_secret(settings) else settings)
    issuer, name = client.provider.metadata.issuer, settings.shown_name
    if not (issuer or client.resource_server):
        return f"{name} was not asked: it publishes no metadata, and its addresses are known."
    async with Resources(network=client.provider.network) as resources:
        run = Driver(resources).run
        if client.resource_server:
            await run(find_resource(client))
        else:
            await run(discover(replace(client.provider, metadata=ServerMetadata(issuer))))
    return f"{name} has answered, and its metadata can be used."
