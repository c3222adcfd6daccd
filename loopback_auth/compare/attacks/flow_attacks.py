"""The table of attacks: what is tried on which flow, by which scenario, and why not on the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loopback_auth.compare.attacks import leaks, links, redirects, tokens
from loopback_auth.compare.attacks.attack_actions import Scenario
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.attacks.described_attack import DescribedAttack
from loopback_auth.flow_table import BY_NAME, COMPARED, POLLED

MakeScenario = Callable[[AttackContext], Scenario]

CODES = tuple(flow for flow in COMPARED if BY_NAME[flow].brings_code)
RESPONDED = tuple(flow for flow in COMPARED if flow not in POLLED)
"""Flows that end with an authorization response, which the browser or the person brings."""
STARTED = tuple(flow for flow in COMPARED if flow != "paste")
"""Flows whose browser begins at the program's start page."""

NOT_STARTED = "The program starts no browser: the user opens the link, so no command line has it."
NO_CALLBACK = "No response comes through the browser, so the program does not listen for one."


@dataclass(frozen=True, slots=True)
class FlowAttack(DescribedAttack):
    """An attack on some of the flows.

    Args:
        scenarios: one for each flow that it is tried on, by the name of the run.
        otherwise: why it does not apply to the other flows.
        bound: the tickets take a code challenge, which only the demo server offers.
        impostor: the program is configured with the attacker's server.
    """

    scenarios: Mapping[str, MakeScenario]
    otherwise: str = ""
    bound: bool = False
    impostor: bool = False


def _all(scenario: MakeScenario, *flows: str) -> dict[str, MakeScenario]:
    return dict.fromkeys(flows, scenario)


