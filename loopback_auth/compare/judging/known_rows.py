"""What no trace can show, each with its public source.

A fact is left out where nobody has published it. The ticket column is about Netlify's published interface
only, and is silent for other vendors; what a vendor may add to its own is `not in the published API`, never
"no". No flow is called proof against being lured: all of them end with a person who approves.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from loopback_auth.compare.judging.cells import NOT_IN_PROTOCOL, NOT_OBSERVED, Property, known
from loopback_auth.compare.model import Cell, Run
from loopback_auth.trace.evidence import Kind, first, kind_of

Fact = tuple[str, str]
"""What is said, and who says it."""

NETLIFY = "https://github.com/netlify/open-api"
OUT_OF_BAND = "https://developers.google.com/identity/protocols/oauth2/resources/oob-migration"
FORM_POST = "OAuth 2.0 Form Post Response Mode §2"
LOCAL_NETWORK = "https://wicg.github.io/local-network-access/"
CROSS_DEVICE = "draft-ietf-oauth-cross-device-security §5"
CONSENT = f"{CROSS_DEVICE}; draft-ietf-oauth-v2-1 §7.9"

UNPUBLISHED: Fact = ("not in the published API", NETLIFY)
NO_RESPONSE: Fact = (NOT_IN_PROTOCOL, "RFC 8628 §3.2")
NO_PARAMETER: Fact = (NOT_IN_PROTOCOL, "RFC 8628 §3.1")

LIKE: Mapping[Kind, Kind] = {
    "form_post": "code",
    "hybrid": "code",
    "paste": "code",
    "tokens": "fragment",
    "id_token": "fragment",
    "fragment": "code",
}
"""Whose facts hold where a flow has none of its own."""

FACTS: Mapping[str, Mapping[Kind, Fact]] = {
    "standard": {
        "code": ("RFC 6749, RFC 7636, RFC 8252", "RFC 6749 §4.1; RFC 7636 §4; RFC 8252 §7.3"),
        "form_post": ("the same, by form post", FORM_POST),
        "fragment": ("RFC 6749 §4.2", "RFC 6749 §4.2"),
        "id_token": ("OpenID Connect Core 1.0", "OpenID Connect Core 1.0 §3.2"),
        "tokens": ("OpenID Connect Core 1.0", "OpenID Connect Core 1.0 §3.2"),
        "hybrid": ("OpenID Connect Core 1.0", "OpenID Connect Core 1.0 §3.3"),
        "ticket": ("none: a vendor's own API", NETLIFY),
        "device": ("RFC 8628", "RFC 8628 §3"),
        "paste": ("the code flow, ended by hand", "RFC 6749 §4.1"),
    },
    "status": {
        "code": ("recommended, with PKCE", "RFC 9700 §2.1.1"),
        "form_post": ("allowed where servers offer it", FORM_POST),
        "fragment": ("advised against", "RFC 9700 §2.1.2"),
        "id_token": ("for identity, not for access", "OpenID Connect Core 1.0 §3.2.2.5"),
        "hybrid": ("allowed", "RFC 9700 §2.1.2"),
        "ticket": ("one vendor's own", NETLIFY),
        "device": ("standard; not on one device", CROSS_DEVICE),
        "paste": ("like the out-of-band flow that Google removed in 2022", OUT_OF_BAND),
    },
    "pkce": {"ticket": UNPUBLISHED, "device": NO_PARAMETER},
    "state": {"ticket": UNPUBLISHED, "device": NO_PARAMETER},
    "nonce": {"ticket": UNPUBLISHED, "device": NO_PARAMETER},
    "iss": {"ticket": UNPUBLISHED, "device": NO_RESPONSE},
    "injection": {
        "ticket": ("we ask by our own id only", NETLIFY),
        "device": ("we ask by our own code only", "RFC 8628 §3.4"),
    },
    "fixation": {"ticket": UNPUBLISHED, "device": ("secrecy of the user code", "RFC 8628 §5.1, §5.5")},
    "abort": {
        "code": ("only with the state", "RFC 8252 §8.9"),
        "ticket": UNPUBLISHED,
        "device": ("whoever has the user code", "RFC 8628 §3.3"),
    },
    "phishing": {
        "code": ("resistant, not immune", CONSENT),
        "ticket": ("weak: the link is enough", NETLIFY),
        "device": ("weak; the user code helps a bit", "RFC 8628 §5.4"),
        "paste": ("weak: it trains copying", OUT_OF_BAND),
    },
    "replay": {
        "code": ("single use, with the verifier", "RFC 6749 §4.1.2; RFC 7636 §4.6"),
        "fragment": ("until it expires", "RFC 6750 §1.2, §5.2"),
        "id_token": ("the nonce is compared", "OpenID Connect Core 1.0 §3.2.2.11"),
        "ticket": UNPUBLISHED,
        "device": ("not specified; it expires", "RFC 8628 §3.2"),
    },
    "refresh-possible": {
        "code": ("yes", "RFC 6749 §5.1"),
        "fragment": ("not allowed", "RFC 6749 §4.2.2"),
        "ticket": UNPUBLISHED,
        "device": ("yes", "RFC 8628 §3.5"),
    },
    "dpop": {
        "code": ("possible", "RFC 9449 §5"),
        "fragment": ("no standard way", "RFC 9700 §2.1.2"),
        "ticket": UNPUBLISHED,
        "device": ("possible", "RFC 9449 §5"),
    },
    "javascript": {
        "code": ("not needed", "RFC 6749 §4.1.2"),
        "form_post": ("submits itself, else a button", FORM_POST),
        "fragment": ("needed", "RFC 6749 §4.2 (D-F)"),
        "hybrid": ("needed", "OAuth 2.0 Multiple Response Types §5"),
        "ticket": ("up to the vendor's page", NETLIFY),
        "device": ("up to the server's page", "RFC 8628 §3.3"),
    },
    "cross-device": {
        "code": (NOT_IN_PROTOCOL, "RFC 8252 §8.1"),
        "ticket": ("yes: the link is enough", NETLIFY),
        "device": ("yes, its purpose", "RFC 8628 §1"),
        "paste": ("yes, copied by hand", OUT_OF_BAND),
    },
    "headless": {
        "code": ("only with port forwarding", "aws/aws-cli#9098; aws/aws-cli#10433"),
        "ticket": ("yes: nothing has to come back", NETLIFY),
        "device": ("yes, on any device", "RFC 8628 §1"),
        "paste": ("yes, copied by hand", OUT_OF_BAND),
    },
    "browser-policy": {
        "code": ("navigation exempt in Chromium", LOCAL_NETWORK),
        "form_post": ("exempt now; POST in question", "https://github.com/WICG/local-network-access"),
        "fragment": ("exempt; the relay same-origin", LOCAL_NETWORK),
        "hybrid": ("exempt; the relay same-origin", LOCAL_NETWORK),
        "ticket": ("none: nothing comes back", LOCAL_NETWORK),
        "device": ("none: nothing comes back", LOCAL_NETWORK),
        "paste": ("none: the person brings it", LOCAL_NETWORK),
    },
}
"""By property and kind of flow."""


def fact(run: Run, about: str) -> Cell:
    """Return what is known of a flow like this one; not observed for tickets that are not Netlify's.

    Args:
        run: whose kind of flow it is, and for a ticket whose contract.
        about: name in the table of facts.
    """
    facts = FACTS[about]
    kind = kind_of(run.flow)
    if kind == "ticket" and not _netlify(run):
        return NOT_OBSERVED
    while kind not in facts:
        kind = LIKE[kind]
    return known(*facts[kind])


def _netlify(run: Run) -> bool:
    created = first(run.trace, "ticket request")
    return created is not None and "/oauth/tickets" in created.url


def _property(about: str, title: str, group: str) -> Property:
    return Property(about, title, group, partial(fact, about=about))


NATURE = (
    _property("standard", "Standard", "What it is"),
    _property("status", "Status", "What it is"),
)
RISKS = (
    _property("abort", "Who else can end the attempt", "What attackers get"),
    _property("phishing", "Phishing from another machine", "What attackers get"),
)
LIMITS = (
    _property("cross-device", "Approval on another device", "What it needs"),
    _property("headless", "Over SSH, in a container", "What it needs"),
    _property("browser-policy", "Browsers' rules for local addresses", "What it needs"),
)
