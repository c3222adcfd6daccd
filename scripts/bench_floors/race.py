"""Sign in by one flow, alone and with two others open beside it, by turns.

    race.py code|device COUNT

Server and browser are in the same loop, so that each of its turns is a step towards the token. Prints a line
of JSON for every sign-in, after a pair to warm up: who, and how many turns of the loop and milliseconds lie
between the answer and the token. The answer is the browser's way back to us, or the server's yes to a poll;
the token is there when it could be kept.
"""

import asyncio
import json
import secrets
import selectors
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from loopback_auth import MemoryTokenStore
from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.demo.agent import browse
from loopback_auth.demo.serve import Demo, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.events import Event, VerificationPrompted
from loopback_auth.flows.catalog import FlowOptions, flow_named
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.plan.model import AT_ONCE, YES, Fact, Facts, Place, Plan, Route
from loopback_auth.signin import session
from loopback_auth.signin.driver import Driver, new_attempt
from loopback_auth.signin.resources import Resources
from loopback_auth.store.interface import LOCK_TIMEOUT

PATIENCE = 10.0
THOUGHT = 0.1
"""Seconds that the person takes, in which whatever else is open has shown what there is to show."""
FLOWS = ("code", "device", "paste")


class Turns(selectors.DefaultSelector):
    """Counts the turns of a loop: it looks once in each."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Look, and count."""
        self.count += 1
        return super().select(timeout)


@dataclass
class Watch:
    """How far the loop and the clock went on between the answer and the token."""

    turns: Turns
    passed: tuple[int, float] = (0, 0.0)

    def answered(self) -> None:
        """Note the answer."""
        self.passed = self.turns.count, time.perf_counter()

    def signed_in(self) -> None:
        """Note the token."""
        count, moment = self.passed
        self.passed = self.turns.count - count, (time.perf_counter() - moment) * 1000


class Store(MemoryTokenStore):
    """Tells when there is something to keep."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Lock a sign-in."""
        self._watch.signed_in()
        return super().lock(name, timeout)


class Server(DemoServer):
    """A demo server that tells when it says yes to a poll."""

    def __init__(self, issuer: str, watch: Watch | None) -> None:
        super().__init__(issuer, entropy=secrets.token_bytes, device_interval=1)
        self._watch = watch

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a request."""
        answer = super().handle(request, now)
        if self._watch is not None and request.url == "/token" and answer.status == 200:
            self._watch.answered()
        return answer


@dataclass
class Person:
    """Signs in at a server in the same process, as far as possible without sockets."""

    demo: Demo
    watch: Watch
    flow: str
    doing: set["asyncio.Task[None]"] = field(default_factory=set)

    def open(self, url: str) -> Opening:
        """Be a browser; for a device code nobody needs one."""
        if self.flow == "code":
            self.doing.add(asyncio.create_task(self._come_back(url)))
        return Opening(program="bench")

    def notify(self, event: Event) -> None:
        """Approve a device code as soon as it is there."""
        if isinstance(event, VerificationPrompted) and self.flow == "device":
            self._walk(event.url, until="/nowhere")

    async def _come_back(self, url: str) -> None:
        authority = url.partition("//")[2].partition("/")[0]
        head = await fetch(url, authority)
        at_server = next(line for line in head.splitlines() if line.startswith("Location: "))
        back = self._walk(at_server.removeprefix("Location: "), until=f"http://{authority}/")
        await asyncio.sleep(THOUGHT)
        self.watch.answered()
        await fetch(back, authority)

    def _walk(self, url: str, *, until: str) -> str:
        browser = browse(url)
        step = next(browser)
        try:
            while not step.url.startswith(until):
                step = browser.send(self.demo.server.handle(step, time.time()))
        except StopIteration:
            return ""
        return step.url


async def fetch(url: str, authority: str) -> str:
    """Fetch a page of ours as a browser does; return the head of the answer."""
    host, _, port = authority.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    target = url.removeprefix(f"http://{authority}")
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[0].decode()


def plan(first: str) -> Plan:
    """Plan for all flows to be open from the beginning."""
    yes = Fact(YES, "It is a measurement.")
    routes = sorted(
        (Route(flow, AT_ONCE, "It is measured.") for flow in FLOWS), key=lambda one: one.flow != first
    )
    facts = Facts(opens=yes, reaches=yes, person=yes, waits=yes)
    return Plan(
        place=Place("bench", "a measurement"), facts=facts, routes=tuple(routes), refused={}, opens=True
    )


async def alone(client: ClientConfig, person: Person) -> None:
    """Run a flow as it is."""
    async with Resources(notify=person.notify, open_browser=person.open) as resources:
        await Driver(resources).run(flow_named(person.flow, client, new_attempt(), FlowOptions()))
        person.watch.signed_in()


async def beside(client: ClientConfig, person: Person) -> None:
    """Run it with the others."""

    async def paste(_: AuthorizationRequest) -> Callback:
        never: asyncio.Future[Callback] = asyncio.get_running_loop().create_future()
        return await never

    await session.sign_in(
        client,
        plan(person.flow),
        notify=person.notify,
        store=Store(person.watch),
        open_browser=person.open,
        paste=paste,
    )


async def main(turns: Turns) -> None:
    """Sign in by turns."""
    flow, count = sys.argv[1:]
    for number in range(int(count) + 1):
        for who, run in (("alone", alone), ("beside two others", beside)):
            watch = Watch(turns)
            told = watch if flow == "device" else None
            async with serve_demo(server_factory=lambda issuer, told=told: Server(issuer, told)) as demo:  # type: ignore[misc]
                # Its metadata are asked for, so that everybody has a connection to the server already.
                metadata = ServerMetadata(issuer=demo.issuer)
                client = ClientConfig(
                    Provider("bench", metadata), "loopback-auth-demo", scope="profile", response_mode="query"
                )
                person = Person(demo, watch, flow)
                async with asyncio.timeout(PATIENCE):
                    await run(client, person)
                    await asyncio.gather(*person.doing, return_exceptions=True)
            if number:
                sys.stdout.write(json.dumps([who, *watch.passed]) + "\n")


if __name__ == "__main__":
    counting = Turns()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(counting)) as runner:
        runner.run(main(counting))
