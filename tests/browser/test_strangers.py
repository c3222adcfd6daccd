"""What other pages in the same browser can do while a sign-in waits: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from command_line import CommandLine
from playwright.sync_api import BrowserContext

from browser.conftest import REBOUND, Tab
from loopback_auth.words import Words

pytestmark = pytest.mark.browser

LOGIN = ("login", "--no-browser")

ATTACK = """
async (target) => {
  const told = {};
  const forged = `${target}?code=stolen&state=guessed`;
  const body = new URLSearchParams('code=stolen&state=guessed');
  const make = (name, values) => Object.assign(document.createElement(name), values);
  const outcome = (element) => new Promise((resolve) => {
    element.onload = () => resolve('loaded');
    element.onerror = () => resolve('failed');
    document.body.append(element);
  });
  const text = (asked) => asked.then((answer) => answer.text()).catch(() => 'unreadable');

  told.image = await outcome(make('img', { src: forged }));
  told.script = await outcome(make('script', { src: forged }));
  const frame = make('iframe', { src: forged });
  await outcome(frame);
  try { told.frame = frame.contentWindow.document.body.innerText; } catch { told.frame = 'unreadable'; }
  told.fetch = await text(fetch(forged));
  told.opaque = await text(fetch(forged, { mode: 'no-cors' }));
  told.post = await text(fetch(target, { method: 'POST', mode: 'no-cors', body }));
  navigator.sendBeacon(target, body);
  document.head.append(make('link', { rel: 'prefetch', href: forged }));
  return told;
}
"""

POPUP = """
(target) => new Promise((resolve) => {
  const popup = window.open(`${target}?code=stolen&state=guessed`);
  const look = () => {
    try {
      // The empty page that every window begins with is still ours.
      if (!popup.closed && popup.document.URL === 'about:blank') return setTimeout(look, 10);
      return resolve(popup.closed ? 'unreadable' : popup.document.body.innerText);
    } catch { return resolve('unreadable'); }
  };
  look();
})
"""

KITTENS = b"<!doctype html><title>A stranger</title><link rel=icon href=data:,><h1>Kittens</h1>"


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(
            b"<!doctype html><title>A stranger</title><link rel=icon href=data:,><h1>Kittens</h1>"
        )

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of a page of another site, though on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_hostile_page(context: BrowserContext, tab: Tab, command_line: CommandLine, stranger: str) -> None:
    """Images, frames, scripts, fetches, beacons and windows of another site read nothing and end nothing."""
    with command_line.start(*LOGIN) as running:
        link = running.link()
        target = f"http://{urlsplit(link).netloc}/callback"
        tab.sign_in(link)
        hostile = context.new_page()
        statuses: list[int] = []
        context.on("response", lambda answer: statuses.append(answer.status))
        hostile.goto(stranger)
        told = hostile.evaluate(ATTACK, target)
        told["popup"] = hostile.evaluate(POPUP, target)
        tab.decide("Approve", Words.SUCCESS_TITLE)
        ended = running.end()

    assert told == {
        "image": "failed",
        "script": "failed",
        "frame": "unreadable",
        "fetch": "unreadable",
        "opaque": "unreadable",
        "post": "unreadable",
        "popup": "unreadable",
    }
    # Chromium shows the answers to navigations only: the frame's and the popup's are these.
    assert {403, 400} <= set(statuses)
    assert ended.status == 0


def test_rebound_name(context: BrowserContext, tab: Tab, command_line: CommandLine) -> None:
    """A name that is made to lead here is answered by nothing but a refusal, for every page of ours."""
    with command_line.start(*LOGIN) as running:
        link = running.link()
        tab.sign_in(link)
        port = urlsplit(link).port
        rebound = context.new_page()
        answers = [
            rebound.goto(f"http://{REBOUND}:{port}{path}")
            for path in ("/", urlsplit(link).path, "/callback?code=stolen&state=guessed")
        ]
        tab.decide("Approve", Words.SUCCESS_TITLE)
        ended = running.end()

    assert [answer.status for answer in answers if answer is not None] == [421, 421, 421]
    assert ended.status == 0
