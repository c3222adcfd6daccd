"""What the command `login` does once a browser is on its way and the link is shown: sign in, keep the tokens.

Everything slow is imported at the top, while the browser starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

# For keeping the tokens: then a person is waiting for the last page.
import filelock  # noqa: F401

import loopback_auth.store.kept  # noqa: F401
from loopback_auth.api import login
from loopback_auth.environment import started_here
from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.network.browser import Opening
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.plan.model import Plan
from loopback_auth.settings import Settings
from loopback_auth.signin.controls import Controls
from loopback_auth.store import FileTokenStore
from loopback_auth.terminal.terminal import Terminal


def sign_in(
    settings: Settings,
    chosen: Plan,
    *,
    terminal: Terminal,
    store: FileTokenStore,
    controls: Controls,
    bound: BoundRedirect | None,
    open_browser: Callable[[str], Opening],
    timeout: float | None,
    verbose: bool,
    confirms: bool,
) -> SignIn:
    """Sign in, and keep the tokens.

    Args:
        settings: of the sign-in.
        chosen: the flows, and when each begins.
        terminal: tells the person how it goes, and asks them.
        store: where the tokens are kept.
        controls: by which the person asks for another flow.
        bound: the redirect URI; None: there is none.
        open_browser: starts a browser on a URL, or says why not.
        timeout: seconds; None: as long as what the person is invited to is valid.
        verbose: show every exchange.
        confirms: ask whether the account is the right one.
    """

    async def ask(client: ClientConfig) -> SignIn:
        async with terminal.waiting(timeout):
            return await login(
                client,
                store=store,
                notify=terminal.notify,
                open_browser=open_browser,
                start_page=settings.switch("start_page") is not False,
                timeout=timeout,
                bound=bound,
                plan=chosen,
                controls=controls,
                message=settings.text("message") or started_here(),
                paste=terminal.paste,
                confirm=terminal.confirm if confirms else None,
                exchanges=verbose,
                alone=True,
            )

    return asyncio.run(_with_client(settings, terminal, ask))


async def _with_client(
    settings: Settings, terminal: Terminal, ask: Callable[[ClientConfig], Awaitable[SignIn]]
) -> SignIn:
    if not settings.is_demo:
        from loopback_auth.settings.configure import client_config

        return await ask(client_config(settings))
    from loopback_auth.commands.demo import demo_client, signing_server
    from loopback_auth.demo.serve import serve_demo

    async with serve_demo(server_factory=signing_server) as demo:
        terminal.also_forward(demo.issuer)
        return await ask(demo_client(demo.issuer, settings))
