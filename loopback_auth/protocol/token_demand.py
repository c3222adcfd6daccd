"""What a protected resource demands of a request without a token.

The answer asks for a token, and may name the resource's metadata and the scope.

Source: RFC 9728 §5.1; RFC 9110 §11.6.1; RFC 6750 §3; RFC 9449 §7.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.challenge import TOKEN_SCHEMES, challenges, demands_bound_tokens
from loopback_auth.protocol.urls import check_resource_server, shown_url
from loopback_auth.redact import server_text

CHECK_RESOURCE = "Check the spelling of the resource's URL. If it is right, its operator has to correct this."

MOST_HEADERS = 20
"""Headers with challenges of one answer that are read."""

_INITIALIZE = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
    b'"capabilities":{},"clientInfo":{"name":"loopback_auth","version":"0.1"}}}'
)
"""The first message of every client of the Model Context Protocol; without a token it is only refused."""


@dataclass(frozen=True, slots=True)
class TokenDemand:
    """What a resource asks for when a request has no token.

    Args:
        metadata_url: where its metadata are; empty when it does not say.
        scope: that a token needs, separated by spaces; empty when it does not say.
        dpop: it takes tokens that are bound to a key, and no others (RFC 9449 §7.1).
        challenged: it said so by a challenge to one of these tokens, and not by a status alone.
    """

    metadata_url: str = ""
    scope: str = ""
    dpop: bool = False
    challenged: bool = False


def resource_request(url: str) -> HttpRequest:
    """Build the request without a token that shows what a resource demands.

    Raises:
        ConfigError: the URL cannot be that of a resource.

    Source: RFC 9728 §5; RFC 9110 §11.6.1.
    """
    return HttpRequest("GET", check_resource_server(url), (("Accept", "application/json"),))


def initialize_request(url: str) -> HttpRequest:
    """Build the request with which a client of the Model Context Protocol begins.

    Servers that answer POST only show with this one what they demand.

    Source: MCP specification 2025-11-25, "Lifecycle" and "Transports".
    """
    headers = ("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")
    return HttpRequest("POST", check_resource_server(url), headers, _INITIALIZE)


def may_take_post(answer: HttpResponse) -> bool:
    """Return whether a resource that did not demand a token on GET may do so on POST.

    Source: RFC 9110 §15.5.6; MCP specification 2025-11-25, "Transports" (405 where there is no stream).
    """
    return answer.status >= 400


def advice_without_demand(answer: HttpResponse) -> str:
    """Return what to do if an address asks for no token: most often it is not quite the right one.

    Source: RFC 9110 §15.4 (a slash that is missing at the end causes a redirect).
    """
    leads = server_text(answer.header("location"), 200) if 300 <= answer.status < 400 else ""
    if leads:
        return f"If the resource is where this address redirects to, give that one: {shown_url(leads)}"
    return CHECK_RESOURCE


def token_demand(answer: HttpResponse) -> TokenDemand | None:
    """Return what an answer demands; None where it does not ask for a token.

    The challenge may stand in one of several headers or beside those of other schemes, and a server that
    answers 401 without any challenge demands a token all the same.

    Source: RFC 9728 §5.1; RFC 9110 §11.6.1, §15.5.2; RFC 9449 §7.1.
    """
    values = [text for name, text in answer.headers if name.lower() == "www-authenticate"]
    demand = challenge_demand(*values[:MOST_HEADERS])
    return demand if answer.status == 401 or demand.challenged else None


def challenge_demand(*values: str) -> TokenDemand:
    """Return what the challenges of one or several `WWW-Authenticate` headers demand.

    Args:
        values: of the headers; untrusted. A quotation mark that is never closed ends with its header.

    Source: RFC 9728 §5.1; RFC 6750 §3; RFC 9449 §7.1.
    """
    found = [each for value in values for each in challenges(value)]
    ours = [each for each in found if each.scheme in TOKEN_SCHEMES]
    # §5.1: the parameter may stand in the challenges of other schemes, too.
    urls = [each.parameters.get("resource_metadata", "") for each in (*ours, *found)]
    scopes = [each.scope for each in ours]
    return TokenDemand(
        metadata_url=next(filter(None, urls), ""),
        scope=next(filter(None, scopes), ""),
        dpop=demands_bound_tokens(ours),
        challenged=bool(ours),
    )
