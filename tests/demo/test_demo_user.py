"""The simulated user, in the loop of the test and without one."""

from __future__ import annotations

from threading import Event as Flag

import pytest
from demo_client import client

from loopback_auth.api import login, login_sync
from loopback_auth.demo.serve import demo_thread, serve_demo
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import AuthorizationError, TransportError
from loopback_auth.events import silent
from loopback_auth.words import Words

NOWHERE = "http://127.0.0.1:1/"


async def test_user_chooses_the_account_and_sees_the_last_page() -> None:
    """A test can tell which account signed in, and what its user was shown."""
    user = SimulatedUser(account="second@example.com")
    async with serve_demo() as demo:
        sign_in = await login(client(demo.issuer), open_browser=user.open, notify=silent, flow="code")
        page = await user.page()

    assert sign_in.tokens.account == "second@example.com"
    assert Words.SUCCESS_TITLE in page
    assert len(user.links) == len(user.visits) == 1


def test_user_denies_without_a_loop() -> None:
    """Tests of `login_sync` have no loop that the browser could run in."""
    user = SimulatedUser("deny")
    with demo_thread() as demo, pytest.raises(AuthorizationError, match="access_denied"):
        login_sync(client(demo.issuer), open_browser=user.open, notify=silent, flow="code")

    assert "access_denied" in user.page_sync()


def test_failure_of_the_browser_is_raised() -> None:
    """A test that only waited for the page would otherwise not say why there is none."""
    user = SimulatedUser()
    user.open(NOWHERE)

    with pytest.raises(TransportError):
        user.page_sync()


async def test_failure_of_the_browser_does_not_spoil_the_end() -> None:
    """A test that expects a failing login still has to wait for its browsers."""
    user, ended = SimulatedUser(), Flag()
    user.visit(NOWHERE).add_done_callback(lambda _: ended.set())
    await user.done()

    assert ended.is_set()
    with pytest.raises(TransportError):
        await user.page()
