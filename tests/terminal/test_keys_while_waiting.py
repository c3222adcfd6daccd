"""Keys without Enter while a sign-in waits, and a terminal that is afterwards what it was before."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import sys
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from patience import SOON
from pseudo_terminal import IN_BACKGROUND, PASTE, UNTIL_ENTER, Person
from terminal_samples import AUTHORITY, LINK, LOOPS, REQUEST, STATE, Loop

from loopback_auth import events
from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import AttemptCancelled
from loopback_auth.model import ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.plan.model import ASKED, AT_ONCE, UNKNOWN, Fact, Facts, Place, Plan, Route
from loopback_auth.signin.controls import Controls, Reach
from loopback_auth.signin.pasting import LIMIT
from loopback_auth.terminal.keys import Keys, Typed
from loopback_auth.terminal.messages import Messages
from loopback_auth.terminal.terminal import Terminal
from loopback_auth.tokens import SignIn, TokenSet
from loopback_auth.words import Words

RIGHT = f"{REQUEST.redirect_uri}?state={STATE}&code=SplxlOBeZQ"
LONG = f"{REQUEST.redirect_uri}?state={STATE}&code=" + "ocqdph?" * 600
INVITED = events.VerificationPrompted(
    "https://a.example/d?c=WDJB", "WDJB-MJHT", "https://a.example/d", 600.0, flow="device"
)
OPENING = Words.KEY_OPENING.partition("{")[0]
READY = "\x1b[?2004h"
RESTORED = "\x1b[?2004l"
FACTS = Facts(
    opens=Fact(UNKNOWN, ""), reaches=Fact(UNKNOWN, ""), person=Fact(UNKNOWN, ""), waits=Fact(UNKNOWN, "")
)


def keys(*names: str) -> str:
    """Return the line of help that names these keys."""
    return Words.KEYS.format(keys=", ".join(names))


@dataclass
class WaitingSignIn:
    """A sign-in that waits, with a person in front of it.

    Args:
        person: at the terminal.
        waiting: flows that can still be begun.
        opens: what the browser's start comes to.
    """

    person: Person
    waiting: tuple[str, ...] = ("device", "paste")
    opens: Opening = field(default_factory=lambda: Opening(program="firefox"))
    flows: tuple[str, ...] = ()
    opened: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    fresh: tuple[str, str] = ("", "")
    """Links to the start page that work: to be shown, and to be given to a program; empty: there is none."""
    stack: ExitStack = field(default_factory=ExitStack)
    """Keeps the controls connected for as long as this object is there."""

    def terminal(self) -> Terminal:
        """Make the terminal, with the link to the start page shown."""
        controls = Controls()
        self.stack.enter_context(Reach(self._begin, lambda: self.waiting, self._fresh).given_to(controls))
        plan = plan_of(*self.flows) if self.flows else None
        terminal = Terminal(
            Messages("demo", authority=AUTHORITY, plan=plan, qr=False),
            controls=controls,
            open_browser=self._open,
        )
        terminal.messages.link(LINK, program="firefox", why_not="")
        return terminal

    def run(self, act: Callable[[Terminal], Awaitable[None]], loop: Loop = asyncio.SelectorEventLoop) -> str:
        """Wait while something is done, or fail: nothing here takes long. Return everything shown."""

        async def main() -> None:
            async with terminal.waiting(300.0):
                await self.person.sees(READY)
                await act(terminal)

        with seated(self.person):
            terminal = self.terminal()
            with asyncio.Runner(loop_factory=loop) as runner:
                runner.run(asyncio.wait_for(main(), SOON))
        return self.person.look()

    def press(self, *keys: str, sees: str) -> str:
        """Press keys, one after the other, until a text is seen; return everything shown."""

        async def act(_: Terminal) -> None:
            for key in keys:
                await self.person.types(key)
                while select.select([self.person.stdin], [], [], 0)[0]:  # noqa: ASYNC110 - some loops cannot watch
                    await asyncio.sleep(0)
            await self.person.sees(sees)

        return self.run(act)

    def _begin(self, flow: str) -> None:
        self.begun.append(flow)
        self.waiting = tuple(one for one in self.waiting if one != flow)

    def _fresh(self, exposed: bool) -> str:
        return self.fresh[exposed]

    def _open(self, url: str) -> Opening:
        self.opened.append(url)
        return self.opens


def plan_of(*flows: str) -> Plan:
    """Return a plan that opens flows at once, on a machine of which nothing is known."""
    routes = [Route(flow, AT_ONCE, "Why not.") for flow in flows]
    return Plan(
        place=Place("ssh", "an SSH session", "Forward the port."),
        facts=FACTS,
        routes=(*routes, Route("late", ASKED, "It is the last.")),
        refused={},
        opens=False,
    )


@contextmanager
def seated(person: Person) -> Iterator[None]:
    """Make a person's terminal that of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", person.stdin)
        patch.setattr(sys, "stderr", person.stderr)
        yield


