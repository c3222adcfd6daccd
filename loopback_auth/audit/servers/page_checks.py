"""Checks of the login page: what other sites can do with it, and what it leaves behind.

Source: RFC 9700 §4.2.4, §4.16; RFC 6265 §4.1.2.5, §4.1.2.6; RFC 9111 §5.2.2.5.
"""

from __future__ import annotations

import re

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.cookies import set_cookies
from loopback_auth.audit.servers.page_questions import LOGIN
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.doctor.destination import page_text, redirect_target
from loopback_auth.http_messages import HttpResponse
from loopback_auth.redact import server_text

_OF_FORMS = re.compile(r"(?i)csrf|xsrf")
_ANCESTORS = re.compile(r"(?i)frame-ancestors\s+([^;,]*)")
_REFERRER = re.compile(r"""(?i)<meta[^>]*name=["']?referrer["']?[^>]*content=["']?([\w-]+)""")
QUIET = frozenset(
    {"no-referrer", "same-origin", "origin", "strict-origin", "origin-when-cross-origin"}
    | {"strict-origin-when-cross-origin"}
)
"""Referrer policies under which another site does not see the parameters of the address."""


def _page(observed: Observed) -> HttpResponse | str:
    """Return the login page, or why there is none."""
    response = observed.response(LOGIN)
    if response is None:
        return observed.silence(LOGIN)
    url = observed.answers[LOGIN].request.url
    if target := redirect_target(url, response):
        host = server_text(target.partition("://")[2].partition("/")[0], 100)
        return f"The login page is elsewhere, and was not visited: {host}."
    if response.status not in (200, 401) or "html" not in response.header("content-type").lower():
        return f"No login page was shown: HTTP status {response.status}."
    return response


def _frames(observed: Observed) -> Judgement:
    page = _page(observed)
    if isinstance(page, str):
        return unseen(page)
    policy = ", ".join(value for name, value in page.headers if name.lower() == "content-security-policy")
    allowed = _ANCESTORS.findall(policy)
    options = page.header("x-frame-options").strip().lower()
    if allowed and not any("*" in one.split() for one in allowed):
        return passed(f"Content-Security-Policy: frame-ancestors {server_text(allowed[0], 100)}.")
    if options in ("deny", "sameorigin"):
        return passed(f"X-Frame-Options: {options}.")
    return failed("Neither frame-ancestors nor X-Frame-Options keeps the login page out of frames.")


def _referrer(observed: Observed) -> Judgement:
    page = _page(observed)
    if isinstance(page, str):
        return unseen(page)
    stated = page.header("referrer-policy").lower() or ", ".join(_REFERRER.findall(page_text(page))).lower()
    chosen = [one.strip() for one in stated.split(",") if one.strip()]
    if chosen and chosen[-1] in QUIET:
        return passed(f"Referrer-Policy: {chosen[-1]}.")
    return failed(f"Referrer-Policy: {server_text(chosen[-1], 60)}." if chosen else "There is none.")


def _stored(observed: Observed) -> Judgement:
    page = _page(observed)
    if isinstance(page, str):
        return unseen(page)
    control = page.header("cache-control").lower()
    if "no-store" in control or "no-cache" in control or "max-age=0" in control:
        return passed(f"Cache-Control: {server_text(control, 80)}.")
    return failed(f"Cache-Control: {server_text(control, 80)}." if control else "There is no Cache-Control.")


def _cookies(observed: Observed) -> Judgement:
    page = _page(observed)
    if isinstance(page, str):
        return unseen(page)
    lines = set_cookies(page)
    if not lines:
        return idle("The last answer on the way to the login page sets no cookie.")
    encrypted = observed.answers[LOGIN].request.url.startswith("https:")
    wanted = ["httponly", *(["secure"] if encrypted else [])]
    for line in lines:
        name, _, attributes = line.partition("=")
        given = {one.strip().partition("=")[0].lower() for one in attributes.split(";")[1:]}
        # A script of the page has to read the value that protects its forms.
        asked = wanted[1:] if _OF_FORMS.search(name) else wanted
        missing = [one for one in asked if one not in given]
        if missing:
            return failed(f"The cookie {server_text(name, 60)} lacks {' and '.join(missing)}.")
    return passed(f"{len(lines)} cookies are set, each with {' and '.join(wanted)}.")


CHECKS = (
    ServerCheck(
        "frames",
        "medium",
        "Other sites cannot put the login page into a frame",
        "Other sites can put its login page into a frame.",
        "RFC 9700 §4.16",
        "Send Content-Security-Policy: frame-ancestors 'none', and X-Frame-Options: DENY.",
        (LOGIN,),
        _frames,
    ),
    ServerCheck(
        "referrer",
        "low",
        "The login page does not tell other sites its address",
        "Its login page may tell other sites its address.",
        "RFC 9700 §4.2.4",
        "Send Referrer-Policy: no-referrer with the pages of the authorization endpoint.",
        (LOGIN,),
        _referrer,
    ),
    ServerCheck(
        "login-stored",
        "low",
        "The login page is not kept in caches",
        "Its login page may be kept in caches.",
        "RFC 9700 §4.3; RFC 9111 §5.2.2.5",
        "Send Cache-Control: no-store with the pages of the authorization endpoint.",
        (LOGIN,),
        _stored,
    ),
    ServerCheck(
        "cookies",
        "low",
        "Scripts and unencrypted requests do not get the cookies of the login",
        "A cookie of its login page is not protected.",
        "RFC 6265 §4.1.2.5, §4.1.2.6",
        "Set the cookies of the login with HttpOnly and Secure.",
        (LOGIN,),
        _cookies,
    ),
)
