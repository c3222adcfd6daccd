"""Show every effective value and where it comes from: flag, environment, file, preset or default.

Examples:
  python -m loopback_auth settings github
  LOOPBACK_AUTH_SCOPE=repo python -m loopback_auth settings github --json

The file is config.toml in the folder of your settings, such as ~/.config/loopback_auth, or in the one that
LOOPBACK_AUTH_CONFIG_DIR names. A client secret is never shown, only whether there is one.
"""

from __future__ import annotations

from loopback_auth.arguments import add_settings
from loopback_auth.cli import print_json, print_table, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


USAGE = "[PROVIDER] [options]"


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
    else:
        print_table([("setting", "value", "from"), *rows])
    return 0
