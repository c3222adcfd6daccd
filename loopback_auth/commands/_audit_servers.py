"""Which servers are examined, and with which clients: as far as the settings describe them.

The flags and variables of a client belong to one server. Where several are compared, a client counts only if
it is in the table of its server in the configuration file.
"""

from __future__ import annotations

import asyncio

from loopback_auth.audit.examining import examine_servers
from loopback_auth.audit.servers.examination import LIMIT
from loopback_auth.audit.servers.server import Server
from loopback_auth.cli import settings_of, tell
from loopback_auth.commands._report_output import check_outputs, deliver
from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientConfig
from loopback_auth.records import replace
from loopback_auth.settings import Settings, needs_secret
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.setting import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

ALLOWED = frozenset({"scope", "redirect_uri", "port", "ca_file", "allow_private"})
"""Settings whose flags can hold for several servers."""
OF_ONE_CLIENT = ("LOOPBACK_AUTH_CLIENT_ID", "LOOPBACK_AUTH_CLIENT_SECRET", "LOOPBACK_AUTH_PRIVATE_KEY_FILE")
"""Variables that belong to one server, without a sign of which it is."""
OF_FLOWS = ("flows", "simulate", "without", "live", "resume", "show_secrets")
"""Flags of `compare` that are about flows."""


def audit_server(options: argparse.Namespace) -> int:
    """Examine one server, and return the exit status.

    Raises:
        ConfigError: no server is named, or a value cannot be used.
    """
    server = server_of(options)
    outputs = check_outputs(options, kind="servers")
    tell(f"Asking {server.name}: at most {LIMIT} requests; you do not have to approve anything.")
    return deliver(asyncio.run(examine_servers([server])), outputs)


def server_of(options: argparse.Namespace) -> Server:
    """Return the server that the command line names, with the client of the settings.

    Raises:
        ConfigError: no server is named, or a value cannot be used.
    """
    settings = settings_of(_at_issuer(options, options.provider))
    if settings.is_demo:
        raise ConfigError(
            "There is no server to examine, and no program.",
            hint="Give an issuer, such as https://id.example, or a command: audit -- my-tool login.",
        )
    return Server(settings.shown_name, _client(settings))


def compare_servers(options: argparse.Namespace) -> int:
    """Examine several servers at a time, and return the exit status.

    Raises:
        ConfigError: a server is not known, or an option is about flows.
    """
    given = vars(options)
    flags = [f"--{name.replace('_', '-')}" for name in OF_FLOWS if given.get(name)]
    flags += [one.flag for one in SETTINGS if given.get(one.name) is not None and one.name not in ALLOWED]
    if flags:
        raise ConfigError(
            f"Several servers are compared without a sign-in, so {flags[0]} has no effect.",
            hint="Leave it out, or name one PROVIDER. The client IDs of several servers can be in the tables "
            "[providers.NAME] of the configuration file.",
        )
    outputs = check_outputs(options, kind="servers")
    servers = [_compared(options, name) for name in options.providers]
    names = [one.name for one in servers]
    if len(set(names)) < len(names):
        raise ConfigError("A server is named twice.", hint="Name each server once.")
    tell(f"Asking {', '.join(names)}: at most {LIMIT} requests each; you do not have to approve anything.")
    return deliver(asyncio.run(examine_servers(servers)), outputs)


def _compared(options: argparse.Namespace, name: str) -> Server:
    settings = settings_of(_at_issuer(options, name), without=OF_ONE_CLIENT)
    if settings.is_demo:
        raise ConfigError(
            "The built-in demonstration is not running, so it cannot be compared.",
            hint="Start it with the command demo, and give its address.",
        )
    client = _client(settings)
    own = settings.origin("client_id").endswith(f"[providers.{settings.name}]")
    return Server(settings.shown_name, client if own else replace(client, client_id="", client_secret=None))


def _at_issuer(options: argparse.Namespace, name: str | None) -> argparse.Namespace:
    """Take an address for an issuer: only a sign-in has to ask whether it is a resource.

    Raises:
        ConfigError: another issuer is given too.
    """
    given = vars(options) | {"provider": name}
    if name is not None and "://" in name:
        if options.issuer is not None:
            raise ConfigError("Two issuers are given.", hint="Leave out --issuer, or the address.")
        given |= {"issuer": name, "provider": None}
    return type(options)(**given)


def _client(settings: Settings) -> ClientConfig:
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
