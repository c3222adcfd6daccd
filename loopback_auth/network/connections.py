"""The connections of one receiver: taken in on sockets that listen already, limited, dropped at the end.

Other programs must not block the receiver or displace the browser. When there are too many connections, the
oldest one that has not sent its whole request is closed; one that is waiting for its answer is never closed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from socket import socket

from loopback_auth.network.connection import Connection, Server, Visited
from loopback_auth.network.loopback import BACKLOG, BoundRedirect

CONNECTIONS = 64
ACCEPTS = 8
"""Connections taken in at a time: far fewer than `CONNECTIONS`, so that many that arrive all at once cannot
push out the one that matters before it has been read."""
PAUSE_SECONDS = 0.01
"""Seconds before the next connection is accepted, when one could not be."""
TURNS = 3
"""Turns of the loop after which every accepted socket has become a connection, and can be dropped."""


class Connections:
    """Accepts connections and ends them.

    Args:
        bound: listening sockets; closed at the end.
        visited: answers their requests.
        request_seconds: how long a connection may take to send its whole request.
        forgotten: called with each connection that is gone.
    """

    def __init__(
        self,
        bound: BoundRedirect,
        visited: Visited,
        *,
        request_seconds: float,
        forgotten: Callable[[Connection], None],
    ) -> None:
        self.request_seconds = request_seconds
        self.closed: bool = False
        self._bound = bound
        self._forgotten = forgotten
        self._server = Server(self, visited)
        self._listeners: list[asyncio.Server] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._connections: dict[Connection, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def accept(self) -> None:
        """Begin to take connections in."""
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":
            self._accepting = [loop.create_task(self._accept_each(one)) for one in self._bound.sockets]
            return
        try:
            for one in self._bound.sockets:
                # In two steps: if `create_server` is cancelled after it has begun to listen, nothing can stop
                # that listener, and the event loop does not notice the next socket with its file number.
                listener = await loop.create_server(
                    self._server, sock=one, backlog=ACCEPTS, start_serving=False
                )
                self._listeners.append(listener)
                await listener.start_serving()
                one.listen(BACKLOG)  # asyncio has just lowered the kernel's queue to `ACCEPTS` as well.
        except BaseException:
            self._close()
            raise

    async def _accept_each(self, listening: socket) -> None:
        """Do what a server of asyncio does, but go on after a client that has gone before it is accepted.

        On Windows asyncio's own server then closes its socket (python/cpython#93821): any program of this
        machine could end the waiting, and take the port over, to which the browser is about to come back.
        """
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError:
                if listening.fileno() == -1:
                    return
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            try:
                await loop.connect_accepted_socket(self._server, accepted)
            except OSError:
                accepted.close()

    async def stop_accepting(self) -> None:
        """Take in what has been accepted, and no more."""
        self.closed = True
        # A server of asyncio that is closed loses the sockets of which it has not yet made connections.
        loop = asyncio.get_running_loop()
        for one in self._bound.sockets:
            with suppress(NotImplementedError, ValueError):  # Windows; another program has closed it.
                loop.remove_reader(one)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def drop(self) -> None:
        """Close the sockets, and end every connection without an answer."""
        self._close()
        for connection in list(self._connections):
            connection.drop()
        for task in self._tasks:
            task.cancel()

    async def ended(self) -> None:
        """Wait for what has been dropped."""
        await asyncio.gather(*self._tasks, *self._accepting, return_exceptions=True)

    def admit(self, connection: Connection, task: asyncio.Task[None] | None) -> None:
        """Take a connection in, and let the oldest unfinished one go when there are too many."""
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._connections[connection] = None
        if len(self._connections) > CONNECTIONS:
            oldest = next((one for one in self._connections if not one.busy), None)
            if oldest is not None:
                oldest.drop()
                self.forget(oldest)

    def forget(self, connection: Connection) -> None:
        """Note that a connection is gone."""
        self._connections.pop(connection, None)
        self._forgotten(connection)

    def _close(self) -> None:
        for task in self._accepting:
            task.cancel()
        for listener in self._listeners:
            listener.close()
        self._bound.close()
