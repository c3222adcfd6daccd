"""Sign in with the browser, and keep the tokens.

The browser is started first and everything slow is imported while it starts. PROVIDER is a name from
`python -m loopback_auth providers`, a table of your configuration file, or an issuer that starts with
https://. Without any, the built-in demonstration server signs you in: no account needed.

Examples:
  python -m loopback_auth login
  python -m loopback_auth login --no-browser        only show the link
  python -m loopback_auth login github --client-id ID
  python -m loopback_auth login https://id.example --client-id ID --scope openid
  python -m loopback_auth login netlify --client-id ID --flow ticket
  python -m loopback_auth login google --client-id ID --flow device

A client secret comes from LOOPBACK_AUTH_CLIENT_SECRET, the configuration file, or a prompt.
"""

from __future__ import annotations

import os
import sys

from loopback_auth.arguments import add_settings
from loopback_auth.cli import print_json, settings_of
from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.folders import data_folder
from loopback_auth.settings import needs_secret, redirect_of
from loopback_auth.shell.browser import Opening, open_browser
from loopback_auth.shell.loopback import BoundRedirect, bind
from loopback_auth.shell.terminal import Terminal
from loopback_auth.store import FileTokenStore, sign_in_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.model import ClientConfig, SignIn
    from loopback_auth.settings import Settings


USAGE = "[PROVIDER] [--client-id ID] [options]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    import argparse

    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="who to sign in with")
    parser.add_argument("--verbose", "-v", action="store_true", help="show every request, secrets labelled")
    parser.add_argument(
        "--yes", "-y", action="store_true", help="keep the sign-in without asking whose it is"
    )
    parser.add_argument(
        "--qr", action=argparse.BooleanOptionalAction, help="draw links for a phone to read; unset: as needed"
    )
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Sign in."""
    settings = settings_of(options)
    store = FileTokenStore(data_folder(os.environ))
    if _somebody_else_could_have_approved(settings) and not (options.yes or sys.stdin.isatty()):
        raise ConfigError(
            f"With --flow {settings.text('flow')} anybody could approve: somebody has to look at the account,"
            " and there is nobody to ask.",
            hint="Run this in a terminal, or add --yes to keep whatever account it turns out to be.",
        )
    if not settings.is_demo:
        _check_same_client(settings, store)
        settings = _complete(settings)
    store.check_writable()
    bound = bind(*redirect_of(settings))
    try:
        terminal = Terminal(
            settings.name,
            authority=bound.authority,
            verbose=options.verbose,
            qr=options.qr,
            pasting=settings.text("flow") == "paste",
        )
        opening = None
        if settings.switch("start_page") and settings.text("flow") != "paste":
            opening = _open(settings, bound.start_url)
            terminal.link(bound.start_url, program=opening.program, why_not=opening.why_not)
        sign_in = _sign_in(
            settings,
            bound,
            opening,
            store,
            terminal,
            verbose=options.verbose,
            ask=_somebody_else_could_have_approved(settings) and not options.yes,
        )
    finally:
        bound.close()
    terminal.done(sign_in, store.path(sign_in.name))
    if options.json:
        from loopback_auth.commands.status import described

        print_json(described(sign_in))
    return 0


def _complete(settings: Settings) -> Settings:
    """Ask for a missing secret where there is somebody to ask; refuse at once what cannot work."""
    from loopback_auth.settings.configure import check_settings

    if needs_secret(settings) and settings.text("client_id") and sys.stdin.isatty():
        from getpass import getpass

        try:
            secret = getpass(f"Client secret for {settings.name}: ", sys.stderr)
        except EOFError:
            secret = ""
        settings = settings.with_secret(secret.strip())
    check_settings(settings)
    return settings


def _check_same_client(settings: Settings, store: FileTokenStore) -> None:
    """Refuse to put one client's tokens in place of another's that go by the same name.

    Read off the file itself: building a `SignIn` imports dataclasses, and would keep the browser waiting.

    Raises:
        ConfigError: another client, or a client of another server, is signed in under this name.
    """
    import json

    from loopback_auth.store.private_files import read_private

    name = sign_in_name(settings.name)
    try:
        content = read_private(store.path(name))
        kept = json.loads(content) if content is not None else {"metadata": {}}
        known = {**kept["metadata"], "client_id": kept.get("client_id")}
    except (StoreError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return  # A damaged file is set aside when the new one is kept.
    for place in ("client_id", "issuer", "token_endpoint"):
        asked, there = settings.text(place), known.get(place)
        if asked and there and asked != there and there != settings.text("allowed_issuer"):
            raise ConfigError(
                f"{name} is signed in already, by another client: {ascii(there)[1:-1][:120]}",
                hint=f"Sign out first: python -m loopback_auth logout {name}. Or give the new one a name: a "
                "table [providers.NAME] in the configuration file.",
            )


def _somebody_else_could_have_approved(settings: Settings) -> bool:
    """Tell whether nothing but the look of the account shows that the one who began also approved.

    Source: RFC 6749 §10.16; RFC 8628 §5.4.
    """
    return settings.text("flow") in ("ticket", "device", "token")


def _open(settings: Settings, url: str) -> Opening:
    if settings.text("flow") == "paste":
        return Opening(why_not="it is on another machine")
    return open_browser(url) if settings.switch("browser") else Opening(why_not="--no-browser was given")


def _sign_in(
    settings: Settings,
    bound: BoundRedirect,
    opening: Opening | None,
    store: FileTokenStore,
    terminal: Terminal,
    *,
    verbose: bool,
    ask: bool,
) -> SignIn:
    # The browser is on its way; from here on imports may cost. The last two are for keeping the tokens: then
    # a person is waiting for the last page.
    import asyncio

    import filelock  # noqa: F401

    import loopback_auth.store.kept  # noqa: F401
    from loopback_auth.api import login
    from loopback_auth.shell.driver import watch

    flow = settings.text("flow") or "code"
    # A ticket or a device code says itself how long it lives, unless the person has less patience.
    lives = flow in ("ticket", "device") and settings.origin("timeout") == "default"
    timeout = None if lives else settings.seconds("timeout")

    async def sign_in(client: ClientConfig) -> SignIn:
        if opening is not None:
            watch(opening, terminal.notify)
        async with terminal.waiting(timeout):
            return await login(
                client,
                store=store,
                notify=terminal.notify,
                open_browser=lambda url: _open(settings, url),
                start_page=settings.switch("start_page") is not False,
                timeout=timeout,
                bound=bound,
                flow=flow,
                message=settings.text("message") or _message(),
                paste=terminal.paste if flow == "paste" else None,
                confirm=terminal.confirm if ask else None,
                exchanges=verbose,
            )

    async def main() -> SignIn:
        if not settings.is_demo:
            from loopback_auth.settings.configure import client_config

            return await sign_in(client_config(settings))
        from loopback_auth.commands.demo import demo_client, signing_server
        from loopback_auth.demo.serve import serve_demo

        async with serve_demo(server_factory=signing_server) as demo:
            terminal.also_forward(demo.issuer)
            return await sign_in(demo_client(demo.issuer, settings))

    return asyncio.run(main())


def _message() -> str:
    """Say on the approval page what only the person who began can know: when, and on which machine."""
    import socket
    import time

    return f"loopback_auth, started at {time.strftime('%H:%M')} on {socket.gethostname()}"
