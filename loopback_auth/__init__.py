"""Log a user in with OAuth 2.0 / OpenID Connect from a command-line tool, script or agent.

    from loopback_auth import ClientConfig, login

    client = ClientConfig.at("https://id.example", client_id="my-tool", scope="openid email")
    sign_in = await login(client)
    sign_in.tokens.access_token

Names are imported when they are first used, so that importing the package costs nothing (PEP 562).
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.accounts import Accounts
    from loopback_auth.api import login, login_sync
    from loopback_auth.client_metadata import ClientMetadata
    from loopback_auth.device_and_ticket import TicketContract, TicketRequest
    from loopback_auth.errors import (
        AttemptCancelled,
        AttemptExpired,
        AuthorizationError,
        BrowserUnavailable,
        ConfigError,
        DeviceError,
        EndpointMissing,
        IssuerMismatch,
        LoopbackAuthError,
        MalformedResponse,
        NoFlowAvailable,
        NotKept,
        OAuthError,
        ProtocolError,
        PushedAuthorizationError,
        RedirectUnavailable,
        RegistrationError,
        ResourceMismatch,
        RevocationError,
        SignInRequired,
        StateMismatch,
        StillPending,
        StillRefused,
        StoreError,
        TicketError,
        TokenError,
        TransportError,
        Unavailable,
    )
    from loopback_auth.flow_table import ChoosableFlow, FlowName
    from loopback_auth.loopback_receiver import LoopbackReceiver
    from loopback_auth.model import ClientConfig, Network, Provider, Redirect, ServerMetadata
    from loopback_auth.options import Options
    from loopback_auth.program import Page, Program
    from loopback_auth.quirks import Quirks
    from loopback_auth.registration import Registration, Registrations
    from loopback_auth.signin.controls import Controls
    from loopback_auth.signin.foreign_refresh_token import refresh, refresh_sync
    from loopback_auth.signin.logout import logout, logout_sync
    from loopback_auth.signin.refresh import renew, renew_sync
    from loopback_auth.signin.resource_client import client_for_resource, client_for_resource_sync
    from loopback_auth.store import FileTokenStore
    from loopback_auth.store.async_interface import AsyncTokenStore
    from loopback_auth.store.interface import TokenStore
    from loopback_auth.store.keychain import KeychainTokenStore
    from loopback_auth.store.memory import MemoryTokenStore
    from loopback_auth.store.redis import RedisTokenStore
    from loopback_auth.token_source import TokenSource
    from loopback_auth.tokens import IdToken, SignIn, TokenSet

_HOMES = {
    "accounts": ("Accounts",),
    "api": ("login", "login_sync"),
    "device_and_ticket": ("TicketContract", "TicketRequest"),
    "errors": (
        "AttemptCancelled",
        "AttemptExpired",
        "AuthorizationError",
        "BrowserUnavailable",
        "ConfigError",
        "DeviceError",
        "EndpointMissing",
        "IssuerMismatch",
        "LoopbackAuthError",
        "MalformedResponse",
        "NoFlowAvailable",
        "NotKept",
        "OAuthError",
        "ProtocolError",
        "PushedAuthorizationError",
        "RedirectUnavailable",
        "RegistrationError",
        "ResourceMismatch",
        "RevocationError",
        "SignInRequired",
        "StateMismatch",
        "StillPending",
        "StillRefused",
        "StoreError",
        "TicketError",
        "TokenError",
        "TransportError",
        "Unavailable",
    ),
    "flow_table": ("ChoosableFlow", "FlowName"),
    "loopback_receiver": ("LoopbackReceiver",),
    "client_metadata": ("ClientMetadata",),
    "model": ("ClientConfig", "Network", "Provider", "Redirect", "ServerMetadata"),
    "options": ("Options",),
    "program": ("Page", "Program"),
    "quirks": ("Quirks",),
    "signin.controls": ("Controls",),
    "store": ("FileTokenStore",),
    "store.memory": ("MemoryTokenStore",),
    "store.keychain": ("KeychainTokenStore",),
    "store.redis": ("RedisTokenStore",),
    "store.async_interface": ("AsyncTokenStore",),
    "store.interface": ("TokenStore",),
    "token_source": ("TokenSource",),
    "registration": ("Registration", "Registrations"),
    "tokens": ("IdToken", "SignIn", "TokenSet"),
    "signin.logout": ("logout", "logout_sync"),
    "signin.foreign_refresh_token": ("refresh", "refresh_sync"),
    "signin.refresh": ("renew", "renew_sync"),
    "signin.resource_client": ("client_for_resource", "client_for_resource_sync"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Accounts",
    "AsyncTokenStore",
    "AttemptCancelled",
    "AttemptExpired",
    "AuthorizationError",
    "BrowserUnavailable",
    "ChoosableFlow",
    "ClientConfig",
    "ClientMetadata",
    "ConfigError",
    "Controls",
    "DeviceError",
    "EndpointMissing",
    "FileTokenStore",
    "FlowName",
    "IdToken",
    "IssuerMismatch",
    "KeychainTokenStore",
    "LoopbackAuthError",
    "LoopbackReceiver",
    "MalformedResponse",
    "MemoryTokenStore",
    "Network",
    "NoFlowAvailable",
    "NotKept",
    "OAuthError",
    "Options",
    "Page",
    "Program",
    "ProtocolError",
    "Provider",
    "PushedAuthorizationError",
    "Quirks",
    "Redirect",
    "RedirectUnavailable",
    "RedisTokenStore",
    "Registration",
    "RegistrationError",
    "Registrations",
    "ResourceMismatch",
    "RevocationError",
    "ServerMetadata",
    "SignIn",
    "SignInRequired",
    "StateMismatch",
    "StillPending",
    "StillRefused",
    "StoreError",
    "TicketContract",
    "TicketError",
    "TicketRequest",
    "TokenError",
    "TokenSet",
    "TokenSource",
    "TokenStore",
    "TransportError",
    "Unavailable",
    "client_for_resource",
    "client_for_resource_sync",
    "login",
    "login_sync",
    "logout",
    "logout_sync",
    "refresh",
    "refresh_sync",
    "renew",
    "renew_sync",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
