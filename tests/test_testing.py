"""The door for tests of other projects: fixtures, a server that counts, a browser that a program starts."""

from __future__ import annotations

import asyncio
import http.client
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from patience import SOON
from renewing import keeping

from loopback_auth import MemoryTokenStore, TokenSource, login, login_sync, testing
from loopback_auth.errors import AuthorizationError, ConfigError, DeviceError, SignInRequired
from loopback_auth.events import silent
from loopback_auth.flow_table import FlowName
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.signin.refresh import renew
from loopback_auth.testing import (
    Account,
    DemoAuthorizationServer,
    DemoClient,
    Faults,
    Features,
    SimulatedUser,
    serve,
)
from loopback_auth.tokens import SignIn

CONFTEST = 'pytest_plugins = ["loopback_auth.testing"]\n'
TESTS = """
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import pytest
from loopback_auth import login_sync
from loopback_auth.testing import Faults, Features
from loopback_auth.words import Words


def test_sign_in(demo_authorization_server, simulated_user):
    client = demo_authorization_server.client()
    assert login_sync(client, open_browser=simulated_user.open).tokens.account == "demo@example.com"
    assert Words.SUCCESS_TITLE in simulated_user.page_sync()
    assert demo_authorization_server.requests("token", grant="authorization_code") == 1


def test_program(demo_authorization_server, simulated_user, tmp_path):
    command = [sys.executable, "-m", "loopback_auth", "login", demo_authorization_server.issuer]
    command += ["--client-id", demo_authorization_server.client_id, "--scope", "email", "--json"]
    environ = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run(command, env=environ, check=True, capture_output=True, timeout=60)
    assert Words.SUCCESS_TITLE in simulated_user.page_sync()


@pytest.mark.parametrize("demo_faults", [Faults(without_metadata=True)])
def test_fault(demo_authorization_server, demo_faults):
    assert demo_authorization_server.faults is demo_faults


@pytest.mark.parametrize("demo_features", [Features(registration=False)])
def test_features(demo_authorization_server):
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(demo_authorization_server.issuer + "/register", b"{}")
    assert raised.value.code == 404
    raised.value.close()
"""
PROGRAM = """\
import os, subprocess, sys
subprocess.run([os.environ["BROWSER"], sys.argv[1]], check=True)
"""


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve a fresh server."""
    with serve() as served:
        yield served


def sign_in(server: DemoAuthorizationServer, user: SimulatedUser, flow: FlowName | None = "code") -> SignIn:
    """Sign in as a program does that opens pages by itself."""
    return login_sync(server.client(), open_browser=user.open, notify=silent, flow=flow)


def ask(url: str, token: str = "", method: str = "GET", body: bytes = b"") -> http.client.HTTPResponse:
    """Send a request with an access token; the answer has been read."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=SOON)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, url.removeprefix(f"http://{parts.netloc}"), body or None, headers)
    answer = connection.getresponse()
    answer.text = answer.read().decode()  # type: ignore[attr-defined]
    connection.close()
    return answer


