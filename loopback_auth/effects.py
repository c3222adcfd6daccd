"""What a flow may ask of the world, and the type of a flow.

Theory of operation. A flow is a generator: it yields an effect when it needs the world and is resumed with
the answer, or with an error of ours raised at that very line. It therefore reads top to bottom in the order
in which things happen on the wire, and the same body runs against the real world (`signin.driver`) and
against a simulated one (`demo.memory`).

    response = yield from Send(code_token_request(client, answer), step="token request")

Each effect iterates over itself once, so that `yield from` has the type of its answer; a bare `yield` would
have none. The price is this file's one use of `Any`, and that nothing stops a flow from yielding something
that is not an effect: interpreters end in `assert_never`. What they have in common is `resume_flow`.

A flow cannot do two things at once; racing flows against each other is the work of `signin.race`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, TypeVar

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.model import Redirect
from loopback_auth.records import dataclass, field

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bind:
    """Own a redirect URI; the answer is the URI, exactly as it has to be sent and registered.

    Args:
        redirect: which host, ports and path it may have.
    """

    redirect: Redirect

    def __iter__(self) -> Generator[Bind, Any, str]:
        redirect_uri: str = yield self
        return redirect_uri


@dataclass(frozen=True, slots=True)
class Browse:
    """Send the person's browser to a URL; from then on the callback of `request` may come at any moment.

    A server that knows the person redirects at once, long before the flow gets to `Receive`.

    Args:
        url: to open.
        request: the authorization request that the URL makes; None for other pages.
    """

    url: str = field(repr=False)
    request: AuthorizationRequest | None = None

    @property
    def asked_next(self) -> tuple[str, ...]:
        """URLs of the server that the program must request after the approval."""
        if self.request is None:
            return ()
        by_code = "code" in self.request.response_type.split()
        metadata = self.request.metadata
        wanted = (
            metadata.token_endpoint if by_code else None,
            metadata.jwks_uri if self.request.nonce else None,
        )
        return tuple(filter(None, wanted))

    @property
    def leads_to(self) -> tuple[str, ...]:
        """Every URL that the server chose and the browser, or afterwards the program, is to request."""
        return (self.url, *self.asked_next)

    def __iter__(self) -> Generator[Browse, Any, None]:
        yield self


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for a callback; the answer is the one that carries the state of the request.

    Args:
        request: the authorization request that is to be answered.
    """

    request: AuthorizationRequest

    def __iter__(self) -> Generator[Receive, Any, Callback]:
        callback: Callback = yield self
        return callback


@dataclass(frozen=True, slots=True)
class Send:
    """Make one HTTP request; the answer is the response.

    Args:
        request: what to send.
        step: its name for people, in the words of the specification, such as `token request`.
        secrets: paths of JSON members of the response that are secret, besides those with the usual names.
    """

    request: HttpRequest
    step: str
    secrets: tuple[str, ...] = ()

    def __iter__(self) -> Generator[Send, Any, HttpResponse]:
        response: HttpResponse = yield self
        return response


@dataclass(frozen=True, slots=True)
class Warn:
    """Tell the person something, and go on.

    Args:
        text: one or two sentences.
    """

    text: str

    def __iter__(self) -> Generator[Warn, Any, None]:
        yield self


@dataclass(frozen=True, slots=True)
class VerificationPrompt:
    """Ask the person to approve at an address, on any device, and keep showing it while the flow waits.

    Args:
        provider: whose page it is, for people.
        url: to open; may contain the code already.
        user_code: to compare with the page, or to enter there; empty when there is none (RFC 8628 §3.2).
        plain_url: without the code and short enough to be typed; may be the same as `url`; empty without one.
        lifetime: seconds until it is too late.
        asked_next: as in `Browse`.
        redeemable: anyone who has the address can get the tokens that are approved there.
    """

    provider: str
    url: str = field(repr=False)
    user_code: str = ""
    plain_url: str = ""
    lifetime: float = 0.0
    asked_next: tuple[str, ...] = field(default=(), repr=False)
    redeemable: bool = False

    def __iter__(self) -> Generator[VerificationPrompt, Any, None]:
        yield self

    @property
    def leads_to(self) -> tuple[str, ...]:
        """As in `Browse`."""
        return (self.url, *filter(None, (self.plain_url,)), *self.asked_next)


@dataclass(frozen=True, slots=True)
class Tick:
    """What time it is after a `Sleep`, and what has happened meanwhile.

    Args:
        now: seconds of a monotonic clock.
        wall: Unix seconds.
        returned: the person has come back to the tab with our waiting page.
        watched: that tab is open and was left for another one, so that a return would be noticed.
    """

    now: float
    wall: float
    returned: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait, but no longer than until the person comes back; the answer is what time it is then.

    Args:
        seconds: to wait at least.
        spread: part of `seconds` by which the wait may be longer at random; 0.5 is up to half as long again.
    """

    seconds: float
    spread: float = 0.0

    def __iter__(self) -> Generator[Sleep, Any, Tick]:
        moment: Tick = yield self
        return moment


@dataclass(frozen=True, slots=True)
class Now:
    """Ask what time it is, and for an identifier that was never used before."""

    def __iter__(self) -> Generator[Now, Any, Stamp]:
        stamp: Stamp = yield self
        return stamp


LocalEffect = Bind | Browse | VerificationPrompt | Receive | Sleep | Now | Warn
"""Every effect but a request of ours."""

Effect = LocalEffect | Send
Flow = Generator[Effect, Any, T]


@dataclass(frozen=True, slots=True)
class FlowResult(Generic[T]):
    """The end of a flow.

    Args:
        value: what the flow returned.
    """

    value: T = field(repr=False)


def resume_flow(flow: Flow[T], answer: object) -> Effect | FlowResult[T]:
    """Let a flow go on: until it asks for the next effect, or to its end.

    An interpreter calls this until there is a result, and closes the flow whatever happens.

    Args:
        flow: not yet started, or waiting for an answer.
        answer: to the last effect, or the error of ours with which that effect failed; None at the beginning.

    Raises:
        LoopbackAuthError: the flow has failed.
    """
    try:
        return flow.throw(answer) if isinstance(answer, LoopbackAuthError) else flow.send(answer)
    except StopIteration as end:
        return FlowResult(end.value)


class Observer:
    """Sees what happens in a sign-in, secrets included; this one does nothing with it.

    The interpreter of the effects calls the methods as things happen; all times are seconds of its own clock.
    A method must not raise an error: it would end the sign-in.
    """

    def performed(self, effect: Effect, answer: object, *, begun: float, ended: float) -> None:
        """See an effect, and what the flow was answered.

        An effect that failed is not seen, apart from a request of ours: its answer is then None.
        """

    def opened(self, argument: str, program: str) -> None:
        """See what a browser was started with, or the link that was shown when `program` is empty."""

    def visited(self, request: HttpRequest, status: int) -> None:
        """See a request that reached our own port, and the status that it got.

        Args:
            request: method, headers, and the request target as `url`.
            status: of the response.
        """

    def browsed(
        self, request: HttpRequest, answer: HttpResponse | None, *, address: str, begun: float, ended: float
    ) -> None:
        """See a request of a simulated browser; a real one keeps its requests to itself.

        Args:
            request: to the server or to our port; `url` is absolute.
            answer: None when there was none.
            address: what the address bar showed, fragment included; empty when a script made the request.
            begun: when the request was sent.
            ended: when the answer was there, or was given up.
        """


UNOBSERVED = Observer()
"""An observer for sign-ins that are not observed."""
