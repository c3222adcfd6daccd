"""Our own tab while something is decided elsewhere: it shows what comes, and tells when the person is back.

Nobody notifies a program of an approval: there is no redirect, so it has to ask. But whoever has approved in
one tab comes back to the other, and a browser tells a page when that happens. So the best moment to ask is
known, without asking more often.

What the tab's script sends is judged by `protocol.redirect.own_page`; this file only keeps what it tells.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from loopback_auth import pages
from loopback_auth.model import HttpRequest, HttpResponse
from loopback_auth.network.loopback import new_key
from loopback_auth.protocol.redirect import NOTHING_HERE, TurnedAway, navigation, own_page


class WaitingPage:
    """One page of ours that waits, and what it tells; `connection` is whatever identifies one."""

    def __init__(self, authority: str) -> None:
        self.path = f"/{new_key()}"
        self.token = new_key()
        self.owed = False
        """A page was given that is about to ask for the last one."""
        self._authority = authority
        self._page = HttpResponse(404)
        self._away = False
        self._returned = asyncio.Event()
        self._watchers: set[object] = set()
        loop = asyncio.get_running_loop()
        self._next: asyncio.Future[HttpResponse] = loop.create_future()
        self._last: asyncio.Future[HttpResponse] = loop.create_future()

    @property
    def watched(self) -> bool:
        """Whether the page is open and the person has left it for another, so that a return would be told."""
        return self._away and bool(self._watchers)

    def page(self, *, provider: str, url: str, user_code: str) -> HttpResponse:
        """Make the page that leads to the provider."""
        self._page = pages.waiting(
            path=self.path, token=self.token, provider=provider, url=url, user_code=user_code
        )
        return self._page

    def answer(
        self, request: HttpRequest, connection: object
    ) -> HttpResponse | asyncio.Future[HttpResponse] | TurnedAway:
        """Answer the page's script: at once, or when there is something to show; and a reload of the page."""
        if request.url == self.path and request.method == "GET":
            page = self._last if self._last.done() else self._page
            return navigation(request, authority=self._authority) or page
        refusal = own_page(request, authority=self._authority, token=self.token)
        if refusal is not None:
            return refusal
        match request.method, request.url.removeprefix(self.path):
            case "POST", "/left":
                self._away = True
            case "POST", "/return":
                self._away = False
                self._returned.set()
            case "GET", "/next":
                self._watchers.add(connection)
                return self._next
            case "GET", "/last":
                self.owed = False
                return self._last
            case _:
                return NOTHING_HERE
        return HttpResponse(204, pages.safe_headers())

    def forget(self, connection: object) -> None:
        """Note that a connection is gone, and with it perhaps the page."""
        self._watchers.discard(connection)

    def question(self, account: str, *, taken: bool) -> HttpResponse:
        """Turn the page into one that says where a question is to be answered; return it for others, too.

        Args:
            account: whose sign-in it is.
            taken: a browser is waiting for a page, and so will get this one.
        """
        self.owed = taken
        page = pages.question(path=self.path, token=self.token, account=account)
        if not self._next.done():
            self._next.set_result(page)
        return page

    def end(self, page: HttpResponse) -> None:
        """Turn the page into the last one."""
        # To a script it is an answer like any other; browsers complain of those with an error status.
        for waiting in (self._next, self._last):
            if not waiting.done():
                waiting.set_result(replace(page, status=200))

    async def sleep(self, seconds: float) -> bool:
        """Wait, but no longer than until the person is back; return whether that happened."""
        try:
            async with asyncio.timeout(seconds):
                await self._returned.wait()
        except TimeoutError:
            return False
        self._returned.clear()
        return True
