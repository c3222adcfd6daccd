"""What is told of a sign-in by a simulated person: that nobody is asked, and what happens instead."""

from __future__ import annotations

from loopback_auth.terminal.line import say
from loopback_auth.terminal.messages import exchange_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.events import Event


class Narrator:
    """Tells events of a sign-in to which nobody contributes anything.

    Args:
        why: a simulated person signs in.
        verbose: show every exchange, secrets replaced by labels.
    """

    def __init__(self, why: str, *, verbose: bool) -> None:
        self._why = why
        self._verbose = verbose

    def begin(self) -> None:
        """Say before anything else that nobody is asked."""
        say(f"A simulated person signs in to the built-in demonstration: {self._why}.")
        yourself = "python -m loopback_auth login --no-simulate-person --wait"
        say(f"You are not asked, and no account is used. To sign in yourself: {yourself}")

    def notify(self, event: Event) -> None:
        """Tell an event."""
        from loopback_auth import events

        match event:
            case events.LinkOpened(authority):
                say(f"The simulated browser has opened the start page at {authority}.")
            case events.VerificationPrompted():
                say("The simulated person approves at the server; the program asks it until it says so.")
            case events.CallbackReceived():
                say("The simulated person has approved, and the browser has come back with the answer.")
            case events.Warned(text):
                say(f"warning: {text}")
            case events.Exchanged() if self._verbose:
                for line in exchange_lines(event):
                    say(line)
