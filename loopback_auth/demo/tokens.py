"""The demo server's token, revocation and UserInfo endpoints.

Decides which codes and refresh tokens are accepted, and which claims UserInfo returns. A code is valid once,
for its client, redirect URI and verifier. Every refresh issues a new refresh token, using one again revokes
the grant (RFC 9700 §4.14.2). Every code gets a refresh token, requested or not: otherwise a native app that
runs once a day would have to sign its user in each time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from loopback_auth.demo.access import Access, Guard
from loopback_auth.demo.accounts import claims
from loopback_auth.demo.authentication import Authentication
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.device import DeviceEndpoints
from loopback_auth.demo.faults import shown_token
from loopback_auth.demo.grants import Grant, Ledger
from loopback_auth.demo.id_tokens import base64url, id_token
from loopback_auth.demo.proofs import Proofs
from loopback_auth.demo.setup import DEVICE_CODE, GRANT_TYPES, Setup
from loopback_auth.demo.wire import (
    Parameters,
    Refused,
    form_parameters,
    json_reply,
    query_of,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse

CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def s256(text: str) -> str:
    """Hash a code verifier.

    Written apart from the client's half, so that a slip in one does not hide in the other.

    Source: RFC 7636 §4.6.
    """
    return base64url(hashlib.sha256(text.encode("ascii")).digest())


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request of a client that has proven itself.

    Args:
        client: that asks.
        parameters: of the form.
        jkt: thumbprint of the key for which it sent a proof (RFC 9449 §5); empty: it sent none.
    """

    client: DemoClient
    parameters: Parameters
    jkt: str

    @property
    def resource(self) -> tuple[str, ...]:
        """Where the access token is going to be used (RFC 8707 §2.2); empty: wherever the grant allows."""
        return self.parameters.resource


def _fits(verifier: str, challenge: str, *, plain: bool) -> bool:
    """Return whether a verifier belongs to a challenge; with a fault it may be the challenge itself."""
    fitting = (s256(verifier), *([verifier] if plain else []))
    return any(hmac.compare_digest(challenge, one) for one in fitting)


