"""Decide from a request whether the program that sent it shows the page in a window.

A visit to our start page proves that a browser can reach this machine, and then no other flow is offered. A
text browser without a terminal, or a program that only downloads, proves nothing: without a display,
`xdg-open` falls back to w3m, whose output is not seen.

Source: RFC 9110 §10.1.5 (User-Agent), §12.5.1 (Accept).
"""

from __future__ import annotations

from loopback_auth.http_messages import HttpRequest
from loopback_auth.words import Words

TEXT_BROWSERS = (
    "browsh",
    "edbrowse",
    "elinks",
    "emacs-w3m",
    "links",
    "lynx",
    "netrik",
    "retawq",
    "w3m",
    "url",
)
"""Product names of programs that show pages as text; `URL/Emacs` is eww's."""
FETCHERS = (
    "aiohttp",
    "axios",
    "aria2",
    "curl",
    "fetch",
    "go-http-client",
    "httpie",
    "libwww-perl",
    "lwp-request",
    "node",
    "okhttp",
    "python-httpx",
    "python-requests",
    "python-urllib",
    "undici",
    "wget",
    "wget2",
)
"""Product names of programs that only download."""
NO_PAGE = Words.LINK_NO_PAGE


def without_window(request: HttpRequest) -> str:
    """Return the name of the program that sent a request if it shows no window; empty for a browser.

    Args:
        request: untrusted; the first product name of User-Agent is read, and Accept.

    Source: RFC 9110 §10.1.5, §12.5.1; WHATWG Fetch §2.2.6 (a navigation accepts `text/html`).
    """
    product = request.header("user-agent").strip().partition(" ")[0].partition("/")[0].lower()
    if product in TEXT_BROWSERS or product in FETCHERS:
        return product
    accepted = ",".join(request.values("accept")).lower()
    kinds = (one.partition(";")[0].strip() for one in accepted.split(","))
    return "" if any(kind in ("text/html", "application/xhtml+xml") for kind in kinds) else NO_PAGE
