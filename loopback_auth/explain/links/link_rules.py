"""Rules for every link of a sign-in, whatever kind of link it is.

Those for authorization requests are in `request_rules`, those for responses and pages in `answer_rules`. What
a server would say to a link is not judged: nothing is sent.
"""

from __future__ import annotations

import re
from collections import Counter

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.explain.links.link import Link, Parameter
from loopback_auth.explain.links.link_words import LINK_PARAMETERS, MULTIPLE, SHOWN, VENDOR_PARAMETERS
from loopback_auth.explain.parameter_words import PARAMETERS
from loopback_auth.explain.reduction import shown_name
from loopback_auth.explain.rules import Rule
from loopback_auth.protocol.urls import is_loopback_url
from loopback_auth.trace.secret_names import SECRET_PARAMETERS

KNOWN = frozenset({*LINK_PARAMETERS, *VENDOR_PARAMETERS, *PARAMETERS, *SECRET_PARAMETERS, *SHOWN})
"""Names that are parameters of a sign-in."""
NEVER = ("client_secret", "code_verifier", "refresh_token", "password", "assertion", "client_assertion")
"""Secrets that no link may carry."""
UNSAFE = frozenset({"javascript", "data", "vbscript", "file", "blob"})
"""Schemes that run a script or open a file."""

_SEPARATED = re.compile(r";(?:client_id|code|redirect_uri|response_type|scope|state)=")
"""Parameters behind a semicolon, which no form has between them."""


def names(parameters: tuple[Parameter, ...]) -> str:
    """List the names of parameters, each once; what may be a secret in the place of a name is not shown."""
    found = dict.fromkeys(one.name if one.name in KNOWN else shown_name(one.name) for one in parameters)
    return ", ".join(list(found)[:8]) + (" and more" if len(found) > 8 else "")


def once(link: Link) -> Judgement | None:
    """Look for parameters that are there twice."""
    if not link.parameters:
        return None
    counts = Counter(one.name for one in link.parameters)
    twice = tuple(
        one
        for one in link.parameters
        if counts[one.name] > 1 and not (one.name in MULTIPLE and link.kind == "authorization request")
    )
    if twice:
        return failed(f"Repeated: {names(twice)}. Two programs can read such a link differently.")
    return passed("Each parameter is there once.")


def encoded(link: Link) -> Judgement | None:
    """Look at how the parameters are encoded."""
    if not link.parameters:
        return None
    if any(_SEPARATED.search(one.value) for one in link.parameters):
        return failed("Parameters are separated by ; in it. Only & separates them.")
    for one in link.parameters:
        if one.trouble:
            return failed(f"The parameter {names((one,))} {one.trouble}.")
    return passed("The parameters are encoded as forms are.")


def with_values(link: Link) -> Judgement | None:
    """Look for parameters without a value."""
    empty = tuple(one for one in link.parameters if one.name in KNOWN and not one.value.strip())
    return failed(f"Without a value: {names(empty)}. The server treats them as omitted.") if empty else None


def no_secret(link: Link) -> Judgement | None:
    """Look for secrets that no link may carry."""
    found = tuple(one for one in link.parameters if one.name in NEVER and one.value)
    if found and link.kind != "token request":
        return failed(f"The link carries {names(found)}.")
    return passed("The link carries no secret of the program.") if link.parameters else None


def encrypted(link: Link) -> Judgement | None:
    """Look for http without TLS to another machine."""
    if link.scheme not in ("http", "https"):
        return None
    if link.scheme == "http" and not is_loopback(link.host):
        return failed("The link is http without TLS, to another machine.")
    return passed("The link is https, or stays on this machine.")


def plain_host(link: Link) -> Judgement | None:
    """Look for a host that can be taken for another one."""
    if not link.host:
        return None
    if link.user:
        return failed("There is a user name before the host, so the link can look like one to another host.")
    if not link.host.isascii() or "xn--" in link.host:
        return failed("The host has letters beyond ASCII, which can look like others.")
    return passed("The host is written in ASCII, with no user name before it.")


def safe_scheme(link: Link) -> Judgement | None:
    """Look for a scheme that is never that of a sign-in."""
    if link.scheme in UNSAFE:
        return failed(f"A link that begins with {link.scheme}: runs a script or opens a file.")
    return passed("The link opens a page or a program.") if link.scheme else None


def is_loopback(host: str) -> bool:
    """Return whether a host of a link is this machine: a loopback address, or a name for one."""
    return bool(host) and is_loopback_url(f"http://[{host}]" if ":" in host else f"http://{host}")


EVERY_LINK: tuple[Rule[Link], ...] = (
    Rule(
        "link-scheme",
        "high",
        "The link does not run a script",
        "CVE-2025-58444; RFC 8252 §8.1",
        "Do not open it.",
        safe_scheme,
    ),
    Rule(
        "plain-http-on-loopback-only",
        "high",
        "The link is https, except on this machine",
        "RFC 6749 §3.1, §3.1.2.1; RFC 9700 §2.6",
        "Use https.",
        encrypted,
    ),
    Rule(
        "host-as-it-looks",
        "medium",
        "The host is the one that it looks like",
        "RFC 3986 §7.6; RFC 5890 §4.4",
        "Compare the host with the documentation of the provider before you open the link.",
        plain_host,
    ),
    Rule(
        "parameters-once",
        "medium",
        "Each parameter is there once",
        "RFC 6749 §3.1",
        "Send each parameter once.",
        once,
    ),
    Rule(
        "parameters-encoded",
        "medium",
        "The parameters are encoded as forms are",
        "RFC 6749 appendix B; RFC 3986 §2.1, §3.4",
        "Build the query with a library for URLs, and encode each value once.",
        encoded,
    ),
    Rule(
        "parameters-with-values",
        "info",
        "Each parameter has a value",
        "RFC 6749 §3.1",
        "Leave out what has no value.",
        with_values,
    ),
    Rule(
        "no-secret-in-link",
        "high",
        "The link carries no secret of the program",
        "RFC 6749 §2.3.1; RFC 7636 §4.5; RFC 9700 §4.3.2",
        "Send it in the body of the token request only, and replace it: it was seen.",
        no_secret,
    ),
)
"""Rules for links of every kind."""
