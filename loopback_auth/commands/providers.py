"""List the providers that are known by name, or show one: endpoints, quirks, and the page that says so.

python -m loopback_auth providers
python -m loopback_auth providers netlify
"""

from __future__ import annotations

from loopback_auth.cli import print_json
from loopback_auth.errors import ConfigError
from loopback_auth.providers import PRESETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="show this one whole")


def run(options: argparse.Namespace) -> int:
    """Show the presets."""
    if options.provider and options.provider not in PRESETS:
        from loopback_auth.config import suggestion

        raise ConfigError(
            f"Unknown provider: {options.provider[:80]!a}", hint=suggestion(options.provider, PRESETS)
        )
    shown = {options.provider: PRESETS[options.provider]} if options.provider else dict(PRESETS)
    if options.json:
        print_json(shown)
        return 0
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    if options.provider:
        table = Table(show_header=False, box=None, pad_edge=False)
        for name, value in shown[options.provider].items():
            table.add_row(name, _text(value))
    else:
        table = Table("name", "provider", "to know", box=None, pad_edge=False)
        for name, preset in shown.items():
            table.add_row(name, _text(preset["title"]), _text(preset["note"]))
    console.print(table)
    return 0


def _text(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)
