"""What is answered at our port when the sign-in is over: the last page for whoever brings the answer again.

Whoever does not bring it, a reload of the page that has cleaned its address above all, learns how it ended
and nothing about whose it was.
"""

from __future__ import annotations

import socket

from loopback_auth import pages
from loopback_auth.model import HttpRequest, HttpResponse
from loopback_auth.network.incoming_request import path_of
from loopback_auth.network.peer import ends, other_user
from loopback_auth.network.pending_callbacks import PendingCallbacks
from loopback_auth.network.start_page import StartPage
from loopback_auth.protocol.redirect import OVER, WITHDRAWN, Repeated, TurnedAway


class LastPage:
    """Answers requests; nobody is told of them, and nothing can be changed any more.

    Args:
        page: the last one.
        expected: what was awaited, and has been answered.
        start: whose links lead to the end, too.
        same_user: what other users could read is for our own alone.
    """

    def __init__(
        self, page: HttpResponse, expected: PendingCallbacks, start: StartPage, *, same_user: bool
    ) -> None:
        self._page = page
        self._expected = expected
        self._start = start
        self._same_user = same_user

    def __call__(self, head: HttpRequest, connection: socket.socket) -> HttpResponse | None:
        """Answer a request; None: not at all."""
        endpoints = self._expected.admitted(head)
        if isinstance(endpoints, TurnedAway):
            known = self._start.link(path_of(head)) is not None
            return pages.over(self._page.status) if known else _refused(endpoints)
        verdict = self._expected.judged(endpoints, head)
        if isinstance(verdict, TurnedAway):
            return brief_page(verdict, self._page) or _refused(verdict)
        endpoint, found = verdict
        stranger = endpoint.guarded and self._same_user and other_user(*ends(connection)) is not None
        return self._page if isinstance(found, Repeated) and not stranger else None


def brief_page(verdict: object, last: HttpResponse) -> HttpResponse | None:
    """Return what tells no more than how it ended, if that is all that a request may learn."""
    # What was withdrawn because of a stranger must not look as if it had succeeded.
    if verdict is OVER or (verdict is WITHDRAWN and last.status != 200):
        return pages.over(last.status)
    return None


def _refused(refusal: TurnedAway) -> HttpResponse:
    return pages.turned_away(status=refusal.status, reason=refusal.reason, allow=refusal.allow)
