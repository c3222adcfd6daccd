"""A program of somebody else signs in: however it opens its link, and whatever it leaves."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import psutil
import pytest
from patience import SOON
from small_sign_in import recipe, signed_in, small_sign_in

from loopback_auth.audit.programs import interaction
from loopback_auth.audit.programs.browsing import LARGEST_PAGE
from loopback_auth.audit.programs.process import Process
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.program_sign_in import Behaviour
from loopback_auth.demo.faults import Faults
from loopback_auth.http_messages import HttpRequest

pytestmark = pytest.mark.slow  # Each starts a program and waits for what it leaves.

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what a bad program listens on


async def test_plain_sign_in() -> None:
    """The program gets its tokens, and what it did is known from outside."""
    result = await signed_in()

    assert (result.status, result.succeeded, result.account) == (0, True, "demo@example.com")
    assert result.request["response_type"] == "code"
    assert [one.path for one in result.requests] == ["/token"]
    assert result.listened_first is True
    assert result.left_behind == 0
    assert result.page is not None
    assert b"close this tab" in result.page.body
    assert result.seen.links == (result.link,)
    assert "signed in" in result.seen.stdout
    assert result.port_open_after is not None


@pytest.mark.parametrize(
    "opener", ["xdg-open", "firefox", "google-chrome", "open", "wslview", "x-www-browser"]
)
async def test_openers_by_name(opener: str) -> None:
    """Programs that start a browser by its name find the one that stands in for it."""
    result = await signed_in("--opener", opener)

    assert result.succeeded
    assert any(line.startswith(f"{opener} http://") for line in result.seen.argv)


async def test_printed_link() -> None:
    """A link that is only printed is opened as a user would open it, without the colours around it."""
    result = await signed_in("--opener", "print")

    assert result.succeeded
    assert result.seen.links == (result.link,)


async def test_two_links() -> None:
    """Both are opened, as in two tabs; the program takes one of the responses."""
    result = await signed_in("--opener", "twice")

    assert result.succeeded
    assert len(result.seen.links) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", EVERYWHERE])
async def test_addresses(host: str) -> None:
    """What the program listens on is seen, at whichever address it is."""
    async with small_sign_in("--host", host) as sign_in:
        await sign_in.until("link")
        seen = sign_in.look()
        result = await sign_in.end()

    assert result.succeeded
    assert [one.address for one in seen.listeners] == ["127.0.0.1" if host == "localhost" else host]


async def test_form_post() -> None:
    """The response travels as the program asked for it."""
    result = await signed_in("--response-mode", "form_post")

    assert result.succeeded
    assert [one.request.method for one in result.visits] == ["POST"]


async def test_device_code_is_typed() -> None:
    """A program without a redirect prints an address and a code; the user opens one and types the other."""
    result = await signed_in("--device", "{device_authorization_endpoint}")

    assert (result.status, result.succeeded, result.account) == (0, True, "demo@example.com")
    assert (result.link, result.request, result.visits) == ("", {}, ())
    assert result.seen.links == (result.seen.links[0],)


async def test_device_flow_has_no_answer_to_wait_for() -> None:
    """A scenario that waits for a redirect is told that there is none, and the sign-in goes on to its end."""
    async with small_sign_in("--device", "{device_authorization_endpoint}") as sign_in:
        link = await sign_in.until("link")
        answer = await sign_in.until("answer")
        result = await sign_in.end()

    assert link is not None
    assert link.link
    assert answer is None
    assert result.succeeded


async def test_fragment() -> None:
    """A response in the fragment reaches a page that this browser runs no script of."""
    behaviour = Behaviour(seconds=5.0)
    async with small_sign_in("--response-type", "token", behaviour=behaviour) as sign_in:
        answer = await sign_in.until("answer")
        result = await sign_in.end(within=0.5)

    assert answer is not None
    assert answer.brought("access_token")
    assert result.visits[0].request.url.endswith("/callback")
    assert "#access_token=" in result.visits[0].address
    assert not result.succeeded


async def test_private_scheme() -> None:
    """A redirect to another program of the system is followed by no browser of ours."""
    behaviour = Behaviour(seconds=5.0)
    async with small_sign_in("--redirect-uri", "com.example.app:/callback", behaviour=behaviour) as sign_in:
        result = await sign_in.end(within=0.5)

    assert (result.succeeded, result.visits) == (False, ())
    assert result.request["redirect_uri"] == "com.example.app:/callback"


async def test_protected_folders_are_removed() -> None:
    """A program can take its own permissions away; its folder goes all the same."""
    async with small_sign_in("--protect") as sign_in:
        result = await sign_in.end()
        home = sign_in.program_environment.home

    assert result.succeeded
    assert not exists(str(home.parent))


async def test_foreign_link() -> None:
    """A program that ignores its server sends the browser elsewhere: nothing is fetched from there."""
    async with small_sign_in(
        "--elsewhere", "https://as.example/authorize", behaviour=Behaviour(seconds=2.0)
    ) as sign_in:
        result = await sign_in.end(within=1.0)

    assert (result.succeeded, result.link, result.requests, result.visits) == (False, "", (), ())
    assert result.seen.links[0].startswith("https://as.example/authorize?")


async def test_no_link() -> None:
    """A program that opens none is ended in time."""
    result = await signed_in("--opener", "none", behaviour=Behaviour(seconds=1.5))

    assert (result.status, result.succeeded, result.seen.links, result.left_behind) == (None, False, (), 0)


async def test_paused_at_each_point() -> None:
    """A scenario acts while the user reads the page, after the approval, and before the response comes."""
    async with small_sign_in() as sign_in:
        link = await sign_in.until("link")
        approved = await sign_in.until("approved")
        answer = await sign_in.until("answer")
        result = await sign_in.end()

    assert link is not None
    assert approved is not None
    assert answer is not None
    assert link.redirect_uri.startswith("http://127.0.0.1:")
    assert link.state
    assert answer.brought("code") == result.token_requests[0].parameters["code"]
    # An attacker who has read the link can ask for the same with their own account.
    assert {one.link for one in (link, approved, answer)} == {result.link}
    assert result.succeeded


async def test_requests_of_stories_are_not_the_programs() -> None:
    """Requests of the attacker are sent, and do not count as the program's."""
    async with small_sign_in() as sign_in:
        exposed = await sign_in.until("link")
        assert exposed is not None
        at_program = await sign_in.ask(HttpRequest("GET", f"{exposed.redirect_uri}?code=forged&state=forged"))
        result = await sign_in.end()

    assert at_program.status == 200
    assert [one.parameters["code"] for one in result.token_requests] != ["forged"]
    assert result.succeeded


