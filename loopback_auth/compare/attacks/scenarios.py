"""The table of attacks: what is tried on which flow, by which story, and why not on the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loopback_auth.compare.attacks import links, redirects, tokens
from loopback_auth.compare.attacks.attack_actions import Story
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.flow_table import BY_NAME, COMPARED, POLLED

Tell = Callable[[AttackContext], Story]

CODES = tuple(flow for flow in COMPARED if BY_NAME[flow].brings_code)
RESPONDED = tuple(flow for flow in COMPARED if flow not in POLLED)
"""Flows that end with an authorization response, which the browser or the person brings."""
STARTED = tuple(flow for flow in COMPARED if flow != "paste")
"""Flows whose browser begins at the program's start page."""

NO_CALLBACK = "No response comes through the browser, so the program does not listen for one."


@dataclass(frozen=True, slots=True)
class Scenario:
    """One attack.

    Args:
        id: name of the attack, which stays the same.
        title: what is tried, in one sentence.
        source: clause that describes the attack or the defence.
        stories: one for each flow that it is tried on, by the name of the run.
        otherwise: why it does not apply to the other flows.
        bound: the tickets take a code challenge, which only the demo server offers.
        impostor: the program is configured with the attacker's server.
    """

    id: str
    title: str
    source: str
    stories: Mapping[str, Tell]
    otherwise: str = ""
    bound: bool = False
    impostor: bool = False


def _all(story: Tell, *flows: str) -> dict[str, Tell]:
    return dict.fromkeys(flows, story)


ATTACKS = (
    Scenario(
        "stolen-code",
        "Another process reads the code in the redirect and exchanges it first.",
        "RFC 7636 §1",
        _all(redirects.stolen_answer, *CODES),
        "No authorization code is used.",
    ),
    Scenario(
        "stolen-token",
        "Another process reads the access token in the redirect and uses it.",
        "RFC 9700 §2.1.2",
        _all(redirects.stolen_answer, "token"),
        "No access token passes through the browser.",
    ),
    Scenario(
        "stolen-ticket",
        "Another process reads the approval link and exchanges the code or ticket in it first.",
        "https://github.com/netlify/open-api; RFC 8628 §3.3",
        {"ticket": links.stolen_ticket, "device": links.stolen_user_code},
        "There is no approval link.",
    ),
    Scenario(
        "stolen-ticket-bound",
        "Another process exchanges the ticket, which is bound to a code challenge.",
        "RFC 7636 §4.6",
        _all(links.stolen_ticket, "ticket"),
        "There is no ticket.",
        bound=True,
    ),
    Scenario(
        "port-squatting",
        "Another process takes the loopback port and uses what the browser brings.",
        "RFC 8252 §8.1",
        _all(redirects.squatted_port, *RESPONDED),
        NO_CALLBACK,
    ),
    Scenario(
        "replay",
        "The request that got the tokens is sent a second time.",
        "RFC 6749 §4.1.2",
        _all(links.replay, *CODES, *POLLED),
        "There is no exchange: the token itself is delivered, and works until it expires.",
    ),
    Scenario(
        "forged-callback",
        "A web page or another process sends forged responses to the loopback port.",
        "RFC 6749 §10.12",
        _all(redirects.forged_callback, *RESPONDED),
        NO_CALLBACK,
    ),
    Scenario(
        "fixation",
        "The attacker's own approval is put in place of the user's (login CSRF).",
        "RFC 9700 §4.7; RFC 8628 §5.5",
        _all(redirects.fixation, *RESPONDED) | _all(links.approved_by_stranger, *POLLED),
    ),
    Scenario(
        "injected-code",
        "The attacker's own code or token is delivered with the correct state.",
        "RFC 9700 §4.5, §4.6",
        _all(redirects.injection, *RESPONDED),
        "The program uses only its own ticket or device code, and nothing from the browser.",
    ),
    Scenario(
        "mix-up",
        "The attacker's server redirects the browser to the real server (mix-up).",
        "RFC 9207 §2.4",
        _all(redirects.mix_up, *RESPONDED),
        "There is no authorization response that could come from another server.",
        impostor=True,
    ),
    Scenario(
        "phishing",
        "The attacker starts a login and sends the user the link to approve (phishing).",
        "RFC 8628 §5.4",
        _all(redirects.phished, *RESPONDED) | _all(links.phished_by_link, *POLLED),
    ),
    Scenario(
        "start-link",
        "Another process opens the start page a second time.",
        "jupyter/notebook#4260",
        _all(links.opened_again, *STARTED),
        "The browser begins at the provider's page; there is no start page.",
    ),
    Scenario(
        "denial-of-service",
        "The attacker tries to cancel the login with a refusal.",
        "RFC 8252 §8.9",
        _all(redirects.false_denial, *RESPONDED) | _all(links.denied_by_stranger, *POLLED),
    ),
    Scenario(
        "used-elsewhere",
        "The access token is read in a file, a log or memory, and used on another machine.",
        "RFC 6750 §1.2; RFC 9449 §2",
        _all(tokens.used_elsewhere, *COMPARED),
    ),
    Scenario(
        "passed-on",
        "A resource that was sent the access token uses it at another resource.",
        "RFC 9700 §4.9.1; RFC 8707 §3",
        _all(tokens.passed_on, *COMPARED),
    ),
    Scenario(
        "guessed-user-code",
        "The attacker guesses user codes, one after the other.",
        "RFC 8628 §5.1",
        _all(links.guessed_user_code, "device"),
        "There is no user code.",
    ),
)
"""In the order in which they are shown."""
