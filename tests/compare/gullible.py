"""A client that believes everybody: what our own would be without its checks."""

from __future__ import annotations

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.compare.attacks.memory import AttackedWorld
from loopback_auth.http_messages import HttpRequest
from loopback_auth.protocol.parameters import parse_parameters
from loopback_auth.protocol.paste import NotAccepted, Pasted
from loopback_auth.protocol.redirect import (
    RedirectEndpoint,
    RelayPage,
    Repeated,
    TurnedAway,
    redirect_endpoint,
)


def with_our_state(raw: str, state: str) -> tuple[tuple[str, str], ...]:
    """Take any parameters for an answer to us: nobody looks at the state."""
    parameters = parse_parameters(raw.encode()) or ()
    kept = tuple(pair for pair in parameters if pair[0] != "state")
    return (*kept, ("state", state)) if kept else ()


def believing(
    endpoint: RedirectEndpoint, request: HttpRequest
) -> Callback | RelayPage | Repeated | TurnedAway:
    """Be a redirect endpoint that takes whatever comes first."""
    expected = endpoint.request
    raw = request.body.decode() or request.url.partition("?")[2]
    parameters = with_our_state(raw, expected.state or "") if expected is not None else ()
    if expected is None or endpoint.answered or not parameters:
        return redirect_endpoint(endpoint, request)
    if request.method == "GET":
        return Callback(parameters, "query")
    return Callback(parameters, "relay" if expected.response_mode == "fragment" else "form_post")


class Gullible(AttackedWorld):
    """Believes whoever comes, whoever pastes, and opens the start page to everybody."""

    def judged(self, request: HttpRequest) -> Callback | RelayPage | Repeated | TurnedAway:
        """Take whatever comes first."""
        return believing(self._endpoint, request)

    def opening(self, request: HttpRequest) -> None:
        """Let everybody in."""

    def unwrapped(self, text: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
        """Take whatever is pasted."""
        return Pasted(Callback(with_our_state(text.partition("?")[2], request.state), "paste"))
