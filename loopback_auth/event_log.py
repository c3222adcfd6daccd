"""Events of a sign-in as lines of a log: which level each has, and what the line says.

From INFO on a line has no secret but the link, and the code, that the user needs in order to sign in. At
DEBUG requests and responses are told with labels in place of secrets. Events are known by the names of their
classes, so that `events` can offer this.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

DEBUG, INFO, WARNING = 10, 20, 30
"""The levels of `logging`, which takes long to import."""

LINES = {
    "LinkReady": (INFO, "Open this link to sign in: {0.url}"),
    "VerificationPrompted": (INFO, "Open this link to approve the sign-in, on any device: {0.url}"),
    "PasteReady": (INFO, "Open this link, and paste the address on which the browser ends: {0.url}"),
    "RouteBegan": (INFO, "The flow {0.flow} has begun: {0.why}"),
    "RouteEnded": (WARNING, "The flow {0.flow} has ended: {0.why}"),
    "FlowsAvailable": (DEBUG, "Flows that can be begun: {0.flows}"),
    "WaitingForOtherProcess": (INFO, "Process {0.process} signs in already; its result is waited for."),
    "Preparing": (INFO, "Before the sign-in ({0.step}): {0.url}"),
    "OpenerFailed": (WARNING, "The browser did not open ({0.program}): the link still works."),
    "LinkRequested": (DEBUG, "A browser asks for the start page."),
    "LinkOpened": (INFO, "A browser has opened the link."),
    "LinkOpenedTwice": (WARNING, "The link was opened a second time, perhaps by another person."),
    "OtherUserTurnedAway": (WARNING, "{0}"),
    "RequestIgnored": (DEBUG, "A request to the port was turned away ({0.status}): {0.reason}"),
    "CallbackTurnedAway": (WARNING, "A request to the redirect URI was turned away: {0}"),
    "HttpsTried": (WARNING, "A browser spoke https to {0.authority}, which speaks http."),
    "CallbackReceived": (INFO, "The browser has come back."),
    "PasteRefused": (WARNING, "What was pasted is not the answer: {0.reason}"),
    "Warned": (WARNING, "{0.text}"),
    "Exchanged": (DEBUG, "{0.step}: {0.method} {0.url} {0.request} -> {0.status} {0.response}"),
    "SignInSucceeded": (INFO, "Signed in by the flow {0.flow}."),
    "SignInFailed": (WARNING, "The sign-in has failed: {0.message} {0.hint}"),
}
"""Name of an event to the level and the line; `{0}` is the event."""


NEEDED = ("LinkReady", "VerificationPrompted", "PasteReady")
"""Events without which the user cannot sign in."""


def log_to(logger: Logger) -> Callable[[object], None]:
    """Return a `notify` that writes events to a logger.

    What the user has to do, and how it goes on, has the level INFO; what was turned away, has failed or
    needs care WARNING; requests and responses, with labels in place of secrets, DEBUG. The lines at INFO have
    the link and the code with which the user signs in; without them the user could do nothing, so they have
    the level WARNING where the logger leaves INFO out, as `logging` does by default.
    """

    def tell(event: object) -> None:
        level, line = LINES[type(event).__name__]
        needed = type(event).__name__ in NEEDED and not logger.isEnabledFor(INFO)
        if needed or getattr(event, "suspicious", False):
            level = WARNING
        if logger.isEnabledFor(level):
            code = getattr(event, "user_code", "")
            logger.log(level, "%s", line.format(event).strip() + f" (code {code})" * bool(code))

    return tell
