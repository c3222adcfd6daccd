"""The links of one sign-in: how they are shown, and which of them is the one to use now.

A link is one line, whatever its length: a terminal joins what it wrapped itself, but not what we broke
(anthropics/claude-code#34555). A link that is good on any device goes before the start page, which only a
browser that reaches this machine can open.

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import os
import sys

from loopback_auth.plan.port_forwarding import authority_of, is_here
from loopback_auth.terminal.drawing import light_background, link, qr_code, takes_blocks, takes_escapes
from loopback_auth.terminal.line import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.events import VerificationPrompted
    from loopback_auth.terminal.line import Line


class Links:
    """Shows links, and knows the current one.

    Args:
        line: where to.
        own: host and port of ours that the browser has to reach; empty: there is none, or none yet.
    """

    def __init__(self, line: Line, own: str) -> None:
        self._line = line
        self._words = self._line.words
        self._own = own
        self._start = self._pasting = self._server = ""
        self._authorities = [own] if own else []
        """All that the browser has to reach on this machine."""
        self._invitations: dict[str, VerificationPrompted] = {}
        """Where to approve, by the name of the flow: several may be open, and each ends by itself."""
        self.code_wanted: bool = False
        """Whether the next link that is good for a phone is to be drawn for one."""
        self.escapes: bool = line.live and takes_escapes(os.environ, sys.platform)

    @property
    def current(self) -> str:
        """The link that a person can use now; empty before there is any."""
        return (self.invited.url if self.invited is not None else "") or self._pasting or self._start

    @property
    def invited(self) -> VerificationPrompted | None:
        """The newest invitation of those that are still open; None: there is none."""
        return next(reversed(self._invitations.values()), None)

    @property
    def own(self) -> str:
        """The link to our start page; empty before there is any."""
        return self._start

    def also_here(self, url: str) -> None:
        """Note another port of this machine that the browser has to reach: the server's own."""
        self._server = authority_of(url)
        self._authorities.append(self._server)

    def needed(self, *, ours: bool) -> list[str]:
        """Return what the browser has to reach on this machine.

        Args:
            ours: a flow is open whose browser comes back to our own port.
        """
        if ours:
            return self._authorities
        shown = [authority_of(self.invited.url)] if self.invited and is_here(self.invited.url) else []
        return [*dict.fromkeys([*shown, *([self._server] if self._server else [])])]

    def start(self, url: str) -> None:
        """Show where the sign-in begins."""
        if not self._authorities and is_here(url):
            self._authorities.append(authority_of(url))
        self._start = url
        self.show(url)

    def anywhere(self, url: str) -> None:
        """Show a link whose last address is to be pasted."""
        self._pasting = url
        self.show(url)

    def invite(self, event: VerificationPrompted) -> None:
        """Show where to approve, on whatever device."""
        self._invitations.pop(event.flow, None)
        self._invitations[event.flow] = event
        self.show(event.url)

    def works_once(self, url: str) -> bool:
        """Return whether a link is our start page, and not one to the server itself."""
        return bool(self._own) and authority_of(url) == self._own

    def show(self, url: str) -> None:
        """Show a link on a line of its own."""
        # The link to our own start page is short enough to survive as it is.
        escapes = self.escapes and authority_of(url) not in self._authorities
        self._line.say(f"\n  {link(url, columns=size()[0], escapes=escapes)}\n")

    @property
    def drawable(self) -> bool:
        """Whether a QR code can be drawn that leads a phone somewhere: to a phone, 127.0.0.1 is the phone."""
        server = self.invited.url if self.invited is not None else f"http://{self._server}/"
        return self._line.live and takes_blocks(sys.stderr.encoding) and not is_here(server)

    @property
    def name(self) -> str:
        """What the current link is called."""
        if self.invited is not None:
            return self._words.LINK_NAME_APPROVE
        return self._words.LINK_NAME_PASTE if self._pasting else self._words.LINK_NAME

    def draw_code(self) -> None:
        """Draw the link of the invitation as a QR code, or say why not."""
        self.code_wanted = False
        if self.invited is None:
            return
        if not self._line.live:
            self._line.say(self._words.QR_NO_TERMINAL)
            return
        if not takes_blocks(sys.stderr.encoding):
            self._line.say(f"{self._words.QR_NO_BLOCKS}\n")
            return
        if is_here(self.invited.url):
            self._line.say(self._words.QR_THIS_MACHINE)
            return
        columns, lines = size()
        light = light_background(os.environ)
        rows = qr_code(self.invited.url, columns=columns, lines=lines - 1, escapes=self.escapes, light=light)
        drawn = [self._words.QR_HEADING, *rows] if rows else [self._words.QR_TOO_SMALL]
        self._line.say("\n".join([*drawn, ""]))

    def ended(self, flow: str) -> None:
        """Forget a link that is of no use any more."""
        self._invitations.pop(flow, None)
        if flow == "paste":
            self._pasting = ""
