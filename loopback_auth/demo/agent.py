"""A simulated user agent: what a person with a browser would do at the demo server, as a generator.

It yields steps, or their requests, and is sent responses, so the same conversation runs in memory and over
sockets. It follows redirects, fills in forms and presses buttons, and sends the headers by which a server
recognises a navigation (Fetch Metadata §2, Fetch §3.2 for `Origin`). It keeps no cookies, enforces no
Content-Security-Policy, and sends no `Referer`: our pages forbid one. It runs no scripts, but does what those
of our pages do: a form that submits itself is submitted as by its button, and a page that relays the fragment
of its address has it sent.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Literal, get_args
from urllib.parse import SplitResult, parse_qsl, urldefrag, urlencode, urljoin, urlsplit

from loopback_auth.demo.agent_page import Page, read_page
from loopback_auth.errors import MalformedResponse
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse

STEP_LIMIT = 20
PROGRAM = "simulated user agent"
"""What opened a link, as it is recorded."""
USER_AGENT = "Mozilla/5.0 (simulated user agent of loopback_auth)"
SITES = ("same-origin", "same-site", "cross-site")

Decision = Literal["approve", "deny"]


def browse(
    url: str, *, decision: Decision = "approve", account: str = "", user_code: str = ""
) -> Generator[HttpRequest, HttpResponse, HttpResponse]:
    """Do what `follow` does, but yield requests in place of steps."""
    way = follow(url, decision=decision, account=account, user_code=user_code)
    step = next(way)
    while True:
        answer = yield step.request()
        try:
            step = way.send(answer)
        except StopIteration as end:
            last: HttpResponse = end.value
            return last


def follow(
    url: str, *, decision: Decision = "approve", account: str = "", user_code: str = ""
) -> Generator[Navigation, HttpResponse, HttpResponse]:
    """Open a page and go on from there, until a page comes on which nothing is left to do.

    Args:
        url: absolute URL, as it would be given to a browser.
        decision: which button to press where both are offered.
        account: value or label of the account to choose; empty: the one that the page has chosen.
        user_code: to enter, once, where a page asks for it and has none yet; empty: the one that our waiting
            page showed before, if any.

    Yields:
        One step at a time; send in the response to its request.

    Returns:
        The last response: a page without a form, or one that asks for an unknown code; a redirect to an
        address that is not http; or the response to a relayed fragment, which only a script sees.

    Raises:
        ConfigError: a page offers accounts, and this one is not among them.
        MalformedResponse: a redirect leads nowhere, or there is no end after 20 requests.
    """
    step, person = Navigation("GET", url), Person(decision, account, user_code)
    for _ in range(STEP_LIMIT):
        response = yield step
        following = _after(step, response, person)
        if following is None:
            return response
        step = following
    raise MalformedResponse(
        f"The browser did not arrive: {STEP_LIMIT} requests and no end", source="RFC 9110 §15.4"
    )


@dataclass(slots=True)
class Person:
    """What the simulated person chooses: the account, the decision, the code to type.

    Args:
        decision: which button they press.
        account: which account they choose, as in `follow`.
        user_code: the code to enter; empty when they have none, or have entered it.
    """

    decision: Decision
    account: str
    user_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Navigation:
    """One navigation of the browser, or one fetch of our relay page's script.

    Args:
        method: of the request.
        url: with its fragment, which is never sent.
        body: a form; empty for a GET.
        initiator: origin of the page whose form led here; empty when the person typed the address.
        site: relation of the farthest URL in the chain of redirects to the initiator, one of `SITES`; empty
            without an initiator (Fetch Metadata §2.2).
        origin: value of the header `Origin` of a POST.
        relay: token with which the script of a relay page proves itself; empty: this is a navigation.
    """

    method: Literal["GET", "POST"]
    url: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    initiator: str = ""
    site: str = ""
    origin: str = "null"
    relay: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """What the address bar shows meanwhile, fragment included; empty when a script fetches."""
        return "" if self.relay else self.url

    @property
    def decides(self) -> bool:
        """Whether a person has pressed a button that grants or denies."""
        sent = parse_qsl(self.body.decode("latin-1"))
        return any(name == "decision" and value in get_args(Decision) for name, value in sent)

    def request(self) -> HttpRequest:
        """Return the request, with the headers that a browser would send."""
        url, _, _ = self.url.partition("#")
        headers = [("Host", urlsplit(url).netloc.rpartition("@")[2]), ("User-Agent", USER_AGENT)]
        if self.relay:
            headers += [
                ("Accept", "*/*"),
                ("Content-Type", FORM),
                ("X-Loopback-Relay", self.relay),
                ("Origin", self.origin),
                ("Sec-Fetch-Site", "same-origin"),
                ("Sec-Fetch-Mode", "cors"),
                ("Sec-Fetch-Dest", "empty"),
            ]
            return HttpRequest("POST", url, tuple(headers), self.body)
        headers += [
            ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            ("Upgrade-Insecure-Requests", "1"),
            ("Sec-Fetch-Site", self.site or "none"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-User", "?1"),
            ("Sec-Fetch-Dest", "document"),
        ]
        if self.method == "POST":
            headers += [("Content-Type", FORM), ("Origin", self.origin)]
        return HttpRequest(self.method, url, tuple(headers), self.body)

    def redirected(self, status: int, location: str) -> Navigation:
        """Follow a redirect: only 307 and 308 repeat a POST (RFC 9110 §15.4).

        A fragment goes along unless the new address has its own (RFC 9110 §10.2.2).
        """
        url = location if urlsplit(location).scheme else urljoin(self.url, location)
        if "#" not in url and "#" in self.url:
            url += "#" + urldefrag(self.url).fragment
        step = replace(self, url=url)
        if self.initiator:
            step = replace(step, site=max(self.site, _site(self.initiator, url), key=SITES.index))
        if status in (307, 308):
            return step if _origin(url) == _origin(self.url) else replace(step, origin="null")
        return replace(step, method="GET", body=b"")


def _after(step: Navigation, response: HttpResponse, person: Person) -> Navigation | None:
    """Return what the browser does next; None when this page is the last."""
    if step.relay:
        return None
    location = response.header("location")
    try:
        if response.status in (301, 302, 303, 307, 308) and location:
            following = step.redirected(response.status, location)
            return following if urlsplit(following.url).scheme in ("http", "https") else None
        page = read_page(response)
        person.user_code = person.user_code or page.user_code
        if page.relay and "#" in step.url:
            return _relayed(step, page)
        if page.waits and page.link:
            return _opened(step, urljoin(step.url, page.link))
        if not page.has_form or (page.codes and not _known(page, person)):
            return None
        fields = [*page.hidden, *_entered(page, person), *page.choose(person.account)]
        body = urlencode([*fields, *page.press(person.decision)])
        return _submitted(step, response, urljoin(step.url, page.action), body)
    except ValueError:
        raise MalformedResponse("A redirect or form leads nowhere", source="RFC 3986 §3") from None


def _known(page: Page, person: Person) -> bool:
    return all(value or person.user_code for _, value in page.codes)


def _entered(page: Page, person: Person) -> list[tuple[str, str]]:
    """Fill in what the page does not already hold; a code that was entered once is not tried again."""
    filled = [(name, value or person.user_code) for name, value in page.codes]
    if page.codes:
        person.user_code = ""
    return filled


def _relayed(step: Navigation, page: Page) -> Navigation:
    """Send the fragment as the script of our relaying page does; the page's origin is its own."""
    fragment = urldefrag(step.url).fragment.removeprefix("?")
    url, origin = urljoin(step.url, page.relay), _origin(step.url)
    return Navigation("POST", url, fragment.encode("utf-8"), origin=origin, relay=page.token or "undefined")