@pytest.mark.slow
def test_fixtures_serve_the_tests_of_another_project(tmp_path: Path) -> None:
    """One line in conftest.py is all that it takes, also in a CI job; faults are one parameter away."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_client.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout


@pytest.mark.slow
def test_example_of_the_docstring_runs() -> None:
    """People copy the example before they read anything."""
    [block] = re.findall(r"test framework:\n\n(.*?)\n\n[A-Z]", inspect.getdoc(testing) or "", re.S)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(block)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_client_of_the_mcp_server_needs_nothing_but_its_address() -> None:
    """It finds the server, registers itself, and gets a token for the MCP server alone."""
    user = SimulatedUser()
    with serve() as server:
        client = ClientConfig.for_resource(server.mcp, title="Tool")
        kept = login_sync(client, open_browser=user.open, notify=silent, flow="code", wait=True)
        ping = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'

        assert ask(server.mcp, kept.tokens.access_token, "POST", ping).status == 200
        assert ask(server.resource, kept.tokens.access_token).status == 401
        assert [one.client_id for one in server.registered] == [kept.client_id]
        assert ask(server.sensitive, server.sign_in().tokens.access_token).status == 401
        server.forget_registrations()
        assert server.registered == ()


def test_features_are_passed_on() -> None:
    """A client of a strict server meets nonces, proofs and a wrong clock, and a stolen token is refused."""
    user = SimulatedUser()
    bound = Features(dpop="required", server_nonces=True, resource_nonces=True)
    with serve(features=bound, faults=Faults(clock_ahead=600)) as server:
        client = ClientConfig.for_resource(server.mcp)
        kept = login_sync(client, open_browser=user.open, notify=silent, flow="code", wait=True)
        server.rotate_nonces()

        assert kept.tokens.token_type == "DPoP"
        assert ask(server.mcp, kept.tokens.access_token, "POST").status == 401


def test_client_is_known_by_its_document() -> None:
    """The served server fetches from this machine, and says so."""
    with serve() as server:
        metadata = json.loads(ask(f"{server.issuer}/.well-known/oauth-authorization-server").text)  # type: ignore[attr-defined]

        assert metadata["client_id_metadata_document_supported"] is True


def test_pytest_is_not_needed() -> None:
    """Projects that use unittest test their logins, too."""
    code = "import sys; sys.modules['pytest'] = None\nfrom loopback_auth import testing\nprint(testing.serve)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "<function serve" in done.stdout, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a program cannot start the simulated browser there")
def test_program_starts_the_browser(server: DemoAuthorizationServer) -> None:
    """A test of a command has no function to hand over, and the command may be in another language."""
    user = SimulatedUser("deny")
    with user.browser() as environ:
        subprocess.run(
            [sys.executable, "-c", PROGRAM, f"{server.issuer}/device"], env=os.environ | environ, check=True
        )

    assert f"{server.issuer}/device" in user.links
    assert "code" in user.page_sync()
    assert not Path(environ["BROWSER"]).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a program cannot start the simulated browser there")
def test_browser_of_a_program_is_no_ci_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run in CI jobs, where a login would refuse to wait for a user."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITLAB_CI", raising=False)
    with SimulatedUser().browser() as environ:
        assert environ["GITHUB_ACTIONS"] == ""
        assert "GITLAB_CI" not in environ


@pytest.mark.parametrize("flow", ["code", "ticket", "device"])
def test_user_approves_what_a_program_opens(server: DemoAuthorizationServer, flow: FlowName) -> None:
    """One user will do for every flow."""
    user = SimulatedUser(account="second@example.com")

    assert sign_in(server, user, flow).tokens.account == "second@example.com"


def test_user_enters_the_code_that_a_program_shows(server: DemoAuthorizationServer) -> None:
    """A program without a browser only shows an address and a code (RFC 8628 §3.3)."""
    user = SimulatedUser()
    login_sync(server.client(), notify=user.notify, open_browser=lambda _: False, flow="device")

    assert f"{server.issuer}/device" in user.links


async def test_user_pastes_the_address_where_the_browser_ends(server: DemoAuthorizationServer) -> None:
    """A browser on another machine cannot reach the redirect URI (RFC 8252 §7.3)."""
    user = SimulatedUser()
    made = await login(server.client(), notify=silent, paste=user.paste, flow="paste")

    assert made.flow == "paste"


async def test_user_who_ends_elsewhere_has_nothing_to_paste(server: DemoAuthorizationServer) -> None:
    """Otherwise a test would wait for the whole time-out."""
    server.faults = Faults(wrong_state=True)

    with pytest.raises(ConfigError, match="could not paste"):
        await login(server.client(), notify=silent, paste=SimulatedUser().paste, flow="paste")


def test_user_changes_their_mind(server: DemoAuthorizationServer) -> None:
    """One test has one user, and logs in several times."""
    user = SimulatedUser()
    user.deny()
    with pytest.raises(AuthorizationError):
        sign_in(server, user)
    user.approve("second@example.com")

    assert sign_in(server, user).tokens.account == "second@example.com"


def test_user_without_a_link_says_so() -> None:
    """An index error would be a riddle."""
    with pytest.raises(ConfigError, match="no link was opened"):
        SimulatedUser().page_sync()


async def test_expired_tokens_are_renewed_and_counted(server: DemoAuthorizationServer) -> None:
    """The server refuses a token that its client believes to be fresh, which is what a 401 is about."""
    made = await asyncio.to_thread(sign_in, server, SimulatedUser())
    before = ask(server.resource, made.tokens.access_token).status
    server.expire_tokens()
    refused = ask(server.resource, made.tokens.access_token)
    renewed = await renew(made, store=keeping(made), force=True)

    assert (before, refused.status) == (200, 401)
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert ask(server.resource, renewed.tokens.access_token).status == 200
    assert server.requests("token", grant="refresh_token") == 1
    assert server.requests("/resource", status=200) == 2
    assert server.requests() > server.requests("token") == 2


async def test_revoked_tokens_cannot_be_renewed(server: DemoAuthorizationServer) -> None:
    """The user has to sign in again."""
    made = await asyncio.to_thread(sign_in, server, SimulatedUser())
    server.revoke_tokens()

    assert ask(server.resource, made.tokens.access_token).status == 401
    with pytest.raises(SignInRequired):
        await renew(made, store=keeping(made), force=True)


def test_resource_wants_a_scope_and_says_what_it_got(server: DemoAuthorizationServer) -> None:
    """Step-up needs a resource that wants more (RFC 6750 §3.1), a retry one that shows its body."""
    client = server.client(scope="profile")
    made = login_sync(client, open_browser=SimulatedUser().open, notify=silent)
    token = made.tokens.access_token
    refused = ask(f"{server.resource}?scope=email", token)
    answer = ask(f"{server.resource}?scope=profile", token, "POST", b"twice")

    assert refused.status == 403
    assert 'error="insufficient_scope", scope="email"' in refused.headers["WWW-Authenticate"]
    assert json.loads(answer.text) == {  # type: ignore[attr-defined]
        "sub": "demo-1",
        "scope": "profile",
        "method": "POST",
        "body": "twice",
    }


def test_log_has_the_values_and_does_not_print_them(server: DemoAuthorizationServer) -> None:
    """A test compares them; a failing one prints the record into a log that others read."""
    made = sign_in(server, SimulatedUser())
    [exchange] = [one for one in server.log if one.path == "/token"]
    ask(server.resource, made.tokens.access_token)
    last = server.log[-1]

    assert (exchange.grant, exchange.status) == ("authorization_code", 200)
    assert exchange.parameters["code_verifier"] in exchange.body.decode()
    assert "code_verifier" in repr(exchange)
    assert exchange.parameters["code"] not in repr(exchange)
    assert last.header("authorization") == f"Bearer {made.tokens.access_token}"
    assert made.tokens.access_token not in repr(last)


def test_faults_and_lifetime_can_be_changed_while_it_runs(server: DemoAuthorizationServer) -> None:
    """A test of what happens later needs the login before it."""
    first = sign_in(server, SimulatedUser())
    server.faults, server.expires_in = Faults(deny_all=True), 5
    with pytest.raises(AuthorizationError):
        sign_in(server, SimulatedUser())
    with pytest.raises(DeviceError):
        sign_in(server, SimulatedUser(), "device")
    server.faults = Faults(omit_members=("refresh_token",))
    second = sign_in(server, SimulatedUser())

    assert first.tokens.refresh_token
    assert second.tokens.refresh_token is None
    assert (second.tokens.expires_at or 0) - second.tokens.obtained_at == 5


def test_silence_can_begin_and_end_while_it_runs(server: DemoAuthorizationServer) -> None:
    """A server that is down for a while is what programs meet most often."""
    server.hang.add("/resource")
    with pytest.raises(TimeoutError):
        http_get_within(server, 0.05)
    server.hang.clear()
    server.delay["/resource"] = 60.0
    with pytest.raises(TimeoutError):
        http_get_within(server, 0.05)
    server.delay.clear()

    assert http_get_within(server, 10.0) == 401


def http_get_within(server: DemoAuthorizationServer, seconds: float) -> int:
    """Ask the resource, and wait so long."""
    connection = http.client.HTTPConnection(urlsplit(server.issuer).netloc, timeout=seconds)
    try:
        connection.request("GET", "/resource")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a program cannot start the simulated browser there")
def test_folder_of_the_browser_may_have_any_name(
    server: DemoAuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for temporary files can have blanks and quotation marks in its path."""
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    user = SimulatedUser()
    with user.browser() as environ:
        subprocess.run([environ["BROWSER"], f"{server.issuer}/device"], check=True)

    assert user.links == [f"{server.issuer}/device"]
    user.page_sync()