@pytest.fixture(autouse=True)
def far_from_any_clipboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a terminal that takes escape sequences, and nothing else."""
    monkeypatch.setenv("TERM", "xterm-256color")
    gone = ("NO_COLOR", "DISPLAY", "WAYLAND_DISPLAY", "TMUX", "TERMUX_VERSION", "WSL_INTEROP")
    for name in (*gone, "WSL_DISTRO_NAME", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def person() -> Iterator[Person]:
    """Have a person sit at a terminal."""
    with Person(100) as one:
        yield one


def restored(person: Person) -> bool:
    """Return whether the terminal is as it was, with bracketed paste off, and nothing left to read."""
    left = bool(select.select([person.stdin], [], [], 0)[0])
    shown = person.look()
    return not left and person.modes() == person.modes_before and shown.rfind(RESTORED) > shown.rfind(READY)


def test_o_opens_the_link(person: Person) -> None:
    """For whom no browser was started, or who has closed it."""
    attempt = WaitingSignIn(person)
    attempt.press("o", sees=f"{Words.KEY_OPENING.format(opener='firefox')}\r\n")

    assert attempt.opened == [LINK]
    assert restored(person)


FOR_THE_EYE, FOR_A_PROGRAM = f"http://{AUTHORITY}/fresh", f"http://{AUTHORITY}/for-a-program"


def test_o_opens_a_link_that_still_works(person: Person) -> None:
    """The one that is shown may be used, and what a program is started with shows in the process list."""
    attempt = WaitingSignIn(person, fresh=(FOR_THE_EYE, FOR_A_PROGRAM))
    shown = attempt.press("o", sees=f"{Words.KEY_OPENING.format(opener='firefox')}\r\n")

    assert attempt.opened == [FOR_A_PROGRAM]
    assert FOR_A_PROGRAM not in shown


def test_c_copies_and_shows_a_link_that_still_works(person: Person) -> None:
    """Not every terminal copies, and then there has to be something to read off."""
    attempt = WaitingSignIn(person, fresh=(FOR_THE_EYE, FOR_A_PROGRAM))
    shown = attempt.press(
        "c", sees=Words.COPIED_BY_TERMINAL.format(link=Words.LINK_NAME, doubt=Words.COPIED_DOUBT)
    )

    assert f"\x1b]52;c;{b64encode(FOR_THE_EYE.encode()).decode()}\x07" in shown
    assert f"  {FOR_THE_EYE}\r\n" in shown


@pytest.mark.parametrize(("fresh", "opened"), [("", []), (FOR_A_PROGRAM, [FOR_A_PROGRAM])])
def test_o_never_gives_a_ticket_to_a_program(person: Person, fresh: str, opened: list[str]) -> None:
    """Whoever reads it in the process list redeems what the person approves."""
    attempt = WaitingSignIn(person, fresh=(fresh, fresh))
    ticket = events.VerificationPrompted("https://a.example/t/4711", "", "", 600.0, redeemable=True)

    async def act(terminal: Terminal) -> None:
        terminal.notify(ticket)
        await person.types("o")
        await person.sees(OPENING if opened else "copy it with c")

    attempt.run(act)

    assert attempt.opened == opened


def test_a_browser_that_cannot_be_opened_is_told_once(person: Person) -> None:
    """Then the key is of no use any more."""
    attempt = WaitingSignIn(person, opens=Opening(why_not="this is an SSH session"))
    shown = attempt.press(
        "o",
        "o",
        "?",
        sees=keys(Words.KEY_COPY, Words.KEY_DRAW, Words.KEY_DEVICE, Words.KEY_PASTE),
    )

    assert shown.count(Words.KEY_CANNOT_OPEN.format(why="this is an SSH session")) == 1
    assert attempt.opened == [LINK]


def test_c_asks_the_terminal_to_copy(person: Person) -> None:
    """Where there is no clipboard program, the terminal may have a clipboard."""
    shown = WaitingSignIn(person).press(
        "c", sees=Words.COPIED_BY_TERMINAL.format(link=Words.LINK_NAME, doubt=Words.COPIED_DOUBT)
    )

    assert f"\x1b]52;c;{b64encode(LINK.encode()).decode()}\x07" in shown


@pytest.mark.parametrize("key", ["?", "h", "H"])
def test_help_names_the_keys(person: Person, key: str) -> None:
    """Nobody remembers them."""
    everything = keys(Words.KEY_OPEN, Words.KEY_COPY, Words.KEY_DRAW, Words.KEY_DEVICE, Words.KEY_PASTE)

    assert everything in WaitingSignIn(person).press(key, sees="Keys: ")


@pytest.mark.parametrize(
    ("waiting", "keys"),
    [
        ((), f"{Words.KEY_OPEN}, {Words.KEY_COPY}."),
        (("ticket",), f"{Words.KEY_OPEN}, {Words.KEY_COPY}, {Words.KEY_DRAW}, {Words.KEY_TICKET}."),
        (("paste",), f"{Words.KEY_OPEN}, {Words.KEY_COPY}, {Words.KEY_PASTE}."),
    ],
)
def test_help_names_what_can_be_done_now(person: Person, waiting: tuple[str, ...], keys: str) -> None:
    """A key without effect makes one doubt all the others."""
    assert f"Keys: {keys}\r\n" in WaitingSignIn(person, waiting).press("?", sees="Keys: ")


@pytest.mark.parametrize("ended", ["ticket", "device"])
def test_keys_are_for_the_link_that_is_still_open(person: Person, ended: str) -> None:
    """Of two links for any device one has expired; the other one can be opened, copied and drawn."""
    attempt = WaitingSignIn(person, ())
    links = {flow: f"https://a.example/{flow}" for flow in ("ticket", "device")}
    (still_open,) = links.keys() - {ended}

    async def act(terminal: Terminal) -> None:
        for flow, url in links.items():
            terminal.notify(events.VerificationPrompted(url, "", "", 600.0, flow=flow))
        terminal.notify(events.RouteEnded(ended, "It has expired."))
        await person.types("?")
        await person.sees(keys(Words.KEY_OPEN, Words.KEY_COPY, Words.KEY_DRAW))
        await person.types("o")
        await person.sees("(firefox).")
        terminal.notify(events.RouteEnded(still_open, "It has expired, too."))
        await person.types("?")
        await person.sees(keys(Words.KEY_OPEN, Words.KEY_COPY))

    attempt.run(act)

    assert attempt.opened == [links[still_open]]


@pytest.mark.slow
def test_help_comes_by_itself_and_again_when_it_changes(person: Person) -> None:
    """Otherwise only those who have read the manual know."""
    attempt = WaitingSignIn(person, ("device",))

    async def act(terminal: Terminal) -> None:
        await person.sees(keys(Words.KEY_OPEN, Words.KEY_COPY, Words.KEY_DRAW, Words.KEY_DEVICE))
        await person.types("d")
        terminal.notify(INVITED)
        await person.sees(keys(Words.KEY_OPEN, Words.KEY_COPY, Words.KEY_DRAW))
        terminal.notify(events.CallbackReceived())

    assert attempt.run(act).count("Keys: ") == 2


@pytest.mark.parametrize("flow", ["ticket", "device"])
def test_d_begins_the_flow_for_another_device(person: Person, flow: str) -> None:
    """Who knows that no browser will come need not wait for that to be noticed."""
    attempt = WaitingSignIn(person, (flow, "paste"))
    attempt.press("d", "d", "?", sees=keys(Words.KEY_OPEN, Words.KEY_COPY, Words.KEY_PASTE))

    assert attempt.begun == [flow]


def test_q_draws_the_link_for_any_device(person: Person) -> None:
    """A phone has a camera."""

    async def act(terminal: Terminal) -> None:
        terminal.notify(INVITED)
        await person.types("q")
        await person.sees("▀")

    WaitingSignIn(person).run(act)


def test_q_begins_what_can_be_drawn(person: Person) -> None:
    """The start page is of no use to a phone: 127.0.0.1 is the phone there."""
    attempt = WaitingSignIn(person)

    async def act(terminal: Terminal) -> None:
        await person.types("q")
        while not attempt.begun:  # noqa: ASYNC110 - the loop is what is tested
            await asyncio.sleep(0)
        await person.sees(Words.QR_BEGINS)
        assert "▀" not in person.look()
        terminal.notify(INVITED)
        await person.sees("▀")

    attempt.run(act)

    assert attempt.begun == ["device"]


def test_q_says_why_there_is_nothing_to_draw(person: Person) -> None:
    """Whoever presses a key expects something."""
    shown = WaitingSignIn(person, ()).press("q", sees=Words.QR_NOTHING_TO_DRAW)

    assert "▀" not in shown


def test_the_current_link_is_the_one_for_any_device(person: Person) -> None:
    """The newest link is the one that the person looks at; when it is gone the first one counts again."""
    attempt = WaitingSignIn(person)

    async def act(terminal: Terminal) -> None:
        terminal.notify(INVITED)
        await person.types("o")
        await person.sees("(firefox).")
        terminal.notify(events.RouteEnded("device", "The code has expired."))
        terminal.notify(events.LinkReady(LINK + "2", again=True))
        await person.types("o")
        await person.sees("(firefox).")

    attempt.run(act)

    assert attempt.opened == [INVITED.url, LINK + "2"]


def test_keys_without_a_meaning_do_nothing(person: Person) -> None:
    """Someone leans on the keyboard."""
    keys = ["x", " ", "\r", "\t", "\x1b[A", "\x1bOP", "\x1b", "\x04", "\x7f", "é", "oooooo", "?"]
    attempt = WaitingSignIn(person)
    shown = attempt.press(*keys, sees="Keys: ")
    at = shown.index(READY) + len(READY)
    between = re.sub(r"\r( +|\d:\d\d left[^\r]*)?", "", shown[at : shown.index("Keys: ")])

    assert (between, attempt.opened, attempt.begun) == ("", [], [])


def test_once_the_person_is_back_keys_do_nothing(person: Person) -> None:
    """What is left to do is ours."""
    attempt = WaitingSignIn(person)

    async def act(terminal: Terminal) -> None:
        terminal.notify(events.CallbackReceived())
        await person.types("o")
        await person.types("?")
        terminal.notify(events.Warned("no."))
        await person.sees("warning: no.")

    assert "Keys: " not in attempt.run(act)
    assert attempt.opened == []


async def _pasted(attempt: WaitingSignIn, terminal: Terminal, act: Callable[[], Awaitable[None]]) -> Callback:
    """Begin the paste flow as soon as the person asks for it, while something is done; return the answer."""

    async def flow() -> Callback:
        while "paste" not in attempt.begun:  # noqa: ASYNC110 - the loop is what is tested
            await asyncio.sleep(0)
        terminal.notify(events.PasteReady(REQUEST.url, REQUEST.redirect_uri))
        return await terminal.paste(REQUEST)

    asking = asyncio.create_task(flow())
    await act()
    return await asking


def answer(
    attempt: WaitingSignIn, act: Callable[[], Awaitable[None]], loop: Loop = asyncio.SelectorEventLoop
) -> Callback:
    """Wait while something is done; return what was pasted."""
    answers: list[Callback] = []

    async def whole(terminal: Terminal) -> None:
        answers.append(await _pasted(attempt, terminal, act))

    attempt.run(whole, loop)
    return answers[0]


@pytest.mark.parametrize("loop", LOOPS)
def test_p_begins_to_paste_and_asks(person: Person, loop: Loop) -> None:
    """The person knows where their browser has ended."""
    attempt = WaitingSignIn(person)

    async def act() -> None:
        await person.types("p")
        await person.sees(f"\r\n  {REQUEST.redirect_uri}?...\r\n")
        await person.sees("then Enter (Esc: back): ")
        await person.types(RIGHT + "\r")

    assert ("code", "SplxlOBeZQ") in answer(attempt, act, loop).parameters
    assert attempt.begun == ["paste"]
    assert "Splxl" not in person.look()
    assert restored(person)


@pytest.mark.parametrize("size", [1, 333, 65536])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_long_paste_is_understood_without_any_key(person: Person, size: int, loop: Loop) -> None:
    """None of its characters is a key, and nothing of it is shown."""
    attempt = WaitingSignIn(person)

    async def act() -> None:
        await person.types(PASTE.format(LONG), size)

    assert dict(answer(attempt, act, loop).parameters)["code"] == LONG.partition("code=")[2]
    assert (attempt.begun, attempt.opened) == (["paste"], [])
    assert "ocqdph" not in person.look()
    assert restored(person)


def test_without_marks_a_long_paste_opens_the_question(person: Person) -> None:
    """An old terminal does not mark pastes; then only Enter tells that it is all there."""
    attempt = WaitingSignIn(person)

    async def act() -> None:
        await person.types(LONG, 1000)
        await person.sees("back): (4 2")
        await person.types("\r")

    assert dict(answer(attempt, act).parameters)["code"] == LONG.partition("code=")[2]
    assert (attempt.begun, attempt.opened) == (["paste"], [])
    assert restored(person)


def test_what_is_pasted_before_it_is_asked_for_is_one_answer(person: Person) -> None:
    """The flow has to begin first, and a long paste without marks goes on arriving meanwhile."""
    attempt = WaitingSignIn(person)
    answers: list[Callback] = []

    async def act(terminal: Terminal) -> None:
        for piece in (LONG[:1000], LONG[1000:]):
            person.types_ahead(piece)
            while select.select([person.stdin], [], [], 0)[0]:  # noqa: ASYNC110 - some loops cannot watch
                await asyncio.sleep(0)
        asking = asyncio.create_task(terminal.paste(REQUEST))
        await person.sees("back): (4 2")
        await person.types("\r")
        answers.append(await asking)

    attempt.run(act)

    assert dict(answers[0].parameters)["code"] == LONG.partition("code=")[2]


def test_keys_are_not_named_anew_while_something_is_asked(person: Person) -> None:
    """During a question none of them works, and afterwards they are the same as before."""
    attempt = WaitingSignIn(person, flows=("code", "paste"), waiting=())

    async def act(terminal: Terminal) -> None:
        asking = asyncio.create_task(terminal.paste(REQUEST))
        await asyncio.sleep(0)
        await person.types("?")
        await person.types("p")
        await person.sees("back): ")
        for _ in range(3):
            terminal._look(0.0)
        await person.types(RIGHT + "\r")
        await asking

    assert attempt.run(act).count("Keys: ") == 1


def test_a_terminal_that_was_set_back_is_set_again(person: Person) -> None:
    """`bg` and `fg` may come quickly one after the other, and only the first of them is told to us."""

    async def act(terminal: Terminal) -> None:
        inside = person.modes()
        assert terminal._listening is not None
        assert terminal._listening._keyboard is not None
        terminal._listening._keyboard._leave()
        assert person.modes() == person.modes_before
        terminal._look(0.0)
        assert person.modes() == inside

    WaitingSignIn(person).run(act)

    assert restored(person)


@pytest.mark.slow
@pytest.mark.parametrize("leave", ["\r", "\x1b", "abc\x1b", "abc\x15\r"])
def test_the_question_can_be_left(person: Person, leave: str) -> None:
    """The other flows are still open, and so are their keys."""
    attempt = WaitingSignIn(person)

    async def act() -> None:
        await person.types("p")
        await person.sees("back): ")
        await person.types(leave)
        # The line is drawn anew once the question is gone.
        await person.sees(Words.STAGE_CANCELS.format(stage=""))
        await person.types("o")
        await person.sees(OPENING)
        await person.types("p")
        await person.sees("back): ")
        await person.types(RIGHT + "\r")

    assert answer(attempt, act).via == "paste"


def test_keys_that_begin_with_escape_do_not_leave_the_question(person: Person) -> None:
    """Arrows and marks of a paste begin with it too, and a slow line takes them apart."""
    attempt = WaitingSignIn(person)

    async def act() -> None:
        await person.types("p")
        await person.sees("back): ")
        await person.types("\x1b[D" + PASTE.format(RIGHT), 1)
        await person.types("\r")

    assert answer(attempt, act).via == "paste"


def test_a_wrong_paste_is_told_and_the_next_one_taken(person: Person) -> None:
    """People copy the wrong tab's address."""
    attempt = WaitingSignIn(person)

    async def act() -> None:
        await person.types(PASTE.format("http://127.0.0.1:1/x?code=hidden"))
        await person.sees("That is not the address of this sign-in")
        await person.types("p")
        await person.sees("back): ")
        await person.types("nonsense?\r")
        await person.sees("Paste again")
        await person.sees("back): ")
        await person.types(PASTE.format(RIGHT) + "\r")

    assert answer(attempt, act).via == "paste"


