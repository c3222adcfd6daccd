"""The interface of a sign-in in two steps to the outside: the time, the network, and the number of a port.

It is a protocol, so that tests can let time pass without waiting. Flows that no journal repeats, because they
end before a person is asked, are run here.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Protocol, TypeVar

from loopback_auth.effects import Flow, FlowResult, Now, Send, Warn, resume_flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.events import Notify, Warned
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Network
from loopback_auth.network.transport import Transport
from loopback_auth.signin.driver import new_stamp
from loopback_auth.trace.redactor import Redactor

T = TypeVar("T")


class World(Protocol):
    """What a sign-in in two steps needs from outside: the time, the network, and a port number."""

    def now(self) -> float:
        """Return Unix seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def send(self, request: HttpRequest, *, step: str) -> HttpResponse:
        """Make one request."""
        ...

    async def look_at(self, urls: tuple[str, ...]) -> None:
        """Refuse now the addresses that would be refused after the person has approved."""
        ...

    @property
    def seen_public(self) -> bool:
        """Whether a request was sent to a public server."""
        ...

    def free_port(self, host: str) -> int:
        """Return a port at which nothing listens."""
        ...


class RealWorld:
    """The clock of this machine, and its network.

    Args:
        network: how the server is reached.
    """

    def __init__(self, network: Network) -> None:
        self._stack = AsyncExitStack()
        self._transport = Transport(network)

    async def __aenter__(self) -> RealWorld:
        await self._stack.enter_async_context(self._transport)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def send(self, request: HttpRequest, *, step: str) -> HttpResponse:
        """Make one request.

        Raises:
            TransportError: there was no answer.
            MalformedResponse: it was too large.
        """
        return await self._transport.send(request, step=step)

    async def look_at(self, urls: tuple[str, ...]) -> None:
        """Refuse now the addresses that would be refused after the person has approved.

        Raises:
            TransportError: one of them leads inside from a public server.
            ConfigError: a proxy or a file of certificates cannot be used.
        """
        await self._transport.look_at(urls)

    @property
    def seen_public(self) -> bool:
        """Whether a request was sent to a public server."""
        return self._transport.seen_public

    def free_port(self, host: str) -> int:
        """Return a port at which nothing listens."""
        # Nothing must listen there: the browser has to fail, so that the address stays in its address bar.
        # A program that takes the port gets a code, which is of no use without the verifier (RFC 8252 §8.1).
        with socket.socket(socket.AF_INET6 if host == "[::1]" else socket.AF_INET) as probe:
            probe.bind((host.strip("[]"), 0))
            port: int = probe.getsockname()[1]
        return port


class Requests:
    """Runs flows that send requests and ask nothing of a person.

    Args:
        world: the network and the clock.
        notify: called with warnings.
    """

    def __init__(self, world: World, notify: Notify) -> None:
        self._world = world
        self._notify = notify
        self._redactor = Redactor()

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end.

        Raises:
            LoopbackAuthError: what the flow raises, without secrets in its texts.
        """
        answer: object = None
        try:
            while not isinstance(step := resume_flow(flow, answer), FlowResult):
                match step:
                    case Send():
                        answer = await self._send(step)
                    case Now():
                        answer = new_stamp(self._world.now())
                    case Warn(text):
                        answer = self._notify(Warned(text))
                    case _:
                        raise AssertionError(f"This flow cannot have the effect {type(step).__name__}.")
            return step.value
        except LoopbackAuthError as exc:
            self._redactor.clean_error(exc)
            raise exc.with_traceback(None) from None
        finally:
            flow.close()

    async def _send(self, send: Send) -> HttpResponse | LoopbackAuthError:
        self._redactor.learn_request(send.request)
        try:
            response = await self._world.send(send.request, step=send.step)
        except LoopbackAuthError as exc:
            return exc
        return self._redactor.clean_response(response, send.secrets)
