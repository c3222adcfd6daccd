"""Visits the login page, without logging in, and asks the same host without encryption.

The visit follows redirects only to hosts that the server has named as its own. It ends at the first page, or
where the browser would be sent to another host.

Source: RFC 9700 §4.2.4, §4.16; RFC 8414 §2; RFC 9110 §15.4.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from loopback_auth.audit.servers.answer_log import AnswerLog
from loopback_auth.audit.servers.authorization_questions import NO_CLIENT
from loopback_auth.audit.servers.cookies import Cookies
from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.doctor.destination import redirect_target
from loopback_auth.doctor.direct_probe import pushed_probe
from loopback_auth.doctor.redirect_probe import authorization_probe_visit, probe_redirect_uri
from loopback_auth.effects import Flow
from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.authorization import authorization_request
from loopback_auth.protocol.pushed import pushed_authorization_response
from loopback_auth.protocol.urls import is_loopback_url, origin
from loopback_auth.records import replace

LOGIN, PUSHED_LOGIN, UNENCRYPTED = "login page", "login page: push", "http"
HOPS = 6
"""Redirects that are followed on the way to the login page."""


def ask_for_login_page(
    client: ClientConfig, metadata: ServerMetadata, attempt: Attempt, log: AnswerLog
) -> Flow[None]:
    """Go to the login page as a browser does; the last answer is the one that is noted.

    Source: RFC 6749 §3.1; RFC 9700 §4.16.
    """
    if not client.client_id or metadata.authorization_endpoint is None:
        log.leave_out(NO_CLIENT, LOGIN)
        return
    plain = replace(client, prompt=None, response_type="code", response_mode="query")
    uri = probe_redirect_uri(client.provider.redirect)
    try:
        authorization = authorization_request(plain, metadata, attempt, redirect_uri=uri)
        if metadata.require_pushed_authorization_requests:
            authorization = yield from _pushed(client, authorization, log)
    except LoopbackAuthError as exc:
        log.leave_out(f"{exc.message.rstrip('.')}.", LOGIN)
        return
    request = authorization_probe_visit(authorization)
    own, cookies = own_origins(metadata), Cookies()
    for _ in range(HOPS):
        response = yield from log.ask(LOGIN, cookies.added(request), step="page")
        if response is None:
            return
        cookies.learn(request.url, response)
        following = redirect_target(request.url, response).partition("#")[0]
        if not is_own(following, own):
            return
        request = replace(request, url=following)


def _pushed(
    client: ClientConfig, request: AuthorizationRequest, log: AnswerLog
) -> Flow[AuthorizationRequest]:
    """Push the request that leads to the login page.

    Raises:
        LoopbackAuthError: it was not taken.
    """
    step = "pushed authorization request"
    response = yield from log.ask(PUSHED_LOGIN, pushed_probe(client, request), step=step)
    if response is None:
        raise TransportError("The pushed request got no answer.")
    return pushed_authorization_response(client, request, response)


def ask_without_encryption(metadata: ServerMetadata, log: AnswerLog) -> Flow[None]:
    """Ask for the metadata by plain http, where the server is at the usual port of https.

    Source: RFC 8414 §2, §6.1; RFC 9325 §3.2.
    """
    issuer = metadata.issuer or metadata.authorization_endpoint or ""
    parts = urlsplit(issuer)
    if parts.scheme != "https" or is_loopback_url(issuer) or parts.port not in (None, 443):
        log.does_not_apply("The server is on this machine, or at a port of its own.", UNENCRYPTED)
        return
    url = f"http://{parts.hostname}/.well-known/openid-configuration"
    yield from log.ask(UNENCRYPTED, HttpRequest("GET", url), step="request by http")


def is_own(url: str, origins: frozenset[str]) -> bool:
    """Return whether a URL that the server chose leads to one of its own origins.

    Source: RFC 3986 §3.2.
    """
    try:
        return origin(url) in origins
    except ValueError:
        return False


def own_origins(metadata: ServerMetadata) -> frozenset[str]:
    """Return the origins that the server has named as its own.

    Source: RFC 8414 §2.
    """
    urls = (metadata.issuer, metadata.authorization_endpoint, metadata.token_endpoint)
    return frozenset(origin(url) for url in urls if url)
