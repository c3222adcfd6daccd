"""A simulated person signs in to the built-in demonstration, where a person cannot or must not be asked.

Imported by the command `login` when that was decided, so that what costs is imported at the top.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Coroutine

from loopback_auth.cli import tell
from loopback_auth.commands._program import COMMAND_LINE
from loopback_auth.commands.demo import demo_client, signing_server
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.user import SimulatedUser, Visit
from loopback_auth.environment import started_here
from loopback_auth.network.browser import Opening
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.plan.model import Plan
from loopback_auth.settings import Settings
from loopback_auth.signin import session
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.terminal import outcome
from loopback_auth.terminal.simulated import Narrator
from loopback_auth.tokens import SignIn

SIMULATED_SECONDS = 60.0
"""Seconds that a simulated person gets, who never hesitates; but a device code is polled only every five."""


def sign_in(
    options: argparse.Namespace,
    settings: Settings,
    plan: Plan,
    *,
    store: FileTokenStore,
    unkept: TokenStore | None = None,
    bound: BoundRedirect | None,
    timeout: float | None,
) -> SignIn:
    """Serve the demonstration, have a simulated person sign in to it, and say what happens and how it ended.

    Args:
        options: of the command: whether to show every exchange.
        settings: of the demonstration.
        plan: the flow, and why the person is not asked.
        store: where sign-ins are kept.
        unkept: takes the tokens in its place; None: they are kept.
        bound: the redirect URI; None: there is none.
        timeout: seconds; None: as long as it takes a simulated person.
    """
    narrator = Narrator(plan.simulated, verbose=options.verbose)
    narrator.begin()

    async def signed_in() -> SignIn:
        person = WatchedUser()
        async with serve_demo(server_factory=signing_server) as demo:
            if bound is not None and plan.start_page:
                bound.opening = person.open(bound.start_url)
            return await person.through(
                session.sign_in(
                    demo_client(demo.issuer, settings, simulated_person=True),
                    plan,
                    notify=narrator.notify,
                    store=unkept or store,
                    open_browser=person.opened,
                    start_page=plan.start_page,
                    timeout=timeout or SIMULATED_SECONDS,
                    bound=bound,
                    message=settings.text("message") or started_here(COMMAND_LINE.resolved_words()),
                    program=COMMAND_LINE,
                    exchanges=options.verbose,
                )
            )

    done = asyncio.run(signed_in())
    tell(outcome.result_text(done, "" if unkept is not None else store.path(done.name)))
    return done


class WatchedUser(SimulatedUser):
    """A simulated user whose failure ends the sign-in: no other user could open the link again."""

    def __init__(self) -> None:
        super().__init__()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def open(self, url: str) -> Opening:
        """Open a URL, and watch what becomes of it."""
        opening = super().open(url)
        self.visits[-1].add_done_callback(self._arrived)
        return opening

    async def opened(self, url: str) -> Opening:
        """Open a URL in the loop of the sign-in."""
        return self.open(url)

    async def through(self, signing_in: Coroutine[object, object, SignIn]) -> SignIn:
        """Go through a sign-in that opens its links with `open`, and close the browser.

        Raises:
            LoopbackAuthError: as of the sign-in, and what went wrong in the simulated browser.
        """
        task = asyncio.create_task(signing_in)
        try:
            await asyncio.wait((task, self._failure), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                self._failure.result()
            return await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for visit in self.visits:
                visit.cancel()
            await self.done()
            self._failure.cancel()

    def _arrived(self, visit: Visit) -> None:
        if not visit.cancelled() and (error := visit.exception()) and not self._failure.done():
            self._failure.set_exception(error)
