"""Print the metadata document of the client, for you to host: its URL then is the client ID.

A server that reads such documents, as many MCP servers do, needs no registration. With a private key the
document has the public one, with which the server checks what the client signs.

Examples:
  python -m loopback_auth client-metadata --client-metadata-url https://tool.example/client.json
  python -m loopback_auth client-metadata --client-metadata-url https://tool.example/client.json --check

--check fetches the document that is hosted, checks it as a server does, and compares it with the one that
would be printed; the exit status is 5 when servers would refuse it. More: help resources.
"""

from __future__ import annotations

import asyncio
import json

from loopback_auth.cli import answer, print_json, print_table, settings_of, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.commands._program import COMMAND_LINE
from loopback_auth.doctor.document_probe import fetch_document
from loopback_auth.errors import ConfigError, ProtocolError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.client_id_document import (
    check_client_id_document,
    check_client_id_url,
    client_id_document,
)
from loopback_auth.protocol.json import object_or_none
from loopback_auth.protocol.registration import public_key
from loopback_auth.settings.configure import redirect_in
from loopback_auth.settings.network import check_network, network_of
from loopback_auth.settings.private_key import private_key_of
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.resources import Resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from loopback_auth.settings import Settings


USAGE = "[PROVIDER] --client-metadata-url URL [--client-name NAME] [--check] [options]"
SHOWN = (
    "client_metadata_url",
    "client_name",
    "private_key_file",
    "redirect_uri",
    "port",
    "ca_file",
    "client_cert",
    "client_key",
    "allow_private",
)
"""The settings that are used here."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="a table of the configuration file")
    parser.add_argument("--check", action="store_true", help="fetch the hosted document, and check it")
    add_settings(parser, SHOWN, others=False)


def run(options: argparse.Namespace) -> int:
    """Print the document, or check the one that is hosted."""
    settings = settings_of(options)
    url = settings.text("client_metadata_url")
    if not url:
        raise ConfigError(
            "There is no address for the document.",
            hint="Give the https address where you will host it with --client-metadata-url.",
            parameter="client_metadata_url",
        )
    document = _document(url, settings)
    if options.check:
        return _check(url, document, settings, as_json=options.json)
    answer(json.dumps(document, indent=2) + "\n")
    return 0


def _document(url: str, settings: Settings) -> dict[str, object]:
    metadata = ClientMetadata(settings.text("client_name") or COMMAND_LINE.name, url=check_client_id_url(url))
    private_key = private_key_of(settings)
    jwks = None if private_key is None else {"keys": [public_key(private_key)]}
    return client_id_document(metadata, redirect_in(settings), jwks=jwks)


def _check(url: str, document: Mapping[str, object], settings: Settings, *, as_json: bool) -> int:
    check_network(settings)
    tell(f"Fetching {url}.")
    hosted = asyncio.run(_fetched(url, settings))
    flaws = check_client_id_document(url, hosted, redirect_in(settings))
    there = object_or_none(hosted.body) or {}
    others = [name for name in document if there.get(name) != document[name]]
    refused = any(flaw.must for flaw in flaws)
    if as_json:
        rows = [{"text": flaw.text, "must": flaw.must, "source": flaw.source} for flaw in flaws]
        print_json({"url": url, "accepted": not refused, "flaws": rows, "differs": others})
    else:
        if flaws:
            print_table([("refused" if flaw.must else "note", flaw.text, flaw.source) for flaw in flaws])
        if others:
            tell(f"It differs from the document that this command prints in: {', '.join(others)}.")
        if not refused:
            tell("Servers that know such documents accept it.")
    return ProtocolError.exit_code if refused else 0


async def _fetched(url: str, settings: Settings) -> HttpResponse:
    async with Resources(network=network_of(settings)) as resources:
        return await Driver(resources).run(fetch_document(url))
