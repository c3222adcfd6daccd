"""The requests whose callbacks are awaited at one port, and the one answer that counts.

Several may be on their way at once, each with a state of its own and perhaps an authority of its own, where
a port was forwarded under another number. `protocol.redirect` decides whether a request is a callback; this
module finds out of which authorization request.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from loopback_auth.authorization_messages import Callback
from loopback_auth.http_messages import HttpRequest
from loopback_auth.network.loopback import new_key
from loopback_auth.protocol.redirect import (
    ExpectedRequest,
    RedirectEndpoint,
    RelayPage,
    Repeated,
    TurnedAway,
    admission,
    redirect_endpoint,
)


class PendingCallbacks:
    """The requests whose callbacks are awaited, and the one callback that counts.

    Args:
        authority: host and port of our own.
        path: raw path of the redirect URI.
    """

    def __init__(self, authority: str, path: str) -> None:
        self.answered: bool = False
        """Whether a callback has arrived, so that no other is awaited."""
        # One relay page serves all requests: it posts the fragment, whose state says which one it answers.
        self._nothing_yet = RedirectEndpoint(
            authority, path, relay_path=f"/{new_key()}", relay_token=new_key()
        )
        self._endpoints: dict[str | None, RedirectEndpoint] = {}
        self._callbacks: dict[str | None, asyncio.Future[Callback]] = {}

    def expect(self, request: ExpectedRequest, authority: str) -> asyncio.Future[Callback]:
        """Begin to recognise the callback of a request; return a future of it.

        Args:
            request: the authorization request; its callback has the same state.
            authority: host and port by which the browser has reached us; empty: our own.
        """
        if request.state not in self._endpoints:
            self._endpoints[request.state] = replace(
                self._nothing_yet,
                authority=authority or self._nothing_yet.authority,
                request=request,
            )
            self._callbacks[request.state] = asyncio.get_running_loop().create_future()
        return self._callbacks[request.state]

    def has_answer(self, state: str | None) -> bool:
        """Return whether the callback of the request with this state has arrived."""
        callback = self._callbacks.get(state)
        return callback is not None and callback.done()

    def guard(self, state: str | None) -> None:
        """Note that other users could read the link that led to a request."""
        if state in self._endpoints:
            self._endpoints[state] = replace(self._endpoints[state], guarded=True)

    def withdraw(self, state: str | None) -> None:
        """Accept the callback of a request no longer, unless it has arrived."""
        if state in self._endpoints and not self.has_answer(state):
            self._endpoints[state] = replace(self._endpoints[state], withdrawn=True)

    def withdraw_all(self) -> None:
        """Accept none of the callbacks that have been awaited so far."""
        for state in self._endpoints:
            self.withdraw(state)

    def relays(self, path: str) -> bool:
        """Return whether a path is where a page of ours sends what it read in the fragment."""
        return path == self._nothing_yet.relay_path

    def admitted(self, head: HttpRequest) -> tuple[RedirectEndpoint, ...] | TurnedAway:
        """Return the endpoints whose callback a request may be, by its head alone; if none, the refusal."""
        endpoints = tuple(self._endpoints.values()) or (self._nothing_yet,)
        refusals = [admission(one, head) for one in endpoints]
        admitted = tuple(one for one, refusal in zip(endpoints, refusals, strict=True) if refusal is None)
        return admitted or next(one for one in refusals if one is not None)

    def judged(
        self, endpoints: tuple[RedirectEndpoint, ...], request: HttpRequest
    ) -> tuple[RedirectEndpoint, Callback | RelayPage | Repeated] | TurnedAway:
        """Return the endpoint whose callback a request is, and the callback; if none, the refusal."""
        refusals: list[TurnedAway] = []
        for endpoint in endpoints:
            verdict = redirect_endpoint(replace(endpoint, answered=self.answered), request)
            if not isinstance(verdict, TurnedAway):
                return endpoint, verdict
            refusals.append(verdict)
        # "Answered already" says more than the "not ours" of all the other endpoints.
        return next((one for one in refusals if one.status == 410), refusals[0])

    def answer(self, endpoint: RedirectEndpoint, callback: Callback) -> None:
        """Give the callback to the flow that waits for it."""
        # Set before anything is awaited: of two equal callbacks exactly one is the first.
        self.answered = True
        if endpoint.request is not None:
            state = endpoint.request.state
            self._endpoints[state] = replace(endpoint, answer=callback)
            self._callbacks[state].set_result(Callback(callback.parameters, callback.via, time.time()))
