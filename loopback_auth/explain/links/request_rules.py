"""Rules for authorization requests: what is missing in a link, and what is wrong with it.

A request is judged by what can be read. What was pushed, or is encrypted, is not judged at all. Nothing is
said about what the server demands beyond the standards.

Source: RFC 6749 §4.1.1; RFC 7636 §4; RFC 8252 §7, §8; RFC 9700 §2.1; OpenID Connect Core 1.0 §3.1.2.1.
"""

from __future__ import annotations

import hashlib
import math
import re

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.explain.links.link import Link
from loopback_auth.explain.links.reference_rules import HASH
from loopback_auth.explain.rules import Rule
from loopback_auth.protocol.pkce import base64url

LEAST_BITS = 120
"""Bits of a random value. RFC 6749 §10.10 wants 128, and a random UUID, which is usual, has 122."""
TYPES = frozenset({"code", "token", "id_token", "none", "vp_token"})
"""Words of a response type that standards define (OAuth Authorization Endpoint Response Types of IANA)."""
MODES = frozenset(
    {"query", "fragment", "form_post", "web_message", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}
)
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def response_type(link: Link) -> Judgement | None:
    """Look for the response type."""
    if link.by_reference:
        return None
    if "response_type" not in link:
        return failed("There is no response_type. Some servers, such as GitHub, take it for code.")
    if set(link.words("response_type")) - TYPES:
        return failed("The response_type has a word that no standard defines; case matters.")
    return passed("The request says what it asks for.")


def no_implicit(link: Link) -> Judgement | None:
    """Look for an access token through the browser."""
    if link.by_reference:
        return None
    if "token" in link.words("response_type"):
        return failed("The request asks for the access token itself, through the browser.")
    return passed("No access token comes through the browser.")


def pkce(link: Link) -> Judgement | None:
    """Look for an S256 challenge."""
    if link.by_reference or not _asks_for_code(link):
        return None
    if "code_challenge" not in link:
        return failed("The request has no code_challenge, so anyone who gets the code can exchange it.")
    if link.value("code_challenge_method") in ("", "plain"):
        return failed(
            "The code_challenge is plain: the browser sees the verifier, which protects nothing then."
        )
    if link.value("code_challenge_method") != "S256":
        return failed("The code_challenge_method is not S256.")
    return passed("There is an S256 challenge.")


def challenge_form(link: Link) -> Judgement | None:
    """Look at the form of the challenge."""
    challenge = link.value("code_challenge")
    if not challenge:
        return None
    method = link.value("code_challenge_method")
    if method not in ("", "plain", "S256"):
        return failed("The code_challenge_method is neither S256 nor plain.")
    if method == "S256" and not HASH.fullmatch(challenge):
        return failed(
            f"An S256 challenge has 43 characters of base64url without padding; this one has "
            f"{len(challenge)} characters, or others."
        )
    if not _CHALLENGE.fullmatch(challenge):
        return failed(f"A challenge has 43 to 128 unreserved characters; this one has {len(challenge)}.")
    return passed("The challenge has the right form.")


def bound(link: Link) -> Judgement | None:
    """Look for anything that ties the response to this browser."""
    if link.by_reference:
        return None
    if not any(name in link for name in ("state", "code_challenge", "nonce")):
        return failed("There is no state, no code_challenge and no nonce: any page can forge the response.")
    return passed("Something ties the response to this request.")


def state(link: Link) -> Judgement | None:
    """Look for a state."""
    judged = bound(link)
    if judged is None or judged.verdict == "fail":
        return None  # Said there.
    if "state" not in link:
        return failed("There is no state, so the program cannot tell this response from a forged one.")
    return passed("There is a state.")


def state_unguessable(link: Link) -> Judgement | None:
    """Estimate how hard the state is to guess."""
    return _unguessable(link, "state")


def nonce_unguessable(link: Link) -> Judgement | None:
    """Estimate how hard the nonce is to guess."""
    return _unguessable(link, "nonce")


