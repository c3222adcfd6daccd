"""What to say of each event of a sign-in, and when; everything goes to stderr.

How it looks is decided in `drawing` and `line`. On a terminal the line at the bottom shows the stage;
elsewhere each stage is a message. Server text was cleaned where it came in (`redact.server_text`).

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import os
import time

from loopback_auth.flow_table import BY_NAME
from loopback_auth.plan.model import UNVISITED, Place
from loopback_auth.plan.port_forwarding import forwarding_command, instruction, is_here
from loopback_auth.terminal.drawing import instructions
from loopback_auth.terminal.line import Line, size
from loopback_auth.terminal.links import Links
from loopback_auth.terminal.progress import (
    Progress,
    flows_at_first,
    likelier_elsewhere,
    lives_by_itself,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.events import Event, Exchanged, OpenerFailed, VerificationPrompted
    from loopback_auth.plan.model import Plan

NEVER = float("inf")
LOST_SECONDS = 15.0
"""After so long at the server, what an error page there means is said; many have approved by then."""
UNKNOWN_PLACE = Place("console", "a terminal")
UNSEEN = "The link was opened by {}, which shows no window. Open this one in a browser; it works once:"
REFUSALS = 5
"""Reasons for which answers were turned away that are said; then it is somebody who plays with the port."""
OPENED_TWICE = (
    "The link was opened a second time, and one of the two may be somebody else: what it led to is not used "
    "any more."
)
FRESH = "Open this link instead; it works once:"
OWN_BROWSER = "If that is your own browser, run this again with --no-browser and open the link yourself."


class Messages:
    """Tells events; the arguments are those of `Terminal`."""

    def __init__(
        self,
        name: str,
        *,
        authority: str,
        plan: Plan | None,
        verbose: bool,
        qr: bool | None,
        pasting: bool,
        command: str = "",
    ) -> None:
        self._name = name
        self._plan = plan
        self._verbose = verbose
        self._qr = qr
        self._pasting = pasting
        self._command = command
        self._explained = self._introduced = self._launched = self._visited = self._helped = False
        self._reasons: set[str] = set()
        self._lost_at = NEVER
        self._second = self._failure = self._staged = self._unseen = ""
        self._refused: set[str] = set()
        self.line = Line()
        self.links = Links(self.line, authority)
        self.progress = Progress(name, flows_at_first(plan))

    def link(self, url: str, *, program: str, why_not: str) -> None:
        """Show the page where the sign-in begins; after what is likelier to work here."""
        if not program and not self.progress.comes_back():
            return  # The page would only lead on to the link that is shown anyway.
        self._introduce()
        if not program and self._plan is not None and likelier_elsewhere(self._plan):
            self._second = url
            return
        self._launched = bool(program)
        once = "; it works once" if self.links.works_once(url) else ""
        if program:
            self.line.say(f"Opening your browser ({program}) to sign in to {self._name}.")
            self.line.say(f"If it does not open, open this link yourself{once}:")
        else:
            said = self._introduced and why_not == f"this is {self._place.title}"
            self.line.say(
                f"Sign in to {self._name}. No browser is opened here{'' if said else f': {why_not}'}."
            )
            where = "any browser" if self._pasting else "a browser on this machine"
            self.line.say(f"Open this link in {where}{once}:")
        self.links.start(url)
        self.progress.shown()

    def also_forward(self, url: str) -> None:
        """Note another port that a browser elsewhere would have to reach."""
        self.links.also_here(url)

    def tell(self, event: Event) -> None:
        """Tell an event."""
        from loopback_auth import events

        match event:
            case events.LinkReady(url, program, why_not):
                self.link(url, program=program, why_not=why_not)
                if self.links.current:
                    self.help_at_once()
            case events.VerificationPrompted():
                self._invite(event)
            case events.PasteReady(url, redirect_uri):
                self._offer_to_paste(url, redirect_uri)
            case events.RouteBegan(flow, why):
                self._begin(flow, why)
            case events.RouteEnded(flow, why):
                self._end(flow, why)
            case events.Followed(process):
                self._follow(process)
            case events.OpenerFailed():
                self._open_yourself(event)
            case events.LinkOpened(shown_to_nobody_by=""):
                self._visited = True
                self._lost_at = time.monotonic() + LOST_SECONDS
                self.progress.visited()
                self._stage()
            case events.LinkOpened(shown_to_nobody_by=program):
                self._unseen = program
            case events.LinkOpenedTwice():
                self.line.say(OPENED_TWICE)
            case events.LinkRenewed(url):
                unseen, self._unseen = self._unseen, ""
                self.line.say(UNSEEN.format(unseen) if unseen else FRESH)
                self.links.start(url)
            case events.Ignored(count, _, reason, suspicious):
                self.progress.ignored(count)
                if self.line.live and reason not in self._reasons:
                    # Once each: the line at the bottom has no room for it.
                    self._reasons.add(reason)
                    self.line.say(f"A request was turned away: {reason}")
                if suspicious:
                    self.line.say("Something else is calling this port again and again; it is being ignored.")
            case events.AnswerTurnedAway():
                self._once(f"An answer was turned away: {event}. The sign-in goes on waiting.")
            case events.OtherUserTurnedAway():
                self._once(f"{event} {OWN_BROWSER}")
            case events.HttpsTried(authority):
                from loopback_auth.signin.rejected_requests import https_tried

                self.line.say(https_tried(authority))
            case events.CallbackReceived(refused):
                self._lost_at = NEVER
                self.progress.returned(refused=refused)
                self._stage()
            case events.PasteRefused(reason):
                self.line.say(f"{reason} Paste again, or cancel with Ctrl-C.")
            case events.Warned(text):
                self.line.say(f"warning: {text}")
            case events.Exchanged():
                if self._verbose:
                    for line in exchange_lines(event):
                        self.line.say(line)

    def begin(self, timeout: float | None) -> None:
        """Say what is awaited from now on, and for how long at most.

        Args:
            timeout: seconds; None: as long as what the person is invited to is valid.
        """
        self._introduce()
        if timeout is not None:
            self.progress.until(timeout)
        elif self._plan is not None and not lives_by_itself(self._plan):
            from loopback_auth.signin.attempt import TIMEOUT

            self.progress.valid(timeout := TIMEOUT)
        if self.links.current:
            self.help_at_once()
        # Before there is a link, nothing is awaited of the person.
        if not self.line.live and (self.links.current or self.progress.comes_back()):
            most = ""
            if timeout is not None:
                most = f", {timeout:.0f} second{'s' * (round(timeout) != 1)} at most"
            self._staged = self.progress.awaited
            self.line.say(f"{self._staged}{most}.")

    def help_at_once(self) -> None:
        """Say how a browser elsewhere can reach us, if there is none here."""
        if not self._launched and not self._helped and not self._pasting:
            self._recipe()

    def missed(self) -> None:
        """Say once that no browser has come although one was started, unless another flow begins for that."""
        waits = self._plan is not None and self._plan.starting(UNVISITED)
        if self._launched and not (self._visited or self._helped or self._pasting or waits):
            self.line.say("No browser has come to the link yet.")
            self._recipe()

    def lost(self) -> None:
        """Say once what an error page of the server means, while the person still looks at it.

        A server must not redirect to an address that it does not know (RFC 6749 §4.1.2.1), so nothing of it
        reaches us.
        """
        if self._command and time.monotonic() >= self._lost_at:
            self._lost_at = NEVER
            self.line.say(
                f"Does the browser show an error of {self._name}? Press Ctrl-C, and ask the server what it "
                "refuses: python -m loopback_auth doctor, with the arguments of this login."
            )

    def explain(self, redirect_uri: str) -> None:
        """Say once what is to be pasted."""
        if self._explained:
            return
        self._explained = True
        self.line.say("After you have signed in, the browser ends on an address that it cannot open:")
        self.line.say(f"\n  {redirect_uri}?...\n")
        self.line.say(
            "Copy that whole address and paste it here, nowhere else. Nothing that you paste is shown."
        )

    @property
    def _place(self) -> Place:
        return self._plan.place if self._plan is not None else UNKNOWN_PLACE

    def _introduce(self) -> None:
        """Say where this runs, if that makes a difference."""
        if self._introduced or not self._place.advice or self._plan is None:
            return
        self._introduced = True
        # With one flow only, what helps in other such places may be nothing that this provider offers.
        advice = f" {self._place.advice}" if len(self._plan.routes) > 1 else ""
        self.line.say(f"This is {self._place.title}.{advice}")

    def _invite(self, event: VerificationPrompted) -> None:
        self._introduce()
        if event.opened_with:
            self._launched = True
            self.line.say(f"Opening your browser ({event.opened_with}) to sign in to {self._name}.")
        begin = "You can also sign in" if self.links.current else "Sign in"
        here = is_here(event.url)
        self.line.say(f"{begin} to {self._name} at this link{'' if here else ', on any device'}:")
        self.links.invite(event)
        self._qr_code()
        self.line.say(
            instructions(
                event,
                columns=size()[0],
                escapes=self.links.escapes,
                patience=self.progress.patience(),
            )
        )
        self._show_second()
        if here:
            self.help_at_once()
        if event.lifetime:
            self.progress.valid(event.lifetime)
        self.progress.invited()
        self._stage()

    def _offer_to_paste(self, url: str, redirect_uri: str) -> None:
        self._introduce()
        begin = "You can also open" if self.links.current else f"Sign in to {self._name}. Open"
        self.line.say(f"{begin} this link in any browser:")
        self.links.anywhere(url)
        self._explained = False
        self.explain(redirect_uri)

    def _begin(self, flow: str, why: str) -> None:
        from loopback_auth.signin.race import AS_ASKED, INSTEAD

        self.progress.began(flow)
        # Each thing is said once: what was asked for, what has ended or failed is known already.
        if why not in (AS_ASKED, INSTEAD, self._failure):
            self.line.say(why)
        self._stage()

    def _end(self, flow: str, why: str) -> None:
        what = "has ended" if self.progress.offered(flow) else "is not possible"
        self.progress.ended(flow)
        self.links.ended(flow)
        self.line.say(f"{BY_NAME[flow].title} {what}: {why.rstrip('.')}.")
        self._show_second()
        self._stage()

    def _show_second(self) -> None:
        """Show our own link where it is the second choice."""
        url, self._second = self._second, ""
        if url:
            once = "; it works once" if self.links.works_once(url) else ""
            begin = "Or open" if self.links.current else f"Sign in to {self._name}. Open"
            self.line.say(f"{begin} this link in a browser that reaches this machine{once}:")
            self.links.start(url)
            self.help_at_once()

    def _follow(self, process: int) -> None:
        self.line.say(
            f"Process {process} is signing in to {self._name} already; waiting for its result. "
            "Ctrl-C cancels."
        )
        self.progress.followed()

    def _open_yourself(self, failed: OpenerFailed) -> None:
        from loopback_auth.signin.race import did_not_open

        self._failure = did_not_open(failed)
        self.line.say(f"{self._failure} Open the link yourself.")
        self._launched = False
        self.help_at_once()
        self._qr_code()

    def _qr_code(self) -> None:
        invited = self.links.invited
        if invited is None:
            return
        # To a phone, 127.0.0.1 is the phone.
        by_itself = self._qr is None and self.line.live and not self._launched and not is_here(invited.url)
        if self._qr or by_itself or self.links.code_wanted:
            self.links.draw_code()

    def _recipe(self) -> None:
        from loopback_auth.environment import user_and_host

        self._helped = True
        user, host = user_and_host()
        ours = self.progress.comes_back()
        how = forwarding_command(
            self._place,
            os.environ,
            self.links.needed(ours=ours),
            user=user,
            host=host,
            command=self._command,
            ours=ours,
        )
        if how:
            self.line.say(instruction(self._place))
            self.line.say(f"\n  {how}\n")

    def _once(self, text: str) -> None:
        """Say each thing once: whoever can reach the port could otherwise fill the screen."""
        if text not in self._refused and len(self._refused) < REFUSALS:
            self._refused.add(text)
            self.line.say(text)

    def _stage(self) -> None:
        if not self.line.live and self.progress.awaited != self._staged:
            self._staged = self.progress.awaited
            self.line.say(f"{self._staged}.")


def exchange_lines(event: Exchanged) -> tuple[str, str]:
    """Describe an exchange of ours, in a line for each direction."""
    from loopback_auth.redact import server_text

    request, response = server_text(event.request, 2000), server_text(event.response, 2000)
    asked = f"> {event.step}: {event.method} {event.url} {request}".rstrip()
    return asked, f"< {event.status} after {event.seconds * 1000:.0f} ms: {response}"