def _opened(step: Navigation, url: str) -> Navigation:
    """Follow a link into another tab."""
    initiator = _origin(step.url)
    return Navigation("GET", url, initiator=initiator, site=_site(initiator, url))


def _submitted(step: Navigation, page: HttpResponse, url: str, body: str) -> Navigation:
    initiator = _origin(step.url)
    return Navigation(
        "POST",
        url,
        body.encode("ascii"),
        initiator=initiator,
        site=_site(initiator, url),
        origin=_form_origin(page, initiator, url),
    )


def _form_origin(page: HttpResponse, initiator: str, url: str) -> str:
    """Return the value of `Origin` with which the form of a page is sent (Fetch §3.2)."""
    downgrade = initiator.startswith("https:") and url.startswith("http:")
    secretive = page.header("referrer-policy") == "no-referrer"
    return "null" if downgrade or secretive else initiator


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _site(initiator: str, url: str) -> str:
    """Compare two addresses as Fetch Metadata §2.2 does; host names are not cut to their registrable part."""
    here, there = urlsplit(initiator), urlsplit(url)
    if initiator == _origin(url):
        return "same-origin"
    return "same-site" if _place(here) == _place(there) else "cross-site"


def _place(parts: SplitResult) -> tuple[str, str | None]:
    return parts.scheme, parts.hostname
