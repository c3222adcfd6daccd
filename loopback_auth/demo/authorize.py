"""The demo server's authorization endpoint, and the pushed request before it.

Decides what an authorization request gets back through the browser: a code, or with the implicit and hybrid
response types tokens as well, never a refresh token. The pages in between are those of `consent`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from loopback_auth.demo.authentication import Authentication
from loopback_auth.demo.consent import Interactions, Question, SignedIn
from loopback_auth.demo.grants import Grant, Ledger
from loopback_auth.demo.id_tokens import id_token
from loopback_auth.demo.proofs import Proofs
from loopback_auth.demo.request_objects import opened
from loopback_auth.demo.requests import Asked, ReturnAddress, check_request, return_address
from loopback_auth.demo.responses import response
from loopback_auth.demo.setup import ACR_VALUES, Setup
from loopback_auth.demo.single_use import SingleUse
from loopback_auth.demo.wire import (
    Parameters,
    Refused,
    form_parameters,
    json_reply,
    query_of,
    read_parameters,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse

PUSHED_LIFETIME = 60
REQUEST_URI = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed authorization request, already checked once (RFC 9126 §2.1).

    Args:
        client_id: of the client that pushed it, and the only one that may use it.
        parameters: of the authorization request.
    """

    client_id: str
    parameters: Parameters = field(repr=False)


class AuthorizationEndpoints:
    """The authorization and the pushed authorization request endpoint.

    The `Refused` that its methods raise are for the person, or for the client that pushed.
    """

    def __init__(
        self,
        setup: Setup,
        ledger: Ledger,
        proofs: Proofs,
        authentication: Authentication,
        interactions: Interactions,
    ) -> None:
        self._setup = setup
        self._ledger = ledger
        self._proofs = proofs
        self._authentication = authentication
        self._interactions = interactions
        self._pushed: SingleUse[Pushed] = SingleUse(PUSHED_LIFETIME)

    def authorize(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer an authorization request with the sign-in page, or send the refusal to the client.

        Source: RFC 6749 §3.1, §4.1.1; RFC 9126 §4.
        """
        in_body = request.method == "POST"
        sent = form_parameters(request) if in_body else read_parameters(query_of(request.url))
        parameters = self._resolve(sent, now)
        back = return_address(parameters, self._setup)
        try:
            if self._setup.require_pushed_authorization_requests and not sent.get("request_uri"):
                raise Refused("invalid_request", "The request must be pushed first.")
            asked = check_request(parameters, back, self._setup)
            # There are no sessions, so no user is signed in already
            if "none" in asked.prompt:
                raise Refused("login_required", "You are not signed in.")
        except Refused as refused:
            return self._refuse(back, refused.error, refused.description, now)
        question = Question(
            client_id=back.client.client_id,
            scope=asked.scope,
            approved=partial(self._approved, asked),
            denied=partial(self._refuse, back, "access_denied", "The request was denied."),
            redirect_uri=back.redirect_uri,
            login_hint=asked.login_hint,
            resource=asked.resource,
            again=asked.again,
        )
        return self._interactions.ask(question, now)

    def push(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a pushed authorization request.

        Source: RFC 9126 §2, §3; RFC 9449 §10.1.
        """
        sent = form_parameters(request).once()
        client = self._authentication.client(request, sent, now)
        # RFC 9126 §2.1: the request_uri parameter MUST NOT be provided
        if sent.get("request_uri"):
            raise Refused("invalid_request", "A pushed request cannot refer to another one.")
        named = replace(sent, values={**sent.values, "client_id": client.client_id})
        parameters = opened(named, self._setup, now)
        bound = self._proofs.thumbprint(request, "server", now)
        # RFC 9449 §10.1: if both are there, they MUST say the same
        if bound and parameters.get("dpop_jkt") not in ("", bound):
            raise Refused("invalid_dpop_proof", "The dpop_jkt is not the thumbprint of the key of the proof.")
        if bound:
            parameters = replace(parameters, values={**parameters.values, "dpop_jkt": bound})
        check_request(parameters, return_address(parameters, self._setup), self._setup)
        request_uri = REQUEST_URI + self._ledger.unguessable()
        self._pushed.put(request_uri, Pushed(client.client_id, parameters), now)
        return json_reply({"request_uri": request_uri, "expires_in": PUSHED_LIFETIME}, 201)

    def _resolve(self, sent: Parameters, now: float) -> Parameters:
        """Return the pushed parameters when the request refers to some, otherwise those that were sent."""
        request_uri = sent.get("request_uri")
        if not request_uri or sent.get("request"):
            return opened(sent, self._setup, now)
        if sent.repeated & {"client_id", "request_uri"}:
            raise Refused("invalid_request", "The client_id or the request_uri is sent more than once.")
        pushed = self._pushed.take(request_uri, now)
        if pushed is None or pushed.client_id != sent.get("client_id"):
            raise Refused(
                "invalid_request", "The request_uri is unknown, used, expired or of another client."
            )
        return pushed.parameters

    def _approved(self, asked: Asked, signed_in: SignedIn, now: float) -> HttpResponse:
        """Issue what the response type names.

        Source: RFC 6749 §4.1.2, §4.2.2; OpenID Connect Core §3.2.2.5, §3.3.2.5.
        """
        grant, back, types = self._grant(asked, signed_in), asked.back, asked.response_type
        code = self._ledger.issue_code(grant, now) if "code" in types else ""
        members = [("code", code)] if code else []
        access_token = ""
        if "token" in types:
            lifetime = self._setup.expires_in
            access_token = self._ledger.issue_access_token(grant, grant.scope, now + lifetime)
            members += [("access_token", access_token), ("token_type", "Bearer")]
            members += [("expires_in", str(lifetime)), ("scope", " ".join(grant.scope))]
        if "id_token" in types:
            signed = id_token(
                self._setup,
                grant,
                now,
                nonce=asked.nonce,
                access_token=access_token,
                code=code,
                state=back.state,
            )
            members.append(("id_token", signed))
        if access_token and self._setup.faults.refresh_token_in_fragment:
            members.append(("refresh_token", self._ledger.issue_refresh_token(grant, now)))
        return response(self._setup, back, members, now)

    def _grant(self, asked: Asked, signed_in: SignedIn) -> Grant:
        return Grant(
            id=self._ledger.unguessable(),
            client_id=asked.back.client.client_id,
            redirect_uri=asked.back.redirect_uri,
            account=signed_in.account,
            scope=self._setup.granted(asked.scope),
            resource=asked.resource,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            auth_time=signed_in.auth_time,
            dpop_jkt=asked.dpop_jkt,
            acr=ACR_VALUES[0] if self._setup.faults.ignore_acr else asked.acr,
        )

    def _refuse(self, back: ReturnAddress, error: str, description: str, now: float) -> HttpResponse:
        return response(self._setup, back, [("error", error), ("error_description", description)], now)
