"""Write the table of a provider into your configuration file, by questions or by flags.

NAME is a provider from `python -m loopback_auth providers`, which needs little more than your client ID, or
a short name for a server of your own. At a terminal you are asked for what is missing, and told what to
register; with flags nothing is asked. Everything else in the file stays as it is, with its comments.

Examples:
  python -m loopback_auth configure
  python -m loopback_auth configure github --client-id ID
  python -m loopback_auth configure work --issuer https://id.example --client-id ID --default
  python -m loopback_auth configure work --with-secret < secret.txt
  python -m loopback_auth configure work --hosts git.example.com,registry.example.com:5050
  python -m loopback_auth configure work --unset scope
  python -m loopback_auth configure --list
  python -m loopback_auth configure work --remove

A client secret is typed at a prompt or read from stdin, never given as a flag; then only you can read the
file. With --check the server is asked for its metadata before anything is written.
"""

from __future__ import annotations

import asyncio
import os
import sys

from loopback_auth.cli import print_json, print_table, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.commands._asking import ask
from loopback_auth.commands._provider_questions import ask_table
from loopback_auth.commands._provider_table import ask_server, checked_name, checked_settings
from loopback_auth.environment import is_terminal
from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_name
from loopback_auth.settings import config_file, load_config, needs_secret
from loopback_auth.settings.config import provider_tables
from loopback_auth.settings.needs import known_needs, needs_of
from loopback_auth.settings.presets import every_preset, preset_name
from loopback_auth.settings.setting import SETTINGS
from loopback_auth.settings.writing import remove_provider, set_provider
from loopback_auth.terminal.secret import ask_client_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

USAGE = "[NAME] [--client-id ID] [--with-secret] [--check] [--default] [--list] [--remove] [options]"
SHOWN = ("issuer", "resource_server", "domain", "client_id", "scope", "redirect_uri", "client_auth", "flow")
"""The settings that its help describes."""
FOR_TOOLS = {"hosts": "--hosts", "token_username": "--token-username"}
"""Keys of a table alone that have a flag here."""
SECRET_LIMIT = 4096


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="a known provider, or a name of your own")
    parser.add_argument("--preset", metavar="PROVIDER", help="the known provider that NAME extends")
    parser.add_argument(
        "--with-secret", action="store_true", help="ask for the client secret, or read it from stdin"
    )
    parser.add_argument(
        "--unset", action="append", default=[], metavar="KEY", help="remove a key; may be repeated"
    )
    parser.add_argument(
        "--hosts", action="append", metavar="HOSTS", help="hosts whose tools get the token (help helpers)"
    )
    parser.add_argument("--token-username", metavar="NAME", help="the user name that these tools get with it")
    parser.add_argument("--default", action="store_true", help="use NAME when no provider is named")
    parser.add_argument("--check", action="store_true", help="ask the server for its metadata first")
    parser.add_argument("--list", action="store_true", help="show the providers in the file")
    parser.add_argument("--remove", action="store_true", help="remove the table of NAME")
    add_settings(parser, SHOWN)


def run(options: argparse.Namespace) -> int:
    """Write, list or remove."""
    path = config_file(os.environ)
    config = load_config(path)
    tables: Mapping[str, Mapping[str, object]] = provider_tables(config, path) if config else {}
    if options.list:
        return _list(path, config, tables, as_json=options.json)
    if options.remove:
        return _remove(path, options.provider or "", tables, as_json=options.json)
    values = _given(options)
    writes = bool(values or options.default)
    checks_alone = options.check and options.provider in tables and not writes
    asks = not (writes or checks_alone or options.json) and is_terminal(sys.stdin)
    name = checked_name(options.provider or (_ask_name(tables) if asks else ""), tables)
    table: Mapping[str, object] = tables.get(name, {})
    if asks:
        values = ask_table(name, table)
    elif not (writes or checks_alone):
        raise ConfigError(
            f"Nothing is given that could be written for {name}.",
            hint="Give --client-id, for example, or run this in a terminal, which asks.",
        )
    settings = checked_settings(name, table, values, config, path)
    if options.check:
        tell(asyncio.run(ask_server(settings)))
    if not checks_alone:
        set_provider(path, name, values, default=options.default)
    if options.json:
        print_json({"provider": name, "file": path, "keys": sorted(values), "needs": needs_of(settings)})
    elif not checks_alone:
        tell(f"Written: {path} [providers.{name}]")
        if needs_secret(settings):
            add = f"python -m loopback_auth configure {name} --with-secret"
            tell(f"It needs: {needs_of(settings)}. Add the secret: {add}")
        tell(f"Sign in: python -m loopback_auth login {name}")
    return 0


