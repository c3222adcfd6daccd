"""What a person sees while a sign-in runs, on a screen that is drawn here as a terminal would."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TextIO, get_args

import pytest
import segno
from pseudo_terminal import Person
from terminal_samples import AUTHORITY, LINK, REQUEST

from loopback_auth import events, words
from loopback_auth.authorization_messages import Callback
from loopback_auth.flow_table import BY_NAME
from loopback_auth.model import ServerMetadata
from loopback_auth.plan.model import AT_ONCE, UNKNOWN, UNVISITED, Fact, Facts, Place, Plan, Route
from loopback_auth.signin.race import AS_ASKED, INSTEAD, did_not_open
from loopback_auth.terminal import drawing
from loopback_auth.terminal.drawing import instructions
from loopback_auth.terminal.line import Line
from loopback_auth.terminal.messages import REFUSALS, Messages
from loopback_auth.terminal.outcome import until
from loopback_auth.terminal.progress import Progress
from loopback_auth.terminal.terminal import Terminal
from loopback_auth.terminal.troubleshooting import LOST_SECONDS
from loopback_auth.tokens import SignIn, TokenSet
from loopback_auth.words import Words

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

import pty
import termios

WORDS = Words()


@dataclass
class Screen:
    """A terminal of some width: stderr for as long as a test lasts.

    Args:
        ours: file descriptor of the terminal's side.
    """

    ours: int
    columns: int
    written: str = field(default="", init=False)

    def read(self) -> str:
        """Return everything written so far."""
        sys.stderr.flush()
        while True:
            try:
                self.written += os.read(self.ours, 4096).decode()
            except BlockingIOError:
                return self.written

    def lines(self) -> list[str]:
        """Draw what was written, as far as carriage returns, line breaks and the width go."""
        rows, column = [""], 0
        for character in self.read():
            if character == "\n":
                rows.append("")
                column = 0
            elif character == "\r":
                column = 0
            else:
                if column == self.columns:
                    rows.append("")
                    column = 0
                rows[-1] = rows[-1][:column] + character + rows[-1][column + 1 :]
                column += 1
        return [row.rstrip() for row in rows]


@pytest.fixture
def screen_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Screen]]:
    """Make a screen of a width, and stderr its other end."""
    opened: list[int] = []
    files: list[TextIO] = []
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.setenv("TERM", "dumb")

    def make(columns: int) -> Screen:
        ours, theirs = pty.openpty()
        opened.append(ours)
        termios.tcsetwinsize(theirs, (24, columns))
        os.set_blocking(ours, False)
        files.append(os.fdopen(theirs, "w", encoding="utf-8"))
        monkeypatch.setattr(sys, "stderr", files[-1])
        return Screen(ours, columns)

    yield make
    monkeypatch.undo()
    for file in files:
        file.close()
    for one in opened:
        os.close(one)


async def _wait(terminal: Terminal, *happening: events.Event, seconds: float | None = 300.0) -> None:
    """Let events happen while the line is up."""
    async with terminal.waiting(seconds):
        await asyncio.sleep(0)
        for event in happening:
            terminal.notify(event)
            # The line is drawn by a task of its own.
            await asyncio.sleep(0)


@pytest.mark.parametrize("columns", [10, 40, 80])
async def test_the_waiting_line_never_wraps_and_leaves_nothing(
    screen_of: Callable[[int], Screen], columns: int
) -> None:
    """A line that wraps is drawn again below itself for as long as one waits; it always says how to end."""
    screen = screen_of(columns)
    terminal = Terminal(Messages("a.provider.with.a.long.name.example", authority=AUTHORITY))
    terminal.notify(events.LinkOpened())
    terminal.notify(events.RequestIgnored(3, 400, "There is nothing at this address."))
    await _wait(terminal)
    drawn = screen.read().rpartition("address.\r\n")[2].split("\r")

    ending = "..." if columns < 40 else Words.STAGE_CANCELS.format(stage="")
    assert any(line.rstrip().endswith(ending) for line in drawn)
    assert any("4:5" in line or "5:00" in line for line in drawn) or columns < 40
    assert max(len(line.rstrip()) for line in drawn) < columns - 1
    assert max(map(len, drawn)) < columns
    assert screen.lines()[-1] == ""


async def test_what_ctrl_c_leaves_behind_the_line_goes_with_it(screen_of: Callable[[int], Screen]) -> None:
    """Where no single keys are heard, the terminal itself writes it there."""
    screen = screen_of(40)
    terminal = Terminal(Messages("demo", authority=AUTHORITY))

    async with terminal.waiting(300.0):
        await asyncio.sleep(0)
        sys.stderr.write("^C")

    assert screen.lines() == [""]


def test_sentences_are_broken_between_words(screen_of: Callable[[int], Screen]) -> None:
    """A terminal breaks them anywhere, and then they are hard to read; but what is copied stays whole."""
    screen = screen_of(30)
    url = "https://a.example/" + "x" * 30
    terminal = Terminal(Messages("demo", authority=AUTHORITY, qr=False))
    terminal.notify(events.Warned(f"this is {url} and more"))
    terminal.notify(events.VerificationPrompted(url, "", "", 600.0))

    assert screen.read().startswith(
        f"warning: this is\r\n{url}\r\nand more\r\nSign in to demo at this link,\r\non any device:\r\n"
    )
    assert f"\r\n  {url}\r\n" in screen.read()


def test_codes_for_a_phone_are_not_broken(screen_of: Callable[[int], Screen]) -> None:
    """The sequences around a row make it longer than it looks."""
    screen = screen_of(int(segno.make_qr(LINK, error="l").symbol_size(border=4)[0]))
    rows = drawing.qr_code(LINK, columns=screen.columns, lines=40, escapes=True)
    Line().say("\n".join(rows))

    assert screen.read().split("\r\n") == [*rows, ""]


async def test_the_line_tells_the_time_left_and_the_stage(screen_of: Callable[[int], Screen]) -> None:
    """The person has to know what is awaited of them."""
    screen = screen_of(100)
    terminal = Terminal(Messages("demo", authority=AUTHORITY))
    await _wait(terminal, seconds=61.5)

    stage = Words.STAGE_CANCELS.format(stage=Words.STAGE_FIRST)
    assert re.search(rf"\r(1:0|0:5)\d left\. {re.escape(stage)}", screen.read())


async def test_messages_take_the_place_of_the_line(screen_of: Callable[[int], Screen]) -> None:
    """Otherwise the end of the line stays behind the message."""
    screen = screen_of(80)
    terminal = Terminal(Messages("demo", authority=AUTHORITY))
    await _wait(terminal, events.Warned("no."))

    assert screen.lines() == ["warning: no.", ""]


@pytest.mark.parametrize("environment", [{"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
async def test_no_escape_sequence_is_written_where_it_might_show(
    screen_of: Callable[[int], Screen], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """Old consoles and logs show them as they are."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    screen = screen_of(80)
    terminal = Terminal(Messages("demo", authority=AUTHORITY, verbose=True))
    terminal.messages.link(LINK, program="firefox", why_not="")
    await _wait(terminal, *_everything())

    assert "\x1b" not in screen.read()


