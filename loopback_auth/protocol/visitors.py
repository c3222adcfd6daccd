"""Whether the program that asked for a page shows it to a person in a window, as far as its request says.

A visit to our start page is the proof that a browser can come back to us, and stops the search for another
flow. A text browser that was started without a terminal, or a program that only fetches, proves nothing:
`xdg-open` falls back to w3m where there is no window, and nobody ever sees what w3m then prints.

Source: RFC 9110 §10.1.5 (User-Agent), §12.5.1 (Accept).
"""

from __future__ import annotations

from loopback_auth.model import HttpRequest

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
"""Product names of programs that show pages to nobody."""
NO_PAGE = "a program that asked for no web page"


def without_window(request: HttpRequest) -> str:
    """Name the program that asked, where it shows nobody a page in a window; empty for a browser.

    Args:
        request: untrusted; its first product name is looked at, and what it accepts.

    Source: RFC 9110 §10.1.5, §12.5.1; WHATWG Fetch §2.2.6 (a navigation accepts `text/html`).
    """
    product = request.header("user-agent").strip().partition(" ")[0].partition("/")[0].lower()
    if product in TEXT_BROWSERS or product in FETCHERS:
        return product
    accepted = ",".join(request.values("accept")).lower()
    kinds = (one.partition(";")[0].strip() for one in accepted.split(","))
    return "" if any(kind in ("text/html", "application/xhtml+xml") for kind in kinds) else NO_PAGE
