"""A pytest fixture: a real authorization server on this machine, for one test.

    pytest_plugins = ["loopback_auth.demo.pytest_plugin"]  # in conftest.py

    def test_sign_in(demo_authorization_server):
        sign_in(demo_authorization_server.issuer, client_id="loopback-auth-demo")

Not registered by itself: a test suite names it, or never notices it. The browser's part can be played by
`loopback_auth.demo.serve.run_agent`. To break rules, override the fixture `demo_faults`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.serve import Demo, demo_thread, factory


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