def _everything() -> tuple[events.Event, ...]:
    return (
        events.LinkReady(LINK, "firefox"),
        events.VerificationPrompted("https://a.example/d?c=WDJB", "WDJB-MJHT", "https://a.example/d", 600.0),
        events.PasteReady("https://a.example/authorize?x=y", f"http://{AUTHORITY}/callback"),
        events.RouteBegan("device", "No browser has come to the link within 10 seconds."),
        events.RouteEnded("device", "The code has expired."),
        events.WaitingForOtherProcess(4711),
        events.Preparing("resource", "https://mcp.example"),
        events.Warned("x"),
        events.LinkRequested(),
        events.LinkOpened(),
        events.LinkOpenedTwice(),
        events.OtherUserTurnedAway(1001),
        events.LinkReady(LINK, again=True),
        events.RequestIgnored(1, 400, "no", suspicious=True),
        events.CallbackTurnedAway("carried no state", "access_denied"),
        events.HttpsTried(AUTHORITY),
        events.OpenerFailed("xdg-open", 3),
        events.CallbackReceived(),
        events.PasteRefused("no."),
        events.Exchanged("token request", "POST", "https://a.example", "code=<code#1>", 200, "{}", 0.25),
        events.FlowsAvailable(("device",)),
        events.SignInSucceeded("demo@example.com", "code"),
        events.SignInFailed("The login was not approved.", "Sign in again."),
    )


def test_answers_that_were_turned_away_are_said_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    """Also without a terminal; but whoever can reach the port must not be able to fill the screen."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY))
    for _ in range(3):
        terminal.notify(events.CallbackTurnedAway("carried no state", "access_denied"))
    for number in range(50):
        terminal.notify(events.CallbackTurnedAway("carried no state", f"stranger {number}"))
    said = capsys.readouterr().err.splitlines()

    assert sum("(error=access_denied)" in line for line in said) == 1
    assert len(said) == REFUSALS


def test_links_are_whole_lines_at_any_width(screen_of: Callable[[int], Screen]) -> None:
    """A terminal joins what it wrapped itself, but not what we broke."""
    screen = screen_of(20)
    Messages("demo", authority=AUTHORITY).link(LINK, program="", why_not="there is no display")

    assert f"\r\n  {LINK}\r\n" in screen.read()


async def test_elsewhere_each_stage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A log has no use for a line that is drawn again and again."""
    await _wait(Terminal(Messages("demo", authority=AUTHORITY)), *_everything())
    said = capsys.readouterr().err

    assert "\r" not in said
    assert said.startswith(f"{Words.STAGE_FIRST}, 300 seconds at most.\n")
    assert f"\n{Words.STAGE_VISITED.format(name='demo')}.\n" in said
    assert f"\n{Words.STAGE_RETURNED}.\n" in said
    assert Words.PORT_CALLED_AGAIN in said


