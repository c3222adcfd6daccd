"""Every check, against a sign-in that passes and one that fails, and what it says where it cannot know."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from trace_samples import (
    AS,
    CODE,
    DEVICE,
    DEVICE_GRANT,
    FORM_POST,
    OPENID,
    PASTE,
    RUNS,
    SENT_URI,
    START,
    TICKET,
    TOKEN,
    TOKENS,
    browsers,
    changed,
    extended,
    live,
    ours,
    token_request,
    trace,
    without,
)

from loopback_auth.compare.judging.checks import CHECKS, findings
from loopback_auth.compare.judging.verdicts import Check
from loopback_auth.compare.model import Finding, Run

IDS = tuple(check.id for check in CHECKS)
SECRET = changed(CODE, "token request", "grant_type=", "client_secret=<client_secret#1>&grant_type=")
NOT_TOLD = changed(DEVICE, "invite", "<user_code#1>", "")
BOUND = changed(TICKET, "ticket exchange", "/exchange", "/exchange?code_verifier=<code_verifier#1>")
NARROW = replace(CODE, tokens=replace(TOKENS, scope_granted="profile"))
WIDE = replace(CODE, tokens=replace(TOKENS, scope_granted="profile email admin"))
LATE = extended(DEVICE, ours("device token request", f"{AS}/token", 15.3, body=DEVICE_GRANT))
REPEATED = extended(CODE, token_request(2.4, 400))
IN_JSON = changed(
    CODE,
    "token request",
    f"grant_type=authorization_code&code=<code#1>&{SENT_URI}&code_verifier=<code_verifier#1>",
    json.dumps(
        {
            "code": "<code#1>",
            "code_verifier": "<code_verifier#1>",
            **dict(parse_qsl(SENT_URI, strict_parsing=True)),
        }
    ),
)
"""Some servers take JSON where the specification has a form."""

FAILING: dict[str, tuple[Run, ...]] = {
    "pkce-s256": (
        changed(CODE, "authorization request", "&code_challenge=abc&code_challenge_method=S256", ""),
        changed(CODE, "authorization request", "=S256", "=plain"),
        changed(CODE, "token request", "&code_verifier=<code_verifier#1>", ""),
    ),
    "state-returned": (
        changed(CODE, "authorization request", "&state=<state#1>", ""),
        changed(CODE, "authorization response", "<state#1>", "<state#2>"),
        changed(TOKEN, "authorization response", "&state=<state#1>", ""),
    ),
    "state-independent": (
        changed(CODE, "authorization request", "<state#1>", "<code_verifier#1>"),
        changed(OPENID, "authorization request", "<nonce#1>", "<code_verifier#1>"),
    ),
    "iss-returned": (
        changed(CODE, "authorization response", "&iss=https%3A%2F%2Fas.example", ""),
        changed(CODE, "authorization response", "as.example", "other.example"),
    ),
    "nonce-with-openid": (
        changed(OPENID, "authorization request", "&nonce=<nonce#1>", ""),
        changed(CODE, "authorization request", "scope=profile", "scope=openid%20profile"),
    ),
    "form-post-used": (CODE, TOKEN),
    "redirect-loopback-literal": (changed(CODE, "authorization request", "127.0.0.1", "localhost"),),
    "redirect-exact": (
        changed(CODE, "authorization request", "49152", "49153"),
        changed(CODE, "token request", "%2Fcallback", "%2Fother"),
        changed(CODE, "authorization response", "49152/callback", "49152/other"),
    ),
    "no-client-secret": (SECRET,),
    "plain-http-on-loopback-only": (changed(CODE, "token request", "https:", "http:"),),
    "code-in-history": (CODE,),
    "token-in-fragment": (TOKEN, live(TOKEN)),
    "token-in-url": (
        extended(
            CODE, ours("account request", f"{AS}/user?access_token=<access_token#1>", 2.4, method="GET")
        ),
    ),
    "ticket-id-in-url": (TICKET, live(TICKET), changed(DEVICE, "invite", "<user_code#1>", "<device_code#1>")),
    "redeemable-in-argv": (changed(TICKET, "open", START, f"{AS}/authorize?ticket=<ticket#1>"),),
    "authorization-url-in-process-list": (
        changed(CODE, "open", START, f"{AS}/authorize?state=<state#1>"),
        changed(CODE, "open", START, f"{AS}/authorize?x=1"),
    ),
    "start-page-used": (changed(CODE, "open", START, f"{AS}/authorize?x=1"),),
    "refresh-token-in-browser": (
        changed(TOKEN, "fragment relay", "&token_type", "&refresh_token=<refresh_token#1>&token_type"),
    ),
    "user-code-shown": (NOT_TOLD,),
    "code-single-use": (extended(CODE, token_request(2.4)),),
    "refresh-token-issued": (TICKET, replace(CODE, tokens=replace(TOKENS, refresh_token=False))),
    "lifetime-bounded": (TICKET, replace(CODE, tokens=replace(TOKENS, lifetime=86401.0))),
    "scope-not-widened": (WIDE,),
    "scope-not-reduced": (NARROW,),
    "token-response-no-store": (changed(CODE, "token request", "no-store", "private"),),
    "polling-interval": (
        changed(DEVICE, "device authorization request", '"interval": 5', '"interval": 6'),
        changed(DEVICE, "device token request", "authorization_pending", "slow_down"),
    ),
    "approval-seen-at-once": (LATE,),
    "id-token-signature": (replace(CODE, tokens=replace(TOKENS, id_token="not verified")),),
}
PASSING: dict[str, tuple[Run, ...]] = {
    "pkce-s256": (
        CODE,
        FORM_POST,
        OPENID,
        PASTE,
        live(CODE),
        without(CODE, "authorization request"),
        IN_JSON,
    ),
    "state-returned": (CODE, FORM_POST, TOKEN, OPENID, PASTE, live(CODE)),
    "state-independent": (CODE, OPENID),
    "iss-returned": (CODE, TOKEN, without(CODE, "metadata request"), live(TOKEN)),
    "nonce-with-openid": (OPENID,),
    "form-post-used": (FORM_POST,),
    "redirect-loopback-literal": (CODE, changed(CODE, "authorization request", "127.0.0.1", "%5B%3A%3A1%5D")),
    "redirect-exact": (CODE, FORM_POST, TOKEN, PASTE, live(CODE), IN_JSON),
    "no-client-secret": (CODE, TICKET, DEVICE),
    "plain-http-on-loopback-only": (CODE, TICKET),
    "code-in-history": (FORM_POST,),
    "token-in-fragment": (CODE, TICKET, DEVICE),
    "token-in-url": (CODE, TOKEN, TICKET),
    "ticket-id-in-url": (DEVICE, BOUND),
    "redeemable-in-argv": (CODE, TICKET),
    "authorization-url-in-process-list": (CODE, DEVICE),
    "start-page-used": (CODE, TICKET, live(DEVICE), without(CODE, "start page")),
    "refresh-token-in-browser": (CODE, TOKEN),
    "user-code-shown": (DEVICE,),
    "code-single-use": (REPEATED,),
    "refresh-token-issued": (CODE, DEVICE),
    "lifetime-bounded": (CODE, replace(CODE, tokens=replace(TOKENS, lifetime=86400.0))),
    "scope-not-widened": (CODE, NARROW),
    "scope-not-reduced": (CODE, WIDE),
    "token-response-no-store": (CODE, DEVICE),
    "polling-interval": (DEVICE,),
    "approval-seen-at-once": (TICKET, DEVICE),
    "id-token-signature": (OPENID,),
}
IDLE: dict[str, tuple[Run, ...]] = {
    "pkce-s256": (TOKEN, TICKET, DEVICE),
    "state-returned": (TICKET, DEVICE),
    "state-independent": (TOKEN,),
    "iss-returned": (TICKET, OPENID),
    "nonce-with-openid": (
        CODE,
        DEVICE,
        changed(TOKEN, "authorization request", "scope=profile", "scope=openid%20profile"),
    ),
    "form-post-used": (PASTE, changed(CODE, "metadata request", "form_post", "web_message")),
    "redirect-loopback-literal": (TICKET,),
    "redirect-exact": (DEVICE,),
    "code-in-history": (TOKEN, TICKET),
    "ticket-id-in-url": (CODE,),
    "redeemable-in-argv": (PASTE, without(CODE, "open")),
    "authorization-url-in-process-list": (PASTE,),
    "start-page-used": (PASTE,),
    "user-code-shown": (
        CODE,
        changed(DEVICE, "device authorization request", "verification_uri_complete", "other"),
    ),
    "code-single-use": (TICKET,),
    "refresh-token-issued": (TOKEN,),
    "scope-not-widened": (TICKET,),
    "scope-not-reduced": (TICKET,),
    "token-response-no-store": (TOKEN, TICKET),
    "polling-interval": (TICKET, CODE),
    "approval-seen-at-once": (CODE,),
    "id-token-signature": (CODE,),
}
UNSEEN: dict[str, tuple[Run, ...]] = {
    "pkce-s256": (without(CODE, "authorization request", "browse"), without(CODE, "token request")),
    "state-returned": (without(CODE, "authorization response", "receive"), live(FORM_POST), live(TOKEN)),
    "state-independent": (without(CODE, "token request"),),
    "iss-returned": (without(CODE, "authorization response", "receive"),),
    "form-post-used": (without(CODE, "metadata request"),),
    "redirect-exact": (live(FORM_POST), without(CODE, "authorization response", "receive")),
    "code-in-history": (PASTE, live(FORM_POST)),
    "token-in-fragment": (live(CODE),),
    "token-in-url": (live(CODE),),
    "ticket-id-in-url": (replace(DEVICE, trace=trace("device", ())),),
    "refresh-token-in-browser": (live(CODE),),
    "user-code-shown": (without(DEVICE, "invite"),),
    "code-single-use": (CODE,),
    "lifetime-bounded": (replace(CODE, tokens=None),),
    "refresh-token-issued": (replace(CODE, tokens=None),),
    "scope-not-reduced": (replace(CODE, tokens=None),),
    "id-token-signature": (replace(CODE, tokens=None),),
    "token-response-no-store": (without(CODE, "token request"),),
    "polling-interval": (without(DEVICE, "device token request"),),
    "approval-seen-at-once": (live(DEVICE), replace(TICKET, outcome="failed", tokens=None)),
}


def found(check: str, run: Run) -> Finding:
    """Return what one check finds."""
    return next(finding for finding in findings(run) if finding.id == check)


def cases(table: dict[str, tuple[Run, ...]]) -> list[object]:
    """List the runs of a table, each as one test."""
    return [
        pytest.param(check, run, id=f"{check} {number}")
        for check, runs in table.items()
        for number, run in enumerate(runs, 1)
    ]


def test_every_check_has_a_run_that_fails_it_and_one_that_passes() -> None:
    """A check that cannot fail, or cannot be satisfied, tells nothing."""
    assert set(FAILING) == set(PASSING) == set(IDS)
    assert set(IDLE) | set(UNSEEN) <= set(IDS)


def test_checks_have_different_names() -> None:
    """Findings are told apart by them, in reports and from one version to the next."""
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize(("check", "run"), cases(FAILING))
def test_broken_rule_is_found(check: str, run: Run) -> None:
    """What fails says where, why by which clause, and what to do."""
    finding = found(check, run)

    assert (finding.verdict, bool(finding.steps), bool(finding.advice)) == ("fail", True, True)


@pytest.mark.parametrize(("check", "run"), cases(PASSING))
def test_kept_rule_is_shown_with_its_evidence(check: str, run: Run) -> None:
    """A pass is an observation, and needs no advice."""
    finding = found(check, run)

    assert (finding.verdict, bool(finding.steps), finding.advice) == ("pass", True, "")


@pytest.mark.parametrize(("check", "run"), cases(IDLE))
def test_rule_without_anything_to_apply_to_is_set_aside(check: str, run: Run) -> None:
    """A device grant has no state, and that is no fault of it."""
    finding = found(check, run)

    assert (finding.verdict, finding.steps, bool(finding.because)) == ("not applicable", (), True)


@pytest.mark.parametrize(("check", "run"), cases(UNSEEN))
def test_rule_is_not_judged_without_evidence(check: str, run: Run) -> None:
    """At a real provider nobody sees what the browser does there."""
    finding = found(check, run)

    assert (finding.verdict, finding.steps, bool(finding.because)) == ("not observed", (), True)


@pytest.mark.parametrize("run", [*RUNS, *map(live, RUNS)], ids=lambda run: f"{run.flow} {run.trace.ground}")
def test_findings_point_at_entries_that_are_there(run: Run) -> None:
    """Whoever reads a finding can look its evidence up."""
    numbers = {entry.number for entry in run.trace.entries}

    assert all(set(finding.steps) <= numbers for finding in findings(run))
    assert all(list(finding.steps) == sorted(set(finding.steps)) for finding in findings(run))


@pytest.mark.parametrize("check", CHECKS, ids=IDS)
def test_check_says_what_holds_and_names_its_clause(check: Check) -> None:
    """The title is true when the check passes, and somebody else says that it should be."""
    assert check.title[0].isupper()
    assert not check.title.endswith(".")
    assert check.advice.endswith(".")
    assert any(mark in check.source for mark in ("RFC ", "OpenID", "OAuth 2.0", "#", "https://"))


def test_nothing_is_claimed_of_a_sign_in_that_never_began() -> None:
    """Without a trace there is nothing to pass or fail."""
    verdicts = {finding.verdict for finding in findings(Run("code", "not possible", trace("code", ())))}

    assert verdicts == {"not observed", "not applicable"}


def test_key_of_our_start_page_in_the_process_list_is_told() -> None:
    """It redeems nothing, but whoever is quicker than the browser opens that page (jupyter/notebook#4260)."""
    without_page = changed(CODE, "open", START, f"{AS}/authorize?x=1")

    assert "start page" in found("redeemable-in-argv", CODE).because
    assert "start page" not in found("redeemable-in-argv", without_page).because


def test_pushed_request_counts_as_the_request() -> None:
    """With PAR the browser carries a reference, and the parameters went before it (RFC 9126 §4)."""
    url = f"{AS}/authorize?client_id=demo&request_uri=<request_uri#1>"
    asked = next(one for one in CODE.trace.exchanges() if one.step == "authorization request")
    pushed = ours(
        "pushed authorization request", f"{AS}/par", 0.1, body=asked.url.partition("?")[2], status=201
    )
    short = without(extended(CODE, pushed, before="browse"), "authorization request", "browse")
    run = extended(short, browsers("authorization request", url, 0.2), before="approve")

    assert (found("pkce-s256", run).verdict, found("state-returned", run).verdict) == ("pass", "pass")


def test_what_a_server_grants_cannot_steer_a_terminal() -> None:
    """A scope is a stranger's text (CVE-2024-50349)."""
    run = replace(CODE, tokens=replace(TOKENS, scope_granted="profile email \x1b[2Jadmin"))

    assert "\x1b" not in found("scope-not-widened", run).because
