"""What a server says that a program must not believe: another issuer, another address, another's ID token."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from loopback_auth.audit.programs.actions import End, ProgramScenario
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.scenarios.steps import end_text
from loopback_auth.audit.programs.trial import Need, Question, Trial
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.compare.model import Severity
from loopback_auth.demo.faults import Faults

ELSEWHERE = "/elsewhere"
"""Path to which the token endpoint redirects, at another name of the same machine."""
ANOTHER_ISSUER = "https://attacker.example"
STRANGE = "file:///audit-of-a-scheme"
"""An address that is not on the web; there is no such file."""
UNUSED = "It may use no ID token, or leave this check to the program that uses it."
MADE = "audit-of-a-shell"
"""Name of the file that a command in an address makes."""


def code_kept(result: ProgramResult) -> Judgement:
    """Judge a response that must be refused: its code must not be sent."""
    if not result.link:
        return unseen(f"The browser was not opened. {end_text(result)}")
    if result.token_requests:
        return failed(f"The response was accepted: its code was sent. {end_text(result)}")
    return passed(f"The response was refused: its code was not sent. {end_text(result)}")


def not_followed(result: ProgramResult) -> Judgement:
    """Judge a redirect of the token endpoint: the code must not go along."""
    if not result.token_requests:
        return unseen(f"No token request came. {end_text(result)}")
    there = [one for one in result.requests if one.path == ELSEWHERE]
    if any("code" in one.parameters for one in there):
        return failed("The code was sent on to the other origin.")
    what = "was asked without the code" if there else "was not asked"
    return passed(f"The other origin {what}. {end_text(result)}")


def not_opened(result: ProgramResult) -> Judgement:
    """Judge metadata that must be refused: the browser must not be opened."""
    if result.link:
        return failed("The browser was opened at an address from these metadata.")
    return passed(f"The browser was not opened. {end_text(result)}")


def no_other_scheme(result: ProgramResult) -> Judgement:
    """Judge an authorization endpoint that is not a web address: it must not be opened."""
    if any(STRANGE in line for line in result.seen.argv):
        return failed(f"The browser was started with {STRANGE}.")
    return passed(f"The browser was not started with {STRANGE}. {end_text(result)}")


def no_shell(result: ProgramResult) -> Judgement:
    """Judge an authorization endpoint with commands in it: they must not run."""
    if any(one.path.rpartition("/")[2] == MADE for one in result.seen.files):
        return failed("The command in the address was run.")
    return passed(f"The command in the address was not run. {end_text(result)}")


def not_signed_in(result: ProgramResult) -> Judgement:
    """Judge an ID token that must be refused: the sign-in must fail."""
    if not result.token_requests:
        return unseen(f"No token request came. {end_text(result)}")
    if not result.succeeded:
        return passed(end_text(result))
    return failed(f"{end_text(result)} {UNUSED}")


def nonce_compared(result: ProgramResult) -> Judgement:
    """Judge an ID token with another nonce; without a nonce in the request there is nothing to compare."""
    if not result.request.get("nonce"):
        return idle("The request has no nonce.")
    return not_signed_in(result)


def signature_checked(result: ProgramResult) -> Judgement:
    """Judge a damaged signature: over TLS to the token endpoint it may be left unchecked (§3.1.3.7, 6)."""
    if result.succeeded:
        return unseen("The signature was not checked, which may be left out over TLS.")
    return not_signed_in(result)


def _told(id: str, judge: Callable[[ProgramResult], Judgement], _: AttackContext) -> ProgramScenario:
    result = yield from End()
    return {id: judge(result)}


def _untrue(
    question: Question,
    title: str,
    judge: Callable[[ProgramResult], Judgement],
    faults: Callable[[str], Faults],
    *needs: Need,
) -> Trial:
    return Trial(question.id, title, partial(_told, question.id, judge), (question,), faults, needs=needs)


def _id_token(id: str, severity: Severity, what: str, source: str) -> Question:
    return Question(
        id,
        severity,
        f"The ID token {what}.",
        f"An ID token that {what} is refused",
        f"It accepts an ID token that {what}.",
        f"OpenID Connect Core §3.1.3.7 {source}",
        "Check issuer, audience, expiry, nonce and signature of the ID token, with a library.",
        "attack",
    )


def _commanding(issuer: str) -> Faults:
    command = f"touch${{IFS}}{MADE}"
    return Faults(authorization_endpoint=f"{issuer}/authorize?a=`{command}`$({command})")


def _redirecting(issuer: str) -> Faults:
    there = issuer.replace("127.0.0.1", "localhost").replace("[::1]", "localhost")
    return Faults(redirect_token_endpoint=there + ELSEWHERE)


UNTRUE_RESPONSES = (
    _untrue(
        # It takes a program that uses several servers to be in danger (RFC 9700 §4.4).
        Question(
            "wrong-issuer",
            "low",
            "The response names another server as its issuer (mix-up).",
            "A response of another issuer is refused before its code is sent",
            "A response of another issuer is accepted.",
            "RFC 9207 §2.4; RFC 9700 §4.4.2",
            "Compare iss with the issuer, and end the sign-in when it differs.",
            "attack",
        ),
        "The server's response names another issuer.",
        code_kept,
        lambda _: Faults(wrong_iss=True),
        "port",
        "code",
        "metadata",
    ),
    _untrue(
        Question(
            "missing-issuer",
            "low",
            "The server's metadata promise iss, and the response has none.",
            "A response without the promised issuer is refused before its code is sent",
            "A response without the promised issuer is accepted.",
            "RFC 9207 §2.4",
            "Refuse a response without iss when the metadata promise it.",
            "attack",
        ),
        "The server's metadata promise iss in the response, and it is not there.",
        code_kept,
        lambda _: Faults(omit_iss=True),
        "port",
        "code",
        "metadata",
    ),
    _untrue(
        Question(
            "metadata-issuer",
            "medium",
            "The server's metadata name another issuer.",
            "Metadata of another issuer are refused before the browser opens",
            "Metadata of another issuer are accepted.",
            "RFC 8414 §3.3; OpenID Connect Discovery §4.3",
            "Compare issuer in the metadata with the issuer that was asked, byte for byte.",
            "attack",
        ),
        "The server's metadata name another issuer.",
        not_opened,
        lambda _: Faults(metadata_issuer=ANOTHER_ISSUER),
        "metadata",
    ),
    _untrue(
        Question(
            "strange-scheme",
            "medium",
            "The authorization endpoint in the server's metadata begins with file:.",
            "Nothing but a web address is opened in the browser",
            "Whatever address a server names is opened.",
            "CVE-2025-58444; RFC 8414 §2",
            "Open only addresses that begin with https:, or http: on this machine.",
            "attack",
        ),
        "The server's metadata have an authorization endpoint that begins with file:.",
        no_other_scheme,
        lambda _: Faults(authorization_endpoint=STRANGE),
        "metadata",
    ),
    _untrue(
        Question(
            "shell-command",
            "high",
            "The authorization endpoint in the server's metadata has shell commands in it.",
            "A command in the address is not run",
            "A server can run commands by its address.",
            "CVE-2025-6514; CVE-2023-34233",
            "Start the browser without a shell, with the address as one argument.",
            "attack",
        ),
        "The server's metadata have an authorization endpoint with shell commands in it.",
        no_shell,
        _commanding,
        "metadata",
    ),
    _untrue(
        Question(
            "token-redirect",
            "medium",
            "The token endpoint redirects to another origin with 307.",
            "Code and verifier do not follow a redirect to another origin",
            "Code and verifier follow a redirect to another origin.",
            "RFC 9110 §15.4; RFC 6749 §3.2",
            "Do not follow redirects of the token endpoint.",
            "attack",
        ),
        "The token endpoint answers with a redirect (307) to another origin.",
        not_followed,
        _redirecting,
        "code",
    ),
    _untrue(
        _id_token("id-token-nonce", "low", "has the nonce of another sign-in", "(11)"),
        "The ID token has another nonce than the request.",
        nonce_compared,
        lambda _: Faults(wrong_nonce=True),
        "code",
        "openid",
    ),
    _untrue(
        _id_token("id-token-audience", "low", "is for another client", "(3)"),
        "The ID token is for another client.",
        not_signed_in,
        lambda _: Faults(wrong_audience=True),
        "code",
        "openid",
    ),
    _untrue(
        # Over TLS a client may leave the signature unchecked.
        _id_token("id-token-signature", "info", "has a damaged signature", "(6)"),
        "The signature of the ID token is damaged.",
        signature_checked,
        lambda _: Faults(bad_signature=True),
        "code",
        "openid",
    ),
)