async def test_faults_of_the_server() -> None:
    """The program meets a server that breaks a rule, and is not signed in."""
    async with small_sign_in(faults=Faults(deny_all=True), behaviour=Behaviour(seconds=2.0)) as sign_in:
        result = await sign_in.end(within=1.0)

    assert (result.succeeded, result.account) == (False, "")


async def test_stays() -> None:
    """A program that goes on as a server does is ended when it has its tokens."""
    result = await signed_in("--stay", behaviour=Behaviour(stays=True))

    assert (result.status, result.succeeded, result.left_behind) == (None, True, 0)


async def test_deaf_to_sigterm() -> None:
    """A program that ignores the polite signal is ended by force."""
    async with small_sign_in("--stay", "--deaf", behaviour=Behaviour(stays=True)) as sign_in:
        result = await sign_in.end()
        processes = sign_in.process.descendants

    assert result.status is None
    assert processes.alive() == []


async def test_child_left_behind() -> None:
    """A child in a session of its own is found by its environment, counted, and ended."""
    async with small_sign_in("--child") as sign_in:
        result = await sign_in.end()
        processes = sign_in.process.descendants

    assert (result.status, result.succeeded, result.left_behind) == (0, True, 1)
    assert processes.alive() == []


async def test_daemon() -> None:
    """A program that goes on in the background is waited for."""
    result = await signed_in("--daemon")

    assert (result.status, result.succeeded, result.left_behind) == (0, True, 0)


async def test_ports_of_a_closed_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that forbids core dumps does not show an ordinary user its ports; it listens all the same."""

    def closed(process: psutil.Process, kind: str) -> None:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "net_connections", closed)
    result = await signed_in()

    assert result.listened_first is True


async def test_odd_starts() -> None:
    """A program may put a folder, a dead link or a pipe where its browser is noted: none is waited for."""
    result = await signed_in("--odd-starts")

    assert (result.status, result.succeeded) == (0, True)


async def test_thousands_of_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may be one of the program's own pages; its ports are looked at once for all of them."""
    monkeypatch.setattr(interaction, "LOCAL_SECONDS", 0.0)
    begun = time.process_time()
    async with small_sign_in(
        "--links", "1000", "--opener", "none", behaviour=Behaviour(seconds=1.5)
    ) as sign_in:
        result = await sign_in.end()

    assert len(result.seen.links) == 1000
    assert time.process_time() - begun < 3.0


