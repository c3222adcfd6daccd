"""The same as `receive_aiohttp`, through this package's door for other programs; nothing is kept.

receive_ours.py AUTHORIZATION_ENDPOINT TOKEN_ENDPOINT
"""

import asyncio
import sys
import time

from loopback_auth.api import login
from loopback_auth.events import Event, Exchanged
from loopback_auth.model import ClientConfig, Provider, ServerMetadata


def client(authorization_endpoint: str, token_endpoint: str) -> ClientConfig:
    """Describe the client that every contender uses."""
    metadata = ServerMetadata(authorization_endpoint=authorization_endpoint, token_endpoint=token_endpoint)
    return ClientConfig(Provider("bench", metadata), "bench")


def main() -> None:
    """Sign in once with the browser that BROWSER names."""
    moments: list[int] = []

    def notify(event: Event) -> None:
        if isinstance(event, Exchanged):
            moments.append(time.monotonic_ns())

    sign_in = asyncio.run(login(client(sys.argv[1], sys.argv[2]), notify=notify))
    sys.stdout.write(f"{sign_in.tokens.access_token} {moments[-1]}\n")


if __name__ == "__main__":
    main()
