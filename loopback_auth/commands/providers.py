"""List the providers that are known by name, or show one: endpoints, quirks, and the page that says so.

Examples:
  python -m loopback_auth providers
  python -m loopback_auth providers netlify
"""

from __future__ import annotations

from loopback_auth.cli import answer, print_json, print_table, tell
from loopback_auth.errors import ConfigError
from loopback_auth.settings.providers import PRESETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


USAGE = "[PROVIDER] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="show this one whole")


def run(options: argparse.Namespace) -> int:
    """Show the presets."""
    if options.provider and options.provider not in PRESETS:
        from loopback_auth.settings.reading import suggestion

        raise ConfigError(
            f"Unknown provider: {options.provider[:80]!a}", hint=suggestion(options.provider, PRESETS)
        )
    shown = {options.provider: PRESETS[options.provider]} if options.provider else dict(PRESETS)
    if options.json:
        print_json(shown)
        return 0
    if options.provider:
        print_table([(name, _text(value)) for name, value in shown[options.provider].items()])
        return 0
    width = max(map(len, shown)) + 2
    for name, preset in shown.items():
        answer(f"{name:<{width}}{preset['title']}\n{'':<{width}}{preset['source']}\n")
    tell("What to register at one of them: python -m loopback_auth providers NAME")
    return 0


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return " ".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)
