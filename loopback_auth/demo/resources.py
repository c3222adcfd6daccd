"""The protected resources of the demo server, and the metadata by which a client finds its way from them.

`/mcp` is an MCP server: it takes only tokens that were issued for it, with the scope `mcp:read`. `/resource`
answers what it was sent; it also takes tokens that were issued for no resource. `/resource/sensitive` does
the same for a person who has just confirmed who they are (RFC 9470).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from loopback_auth.demo.access import Access, Guard, demand_scope
from loopback_auth.demo.mcp_server import answer_to
from loopback_auth.demo.requests import scope_names
from loopback_auth.demo.setup import ACR_VALUES, DPOP_ALGORITHMS, Setup
from loopback_auth.demo.wire import json_reply, query_of, read_parameters, text_reply
from loopback_auth.http_messages import HttpRequest, HttpResponse

WELL_KNOWN = "/.well-known/oauth-protected-resource"
NAMES = {
    "/mcp": "Demonstration MCP server",
    "/resource": "Demonstration resource",
    "/resource/sensitive": "Demonstration resource, the sensitive part",
}
PROTECTED = frozenset(NAMES)
MCP_SCOPES = ("mcp:read", "mcp:write")
SENSITIVE_MAX_AGE = 300
"""Seconds for which a person stays confirmed."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

Endpoint = Callable[[HttpRequest, float], HttpResponse]


class ProtectedResources:
    """The endpoints that take access tokens for a purpose of their own."""

    def __init__(self, setup: Setup, access: Access) -> None:
        self._setup = setup
        self._access = access

    def routes(self) -> Mapping[str, Mapping[str, Endpoint]]:
        """Return the endpoints by path and method."""
        return {
            "/mcp": {"POST": self.mcp, "GET": self.no_stream, "DELETE": self.no_stream},
            "/resource": dict.fromkeys(METHODS, self.resource),
            "/resource/sensitive": dict.fromkeys(METHODS, self.sensitive),
            **{WELL_KNOWN + path: {"GET": self._published(path)} for path in NAMES},
        }

    def mcp(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a message of the Model Context Protocol, sent by its streamable HTTP transport.

        Source: Model Context Protocol 2025-11-25, Transports, Authorization.
        """
        # Transports, "Security Warning": servers MUST validate Origin, against pages that rebind their names
        if request.header("origin") not in ("", self._setup.issuer):
            return text_reply(403, "Pages of other sites may not use this server.")
        guard = self._mcp_guard()
        issued = self._access.issued(request, guard, now)
        return answer_to(request, issued, lambda scope: demand_scope(issued, guard, (*guard.scope, *scope)))

    def no_stream(self, request: HttpRequest, now: float) -> HttpResponse:
        """Refuse to send events, or to end a session, because there are none; but first ask for a token.

        Source: Model Context Protocol 2025-11-25, Transports.
        """
        self._access.issued(request, self._mcp_guard(), now)
        return text_reply(405, "This server sends no events and keeps no session.", ("Allow", "POST"))

    def resource(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer as a protected resource: with the account, the scope of the token, and what was sent.

        The query parameter `scope` names what the token must have.

        Source: RFC 6750 §2.1, §3.
        """
        return self._echo(request, self._guard("/resource"), now)

    def sensitive(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer as `resource` does, if the person has confirmed who they are in the last five minutes.

        Source: RFC 9470 §3.
        """
        guard = self._guard("/resource/sensitive")
        resources = (*guard.resources, f"{self._setup.issuer}/resource")
        demanding = replace(guard, resources=resources, acr=ACR_VALUES[-1], max_age=SENSITIVE_MAX_AGE)
        return self._echo(request, demanding, now)

    def _echo(self, request: HttpRequest, guard: Guard, now: float) -> HttpResponse:
        needed = read_parameters(query_of(request.url)).once().get("scope")
        issued = self._access.issued(request, guard, now)
        if needed:
            demand_scope(issued, guard, scope_names(needed, self._setup))
        sent = request.body.decode("utf-8", "replace")
        return json_reply(
            {
                "sub": issued.grant.account.sub,
                "scope": " ".join(issued.scope),
                "method": request.method,
                "body": sent,
            }
        )

    def _mcp_guard(self) -> Guard:
        return self._guard("/mcp", scope=MCP_SCOPES[:1], unbound=self._setup.faults.unbound_tokens)

    def _guard(self, path: str, *, scope: tuple[str, ...] = (), unbound: bool = True) -> Guard:
        issuer = self._setup.issuer
        silent = self._setup.faults.without_resource_metadata
        metadata = "" if silent else issuer + WELL_KNOWN + path
        return Guard((issuer + path,), unbound=unbound, scope=scope, metadata=metadata)

    def _published(self, path: str) -> Endpoint:
        def published(_request: HttpRequest, _now: float) -> HttpResponse:
            if self._setup.faults.without_resource_metadata:
                return text_reply(404, "There is nothing here.")
            return json_reply(self._metadata(path))

        return published

    def _metadata(self, path: str) -> Mapping[str, object]:
        """Return the metadata of a protected resource.

        Source: RFC 9728 §2.
        """
        faults, issuer = self._setup.faults, self._setup.issuer
        own = (issuer,) if faults.authorization_servers is None else faults.authorization_servers
        others = (f"{issuer}/other-{number}" for number in range(1, faults.other_servers + 1))
        document: dict[str, object] = {
            "resource": faults.other_resource or issuer + path,
            "authorization_servers": [*others, *own],
            "bearer_methods_supported": ["header"],
            "resource_name": NAMES[path],
        }
        if self._setup.features.dpop != "off":
            document["dpop_signing_alg_values_supported"] = list(DPOP_ALGORITHMS)
            document["dpop_bound_access_tokens_required"] = self._setup.features.dpop == "required"
        if path == "/mcp":
            document["scopes_supported"] = list(MCP_SCOPES)
        return document
