"""Asks the endpoints that a program requests: for tokens, revocation, claims, devices and registration.

Codes and tokens in the questions are made up, so the server refuses them; how it does so is the answer. The
client secret is sent if there is one. A device code is left to expire. The registration asks for something
that must be refused; should it be accepted, it is deleted where the server offers that.

Source: RFC 6749 §3.2, §5.2; RFC 7009 §2; RFC 7662 §2; RFC 6750 §3; RFC 8628 §3.1; RFC 7591 §3; RFC 7592 §2.3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

from loopback_auth.audit.servers.answer_log import AnswerLog
from loopback_auth.audit.servers.authorization_questions import MADE_UP, NO_CLIENT
from loopback_auth.audit.servers.redirect_uri_variants import ELSEWHERE, ELSEWHERE_HOST
from loopback_auth.authorization_messages import Attempt
from loopback_auth.doctor.direct_probe import device_probe, grant_probe
from loopback_auth.effects import Flow
from loopback_auth.errors import ConfigError, LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse, form_request
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.authorization import with_parameters
from loopback_auth.protocol.json import object_or_none, text_member
from loopback_auth.protocol.urls import check_endpoint, leads_inside, origin
from loopback_auth.records import replace

TOKEN, TOKEN_GET, TOKEN_QUERY = "token", "token: GET", "token: query"
TOKEN_REPEATED, TOKEN_PREFLIGHT, REFRESH = "token: repeated", "token: preflight", "token: refresh"
REVOCATION, INTROSPECTION = "revocation", "introspection"
USERINFO, USERINFO_QUERY = "userinfo", "userinfo: query"
DEVICE, REGISTRATION, LOGOUT, KEYS = "device", "registration", "end session", "keys"
MADE_UP_TOKEN = "made-up-token-of-loopback-auth-audit"
FORBIDDEN_URI = f"http://{ELSEWHERE_HOST}/callback#fragment"
"""A redirect URI that may not be registered: not encrypted, not on this machine, and with a fragment."""
CLIENT_ENDPOINTS = (TOKEN_QUERY, TOKEN_REPEATED, REFRESH, DEVICE)

Document = Mapping[str, object]


def ask_endpoints(
    client: ClientConfig, metadata: ServerMetadata, document: Document, attempt: Attempt, log: AnswerLog
) -> Flow[None]:
    """Ask everything that needs no browser.

    Source: RFC 6749 §3.2; RFC 8414 §2.
    """
    asking = _Endpoints(client, metadata, document, log)
    yield from asking.keys()
    yield from asking.token(attempt)
    yield from asking.resource()
    yield from asking.registration()
    yield from asking.others()


class _Endpoints:
    """Asks the endpoints of one server."""

    def __init__(
        self, client: ClientConfig, metadata: ServerMetadata, document: Document, log: AnswerLog
    ) -> None:
        self._known = bool(client.client_id)
        self._client = client if self._known else replace(client, client_id=MADE_UP, client_secret=None)
        self._metadata = metadata
        self._document = document
        self._log = log

    def keys(self) -> Flow[None]:
        """Request the key set."""
        url = self._url("jwks_uri")
        if url:
            request = HttpRequest("GET", url, (("Accept", "application/json"),))
            yield from self._log.ask(KEYS, request, step="key set request")
        else:
            self._log.does_not_apply("The metadata name no key set.", KEYS)

    def token(self, attempt: Attempt) -> Flow[None]:
        """Send a made-up code in ways that are right and wrong, and a made-up refresh token."""
        every = (TOKEN, TOKEN_GET, TOKEN_PREFLIGHT, *CLIENT_ENDPOINTS)
        if self._metadata.token_endpoint is None:
            self._log.leave_out("No token endpoint is known.", *every)
            return
        request = self._request(TOKEN, lambda: self._grant(attempt))
        if request is None:
            self._log.leave_out("The token request cannot be made.", *every)
            return
        yield from self._log.ask(TOKEN, request, step="token request")
        in_query = with_parameters(request.url, _without_secret(request))
        got = HttpRequest("GET", in_query, (("Accept", "application/json"),))
        yield from self._log.ask(TOKEN_GET, got, step="token request")
        headers = (("Origin", ELSEWHERE), ("Access-Control-Request-Method", "POST"))
        preflight = HttpRequest("OPTIONS", request.url, headers)
        yield from self._log.ask(TOKEN_PREFLIGHT, preflight, step="preflight request")
        if not self._known:
            self._log.leave_out(NO_CLIENT, *CLIENT_ENDPOINTS)
            return
        moved = replace(request, url=in_query, body=b"")
        yield from self._log.ask(TOKEN_QUERY, moved, step="token request")
        twice = replace(
            request, body=request.body + b"&" + urlencode({"code": f"{MADE_UP_TOKEN}-2"}).encode()
        )
        yield from self._log.ask(TOKEN_REPEATED, twice, step="token request")
        refresh = self._request(REFRESH, self._refresh)
        if refresh is not None:
            yield from self._log.ask(REFRESH, refresh, step="refresh request")
        yield from self._device()

    def resource(self) -> Flow[None]:
        """Request the claims of a user without a token, and with one in the query."""
        url = self._url("userinfo_endpoint")
        if not url:
            self._log.does_not_apply("No UserInfo endpoint is known.", USERINFO, USERINFO_QUERY)
            return
        headers = (("Accept", "application/json"),)
        yield from self._log.ask(USERINFO, HttpRequest("GET", url, headers), step="UserInfo request")
        asked = HttpRequest("GET", with_parameters(url, [("access_token", MADE_UP_TOKEN)]), headers)
        yield from self._log.ask(USERINFO_QUERY, asked, step="UserInfo request")

    def registration(self) -> Flow[None]:
        """Ask for a registration that must be refused; delete it if it was not."""
        url = self._url("registration_endpoint")
        if not url:
            self._log.does_not_apply("The metadata name no registration endpoint.", REGISTRATION)
            return
        wanted = {
            "client_name": MADE_UP,
            "redirect_uris": [FORBIDDEN_URI],
            "token_endpoint_auth_method": "none",
        }
        headers = (("Content-Type", "application/json"), ("Accept", "application/json"))
        request = HttpRequest("POST", url, headers, json.dumps(wanted).encode("ascii"))
        response = yield from self._log.ask(REGISTRATION, request, step="client registration request")
        removal = _removal(url, response)
        if removal is not None:
            yield from self._log.ask(f"{REGISTRATION}: delete", removal, step="client delete request")

    def others(self) -> Flow[None]:
        """Ask about a made-up token, with and without a client, and end a session that there is not."""
        token = [("token", MADE_UP_TOKEN)]
        if url := self._url("introspection_endpoint"):
            request = form_request(url, token)
            yield from self._log.ask(INTROSPECTION, request, step="introspection request")
        else:
            self._log.does_not_apply("The metadata name no introspection endpoint.", INTROSPECTION)
        if url := self._url("revocation_endpoint"):
            identity = [("client_id", self._client.client_id)]
            request = form_request(url, [*token, *identity])
            yield from self._log.ask(REVOCATION, request, step="revocation request")
        else:
            self._log.does_not_apply("No revocation endpoint is known.", REVOCATION)
        if url := self._url("end_session_endpoint"):
            leaving = with_parameters(
                url, [("post_logout_redirect_uri", f"{ELSEWHERE}/"), ("state", "made-up")]
            )
            yield from self._log.ask(LOGOUT, HttpRequest("GET", leaving), step="logout request")
        else:
            self._log.does_not_apply("The metadata name no logout endpoint.", LOGOUT)

    def _device(self) -> Flow[None]:
        if self._metadata.device_authorization_endpoint is None:
            self._log.does_not_apply("The server has no device authorization endpoint.", DEVICE)
            return
        request = self._request(DEVICE, lambda: device_probe(self._client, self._metadata))
        if request is not None:
            yield from self._log.ask(DEVICE, request, step="device authorization request")

    def _url(self, name: str) -> str:
        """Return an endpoint that may be requested; empty where there is none."""
        url = getattr(self._metadata, name, None) or self._document.get(name)
        issuer = self._metadata.issuer or ""
        allowed = self._client.provider.network.allow_private
        try:
            usable = check_endpoint(url if isinstance(url, str) else "", name=name)
        except ConfigError:
            return ""
        return "" if leads_inside(usable, by=issuer, allowed=allowed) else usable

    def _request(self, question: str, build: Callable[[], HttpRequest]) -> HttpRequest | None:
        try:
            return build()
        except LoopbackAuthError as exc:
            self._log.leave_out(f"{exc.message.rstrip('.')}.", question)
            return None

    def _grant(self, attempt: Attempt) -> HttpRequest:
        return grant_probe(self._client, self._metadata, attempt, "authorization_code")

    def _refresh(self) -> HttpRequest:
        unused = Attempt(state="", code_verifier="", nonce="")
        return grant_probe(self._client, self._metadata, unused, "refresh_token")


def _without_secret(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the parameters of a form that may stand in a URL, which is written to logs."""
    parameters = parse_qsl(request.body.decode("ascii", "replace"))
    return [(name, value) for name, value in parameters if name != "client_secret"]


def _removal(endpoint: str, response: HttpResponse | None) -> HttpRequest | None:
    """Return the request that deletes what should not have been registered; None where it cannot be."""
    if response is None or not 200 <= response.status < 300:
        return None
    document = object_or_none(response.body) or {}
    url, token = (
        text_member(document, "registration_client_uri"),
        text_member(document, "registration_access_token"),
    )
    # RFC 7592 §3: the address is of the same server.
    if not url or not token or origin(url) != origin(endpoint):
        return None
    return HttpRequest("DELETE", url, (("Authorization", f"Bearer {token}"),))
