"""Receive the redirect for protocol code that is not ours: msal, Authlib, an MCP client, or your own.

    async with LoopbackReceiver() as receiver:
        parameters = await receiver.visit(authorization_url(receiver.redirect_uri))
        tokens = await exchange(parameters["code"])

The other code builds the authorization request, checks the response and exchanges the code. The receiver owns
the redirect URI, opens the browser, turns away every request that does not have the state of the URL, and
holds the browser's page until the block ends. So the page tells the truth: an exception in the block makes it
the failure page.

`with` and `visit_sync` are the same for code without an event loop, or under one that is running, as in a
notebook: they work in a thread of their own.
"""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType

from loopback_auth.api import plan_of
from loopback_auth.errors import ConfigError
from loopback_auth.events import Notify
from loopback_auth.flow_table import TIMEOUT
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.network.browser import opener_of
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.network.threads import LoopThread, check_asyncio
from loopback_auth.plan.model import Plan
from loopback_auth.program import Program
from loopback_auth.protocol.authorization_url import ForeignRequest, ResponseParameters, foreign_request
from loopback_auth.signin.option_checks import CHECKS
from loopback_auth.store.interface import sign_in_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback_auth.signin.foreign_visit import ForeignVisit
    from loopback_auth.signin.resources import OpenBrowser

ANY_PORT = Redirect()
"""Any free port on 127.0.0.1, and the path `/callback`."""


