"""Count the requests that a sign-in makes itself, by what is known beforehand. Prints JSON, name to count."""

import json
import sys
from itertools import count

from loopback_auth.authorization_messages import Attempt
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.flows.code import authorization_code
from loopback_auth.model import ClientConfig, Provider, ServerMetadata

ISSUER = "https://as.example"


def made(metadata: ServerMetadata, scope: str) -> int:
    """Sign in in the simulated world; return how many requests that took."""
    numbers = count(1)
    signer = rsa_signer() if "openid" in scope else None
    server = DemoServer(ISSUER, entropy=lambda size: next(numbers).to_bytes(size, "big"), signer=signer)
    world = MemoryWorld(server)
    client = ClientConfig(Provider("bench", metadata), "loopback-auth-demo", scope=scope)
    attempt = Attempt("state", "v" * 43, "nonce")
    world.run(authorization_code(client, attempt, verify_signature=signer is not None))
    return len(world.steps())


def main() -> None:
    """Count them."""
    known = ServerMetadata(authorization_endpoint=f"{ISSUER}/authorize", token_endpoint=f"{ISSUER}/token")
    counts = {
        "both endpoints": made(known, "profile"),
        "issuer": made(ServerMetadata(ISSUER), "profile"),
        "issuer, openid": made(ServerMetadata(ISSUER), "openid email"),
    }
    sys.stdout.write(json.dumps(counts) + "\n")


if __name__ == "__main__":
    main()