async def test_flood_of_output() -> None:
    """The program never waits for its reader, and what is kept of its output is bounded."""
    result = await signed_in("--flood", "8")

    assert result.succeeded
    assert len(result.seen.stdout) < 1_000_000
    assert result.seen.stdout.rstrip().endswith("signed in")


async def test_binary_output() -> None:
    """What is not text is replaced."""
    result = await signed_in("--binary")

    assert result.succeeded
    assert "\ufffd" in result.seen.stdout


async def test_page_that_is_no_html() -> None:
    """What a program writes into its page ends no audit."""
    assert (await signed_in("--page", "<![foo[bar]]><form")).succeeded


async def test_page_without_end() -> None:
    """Of a large page the beginning is read."""
    result = await signed_in("--page", "x" * 1000, "--pages", "9000")

    assert result.page is not None
    assert len(result.page.body) == LARGEST_PAGE


async def test_files() -> None:
    """What it writes is seen with its mode, wherever below its home that is."""
    result = await signed_in("--write", "~/.config/tokens.json")

    (written,) = result.seen.files
    assert (written.path, written.mode) == (".config/tokens.json", 0o644)
    assert result.tokens["access_token"] in json.loads(written.content).values()


async def test_environment() -> None:
    """Nothing of the user's environment is handed on but what a program needs to start."""
    setup = ProgramSetup(recipe("--environment"), {**os.environ, "MY_TOKEN": "of-the-user"})
    async with small_sign_in(setup=setup) as sign_in:
        result = await sign_in.end()

    given = json.loads(result.seen.stdout.splitlines()[0])
    assert result.succeeded
    assert "MY_TOKEN" not in given
    assert given["HOME"] != os.environ.get("HOME")
    assert not exists(given["HOME"])


async def test_kept_variables() -> None:
    """A variable of the user is handed on when it is named, and is a secret then."""
    setup = ProgramSetup(
        recipe("--environment"), {**os.environ, "MY_TOKEN": "of-the-user"}, kept=("MY_TOKEN",)
    )
    async with small_sign_in(setup=setup) as sign_in:
        result = await sign_in.end()

    assert json.loads(result.seen.stdout.splitlines()[0])["MY_TOKEN"] == "of-the-user"
    assert "of-the-user" not in setup.redactor.text(result.seen.stdout)


async def test_terminal() -> None:
    """A program that wants a terminal gets one, with one that it can ask a password on."""
    behaviour = Behaviour(terminal=True)
    result = await signed_in("--terminal", "--password", behaviour=behaviour, input_text="hidden\n")

    assert result.succeeded
    assert "hidden" not in result.seen.stdout


async def test_enter_is_pressed() -> None:
    """A question that waits for Enter gets it."""
    result = await signed_in("--terminal", "--ask", behaviour=Behaviour(terminal=True))

    assert result.succeeded


async def test_typed_without_a_terminal() -> None:
    """What is typed comes through a pipe where there is no terminal."""
    assert (await signed_in("--ask", input_text="\n")).succeeded


async def test_fixed_port_again() -> None:
    """A program with a port of its own can be run again at once."""
    first = await signed_in("--port", "0")
    port = first.request["redirect_uri"].rpartition(":")[2].partition("/")[0]
    second, third = await signed_in("--port", port), await signed_in("--port", port)

    assert (second.succeeded, third.succeeded) == (True, True)


async def test_abandoned() -> None:
    """The tab is closed and Ctrl-C pressed: the program ends by it."""
    async with small_sign_in() as sign_in:
        await sign_in.until("link")
        result = await sign_in.abandon(0.2, 5.0)

    assert (result.succeeded, result.requests) == (False, ())
    assert result.status not in (None, 0)


async def test_nothing_is_left() -> None:
    """No process and no folder: whatever the program does."""
    async with small_sign_in("--child", "--stay", "--deaf") as sign_in:
        await sign_in.until("link")
        processes = sign_in.process.descendants
        count, folder = len(processes.alive()), processes.alive()[0].cwd()
        assert exists(folder)

    assert count == 2
    assert processes.alive() == []
    assert not exists(folder)


def exists(path: str) -> bool:
    """Look for a folder."""
    return Path(path).exists()


async def test_last_words_of_a_program_are_read(tmp_path: Path) -> None:
    """It ends at once, and the loop has not had its turn since: what it said is why it failed."""
    process = Process(("sh", "-c", "echo refused"), {"PATH": os.environ["PATH"]}, tmp_path)
    try:
        until = time.monotonic() + SOON
        while process.status() is None and time.monotonic() < until:
            pass
        before = process.stdout.text
        process.catch_up()
        after = process.stdout.text
    finally:
        await process.leave()

    assert (before, after) == ("", "refused\n")
