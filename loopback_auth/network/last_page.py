"""The answers after the end of a sign-in: the last page, for a browser that sends the callback again.

Any other request gets a page that says how the sign-in ended, but not for which account. That is mostly a
reload: the page has removed the callback from its address.
"""

from __future__ import annotations

import socket

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.network.incoming_request import path_of
from loopback_auth.network.peer import ends, other_user
from loopback_auth.network.pending_callbacks import PendingCallbacks
from loopback_auth.network.start_page import StartPage
from loopback_auth.pages import Pages
from loopback_auth.protocol.redirect import OVER, WITHDRAWN, Repeated, TurnedAway


class LastPage:
    """Answers requests after the end; reports no events and changes nothing.

    Args:
        page: the last page.
        expected: the callbacks that were awaited, of which one has arrived.
        start: the start page, whose links lead to the end now.
        pages: of the sign-in.
        same_user: what other users could have read is answered to our own user alone.
    """

    def __init__(
        self,
        page: HttpResponse,
        expected: PendingCallbacks,
        start: StartPage,
        pages: Pages,
        *,
        same_user: bool,
    ) -> None:
        self._page = page
        self._pages = pages
        self._expected = expected
        self._start = start
        self._same_user = same_user

    def __call__(self, head: HttpRequest, connection: socket.socket) -> HttpResponse | None:
        """Return the page for a request; None: do not answer."""
        endpoints = self._expected.admitted(head)
        if isinstance(endpoints, TurnedAway):
            known = self._start.link(path_of(head)) is not None
            return self._pages.over(self._page.status) if known else _refused(endpoints, self._pages)
        verdict = self._expected.judged(endpoints, head)
        if isinstance(verdict, TurnedAway):
            return brief_page(verdict, self._page, self._pages) or _refused(verdict, self._pages)
        endpoint, found = verdict
        stranger = endpoint.guarded and self._same_user and other_user(*ends(connection)) is not None
        return self._page if isinstance(found, Repeated) and not stranger else None


def brief_page(verdict: object, last: HttpResponse, pages: Pages) -> HttpResponse | None:
    """Return a page that says only how the sign-in ended, if a request may learn no more."""
    # A request that was withdrawn, because another person may have it, must not seem to have succeeded.
    # After 202 there is nothing to say: the outcome is not known yet.
    if last.status != 202 and (verdict is OVER or (verdict is WITHDRAWN and last.status != 200)):
        return pages.over(last.status)
    return None


def _refused(refusal: TurnedAway, pages: Pages) -> HttpResponse:
    return pages.turned_away(status=refusal.status, reason=refusal.reason, allow=refusal.allow)
