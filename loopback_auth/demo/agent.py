"""A simulated user agent: what a person with a browser would do at the demo server, as a generator.

It yields requests and is sent responses, so the same conversation runs in memory and over sockets. It follows
redirects, fills in forms and presses buttons, and sends the headers by which a server recognises a navigation
(Fetch Metadata §2, Fetch §3.2 for `Origin`). It keeps no cookies, runs no scripts (a form that a script would
submit is submitted as by its button), enforces no Content-Security-Policy, and sends no `Referer`: our pages
forbid one.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from loopback_auth.errors import ConfigError, MalformedResponse
from loopback_auth.model import FORM, HttpRequest, HttpResponse

STEP_LIMIT = 20
USER_AGENT = "Mozilla/5.0 (simulated user agent of loopback_auth)"
SITES = ("same-origin", "same-site", "cross-site")

Decision = Literal["approve", "deny"]


def browse(
    url: str, *, decision: Decision = "approve", account: str = ""
) -> Generator[HttpRequest, HttpResponse, HttpResponse]:
    """Open a page and go on from there, until a page comes that asks for nothing more.

    Args:
        url: absolute URL, as it would be given to a browser.
        decision: which button to press where both are offered.
        account: value or label of the account to choose; empty: the one chosen beforehand.

    Yields:
        One request at a time; send in the response.

    Returns:
        The last response: a page without a form, or a redirect to something that is not http.

    Raises:
        ConfigError: a page offers accounts, and this one is not among them.
        MalformedResponse: a redirect leads nowhere, or there is no end after 20 requests.
    """
    step = Step("GET", url)
    for _ in range(STEP_LIMIT):
        response = yield step.request()
        following = _after(step, response, decision, account)
        if following is None:
            return response
        step = following
    raise MalformedResponse(
        f"The browser did not arrive: {STEP_LIMIT} requests and no end", source="RFC 9110 §15.4"
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One navigation: what to fetch, and who began it.

    Args:
        initiator: origin of the page whose form led here; empty when the person typed the address.
        site: how far the chain of redirects has strayed from the initiator; empty without one.
        origin: value of `Origin` if this is a POST.
    """

    method: Literal["GET", "POST"]
    url: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    initiator: str = ""
    site: str = ""
    origin: str = "null"

    def request(self) -> HttpRequest:
        """Dress this navigation as a browser would."""
        url, _, _ = self.url.partition("#")
        headers = [
            ("Host", urlsplit(url).netloc.rpartition("@")[2]),
            ("User-Agent", USER_AGENT),
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

    def redirected(self, status: int, location: str) -> Step:
        """Follow a redirect: only 307 and 308 repeat a POST (RFC 9110 §15.4)."""
        url = location if urlsplit(location).scheme else urljoin(self.url, location)
        step = replace(self, url=url)
        if self.initiator:
            step = replace(step, site=max(self.site, _site(self.initiator, url), key=SITES.index))
        if status in (307, 308):
            return step if _origin(url) == _origin(self.url) else replace(step, origin="null")
        return replace(step, method="GET", body=b"")


def _after(step: Step, response: HttpResponse, decision: Decision, account: str) -> Step | None:
    """Tell what the browser does next; None when this page is the last."""
    location = response.header("location")
    try:
        if response.status in (301, 302, 303, 307, 308) and location:
            following = step.redirected(response.status, location)
            return following if urlsplit(following.url).scheme in ("http", "https") else None
        form = _read_form(response)
        if form is None:
            return None
        fields = [*form.hidden, *form.choose(account), *form.press(decision)]
        return _submitted(step, response, urljoin(step.url, form.action), urlencode(fields))
    except ValueError:
        raise MalformedResponse("A redirect or form leads nowhere", source="RFC 3986 §3") from None


def _submitted(step: Step, page: HttpResponse, url: str, body: str) -> Step:
    initiator = _origin(step.url)
    return Step(
        "POST",
        url,
        body.encode("ascii"),
        initiator=initiator,
        site=_site(initiator, url),
        origin=_form_origin(page, initiator, url),
    )


def _form_origin(page: HttpResponse, initiator: str, url: str) -> str:
    """Say what a page may tell about itself when its form is sent (Fetch §3.2)."""
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


class _Form(HTMLParser):
    """Reads the first form of a page whose method is post."""

    def __init__(self) -> None:
        super().__init__()
        self.found = False
        self.action = ""
        self.hidden: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []
        self.radios: list[tuple[str, str, str]] = []
        self.checked = 0
        self._inside = False
        self._label = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.found and given.get("method", "").lower() == "post":
            self.found = self._inside = True
            self.action = given.get("action", "")
        if not self._inside:
            return
        pair = (given.get("name", ""), given.get("value", ""))
        kind = given.get("type", "").lower()
        self._label = self._label or tag == "label"
        if tag == "button" and kind in ("", "submit"):
            self.buttons.append(pair)
        elif tag == "input" and kind == "hidden":
            self.hidden.append(pair)
        elif tag == "input" and kind == "radio":
            if "checked" in given:
                self.checked = len(self.radios)
            self.radios.append((*pair, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        if tag == "label":
            self._label = False

    def handle_data(self, data: str) -> None:
        if self._label and self.radios:
            name, value, label = self.radios[-1]
            self.radios[-1] = (name, value, (label + data).strip())

    def choose(self, account: str) -> list[tuple[str, str]]:
        """Set the radio buttons."""
        if not self.radios:
            return []
        wanted = [radio[:2] for radio in self.radios if account in radio[1:]]
        if account and not wanted:
            raise ConfigError("The page does not offer this account")
        return wanted[:1] if account else [self.radios[self.checked][:2]]

    def press(self, decision: str) -> list[tuple[str, str]]:
        """Press the button of the decision, or the first one; nameless buttons send nothing."""
        wanted = [pair for pair in self.buttons if pair[1] == decision] or self.buttons
        return [pair for pair in wanted[:1] if pair[0]]


def _read_form(response: HttpResponse) -> _Form | None:
    if not response.header("content-type").lower().startswith("text/html"):
        return None
    form = _Form()
    form.feed(response.body.decode("utf-8", "replace"))
    form.close()
    return form if form.found else None
