"""The same scenarios against our real port and a served demo: they end as in memory."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest
from canaries import Tap, leaks
from gullible import Gullible, believing
from patience import SOON

from loopback_auth.compare.attacks import Serving, demo_attacks, login_under_attack, simulated_attacks
from loopback_auth.compare.attacks.sockets import shared
from loopback_auth.compare.model import FORM_POST, Attack
from loopback_auth.compare.running.run import compare_demo
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.server import DemoServer
from loopback_auth.flow_table import COMPARED
from loopback_auth.network import pending_callbacks, start_page

REFUSED = "The attempt to listen on the same port was refused (EADDRINUSE). "
RENEWED = " The terminal showed a new link."


async def on_sockets(*flows: str, serving: Serving | None = None) -> list[tuple[Attack, ...]]:
    """Try all attacks against some flows."""
    async with asyncio.timeout(SOON):
        return await asyncio.gather(*(demo_attacks(flow, serving=serving) for flow in flows))


def breaking(faults: Faults) -> Callable[[str], DemoServer]:
    """Make servers that break rules."""
    return lambda issuer: DemoServer(issuer, entropy=secrets.token_bytes, faults=faults, device_interval=0)


def as_in_memory(attack: Attack) -> Attack:
    """Leave out what memory has not: ports to share, and a terminal."""
    return replace(attack, because=attack.because.replace(REFUSED, "").replace(RENEWED, ""))


def verdicts(attacks: tuple[Attack, ...]) -> dict[str, str]:
    """Return how each attack ended."""
    return {attack.id: attack.verdict for attack in attacks}


@pytest.fixture(scope="module")
def tapped() -> tuple[Tap, list[tuple[Attack, ...]]]:
    """Try everything once, against servers whose secrets are known."""
    tap = Tap("attacks on sockets")

    def serving(issuer: str) -> DemoServer:
        return tap.on(DemoServer(issuer, entropy=tap.entropy, device_interval=0))

    return tap, asyncio.run(on_sockets(*COMPARED, serving=serving))


@pytest.mark.slow
@pytest.mark.parametrize("flow", COMPARED)
def test_attacks_end_as_in_memory(tapped: tuple[Tap, list[tuple[Attack, ...]]], flow: str) -> None:
    """Word for word, but for what only a real machine has."""
    real = tapped[1][COMPARED.index(flow)]

    assert list(map(as_in_memory, real)) == list(simulated_attacks(flow))


@pytest.mark.slow
def test_no_secret_is_told_of_what_was_tried_on_sockets(
    tapped: tuple[Tap, list[tuple[Attack, ...]]],
) -> None:
    """Attackers handle nothing else."""
    tap, attacks = tapped

    assert leaks(tap.canaries, repr(attacks)) == []
    assert any(canary in tap.wire for canary in tap.canaries)


def test_used_start_link_is_renewed_in_the_terminal(
    tapped: tuple[Tap, list[tuple[Attack, ...]]],
) -> None:
    """Whoever took the old one from the process list is out."""
    [reason] = [attack.because for attack in tapped[1][COMPARED.index("code")] if attack.id == "start-link"]

    assert RENEWED in reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flow", "faults"),
    [
        ("code", Faults(ignore_verifier=True)),
        ("ticket", Faults(ignore_verifier=True, reusable=True)),
        (FORM_POST, Faults(omit_iss=True)),
        ("token", Faults(omit_iss=True)),
        ("device", Faults(deny_all=True, unlimited_user_codes=True)),
        ("code", Faults(without_metadata=True)),
    ],
)
async def test_broken_rules_show_on_sockets_too(flow: str, faults: Faults) -> None:
    """The attacker asks the same endpoints there."""
    [real] = await on_sockets(flow, serving=breaking(faults))

    assert verdicts(real) == verdicts(simulated_attacks(flow, serving=breaking(faults)))


@pytest.mark.parametrize("flow", ["code", "token", "paste"])
async def test_port_that_believes_everybody_is_taken_in(monkeypatch: pytest.MonkeyPatch, flow: str) -> None:
    """Our real receiver without its checks: it is they that stop the attacks."""
    monkeypatch.setattr(pending_callbacks, "redirect_endpoint", believing)
    monkeypatch.setattr(start_page.StartLink, "used", False)
    [real] = await on_sockets(flow)
    succeeded = {attack.id for attack in real if attack.verdict == "fail"}
    in_memory = {attack.id for attack in simulated_attacks(flow, world=Gullible) if attack.verdict == "fail"}

    assert {"forged-callback", "denial-of-service"} <= succeeded
    assert succeeded == in_memory


def test_port_that_can_be_shared_is_told() -> None:
    """The trial itself has to be able to succeed."""
    if not hasattr(socket, "SO_REUSEPORT"):
        pytest.skip("no port can be shared here")
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        first.listen()

        said = shared(f"127.0.0.1:{first.getsockname()[1]}")

    assert said
    assert "EADDRINUSE" not in said


async def test_person_who_never_comes_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is claimed."""
    monkeypatch.setattr(login_under_attack, "LOGIN_SECONDS", 0.2)
    [real] = await on_sockets("code", serving=breaking(Faults(wrong_state=True)))

    assert verdicts(real)["replay"] == "not observed"


async def test_defect_of_the_browser_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is none of ours is a bug, and no outcome."""

    def broken(_url: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(login_under_attack, "LOGIN_SECONDS", 0.2)
    monkeypatch.setattr(login_under_attack, "follow", broken)
    with pytest.raises(ZeroDivisionError):
        await on_sockets("code")


async def test_unknown_flow_is_not_attacked_on_sockets() -> None:
    """Nothing is claimed of what no scenario was written for."""
    assert await on_sockets("code id_token") == [()]


async def test_comparison_hands_out_what_was_tried() -> None:
    """After all flows have run, so that their times are not disturbed."""
    reason: list[tuple[str, str]] = []
    attack = Attack("a", "Something is tried.", "pass", "It was refused.", "RFC 9700")

    async def attacks(flow: str) -> tuple[Attack, ...]:
        assert ("token", "signed in") in reason
        return (replace(attack, because=flow),)

    compared = await compare_demo(
        ("code", "token"),
        attacks=attacks,
        tell=lambda name, stage: reason.append((name, stage)),
        thinking=0.0,
    )
    seen = [one.because for run in compared.runs for one in run.attacks]

    assert seen == ["code", "token"]
    assert reason[-2:] == [("code", "under attack"), ("token", "under attack")]