def plan_of(*routes: Route, name: str = "ssh", title: str = "an SSH session", advice: str = "Ask.") -> Plan:
    """Return a plan for a place."""
    unknown = Fact(UNKNOWN, "")
    return Plan(
        place=Place(name, title, advice),
        facts=Facts(opens=unknown, reaches=unknown, person=unknown, waits=unknown),
        routes=routes,
        refused={},
        opens=False,
        why_not=f"this is {title}",
    )


CODE = Route("code", AT_ONCE, "Why not.")
DEVICE = Route("device", AT_ONCE, "Why not.")
TICKET = Route("ticket", AT_ONCE, "Why not.")
LATE = Route("device", UNVISITED, "You can approve in any browser.")


def test_the_first_words_say_where_this_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever knows why no browser opens can do something about it; once is enough."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of(CODE, DEVICE)))
    terminal.messages.link(LINK, program="", why_not="this is an SSH session")
    terminal.notify(INVITED)
    said = capsys.readouterr().err

    assert said.startswith(
        "This is an SSH session. Ask.\n"
        f"{Words.BROWSER_NOT_OPENED.format(name='demo')}\n"
        f"{Words.LINK_HERE.format(once=Words.LINK_ONCE)}\n"
        f"\n  {LINK}\n\n"
        f"{Words.APPROVE_ALSO_ANYWHERE.format(name='demo')}\n"
        f"\n  {INVITED.url}\n\n"
    )
    assert said.count("This is an SSH session.") == 1


async def test_before_there_is_a_link_nothing_is_awaited(capsys: pytest.CaptureFixture[str]) -> None:
    """No browser was sent anywhere, and the code is still being asked for."""
    await _wait(Terminal(Messages("demo", authority="", plan=plan_of(DEVICE))), INVITED)
    said = capsys.readouterr().err

    assert Words.STAGE_FIRST not in said
    assert said.endswith(f"{Words.STAGE_APPROVE}.\n")


def test_nothing_is_advised_that_the_provider_may_not_offer(capsys: pytest.CaptureFixture[str]) -> None:
    """The advice of a place speaks of other flows."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of(CODE)))
    terminal.messages.link(LINK, program="", why_not="--no-browser was given")

    assert capsys.readouterr().err.startswith(
        "This is an SSH session.\n"
        f"{Words.BROWSER_NOT_OPENED_AS.format(name='demo', why='--no-browser was given')}\n"
    )


async def test_where_nothing_is_special_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Everybody knows their own desktop; and what helps over SSH helps nobody there."""
    desktop = plan_of(CODE, LATE, name="linux-desktop", title="a desktop", advice="")
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=desktop), quiet=0.0)
    terminal.messages.link(LINK, program="firefox", why_not="")
    await _wait(terminal)
    said = capsys.readouterr().err

    assert said.startswith(f"{Words.BROWSER_OPENING.format(opener='firefox', name='demo')}\n")
    assert ("another machine" in said, "No browser has come" in said) == (False, False)