def state_without_url(link: Link) -> Judgement | None:
    """Look for an address in the state."""
    value = link.value("state")
    if not value:
        return None
    if re.search(r"https?(?::|%3A)(?:/|%2F){2}", value, re.IGNORECASE):
        return failed("The state has an address in it. A program that goes there is an open redirector.")
    return passed("The state has no address in it.")


def independent(link: Link) -> Judgement | None:
    """Compare the state, the nonce and the challenge with each other, and with the verifier behind them."""
    values = {name: link.value(name) for name in ("state", "nonce", "code_challenge") if name in link}
    if len(values) < 2:
        return None
    if len(set(values.values())) < len(values):
        return failed(f"Of {', '.join(values)} two are the same value.")
    for name in ("state", "nonce"):
        digest = base64url(hashlib.sha256(values.get(name, "").encode()).digest())
        if name in values and digest == values.get("code_challenge"):
            return failed(f"The code verifier is also used as the {name}, which the browser sees.")
    return passed("State, nonce and challenge are different values.")


def nonce(link: Link) -> Judgement | None:
    """Look for a nonce where an ID token comes."""
    if link.by_reference:
        return None
    wanted = "openid" in link.words("scope") and _asks_for_code(link)
    if not wanted and "id_token" not in link.words("response_type"):
        return None
    if "nonce" not in link:
        return failed("An ID token is requested without a nonce, so an old one could be sent again.")
    return passed("There is a nonce.")


def openid(link: Link) -> Judgement | None:
    """Look for the scope that makes it a request of OpenID Connect."""
    if link.by_reference or "openid" in link.words("scope"):
        return None
    if "id_token" in link.words("response_type"):
        return failed("An ID token is requested without the scope openid.")
    found = [name for name in ("nonce", "claims", "acr_values", "max_age", "id_token_hint") if name in link]
    return failed(f"Without the scope openid these mean nothing: {', '.join(found)}.") if found else None


def mode_fits(link: Link) -> Judgement | None:
    """Compare the response mode with what is asked for."""
    mode = link.value("response_mode")
    if link.by_reference or not mode:
        return None
    if mode not in MODES:
        return failed("The response_mode is not one that a standard defines.")
    if mode == "query" and {"token", "id_token"} & set(link.words("response_type")):
        return failed("response_mode=query would put a token into the query, where servers log it.")
    return passed("The response mode fits what is asked for.")


def prompt_alone(link: Link) -> Judgement | None:
    """Look for prompt=none beside other values."""
    words = link.words("prompt")
    if "none" not in words:
        return None
    if len(words) > 1:
        return failed("prompt=none stands beside another value, so the server must answer with an error.")
    return passed("prompt=none stands alone.")


def offline_consent(link: Link) -> Judgement | None:
    """Look for the consent that a refresh token needs."""
    if "offline_access" not in link.words("scope"):
        return None
    if "consent" not in link.words("prompt"):
        return failed("The scope offline_access is requested without prompt=consent.")
    return passed("prompt=consent goes with the scope offline_access.")


def max_age(link: Link) -> Judgement | None:
    """Look at the form of max_age."""
    value = link.value("max_age")
    if not value:
        return None
    if not (value.isascii() and value.isdigit()):
        return failed("max_age is not a number of seconds.")
    return passed("max_age is a number of seconds.")


def _unguessable(link: Link, name: str) -> Judgement | None:
    value = link.value(name)
    if not value:
        return None
    bits = round(_bits(value))
    if bits < LEAST_BITS:
        return failed(f"The {name} has {len(value)} characters: {bits} random bits at most, not 128.")
    return passed(f"The {name} has {len(value)} characters.")


def _bits(value: str) -> float:
    """Return how many random bits a value can have at most, from its length and its alphabet."""
    alphabets = ((r"\d+", 10), (r"[0-9a-f-]+|[0-9A-F-]+", 16), (r"[A-Za-z0-9_-]+", 64))
    size = next((size for pattern, size in alphabets if re.fullmatch(pattern, value)), 90)
    different = len(set(value))
    random = value.replace("-", "") if size == 16 else value
    return len(random) * math.log2(size) if different > 3 else math.log2(len(value) + 1)


