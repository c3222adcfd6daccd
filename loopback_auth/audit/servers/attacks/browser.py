"""A simulated browser for the pages of any server: cookies, redirects, and forms that a person fills in.

It stops where the browser would be sent to a redirect URI, and never requests one. It notes what happened on
the way: how many forms were sent, and whether a redirect would have sent a password on.

Source: RFC 9110 §15.4 (redirects); RFC 6265 §5; RFC 9700 §4.12 (307 after a form with a password).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urljoin

from loopback_auth.audit.servers.attacks.forms import read_web_page
from loopback_auth.audit.servers.attacks.person import Person, chosen_form, filled
from loopback_auth.audit.servers.cookies import Cookies
from loopback_auth.demo.agent import USER_AGENT
from loopback_auth.doctor.destination import redirect_target
from loopback_auth.effects import Flow, Send
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.protocol.urls import origin, shown_url

MOST_PAGES = 20
"""Requests of one visit."""
AGAIN = 3
"""How often the same form may come before the person gives up."""


Via = Literal["query", "form_post", "relay"]


@dataclass(frozen=True, slots=True)
class Visit:
    """How a visit ended.

    Args:
        address: where the browser would be sent, without query and fragment; empty: it stayed.
        parameters: that it would bring there.
        via: how they travel; `relay` stands for the fragment.
        told: why it ended, as a sentence.
        forms: how many forms were sent.
        leaked: a redirect would have sent the password to the redirect URI.
        last: the last response.
    """

    address: str = ""
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    via: Via = "query"
    told: str = ""
    forms: int = 0
    leaked: bool = False
    last: HttpResponse = field(default=HttpResponse(0), repr=False)

    def value(self, name: str) -> str:
        """Return a parameter that is brought; empty where it is missing."""
        return dict(self.parameters).get(name, "")


class Browser:
    """One browser, with its cookies and the person in front of it.

    Args:
        person: who fills in the forms.
        cookies: that it has already.
    """

    def __init__(self, person: Person, cookies: Cookies | None = None) -> None:
        self._person = person
        self._cookies = cookies or Cookies()

    def with_code(self, user_code: str) -> Browser:
        """Return the same browser, with a code to type."""
        return Browser(replace(self._person, user_code=user_code), self._cookies)

    def visit(self, url: str, stops: Callable[[str], bool]) -> Flow[Visit]:
        """Open a page, and go on until the browser would be sent to a redirect URI.

        Args:
            url: of the first page.
            stops: whether an address, without query and fragment, is such a URI.

        Raises:
            TransportError: a server did not answer.

        Source: RFC 9110 §15.4; HTML §4.10.21.
        """
        walk = _Walk(self._person, stops)
        request = _navigation("GET", url)
        for _ in range(MOST_PAGES):
            response = yield from Send(self._cookies.added(request), step="page")
            self._cookies.learn(request.url, response)
            try:
                following = walk.after(request, response)
            except ValueError:
                return walk.stopped(request, response, "a link in it cannot be read")
            if isinstance(following, Visit):
                return following
            request = following
        return Visit(told=f"The simulated user gave up after {MOST_PAGES} pages.", forms=walk.forms)


class _Walk:
    """The steps of one visit, from page to page."""

    def __init__(self, person: Person, stops: Callable[[str], bool]) -> None:
        self.forms = 0
        self._person = person
        self._stops = stops
        self._secret = False
        """Whether the request under way has the password in it."""
        self._seen: dict[str, int] = {}

    def after(self, request: HttpRequest, response: HttpResponse) -> HttpRequest | Visit:
        """Return the next request, or the end of the visit.

        Raises:
            ValueError: an address cannot be read.
        """
        target = redirect_target(request.url, response)
        if not target:
            return self._after_page(request, response)
        repeats = response.status in (307, 308) and request.method == "POST"
        if ended := self._ended(target, response, leaked=repeats and self._secret):
            return ended
        self._secret = self._secret and repeats
        return _redirected(request, target, repeats=repeats)

    def stopped(self, request: HttpRequest, response: HttpResponse, why: str) -> Visit:
        """Return that the person could not go on, and where."""
        title = read_web_page(response).title
        where = f"{request.method} {shown_url(request.url).partition('?')[0]}, HTTP status {response.status}"
        named = f", titled {title!a}" if title else ""
        told = f"The simulated user stopped at a page ({where}{named}): {why}."
        return Visit(told=told, forms=self.forms, last=response)

    def _after_page(self, request: HttpRequest, response: HttpResponse) -> HttpRequest | Visit:
        page = read_web_page(response)
        form = chosen_form(page)
        if form is None and page.leads_to:
            target = urljoin(request.url, page.leads_to)
            return self._ended(target, response) or _navigation("GET", target, request.url)
        if form is None:
            return self.stopped(request, response, "it has no form to send")
        action, pairs = urljoin(request.url, form.action or request.url), filled(form, self._person)
        if self._stops(address := action.partition("#")[0].partition("?")[0]):
            told = f"A form leads to {shown_url(address)}."
            return Visit(address, tuple(pairs), "form_post", told, self.forms, last=response)
        if form.of_kind("password") and not self._person.password:
            return self.stopped(request, response, "it asks for a password")
        key = f"{form.method} {address} {sorted(name for name, _ in pairs)}"
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] >= AGAIN:
            return self.stopped(request, response, "the same form comes again")
        self.forms += 1
        self._secret = bool(form.of_kind("password"))
        return _submitted(request.url, action, form.method, pairs)

    def _ended(self, target: str, response: HttpResponse, *, leaked: bool = False) -> Visit | None:
        address, parameters, via = _split(target)
        if not self._stops(address):
            return None
        told = f"The browser is sent to {shown_url(address)}."
        return Visit(address, parameters, via, told, self.forms, leaked, response)


def _split(url: str) -> tuple[str, tuple[tuple[str, str], ...], Via]:
    rest, _, fragment = url.partition("#")
    address, _, query = rest.partition("?")
    pairs = tuple(parse_qsl(query)) + tuple(parse_qsl(fragment.removeprefix("?")))
    return address, pairs, "relay" if fragment and not query else "query"


def _navigation(method: str, url: str, page: str = "", body: bytes = b"") -> HttpRequest:
    """Build the request of a navigation, with the headers by which a server recognises one."""
    headers = [
        ("User-Agent", USER_AGENT),
        ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-User", "?1"),
        ("Sec-Fetch-Site", _site(page, url)),
    ]
    if page:
        headers.append(("Referer", page.partition("#")[0]))
    if method == "POST":
        headers += [("Content-Type", FORM), ("Origin", origin(page) if page else "null")]
    return HttpRequest(method, url.partition("#")[0], tuple(headers), body)


def _site(page: str, url: str) -> str:
    if not page:
        return "none"
    return "same-origin" if origin(page) == origin(url) else "cross-site"


def _redirected(request: HttpRequest, target: str, *, repeats: bool) -> HttpRequest:
    page = request.header("referer")
    if repeats:
        return _navigation("POST", target, page, request.body)
    return _navigation("GET", target, page)


def _submitted(page: str, action: str, method: str, pairs: list[tuple[str, str]]) -> HttpRequest:
    if method == "post":
        return _navigation("POST", action, page, urlencode(pairs).encode("ascii"))
    return _navigation("GET", f"{action.partition('?')[0]}?{urlencode(pairs)}", page)
