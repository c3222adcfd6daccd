"""A token for a host without reading the settings: the same answers, to the same hosts."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence

import pytest
from helper_home import Home
from helper_home import home as home

from loopback_auth.__main__ import _kept_token
from loopback_auth.cli import run
from loopback_auth.outputs.mcp import SERVER_VARIABLE
from loopback_auth.outputs.plain import PLAIN
from loopback_auth.outputs.table import OUTPUTS
from loopback_auth.records import replace
from loopback_auth.signin.dpop_keys import new_key
from loopback_auth.store import fresh_output
from loopback_auth.store.settings_match import SettingsMatch, read_match

FOR_A_HOST = [row.name for row in OUTPUTS.values() if row.for_a_host]


@pytest.fixture
def there(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a sign-in that was compared with the settings."""
    home.keep("work", "git.example", "r.example:5000")
    home.compare("work")
    monkeypatch.delenv(SERVER_VARIABLE, raising=False)
    return home


def asked(tool: str, host: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the arguments with which a tool asks for the token of a host, and put its question on stdin."""
    question = json.dumps({"uri": host if "://" in host else f"https://{host}/x"}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(question)))
    return ["work", "--as", tool, *([] if tool == "bazel" else ["--host", host])]


def both_ways(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str | None, str]:
    """Return what the quick way says, and what the command does then, with the same stdin."""
    quick = _kept_token(arguments)
    assert capsys.readouterr() == ("", "")
    run(["token", *arguments])
    return quick, capsys.readouterr().out


@pytest.mark.parametrize("host", ["git.example", "https://GIT.example./x", "r.example:5000"])
@pytest.mark.parametrize("tool", FOR_A_HOST)
def test_a_host_of_the_settings_gets_the_same_token_quickly(
    there: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tool: str,
    host: str,
) -> None:
    """But for netrc, which has no port: that has to be said."""
    quick, whole = both_ways(asked(tool, host, monkeypatch), capsys)

    assert there.token("work") in whole or tool == "docker"
    assert quick == (None if (tool, host) == ("netrc", "r.example:5000") else whole)


OTHER_HOSTS = [
    "evil.example",
    "sub.git.example",
    "git.example:5000",
    "http://git.example",
    "https://git.example@evil.example",
    "https://evil.example\\@git.example",
    "git.example\nevil.example",
    "g\u0456t.example",
    "*",
    "",
    "-x",
]


@pytest.mark.parametrize(
    ("tool", "host"),
    # Without a host, an MCP client itself knows its server.
    [(tool, host) for tool in FOR_A_HOST for host in OTHER_HOSTS if (tool, host) != ("mcp", "")],
)
@pytest.mark.usefixtures("there")
def test_another_host_gets_nothing_quickly(monkeypatch: pytest.MonkeyPatch, tool: str, host: str) -> None:
    """A tool's settings may hold for every host."""
    assert _kept_token(asked(tool, host, monkeypatch)) is None


def test_an_mcp_client_names_its_server_in_a_variable(
    there: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of a project may name our command beside the address of another server."""
    monkeypatch.setenv(SERVER_VARIABLE, "https://git.example/mcp")
    quick, whole = both_ways(["work", "--as", "mcp"], capsys)
    monkeypatch.setenv(SERVER_VARIABLE, "https://evil.example/mcp")

    assert quick == whole
    assert there.token("work") in whole
    assert both_ways(["work", "--as", "mcp"], capsys) == (None, "")


@pytest.mark.parametrize("tool", FOR_A_HOST)
def test_a_host_of_a_preset_or_a_resource_counts_too(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tool: str
) -> None:
    """There need be no configuration file."""
    made = home.keep("mcp.example", issuer="https://gitlab.com")
    home.store.save(replace(made, resource_server="https://mcp.example/mcp"))
    home.compare("mcp.example")
    for host in ("gitlab.com", "mcp.example"):
        arguments = ["mcp.example", *asked(tool, host, monkeypatch)[1:]]
        quick, whole = both_ways(arguments, capsys)

        assert quick == whole != ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--as", "netrc", "--host", "git.example"],
        ["work", "--host", "git.example"],
        ["work", "--as", "bazel", "--host", "git.example"],
        ["work", "--host", "git.example", "--as", "netrc"],
        ["work", "--as", "netrc"],
        ["work", "--as", ""],
        ["work", "--host", ""],
        ["work", "--as", "mcp", "--host", ""],
        ["work", "--as", "unknown", "--host", "git.example"],
        *(["work", "--as", tool, "--host", "git.example"] for tool in PLAIN if tool != "mcp"),
    ],
)
@pytest.mark.usefixtures("there")
def test_everything_else_is_left_to_the_command(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """It finds the sign-in by its host, or says what is wrong with the flags."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))

    assert _kept_token(arguments) is None


@pytest.mark.parametrize("tool", FOR_A_HOST)
def test_a_host_that_was_taken_away_gets_nothing(
    there: Home, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """What was noted before is not believed any more."""
    arguments = asked(tool, "git.example", monkeypatch)
    assert _kept_token(arguments)
    config = there.folder / "config.toml"
    config.write_text(config.read_text().replace("git.example", "hit.example"))

    assert _kept_token(arguments) is None


@pytest.mark.parametrize("flaw", ["bound", "due", "blank"])
@pytest.mark.parametrize("tool", FOR_A_HOST)
def test_a_token_that_cannot_be_used_is_left_to_the_command(
    home: Home, monkeypatch: pytest.MonkeyPatch, tool: str, flaw: str
) -> None:
    """It renews, or says why not."""
    made = home.keep("work", "git.example")
    changes = {
        "bound": replace(made, tokens=replace(made.tokens, token_type="DPoP"), dpop_key=new_key()),
        "due": replace(made, tokens=replace(made.tokens, expires_at=1.0)),
        "blank": replace(made, tokens=replace(made.tokens, access_token="a b")),
    }
    home.store.save(changes[flaw])
    home.compare("work")

    assert _kept_token(asked(tool, "git.example", monkeypatch)) is None


def test_a_name_that_the_file_cannot_have_is_left_to_the_command(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs would read it differently."""
    home.keep("work", "git.example", account="a\\b")
    home.compare("work")

    assert _kept_token(asked("netrc", "git.example", monkeypatch)) is None


def test_without_a_question_there_is_no_answer(there: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build tool writes it to stdin, which may be closed."""
    arguments = asked("bazel", "git.example", monkeypatch)
    assert there.token("work") in str(_kept_token(arguments))
    monkeypatch.setattr(sys, "stdin", None)

    assert _kept_token(arguments) is None


@pytest.mark.parametrize("tool", FOR_A_HOST)
def test_hosts_of_another_sign_in_get_nothing(home: Home, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    """It was kept when the token of the one before was read; a laptop may have slept in between."""
    home.configure('[providers.work]\nclient_id = "client"\n')
    made = home.keep("work")

    def after_another_sign_in(folder: str, name: str, settings: Sequence[object]) -> SettingsMatch | None:
        tokens = replace(made.tokens, access_token="canary-another")
        home.store.save(replace(made, tokens=tokens, resource_server="https://another.example/mcp"))
        home.compare("work")
        return read_match(folder, name, settings)

    monkeypatch.setattr(fresh_output, "read_match", after_another_sign_in)
    quick = _kept_token(asked(tool, "another.example", monkeypatch))
    monkeypatch.setattr(fresh_output, "read_match", read_match)
    settled = _kept_token(asked(tool, "another.example", monkeypatch))

    assert (quick, settled is None) == (None, False)
