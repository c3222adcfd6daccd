"""Rules for the redirect URI of an authorization request: where the response would go.

Whether the redirect URI is registered is not judged: only the server knows that.

Source: RFC 6749 §3.1.2; RFC 8252 §7, §8.3; RFC 9700 §2.1, §2.6.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.explain.links.link import Link
from loopback_auth.explain.links.link_rules import UNSAFE, is_loopback
from loopback_auth.explain.rules import Rule

OOB = "urn:ietf:wg:oauth:2.0:oob"
"""The redirect URI by which Google's clients had a code shown to the user."""


def redirect_uri(link: Link) -> Judgement | None:
    """Look for the redirect URI."""
    if link.by_reference:
        return None
    if "redirect_uri" not in link:
        return failed(
            "There is no redirect_uri, so the server takes the registered one if there is only one."
        )
    return passed("There is a redirect_uri.")


def redirect_form(link: Link) -> Judgement | None:
    """Look at the form of the redirect URI."""
    uri = link.value("redirect_uri")
    if not uri:
        return None
    if "#" in uri:
        return failed("The redirect_uri has a fragment.")
    if "*" in uri:
        return failed("The redirect_uri has a * in it: a server that allows it allows too much.")
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        return failed("The redirect_uri cannot be read.")
    if not parts.scheme or (parts.scheme in ("http", "https") and not host):
        return failed("The redirect_uri is not absolute.")
    if "@" in parts.netloc:
        return failed("The redirect_uri has a user name before the host.")
    if parts.scheme.lower() in UNSAFE:
        return failed(
            f"A redirect_uri that begins with {parts.scheme.lower()}: runs a script or opens a file."
        )
    return passed("The redirect_uri is absolute and has no fragment.")


def redirect_encrypted(link: Link) -> Judgement | None:
    """Look for http without TLS to another machine."""
    scheme, host = _redirect(link)
    if scheme not in ("http", "https"):
        return None
    if scheme == "http" and not is_loopback(host):
        return failed("The response would go to another machine over http without TLS.")
    return passed("The response is encrypted, or stays on this machine.")


def redirect_literal(link: Link) -> Judgement | None:
    """Look at the host of a loopback redirect URI."""
    host = _redirect(link)[1]
    if not is_loopback(host):
        return None
    if host == "localhost" or host.endswith(".localhost"):
        return failed("The redirect URI has a host name instead of a loopback address.")
    return passed("The host of the redirect URI is a loopback address.")


def redirect_scheme(link: Link) -> Judgement | None:
    """Look at a scheme of the program's own."""
    scheme = _redirect(link)[0]
    if scheme in ("", "http", "https", "urn", *UNSAFE):
        return None
    if "." not in scheme:
        return failed("The scheme of the redirect_uri is not a domain backwards: another app can claim it.")
    return passed("The scheme of the redirect_uri is a domain backwards.")


def no_oob(link: Link) -> Judgement | None:
    """Look for the redirect URI that means copying the code by hand."""
    if "redirect_uri" not in link:
        return None
    if link.value("redirect_uri").startswith(OOB):
        return failed("The code is shown on a page of the server, and the user copies it.")
    return passed("The browser brings the response.")


def _redirect(link: Link) -> tuple[str, str]:
    """Return scheme and host of the redirect URI; empty where it cannot be read."""
    try:
        parts = urlsplit(link.value("redirect_uri"))
        return parts.scheme.lower(), parts.hostname or ""
    except ValueError:
        return "", ""


REDIRECT_RULES: tuple[Rule[Link], ...] = (
    Rule(
        "redirect-encrypted",
        "high",
        "The response is encrypted, or stays on this machine",
        "RFC 9700 §2.6; RFC 6749 §3.1.2.1",
        "Register an https redirect URI.",
        redirect_encrypted,
    ),
    Rule(
        "redirect-uri-form",
        "high",
        "The redirect URI is absolute and exact",
        "RFC 6749 §3.1.2; RFC 9700 §2.1, §4.1.3",
        "Register and send one absolute URI, without a fragment and without a *.",
        redirect_form,
    ),
    Rule(
        "redirect-loopback-literal",
        "medium",
        "The redirect URI has a loopback address, not a host name",
        "RFC 8252 §8.3",
        "Register http://127.0.0.1 instead of http://localhost.",
        redirect_literal,
    ),
    Rule(
        "redirect-scheme",
        "medium",
        "Another app cannot claim the redirect URI by chance",
        "RFC 8252 §7.1",
        "Use a domain that you own, written backwards, such as com.example.app.",
        redirect_scheme,
    ),
    Rule(
        "redirect-not-oob",
        "medium",
        "The browser brings the response",
        "RFC 8252 §7.3; Google, Out-Of-Band (OOB) flow migration guide",
        "Use a loopback redirect URI, or the device grant.",
        no_oob,
    ),
    Rule(
        "redirect-uri-sent",
        "low",
        "The request says where the response should go",
        "RFC 6749 §3.1.2.3; OpenID Connect Core 1.0 §3.1.2.1",
        "Send the registered redirect_uri.",
        redirect_uri,
    ),
)
"""Rules for the redirect URI."""
