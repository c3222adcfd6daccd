"""The client that every demo server knows, and a browser in a process of its own."""

from __future__ import annotations

from loopback_auth.demo.tickets import demo_contract
from loopback_auth.model import ClientConfig, Provider, ServerMetadata

FOLLOW_LINK = """\
import asyncio, sys
from loopback_auth.demo.run_agent import run_agent
asyncio.run(run_agent(sys.argv[1]))
"""
"""A program for `python -c` that follows the link that it is given, and approves."""


def client(issuer: str, vendor: str = "netlify", *, scope: str = "profile email") -> ClientConfig:
    """Describe that client to the login."""
    contract = demo_contract(vendor, issuer, binding=vendor == "netlify")
    provider = Provider("demo", ServerMetadata(issuer=issuer), ticket=contract)
    return ClientConfig(provider, "loopback-auth-demo", scope=scope)
