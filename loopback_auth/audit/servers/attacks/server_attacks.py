"""Every attack on a server, in the order in which they are tried, and the flow that tries them.

The first is a sign-in that keeps all rules: without one, there is nothing to attack. What ends refresh tokens
comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loopback_auth.audit.servers.attacks import code_attacks, device_attacks, token_attacks
from loopback_auth.audit.servers.attacks.bench import Bench, InapplicableError
from loopback_auth.audit.servers.attacks.second_client import registered
from loopback_auth.audit.servers.attacks.strict_sign_in import bound_token, strict_sign_in
from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.compare.model import Attack, Severity, Verdict
from loopback_auth.effects import Flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.redact import server_text

_VERDICTS: dict[bool | None, Verdict] = {True: "fail", False: "pass", None: "not observed"}


@dataclass(frozen=True, slots=True)
class ServerAttack:
    """One attack.

    Args:
        id: name of the attack, which stays the same.
        severity: how bad it is when it succeeds.
        title: what is tried, in one sentence.
        statement: a short statement that is true when it does not succeed.
        source: clause that describes the attack or the defence.
        advice: what to do when it succeeds, one imperative sentence.
        story: tries it.
    """

    id: str
    severity: Severity
    title: str
    statement: str
    source: str
    advice: str
    story: Callable[[Bench], Flow[Outcome]]


def attack_server(bench: Bench, tried: list[Attack]) -> Flow[None]:
    """Try every attack; what cannot be tried is not observed, and says why.

    Args:
        bench: what there is to attack with.
        tried: each attack is added when it has ended.

    Source: RFC 9700 §4.
    """
    for one in ATTACKS:
        attack = yield from _tried(one, bench)
        tried.append(attack)
        if one is ATTACKS[0] and (bench.first is None or not bench.first.address):
            # Without a way through the login page each attack would only try the password again.
            tried += untried(tried, f"There was no sign-in to attack. {attack.because}")
            return


def untried(tried: Sequence[Attack], why: str) -> list[Attack]:
    """Return the attacks that were not tried."""
    over = {one.id for one in tried}
    return [_attack(one, "not observed", why) for one in ATTACKS if one.id not in over]


def _tried(one: ServerAttack, bench: Bench) -> Flow[Attack]:
    try:
        outcome = yield from one.story(bench)
    except LoopbackAuthError as exc:
        verdict: Verdict = "not applicable" if isinstance(exc, InapplicableError) else "not observed"
        return _attack(one, verdict, f"{server_text(exc.message, 300).rstrip('.')}.")
    return _attack(one, _VERDICTS[outcome.succeeded], outcome.because)


def _attack(one: ServerAttack, verdict: Verdict, because: str) -> Attack:
    return Attack(
        one.id,
        one.title,
        verdict,
        because,
        one.source,
        severity=one.severity,
        statement=one.statement,
        advice=one.advice,
    )


ATTACKS = (
    ServerAttack(
        "strict-sign-in",
        "high",
        "A client that checks everything signs in.",
        "A client that checks everything accepts the answers of the server",
        "RFC 6749 §4.1; OpenID Connect Core 1.0 §3.1.3.7",
        "Correct the answer that was refused: other clients refuse it too, or are deceived by it.",
        strict_sign_in,
    ),
    ServerAttack(
        "registration-answer",
        "medium",
        "A second client registers itself, and is registered as something else than it asked for.",
        "A client is registered as it asked to be, or refused",
        "RFC 7591 §3.2.1",
        "Return what was registered, and refuse what cannot be registered.",
        registered,
    ),
    ServerAttack(
        "other-subject",
        "high",
        "UserInfo and ID token are about different users.",
        "UserInfo and ID token are about the same user",
        "OpenID Connect Core 1.0 §5.3.2",
        "Return the subject of the ID token from the UserInfo endpoint.",
        token_attacks.other_subject,
    ),
    ServerAttack(
        "password-forwarded",
        "high",
        "The redirect after the login form sends the password on to the client.",
        "The redirect after the login form does not send the password on",
        "RFC 9700 §4.12",
        "Redirect with 303 after a form; never with 307 or 308.",
        code_attacks.forwarded_password,
    ),
    ServerAttack(
        "code-without-verifier",
        "high",
        "Another process exchanges the code, without its verifier.",
        "A code with a challenge is worth nothing without its verifier",
        "RFC 7636 §4.6; RFC 9700 §2.1.1",
        "Refuse a token request without code_verifier when the authorization request had a code_challenge.",
        code_attacks.without_verifier,
    ),
    ServerAttack(
        "code-wrong-verifier",
        "high",
        "Another process exchanges the code with a verifier of its own.",
        "A code with a challenge is worth nothing with another verifier",
        "RFC 7636 §4.6",
        "Compare the hash of the code_verifier with the code_challenge.",
        code_attacks.wrong_verifier,
    ),
    ServerAttack(
        "challenge-dropped",
        "medium",
        "The attacker takes the challenge out of the request, and the client notices nothing.",
        "A verifier is refused where the request had no challenge",
        "RFC 9700 §2.1.1, §4.8.2",
        "Refuse a token request with code_verifier when the authorization request had no code_challenge.",
        code_attacks.challenge_dropped,
    ),
    ServerAttack(
        "no-pkce",
        "medium",
        "A public client signs in without PKCE.",
        "A public client cannot sign in without PKCE",
        "RFC 9700 §2.1.1; draft-ietf-oauth-v2-1 §4.1.1",
        "Demand PKCE of public clients.",
        code_attacks.without_pkce,
    ),
    ServerAttack(
        "code-twice",
        "high",
        "A code is exchanged a second time.",
        "A code works once",
        "RFC 6749 §4.1.2, §10.5",
        "Remember which codes were used, and refuse them.",
        code_attacks.code_twice,
    ),
    ServerAttack(
        "tokens-after-replay",
        "low",
        "A thief goes on using the tokens of a code that came twice.",
        "The tokens of a code that came twice are revoked",
        "RFC 6749 §4.1.2, §10.5",
        "Revoke the tokens of a code when it comes a second time.",
        code_attacks.tokens_after_replay,
    ),
    ServerAttack(
        "code-other-client",
        "high",
        "Another client exchanges the code.",
        "A code works for the client that it was issued to",
        "RFC 6749 §4.1.3, §10.5",
        "Compare the client of the token request with that of the code.",
        code_attacks.code_of_other_client,
    ),
    ServerAttack(
        "code-other-redirect-uri",
        "medium",
        "A code is exchanged with another redirect URI than that of its request.",
        "A code works with the redirect URI of its request",
        "RFC 6749 §4.1.3",
        "Compare the redirect_uri of the token request with that of the authorization request.",
        code_attacks.code_with_other_redirect_uri,
    ),
    ServerAttack(
        "wrong-secret",
        "high",
        "Another program exchanges the code with a made-up client secret.",
        "The client secret is checked",
        "RFC 6749 §3.2.1, §4.1.3",
        "Authenticate confidential clients at the token endpoint.",
        code_attacks.wrong_secret,
    ),
    ServerAttack(
        "redirect-approved",
        "high",
        "The user approves a request whose redirect URI leads elsewhere.",
        "No code comes at a redirect URI that leads elsewhere",
        "RFC 9700 §2.1, §4.1.3; RFC 6749 §10.6",
        "Compare redirect URIs as strings; only the port of a loopback one may differ.",
        code_attacks.other_redirect_uris,
    ),
    ServerAttack(
        "redirect-similar",
        "medium",
        "The user approves a request whose redirect URI is spelled in another way.",
        "No code comes at a redirect URI that is spelled in another way",
        "RFC 9700 §2.1, §4.1.3; RFC 6749 §3.1.2",
        "Compare redirect URIs as strings; only the port of a loopback one may differ.",
        code_attacks.similar_redirect_uris,
    ),
    ServerAttack(
        "state-changed",
        "high",
        "The client gets another state than it sent.",
        "The state comes back exactly as it was sent",
        "RFC 6749 §4.1.2",
        "Send the state back unchanged, whatever characters are in it.",
        code_attacks.altered_state,
    ),
    ServerAttack(
        "mix-up",
        "medium",
        "The attacker's server passes the user on to this one, and the client cannot tell (mix-up).",
        "The response names the server that it is from",
        "RFC 9207 §2; RFC 9700 §4.4",
        "Send iss in every authorization response.",
        code_attacks.unnamed_server,
    ),
    ServerAttack(
        "consent-again",
        "low",
        "Another program pretends to be a public client that the user has approved before.",
        "The user is asked again when a public client comes again",
        "RFC 8252 §8.6; RFC 6749 §10.2",
        "Ask the user each time, unless you can tell that the client is the same program.",
        code_attacks.silent_consent,
    ),
    ServerAttack(
        "consent-more",
        "medium",
        "A client asks for more than the user has approved before.",
        "No scope is granted without the user being asked",
        "RFC 6749 §3.3, §10.2; RFC 8252 §8.6",
        "Ask the user about every scope that was not approved before.",
        code_attacks.silent_scope,
    ),
    ServerAttack(
        "request-uri-twice",
        "low",
        "A pushed request is visited a second time.",
        "A pushed request works once",
        "RFC 9126 §2.2, §7.3",
        "Forget a request_uri when it has brought an answer.",
        code_attacks.request_uri_twice,
    ),
    ServerAttack(
        "request-uri-other-client",
        "medium",
        "A pushed request is visited in the name of another client.",
        "A pushed request works for the client that pushed it",
        "RFC 9126 §2.2, §4",
        "Compare the client_id with that of the pushed request.",
        code_attacks.request_uri_of_other_client,
    ),
    ServerAttack(
        "short-secrets",
        "medium",
        "The attacker guesses codes and tokens.",
        "Codes and tokens are too long to be guessed",
        "RFC 6749 §10.10",
        "Use at least 128 random bits for each code and token.",
        code_attacks.short_secrets,
    ),
    ServerAttack(
        "token-members",
        "low",
        "A client reads a member of the token response in another way than the server means it.",
        "The members of the token response are as in the RFC",
        "RFC 6749 §5.1, appendix A.12-A.17",
        "Send token_type, and expires_in as a number of seconds.",
        token_attacks.odd_members,
    ),
    ServerAttack(
        "refresh-in-browser",
        "high",
        "A refresh token is read in the address bar.",
        "No refresh token comes through the browser",
        "RFC 6749 §4.2.2",
        "Issue refresh tokens at the token endpoint alone.",
        token_attacks.refresh_token_in_browser,
    ),
    ServerAttack(
        "bound-token",
        "high",
        "A stolen token that is bound to a key is used without the key.",
        "A token that is bound to a key is worth nothing without it",
        "RFC 9449 §5, §7.1, §7.2",
        "Refuse a token that is bound to a key, unless a proof of that key comes with it.",
        bound_token,
    ),
    ServerAttack(
        "tokens-stored",
        "low",
        "The attacker reads the tokens in a cache.",
        "The response with the tokens is not kept in caches",
        "RFC 6749 §5.1",
        "Send Cache-Control: no-store with every token response.",
        token_attacks.tokens_stored,
    ),
    ServerAttack(
        "token-in-url",
        "low",
        "An access token is sent in a URL, and read in a log.",
        "UserInfo takes no access token from its URL",
        "RFC 9700 §4.3.2; RFC 6750 §2.3, §5.3",
        "Read the access token from the header Authorization alone.",
        token_attacks.token_in_url,
    ),
    ServerAttack(
        "device-code-twice",
        "medium",
        "A device code is exchanged a second time.",
        "A device code works once",
        "RFC 8628 §3.5; RFC 6749 §5.2",
        "Forget a device code when it has brought tokens.",
        device_attacks.device_code_twice,
    ),
    ServerAttack(
        "device-code-other-client",
        "medium",
        "Another client exchanges the device code.",
        "A device code works for the client that it was issued to",
        "RFC 8628 §3.4; RFC 6749 §5.2",
        "Compare the client of the token request with that of the device code.",
        device_attacks.device_code_of_other_client,
    ),
    ServerAttack(
        "user-code-guessed",
        "high",
        "The attacker guesses user codes, one after the other.",
        "The server limits wrong user codes",
        "RFC 8628 §5.1",
        "Take no more codes after five wrong ones.",
        device_attacks.guessed_user_code,
    ),
    ServerAttack(
        "refresh-for-more",
        "medium",
        "A renewal asks for more than the user has approved.",
        "A renewal brings no more than was approved",
        "RFC 6749 §6",
        "Refuse a refresh request with a scope that was not granted.",
        token_attacks.refresh_for_more,
    ),
    ServerAttack(
        "refresh-other-client",
        "high",
        "Another client uses the refresh token.",
        "A refresh token works for the client that it was issued to",
        "RFC 6749 §6, §10.4",
        "Compare the client of the refresh request with that of the token.",
        token_attacks.refresh_of_other_client,
    ),
    ServerAttack(
        "revoked-token",
        "medium",
        "A token is used after it was revoked.",
        "A token that was revoked works no more",
        "RFC 7009 §2, §2.1",
        "Refuse tokens that were revoked.",
        token_attacks.revoked_refresh_token,
    ),
    ServerAttack(
        "refresh-twice",
        "medium",
        "A thief uses a refresh token that the client has used already.",
        "A refresh token of a public client works once",
        "RFC 9700 §2.2.2, §4.14.2",
        "Issue a new refresh token at each use, and refuse the old one.",
        token_attacks.refresh_twice,
    ),
    ServerAttack(
        "refresh-family",
        "medium",
        "A thief goes on after the client has come with an old refresh token.",
        "All refresh tokens of a grant end when an old one comes again",
        "RFC 9700 §4.14.2",
        "Revoke the newest refresh token too when an old one comes again.",
        token_attacks.family_survives,
    ),
)
