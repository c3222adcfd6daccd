"""Turns what happens in one sign-in into a trace: who asked whom for what, and nothing secret in it.

It sees what the driver and, where there is one, the simulated browser see: effects, exchanges of ours, what
a browser was started with, what reached our port, and what the browser did elsewhere. What it has seen stays
inside, raw, until `trace` writes it: a secret is often known by its name only later than it first passes, and
its label has to be on everything before, too.

Nobody sees what a real browser says to a server. On live ground the addresses that we sent it to are in the
trace, marked as not observed; the rest is not there.

Source: the names of the steps are those of RFC 6749 §4.1, §4.2, RFC 8628 §3, RFC 8252 §7.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from loopback_auth.effects import (
    Bind,
    Browse,
    Effect,
    Observer,
    Receive,
    Send,
    Sleep,
    Tick,
    VerificationPrompt,
    Warn,
)
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.model import Callback, HttpRequest, HttpResponse, SignIn
from loopback_auth.trace.records import Exchange, Ground, Party, Step, Trace
from loopback_auth.trace.redactor import Redactor
from loopback_auth.trace.secret_finder import OWN_KEY
from loopback_auth.trace.writing import DIGITS, written_exchange, written_secrets


@dataclass(frozen=True, slots=True)
class _Act:
    """A step as it was seen; `at` by the recorder's clock."""

    at: float
    name: str
    words: str = field(repr=False)
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An exchange as it was seen; `step` is empty where the browser asked."""

    at: float
    ended: float
    request: HttpRequest = field(repr=False)
    answer: HttpResponse | None = field(repr=False)
    step: str = ""
    address: str = field(default="", repr=False)
    observed: bool = True


class Recorder(Observer):
    """Records one sign-in.

    Args:
        flow: its name.
        ground: where it runs.
        provider: name of the provider.
        clock: seconds, of the same clock as all times that come in; never goes back.
    """

    def __init__(self, flow: str, *, ground: Ground, provider: str, clock: Callable[[], float]) -> None:
        self._flow = flow
        self._ground: Ground = ground
        self._provider = provider
        self._clock = clock
        self._begun = clock()
        self._redactor = Redactor()
        self._seen: list[_Act | _Seen] = []
        self._authority = ""
        self._redirect_uri = ""
        self._browse_url = ""
        self._invite_urls: tuple[str, ...] = ()
        self._answer_at: tuple[int, float] | None = None

    def __repr__(self) -> str:
        return f"Recorder({self._flow!r}, {self._ground!r}, {len(self._seen)} entries)"

    def performed(self, effect: Effect, answer: object, *, begun: float, ended: float) -> None:
        """Note an effect and its answer: a step, or for a request of ours an exchange."""
        match effect:
            case Bind():
                self._redirect_uri, self._authority = str(answer), _authority(str(answer))
                # The browser is started as soon as there is a port: this came before.
                self._act(
                    begun,
                    "bind",
                    "Listen for the redirect on this machine.",
                    (("redirect_uri", str(answer)),),
                )
            case Browse(url):
                self._browsing(url, ended)
            case VerificationPrompt():
                self._inviting(effect, ended)
            case Receive() if isinstance(answer, Callback):
                self._received(answer, ended)
            case Sleep(seconds) if seconds > 0:
                returned = isinstance(answer, Tick) and answer.returned
                self._waited(ended - begun, begun, returned=returned)
            case Warn(text):
                self._act(ended, "warn", text)
            case Send(request, step, secrets):
                response = answer if isinstance(answer, HttpResponse) else None
                self._redactor.learn_request(request)
                if response is not None:
                    self._redactor.learn_response(response, secrets)
                self._seen.append(_Seen(begun, ended, request, response, step))

    def opened(self, argument: str, program: str) -> None:
        """Note what a browser was started with, or the link that was shown."""
        self._redactor.learn_url(argument, guess=True)
        ours = OWN_KEY.match(argument) is not None
        if ours and not self._authority:
            self._authority = _authority(argument)
        page = "the start page" if ours else "the provider's page"
        words = f"Open {page} in a browser." if program else f"Show the link to {page}."
        self._act(self._clock(), "open", words, (("argument", argument), ("program", program)))

    def visited(self, request: HttpRequest, status: int) -> None:
        """Note what reached our own port, on live ground alone: elsewhere `browsed` has it already."""
        if self._ground != "live":
            return
        # A stranger's parameters are nobody's business, least of all those of another sign-in.
        target = request.url if status < 400 else request.url.partition("?")[0]
        url = f"http://{self._authority}{target}"
        whole = HttpRequest(request.method, url, request.headers)
        self._redactor.learn_request(whole)
        address = "" if request.header("x-loopback-relay") else url
        now = self._clock()
        seen = _Seen(now, now, whole, HttpResponse(status), address=address)
        brings = status < 400 and self._browser_step(whole) in ("authorization response", "fragment relay")
        if brings and self._answer_at is not None:
            # It was held until the end, and has been there since just before the answer was received.
            place, at = self._answer_at
            self._seen.insert(place, replace(seen, at=at))
        else:
            self._seen.append(seen)

    def browsed(
        self, request: HttpRequest, answer: HttpResponse | None, *, address: str, begun: float, ended: float
    ) -> None:
        """Note a request of the simulated browser, and that the person approves if that is what it says."""
        self._redactor.learn_request(request, guess=True)
        self._redactor.learn_url(address, guess=True)
        if answer is not None:
            self._redactor.learn_response(answer)
        if request.method == "POST" and ("decision", "approve") in parse_qsl(request.body.decode("latin-1")):
            self._act(begun, "approve", "The user approves.")
        self._seen.append(_Seen(begun, ended, request, answer, address=address))

    def ended(self, end: SignIn | LoopbackAuthError) -> None:
        """Note that the tokens are here, or why there will be none."""
        if isinstance(end, LoopbackAuthError):
            self._act(self._clock(), "failed", end.message)
        else:
            who = f" as {end.tokens.account}" if end.tokens.account else ""
            self._act(self._clock(), "done", f"The program is signed in{who}.")

    def text(self, text: str) -> str:
        """Return a text without the secrets of this sign-in."""
        return self._redactor.excerpt(text)

    def trace(self, *, secrets: bool = False) -> Trace:
        """Write down what was seen so far.

        Args:
            secrets: leave them as they are; then there are no labels to judge by.
        """
        redactor = Redactor() if secrets else self._redactor
        # At the same moment a port is there before a browser is sent to it.
        ordered = sorted(self._seen, key=lambda one: (one.at, isinstance(one, _Seen) or one.name != "bind"))
        entries = tuple(
            self._step(number, one, redactor)
            if isinstance(one, _Act)
            else self._exchange(number, one, redactor)
            for number, one in enumerate(ordered, 1)
        )
        return Trace(self._flow, self._ground, self._provider, entries, written_secrets(entries, redactor))

    def _act(self, at: float, name: str, words: str, values: tuple[tuple[str, str], ...] = ()) -> None:
        self._seen.append(_Act(at, name, words, tuple(pair for pair in values if pair[1])))

    def _browsing(self, url: str, at: float) -> None:
        self._redactor.learn_url(url)
        self._browse_url = url
        self._act(at, "browse", "Send the browser to the authorization endpoint.", (("url", url),))
        self._unobserved(url, at)

    def _inviting(self, invite: VerificationPrompt, at: float) -> None:
        self._redactor.learn_url(invite.url)
        self._redactor.learn("user_code", invite.user_code)
        self._invite_urls = (invite.url, invite.plain_url)
        values = (
            ("url", invite.url),
            ("user_code", invite.user_code),
            ("plain_url", invite.plain_url),
            ("lifetime", f"{invite.lifetime:g}"),
        )
        self._act(at, "invite", "Ask the user to approve at the provider.", values)
        self._unobserved(invite.url, at)

    def _unobserved(self, url: str, at: float) -> None:
        if self._ground == "live":
            self._seen.append(_Seen(at, at, HttpRequest("GET", url), None, address=url, observed=False))

    def _waited(self, seconds: float, at: float, *, returned: bool) -> None:
        why = "until the user comes back" if returned else "before the next polling request"
        values = (("seconds", f"{seconds:.2f}"), ("returned", "yes" if returned else ""))
        self._act(at, "wait", f"Wait {seconds:.1f} s {why}.", values)

    def _received(self, callback: Callback, at: float) -> None:
        self._redactor.learn_parameters(callback.parameters)
        names = " ".join(name for name, _ in callback.parameters)
        values = (("via", callback.via), ("parameters", names))
        if callback.via == "paste":
            self._act(at, "paste", "The user pastes the URL where the browser ended.", values)
        else:
            self._act(at, "receive", "The authorization response has arrived.", values)
            self._answer_at = len(self._seen) - 1, at

    def _step(self, number: int, act: _Act, redactor: Redactor) -> Step:
        text = redactor.excerpt
        values = tuple((name, text(value)) for name, value in act.values)
        return Step(number, self._since(act.at), act.name, text(act.words), values)

    def _exchange(self, number: int, seen: _Seen, redactor: Redactor) -> Exchange:
        request, answer = seen.request, seen.answer
        sender: Party = "client" if seen.step else "browser"
        return written_exchange(
            request,
            answer,
            redactor,
            number=number,
            at=self._since(seen.at),
            seconds=seen.ended - seen.at,
            sender=sender,
            receiver="client" if sender == "browser" and self._is_ours(request) else "server",
            step=seen.step or self._browser_step(request),
            address=seen.address,
            observed=seen.observed,
        )

    def _since(self, moment: float) -> float:
        return round(max(moment - self._begun, 0.0), DIGITS)

    def _is_ours(self, request: HttpRequest) -> bool:
        return bool(self._authority) and _authority(request.url) == self._authority

    def _browser_step(self, request: HttpRequest) -> str:
        """Name a request of the browser by what it is."""
        page = request.url.partition("?")[0]
        if self._is_ours(request):
            own = OWN_KEY.match(request.url)
            if own is None:
                return "authorization response" if page == self._redirect_uri else "page"
            relays = request.header("x-loopback-relay")
            return "page" if page[own.end() :] else "fragment relay" if relays else "start page"
        if page == self._browse_url.partition("?")[0]:
            return "authorization request"
        if page in {url.partition("?")[0] for url in self._invite_urls}:
            return "ticket approval page" if self._flow == "ticket" else "device verification page"
        return "sign-in and consent" if request.method == "POST" else "page"


def _authority(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
