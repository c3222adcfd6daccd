"""Which flow a name in a comparison stands for, and the client that is the same for all flows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from loopback_auth.authorization_messages import Attempt
from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.compare.model import DPOP, FORM_POST, PAR, RESOURCE
from loopback_auth.demo.clients import DEMO_CLIENT
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.effects import Flow
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import BY_NAME
from loopback_auth.model import ClientConfig, Provider, ResponseMode, ServerMetadata
from loopback_auth.settings.reading import suggestion
from loopback_auth.tokens import SignIn

PROVIDER = "demo"
THINKING = 2.0
"""Seconds that a simulated user takes to approve, and again to paste a URL."""

MCP = "/mcp"
"""Path of the protected resource of the demonstration."""

_MODES: dict[str, ResponseMode] = {
    "code": "query",
    FORM_POST: "form_post",
    PAR: "query",
    DPOP: "query",
    RESOURCE: "query",
    "paste": "query",
}
"""The response mode of a run; for others the response is in the fragment."""

Tell = Callable[[str, str], None]
"""Called with the name of a run, and its progress in a few words."""


def silent(_name: str, _stage: str) -> None:
    """Ignore the progress."""


Rewrite = Callable[[Flow[SignIn], Attempt], Flow[SignIn]]
"""Returns a flow in place of another, whose random values are given."""


def unchanged(flow: Flow[SignIn], _attempt: Attempt) -> Flow[SignIn]:
    """Leave a flow as it is."""
    return flow


@dataclass(frozen=True, slots=True)
class Choice:
    """The flow and the client of a run.

    Args:
        name: of the run.
        flow: in the catalog.
        client: that signs in.
        rewrite: what is changed of the flow on its way to the world; only twins of a flow have that.
    """

    name: str
    flow: str
    client: ClientConfig
    rewrite: Rewrite = unchanged


def choice(name: str, client: ClientConfig) -> Choice:
    """Return the flow and the client of a run, by its name.

    Raises:
        ConfigError: there is no such run.
    """
    if name not in BY_NAME:
        raise ConfigError(f"There is no flow called {ascii(name)[:80]}.", hint=suggestion(name, {*BY_NAME}))
    client = replace(client, response_mode=_MODES.get(name, "fragment"))
    if name == PAR:
        client = replace(client, push=True)
    if name == DPOP:
        client = replace(client, dpop=True)
    if name == RESOURCE:
        client = _for_resource(client)
    return Choice(name, BY_NAME[name].variant_of or name, client)


def _for_resource(client: ClientConfig) -> ClientConfig:
    """Return a client that knows nothing but the URL of a resource, where there is one."""
    if client.resource_server or not client.provider.temporary:
        return client
    return replace(
        client,
        provider=replace(client.provider, metadata=ServerMetadata(), ticket=None),
        client_id="",
        scope="",
        resource_server=f"{client.provider.metadata.issuer}{MCP}",
        client_metadata=ClientMetadata("Example program"),
    )


def demo_client(issuer: str, *, openid: bool = False) -> ClientConfig:
    """Describe the client that every demo server knows.

    Its tickets are Netlify's as published. They are not bound to a code challenge, which only the demo server
    offers: a comparison is about published APIs.

    Args:
        issuer: of the demo server.
        openid: the server signs ID tokens, and the package to verify them is there.
    """
    provider = Provider(
        PROVIDER, ServerMetadata(issuer=issuer), ticket=demo_contract("netlify", issuer), temporary=True
    )
    scope = "openid profile email" if openid else "profile email"
    return ClientConfig(provider, DEMO_CLIENT.client_id, scope=scope)
