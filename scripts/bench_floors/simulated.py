"""Sign in many times in the simulated world: simulated.py COUNT. Prints the milliseconds of each, median."""

import sys
import time
from itertools import count as counter
from statistics import median

from loopback_auth.authorization_messages import Attempt
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.flows.code import authorization_code
from loopback_auth.model import ClientConfig, Provider, ServerMetadata

ISSUER = "https://as.example"


def once(number: int) -> float:
    """Sign in by discovery, consent page and code; return the milliseconds."""
    numbers = counter(1)
    begun = time.perf_counter()
    world = MemoryWorld(DemoServer(ISSUER, entropy=lambda size: next(numbers).to_bytes(size, "big")))
    client = ClientConfig(
        Provider("bench", ServerMetadata(ISSUER)), "loopback-auth-demo", scope="profile email"
    )
    attempt = Attempt(f"state-{number}", f"{number:043}", f"nonce-{number}")
    sign_in = world.run(authorization_code(client, attempt))
    spent = (time.perf_counter() - begun) * 1000
    if not sign_in.tokens.access_token:
        raise SystemExit("no token")
    return spent


if __name__ == "__main__":
    sys.stdout.write(f"{median(once(number) for number in range(int(sys.argv[1])))}\n")
