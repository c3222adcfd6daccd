"""Examine an authorization server, or the sign-in of a program, and grade it with reasons.

A server is asked what needs no approval: its metadata, and requests that it has to refuse. Codes and tokens
in them are made up, no password is sent, and at most 60 requests are made. A client is registered only by a
server that accepts a redirect URI which it must refuse; it is then asked to delete the client.

A server of your own, on this machine, can be attacked: --attack. A simulated user signs in and approves, and
what an attacker could do with codes, tokens and redirects is tried; see help servers.

A program is started with the demo server as its provider and a simulated browser: audit -- COMMAND. The
report says how the program listens, how it reacts to forged responses and to a server that breaks rules, and
what it leaves behind; see help programs.

Examples:
  python -m loopback_auth audit https://id.example
  python -m loopback_auth audit http://127.0.0.1:8080 --client-id ID -o report.html
  python -m loopback_auth audit github --client-id ID --json
  python -m loopback_auth audit http://127.0.0.1:8080 --client-id ID --attack --account ada
  python -m loopback_auth audit -- my-tool login --issuer {issuer} --client-id {client_id}
  python -m loopback_auth audit --recipe msal -o report.html

With --client-id more can be seen: what the server does with the redirect URIs and requests of that client. A
check whose result cannot be seen says so, and how to find out.
"""

from __future__ import annotations

from loopback_auth.cli.arguments import Parser, add_settings
from loopback_auth.commands._attack_servers import add_attack_arguments, attack_server, attack_wanted
from loopback_auth.commands._audit_programs import add_program_arguments, run_programs, wanted
from loopback_auth.commands._audit_servers import audit_server
from loopback_auth.commands._report_output import add_outputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

USAGE = "ISSUER | -- COMMAND [-o FILE] [options]"
SHOWN = ("issuer", "client_id", "scope", "port", "redirect_uri", "ca_file")
"""The settings that its help describes."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "provider", nargs="?", metavar="ISSUER", help="the server: its issuer, or a provider's name"
    )
    add_outputs(parser)
    add_attack_arguments(parser)
    add_program_arguments(parser)
    add_settings(parser, SHOWN)
    if isinstance(parser, Parser):
        parser.after_dashes = "commands"


def run(options: argparse.Namespace) -> int:
    """Examine the server, or try the programs, and write the result."""
    attacks = attack_wanted(options)
    if wanted(options):
        return run_programs(options)
    return attack_server(options) if attacks else audit_server(options)