def _given(options: argparse.Namespace) -> dict[str, object]:
    """Return the values of the flags, as keys of a table; None: to be removed."""
    values: dict[str, object] = {}
    for item in SETTINGS:
        flag = item.flag or FOR_TOOLS.get(item.name, "")
        if flag and (raw := getattr(options, item.name)) is not None:
            values[item.name] = item.read(raw, f"flag {flag}")
    if options.preset is not None:
        values["preset"] = options.preset
    for key in options.unset:
        if key not in {"preset", *(item.name for item in SETTINGS)}:
            raise ConfigError(
                f"There is no key {ascii(key)[:80]}.", hint="See python -m loopback_auth help files."
            )
        values[key] = None
    if options.with_secret:
        values["client_secret"] = _secret(options.provider or "")
    return values


def _secret(name: str) -> str:
    asks = is_terminal(sys.stdin)
    secret = ask_client_secret(name) if asks else sys.stdin.readline(SECRET_LIMIT + 1).strip()
    if len(secret) > SECRET_LIMIT:
        raise ConfigError(
            f"The client secret is longer than {SECRET_LIMIT} characters.",
            hint="Look whether the first line of stdin has the secret, and nothing else.",
        )
    if not secret:
        raise ConfigError(
            "No client secret was given.", hint="Type it, or let stdin have it as its first line."
        )
    return secret


def _ask_name(tables: Mapping[str, object]) -> str:
    known = {name: known_needs(name) for name in every_preset()}
    if tables:
        tell(f"In your configuration file: {', '.join(tables)}")
    for needs in dict.fromkeys(known.values()):
        tell(f"Known, {needs}: {', '.join(name for name in known if known[name] == needs)}")
    return ask(
        "Which provider (one of these, or a short name for a server of your own)?",
        lambda answer: "" if is_name(answer) else "Use a-z, 0-9, dot, underscore and hyphen.",
    )


def _list(
    path: str, config: Mapping[str, object], tables: Mapping[str, Mapping[str, object]], *, as_json: bool
) -> int:
    rows = [_described(name, config, path) for name in tables]
    if as_json:
        print_json({"file": path, "default": config.get("provider"), "providers": rows})
    elif rows:
        keys = ("name", "preset", "client_id", "secret")
        shown = [tuple(str(row[key] or "-") for key in keys) for row in rows]
        print_table([("name", "extends", "client ID", "secret"), *shown])
        if default := config.get("provider"):
            tell(f"Used when none is named: {default}")
    else:
        tell(f"There is no provider in {path}.\n  what to do: Add one: python -m loopback_auth configure")
    return 0


def _described(name: str, config: Mapping[str, object], path: str) -> dict[str, object]:
    table = provider_tables(config, path)[name]
    secret = "in the file" if "client_secret" in table else ""
    return {
        "name": name,
        "preset": preset_name(name, table) or None,
        "client_id": table.get("client_id"),
        "secret": secret or None,
    }


def _remove(path: str, name: str, tables: Mapping[str, object], *, as_json: bool) -> int:
    if name not in tables:
        there = f"it has: {', '.join(tables)}" if tables else "it has none"
        raise ConfigError(
            f"There is no provider {ascii(name)[:80]} in {path}; {there}.", hint="Look with --list."
        )
    was_default = load_config(path).get("provider") == name
    remove_provider(path, name)
    if as_json:
        print_json({"provider": name, "file": path, "removed": True})
    else:
        tell(f"Removed: {path} [providers.{name}]{', and provider, which named it' if was_default else ''}")
    return 0
