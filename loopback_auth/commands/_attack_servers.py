"""The part of the command `audit` that attacks a server of your own: who signs in, and at which server."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
from getpass import getpass

from loopback_auth.audit.attacking import LIMIT, attack
from loopback_auth.audit.servers.attacks.person import Person
from loopback_auth.cli import tell
from loopback_auth.commands._audit_servers import server_of
from loopback_auth.commands._report_output import check_outputs, deliver
from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

LONGEST = 4096
"""Bytes that a password file may have."""
_SECRET = re.compile(r"(?i)pass|pwd|secret|token|otp|pin$")


def add_attack_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags for attacks."""
    group = parser.add_argument_group(
        "attacks",
        "With --attack a simulated user signs in at ISSUER and approves, and what an attacker could do with "
        "the codes and tokens is tried. Only a server on this machine is attacked. Use an account for tests: "
        "its sign-ins are revoked, and wrong codes are typed. If the user cannot pass the login page, the "
        "report says where.",
    )
    group.add_argument("--attack", action="store_true", help="attack the server, which is on this machine")
    group.add_argument("--account", metavar="NAME", help="what the user types where a page asks who they are")
    group.add_argument(
        "--password-file",
        metavar="FILE",
        help="file with the user's password, readable by you alone; - is stdin; without it you are asked",
    )
    group.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="NAME=TEXT",
        help="what the user types into another field of a form, by its name; may be repeated",
    )
    group.add_argument(
        "--other-client-id",
        metavar="ID",
        help="a second public client with the same redirect URI; default: one is registered, where the "
        "server lets anyone do so, and deleted at the end",
    )


def attack_wanted(options: argparse.Namespace) -> bool:
    """Return whether the server is to be attacked.

    Raises:
        ConfigError: it is not, and a flag is about attacks.
    """
    if not options.attack:
        for name in ("account", "password_file", "field", "other_client_id"):
            if vars(options)[name]:
                flag = f"--{name.replace('_', '-')}"
                raise ConfigError(f"{flag} needs --attack.", hint=f"Add --attack, or leave {flag} out.")
    return bool(options.attack)


def attack_server(options: argparse.Namespace) -> int:
    """Attack one server, and return the exit status.

    Raises:
        ConfigError: no server is named, it is not on this machine, or a value cannot be used.
    """
    server = server_of(options)
    if not server.client.client_id:
        raise ConfigError(
            "A sign-in needs a client ID, and none is given.", hint="Give --client-id.", parameter="client_id"
        )
    outputs = check_outputs(options, kind="servers")
    fields = _fields(options.field)
    person = Person(options.account or "", _password(options), fields)
    tell(f"Attacking {server.name} with a simulated user: at most {LIMIT} requests.")
    comparison = asyncio.run(attack(server, person, other_client_id=options.other_client_id or ""))
    return deliver(comparison, outputs)


def _fields(pairs: Sequence[str]) -> dict[str, str]:
    fields = dict[str, str]()
    for pair in pairs:
        name, given, text = pair.partition("=")
        if not given or not name:
            raise ConfigError(f"--field {pair[:80]!a} is not NAME=TEXT.", hint="Write --field tenant=demo.")
        if _SECRET.search(name):
            raise ConfigError(
                f"The field {name[:80]!a} may be a secret, which other users could read in the command line.",
                hint="Give a password with --password-file; for other secrets use an account without them.",
            )
        fields[name] = text
    return fields


def _password(options: argparse.Namespace) -> str:
    """Return the password; empty where the user has none."""
    if options.password_file == "-":
        return sys.stdin.readline(LONGEST).rstrip("\r\n")
    if options.password_file is not None:
        return _read(options.password_file)
    if options.account and sys.stdin.isatty() and sys.stderr.isatty():
        try:
            return getpass(f"Password of {options.account} (empty: none): ", sys.stderr)
        except EOFError:
            return ""
    return ""


def _read(path: str) -> str:
    """Read the first line of a file that others cannot read.

    Raises:
        ConfigError: it cannot be read, or others can.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - its mode is looked at while it is open
            found = os.fstat(file.fileno())
            content = file.read(LONGEST + 1)
    except OSError as exc:
        raise ConfigError(
            f"The password file {path[:200]!a} cannot be read: {exc.strerror}.", hint="Check its path."
        ) from None
    if os.name == "posix" and stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
        raise ConfigError(
            f"Other users can read the password file {path[:200]!a}.", hint=f"Run: chmod 600 {path[:200]}"
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    first = text.partition("\n")[0].rstrip("\r")
    if len(content) > LONGEST or not first.isprintable():
        raise ConfigError(
            f"The password file {path[:200]!a} has no line of text.", hint="Write the password into it."
        )
    return first
