"""Sign in with the browser, and keep the tokens.

The browser is started first and everything slow is imported while it starts. PROVIDER is a name from
`python -m loopback_auth providers`, a table of your configuration file, or an issuer that starts with
https://. Without any, the built-in demonstration server signs you in: no account needed.

  python -m loopback_auth login
  python -m loopback_auth login github --client-id ID
  python -m loopback_auth login https://id.example --client-id ID --scope "openid email"
  python -m loopback_auth login --no-browser          only show the link

A client secret comes from LOOPBACK_AUTH_CLIENT_SECRET, the configuration file, or a prompt.
"""

from __future__ import annotations

import os
import sys

from loopback_auth.cli import add_settings, print_json, settings_of
from loopback_auth.errors import ConfigError
from loopback_auth.folders import data_folder
from loopback_auth.settings import needs_secret, redirect_of
from loopback_auth.shell.browser import Opening, open_browser
from loopback_auth.shell.loopback import BoundRedirect, bind
from loopback_auth.shell.terminal import Terminal
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.model import ClientConfig, SignIn
    from loopback_auth.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="who to sign in with")
    parser.add_argument("--verbose", "-v", action="store_true", help="show every request, secrets labelled")
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Sign in."""
    settings = settings_of(options)
    if not settings.is_demo:
        settings = _complete(settings)
    store = FileTokenStore(data_folder(os.environ))
    store.check_writable()
    host, ports, path = redirect_of(settings)
    bound = bind(host, ports, path)
    try:
        terminal = Terminal(settings.name, verbose=options.verbose)
        opening = None
        if settings.switch("start_page"):
            opening = _open(settings, bound.start_url)
            terminal.link(bound.start_url, program=opening.program, why_not=opening.why_not)
        sign_in = _sign_in(settings, bound, opening, store, terminal)
    finally:
        bound.close()
    terminal.done(sign_in, store.path(sign_in.name))
    if options.json:
        from loopback_auth.commands.status import described

        print_json(described(sign_in))
    return 0


def _complete(settings: Settings) -> Settings:
    """Ask for a missing secret where there is somebody to ask; refuse at once what cannot work."""
    if needs_secret(settings) and settings.text("client_id") and sys.stdin.isatty():
        from getpass import getpass

        settings = settings.with_secret(getpass(f"Client secret for {settings.name}: ", sys.stderr))
    if not settings.text("client_id") or needs_secret(settings):
        from loopback_auth.configure import client_config

        client_config(settings)
        raise ConfigError(f"The settings for {settings.name} are incomplete.")
    return settings


def _open(settings: Settings, url: str) -> Opening:
    return open_browser(url) if settings.switch("browser") else Opening(why_not="--no-browser was given")


def _sign_in(
    settings: Settings,
    bound: BoundRedirect,
    opening: Opening | None,
    store: FileTokenStore,
    terminal: Terminal,
) -> SignIn:
    # The browser is on its way; from here on imports may cost.
    import asyncio

    from loopback_auth.api import login
    from loopback_auth.shell.driver import watch

    async def sign_in(client: ClientConfig) -> SignIn:
        if opening is not None:
            watch(opening, terminal.notify)
        async with terminal.waiting(settings.seconds("timeout")):
            return await login(
                client,
                store=store,
                notify=terminal.notify,
                open_browser=lambda url: _open(settings, url),
                start_page=settings.switch("start_page") is not False,
                timeout=settings.seconds("timeout"),
                bound=bound,
            )

    async def main() -> SignIn:
        if not settings.is_demo:
            from loopback_auth.configure import client_config

            return await sign_in(client_config(settings))
        from loopback_auth.commands.demo import demo_client, signing_server
        from loopback_auth.demo.serve import serve_demo

        async with serve_demo(server_factory=signing_server) as demo:
            terminal.also_forward(demo.issuer)
            return await sign_in(demo_client(demo.issuer, settings))

    return asyncio.run(main())
