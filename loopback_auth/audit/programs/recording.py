"""The trace of one sign-in of a program: what its browser did, and what it asked the server, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

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
        *,
        flow: str,
        begun: float,
        ended: float,
        link: str,
        redirect_uri: str,
        end: str,
        succeeded: bool,
    ) -> Trace:
        """Return the trace, with labels in place of secrets.

        Args:
            served: the program's requests to the server.
            flow: name of the flow that it used.
            begun: when the program was started, in monotonic seconds.
            ended: when it ended.
            link: of the authorization request; empty without one.
            redirect_uri: where the response came; empty when none did.
            end: how it ended, in a sentence.
            succeeded: it signed in.
        """
        moment = begun
        recorder = Recorder(flow, ground="demo", provider="demo", clock=lambda: moment)
        events = sorted([*self._seen, *served], key=lambda one: one.at)
        bound = False
        for event in events:
            moment = event.at
            match event:
                case _Opened():
                    if redirect_uri and not bound:
                        bound = True
                        recorder.performed(Bind(Redirect()), redirect_uri, begun=moment, ended=moment)
                    recorder.opened(event.link, event.command)
                    if not link and "/device" in event.link:
                        recorder.performed(
                            VerificationPrompt("demo", event.link), None, begun=moment, ended=moment
                        )
                case _Browsed():
                    if event.step.url == link:
                        recorder.performed(Browse(link), None, begun=moment, ended=moment)
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
        moment = ended
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
