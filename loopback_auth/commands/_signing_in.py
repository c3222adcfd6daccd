"""What the command `login` does once a browser is on its way and the link is shown: sign in, keep the tokens.

Everything slow is imported at the top, while the browser starts.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

# For keeping the tokens: then a person is waiting for the last page.
import filelock  # noqa: F401  # pyright: ignore[reportUnusedImport]

import loopback_auth.sign_in_format  # noqa: F401  # pyright: ignore[reportUnusedImport]
from loopback_auth.commands._program import COMMAND_LINE
from loopback_auth.commands._second_account import kept_beside
from loopback_auth.environment import is_terminal, started_here
from loopback_auth.model import ClientConfig
from loopback_auth.network.browser import open_browser
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.plan.derived_signals import derived_signals
from loopback_auth.plan.facts import facts_of
from loopback_auth.plan.model import LIKELY, NO, YES, Plan
from loopback_auth.settings import Settings
from loopback_auth.signin import session
from loopback_auth.signin.controls import Controls
from loopback_auth.signin.planning import surroundings_of
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.terminal.messages import Messages
from loopback_auth.terminal.terminal import Terminal
from loopback_auth.tokens import SignIn


def sign_in(
    options: argparse.Namespace,
    settings: Settings,
    plan: Plan,
    messages: Messages,
    *,
    store: FileTokenStore,
    unkept: TokenStore | None = None,
    bound: BoundRedirect | None,
    timeout: float | None,
) -> SignIn:
    """Sign in, keep the tokens, and say so.

    Args:
        options: of the command: whether to show every exchange, and to ask whose account it is.
            `replaced` becomes the account whose sign-in was replaced.
        settings: of the sign-in.
        plan: the flows, and when each begins.
        messages: shows the events; the link is shown already.
        store: where sign-ins are kept.
        unkept: takes the tokens in its place; None: they are kept.
        bound: the redirect URI; None: there is none.
        timeout: seconds; None: as long as what the person is invited to is valid.
    """
    controls = Controls()
    terminal = Terminal(
        messages, controls=controls, open_browser=open_browser if _may_open(settings, plan) else None
    )

    async def beside(before: SignIn, new: SignIn) -> SignIn:
        asks = is_terminal(sys.stdin) and not (options.yes or options.json)
        named = await kept_beside(before, new, store=store, agrees=terminal.agrees if asks else None)
        options.replaced = before.account if named.name == before.name else None
        return named

    async def signed_in() -> SignIn:
        async with _client_of(settings, messages) as client, terminal.waiting(timeout):
            return await session.sign_in(
                client,
                plan,
                notify=terminal.notify,
                store=unkept or store,
                start_page=settings.switch("start_page") is not False,
                timeout=timeout,
                bound=bound,
                controls=controls,
                message=settings.text("message") or started_here(COMMAND_LINE.resolved_words()),
                program=COMMAND_LINE,
                paste=terminal.paste,
                confirm=None if options.yes else terminal.confirm,
                beside=beside,
                exchanges=options.verbose,
            )

    done = asyncio.run(signed_in())
    terminal.done(done, "" if unkept is not None else store.path(done.name))
    return done


@asynccontextmanager
async def _client_of(settings: Settings, messages: Messages) -> AsyncGenerator[ClientConfig]:
    """Yield the client of the settings; the demonstration server runs for as long as the block lasts."""
    if not settings.is_demo:
        from loopback_auth.settings.configure import client_config  # Start-up.

        yield client_config(settings)
        return
    from loopback_auth.commands.demo import demo_client, signing_server  # Start-up.
    from loopback_auth.demo.serve import serve_demo

    async with serve_demo(server_factory=signing_server) as demo:
        messages.also_forward(demo.issuer)
        yield demo_client(demo.issuer, settings)


def _may_open(settings: Settings, plan: Plan) -> bool:
    """Return whether a browser could be opened if the person wants one after all."""
    seen = surroundings_of(settings)
    level = facts_of(seen, derived_signals(seen), {}).opens.level
    return plan.opens or level in (YES, LIKELY) or (level != NO and bool(seen.openers))
