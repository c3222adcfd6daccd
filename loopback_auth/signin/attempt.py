"""One sign-in under way: its flows, the race between them, and the time that the person has.

The deadline is the person's. When the callback has come it no longer counts: the requests after that have
limits of their own. A ticket or a device code says how long it lives; the program waits for that long, unless
the caller asked for less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import AttemptExpired, OAuthError, Unavailable
from loopback_auth.events import (
    CallbackReceived,
    Event,
    FlowsAvailable,
    LinkReady,
    Notify,
    OpenerFailed,
    VerificationPrompted,
)
from loopback_auth.flow_table import NO_REDIRECT, POLLED, TIMEOUT
from loopback_auth.flows.catalog import FlowOptions, flow_named
from loopback_auth.model import ClientConfig
from loopback_auth.plan.model import Plan
from loopback_auth.records import replace
from loopback_auth.signin.controls import Controls, Reach
from loopback_auth.signin.driver import Driver, Paste, new_attempt
from loopback_auth.signin.port_history import PortHistory
from loopback_auth.signin.race import Race
from loopback_auth.signin.resources import Resources
from loopback_auth.tokens import SignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.signin.client_resolver import ClientResolver

LAPSE_SECONDS = 30.0
"""Seconds after the end of a ticket or code in which the server may still say that it has expired."""


class SignInAttempt:
    """Runs the flows of one sign-in.

    Args:
        client: the client as registered, and what it asks for.
        plan: which flows there are, and when each begins.
        notify: called with each event.
        options: options of the flows, for the client that signs in.
        timeout: seconds that the person has to come back; None: `TIMEOUT`, or the lifetime of a ticket or
            device code.
        paste: asks for a pasted address; None: the program cannot ask.
        resolver: completes the client, when the browser is on its way; None: it is complete.
    """

    def __init__(
        self,
        client: ClientConfig,
        plan: Plan,
        *,
        notify: Notify,
        options: Callable[[ClientConfig], FlowOptions],
        timeout: float | None,
        paste: Paste | None,
        resolver: ClientResolver | None = None,
    ) -> None:
        self._client = client
        self._plan = plan
        self._notify = notify
        self._options = options
        self._timeout = timeout
        self._paste = paste
        self._resolver = resolver
        self._resolving = False
        self._registering = asyncio.Lock()
        self._resources: Resources | None = None
        self._deadline = asyncio.timeout(None)
        self._port = PortHistory()
        self._race: Race | None = None
        self._early: list[Event] = []
        self._controls: Controls | None = None
        self._available: tuple[str, ...] = ()

    def tell(self, event: Event) -> None:
        """Take note of an event, and pass it on."""
        self._port.note(event)
        match event:
            case OpenerFailed() if self._port.asked:
                return  # The browser has come to our page all the same.
            case LinkReady():
                event = replace(event, flow=self._leading, lifetime=self._left())
            case CallbackReceived():
                event = replace(event, flow=self._leading)
                if not self._deadline.expired():
                    self._deadline.reschedule(None)
            case VerificationPrompted(lifetime=lifetime) if (
                self._timeout is None and not self._deadline.expired()
            ):
                self._extend(lifetime)
            case VerificationPrompted(lifetime=lifetime) if (left := self._left()) is not None:
                # Whatever the server says: the ticket or code is polled no longer than the person has time.
                event = replace(event, lifetime=min(lifetime, left))
            case _:
                pass
        # The event is reported before its consequences.
        self._notify(event)
        if self._race is None:
            self._early.append(event)
        else:
            self._race.evidence(event)
        self._tell_available()

    def _tell_available(self) -> None:
        """Tell which flows the person can begin now, if that has changed."""
        if self._controls is None or self._race is None:
            return
        waiting = self._controls.waiting
        if waiting != self._available:
            self._available = waiting
            self._notify(FlowsAvailable(waiting))

    async def run(self, resources: Resources, controls: Controls | None) -> SignIn:
        """Run the flows, and return the sign-in with the flow that it came from.

        Raises:
            AttemptExpired: the person did not come back in time.
            LoopbackAuthError: see `Race.run`.
        """
        leading, self._resources = self._leading, resources

        def drive(flow: str, authority: str) -> Driver:
            if flow == "paste":
                return Driver(resources, flow=flow, paste=self._paste or no_paste, beside=True)
            beside = flow != leading or bool(authority)
            return Driver(resources, flow=flow, authority=authority, beside=beside)

        race = self._race = Race(
            self._plan,
            drive=drive,
            run=self._run,
            notify=self.tell,
            provider=self._client.provider.shown_name,
        )
        resources.at_the_end(race.close)
        self._controls = controls
        try:
            async with self._deadline:
                if self._timeout is not None or leading not in POLLED:
                    now = asyncio.get_running_loop().time()
                    self._deadline.reschedule(now + (self._timeout or TIMEOUT))
                await resources.send_off()
                if self._resolver is not None:
                    self._resolving = True
                    self._client = await self._resolver.resolved(self._client, resources)
                    self._resolving = False
                with self._controlled(race, resources):
                    route, sign_in = await race.run(self._early)
        except TimeoutError:
            if not self._deadline.expired():
                raise
            expired = self._expired()
            if self._resolver is not None and self._port.visited:
                await self._resolver.explain(expired, self._client, resources)
            raise expired from None
        finally:
            self._tell_available()  # None: an account may be asked about now, and the end comes last.
        return replace(sign_in, flow=route.flow, reason=route.why)

    def _controlled(self, race: Race, resources: Resources) -> AbstractContextManager[None]:
        if self._controls is None:
            return nullcontext()
        # The flows that begin at once have begun then.
        asyncio.get_running_loop().call_soon(self._tell_available)
        return Reach(race.begin, race.waiting, resources.start_link).given_to(self._controls)

    async def _run(self, flow: str, driver: Driver) -> SignIn:
        client = self._client
        try:
            return await self._run_for(client, flow, driver)
        except OAuthError as exc:
            again = await self._registered_again(client, exc, driver)
            if again is None:
                raise
        return await self._run_for(again, flow, driver)

    async def _run_for(self, client: ClientConfig, flow: str, driver: Driver) -> SignIn:
        attempt = new_attempt(bound=bool(client.dpop))
        if self._resources is not None:
            # The authorization endpoint may quote it, which answers before any request has taught it.
            self._resources.redactor.learn("client_secret", client.client_secret or "")
        return await driver.run(flow_named(flow, client, attempt, self._options(client)))

    async def _registered_again(
        self, refused: ClientConfig, refusal: OAuthError, driver: Driver
    ) -> ClientConfig | None:
        """Return the client to go on with; None: the refusal stands."""
        async with self._registering:
            if self._client is not refused:
                return self._client  # Another flow was refused as well, a moment ago.
            if self._resolver is None or self._resources is None:
                return None
            again = await self._resolver.registered_again(
                refused, self._resources, refusal, answered=driver.answered
            )
            self._client = again or refused
            return again

    @property
    def _leading(self) -> str:
        """The flow that has the port and the browser: one that redirects, if there is any."""
        flows = [route.flow for route in self._plan.routes]
        redirecting = [flow for flow in flows if flow not in NO_REDIRECT]
        return next(iter(redirecting or flows), "")

    def _left(self) -> float | None:
        until = self._deadline.when()
        return None if until is None else max(0.0, until - asyncio.get_running_loop().time())

    def _extend(self, lifetime: float) -> None:
        until = self._deadline.when()
        later = asyncio.get_running_loop().time() + lifetime + LAPSE_SECONDS
        if until is not None and until < later:
            self._deadline.reschedule(later)

    def _expired(self) -> AttemptExpired:
        again, parameter = "sign in again, with more time if you need it.", "timeout"
        if known := self._port.sentences():
            hint = f"{known} {again.capitalize()}"
        elif self._port.visited:
            # A server must not redirect a client that it does not know, so only the browser shows the reason.
            hint = (
                "If the browser shows an error of the server, compare the client ID "
                f"{self._client.client_id!a} and the redirect URI with what is registered there. Otherwise "
                f"{again}"
            )
            parameter = "client_id redirect timeout"
        else:
            hint, parameter = (
                f"If no browser can open the link, choose another flow. Otherwise {again}",
                "flow timeout",
            )
        waited = self._timeout or TIMEOUT
        within = f"{waited:g} second{'s' * (waited != 1)}"
        if self._resolving:
            return AttemptExpired(
                f"The program could not find out within {within} where and how to sign in.",
                hint="Try again, with more time if you need it.",
                parameter="timeout",
            )
        redirects = self._leading not in POLLED
        what = "The browser did not come back" if redirects else "The login was not approved"
        return AttemptExpired(f"{what} within {within}.", hint=hint, parameter=parameter)


async def no_paste(_: AuthorizationRequest) -> Callback:
    """Refuse to ask for a pasted address, in a program that cannot ask."""
    raise Unavailable(
        "This program cannot ask for an address.", hint="Choose another flow.", parameter="flow"
    )
