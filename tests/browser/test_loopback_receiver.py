"""The receiver for other programs' protocol code in a real browser: what a person sees, and when."""

from __future__ import annotations

from concurrent.futures import Future
from queue import Queue
from threading import Thread
from urllib.parse import urlencode

import pytest
from patience import SOON

from browser.conftest import Tab
from browser.test_sign_in import REFUSED_POST
from loopback_auth import LoopbackReceiver, Program
from loopback_auth.demo.serve import Demo, demo_thread
from loopback_auth.events import Event, LinkReady
from loopback_auth.words import Words

pytestmark = pytest.mark.browser


class Login(Thread):
    """A program in a thread of its own, whose exchange ends when the test says how.

    Args:
        demo: the authorization server.
        visits: how many in one block; the last one has an exchange.
        asked: further parameters of the authorization request.
    """

    def __init__(self, demo: Demo, visits: int = 1, **asked: str) -> None:
        super().__init__(daemon=True)
        self._demo = demo
        self._visits = visits
        self._asked = asked
        self._links: Queue[str] = Queue()
        self.arrived: Queue[dict[str, str]] = Queue()
        self.exchange: Future[None] = Future()
        self.start()

    def link(self) -> str:
        """Wait for the next link."""
        return self._links.get(timeout=SOON)

    def run(self) -> None:
        """Sign in."""
        program = Program("MyTool", returns_to="MyTool")
        try:
            with LoopbackReceiver(
                program=program, open_browser=lambda _: False, notify=self._notify
            ) as receiver:
                for number in range(self._visits):
                    asked = {
                        "response_type": "code",
                        "client_id": "loopback-auth-demo",
                        "redirect_uri": receiver.redirect_uri,
                        "state": f"state-canary-{number}",
                        "scope": "profile",
                        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                        "code_challenge_method": "S256",
                        **self._asked,
                    }
                    url = f"{self._demo.issuer}/authorize?{urlencode(asked)}"
                    self.arrived.put(receiver.visit_sync(url))
                self.exchange.result(SOON)
        except ValueError:
            return

    def _notify(self, event: Event) -> None:
        if isinstance(event, LinkReady):
            self._links.put(event.url)


def approve(tab: Tab, link: str) -> None:
    """Go to the consent page and approve; the browser waits for the program then."""
    tab.sign_in(link)
    tab.page.get_by_role("button", name="Approve").click(no_wait_after=True)


@pytest.mark.parametrize("mode", ["query", "form_post", "fragment"])
def test_page_says_signed_in_after_the_exchange(tab: Tab, mode: str) -> None:
    """In the name of the program, and without the code in the address bar."""
    with demo_thread() as demo:
        login = Login(demo, response_mode=mode)
        approve(tab, login.link())
        login.arrived.get(timeout=SOON)
        login.exchange.set_result(None)
        tab.page.get_by_text(Words.SUCCESS_TITLE, exact=True).wait_for()
        login.join(SOON)

    assert "MyTool" in tab.text
    assert "canary" not in tab.page.url
    assert tab.complaints == []


def test_page_says_not_signed_in_when_the_exchange_fails(tab: Tab) -> None:
    """Without the words of the error, which may quote a token."""
    with demo_thread() as demo:
        login = Login(demo)
        approve(tab, login.link())
        login.arrived.get(timeout=SOON)
        login.exchange.set_exception(ValueError("secret-canary"))
        tab.page.get_by_text(Words.FAILURE_TITLE, exact=True).wait_for()
        login.join(SOON)

    assert "secret-canary" not in tab.page.content()
    assert "canary" not in tab.page.url
    assert tab.complaints == [REFUSED_POST]


def test_first_tab_says_that_it_goes_on_in_another(tab: Tab) -> None:
    """A second visit in the same block is a second link, and only its page knows the outcome."""
    with demo_thread() as demo:
        login = Login(demo, visits=2)
        approve(tab, login.link())
        login.arrived.get(timeout=SOON)
        second = Tab(tab.page.context.new_page())
        link = login.link()
        tab.page.get_by_text(Words.CONTINUED_TITLE, exact=True).wait_for()
        approve(second, link)
        login.arrived.get(timeout=SOON)
        login.exchange.set_result(None)
        second.page.get_by_text(Words.SUCCESS_TITLE, exact=True).wait_for()
        login.join(SOON)

    assert tab.complaints == second.complaints == []
