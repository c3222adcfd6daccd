"""The page that waits while the person approves in another tab, and reports that they are back.

The program is not notified of an approval: there is no redirect, so it has to poll. But a person who has
approved in one tab comes back to the other, and a browser notifies the page of that. So the program
knows the best moment to poll, without polling more often.

`protocol.redirect.own_page` judges what the script of the page sends; this file remembers it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.network.loopback import new_key
from loopback_auth.pages import Pages, safe_headers
from loopback_auth.protocol.redirect import NOTHING_HERE, TurnedAway, navigation, own_page


class WaitingPage:
    """A waiting page and the reports of its script; `connection` is any value that identifies a connection.

    Args:
        authority: host and port of our own.
        pages: of the sign-in.
    """

    def __init__(self, authority: str, pages: Pages) -> None:
        self._pages = pages
        self.path: str = f"/{new_key()}"
        self.token: str = new_key()
        self.owed: bool = False
        """Whether a page is shown that is about to request the last page."""
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
        """Whether the page is open, and the person has left it so that their return would be noticed."""
        return self._away and bool(self._watchers)

    def page(self, *, provider: str, url: str, user_code: str) -> HttpResponse:
        """Make the page that leads to the provider; an earlier one turns into it.

        Args:
            provider: its name.
            url: to open in another tab.
            user_code: to compare or to enter there; empty: there is none.
        """
        self._page = self._pages.waiting(
            path=self.path, token=self.token, provider=provider, url=url, user_code=user_code
        )
        if not self._next.done():
            earlier, self._next = self._next, asyncio.get_running_loop().create_future()
            earlier.set_result(self._page)
        return self._page

    def answer(
        self, request: HttpRequest, connection: object
    ) -> HttpResponse | asyncio.Future[HttpResponse] | TurnedAway:
        """Answer a reload of the page, and its script: at once, or when there is something to show."""
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
        return HttpResponse(204, safe_headers())

    def forget(self, connection: object) -> None:
        """Note that a connection is gone, and with it perhaps the page."""
        self._watchers.discard(connection)

    def question(self, account: str, *, taken: bool) -> HttpResponse:
        """Show that a question is to be answered in the terminal; return the page, for other tabs too.

        Args:
            account: that approved.
            taken: a browser is waiting for a page, and will get this one.
        """
        self.owed = taken
        page = self._pages.question(path=self.path, token=self.token, account=account)
        if not self._next.done():
            self._next.set_result(page)
        return page

    def end(self, page: HttpResponse) -> None:
        """Replace the page by the last one."""
        # Browsers log an error for an answer with an error status, and to the script it is like any other.
        for waiting in (self._next, self._last):
            if not waiting.done():
                waiting.set_result(replace(page, status=200))

    async def sleep(self, seconds: float) -> bool:
        """Wait some seconds, or until the person is back; return whether they are."""
        try:
            async with asyncio.timeout(seconds):
                await self._returned.wait()
        except TimeoutError:
            return False
        self._returned.clear()
        return True
