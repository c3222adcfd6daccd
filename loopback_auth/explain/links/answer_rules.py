"""Rules for what a browser is sent to: authorization responses, and pages where a login is approved.

Source: RFC 6749 §4.1.2, §4.2.2; RFC 9700 §4.3; RFC 9207 §2; RFC 8628 §3.3, §5.
"""

from __future__ import annotations

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.explain.links.link import Link, Parameter
from loopback_auth.explain.links.link_rules import is_loopback, names
from loopback_auth.explain.rules import Rule

SHORT_CODE = 8
"""Letters and digits of the user code that RFC 8628 §6.1 recommends."""


def token_in_fragment(link: Link) -> Judgement | None:
    """Look for tokens behind the number sign."""
    found = _carrying(link, "access_token", "id_token", where="fragment")
    return failed(f"Behind the # of the address: {names(found)}.") if found else passed("No token is there.")


def token_in_query(link: Link) -> Judgement | None:
    """Look for tokens in the query, which servers log."""
    found = _carrying(link, "access_token", "id_token", where="query")
    return failed(f"In the query of the address: {names(found)}.") if found else passed("No token is there.")


def code_in_history(link: Link) -> Judgement | None:
    """Look for a code: the browser's history keeps the address."""
    if not _carrying(link, "code", where="query") and not _carrying(link, "code", where="fragment"):
        return None
    return failed("The address has the code, and the history of the browser keeps the address.")


def state_returned(link: Link) -> Judgement | None:
    """Look for the state."""
    if "response" in link:
        return None  # It is inside.
    if "state" not in link:
        return failed("The response has no state, so the program cannot know whether it asked for it.")
    return passed("The response has a state. Only the program can compare it with the one that it sent.")


def issuer_returned(link: Link) -> Judgement | None:
    """Look for the issuer."""
    if "response" in link or "id_token" in link:
        return None
    return passed("The response names its issuer.") if "iss" in link else failed("The response has no iss.")


def code_or_error(link: Link) -> Judgement | None:
    """Look for a success and an error at the same time."""
    tokens = [name for name in ("code", "access_token", "id_token") if name in link]
    if "error" in link and tokens:
        return failed(f"The response has an error and also {', '.join(tokens)}.")
    return passed("The response is either a success or an error.")


def no_refresh_token(link: Link) -> Judgement | None:
    """Look for a refresh token, which never comes through a browser."""
    if "refresh_token" in link:
        return failed("The browser carries a refresh token.")
    return passed("The browser carries no refresh token.") if "access_token" in link else None


def token_type(link: Link) -> Judgement | None:
    """Look for the type of the access token."""
    if "access_token" not in link:
        return None
    return passed("The response names it.") if "token_type" in link else failed("There is no token_type.")


def lifetime(link: Link) -> Judgement | None:
    """Look for the lifetime of the access token."""
    if "access_token" not in link:
        return None
    seconds = link.value("expires_in")
    if seconds.isascii() and seconds.isdigit():
        return passed("The response names it.")
    return failed("The response does not say, in whole seconds, how long the access token is valid.")


def loopback_literal(link: Link) -> Judgement | None:
    """Look at the host of a response on this machine."""
    if not is_loopback(link.host):
        return None
    if link.host == "localhost" or link.host.endswith(".localhost"):
        return failed("The response goes to localhost, a name, and not to a loopback address.")
    return passed("The response goes to a loopback address.")


def user_code_shown(link: Link) -> Judgement | None:
    """Look for the user code."""
    if "user_code" not in link:
        return None
    return failed("The link has the user code in it, so the user need not compare or type it.")


def user_code_long(link: Link) -> Judgement | None:
    """Count the characters of the user code."""
    if "user_code" not in link:
        return None
    count = sum(map(str.isalnum, link.value("user_code")))
    if count < SHORT_CODE:
        return failed(f"The user code has {count} letters and digits.")
    return passed(f"The user code has {count} letters and digits.")


def ticket_in_url(link: Link) -> Judgement:
    """Look for the ID by which the ticket is exchanged; other vendors' programs poll with another secret."""
    if "ticket" in link:
        return failed(
            "The link has the ID of the ticket. Anyone who has it can exchange the approved ticket."
        )
    return passed("The program polls with another secret than the one in the link.")


