"""`explain`: a flow step by step, and what a recording shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CommandLine

from commands.people import in_terminal
from loopback_auth.commands.explain import PROMPT
from loopback_auth.compare.drawing.har import har
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.explain.story_templates import NOTES, QUESTIONS
from loopback_auth.flow_table import NAMES
from loopback_auth.testing import serve

TOKEN = "token-canary-0123456789abcdef"
RECORDING = {
    "log": {
        "version": "1.2",
        "creator": {"name": "Firefox", "version": "140.0"},
        "entries": [
            {
                "startedDateTime": "2026-11-23T10:00:00.000+01:00",
                "time": 20,
                "request": {
                    "method": "GET",
                    "url": f"http://localhost:8888/#access_token={TOKEN}&state={TOKEN}-state",
                    "headers": [{"name": "Sec-Fetch-Mode", "value": "navigate"}],
                },
                "response": {"status": 200, "headers": [], "content": {}, "redirectURL": ""},
            }
        ],
    }
}


def test_flows_are_listed_by_a_sentence_each(command_line: CommandLine) -> None:
    """Users need the names first."""
    ended = command_line.run("explain")
    listed = command_line.run("explain", "--json")
    flows = [one["flow"] for one in json.loads(listed.stdout)]

    assert (ended.status, listed.stderr) == (0, "")
    assert "explain ticket netlify" in ended.stderr
    assert [line.partition("  ")[0] for line in ended.stdout.splitlines()] == flows
    assert set(NAMES) <= set(flows)


def test_mcp_is_the_flow_that_begins_at_a_resource(command_line: CommandLine) -> None:
    """People know the protocol, and not what we call the flow."""
    assert command_line.run("explain", "mcp").stdout == command_line.run("explain", "resource").stdout


def test_resource_is_asked_and_its_sign_in_explained(command_line: CommandLine) -> None:
    """With the addresses that it has given; nothing is registered there."""
    with serve() as server:
        ended = command_line.run("explain", "mcp", f"{server.issuer}/mcp")
        registered, asked = server.requests("register"), server.requests()

    assert (ended.status, ended.stderr) == (0, "")
    assert f"POST {server.issuer}/register" in ended.stdout
    assert "as.example" not in ended.stdout
    assert (registered, asked) == (0, 3)


def test_what_is_no_resource_is_said_to_be_none(command_line: CommandLine) -> None:
    """A spelling mistake must not be explained as if it were a server."""
    with serve() as server:
        ended = command_line.run("explain", "mcp", f"{server.issuer}/no-such-thing")

    assert ended.status != 0
    assert "RFC 9728" in ended.stderr


def test_ticket_at_netlify_is_explained(command_line: CommandLine) -> None:
    """With the requests in order, their addresses, and answers to what people ask."""
    ended = command_line.run("explain", "ticket", "netlify")
    calls = [
        line.strip()
        for line in ended.stdout.splitlines()
        if line.strip().startswith(("POST http", "GET http"))
    ]

    assert (ended.status, ended.stderr) == (0, "")
    assert calls[0] == "POST https://api.netlify.com/api/v1/oauth/tickets"
    assert calls[-1] == "POST https://api.netlify.com/api/v1/oauth/tickets/<ticket#1>/exchange"
    heads = [QUESTIONS["no_redirect_uri"], f"\n    {calls[0]}\n", "curl -K-"]
    assert sorted(heads, key=ended.stdout.index) == heads
    assert NOTES["client_id"] in ended.stdout


def test_without_a_provider_it_is_the_demonstration(command_line: CommandLine) -> None:
    """Even if the file or a variable names a default provider."""
    ended = command_line.run("explain", "code", LOOPBACK_AUTH_PROVIDER="github")

    assert NOTES["demo"] in ended.stdout
    assert "github" not in ended.stdout


def test_vendor_of_tickets_is_explained_by_its_contract(command_line: CommandLine) -> None:
    """A vendor does not need to be a provider for that."""
    ended = command_line.run("explain", "ticket", "--ticket", "heroku")

    assert ended.stdout.startswith("ticket at heroku")
    assert "POST https://cli-auth.heroku.com/auth" in ended.stdout
    assert "as.example" not in ended.stdout


def test_flow_at_an_address_is_explained_with_it_as_the_issuer(command_line: CommandLine) -> None:
    """It was rehearsed as a resource, and said to have answered with status 421, though nothing was sent."""
    ended = command_line.run("explain", "code", "https://id.invalid", "--client-id", "my-tool")
    named = command_line.run("explain", "code", "--issuer", "https://id.invalid", "--client-id", "my-tool")

    assert (ended.status, ended.stdout) == (0, named.stdout)
    assert "https://id.invalid" in ended.stdout


def test_own_client_is_explained_with_its_own_values(command_line: CommandLine) -> None:
    """Its secret is shown as a label, as every secret is."""
    ended = command_line.run(
        "explain",
        "code",
        "--issuer",
        "https://id.example",
        "--client-id",
        "mine",
        "--client-auth",
        "post",
        "--scope",
        "one two",
        LOOPBACK_AUTH_CLIENT_SECRET="hunter2-hunter2",
    )

    assert ended.status == 0
    assert "client_id = mine" in ended.stdout
    assert "scope = one two" in ended.stdout
    assert "client_secret = <client_secret#1>" in ended.stdout
    assert "hunter2" not in ended.stdout


def test_json_has_the_parts_of_the_explanation(command_line: CommandLine) -> None:
    """Programs depend on the names of the members."""
    story = command_line.run("explain", "token", "--json").json

    assert list(story) == [
        "flow",
        "title",
        "summary",
        "source",
        "notes",
        "scenes",
        "answers",
        "fates",
        "findings",
        "by_hand",
        "kind",
        "short",
    ]
    assert story["flow"] == "token"


REFUSED = [
    (["magic"], 2, "'magic'", "code form_post"),
    (["tikcet"], 2, "'tikcet'", "ticket?"),
    (["netlify"], 2, "netlify", "explain code netlify"),
    (["netlify", "ticket"], 2, "netlify", "explain ticket netlify"),
    (["tickets", "netlify"], 2, "'tickets'", "ticket?"),
    (["ticket", "github"], 2, "github", "--ticket"),
    (["device", "netlify"], 3, "device authorization endpoint", "flow"),
    (["code", "githb"], 2, "'githb'", "github?"),
    (["code", "--har", "x.har"], 2, "recording", "WHAT"),
    (["code", "eyJhbGciOiJub25lIn0"], 2, "provider", "Known names"),
    (["invalid_grant", "gogle"], 2, "'gogle'", "google?"),
    (["https://as.example/?code=1", "github"], 2, "differ by provider", "PROVIDER"),
    (["ghp_0123456789abcdefghij"], 2, "not a flow", "opaque token"),
    (["http://[broken/?code=1"], 2, "cannot be read", "address bar"),
    (["x" * 100], 2, "not a flow", "opaque token"),
    (["missing.txt"], 2, "missing.txt", "HAR"),
    (["--har", "missing.har"], 2, "missing.har", "HAR"),
    (["--har", "."], 2, "'.'", "HAR"),
    (["--har", __file__], 2, "JSON", "HAR"),
    (["-o", "x.html"], 2, "nothing to write", "Name"),
    (["/dev/null"], 2, "empty", "link"),
    (["code", "--resource-server", "https://api.invalid/"], 2, "no effect", "explain mcp"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "status", "message", "hint"), REFUSED)
def test_what_cannot_be_explained_is_refused(
    command_line: CommandLine, arguments: list[str], status: int, message: str, hint: str
) -> None:
    """With one message and one hint."""
    ended = command_line.run("explain", *arguments)

    assert (ended.status, ended.stdout) == (status, "")
    assert message in ended.complaint
    assert hint in ended.complaint


CALLBACK = f"http://127.0.0.1:8400/callback?code={TOKEN}&state={TOKEN}-state"


def told(command_line: CommandLine, *arguments: str, content: str = "") -> subprocess.CompletedProcess[str]:
    """Explain what is passed on the standard input."""
    return subprocess.run(
        [sys.executable, "-m", "loopback_auth", "explain", *arguments],
        input=content,
        capture_output=True,
        text=True,
        check=False,
        env=command_line.environment({}),
    )


def test_link_is_explained_by_its_parameters(command_line: CommandLine) -> None:
    """The status is 0 whatever is wrong with it: nobody asked for a gate."""
    ended = command_line.run("explain", "https://as.example/authorize?client_id=x&response_type=token")

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("authorization request")
    assert "HIGH no-implicit-grant" in ended.stdout


def test_secret_is_taken_from_the_standard_input(command_line: CommandLine) -> None:
    """There the list of processes does not have it, and nothing shows it."""
    for content in (CALLBACK, f"  {CALLBACK}\n", f'{{"error": "invalid_grant", "x": "{TOKEN}"}}'):
        for more in ((), ("--json",)):
            done = told(command_line, "-", *more, content=content)

            assert (done.returncode, done.stderr) == (0, "")
            assert TOKEN not in done.stdout
            assert "secret-in-arguments" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_secret_is_asked_for_at_a_terminal_and_not_shown(command_line: CommandLine) -> None:
    """A terminal hands over 4095 characters of a line at most, and shows what is typed (termios(3))."""
    long = f"{CALLBACK}&id_token={'a' * 8000}.end"
    with in_terminal(command_line, "explain", "-") as screen:
        screen.wait_for(PROMPT.strip())
        screen.type(f"\x1b[200~{long}\x1b[201~\r")

        assert screen.end() == 0
    assert "authorization response" in screen.shown
    assert TOKEN not in screen.shown


def test_link_that_was_typed_shows_no_secret_and_says_where_it_is(command_line: CommandLine) -> None:
    """The history of the shell has it now."""
    for more in ((), ("--json",)):
        ended = command_line.run("explain", CALLBACK, *more)

        assert ended.status == 0
        assert TOKEN not in ended.stdout + ended.stderr
        assert "secret-in-arguments" in ended.stdout


def test_refused_text_is_not_repeated(command_line: CommandLine) -> None:
    """It may be a secret, wherever among the arguments it stands."""
    for arguments in (["explain", TOKEN], ["explain", "code", TOKEN], ["explain", "invalid_grant", TOKEN]):
        ended = command_line.run(*arguments)

        assert ended.status == 2
        assert TOKEN not in ended.stdout + ended.stderr


def test_files_have_no_secret_either(command_line: CommandLine, tmp_path: Path) -> None:
    """A page is passed on more easily than a terminal."""
    page, prose = tmp_path / "link.html", tmp_path / "link.md"
    done = told(command_line, "-", "-o", str(page), "-o", str(prose), content=CALLBACK)

    assert done.returncode == 0
    for file in (page, prose):
        written = file.read_text("utf-8")

        assert TOKEN not in written
        assert "history" in written


def test_error_code_is_explained_for_a_provider(command_line: CommandLine) -> None:
    """As JSON with the same words."""
    ended = command_line.run("explain", "invalid_grant", "google")
    document = command_line.run("explain", "invalid_grant", "google", "--json").json

    assert ended.stdout.startswith("error invalid_grant at Google")
    assert (document["kind"], document["title"]) == ("error", "error invalid_grant at Google")


def test_token_is_read_from_a_file(command_line: CommandLine, tmp_path: Path) -> None:
    """Its signature is not shown, and is said to be unchecked."""
    file = tmp_path / "id.jwt"
    file.write_text(f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkZW1vIn0.{TOKEN}\n")
    ended = command_line.run("explain", str(file))

    assert ended.status == 0
    assert "sub = demo" in ended.stdout
    assert "NOT checked" in ended.stdout
    assert TOKEN not in ended.stdout


def test_recording_may_be_named_without_the_flag(command_line: CommandLine, tmp_path: Path) -> None:
    """What it is can be seen."""
    recording = tmp_path / "recording.har"
    recording.write_text(json.dumps(RECORDING))

    assert (
        command_line.run("explain", str(recording)).stdout
        == command_line.run("explain", "--har", str(recording)).stdout
    )


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"log": 1}', "x" * (1 << 21), "recording.har", "\x00"])
def test_what_is_nothing_of_this_is_refused(command_line: CommandLine, content: str) -> None:
    """From the standard input too."""
    done = told(command_line, "-", content=content)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_recording_is_explained_without_its_secrets(command_line: CommandLine, tmp_path: Path) -> None:
    """With the results of the checks."""
    recording = tmp_path / "recording.har"
    recording.write_text(json.dumps(RECORDING))
    ended = command_line.run("explain", "--har", str(recording))
    document = command_line.run("explain", "--har", str(recording), "--json")

    assert ended.status == 0
    assert TOKEN not in ended.stdout + ended.stderr + document.stdout + document.stderr
    assert "access_token = <access_token#1>" in ended.stdout
    assert "HIGH token-in-fragment" in ended.stdout
    assert document.json["others"] == 0


def test_recording_may_come_from_a_pipe(command_line: CommandLine) -> None:
    """The file may be the output of another program, such as gunzip."""
    done = subprocess.run(
        [sys.executable, "-m", "loopback_auth", "explain", "--har", "-"],
        input=har(compare_simulated(("device",))),
        capture_output=True,
        text=True,
        check=True,
        env=command_line.environment({}),
    )

    assert done.stdout.startswith("device at https://as.example")


def test_recording_without_a_sign_in_says_how_to_record_one(
    command_line: CommandLine, tmp_path: Path
) -> None:
    """Many users forget to keep the log across pages."""
    empty = tmp_path / "empty.har"
    empty.write_text(json.dumps({"log": {**RECORDING["log"], "entries": []}}))
    ended = command_line.run("explain", "--har", str(empty))

    assert ended.status == 2
    assert "Preserve log" in ended.complaint


def test_explanation_is_written_to_files(command_line: CommandLine, tmp_path: Path) -> None:
    """A page to walk through, a text for a code host, a diagram; and nothing on stdout."""
    paths = [tmp_path / f"ticket{suffix}" for suffix in (".html", ".md", ".mmd")]
    ended = command_line.run("explain", "ticket", "netlify", *(f"-o{path}" for path in paths))

    assert (ended.status, ended.stdout) == (0, "")
    assert "api.netlify.com" in paths[0].read_text("utf-8")
    assert paths[1].read_text("utf-8").startswith("# ")
    assert paths[2].read_text("utf-8").startswith("sequenceDiagram")


def test_file_that_cannot_be_written_is_refused_before_anything_is_asked(
    command_line: CommandLine, tmp_path: Path
) -> None:
    """`explain mcp` would have sent requests by then."""
    ended = command_line.run("explain", "mcp", "https://mcp.invalid/mcp", "-o", str(tmp_path / "x.pdf"))

    assert ended.status == 2
    assert "mcp.invalid" not in ended.stderr
