"""Tickets at the demo server: the vendors that it imitates, their paths, and the contracts for a client.

    client = ClientConfig(Provider("demo", metadata, ticket=demo_contract("netlify", issuer)), ...)

Every contract of `contracts` works here unchanged but for its addresses.
"""

from __future__ import annotations

from dataclasses import replace

from loopback_auth.demo.approvals import Approvals
from loopback_auth.demo.consent import Interactions
from loopback_auth.demo.grants import Ledger
from loopback_auth.demo.netlify import TICKETS, Netlify
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.ticket_endpoints import Routes, TicketEndpoints
from loopback_auth.demo.vendors import Doppler, Heroku, Npm, Stripe
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.errors import ConfigError
from loopback_auth.settings.contracts import CONTRACTS

VENDORS = (Netlify, Npm, Heroku, Stripe, Doppler)
BASES = {vendor.name: vendor.base for vendor in VENDORS}
"""Where a contract's `base` lies below the issuer."""
APPROVAL_PAGES = frozenset(vendor.approval_page for vendor in VENDORS)


def demo_contract(name: str, issuer: str, *, binding: bool = False) -> TicketContract:
    """Point a vendor's contract at a demo server.

    Args:
        name: key of `contracts.CONTRACTS`.
        issuer: of the demo server.
        binding: send a code challenge, and the verifier at the exchange; Netlify's handshake only.

    Raises:
        ConfigError: there is no such contract, or it has no binding.
    """
    if name not in BASES or (binding and name != "netlify"):
        raise ConfigError(
            f"The demo server has no such tickets: {name}{', bound' if binding else ''}",
            hint=f"Choose one of {', '.join(BASES)}.",
        )
    contract = replace(CONTRACTS[name], base=issuer + BASES[name], ui=f"{issuer}/{name}")
    if not binding or contract.exchange is None:
        return contract
    challenge = (("code_challenge", "{code_challenge}"), ("code_challenge_method", "S256"))
    create = replace(contract.create, parameters=(*contract.create.parameters, *challenge))
    proof = (("code_verifier", "{code_verifier}"),)
    exchange = replace(contract.exchange, body="json", parameters=proof)
    return replace(contract, create=create, exchange=exchange, binding=True)


def ticket_routes(setup: Setup, ledger: Ledger, approvals: Approvals, interactions: Interactions) -> Routes:
    """Return the endpoints of all vendors by path and method."""
    endpoints = TicketEndpoints(setup, ledger, approvals, interactions)
    return {path: methods for vendor in VENDORS for path, methods in vendor(endpoints).routes().items()}


def route_of(path: str) -> str:
    """Name the route of a path that holds the id of a ticket; every other path is its own."""
    head, slash, rest = path.partition(f"{TICKETS}/")
    ticket, slash_after, tail = rest.partition("/")
    return path if head or not slash or not ticket else f"{TICKETS}/{{id}}{slash_after}{tail}"
