"""Who shows a page to a person in a window, by what real programs send."""

from __future__ import annotations

import pytest

from loopback_auth.http_messages import HttpRequest
from loopback_auth.protocol.visitors import NO_PAGE, without_window

NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
LINUX = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)

TABLE = {
    "Chromium": (LINUX, NAVIGATION, ""),
    "Firefox": ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", NAVIGATION, ""),
    "Safari": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.4 Safari/605.1.15",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "",
    ),
    "a phone": ("Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0", NAVIGATION, ""),
    "a browser that does not say who it is": ("", NAVIGATION, ""),
    "XHTML alone": ("Mozilla/5.0", "application/xhtml+xml", ""),
    "in capitals": ("Mozilla/5.0", "TEXT/HTML;q=0.9", ""),
    "w3m": ("w3m/0.5.3+git20230121", "text/html, text/*;q=0.5, image/*, application/*", "w3m"),
    "Lynx": (
        "Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.8",
        "text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01",
        "lynx",
    ),
    "Links": ("Links (2.29; Linux 6.1.0 x86_64; GNU C 12.2; text)", "*/*", "links"),
    "ELinks": ("ELinks/0.16.1.1 (textmode; Linux 6.1.0 x86_64; 80x24-2)", "*/*", "elinks"),
    "ELinks of old": ("ELinks (0.4pre5; Linux 2.4.18 i686; 80x25)", "text/html", "elinks"),
    "eww": ("URL/Emacs Emacs/29.1 (X11; x86_64-pc-linux-gnu)", "text/html, */*", "url"),
    "curl": ("curl/8.5.0", "*/*", "curl"),
    "curl that says it wants a page": ("curl/8.5.0", "text/html", "curl"),
    "Wget": ("Wget/1.21.4", "*/*", "wget"),
    "Python": ("Python-urllib/3.13", "identity", "python-urllib"),
    "Go": ("Go-http-client/1.1", "", "go-http-client"),
    "PowerShell": ("Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1", "", NO_PAGE),
    "a disguise without a page": (LINUX, "*/*", NO_PAGE),
    "an image": (LINUX, "image/avif,image/webp,*/*;q=0.8", NO_PAGE),
    "nothing at all": ("", "", NO_PAGE),
}


@pytest.mark.parametrize(("agent", "accept", "program"), TABLE.values(), ids=TABLE)
def test_who_shows_it_in_a_window(agent: str, accept: str, program: str) -> None:
    """A visit by what nobody sees must not stop the search for another flow."""
    headers = (("User-Agent", agent), ("Accept", accept))
    request = HttpRequest("GET", "/key", tuple(pair for pair in headers if pair[1]))

    assert without_window(request) == program