def test_what_nobody_waits_for_is_told(person: Person) -> None:
    """A paste that vanishes is pasted again and again."""
    attempt = WaitingSignIn(person, ())
    shown = attempt.press(PASTE.format(LONG), sees=f"{Words.PASTE_NOT_NOW}\r\n")

    assert "ocqdph" not in shown


def test_the_last_flow_asks_by_itself(person: Person) -> None:
    """Nothing else can be waited for."""
    attempt = WaitingSignIn(person, flows=("code", "paste"), waiting=())
    answers: list[Callback] = []

    async def act(terminal: Terminal) -> None:
        asking = asyncio.create_task(terminal.paste(REQUEST))
        await asyncio.sleep(0)
        assert "then Enter" not in person.look()
        terminal.notify(events.RouteEnded("code", "The port is gone."))
        await person.sees("back): ")
        await person.types(RIGHT + "\r")
        answers.append(await asking)

    attempt.run(act)

    assert answers[0].via == "paste"


def test_to_give_up_at_the_question_is_to_give_up(person: Person) -> None:
    """Ctrl-D means what it means everywhere."""
    attempt = WaitingSignIn(person)

    async def act() -> None:
        await person.types("p")
        await person.sees("back): ")
        await person.types("\x04")

    with pytest.raises(AttemptCancelled):
        answer(attempt, act)

    assert restored(person)


