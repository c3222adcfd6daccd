"""Runs a flow in memory as the program would run it at a provider, and sends nothing over the network.

The flow is the program's own. The demonstration server answers instead of the provider, and afterwards its
addresses are replaced with the provider's. An address that only the provider knows, from its metadata or a
response, is a name in braces, such as `{token_endpoint}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from loopback_auth.compare.model import Run
from loopback_auth.compare.running.choices import choice, demo_client
from loopback_auth.compare.running.run import assembled
from loopback_auth.compare.running.simulate import ISSUER, Entropy, simulate, simulated_world
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import OURS
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.setup import PATHS
from loopback_auth.demo.tickets import BASES, demo_contract
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.explain.wording import FROM_RESPONSE
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Redirect, ServerMetadata
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.settings.contracts import CONTRACTS
from loopback_auth.trace.evidence import first_exchange
from loopback_auth.trace.reading import without_query
from loopback_auth.trace.records import Trace

CALLBACK = f"{OURS}/callback"
ANY_PORT = "PORT"
"""Stands for any free port."""
CHOSEN_ADDRESSES = {"ticket approval page": "browser_url", "ticket status request": "poll_url"}
"""Requests whose whole address a vendor may choose, and its name in the contract."""

_VERIFIER = "verifier-for-clients-of-providers-without-pkce-0"
_PROOF = f"&code_verifier={_VERIFIER}".encode()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A run in memory, and the addresses of the provider.

    Args:
        run: has the addresses of the demonstration server.
        provider: name of the provider.
        addresses: the provider's address by the demonstration server's, longest first.
        contract: the provider's ticket contract; None for other flows.
    """

    run: Run
    provider: str
    addresses: Mapping[str, str]
    contract: TicketContract | None = None

    def translated(self, text: str) -> str:
        """Replace the addresses of the demonstration server with the provider's."""
        for ours, theirs in self.addresses.items():
            text = text.replace(ours, theirs)
        return text


class _ProviderStandIn(DemoServer):
    """Also accepts a client without PKCE, and JSON requests, which the demonstration server refuses."""

    pkce = True

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        head, _, query = request.url.partition("?")
        if head == f"{ISSUER}/token":
            request = self._in_a_form(request)
        elif head == f"{ISSUER}/authorize" and "code" in dict(parse_qsl(query)).get("response_type", ""):
            more = f"&code_challenge={code_challenge(_VERIFIER)}&code_challenge_method=S256"
            request = request if self.pkce else replace(request, url=request.url + more)
        return super().handle(request, now)

    def _in_a_form(self, request: HttpRequest) -> HttpRequest:
        if request.body.startswith(b"{"):
            headers = tuple(pair for pair in request.headers if pair[0] != "Content-Type")
            body = urlencode(json.loads(request.body), doseq=True).encode("ascii")
            request = replace(request, headers=(*headers, ("Content-Type", FORM)), body=body)
        return request if self.pkce else replace(request, body=request.body + _PROOF)


def rehearse(name: str, client: ClientConfig | None = None) -> Rehearsal:
    """Run a flow in memory as a client would run it at its provider.

    Args:
        name: of the flow.
        client: with its provider; None: the client and server of the demonstration.

    Raises:
        ConfigError: there is no such flow, or it needs a package that is missing.
        Unavailable: the provider does not offer the flow.
    """
    original = demo_client(ISSUER) if client is None else client
    adapted = original if client is None else _at_the_demonstration(client)
    scopes = adapted.scope.split()
    signer = rsa_signer() if "openid" in scopes or "id_token" in name else None
    if "id_token" in name and "openid" not in scopes:
        adapted = replace(adapted, scope=" ".join(("openid", *scopes)))
    elif "openid" in scopes and signer is None:
        # Without a signer there is no ID token; the rest of the flow is the same.
        adapted = replace(adapted, scope=" ".join(scope for scope in scopes if scope != "openid"))
    chosen = choice(name, adapted)
    world = simulated_world(name)
    world.server = _server(name, adapted, signer)
    recorder, end = simulate(chosen, world, verify_signature=signer is not None)
    if isinstance(end, LoopbackAuthError):
        raise end
    run = assembled(name, recorder, end)
    contract = original.provider.ticket if chosen.flow == "ticket" else None
    anywhere = {OURS: f"http://127.0.0.1:{ANY_PORT}"}
    addresses = anywhere if client is None else _addresses(client, contract, run.trace)
    return Rehearsal(run, original.provider.name, addresses, contract)


def _server(name: str, client: ClientConfig, signer: Signer | None) -> DemoServer:
    separator = client.provider.scope_separator
    scopes = [scope for scope in client.scope.replace(" ", separator).split(separator) if scope != "openid"]
    server = _ProviderStandIn(
        ISSUER,
        entropy=Entropy(f"server of {name}"),
        signer=signer,
        clients=[DemoClient(client.client_id, client.client_secret, (CALLBACK,))] if client.client_id else [],
        scopes={scope: scope for scope in scopes},
    )
    server.pkce = client.provider.pkce
    return server


def _at_the_demonstration(client: ClientConfig) -> ClientConfig:
    """Point a client at the demonstration server, which answers instead of its provider."""
    provider, known = client.provider, client.provider.metadata
    own = {name: ISSUER + path for name, path in PATHS.items() if getattr(known, name)}
    metadata = ServerMetadata(ISSUER if known.issuer else None).with_endpoints(own)
    contract = demo_contract(_vendor(provider.ticket), ISSUER) if provider.ticket is not None else None
    demo = replace(provider, metadata=metadata, redirect=Redirect(), ticket=contract, allowed_issuer=None)
    return replace(client, provider=demo)


def _addresses(client: ClientConfig, contract: TicketContract | None, trace: Trace) -> dict[str, str]:
    """Return the provider's address for each address of the demonstration server, longest first."""
    redirect, known = client.provider.redirect, client.provider.metadata
    own = f"http://{redirect.host}:{redirect.ports[0] or ANY_PORT}"
    addresses = {CALLBACK: own + redirect.path, OURS: own}
    for name, path in PATHS.items():
        addresses[ISSUER + path] = getattr(known, name) or f"{{{name}}}"
    addresses[f"{ISSUER}/device"] = f"{{verification_uri{FROM_RESPONSE}"
    addresses[ISSUER] = known.issuer or f"{{{client.provider.name}}}"
    if contract is not None:
        addresses |= _ticket_addresses(contract, trace)
    return dict(sorted(addresses.items(), key=lambda pair: len(pair[0]), reverse=True))


def _ticket_addresses(contract: TicketContract, trace: Trace) -> dict[str, str]:
    vendor = _vendor(contract)
    addresses = {ISSUER + BASES[vendor]: contract.base}
    calls = (contract.create, contract.poll, contract.exchange, contract.account)
    for template in (contract.browser_url, *(call.url for call in calls if call is not None)):
        if template.startswith("{ui}"):
            path = template.removeprefix("{ui}").partition("?")[0]
            addresses[f"{ISSUER}/{vendor}{path}"] = contract.ui + path
    for step, value in CHOSEN_ADDRESSES.items():
        exchange = first_exchange(trace, step)
        if exchange is not None and value in contract.extract:
            addresses[without_query(exchange.url)] = f"{{{contract.extract[value]}{FROM_RESPONSE}"
    return addresses


def _vendor(contract: TicketContract) -> str:
    return next(name for name, known in CONTRACTS.items() if known.source == contract.source)
