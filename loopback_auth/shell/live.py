"""Our own tab while a person approves elsewhere: it shows how it ends, and tells us when the person is back.

Nobody notifies a program of an approval: there is no redirect, so it has to ask. But whoever has approved in
one tab comes back to the other, and a browser tells a page when that happens. So the best moment to ask is
known, without asking more often.

What the tab's script sends is judged by `protocol.redirect.own_page`; this file only keeps what it tells.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from loopback_auth import pages
from loopback_auth.model import HttpRequest, HttpResponse
from loopback_auth.protocol.redirect import NOTHING_HERE, TurnedAway, own_page
from loopback_auth.shell.loopback import new_key


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: as a page of its own, and in words for a page that is open already."""

    page: HttpResponse
    title: str
    message: str


class LiveTab:
    """One waiting page of ours, and what it tells; `connection` is whatever identifies one."""

    def __init__(self, authority: str) -> None:
        self.path = f"/{new_key()}"
        self.token = new_key()
        self._authority = authority
        self._returned = asyncio.Event()
        self._watchers: set[object] = set()
        self._ended: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()

    @property
    def watched(self) -> bool:
        """Whether the page is open, and so would tell of a return."""
        return bool(self._watchers)

    def page(self, *, provider: str, url: str, user_code: str) -> HttpResponse:
        """Make the page."""
        return pages.waiting(
            path=self.path, token=self.token, provider=provider, url=url, user_code=user_code
        )

    def answer(
        self, request: HttpRequest, connection: object
    ) -> HttpResponse | asyncio.Future[HttpResponse] | TurnedAway:
        """Answer the page's script: at once, or when it has ended."""
        refusal = own_page(request, authority=self._authority, token=self.token)
        if refusal is not None:
            return refusal
        match request.method, request.url:
            case "POST", url if url == f"{self.path}/return":
                self._returned.set()
                return HttpResponse(204, pages.safe_headers())
            case "GET", url if url == f"{self.path}/outcome":
                self._watchers.add(connection)
                return self._ended
            case _:
                return NOTHING_HERE

    def forget(self, connection: object) -> None:
        """Note that a connection is gone, and with it perhaps the page."""
        self._watchers.discard(connection)

    def end(self, ending: Ending) -> None:
        """Tell the page how it ended."""
        if not self._ended.done():
            body = json.dumps({"title": ending.title, "message": ending.message}).encode("ascii")
            headers = (("Content-Type", "application/json"), *pages.safe_headers())
            self._ended.set_result(HttpResponse(200, headers, body))

    async def sleep(self, seconds: float) -> bool:
        """Wait, but no longer than until the person is back; tell whether that happened."""
        try:
            async with asyncio.timeout(seconds):
                await self._returned.wait()
        except TimeoutError:
            return False
        self._returned.clear()
        return True
