"""Show every value and where it comes from: flag, environment, file, preset or default.

Examples:
  python -m loopback_auth settings github
  python -m loopback_auth settings github --all
  LOOPBACK_AUTH_SCOPE=repo python -m loopback_auth settings github --json

Only values that are set are shown; --all shows the defaults too, and JSON has all of them. A client secret
is never shown, only whether there is one. Where the file is: help files.
"""

from __future__ import annotations

from loopback_auth.cli import print_json, print_table, settings_of, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.settings import DEFAULT
from loopback_auth.settings.setting import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.settings import Settings
    from loopback_auth.settings.setting import Setting


class ShownSetting:
    """One setting as it may be shown: `value` for programs, `shown` for people, and no secret in either."""

    __slots__ = ("is_set", "name", "origin", "shown", "value")

    def __init__(self, item: Setting, settings: Settings) -> None:
        value = settings.get(item.name)
        self.name: str = item.name
        self.origin: str = settings.origin(item.name)
        self.is_set: bool = self.origin != DEFAULT
        self.shown: str = item.shown(value)
        self.value: object = self.shown if item.secret and value is not None else value


USAGE = "[PROVIDER] [options]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="whose settings")
    parser.add_argument("--all", action="store_true", help="also show the values that are not set")
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Show the settings."""
    settings = settings_of(options)
    rows = [ShownSetting(item, settings) for item in SETTINGS]
    if options.json:
        print_json({row.name: {"value": row.value, "origin": row.origin} for row in rows})
        return 0
    chosen = [row for row in rows if row.is_set]
    others = [row for row in rows if not row.is_set]
    shown = [*chosen, *others] if options.all else chosen
    if shown:
        print_table([("setting", "value", "from"), *((row.name, row.shown, row.origin) for row in shown)])
    if not options.all:
        which = f"The other {len(others)}" if chosen else f"Nothing is set: all {len(others)}"
        tell(f"{which} settings have their defaults; --all shows them.")
    return 0
