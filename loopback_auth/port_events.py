"""Events about what comes to our port: browsers at the start page and at the redirect URI, and strangers.

They are part of `events`, where all events are found.
"""

from __future__ import annotations

from loopback_auth.records import dataclass


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
        flow: the flow that it belongs to.
    """

    refused: bool = False
    flow: str = ""
