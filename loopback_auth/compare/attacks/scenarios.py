"""The table of attacks: what is tried against which flow, by which story, and why not against the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loopback_auth.compare.attacks import links, redirects
from loopback_auth.compare.attacks.attack_actions import Story
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.model import FORM_POST

Tell = Callable[[AttackContext], Story]

CODES = ("code", FORM_POST, "paste")
REDIRECTS = ("code", FORM_POST, "token", "paste")
POLLED = ("ticket", "device")
STARTED = ("code", FORM_POST, "token", "ticket", "device")
"""Flows whose browser begins at a page of ours."""

NO_CALLBACK = "Nothing comes back through the browser, so that no answer is waited for at a port."


@dataclass(frozen=True, slots=True)
class Scenario:
    """One attack.

    Args:
        id: stable.
        title: what is tried, in one sentence.
        source: clause that warns of it, or says what stands against it.
        stories: by the name of the run.
        otherwise: why it does not concern the other flows.
        bound: with tickets that take a code challenge, as only the demo server offers them.
        impostor: our client believes in a server of the attacker's.
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
        "Another process reads the code on its way and redeems it first.",
        "RFC 7636 §1",
        _all(redirects.stolen_answer, *CODES),
        "No authorization code is used.",
    ),
    Scenario(
        "stolen-token",
        "Somebody reads the access token on its way and uses it.",
        "RFC 9700 §2.1.2",
        _all(redirects.stolen_answer, "token"),
        "No access token passes through the browser.",
    ),
    Scenario(
        "stolen-ticket",
        "Somebody reads what stands in the approval link and redeems it first.",
        "https://github.com/netlify/open-api; RFC 8628 §3.3",
        {"ticket": links.stolen_ticket, "device": links.stolen_user_code},
        "There is no approval link.",
    ),
    Scenario(
        "stolen-ticket-bound",
        "Somebody redeems a ticket's id, where the ticket is bound to a code challenge.",
        "RFC 7636 §4.6",
        _all(links.stolen_ticket, "ticket"),
        "There is no ticket.",
        bound=True,
    ),
    Scenario(
        "port-squatting",
        "Another process gets what the browser brings to our port.",
        "RFC 8252 §8.1",
        _all(redirects.squatted_port, *REDIRECTS),
        NO_CALLBACK,
    ),
    Scenario(
        "replay",
        "What redeemed the tokens is redeemed a second time.",
        "RFC 6749 §4.1.2",
        _all(links.replay, *CODES, *POLLED),
        "Nothing is redeemed: the token itself comes, and works until it expires.",
    ),
    Scenario(
        "forged-callback",
        "A page or another process sends answers of its own to our port.",
        "RFC 6749 §10.12",
        _all(redirects.forged_callback, *REDIRECTS),
        NO_CALLBACK,
    ),
    Scenario(
        "fixation",
        "Somebody else's approval is slipped under our sign-in (log-in CSRF).",
        "RFC 9700 §4.7; RFC 8628 §5.5",
        _all(redirects.fixation, *REDIRECTS) | _all(links.approved_by_stranger, *POLLED),
    ),
    Scenario(
        "injected-code",
        "Somebody else's code or token is brought with our own state.",
        "RFC 9700 §4.5, §4.6",
        _all(redirects.injection, *REDIRECTS),
        "We ask by our own ticket or device code, and take nothing from the browser.",
    ),
    Scenario(
        "mix-up",
        "A server of the attacker's lets the real one answer in its place.",
        "RFC 9207 §2.4",
        _all(redirects.mix_up, *REDIRECTS),
        "No authorization response comes whose sender could be mistaken.",
        impostor=True,
    ),
    Scenario(
        "phishing",
        "The attacker begins a sign-in and has the person approve it.",
        "RFC 8628 §5.4",
        _all(redirects.phished, *REDIRECTS) | _all(links.phished_by_link, *POLLED),
    ),
    Scenario(
        "start-link",
        "Another process opens our start link a second time.",
        "jupyter/notebook#4260",
        _all(links.opened_again, *STARTED),
        "The browser begins at the provider's page, not at one of ours.",
    ),
    Scenario(
        "denial-of-service",
        "Somebody else tries to end our sign-in with a refusal.",
        "RFC 8252 §8.9",
        _all(redirects.false_denial, *REDIRECTS) | _all(links.denied_by_stranger, *POLLED),
    ),
    Scenario(
        "guessed-user-code",
        "User codes are guessed, one after the other.",
        "RFC 8628 §5.1",
        _all(links.guessed_user_code, "device"),
        "There is no user code.",
    ),
)
"""In the order in which they are told."""
