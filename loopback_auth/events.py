"""What a sign-in under way tells whoever is watching: a terminal, an embedding tool, a test.

Events carry no secret except the one link that the person is meant to open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LinkReady:
    """The page where the sign-in begins; `opened_with` names the opener, else `why_not` says why none."""

    url: str = field(repr=False)
    opened_with: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class VerificationPrompted:
    """Where the person is to approve, on whatever device, within `lifetime` seconds.

    `user_code` is to be compared or entered there; `plain_url` is short enough to be typed, where it differs;
    the next two are those of `LinkReady`; `redeemable`: whoever has the link can redeem what is approved.
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
    """A link to open anywhere; the browser ends at `redirect_uri` and more, and that is to be pasted."""

    url: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class RouteBegan:
    """Another flow is now open beside those that are: which, and why."""

    flow: str
    why: str


@dataclass(frozen=True, slots=True)
class RouteEnded:
    """A flow is out of the race, and why; others go on."""

    flow: str
    why: str


@dataclass(frozen=True, slots=True)
class Followed:
    """Another process signs in to the same provider already; its result will be ours too."""

    process: int
    """Its id."""


@dataclass(frozen=True, slots=True)
class OpenerFailed:
    """The program that should have opened the browser ended with an error; the link still works."""

    program: str
    status: int


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """A browser asks for our page, and gets its answer as soon as it is known; the arguments are those below.

    It may give up before, or ask again: the link is used, and `LinkOpened` told, when the answer was taken.
    """

    authority: str = ""
    shown_to_nobody_by: str = ""


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """A browser has reached us: the redirect will arrive, if the person approves.

    `authority` is the host and port by which it did; a port may be forwarded under another number.
    `shown_to_nobody_by` names a program that has come in its place, which shows pages in no window, such as
    w3m or curl; that proves nothing, and the link is used up all the same.
    """

    authority: str = ""
    shown_to_nobody_by: str = ""


@dataclass(frozen=True, slots=True)
class LinkOpenedTwice:
    """A used link was opened once more, so one of two may be a stranger: what it led to is withdrawn."""


@dataclass(frozen=True, slots=True)
class OtherUserTurnedAway:
    """Another user of this machine opened the link that our browser was started with; `user` is their id."""

    user: int

    def __str__(self) -> str:
        return (
            f"Another user of this machine (user id {self.user}) opened the sign-in link and was turned away."
        )


@dataclass(frozen=True, slots=True)
class LinkRenewed:
    """The link is used up, by a second opening or by a program without a window; this is a fresh one."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A request that was not ours was turned away; `count` of them so far."""

    count: int
    status: int
    reason: str
    suspicious: bool = False
    """So many forged callbacks came that something is calling this port on purpose."""


@dataclass(frozen=True, slots=True)
class AnswerTurnedAway:
    """A request to the redirect URI was turned away, and the sign-in waits on; `Ignored` counts it too.

    `why` completes "it ...", in words of ours; `error` is the error code that it carried, cleaned, chosen by
    whoever sent it.
    """

    why: str
    error: str = ""

    def __str__(self) -> str:
        return f"it {self.why}{f' (error={self.error})' * bool(self.error)}"


@dataclass(frozen=True, slots=True)
class HttpsTried:
    """Something spoke https to our port, which speaks http; `authority` is its host and port."""

    authority: str


@dataclass(frozen=True, slots=True)
class CallbackReceived:
    """The person has come back; what remains is between us and the server, unless they were `refused`."""

    refused: bool = False


@dataclass(frozen=True, slots=True)
class PasteRefused:
    """What was pasted is not the answer to this sign-in; another one is awaited."""

    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """The flow goes on, but this should be known."""

    text: str


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One HTTP exchange of ours, redacted: what was asked, what came back, how long it took in seconds."""

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
    | Followed
    | OpenerFailed
    | LinkAsked
    | LinkOpened
    | LinkOpenedTwice
    | OtherUserTurnedAway
    | LinkRenewed
    | Ignored
    | AnswerTurnedAway
    | HttpsTried
    | CallbackReceived
    | PasteRefused
    | Warned
    | Exchanged
)
Notify = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Tell nobody."""
