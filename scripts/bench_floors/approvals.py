"""Approve tickets and device codes after a while, and tell how late that was noticed, at what cost.

    approvals.py SECONDS...

Everything happens at the same time, in real time, against demo servers on real sockets; each case has a
server of its own, which counts the polls, and comes in several phases, so that no poller is lucky. Prints one
line of JSON for each: what, who, after how many seconds, how many seconds late, how many polls. The cases:

    return seen     ours; the person approves in another tab and comes back to ours
    left alone      ours; our tab is open, but the person approves on a telephone
    no tab          ours; nothing would tell of a return
    fixed           the smallest poller: asks, waits for the interval, asks
"""

import asyncio
import json
import re
import secrets
import sys
import time
from dataclasses import dataclass

from aiohttp import ClientSession

from loopback_auth.demo.run_agent import run_agent
from loopback_auth.demo.serve import Demo, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.events import Event, LinkReady, VerificationPrompted
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.network.browser import Opening
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned

CLIENT_ID = "loopback-auth-demo"
KINDS = {"ticket": 1, "device, 1 s": 1, "device, 5 s": 5}
"""What is approved, and the interval in seconds; a ticket's is the one that its vendor's client keeps."""
WHO = ("return seen", "left alone", "no tab", "fixed")
PHASES = (0.0, 0.25, 0.5, 0.75)
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TICKETS = "/netlify/api/v1/oauth/tickets"


@dataclass(frozen=True)
class Case:
    """One sign-in, approved `after` seconds."""

    kind: str
    who: str
    after: float

    @property
    def flow(self) -> str:
        """The name of the flow."""
        return self.kind.partition(",")[0]


async def measured(case: Case, seconds: int) -> None:
    """Run a case, and write what it came to."""

    def factory(issuer: str) -> DemoServer:
        return DemoServer(issuer, entropy=secrets.token_bytes, device_interval=KINDS[case.kind])

    async with serve_demo(server_factory=factory) as demo, ClientSession() as browser:
        approved: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        run = fixed if case.who == "fixed" else ours
        got = await run(case, demo, browser, approved)
        poll = ("GET", f"{TICKETS}/{{id}}") if case.flow == "ticket" else ("POST", "/token")
        late, polls = max(0.0, got - approved.result()), demo.server.log[poll]
        sys.stdout.write(json.dumps([case.kind, case.who, seconds, late, polls]) + "\n")


async def approve(case: Case, url: str, approved: "asyncio.Future[float]") -> None:
    """Be a person who needs their time."""
    await asyncio.sleep(case.after)
    await run_agent(url)
    approved.set_result(time.time())


async def ours(case: Case, demo: Demo, browser: ClientSession, approved: "asyncio.Future[float]") -> float:
    """Sign in with ours; return when the token was there."""
    contract = demo_contract("netlify", demo.issuer)
    provider = Provider("demo", ServerMetadata(issuer=demo.issuer), ticket=contract)
    link: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    invited: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def notify(event: Event) -> None:
        if isinstance(event, LinkReady):
            link.set_result(event.url)
        if isinstance(event, VerificationPrompted):
            invited.set_result(event.url)

    async def person() -> None:
        url = await invited
        if case.who == "no tab":
            await approve(case, url, approved)
            return
        page = await text(browser, await link)
        live, token = (found(page, name) for name in ("data-live", "data-token"))
        origin = (await link).rpartition("/")[0]
        headers = {"X-Loopback-Relay": token, "Origin": origin}
        open_tab = asyncio.create_task(text(browser, f"{origin}{live}/outcome", headers))
        await approve(case, url, approved)
        if case.who == "return seen":
            async with browser.post(f"{origin}{live}/return", headers=headers) as answer:
                answer.raise_for_status()
        await open_tab

    acting = asyncio.create_task(person())
    client = ClientConfig(provider, CLIENT_ID, scope="profile")
    kept = await session.sign_in(
        client,
        planned(client, case.flow, opener=True),
        notify=notify,
        open_browser=lambda _url: Opening(why_not="this is a measurement"),
        start_page=case.who != "no tab",
    )
    await acting
    return kept.tokens.obtained_at


async def fixed(case: Case, demo: Demo, client: ClientSession, approved: "asyncio.Future[float]") -> float:
    """Ask at a fixed interval; return when the token was there."""
    if case.flow == "ticket":
        create = f"{demo.issuer}{TICKETS}?client_id={CLIENT_ID}"
        async with client.post(create, json={}) as answer:
            ticket = (await answer.json())["id"]
        url = f"{demo.issuer}/netlify/authorize?response_type=ticket&ticket={ticket}"
    else:
        async with client.post(
            f"{demo.issuer}/device_authorization", data={"client_id": CLIENT_ID}
        ) as answer:
            grant = await answer.json()
        url = grant["verification_uri_complete"]
    person = asyncio.create_task(approve(case, url, approved))
    while True:
        await asyncio.sleep(KINDS[case.kind])
        if case.flow == "ticket":
            async with client.get(f"{demo.issuer}{TICKETS}/{ticket}") as answer:
                done = (await answer.json())["authorized"]
            if done:
                async with client.post(f"{demo.issuer}{TICKETS}/{ticket}/exchange") as answer:
                    done = "access_token" in await answer.json()
        else:
            form = {"grant_type": GRANT, "device_code": grant["device_code"], "client_id": CLIENT_ID}
            async with client.post(f"{demo.issuer}/token", data=form) as answer:
                done = "access_token" in await answer.json()
        if done:
            await person
            return time.time()


async def text(browser: ClientSession, url: str, headers: dict[str, str] | None = None) -> str:
    """Fetch a page."""
    async with browser.get(url, headers=headers) as answer:
        answer.raise_for_status()
        return await answer.text()


def found(page: str, name: str) -> str:
    """Read an attribute of our page."""
    match = re.search(f'{name}="([^"]+)"', page)
    if match is None:
        raise SystemExit(f"our page has no {name}")
    return match[1]


async def main() -> None:
    """Run all cases at once."""
    wanted = [int(argument) for argument in sys.argv[1:]]
    async with asyncio.TaskGroup() as group:
        for seconds in wanted:
            for kind in KINDS:
                for who in WHO:
                    for phase in PHASES:
                        group.create_task(measured(Case(kind, who, seconds + phase), seconds))


if __name__ == "__main__":
    asyncio.run(main())
