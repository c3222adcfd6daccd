"""What to say of each event of a sign-in, and when; everything goes to stderr.

The sentences are in `words`; how they look is decided in `drawing` and `line`, and what helps while nothing
happens in `troubleshooting`. On a terminal the line at the bottom shows the stage; elsewhere each stage is a
message. Server text was cleaned where it came in (`redact.server_text`).

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

from loopback_auth.flow_table import BY_NAME, TIMEOUT
from loopback_auth.plan.port_forwarding import is_here
from loopback_auth.program import Program
from loopback_auth.terminal.drawing import exchange_lines, in_seconds, instructions
from loopback_auth.terminal.line import Line, size
from loopback_auth.terminal.links import Links
from loopback_auth.terminal.progress import (
    Progress,
    flows_at_first,
    likelier_elsewhere,
    lives_by_itself,
)
from loopback_auth.terminal.troubleshooting import Troubleshooting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.events import Event, OpenerFailed, VerificationPrompted
    from loopback_auth.plan.model import Place, Plan

REFUSALS = 5
"""How many reasons for turned away answers are shown; more of them are the work of another program."""


class Messages:
    """Shows the events of one sign-in.

    Args:
        name: of the provider.
        authority: host and port of the redirect URI, which the browser has to reach; empty: there is none.
        plan: where this runs, which flows are open, and why; None: not known.
        verbose: show every exchange, secrets replaced by labels.
        qr: draw the link to approve at as a QR code; None: if no browser was opened.
        pasting: the person will be asked to paste the address, so their browser may be anywhere.
        command: of ours, which could be started again in another way; empty: another one asks.
        program: who asks the user to sign in; None: a program without a name.
        line: where messages are written; None: to stderr.
    """

    def __init__(
        self,
        name: str,
        *,
        authority: str,
        plan: Plan | None = None,
        verbose: bool = False,
        qr: bool | None = None,
        pasting: bool = False,
        command: str = "",
        program: Program | None = None,
        line: Line | None = None,
    ) -> None:
        self._words = (program or Program()).resolved_words()
        self._name = name
        self._plan = plan
        self._verbose = verbose
        self._qr = qr
        self.pasting = pasting
        self._explained = self._introduced = False
        self._reasons: set[str] = set()
        self._second = self._failure = self._staged = self._unseen = ""
        self._refused: set[str] = set()
        self.line: Line = line or Line(self._words)
        self.links: Links = Links(self.line, authority)
        self.progress: Progress = Progress(name, flows_at_first(plan), self._words)
        self.trouble: Troubleshooting = Troubleshooting(
            name, self.line, self.links, self.progress, plan=plan, pasting=pasting, command=command
        )

    def link(self, url: str, *, program: str, why_not: str) -> None:
        """Show the page where the sign-in begins; after what is likelier to work here."""
        if not program and not self.progress.comes_back():
            return  # The page would only lead on to the link that is shown anyway.
        self._introduce()
        if not program and self._plan is not None and likelier_elsewhere(self._plan):
            self._second = url
            return
        self.trouble.launched = bool(program)
        if program:
            self.line.say(self._words.BROWSER_OPENING.format(opener=program, name=self._name))
            heading = self._words.LINK_FOR_YOURSELF
        else:
            why = self._words.clause(why_not)
            said = not why or (self._introduced and why_not == f"this is {self._place.title}")
            not_opened = self._words.BROWSER_NOT_OPENED if said else self._words.BROWSER_NOT_OPENED_AS
            self.line.say(not_opened.format(name=self._name, why=why))
            heading = self._words.LINK_ANYWHERE if self.pasting else self._words.LINK_HERE
        self.line.say(heading.format(once=self._once_only(url)))
        self.links.start(url)
        self.progress.shown()

    def also_forward(self, url: str) -> None:
        """Note another port that a browser elsewhere would have to reach."""
        self.links.also_here(url)

    def tell(self, event: Event) -> None:
        """Show an event."""
        from loopback_auth import events  # Start-up.

        match event:
            case events.LinkReady(url, again=True):
                unseen, self._unseen = self._unseen, ""
                self.line.say(
                    self._words.LINK_UNSEEN.format(opener=self._words.of(unseen))
                    if unseen
                    else self._words.LINK_FRESH
                )
                self.links.start(url)
            case events.LinkReady(url, program, why_not):
                self.link(url, program=program, why_not=why_not)
                if self.links.current:
                    self.trouble.at_once()
            case events.VerificationPrompted():
                self._invite(event)
            case events.PasteReady(url, redirect_uri):
                self._offer_to_paste(url, redirect_uri)
            case events.RouteBegan(flow, why):
                self._begin(flow, why)
            case events.RouteEnded(flow, why):
                self._end(flow, why)
            case events.WaitingForOtherProcess(process):
                self._follow(process)
            case events.Preparing(step, url):
                said = {
                    "resource": self._words.PREPARING_RESOURCE,
                    "server": self._words.PREPARING_SERVER,
                    "registration": self._words.PREPARING_REGISTRATION,
                }[step]
                self.line.say(said.format(url=url))
                if step == "server":
                    self.progress.signs_in_at(url.partition("://")[2])
            case events.OpenerFailed():
                self._open_yourself(event)
            case events.LinkOpened(windowless_program=""):
                self.trouble.visited()
                self.progress.visited()
                self._stage()
            case events.LinkOpened(windowless_program=program):
                self._unseen = program
            case events.LinkOpenedTwice():
                self.line.say(self._words.LINK_OPENED_TWICE)
            case events.RequestIgnored(count, _, reason, suspicious):
                self.progress.ignored(count)
                if self.line.live and reason not in self._reasons:
                    # Once each: the line at the bottom has no room for it.
                    self._reasons.add(reason)
                    self.line.say(self._words.REQUEST_TURNED_AWAY.format(why=self._words.of(reason)))
                if suspicious:
                    self.line.say(self._words.PORT_CALLED_AGAIN)
            case events.CallbackTurnedAway(why, error):
                why = self._words.of(why) + f" (error={error})" * bool(error)
                self._once(self._words.ANSWER_TURNED_AWAY.format(why=why))
            case events.OtherUserTurnedAway(user):
                self._once(self._words.OTHER_USER.format(user=user))
            case events.HttpsTried(authority):
                self.line.say(self._words.HTTPS_TRIED.format(authority=authority))
            case events.CallbackReceived(refused):
                self.trouble.returned()
                self.progress.returned(refused=refused)
                self._stage()
            case events.PasteRefused(reason):
                why = self._words.clause(reason) or self._words.PASTE_NOT_RIGHT
                self.line.say(self._words.PASTE_AGAIN.format(why=why))
            case events.Warned(text):
                self.line.say(self._words.WARNING.format(text=text))
            case events.Exchanged():
                if self._verbose:
                    for line in exchange_lines(event):
                        self.line.say(line)
            case _:
                pass

    def begin(self, timeout: float | None) -> None:
        """Show what the program waits for from now on, and for how long at most.

        Args:
            timeout: seconds; None: as long as what the person is invited to is valid.
        """
        self._introduce()
        if timeout is not None:
            self.progress.until(timeout)
        elif self._plan is not None and not lives_by_itself(self._plan):
            self.progress.valid(timeout := TIMEOUT)
        if self.links.current:
            self.trouble.at_once()
        # Before there is a link, nothing is awaited of the person.
        if not self.line.live and (self.links.current or self.progress.comes_back()):
            stage = self._staged = self.progress.awaited
            if timeout is not None:
                stage = self._words.STAGE_AT_MOST.format(stage=stage, time=in_seconds(timeout, self._words))
            self.line.say(self._words.STAGE_END.format(stage=stage))

    def explain(self, redirect_uri: str) -> None:
        """Show, once, what to paste."""
        if self._explained:
            return
        self._explained = True
        self.line.say(self._words.PASTE_EXPECT)
        self.line.say(f"\n  {redirect_uri}?...\n")
        self.line.say(self._words.PASTE_HOW)

    @property
    def _place(self) -> Place:
        return self.trouble.place

    def _introduce(self) -> None:
        """Show where the program runs, if that makes a difference."""
        if self._introduced or not self._place.advice or self._plan is None:
            return
        self._introduced = True
        # With one flow only, what helps in other such places may be nothing that this provider offers.
        advice = f" {self._words.of(self._place.advice)}" if len(self._plan.routes) > 1 else ""
        self.line.say(self._words.ENVIRONMENT.format(place=self._words.of(self._place.title)) + advice)

    def _invite(self, event: VerificationPrompted) -> None:
        self._introduce()
        if event.opened_with:
            self.trouble.launched = True
            self.line.say(self._words.BROWSER_OPENING.format(opener=event.opened_with, name=self._name))
        here, also = is_here(event.url), bool(self.links.current)
        at_this_link = self._words.APPROVE_ALSO_AT if also else self._words.APPROVE_AT
        anywhere = self._words.APPROVE_ALSO_ANYWHERE if also else self._words.APPROVE_ANYWHERE
        self.line.say((at_this_link if here else anywhere).format(name=self._name))
        self.links.invite(event)
        self._qr_code()
        self.line.say(
            instructions(
                event,
                self._words,
                columns=size()[0],
                escapes=self.links.escapes,
                patience=self.progress.patience(),
            )
        )
        self._show_second()
        if here:
            self.trouble.at_once()
        if event.lifetime:
            self.progress.valid(event.lifetime, event.flow)
        self.progress.invited(event.flow)
        self._stage()

    def _offer_to_paste(self, url: str, redirect_uri: str) -> None:
        self._introduce()
        heading = self._words.PASTE_LINK_ALSO if self.links.current else self._words.PASTE_LINK
        self.line.say(heading.format(name=self._name))
        self.links.anywhere(url)
        self._explained = False
        self.explain(redirect_uri)

    def _begin(self, flow: str, why: str) -> None:
        from loopback_auth.signin.race import AS_ASKED, INSTEAD  # Start-up.

        self.progress.began(flow)
        # Each thing is said once: what was asked for, what has ended or failed is known already.
        if why not in (AS_ASKED, INSTEAD, self._failure):
            clause = self._words.clause(why)
            self.line.say(clause or self._words.FLOW_BEGAN.format(flow=self._words.of(BY_NAME[flow].title)))
        self._stage()

    def _end(self, flow: str, why: str) -> None:
        words, why = self._words, self._words.clause(why)
        what = words.FLOW_ENDED if self.progress.offered(flow) else words.FLOW_NOT_POSSIBLE
        if not why:
            what = words.FLOW_OVER
        self.progress.ended(flow)
        self.links.ended(flow)
        self.line.say(what.format(flow=self._words.of(BY_NAME[flow].title), why=why.rstrip(".")))
        self._show_second()
        self._stage()

    def _show_second(self) -> None:
        """Show our own link where it is the second choice."""
        url, self._second = self._second, ""
        if url:
            heading = self._words.LINK_SECOND if self.links.current else self._words.LINK_SECOND_FIRST
            self.line.say(heading.format(name=self._name, once=self._once_only(url)))
            self.links.start(url)
            self.trouble.at_once()

    def _follow(self, process: int) -> None:
        self.line.say(self._words.FOLLOWS.format(process=process, name=self._name))
        self.progress.followed()

    def _open_yourself(self, failed: OpenerFailed) -> None:
        from loopback_auth.signin.race import did_not_open  # Start-up.

        self._failure = did_not_open(failed)
        self.line.say(self._words.LINK_OPEN_YOURSELF.format(why=did_not_open(failed, self._words)))
        self.trouble.launched = False
        self.trouble.at_once()
        self._qr_code()

    def _qr_code(self) -> None:
        invited = self.links.invited
        if invited is None:
            return
        # To a phone, 127.0.0.1 is the phone.
        by_itself = (
            self._qr is None and self.line.live and not self.trouble.launched and not is_here(invited.url)
        )
        if self._qr or by_itself or self.links.code_wanted:
            self.links.draw_code()

    def _once_only(self, url: str) -> str:
        return self._words.LINK_ONCE if self.links.works_once(url) else ""

    def _once(self, text: str) -> None:
        """Show each message once: another program that reaches the port could otherwise fill the screen."""
        if text not in self._refused and len(self._refused) < REFUSALS:
            self._refused.add(text)
            self.line.say(text)

    def _stage(self) -> None:
        if not self.line.live and self.progress.awaited != self._staged:
            self._staged = self.progress.awaited
            self.line.say(self._words.STAGE_END.format(stage=self._staged))
