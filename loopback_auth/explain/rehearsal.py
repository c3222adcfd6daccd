"""A flow rehearsed in memory the way it would be run at a provider: with its endpoints, client and dialect.

What the program would do is what its own flow does here; nobody is asked over the net. The demonstration
server plays the provider, and its addresses are replaced by the provider's afterwards. An address that only
the provider can tell, in its metadata or in an answer, stays a name in braces, such as `{token_endpoint}`.
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
from loopback_auth.explain.story import FROM_RESPONSE
from loopback_auth.model import FORM, ClientConfig, HttpRequest, HttpResponse, Redirect, ServerMetadata
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.settings.contracts import CONTRACTS
from loopback_auth.trace.evidence import first_exchange
from loopback_auth.trace.reading import without_query
from loopback_auth.trace.records import Trace

CALLBACK = f"{OURS}/callback"
ANY_PORT = "PORT"
"""What is written for a port that may be any."""
GIVEN = {"ticket approval page": "browser_url", "ticket status request": "poll_url"}
"""Requests whose address a vendor may give as a whole, and its name in the contract."""

_VERIFIER = "a-verifier-for-those-who-send-none-of-their-own"
_PROOF = f"&code_verifier={_VERIFIER}".encode()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A run in memory, and how to speak of it.

    Args:
        run: its addresses are the demonstration's.
        provider: name of the provider it was rehearsed for.
        places: address of the demonstration to address of the provider, longest first.
        contract: the provider's way to sign in by ticket, where that is the flow.
    """

    run: Run
    provider: str
    places: Mapping[str, str]
    contract: TicketContract | None = None

    def translated(self, text: str) -> str:
        """Put the provider's addresses in place of the demonstration's."""
        for ours, theirs in self.places.items():
            text = text.replace(ours, theirs)
        return text


class _Player(DemoServer):
    """Plays a provider: lets it have no PKCE, and take JSON, where the demonstration insists on more."""

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
        client: None: the demonstration's own, at the demonstration.

    Raises:
        ConfigError: there is no such flow, or it needs a package that is missing.
        Unavailable: the provider offers no such flow.
    """
    there = demo_client(ISSUER) if client is None else client
    here = there if client is None else _at_the_demonstration(client)
    scopes = here.scope.split()
    signer = rsa_signer() if "openid" in scopes or "id_token" in name else None
    if "id_token" in name and "openid" not in scopes:
        here = replace(here, scope=" ".join(("openid", *scopes)))
    elif "openid" in scopes and signer is None:
        # Nothing could be signed: the rest of the flow is the same without.
        here = replace(here, scope=" ".join(scope for scope in scopes if scope != "openid"))
    chosen = choice(name, here)
    world = simulated_world(name)
    world.server = _server(name, here, signer)
    recorder, end = simulate(chosen, world, verify_signature=signer is not None)
    if isinstance(end, LoopbackAuthError):
        raise end
    run = assembled(name, recorder, end)
    contract = there.provider.ticket if chosen.flow == "ticket" else None
    anywhere = {OURS: f"http://127.0.0.1:{ANY_PORT}"}
    places = anywhere if client is None else _places(client, contract, run.trace)
    return Rehearsal(run, there.provider.name, places, contract)


def _server(name: str, client: ClientConfig, signer: Signer | None) -> DemoServer:
    separator = client.provider.scope_separator
    scopes = [scope for scope in client.scope.replace(" ", separator).split(separator) if scope != "openid"]
    server = _Player(
        ISSUER,
        entropy=Entropy(f"server of {name}"),
        signer=signer,
        clients=[DemoClient(client.client_id, client.client_secret, (CALLBACK,))] if client.client_id else [],
        scopes={scope: scope for scope in scopes},
    )
    server.pkce = client.provider.pkce
    return server


def _at_the_demonstration(client: ClientConfig) -> ClientConfig:
    """Point a client at the demonstration, which then plays its provider."""
    provider, known = client.provider, client.provider.metadata
    own = {name: ISSUER + path for name, path in PATHS.items() if getattr(known, name)}
    metadata = ServerMetadata(ISSUER if known.issuer else None).with_endpoints(own)
    contract = demo_contract(_vendor(provider.ticket), ISSUER) if provider.ticket is not None else None
    there = replace(provider, metadata=metadata, redirect=Redirect(), ticket=contract, allowed_issuer=None)
    return replace(client, provider=there)


def _places(client: ClientConfig, contract: TicketContract | None, trace: Trace) -> dict[str, str]:
    """Say which address of the demonstration stands for which of the provider."""
    redirect, known = client.provider.redirect, client.provider.metadata
    own = f"http://{redirect.host}:{redirect.ports[0] or ANY_PORT}"
    places = {CALLBACK: own + redirect.path, OURS: own}
    for name, path in PATHS.items():
        places[ISSUER + path] = getattr(known, name) or f"{{{name}}}"
    places[f"{ISSUER}/device"] = f"{{verification_uri{FROM_RESPONSE}"
    places[ISSUER] = known.issuer or f"{{{client.provider.name}}}"
    if contract is not None:
        places |= _ticket_places(contract, trace)
    return dict(sorted(places.items(), key=lambda pair: len(pair[0]), reverse=True))


def _ticket_places(contract: TicketContract, trace: Trace) -> dict[str, str]:
    vendor = _vendor(contract)
    places = {ISSUER + BASES[vendor]: contract.base}
    calls = (contract.create, contract.poll, contract.exchange, contract.account)
    for template in (contract.browser_url, *(call.url for call in calls if call is not None)):
        if template.startswith("{ui}"):
            path = template.removeprefix("{ui}").partition("?")[0]
            places[f"{ISSUER}/{vendor}{path}"] = contract.ui + path
    for step, value in GIVEN.items():
        exchange = first_exchange(trace, step)
        if exchange is not None and value in contract.extract:
            places[without_query(exchange.url)] = f"{{{contract.extract[value]}{FROM_RESPONSE}"
    return places


def _vendor(contract: TicketContract) -> str:
    return next(name for name, known in CONTRACTS.items() if known.source == contract.source)
