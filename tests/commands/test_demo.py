"""`demo`: an authorization server for as long as one likes."""

from __future__ import annotations

import json

import pytest
from command_line import CommandLine

from commands.people import client_flags, sign_in


@pytest.mark.slow
def test_it_says_where_it_is_and_can_be_used_until_ctrl_c(command_line: CommandLine) -> None:
    """One line of JSON is what a script waits for; sign-in, token and revocation work as anywhere."""
    with command_line.start("demo", "--json") as running:
        assert running.process.stdout is not None
        metadata = json.loads(running.process.stdout.readline())
        login = sign_in(command_line, *client_flags(metadata["issuer"]))
        token = command_line.run("token", "--renew")
        logout = command_line.run("logout")
        running.give_up()
        ended = running.end()

    assert metadata["client_id"] == "loopback-auth-demo"
    assert f"{metadata['issuer']}/mcp" in metadata["resources"]
    assert [one.status for one in (login, token, logout, ended)] == [0, 0, 0, 0]
    assert "revoked" in logout.stderr
    assert f"login {metadata['issuer']} --client-id loopback-auth-demo" in ended.stderr
    assert ended.stderr.endswith("Stopped.\n")


def test_a_person_is_told_what_to_type(command_line: CommandLine) -> None:
    """Three lines and no more: where it is, and two commands to copy."""
    with command_line.start("demo") as running:
        running.line("/mcp")
        running.give_up()
        ended = running.end()
    served, *commands, stopped = ended.stderr.splitlines()

    assert (ended.status, ended.stdout, len(commands)) == (0, "", 2)
    assert served.startswith("Serving http://127.0.0.1:")
    assert all(" login http://127.0.0.1:" in one for one in commands)
    assert stopped == "Stopped."


def test_a_port_that_is_none_is_refused(command_line: CommandLine) -> None:
    """By a sentence, not by a traceback."""
    ended = command_line.run("demo", "--port", "99999")

    assert ended.status == 2
    assert "99999" in ended.complaint
