"""Every fault of the demonstration server that breaks a rule is found, and a healthy one gets an A."""

from __future__ import annotations

from dataclasses import fields

import pytest
from attacked_servers import all_findings
from test_server_checks import OFFERED_BY_THE_DEMO

from loopback_auth.audit.servers.attacks.server_attacks import ATTACKS
from loopback_auth.audit.servers.grades import grade
from loopback_auth.demo.faults import Faults

FOUND: dict[str, tuple[Faults, tuple[str, ...]]] = {
    "wrong_state": (Faults(wrong_state=True), ("state-returned", "strict-sign-in", "state-changed")),
    "wrong_iss": (Faults(wrong_iss=True), ("iss-sent", "strict-sign-in", "mix-up")),
    "omit_iss": (Faults(omit_iss=True), ("iss-sent", "strict-sign-in", "mix-up")),
    "duplicate_parameter": (Faults(duplicate_parameter="state"), ("state-returned", "strict-sign-in")),
    "refresh_token_in_fragment": (Faults(refresh_token_in_fragment=True), ("refresh-in-browser",)),
    "metadata_issuer": (
        Faults(metadata_issuer="https://other.example"),
        ("metadata-issuer", "strict-sign-in"),
    ),
    "authorization_endpoint": (
        Faults(authorization_endpoint="javascript:alert(1)"),
        ("endpoints-encrypted",),
    ),
    "without_metadata": (Faults(without_metadata=True), ("metadata",)),
    "metadata_loop": (Faults(metadata_loop=True), ("metadata",)),
    "pkce_unannounced": (Faults(pkce_unannounced=True), ("s256-announced",)),
    "pkce_optional": (Faults(pkce_optional=True), ("no-pkce", "challenge-dropped")),
    "plain_challenges": (Faults(plain_challenges=True), ("plain-challenge",)),
    "lenient": (Faults(lenient=True), ("no-pkce", "challenge-dropped", "plain-challenge")),
    "loose_redirect_uris": (Faults(loose_redirect_uris=True), ("redirect-approved", "redirect-similar")),
    "exact_redirect_uris": (Faults(exact_redirect_uris=True), ("loopback-port",)),
    "redirect_token_endpoint": (
        Faults(redirect_token_endpoint="https://other.example/token"),
        ("token-errors", "strict-sign-in"),
    ),
    "wrong_token_type": (Faults(wrong_token_type=True), ("bound-token",)),
    "token_html": (Faults(token_html=True), ("token-errors", "strict-sign-in")),
    "token_body": (Faults(token_body=b"[]"), ("token-errors", "strict-sign-in")),
    "token_wrong_type": (Faults(token_wrong_type=True), ("strict-sign-in",)),
    "expires_in": (Faults(expires_in="soon"), ("token-members",)),
    "omit_members": (Faults(omit_members=("token_type",)), ("token-members",)),
    "narrow_scope": (Faults(narrow_scope="email"), ("strict-sign-in",)),
    "wrong_nonce": (Faults(wrong_nonce=True), ("strict-sign-in",)),
    "wrong_audience": (Faults(wrong_audience=True), ("strict-sign-in",)),
    "bad_signature": (Faults(bad_signature=True), ("strict-sign-in",)),
    "clock_skew": (Faults(clock_skew=3600.0), ("strict-sign-in",)),
    "clock_ahead": (Faults(clock_ahead=3600.0), ("clock", "strict-sign-in")),
    "wrong_subject": (Faults(wrong_subject=True), ("other-subject",)),
    "registration_html": (Faults(registration_html=True), ("registration-answer",)),
    "registration_redirect_uri": (
        Faults(registration_redirect_uri="http://127.0.0.1/other"),
        ("registration-answer",),
    ),
    "device_interval": (Faults(device_interval="soon"), ("device-lifetime",)),
    "verification_url": (Faults(verification_url=True), ("verification-uri",)),
    "ignore_verifier": (Faults(ignore_verifier=True), ("code-without-verifier", "code-wrong-verifier")),
    "reusable": (Faults(reusable=True), ("code-twice",)),
    "unlimited_user_codes": (Faults(unlimited_user_codes=True), ("user-code-guessed",)),
}
"""By the fault: what it is, and some of the findings that show it."""
NOT_FOUND = {
    **dict.fromkeys(
        ("fragment_question_mark", "omit_device_interval", "deny_all", "registration_secret"),
        "No rule of an RFC is broken.",
    ),
    **dict.fromkeys(
        ("token_status", "server_errors", "rate_limited", "rate_limit_header", "html_answers"),
        "The server, or what stands before it, fails; that is no answer.",
    ),
    **dict.fromkeys(
        ("approve_after", "slow_down_storm", "expires_early"),
        "A user who waits would notice, and no rule is broken.",
    ),
    **dict.fromkeys(
        ("wrong_type", "bad_ticket_id", "poll_elsewhere", "ticket_status", "exchange_refused"),
        "It is about tickets, which are no standard.",
    ),
    **dict.fromkeys(
        ("other_resource", "without_resource_metadata", "authorization_servers", "other_servers"),
        "It is about protected resources, which are other servers.",
    ),
    **dict.fromkeys(
        ("challenge", "refuse_tokens", "never_enough_scope", "unbound_tokens"),
        "It is about protected resources, which are other servers.",
    ),
    "ignore_acr": "A client that needs it has to ask for it, and no audit knows the values.",
    "nonce_changes": "The server has to demand DPoP nonces, which the demonstration does not by default.",
}
"""Why a fault is none that an audit of a server can find."""


def test_every_fault_is_known_here() -> None:
    """A fault that is added has to be found, or there is a reason why it cannot be."""
    assert {one.name for one in fields(Faults)} == FOUND.keys() | NOT_FOUND.keys()


@pytest.mark.parametrize("name", FOUND)
def test_fault_is_found(name: str) -> None:
    """By the checks and attacks that are about its rule; it costs the server its A where it matters."""
    faults, expected = FOUND[name]
    found = all_findings(faults=faults)
    failed = {one.id for one in found.values() if one.verdict == "fail"}

    assert set(expected) <= failed
    assert all(found[one].advice for one in expected)
    if any(found[one].severity in ("medium", "high") for one in expected):
        assert grade(list(found.values())) != "A"


def test_healthy_server_withstands_every_attack() -> None:
    """An attack that succeeds on a server that keeps the rules is none."""
    found = all_findings()
    failed = {one.id for one in found.values() if one.verdict == "fail"}
    attacks = {one.id: found[one.id].verdict for one in ATTACKS}

    assert failed == OFFERED_BY_THE_DEMO
    assert {name for name, verdict in attacks.items() if verdict != "pass"} == {
        "password-forwarded",
        "wrong-secret",
    }
    assert grade(list(found.values())) == "A"
