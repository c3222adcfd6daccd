"""A simulated user for tests: follows the link of a login with a simulated browser, and approves or denies.

    user = SimulatedUser()
    sign_in = await login(client, open_browser=user.open)
    page = await user.page()

The browser talks to the demo server over real connections, and beside the login: `open` returns at once. For
a login in another process, `browser` gives the environment variables that start this browser there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Thread

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.demo.agent import PROGRAM, Decision
from loopback_auth.demo.browser_command import browser_command
from loopback_auth.demo.run_agent import run_agent
from loopback_auth.effects import UNOBSERVED, Observer
from loopback_auth.errors import ConfigError, TransportError
from loopback_auth.events import Event, LinkReady, VerificationPrompted
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.network.browser import Opening
from loopback_auth.plan.signals import AGENTS, CI
from loopback_auth.protocol.paste import Pasted, pasted_callback

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
        decision: which button the next browser presses.
        account: which account it chooses.
        thinking: seconds before the decision.
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
        self.decision: Decision = decision
        self.account: str = account
        self.thinking: float = thinking
        self._observer = observer
        self._loop = _running_loop()

    def approve(self, account: str = "") -> None:
        """Approve from now on, with an account, by its value or label; empty: the first."""
        self.decision, self.account = "approve", account

    def deny(self) -> None:
        """Deny from now on."""
        self.decision = "deny"

    def open(self, url: str) -> Opening:
        """Open a URL, as the `open_browser` of a login."""
        self.visit(url)
        return Opening(program=PROGRAM)

    def notify(self, event: Event) -> None:
        """Follow the links that a program shows, as its `notify`: for a login that opens no browser itself.

        A device code is entered by hand, at the address without the code, where there is one.
        """
        match event:
            case LinkReady(url=url, opened_with=""):
                self.visit(url)
            case VerificationPrompted(opened_with=""):
                self.visit(event.plain_url or event.url, user_code=event.user_code)
            case _:
                pass

    async def paste(self, request: AuthorizationRequest) -> Callback:
        """Sign in on another machine and paste the address where the browser ends, as the `paste` of a login.

        Raises:
            ConfigError: the browser ended elsewhere.
        """
        addresses = _Addresses()
        origin = "/".join(request.url.split("/", 3)[:3])
        with suppress(TransportError):  # Nothing of this machine can be reached from another one.
            await run_agent(
                request.url,
                decision=self.decision,
                account=self.account,
                observer=addresses,
                thinking=self.thinking,
                reaches=origin,
            )
        answer = pasted_callback(addresses.last, request)
        if isinstance(answer, Pasted):
            return answer.callback
        raise ConfigError(f"The simulated user could not paste an address: {answer.reason}")

    @contextmanager
    def browser(self) -> Generator[dict[str, str]]:
        """Let programs start this user's browser, for as long as the block lasts.

            with user.browser() as environ:
                subprocess.run(["my-tool", "login"], env=os.environ | environ, check=True)

        `$BROWSER` starts it, also from a frozen program or one in another language. Variables that show a CI
        job or a coding agent are emptied, because a login does not wait for a user there.

        Raises:
            ConfigError: programs cannot start it on Windows; give the login `user.open` there.
        """
        with browser_command(self.visit) as command:
            yield {"BROWSER": command, **{name: "" for name in (*CI, *AGENTS) if name in os.environ}}

    def visit(self, url: str, *, user_code: str = "", reaches: str = "") -> Visit:
        """Start a browser on a URL, and return at once.

        Args:
            url: of the first page.
            user_code: to enter where a page asks for it.
            reaches: the only origin that the browser can reach, as one on another machine; empty: all.
        """
        walk = run_agent(
            url,
            decision=self.decision,
            account=self.account,
            user_code=user_code,
            observer=self._observer,
            thinking=self.thinking,
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
            ConfigError: no link was opened.
            LoopbackAuthError: the browser failed, see `run_agent`.
        """
        self._check_visited()
        return _text(await asyncio.wrap_future(self.visits[-1]))

    def page_sync(self) -> str:
        """Wait for every browser, and return the text of the page where the last one ended.

        For a user that was not made in a running event loop.

        Raises:
            ConfigError: no link was opened.
            LoopbackAuthError: a browser failed, see `run_agent`; the first error is raised.
            TimeoutError: a browser did not end within a minute.
        """
        self._check_visited()
        pages = [visit.result(PAGE_SECONDS) for visit in self.visits if isinstance(visit, Future)]
        return _text(pages[-1])

    async def done(self) -> None:
        """Wait until every browser has ended, also when one failed."""
        await asyncio.gather(*map(asyncio.wrap_future, self.visits), return_exceptions=True)

    def _check_visited(self) -> None:
        if not self.visits:
            raise ConfigError("The simulated user has no page, because no link was opened.")


class _Addresses(Observer):
    """Remembers what the address bar showed last."""

    last = ""

    def browsed(
        self, request: HttpRequest, answer: HttpResponse | None, *, address: str, begun: float, ended: float
    ) -> None:
        self.last = address or self.last


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
