"""One request on its way to the server: its header, its content, and how long it may take."""

from __future__ import annotations

import asyncio

from aiohttp import ClientResponse
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict

from loopback_auth.clients.presentation import Presentation
from loopback_auth.proxy.headers import request_fields
from loopback_auth.proxy.request_body import RequestBody
from loopback_auth.proxy.target import Base
from loopback_auth.proxy.upstream import Upstream

UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "websocket"))
"""The fields by which both sides go on as a websocket (RFC 6455 §4)."""


class Exchange:
    """One request to the server, which may be sent more than once.

    Args:
        request: of the client.
        url: where it is sent.
        base: of the proxy.
        patience: see `Forwarding`.
        via: names this proxy.
        upgrade: the client asks to go on as a websocket.
    """

    def __init__(
        self, request: BaseRequest, url: str, base: Base, patience: float, *, via: str, upgrade: bool
    ) -> None:
        self.request = request
        self.url = url
        self.upgrade = upgrade
        length = request.headers.get("Content-Length")
        stated = int(length) if length is not None else None
        self.body: RequestBody | None = None
        if request.body_exists:
            self.body = RequestBody(request.content, stated, self._moved)
        self._patience = patience
        self._deadline: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._late = False
        version = request.version
        received = request.headers
        fields = request_fields(
            received.items(), method=request.method, via=f"{version.major}.{version.minor} {via}"
        )
        self._headers = CIMultiDict(base.request_fields(fields))
        if upgrade:
            self._headers.extend(UPGRADE)
        if self.body is not None and length is not None:
            self._headers["Content-Length"] = length

    async def send(self, upstream: Upstream, sent: Presentation) -> ClientResponse:
        """Send it with a token.

        Raises:
            Exception: as `Upstream.send`.
        """
        sent.put(self._headers, self.request.method, self.url)
        # `asyncio.timeout` would do the same, for a tenth of the CPU of a small request.
        self._task = task = asyncio.current_task()
        self._wait()
        try:
            return await upstream.send(self.request.method, self.url, self._headers, self.body)
        except asyncio.CancelledError:
            if self._late and task is not None and not task.uncancel():
                raise TimeoutError from None
            raise
        finally:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    def _wait(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(self._patience, self._give_up)

    def _give_up(self) -> None:
        self._late, self._deadline = True, None
        if self._task is not None:
            self._task.cancel()

    def _moved(self) -> None:
        """Wait longer for the answer while content is still on its way to the server."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._wait()
