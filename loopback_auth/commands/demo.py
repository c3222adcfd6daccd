"""Run the demonstration authorization server until Ctrl-C.

It is a real, strict authorization server on 127.0.0.1, with one client, loopback-auth-demo, and made-up
accounts. You can point any OAuth client at it, for example this one. An MCP server belongs to it, too: its
clients need no client ID, because they register themselves. With --json it prints
its metadata and addresses in one line as soon as it serves.

Examples:
  python -m loopback_auth demo --port 9000
  python -m loopback_auth login http://127.0.0.1:9000 --client-id loopback-auth-demo
  python -m loopback_auth login http://127.0.0.1:9000/mcp
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import replace

from loopback_auth.cli import answer, tell
from loopback_auth.demo.fetching import fetch_locally
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.resources import NAMES
from loopback_auth.demo.serve import Demo, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tickets import BASES, demo_contract
from loopback_auth.http_messages import HttpRequest
from loopback_auth.settings.configure import client_config
from loopback_auth.signin.refresh import can_verify_signatures

CLIENT_ID = "loopback-auth-demo"

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.demo.server import DemoServer
    from loopback_auth.model import ClientConfig
    from loopback_auth.settings import Settings


USAGE = "[--port PORT]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, default=0, help="port to serve on; 0 is any free one")


def run(options: argparse.Namespace) -> int:
    """Serve the demonstration until Ctrl-C."""

    async def serve() -> None:
        async with serve_demo(port=options.port, server_factory=signing_server) as demo:
            if options.json:
                answer(json.dumps(_described(demo)) + "\n")
            tell(f"Serving {demo.issuer} until you press Ctrl-C. To sign in to it:")
            tell(f"  python -m loopback_auth login {demo.issuer} --client-id {CLIENT_ID}")
            tell(f"  python -m loopback_auth login {demo.issuer}/mcp")
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        tell("Stopped.")
    return 0


def _described(demo: Demo) -> dict[str, object]:
    """Return the metadata of a demo server, with its client, resources and ticket endpoints."""
    where = HttpRequest("GET", f"{demo.issuer}/.well-known/oauth-authorization-server")
    metadata: dict[str, object] = json.loads(demo.server.handle(where, time.time()).body)
    return {
        "client_id": CLIENT_ID,
        **metadata,
        "resources": [demo.issuer + path for path in NAMES],
        "tickets": {vendor: demo_contract(vendor, demo.issuer).base for vendor in BASES},
    }


def signing_server(issuer: str) -> DemoServer:
    """Make a demo server that signs ID tokens where the extra `oidc` is installed."""
    return DemoServer(issuer, entropy=secrets.token_bytes, signer=rsa_signer(), fetch=fetch_locally)


def demo_client(issuer: str, settings: Settings, *, simulated_person: bool = False) -> ClientConfig:
    """Describe the demo's own client, with whatever else the settings ask for."""
    scope = "openid profile email" if can_verify_signatures() else "profile email"
    vendor = settings.text("ticket") or "netlify"
    contract = demo_contract(vendor, issuer, binding=vendor == "netlify")
    tickets = {"ticket": vendor, "ticket_base": contract.base, "ticket_ui": contract.ui}
    values = {"issuer": issuer, "client_id": CLIENT_ID, "scope": scope, **tickets}
    client = client_config(settings.completed(values, "built-in demonstration"))
    provider = replace(client.provider, temporary=True, simulated_person=simulated_person, ticket=contract)
    return replace(client, provider=provider)