def test_while_the_account_is_confirmed_keys_are_letters(person: Person) -> None:
    """And what was typed before the question could be read is no answer to it."""
    sign_in = SignIn("v", "abc", "none", ServerMetadata(), "", TokenSet("t", "Bearer", 0.0, account="me@x"))
    attempt = WaitingSignIn(person)

    async def act(terminal: Terminal) -> None:
        person.types_ahead("y\r")
        asking = asyncio.create_task(terminal.confirm(sign_in))
        await person.sees(Words.CONFIRM_PROMPT)
        await person.types("ocd")
        await person.sees("ocd")
        await person.types("\x15n\r")
        assert not await asking
        await person.types("o")
        await person.sees(OPENING)

    attempt.run(act)

    assert (attempt.opened, attempt.begun) == ([LINK], [])
    assert restored(person)


def test_a_question_within_a_question_gives_the_keys_back(person: Person) -> None:
    """An approval may arrive while the address is being pasted."""
    sign_in = SignIn("v", "abc", "none", ServerMetadata(), "", TokenSet("t", "Bearer", 0.0, account="me@x"))
    attempt = WaitingSignIn(person, flows=("code", "paste"), waiting=())

    async def act(terminal: Terminal) -> None:
        pasting = asyncio.create_task(terminal.paste(REQUEST))
        await asyncio.sleep(0)
        await person.types("p")
        await person.sees("back): ")
        asking = asyncio.create_task(terminal.confirm(sign_in))
        await person.sees("[y/N] ")
        pasting.cancel()
        await asyncio.gather(pasting, return_exceptions=True)
        await person.types("y\r")
        assert await asking

    attempt.run(act)

    assert restored(person)


