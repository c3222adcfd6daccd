"""The table of defences: what a twin goes without, the clause that asks for it, and which attacks it stops.

`--without`, the report, the help and the tests read it. Defences overlap: two or three can stop the same
attack, and then leaving one out changes nothing. So the table says of each attack which defences have to be
left out together before it succeeds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from loopback_auth.compare.attacks.flow_attacks import CODES, RESPONDED, STARTED
from loopback_auth.compare.model import DPOP, FORM_POST, PAR, RESOURCE
from loopback_auth.compare.twins import omissions
from loopback_auth.flow_table import POLLED

Names = tuple[str, ...]
"""Names of defences that are left out together, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Defence:
    """One defence.

    Args:
        name: as in `--without`, which stays the same.
        title: the defence, within a sentence.
        left_out: what a twin does or does not do, in a few words.
        source: clause that asks for the defence.
        omission: how it is left out.
        shown_on: the flow on which it is shown where no flow is named.
    """

    name: str
    title: str
    left_out: str
    source: str
    omission: omissions.Omission = field(repr=False)
    shown_on: str = "code"


@dataclass(frozen=True, slots=True)
class Stop:
    """An attack, and what stops it.

    Args:
        attack: its id.
        defences: names of defences; the attack succeeds when all of them are left out, and not before.
        flows: on which that is so, by the names of the runs.
    """

    attack: str
    defences: frozenset[str]
    flows: tuple[str, ...]


DEFENCES = (
    Defence(
        "pkce",
        "PKCE",
        "no code_challenge, no code_verifier",
        "RFC 7636 §1; RFC 9700 §2.1.1",
        omissions.NoPkce(),
    ),
    Defence(
        "state",
        "the state",
        "no state, and none expected",
        "RFC 6749 §10.12; RFC 8252 §8.9",
        omissions.NoState(),
    ),
    Defence(
        "iss",
        "the issuer in the response",
        "iss is not compared",
        "RFC 9207 §2.4",
        omissions.NoIssuerCheck(),
    ),
    Defence(
        "nonce",
        "the nonce",
        "no nonce, and none expected in the ID token",
        "OpenID Connect Core 1.0 §3.1.3.7; RFC 9700 §4.5.3.2",
        omissions.NoNonce(),
    ),
    Defence(
        "form_post",
        "a response in a form",
        "the response is in the address",
        "RFC 9700 §4.3.1",
        omissions.CodeInAddress(),
        FORM_POST,
    ),
    Defence(
        "exact-redirect",
        "redirect URIs that are compared exactly",
        "the server compares redirect URIs by their beginning",
        "RFC 9700 §2.1, §4.1.3",
        omissions.LooseRedirect(),
    ),
    Defence(
        "start-page",
        "the start page",
        "the browser is started with the link itself",
        "jupyter/notebook#4260",
        omissions.NoStartPage(),
    ),
    Defence(
        "s256",
        "PKCE with S256",
        "the challenge is the verifier (method plain)",
        "RFC 7636 §4.2, §7.2; RFC 9700 §2.1.1",
        omissions.PlainChallenge(),
    ),
    Defence(
        "pkce-enforced",
        "a server that insists on PKCE",
        "the server issues codes without a challenge",
        "RFC 9700 §4.8.2",
        omissions.OptionalPkce(),
    ),
    Defence(
        "single-use",
        "codes and tickets that work only once",
        "the server accepts a code or ticket twice",
        "RFC 6749 §4.1.2; RFC 8628 §3.5",
        omissions.ReusableCode(),
    ),
    Defence(
        "par",
        "a pushed request",
        "the browser carries the request",
        "RFC 9126 §1",
        omissions.RequestInAddress(),
        PAR,
    ),
    Defence(
        "dpop",
        "tokens that are bound to a key",
        "bearer tokens",
        "RFC 9449 §2",
        omissions.BearerTokens(),
        DPOP,
    ),
    Defence(
        "resource",
        "tokens for one resource",
        "the request names no resource",
        "RFC 8707 §2, §3; RFC 9700 §4.9.1",
        omissions.AnyResource(),
        RESOURCE,
    ),
    Defence(
        "user-code-limit",
        "a limit for wrong user codes",
        "the server lets user codes be guessed",
        "RFC 8628 §5.1",
        omissions.UnlimitedUserCodes(),
        "device",
    ),
)
"""Every defence, in the order in which they are listed; `--without` alone shows the first seven."""

