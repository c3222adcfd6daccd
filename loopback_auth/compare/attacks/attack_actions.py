"""What an attacker can do, what can be seen of a sign-in meanwhile, and the type of a story.

Theory of operation. A story is a generator, as a flow is: it yields an act when somebody does something, and
is resumed with what came of it. It reads from top to bottom in the order in which things happen, and the same
story is played in memory (`attacks.memory`) and on sockets (`attacks.sockets`). Our own sign-in is the real
one; it stands still, with the browser in the middle of a step, while the attacker acts.

Nothing here decides whether an attack succeeds: that is read off answers.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from loopback_auth.demo.agent import Navigation
from loopback_auth.effects import Browse, Effect, Send, VerificationPrompt
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.model import HttpRequest, HttpResponse, SignIn
from loopback_auth.trace.evidence import REDEMPTIONS

T = TypeVar("T")

Point = Literal["link", "approved", "answer"]
"""Where our sign-in stands still: the person has the provider's page before them and is about to decide; they
have approved, and we do not know yet; the browser is about to bring the answer to our port."""

NO_ANSWER = HttpResponse(0)
"""Nobody answered, or not yet."""
OVER = "This sign-in is over."


@dataclass(frozen=True, slots=True)
class Exposed:
    """What can be read while our sign-in stands still: in address bar, history, process list or memory.

    Args:
        start_url: our start page, as a browser was started with; empty where there is none.
        link: the provider's page where the person approves; empty in flows that redirect.
        redirect_uri: where the answer is to come; empty where none comes.
        state: of our request.
        answer: what the browser is about to bring; None before.
    """

    start_url: str = field(default="", repr=False)
    link: str = field(default="", repr=False)
    redirect_uri: str = ""
    state: str = field(default="", repr=False)
    answer: Navigation | None = field(default=None, repr=False)

    def brought(self, name: str) -> str:
        """Return a parameter of the answer, wherever it travels; empty when it is absent."""
        return parameter(self.answer, name) if self.answer is not None else ""


@dataclass(frozen=True, slots=True)
class LoginResult:
    """How our own sign-in ended.

    Args:
        redeeming: our request that was answered with tokens, if there was one.
        taken: what the attacker brought was taken for the answer.
        renewed: the terminal showed a new link in place of a used one; None where nobody saw the terminal.
    """

    end: SignIn | LoopbackAuthError
    redeeming: HttpRequest | None = field(default=None, repr=False)
    taken: bool = False
    renewed: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack came to, and in a sentence or two what showed that; None: it could not be tried."""

    succeeded: bool | None
    because: str


NOT_SO_FAR = Outcome(None, "Our own sign-in did not come so far.")


@dataclass(frozen=True, slots=True)
class Ask:
    """Make one request, as another process, as a page of the attacker's, or as a browser somewhere."""

    request: HttpRequest = field(repr=False)

    def __iter__(self) -> Generator[Ask, Any, HttpResponse]:
        answer: HttpResponse = yield self
        return answer


@dataclass(frozen=True, slots=True)
class Until:
    """Let our sign-in go on until a point, and stand still there."""

    point: Point

    def __iter__(self) -> Generator[Until, Any, Exposed]:
        exposed: Exposed = yield self
        return exposed


@dataclass(frozen=True, slots=True)
class End:
    """Let our sign-in go on to its end."""

    def __iter__(self) -> Generator[End, Any, LoginResult]:
        result: LoginResult = yield self
        return result


@dataclass(frozen=True, slots=True)
class Paste:
    """Have the person paste something into our sign-in: answers why it was refused; empty: it was taken."""

    text: str = field(repr=False)

    def __iter__(self) -> Generator[Paste, Any, str]:
        refusal: str = yield self
        return refusal


@dataclass(frozen=True, slots=True)
class BindAgain:
    """Bind our port a second time: answers how that ended, in a sentence; empty where there are no ports."""

    authority: str

    def __iter__(self) -> Generator[BindAgain, Any, str]:
        ended: str = yield self
        return ended


Action = Ask | End | Paste | BindAgain | Until
Actions = Generator[Action, Any, T]
Story = Actions[Outcome]


def not_begun(error: LoopbackAuthError) -> Outcome:
    """Say that the attacker's own requests were not answered as they should be."""
    return Outcome(None, f"The attacker could not begin: {error.message.rstrip('.')}.")


def parameter(step: Navigation, name: str) -> str:
    """Return a parameter that a browser's step carries: in the query, the fragment or the form."""
    parts = urlsplit(step.url)
    places = (parts.query, parts.fragment.removeprefix("?"), step.body.decode("latin-1"))
    return next((value for text in places for key, value in parse_qsl(text) if key == name), "")


def in_link(link: str, name: str) -> str:
    """Return a parameter in the query of a link; empty when it is absent."""
    return dict(parse_qsl(urlsplit(link).query)).get(name, "")


def seen(effects: Sequence[Effect], *, start_url: str = "", answer: Navigation | None = None) -> Exposed:
    """Say what can be read of a sign-in that has come so far."""
    request = next((one.request for one in effects if isinstance(one, Browse) and one.request), None)
    link = next((one.url for one in effects if isinstance(one, VerificationPrompt)), "")
    if request is None:
        return Exposed(start_url=start_url, link=link, answer=answer)
    return Exposed(start_url, link, request.redirect_uri, request.state, answer)


def redeeming(effects: Sequence[Effect]) -> HttpRequest | None:
    """Return the request that was answered with tokens, if there was one."""
    sent = [one.request for one in effects if isinstance(one, Send) and one.step in REDEMPTIONS]
    return sent[-1] if sent else None
