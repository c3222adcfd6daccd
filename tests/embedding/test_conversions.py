"""Sign-in code of known programs, written on the doors: each is one short program, which runs here."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from runpy import run_path

import pytest

from loopback_auth import FileTokenStore
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no $BROWSER for a simulated user there"),
]

PROGRAMS = Path(__file__).parent / "programs"
SCRIPTS = PROGRAMS.parents[2] / "scripts"


def run(program: str, *arguments: str, given: str = "") -> str:
    """Run a program as its users do, and return what it printed."""
    command = [sys.executable, str(PROGRAMS / program), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("program", "lines"), [("sdk_headers.py", 13), ("git_credential.py", 12), ("kubectl_token.py", 8)]
)
def test_the_programs_are_short(program: str, lines: int) -> None:
    """They were 407, 586 and 975 lines; the doors are to be judged by what is left."""
    code_lines = run_path(str(SCRIPTS / "code_lines.py"))["code_lines"]

    assert code_lines((PROGRAMS / program).read_text(encoding="utf-8")) <= lines


def test_the_login_of_an_mcp_client_is_short() -> None:
    """Its example has 105 lines for what `session` does; imports and storage are the same in both."""
    code_lines = run_path(str(SCRIPTS / "code_lines.py"))["code_lines"]
    source = (PROGRAMS / "mcp_login.py").read_text(encoding="utf-8")
    (session,) = (one for one in ast.parse(source).body if isinstance(one, ast.AsyncFunctionDef))

    assert code_lines(ast.unparse(session)) <= 10


def test_an_sdk_signs_in_once(
    demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser, tmp_path: Path
) -> None:
    """The second run of a program finds the token that the first one kept."""
    server = demo_authorization_server
    folder = str(tmp_path / "kept")

    assert run("sdk_headers.py", server.issuer, folder) == "Bearer\n"
    assert run("sdk_headers.py", server.issuer, folder) == "Bearer\n"
    assert server.requests("token") == 1
    assert simulated_user.page_sync()


def fields(text: str) -> dict[str, str]:
    """Read what git and its helpers say to each other."""
    return dict(line.split("=", 1) for line in text.splitlines())


def test_git_asks_the_helper(
    demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser
) -> None:
    """Git itself starts the helper, and takes the token as a password."""
    helper = f"!{sys.executable} {PROGRAMS / 'git_credential.py'} {demo_authorization_server.issuer}"
    done = subprocess.run(
        ["git", "-c", "credential.helper=", "-c", f"credential.helper={helper}", "credential", "fill"],
        input="protocol=https\nhost=git.example\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
    )

    assert done.returncode == 0, done.stderr
    assert fields(done.stdout)["username"] == "oauth2"
    assert fields(done.stdout)["password"]
    assert simulated_user.page_sync()


def test_git_keeps_the_refresh_token(
    demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser
) -> None:
    """The helper keeps nothing: since 2.41 git hands the refresh token back when the password has expired."""
    server = demo_authorization_server
    wanted = "protocol=https\nhost=git.example\n"

    first = fields(run("git_credential.py", server.issuer, "get", given=wanted))
    known = f"{wanted}oauth_refresh_token={first['oauth_refresh_token']}\n"
    again = fields(run("git_credential.py", server.issuer, "get", given=known))

    assert first["password"] != again["password"]
    assert int(again["password_expiry_utc"]) >= int(first["password_expiry_utc"]) > 0
    assert server.requests(grant="authorization_code") == 1
    assert server.requests(grant="refresh_token", status=200) == 1
    assert simulated_user.page_sync()


def test_kubectl_gets_the_id_token(
    demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser, tmp_path: Path
) -> None:
    """It runs the plugin with each command, and the user signs in with the first one."""
    server, folder = demo_authorization_server, str(tmp_path / "kept")
    first, again = (json.loads(run("kubectl_token.py", server.issuer, folder)) for _ in range(2))

    assert (first["kind"], first["apiVersion"]) == ("ExecCredential", "client.authentication.k8s.io/v1")
    assert first["status"]["token"].count(".") == 2
    assert datetime.fromisoformat(first["status"]["expirationTimestamp"]).timestamp() > time.time()
    assert again == first
    assert server.requests("token") == 1
    assert simulated_user.page_sync()


def test_kubectl_gets_a_new_id_token(
    demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser, tmp_path: Path
) -> None:
    """When it has expired the plugin renews, and asks nobody."""
    server, folder = demo_authorization_server, str(tmp_path / "kept")
    first = json.loads(run("kubectl_token.py", server.issuer, folder))
    store = FileTokenStore(folder)
    (name,) = store.names()
    kept = store.load(name)
    assert kept is not None
    assert kept.id_token is not None
    ended = replace(kept.id_token, claims={**kept.id_token.claims, "exp": int(time.time())})
    store.save(replace(kept, tokens=replace(kept.tokens, id_token=ended)))
    again = json.loads(run("kubectl_token.py", server.issuer, folder))

    assert again["status"]["token"] != first["status"]["token"]
    assert server.requests(grant="authorization_code") == 1
    assert server.requests(grant="refresh_token", status=200) == 1
    assert simulated_user.page_sync()
