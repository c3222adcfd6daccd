"""A browser that leaves from a link of ours and comes back with what it is told; no server is asked."""

from __future__ import annotations

import asyncio
import threading
from urllib.parse import urlencode

from patience import SOON
from raw_http import Answer, exchange

from loopback_auth import LoopbackReceiver
from loopback_auth.network.browser import Opening

STATE = "state-canary-0123456789abcdef"
CODE = "code-canary-0123456789abcdef"
GOOD = f"code={CODE}&state={STATE}"


def url_for(receiver: LoopbackReceiver, **parameters: str) -> str:
    """Build the authorization URL of a server that does not exist; empty parameters are left out."""
    asked = {"redirect_uri": receiver.redirect_uri, "response_type": "code", "client_id": "x", "state": STATE}
    given = {name: value for name, value in {**asked, **parameters}.items() if value}
    return f"https://id.example/authorize?{urlencode(given)}"


class Browser:
    """Opens the start page, and then the redirect URI.

    Args:
        query: of the callback; None: it does not come back.
    """

    def __init__(self, query: str | None = GOOD) -> None:
        self.query = query
        self.links: list[str] = []
        self.left = asyncio.Event()
        """Set when it has been sent to the server."""
        self._loop = asyncio.get_running_loop()
        self._visits: list[asyncio.Task[Answer]] = []

    def open(self, url: str) -> Opening:
        """Begin, beside the receiver, in whichever thread this is called."""
        self.links.append(url)
        self._loop.call_soon_threadsafe(self._begin, url)
        return Opening(program="browser")

    @property
    def shows_a_page(self) -> bool:
        """Whether the last visit has ended."""
        return self._visits[-1].done()

    async def page(self, visit: int = -1) -> str:
        """Return the text of the page where a visit ended."""
        async with asyncio.timeout(SOON):
            return (await self._visits[visit]).body.decode()

    async def come_back(self, query: str = GOOD) -> Answer:
        """Visit the redirect URI of the last link."""
        return await get(f"http://{self.links[-1].split('/')[2]}/callback?{query}")

    async def ended(self) -> None:
        """Wait for every visit, however it ended: also for one that a call has only just asked for."""
        for thread in threading.enumerate():
            if thread.name == "loopback_auth opener":
                thread.join(SOON)
        await asyncio.sleep(0)
        async with asyncio.timeout(SOON):
            await asyncio.gather(*self._visits, return_exceptions=True)

    def _begin(self, url: str) -> None:
        self._visits.append(self._loop.create_task(self._visit(url)))

    async def _visit(self, url: str) -> Answer:
        answer = await get(url)
        if answer.status != 302:
            return answer
        self.left.set()
        return answer if self.query is None else await self.come_back(self.query)


async def get(url: str) -> Answer:
    """Visit an address as a browser does that sends no Fetch Metadata."""
    authority, _, path = url.removeprefix("http://").partition("/")
    head = f"GET /{path} HTTP/1.1\r\nHost: {authority}\r\nAccept: text/html\r\n\r\n"
    return await exchange(int(authority.rpartition(":")[2]), head.encode())
