"""Records one sign-in as a trace: who requested what of whom, without secrets.

The recorder is an `Observer`: it sees effects, requests of ours, what a browser was started with, what came
to our port, and the requests of a simulated browser. It keeps all of that as it was until `trace` writes it
down, for a secret may pass before its name is known, and has to be a label there, too.

The requests of a real browser to a server cannot be seen. On live ground the addresses to which we sent the
browser are in the trace, marked as not observed; the rest is missing.

Source: the names of the steps are those of RFC 6749 §4.1, §4.2, RFC 8628 §3, RFC 8252 §7.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from loopback_auth.authorization_messages import Callback
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
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.tokens import SignIn
from loopback_auth.trace.records import Exchange, Ground, Party, Step, Trace
from loopback_auth.trace.redactor import Redactor
from loopback_auth.trace.secret_finder import OWN_KEY
from loopback_auth.trace.writing import DIGITS, written_exchange, written_secrets


@dataclass(frozen=True, slots=True)
class _SeenStep:
    """A step as it was seen; `at` is of the recorder's clock."""

    at: float
    name: str
    words: str = field(repr=False)
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _SeenExchange:
    """An exchange as it was seen; `step` is empty for a request of the browser."""

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
        flow: name of the flow.
        ground: where it runs.
        provider: name of the provider.
        clock: returns seconds; all times that the recorder gets are from this clock, which never goes back.
    """

    def __init__(self, flow: str, *, ground: Ground, provider: str, clock: Callable[[], float]) -> None:
        self._flow = flow
        self._ground: Ground = ground
        self._provider = provider
        self._clock = clock
        self._begun = clock()
        self._redactor = Redactor()
        self._seen: list[_SeenStep | _SeenExchange] = []
        self._authority = ""
        self._redirect_uri = ""
        self._browse_url = ""
        self._prompt_urls: tuple[str, ...] = ()
        self._response_at: tuple[int, float] | None = None

    def __repr__(self) -> str:
        return f"Recorder({self._flow!r}, {self._ground!r}, {len(self._seen)} entries)"

    def performed(self, effect: Effect, answer: object, *, begun: float, ended: float) -> None:
        """Note an effect and its answer: an exchange for a request of ours, a step for all others."""
        match effect:
            case Bind() if answer == self._redirect_uri:
                pass  # It is bound already.
            case Bind():
                self._redirect_uri, self._authority = str(answer), _authority(str(answer))
                # By its beginning, for the browser is started before it has ended.
                self._note(
                    begun,
                    "bind",
                    "Listen for the redirect on this machine.",
                    (("redirect_uri", str(answer)),),
                )
            case Browse(url):
                self._browsing(url, ended)
            case VerificationPrompt():
                self._prompting(effect, ended)
            case Receive() if isinstance(answer, Callback):
                self._received(answer, ended)
            case Sleep(seconds) if seconds > 0:
                returned = isinstance(answer, Tick) and answer.returned
                self._waited(ended - begun, begun, returned=returned)
            case Warn(text):
                self._note(ended, "warn", text)
            case Send(request, step, secrets):
                response = answer if isinstance(answer, HttpResponse) else None
                self._redactor.learn_request(request)
                if response is not None:
                    self._redactor.learn_response(response, secrets)
                self._seen.append(_SeenExchange(begun, ended, request, response, step))
            case _:
                pass  # A wait of no length, or an answer that did not come, is nothing to be seen.

    def opened(self, argument: str, program: str) -> None:
        """Note what a browser was started with, or the link that was shown."""
        self._redactor.learn_url(argument, guess=True)
        ours = OWN_KEY.match(argument) is not None
        if ours and not self._authority:
            self._authority = _authority(argument)
        page = "the start page" if ours else "the provider's page"
        words = f"Open {page} in a browser." if program else f"Show the link to {page}."
        self._note(self._clock(), "open", words, (("argument", argument), ("program", program)))

    def visited(self, request: HttpRequest, status: int) -> None:
        """Note what reached our own port, on live ground alone: elsewhere `browsed` has it already."""
        if self._ground != "live":
            return
        # What was turned away may be another sign-in's callback: its parameters are not for this trace.
        target = request.url if status < 400 else request.url.partition("?")[0]
        url = f"http://{self._authority}{target}"
        whole = HttpRequest(request.method, url, request.headers)
        self._redactor.learn_request(whole)
        address = "" if request.header("x-loopback-relay") else url
        now = self._clock()
        seen = _SeenExchange(now, now, whole, HttpResponse(status), address=address)
        brings = status < 400 and self._browser_step(whole) in ("authorization response", "fragment relay")
        if brings and self._response_at is not None:
            # The receiver reports it when it is answered, at the end; it came just before it was received.
            place, at = self._response_at
            self._seen.insert(place, replace(seen, at=at))
        else:
            self._seen.append(seen)

    def browsed(
        self, request: HttpRequest, answer: HttpResponse | None, *, address: str, begun: float, ended: float
    ) -> None:
        """Note a request of the simulated browser, and the approval of the person if it is one."""
        self._redactor.learn_request(request, guess=True)
        self._redactor.learn_url(address, guess=True)
        if answer is not None:
            self._redactor.learn_response(answer)
        if request.method == "POST" and ("decision", "approve") in parse_qsl(request.body.decode("latin-1")):
            self._note(begun, "approve", "The user approves.")
        self._seen.append(_SeenExchange(begun, ended, request, answer, address=address))

    def ended(self, end: SignIn | LoopbackAuthError) -> None:
        """Note how the sign-in ended."""
        if isinstance(end, LoopbackAuthError):
            self.closed(end.message, failed=True)
        else:
            who = f" as {end.tokens.account}" if end.tokens.account else ""
            self.closed(f"The program is signed in{who}.", failed=False)

    def closed(self, words: str, *, failed: bool) -> None:
        """Note the end of a sign-in that another program made, in a sentence."""
        self._note(self._clock(), "failed" if failed else "done", words)

    def text(self, text: str) -> str:
        """Return a text without the secrets of this sign-in."""
        return self._redactor.excerpt(text)

    def trace(self, *, secrets: bool = False) -> Trace:
        """Return what was seen so far.

        Args:
            secrets: write secrets as they are; then there are no labels to judge by.
        """
        redactor = Redactor() if secrets else self._redactor
        # At the same moment a port is there before a browser is sent to it.
        ordered = sorted(
            self._seen, key=lambda one: (one.at, isinstance(one, _SeenExchange) or one.name != "bind")
        )
        entries = tuple(
            self._step(number, one, redactor)
            if isinstance(one, _SeenStep)
            else self._exchange(number, one, redactor)
            for number, one in enumerate(ordered, 1)
        )
        return Trace(self._flow, self._ground, self._provider, entries, written_secrets(entries, redactor))

    def _note(self, at: float, name: str, words: str, values: tuple[tuple[str, str], ...] = ()) -> None:
        self._seen.append(_SeenStep(at, name, words, tuple(pair for pair in values if pair[1])))

    def _browsing(self, url: str, at: float) -> None:
        self._redactor.learn_url(url)
        self._browse_url = url
        self._note(at, "browse", "Send the browser to the authorization endpoint.", (("url", url),))
        self._unobserved(url, at)

    def _prompting(self, prompt: VerificationPrompt, at: float) -> None:
        self._redactor.learn_url(prompt.url)
        self._redactor.learn("user_code", prompt.user_code)
        self._prompt_urls = (prompt.url, prompt.plain_url)
        values = (
            ("url", prompt.url),
            ("user_code", prompt.user_code),
            ("plain_url", prompt.plain_url),
            ("lifetime", f"{prompt.lifetime:g}"),
        )
        self._note(at, "invite", "Ask the user to approve at the provider.", values)
        self._unobserved(prompt.url, at)

    def _unobserved(self, url: str, at: float) -> None:
        if self._ground == "live":
            self._seen.append(
                _SeenExchange(at, at, HttpRequest("GET", url), None, address=url, observed=False)
            )

    def _waited(self, seconds: float, at: float, *, returned: bool) -> None:
        why = "until the user comes back" if returned else "before the next polling request"
        values = (("seconds", f"{seconds:.2f}"), ("returned", "yes" if returned else ""))
        self._note(at, "wait", f"Wait {seconds:.1f} s {why}.", values)

    def _received(self, callback: Callback, at: float) -> None:
        self._redactor.learn_parameters(callback.parameters)
        names = " ".join(name for name, _ in callback.parameters)
        values = (("via", callback.via), ("parameters", names))
        if callback.via == "paste":
            self._note(at, "paste", "The user pastes the URL where the browser ended.", values)
        else:
            self._note(at, "receive", "The authorization response has arrived.", values)
            self._response_at = len(self._seen) - 1, at

    def _step(self, number: int, act: _SeenStep, redactor: Redactor) -> Step:
        text = redactor.excerpt
        values = tuple((name, text(value)) for name, value in act.values)
        return Step(number, self._since(act.at), act.name, text(act.words), values)

    def _exchange(self, number: int, seen: _SeenExchange, redactor: Redactor) -> Exchange:
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
        """Return the name of a request of the browser."""
        page = request.url.partition("?")[0]
        if self._is_ours(request):
            own = OWN_KEY.match(request.url)
            if own is None:
                return "authorization response" if page == self._redirect_uri else "page"
            relays = request.header("x-loopback-relay")
            return "page" if page[own.end() :] else "fragment relay" if relays else "start page"
        if page == self._browse_url.partition("?")[0]:
            return "authorization request"
        if page in {url.partition("?")[0] for url in self._prompt_urls}:
            return "ticket approval page" if self._flow == "ticket" else "device verification page"
        return "sign-in and consent" if request.method == "POST" else "page"


def _authority(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
