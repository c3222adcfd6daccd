"""Messages about a sign-in by a simulated person: that you are not asked, and what happens instead."""

from __future__ import annotations

from loopback_auth import events, words
from loopback_auth.terminal.drawing import exchange_lines
from loopback_auth.terminal.line import say
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.events import Event


class Narrator:
    """Shows the events of a sign-in in which no real person takes part.

    Args:
        why: a simulated person signs in.
        verbose: show every exchange, secrets replaced by labels.
    """

    def __init__(self, why: str, *, verbose: bool) -> None:
        self._why = why
        self._verbose = verbose

    def begin(self) -> None:
        """Show, before anything else, that the person is not asked."""
        say(words.SIMULATED.format(why=self._why))
        say(words.SIMULATED_INSTEAD)

    def notify(self, event: Event) -> None:
        """Show an event."""
        match event:
            case events.LinkOpened(authority):
                say(words.SIMULATED_OPENED.format(authority=authority))
            case events.VerificationPrompted():
                say(words.SIMULATED_APPROVES)
            case events.CallbackReceived():
                say(words.SIMULATED_APPROVED)
            case events.Warned(text):
                say(Words.WARNING.format(text=text))
            case events.Exchanged() if self._verbose:
                for line in exchange_lines(event):
                    say(line)
            case _:
                pass  # The rest is for a person who has to do something.
