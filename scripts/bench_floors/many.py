"""Sign in many times, one after the other, in one process.

    many.py ours|direct|aiohttp AUTHORIZATION_ENDPOINT TOKEN_ENDPOINT COUNT

`direct` is ours without the start page. Prints the seconds that it took, after ten sign-ins to warm up. The
browser is a few lines in the same loop.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit


async def walk(url: str) -> None:
    """Follow redirects to the end."""
    while url:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        head = (await reader.read()).partition(b"\r\n\r\n")[0].decode()
        writer.close()
        headers = [line.split(": ", 1) for line in head.split("\r\n")[1:]]
        url = next((value for name, value in headers if name.lower() == "location"), "")


def one_by(contender: str, authorization_endpoint: str, token_endpoint: str) -> Callable[[], Awaitable[str]]:
    """Return what signs in once."""
    walks: set[asyncio.Task[None]] = set()

    def start(url: str) -> None:
        task = asyncio.create_task(walk(url))
        walks.add(task)
        task.add_done_callback(walks.discard)

    if contender == "aiohttp":
        from receive_aiohttp import sign_in

        return lambda: sign_in(authorization_endpoint, token_endpoint, start)
    from receive_ours import client

    from loopback_auth.events import silent
    from loopback_auth.network.browser import Opening
    from loopback_auth.signin import session
    from loopback_auth.signin.embedded_plan import planned

    def open_browser(url: str) -> Opening:
        start(url)
        return Opening(program="bench")

    async def once() -> str:
        who = client(authorization_endpoint, token_endpoint)
        sign_in = await session.sign_in(
            who,
            planned(who, opener=True),
            notify=silent,
            open_browser=open_browser,
            start_page=contender != "direct",
        )
        return sign_in.tokens.access_token

    return once


async def main() -> None:
    """Warm up, then count."""
    contender, authorization_endpoint, token_endpoint, count = sys.argv[1:]
    once = one_by(contender, authorization_endpoint, token_endpoint)
    for _ in range(10):
        await once()
    begun = time.perf_counter()
    for _ in range(int(count)):
        await once()
    sys.stdout.write(f"{time.perf_counter() - begun}\n")


if __name__ == "__main__":
    asyncio.run(main())
