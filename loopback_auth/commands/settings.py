"""Show every effective value and where it comes from: flag, environment, file, preset or default.

python -m loopback_auth settings github
LOOPBACK_AUTH_SCOPE=repo python -m loopback_auth settings github --client-id ID --json
"""

from __future__ import annotations

from loopback_auth.cli import add_settings, print_json, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="whose settings")
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Show the settings."""
    settings = settings_of(options)
    rows = settings.rows()
    if options.json:
        print_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False).print(table)
    return 0
