"""Show which flows work on this machine and why, and what a server would accept.

With PROVIDER the server is asked too: which response types, response modes and grants it accepts from this
client, and whether it knows the redirect URI. That takes at most a dozen requests with made-up codes. You
approve nothing, and no secret is needed.

With the URL of a resource, such as an MCP server, the resource is asked first: whether it demands a token,
what its metadata say, at which server you would sign in, and what that server offers.

Examples:
  python -m loopback_auth doctor
  python -m loopback_auth doctor github --client-id ID
  python -m loopback_auth doctor https://mcp.example/mcp
  python -m loopback_auth doctor --json > report.json
  python -m loopback_auth doctor --simulate report.json

The report of --json names neither you nor this machine, so you can post it. --simulate shows what would
happen on the machine where a report was made. The exit status is 3 when no flow can work. More: help
environments.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from loopback_auth.cli import answer, print_json, settings_of, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.commands import the_store
from loopback_auth.commands._diagnosis import show
from loopback_auth.doctor.document_probe import probe_document
from loopback_auth.doctor.probe_flow import LIMIT, probe
from loopback_auth.doctor.redirect_probe import ProbeAnswer
from loopback_auth.doctor.report import (
    ANY_PORT,
    SOMEBODY,
    SOMEWHERE,
    Circumstances,
    circumstances_of,
    described,
)
from loopback_auth.doctor.resource_probe import probe_resource
from loopback_auth.environment import user_and_host
from loopback_auth.errors import ConfigError, MalformedResponse, StoreError, Unavailable
from loopback_auth.network.report import network_report
from loopback_auth.protocol.json import BODY_LIMIT, parse_object
from loopback_auth.protocol.urls import check_endpoint, shown_url
from loopback_auth.settings import needs_secret, redirect_of
from loopback_auth.settings.checks import registers
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.network import network_of
from loopback_auth.settings.overrides import LOGIN_IN_CONTAINER, capabilities_of, overrides_of
from loopback_auth.settings.presets import PLACES
from loopback_auth.signin.driver import Driver, new_attempt
from loopback_auth.signin.planning import surroundings_of
from loopback_auth.signin.resources import Resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loopback_auth.doctor.redirect_probe import ProbeAnswer
    from loopback_auth.model import ClientConfig
    from loopback_auth.network.report import NetworkSetting
    from loopback_auth.settings import Settings


USAGE = "[PROVIDER] [--simulate FILE] [options]"
SHOWN = (
    "resource_server",
    "issuer",
    "client_id",
    "scope",
    "flow",
    "allowed_flows",
    "port",
    "redirect_uri",
    "browser",
    "reachable",
    "person",
    "wait",
    "signal",
)
"""The settings that its help describes."""
NOT_ASKED = (
    "The demonstration server runs only during a login, so it was not asked. To ask one, run the first of "
    "these in another terminal:\n"
    "  python -m loopback_auth demo --port 9000\n"
    "  python -m loopback_auth doctor http://127.0.0.1:9000 --client-id loopback-auth-demo"
)
MAKE_ONE = "Make one on the machine with the problem: python -m loopback_auth doctor --json > FILE"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="which server to ask")
    parser.add_argument(
        "--simulate", metavar="FILE", help="show the plan for the machine of a report; - is stdin"
    )
    add_settings(parser, SHOWN)


def run(options: argparse.Namespace) -> int:
    """Read the environment, ask the server, and show what was found."""
    if options.simulate is not None:
        if options.provider:
            raise ConfigError("The report names its provider.", hint="Leave PROVIDER out with --simulate.")
        return _tell(circumstances_of(_read(options.simulate)), (), options, owner=(SOMEBODY, SOMEWHERE))
    settings = settings_of(options)
    for name in PLACES:
        if url := settings.text(name):
            check_endpoint(url, name=name)
    circumstances = _circumstances(settings)
    network = _network(settings)
    answers = () if settings.is_demo else _asked(settings)
    if settings.is_demo and options.provider:
        tell(NOT_ASKED)
    status = _tell(
        circumstances, answers, options, owner=user_and_host(), advice=settings.advice, network=network
    )
    if not options.json and the_store(settings).encrypts:
        answer(f"\nWhere the key of the sign-ins is kept:\n  {_keychain()}\n")
    return status


def _keychain() -> str:
    # It imports threads and more, and few have one.
    from loopback_auth.store.keychain_backend import system_keychain

    try:
        return system_keychain()
    except (ConfigError, StoreError) as exc:
        return f"{exc.message.rstrip('.')}. {exc.hint}"


def _circumstances(settings: Settings) -> Circumstances:
    host, ports, _ = redirect_of(settings)
    return Circumstances(
        surroundings_of(settings),
        capabilities_of(settings),
        overrides=overrides_of(settings),
        allowed=settings.words("allowed_flows"),
        flow=settings.text("flow"),
        provider=settings.shown_name,
        authority=f"{host}:{ports[0] or ANY_PORT}",
    )


def _network(settings: Settings) -> tuple[NetworkSetting, ...]:
    urls = [url for name in PLACES if (url := settings.text(name))]
    return network_report(network_of(settings), urls, os.environ)


def _read(path: str) -> dict[str, object]:
    try:
        if path == "-":
            content = sys.stdin.buffer.read(BODY_LIMIT + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(BODY_LIMIT + 1)
        return parse_object(content, what="report", source="RFC 8259")
    except OSError as exc:
        raise ConfigError(f"The report {path} cannot be read: {exc.strerror}", hint=MAKE_ONE) from exc
    except MalformedResponse as exc:
        raise ConfigError(exc.message, hint=MAKE_ONE) from exc


def _asked(settings: Settings) -> tuple[ProbeAnswer, ...]:
    """Ask the server, as far as the settings allow it."""
    try:
        client = _client(settings)
    except ConfigError as exc:
        return (ProbeAnswer("settings", "no", f"{exc.message.rstrip('.')}. {exc.hint}", "declared"),)

    async def ask() -> tuple[ProbeAnswer, ...]:
        async with Resources(network=client.provider.network) as resources:
            run = Driver(resources).run
            if not client.resource_server:
                return await run(probe(client, iter(new_attempt, None)))
            hosted: tuple[ProbeAnswer, ...] = ()
            if client.client_metadata is not None and (url := client.client_metadata.url):
                hosted = await run(probe_document(url, client.provider.redirect))
            answers, known = await run(probe_resource(client))
            if known is not None:
                answers += await run(probe(known, iter(new_attempt, None)))
            return (*hosted, *answers)

    if client.resource_server:
        tell(f"Asking {shown_url(client.resource_server)}. You do not have to approve anything.")
    elif client.client_id or client.provider.metadata.issuer:
        tell(f"Asking {settings.shown_name}: at most {LIMIT} requests; you do not have to approve anything.")
    missing: list[ProbeAnswer] = []
    if client.client_metadata is not None:
        pass  # It registers itself, if the server offers that.
    elif not client.client_id:
        because = f"There is none, so only what the server publishes was read. {settings.advice}".strip()
        missing.append(ProbeAnswer("client_id", "no", because, "declared"))
    elif needs_secret(settings):
        because = (
            "There is none. Set LOOPBACK_AUTH_CLIENT_SECRET, or client_secret in the configuration file."
        )
        missing.append(ProbeAnswer("client_secret", "no", because, "declared"))
    return (*missing, *asyncio.run(ask()))


def _client(settings: Settings) -> ClientConfig:
    """Describe the client, without what is missing: it can be asked about all the same."""
    completed = settings if registers(settings) else settings.completed({"client_id": "missing"}, "nobody")
    if needs_secret(settings):
        client = replace(client_config(completed.with_secret("missing")), client_secret=None)
    else:
        client = client_config(completed)
    return replace(client, client_id=settings.text("client_id") or "")


def _tell(
    circumstances: Circumstances,
    answers: tuple[ProbeAnswer, ...],
    options: argparse.Namespace,
    *,
    owner: tuple[str, str],
    advice: str = "",
    network: Sequence[NetworkSetting] = (),
) -> int:
    chosen = circumstances.plan()
    if options.json:
        rows = [
            {"what": one.what, "verdict": one.verdict, "because": one.because, "source": one.source}
            for one in answers
        ]
        harmless = [{"name": one.name, "value": one.harmless} for one in network]
        print_json(described(circumstances, rows, harmless, command=LOGIN_IN_CONTAINER))
    else:
        show(circumstances, chosen, answers, owner=owner, advice=advice, network=network)
    return 0 if chosen.routes else Unavailable.exit_code
