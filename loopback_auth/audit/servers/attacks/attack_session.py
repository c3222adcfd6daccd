"""What the attacks have in hand: a client, a second one, a user with a browser, and requests to vary.

The user signs in once, and stays signed in: the cookies of the browser are kept from one attack to the next.
Every code and token is of this user, at the developer's own server.

Source: RFC 6749 §4.1.1-4.1.4, §6; RFC 7636 §4; RFC 9126 §2, §4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loopback_auth.audit.servers.attacks.browser import Browser, Visit
from loopback_auth.audit.servers.attacks.person import Person
from loopback_auth.audit.servers.page_questions import own_origins
from loopback_auth.audit.servers.redirect_uri_variants import ELSEWHERE_HOST
from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.doctor.redirect_probe import probe_redirect_uri
from loopback_auth.doctor.server_offers import listed
from loopback_auth.effects import Flow
from loopback_auth.errors import OAuthError, TransportError
from loopback_auth.flows.sending import authenticated, send, signed_request
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.authorization import authorization_request, with_parameters
from loopback_auth.protocol.client_auth import token_endpoint_request
from loopback_auth.protocol.json import object_or_none, text_member
from loopback_auth.protocol.pushed import pushed_authorization_request, pushed_authorization_response
from loopback_auth.protocol.urls import is_loopback_url, origin
from loopback_auth.records import replace
from loopback_auth.redact import server_text
from loopback_auth.registration import Registration
from loopback_auth.tokens import SignIn

Changes = Mapping[str, str | None]
"""Parameters with other values; None takes one out."""
UNCHANGED: Changes = {}


@dataclass(frozen=True, slots=True)
class Granted:
    """An authorization request that the user has approved, or was not asked about.

    Args:
        request: with what the next requests compare.
        visit: of the browser.
    """

    request: AuthorizationRequest
    visit: Visit

    @property
    def code(self) -> str:
        """The authorization code; empty where none came."""
        return self.visit.value("code")

    @property
    def told(self) -> str:
        """What came of it, as the end of a sentence."""
        error = server_text(self.visit.value("error"), 80)
        return f"the server answered {error}" if error else self.visit.told.removesuffix(".")


@dataclass(slots=True)
class AttackSession:
    """What every attack can use: a client, a second one, a user with a browser, and requests to vary.

    Args:
        client: under attack.
        metadata: of its server.
        attempts: fresh randomness.
        person: who signs in.
        other: another client of that server; None where there is none.
        verify_signature: signatures of ID tokens can be checked.
        sign_in: what the first sign-in brought; None before.
        answer: the response to the token request of that sign-in.
        first: the visit of that sign-in.
        latest: the last visit of a whole sign-in.
        bound_attempts: randomness with a key to which tokens are bound; None: no keys can be made.
        registration: of the second client, if it has registered itself.
        browser: of the user.
    """

    client: ClientConfig
    metadata: ServerMetadata
    attempts: Iterator[Attempt]
    person: Person
    other: ClientConfig | None = None
    verify_signature: bool = False
    sign_in: SignIn | None = field(default=None, repr=False)
    answer: HttpResponse | None = field(default=None, repr=False)
    first: Visit | None = field(default=None, repr=False)
    latest: Visit | None = field(default=None, repr=False)
    bound_attempts: Iterator[Attempt] | None = None
    registration: Registration | None = field(default=None, repr=False)
    browser: Browser = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.browser = Browser(self.person)

    @property
    def redirect_uri(self) -> str:
        """The redirect URI of the client; nothing listens there, and it is never requested."""
        return probe_redirect_uri(self.client.provider.redirect)

    @property
    def public(self) -> bool:
        """Whether the client has nothing with which it could authenticate."""
        return self.client.client_secret is None and self.client.private_key is None

    @property
    def approved_scope(self) -> list[str]:
        """What the user has approved at the first sign-in, as far as it is known."""
        granted = self.sign_in.tokens.scope if self.sign_in is not None else ""
        return list(dict.fromkeys((*self.client.scope.split(), *granted.split())))

    def more_scope(self) -> str:
        """Return a scope that the user has not approved; empty where the server lists none."""
        known = listed(self.metadata.document, "scopes_supported")
        return next((one for one in known if one not in self.approved_scope), "")

    def stops(self, address: str) -> bool:
        """Return whether an address is a redirect URI, or would be one if the server took it.

        Where the server answers at the registered URI, that may have another port, or none.
        """
        parts = urlsplit(address)
        if address.startswith(origin(self.redirect_uri)) or parts.hostname == ELSEWHERE_HOST:
            return True
        registered = parts.path == self.client.provider.redirect.path and is_loopback_url(address)
        return registered and origin(address) not in own_origins(self.metadata)

    def request(self, changes: Changes = UNCHANGED) -> AuthorizationRequest:
        """Build an authorization request, with other parameters than usual.

        Raises:
            LoopbackAuthError: it cannot be built.
        """
        plain = replace(self.client, response_mode="query", prompt=None)
        uri = changes.get("redirect_uri") or self.redirect_uri
        made = authorization_request(plain, self.metadata, next(self.attempts), redirect_uri=uri)
        # A parameter may come twice, as `resource` does; those that are not changed stay as they are.
        kept = [(name, value) for name, value in made.parameters if name not in changes]
        changed = [(name, value) for name, value in changes.items() if value]
        return self._at_endpoint(replace(made, parameters=(*kept, *changed)))

    def _at_endpoint(self, request: AuthorizationRequest) -> AuthorizationRequest:
        endpoint = self.metadata.authorization_endpoint or ""
        return replace(request, url=with_parameters(endpoint, list(request.parameters)))

    def authorize(self, request: AuthorizationRequest) -> Flow[Granted]:
        """Have the user approve a request, pushed first where the server demands that.

        Raises:
            LoopbackAuthError: the server did not answer.

        Source: RFC 6749 §4.1.1; RFC 9126 §4; RFC 9101 §5.
        """
        shown = yield from signed_request(self.client, self.metadata, request)
        if self.metadata.require_pushed_authorization_requests:
            try:
                shown = yield from self.push(shown)
            except OAuthError as exc:
                return Granted(request, Visit(told=f"{server_text(exc.message, 200).rstrip('.')}."))
        visit = yield from self.browser.visit(shown.url, self.stops)
        return Granted(request, visit)

    def push(self, request: AuthorizationRequest) -> Flow[AuthorizationRequest]:
        """Push a request.

        Raises:
            LoopbackAuthError: it was refused.

        Source: RFC 9126 §2.
        """
        built = pushed_authorization_request(self.client, request)
        sent = authenticated(self.client, self.metadata, built)
        answer = yield from send(sent, "pushed authorization request")
        return pushed_authorization_response(self.client, request, answer)

    def exchange(
        self,
        granted: Granted,
        *,
        client: ClientConfig | None = None,
        verifier: str | None = "",
        redirect_uri: str = "",
    ) -> Flow[HttpResponse]:
        """Send a token request with a code.

        Args:
            granted: whose code it is.
            client: that sends it; None: the one that has asked.
            verifier: another one; None: without any; empty: the right one.
            redirect_uri: another one; empty: the right one.

        Raises:
            TransportError: the server did not answer.

        Source: RFC 6749 §4.1.3; RFC 7636 §4.5.
        """
        parameters = [
            ("grant_type", "authorization_code"),
            ("code", granted.code),
            ("redirect_uri", redirect_uri or granted.request.redirect_uri),
        ]
        proof = granted.request.code_verifier if verifier == "" else verifier
        if proof:
            parameters.append(("code_verifier", proof))
        return (yield from self.token_request(parameters, client))

    def refresh(
        self, refresh_token: str, *, client: ClientConfig | None = None, scope: str = ""
    ) -> Flow[HttpResponse]:
        """Send a refresh request.

        Source: RFC 6749 §6.
        """
        parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)]
        parameters += [("scope", scope)] if scope else []
        return (yield from self.token_request(parameters, client, step="refresh request"))

    def token_request(
        self,
        parameters: list[tuple[str, str]],
        client: ClientConfig | None = None,
        *,
        step: str = "token request",
    ) -> Flow[HttpResponse]:
        """Send a request to the token endpoint.

        Source: RFC 6749 §3.2.
        """
        who = client or self.client
        built = token_endpoint_request(parameters, who, self.metadata)
        return (yield from send(authenticated(who, self.metadata, built), step))

    def userinfo(self, access_token: str, *, in_url: bool = False) -> Flow[HttpResponse | None]:
        """Use an access token at the UserInfo endpoint; None where there is none.

        Source: OpenID Connect Core 1.0 §5.3.1; RFC 6750 §2.1, §2.3.
        """
        url = self.metadata.userinfo_endpoint
        if url is None:
            return None
        headers = [("Accept", "application/json")]
        if in_url:
            url = with_parameters(url, [("access_token", access_token)])
        else:
            headers.append(("Authorization", f"Bearer {access_token}"))
        return (yield from send(HttpRequest("GET", url, tuple(headers)), "UserInfo request"))


def members(response: HttpResponse) -> Mapping[str, object]:
    """Return the members of a JSON answer; empty where it is something else.

    Source: RFC 6749 §5.1.
    """
    return object_or_none(response.body) or {}


def token_of(response: HttpResponse, name: str = "access_token") -> str:
    """Return a token of a token response; empty where it has none.

    Source: RFC 6749 §5.1.
    """
    return text_member(members(response), name) if 200 <= response.status < 300 else ""


def told(response: HttpResponse) -> str:
    """Return what a response says, without anything secret, as the end of a sentence.

    Source: RFC 6749 §5.2.
    """
    error = server_text(text_member(members(response), "error"), 80)
    return f"HTTP status {response.status}" + (f", {error}" if error else "")


def undecided(response: HttpResponse) -> bool:
    """Return whether a response is a failure of the server or a wait, and no decision.

    Source: RFC 9110 §15.6; RFC 6585 §4; RFC 8628 §3.5.
    """
    pending = text_member(members(response), "error") in ("slow_down", "authorization_pending")
    return pending or response.status >= 500 or response.status in (404, 408, 429)


class InapplicableError(TransportError):
    """An attack has no meaning at this server, or for this client; the message says why."""


def applies(condition: object, why: str) -> None:
    """Stop an attack that has no meaning here.

    Raises:
        InapplicableError: always, unless the condition holds.
    """
    if not condition:
        raise InapplicableError(why)


def need(condition: object, why: str) -> None:
    """Stop an attack that cannot be tried.

    Raises:
        TransportError: always, unless the condition holds; its message is the reason.
    """
    if not condition:
        raise TransportError(why)
