"""The rows of known facts: what a trace cannot show, each with its public source.

A fact that has not been published is left out. The ticket column is about Netlify's published API only, and
empty for other vendors; what a vendor may have added is `not in the published API`, never "no". No flow is
called safe from phishing: in all of them a person approves.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from loopback_auth.compare.judging.cells import NOT_IN_PROTOCOL, NOT_OBSERVED, Property, known
from loopback_auth.compare.model import Cell, Run
from loopback_auth.trace.evidence import first_exchange, traits_of

Fact = tuple[str, str]
"""A text, and its source."""

NETLIFY = "https://github.com/netlify/open-api"
OUT_OF_BAND = "https://developers.google.com/identity/protocols/oauth2/resources/oob-migration"
FORM_POST = "OAuth 2.0 Form Post Response Mode §2"
LOCAL_NETWORK = "https://wicg.github.io/local-network-access/"
MCP = "https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization"
CROSS_DEVICE = "draft-ietf-oauth-cross-device-security §5"
CONSENT = f"{CROSS_DEVICE}; draft-ietf-oauth-v2-1 §7.9"

UNPUBLISHED: Fact = ("not in the published API", NETLIFY)
NO_RESPONSE: Fact = (NOT_IN_PROTOCOL, "RFC 8628 §3.2")
NO_PARAMETER: Fact = (NOT_IN_PROTOCOL, "RFC 8628 §3.1")

LIKE: Mapping[str, str] = {
    "code form_post": "code",
    "code + par": "code",
    "code + dpop": "code",
    "resource": "code",
    "code id_token": "code",
    "paste": "code",
    "id_token token": "token",
    "id_token": "token",
    "token": "code",
}
"""The flow whose facts apply where a flow has none of its own."""

FACTS: Mapping[str, Mapping[str, Fact]] = {
    "standard": {
        "code": ("RFC 6749, RFC 7636, RFC 8252", "RFC 6749 §4.1; RFC 7636 §4; RFC 8252 §7.3"),
        "code form_post": ("the code flow, by form post", FORM_POST),
        "code + par": ("the code flow, and RFC 9126", "RFC 9126 §2"),
        "code + dpop": ("the code flow, and RFC 9449", "RFC 9449 §5"),
        "resource": ("the code flow, RFC 9728, RFC 8707, RFC 7591", "RFC 9728 §5; RFC 8707 §2; RFC 7591 §3"),
        "token": ("RFC 6749 §4.2", "RFC 6749 §4.2"),
        "id_token": ("OpenID Connect Core 1.0", "OpenID Connect Core 1.0 §3.2"),
        "id_token token": ("OpenID Connect Core 1.0", "OpenID Connect Core 1.0 §3.2"),
        "code id_token": ("OpenID Connect Core 1.0", "OpenID Connect Core 1.0 §3.3"),
        "ticket": ("none: the vendor's own API", NETLIFY),
        "device": ("RFC 8628", "RFC 8628 §3"),
        "paste": ("the code flow, finished by hand", "RFC 6749 §4.1"),
    },
    "status": {
        "code": ("recommended, with PKCE", "RFC 9700 §2.1.1"),
        "code form_post": ("allowed where servers offer it", FORM_POST),
        "code + par": ("standard, where servers offer it", "RFC 9126 §1"),
        "code + dpop": ("recommended where servers offer it", "RFC 9700 §2.2.1"),
        "resource": ("what MCP clients do", MCP),
        "token": ("advised against", "RFC 9700 §2.1.2"),
        "id_token": ("for identity, not for access", "OpenID Connect Core 1.0 §3.2.2.5"),
        "code id_token": ("allowed", "RFC 9700 §2.1.2"),
        "ticket": ("proprietary", NETLIFY),
        "device": ("standard, for a second device", CROSS_DEVICE),
        "paste": ("like the out-of-band flow that Google removed in 2022", OUT_OF_BAND),
    },
    "pkce": {"ticket": UNPUBLISHED, "device": NO_PARAMETER},
    "state": {"ticket": UNPUBLISHED, "device": NO_PARAMETER},
    "nonce": {"ticket": UNPUBLISHED, "device": NO_PARAMETER},
    "iss": {"ticket": UNPUBLISHED, "device": NO_RESPONSE},
    "injection": {
        "ticket": ("program uses only its own ID", NETLIFY),
        "device": ("program uses only its own code", "RFC 8628 §3.4"),
    },
    "fixation": {"ticket": UNPUBLISHED, "device": ("secrecy of the user code", "RFC 8628 §5.1, §5.5")},
    "abort": {
        "code": ("only with the state", "RFC 8252 §8.9"),
        "ticket": UNPUBLISHED,
        "device": ("anyone with the user code", "RFC 8628 §3.3"),
    },
    "phishing": {
        "code": ("resistant, not immune", CONSENT),
        "ticket": ("weak: the link is enough", NETLIFY),
        "device": ("weak; the user code helps a bit", "RFC 8628 §5.4"),
        "paste": ("weak: users learn to copy URLs", OUT_OF_BAND),
    },
    "replay": {
        "code": ("no: single use, with the verifier", "RFC 6749 §4.1.2; RFC 7636 §4.6"),
        "token": ("yes, until it expires", "RFC 6750 §1.2, §5.2"),
        "id_token": ("no: the nonce is compared", "OpenID Connect Core 1.0 §3.2.2.11"),
        "ticket": UNPUBLISHED,
        "device": ("not specified; the code expires", "RFC 8628 §3.2"),
    },
    "refresh-possible": {
        "code": ("yes", "RFC 6749 §5.1"),
        "token": ("not allowed", "RFC 6749 §4.2.2"),
        "ticket": UNPUBLISHED,
        "device": ("yes", "RFC 8628 §3.5"),
    },
    "dpop": {
        "code": ("possible", "RFC 9449 §5"),
        "token": ("no standard", "RFC 9700 §2.1.2"),
        "ticket": UNPUBLISHED,
        "device": ("possible", "RFC 9449 §5"),
    },
    "javascript": {
        "code": ("not needed", "RFC 6749 §4.1.2"),
        "code form_post": ("submits itself, else a button", FORM_POST),
        "token": ("needed", "RFC 6749 §4.2 (D-F)"),
        "code id_token": ("needed", "OAuth 2.0 Multiple Response Types §5"),
        "ticket": ("depends on the vendor's page", NETLIFY),
        "device": ("depends on the server's page", "RFC 8628 §3.3"),
    },
    "cross-device": {
        "code": (NOT_IN_PROTOCOL, "RFC 8252 §8.1"),
        "ticket": ("yes: the link is enough", NETLIFY),
        "device": ("yes, that is its purpose", "RFC 8628 §1"),
        "paste": ("yes, copied by hand", OUT_OF_BAND),
    },
    "headless": {
        "code": ("only with port forwarding", "aws/aws-cli#9098; aws/aws-cli#10433"),
        "ticket": ("yes: no redirect to this machine", NETLIFY),
        "device": ("yes, on any device", "RFC 8628 §1"),
        "paste": ("yes, copied by hand", OUT_OF_BAND),
    },
    "browser-policy": {
        "code": ("navigation is exempt in Chromium", LOCAL_NETWORK),
        "code form_post": (
            "exempt now; POST under discussion",
            "https://github.com/WICG/local-network-access",
        ),
        "token": ("exempt; the relay is same-origin", LOCAL_NETWORK),
        "code id_token": ("exempt; the relay is same-origin", LOCAL_NETWORK),
        "ticket": ("none: no redirect", LOCAL_NETWORK),
        "device": ("none: no redirect", LOCAL_NETWORK),
        "paste": ("none: the user pastes the URL", LOCAL_NETWORK),
    },
}
"""The known facts, by property and flow."""


def fact(run: Run, about: str) -> Cell:
    """Return what is known of a flow like this one; not observed for tickets that are not Netlify's.

    Args:
        run: whose kind of flow it is, and for a ticket whose contract.
        about: name in the table of facts.
    """
    facts = FACTS[about]
    flow = traits_of(run.flow).name
    if flow == "ticket" and not _netlify(run):
        return NOT_OBSERVED
    while flow not in facts:
        if flow not in LIKE:
            return NOT_OBSERVED
        flow = LIKE[flow]
    return known(*facts[flow])


def _netlify(run: Run) -> bool:
    created = first_exchange(run.trace, "ticket request")
    return created is not None and "/oauth/tickets" in created.url


def _property(about: str, title: str, group: str) -> Property:
    return Property(about, title, group, partial(fact, about=about))


NATURE = (
    _property("standard", "Standard", "What it is"),
    _property("status", "Status", "What it is"),
)
RISKS = (
    _property("abort", "Who else can cancel the login", "What attackers get"),
    _property("phishing", "Phishing from another machine", "What attackers get"),
)
LIMITS = (
    _property("cross-device", "Approval on another device", "What it needs"),
    _property("headless", "Over SSH, in a container", "What it needs"),
    _property("browser-policy", "Browser rules for local addresses", "What it needs"),
)