class LoopbackReceiver:
    """Owns a redirect URI on this machine, and receives what an authorization server sends there.

    An async context manager, and a plain one. From its beginning the port listens, so that `redirect_uri` can
    be registered; at its end the port is closed, and the browser gets its last page.

    Args:
        redirect: host, ports and path of the redirect URI; by default any free port on 127.0.0.1.
        program: the program that asks, as pages and messages speak of it; None: one without a name.
        notify: called with each event, such as the link to show (see `events`); the last one says how it
            ended. With `visit_sync` it is called in another thread. None: messages go to stderr.
        open_browser: starts a browser on a URL, as in `login`. None: the browser of this machine.
        timeout: seconds that the user has to come back from the browser; None: 300.
        wait: as in `login`: whether to wait for a user. None: not in CI jobs and under coding agents.

    Raises:
        ConfigError: an argument cannot be used.
    """

    def __init__(
        self,
        *,
        redirect: Redirect = ANY_PORT,
        program: Program | None = None,
        notify: Notify | None = None,
        open_browser: OpenBrowser | None = None,
        timeout: float | None = None,
        wait: bool | None = None,
    ) -> None:
        _check_redirect(redirect)
        options = {"program": program, "open_browser": open_browser, "notify": notify}
        for name, value in {**options, "timeout": timeout, "wait": wait}.items():
            CHECKS[name](name, value)
        self._redirect = redirect
        self._program = program
        self._open_browser = open_browser
        self._notify = notify
        self._timeout = timeout
        self._wait = wait
        self._bound: BoundRedirect | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: LoopThread | None = None
        self._visit: ForeignVisit | None = None
        self._busy = False
        self._failure: tuple[str, str] | None = None

    async def __aenter__(self) -> LoopbackReceiver:
        check_asyncio()
        self._begin()
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._end(exc)
        finally:
            self._close()

    def __enter__(self) -> LoopbackReceiver:
        self._begin()
        self._thread = LoopThread()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._thread is not None:
                self._thread.run(lambda: self._end(exc))
        finally:
            self._close()

    @property
    def redirect_uri(self) -> str:
        """The redirect URI, as it has to be sent and registered.

        Raises:
            ConfigError: outside of the `with` block there is none.
        """
        return self._own_bound().redirect_uri

    async def visit(self, url: str | Callable[[], str], *, state: str | None = "") -> ResponseParameters:
        """Open the browser, and return the parameters with which it comes back.

        The browser begins at a page on this machine, so the URL is not in the list of processes. The response
        may come in the query, in the fragment or as a form; the URL says how. An error response is returned,
        too (`parameters["error"]`), and makes the last page a failure page.

        Each visit needs a URL with a new state. A second visit ends the page of the first one; two at the
        same time are refused. On Windows a receiver is for one visit.

        Args:
            url: the authorization URL, with `redirect_uri` as its redirect URI. Or a function that makes one
                with a new state each time: it is called again when the link was opened twice, perhaps by
                another person, and a new link is shown. The last URL is the one that is answered.
            state: that the response must have. Empty: the one in the URL. A pushed request (RFC 9126) does
                not show its state: give it here. None: the protocol has no state. Then any web page can
                forge a response, so something else has to protect the login, such as PKCE.

        Returns:
            A dict of names and values, without parameters that have no value. Its `url` is the redirect URI
            with these parameters in its query, for libraries that want that.

        Raises:
            ConfigError: the URL cannot be used, or there is no `async with` block.
            Unavailable: the program must not wait for a user here, or no user could see the link.
            AttemptExpired: the user did not come back in time.
            AttemptCancelled: the link was opened twice, perhaps by another person, so that the state is not
                secret any more, and `url` is not a function.
            MalformedResponse: the response repeats a parameter (RFC 6749 §3.1).

        Source: RFC 8252 §7.3, §8.9; RFC 6749 §10.12.
        """
        make = self._checked(url, state)
        self._check_loop()
        return await self._visited(make, again=callable(url))

    def visit_sync(self, url: str | Callable[[], str], *, state: str | None = "") -> ResponseParameters:
        """Do what `visit` does, and wait for it, in a plain `with` block.

        Ctrl-C cancels the visit and is raised again. Arguments, result and errors are those of `visit`.
        """
        make = self._checked(url, state)
        return self._own_thread().run(lambda: self._visited(make, again=callable(url)))

    async def finish(self) -> None:
        """Give the browser its last page now, before the block ends.

        For a block that goes on for long after the login, as the one around an MCP client does. The page
        tells success, unless the response was an error or `fail` was called.
        """
        self._check_loop()
        await self._finish()

    def finish_sync(self) -> None:
        """Do what `finish` does, in a plain `with` block."""
        self._own_thread().run(self._finish)

    def fail(self, message: str, hint: str = "") -> None:
        """Let the last page say that the login failed, without an exception.

        Args:
            message: what happened, for the user; a sentence without secrets.
            hint: what to do next; a sentence.
        """
        self._failure = message, hint

    def _begin(self) -> None:
        if self._bound is not None:
            raise ConfigError("The receiver is in use already.", hint="Make one for each login.")
        self._bound = bind(self._redirect.host, self._redirect.ports, self._redirect.path)
        self._failure = None

    def _own_bound(self) -> BoundRedirect:
        if self._bound is None:
            raise ConfigError(
                "The receiver has no port outside of its with block.",
                hint="Begin with: with LoopbackReceiver() as receiver, or async with in a coroutine.",
            )
        return self._bound

    def _own_thread(self) -> LoopThread:
        self._own_bound()
        if self._thread is None:
            raise ConfigError(
                "This receiver was entered with async with.", hint="Await the method without _sync."
            )
        return self._thread

    def _check_loop(self) -> None:
        self._own_bound()
        if self._thread is not None:
            raise ConfigError(
                "This receiver was entered without async.", hint="Use async with, or the method with _sync."
            )
        if asyncio.get_running_loop() is not self._loop:
            raise ConfigError(
                "The receiver belongs to another event loop.", hint="Use it in the loop that entered it."
            )

    def _checked(self, url: str | Callable[[], str], state: str | None) -> Callable[[], ForeignRequest]:
        bound = self._own_bound()
        if self._busy:
            raise ConfigError(
                "A visit is under way already.", hint="Wait for it, or make a receiver for each login."
            )

        def make() -> ForeignRequest:
            made = url() if callable(url) else url
            return foreign_request(
                made, redirect_uri=bound.redirect_uri, state=state, any_port=bound.any_port
            )

        return make

    async def _visited(self, make: Callable[[], ForeignRequest], *, again: bool) -> ResponseParameters:
        if sys.platform == "win32" and self._visit is not None:
            # A socket can be read by one completion port of Windows, which is that of the first visit.
            raise ConfigError(
                "On Windows a receiver is for one visit.", hint="Begin another with block for the next visit."
            )
        request = make()
        self._busy = True
        try:
            if (before := self._visit) is not None:
                await self._leave(before, goes_on=True)
            self._visit = self._begun(request, make if again else None)
            return await self._visit.response()
        finally:
            self._busy = False

    def _begun(self, request: ForeignRequest, again: Callable[[], ForeignRequest] | None) -> ForeignVisit:
        """Send a browser to the start page, and import what is slow while it starts."""
        opener, notify = self._open_browser, self._notify
        plan = plan_of(
            _client(request, self._redirect),
            {"flow": "code", "open_browser": opener, "notify": notify, "wait": self._wait},
        )
        bound = self._own_bound().copy()
        try:
            bound.opening, bound.shown = opener_of(plan, opener)(bound.start_url), False
            from loopback_auth.signin.foreign_visit import (
                ForeignVisit,  # Start-up: the browser is on its way.
            )

            return ForeignVisit(
                request,
                bound,
                notify=notify or _messages(request, plan, self._program),
                timeout=TIMEOUT if self._timeout is None else self._timeout,
                program=self._program,
                again=again,
            )
        except BaseException:
            bound.close()
            raise

    async def _finish(self) -> None:
        if self._visit is not None and self._visit.parameters is not None:
            await self._show(self._visit, None)

    async def _end(self, exc: BaseException | None) -> None:
        if self._visit is not None:
            await self._leave(self._visit, exc)

    async def _leave(
        self, visit: ForeignVisit, exc: BaseException | None = None, *, goes_on: bool = False
    ) -> None:
        """Give the browser of a visit its last page, and stop listening for it."""
        self._visit = None
        try:
            await self._show(visit, exc, goes_on=goes_on)
        finally:
            await visit.close(exc)

    async def _show(self, visit: ForeignVisit, exc: BaseException | None, *, goes_on: bool = False) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            await visit.fail(*failure)
        elif goes_on:
            await visit.finish(visit.pages.continued())
        else:
            await visit.end(exc)

    def _close(self) -> None:
        thread, self._thread, self._loop = self._thread, None, None
        bound, self._bound = self._bound, None
        if thread is not None:
            thread.close()
        if bound is not None:
            bound.close()


def _check_redirect(redirect: object) -> None:
    if not isinstance(redirect, Redirect):
        raise ConfigError(
            f"redirect must be a Redirect, not a value of type {type(redirect).__name__}.",
            hint="Pass Redirect(ports=(8400,)) for a registered port.",
            parameter="redirect",
        )


def _client(request: ForeignRequest, redirect: Redirect) -> ClientConfig:
    """Describe the other program's client, as far as it decides whether and how a browser is opened here."""
    metadata = ServerMetadata(authorization_endpoint=request.url.partition("#")[0])
    provider = Provider(sign_in_name(request.server), metadata, redirect, title=request.server)
    return ClientConfig(provider, request.client_id)


def _messages(request: ForeignRequest, plan: Plan, program: Program | None) -> Notify:
    from loopback_auth.terminal.messages import Messages  # Start-up.

    return Messages(request.server, authority="", plan=plan, qr=False, program=program).tell
