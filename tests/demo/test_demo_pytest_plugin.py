"""The pytest fixtures, as another project would use them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFTEST = 'pytest_plugins = ["loopback_auth.demo.pytest_plugin"]\n'
TESTS = """
import http.client
import json
from urllib.parse import urlsplit

import pytest
from loopback_auth import ClientConfig, Provider, ServerMetadata, login_sync
from loopback_auth.words import Words
from loopback_auth.demo.faults import Faults

WELL_KNOWN = "/.well-known/oauth-authorization-server"


def ask(demo):
    client = http.client.HTTPConnection(urlsplit(demo.issuer).netloc, timeout=5)
    client.request("GET", WELL_KNOWN)
    response = client.getresponse()
    body = response.read()
    client.close()
    return response.status, body


def test_served(demo_authorization_server):
    status, body = ask(demo_authorization_server)
    assert (status, json.loads(body)["issuer"]) == (200, demo_authorization_server.issuer)


def test_sign_in(demo_authorization_server, simulated_user):
    provider = Provider("demo", ServerMetadata(demo_authorization_server.issuer))
    client = ClientConfig(provider, "loopback-auth-demo", scope="profile")
    assert login_sync(client, open_browser=simulated_user.open).tokens.access_token
    assert Words.SUCCESS_TITLE in simulated_user.page_sync()


class TestBroken:
    @pytest.fixture
    def demo_faults(self):
        return Faults(without_metadata=True)

    def test_fault(self, demo_authorization_server):
        assert ask(demo_authorization_server)[0] == 404
"""


def test_fixture_serves_each_test_of_another_project(tmp_path: Path) -> None:
    """One line in conftest.py is all that it takes, and faults are one override away."""
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
        [*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.returncode, "3 passed" in done.stdout) == (0, True), done.stdout
