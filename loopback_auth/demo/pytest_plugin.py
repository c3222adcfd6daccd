"""Pytest fixtures for one test: a real authorization server on this machine, and a user with a browser.

    pytest_plugins = ["loopback_auth.demo.pytest_plugin"]  # in conftest.py

    def test_sign_in(demo_authorization_server, simulated_user):
        provider = Provider("demo", ServerMetadata(demo_authorization_server.issuer))
        client = ClientConfig(provider, "loopback-auth-demo", scope="profile")
        assert login_sync(client, open_browser=simulated_user.open).tokens.access_token
        assert "Signed in" in simulated_user.page_sync()

Not registered by itself: a test suite names it, or never notices it. To break rules, override the fixture
`demo_faults`; for a user who denies, make a `SimulatedUser("deny")`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.serve import Demo, demo_thread, factory
from loopback_auth.demo.user import SimulatedUser


@pytest.fixture(scope="session")
def demo_signer() -> Signer | None:
    """Make the key for ID tokens once; without joserfc there are none."""
    return rsa_signer()


@pytest.fixture
def demo_faults() -> Faults:
    """Break no rules; to be overridden."""
    return Faults()


@pytest.fixture
def demo_authorization_server(demo_signer: Signer | None, demo_faults: Faults) -> Iterator[Demo]:
    """Serve a fresh authorization server for one test; it knows the client `loopback-auth-demo`."""
    with demo_thread(server_factory=factory(signer=demo_signer, faults=demo_faults)) as demo:
        yield demo


@pytest.fixture
def simulated_user() -> SimulatedUser:
    """Return a user who approves; `simulated_user.open` is the `open_browser` of a login, in any thread."""
    return SimulatedUser()
