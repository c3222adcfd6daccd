"""`token --as`: what tools read, and how they are told no."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import CommandLine, Ended

from commands.people import RecordingServer, client_flags, keep, sign_in, store, visit
from loopback_auth.commands.demo import CLIENT_ID
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


def test_a_copy_of_a_sign_in_under_another_name_is_refused_by_both_ways(command_line: CommandLine) -> None:
    """Tools would show one account, and have the token of another."""
    kept(command_line)
    copy = Path(store(command_line).path("two"))
    copy.write_bytes(Path(store(command_line).path("one")).read_bytes())
    copy.chmod(0o600)
    for arguments in ([], ["--as", "header"], ["--as=header"]):
        ended = command_line.run("token", "two", *arguments)

        assert (ended.status, ended.stdout) == (8, "")


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
    assert '--scope "openid read"' in ended.complaint


@pytest.mark.slow
def test_the_login_that_is_told_for_want_of_an_id_token_names_the_scope(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Typed as it is told, it asks the server for an ID token; this one has none, and says so."""
    sign_in(command_line, *client_flags(server.issuer), "--scope", "profile")
    missing = command_line.run("token", "--as", "kubectl")
    words = shlex.split(missing.complaint.partition("python -m loopback_auth login ")[2])
    again = sign_in(command_line, *words)

    assert (missing.status, again.status) == (9, 4)
    assert "openid profile" in server.sent("scope")


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
        ["--as", "header", "--host", "x.example"],
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


CONFIG = """\
[providers.one]
issuer = "https://one.example"
client_id = "abc"
hosts = ["git.example:8443", "git.example"]
"""


def for_hosts(command_line: CommandLine) -> dict[str, str]:
    """Keep a sign-in whose token is for the hosts in the configuration; return the environment for it."""
    folder = command_line.home / "config"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG)
    kept(command_line)
    return {"LOOPBACK_AUTH_CONFIG_DIR": str(folder)}


def asked_by_bazel(command_line: CommandLine, environment: dict[str, str], request: bytes) -> Ended:
    """Run the command as a credential helper."""
    done = subprocess.run(
        [sys.executable, "-m", "loopback_auth", "token", "one", "--as", "bazel"],
        input=request,
        env=command_line.environment(environment),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_netrc_and_docker_get_the_token_for_a_host_of_the_settings(command_line: CommandLine) -> None:
    """The user name is that of the provider, or the account."""
    environment = for_hosts(command_line)
    for named in ([], ["one"]):
        ended = command_line.run("token", *named, "--as", "netrc", "--host", "git.example", **environment)
        assert (ended.status, ended.stderr) == (0, "")
        assert ended.stdout == f"machine git.example login me@example.com password {CANARY}\n"
    ended = command_line.run("token", "--as", "docker", "--host", "git.example:8443", **environment)

    assert list(json.loads(ended.stdout)["auths"]) == ["git.example:8443"]
    assert command_line.run(
        "token", "--as", "netrc", "--host", "GIT.example.", "--username", "oauth2", **environment
    ).stdout.startswith("machine git.example login oauth2 ")


def test_a_netrc_file_for_a_port_is_told_about(command_line: CommandLine) -> None:
    """It has no place for the port, so the token goes to all of them."""
    ended = command_line.run(
        "token", "--as", "netrc", "--host", "git.example:8443", **for_hosts(command_line)
    )

    assert ended.status == 0
    assert "no ports" in ended.stderr
    assert CANARY not in ended.stderr


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "sub.git.example",
        "git.example.evil.example",
        "git.example:9443",
        "http://git.example",
        "https://git.example@evil.example",
        "https://evil.example\\@git.example",
        "git.example\nevil.example",
        "",
        "*",
        "g\u0456t.example",
        "ftp://git.example",
    ],
)
def test_another_host_gets_no_token(command_line: CommandLine, host: str) -> None:
    """Also if the person has named the sign-in: a tool's settings may hold for every host."""
    environment = for_hosts(command_line)
    for arguments in (["one", "--as", "netrc"], ["--as", "docker"]):
        ended = command_line.run("token", *arguments, "--host", host, **environment)
        assert ended.status in (2, 9)
        assert ended.stdout == ""
        assert CANARY not in ended.stderr


