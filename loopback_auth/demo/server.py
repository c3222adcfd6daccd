"""An authorization server as plain code, for tests and demonstrations: requests go in, responses come out.

    server = DemoServer("https://as.example", entropy=secrets.token_bytes)
    response = server.handle(HttpRequest("GET", "/.well-known/oauth-authorization-server"), now=time.time())

It opens no socket, reads no clock and makes no random numbers: the time comes with every request, entropy and
signatures through the constructor. It is strict, so that a client which can sign in here has kept the rules;
`Faults` makes it break chosen rules. The router below knows paths, methods and limits; `authorize` decides
about requests of the browser, `tokens` about requests of the client, `device` and `tickets` about the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from loopback_auth import words
from loopback_auth.demo import pages as demo_pages
from loopback_auth.demo.access import Access
from loopback_auth.demo.accounts import ACCOUNTS, SCOPES, Account
from loopback_auth.demo.approvals import Approvals
from loopback_auth.demo.authentication import Authentication
from loopback_auth.demo.authorize import AuthorizationEndpoints
from loopback_auth.demo.client_documents import ClientDocuments, Fetch
from loopback_auth.demo.clients import DEMO_CLIENT, DemoClient
from loopback_auth.demo.consent import Interactions
from loopback_auth.demo.device import DeviceEndpoints
from loopback_auth.demo.faults import Faults, PollTroubles, spoiled
from loopback_auth.demo.features import Features, available
from loopback_auth.demo.grants import Ledger
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.proofs import Place, Proofs
from loopback_auth.demo.registration import RegistrationEndpoints
from loopback_auth.demo.resources import PROTECTED, ProtectedResources
from loopback_auth.demo.setup import PATHS, REGISTRATION, Setup, metadata
from loopback_auth.demo.tickets import APPROVAL_PAGES, route_of, ticket_routes
from loopback_auth.demo.tokens import TokenEndpoints
from loopback_auth.demo.wire import Refused, challenged, error_reply, json_reply, text_reply, turned_away
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpRequest, HttpResponse

Endpoint = Callable[[HttpRequest, float], HttpResponse]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
BROWSER_PATHS = APPROVAL_PAGES | {"/authorize", "/sign-in", "/consent", "/device"}


PROVEN: Mapping[str, Place] = {
    "/token": "server",
    "/par": "server",
    "/userinfo": "resource",
    "/resource": "resource",
    "/resource/sensitive": "resource",
    "/mcp": "resource",
}
"""Where DPoP proofs are read, and who wants its nonces in them."""


class DemoServer:
    """An authorization server with its clients, accounts, codes and tokens.

    Args:
        issuer: an http or https origin without a path, for example `http://127.0.0.1:54321`.
        entropy: returns that many unguessable bytes, such as `secrets.token_bytes`.
        signer: signs ID tokens; None makes this a plain OAuth 2.0 server without the scope `openid`.
        clients: known besides `loopback-auth-demo`; one with the same ID replaces it.
        accounts: who can sign in.
        scopes: additional scopes: the sentence for the consent page by name.
        faults: the rules to break; None: none.
        expires_in: lifetime of access and ID tokens in seconds.
        require_pushed_authorization_requests: refuse requests that were not pushed (RFC 9126 §5).
        device_interval: seconds that have to pass between two polls with a device code (RFC 8628 §3.2).
        features: what else it offers; None: the default of `Features`.
        fetch: gets the document of a client whose ID is its address; None: client IDs are not addresses.

    Raises:
        ConfigError: the issuer is not an origin, or a redirect URI is not http or https.
    """

    def __init__(
        self,
        issuer: str,
        *,
        entropy: Callable[[int], bytes],
        signer: Signer | None = None,
        clients: Sequence[DemoClient] = (),
        accounts: Sequence[Account] = ACCOUNTS,
        scopes: Mapping[str, str] | None = None,
        faults: Faults | None = None,
        expires_in: int = 3600,
        require_pushed_authorization_requests: bool = False,
        device_interval: int = 5,
        features: Features | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        scheme, _, authority = issuer.partition("://")
        if scheme not in ("http", "https") or not authority or set(authority) & set("/?#@ "):
            raise ConfigError("The issuer of a demo server must be an origin, such as http://127.0.0.1:8000")
        for client in clients:
            for uri in client.redirect_uris:
                demo_pages.form_post(action=uri, parameters=())  # refuses what no page could answer to
        offered = available(features or Features(), signs=signer is not None)
        known = {**SCOPES, **(scopes or {})}
        if signer is None:
            known.pop("openid")
        self.issuer = issuer
        self.log: Counter[tuple[str, str]] = Counter()
        """How often each (method, path) was asked for; unknown paths and methods count as `*`, and the id of
        a ticket or a registered client as `{id}`."""
        self._authority = authority
        self._published: HttpResponse | None = None
        self._ledger = Ledger(entropy)
        self._setup = Setup(
            issuer=issuer,
            signer=signer,
            clients={client.client_id: client for client in (DEMO_CLIENT, *clients)},
            accounts=tuple(accounts),
            scopes=known,
            faults=faults or Faults(),
            expires_in=expires_in,
            require_pushed_authorization_requests=require_pushed_authorization_requests,
            device_interval=device_interval,
            features=offered,
            client_documents=fetch is not None,
        )
        self._documents = None if fetch is None else ClientDocuments(self._setup, fetch)
        interactions = Interactions(self._setup, self._ledger)
        self._interactions = interactions
        self._approvals = Approvals(self._setup, self._ledger, interactions)
        self._authentication = Authentication(self._setup)
        self._device = DeviceEndpoints(self._setup, self._approvals, interactions, self._authentication)
        self._proofs = Proofs(self._setup, self._ledger)
        access = Access(self._setup, self._ledger, self._proofs)
        self._tokens = TokenEndpoints(
            self._setup, self._ledger, access, self._proofs, self._authentication, self._device
        )
        self._resources = ProtectedResources(self._setup, access)
        self._registrations = RegistrationEndpoints(self._setup, self._ledger)
        self._routes = self._table()

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer any request; never raises.

        Args:
            request: as it came in; `url` is the request target, or an absolute URL below the issuer.
            now: Unix seconds.
        """
        if ahead := self._setup.faults.clock_ahead:
            from email.utils import formatdate  # Start-up: only this fault needs it.

            answer = self._answer(request, now + ahead)
            dated = (*answer.headers, ("Date", formatdate(now + ahead, usegmt=True)))
            return HttpResponse(answer.status, dated, answer.body)
        return self._answer(request, now)

    def _answer(self, request: HttpRequest, now: float) -> HttpResponse:
        target = request.url.removeprefix(self.issuer) or "/"
        path = target.partition("?")[0]
        route = path if path in self._routes else _route_of(path)
        endpoints = self._routes.get(route, {})
        self._count(request.method, route if endpoints else "*")
        refusal = turned_away(request, target, self._authority)
        if refusal is not None:
            return refusal
        if not endpoints:
            return text_reply(404, "There is nothing here.")
        endpoint = endpoints.get(request.method)
        if endpoint is None:
            # RFC 9110 §15.5.6: the response MUST have an Allow header
            return text_reply(405, "This path does not allow this method.", ("Allow", ", ".join(endpoints)))
        try:
            client_id = self.wants(request, now)
            if client_id and self._documents is not None:
                self._documents.learn(client_id, now)
            response = endpoint(request, now)
        except Refused as refused:
            response = _error_page(refused) if path in BROWSER_PATHS else error_reply(refused)
        if (challenge := self._setup.faults.challenge) and path in PROTECTED:
            response = challenged(response, challenge)
        place = PROVEN.get(path)
        return response if place is None else self._proofs.stamped(response, place, now)

    def wants(self, request: HttpRequest, now: float) -> str:
        """Return the client ID whose document is fetched before a request is answered; empty: none is."""
        path = request.url.removeprefix(self.issuer).partition("?")[0]
        return "" if self._documents is None else self._documents.wanted(request, path, now)

    def metadata(self) -> dict[str, object]:
        """Return what the server publishes about itself (RFC 8414 §2), faults included."""
        return metadata(self._setup)

    @property
    def faults(self) -> Faults:
        """The rules that the server breaks; another value counts for every request after it."""
        return self._setup.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._setup.faults = faults
        self._approvals.troubles = PollTroubles(faults)
        self._published = None

    @property
    def expires_in(self) -> int:
        """Lifetime of new access tokens in seconds."""
        return self._setup.expires_in

    @expires_in.setter
    def expires_in(self, seconds: int) -> None:
        self._setup.expires_in = seconds

    def expire_access_tokens(self) -> None:
        """Let every access token that was issued so far expire, though its client was told otherwise."""
        self._ledger.expire_access_tokens()

    def revoke_all(self) -> None:
        """Revoke every grant with all its tokens, as a person can at the server."""
        self._ledger.revoke_all()

    @property
    def registered(self) -> tuple[DemoClient, ...]:
        """The clients that registered themselves and were not forgotten, in order."""
        return self._registrations.clients()

    def forget_registrations(self) -> None:
        """Forget every client that registered itself, as a server does that lost them; tokens stay valid."""
        self._registrations.forget()

    def rotate_nonces(self) -> None:
        """Let every DPoP nonce that was given out so far be refused, so that clients must learn another."""
        self._proofs.rotate_nonces()

    def active(self, token: str, now: float) -> bool:
        """Return whether an access or refresh token would be accepted now."""
        return self._ledger.active(token, now)

    def owner(self, token: str) -> str:
        """Return the email address of the account whose access token this is; empty: it is no such token."""
        issued = self._ledger.access_tokens.get(token)
        return issued.grant.account.email if issued is not None else ""

    def _table(self) -> Mapping[str, Mapping[str, Endpoint]]:
        interactions, device, tokens = self._interactions, self._device, self._tokens
        browser = AuthorizationEndpoints(
            self._setup, self._ledger, self._proofs, self._authentication, interactions
        )
        routes: dict[str, Mapping[str, Endpoint]] = {
            OAUTH: {"GET": self._metadata},
            "/authorize": {"GET": browser.authorize, "POST": browser.authorize},
            "/sign-in": {"POST": interactions.sign_in},
            "/consent": {"POST": interactions.consent},
            "/par": {"POST": browser.push},
            "/token": {"POST": self._token},
            "/revoke": {"POST": tokens.revoke},
            "/userinfo": {"GET": tokens.userinfo, "POST": tokens.userinfo},
            "/device_authorization": {"POST": device.device_authorization},
            "/device": {"GET": device.page, "POST": device.entered},
            **self._resources.routes(),
            **ticket_routes(self._setup, self._ledger, self._approvals, interactions),
        }
        if self._setup.features.registration:
            registrations, path = self._registrations, REGISTRATION
            routes[path] = {"POST": registrations.register}
            managed = {"GET": registrations.read, "PUT": registrations.update, "DELETE": registrations.delete}
            routes[f"{path}/{{id}}"] = managed
        if self._setup.signer is not None:
            keys = self._setup.signer.jwks()
            routes[OPENID] = {"GET": self._metadata}
            routes[PATHS["jwks_uri"]] = {"GET": lambda _request, _now: json_reply(keys)}
        return routes

    def _metadata(self, request: HttpRequest, _now: float) -> HttpResponse:
        if self._setup.faults.metadata_loop:
            there = OPENID if OAUTH in request.url else OAUTH
            return text_reply(302, "Ask there.", ("Location", self.issuer + there))
        if self._setup.faults.without_metadata:
            return text_reply(404, "There is nothing here.")
        if self._published is None:
            self._published = json_reply(self.metadata())
        return self._published

    def _token(self, request: HttpRequest, now: float) -> HttpResponse:
        faults = self._setup.faults
        if faults.redirect_token_endpoint:
            return text_reply(307, "Ask there.", ("Location", faults.redirect_token_endpoint))
        try:
            return spoiled(self._tokens.token(request, now), faults)
        except Refused as refused:
            return spoiled(error_reply(refused), faults)

    def _count(self, method: str, path: str) -> None:
        self.log[method if method in METHODS else "*", path] += 1


def _route_of(path: str) -> str:
    """Name the route of a path that holds an ID; every other path is its own."""
    head, slash, rest = path.partition(f"{REGISTRATION}/")
    is_registration = slash and rest and not head and "/" not in rest
    return f"{slash}{{id}}" if is_registration else route_of(path)


def _error_page(refused: Refused) -> HttpResponse:
    return demo_pages.refused(
        title=words.DEMO_REFUSED,
        message=refused.description,
        hint=words.DEMO_REFUSED_ADVICE,
        status=refused.status,
    )