@pytest.mark.parametrize(("why", "said"), [(LATE.why, f"{LATE.why}\n"), (AS_ASKED, ""), (INSTEAD, "")])
def test_another_flow_says_why_it_is_open(why: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two links without a reason look like a mistake; a reason that the person knows is none to tell."""
    Terminal(Messages("demo", authority=AUTHORITY)).notify(events.RouteBegan("device", why))

    assert capsys.readouterr().err == f"{said}{Words.STAGE_FIRST}.\n"


def test_a_browser_that_fails_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """It is what happened, and the reason of what begins."""
    failed = events.OpenerFailed("xdg-open", 3)
    terminal = Terminal(Messages("demo", authority=""))
    terminal.notify(failed)
    terminal.notify(events.RouteBegan("device", did_not_open(failed)))
    terminal.notify(events.VerificationPrompted("https://a.example/t", "", "", 90.0, flow="device"))

    assert capsys.readouterr().err == (
        f"{Words.LINK_OPEN_YOURSELF.format(why='The browser did not open (xdg-open ended with 3).')}\n"
        f"{Words.STAGE_FIRST}.\n"
        f"{Words.APPROVE_ANYWHERE.format(name='demo')}\n"
        "\n  https://a.example/t\n\n"
        f"Valid for 90 seconds. {Words.APPROVE_WARNING}\n"
        f"Waiting for {Words.AWAITED_BROWSER} or {Words.AWAITED_DEVICE}.\n"
    )


def test_without_a_browser_a_page_that_only_leads_on_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Two links to the same page, one of which works on this machine alone, are one too many."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of(DEVICE)))
    terminal.messages.link(LINK, program="", why_not="this is an SSH session")
    terminal.notify(INVITED)
    said = capsys.readouterr().err

    assert said.startswith(f"This is an SSH session.\n{Words.APPROVE_ANYWHERE.format(name='demo')}\n")
    assert (LINK in said, "ssh -L" in said) == (False, False)


def test_a_link_to_this_machine_is_not_said_to_work_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    """The demonstration is here; on a phone, 127.0.0.1 is the phone."""
    terminal = Terminal(Messages("demo", authority="", plan=plan_of(DEVICE)))
    terminal.messages.also_forward("http://127.0.0.1:9000/x")
    terminal.notify(events.VerificationPrompted("http://127.0.0.1:9000/x", "", "", 90.0))
    said = capsys.readouterr().err

    assert f"{Words.APPROVE_AT.format(name='demo')}\n" in said
    assert "  ssh -L 9000:127.0.0.1:9000 " in said


def test_a_port_that_nobody_comes_to_is_not_forwarded(capsys: pytest.CaptureFixture[str]) -> None:
    """By device code alone nobody comes back to ours; the server's, which is on this machine, is needed."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of(DEVICE)))
    terminal.notify(events.VerificationPrompted("http://127.0.0.1:9000/x", "WDJB-MJHT", "", 90.0))
    said = capsys.readouterr().err

    assert "  ssh -L 9000:127.0.0.1:9000 " in said
    assert AUTHORITY not in said


def test_first_link_is_not_called_the_second(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the one that should have come before, only the end is told."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of(DEVICE, CODE)))
    terminal.messages.link(LINK, program="", why_not="this is an SSH session")
    terminal.notify(events.RouteEnded("device", "Nobody answers."))

    assert capsys.readouterr().err.startswith(
        "This is an SSH session. Ask.\n"
        f"{Words.FLOW_NOT_POSSIBLE.format(flow=Words.FLOW_DEVICE, why='Nobody answers')}\n"
        f"{Words.LINK_SECOND_FIRST.format(name='demo', once=Words.LINK_ONCE)}\n"
    )


async def test_all_that_is_open_is_on_the_line(screen_of: Callable[[int], Screen]) -> None:
    """Any of them may be the one that works."""
    screen = screen_of(100)
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of(CODE, DEVICE), qr=False))
    terminal.notify(INVITED)
    await _wait(terminal, seconds=None)
    terminal.notify(events.RouteBegan("paste", "You asked for it."))
    await _wait(terminal, seconds=61.5)

    assert re.search(r"\r9:5\d left\. Waiting for your browser or the device code\.", screen.read())
    assert re.search(r"\r(1:0|0:5)\d left\. Waiting for your browser, the device code or a ", screen.read())


@pytest.mark.parametrize(("first", "second"), [("ticket", "device"), ("device", "ticket")])
def test_what_is_still_open_counts_when_the_other_has_expired(first: str, second: str) -> None:
    """Its link is the current one, and its time the one that is left, whichever was shown first."""
    messages = Messages("demo", authority=AUTHORITY, plan=plan_of(TICKET, DEVICE), qr=False)
    for flow, seconds in ((first, 660.0), (second, 540.0)):
        messages.tell(events.VerificationPrompted(f"https://a.example/{flow}", "", "", seconds, flow=flow))
    messages.tell(events.RouteEnded(first, "It has expired."))
    current, (stage, *_) = messages.links.current, messages.progress.texts()
    messages.tell(events.RouteEnded(second, "It has expired, too."))

    assert current == f"https://a.example/{second}"
    assert re.match(r"(9:00|8:5\d) left\.", stage)
    assert BY_NAME[second].awaited in stage
    assert BY_NAME[first].awaited not in stage
    assert messages.links.invited is None


async def test_a_browser_that_cannot_come_back_is_not_waited_for(screen_of: Callable[[int], Screen]) -> None:
    """Its port was taken, and another way has taken over."""
    screen = screen_of(100)
    terminal = Terminal(Messages("demo", authority="", plan=plan_of(CODE, LATE), qr=False))
    terminal.notify(events.RouteEnded("code", "No port is free."))
    terminal.notify(events.RouteBegan("device", INSTEAD))
    await _wait(terminal)
    terminal.notify(INVITED)
    await _wait(terminal)
    shown = screen.read()

    assert f" left. {Words.STAGE_CANCELS.format(stage=Words.STAGE_ASKING)}" in shown
    assert f" left. {Words.STAGE_CANCELS.format(stage=Words.STAGE_APPROVE)}" in shown
    assert Words.AWAITED_BROWSER not in shown


