"""Attacks are stopped by what stands against them: without it, the same scenario ends with the prize."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest
from canaries import Tap, leaks
from gullible import Gullible

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.attacks.attack_actions import NO_ANSWER, Exposed, LoginResult, Outcome
from loopback_auth.compare.attacks.context import ATTACKER_PAGE, new_context
from loopback_auth.compare.attacks.flow_attacks import ATTACKS
from loopback_auth.compare.attacks.links import opened_again
from loopback_auth.compare.attacks.memory import AttackedWorld
from loopback_auth.compare.model import DPOP, FORM_POST, PAR, RESOURCE, Attack, Verdict
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.compare.running.simulate import ISSUER, Entropy
from loopback_auth.demo.clients import DEMO_CLIENT, DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.flow_table import COMPARED

BEARER = {"used-elsewhere", "passed-on"}
SUCCEED: Mapping[str, set[str]] = {
    "code": BEARER,
    FORM_POST: BEARER,
    PAR: BEARER,
    DPOP: set(),
    RESOURCE: {"used-elsewhere"},
    "token": BEARER | {"stolen-token", "history", "port-squatting", "injected-code"},
    "ticket": BEARER | {"stolen-ticket", "fixation", "phishing", "denial-of-service"},
    "device": BEARER | {"fixation", "phishing", "denial-of-service"},
    "paste": BEARER | {"phishing"},
}
"""What nothing in the flow stands against, although everybody keeps the rules."""

WITH_CODE = {"stolen-ticket", "stolen-ticket-bound", "stolen-token", "guessed-user-code"}
OF_CODES = {"stolen-code", "leaked-request", "pkce-downgrade"}
POLLED = OF_CODES | {
    *("stolen-token", "history", "port-squatting", "forged-callback", "injected-code", "mix-up"),
}
DO_NOT_APPLY: Mapping[str, set[str]] = {
    "code": WITH_CODE,
    FORM_POST: WITH_CODE,
    PAR: WITH_CODE,
    DPOP: WITH_CODE,
    RESOURCE: WITH_CODE,
    "token": WITH_CODE - {"stolen-token"} | OF_CODES | {"replay"},
    "ticket": POLLED | {"guessed-user-code"},
    "device": POLLED | {"stolen-ticket-bound"},
    "paste": WITH_CODE | {"start-link", "process-list"},
}


UNPROVEN = {"stolen-code", "leaked-request", "port-squatting", "injected-code"}
"""What succeeds where a code needs no verifier."""


def breaking(faults: Faults) -> Callable[[str], DemoServer]:
    """Make servers that break rules."""
    return lambda issuer: DemoServer(issuer, entropy=Entropy("broken"), faults=faults, device_interval=0)


def ended(attacks: Iterable[Attack], verdict: Verdict) -> set[str]:
    """Return the ids of the attacks that ended so."""
    return {attack.id for attack in attacks if attack.verdict == verdict}


def because(attacks: Iterable[Attack], name: str) -> str:
    """Return how one attack ended, in words."""
    return next(attack.because for attack in attacks if attack.id == name)


@pytest.mark.parametrize("flow", COMPARED)
def test_attacks_succeed_only_where_nothing_stands_against_them(flow: str) -> None:
    """The columns that people choose between; each success is a property of the protocol, not a slip."""
    attacks = simulated_attacks(flow)

    assert ended(attacks, "fail") == SUCCEED[flow]
    assert ended(attacks, "not applicable") == DO_NOT_APPLY[flow]
    assert ended(attacks, "not observed") == set()
    assert [attack.id for attack in attacks] == [one.id for one in ATTACKS]


@pytest.mark.parametrize(("status", "succeeded"), [(0, None), (302, True), (410, False)])
def test_second_opening_without_an_answer_shows_nothing(status: int, succeeded: bool | None) -> None:
    """Neither that our start page opened twice, nor that it did not."""
    scenario = opened_again(new_context("code", ISSUER)[1])
    next(scenario)
    scenario.send(Exposed(start_url="http://127.0.0.1:49152/key"))
    scenario.send(replace(NO_ANSWER, status=status))
    with pytest.raises(StopIteration) as stopped:
        scenario.send(LoginResult(LoopbackAuthError("It was given up.")))
    outcome = stopped.value.value

    assert isinstance(outcome, Outcome)
    assert outcome.succeeded is succeeded


def test_unknown_flow_is_not_attacked() -> None:
    """Nothing is claimed of what no scenario was written for."""
    assert simulated_attacks("code id_token") == ()


@pytest.mark.parametrize(
    ("flow", "faults", "more"),
    [
        ("code", Faults(ignore_verifier=True), UNPROVEN | {"history"}),
        (FORM_POST, Faults(ignore_verifier=True), UNPROVEN),
        ("paste", Faults(ignore_verifier=True), UNPROVEN | {"history"}),
        ("ticket", Faults(ignore_verifier=True), {"stolen-ticket-bound"}),
        ("code", Faults(reusable=True), {"replay"}),
        (FORM_POST, Faults(reusable=True), {"replay"}),
        ("paste", Faults(reusable=True), {"replay"}),
        ("ticket", Faults(reusable=True), {"replay"}),
        ("device", Faults(reusable=True), {"replay"}),
        ("device", Faults(unlimited_user_codes=True), {"guessed-user-code"}),
        ("code", Faults(omit_iss=True), {"mix-up"}),
        (FORM_POST, Faults(omit_iss=True), {"mix-up"}),
        ("token", Faults(omit_iss=True), {"mix-up"}),
        ("paste", Faults(omit_iss=True), {"mix-up"}),
    ],
    ids=lambda value: "" if isinstance(value, set | Faults) else value,
)
def test_server_that_breaks_a_rule_lets_the_attack_pass(flow: str, faults: Faults, more: set[str]) -> None:
    """The verdict comes from what the server did, and so it changes with the server."""
    attacks = simulated_attacks(flow, serving=breaking(faults))

    assert more <= ended(attacks, "fail") <= SUCCEED[flow] | more


@pytest.mark.parametrize(
    ("flow", "more"),
    [
        ("code", {"forged-callback", "denial-of-service", "start-link", "process-list"}),
        (FORM_POST, {"forged-callback", "denial-of-service", "start-link", "process-list"}),
        # A token is bound to nothing: once the state is not looked at, anybody's will do.
        ("token", {"forged-callback", "denial-of-service", "start-link", "process-list", "fixation"}),
        ("ticket", {"start-link"}),
        ("device", {"start-link"}),
        ("paste", {"forged-callback", "denial-of-service"}),
    ],
)
def test_client_that_believes_everybody_lets_the_attack_pass(flow: str, more: set[str]) -> None:
    """State and the single use of our link are ours to check."""
    attacks = simulated_attacks(flow, world=Gullible)

    assert ended(attacks, "fail") == SUCCEED[flow] | more


@pytest.mark.parametrize("flow", ["code", FORM_POST, "paste"])
def test_state_and_verifier_each_stop_a_foreign_code(flow: str) -> None:
    """Log-in CSRF needs both of them broken (RFC 9700 §4.7.1)."""
    careless = breaking(Faults(ignore_verifier=True))

    assert "fixation" in ended(simulated_attacks(flow, world=Gullible), "pass")
    assert "fixation" in ended(simulated_attacks(flow, serving=careless), "pass")
    assert "fixation" in ended(simulated_attacks(flow, serving=careless, world=Gullible), "fail")


@pytest.mark.parametrize("flow", ["code", FORM_POST, "token", "paste"])
def test_lure_works_where_the_server_answers_anywhere(flow: str) -> None:
    """What stops it is that redirect URIs are registered (RFC 9700 §2.1)."""
    uris = (*DEMO_CLIENT.redirect_uris, f"{ATTACKER_PAGE}/callback")

    def serving(issuer: str) -> DemoServer:
        clients = (DemoClient(DEMO_CLIENT.client_id, redirect_uris=uris),)
        return DemoServer(issuer, entropy=Entropy("anywhere"), clients=clients)

    assert ended(simulated_attacks(flow, serving=serving), "fail") == SUCCEED[flow] | {"phishing"}


@pytest.mark.parametrize("flow", ["ticket", "device"])
def test_lure_that_the_person_refuses_brings_nothing(flow: str) -> None:
    """It is the approval that the attacker lives on (RFC 8628 §5.4)."""
    attacks = simulated_attacks(flow, serving=breaking(Faults(deny_all=True)))

    assert "phishing" in ended(attacks, "pass")
    assert "fixation" in ended(attacks, "pass")


def test_token_that_has_expired_is_no_prize() -> None:
    """The same reading of the same address bar (RFC 9700 §2.1.2)."""

    def serving(issuer: str) -> DemoServer:
        return DemoServer(issuer, entropy=Entropy("short-lived"), expires_in=0)

    attacks = simulated_attacks("token", serving=serving)

    assert {"stolen-token", "port-squatting"} <= ended(attacks, "pass")
    assert "does not work" in because(attacks, "stolen-token")


def test_injected_code_stops_the_sign_in_and_nothing_else() -> None:
    """Whoever knows our state can end our attempt; they cannot put their account into it (RFC 9700 §4.5)."""
    attack = next(one for one in simulated_attacks("code") if one.id == "injected-code")

    assert attack.verdict == "pass"
    assert "invalid_grant" in attack.because


def test_stolen_code_is_refused_by_name() -> None:
    """Both without a verifier and with an invented one, and our own sign-in goes on (RFC 7636 §1)."""
    reason = because(simulated_attacks("code"), "stolen-code")

    assert "400 invalid_request" in reason
    assert "400 invalid_grant" in reason


def test_second_redemption_tells_what_became_of_the_first() -> None:
    """A server should revoke what came of a code that is used twice (RFC 6749 §4.1.2)."""
    revoked, kept = (because(simulated_attacks(flow), "replay") for flow in ("code", "ticket"))

    assert "revoked" in revoked
    assert "revoked" not in kept


@pytest.mark.parametrize(
    ("flow", "faults", "unseen"),
    [
        ("code", Faults(without_metadata=True), {"stolen-code", "forged-callback", "start-link", "replay"}),
        ("code", Faults(deny_all=True), {"stolen-code", "port-squatting", "replay", "forged-callback"}),
        ("ticket", Faults(ticket_status=500), {"stolen-ticket", "fixation", "start-link", "replay"}),
        ("token", Faults(wrong_state=True), {"mix-up", "forged-callback", "denial-of-service"}),
    ],
)
def test_sign_in_that_fails_by_itself_shows_nothing(flow: str, faults: Faults, unseen: set[str]) -> None:
    """Neither that an attack was stopped, nor that it succeeded."""
    attacks = simulated_attacks(flow, serving=breaking(faults))

    assert unseen <= ended(attacks, "not observed")


@pytest.mark.slow
def test_attacks_are_the_same_each_time() -> None:
    """Reports are held against each other."""
    assert [simulated_attacks(flow) for flow in COMPARED] == [simulated_attacks(flow) for flow in COMPARED]


@pytest.mark.slow
def test_attacks_are_the_same_in_another_process() -> None:
    """Neither the hash seed nor what was imported before may show."""
    code = (
        "import sys; from loopback_auth.compare.attacks import simulated_attacks;"
        f"print([simulated_attacks(flow) for flow in {COMPARED!r}], 'aiohttp' in sys.modules)"
    )
    reason = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(reason) == 1
    assert reason.pop().endswith("False\n")


@pytest.mark.slow
@pytest.mark.parametrize("world", [AttackedWorld, Gullible])
@pytest.mark.parametrize("faults", [Faults(), Faults(ignore_verifier=True, reusable=True, omit_iss=True)])
@pytest.mark.parametrize("flow", COMPARED)
def test_no_secret_is_told(flow: str, faults: Faults, world: type[AttackedWorld]) -> None:
    """Attackers handle nothing else."""
    tap = Tap(f"attacks on {flow}")

    def serving(issuer: str) -> DemoServer:
        return tap.on(DemoServer(issuer, entropy=tap.entropy, faults=faults))

    attacks = simulated_attacks(flow, serving=serving, world=world)

    assert leaks(tap.canaries, repr(attacks)) == []
    assert any(canary in tap.wire for canary in tap.canaries)


@pytest.mark.parametrize("flow", COMPARED)
def test_every_ending_is_told_in_sentences(flow: str) -> None:
    """People read them below each other."""
    for attack in simulated_attacks(flow):
        assert attack.because[0].isupper()
        assert attack.because.endswith(".")
        assert attack.title.endswith(".")
        assert attack.source


def test_comparison_tells_what_was_tried() -> None:
    """Cells about attackers rest on the attacks then, and a table marks them so."""
    compared = compare_simulated(("token", "device"), attacks=lambda run: simulated_attacks(run.flow))
    cells = {row.id: row.cells for row in compared.rows}

    assert [cell.basis for cell in cells["injection"]] == ["tried", "known"]
    assert [cell.text for cell in cells["fixation"]] == ["refused: state", "accepted"]
    assert ended(compared.runs[0].attacks, "fail") == SUCCEED["token"]
