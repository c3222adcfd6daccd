"""The programs that `scripts/bench embedding` measures: each signs in, keeps, renews and signs out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from patience import SOON

from embedding.tenant import tenant
from loopback_auth.testing import DemoAuthorizationServer, DemoClient, SimulatedUser, serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no $BROWSER for a simulated user there"),
]

PROGRAMS = Path(__file__).parents[2] / "scripts" / "bench_floors" / "embedding"
REDIRECT_URIS = ("http://127.0.0.1/callback", "http://localhost", "http://localhost/")
CLIENTS = (
    DemoClient("embedding", redirect_uris=REDIRECT_URIS),
    DemoClient("embedding-installed", "not-a-secret", REDIRECT_URIS),
)
LIFETIME = 3600


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve the clients of all programs."""
    with serve(clients=CLIENTS, expires_in=LIFETIME) as server:
        yield server


def accepted(server: DemoAuthorizationServer, token: str) -> bool:
    """Return whether a token has not expired."""
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(server.resource, headers=headers, timeout=SOON).status_code == 200


@pytest.mark.parametrize("name", sorted(path.stem for path in PROGRAMS.glob("with_*.py")))
def test_a_program_does_all_of_it(
    server: DemoAuthorizationServer, simulated_user: SimulatedUser, tmp_path: Path, name: str
) -> None:
    """A program that left something out would be shorter and faster than it may be."""
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    environ = {**os.environ, "OAUTHLIB_INSECURE_TRANSPORT": "1", "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with ExitStack() as stack:
        issuer = server.issuer
        if name == "with_msal":
            issuer, environ["REQUESTS_CA_BUNDLE"] = stack.enter_context(tenant(server, tmp_path))

        def run(command: str, *arguments: str) -> str:
            argv = [sys.executable, str(PROGRAMS / f"{name}.py"), command, issuer, str(folder), *arguments]
            done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()

        server.expires_in = 1
        first = run("token")
        server.expires_in = LIFETIME
        while accepted(server, first):
            pass
        renewed, again = run("token"), run("token")
        called = json.loads(run("call", server.resource))
        private = [path.stat().st_mode & 0o77 for path in folder.rglob("*") if path.is_file()]
        run("logout")

    assert first
    assert first != renewed == again
    assert called["method"] == "GET"
    assert private
    assert not any(private)
    assert server.requests(grant="authorization_code") == 1
    assert server.requests(grant="refresh_token", status=200) == 1
    # msal deletes what it has, and tells the server nothing.
    assert bool(server.requests("revoke", status=200)) is (name != "with_msal")
    left = " ".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert renewed not in left
