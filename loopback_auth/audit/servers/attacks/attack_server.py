"""The flow that tries every attack on a server, one after the other.

Source: RFC 9700 §4.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth.audit.servers.attacks.attack_session import AttackSession, InapplicableError
from loopback_auth.audit.servers.attacks.server_attacks import ATTACKS, ServerAttack
from loopback_auth.compare.model import Attack, Verdict
from loopback_auth.effects import Flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.redact import server_text


def attack_server(session: AttackSession, tried: list[Attack]) -> Flow[None]:
    """Try every attack; what cannot be tried is not observed, and says why.

    Args:
        session: what there is to attack with.
        tried: each attack is added when it has ended.

    Source: RFC 9700 §4.
    """
    for one in ATTACKS:
        attack = yield from _tried(one, session)
        tried.append(attack)
        if one is ATTACKS[0] and (session.first is None or not session.first.address):
            # Without a way through the login page each attack would only try the password again.
            tried += untried(tried, f"There was no sign-in to attack. {attack.because}")
            return


def untried(tried: Sequence[Attack], why: str) -> list[Attack]:
    """Return the attacks that were not tried."""
    over = {one.id for one in tried}
    return [one.judged("not observed", why) for one in ATTACKS if one.id not in over]


def _tried(one: ServerAttack, session: AttackSession) -> Flow[Attack]:
    try:
        outcome = yield from one.scenario(session)
    except LoopbackAuthError as exc:
        verdict: Verdict = "not applicable" if isinstance(exc, InapplicableError) else "not observed"
        return one.judged(verdict, f"{server_text(exc.message, 300).rstrip('.')}.")
    return one.ended(outcome)