async def test_one_second_is_no_plural(capsys: pytest.CaptureFixture[str]) -> None:
    """Of time that is given and of time that is valid."""
    await _wait(Terminal(Messages("demo", authority=AUTHORITY)), seconds=1.0)

    assert capsys.readouterr().err == f"{Words.STAGE_FIRST}, 1 second at most.\n"
    assert [drawing.lifetime(one, WORDS) for one in (1.0, 90.0, 300.0)] == [
        "1 second",
        "90 seconds",
        "5 minutes",
    ]


def test_of_one_flow_the_nearest_end_is_told_of_several_that_of_all() -> None:
    """A code may expire while the browser can still come back."""
    alone, both = Progress("demo", ("device",)), Progress("demo", ("code", "device"))
    for progress in (alone, both):
        progress.until(650.0)
        progress.valid(50.0)

    assert alone.texts()[0].startswith("0:")
    assert both.texts()[0].startswith("10:")


async def test_a_flow_that_ends_is_told_and_the_others_go_on(screen_of: Callable[[int], Screen]) -> None:
    """What is no longer open must not be waited for."""
    screen = screen_of(100)
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of(CODE, DEVICE)))
    await _wait(terminal, INVITED, events.RouteEnded("device", "The code has expired."), events.LinkOpened())
    await _wait(terminal, events.RouteEnded("code", "The port is gone"))

    assert (
        f"{Words.FLOW_ENDED.format(flow=Words.FLOW_DEVICE, why='The code has expired')}\r\n" in screen.read()
    )
    assert f"{Words.FLOW_ENDED.format(flow=Words.FLOW_BROWSER, why='The port is gone')}\r\n" in screen.read()


async def test_another_process_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked of the person, who would wonder; and if it fails, something is."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY))
    terminal.notify(events.WaitingForOtherProcess(4711))
    await _wait(terminal, events.LinkReady(LINK, "firefox"))
    said = capsys.readouterr().err

    assert said.startswith(
        f"{Words.FOLLOWS.format(process='4711', name='demo')}\n"
        f"{Words.STAGE_OTHER_PROCESS}, 300 seconds at most.\n"
        f"{Words.BROWSER_OPENING.partition('{')[0]}firefox"
    )


def test_a_link_to_paste_from_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """The browser ends on an error page, and that is as it should be."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, pasting=True))
    terminal.notify(events.PasteReady(REQUEST.url, REQUEST.redirect_uri))

    assert capsys.readouterr().err == (
        f"{Words.PASTE_LINK.format(name='demo')}\n"
        f"\n  {REQUEST.url}\n\n"
        f"{Words.PASTE_EXPECT}\n"
        f"\n  {REQUEST.redirect_uri}?...\n\n"
        f"{Words.PASTE_HOW}\n"
    )


def test_a_port_that_is_not_ours_is_no_start_page(capsys: pytest.CaptureFixture[str]) -> None:
    """A link to the server can be opened again and again."""
    terminal = Terminal(Messages("demo", authority=""))
    terminal.messages.also_forward("http://127.0.0.1:9000/x")
    terminal.messages.link("http://127.0.0.1:9000/authorize", program="", why_not="no")

    assert "it works once" not in capsys.readouterr().err


async def test_a_visit_that_does_not_come_brings_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The browser was started, and perhaps on another machine's screen."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY), quiet=0.0)
    terminal.messages.link(LINK, program="firefox", why_not="")
    await _wait(terminal)
    said = capsys.readouterr().err

    assert Words.NO_VISIT in said
    assert said.count("ssh -L 49152:127.0.0.1:49152 ") == 1


async def test_a_browser_that_has_come_needs_no_help(capsys: pytest.CaptureFixture[str]) -> None:
    """It would only confuse."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY), quiet=0.0)
    terminal.messages.link(LINK, program="firefox", why_not="")
    terminal.notify(events.LinkOpened())
    await _wait(terminal)

    assert "ssh -L" not in capsys.readouterr().err


async def test_the_way_in_is_the_address_that_ssh_came_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name that this machine gives itself may mean nothing to the other one."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.2 50000 10.0.0.1 22")
    terminal = Terminal(Messages("demo", authority="[::1]:49152"))
    terminal.messages.also_forward("http://127.0.0.1:9000/x")
    terminal.messages.link(LINK, program="", why_not="this is an SSH session")
    await _wait(terminal)
    said = capsys.readouterr().err

    assert "  ssh -L 49152:[::1]:49152 -L 9000:127.0.0.1:9000 " in said
    assert "@10.0.0.1\n" in said


