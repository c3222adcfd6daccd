"""A simulated user for tests: follows the link of a login with a simulated browser, and approves or denies.

    user = SimulatedUser()
    sign_in = await login(client, open_browser=user.open)
    page = await user.page()

The browser talks to the demo server over real connections, and beside the login: `open` returns at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread

from loopback_auth.demo.agent import PROGRAM, Decision
from loopback_auth.demo.serve import run_agent
from loopback_auth.effects import UNOBSERVED, Observer
from loopback_auth.model import HttpResponse
from loopback_auth.network.browser import Opening

PAGE_SECONDS = 60.0
"""Seconds that `page_sync` waits for one browser."""

Visit = asyncio.Task[HttpResponse] | Future[HttpResponse]


class SimulatedUser:
    """A user with a browser, both simulated.

    A user that is made in a running event loop browses in that loop. Otherwise, and for a link that is opened
    from another loop, each browser gets a thread of its own, so that it works with `login_sync` as well.

    Args:
        decision: which button to press on the consent page.
        account: value or label of the account to choose; empty: the first.
        thinking: seconds before the decision.
        observer: sees every request of the browser with its answer, in monotonic seconds.

    Attributes:
        links: the URLs that were opened, in order.
        visits: one task or future for each browser, in the same order; the result is the last page.
    """

    def __init__(
        self,
        decision: Decision = "approve",
        *,
        account: str = "",
        thinking: float = 0.0,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self.links: list[str] = []
        self.visits: list[Visit] = []
        self._decision: Decision = decision
        self._account = account
        self._thinking = thinking
        self._observer = observer
        self._loop = _running_loop()

    def open(self, url: str) -> Opening:
        """Open a URL, as the `open_browser` of a login."""
        self.visit(url)
        return Opening(program=PROGRAM)

    def visit(self, url: str, *, user_code: str = "", reaches: str = "") -> Visit:
        """Start a browser on a URL, and return at once.

        Args:
            url: of the first page.
            user_code: to enter where a page asks for it.
            reaches: the only origin that the browser can reach, as one on another machine; empty: all.
        """
        walk = run_agent(
            url,
            decision=self._decision,
            account=self._account,
            user_code=user_code,
            observer=self._observer,
            thinking=self._thinking,
            reaches=reaches,
        )
        loop = _running_loop()
        visit = loop.create_task(walk) if loop is not None and loop is self._loop else _in_thread(walk)
        self.links.append(url)
        self.visits.append(visit)
        return visit

    async def page(self) -> str:
        """Return the text of the page where the last browser ended.

        Raises:
            LoopbackAuthError: the browser failed, see `run_agent`.
        """
        return _text(await asyncio.wrap_future(self.visits[-1]))

    def page_sync(self) -> str:
        """Wait for every browser, and return the text of the page where the last one ended.

        For a user that was not made in a running event loop.

        Raises:
            LoopbackAuthError: a browser failed, see `run_agent`; the first error is raised.
            TimeoutError: a browser did not end within a minute.
        """
        pages = [visit.result(PAGE_SECONDS) for visit in self.visits if isinstance(visit, Future)]
        return _text(pages[-1])

    async def done(self) -> None:
        """Wait until every browser has ended, also when one failed."""
        await asyncio.gather(*map(asyncio.wrap_future, self.visits), return_exceptions=True)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _in_thread(walk: Coroutine[object, object, HttpResponse]) -> Future[HttpResponse]:
    outcome: Future[HttpResponse] = Future()

    def run() -> None:
        try:
            outcome.set_result(asyncio.run(walk))  # type: ignore[arg-type, unused-ignore]
        except BaseException as exc:
            outcome.set_exception(exc)

    Thread(target=run, name="simulated user", daemon=True).start()
    return outcome


def _text(page: HttpResponse) -> str:
    return page.body.decode("utf-8", "replace")
