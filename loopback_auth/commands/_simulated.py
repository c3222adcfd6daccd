"""A simulated person signs in to the built-in demonstration, where nobody can be asked or nobody shall be.

Imported by the command `login` when that was decided, so that what costs is imported at the top.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loopback_auth.api import login
from loopback_auth.commands.demo import demo_client, signing_server
from loopback_auth.demo.serve import run_agent, serve_demo
from loopback_auth.events import Event
from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.network.browser import Opening
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.plan.model import Plan
from loopback_auth.settings import Settings
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.terminal.simulated import Narrator

PATIENCE = 60.0
"""Seconds for a simulated person; nobody is waited for, but a device code is asked for only every five."""


def simulated_sign_in(
    settings: Settings,
    chosen: Plan,
    *,
    store: FileTokenStore,
    bound: BoundRedirect | None,
    timeout: float | None,
    message: str,
    verbose: bool,
) -> SignIn:
    """Serve the demonstration, have a simulated person sign in to it, and tell what happens.

    Args:
        settings: of the demonstration.
        chosen: the flow, and why nobody is asked.
        store: where the sign-in is kept.
        bound: the redirect URI.
        timeout: seconds; None: as long as it takes a simulated person.
        message: for the approval page of a ticket.
        verbose: show every exchange.
    """
    narrator = Narrator(chosen.simulated, verbose=verbose)
    narrator.begin()

    async def sign_in() -> SignIn:
        async with serve_demo(server_factory=signing_server) as demo:
            return await simulated_login(
                demo_client(demo.issuer, settings, simulated_person=True),
                chosen,
                store=store,
                notify=narrator.notify,
                bound=bound,
                timeout=timeout,
                message=message,
                exchanges=verbose,
            )

    return asyncio.run(sign_in())


class SimulatedPerson:
    """Opens links and approves what they lead to; `failure` ends with what went wrong, if anything does."""

    def __init__(self) -> None:
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._walks: set[asyncio.Task[object]] = set()

    def open(self, url: str) -> Opening:
        """Set off, as a browser that is started does."""
        walk: asyncio.Task[object] = asyncio.create_task(run_agent(url))
        self._walks.add(walk)
        walk.add_done_callback(self._arrived)
        return Opening(program="a simulated browser")

    async def leave(self) -> None:
        """Close the browser."""
        for walk in self._walks:
            walk.cancel()
        await asyncio.gather(*self._walks, return_exceptions=True)
        self.failure.cancel()

    def _arrived(self, walk: asyncio.Task[object]) -> None:
        if not walk.cancelled() and (error := walk.exception()) and not self.failure.done():
            self.failure.set_exception(error)


async def simulated_login(
    client: ClientConfig,
    plan: Plan,
    *,
    store: TokenStore,
    notify: Callable[[Event], None],
    bound: BoundRedirect | None,
    timeout: float | None,  # noqa: ASYNC109 - also part of the messages, as in `login`
    message: str,
    exchanges: bool,
) -> SignIn:
    """Sign a simulated person in; the arguments are those of `login`.

    Raises:
        LoopbackAuthError: as of `login`, and what went wrong in the simulated browser.
    """
    person = SimulatedPerson()
    if bound is not None and plan.start_page:
        bound.opening = person.open(bound.start_url)
    signing_in = asyncio.create_task(
        login(
            client,
            store=store,
            notify=notify,
            open_browser=person.open,
            start_page=plan.start_page,
            timeout=timeout or PATIENCE,
            bound=bound,
            plan=plan,
            message=message,
            exchanges=exchanges,
            alone=True,
        )
    )
    try:
        await asyncio.wait((signing_in, person.failure), return_when=asyncio.FIRST_COMPLETED)
        if not signing_in.done():
            person.failure.result()
        return await signing_in
    finally:
        signing_in.cancel()
        await asyncio.gather(signing_in, return_exceptions=True)
        await person.leave()