@pytest.mark.skipif(sys.platform == "win32", reason="a program cannot start the simulated browser there")
def test_browser_of_this_process_is_the_simulated_one(
    server: DemoAuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login that is given no opener must not open a real browser in a test."""
    user = SimulatedUser()
    with user.browser() as environ:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        made = login_sync(server.client(), notify=silent, flow="code")

    assert made.tokens.account == "demo@example.com"
    assert len(user.links) == 1


def test_server_is_made_as_a_test_wants_it() -> None:
    """Clients with secrets, other people and other scopes belong to the program that is tested."""
    mine = DemoClient("mine", "hunter2-hunter2", redirect_uris=("http://127.0.0.1/back",))
    people = [Account(sub="7", email="ada@example.com", name="Ada")]
    with serve(
        clients=[mine], accounts=people, scopes={"things": "See things."}, expires_in=7, hang={"/revoke"}
    ) as server:
        provider = Provider("demo", ServerMetadata(issuer=server.issuer), redirect=Redirect(path="/back"))
        client = ClientConfig(provider, "mine", client_secret="hunter2-hunter2", scope="email things")
        made = login_sync(client, open_browser=SimulatedUser().open, notify=silent, flow="code")

        assert (server.expires_in, server.hang) == (7, {"/revoke"})
    assert (made.tokens.account, made.tokens.scope) == ("ada@example.com", "email things")


def test_tests_of_what_comes_after_a_login_need_none(server: DemoAuthorizationServer) -> None:
    """A test of an API client has no login to test, and no user."""
    store = MemoryTokenStore()
    store.save(server.sign_in(account="second@example.com", name="mine"))
    source = TokenSource(server.client(name="mine"), store=store, interactive=False)

    assert source.sign_in_sync().account == "second@example.com"
    assert ask(server.resource, source.token_sync()).status == 200
