"""Help while nothing happens: how a browser elsewhere reaches this machine, and what an error page means.

Decides when help is due; each piece of it is shown once.

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import os
import time

from loopback_auth import words
from loopback_auth.plan.model import UNVISITED, Place
from loopback_auth.plan.port_forwarding import forwarding_command, instruction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.plan.model import Plan
    from loopback_auth.terminal.line import Line
    from loopback_auth.terminal.links import Links
    from loopback_auth.terminal.progress import Progress

NEVER = float("inf")
LOST_SECONDS = 15.0
"""After so long at the server, what an error page there means is said; many have approved by then."""
UNKNOWN_PLACE = Place("console", "a terminal")


class Troubleshooting:
    """Notes what the browser does, and helps when it does nothing.

    Args:
        name: of the provider.
        line: where to say it.
        links: what the browser has to reach.
        progress: which flows are open.
        plan: where this runs, and which flows begin when; None: not known.
        pasting: the person will be asked to paste the address, so their browser may be anywhere.
        command: of ours, which could be started again in another way; empty: another one asks.
    """

    def __init__(
        self,
        name: str,
        line: Line,
        links: Links,
        progress: Progress,
        *,
        plan: Plan | None,
        pasting: bool,
        command: str,
    ) -> None:
        self.place: Place = plan.place if plan is not None else UNKNOWN_PLACE
        """The kind of machine on which the program runs."""
        self.launched = False
        """Whether a browser was started, and has not failed."""
        self._name = name
        self._line = line
        self._words = self._line.words
        self._links = links
        self._progress = progress
        self._plan = plan
        self._pasting = pasting
        self._command = command
        self._visited = self._helped = False
        self._lost_at = NEVER

    def visited(self) -> None:
        """Note that a browser has come to our page, and gone on to the server."""
        self._visited = True
        self._lost_at = time.monotonic() + LOST_SECONDS

    def returned(self) -> None:
        """Note that the browser has come back."""
        self._lost_at = NEVER

    def at_once(self) -> None:
        """Show how a browser elsewhere can reach this machine, if no browser was started here."""
        if not self.launched and not self._helped and not self._pasting:
            self._say_how_to_reach()

    def missed(self) -> None:
        """Show that the browser that was started has not opened the link, unless another flow begins then."""
        waits = self._plan is not None and self._plan.starting(UNVISITED)
        if self.launched and not (self._visited or self._helped or self._pasting or waits):
            self._line.say(self._words.NO_VISIT)
            self._say_how_to_reach()

    def lost(self) -> None:
        """Show what to do about an error page of the server, while the person still looks at it.

        A server must not redirect to an address that it does not know (RFC 6749 §4.1.2.1), so nothing of it
        reaches us.
        """
        if self._command and time.monotonic() >= self._lost_at:
            self._lost_at = NEVER
            self._line.say(words.SERVER_ERROR_PAGE.format(name=self._name))

    def _say_how_to_reach(self) -> None:
        from loopback_auth.environment import user_and_host  # Start-up.

        self._helped = True
        user, host = user_and_host()
        ours = self._progress.comes_back()
        how = forwarding_command(
            self.place,
            os.environ,
            self._links.needed(ours=ours),
            user=user,
            host=host,
            command=self._command,
            ours=ours,
        )
        if how:
            self._line.say(self._words.of(instruction(self.place)))
            self._line.say(f"\n  {how}\n")
