"""Events: what a running sign-in reports to the program that started it, through `notify`.

A terminal shows them, a program that embeds the sign-in may draw them in its own window. Events contain no
secret but the links and codes that the person is meant to use.
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth.records import dataclass, field


@dataclass(frozen=True, slots=True)
class LinkReady:
    """The link with which the person begins the sign-in; the browser was sent there if that was possible.

    Args:
        url: to open; anyone who has it can begin the sign-in instead of the person.
        opened_with: the program that was started to open it; empty when there was none.
        why_not: why no program was started; empty otherwise.
    """

    url: str = field(repr=False)
    opened_with: str = ""
    why_not: str = ""


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
    """

    url: str = field(repr=False)
    user_code: str = field(repr=False)
    plain_url: str
    lifetime: float
    opened_with: str = ""
    why_not: str = ""
    redeemable: bool = False


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
class WaitingForOtherProcess:
    """Another process signs in to the same provider already; its result will be used here, too.

    Args:
        process: its ID.
    """

    process: int


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
class LinkRequested:
    """A browser asks for our start page, and is answered as soon as the address to go to is known.

    It may give up before that, or ask again. The link is used when the answer was taken (`LinkOpened`).

    Args:
        authority: as in `LinkOpened`.
        windowless_program: as in `LinkOpened`.
    """

    authority: str = ""
    windowless_program: str = ""


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """A browser has reached our start page, so that the redirect will arrive if the person approves.

    Args:
        authority: host and port by which it came; a forwarded port may have another number.
        windowless_program: a program such as curl or w3m that came in place of a browser, and shows pages in
            no window: then nothing is proven, though the link is used up; empty for a browser.
    """

    authority: str = ""
    windowless_program: str = ""


@dataclass(frozen=True, slots=True)
class LinkOpenedTwice:
    """A used link was opened again, perhaps by another person, so the link is withdrawn."""


@dataclass(frozen=True, slots=True)
class OtherUserTurnedAway:
    """Another user of this machine opened the link with which our browser was started, and was turned away.

    Args:
        user: their user ID.
    """

    user: int

    def __str__(self) -> str:
        return f"Another user of this machine (user id {self.user}) opened the sign-in link and was refused."


@dataclass(frozen=True, slots=True)
class LinkRenewed:
    """The link was used up, by a second opening or by a program without a window; here is a new one.

    Args:
        url: to open.
    """

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestIgnored:
    """A request to our port that does not belong to the sign-in was turned away.

    Args:
        count: of such requests so far.
        status: of the response.
        reason: one sentence for people.
        suspicious: so many forged callbacks came that some program must be calling this port on purpose.
    """

    count: int
    status: int
    reason: str
    suspicious: bool = False


@dataclass(frozen=True, slots=True)
class CallbackTurnedAway:
    """A request to the redirect URI was turned away, and the sign-in goes on waiting.

    It is counted by `RequestIgnored`, too.

    Args:
        why: completes a sentence that begins with "it".
        error: the error code in the request, which its sender chose; harmless to show, empty without one.
    """

    why: str
    error: str = ""

    def __str__(self) -> str:
        return f"it {self.why}{f' (error={self.error})' * bool(self.error)}"


@dataclass(frozen=True, slots=True)
class HttpsTried:
    """A browser spoke https to our port, which speaks http.

    Args:
        authority: host and port of it.
    """

    authority: str


@dataclass(frozen=True, slots=True)
class CallbackReceived:
    """The authorization response has arrived; the rest is between the program and the server.

    Args:
        refused: it is an error response: the server or the person refused.
    """

    refused: bool = False


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


Event = (
    LinkReady
    | VerificationPrompted
    | PasteReady
    | RouteBegan
    | RouteEnded
    | WaitingForOtherProcess
    | OpenerFailed
    | LinkRequested
    | LinkOpened
    | LinkOpenedTwice
    | OtherUserTurnedAway
    | LinkRenewed
    | RequestIgnored
    | CallbackTurnedAway
    | HttpsTried
    | CallbackReceived
    | PasteRefused
    | Warned
    | Exchanged
)
Notify = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Ignore an event: a `notify` for programs that show nothing."""
