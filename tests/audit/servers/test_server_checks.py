"""Each check of a server: it passes where the rule is kept, and fails where exactly that rule is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from broken_servers import BROKEN, login_taken
from examined_servers import (
    findings,
    observed,
)
from flow_world import CLIENT

from loopback_auth.audit.servers.catalog import CHECKS
from loopback_auth.audit.servers.grades import grade
from loopback_auth.model import Redirect

OFFERED_BY_THE_DEMO = {"implicit", "redirect-name"}
"""What the demonstration server offers against the advice, to show it."""
NEEDS_A_SIGN_IN = {"refresh-rotation"}


def test_healthy_server_keeps_every_rule() -> None:
    """A check that fails at a server that keeps the rules is worse than none."""
    found = findings(observed())
    failed = {name for name, one in found.items() if one.verdict == "fail"}
    unseen = {name for name, one in found.items() if one.verdict == "not observed"}

    assert failed == OFFERED_BY_THE_DEMO
    assert unseen == NEEDS_A_SIGN_IN
    assert grade(list(found.values())) == "A"


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rule_is_found(name: str) -> None:
    """With the sentence about the server, the clause, and what to do."""
    found = findings(observed(BROKEN[name]))[name]
    check = next(one for one in CHECKS if one.id == name)

    assert found.verdict == "fail", found.because
    assert found.because.startswith(check.fault)
    assert (found.advice, found.source) == (check.advice, check.source)
    assert found.steps or not check.questions


def test_every_check_has_a_server_that_fails_it() -> None:
    """A check that nothing fails tells nothing."""
    pushed = {"push-demanded"}

    assert {check.id for check in CHECKS} == BROKEN.keys() | OFFERED_BY_THE_DEMO | NEEDS_A_SIGN_IN | pushed


def test_rfc9126_5_demanded_push_is_demanded() -> None:
    """A server that says so must not take other requests, and the other checks see as much as before."""
    kept, broken = observed(require_push=True), observed(login_taken, require_push=True)
    found = findings(kept)

    assert found["push-demanded"].verdict == "pass"
    assert findings(broken)["push-demanded"].verdict == "fail"
    assert {found[name].verdict for name in ("redirect-host", "pkce-enforced", "loopback-port")} == {"pass"}
    assert all(answer.response is not None for answer in kept.answers.values())


def test_rfc8252_7_3_registered_port_may_differ() -> None:
    """Also where the client is registered with one port."""
    client = replace(CLIENT, provider=replace(CLIENT.provider, redirect=Redirect(ports=(8400,))))

    assert findings(observed(client=client))["loopback-port"].verdict == "pass"