BY_DEFENCE = {one.name: one for one in DEFENCES}
LESSON = tuple(one.name for one in DEFENCES[:7])


def _but(flows: tuple[str, ...], *others: str) -> tuple[str, ...]:
    return tuple(flow for flow in flows if flow not in others)


def _stop(attack: str, defences: str, *flows: str) -> Stop:
    return Stop(attack, frozenset(defences.split("+")), flows)


BEARER = _but(CODES, DPOP)
"""Flows with a code that is not bound to a key (RFC 9449 §10)."""
IDENTIFIED = _but(CODES, RESOURCE)
"""Flows with a code for which an ID token comes, and so a nonce."""

STOPS = (
    _stop("stolen-code", "pkce", *BEARER),
    _stop("stolen-code", "pkce+dpop", DPOP),
    _stop("leaked-request", "pkce", *BEARER),
    _stop("leaked-request", "pkce+dpop", DPOP),
    _stop("leaked-request", "s256", *_but(BEARER, PAR)),
    _stop("leaked-request", "s256+par", PAR),
    _stop("leaked-request", "s256+dpop", DPOP),
    _stop("history", "pkce", *_but(BEARER, FORM_POST)),
    _stop("history", "form_post+pkce", FORM_POST),
    _stop("history", "pkce+dpop", DPOP),
    _stop("port-squatting", "pkce", *BEARER),
    _stop("port-squatting", "pkce+dpop", DPOP),
    _stop("replay", "single-use", *BEARER, *POLLED),
    _stop("replay", "single-use+dpop", DPOP),
    _stop("forged-callback", "state", *RESPONDED),
    _stop("denial-of-service", "state", *RESPONDED),
    _stop("fixation", "state", "token"),
    _stop("fixation", "state+pkce", RESOURCE),
    _stop("fixation", "state+pkce+nonce", *IDENTIFIED),
    _stop("injected-code", "pkce", RESOURCE),
    _stop("injected-code", "pkce+nonce", *IDENTIFIED),
    _stop("pkce-downgrade", "pkce", RESOURCE),
    _stop("pkce-downgrade", "pkce+nonce", *IDENTIFIED),
    _stop("pkce-downgrade", "pkce-enforced", RESOURCE),
    _stop("pkce-downgrade", "pkce-enforced+nonce", *IDENTIFIED),
    _stop("mix-up", "iss", *_but(RESPONDED, DPOP, RESOURCE)),
    _stop("mix-up", "iss+dpop", DPOP),
    _stop("mix-up", "iss+resource", RESOURCE),
    _stop("phishing", "exact-redirect", *_but(RESPONDED, "paste")),
    _stop("start-link", "start-page", *_but(STARTED, PAR)),
    _stop("start-link", "start-page+par", PAR),
    _stop("process-list", "start-page", *_but(STARTED, PAR)),
    _stop("process-list", "start-page+par", PAR),
    _stop("used-elsewhere", "dpop", DPOP),
    _stop("passed-on", "dpop", DPOP),
    _stop("passed-on", "resource", RESOURCE),
    _stop("guessed-user-code", "user-code-limit", "device"),
)
"""The sets of defences that stop each attack; a test leaves out each set, and each smaller one."""


def in_order(names: Collection[str]) -> Names:
    """Bring names of defences into the order of the table; unknown ones are left out."""
    return tuple(one.name for one in DEFENCES if one.name in names)


def stops_on(flow: str) -> tuple[Stop, ...]:
    """Return what stops which attack on one flow."""
    return tuple(stop for stop in STOPS if flow in stop.flows)


def defences_of(flow: str) -> tuple[Defence, ...]:
    """Return the defences that a flow has, in the order of the table."""
    had = {name for stop in stops_on(flow) for name in stop.defences}
    return tuple(one for one in DEFENCES if one.name in had)


def flows_with(name: str) -> tuple[str, ...]:
    """Return the flows that have a defence."""
    return tuple(dict.fromkeys(flow for stop in STOPS if name in stop.defences for flow in stop.flows))
