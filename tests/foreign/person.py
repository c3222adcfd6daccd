"""A person with a browser, played by a script: keeps cookies, follows redirects, fills in and sends forms.

Where a page of ours hands on the fragment of its address by a script, that is done, too. Other than the
simulated user agent of the package it copes with the pages of any server, and is code that the package does
not share.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from urllib.request import Request

from loopback_auth.network.browser import Opening

PAGES = 12
PATIENCE = 60.0


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
        deny: press Deny or Abort, or follow Cancel, once signed in.
        forged: values to put in place of those that a page would send on.
        authority: PEM file of the authority that the server's certificate is from.
    """

    login: str = "ada"
    deny: bool = False
    forged: Mapping[str, str] = field(default_factory=dict)
    authority: str = ""
    visited: list[Page] = field(default_factory=list)

    def visit(self, url: str) -> Page:
        """Open a page and go on until one asks for nothing more."""
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        trusted = ssl.create_default_context(cafile=self.authority or None)
        secured = urllib.request.HTTPSHandler(context=trusted)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, secured, _Errors())
        # A program that shows pages to nobody would be known by these (see `protocol.visitors`).
        opener.addheaders = [("User-Agent", "Mozilla/5.0 (a scripted person)"), ("Accept", "text/html")]
        request = Request(url)
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

    def _next(self, page: Page) -> Request | None:
        forms = _Forms()
        forms.feed(page.text)
        if "data-relay" in forms.body:
            return relayed(self._altered(page.url), forms.body)
        if self.deny and forms.cancel and not forms.asks_who:
            return Request(urljoin(page.url, forms.cancel))
        wanted = [form for form in forms.found if form.denial] if self.deny else []
        for form in wanted or forms.found[:1]:
            pairs = form.pairs + (form.denial if self.deny else form.buttons[:1])
            if ("user_code", "") in pairs and "user_code" not in self.forged:
                return None  # Nobody told this person a code.
            values = {name: self.forged.get(name, value or self.login) for name, value in pairs if name}
            body = urlencode(values)
            return Request(urljoin(page.url, form.action), body.encode())
        return None

    def _altered(self, url: str) -> str:
        address, _, fragment = url.partition("#")
        pairs = [(name, self.forged.get(name, value)) for name, value in parse_qsl(fragment)]
        return f"{address}#{urlencode(pairs)}"


def relayed(url: str, attributes: Mapping[str, str]) -> Request:
    """Do what the script of our page between does: post the fragment of its address.

    Args:
        url: of the page, with the fragment.
        attributes: of its body element.
    """
    address = urlsplit(url)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": f"{address.scheme}://{address.netloc}",
        "X-Loopback-Relay": attributes["data-token"],
    }
    return Request(urljoin(url, attributes["data-relay"]), address.fragment.encode(), headers)


@dataclass
class _Form:
    action: str
    pairs: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def denial(self) -> list[tuple[str, str]]:
        """What says no: a hidden field for it, or a button."""
        says_no = [(name, value) for name, value in self.buttons if "deny" in value or name == "abort"]
        return says_no[:1] or [pair for pair in self.pairs if pair == ("action", "deny")]


class _Forms(HTMLParser):
    """The forms of a page with their fields and buttons; a button outside belongs to the form before it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Form] = []
        self.body: dict[str, str] = {}
        self.cancel = ""
        self.asks_who = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "body":
            self.body = given
        elif tag == "form":
            self.found.append(_Form(given.get("action", "")))
        elif tag == "a" and given.get("href", "").endswith("/abort"):
            self.cancel = given["href"]
        elif tag in ("input", "button") and self.found:
            self.asks_who = self.asks_who or given.get("type") == "password"
            form = self.found[-1]
            (form.buttons if tag == "button" else form.pairs).append(
                (given.get("name", ""), given.get("value", ""))
            )


class _Errors(urllib.request.HTTPErrorProcessor):
    """Takes a page with an error status for a page."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        if response.status in (301, 302, 303, 307, 308):
            followed: HTTPResponse = super().http_response(request, response)
            return followed
        return response

    https_response = http_response
