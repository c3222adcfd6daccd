"""What the program asks: its authorization request and its token request."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from loopback_auth.audit.programs.facts.evidence import Evidence, fact
from loopback_auth.audit.programs.reading import holds, most_bits
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.demo.request_log import LoggedRequest

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
ENOUGH_BITS = 120
"""Bits of chance that make a value unguessable: RFC 6749 §10.10 wants 128, and a version 4 UUID has 122."""


def exchange(evidence: Evidence) -> LoggedRequest | None:
    """Return the request in which the plain sign-in has sent its code."""
    return next((one for one in evidence.plain.token_requests if "code" in one.parameters), None)


def _response_type(evidence: Evidence) -> Judgement:
    kind = evidence.plain.request.get("response_type", "")
    if "token" in kind.split():
        return failed(f"response_type is {kind}: the access token travels through the browser.")
    return passed(f"response_type is {kind}.")


def _pkce(evidence: Evidence) -> Judgement:
    if not evidence.plain.request.get("code_challenge"):
        return failed("The authorization request has no code_challenge.")
    return passed("The authorization request has a code_challenge.")


def _s256(evidence: Evidence) -> Judgement:
    request = evidence.plain.request
    if not request.get("code_challenge"):
        return idle("There is no code_challenge.")
    method = request.get("code_challenge_method", "plain")
    return (passed if method == "S256" else failed)(f"code_challenge_method is {method}.")


def _verifier(evidence: Evidence) -> Judgement:
    sent = exchange(evidence)
    if not evidence.plain.request.get("code_challenge"):
        return idle("There is no code_challenge.")
    if sent is None:
        return unseen("No code was exchanged.")
    verifier = sent.parameters.get("code_verifier", "")
    if not verifier:
        return failed("The token request has no code_verifier.")
    said = f"It has {len(verifier)} characters, at most {most_bits(verifier):.0f} random bits."
    return (passed if VERIFIER.fullmatch(verifier) else failed)(said)


def _verifier_secret(evidence: Evidence) -> Judgement:
    sent = exchange(evidence)
    verifier = "" if sent is None else sent.parameters.get("code_verifier", "")
    if not verifier or evidence.plain.request.get("code_challenge_method") != "S256":
        return idle("There is no verifier to keep secret.")
    where = [name for name, value in evidence.plain.request.items() if holds(value, verifier)]
    if where or holds(evidence.plain.link, verifier):
        return failed(f"The verifier is in the link, as {', '.join(where) or 'a part of it'}.")
    return passed("The verifier is not in the link.")


def _state(evidence: Evidence) -> Judgement:
    if evidence.plain.request.get("state"):
        return passed("The authorization request has a state.")
    return failed("The authorization request has no state.")


def _state_bits(evidence: Evidence) -> Judgement:
    state = evidence.plain.request.get("state", "")
    if not state:
        return idle("There is no state.")
    bits = most_bits(state)
    said = f"It has {len(state)} characters, at most {bits:.0f} random bits."
    return (passed if bits >= ENOUGH_BITS else failed)(said)


def _fresh(evidence: Evidence, *names: str) -> Judgement:
    runs = [one.request for one in evidence.all() if one.request]
    sent = {name: values for name in names if (values := [run[name] for run in runs if run.get(name)])}
    if not sent:
        return idle(f"There is no {' and no '.join(names)}.")
    if len(runs) < 2:
        return unseen("Only one authorization request was seen.")
    if again := [name for name, values in sent.items() if len(values) != len(set(values))]:
        return failed(f"The same {' and '.join(again)} came in several of {len(runs)} sign-ins.")
    return passed(f"Each of {len(runs)} sign-ins had its own {' and '.join(sent)}.")


def _fresh_state(evidence: Evidence) -> Judgement:
    return _fresh(evidence, "state")


def _fresh_proofs(evidence: Evidence) -> Judgement:
    return _fresh(evidence, "code_challenge", "nonce")


def _literal(evidence: Evidence) -> Judgement:
    uri = evidence.plain.request.get("redirect_uri", "")
    if not uri.startswith("http://"):
        return idle("The redirect URI is not on this machine." if uri else "There is no redirect URI.")
    host = urlsplit(uri).hostname or ""
    return (passed if host in ("127.0.0.1", "::1") else failed)(f"The redirect URI has the host {host}.")


def _same_redirect(evidence: Evidence) -> Judgement:
    sent = exchange(evidence)
    asked = evidence.plain.request.get("redirect_uri", "")
    if sent is None or not asked:
        return unseen("No code was exchanged for a redirect URI.")
    again = sent.parameters.get("redirect_uri", "")
    if again == asked:
        return passed("The token request has the same redirect_uri.")
    return failed("The token request has another redirect_uri." if again else "The token request has none.")


def _once(evidence: Evidence) -> Judgement:
    codes = [one.parameters["code"] for one in evidence.plain.token_requests if "code" in one.parameters]
    if not codes:
        return unseen("No code was exchanged.")
    most = max(map(codes.count, codes))
    return passed("The code was sent once.") if most == 1 else failed(f"The same code was sent {most} times.")


def _bearer(evidence: Evidence) -> Judgement:
    token = evidence.plain.tokens.get("access_token", "")
    used = [one for one in evidence.plain.requests if one.path != "/token" and _uses(one, token)]
    if not used:
        return idle("The access token was not used.")
    if any(one.header("authorization").endswith(token) for one in used):
        return passed("The access token came in the header Authorization.")
    return failed("The access token came in the URL or in a form.")


def _uses(request: LoggedRequest, token: str) -> bool:
    sent = (request.header("authorization"), *request.parameters.values())
    return bool(token) and any(one.endswith(token) for one in sent)


def _asked(judge: Callable[[Evidence], Judgement]) -> Callable[[Evidence], Judgement]:
    """Judge only where there is an authorization request."""

    def judged(evidence: Evidence) -> Judgement:
        if evidence.plain.request:
            return judge(evidence)
        if evidence.plain.tokens:
            return idle("The program sends no authorization request.")
        return unseen("No authorization request was seen.")

    return judged


FACTS = (
    fact(
        "response-type",
        "high",
        "The response type of the authorization request is checked.",
        "The response brings a code, not an access token",
        "The access token travels through the browser.",
        "RFC 9700 §2.1.2",
        "Use response_type=code with PKCE.",
        _asked(_response_type),
    ),
    fact(
        "pkce",
        "high",
        "The authorization request is searched for a code challenge.",
        "The authorization request has a code challenge (PKCE)",
        "It does not use PKCE.",
        "RFC 8252 §8.1; RFC 9700 §2.1.1",
        "Send code_challenge with S256, and its verifier in the token request.",
        _asked(_pkce),
    ),
    fact(
        "pkce-method",
        "medium",
        "The method of the code challenge is checked.",
        "The code challenge is a hash (S256)",
        "The link has the code verifier in it (plain).",
        "RFC 7636 §4.2; RFC 9700 §2.1.1",
        "Use S256: with plain, the link has the verifier in it.",
        _asked(_s256),
    ),
    fact(
        "verifier",
        "medium",
        "The code verifier in the token request is checked.",
        "The code verifier has 43 to 128 allowed characters",
        "The code verifier is too short, or malformed.",
        "RFC 7636 §4.1, §7.1",
        "Make the verifier of 32 random bytes in base64url: 43 characters.",
        _asked(_verifier),
    ),
    fact(
        "verifier-secret",
        "high",
        "The link is searched for the code verifier.",
        "The code verifier is not in the link",
        "The link has the code verifier in it.",
        "RFC 7636 §1; NousResearch/hermes-agent#10693",
        "Make state and verifier of different random bytes.",
        _asked(_verifier_secret),
    ),
    fact(
        "state",
        "low",
        "The authorization request is searched for a state.",
        "The authorization request has a state",
        "It sends no state.",
        "RFC 8252 §8.9; RFC 6749 §10.12",
        "Send a state of at least 128 random bits.",
        _asked(_state),
    ),
    fact(
        "state-length",
        "low",
        "Length and characters of the state are checked.",
        "The state can have 120 random bits",
        "The state is too short.",
        "RFC 6749 §10.10, §10.12",
        "Make the state of at least 16 random bytes: 22 characters of base64url.",
        _asked(_state_bits),
    ),
    fact(
        "fresh-values",
        "medium",
        "Code challenge and nonce of all sign-ins are compared.",
        "Code challenge and nonce are new for each sign-in",
        "The code challenge or nonce is the same in several sign-ins.",
        "RFC 9700 §2.1.1; RFC 7636 §4.1",
        "Make them anew, with a cryptographic random generator, for each request.",
        _asked(_fresh_proofs),
    ),
    fact(
        "fresh-state",
        "low",
        "The state of all sign-ins is compared.",
        "The state is new for each sign-in",
        "The state is the same in several sign-ins.",
        "RFC 9700 §4.7.1; RFC 6749 §10.12",
        "Make it anew, with a cryptographic random generator, for each request.",
        _asked(_fresh_state),
    ),
    fact(
        "redirect-host",
        "low",
        "The host of the redirect URI is checked.",
        "The redirect URI has the literal 127.0.0.1 or [::1]",
        "The redirect URI says localhost.",
        "RFC 8252 §8.3",
        "Use 127.0.0.1 instead of localhost, where the provider allows it.",
        _asked(_literal),
    ),
    fact(
        "redirect-uri-again",
        "low",
        "The redirect URI in the token request is compared.",
        "The token request has the same redirect URI",
        "The token request lacks the redirect URI.",
        "RFC 6749 §4.1.3",
        "Send redirect_uri in the token request, exactly as in the authorization request.",
        _asked(_same_redirect),
    ),
    fact(
        "code-sent-once",
        "low",
        "The token requests with the same code are counted.",
        "The code is sent once",
        "The same code is sent several times.",
        "RFC 6749 §4.1.2",
        "Do not try several ways of client authentication with the same code.",
        _asked(_once),
    ),
    fact(
        "bearer-header",
        "low",
        "The request with the access token is checked.",
        "The access token is sent in a header",
        "The access token is sent in a URL or form.",
        "RFC 6750 §2.1, §2.3; RFC 9700 §4.3.2",
        "Send the access token in the header Authorization.",
        _asked(_bearer),
    ),
)
