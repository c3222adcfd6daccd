"""The client that every demo server knows."""

from __future__ import annotations

from loopback_auth.demo.tickets import demo_contract
from loopback_auth.model import ClientConfig, Provider, ServerMetadata


def client(issuer: str, vendor: str = "netlify", *, scope: str = "profile email") -> ClientConfig:
    """Describe that client to the login."""
    contract = demo_contract(vendor, issuer, binding=vendor == "netlify")
    provider = Provider("demo", ServerMetadata(issuer=issuer), ticket=contract)
    return ClientConfig(provider, "loopback-auth-demo", scope=scope)