def test_every_kind_of_event_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """An event that says nothing may be one that was forgotten."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, verbose=True))
    silent = set()
    for event in _everything():
        terminal.notify(event)
        if not capsys.readouterr().err:
            silent.add(type(event))

    assert {type(event) for event in _everything()} == set(get_args(events.Event))
    # Not for people, who are told when the browser has gone on; and what the command says itself.
    assert silent == {
        events.LinkRequested,
        events.FlowsAvailable,
        events.SignInSucceeded,
        events.SignInFailed,
    }


INVITED = events.VerificationPrompted(
    "https://a.example/d?c=WDJB", "WDJB-MJHT", "https://a.example/d", 600.0, flow="device"
)


def test_a_code_is_shown_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """It is read aloud, compared and typed on another device."""
    terminal = Terminal(Messages("tv", authority=AUTHORITY))
    terminal.notify(INVITED)
    said = capsys.readouterr().err

    assert "\n  https://a.example/d?c=WDJB\n" in said
    assert "\n  https://a.example/d\n" in said
    assert "\n  W D J B - M J H T\n" in said
    assert Words.APPROVE_CODE_PLAIN.format(code="WDJB-MJHT") in said
    assert f"Valid for 10 minutes. {Words.APPROVE_WARNING}\n" in said
    assert "█" not in said


def test_a_ticket_without_a_code_shows_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Not every vendor has one."""
    Terminal(Messages("v", authority=AUTHORITY)).notify(
        events.VerificationPrompted("https://a.example/t", "", "", 90.0)
    )
    said = capsys.readouterr().err

    assert "code" not in said
    assert "Valid for 90 seconds." in said


def test_at_forty_columns_nothing_is_broken_by_us(screen_of: Callable[[int], Screen]) -> None:
    """A link that we broke is no link."""
    url = "https://a.example/" + "x" * 100
    screen = screen_of(40)
    terminal = Terminal(Messages("demo", authority=AUTHORITY, qr=False))
    terminal.notify(events.VerificationPrompted(url, "A" * 30, url + "y", 600.0))

    assert f"\r\n  {url}\r\n" in screen.read()
    assert f"\r\n  {url}y\r\n" in screen.read()
    assert f"\r\n  {'A' * 30}\r\n" in screen.read()


