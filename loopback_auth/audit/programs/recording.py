"""The trace of one sign-in of a program: what its browser did, and what it asked the server, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from loopback_auth.audit.programs.requested import AuthorizationRequested
from loopback_auth.audit.programs.server import Served
from loopback_auth.demo.agent import Navigation
from loopback_auth.demo.setup import DEVICE_CODE
from loopback_auth.effects import Bind, Browse, Send, VerificationPrompt
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import Redirect
from loopback_auth.trace.recorder import Recorder
from loopback_auth.trace.records import Trace

STEPS = {
    "/par": "pushed authorization request",
    "/device_authorization": "device authorization request",
    "/userinfo": "UserInfo request",
    "/jwks": "key set request",
    "/register": "client registration request",
    "/revoke": "revocation request",
}
GRANTS = {
    "authorization_code": "token request",
    "refresh_token": "refresh request",
    DEVICE_CODE: "device token request",
}
"""Names of requests to the token endpoint, by grant type."""


@dataclass(frozen=True, slots=True)
class _Opened:
    at: float
    link: str = field(repr=False)
    command: str


@dataclass(frozen=True, slots=True)
class _Browsed:
    at: float
    ended: float
    step: Navigation = field(repr=False)
    answer: HttpResponse = field(repr=False)


class Recording:
    """Keeps what happens in the browser, for one trace."""

    def __init__(self) -> None:
        self._seen: list[_Opened | _Browsed] = []

    def opened(self, link: str, command: str, at: float) -> None:
        """Keep that a browser was started; an empty command: the link was only printed."""
        self._seen.append(_Opened(at, link, command))

    def browsed(self, step: Navigation, answer: HttpResponse, begun: float, ended: float) -> None:
        """Keep a request of the browser."""
        self._seen.append(_Browsed(begun, ended, step, answer))

    def trace(
        self,
        served: Iterable[Served],
        requested: AuthorizationRequested,
        *,
        flow: str,
        begun: float,
        end: str,
        succeeded: bool,
    ) -> Trace:
        """Return the trace, with labels in place of secrets.

        Args:
            served: the program's requests to the server.
            requested: the program's authorization request.
            flow: name of the flow that it used.
            begun: when the program was started, in monotonic seconds.
            end: how it ended, in a sentence.
            succeeded: it signed in.
        """
        moment = begun
        recorder = Recorder(flow, ground="demo", provider="demo", clock=lambda: moment)
        bound, entered = not requested.redirect_uri, False
        for event in sorted([*self._seen, *served], key=lambda one: one.at):
            moment = event.at
            match event:
                case _Opened():
                    if not bound:
                        recorder.performed(
                            Bind(Redirect()), requested.redirect_uri, begun=moment, ended=moment
                        )
                        bound = True
                    recorder.opened(event.link, event.command)
                case _Browsed():
                    url = event.step.url
                    if url == requested.link:
                        recorder.performed(Browse(url), None, begun=moment, ended=moment)
                    elif requested.at_device_page(url) and not entered:
                        recorder.performed(VerificationPrompt("demo", url), None, begun=moment, ended=moment)
                        entered = True
                    recorder.browsed(
                        event.step.request(),
                        event.answer if event.answer.status else None,
                        address=event.step.address,
                        begun=event.at,
                        ended=event.ended,
                    )
                case Served():
                    recorder.performed(
                        Send(event.request, step_of(event)), event.answer, begun=event.at, ended=event.ended
                    )
        recorder.closed(end, failed=not succeeded)
        return recorder.trace()


def step_of(served: Served) -> str:
    """Name a request of the program in the words of the specifications."""
    path, record = served.record.path, served.record
    if path == "/token":
        return GRANTS.get(record.grant, "token request")
    if path.startswith("/.well-known/"):
        return "resource metadata request" if "protected-resource" in path else "metadata request"
    return STEPS.get(path, "resource request")
