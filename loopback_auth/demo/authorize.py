"""The demo server in the browser: authorization endpoint, sign-in, consent; and the pushed request before it.

The request under way is kept here and found again by an unguessable id in a hidden field: it changes with
every page, works once and expires. No cookie is set, so the id is all that ties the pages together; a real
server would bind it to a session cookie as well, for here whoever knows the id may go on in another browser.
Against forged posts (RFC 6749 §10.12) the browser's own word is taken: `Sec-Fetch-Site`, or `Origin` where
that is missing. `Origin: null` passes, because a page without referrer posts so even to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from loopback_auth import pages
from loopback_auth.demo.accounts import Account
from loopback_auth.demo.clients import authenticate
from loopback_auth.demo.grants import Grant, Ledger
from loopback_auth.demo.requests import Asked, ReturnAddress, check_request, return_address
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.single_use import SingleUse
from loopback_auth.demo.wire import (
    Parameters,
    Refused,
    form_parameters,
    json_reply,
    query_of,
    read_parameters,
    with_query,
)
from loopback_auth.model import HttpRequest, HttpResponse

PAGE_LIFETIME = 600.0
PUSHED_LIFETIME = 60
REQUEST_URI = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A request whose account is known and whose consent is not."""

    asked: Asked
    account: Account
    auth_time: float


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed authorization request, already judged once."""

    client_id: str
    parameters: Parameters = field(repr=False)


class AuthorizationEndpoints:
    """What leads to a code. A `Refused` that leaves here is for the person, or for the client that pushed."""

    def __init__(self, setup: Setup, ledger: Ledger) -> None:
        self._setup = setup
        self._ledger = ledger
        self._to_sign_in: SingleUse[Asked] = SingleUse(PAGE_LIFETIME)
        self._to_consent: SingleUse[SignedIn] = SingleUse(PAGE_LIFETIME)
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
            if self._setup.require_pushed_authorization_requests and parameters is sent:
                raise Refused("invalid_request", "The request must be pushed first.")
            asked = check_request(parameters, back, self._setup)
            # There are no sessions, so nobody is ever signed in here already
            if "none" in asked.prompt:
                raise Refused("login_required", "Nobody is signed in.")
        except Refused as refused:
            return self._refuse(back, refused.error, refused.description)
        return self._sign_in_page(asked, now)

    def push(self, request: HttpRequest, now: float) -> HttpResponse:
        """Take an authorization request from the client itself.

        Source: RFC 9126 §2.
        """
        sent = form_parameters(request).once()
        client = authenticate(request, sent, self._setup.clients)
        # RFC 9126 §2.1: the request_uri parameter MUST NOT be provided
        if sent.get("request_uri"):
            raise Refused("invalid_request", "A pushed request cannot refer to another one.")
        parameters = replace(sent, values={**sent.values, "client_id": client.client_id})
        check_request(parameters, return_address(parameters, self._setup), self._setup)
        request_uri = REQUEST_URI + self._ledger.unguessable()
        self._pushed.put(request_uri, Pushed(client.client_id, parameters), now)
        return json_reply({"request_uri": request_uri, "expires_in": PUSHED_LIFETIME}, 201)

    def sign_in(self, request: HttpRequest, now: float) -> HttpResponse:
        """Take the choice of an account; answer with the consent page."""
        form = self._own_form(request)
        asked = self._to_sign_in.take(form.get("interaction"), now)
        if asked is None:
            raise _page_is_over()
        chosen = (account for account in self._setup.accounts if account.sub == form.get("account"))
        account = next(chosen, None)
        if account is None:
            raise Refused("invalid_request", "There is no such account.")
        key = self._ledger.unguessable()
        self._to_consent.put(key, SignedIn(asked, account, auth_time=now), now)
        return pages.demo_consent(
            action="/consent",
            hidden=[("interaction", key)],
            client_id=asked.back.client.client_id,
            redirect_uri=asked.back.redirect_uri,
            account=account.email,
            scopes=[(name, self._setup.scopes[name]) for name in asked.scope],
        )

    def consent(self, request: HttpRequest, now: float) -> HttpResponse:
        """Take the decision; answer the client through the browser.

        Source: RFC 6749 §4.1.2, §4.1.2.1.
        """
        form = self._own_form(request)
        signed_in = self._to_consent.take(form.get("interaction"), now)
        if signed_in is None:
            raise _page_is_over()
        back = signed_in.asked.back
        if self._setup.faults.deny_all or form.get("decision") == "deny":
            return self._refuse(back, "access_denied", "The request was denied.")
        if form.get("decision") != "approve":
            raise Refused("invalid_request", "The request was neither approved nor denied.")
        return self._answer(back, [("code", self._ledger.issue_code(self._grant(signed_in), now))])

    def _resolve(self, sent: Parameters, now: float) -> Parameters:
        """Return the pushed parameters when the request refers to some, otherwise those that were sent."""
        request_uri = sent.get("request_uri")
        if not request_uri:
            return sent
        if sent.repeated & {"client_id", "request_uri"}:
            raise Refused("invalid_request", "The client_id or the request_uri is sent more than once.")
        pushed = self._pushed.take(request_uri, now)
        if pushed is None or pushed.client_id != sent.get("client_id"):
            raise Refused(
                "invalid_request", "The request_uri is unknown, used, expired or of another client."
            )
        return pushed.parameters

    def _sign_in_page(self, asked: Asked, now: float) -> HttpResponse:
        key = self._ledger.unguessable()
        self._to_sign_in.put(key, asked, now)
        hint = asked.login_hint
        # The page chooses the first account beforehand
        accounts = sorted(self._setup.accounts, key=lambda account: hint not in (account.email, account.sub))
        return pages.demo_sign_in(
            action="/sign-in",
            hidden=[("interaction", key)],
            client_id=asked.back.client.client_id,
            redirect_uri=asked.back.redirect_uri,
            accounts=[(account.sub, account.email) for account in accounts],
        )

    def _own_form(self, request: HttpRequest) -> Parameters:
        """Read a form that must come from a page of ours."""
        site, origin = request.header("sec-fetch-site"), request.header("origin")
        foreign = site != "same-origin" if site else origin not in ("", "null", self._setup.issuer)
        if foreign:
            raise Refused("invalid_request", "This form was sent by another site.", status=403)
        return form_parameters(request).once()

    def _grant(self, signed_in: SignedIn) -> Grant:
        asked, narrow = signed_in.asked, self._setup.faults.narrow_scope
        allowed = asked.scope if narrow is None else narrow.split()
        return Grant(
            id=self._ledger.unguessable(),
            client_id=asked.back.client.client_id,
            redirect_uri=asked.back.redirect_uri,
            account=signed_in.account,
            scope=tuple(name for name in asked.scope if name in allowed),
            resource=asked.resource,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            auth_time=signed_in.auth_time,
        )

    def _refuse(self, back: ReturnAddress, error: str, description: str) -> HttpResponse:
        return self._answer(back, [("error", error), ("error_description", description)])

    def _answer(self, back: ReturnAddress, members: Sequence[tuple[str, str]]) -> HttpResponse:
        """Send the browser to the client with an authorization response.

        Source: RFC 6749 §4.1.2; RFC 9207 §2; OAuth 2.0 Form Post Response Mode §2; RFC 9700 §4.12 for 303.
        """
        faults, issuer = self._setup.faults, self._setup.issuer
        parameters = list(members)
        if back.state:
            parameters.append(("state", "not-the-state-you-sent" if faults.wrong_state else back.state))
        if not faults.omit_iss:
            parameters.append(("iss", f"{issuer}/another" if faults.wrong_iss else issuer))
        parameters += [pair for pair in parameters if pair[0] == faults.duplicate_parameter]
        if back.response_mode == "form_post":
            return pages.form_post(action=back.redirect_uri, parameters=parameters)
        location = with_query(back.redirect_uri, parameters)
        return HttpResponse(303, (("Location", location), *pages.safe_headers()))


def _page_is_over() -> Refused:
    return Refused("invalid_request", "This page was used before, or has expired.")
