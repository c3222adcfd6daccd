"""What an attacker can do, what they can see of a login meanwhile, and the type of a scenario.

Theory of operation. A scenario is a generator, as a flow is: it yields an action and is resumed with its
result. It reads from top to bottom in the order in which things happen, and the same scenario is played in
memory (`attacks.memory`) and on sockets (`attacks.sockets`). The user's login is a real one; it is paused,
with the browser in the middle of a step, while the attacker acts.

Nothing here decides whether an attack succeeds: the responses show that.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from loopback_auth.demo.agent import Navigation
from loopback_auth.effects import Browse, Effect, Send, VerificationPrompt
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.tokens import SignIn
from loopback_auth.trace.evidence import REDEMPTIONS

T = TypeVar("T")

Point = Literal["link", "approved", "answer"]
"""Where the user's login is paused: the user is about to decide on the provider's page; the user has
approved, and the program does not know yet; the browser is about to bring the response to the program."""

NO_ANSWER = HttpResponse(0)
"""There was no response, or not yet."""
OVER = "This login has ended."


@dataclass(frozen=True, slots=True)
class Exposed:
    """What can be read while the user's login is paused: in the address bar, history, process list or memory.

    Args:
        start_url: what the browser was started with, usually the program's start page; empty where the user
            opens the link.
        link: the provider's page where the user approves, or the authorization request.
        redirect_uri: where the response is going to come; empty where none comes.
        state: of the user's authorization request.
        answer: the request in which the browser is about to bring the response; None before.
    """

    start_url: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    redirect_uri: str = ""
    state: str = field(default="", repr=False)
    answer: Navigation | None = field(default=None, repr=False)

    def brought(self, name: str) -> str:
        """Return a parameter of the response, wherever it travels; empty when it is absent."""
        return parameter(self.answer, name) if self.answer is not None else ""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """How the user's login ended.

    Args:
        end: the sign-in, or why there is none.
        redeeming: the program's request that got tokens, if there was one.
        taken: the program accepted what the attacker delivered as the response.
        renewed: the terminal showed a new link in place of a used one; None where the terminal was not seen.
    """

    end: SignIn | LoopbackAuthError
    redeeming: HttpRequest | None = field(default=None, repr=False)
    taken: bool = False
    renewed: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attack ended.

    Args:
        succeeded: whether the attacker got what they wanted; None when it could not be tried.
        because: what showed that, in a sentence or two.
    """

    succeeded: bool | None
    because: str


NOT_SO_FAR = Outcome(None, "The user's login ended before that.")


@dataclass(frozen=True, slots=True)
class Ask:
    """Send one request, as another process, as the attacker's page, or as some browser.

    Args:
        request: what is sent.
    """

    request: HttpRequest = field(repr=False)

    def __iter__(self) -> Generator[Ask, Any, HttpResponse]:
        answer: HttpResponse = yield self
        return answer


@dataclass(frozen=True, slots=True)
class Until:
    """Let the user's login go on, and pause it at a point.

    Args:
        point: where it is paused.
    """

    point: Point

    def __iter__(self) -> Generator[Until, Any, Exposed]:
        exposed: Exposed = yield self
        return exposed


@dataclass(frozen=True, slots=True)
class End:
    """Let the user's login go on to its end."""

    def __iter__(self) -> Generator[End, Any, LoginResult]:
        result: LoginResult = yield self
        return result


@dataclass(frozen=True, slots=True)
class Paste:
    """Have the user paste a text into their login; the result is why it was refused, empty if it was not.

    Args:
        text: what is pasted.
    """

    text: str = field(repr=False)

    def __iter__(self) -> Generator[Paste, Any, str]:
        refusal: str = yield self
        return refusal


@dataclass(frozen=True, slots=True)
class BindAgain:
    """Bind the program's port a second time; the result is a sentence about it, or empty in memory.

    Args:
        authority: host and port.
    """

    authority: str

    def __iter__(self) -> Generator[BindAgain, Any, str]:
        ended: str = yield self
        return ended


Action = Ask | End | Paste | BindAgain | Until
Actions = Generator[Action, Any, T]
Requests = Generator[Ask, Any, T]
"""Actions that are nothing but requests, which scenarios about other things than a flow can share."""
Scenario = Actions[Outcome]


def not_begun(error: LoopbackAuthError) -> Outcome:
    """Return that the attack could not begin, since the attacker's own requests failed."""
    return Outcome(None, f"The attack could not begin: {error.message.rstrip('.')}.")


def parameter(step: Navigation, name: str) -> str:
    """Return a parameter of a browser's request: from the query, the fragment or the form."""
    return in_url(step.url, name) or dict(parse_qsl(step.body.decode("latin-1"))).get(name, "")


def in_url(url: str, name: str) -> str:
    """Return a parameter in the query or the fragment of a URL; empty when it is absent."""
    parts = urlsplit(url)
    places = (parts.query, parts.fragment.removeprefix("?"))
    return next((value for text in places for key, value in parse_qsl(text) if key == name), "")


def in_link(link: str, name: str) -> str:
    """Return a parameter in the query of a link; empty when it is absent."""
    return dict(parse_qsl(urlsplit(link).query)).get(name, "")


def seen(effects: Sequence[Effect], *, start_url: str = "", answer: Navigation | None = None) -> Exposed:
    """Return what can be read of a login after these effects."""
    request = next((one.request for one in effects if isinstance(one, Browse) and one.request), None)
    link = next((one.url for one in effects if isinstance(one, VerificationPrompt)), "")
    if request is None:
        return Exposed(start_url=start_url, link=link, answer=answer)
    return Exposed(start_url, request.url, request.redirect_uri, request.state, answer)


def redeeming(effects: Sequence[Effect]) -> HttpRequest | None:
    """Return the request that got tokens, if there was one."""
    sent = [one.request for one in effects if isinstance(one, Send) and one.step in REDEMPTIONS]
    return sent[-1] if sent else None