ATTACKS = (
    FlowAttack(
        "stolen-code",
        "high",
        "Another process reads the code in the redirect and exchanges it first.",
        "A code that another process reads is worth nothing to it",
        "RFC 7636 §1",
        "Send a PKCE challenge with S256, and let the server demand the verifier.",
        _all(redirects.stolen_answer, *CODES),
        "No authorization code is used.",
    ),
    FlowAttack(
        "leaked-request",
        "high",
        "Another process reads the authorization request as well as the code, and exchanges the code.",
        "The request and the code together are worth nothing to another process",
        "RFC 7636 §4.2, §7.2; RFC 9700 §2.1.1",
        "Send a PKCE challenge with S256: the method plain shows the verifier in the request.",
        _all(leaks.leaked_request, *CODES),
        "No authorization code is used.",
    ),
    FlowAttack(
        "stolen-token",
        "high",
        "Another process reads the access token in the redirect and uses it.",
        "No access token can be read in the redirect",
        "RFC 9700 §2.1.2",
        "Use --flow code: it brings no token through the browser.",
        _all(redirects.stolen_answer, "token"),
        "No access token passes through the browser.",
    ),
    FlowAttack(
        "stolen-ticket",
        "high",
        "Another process reads the approval link and exchanges what is in it first.",
        "The approval link is not enough to get the tokens",
        "https://github.com/netlify/open-api; RFC 8628 §3.3",
        "Keep the link secret, and use --flow code where the browser can be redirected to this machine.",
        {"ticket": links.stolen_ticket, "device": links.stolen_user_code},
        "There is no approval link.",
    ),
    FlowAttack(
        "stolen-ticket-bound",
        "high",
        "Another process exchanges the ticket, which is bound to a code challenge.",
        "A ticket that is bound to a code challenge is worth nothing to another process",
        "RFC 7636 §4.6",
        "Tell the provider: its server has to check the code verifier.",
        _all(links.stolen_ticket, "ticket"),
        "There is no ticket.",
        bound=True,
    ),
    FlowAttack(
        "history",
        "high",
        "A code or token is read in the browser's history, and used.",
        "What the browser's history shows is worth nothing to others",
        "RFC 9700 §4.3.1, §4.3.2",
        "Use --flow code, with --response-mode form_post where the server offers it.",
        _all(leaks.read_in_history, *RESPONDED),
        "Neither a code nor a token comes through the browser.",
    ),
    FlowAttack(
        "port-squatting",
        "high",
        "Another process takes the loopback port and uses what the browser brings.",
        "What arrives at the loopback port is worth nothing to another process",
        "RFC 8252 §8.1",
        "Use --flow code with PKCE: a code is worth nothing without the verifier.",
        _all(redirects.squatted_port, *RESPONDED),
        NO_CALLBACK,
    ),
    FlowAttack(
        "replay",
        "medium",
        "The request that got the tokens is sent a second time.",
        "The request that got the tokens gets nothing a second time",
        "RFC 6749 §4.1.2",
        "Tell the provider: a code or ticket has to work only once.",
        _all(links.replay, *CODES, *POLLED),
        "There is no exchange: the token itself is delivered, and works until it expires.",
    ),
    FlowAttack(
        "forged-callback",
        "high",
        "A web page or another process sends forged responses to the loopback port.",
        "Forged responses neither end nor change the login",
        "RFC 6749 §10.12",
        "Compare the state before anything else, and go on waiting.",
        _all(redirects.forged_callback, *RESPONDED),
        NO_CALLBACK,
    ),
    FlowAttack(
        "fixation",
        "medium",
        "The attacker's own approval is put in place of the user's (login CSRF).",
        "The login cannot end in the attacker's account",
        "RFC 9700 §4.7; RFC 8628 §5.5",
        "Compare the account that the program shows with your own.",
        _all(redirects.fixation, *RESPONDED) | _all(links.approved_by_stranger, *POLLED),
    ),
    FlowAttack(
        "injected-code",
        "high",
        "The attacker's own code or token is delivered with the correct state.",
        "A code or token of the attacker is refused",
        "RFC 9700 §4.5, §4.6",
        "Use --flow code with PKCE, and with a nonce where an ID token comes.",
        _all(redirects.injection, *RESPONDED),
        "The program uses only its own ticket or device code, and nothing from the browser.",
    ),
    FlowAttack(
        "pkce-downgrade",
        "high",
        "The attacker's own code was issued without a challenge (PKCE downgrade), and is delivered.",
        "The server issues no code without a challenge",
        "RFC 9700 §4.8",
        "Tell the provider: its server has to demand a code challenge.",
        _all(redirects.downgraded, *CODES),
        "No authorization code is used.",
    ),
    FlowAttack(
        "mix-up",
        "high",
        "The attacker's server redirects the browser to the real server (mix-up).",
        "A response of another server is detected",
        "RFC 9207 §2.4",
        "Use a server that names itself in its responses (iss), or one redirect path for each server.",
        _all(redirects.mix_up, *RESPONDED),
        "There is no authorization response that could come from another server.",
        impostor=True,
    ),
    FlowAttack(
        "phishing",
        "high",
        "The attacker sends the user the link of a login to approve (phishing).",
        "A link from an attacker gets no tokens for the attacker",
        "RFC 8628 §5.4",
        "Approve only what you started yourself, and use --flow code where you can.",
        _all(redirects.phished, *RESPONDED) | _all(links.phished_by_link, *POLLED),
    ),
    FlowAttack(
        "start-link",
        "medium",
        "Another process opens the link again that the browser was started with.",
        "The link that the browser was started with works only once",
        "jupyter/notebook#4260",
        "Report this as a bug: the start page has to be opened only once.",
        _all(links.opened_again, *STARTED),
        NOT_STARTED,
    ),
    FlowAttack(
        "process-list",
        "high",
        "Another process reads the command line of the browser, and uses the link in it.",
        "The browser's command line shows nothing that others can use",
        "jupyter/notebook#4260; RFC 8252 §8.9",
        "Report this as a bug: the browser has to be started with the start page.",
        _all(leaks.read_in_process_list, *STARTED),
        NOT_STARTED,
    ),
    FlowAttack(
        "denial-of-service",
        "low",
        "The attacker tries to cancel the login with a refusal.",
        "Only the user can cancel the login",
        "RFC 8252 §8.9",
        "Start again: the attacker gets nothing, but the login has ended.",
        _all(redirects.false_denial, *RESPONDED) | _all(links.denied_by_stranger, *POLLED),
    ),
    FlowAttack(
        "used-elsewhere",
        "low",
        "The access token is read in a file, a log or memory, and used on another machine.",
        "A stolen access token does not work on another machine",
        "RFC 6750 §1.2; RFC 9449 §2",
        "Bind the tokens to a key with --dpop where the server offers it.",
        _all(tokens.used_elsewhere, *COMPARED),
    ),
    FlowAttack(
        "passed-on",
        "low",
        "A resource that was sent the access token uses it at another resource.",
        "The access token works at one resource only",
        "RFC 9700 §4.9.1; RFC 8707 §3",
        "Name the resource with --resource-server, so that the token is issued for it alone.",
        _all(tokens.passed_on, *COMPARED),
    ),
    FlowAttack(
        "guessed-user-code",
        "high",
        "The attacker guesses user codes, one after the other.",
        "The server limits wrong user codes",
        "RFC 8628 §5.1",
        "Tell the provider: a user code has to be protected against guessing.",
        _all(links.guessed_user_code, "device"),
        "There is no user code.",
    ),
)
"""Every attack on a flow, in the order in which they are shown."""
