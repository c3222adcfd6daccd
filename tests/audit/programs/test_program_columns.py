"""Programs side by side: each row has a cell for each, and each program has a conclusion with its reasons."""

from __future__ import annotations

import pytest
from memory_trials import audit

from loopback_auth.audit.programs.assembling import Audited, assemble, why_not
from loopback_auth.audit.programs.conclusions import NAMED, conclusions
from loopback_auth.audit.programs.observed import ProgramResult, TrialResult
from loopback_auth.audit.programs.rows import rows
from loopback_auth.audit.programs.scenarios.ordinary import PLAIN
from loopback_auth.audit.programs.trials import TRIALS
from loopback_auth.compare.drawing.document import document
from loopback_auth.compare.model import Advice, Comparison
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.request_log import LoggedRequest
from loopback_auth.trace.recorder import Recorder
from loopback_auth.trace.records import Trace


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Return a signer of ID tokens."""
    made = rsa_signer()
    assert made is not None
    return made


def empty() -> Trace:
    """Return a trace in which nothing happened."""
    return Recorder("code", ground="demo", provider="demo", clock=lambda: 0.0).trace()


def column(name: str, weak: tuple[str, ...], signer: Signer) -> Audited:
    """Try everything on a program."""
    return assemble(name, "code", audit(weak, signer), trace=empty())


def absent(reason: str = "") -> Audited:
    """Return a program that never asked the server."""
    played = [(PLAIN, TrialResult({}, ProgramResult(status=1), finished=False))]
    return assemble("absent", "code", played, trace=empty(), reason=reason)


@pytest.mark.parametrize(
    ("weak", "advice", "finding"),
    [
        ((), "use", ""),
        (("bare-page",), "use", ""),
        (("one-at-a-time",), "use when", "silent-connections"),
        (("no-pkce", "one-at-a-time"), "avoid", "pkce"),
    ],
)
def test_a_conclusion_follows_from_the_worst_fault(
    weak: tuple[str, ...], advice: Advice, finding: str, signer: Signer
) -> None:
    """A reader decides by one sentence, and checks it by its two reasons."""
    (conclusion,) = conclusions([column("sample", weak, signer).run])

    assert (conclusion.run, conclusion.advice) == ("sample", advice)
    assert 1 <= len(conclusion.reasons) <= 2
    assert finding in {reason.finding for reason in conclusion.reasons}


@pytest.mark.parametrize("weak", [("one-at-a-time",), ("ignored-state", "no-pkce", "one-at-a-time")])
def test_a_conclusion_counts_the_attacks_that_succeeded(weak: tuple[str, ...], signer: Signer) -> None:
    """Two faults in full do not show that there are many more; the gravest attacks are named."""
    run = column("sample", weak, signer).run
    (conclusion,) = conclusions([run])
    attacks = [one for one in run.findings if one.kind == "attack" and one.verdict in ("pass", "fail")]
    succeeded = [one for one in attacks if one.verdict == "fail"]
    named = [one for one in succeeded if one.id in conclusion.sentence]
    order = ("high", "medium", "low", "info")

    assert f"{len(succeeded)} of {len(attacks)} attacks" in conclusion.sentence
    assert len(named) == min(len(succeeded), NAMED)
    unnamed = [order.index(one.severity) for one in succeeded if one not in named]
    assert max(order.index(one.severity) for one in named) <= min(unnamed, default=len(order))


def test_a_conclusion_counts_no_attack_where_none_succeeded(signer: Signer) -> None:
    """A fault that a check found is not an attack."""
    (conclusion,) = conclusions([column("sample", ("no-pkce",), signer).run])
    (careful,) = conclusions([column("sample", (), signer).run])

    assert "succeeded" not in careful.sentence
    assert conclusion.advice == "avoid"


def test_a_program_that_never_signed_in_is_not_judged() -> None:
    """It may be right and the command wrong, so no finding of it may fail or pass."""
    one = absent("It wants another server.")
    (conclusion,) = conclusions([one.run])

    assert {finding.verdict for finding in one.run.findings} == {"not observed"}
    assert (one.run.outcome, conclusion.advice) == ("failed", "not judged")
    assert conclusion.reasons[0].text == "It wants another server."
    assert absent().run.reason


def test_a_program_of_which_too_little_was_seen_is_not_judged(signer: Signer) -> None:
    """When the time is up after the first sign-in, the attacks have no answer."""
    plain = audit((), signer)[:1]
    (conclusion,) = conclusions([assemble("sample", "code", plain, trace=empty()).run])

    assert conclusion.advice == "not judged"


def asked(path: str, status: int = 200) -> LoggedRequest:
    """Return a request that the server was sent."""
    return LoggedRequest("POST", path, (), {}, (), b"", status, 0.0)


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        (ProgramResult(status=1), "no request"),
        (ProgramResult(requests=(asked("/jwks"),)), "no authorization request"),
        (ProgramResult(link="x", repeated=("scope",)), "scope"),
        (ProgramResult(link="x", status=1), "no token request"),
        (ProgramResult(link="x", requests=(asked("/token", 400),), status=1), "400"),
        (ProgramResult(link="x", requests=(asked("/token"),), tokens={"access_token": "x"}, status=3), "3"),
    ],
)
def test_why_a_program_did_not_sign_in(plain: ProgramResult, words: str) -> None:
    """Whoever tried a program has to learn what to change in the command."""
    assert words in why_not(plain)


def test_trials_that_were_not_played_have_no_answer(signer: Signer) -> None:
    """A choice of trials is not a choice of passes."""
    run = assemble("sample", "code", audit((), signer)[:1], trace=empty()).run

    asked = {question.id for trial in TRIALS[1:] for question in trial.questions}
    assert {one.verdict for one in run.findings if one.id in asked} == {"not observed"}


def test_the_worst_answer_counts(signer: Signer) -> None:
    """A series that is played in parts answers some questions several times."""
    forged = ("ignored-issuer", "ignored-state", "no-pkce", "no-id-token-check")
    played = audit(forged, signer)
    verdicts = [one.answers["forged-code"].verdict for _, one in played if "forged-code" in one.answers]

    assert set(verdicts) == {"pass", "fail"}
    assert assemble("sample", "code", played, trace=empty()).answers["forged-code"].verdict == "fail"


def test_every_row_has_a_cell_for_every_program(signer: Signer) -> None:
    """Programs stand side by side, with those that did not sign in."""
    table = rows([column("careful", (), signer), column("weak", ("first-request",), signer), absent()])

    assert len({row.id for row in table}) == len(table)
    assert {len(row.cells) for row in table} == {3}
    assert {row.cells[2].basis for row in table} == {"not observed"}
    assert [row.id for row in table if row.cells[0].basis == "not observed"] == []
    assert all(len(cell.text) <= 40 for row in table for cell in row.cells)


def test_a_comparison_of_programs_can_be_written_down(signer: Signer) -> None:
    """The document of `compare` is that of `audit`, too."""
    columns = [column("careful", (), signer), absent()]
    runs = tuple(one.run for one in columns)
    comparison = Comparison(
        "demo", "demo", 0.0, "1", runs, rows(columns), kind="programs", conclusions=conclusions(runs)
    )

    assert document(comparison)["kind"] == "programs"


def test_no_secret_of_the_sample_is_in_a_finding(signer: Signer) -> None:
    """Findings name what was found, and never show it."""
    played = audit(("prints-code", "token-on-stderr", "code-in-file", "verifier-as-state"), signer)
    one = assemble("sample", "code", played, trace=empty())
    secrets = {
        value
        for _, part in played
        if part.result is not None
        for value in (
            *part.result.tokens.values(),
            *(request.parameters.get("code", "") for request in part.result.token_requests),
            *(request.parameters.get("code_verifier", "") for request in part.result.token_requests),
        )
        if len(value) > 8 and not value.startswith(("a-code-", "openid"))
    }
    told = " ".join(f"{finding.because} {finding.title}" for finding in one.run.findings)

    assert secrets
    assert [value for value in secrets if value in told] == []
