"""Sign-ins that must fail: is the person told so, on the page and in the terminal, and soon?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from loopback_auth.audit.programs.actions import End, ProgramScenario
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.reading import quoted
from loopback_auth.audit.programs.scenarios.steps import claims_success, end_text, page_said
from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.compare.judging.verdicts import Judgement, failed, passed, unseen
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.setup import PATHS

PROMPT = 5.0
"""Seconds in which a program has to end after the browser was answered."""
_DENIED = re.compile(
    r"den(y|ied)|refus|reject|declin|cancel|not (authori[sz]ed|approved|allowed)", re.IGNORECASE
)
_FAILED = re.compile(
    r"err(or)?\b|fail|invalid|expired|refus|denied|could ?n[o']t|cannot|unable|unexpected|\b[45]\d\d\b",
    re.IGNORECASE,
)
_REQUEST_LINE = re.compile(r"\b(GET|POST) /|HTTP/1\.[01]\b|https?://")
_MOVES = re.compile(rb"\blocation\s*(=|\.\s*(href|assign|replace|search|hash))|\bsubmit\(\)", re.IGNORECASE)
"""A script that takes the browser to another address."""
REFUSAL = b'{"error": "invalid_grant", "error_description": "The code has expired."}'


def ends(result: ProgramResult) -> Judgement:
    """Judge whether the program ended soon after the browser was answered."""
    if result.status is None:
        return failed(end_text(result))
    if result.answered_after is None:
        return passed(f"The program ended {result.seconds:.1f} s after its start.")
    judge = passed if result.answered_after <= PROMPT else failed
    return judge(f"The program ended {result.answered_after:.1f} s after the browser was answered.")


def says_failure(result: ProgramResult) -> Judgement:
    """Judge the exit status."""
    if result.status is None:
        return unseen(end_text(result))
    return (failed if result.status == 0 else passed)(f"The exit status was {result.status}.")


def names(pattern: re.Pattern[str], result: ProgramResult) -> Judgement:
    """Judge whether the output says what happened."""
    lines = result.seen.output.splitlines()
    # The log of an HTTP server has the error in its request lines, which tells a person nothing.
    said = next((one for one in lines if pattern.search(one) and not _REQUEST_LINE.search(one)), None)
    if said is not None:
        return passed(f"The output says {quoted(said)}.")
    return failed("The output does not say it." if any(lines) else "There was no output.")


def honest_page(result: ProgramResult) -> Judgement:
    """Judge whether the page claims a success that there was not."""
    if result.page is None:
        return unseen("There was no page.")
    return (failed if claims_success(result) else passed)(page_said(result))


def _failing(judges: Mapping[str, Callable[[ProgramResult], Judgement]], _: AttackContext) -> ProgramScenario:
    result = yield from End()
    if result.succeeded:
        return dict.fromkeys(judges, unseen("The sign-in succeeded all the same."))
    if result.status is None and result.page is not None and _MOVES.search(result.page.body):
        return dict.fromkeys(judges, unseen("A script of the page goes on, and none was run here."))
    return {id: judge(result) for id, judge in judges.items()}


DENIED = (
    Question(
        "denied-ends",
        "medium",
        "The user denies the request at the provider.",
        "After the user has denied, the program ends within 5 seconds",
        "It goes on after the user has denied.",
        "RFC 6749 §4.1.2.1",
        "End the sign-in when an error with the right state comes.",
    ),
    Question(
        "denied-status",
        "low",
        "The user denies the request: the exit status is checked.",
        "After the user has denied, the exit status is not 0",
        "The exit status is 0 although the user has denied.",
        "POSIX.1-2024 XCU 1.4, EXIT STATUS",
        "End with another exit status than 0, so that scripts notice.",
    ),
    Question(
        "denied-said",
        "low",
        "The user denies the request: the output is checked.",
        "After the user has denied, the output says so",
        "The output does not say that the user has denied.",
        "RFC 6749 §4.1.2.1",
        "Print error and error_description.",
    ),
    Question(
        "denied-page",
        "medium",
        "The user denies the request: the page is checked.",
        "After the user has denied, the page does not claim success",
        "The page claims success although the user has denied.",
        "RFC 6749 §4.1.2.1",
        "Show a page that says what happened when error comes.",
    ),
)
REFUSED = (
    Question(
        "failed-status",
        "medium",
        "The token endpoint refuses the code: the exit status is checked.",
        "When the code is refused, the exit status is not 0",
        "The exit status is 0 although the code was refused.",
        "RFC 6749 §5.2",
        "End with another exit status than 0, so that scripts notice.",
    ),
    Question(
        "failed-said",
        "low",
        "The token endpoint refuses the code: the output is checked.",
        "When the code is refused, the output says so",
        "The output does not say that the code was refused.",
        "RFC 6749 §5.2",
        "Print error and error_description of the token endpoint.",
    ),
    Question(
        "failed-page",
        "low",
        "The token endpoint refuses the code: the page is checked.",
        "When the code is refused, the page does not claim success",
        "The page claims success although the code was refused.",
        "RFC 6749 §5.2",
        "Answer the browser after the exchange, or say only that the window can be closed.",
    ),
)
HTML_ANSWER = Question(
    "html-answer",
    "low",
    "The token endpoint answers 200 with a web page, as a proxy does.",
    "A web page in place of tokens ends in an exit status that is not 0",
    "The exit status is 0 although a web page came in place of tokens.",
    "RFC 6749 §5.1",
    "Check the answer of the token endpoint before it is used.",
)
SERVER_ERROR = Question(
    "server-error",
    "low",
    "The token endpoint answers 500.",
    "An error of the token endpoint ends in an exit status that is not 0",
    "The exit status is 0 although the token endpoint failed.",
    "RFC 9110 §15.6",
    "Check the status of the token endpoint's answer.",
)
HANG = Question(
    "token-hang",
    "low",
    "The token endpoint does not answer.",
    "A token endpoint that does not answer is given up within 45 seconds",
    "It waits longer than 45 seconds for a token endpoint that does not answer.",
    "https://requests.readthedocs.io/en/latest/user/advanced/#timeouts",
    "Set a time limit for the token request.",
)
GIVEN_UP = 45.0
"""Seconds in which the program has to give up a token endpoint that does not answer: many wait for 30."""


def hang(_: AttackContext) -> ProgramScenario:
    """The token endpoint takes the request and says nothing."""
    result = yield from End(GIVEN_UP)
    if result.status is None:
        return {HANG.id: failed(f"The program still waited after {GIVEN_UP:.0f} s.")}
    return {
        HANG.id: passed(
            f"The program ended {result.seconds:.0f} s after its start (exit status {result.status})."
        )
    }


def _trial(
    id: str,
    title: str,
    questions: tuple[Question, ...],
    judges: tuple[Callable[[ProgramResult], Judgement], ...],
    faults: Faults,
) -> Trial:
    scenario = partial(
        _failing, {question.id: judge for question, judge in zip(questions, judges, strict=True)}
    )
    return Trial(id, title, scenario, questions, lambda _: faults)


REFUSALS = (
    _trial(
        "denied",
        "The user denies the request on the provider's page.",
        DENIED,
        (ends, says_failure, partial(names, _DENIED), honest_page),
        Faults(deny_all=True),
    ),
    _trial(
        "refused-code",
        "The token endpoint refuses the code.",
        REFUSED,
        (says_failure, partial(names, _FAILED), honest_page),
        Faults(token_status=400, token_body=REFUSAL),
    ),
    _trial(
        "html-answer",
        "The token endpoint answers with a web page in place of tokens.",
        (HTML_ANSWER,),
        (says_failure,),
        Faults(token_html=True),
    ),
    _trial(
        "server-error",
        "The token endpoint answers 500.",
        (SERVER_ERROR,),
        (says_failure,),
        Faults(token_status=500, token_body=b"Internal Server Error"),
    ),
    Trial(
        "token-hang", "The token endpoint does not answer.", hang, (HANG,), hang=(PATHS["token_endpoint"],)
    ),
)
