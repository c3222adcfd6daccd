"""What the command line adds to neutral errors: flags, variables, commands."""

from __future__ import annotations

import json

import pytest

from loopback_auth.cli import COMMANDS, command_of, run
from loopback_auth.cli.advice import ELSEWHERE, SOME_SETTINGS, SPELLINGS, WITH_SETTINGS, advised
from loopback_auth.errors import AttemptExpired, ConfigError, LoopbackAuthError, NoFlowAvailable, TokenError
from loopback_auth.settings.setting import SETTINGS


def _error(parameter: str, hint: str = "Check it.") -> LoopbackAuthError:
    return LoopbackAuthError("It failed.", hint=hint, parameter=parameter)


SPELLED = [
    ("login", "client_id", "Check it (--client-id)."),
    ("login", "client_id client_auth", "Check it (--client-id, --client-auth)."),
    ("login", "client_secret", "Check it (LOOPBACK_AUTH_CLIENT_SECRET)."),
    ("login", "push", "Check it (--push/--no-push)."),
    ("login", "path ports host", "Check it (--redirect-uri, --port)."),
    ("login", "response_type", "Check it (--flow)."),
    ("login", "store", "Check it (LOOPBACK_AUTH_DATA_DIR)."),
    ("login", "", "Check it."),
    ("login", "private_key client_metadata", "Check it (--private-key-file, --client-metadata-url)."),
    ("login", "notify", "Check it."),
    ("token", "ca_file", "Check it (LOOPBACK_AUTH_CA_FILE)."),
    ("", "ca_file", "Check it (LOOPBACK_AUTH_CA_FILE)."),
    ("proxy", "port", "Check it (--port)."),
    ("proxy", "ca_file", "Check it (LOOPBACK_AUTH_CA_FILE)."),
    ("receive", "ports path", "Check it (--port, --redirect-uri)."),
]


@pytest.mark.parametrize(("command", "parameter", "advice"), SPELLED)
def test_parameters_are_spelled_as_the_command_takes_them(command: str, parameter: str, advice: str) -> None:
    """A hint says what can be done, and here that is typed."""
    assert advised(_error(parameter), command) == advice


@pytest.mark.parametrize(
    "error",
    [
        _error("scope", "Give --scope again."),
        ConfigError("It is odd (from environment LOOPBACK_AUTH_SCOPE)", hint="Check it.", parameter="scope"),
        _error("scope", ""),
        _error("scope", "Begin again: python -m loopback_auth start."),
    ],
)
def test_nothing_is_said_twice(error: LoopbackAuthError) -> None:
    """The settings know where a value came from, and say so themselves."""
    assert advised(error, "login") == error.hint


def test_flags_are_those_of_the_commands() -> None:
    """A hint must not name a flag that the command does not have."""
    having = {name for name in COMMANDS if "--issuer" in command_of(name)[1]._option_string_actions}
    flags = command_of("login")[1].format_help() + command_of("settings")[1].format_help()

    assert having == set(WITH_SETTINGS)
    for name in set(COMMANDS) - having - {"demo"}:  # The port of the demo server is not that of a redirect.
        own = command_of(name)[1]._option_string_actions
        some = {item.name for item in SETTINGS if not item.quirk and item.flag in own}
        assert some == SOME_SETTINGS.get(name, frozenset()), name
    for flag, _ in (*SPELLINGS.values(), *ELSEWHERE.values()):
        for one in flag.split("/") if flag.startswith("--") else ():
            assert one in flags


def test_commands_of_ours_are_named() -> None:
    """An embedding program has none of them, so only the command line can say so."""
    assert "loopback_auth doctor" in advised(NoFlowAvailable({}), "login")
    unconfirmed = NoFlowAvailable({}, parameter="confirm")
    assert "--yes" in advised(unconfirmed, "login")
    assert "--yes" not in advised(NoFlowAvailable({}), "login")
    assert "--verbose" in advised(TokenError("invalid_request"), "login")
    assert "--verbose" not in advised(TokenError("invalid_request"), "token")
    assert "loopback_auth doctor" in advised(
        AttemptExpired("Over.", hint="Again.", parameter="flow"), "login"
    )
    assert "loopback_auth status" in advised(ConfigError("Odd.", hint="Look.", parameter="handle"), "finish")


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        (("--issuer", "http://id.example", "--client-id", "x"), "issuer"),
        (("github",), "client_id"),
        (("--issuer", "https://id.example", "--client-id", "x", "--scope", '"'), "scope"),
        (("--issuer", "https://id.example", "--client-id", "x", "--timeout", "0"), "timeout"),
        (("--issuer", "https://id.example", "--client-id", "x", "--flow", "x"), "flow"),
        (("nosuch",), "provider"),
    ],
)
def test_json_has_the_parameter(
    arguments: tuple[str, ...], parameter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that runs the command line makes its own words of it."""
    status = run(["login", *arguments, "--json"])
    document = json.loads(capsys.readouterr().out)

    assert (status, document["parameter"]) == (2, parameter)
