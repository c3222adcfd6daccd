"""Choose the sign-in that other commands use when you name none; without NAME, show it.

The last sign-in is chosen automatically. A provider that LOOPBACK_AUTH_PROVIDER or the configuration file
names comes first; of several accounts at that provider the chosen one is used.

Examples:
  python -m loopback_auth use github
  python -m loopback_auth use github-work         after: login github --as work
  python -m loopback_auth use
"""

from __future__ import annotations

import os

from loopback_auth.cli import answer, print_json, tell
from loopback_auth.commands import the_store
from loopback_auth.commands._accounts import provider_of
from loopback_auth.commands._kept import in_use, kept
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.tokens import SignIn


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
    meant = in_use(store)
    if options.provider:
        _say(sign_in, meant)
    if options.json:
        account = {"name": sign_in.name, "provider": provider_of(sign_in), "account": sign_in.tokens.account}
        print_json({**account, "in_use": meant == sign_in.name})
    elif not options.provider:
        answer(f"{sign_in.name}\n")
    return 0


def _say(sign_in: SignIn, meant: str) -> None:
    if meant == sign_in.name:
        tell(f"{sign_in.name} is in use now: commands mean it where no name is given.")
        return
    source = KeptSettings(os.environ).naming()
    text = (
        f"{sign_in.name} is chosen, but not in use: {source} names {meant}, which comes first. Remove "
        f"that, or name {sign_in.name} in each command."
    )
    tell(Words.WARNING.format(text=text))