def posted(_link: Link) -> Judgement:
    """Say that a token request is not a link."""
    return failed("This is a token request in the form of a link: its secrets are in the address.")


def _carrying(link: Link, *wanted: str, where: str) -> tuple[Parameter, ...]:
    return tuple(one for one in link.parameters if one.name in wanted and one.value and one.where == where)


RESPONSE_RULES: tuple[Rule[Link], ...] = (
    Rule(
        "token-in-fragment",
        "high",
        "No token is in a URL fragment",
        "RFC 9700 §2.1.2; RFC 8252 §8.2",
        "Use response_type=code: scripts and extensions can read the fragment, and the history keeps it.",
        token_in_fragment,
    ),
    Rule(
        "token-in-url",
        "high",
        "No token is in the query of a URL",
        "RFC 9700 §4.3.2; OAuth 2.0 Multiple Response Types §3, §5",
        "Use response_type=code: what is in the query is in the history, in logs, and in the Referer.",
        token_in_query,
    ),
    Rule(
        "refresh-token-in-browser",
        "high",
        "No refresh token comes through the browser",
        "RFC 6749 §4.2.2",
        "Revoke it, and use response_type=code.",
        no_refresh_token,
    ),
    Rule(
        "state-returned",
        "high",
        "The response has the state of the request",
        "RFC 6749 §4.1.2, §10.12; RFC 8252 §8.9",
        "Send a state with each request, and refuse a response without it.",
        state_returned,
    ),
    Rule(
        "code-or-error",
        "medium",
        "The response is a success or an error",
        "RFC 6749 §4.1.2, §4.1.2.1",
        "Do not use the response: it was not made by a server that keeps the standard.",
        code_or_error,
    ),
    Rule(
        "redirect-loopback-literal",
        "medium",
        "The redirect URI has a loopback address, not a host name",
        "RFC 8252 §8.3",
        "Register http://127.0.0.1 instead of http://localhost.",
        loopback_literal,
    ),
    Rule(
        "token-type-named",
        "low",
        "The response says how to use the access token",
        "RFC 6749 §4.2.2, §7.1",
        "Do not use a token whose type is not known.",
        token_type,
    ),
    Rule(
        "iss-returned",
        "low",
        "The response names its issuer",
        "RFC 9207 §2.4",
        "If you use several servers, give each its own redirect path.",
        issuer_returned,
    ),
    Rule(
        "code-in-history",
        "low",
        "The code is in no address",
        "RFC 9700 §4.3.1",
        "Ask for response_mode=form_post where the server offers it.",
        code_in_history,
    ),
    Rule(
        "lifetime-named",
        "info",
        "The response says how long the access token is valid",
        "RFC 6749 §4.2.2",
        "Expect the token to end at any time.",
        lifetime,
    ),
)
"""Rules for authorization responses, in a query or a fragment."""

DEVICE_RULES: tuple[Rule[Link], ...] = (
    Rule(
        "user-code-shown",
        "medium",
        "The user compares or types the code",
        "RFC 8628 §3.3.1, §5.4",
        "Approve only if you started the login yourself just now, and the program shows the same code.",
        user_code_shown,
    ),
    Rule(
        "user-code-unguessable",
        "low",
        "The user code cannot be guessed",
        "RFC 8628 §5.1, §6.1",
        "Ask the provider for longer codes.",
        user_code_long,
    ),
)
"""Rules for pages where a device is approved."""

TICKET_RULES: tuple[Rule[Link], ...] = (
    Rule(
        "ticket-id-in-url",
        "high",
        "The approval link is not enough to get the tokens",
        "https://github.com/netlify/open-api; RFC 8628 §3.2",
        "Keep the link secret. Approve only if you started the login yourself just now.",
        ticket_in_url,
    ),
)
"""Rules for pages where a ticket is approved."""

TOKEN_REQUEST_RULES: tuple[Rule[Link], ...] = (
    Rule(
        "token-request-posted",
        "high",
        "A token request is posted",
        "RFC 6749 §3.2, §2.3.1",
        "Send a POST request with the parameters in the body, and replace the secrets that were in the link.",
        posted,
    ),
)
"""Rules for token requests that were written as a link."""
