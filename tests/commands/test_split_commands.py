"""`start`, `finish`, `cancel`, and what `status` says of them: for agents, scripts and the people behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest
from command_line import TYPED, CommandLine

from commands.people import (
    CONFIDENTIAL,
    RecordingServer,
    client_flags,
    in_terminal,
    keep,
    kept_in,
    store,
)
from commands.split_people import began, fed, pending_files, started, ticket_flags, within
from loopback_auth import words
from loopback_auth.cli import run
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import demo_thread, factory
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import StoreError
from loopback_auth.flow_table import TWO_STEP, TwoStepFlow
from loopback_auth.store.pending_sign_in import Ended as Outcome
from loopback_auth.store.pending_sign_in import PendingSignIn
from loopback_auth.words import Words

posix = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and modes of POSIX")


def _kept(command_line: CommandLine) -> str:
    """Return all that is kept, as one text."""
    return "".join(path.read_text() for path in kept_in(command_line).rglob("*.*") if path.is_file())


def _tokens(command_line: CommandLine) -> set[str]:
    """Return the tokens that are kept."""
    sign_ins = [store(command_line).load(name) for name in store(command_line).names()]
    tokens = [one.tokens for one in sign_ins if one is not None]
    return {text for one in tokens for text in (one.access_token, one.refresh_token) if text}


# start


@pytest.mark.slow
@pytest.mark.parametrize("flow", TWO_STEP)
def test_start_tells_where_to_approve_and_exits(
    flow: str, command_line: CommandLine, server: RecordingServer
) -> None:
    """An agent hands the link to its person, and comes back with the command."""
    ended = command_line.run("start", *ticket_flags(server.issuer), "--flow", flow, "--json")
    shown = ended.json
    optional = {"ticket": set(), "device": {"user_code", "verification_uri"}, "paste": {"redirect_uri"}}

    assert (ended.status, ended.stderr) == (0, "")
    assert shown["flow"] == flow
    assert str(shown["url"]).startswith(f"{server.issuer}/")
    how = " --url -" if flow == "paste" else " --yes"
    assert str(shown["finish"]).endswith(f"{TYPED} finish {shown['handle']}{how}")
    assert 250 < cast("int", shown["expires_in"]) <= 600
    assert shown.keys() - optional[flow] == {
        *("handle", "name", "provider", "flow", "url"),
        *("expires_at", "expires_in", "interval", "finish", "how"),
    }


def test_start_shows_people_the_link_and_the_code(command_line: CommandLine, server: RecordingServer) -> None:
    """And until when they are good, and what to run then."""
    ended = command_line.run("start", *client_flags(server.issuer), "--flow", "device")
    (link,) = re.findall(r"^  (http://\S+user_code=(\S+))$", ended.stderr, re.M)

    assert (ended.status, ended.stdout) == (0, "")
    assert f"\n  {link[1]}\n" in ended.stderr
    assert f"\n  {server.issuer}/device\n" in ended.stderr
    assert "Valid until 20" in ended.stderr
    assert re.search(rf"^  \S*{TYPED} finish [a-z0-9.-]+-[0-9a-f]{{6}}$", ended.stderr, re.M)


def test_start_explains_what_to_paste(command_line: CommandLine, server: RecordingServer) -> None:
    """A browser that fails looks like a mistake."""
    ended = command_line.run("start", *client_flags(server.issuer), "--flow", "code")

    assert Words.PASTE_EXPECT in ended.stderr
    assert re.search(r"^  http://127\.0\.0\.1:\d+/callback\?\.\.\.$", ended.stderr, re.M)
    assert re.search(r"finish \S+ --url -$", ended.stderr, re.M)


class WithoutDevices(RecordingServer):
    """A server that has no device authorization endpoint."""

    def metadata(self) -> dict[str, object]:
        """Leave it out."""
        return {name: value for name, value in super().metadata().items() if "device" not in name}


@pytest.fixture(scope="module")
def plain_server() -> Iterator[DemoServer]:
    """A server of the commonest kind."""
    with demo_thread(server_factory=WithoutDevices) as demo:
        yield demo.server


@pytest.mark.slow
def test_start_takes_the_first_flow_that_the_server_offers(
    command_line: CommandLine, server: RecordingServer, plain_server: DemoServer
) -> None:
    """A ticket before a device code, and an address to paste only when there is neither."""
    declared = ("--authorization-endpoint", f"{server.issuer}/a", "--token-endpoint", f"{server.issuer}/t")
    client = ("--client-id", CLIENT_ID)
    chosen = [
        command_line.run("start", *flags, *client, "--json").json["flow"]
        for flags in (
            ticket_flags(server.issuer),
            ("--issuer", server.issuer),
            ("--issuer", plain_server.issuer),
            declared,
            (*ticket_flags(server.issuer), "--allowed-flows", "paste"),
        )
    ]

    assert chosen == ["ticket", "device", "paste", "paste", "paste"]


def test_start_goes_on_to_the_next_flow_when_the_vendor_has_no_tickets(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """An npm registry of one's own may not know them."""
    flags = (*client_flags(server.issuer), "--ticket", "npm", "--ticket-base", f"{server.issuer}/nowhere")
    ended = command_line.run("start", *flags, "--json")

    assert ended.json["flow"] == "device"


