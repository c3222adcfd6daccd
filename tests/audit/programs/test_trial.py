"""A trial is played only on a program that does what the trial is about."""

from __future__ import annotations

import pytest

from loopback_auth.audit.programs.actions import End, ProgramScenario
from loopback_auth.audit.programs.observed import ProgramResult, TrialResult, Visit
from loopback_auth.audit.programs.trial import Need, Trial, again, not_applicable
from loopback_auth.compare.attacks.context import AttackContext
from loopback_auth.demo.request_log import LoggedRequest
from loopback_auth.http_messages import HttpRequest, HttpResponse


def undisturbed(context: AttackContext) -> ProgramScenario:
    """Let the program sign in."""
    yield from End()
    return {}


def asked(path: str) -> LoggedRequest:
    """Return a request that the server was sent."""
    return LoggedRequest("GET", path, (), {}, (), b"", 200, 0.0)


FULL = ProgramResult(
    request={"response_type": "code", "redirect_uri": "http://127.0.0.1:5/callback"},
    requests=(asked("/.well-known/openid-configuration"), asked("/token")),
    tokens={"id_token": "a.b.c"},
)


@pytest.mark.parametrize("need", ["port", "code", "openid", "metadata"])
def test_a_trial_applies_where_the_program_does_what_it_needs(need: Need) -> None:
    """A device flow has no port to attack, and saying that it withstood the attack would be a claim."""
    trial = Trial("x", "Nothing is disturbed.", undisturbed, needs=(need,))

    assert (not_applicable(trial, FULL), bool(not_applicable(trial, ProgramResult()))) == ("", True)


def test_nothing_is_played_again_by_default() -> None:
    """Most trials answer their questions in one sign-in."""
    assert again(Trial("x", "Nothing is disturbed.", undisturbed), TrialResult({})) == ()


def test_the_last_page_is_one_that_arrived() -> None:
    """After the last page the browser may ask a port that is closed."""
    request, page = HttpRequest("GET", "http://127.0.0.1:5/"), HttpResponse(200, (), b"Done.")
    result = ProgramResult(visits=(Visit(request, page), Visit(request, HttpResponse(0))))

    assert (result.page, [one.path for one in FULL.token_requests]) == (page, ["/token"])
