"""Every question has a program that falls to it and one that does not: the same scenario tells them apart."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from memory_trials import audit
from sample_program import WEAKNESSES

from loopback_auth.audit.programs.assembling import Audited, assemble, questions
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.trace.recorder import Recorder

FORGED = {"wrong-state", "missing-state", "repeated-state", "forged-error", "forged-by-script"}
COPIED = {"head-of-callback", "options-of-callback", "prefetch-of-callback"}
ID_TOKEN = {"id-token-nonce", "id-token-audience"}
READ_IN_LINK = {"code-in-output", "secrets-in-argv"}
"""The link is printed and opened, so what it has in it is in the output and in a command line, too."""

FALLS: Mapping[tuple[str, ...], set[str]] = {
    (): set(),
    ("all-interfaces",): {"binds-loopback"},
    ("any-scheme",): {"strange-scheme"},
    ("any-method",): {"head-of-callback", "options-of-callback"},
    ("bare-page",): {"page-referrer", "page-cache"},
    ("bearer-in-url",): {"bearer-header"},
    ("code-in-file",): {"code-in-files"},
    ("code-twice",): {"code-sent-once", "repeated-callback"},
    ("cors",): {"cors"},
    ("crash-on-bytes",): {"malformed"},
    ("crash-on-tls",): {"tls-hello"},
    ("deaf",): {"ctrl-c"},
    ("early-success",): {"failed-page"},
    ("error-first",): {"forged-error"},
    ("exchanges-again",): {"repeated-callback"},
    ("exit-zero",): {"denied-status", "failed-status", "html-answer", "server-error", *ID_TOKEN},
    ("first-request",): {
        "favicon",
        "preconnect",
        "other-paths",
        "empty-callback",
        "other-methods",
        "tls-hello",
        "oversize",
        "malformed",
        "denied-said",
        "forged-error",
    },
    ("follows-redirects",): {"token-redirect"},
    ("ignored-issuer",): {"wrong-issuer", "missing-issuer"},
    ("ignored-metadata",): {"metadata-issuer"},
    # PKCE and the nonce still keep the attacker's code out: the sign-in ends without tokens.
    ("ignored-state",): {"empty-callback", *FORGED},
    ("late-port",): {"listens-first"},
    ("leaves-child",): {"port-closed", "processes-left"},
    ("localhost",): {"redirect-host", "other-family"},
    ("markup",): {"markup"},
    ("no-id-token-check",): ID_TOKEN,
    ("no-page",): {"page-shown"},
    ("no-pkce",): {"pkce", "injected-code", "stolen-code"},
    ("no-redirect-uri",): {"redirect-uri-again"},
    ("no-state",): {"state", "empty-callback", *FORGED},
    ("one-at-a-time",): {"silent-connections"},
    ("open-file",): {"file-modes"},
    ("open-redirect",): {"open-redirect"},
    ("other-hosts",): {"other-host"},
    ("patient",): {"token-hang"},
    ("plain-pkce",): {"pkce-method", "injected-code", "stolen-code", *READ_IN_LINK},
    ("prefetched",): {"prefetch-of-callback"},
    ("prints-code",): {"code-in-output"},
    ("raw-terminal",): {"terminal-escapes"},
    ("readable",): {"cors"},
    ("refusal-ends",): {
        "favicon",
        "other-paths",
        "empty-callback",
        "other-methods",
        "tls-hello",
        "oversize",
        "malformed",
        *COPIED,
        *FORGED,
    },
    ("same-values",): {"fresh-values", "fresh-state"},
    ("secrets-in-argv",): {"secrets-in-argv"},
    ("shared-port",): {"port-sharing"},
    ("shell",): {"shell-command"},
    ("short-state",): {"state-length"},
    ("short-verifier",): {"pkce-method", "verifier", "injected-code", "stolen-code", *READ_IN_LINK},
    ("silent",): {"denied-said", "failed-said"},
    ("small-headers",): {"large-cookies"},
    ("stays-when-denied",): {"denied-ends", "denied-said"},
    ("third-party-page",): {"page-external"},
    ("token-on-stderr",): {"tokens-in-stderr"},
    ("verifier-as-state",): {"verifier-secret", *READ_IN_LINK},
    ("welcome-when-denied",): {"denied-page"},
    ("wrong-state-ends",): FORGED - {"forged-error"},
    # Nothing is left that ties a code to the program.
    ("ignored-issuer", "ignored-state", "no-id-token-check", "no-pkce"): {
        "login-csrf",
        "forged-code",
        "pkce",
        "injected-code",
        "stolen-code",
        "wrong-issuer",
        "missing-issuer",
        *ID_TOKEN,
        *FORGED,
    },
}
NEVER = {"response-type", "gives-up", "id-token-signature"}
"""With the implicit grant no token request could succeed; the others are no faults where they do not pass."""


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Return a signer of ID tokens."""
    made = rsa_signer()
    assert made is not None
    return made


def audited(weak: tuple[str, ...], signer: Signer, *, lingers: bool = False) -> Audited:
    """Try everything on a program."""
    played = audit(weak, signer, lingers=lingers or "exchanges-again" in weak)
    trace = Recorder("code", ground="demo", provider="demo", clock=lambda: 0.0).trace()
    return assemble("sample", "code", played, trace=trace)


@pytest.mark.parametrize("weak", FALLS, ids=lambda weak: "+".join(weak) or "careful")
def test_a_program_falls_to_what_it_is_weak_against(weak: tuple[str, ...], signer: Signer) -> None:
    """A finding that fails for another reason would blame a program for what it does right."""
    run = audited(weak, signer).run

    assert run.outcome == "signed in"
    assert {one.id for one in run.findings if one.verdict == "fail"} == FALLS[weak]


def test_a_careful_program_has_an_answer_to_everything(signer: Signer) -> None:
    """Where nothing fails because nothing was seen, a report would praise the program for it."""
    run = audited((), signer).run

    assert {one.id: one.verdict for one in run.findings if one.verdict != "pass"} == {
        "other-family": "not applicable",
        "gives-up": "not observed",
    }


def test_a_port_that_stays_open_for_a_moment_is_no_fault(signer: Signer) -> None:
    """A program that still answers after the response answers a reload with the same page."""
    run = audited((), signer, lingers=True).run

    assert [one.id for one in run.findings if one.verdict == "fail"] == []


def test_every_weakness_and_every_question_is_tried() -> None:
    """The table above is the proof that each question can be failed."""
    assert {name for weak in FALLS for name in weak} == WEAKNESSES
    assert {one.id for one in questions()} - set().union(*FALLS.values()) == NEVER


@pytest.mark.parametrize(("weak", "most"), [((), 27), (("crash-on-tls",), 33), (("first-request",), 42)])
def test_a_careful_program_is_tried_in_few_sign_ins(weak: tuple[str, ...], most: int, signer: Signer) -> None:
    """A sign-in takes seconds; only where one fails does it take more to know why."""
    assert len(audit(weak, signer)) <= most
