"""A person with a browser, played by a script: keeps cookies, follows redirects, fills in and sends forms.

Other than the simulated user agent of the package it copes with the pages of any server, and is code that the
package does not share.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from threading import Thread
from urllib.parse import urlencode, urljoin

from loopback_auth.shell.browser import Opening

PAGES = 12
PATIENCE = 20.0


@dataclass(frozen=True)
class Page:
    """Where the person has arrived."""

    url: str
    status: int
    text: str


@dataclass
class Person:
    """Signs in as somebody and approves, or cancels at the last page before that.

    Args:
        login: what to type where a page asks who it is.
        deny: press Deny, or follow Cancel, once signed in.
        forged: values to put in place of those that a page would send on.
    """

    login: str = "ada"
    deny: bool = False
    forged: Mapping[str, str] = field(default_factory=dict)
    visited: list[Page] = field(default_factory=list)

    def visit(self, url: str) -> Page:
        """Open a page and go on until one asks for nothing more."""
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, _Errors())
        request = urllib.request.Request(url)
        for _ in range(PAGES):
            with opener.open(request, timeout=PATIENCE) as reply:
                page = Page(reply.url, reply.status, reply.read().decode())
            self.visited.append(page)
            following = self._next(page)
            if following is None:
                return page
            request = following
        raise AssertionError(f"no end after {PAGES} pages: {page}")

    def open(self, url: str) -> Opening:
        """Be the browser that `login` opens: begin the visit, and return at once."""
        self.begin(url)
        return Opening(program="a scripted person")

    def begin(self, url: str) -> Future[Page]:
        """Visit a page from a thread of its own."""
        arrived: Future[Page] = Future()

        def run() -> None:
            try:
                arrived.set_result(self.visit(url))
            except BaseException as exc:
                arrived.set_exception(exc)

        Thread(target=run, name="person", daemon=True).start()
        return arrived

    def _next(self, page: Page) -> urllib.request.Request | None:
        forms = _Forms()
        forms.feed(page.text)
        if self.deny and forms.cancel and not forms.asks_who:
            return urllib.request.Request(urljoin(page.url, forms.cancel))
        wanted = [form for form in forms.found if ("action", "deny") in form.pairs] if self.deny else []
        for form in wanted or forms.found[:1]:
            values = {name: self.forged.get(name, value or self.login) for name, value in form.pairs if name}
            body = urlencode(values)
            return urllib.request.Request(urljoin(page.url, form.action), body.encode())
        return None


@dataclass
class _Form:
    action: str
    pairs: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """The forms of a page, each with the values that pressing its first button sends."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Form] = []
        self.cancel = ""
        self.asks_who = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(_Form(given.get("action", "")))
        elif tag == "a" and given.get("href", "").endswith("/abort"):
            self.cancel = given["href"]
        elif tag in ("input", "button") and self.found:
            self.asks_who = self.asks_who or given.get("type") == "password"
            self.found[-1].pairs.append((given.get("name", ""), given.get("value", "")))


class _Errors(urllib.request.HTTPErrorProcessor):
    """Takes a page with an error status for a page."""

    def http_response(self, request: urllib.request.Request, response: HTTPResponse) -> HTTPResponse:
        if response.status in (301, 302, 303, 307, 308):
            followed: HTTPResponse = super().http_response(request, response)
            return followed
        return response
