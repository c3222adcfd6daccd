"""List the providers that are known by name, or show one: what it needs, endpoints, differences, sources.

Examples:
  python -m loopback_auth providers
  python -m loopback_auth providers netlify
  python -m loopback_auth providers work            a table of your configuration file
"""

from __future__ import annotations

import os

from loopback_auth.cli import answer, print_json, print_table, tell
from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_list, is_object, is_tuple
from loopback_auth.settings import config_file, load_config, resolve
from loopback_auth.settings.config import provider_tables
from loopback_auth.settings.needs import needs_of
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.reading import suggestion
from loopback_auth.settings.setting import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


USAGE = "[PROVIDER] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="show all about this one")


def run(options: argparse.Namespace) -> int:
    """Show the user's own providers and the presets."""
    path = config_file(os.environ)
    known = _known(path)
    if options.provider and options.provider not in known:
        raise ConfigError(
            f"Unknown provider: {options.provider[:80]!a}", hint=suggestion(options.provider, known)
        )
    names = (options.provider,) if options.provider else tuple(known)
    shown = {
        name: {"title": known[name]["title"], "needs": _needs(name, path), **known[name]} for name in names
    }
    if options.json:
        print_json(shown)
        return 0
    if options.provider:
        print_table([(name, _text(value)) for name, value in shown[options.provider].items()])
        return 0
    width = max(map(len, shown)) + 2
    for name, row in shown.items():
        answer(f"{name:<{width}}{row['title']}: {row['needs']}\n{'':<{width}}{row['source']}\n")
    tell("What to register at one of them: python -m loopback_auth providers NAME")
    tell("To use one: python -m loopback_auth configure NAME")
    return 0


def _needs(name: str, path: str) -> str:
    settings = resolve(provider=name, flags={}, environ={}, config=load_config(path), config_path=path)
    return needs_of(settings)


def _known(path: str) -> dict[str, Mapping[str, object]]:
    """Return every provider by name: the user's own first, each with the preset that it extends."""
    presets = every_preset()
    own = {}
    for name, table in provider_tables(load_config(path), path).items():
        extended = presets.get(str(table.get("preset", name)), {})
        title = f"{extended.get('title', name)}, as in your configuration file"
        own[name] = {**extended, "title": title, "source": f"{path} [providers.{name}]", **_harmless(table)}
    return {**own, **{name: row for name, row in presets.items() if name not in own}}


def _harmless(table: Mapping[str, object]) -> dict[str, object]:
    hidden = {item.name for item in SETTINGS if item.secret}
    return {key: "set, hidden" if key in hidden else value for key, value in table.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_object(value):
        return " ".join(f"{key}={one}" for key, one in value.items())
    if is_list(value) or is_tuple(value):
        return " ".join(map(str, value))
    return str(value)