def test_at_forty_columns_links_are_whole_and_keys_work() -> None:
    """A link that we broke is no link (anthropics/claude-code#34555)."""
    url = "https://as.example/authorize?" + "x" * 400

    with Person(40) as narrow:
        attempt = WaitingSignIn(narrow, ("paste",))

        async def act(terminal: Terminal) -> None:
            terminal.notify(events.PasteReady(url, REQUEST.redirect_uri))
            terminal.notify(events.RouteBegan("device", "You asked for it."))
            await narrow.sees(f" left{Words.STAGE_CANCELS.format(stage='')}")
            await narrow.types("o")
            await narrow.sees(OPENING)

        shown = attempt.run(act)

    assert f"\r\n  {LINK}\r\n" in shown
    assert f"\r\n  \x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\\r\n" in shown
    assert max(len(line) for line in re.findall(r"\r(Waiting, \d:\d\d left[^\r]*)", shown)) < 39
    assert attempt.opened == [url]


@pytest.mark.parametrize("ending", ["error", "cancelled", "closed"])
@pytest.mark.parametrize("loop", LOOPS)
def test_whatever_ends_the_wait_the_terminal_is_as_it_was(person: Person, ending: str, loop: Loop) -> None:
    """A shell without an echo is what is left otherwise."""
    inside: list[object] = []

    async def act(terminal: Terminal) -> None:
        inside.append(person.modes())
        await person.types("op")
        match ending:
            case "error":
                raise AttemptCancelled("enough")
            case "cancelled":
                raise asyncio.CancelledError
            case _:
                person.types_ahead("typed ahead")

    with suppress(AttemptCancelled, asyncio.CancelledError):
        WaitingSignIn(person).run(act, loop)

    assert inside != [person.modes_before]
    assert restored(person)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_terminal_that_closes_ends_the_keys_alone(loop: Loop) -> None:
    """The browser is elsewhere, and may still come back."""
    before = threading.active_count()
    after: list[int] = []

    async def main(terminal: Terminal, leaving: Person) -> None:
        async with terminal.waiting(300.0):
            await leaving.sees(READY)
            leaving.hang_up()
            while terminal._listening is None or terminal._listening.hears:  # noqa: ASYNC110 - as it is
                await asyncio.sleep(0)
            after.append(threading.active_count())

    with Person() as leaving, seated(leaving), asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(main(WaitingSignIn(leaving).terminal(), leaving), SOON))

    assert after == [before]


