"""A sign-in of ours under way while Playwright, which needs this thread for itself, drives the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Queue
from threading import Thread
from typing import TypeVar

from patience import SOON

from loopback_auth.api import login
from loopback_auth.events import Event, LinkReady
from loopback_auth.flow_table import FlowName
from loopback_auth.model import ClientConfig
from loopback_auth.network.browser import Opening
from loopback_auth.program import Program
from loopback_auth.tokens import SignIn

EventType = TypeVar("EventType", bound=Event)


class Running:
    """What a sign-in in a thread of its own has told, and how it ends."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._fresh: Queue[Event] = Queue()
        self._ended: Future[SignIn] = Future()
        self._answer: Future[bool] = Future()

    def wait(self, kind: type[EventType]) -> EventType:
        """Wait for the next event of a kind."""
        while True:
            event = self._fresh.get(timeout=SOON)
            if isinstance(event, kind):
                return event

    def link(self) -> str:
        """Wait for the link that the person is to open."""
        return self.wait(LinkReady).url

    def end(self) -> SignIn:
        """Wait for the end; raises what the sign-in raised."""
        return self._ended.result(SOON)

    def notify(self, event: Event) -> None:
        """Take an event in."""
        self.events.append(event)
        self._fresh.put(event)

    def answer(self, yes: bool) -> None:
        """Answer whether the account is the right one."""
        self._answer.set_result(yes)

    async def _asked(self, _: SignIn) -> bool:
        return await asyncio.wrap_future(self._answer)

    def run(self, client: ClientConfig, flow: FlowName, asks: bool, program: Program | None) -> None:
        """Sign in; for the thread."""
        sign_in = login(
            client,
            flow=flow,
            notify=self.notify,
            open_browser=lambda _url: Opening(why_not="the test opens it"),
            timeout=60,
            confirm=self._asked if asks else None,
            program=program,
        )
        try:
            self._ended.set_result(asyncio.run(sign_in))
        except BaseException as exc:
            self._ended.set_exception(exc)


@contextmanager
def signing_in(
    client: ClientConfig, flow: FlowName, *, asks: bool = False, program: Program | None = None
) -> Iterator[Running]:
    """Run a sign-in for as long as it takes, and at most a minute.

    Args:
        client: whose.
        flow: the only one.
        asks: the account has to be confirmed.
        program: that asks for it.
    """
    running = Running()
    thread = Thread(target=running.run, args=(client, flow, asks, program), name="sign-in", daemon=True)
    thread.start()
    yield running
    thread.join(SOON)
