"""Attacks that are tried, not asserted: each is a scenario that is played against a real login.

    simulated_attacks("code")        in memory: the same outcome each time
    await demo_attacks("code")       on sockets: the real driver and port, and the demo server

A verdict of `pass` says that this attack did not succeed, and nothing more. Where an attack does not apply to
a flow, the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.compare.attacks.context import ATTACKER_PAGE, Choose, new_context
from loopback_auth.compare.attacks.flow_attacks import ATTACKS, FlowAttack
from loopback_auth.compare.attacks.impostor import Impostor
from loopback_auth.compare.attacks.memory import AttackedWorld, InMemory
from loopback_auth.compare.model import Attack
from loopback_auth.compare.running.choices import choice
from loopback_auth.compare.running.simulate import ISSUER, Entropy
from loopback_auth.demo.server import DemoServer
from loopback_auth.flow_table import COMPARED

Serving = Callable[[str], DemoServer]
"""Makes the server from its issuer."""
World = Callable[[str, DemoServer], AttackedWorld]
"""Makes the world from the name of a run and the server."""


def simulated_server(issuer: str) -> DemoServer:
    """Make a server that keeps every rule, and is the same each time."""
    return DemoServer(issuer, entropy=Entropy("server under attack"))


def simulated_attacks(
    flow: str,
    *,
    serving: Serving = simulated_server,
    world: World = AttackedWorld,
    choose: Choose = choice,
    openid: bool = False,
) -> tuple[Attack, ...]:
    """Try every attack against a flow, in memory.

    Args:
        flow: name of a run; nothing is tried on one that is not in `flow_table.COMPARED`.
        serving: makes the server.
        world: makes the world, which decides what the program accepts as a response.
        choose: makes the user's login from the name of the run and the client of a comparison.
        openid: an ID token is asked for, too; then the server has to sign them.
    """

    def tried(attack: FlowAttack) -> Outcome:
        honest = serving(ISSUER)
        impostor = Impostor(ATTACKER_PAGE, honest, entropy=Entropy("impostor")) if attack.impostor else None
        one, context = new_context(
            flow, ISSUER, bound=attack.bound, impostor=impostor, choose=choose, openid=openid
        )
        return InMemory(world(flow, impostor or honest), one).play(attack.scenarios[flow](context))

    return tuple(_attack(one, tried(one) if flow in one.scenarios else None) for one in _against(flow))


async def demo_attacks(flow: str, *, serving: Serving | None = None) -> tuple[Attack, ...]:
    """Try every attack against a flow, on sockets, all at once.

    Args:
        flow: name of a run; nothing is tried on one that is not in `flow_table.COMPARED`.
        serving: makes the servers; None: ones that keep every rule.
    """
    import asyncio  # Start-up.

    from loopback_auth.compare.attacks.sockets import demo_server, on_sockets

    async def tried(one: FlowAttack) -> Attack:
        outcome = await on_sockets(one, flow, serving or demo_server) if flow in one.scenarios else None
        return _attack(one, outcome)

    return tuple(await asyncio.gather(*map(tried, _against(flow))))


def _against(flow: str) -> tuple[FlowAttack, ...]:
    return ATTACKS if flow in COMPARED else ()


def _attack(attack: FlowAttack, outcome: Outcome | None) -> Attack:
    """Return an attack with its outcome; None when it does not apply to the flow."""
    if outcome is None:
        return attack.judged("not applicable", attack.otherwise)
    return attack.ended(outcome)
