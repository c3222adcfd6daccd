"""`token --as`: what tools read, and how they are told no."""

from __future__ import annotations

import json
import time

import pytest
from command_line import CommandLine

from commands.people import keep, store
from loopback_auth.outputs.plain import PLAIN
from loopback_auth.outputs.table import OUTPUTS
from loopback_auth.records import replace
from loopback_auth.signin.dpop_keys import new_key
from loopback_auth.tokens import IdToken, SignIn

NOW = time.time()
CANARY = "canary-1f8e"


def kept(command_line: CommandLine, *, access: str = CANARY, exp: float = NOW + 3600) -> SignIn:
    """Keep a sign-in with both tokens."""
    made = keep(command_line, "one", expires_at=NOW + 1800, obtained_at=NOW)
    id_token = IdToken({"exp": exp, "iat": NOW, "sub": "1"}, "verified", f"h.{CANARY}-id.s")
    made = replace(made, tokens=replace(made.tokens, access_token=access, id_token=id_token))
    store(command_line).save(made)
    return made


def test_each_plain_output_is_the_same_by_both_ways(command_line: CommandLine) -> None:
    """A fresh token is written without the machinery of the command, which a flag asks for."""
    kept(command_line)
    for tool in PLAIN:
        at_once = command_line.run("token", "one", "--as", tool)
        in_full = command_line.run("token", "one", f"--as={tool}")

        assert (at_once.status, at_once.stderr) == (in_full.status, in_full.stderr) == (0, "")
        assert at_once.stdout == in_full.stdout
        assert CANARY in at_once.stdout


@pytest.mark.parametrize(
    "tool", [row.name for row in OUTPUTS.values() if row.of == "id_token" and row.name in PLAIN]
)
def test_clusters_and_clouds_get_the_id_token(command_line: CommandLine, tool: str) -> None:
    """They check it by OpenID Connect; a webhook may want the other one."""
    kept(command_line)

    assert f"h.{CANARY}-id.s" in command_line.run("token", "--as", tool).stdout
    assert f'"{CANARY}"' in command_line.run("token", "--as", tool, "--access-token").stdout


def test_the_id_token_is_printed_alone(command_line: CommandLine) -> None:
    """For a file that AWS's tools read, and for everything that wants one."""
    kept(command_line)

    assert command_line.run("token", "--id-token").stdout == f"h.{CANARY}-id.s\n"
    assert command_line.run("token", "--id-token", "--json").json == {
        "id_token": f"h.{CANARY}-id.s",
        "expires_at": pytest.approx(NOW + 3600),
    }


@pytest.mark.parametrize("arguments", [["--id-token"], ["--as", "kubectl"], ["--as", "google"]])
def test_a_sign_in_without_an_id_token_says_so(command_line: CommandLine, arguments: list[str]) -> None:
    """The cluster would only say that you are not authorized."""
    keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)
    ended = command_line.run("token", *arguments)

    assert (ended.status, ended.stdout) == (9, "")
    assert "openid" in ended.complaint


def test_an_expired_id_token_is_not_given_beside_a_good_access_token(command_line: CommandLine) -> None:
    """Its lifetime is its own; here the server is nowhere, which shows that it was asked."""
    kept(command_line, exp=NOW - 1)

    assert command_line.run("token", "--as", "header").status == 0
    ended = command_line.run("token", "--as", "kubectl")
    assert (ended.status, ended.stdout) == (6, "")


def test_a_bound_token_is_refused_in_plain_words(command_line: CommandLine) -> None:
    """These tools send no proofs (RFC 9449 §7.1); the ID token needs none."""
    made = kept(command_line)
    store(command_line).save(
        replace(made, tokens=replace(made.tokens, token_type="DPoP"), dpop_key=new_key())
    )
    for tool in ("header", "curl", "env"):
        ended = command_line.run("token", "--as", tool)
        assert (ended.status, ended.stdout) == (2, "")
        assert "DPoP" in ended.complaint
        assert CANARY not in ended.stderr

    assert command_line.run("token", "--as", "kubectl").status == 0


