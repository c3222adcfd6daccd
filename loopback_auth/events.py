"""Events: what a running sign-in reports to the program that started it, through `notify`.

A terminal shows them, a program that embeds the sign-in may draw them in its own window:

    def notify(event: Event) -> None:
        match event:
            case LinkReady(url=url):                              # comes again when the link was used up
                window.link(url)
            case VerificationPrompted(url=url, user_code=code):
                window.approval(url, code)
            case SignInSucceeded() | SignInFailed():              # one of them comes last
                window.close()

These are all that have to be shown; `PasteReady` comes only where the program can ask for an address. Events
contain no secret but the links and codes that the person is meant to use.

`notify` is called in the loop of the sign-in. It should return soon; it may be a coroutine function, whose
calls are then awaited one after the other, beside the sign-in. One that fails is reported once to the
exception handler of the loop, and the sign-in goes on. `silent` shows nothing, `log_to` writes a log.
`Opening` is what an `open_browser` may return.
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth.event_log import log_to
from loopback_auth.port_events import (
    CallbackReceived,
    CallbackTurnedAway,
    HttpsTried,
    LinkOpened,
    LinkOpenedTwice,
    LinkRequested,
    OtherUserTurnedAway,
    RequestIgnored,
)
from loopback_auth.records import Literal, dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.network.browser import Opening

__all__ = [
    "CallbackReceived",
    "CallbackTurnedAway",
    "Event",
    "Exchanged",
    "FlowsAvailable",
    "HttpsTried",
    "LinkOpened",
    "LinkOpenedTwice",
    "LinkReady",
    "LinkRequested",
    "Notify",
    "OpenerFailed",
    "Opening",
    "OtherUserTurnedAway",
    "PasteReady",
    "PasteRefused",
    "Preparing",
    "RequestIgnored",
    "RouteBegan",
    "RouteEnded",
    "SignInFailed",
    "SignInSucceeded",
    "VerificationPrompted",
    "WaitingForOtherProcess",
    "Warned",
    "log_to",
    "silent",
]


@dataclass(frozen=True, slots=True)
class LinkReady:
    """The link with which the person begins the sign-in; the browser was sent there if that was possible.

    It works once. When it was used up, by a second opening or by a program without a window, this event comes
    again: show the new link in place of the old one.

    Args:
        url: to open; anyone who has it can begin the sign-in instead of the person.
        opened_with: the program that was started to open it; empty when there was none.
        why_not: why no program was started; empty otherwise, and for a link that comes again.
        again: an earlier link does not work any more; this one takes its place.
        flow: the flow that it leads to.
        lifetime: seconds until the sign-in is given up; None: it is not known yet.
    """

    url: str = field(repr=False)
    opened_with: str = ""
    why_not: str = ""
    again: bool = False
    flow: str = ""
    lifetime: float | None = None


@dataclass(frozen=True, slots=True)
class VerificationPrompted:
    """The person is to approve the sign-in at an address, on any device.

    Args:
        url: to open; may contain the code already.
        user_code: to compare with the page, or to enter there; empty when there is none (RFC 8628 §3.2).
        plain_url: without the code and short enough to be typed; may be the same as `url`; empty without one.
        lifetime: seconds until it is too late.
        opened_with: as in `LinkReady`.
        why_not: as in `LinkReady`.
        redeemable: anyone who has the link can get the tokens that are approved there.
        flow: `ticket` or `device`.
    """

    url: str = field(repr=False)
    user_code: str = field(repr=False)
    plain_url: str
    lifetime: float
    opened_with: str = ""
    why_not: str = ""
    redeemable: bool = False
    flow: str = ""


@dataclass(frozen=True, slots=True)
class PasteReady:
    """The person may open a link in any browser, and paste the address on which the browser ends.

    Args:
        url: to open.
        redirect_uri: what that address begins with.
    """

    url: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class RouteBegan:
    """One more flow is open beside those that are open already.

    Args:
        flow: its name.
        why: one sentence.
    """

    flow: str
    why: str


@dataclass(frozen=True, slots=True)
class RouteEnded:
    """A flow has failed or was given up, and others go on.

    Args:
        flow: its name.
        why: one sentence.
    """

    flow: str
    why: str


@dataclass(frozen=True, slots=True)
class FlowsAvailable:
    """Other flows can be begun with `Controls.begin`; told whenever that changes, if there are `Controls`.

    Args:
        flows: all that can be begun now; none of them once an answer has come.
    """

    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaitingForOtherProcess:
    """Another process signs in to the same provider already; its result will be used here, too.

    Args:
        process: its ID.
    """

    process: int


@dataclass(frozen=True, slots=True)
class Preparing:
    """The program finds out where and how to sign in, while the browser is on its way.

    Args:
        step: `resource`: it asks the resource which server signs the user in; `server`: that server is
            known now; `registration`: it registers itself there.
        url: of the resource, or the issuer.
    """

    step: Literal["resource", "server", "registration"]
    url: str


@dataclass(frozen=True, slots=True)
class OpenerFailed:
    """The program that should have opened the browser ended with an error; the link still works.

    Args:
        program: its name.
        status: its exit status; None: it is not a program, but the `open_browser` of the caller.
        why: what happened, as a clause; empty where the status says it.
    """

    program: str
    status: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class PasteRefused:
    """What was pasted is not the answer to this sign-in; another try is possible.

    Args:
        reason: one sentence.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """The sign-in goes on, but the person should know something.

    Args:
        text: one or two sentences.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One HTTP request of ours and its response, with labels in place of secrets.

    Args:
        step: in the words of the specification, such as `token request`.
        method: of HTTP.
        url: of the request.
        request: its body; of one that cannot be shown, its size and type.
        status: of the response.
        response: its body, as for the request.
        seconds: from the request to the response.
    """

    step: str
    method: str
    url: str
    request: str
    status: int
    response: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SignInSucceeded:
    """The person has signed in, and the tokens are kept where they are to be kept.

    Args:
        account: who signed in, for people to read; empty when the server did not say.
        flow: that brought the tokens.
    """

    account: str
    flow: str


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """The sign-in has ended without tokens; an error is raised, too.

    Args:
        message: what happened.
        hint: what to do next; may be empty.
        cancelled: the program or the person gave it up.
    """

    message: str
    hint: str = ""
    cancelled: bool = False


Event = (
    LinkReady
    | VerificationPrompted
    | PasteReady
    | RouteBegan
    | RouteEnded
    | FlowsAvailable
    | WaitingForOtherProcess
    | Preparing
    | OpenerFailed
    | LinkRequested
    | LinkOpened
    | LinkOpenedTwice
    | OtherUserTurnedAway
    | RequestIgnored
    | CallbackTurnedAway
    | HttpsTried
    | CallbackReceived
    | PasteRefused
    | Warned
    | Exchanged
    | SignInSucceeded
    | SignInFailed
)
Notify = Callable[[Event], object]
"""Takes an event in: a plain function or a coroutine function."""


def silent(_event: Event) -> None:
    """Ignore an event: a `notify` for programs that show nothing."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Find the class on first use: it belongs to what starts browsers (PEP 562)."""
        if name != "Opening":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # It lies above.

        return import_module("loopback_auth.network.browser").Opening