@pytest.mark.parametrize("why", ["dumb", "stdin closed", "stdin is a file", "stderr is a file"])
def test_where_keys_cannot_be_heard_there_are_none(
    person: Person, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """No mode of the terminal is touched, and nothing is written that might show."""
    seen: list[object] = []

    async def main() -> None:
        async with terminal.waiting(300.0):
            await asyncio.sleep(0)
            terminal.notify(events.RouteBegan("device", "You asked for it."))
            seen.append(person.modes())

    with seated(person), Path(os.devnull).open() as nothing, Path(os.devnull).open("w") as nowhere:
        match why:
            case "dumb":
                monkeypatch.setenv("TERM", "dumb")
            case "stdin closed":
                nothing.close()
                monkeypatch.setattr(sys, "stdin", nothing)
            case "stdin is a file":
                monkeypatch.setattr(sys, "stdin", nothing)
            case _:
                monkeypatch.setattr(sys, "stderr", nowhere)
        terminal = WaitingSignIn(person).terminal()
        asyncio.run(main())

    assert seen == [person.modes()] == [person.modes_before]
    assert "\x1b" not in person.look()
    assert "Keys: " not in person.look()


async def test_without_a_terminal_everything_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A log has no keys."""
    terminal = Terminal(Messages("demo", authority=AUTHORITY, plan=plan_of("code")), controls=Controls())
    async with terminal.waiting(None):
        await asyncio.sleep(0)
        terminal.notify(events.RouteBegan("device", "No browser has come to the link within 10 seconds."))
        terminal.notify(events.RouteEnded("device", "The server has no such endpoint."))
    said = capsys.readouterr().err

    assert said == (
        "This is an SSH session. Forward the port.\n"
        f"{Words.STAGE_FIRST}, 300 seconds at most.\n"
        "No browser has come to the link within 10 seconds.\n"
        f"{Words.FLOW_NOT_POSSIBLE.format(flow=Words.FLOW_DEVICE, why='The server has no such endpoint')}\n"
        f"{Words.STAGE_FLOWS.format(awaited=Words.AWAITED_BROWSER)}.\n"
    )


WAITING = """
import asyncio, os, sys
from loopback_auth.terminal.messages import Messages
from loopback_auth.terminal.terminal import Terminal
async def main():
    terminal = Terminal(Messages("demo", authority="127.0.0.1:1"))
    try:
        async with terminal.waiting(300.0):
            print("under way, PID", os.getpid())
            if os.environ.get("ENDS"):
                await asyncio.sleep(0)
            else:
                await asyncio.Event().wait()
        print("over")
    except asyncio.CancelledError:
        print("cancelled")
        raise
asyncio.run(main())
"""


async def test_ctrl_c_restores_the_terminal(person: Person) -> None:
    """It stays a signal at every moment."""
    with person.session(WAITING):
        await person.sees(READY)
        await person.types("\x03")
        await person.sees("end\r\n")
    before, told, after = person.reported()

    assert "cancelled" in person.look()
    assert (told, after) == ("status 130", before)


async def test_in_the_background_the_terminal_is_left_alone(person: Person) -> None:
    """Whoever sets it from there is stopped, and then nobody waits for the browser any more."""
    with person.session(WAITING, program=IN_BACKGROUND, ENDS="1"):
        await person.sees("end\r\n")
    before, told, after = person.reported()

    assert (told, after) == ("status 0", before)
    assert "over\r\n" in person.look()
    assert READY not in person.look()


@pytest.mark.slow
async def test_back_in_the_foreground_keys_are_heard(person: Person) -> None:
    """A person who has sent us to the background fetches us back to do something."""
    with person.session(WAITING, program=UNTIL_ENTER):
        await person.sees("under way")
        assert READY not in person.look()
        await person.types("\r")
        await person.sees(READY)
        await person.types("?")
        await person.sees(Words.KEYS_NONE)
        await person.types("\x03")
        await person.sees("end\r\n")
    before, told, after = person.reported()

    assert (told, after) == ("status 130", before)


async def test_after_a_stop_keys_are_heard_again(person: Person) -> None:
    """Ctrl-Z gives the shell its terminal back, and `fg` ours."""
    with person.session(WAITING):
        await person.sees(READY)
        await person.sees("under way, PID ")
        await person.sees("\r\n")
        pid = int(person.shown.partition("PID ")[2].split()[0])
        os.kill(pid, signal.SIGTSTP)
        await person.sees(RESTORED)
        await person.sees(READY)
        await person.types("?")
        await person.sees(Words.KEYS_NONE)
        os.kill(pid, signal.SIGTERM)
        await person.sees("end\r\n")
    before, told, after = person.reported()

    assert (told, after) == ("status 143", before)


def test_ctrl_c_that_makes_no_signal_is_made_one(person: Person) -> None:
    """Some people have put the signal on another key; ours is still the one that everybody knows."""
    import termios

    modes = termios.tcgetattr(person.stdin)
    modes[6][termios.VINTR] = b"\x18"
    termios.tcsetattr(person.stdin, termios.TCSANOW, modes)
    before, usual = person.modes(), signal.signal(signal.SIGINT, signal.default_int_handler)

    async def act(_: Terminal) -> None:
        await person.types("\x03")
        await asyncio.Event().wait()

    try:
        with pytest.raises(KeyboardInterrupt):
            WaitingSignIn(person).run(act)
    finally:
        signal.signal(signal.SIGINT, usual)

    assert person.modes() == before


def test_a_flow_that_ends_takes_its_wishes_along(person: Person) -> None:
    """What was pasted for it is nobody's."""
    attempt = WaitingSignIn(person)

    async def act(terminal: Terminal) -> None:
        await person.types("p")
        while not attempt.begun:  # noqa: ASYNC110 - the loop is what is tested
            await asyncio.sleep(0)
        terminal.notify(events.RouteEnded("paste", "There is no port."))
        await person.types(PASTE.format(LONG))
        await person.sees(Words.PASTE_NOT_NOW)

    attempt.run(act)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_keys_and_marked_pastes_are_told_apart(size: int) -> None:
    """Whatever pieces they come in."""
    keys = Keys(100)
    raw = b"o\x1b[A" + PASTE.format("a\r\nb\x07\x1b[0m").encode() + b"c"
    typed = [one for at in range(0, len(raw), size) for one in keys.feed(raw[at : at + size])]

    assert typed == [Typed("o"), Typed("a\r\nb", whole=True), Typed("c")]


def test_without_marks_length_tells_a_paste() -> None:
    """Three keys may come at once over a slow line; eight are no keys, and what is between is nothing."""
    assert Keys(100).feed(b"ocq") == [Typed("o"), Typed("c"), Typed("q")]
    assert Keys(100).feed(b"hello") == []
    assert Keys(100).feed(b"http://x\rp") == [Typed("http://x\r"), Typed("p")]


def test_escape_is_a_key_when_nothing_belongs_to_it() -> None:
    """The key after it must not get lost."""
    keys = Keys(100)

    assert keys.feed(b"\x1b") == []
    assert keys.feed(b"o") == [Typed("o")]


def test_there_is_an_end_to_what_is_kept_of_a_paste() -> None:
    """Somebody may paste a film."""
    [typed] = Keys(100).feed(PASTE.format("x" * 1000).encode())

    assert len(typed.text) == 101
    assert "xx" not in repr(typed)
    assert LIMIT >= 64 * 1024
