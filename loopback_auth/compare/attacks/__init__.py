"""Attacks that are tried, not asserted: each is a story, played against a real login.

    simulated_attacks("code")        in memory: the same outcome each time
    await demo_attacks("code")       on sockets: the real driver and port, and the demo server

A verdict of `pass` says that this attack did not succeed, and nothing more. Where an attack does not apply to
a flow, the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.compare.attacks.context import ATTACKER_PAGE, new_context
from loopback_auth.compare.attacks.impostor import Impostor
from loopback_auth.compare.attacks.memory import AttackedWorld, InMemory
from loopback_auth.compare.attacks.scenarios import ATTACKS, Scenario
from loopback_auth.compare.model import Attack, Verdict
from loopback_auth.compare.running.simulate import ISSUER, Entropy
from loopback_auth.demo.server import DemoServer
from loopback_auth.flow_table import COMPARED

Serving = Callable[[str], DemoServer]
"""Makes the server from its issuer."""

_VERDICTS: dict[bool | None, Verdict] = {True: "fail", False: "pass", None: "not observed"}


def simulated_server(issuer: str) -> DemoServer:
    """Make a server that keeps every rule, and is the same each time."""
    return DemoServer(issuer, entropy=Entropy("server under attack"))


def simulated_attacks(
    flow: str, *, serving: Serving = simulated_server, world: type[AttackedWorld] = AttackedWorld
) -> tuple[Attack, ...]:
    """Try every attack against a flow, in memory.

    Args:
        flow: name of a run; nothing is tried on one that is not in `flow_table.COMPARED`.
        serving: makes the server.
        world: decides what the program accepts as a response.
    """
    return tuple(
        _attack(one, _in_memory(one, flow, serving, world) if flow in one.stories else None)
        for one in _against(flow)
    )


async def demo_attacks(flow: str, *, serving: Serving | None = None) -> tuple[Attack, ...]:
    """Try every attack against a flow, on sockets, all at once.

    Args:
        flow: name of a run; nothing is tried on one that is not in `flow_table.COMPARED`.
        serving: makes the servers; None: ones that keep every rule.
    """
    import asyncio  # Start-up.

    from loopback_auth.compare.attacks.sockets import demo_server, on_sockets

    async def tried(one: Scenario) -> Attack:
        outcome = await on_sockets(one, flow, serving or demo_server) if flow in one.stories else None
        return _attack(one, outcome)

    return tuple(await asyncio.gather(*map(tried, _against(flow))))


def _against(flow: str) -> tuple[Scenario, ...]:
    return ATTACKS if flow in COMPARED else ()


def _in_memory(scenario: Scenario, flow: str, serving: Serving, world: type[AttackedWorld]) -> Outcome:
    honest = serving(ISSUER)
    impostor = Impostor(ATTACKER_PAGE, honest, entropy=Entropy("impostor")) if scenario.impostor else None
    one, context = new_context(flow, ISSUER, bound=scenario.bound, impostor=impostor)
    stage = InMemory(world(flow, impostor or honest), one)
    return stage.play(scenario.stories[flow](context))


def _attack(scenario: Scenario, outcome: Outcome | None) -> Attack:
    """Return an attack with its outcome; None when it does not apply to the flow."""
    verdict: Verdict = "not applicable" if outcome is None else _VERDICTS[outcome.succeeded]
    because = scenario.otherwise if outcome is None else outcome.because
    return Attack(
        scenario.id,
        scenario.title,
        verdict,
        because,
        scenario.source,
        severity=scenario.severity,
        statement=scenario.statement,
        advice=scenario.advice,
    )
