"""What an attacker has from the start: the client, the server, and their own requests.

Anyone can have that: another program with the same public client ID, an account, a web page. The attacker's
requests are made with the same functions as the program's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.compare.attacks.impostor import Impostor
from loopback_auth.compare.model import RESOURCE
from loopback_auth.compare.running.choices import MCP, Choice, choice, demo_client
from loopback_auth.demo.accounts import ACCOUNTS
from loopback_auth.demo.agent import Navigation
from loopback_auth.demo.clients import DEMO_CLIENT
from loopback_auth.demo.resources import MCP_SCOPES
from loopback_auth.demo.setup import DEVICE_CODE, PATHS, RESPONSE_MODES
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.errors import EndpointMissing
from loopback_auth.http_messages import HttpRequest, form_request
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.authorization import authorization_request
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.protocol.ticket import call_request
from loopback_auth.protocol.token_demand import initialize_request

ATTACKER_ACCOUNT = ACCOUNTS[1].email
ATTACKER_NAMES = (ATTACKER_ACCOUNT, ACCOUNTS[1].sub)
"""How a login may name that account: a resource that asks for no address gets the subject."""
ATTACKER_PAGE = "https://attacker.example"
ATTACKER_STATE = "a-state-that-the-attacker-chose"
ATTACKER_VERIFIER = "a-code-verifier-that-the-attacker-has-invented"


Choose = Callable[[str, ClientConfig], Choice]


@dataclass(frozen=True, slots=True)
class AttackContext:
    """One flow under attack, and what the attacker has from the start.

    Args:
        flow: name of the run.
        client: the program's, which anyone can pretend to be: it is public.
        issuer: of the server where the accounts are.
        impostor: the attacker's server, where the program is configured with it.
    """

    flow: str
    client: ClientConfig
    issuer: str
    impostor: Impostor | None = None

    @property
    def metadata(self) -> ServerMetadata:
        """What everyone can find out about the server."""
        endpoints = {name: self.issuer + path for name, path in PATHS.items()}
        return ServerMetadata(
            issuer=self.issuer,
            authorization_endpoint=endpoints["authorization_endpoint"],
            token_endpoint=endpoints["token_endpoint"],
            device_authorization_endpoint=endpoints["device_authorization_endpoint"],
            response_modes_supported=RESPONSE_MODES,
        )

    @property
    def ticket(self) -> TicketContract:
        """The contract of the server's tickets."""
        if self.client.provider.ticket is None:
            raise EndpointMissing("This provider has no tickets.")
        return self.client.provider.ticket

    @property
    def ticket_values(self) -> Mapping[str, str]:
        """The values with which an attacker creates a ticket."""
        contract = self.ticket
        return {
            "base": contract.base,
            "ui": contract.ui,
            "client_id": self.client.client_id,
            "message": "",
            "code_challenge": code_challenge(ATTACKER_VERIFIER),
        }

    def request(self, redirect_uri: str, *, state: str = ATTACKER_STATE) -> AuthorizationRequest:
        """Make the attacker's authorization request, as the program would make it."""
        attempt = Attempt(state, ATTACKER_VERIFIER, "a-nonce-that-the-attacker-chose")
        return authorization_request(self.client, self.metadata, attempt, redirect_uri=redirect_uri)

    def code_request(self, code: str, redirect_uri: str, verifier: str) -> HttpRequest:
        """Exchange a code; an empty verifier is left out."""
        parameters = [
            ("grant_type", "authorization_code"),
            ("client_id", self.client.client_id),
            ("code", code),
            ("redirect_uri", redirect_uri),
        ]
        return self.token_request([*parameters, *([("code_verifier", verifier)] if verifier else [])])

    def device_request(self, device_code: str) -> HttpRequest:
        """Ask for the tokens of a device code."""
        parameters = [("grant_type", DEVICE_CODE), ("client_id", self.client.client_id)]
        return self.token_request([*parameters, ("device_code", device_code)])

    def token_request(self, parameters: list[tuple[str, str]]) -> HttpRequest:
        """Send a form to the token endpoint."""
        return form_request(self.issuer + PATHS["token_endpoint"], parameters)

    def exchange_request(self, ticket: str, verifier: str) -> HttpRequest:
        """Exchange a ticket; an empty verifier is left out."""
        contract = self.ticket
        if contract.exchange is None:
            raise EndpointMissing("These tickets are not exchanged.")
        values = {"base": contract.base, "ui": contract.ui, "id": ticket, "code_verifier": verifier}
        return call_request(contract.exchange, values)

    def resource_request(self, token: str) -> HttpRequest:
        """Use an access token where the program uses it: for the account, or at the resource."""
        bearer = ("Authorization", f"Bearer {token}")
        if self.flow == RESOURCE:
            request = initialize_request(self.issuer + MCP)
            return replace(request, headers=(*request.headers, bearer))
        if self.flow == "ticket" and self.ticket.account is not None:
            request = call_request(self.ticket.account, {"base": self.ticket.base, "ui": self.ticket.ui})
            return replace(request, headers=(*request.headers, bearer))
        return HttpRequest("GET", self.issuer + PATHS["userinfo_endpoint"], (bearer,))


def new_context(
    flow: str,
    issuer: str,
    *,
    bound: bool = False,
    impostor: Impostor | None = None,
    choose: Choose = choice,
    openid: bool = False,
) -> tuple[Choice, AttackContext]:
    """Return the user's login, and the context of the attack.

    Args:
        flow: name of the run.
        issuer: of the server where the accounts are.
        bound: tickets are made with a code challenge.
        impostor: the attacker's server, if the program is configured with it.
        choose: makes the user's login from the name of the run and the client of a comparison.
        openid: an ID token is asked for, too.
    """
    believed = impostor.issuer if impostor is not None else issuer
    theirs = choose(flow, _client(issuer, bound=bound, openid=openid)).client
    if flow == "token":
        theirs = replace(theirs, response_type="token")
    one = choose(flow, _client(believed, bound=bound, openid=openid))
    if flow == RESOURCE:
        # Anyone who sees the link knows the client ID, however the program got it, and the resource.
        theirs, one = _with_id(theirs), replace(one, client=_with_id(one.client))
        theirs = replace(theirs, scope=MCP_SCOPES[0], resource=(issuer + MCP,))
    return one, AttackContext(flow, theirs, issuer, impostor)


def _with_id(client: ClientConfig) -> ClientConfig:
    return replace(client, client_id=DEMO_CLIENT.client_id, client_metadata=None)


def _client(issuer: str, *, bound: bool, openid: bool) -> ClientConfig:
    client = demo_client(issuer, openid=openid)
    if not bound:
        return client
    ticket = demo_contract("netlify", issuer, binding=True)
    return replace(client, provider=replace(client.provider, ticket=ticket))


def from_page(url: str, form: str = "") -> HttpRequest:
    """Make the browser's request when the attacker's page navigates it, with a form or without."""
    if not form:
        return Navigation("GET", url, initiator=ATTACKER_PAGE, site="cross-site").request()
    body = form.encode("ascii")
    return Navigation(
        "POST", url, body, initiator=ATTACKER_PAGE, site="cross-site", origin=ATTACKER_PAGE
    ).request()


def from_script(url: str) -> HttpRequest:
    """Make a request as a script of the attacker's page does in the background."""
    host = url.partition("://")[2].partition("/")[0]
    headers = {"Host": host, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    return HttpRequest("GET", url, (*headers.items(), ("Sec-Fetch-Dest", "image")))