class TokenEndpoints:
    """The endpoints that the client calls itself."""

    def __init__(
        self,
        setup: Setup,
        ledger: Ledger,
        access: Access,
        proofs: Proofs,
        authentication: Authentication,
        device: DeviceEndpoints,
    ) -> None:
        self._setup = setup
        self._access = access
        self._proofs = proofs
        self._authentication = authentication
        self._ledger = ledger
        self._device = device

    def token(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a token request.

        Source: RFC 6749 §3.2, §4.1.3, §5, §6; RFC 8628 §3.4.
        """
        parameters, client = self._client_request(request, now)
        grant_type = parameters.get("grant_type")
        if grant_type in GRANT_TYPES and not client.may_use(grant_type):
            raise Refused("unauthorized_client", "The client is not registered for this grant_type.")
        asked = TokenRequest(client, parameters, self._proofs.thumbprint(request, "server", now))
        if not asked.jkt and (client.dpop_bound or self._setup.features.dpop == "required"):
            raise Refused("invalid_dpop_proof", "This client gets only tokens that are bound to a key.")
        match grant_type:
            case "authorization_code":
                return self._code_exchange(asked, now)
            case "refresh_token":
                return self._refresh(asked, now)
            case one if one == DEVICE_CODE:
                answer = self._device.poll(client, parameters, now)
                if isinstance(answer, HttpResponse):
                    return answer
                return self._token_response(asked, answer, answer.scope, now, nonce="")
            case "":
                raise Refused("invalid_request", "The grant_type is missing.")
            case _:
                raise Refused("unsupported_grant_type", "The grant_type is not known here.")

    def revoke(self, request: HttpRequest, now: float) -> HttpResponse:
        """Revoke an access token, or a refresh token with its whole grant.

        A token that does not exist is revoked already. The token_type_hint is not needed.

        Source: RFC 7009 §2.
        """
        parameters, client = self._client_request(request, now)
        token = parameters.get("token")
        if not token:
            raise Refused("invalid_request", "The token is missing.")
        kept = self._ledger.access_tokens.get(token)
        issued = kept or self._ledger.refresh_tokens.get(token)
        if issued is None:
            return json_reply({})
        if issued.grant.client_id != client.client_id:
            raise Refused("invalid_grant", "The token was issued to another client.")
        if kept is None:
            self._ledger.revoke(issued.grant)
        else:
            del self._ledger.access_tokens[token]
        return json_reply({})

    def userinfo(self, request: HttpRequest, now: float) -> HttpResponse:
        """Return the claims about the account of an access token.

        Source: OpenID Connect Core §5.3; RFC 6750 §2.1, §3.
        """
        issued = self._access.issued(request, Guard(), now)
        allowed = claims(issued.grant.account, issued.scope)
        if self._setup.faults.wrong_subject:
            allowed["sub"] = "another-subject"
        return json_reply(allowed)

    def _client_request(self, request: HttpRequest, now: float) -> tuple[Parameters, DemoClient]:
        # RFC 6749 §2.3.1: client credentials MUST NOT be included in the request URI
        if query_of(request.url):
            raise Refused("invalid_request", "Parameters belong into the body.")
        parameters = form_parameters(request).once()
        return parameters, self._authentication.client(request, parameters, now)

    def _code_exchange(self, asked: TokenRequest, now: float) -> HttpResponse:
        client, parameters = asked.client, asked.parameters
        code, verifier = parameters.get("code"), parameters.get("code_verifier")
        faults, redirect_uri = self._setup.faults, parameters.get("redirect_uri")
        if not code or not (redirect_uri or faults.lenient):
            raise Refused("invalid_request", "The code or the redirect_uri is missing.")
        issued = self._ledger.codes.get(code)
        # Only a fault lets a code be issued without a challenge.
        bound = not faults.ignore_verifier and (issued is None or bool(issued.grant.code_challenge))
        well_formed = CODE_VERIFIER.fullmatch(verifier) or (
            faults.lenient and verifier and verifier.isascii()
        )
        if bound and not well_formed:
            raise Refused("invalid_request", "The code_verifier is missing or malformed.")
        if issued is None or issued.grant.client_id != client.client_id:
            raise Refused("invalid_grant", "The code is unknown, or was issued to another client.")
        grant = issued.grant
        if redirect_uri and grant.redirect_uri != redirect_uri:
            raise Refused("invalid_grant", "The redirect_uri is not the one of the authorization request.")
        if bound and not _fits(verifier, grant.code_challenge, plain=faults.plain_challenges):
            raise Refused("invalid_grant", "The code_verifier does not fit the code_challenge.")
        # RFC 9449 §10: the key of the proof MUST be the one of the authorization request
        if grant.dpop_jkt and grant.dpop_jkt != asked.jkt:
            raise Refused("invalid_grant", "The code is bound to another key.")
        self._check_resource(grant, parameters)
        # Only now: an attacker who saw a used code, but has no verifier, must not be able to revoke the
        # grant.
        if not faults.reusable and not self._ledger.spend(code):
            raise Refused("invalid_grant", "The code was used before; its tokens are revoked.")
        if not self._ledger.valid(issued, now):
            raise Refused("invalid_grant", "The code has expired.")
        return self._token_response(asked, grant, grant.scope, now, nonce=grant.nonce)

    def _refresh(self, asked: TokenRequest, now: float) -> HttpResponse:
        client, parameters = asked.client, asked.parameters
        token = parameters.get("refresh_token")
        if not token:
            raise Refused("invalid_request", "The refresh_token is missing.")
        issued = self._ledger.refresh_tokens.get(token)
        if issued is None or issued.grant.client_id != client.client_id:
            raise Refused("invalid_grant", "The refresh_token is unknown, or was issued to another client.")
        if not self._ledger.valid(issued, now):
            raise Refused("invalid_grant", "The refresh_token has expired or is revoked.")
        if issued.jkt and issued.jkt != asked.jkt:
            raise Refused("invalid_grant", "The refresh_token is bound to another key.")
        scope = tuple(dict.fromkeys(parameters.get("scope").split())) or issued.scope
        # RFC 6749 §6: the scope MUST NOT include any scope not originally granted
        if not set(scope) <= set(issued.scope):
            raise Refused("invalid_scope", "The scope is wider than the one granted.")
        self._check_resource(issued.grant, parameters)
        if not self._ledger.spend(token):
            raise Refused("invalid_grant", "The refresh_token was used before; its grant is revoked.")
        return self._token_response(asked, issued.grant, scope, now, nonce="")

    def _check_resource(self, grant: Grant, parameters: Parameters) -> None:
        # RFC 8707 §2.2: a subset of the resources of the authorization request
        if not set(parameters.resource) <= set(grant.resource):
            raise Refused("invalid_target", "The resource is not among those granted.")

    def _token_response(
        self,
        asked: TokenRequest,
        grant: Grant,
        scope: tuple[str, ...],
        now: float,
        *,
        nonce: str,
    ) -> HttpResponse:
        faults = self._setup.faults
        expires_at = now + self._setup.expires_in
        access_token = self._ledger.issue_access_token(grant, scope, expires_at, asked.resource, asked.jkt)
        members: dict[str, object] = {
            "access_token": shown_token(access_token, faults),
            "token_type": "DPoP" if asked.jkt and not faults.wrong_token_type else "Bearer",
            "expires_in": self._setup.expires_in if faults.expires_in is None else faults.expires_in,
            "scope": " ".join(scope),
        }
        if asked.client.may_use("refresh_token"):
            # RFC 9449 §5: of other clients it is bound already, to their authentication
            jkt = asked.jkt if asked.client.public else ""
            members["refresh_token"] = self._ledger.issue_refresh_token(grant, now, jkt)
        signed = id_token(self._setup, grant, now, nonce=nonce, scope=scope, access_token=access_token)
        if signed:
            members["id_token"] = signed
        return json_reply({name: value for name, value in members.items() if name not in faults.omit_members})
