"""Attacks a developer's own server, on this machine alone: the examination first, then a real user.

No proxy is used, and no request goes to another machine, wherever a name or a redirect may lead. A second
client is registered where the server lets anyone register one, and deleted at the end.
"""

from __future__ import annotations

import asyncio
import time
from itertools import count

from loopback_auth import __version__
from loopback_auth.audit.asking import asked
from loopback_auth.audit.examining import examined
from loopback_auth.audit.servers.attacks.attack_server import attack_server, untried
from loopback_auth.audit.servers.attacks.attack_session import AttackSession
from loopback_auth.audit.servers.attacks.person import Person
from loopback_auth.audit.servers.attacks.second_client import forgotten
from loopback_auth.audit.servers.judging import attacked, side_by_side
from loopback_auth.audit.servers.server import Server
from loopback_auth.audit.this_machine import check_here, transport_here
from loopback_auth.authorization_messages import Attempt
from loopback_auth.compare.model import Attack, Comparison
from loopback_auth.records import replace
from loopback_auth.signin.driver import new_attempt
from loopback_auth.signin.refresh import can_verify_signatures

LIMIT = 1000
"""Requests of all attacks together; about 300 are made where everything can be tried."""
SECONDS = 300.0
"""Seconds in which all attacks have to end."""


async def attack(server: Server, person: Person, *, other_client_id: str = "") -> Comparison:
    """Examine a server, then attack it with a simulated user.

    Args:
        server: on this machine, with a client that is registered there.
        person: who signs in.
        other_client_id: of a second public client with the same redirect URI; empty: one is registered, where
            the server lets anyone do so.

    Raises:
        ConfigError: the server is not on this machine.
    """
    made_at = time.time()
    known = server.client.provider.metadata
    await check_here(known.issuer or known.authorization_endpoint or known.token_endpoint or "")
    async with transport_here(server.client.provider.network) as transport:
        seen = await examined(server, transport)
        if seen.observed is None:
            return side_by_side([seen], made_at=made_at, version=__version__)
        client = seen.observed.client
        session = AttackSession(
            client,
            seen.observed.metadata,
            iter(new_attempt, None),
            person,
            verify_signature=can_verify_signatures(),
            bound_attempts=map(_bound, count()) if can_verify_signatures() else None,
        )
        if other_client_id:
            session.other = replace(client, client_id=other_client_id, client_secret=None)
        tried: list[Attack] = []
        try:
            async with asyncio.timeout(SECONDS):
                await asked(attack_server(session, tried), transport, most=LIMIT)
        except TimeoutError:
            tried += untried(tried, f"The attacks took longer than {SECONDS:.0f} seconds together.")
        finally:
            await asked(forgotten(session), transport)
    return side_by_side([attacked(seen, tuple(tried))], made_at=made_at, version=__version__, ground="demo")


def _bound(_number: int) -> Attempt:
    """Draw the randomness of a sign-in whose tokens are bound to a key."""
    return new_attempt(bound=True)
