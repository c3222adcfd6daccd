"""Choose the sign-in that other commands use when you name none; without NAME, show it.

The last sign-in is chosen automatically. A provider that LOOPBACK_AUTH_PROVIDER or the configuration file
names is used instead.

Examples:
  python -m loopback_auth use github
  python -m loopback_auth use
"""

from __future__ import annotations

from loopback_auth.cli import answer, print_json, tell
from loopback_auth.commands._kept import in_use, kept
from loopback_auth.commands._store import the_store
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


USAGE = "[NAME] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in")


def run(options: argparse.Namespace) -> int:
    """Choose one, or show which is chosen."""
    store = the_store()
    sign_in = kept(store, options.provider or "")
    if options.provider:
        store.choose(sign_in.name)
        tell(f"{sign_in.name} is in use now: token, logout and status mean it where no name is given.")
        meant = in_use(store)
        if meant != sign_in.name:
            text = f"The settings name {meant}, and they come first. Remove it from the settings."
            tell(Words.WARNING.format(text=text))
    if options.json:
        print_json({"name": sign_in.name, "account": sign_in.tokens.account})
    elif not options.provider:
        answer(f"{sign_in.name}\n")
    return 0
