"""A trial accuses a program only of what it showed: where a clause leaves a choice, there is no fault."""

from __future__ import annotations

import pytest

from loopback_auth.audit.programs.actions import End, Look
from loopback_auth.audit.programs.observed import Listener, ProgramResult, Seen, Visit
from loopback_auth.audit.programs.trials import TRIALS
from loopback_auth.compare.attacks.attack_actions import Ask, Exposed, Until
from loopback_auth.compare.attacks.context import new_context
from loopback_auth.compare.judging.verdicts import Judgement
from loopback_auth.compare.model import Verdict
from loopback_auth.demo.agent import Navigation
from loopback_auth.demo.request_log import LoggedRequest
from loopback_auth.http_messages import HttpRequest, HttpResponse

BY_ID = {trial.id: trial for trial in TRIALS}
REDIRECT_URI = "http://127.0.0.1:5000/callback"
SENT = LoggedRequest("POST", "/token", ("code",), {"code": "a-code"}, (), b"", 200, 0.0)
SIGNED_IN = ProgramResult(
    status=0, succeeded=True, link="x", requests=(SENT,), tokens={"access_token": "t" * 20}
)
WITH_NONCE = {"nonce": "n" * 20, "code_challenge_method": "S256"}


def ended(trial: str, result: ProgramResult) -> dict[str, Verdict]:
    """Tell a scenario that only lets the program sign in, which ends in this way."""
    _, context = new_context("code", "http://127.0.0.1:9")
    scenario = BY_ID[trial].scenario(context)
    assert isinstance(next(scenario), End)
    with pytest.raises(StopIteration) as stop:
        scenario.send(result)
    answers: dict[str, Judgement] = dict(stop.value.value)
    return {name: answer.verdict for name, answer in answers.items()}


def showing(page: bytes, *, status: int | None = 1, stdout: str = "") -> ProgramResult:
    """Return a sign-in that failed, with a page."""
    visit = Visit(HttpRequest("GET", REDIRECT_URI), HttpResponse(200, (("Content-Type", "text/html"),), page))
    return ProgramResult(status=status, link="x", requests=(SENT,), visits=(visit,), seen=Seen(stdout=stdout))


def test_openid_core_3_1_3_7_6_signature_over_tls() -> None:
    """OpenID Connect Core §3.1.3.7 (6): TLS server validation MAY be used in place of the signature."""
    assert ended("id-token-signature", SIGNED_IN) == {"id-token-signature": "not observed"}


@pytest.mark.parametrize(("request_of", "expected"), [({}, "not applicable"), (WITH_NONCE, "fail")])
def test_openid_core_3_1_3_7_11_nonce_if_it_was_sent(request_of: dict[str, str], expected: Verdict) -> None:
    """OpenID Connect Core §3.1.3.7 (11): if a nonce was sent, a nonce claim MUST be present and checked."""
    result = ProgramResult(status=0, succeeded=True, requests=(SENT,), request=request_of)

    assert ended("id-token-nonce", result) == {"id-token-nonce": expected}


@pytest.mark.parametrize(
    ("page", "status", "expected"),
    [
        (b"<p>Authentication successful</p>", 1, "fail"),
        (b"<p>The request was denied.</p>", 1, "pass"),
        (b"<p>You may close this window.</p>", 1, "pass"),
        (b"<script>location.replace('/?error=x&sent=1')</script>", None, "not observed"),
        (b"<script>window.location = '/again'</script>", None, "not observed"),
        (b"<script>document.forms[0].submit()</script>", None, "not observed"),
    ],
)
def test_a_page_whose_script_goes_on_is_not_the_last_one(
    page: bytes, status: int | None, expected: Verdict
) -> None:
    """No scripts are run here, so a program that relies on one must not be accused."""
    assert ended("denied", showing(page, status=status))["denied-page"] == expected


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        ("Error: access_denied", "pass"),
        ("The login was cancelled.", "pass"),
        ('127.0.0.1 "GET /callback?error=access_denied HTTP/1.1" 200', "fail"),
        ("Something went wrong", "fail"),
        ("", "fail"),
    ],
)
def test_a_request_log_tells_a_person_nothing(stdout: str, expected: Verdict) -> None:
    """The log of an HTTP server has every error in it, although the program says nothing."""
    assert ended("denied", showing(b"", stdout=stdout))["denied-said"] == expected


@pytest.mark.parametrize("trial", ["denied", "refused-code", "html-answer", "server-error"])
def test_a_sign_in_that_succeeds_all_the_same_shows_nothing(trial: str) -> None:
    """A server that did not do what the trial asked of it must not make a program look bad."""
    assert set(ended(trial, SIGNED_IN).values()) == {"not observed"}


@pytest.mark.parametrize("trial", ["token-redirect", "id-token-audience", "wrong-issuer"])
def test_a_sign_in_that_did_not_come_so_far_shows_nothing(trial: str) -> None:
    """Without a token request nothing was refused."""
    assert set(ended(trial, ProgramResult(status=1)).values()) == {"not observed"}


def forgeries(real: Navigation, answer: HttpResponse) -> tuple[list[HttpRequest], dict[str, Judgement]]:
    """Tell the forgeries to a program that waits, and signs in; return what was sent and said."""
    _, context = new_context("code", "http://127.0.0.1:9")
    scenario, sent = BY_ID["forgeries"].scenario(context), list[HttpRequest]()
    came: object = None
    while True:
        try:
            action = scenario.send(came)
        except StopIteration as stop:
            return sent, dict(stop.value)
        match action:
            case Ask(request):
                sent.append(request)
                came = answer
            case Until():
                came = Exposed("", "", REDIRECT_URI, "right", real)
            case Look():
                came = Seen(listeners=(Listener("127.0.0.1", 5000),), running=True)
            case End():
                came = SIGNED_IN
            case _:
                came = None


def test_forgeries_travel_as_the_response_does() -> None:
    """With form_post a GET is turned away for its method, whatever its state."""
    refused = HttpResponse(400)
    in_query, _ = forgeries(Navigation("GET", REDIRECT_URI), refused)
    as_form, _ = forgeries(Navigation("POST", REDIRECT_URI, b"code=x"), refused)

    assert ({one.method for one in in_query[:6]}, {one.method for one in as_form[:6]}) == ({"GET"}, {"POST"})
    assert {one.method for one in as_form[6:]} == {"GET", "POST", "OPTIONS"}


@pytest.mark.parametrize(("status", "expected"), [(0, "not observed"), (400, "pass"), (200, "pass")])
def test_what_got_no_answer_was_not_withstood(status: int, expected: Verdict) -> None:
    """A request that may never have arrived shows nothing."""
    _, answers = forgeries(Navigation("GET", REDIRECT_URI), HttpResponse(status))

    assert answers["wrong-state"].verdict == expected
