"""One visit of the browser to the authorization server of a protocol that other code speaks.

What listens, opens the browser and shuts strangers out is the same as in a sign-in of ours. The difference:
the URL is given. When its link was opened twice, perhaps by another person, another URL with a new state is
needed: the caller makes one if it has said how; otherwise the visit has failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import AttemptCancelled, AttemptExpired, AuthorizationError, LoopbackAuthError
from loopback_auth.events import (
    Event,
    LinkOpenedTwice,
    LinkReady,
    Notify,
    OpenerFailed,
    SignInFailed,
    SignInSucceeded,
    Warned,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.network.receiver import Receiver
from loopback_auth.pages import Pages
from loopback_auth.program import Program
from loopback_auth.protocol.authorization_url import ForeignRequest, ResponseParameters, response_parameters
from loopback_auth.redact import error_code, server_text
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.outcome_pages import cancelled_page, failure_page
from loopback_auth.signin.port_history import PortHistory
from loopback_auth.signin.resources import Resources

OPENED_TWICE = "The sign-in link was opened twice, perhaps by another person, so this login was cancelled."


class ForeignVisit:
    """Sends the browser away, waits for the callback, and holds the browser's page until it is finished.

    Args:
        request: what the browser carries.
        bound: sockets that listen already, with a browser on its way; closed with the visit.
        notify: called with each event.
        timeout: seconds that the user has to come back.
        program: who speaks on the pages; None: a program without a name.
        exposed: other users of this machine can read the state.
        again: makes another request with a new state, in place of one whose link was opened twice; None: the
            visit fails then.
    """

    def __init__(
        self,
        request: ForeignRequest,
        bound: BoundRedirect,
        *,
        notify: Notify,
        timeout: float,
        program: Program | None,
        exposed: bool = False,
        again: Callable[[], ForeignRequest] | None = None,
    ) -> None:
        self.request: ForeignRequest = request
        self.parameters: ResponseParameters | None = None
        """The parameters of the callback; None until it has come."""
        self._bound = bound
        self._notifier = Notifier(notify)
        self._timeout = timeout
        self._exposed = exposed
        self._again = again
        self._begun_again = asyncio.Event()
        self._stack = AsyncExitStack()
        self._port = PortHistory()
        self._resources = Resources(notify=self._tell, bound=bound, program=program)
        self.pages: Pages = self._resources.pages
        self._finished = False
        self._given_up: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def response(self) -> ResponseParameters:
        """Send the browser on, and return the parameters of the callback.

        Raises:
            AttemptExpired: the user did not come back in time.
            AttemptCancelled: the link was opened twice, or the visit was closed.
            MalformedResponse: a parameter is repeated.
        """
        try:
            await self._stack.enter_async_context(self._notifier)
            await self._stack.enter_async_context(self._resources)
            receiver = self._resources.own_receiver()
            self._lead(receiver)
            await self._resources.send_off()
            self.parameters = response_parameters(await self._received(receiver), self._bound.redirect_uri)
        except LoopbackAuthError as exc:
            await self.end(exc)
            # The frames below have the state in their locals, which some reporters of errors write down.
            raise exc.with_traceback(None) from None
        except BaseException as exc:
            await self.end(exc)
            raise
        return self.parameters

    @property
    def refusal(self) -> AuthorizationError | None:
        """The error response, if the callback is one (RFC 6749 §4.1.2.1)."""
        if self.parameters is None or "error" not in self.parameters:
            return None
        described = server_text(self.parameters.get("error_description", ""))
        return AuthorizationError(error_code(self.parameters["error"]), described)

    async def end(self, exc: BaseException | None) -> None:
        """Show in the browser how it ended, and tell it.

        Args:
            exc: with which the other code ended; None: without an error.
        """
        pages, error = self.pages, exc if isinstance(exc, LoopbackAuthError) else self.refusal
        if error is not None:
            page = failure_page(error, pages)
            cancelled = isinstance(error, AttemptCancelled)
            await self.finish(page, SignInFailed(error.message, error.hint, cancelled=cancelled))
        elif exc is None or (isinstance(exc, SystemExit) and not exc.code):
            client, server = self.request.client_id, self.request.server
            page = pages.success(client=client, provider=server, account="", scope="", detail="")
            await self.finish(page, SignInSucceeded("", "code"))
        elif isinstance(exc, Exception | SystemExit):
            # The words of another program's exception may quote a secret; its class does not.
            await self.fail(pages.words.FAILURE_AFTERWARDS, pages.again, detail=type(exc).__name__)
        else:
            told = SignInFailed(pages.words.CANCELLED_LEAD, pages.again, cancelled=True)
            await self.finish(cancelled_page(pages), told)

    async def fail(self, message: str, hint: str = "", *, detail: str = "") -> None:
        """Show in the browser, and tell, that it failed after the callback."""
        page = self.pages.failure(message=message, hint=hint, detail=detail)
        await self.finish(page, SignInFailed(message, hint))

    async def finish(self, page: HttpResponse, told: Event | None = None) -> None:
        """Give the browser its last page, once.

        Args:
            page: the last page.
            told: the event that says how it ended; None: that is not known here.
        """
        if self._finished:
            return
        self._finished = True
        if self._resources.doubted:
            self._tell(Warned(self.pages.words.LINK_OPENED_AFTERWARDS))
        await self._resources.finish(page)
        if told is not None:
            self._tell(told)

    async def close(self, exc: BaseException | None = None) -> None:
        """Close the port and the connections, and end a call of `response` that still waits.

        Args:
            exc: with which the other code ended; None: without an error.
        """
        self._give_up("The receiver was closed before the browser came back.", "")
        try:
            await self._stack.__aexit__(type(exc) if exc is not None else None, exc, None)
        finally:
            self._bound.close()

    def _lead(self, receiver: Receiver) -> None:
        """Wait for the callback of the request, and let the start page lead to its URL."""
        receiver.expect(self.request)
        if self._exposed:
            receiver.guard(self.request.state)
        receiver.send_browser_to(self.request.url, state=self.request.state)

    async def _received(self, receiver: Receiver) -> Callback:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timeout
        while True:
            self._begun_again.clear()
            receiving = asyncio.ensure_future(receiver.receive(self.request))
            begun_again = asyncio.ensure_future(self._begun_again.wait())
            waiting: set[asyncio.Future[object]] = {receiving, begun_again, self._given_up}  # type: ignore[arg-type]
            try:
                left = max(0.0, until - loop.time())
                await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if receiver.has_answer(self.request.state):
                    return await receiver.receive(self.request)
                if self._given_up.done():
                    raise self._given_up.result()
                if not self._begun_again.is_set():
                    raise self._expired()
            finally:
                receiving.cancel()
                begun_again.cancel()
                await asyncio.gather(receiving, begun_again, return_exceptions=True)

    def _begin_again(self) -> None:
        """Replace a request whose state another person may have."""
        if self._again is None:
            self._give_up(OPENED_TWICE, "Start the login again, and open the link once.")
            return
        try:
            self.request = self._again()
            self._lead(self._resources.own_receiver())
        except Exception as exc:
            # The other code makes the URL, and what it raises is raised where the visit is awaited.
            if not self._given_up.done():
                self._given_up.set_result(exc)
        self._begun_again.set()

    def _give_up(self, message: str, hint: str) -> None:
        if not self._given_up.done():
            self._given_up.set_result(AttemptCancelled(message, hint=hint))

    def _tell(self, event: Event) -> None:
        self._port.note(event)
        match event:
            case OpenerFailed() if self._port.asked:
                return  # The browser has come to our page all the same.
            case LinkOpenedTwice():
                self._begin_again()
            case LinkReady(again=True) if self._given_up.done():
                return  # It would lead to the URL that is not valid any more.
            case _:
                pass
        self._notifier.tell(event)

    def _expired(self) -> AttemptExpired:
        within = f"{self._timeout:g} second{'s' * (self._timeout != 1)}"
        again = "Then start the login again."
        if known := self._port.sentences():
            hint = f"{known} Start the login again."
        elif self._port.visited:
            # A server must not redirect a client that it does not know, so only the browser shows the reason.
            hint = (
                "If the browser shows an error of the server, compare the client ID "
                f"{self.request.client_id!a} and the redirect URI with what is registered there. {again}"
            )
        else:
            hint = f"Open the link in a browser that can reach this machine. {again}"
        return AttemptExpired(
            f"The browser did not come back within {within}.", hint=hint, parameter="timeout"
        )
