"""The links to our start page: which of them still work, where each leads, and what a second opening means.

Theory of operation. A link is a key of 128 random bits. It leads the browser that opens it to the provider,
with our state. It works once: it is used up when its answer was sent on a connection that was still open, for
a browser may ask again by itself or give up while it is not known yet where the link leads (RFC 9110 §9.2.2).

A browser that we start shows its link in the process list, and there every user of the machine can read it.
So two things are done. Where the system says which user has a connection, such a link and what it leads to
are for our own user alone (`network.peer`). And when a used link is opened again, one of the two who opened
it may have been another user: all that the first one was given (state, code challenge, ticket) is withdrawn
at once, the flows begin again, and the terminal shows a fresh link, which is in no process list.

Weak spots, admitted. Where the system does not say it, an attacker who opens the link and answers before the
browser has started looks like the browser; the person can only check which account was signed in. A person
who opens the link twice loses the first tab.

Source: RFC 6749 §10.12; RFC 9700 §4.7; jupyter/notebook#4260 (a key in a link that other users can list).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loopback_auth.events import (
    LinkOpened,
    LinkOpenedTwice,
    LinkReady,
    LinkRequested,
    Notify,
    OtherUserTurnedAway,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.network.loopback import new_key
from loopback_auth.network.pending_callbacks import PendingCallbacks
from loopback_auth.protocol.redirect import OPENED_BEFORE, TurnedAway, forwarded_authority, start_page
from loopback_auth.protocol.visitors import without_window
from loopback_auth.words import Words

ANOTHER_USER = TurnedAway(403, Words.REFUSED_OTHER_USER)


class StartLink:
    """One link to the start page.

    Args:
        exposed: it is, or was, in the command line of a program.
    """

    def __init__(self, exposed: bool) -> None:
        self.exposed = exposed
        self.round: int | None = None
        """How often requests had been withdrawn when its answer was sent; None: it was not sent."""

    @property
    def used(self) -> bool:
        """Whether its answer was sent."""
        return self.round is not None


class StartPage:
    """The start page: its links, where they lead, and what follows when they are opened.

    Args:
        authority: host and port of our own.
        key: of the first link; empty: there is no start page.
        exposed: a program was started with that link.
        any_port: the page may be reached under another loopback port.
        expected: the callbacks of the requests that links lead to.
        tell: called with each event.
    """

    def __init__(
        self,
        authority: str,
        key: str,
        *,
        exposed: bool,
        any_port: bool,
        expected: PendingCallbacks,
        tell: Notify,
    ) -> None:
        self.doubted: bool = False
        """Whether a link was opened again after the callback had come, perhaps by another person."""
        self._authority = authority
        self._any_port = any_port
        self._expected = expected
        self._tell = tell
        self._links = {key: StartLink(exposed)} if key else {}
        self._newest = key
        self._round = 0
        self._destinations: dict[str, asyncio.Future[HttpResponse]] = {}
        self._states: dict[str, str | None] = {}
        self._last: HttpResponse | None = None

    def link(self, path: str) -> StartLink | None:
        """Return the link that a path belongs to."""
        return self._links.get(path[1:])

    def lead(self, authority: str, page: HttpResponse, *, state: str | None = "") -> None:
        """Answer links that are opened under an authority with a page.

        Args:
            authority: host and port; empty: our own.
            page: the answer.
            state: that the page has, by which its callback is known; None: of a protocol without one.
        """
        authority = authority or self._authority
        if self._destination(authority).done():
            self._destinations[authority] = asyncio.get_running_loop().create_future()
        self._states[authority] = state
        self._destinations[authority].set_result(page)

    def end(self, page: HttpResponse) -> None:
        """Let every link lead to the last page: there is nothing left to begin."""
        self._last = page
        for authority in self._destinations:
            self.lead(authority, page)

    def fresh_link(self, *, exposed: bool) -> str:
        """Return a link that works: the newest one as long as it is unused, and as hidden as it has to be.

        Args:
            exposed: a program will be started with it.
        """
        if not self._links:
            return ""
        newest = self._links[self._newest]
        if newest.used or newest.exposed != exposed:
            self._newest = new_key()
            self._links[self._newest] = StartLink(exposed)
        return f"http://{self._authority}/{self._newest}"

    def answer(
        self, link: StartLink, head: HttpRequest, another_user: Callable[[], int | None]
    ) -> asyncio.Future[HttpResponse] | TurnedAway:
        """Return the answer to a link that is opened, or a future of it; or the refusal.

        Args:
            link: the link.
            head: the request.
            another_user: returns the id of another user who sent it; None: it is our own, or not known.
        """
        authority = self._reached_by(head)
        refusal = start_page(head, authority=authority, key=head.url.partition("?")[0][1:], used=link.used)
        # Looked at first: what another user does with the link must not use it up, nor be evidence.
        if link.exposed and (user := another_user()) is not None:
            self._tell(OtherUserTurnedAway(user))
            return ANOTHER_USER
        if refusal is OPENED_BEFORE:
            self._opened_again(link)
        if refusal is not None:
            return refusal
        self._tell(LinkRequested(authority, without_window(head)))
        return self._destination(authority)

    def use_up(self, link: StartLink, head: HttpRequest) -> TurnedAway | None:
        """Use a link up, since its answer is about to be sent; or return why it must not be."""
        if self._last is not None:
            return None
        if link.used:
            self._opened_again(link)
            return OPENED_BEFORE
        authority, windowless = self._reached_by(head), without_window(head)
        link.round = self._round
        if link.exposed:
            self._expected.guard(self._states.get(authority, ""))
        self._tell(LinkOpened(authority, windowless))
        if windowless and not self._expected.answered:
            self._renew()
        return None

    def _opened_again(self, link: StartLink) -> None:
        """Act on a link that was opened twice, perhaps by another user."""
        if self._expected.answered:
            self.doubted = True
            return
        if link.round == self._round:
            self._round += 1
            self._destinations = {name: way for name, way in self._destinations.items() if not way.done()}
            self._expected.withdraw_all()
            self._tell(LinkOpenedTwice())
        # The newest link stays until it is used: an old one must not invalidate it.
        if self._links[self._newest].used:
            self._renew()

    def _renew(self) -> None:
        # Only the terminal shows the new key, so a thief of the old link does not have it.
        self._tell(LinkReady(self.fresh_link(exposed=False), again=True))

    def _reached_by(self, head: HttpRequest) -> str:
        # Only our own browser knows the key, so the name under which it came is how this port is reached.
        return (forwarded_authority(head) if self._any_port else "") or self._authority

    def _destination(self, authority: str) -> asyncio.Future[HttpResponse]:
        if authority not in self._destinations:
            self._destinations[authority] = asyncio.get_running_loop().create_future()
            if self._last is not None:
                self._destinations[authority].set_result(self._last)
        return self._destinations[authority]