def test_links_are_links_where_that_is_understood(
    screen_of: Callable[[int], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some terminals lose a link at the edge; the text is the whole URL all the same."""
    screen = screen_of(29)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal(Messages("demo", authority=AUTHORITY))
    terminal.messages.link(LINK, program="", why_not="there is no display")
    terminal.messages.link(REQUEST.url, program="", why_not="there is no display")

    assert f"\r\n  {LINK}\r\n" in screen.read()
    assert f"\r\n  \x1b]8;;{REQUEST.url}\x1b\\{REQUEST.url}\x1b]8;;\x1b\\\r\n" in screen.read()


def test_a_link_that_fits_is_text_alone() -> None:
    """Scripts around a pseudo-terminal look for it."""
    assert drawing.link(LINK, columns=len(LINK) + 2, escapes=True) == LINK
    assert drawing.link(LINK, columns=len(LINK) + 1, escapes=True) != LINK


def test_what_could_end_the_sequence_is_no_link() -> None:
    """The rest of it would be a command to the terminal."""
    assert drawing.link("https://a/\x1b\\", columns=4, escapes=True) == "https://a/\x1b\\"


@pytest.mark.parametrize("inverse", [False, True])
def test_the_drawn_code_is_the_code(inverse: bool) -> None:
    """What stands there is what a phone reads."""
    rows = drawing.qr_code(LINK, columns=80, lines=40, escapes=False, light=not inverse)
    drawn = [[(block in above) != inverse for block in row] for row in rows for above in ("▀█", "▄█")]
    matrix = [[bool(one) for one in row] for row in segno.make_qr(LINK, error="l").matrix_iter(border=4)]

    assert drawn[: len(matrix)] == matrix
    assert not any(map(any, drawn[len(matrix) :]))


def test_in_colour_the_code_is_black_on_white() -> None:
    """Then it is the same on dark and on light terminals."""
    coloured = drawing.qr_code(LINK, columns=80, lines=40, escapes=True)
    plain = drawing.qr_code(LINK, columns=80, lines=40, escapes=False, light=True)

    assert coloured == [f"\x1b[30;47m{row}\x1b[0m" for row in plain]


def test_a_code_that_does_not_fit_is_not_drawn() -> None:
    """Wrapped or scrolled it cannot be read; a narrower margin is tried first."""
    modules = int(segno.make_qr(LINK, error="l").symbol_size(border=0)[0])

    assert len(drawing.qr_code(LINK, columns=modules + 4, lines=40, escapes=False)[0]) == modules + 4
    assert drawing.qr_code(LINK, columns=modules + 3, lines=40, escapes=False) == []
    assert drawing.qr_code(LINK, columns=80, lines=modules // 2, escapes=False) == []
    assert drawing.qr_code("x" * 3000, columns=8000, lines=8000, escapes=False) == []


@pytest.mark.parametrize(
    ("qr", "opened_with", "drawn"),
    [(None, "", True), (None, "firefox", False), (True, "firefox", True), (False, "", False)],
)
def test_the_code_is_for_who_has_no_browser_here(
    screen_of: Callable[[int], Screen], qr: bool | None, opened_with: str, drawn: bool
) -> None:
    """Others can do without half a screen of blocks, unless they ask for it."""
    screen = screen_of(80)
    terminal = Terminal(Messages("demo", authority=AUTHORITY, qr=qr))
    terminal.notify(events.VerificationPrompted("https://a.example/t", "", "", 90.0, opened_with))

    assert ("▀" in screen.read()) is drawn


def test_a_browser_that_fails_brings_the_code(screen_of: Callable[[int], Screen]) -> None:
    """Only now it is known that there is none."""
    screen = screen_of(80)
    terminal = Terminal(Messages("demo", authority=AUTHORITY))
    terminal.notify(events.VerificationPrompted("https://a.example/t", "", "", 90.0, "firefox"))
    terminal.notify(events.OpenerFailed("firefox", 3))

    assert "▀" in screen.read()


def test_why_there_is_no_code_is_told(
    screen_of: Callable[[int], Screen], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever asked for it looks for it."""
    Terminal(Messages("demo", authority=AUTHORITY, qr=True)).notify(INVITED)
    narrow = screen_of(20)
    Terminal(Messages("demo", authority=AUTHORITY)).notify(INVITED)

    assert Words.QR_NO_TERMINAL in capsys.readouterr().err
    assert "too small for a QR code" in " ".join(narrow.lines())


def test_what_a_terminal_takes() -> None:
    """Guessed wrong, the screen is full of rubbish."""
    assert drawing.takes_blocks("utf-8")
    assert not drawing.takes_blocks("latin-1")
    assert not drawing.takes_escapes({"TERM": "linux"}, "linux")
    assert drawing.takes_escapes({"WT_SESSION": "1"}, "win32")
    assert not drawing.takes_escapes({"TERM": "xterm"}, "win32")
    assert drawing.light_background({"COLORFGBG": "0;15"})
    assert not drawing.light_background({"COLORFGBG": "15;0"})


async def test_an_address_is_asked_for_until_it_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waiting line rests meanwhile, and what happens is told afterwards."""
    monkeypatch.setenv("TERM", "xterm")
    right = f"{REQUEST.redirect_uri}?code=SplxlOBeZQ&state={REQUEST.state}"

    async def main(terminal: Terminal, person: Person) -> Callback:
        async with terminal.waiting(300.0):
            asking = asyncio.create_task(terminal.paste(REQUEST))
            await person.sees("then Enter: ")
            terminal.notify(events.Warned("held."))
            await person.types("http://127.0.0.1:1/x?code=hidden\r")
            await person.sees("That is not the address of this sign-in")
            await person.sees("then Enter: ")
            await person.types(right + "\r")
            return await asking

    with Person() as person:
        monkeypatch.setattr(sys, "stdin", person.stdin)
        monkeypatch.setattr(sys, "stderr", person.stderr)
        terminal = Terminal(Messages("demo", authority=AUTHORITY, pasting=True))
        terminal.notify(events.LinkReady("https://as.example/authorize", "", "there is no display"))
        callback = await main(terminal, person)
        shown = person.look()
        restored = person.modes() == person.modes_before

    assert dict(callback.parameters)["code"] == "SplxlOBeZQ"
    assert f"\n  {REQUEST.redirect_uri}?...\r\n" in shown
    assert Words.LINK_ANYWHERE.format(once="") in shown
    assert ("ssh -L" in shown, "Splxl" in shown, "hidden" in shown) == (False, False, False)
    assert shown.index("(32 char") < shown.index("warning: held.") < shown.index("That is not the address")
    assert restored


@pytest.mark.parametrize(("typed", "wanted"), [("y\r", True), ("YES\r", True), ("\r", False), ("n\r", False)])
async def test_who_has_approved_is_confirmed(
    typed: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's account may have been slipped in (RFC 6749 §10.16)."""
    sign_in = SignIn("v", "abc", "none", ServerMetadata(), "", TokenSet("t", "Bearer", 0.0, account="me@x"))

    async def main(terminal: Terminal, person: Person) -> bool:
        asking = asyncio.create_task(terminal.confirm(sign_in))
        await person.sees(Words.CONFIRM_ACCOUNT.format(account="me@x"))
        await person.sees("[y/N] ")
        await person.types(typed)
        return await asking

    with Person() as person:
        monkeypatch.setattr(sys, "stdin", person.stdin)
        monkeypatch.setattr(sys, "stderr", person.stderr)

        assert await main(Terminal(Messages("v", authority=AUTHORITY)), person) is wanted


async def test_the_time_left_is_that_of_the_invitation(screen_of: Callable[[int], Screen]) -> None:
    """A code that has expired cannot be approved any more."""
    screen = screen_of(100)
    terminal = Terminal(Messages("demo", authority=AUTHORITY, qr=False))
    terminal.notify(INVITED)
    await _wait(terminal, seconds=None)

    assert re.search(r"\r9:5\d left\. Waiting for you to approve\.", screen.read())


def test_the_end_is_told_with_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    """Who, what for, until when, where, and how to use it."""
    tokens = TokenSet("t", "Bearer", 0.0, expires_at=3600.0, refresh_token="r", account="me@example.com")
    sign_in = SignIn("one", "abc", "none", ServerMetadata(), "", tokens)
    Terminal(Messages("one", authority=AUTHORITY)).done(sign_in, "/kept/one.json")
    said = capsys.readouterr().err

    assert said.startswith(
        f"{words.SIGNED_IN_AS.format(name='one', account='me@example.com')}\n"
        f"  scope      {words.RESULT_SCOPE_DEFAULT}\n"
    )
    assert words.RESULT_RENEWED.partition("}")[2] in said
    assert said.endswith(f"/kept/one.json\n{words.RESULT_TOKEN.format(name='one')}\n")


def test_nothing_is_told_of_an_access_token_that_did_not_come(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--flow id_token` an unknown end and an unstated scope would be those of no token at all."""
    sign_in = SignIn("one", "abc", "none", ServerMetadata(), "", TokenSet("", "", 0.0, account="me"))
    Terminal(Messages("one", authority=AUTHORITY)).done(sign_in, "/kept/one.json")
    said = capsys.readouterr().err

    assert said.startswith(f"{words.SIGNED_IN_AS.format(name='one', account='me')}\n  kept in ")
    assert "token one" not in said


def test_scope_that_was_asked_for_and_not_granted_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """GitHub says it by an empty one; to show what was asked for would be untrue."""
    sign_in = SignIn("one", "abc", "none", ServerMetadata(), "repo", TokenSet("t", "Bearer", 0.0))
    Terminal(Messages("one", authority=AUTHORITY)).done(sign_in, "/kept/one.json")

    assert "\n  scope      none\n" in capsys.readouterr().err


def test_times_without_a_date_are_told_as_such() -> None:
    """A server may say nothing, or anything."""
    assert until(None) == "unknown"
    assert until(1e15) in (words.RESULT_UNTIL_BEYOND, "31690708-07-05 01:46")


def test_nobody_reading_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """`login 2>&1 | head -1` must not end the sign-in."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as broken:
        monkeypatch.setattr(sys, "stderr", broken)
        Messages("demo", authority=AUTHORITY).link(LINK, program="firefox", why_not="")


@pytest.mark.parametrize("command", ["login", ""])
def test_an_error_page_of_the_server_is_explained_soon(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Only the browser shows it, and the person has to learn what to do while they look at it."""
    now = [100.0]
    monkeypatch.setattr("loopback_auth.terminal.troubleshooting.time.monotonic", lambda: now[0])
    teller = Messages("as", authority=AUTHORITY, command=command)
    teller.tell(events.LinkOpened())
    teller.trouble.lost()
    early = capsys.readouterr().err
    now[0] += LOST_SECONDS
    teller.trouble.lost()
    teller.trouble.lost()

    assert "doctor" not in early
    assert capsys.readouterr().err.count("loopback_auth doctor") == bool(command)


def test_a_code_is_not_called_valid_for_longer_than_it_is_waited_for() -> None:
    """Who gave three seconds is not told of ten minutes."""
    invited = events.VerificationPrompted("https://as.example", "ABCD", "", 600.0)

    assert "Valid for 3 seconds." in instructions(invited, WORDS, columns=80, escapes=False, patience=3.0)
    assert "Valid for 10 minutes." in instructions(invited, WORDS, columns=80, escapes=False, patience=900.0)
    assert "Valid for 10 minutes." in instructions(invited, WORDS, columns=80, escapes=False)
