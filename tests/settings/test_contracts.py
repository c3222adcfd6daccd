"""The vendors' contracts as data: each is whole, says what the public client does, and leads to a token."""

from __future__ import annotations

import hashlib
from itertools import count
from string import Formatter

import pytest

from loopback_auth.authorization_messages import Attempt
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tickets import BASES, demo_contract
from loopback_auth.device_and_ticket import TicketContract, TicketRequest
from loopback_auth.effects import Send
from loopback_auth.flows.ticket import ticket
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.protocol.urls import check_browser_url
from loopback_auth.settings.contracts import CONTRACTS, DOPPLER, HEROKU, NETLIFY, NPM, STRIPE
from loopback_auth.settings.setting import SETTINGS

ISSUER = "https://as.example"
ATTEMPT = Attempt(state="s" * 32, code_verifier="v" * 43, nonce="n" * 32)
GIVEN = {"base", "ui", "client_id", "message", "uuid", "code_challenge", "code_verifier"}

every_contract = pytest.mark.parametrize("name", CONTRACTS)


def calls(contract: TicketContract) -> list[TicketRequest]:
    """Return every call that a contract has."""
    optional = (contract.exchange, contract.account, contract.revoke, contract.cleanup)
    return [contract.create, contract.poll, *(call for call in optional if call is not None)]


def names(*templates: str) -> set[str]:
    """Return the values that templates ask for."""
    return {name for one in templates for _, name, _, _ in Formatter().parse(one) if name}


def world() -> MemoryWorld:
    """Begin with a fresh server."""
    calls = count()
    server = DemoServer(ISSUER, entropy=lambda size: hashlib.sha256(b"%d" % next(calls)).digest()[:size])
    return MemoryWorld(server)


@every_contract
def test_contract_asks_only_for_what_there_is(name: str) -> None:
    """A name without a value would be found only when somebody signs in."""
    contract = CONTRACTS[name]
    asked = names(contract.browser_url)
    for call in calls(contract):
        values = (value for pairs in (call.parameters, call.headers) for _, value in pairs)
        asked |= names(call.url, *values)

    assert asked <= GIVEN | contract.extract.keys()
    assert names(contract.create.url) <= GIVEN


@every_contract
def test_contract_speaks_to_its_vendor_only(name: str) -> None:
    """Every address begins with one of the vendor's own, by https."""
    contract = CONTRACTS[name]

    for url in filter(None, (contract.base, contract.ui)):
        assert check_browser_url(url).startswith("https://")
    for call in calls(contract):
        assert call.url.startswith(("{base}/", "{ui}/", "{poll_url}"))
    assert contract.source.startswith("https://github.com/")


@every_contract
def test_contract_leads_to_a_token_and_a_name(name: str) -> None:
    """From creation to exchange, as a person goes through it; the account is shown where it can be known."""
    here = world()
    provider = Provider(name, ServerMetadata(), ticket=demo_contract(name, ISSUER))
    here.thinking = 20.0

    sign_in = here.run(ticket(ClientConfig(provider, "loopback-auth-demo"), ATTEMPT, message="from a test"))

    assert here.server.active(sign_in.tokens.access_token, here.now)
    assert sign_in.tokens.account or name == "heroku"  # the demo server has no Heroku API
    assert here.warnings() == ()
    assert all(effect.request.url.startswith(ISSUER) for effect in here.effects if isinstance(effect, Send))


def test_statuses_are_those_of_the_public_clients() -> None:
    """npm-profile, stripe-cli, heroku-cli-command, DopplerHQ/cli, netlify/open-api, as read there."""
    assert NETLIFY.create.ok == (200, 201)
    assert (NETLIFY.done_path, NETLIFY.done_value, NETLIFY.unsupported) == ("authorized", True, ())
    assert (NPM.pending, NPM.unsupported, NPM.done_path) == ((202,), (400, 500), "token")
    assert (STRIPE.timeout, STRIPE.done_path) == (120.0, "redeemed")
    assert 302 in STRIPE.unsupported
    assert (DOPPLER.pending, DOPPLER.interval, DOPPLER.timeout) == ((409,), 2.0, 300.0)
    assert (HEROKU.long_poll, HEROKU.timeout) == (True, 600.0)
    assert [name for name, contract in CONTRACTS.items() if contract.binding] == []


def test_vendors_of_the_setting_are_those_of_the_contracts_and_of_the_demo_server() -> None:
    """The setting has its own list, since it is read before the browser starts; the demo speaks them all."""
    [setting] = [one for one in SETTINGS if one.name == "ticket"]

    assert setting.choices == tuple(CONTRACTS) == tuple(BASES)