@pytest.mark.parametrize("token", ["a b", "canary\nX: y", "canary\x7f", "caf\xe9"])
def test_a_token_that_would_break_a_line_is_not_written(command_line: CommandLine, token: str) -> None:
    """A file that was changed by hand, or a server that means harm."""
    made = keep(command_line, "one", expires_at=NOW + 3600, obtained_at=NOW)
    store(command_line).save(replace(made, tokens=replace(made.tokens, access_token=token)))
    for tool in ("header", "curl", "env"):
        ended = command_line.run("token", "--as", tool)
        assert (ended.status, ended.stdout) == (2, "")
        assert "canary" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--as", "header", "--json"],
        ["--as", "header", "--headers", "https://x.example"],
        ["--id-token", "--headers", "https://x.example"],
        ["--as", "header", "--env-name", "X"],
        ["--env-name", "X"],
        ["--as", "kubectl", "--role-arn", "arn:aws:iam::123456789012:role/a"],
        ["--as", "google", "--login"],
        ["--id-token", "--access-token"],
        ["--as", "kubernetes"],
        ["--as", ""],
        ["--as"],
        ["--as", "env", "--env-name", "A;id"],
        ["--as", "env", "--env-name", ""],
        ["--as", "env", "--shell", "tcsh"],
        ["--as", "aws"],
        ["--as", "aws", "--role-arn", "x"],
    ],
)
def test_flags_that_contradict_each_other_are_refused(
    command_line: CommandLine, arguments: list[str]
) -> None:
    """A tool that gets something else than it asked for fails somewhere far away."""
    kept(command_line)
    ended = command_line.run("token", *arguments)

    assert ended.status == 2
    assert CANARY not in ended.stdout + ended.stderr


def test_a_name_for_the_variable_is_safe_and_used(command_line: CommandLine) -> None:
    """The line is given to `eval`."""
    kept(command_line, access="a'b$(id)")
    ended = command_line.run("token", "--as", "env", "--env-name", "API_TOKEN")

    assert ended.stdout == "export API_TOKEN='a'\\''b$(id)'\n"


def test_google_gets_nothing_on_stderr_when_there_is_a_token(command_line: CommandLine) -> None:
    """Its library reads stderr as a part of the answer; a renewal in trouble would warn there."""
    made = kept(command_line)
    begun, end = time.time() - 35_000, time.time() + 55
    soon = IdToken({"exp": end, "iat": begun}, "verified", "h.soon.s")
    tokens = replace(made.tokens, obtained_at=begun, expires_at=end, id_token=soon)
    store(command_line).save(replace(made, tokens=tokens))
    warned = command_line.run("token", "--as", "kubectl")
    silent = command_line.run("token", "--as", "google")

    assert warned.status == silent.status == 0
    assert "could not be renewed" in warned.stderr
    assert silent.stderr == ""
    assert json.loads(silent.stdout)["id_token"] == "h.soon.s"


def test_a_revocation_by_googles_library_gets_no_token(command_line: CommandLine) -> None:
    """It runs the same command for that, with a variable that says so."""
    kept(command_line)
    ended = command_line.run("token", "--as", "google", GOOGLE_EXTERNAL_ACCOUNT_REVOKE="1")

    assert (ended.status, ended.stdout) == (2, "")


def test_kubectl_gets_the_version_that_it_names(command_line: CommandLine) -> None:
    """In a variable; a version that is not known is refused."""
    kept(command_line)
    asked = '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{}}'
    old = command_line.run("token", "--as", "kubectl", KUBERNETES_EXEC_INFO=asked)
    unknown = command_line.run("token", "--as", "kubectl", KUBERNETES_EXEC_INFO="{}")

    assert old.json["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert (unknown.status, unknown.stdout) == (2, "")
