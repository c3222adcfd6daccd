"""Run the demonstration authorization server until interrupted; its addresses go to stdout as JSON.

A real, strict authorization server on 127.0.0.1 that knows one client, loopback-auth-demo, and made-up
accounts. Point any OAuth client at it, this one for instance.

Examples:
  python -m loopback_auth demo --port 9000
  python -m loopback_auth login http://127.0.0.1:9000 --client-id loopback-auth-demo
"""

from __future__ import annotations

from loopback_auth.cli import answer, tell

CLIENT_ID = "loopback-auth-demo"
PATIENCE = 60.0
"""Seconds for a simulated person; nobody is waited for, but a device code is asked for only every five."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    import asyncio
    from collections.abc import Callable

    from loopback_auth.demo.server import DemoServer
    from loopback_auth.model import ClientConfig, SignIn
    from loopback_auth.plan.nouns import Plan
    from loopback_auth.settings import Settings
    from loopback_auth.shell.browser import Opening
    from loopback_auth.shell.events import Event
    from loopback_auth.shell.loopback import BoundRedirect
    from loopback_auth.store import FileTokenStore
    from loopback_auth.store.protocol import TokenStore


USAGE = "[--port PORT]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, default=0, help="port to serve on; 0 is any free one")


def run(options: argparse.Namespace) -> int:
    """Serve."""
    import asyncio
    import json
    import time

    from loopback_auth.demo.serve import serve_demo
    from loopback_auth.demo.tickets import demo_contract
    from loopback_auth.model import HttpRequest
    from loopback_auth.settings.contracts import CONTRACTS

    async def serve() -> None:
        async with serve_demo(port=options.port, server_factory=signing_server) as demo:
            where = HttpRequest("GET", f"{demo.issuer}/.well-known/oauth-authorization-server")
            metadata = json.loads(demo.server.handle(where, time.time()).body)
            tickets = {vendor: demo_contract(vendor, demo.issuer).base for vendor in CONTRACTS}
            answer(json.dumps({"client_id": CLIENT_ID, **metadata, "tickets": tickets}) + "\n")
            tell(f"Serving {demo.issuer} until you press Ctrl-C. To sign in to it:")
            tell(f"  python -m loopback_auth login {demo.issuer} --client-id {CLIENT_ID}")
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        tell("Stopped.")
    return 0


def simulated_sign_in(
    settings: Settings,
    chosen: Plan,
    *,
    store: FileTokenStore,
    bound: BoundRedirect | None,
    timeout: float | None,
    message: str,
    verbose: bool,
) -> SignIn:
    """Serve the demonstration, have a simulated person sign in to it, and tell what happens.

    Args:
        settings: of the demonstration.
        chosen: the flow, and why nobody is asked.
        store: where the sign-in is kept.
        bound: the redirect URI.
        timeout: seconds; None: as long as it takes a simulated person.
        message: for the approval page of a ticket.
        verbose: show every exchange.
    """
    import asyncio

    from loopback_auth.demo.serve import serve_demo
    from loopback_auth.terminal.simulated import Narrator

    narrator = Narrator(chosen.simulated, verbose=verbose)
    narrator.begin()

    async def sign_in() -> SignIn:
        async with serve_demo(server_factory=signing_server) as demo:
            return await simulated_login(
                demo_client(demo.issuer, settings, simulated_person=True),
                chosen,
                store=store,
                notify=narrator.notify,
                bound=bound,
                timeout=timeout,
                message=message,
                exchanges=verbose,
            )

    return asyncio.run(sign_in())


class SimulatedPerson:
    """Opens links and approves what they lead to; `failure` ends with what went wrong, if anything does."""

    def __init__(self) -> None:
        import asyncio

        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._walks: set[asyncio.Task[object]] = set()

    def open(self, url: str) -> Opening:
        """Set off, as a browser that is started does."""
        import asyncio

        from loopback_auth.demo.serve import run_agent
        from loopback_auth.shell.browser import Opening

        walk: asyncio.Task[object] = asyncio.create_task(run_agent(url))
        self._walks.add(walk)
        walk.add_done_callback(self._arrived)
        return Opening(program="a simulated browser")

    async def leave(self) -> None:
        """Close the browser."""
        import asyncio

        for walk in self._walks:
            walk.cancel()
        await asyncio.gather(*self._walks, return_exceptions=True)
        self.failure.cancel()

    def _arrived(self, walk: asyncio.Task[object]) -> None:
        if not walk.cancelled() and (error := walk.exception()) and not self.failure.done():
            self.failure.set_exception(error)


async def simulated_login(
    client: ClientConfig,
    plan: Plan,
    *,
    store: TokenStore,
    notify: Callable[[Event], None],
    bound: BoundRedirect | None,
    timeout: float | None,  # noqa: ASYNC109 - also part of the messages, as in `login`
    message: str,
    exchanges: bool,
) -> SignIn:
    """Sign a simulated person in; the arguments are those of `login`.

    Raises:
        LoopbackAuthError: as of `login`, and what went wrong in the simulated browser.
    """
    import asyncio

    from loopback_auth.api import login

    person = SimulatedPerson()
    if bound is not None and plan.start_page:
        bound.opening = person.open(bound.start_url)
    signing_in = asyncio.create_task(
        login(
            client,
            store=store,
            notify=notify,
            open_browser=person.open,
            start_page=plan.start_page,
            timeout=timeout or PATIENCE,
            bound=bound,
            plan=plan,
            message=message,
            exchanges=exchanges,
            alone=True,
        )
    )
    try:
        await asyncio.wait((signing_in, person.failure), return_when=asyncio.FIRST_COMPLETED)
        if not signing_in.done():
            person.failure.result()
        return await signing_in
    finally:
        signing_in.cancel()
        await asyncio.gather(signing_in, return_exceptions=True)
        await person.leave()


def signing_server(issuer: str) -> DemoServer:
    """Make a demo server that signs ID tokens where the extra `oidc` is installed."""
    import secrets

    from loopback_auth.demo.keys import rsa_signer
    from loopback_auth.demo.server import DemoServer

    return DemoServer(issuer, entropy=secrets.token_bytes, signer=rsa_signer())


def demo_client(issuer: str, settings: Settings, *, simulated_person: bool = False) -> ClientConfig:
    """Describe the demo's own client, with whatever else the settings ask for."""
    from dataclasses import replace

    from loopback_auth.demo.tickets import demo_contract
    from loopback_auth.settings.configure import client_config
    from loopback_auth.upkeep import can_verify_signatures

    scope = "openid profile email" if can_verify_signatures() else "profile email"
    vendor = settings.text("ticket") or "netlify"
    contract = demo_contract(vendor, issuer, binding=vendor == "netlify")
    tickets = {"ticket": vendor, "ticket_base": contract.base, "ticket_ui": contract.ui}
    values = {"issuer": issuer, "client_id": CLIENT_ID, "scope": scope, **tickets}
    client = client_config(settings.completed(values, "built-in demonstration"))
    provider = replace(client.provider, temporary=True, simulated_person=simulated_person, ticket=contract)
    return replace(client, provider=provider)
