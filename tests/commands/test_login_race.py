"""`login` when several ways are open: which of them wins, which are never tried, and what the keys do."""

from __future__ import annotations

import re
import socket
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback_auth.words import Words

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

import termios

from command_line import PATIENCE, CommandLine

from commands.people import in_terminal, port_of, sign_in, store, visit
from commands.race_people import (
    AT_LAST,
    BOUNDED,
    FAILS,
    INVITED,
    KEYS,
    LOOKS,
    VISITS,
    WHOSE,
    PromptServer,
    address_bar,
    browser,
    serving,
    shown_link,
    visible,
)
from commands.split_people import ticket_flags

pytestmark = pytest.mark.slow

WIDE = "0.0.0.0"  # noqa: S104 - that is what is tested
ASK = Words.PASTE_PROMPT_OR_BACK


@pytest.fixture
def prompt() -> Iterator[PromptServer]:
    """A server that nobody has asked anything yet."""
    with serving() as server:
        yield server


def test_redirect_wins_and_nothing_else_is_asked_for(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """Whoever has a browser here never hears of codes."""
    with in_terminal(
        command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER=browser(tmp_path, VISITS)
    ) as screen:
        screen.wait_for("Signed in to ")
        status = screen.end()

    assert status == 0
    assert WHOSE not in screen.shown
    assert not prompt.asked_for("/device")


@pytest.mark.parametrize(("answer", "status", "names"), [("y\n", 0, 1), ("n\n", 130, 0)])
def test_device_code_wins_beside_a_redirect_whose_opener_fails(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path, answer: str, status: int, names: int
) -> None:
    """Anybody may have approved it, so whose account it is gets asked before it is kept (RFC 8628 §5.4)."""
    with in_terminal(
        command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER=browser(tmp_path, FAILS)
    ) as screen:
        visit(shown_link(screen, INVITED, containing="user_code="))
        screen.wait_for(WHOSE)
        screen.type(answer)
        ended = screen.end()

    assert ended == status
    assert visible(screen).count("The browser did not open (browser ended with 3).") == 1
    assert len(store(command_line).names()) == names


def test_ticket_wins_beside_a_redirect(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """Where there are tickets they go before device codes."""
    flags = (*ticket_flags(prompt.issuer), *BOUNDED, *AT_LAST, "--reachable")
    with in_terminal(command_line, "login", *flags, BROWSER=browser(tmp_path, FAILS)) as screen:
        visit(shown_link(screen, INVITED, containing="/netlify/"))
        screen.wait_for(WHOSE)
        screen.type("y\n")
        status = screen.end()

    assert status == 0
    assert not prompt.asked_for("/device_authorization")


def test_pasted_address_wins_beside_a_redirect(command_line: CommandLine, prompt: PromptServer) -> None:
    """The browser is somewhere else and ends on an address that it cannot open."""
    with in_terminal(command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER="none") as screen:
        screen.wait_for(KEYS)
        screen.type("p")
        link = shown_link(screen, ASK, containing="/authorize")
        address = address_bar(prompt, link)
        screen.type(f"{address}\n")
        status = screen.end()

    assert status == 0
    assert "Signed in to " in screen.shown
    assert address.partition("?")[2] not in screen.shown
    assert WHOSE not in screen.shown


def test_redirect_wins_while_the_person_is_asked_to_paste(
    command_line: CommandLine, prompt: PromptServer
) -> None:
    """They have found a way after all; nobody waits for Enter."""
    with in_terminal(command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER="none") as screen:
        before = termios.tcgetattr(screen.terminal)
        screen.wait_for(KEYS)
        link = re.findall(r"http://\S+", screen.shown)[0]
        screen.type("p")
        screen.wait_for(ASK)
        screen.type("halfway")
        visit(link)
        status = screen.end()
        after = termios.tcgetattr(screen.terminal)

    assert status == 0
    assert "Signed in to " in screen.shown
    assert after == before


def test_silent_browser_brings_a_device_code(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """It was opened, and is on another machine or hidden; nothing tells but its absence."""
    flags = (*prompt.flags, "--patience", "1", "--reachable", "--yes")
    with command_line.start("login", *flags, BROWSER=browser(tmp_path, "exit 0")) as running:
        running.link()
        why = running.line("No browser has come")
        visit(running.link())
        ended = running.end()

    assert ended.status == 0
    assert why == "No browser has come to the link within 1 second.\n"


def test_browser_that_stays_at_the_server_brings_a_device_code(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """It shows an error of the server, which must not redirect a client that it does not know."""
    flags = (*prompt.flags, *AT_LAST, "--second-look", "1", "--reachable", "--yes")
    with command_line.start("login", *flags, BROWSER=browser(tmp_path, LOOKS)) as running:
        running.link()
        why = running.line("has not come back")
        visit(running.link())
        ended = running.end()

    assert ended.status == 0
    assert why.startswith("Your browser went to 127.0.0.1")


def test_text_browser_without_a_terminal_is_no_browser(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """`xdg-open` falls back to w3m, which prints the page to nobody; the link that it used up is renewed."""
    flags = (*prompt.flags, "--patience", "1", "--reachable", "--yes")
    looks = LOOKS.replace("Mozilla/5.0", "w3m/0.5.3")
    with command_line.start("login", *flags, BROWSER=browser(tmp_path, looks)) as running:
        first = running.link()
        running.line(Words.LINK_UNSEEN.format(opener="w3m"))
        fresh = running.link()
        running.line("No browser has come")
        visit(fresh)
        ended = running.end()

    assert ended.status == 0
    assert first != fresh
    assert Words.STAGE_VISITED.partition("{")[0] not in ended.stderr.partition("No browser has come")[0]


def test_d_begins_a_device_code(command_line: CommandLine, prompt: PromptServer) -> None:
    """Nobody has to wait for our patience to be over."""
    with in_terminal(command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER="none") as screen:
        screen.wait_for(KEYS)
        asked_before = prompt.asked_for("/device_authorization")
        screen.type("d")
        visit(shown_link(screen, INVITED, containing="user_code="))
        screen.wait_for(WHOSE)
        screen.type("y\n")
        status = screen.end()

    assert (status, asked_before) == (0, False)
    assert Words.APPROVE_ALSO_AT.partition("{")[0] in visible(screen)


def test_c_copies_the_link(command_line: CommandLine, prompt: PromptServer) -> None:
    """What the terminal is asked to copy is the link that works."""
    with in_terminal(command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER="none") as screen:
        screen.wait_for(KEYS)
        screen.type("c")
        screen.wait_for("Sent the link to the clipboard")
        copied = re.search("\x1b]52;c;([^\x07]+)\x07", screen.shown)
        assert copied is not None
        visit(b64decode(copied[1]).decode())
        status = screen.end()

    assert status == 0


def test_o_opens_the_browser(command_line: CommandLine, prompt: PromptServer, tmp_path: Path) -> None:
    """The first window was closed by mistake; the second one gets there."""
    mark = tmp_path / "opened"
    script = f"[ -e {mark} ] && {VISITS}\n: >{mark}"
    with in_terminal(
        command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER=browser(tmp_path, script)
    ) as screen:
        screen.wait_for(KEYS)
        screen.type("o")
        screen.wait_for("Signed in to ")
        status = screen.end()

    assert status == 0
    assert f"{Words.KEY_OPENING.format(opener='browser')}\r\n" in screen.shown


def test_o_is_no_key_where_nobody_wants_a_browser(command_line: CommandLine, prompt: PromptServer) -> None:
    """A key that can do nothing is not named; without a browser at first there may be one later."""
    keys = []
    for named in ("none", sys.executable):
        with in_terminal(command_line, "login", "--no-browser", *prompt.flags, BROWSER=named) as screen:
            screen.wait_for("p paste.")
            keys.append(screen.shown.partition(KEYS)[2][:6])
            screen.type("\x03")
            screen.end()

    assert keys == ["c copy", "o open"]


def test_q_begins_a_code_for_a_phone(command_line: CommandLine, prompt: PromptServer) -> None:
    """A phone cannot come back to this machine, so a device code is begun; this one it cannot open."""
    with in_terminal(command_line, "login", *prompt.flags, *AT_LAST, "--reachable", BROWSER="none") as screen:
        screen.wait_for(KEYS)
        screen.type("q")
        screen.wait_for(Words.QR_THIS_MACHINE)
        screen.wait_for(INVITED)
        screen.type("\x03")
        status = screen.end()

    assert status == 130
    assert "\x1b[30;47m" not in screen.shown


def test_at_forty_columns_links_are_unbroken(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """A terminal joins what it has wrapped itself, but not what we broke."""
    flags = (*prompt.flags, *AT_LAST, "--reachable")
    with in_terminal(command_line, "login", *flags, columns=40, BROWSER=browser(tmp_path, FAILS)) as screen:
        elsewhere = shown_link(screen, INVITED, containing="user_code=")
        here = re.search(r"\r\n  (http://127\.0\.0\.1:\d+/[0-9a-f]{32})\r\n", screen.shown)
        visit(elsewhere)
        screen.wait_for(WHOSE)
        screen.type("y\n")
        status = screen.end()

    assert status == 0
    assert len(elsewhere) > 40
    assert here is not None


def test_flow_that_is_not_allowed_is_never_asked_for(
    command_line: CommandLine, prompt: PromptServer, tmp_path: Path
) -> None:
    """Neither evidence nor a key brings what the person has ruled out."""
    flags = (*prompt.flags, "--patience", "1", "--reachable", "--allowed-flows", "code")
    with in_terminal(command_line, "login", *flags, BROWSER=browser(tmp_path, FAILS)) as screen:
        screen.wait_for("The browser did not open")
        screen.wait_for(KEYS)
        screen.type("d")
        screen.type("p")
        screen.type("q")
        screen.wait_for("No QR code")
        visit(re.findall(r"http://\S+", screen.shown)[0])
        status = screen.end()

    assert status == 0
    assert not prompt.asked_for("/device")
    assert "You can also" not in screen.shown
    assert ASK not in screen.shown


def test_flow_that_is_wanted_and_not_allowed_is_refused(
    command_line: CommandLine, prompt: PromptServer
) -> None:
    """To guess which of the two was meant would be wrong half of the time."""
    ended = command_line.run("login", *prompt.flags, "--flow", "device", "--allowed-flows", "code")

    assert ended.status == 2
    assert "flow device (from flag --flow)" in ended.complaint
    assert "(from flag --allowed-flows)" in ended.complaint
    assert prompt.requests == []


def test_refusal_is_the_end_whatever_else_could_be_tried(
    command_line: CommandLine, prompt: PromptServer
) -> None:
    """To go on by device after a "no" would be a downgrade that nobody asked for."""
    flags = (*prompt.flags, *AT_LAST, "--yes", "--reachable")
    ended = sign_in(command_line, *flags, decision="deny")

    assert ended.status == 4
    assert "access_denied" in ended.complaint
    assert not prompt.asked_for("/device")
    assert store(command_line).names() == ()


def test_device_code_that_is_not_approved_is_told_as_that(
    command_line: CommandLine, prompt: PromptServer
) -> None:
    """No browser was to come back here, and nobody is to look for one that did not."""
    ended = command_line.run("login", *prompt.flags, "--flow", "device", "--yes", "--timeout", "1")

    assert ended.status == 7
    assert "approved" in ended.complaint
    assert "came back" not in ended.complaint


def test_refusal_by_device_ends_the_redirect_too(command_line: CommandLine, prompt: PromptServer) -> None:
    """Who has said no on the phone does not want to be asked by the browser."""
    with command_line.start("login", "--no-browser", "--yes", *prompt.flags, *AT_LAST) as running:
        links = [running.link(), running.link()]
        visit(next(link for link in links if "/device" in link), "deny")
        ended = running.end()

    assert ended.status == 4
    assert "access_denied" in ended.complaint
    assert store(command_line).names() == ()


def test_port_that_is_taken_brings_another_way(command_line: CommandLine, prompt: PromptServer) -> None:
    """A registered port cannot be chosen freely; a device code needs none."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        flags = (*prompt.flags, *AT_LAST, "--yes", "--no-browser", "--reachable", "--port", str(port))
        with command_line.start("login", *flags) as running:
            visit(running.link())
            ended = running.end()

    assert ended.status == 0
    assert len([line for line in ended.stderr.splitlines() if f"port {port}" in line]) == 1
    assert "error:" not in ended.stderr


def test_wide_address_is_listened_on_and_not_told(command_line: CommandLine, prompt: PromptServer) -> None:
    """Inside a container; outside its port is published to 127.0.0.1, and that is what is registered."""
    with command_line.start("login", "--no-browser", *prompt.flags, "--bind", WIDE) as running:
        link = running.link()
        with socket.create_connection(("127.0.0.2", port_of(link)), timeout=PATIENCE):
            pass
        visit(link)
        ended = running.end()

    assert ended.status == 0
    assert link.startswith("http://127.0.0.1:")
    assert prompt.sent("redirect_uri") == {f"http://127.0.0.1:{port_of(link)}/callback"}