def _asks_for_code(link: Link) -> bool:
    """Return whether a code is requested; without a response type a server can only take it for that."""
    words = link.words("response_type")
    return "code" in words or not words


REQUEST_RULES: tuple[Rule[Link], ...] = (
    Rule(
        "no-implicit-grant",
        "high",
        "No access token comes through the browser",
        "RFC 9700 §2.1.2",
        "Use response_type=code with PKCE.",
        no_implicit,
    ),
    Rule(
        "pkce-s256",
        "high",
        "PKCE with S256 binds the code to the program that asked for it",
        "RFC 9700 §2.1.1; RFC 7636 §4.2, §4.3",
        "Send a code_challenge with code_challenge_method=S256.",
        pkce,
    ),
    Rule(
        "csrf-protection",
        "high",
        "Something ties the response to this request",
        "RFC 9700 §2.1; RFC 6749 §10.12",
        "Send a random state and a code_challenge with each request.",
        bound,
    ),
    Rule(
        "state-independent",
        "high",
        "State, nonce and code verifier are different values",
        "RFC 7636 §7.1",
        "Generate state, nonce and code verifier independently.",
        independent,
    ),
    Rule(
        "response-mode-fits",
        "high",
        "The response mode fits what is asked for",
        "OAuth 2.0 Multiple Response Types §2.1, §3, §5",
        "Leave response_mode out, or use form_post.",
        mode_fits,
    ),
    Rule(
        "state-sent",
        "medium",
        "There is a state",
        "RFC 6749 §4.1.1, §10.12; RFC 8252 §8.9",
        "Send a random state with each request, and compare it with the one in the response.",
        state,
    ),
    Rule(
        "state-unguessable",
        "medium",
        "The state cannot be guessed",
        "RFC 6749 §10.10, §10.12",
        "Use 128 random bits or more: 22 characters of base64url, 32 of hexadecimal.",
        state_unguessable,
    ),
    Rule(
        "nonce-with-openid",
        "medium",
        "A request for an ID token has a nonce",
        "OpenID Connect Core 1.0 §3.2.2.1, §15.5.2; RFC 9700 §4.5.3.2",
        "Send a nonce with each request for the scope openid.",
        nonce,
    ),
    Rule(
        "nonce-unguessable",
        "medium",
        "The nonce cannot be guessed",
        "OpenID Connect Core 1.0 §15.5.2",
        "Use 128 random bits or more.",
        nonce_unguessable,
    ),
    Rule(
        "challenge-form",
        "medium",
        "The code challenge has the right form",
        "RFC 7636 §4.2, §4.3",
        "Hash the verifier with SHA-256, and encode the hash in base64url without padding.",
        challenge_form,
    ),
    Rule(
        "prompt-none-alone",
        "medium",
        "prompt=none stands alone",
        "OpenID Connect Core 1.0 §3.1.2.1",
        "Send prompt=none alone, or leave it out.",
        prompt_alone,
    ),
    Rule(
        "openid-scope",
        "medium",
        "What belongs to OpenID Connect comes with the scope openid",
        "OpenID Connect Core 1.0 §3.1.2.1",
        "Add openid to the scope.",
        openid,
    ),
    Rule(
        "state-without-address",
        "low",
        "The state has no address in it",
        "RFC 9700 §4.11.1",
        "Keep the address in the session, and send a random state.",
        state_without_url,
    ),
    Rule(
        "response-type-sent",
        "low",
        "The request says what it asks for",
        "RFC 6749 §3.1.1",
        "Send response_type=code.",
        response_type,
    ),
    Rule(
        "max-age-form",
        "low",
        "max_age is a number of seconds",
        "OpenID Connect Core 1.0 §3.1.2.1",
        "Write a whole number of seconds.",
        max_age,
    ),
    Rule(
        "offline-access-consent",
        "info",
        "A refresh token is requested with a consent",
        "OpenID Connect Core 1.0 §11",
        "Add prompt=consent if no refresh token comes.",
        offline_consent,
    ),
)
"""Rules for the parameters of an authorization request."""
