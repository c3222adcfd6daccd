"""Sign in to servers of the Model Context Protocol (MCP), by `auth=` of an HTTP client.

    auth = loopback_auth.mcp.sign_in("https://mcp.example/mcp")

    async with fastmcp.Client("https://mcp.example/mcp", auth=auth) as client: ...      # fastmcp
    async with httpx2.AsyncClient(auth=auth) as http:                                   # the MCP SDK
        async with streamable_http_client("https://mcp.example/mcp", http_client=http) as streams: ...

The first request goes without a token, because the answer to it says where to sign in, and with which scope.
Everything else is found there: the authorization server, and a client ID for the program. What is decided
about refusals stands in `clients.bearer`, about servers in `flows.resource`.

Source: MCP authorization specification 2025-11-25; RFC 9728 §5.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Unpack

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.clients.bearer import Refusals
from loopback_auth.clients.httpx_like import BearerFlow, awaited
from loopback_auth.clients.presentation import Presentation, presented_sync
from loopback_auth.errors import ConfigError, SignInRequired
from loopback_auth.folders import data_folder
from loopback_auth.model import ClientConfig
from loopback_auth.options import Options
from loopback_auth.protocol.urls import compared_origin
from loopback_auth.store import FileTokenStore
from loopback_auth.token_source import TokenSource

LIBRARIES = ("httpx2", "httpx")
"""HTTP libraries of the MCP SDK and of fastmcp: httpx2 since versions 2 and 4, httpx before."""


def _auth_classes() -> tuple[type, ...]:
    """Return `Auth` of each library that is installed: a client takes that of its own library alone."""
    found: list[type] = []
    for name in LIBRARIES:
        with suppress(ImportError):
            found.append(import_module(name).Auth)
    if not found:
        raise ImportError("loopback_auth.mcp needs httpx2 or httpx: pip install httpx2", name=LIBRARIES[0])
    return tuple(found)


if TYPE_CHECKING:
    import httpx
    import httpx2

    class _Auth(httpx.Auth, httpx2.Auth):  # type: ignore[misc] # the two differ in their requests
        def auth_flow(self, request: Any) -> Generator[Any, Any, None]: ...

else:
    _Auth = type("_Auth", _auth_classes(), {})


class ResourceAuth(BearerFlow[Any], _Auth):
    """Signs in to a protected resource when it asks for a token; for httpx and httpx2, sync and async.

    Requests to another origin than the resource's are sent without a token. Under trio a thread signs in.

    Args:
        source: of the tokens; its client has a `resource_server`.

    Raises:
        ConfigError: the client of the source is for no resource.
        LoopbackAuthError: (by a request) as of `TokenSource.token`. Where no user may be asked, the error
            says what the server wants: `SignInRequired.scope`, `acr_values`, `max_age`.
    """

    def __init__(self, source: TokenSource) -> None:
        super().__init__(source)
        if not source.client.resource_server:
            raise ConfigError(
                "The client of the source is for no resource.",
                hint="Make it with ClientConfig.for_resource.",
                parameter="resource_server",
            )
        self._origin = compared_origin(source.client.resource_server)
        self._quiet = source.without_asking()

    @property
    def source(self) -> TokenSource:
        """The tokens of the resource, to see who is signed in, or to sign out."""
        return self._source

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Send a request of a `Client`."""
        if self._is_for(request):
            yield from super().sync_auth_flow(request)
        else:
            yield request

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Send a request of an `AsyncClient`."""
        if not self._is_for(request):
            yield request
            return
        flow = super().async_auth_flow(request)
        try:
            outgoing = await anext(flow)
            while True:
                outgoing = await flow.asend((yield outgoing))
        except StopAsyncIteration:
            return
        finally:
            await flow.aclose()

    def _first_sync(self) -> Presentation:
        try:
            return presented_sync(self._quiet)
        except SignInRequired:
            return Presentation()  # The answer to a request without a token says where to sign in.

    async def _first(self) -> Presentation:
        try:
            return await awaited(self._quiet)
        except SignInRequired:
            return Presentation()

    def _refusals(self) -> Refusals:
        # What the server wants is told by an error of the source, also where no user may be asked.
        return Refusals(interactive=True)

    def _is_for(self, request: Any) -> bool:
        return compared_origin(str(request.url)) == self._origin

    def _carried(self, response: Any, sent: Presentation) -> bool:
        # A request without a token looks the same after a redirect to another origin.
        return self._is_for(response.request) and super()._carried(response, sent)


def sign_in(
    url: str,
    *,
    client_id: str = "",
    client_secret: str | None = None,
    scope: str = "",
    client_metadata: ClientMetadata | None = None,
    dpop: bool | None = None,
    interactive: bool = True,
    **options: Unpack[Options],
) -> ResourceAuth:
    """Return what signs in to an MCP server, as `auth=` of the MCP SDK's and fastmcp's HTTP clients.

    Nothing is requested yet. The user is asked when the server refuses a request without a token, and never
    again while the sign-in can be renewed: it is kept for all programs of this user, under the name of the
    URL, as the command line keeps it.

    Args:
        url: of the MCP server; it begins with https://, or with http:// on this machine.
        client_id: of your client at the authorization server; empty: the program gets one there.
        client_secret: of that client; None: it has none.
        scope: to ask for, separated by spaces; empty: what the server names.
        client_metadata: what the program says of itself to get a client ID; None: the name of the `program`.
        dpop: as in `ClientConfig`.
        interactive: ask the user; False: raise `SignInRequired`.
        options: those of `login`. Without `store`, the sign-in is kept in the user's data folder. Without
            `wait`, no user is asked in CI jobs and under coding agents.

    Raises:
        TypeError: there is no option of that name.
        ConfigError: an argument cannot be used.

    Source: MCP authorization specification 2025-11-25.
    """
    described = client_metadata if client_metadata is not None or client_id else ClientMetadata()
    client = ClientConfig.for_resource(
        url,
        client_id=client_id,
        client_secret=client_secret,
        scope=scope,
        client_metadata=described,
        dpop=dpop,
    )
    if options.get("store") is None:
        options["store"] = FileTokenStore(data_folder(os.environ))
    return ResourceAuth(TokenSource(client, interactive=interactive, **options))
