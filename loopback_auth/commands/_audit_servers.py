"""Which server is examined, and with which client: as far as the settings describe one."""

from __future__ import annotations

import argparse
from dataclasses import replace

from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientConfig
from loopback_auth.settings import Settings, needs_secret
from loopback_auth.settings.configure import client_config


def at_issuer(options: argparse.Namespace) -> argparse.Namespace:
    """Take an address for an issuer: only a sign-in has to ask whether it is a resource.

    Raises:
        ConfigError: another issuer is given too.
    """
    if options.provider is None or "://" not in options.provider:
        return options
    if options.issuer is not None:
        raise ConfigError("Two issuers are given.", hint="Leave out --issuer, or the address.")
    return argparse.Namespace(**{**vars(options), "issuer": options.provider, "provider": None})


def client_to_examine(settings: Settings) -> ClientConfig:
    """Describe the client, without what is missing: the server can be asked all the same.

    Raises:
        ConfigError: a value cannot be used.
    """
    completed = settings.completed({"client_id": "missing"}, "nobody")
    if needs_secret(settings):
        client = replace(client_config(completed.with_secret("missing")), client_secret=None)
    else:
        client = client_config(completed)
    return replace(client, client_id=settings.text("client_id") or "", resource_server="")