def test_bazel_gets_headers_for_its_uri(command_line: CommandLine) -> None:
    """With the expiry, until which it keeps them."""
    environment = for_hosts(command_line)
    for uri in (
        "https://git.example/archive.tar.gz",
        "grpcs://git.example:8443/build.bazel.v1.Service/Method",
    ):
        ended = asked_by_bazel(command_line, environment, json.dumps({"uri": uri}).encode())
        assert (ended.status, ended.stderr) == (0, "")
        assert ended.json["headers"] == {"Authorization": [f"Bearer {CANARY}"]}
        assert str(ended.json["expires"]).endswith("Z")


@pytest.mark.parametrize(
    "request_text",
    [
        b"",
        b"garbage",
        b'{"uri": "https://evil.example/git.example"}',
        b'{"uri": "grpc://git.example/x"}',
        b'{"uri": "http://git.example/x"}',
        b'{"uri": "unix:///git.example"}',
        b'{"uri": "https://git.example@evil.example/"}',
        b'{"uri": "grpcs://grpcs://git.example/"}',
    ],
)
def test_bazel_is_told_no_by_its_status(command_line: CommandLine, request_text: bytes) -> None:
    """A helper should fail for what it has nothing for (Credential Helpers Specification, `get`, Output)."""
    ended = asked_by_bazel(command_line, for_hosts(command_line), request_text)

    assert ended.status != 0
    assert ended.stdout == ""
    assert ended.complaint
    assert CANARY not in ended.stderr


def test_an_mcp_client_gets_headers_for_the_server_that_it_names(command_line: CommandLine) -> None:
    """A file of a project may name our command beside the address of another server."""
    environment = for_hosts(command_line)
    right = command_line.run(
        "token", "one", "--as", "mcp", CLAUDE_CODE_MCP_SERVER_URL="https://git.example/mcp", **environment
    )
    wrong = command_line.run(
        "token", "one", "--as", "mcp", CLAUDE_CODE_MCP_SERVER_URL="https://evil.example/mcp", **environment
    )
    by_flag = command_line.run("token", "one", "--as", "mcp", "--host", "evil.example", **environment)

    assert json.loads(right.stdout) == {"Authorization": f"Bearer {CANARY}"}
    assert (wrong.status, wrong.stdout) == (by_flag.status, by_flag.stdout) == (2, "")


def test_an_output_for_a_host_needs_one(command_line: CommandLine) -> None:
    """There is no default for that."""
    kept(command_line)
    for tool in ("netrc", "docker"):
        assert "--host" in command_line.run("token", "--as", tool).complaint


@pytest.mark.parametrize(
    "endpoint",
    ["http://sts.example", "ftp://127.0.0.1", "127.0.0.1", "https://x@sts.example", "http://127.0.0.1:1"],
)
def test_an_address_that_must_not_get_the_token_is_refused(command_line: CommandLine, endpoint: str) -> None:
    """AWS's tools take it from a variable; at the last one nothing listens."""
    kept(command_line)
    arguments = ("token", "--as", "aws", "--role-arn", "arn:aws:iam::123456789012:role/a")
    ended = command_line.run(*arguments, AWS_ENDPOINT_URL_STS=endpoint)

    assert (ended.status, ended.stdout) == (6 if endpoint.endswith(":1") else 2, "")
    assert CANARY not in ended.stderr


def test_a_person_signs_in_for_a_tool(command_line: CommandLine, server: RecordingServer) -> None:
    """The link is on stderr, and stdout has what the tool reads."""
    environ = {"LOOPBACK_AUTH_ISSUER": server.issuer, "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
    with command_line.start("token", "--as", "curl", "--login", BROWSER="none", **environ) as running:
        visit(running.link())
        ended = running.end()

    assert ended.status == 0
    assert ended.stdout.startswith('header = "Authorization: Bearer ')
    assert ended.stdout.count("\n") == 1
    assert ended.stdout.split()[-1].strip('"') not in ended.stderr


def test_who_signs_in_elsewhere_gives_no_token_to_the_host(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """The tool has named a host, and the settings lead the person to another server."""
    environ = {"LOOPBACK_AUTH_ISSUER": server.issuer, "LOOPBACK_AUTH_CLIENT_ID": CLIENT_ID}
    arguments = ("token", "--as", "docker", "--host", "registry.example", "--login")
    with command_line.start(*arguments, BROWSER="none", **environ) as running:
        visit(running.link())
        ended = running.end()

    assert (ended.status, ended.stdout) == (2, "")
    assert "registry.example" in ended.complaint