REFUSED = [
    ((), 2, f"{TYPED} demo"),
    (
        ("google", "--client-id", "x", "--flow", "device", "--allowed-flows", "code"),
        2,
        "flag --allowed-flows",
    ),
    (("github",), 2, "--client-id"),
    (("github", "--client-id", "x", "--flow", "code"), 2, "LOOPBACK_AUTH_CLIENT_SECRET"),
    (("github", "--client-id", "x", "--flow", "token"), 2, "Choose one of ticket, device, paste"),
    (("google", "--client-id", "x", "--allowed-flows", "code"), 2, "Choose one of"),
    (("gitlab", "--client-id", "x", "--flow", "ticket"), 2, "does not sign in by ticket"),
    (("--issuer", "http://127.0.0.1:1", "--client-id", "x"), 6, "Start the server"),
    (("--client-id", "x"), 2, "--issuer"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "status", "text"), REFUSED)
def test_start_that_cannot_work_says_what_to_do_and_keeps_nothing(
    arguments: tuple[str, ...], status: int, text: str, command_line: CommandLine
) -> None:
    """Nobody is to be sent to a server for nothing."""
    ended = command_line.run("start", *arguments)

    assert ended.status == status
    assert text in ended.complaint
    assert pending_files(command_line) == []


def test_start_does_not_sign_in_over_another_client(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Its tokens would be gone without a word, and unrevoked."""
    keep(command_line, "taken")
    config = command_line.home / "config.toml"
    config.write_text(f'[providers.taken]\nissuer = "{server.issuer}"\nclient_id = "abc"\n')
    ended = command_line.run("start", "taken", LOOPBACK_AUTH_CONFIG_DIR=str(command_line.home))

    assert ended.status == 2
    assert "logout taken" in ended.complaint


# finish


@pytest.mark.slow
@pytest.mark.parametrize("flow", TWO_STEP)
def test_finish_keeps_the_tokens_and_forgets_the_rest(
    flow: TwoStepFlow, command_line: CommandLine, server: RecordingServer
) -> None:
    """Then `token` prints one, as after any other sign-in."""
    begun = began(command_line, server, flow)
    address = begun.visit()
    begun.pass_time()
    more = ("--url", address) if address else ("--yes",)
    ended = command_line.run("finish", *more, "--json")
    again = command_line.run("finish", begun.handle, "--json")

    assert (ended.status, ended.stderr) == (0, "")
    assert (ended.json["status"], ended.json["name"]) == ("done", "work")
    assert {"access_token", "id_token"}.isdisjoint(ended.json)
    assert pending_files(command_line) == [f"{begun.handle}.ended"]
    assert (again.status, again.json) == (0, ended.json)
    assert store(command_line).names() == ("work",)


@pytest.mark.slow
def test_finish_tells_people_who_is_signed_in(command_line: CommandLine, server: RecordingServer) -> None:
    """As login does."""
    begun = began(command_line, server, "ticket")
    begun.visit()
    begun.pass_time()
    ended = command_line.run("finish", begun.handle, "--yes")

    assert (ended.status, ended.stdout) == (0, "")
    assert ended.stderr.startswith(words.SIGNED_IN_AS.format(name="work", account="demo@example.com"))
    assert ended.stderr.endswith(f"{TYPED} token work\n")


@pytest.mark.slow
@pytest.mark.parametrize("flow", ["ticket", "device"])
def test_finish_says_when_to_ask_again(
    flow: TwoStepFlow, command_line: CommandLine, server: RecordingServer
) -> None:
    """By an exit status of its own, and in seconds."""
    begun = began(command_line, server, flow)
    ended = command_line.run("finish", "--yes", "--json")

    assert (ended.status, ended.stderr) == (10, "")
    assert ended.json["status"] == "pending"
    assert ended.json["handle"] == begun.handle
    assert ended.json["expires_at"] == begun.handed.expires_at
    assert ended.json["retry_after"] in (1, 2, 3, 4, 5)
    assert f"{begun.handle} --yes --wait 60" in str(ended.json["hint"])


def test_pending_is_no_error_to_people(command_line: CommandLine, server: RecordingServer) -> None:
    """Nothing has gone wrong."""
    began(command_line, server, "paste")
    ended = command_line.run("finish")

    assert (ended.status, ended.stdout) == (10, "")
    assert "error:" not in ended.stderr
    assert "--url -" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("flow", ["ticket", "device"])
def test_without_a_terminal_somebody_has_to_answer_for_the_account(
    flow: TwoStepFlow, command_line: CommandLine, server: RecordingServer
) -> None:
    """Whoever sent the link may be another one than who approved (RFC 6749 §10.16); it is said beforehand."""
    begun = began(command_line, server, flow)
    begun.visit()
    begun.pass_time()
    server.requests.clear()
    ended = command_line.run("finish")

    assert ended.status == 2
    assert "--yes" in ended.complaint
    assert server.requests == []
    assert isinstance(begun.pendings.load(begun.handle), PendingSignIn)


@pytest.mark.slow
@posix
@pytest.mark.parametrize(("answer", "status", "kept"), [("y\n", 0, ("work",)), ("\n", 130, ())])
def test_at_a_terminal_the_account_is_shown_and_asked_about(
    answer: str, status: int, kept: tuple[str, ...], command_line: CommandLine, server: RecordingServer
) -> None:
    """Unwanted, it is not kept, and neither is the sign-in."""
    begun = began(command_line, server, "ticket")
    begun.visit()
    begun.pass_time()
    with in_terminal(command_line, "finish") as screen:
        screen.wait_for("[y/N] ")
        screen.type(answer)
        ended = screen.end()

    assert Words.CONFIRM_ACCOUNT.format(account="demo@example.com") in screen.shown
    assert ended == status
    assert store(command_line).names() == kept
    assert isinstance(begun.pendings.load(begun.handle), Outcome)


@posix
def test_at_a_terminal_the_address_is_asked_for(command_line: CommandLine, server: RecordingServer) -> None:
    """And not shown, and asked for again after a wrong one."""
    begun = began(command_line, server, "paste")
    address = begun.visit()
    with in_terminal(command_line, "finish") as screen:
        screen.wait_for("Enter: ")
        screen.type("http://127.0.0.1:1/other?code=x&state=y\r")
        before = screen.wait_for("not the address of this sign-in")
        screen.shown = before.rpartition("not the address")[2]
        screen.wait_for("Enter: ")
        screen.type(f"{address}\r")
        status = screen.end()

    assert status == 0
    assert address.partition("?")[2] not in before + screen.shown


@pytest.mark.slow
@posix
def test_giving_up_for_now_keeps_it(command_line: CommandLine, server: RecordingServer) -> None:
    """Ctrl-C ends the waiting, not the sign-in."""
    begun = began(command_line, server, "device")
    with command_line.start("finish", "--yes", "--wait", "60") as running:
        running.line("Waiting for the approval")
        running.give_up()
        ended = running.end()

    assert ended.status == 130
    assert f"finish {begun.handle}" in ended.stderr
    assert "Traceback" not in ended.stderr
    begun.visit()
    begun.pass_time()
    # It may have been ended between a question and the note of when that was asked: then it is asked later.
    if command_line.run("finish", "--yes").status == 10:
        begun.pass_time()
        assert command_line.run("finish", "--yes").status == 0


@pytest.mark.slow
def test_waiting_lasts_until_the_approval(command_line: CommandLine, server: RecordingServer) -> None:
    """A ticket is asked about every second at first."""
    begun = began(command_line, server, "ticket")
    with command_line.start("finish", "--yes", "--wait", "60") as running:
        running.line("Waiting for the approval")
        begun.visit()
        ended = running.end()

    assert ended.status == 0
    assert words.SIGNED_IN.format(name="work").rstrip(".") in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("flow", TWO_STEP)
def test_a_denial_is_told_and_the_sign_in_forgotten(
    flow: TwoStepFlow, command_line: CommandLine, server: RecordingServer
) -> None:
    """Who asks once more is told what happened, and nothing is sent."""
    begun = began(command_line, server, flow)
    address = begun.visit("deny")
    begun.pass_time()
    more = ("--url", address) if address else ("--yes",)
    ended = command_line.run("finish", *more)
    server.requests.clear()
    again = command_line.run("finish", begun.handle, "--json")

    assert ended.status == 4
    assert f"{TYPED} start" in ended.complaint
    assert pending_files(command_line) == [f"{begun.handle}.ended"]
    assert (again.status, again.json["error"]) == (4, "OAuthError")
    assert ended.stderr.removeprefix("error: ").partition("\n")[0] in str(again.json["message"])
    assert server.requests == []


@pytest.mark.slow
@pytest.mark.parametrize("swept", [False, True])
def test_too_late_is_told_by_its_own_status(
    swept: bool, command_line: CommandLine, server: RecordingServer
) -> None:
    """Whether or not somebody else has met the file before; nothing is sent, and no question asked."""
    begun = began(command_line, server, "device")
    begun.pass_time(600)
    server.requests.clear()
    if swept:
        command_line.run("status")
    ended = [command_line.run("finish", begun.handle) for _ in range(2)]

    assert [one.status for one in ended] == [7, 7]
    assert all(f"{TYPED} start" in one.complaint for one in ended)
    assert server.requests == []
    assert pending_files(command_line) == [f"{begun.handle}.ended"]


@pytest.mark.slow
def test_too_late_is_the_same_when_the_server_notices_first(command_line: CommandLine) -> None:
    """Its clock is the one that counts (RFC 8628 §3.5), and nobody has said no."""
    with demo_thread(server_factory=factory(faults=Faults(expires_early=0.0))) as demo:
        command_line.run("start", *client_flags(demo.issuer), "--flow", "device")
        ended = command_line.run("finish", "--yes", "--json")

    assert (ended.status, ended.json["error"]) == (7, "AttemptExpired")
    assert "expired_token" in str(ended.json["message"])


@pytest.mark.slow
def test_without_a_network_it_is_kept(command_line: CommandLine) -> None:
    """The address was brought, and need not be brought again."""
    with demo_thread(server_factory=RecordingServer) as demo:
        begun = began(command_line, cast("RecordingServer", demo.server), "paste")
        address = begun.visit()
        port = int(demo.issuer.rpartition(":")[2])
    ended = command_line.run("finish", "--url", address)
    with demo_thread(port=port, server_factory=lambda _: begun.server):
        again = command_line.run("finish")

    assert ended.status == 6
    assert again.status == 0


@pytest.mark.slow
def test_a_wrong_address_is_refused_and_the_right_one_still_taken(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """From stdin, where no other user of the machine can read it."""
    begun, other = (began(command_line, server, "paste") for _ in range(2))
    wrong = fed(command_line, other.visit() + "\n", "finish", begun.handle, "--url", "-")
    none = fed(command_line, "", "finish", begun.handle, "--url", "-")
    right = fed(command_line, begun.visit() + "\n", "finish", begun.handle, "--url", "-")

    assert (wrong.status, none.status, right.status) == (2, 3, 0)
    assert "not the address of this sign-in" in wrong.complaint
    assert "still waits" in wrong.complaint
    assert "code=" not in wrong.stderr


@pytest.mark.slow
def test_an_address_is_of_no_use_to_a_ticket(command_line: CommandLine, server: RecordingServer) -> None:
    """No id comes in that this machine did not make."""
    began(command_line, server, "ticket")
    ended = command_line.run("finish", "--yes", "--url", "https://elsewhere.example/?ticket=x")

    assert ended.status == 2
    assert "Leave --url out" in ended.complaint


@pytest.mark.slow
def test_which_sign_in_is_meant_has_to_be_clear(command_line: CommandLine, server: RecordingServer) -> None:
    """With one under way it is that one; with several they are listed."""
    none = command_line.run("finish", "--json")
    begun = [began(command_line, server, "ticket") for _ in range(2)]
    several = command_line.run("finish", "--yes")
    unknown = command_line.run("finish", "work-000000")
    wrong = command_line.run("finish", "../sign-ins/work")

    assert (none.status, none.json["error"]) == (9, "SignInRequired")
    assert (several.status, unknown.status, wrong.status) == (2, 9, 2)
    assert all(one.handle in several.complaint and one.handle in unknown.complaint for one in begun)
    assert "LOOPBACK_AUTH_DATA_DIR" in unknown.complaint


@pytest.mark.parametrize("seconds", ["-1", "4000", "nan", "soon"])
def test_nobody_waits_for_nonsense(seconds: str, command_line: CommandLine) -> None:
    """As everywhere, a slip gets a sentence and a hint."""
    ended = command_line.run("finish", f"--wait={seconds}")

    assert ended.status == 2
    assert ended.complaint


@pytest.mark.slow
def test_the_client_secret_is_found_again_and_never_kept(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """In the environment or the configuration file, where it was; without it the sign-in waits."""
    secret = str(CONFIDENTIAL.client_secret)
    flags = ("--issuer", server.issuer, "--client-id", CONFIDENTIAL.client_id, "--flow", "paste", "--json")
    first = command_line.run("start", *flags, LOOPBACK_AUTH_CLIENT_SECRET=secret)
    begun = started(command_line, first, server)
    address = begun.visit()
    without = command_line.run("finish", "--url", address)
    another = command_line.run(
        "finish", "--url", address, LOOPBACK_AUTH_CLIENT_SECRET=secret, LOOPBACK_AUTH_CLIENT_ID="another"
    )
    kept = _kept(command_line)
    ended = command_line.run("finish", "--url", address, LOOPBACK_AUTH_CLIENT_SECRET=secret)

    assert (first.status, without.status, another.status, ended.status) == (0, 2, 2, 0)
    assert "LOOPBACK_AUTH_CLIENT_SECRET" in without.complaint
    assert secret not in kept + _kept(command_line)
    assert all(secret not in one.stdout + one.stderr for one in (first, without, another, ended))


@pytest.mark.slow
def test_the_client_secret_may_be_in_the_file(command_line: CommandLine, server: RecordingServer) -> None:
    """In the table of the provider that was named."""
    config = command_line.home / "config.toml"
    table = {"issuer": server.issuer, "client_id": CONFIDENTIAL.client_id, "flow": "paste"}
    table["client_secret"] = str(CONFIDENTIAL.client_secret)
    lines = "\n".join(f'{name} = "{value}"' for name, value in table.items())
    config.write_text(f"[providers.Office]\n{lines}\n")
    config.chmod(0o600)
    environment = {"LOOPBACK_AUTH_CONFIG_DIR": str(command_line.home)}
    first = command_line.run("start", "Office", "--json", **environment)
    begun = started(command_line, first, server)
    ended = command_line.run("finish", "--url", begun.visit(), **environment)

    assert (first.status, ended.status) == (0, 0)
    assert store(command_line).names() == ("office",)


@pytest.mark.slow
def test_two_at_once_finish_it_once(command_line: CommandLine, server: RecordingServer) -> None:
    """The second waits, and shows what the first has kept."""
    begun = began(command_line, server, "ticket")
    begun.visit()
    begun.pass_time()
    before = server.log["POST", "/netlify/api/v1/oauth/tickets/{id}/exchange"]
    arguments = ("finish", begun.handle, "--yes", "--json")
    with command_line.start(*arguments) as one, command_line.start(*arguments) as other:
        ended = [one.end(), other.end()]

    assert [each.status for each in ended] == [0, 0]
    assert ended[0].json == ended[1].json
    assert server.log["POST", "/netlify/api/v1/oauth/tickets/{id}/exchange"] == before + 1


AT_THE_LOCK = """
import os
def hook(event, details):
    if event == "open" and str(details[0]).endswith(".json.lock"):
        os.write(2, b"at the lock\\n")
"""


def test_whoever_waited_for_another_is_told_what_came_of_it(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """It was denied meanwhile."""
    begun = began(command_line, server, "ticket")
    with within(command_line, AT_THE_LOCK, "finish", "--yes", "--json") as running:
        with begun.pendings.lock(begun.handle, 0):
            running.line("at the lock")
            begun.pendings.end(Outcome(begun.handle, "work", "refused", "It was denied."))
        ended = running.end()

    assert ended.status == 4
    assert "It was denied." in str(ended.json["message"])


@pytest.mark.slow
def test_an_answer_that_broke_a_rule_is_no_refusal(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Who asks once more has to begin again, and nobody has said no."""
    begun = began(command_line, server, "paste")
    visited = begun.visit()
    address = visited.replace(quote(server.issuer, safe=""), quote("https://evil.example", safe=""))
    ended = command_line.run("finish", "--url", address)
    again = command_line.run("finish", begun.handle)

    assert address != visited
    assert (ended.status, again.status) == (5, 9)


def test_a_sign_in_that_was_given_up_since_is_not_shown(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """It was finished, and then somebody signed out."""
    begun = began(command_line, server, "ticket")
    begun.pendings.end(Outcome(begun.handle, "work", "signed in", "It is not kept any more."))
    ended = command_line.run("finish", begun.handle)

    assert ended.status == 9
    assert "not kept any more" in ended.complaint


@pytest.mark.slow
def test_no_output_and_no_readable_file_holds_a_secret(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Searched for by value; the link is what the person opens, and all that is shown."""
    outputs, kept = "", set()
    for flow in TWO_STEP:
        flags = ("start", *ticket_flags(server.issuer), "--flow", flow)
        first = command_line.run(*flags, "--json")
        begun = started(command_line, first, server)
        outputs += json.dumps(first.json | {"url": "", "user_code": ""})
        outputs += command_line.run("finish", "--yes").stderr if flow != "paste" else ""
        outputs += command_line.run("status", "--json").stdout
        address = begun.visit()
        begun.pass_time()
        more = ("--url", address) if address else ("--yes",)
        ended = command_line.run("finish", *more)
        outputs += ended.stdout + ended.stderr
        kept |= {begun.handed.attempt.code_verifier, begun.handed.attempt.state, begun.handed.attempt.nonce}
        kept |= _tokens(command_line)
    secrets = {value for name in ("code", "code_verifier", "device_code") for value in server.sent(name)}

    assert len(secrets) >= 3
    assert [secret for secret in secrets | kept if secret in outputs] == []


@pytest.mark.slow
@posix
def test_a_full_disk_at_the_end_loses_nothing(command_line: CommandLine, server: RecordingServer) -> None:
    """It is noticed before anything is sent."""
    begun = began(command_line, server, "ticket")
    begun.visit()
    begun.pass_time()
    environment = command_line.environment({})
    ended = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'ulimit -f 8; exec "$@"',
            "sh",
            sys.executable,
            "-B",
            "-m",
            "loopback_auth",
            "finish",
            "--yes",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in environment.items() if not name.startswith("COVERAGE_")},
    )

    assert ended.returncode == 8
    assert command_line.run("finish", "--yes").status == 0


def test_signatures_are_checked_as_was_promised(
    command_line: CommandLine,
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The extra was there at the start, and is missing now: that is no reason to check less."""
    begun = began(command_line, server, "paste")
    begun.pendings.save(replace(begun.handed, verify_signature=True))
    for name, value in command_line.environment({}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("loopback_auth.commands.finish.can_verify_signatures", lambda: False)

    assert run(["finish", "--url", begun.visit()]) == 2
    assert "loopback-auth[oidc]" in capsys.readouterr().err


# cancel


def test_cancel_forgets_it_and_says_what_becomes_of_it(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Servers offer no way to give a ticket back."""
    begun = began(command_line, server, "ticket")
    ended = command_line.run("cancel")
    after = command_line.run("finish", begun.handle)

    assert (ended.status, ended.stdout) == (0, "")
    assert "expires by itself" in ended.stderr
    assert after.status == 9
    assert "cancelled" in after.complaint
    assert begun.handed.url not in _kept(command_line)


@pytest.mark.slow
def test_cancel_forgets_all_and_what_is_damaged_too(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """As `finish` advises for a damaged file."""
    begun = [began(command_line, server, "ticket") for _ in range(2)]
    Path(begun[0].pendings.path(begun[0].handle)).write_text("{")
    damaged = command_line.run("finish", begun[0].handle, "--yes")
    ended = command_line.run("cancel", "--all", "--json")
    none = command_line.run("cancel", "--all", "--json")
    again = command_line.run("cancel", begun[0].handle)

    assert damaged.status == 8
    assert f"cancel {begun[0].handle}" in damaged.complaint
    assert [one["status"] for one in json.loads(ended.stdout)] == ["cancelled"] * 2
    assert (none.status, json.loads(none.stdout)) == (0, [])
    assert (again.status, command_line.run("cancel").status) == (9, 9)


def test_cancel_does_not_take_it_from_whoever_is_at_it(
    command_line: CommandLine, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens may be on their way."""
    monkeypatch.setattr("loopback_auth.commands.cancel.LOCK_SECONDS", 0.0)
    for name, value in command_line.environment({}).items():
        monkeypatch.setenv(name, value)
    begun = began(command_line, server, "ticket")
    with begun.pendings.lock(begun.handle, 0):
        busy = [run(["cancel", *more]) for more in ((), ("--all",))]

    assert busy == [StoreError.exit_code] * 2
    assert isinstance(begun.pendings.load(begun.handle), PendingSignIn)


# status


def test_status_lists_what_is_under_way(command_line: CommandLine, server: RecordingServer) -> None:
    """Beside the sign-ins, and without the link."""
    begun = began(command_line, server, "ticket")
    alone = command_line.run("status")
    keep(command_line, "one")
    both = command_line.run("status")
    shown = json.loads(command_line.run("status", "--json").stdout)

    assert (alone.status, both.status) == (10, 0)
    assert re.search(rf"^{begun.handle}  ticket  20.*finish {begun.handle}$", alone.stdout, re.M)
    assert both.stdout.endswith(alone.stdout)
    assert [one.get("pending", False) for one in shown] == [False, True]
    assert shown[1]["handle"] == begun.handle
    assert begun.handed.url not in both.stdout + json.dumps(shown)


def test_status_of_one_shows_it_as_start_did(command_line: CommandLine, server: RecordingServer) -> None:
    """For whoever has lost the link."""
    begun = began(command_line, server, "device")
    ended = command_line.run("status", begun.handle)
    (shown,) = json.loads(command_line.run("status", begun.handle, "--json").stdout)

    assert ended.status == 10
    assert begun.handed.url in ended.stderr
    assert (shown["pending"], shown["url"], shown["user_code"]) == (
        *(True, begun.handed.url, begun.handed.user_code),
    )


@pytest.mark.slow
def test_status_of_one_that_is_finished_shows_the_sign_in(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Or says what came of it."""
    begun, other = (began(command_line, server, "ticket") for _ in range(2))
    begun.visit()
    begun.pass_time()
    command_line.run("finish", begun.handle, "--yes")
    command_line.run("cancel", other.handle)
    finished, cancelled = (command_line.run("status", one.handle) for one in (begun, other))

    assert finished.status == 0
    assert "\nwork  demo@example.com  " in finished.stdout
    assert (cancelled.status, command_line.run("status", "work-000000").status) == (9, 9)


def test_status_names_a_damaged_file_and_shows_the_others(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Nothing else is lost with it."""
    begun, other = (began(command_line, server, "ticket") for _ in range(2))
    damaged = Path(begun.pendings.path(begun.handle))
    damaged.write_text("{")
    ended = command_line.run("status")

    assert ended.status == 8
    assert str(damaged) in ended.complaint
    assert other.handle in ended.stdout
