"""From settings to a client: what the values mean together, and whether one can sign in with them.

Every refusal here is for a person: it says which value is at fault, where it came from, and what to do. The
server is not asked anything; whether it would agree is found out by asking it.

Source: RFC 6749 §2.2, §2.3, §3.3, appendix A; RFC 8252 §7.3; RFC 8414 §2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, cast

from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientAuth, ClientConfig, Provider, Redirect, ResponseMode, ServerMetadata
from loopback_auth.protocol.urls import check_endpoint, check_issuer, check_resource
from loopback_auth.settings import Settings, needs_secret, redirect_of
from loopback_auth.store import sign_in_name

LoopbackHost = Literal["127.0.0.1", "[::1]", "localhost"]
SECRET_HINT = (
    "Set LOOPBACK_AUTH_CLIENT_SECRET, or client_secret in the configuration file, or run this in a terminal "
    "and be asked for it."
)


def client_config(settings: Settings) -> ClientConfig:
    """Build the client that the settings describe.

    Raises:
        ConfigError: something is missing, or cannot be what it is given as.

    Source: RFC 6749 §2.2, §2.3.1; RFC 8707 §2.
    """
    provider = _provider(settings)
    return ClientConfig(
        provider=provider,
        client_id=_client_id(settings),
        client_secret=_client_secret(settings, provider.client_auth),
        scope=_scope(settings),
        response_mode=cast("ResponseMode | None", settings.text("response_mode")),
        push=settings.switch("push"),
        resource=tuple(check_resource(resource) for resource in settings.words("resource")),
        audience=settings.text("audience") or None,
        prompt=settings.text("prompt") or None,
        login_hint=settings.text("login_hint") or None,
        extra=cast("Mapping[str, str]", settings.get("extra") or {}),
    )


def _provider(settings: Settings) -> Provider:
    host, ports, path = redirect_of(settings)
    plain = Provider(sign_in_name(settings.name), _metadata(settings))
    return replace(
        plain,
        redirect=Redirect(cast("LoopbackHost", host), ports, path),
        client_auth=cast("ClientAuth | None", settings.text("client_auth")),
        pkce=settings.switch("pkce") is not False,
        scope_separator=settings.text("scope_separator") or plain.scope_separator,
        allowed_issuer=settings.text("allowed_issuer") or None,
        account_fields=settings.words("account_fields") or plain.account_fields,
    )


def _metadata(settings: Settings) -> ServerMetadata:
    issuer = settings.text("issuer")
    missing = [name for name in ("authorization_endpoint", "token_endpoint") if not settings.text(name)]
    if not issuer and missing:
        raise ConfigError(
            f"Nothing says where to sign in: there is neither an issuer nor {' and '.join(missing)}",
            hint="Name a provider, or give --issuer, or give both --authorization-endpoint and "
            "--token-endpoint.",
        )
    return ServerMetadata(
        issuer=check_issuer(issuer) if issuer else None,
        authorization_endpoint=_endpoint(settings, "authorization_endpoint"),
        token_endpoint=_endpoint(settings, "token_endpoint"),
        pushed_authorization_request_endpoint=_endpoint(settings, "pushed_authorization_request_endpoint"),
        revocation_endpoint=_endpoint(settings, "revocation_endpoint"),
        userinfo_endpoint=_endpoint(settings, "userinfo_endpoint"),
        jwks_uri=_endpoint(settings, "jwks_uri"),
    )


def _endpoint(settings: Settings, name: str) -> str | None:
    url = settings.text(name)
    return check_endpoint(url, name=name) if url else None


def _client_id(settings: Settings) -> str:
    client_id = settings.text("client_id")
    if not client_id:
        raise ConfigError(
            f"There is no client ID for {settings.name}",
            hint=f"{settings.advice or 'Register a client at the server.'} Then give its ID with --client-id "
            "or LOOPBACK_AUTH_CLIENT_ID.",
        )
    _check_visible(settings, "client_id", client_id)
    return client_id


def _client_secret(settings: Settings, client_auth: ClientAuth | None) -> str | None:
    if needs_secret(settings):
        raise ConfigError(
            f"There is no client secret for {settings.name}, and {client_auth} takes one "
            f"(from {settings.origin('client_auth')})",
            hint=SECRET_HINT,
        )
    client_secret = settings.text("client_secret")
    # A secret that is never to be sent is not carried about either.
    if not client_secret or client_auth == "none":
        return None
    _check_visible(settings, "client_secret", client_secret)
    return client_secret


def _check_visible(settings: Settings, name: str, value: str) -> None:
    # RFC 6749 appendix A.1, A.2: *VSCHAR, and VSCHAR = %x20-7E
    if not all(" " <= character <= "~" for character in value):
        raise ConfigError(
            f"The {name} has a character that none can have, such as a line break "
            f"(from {settings.origin(name)})",
            hint="Copy it again, without anything before and after it.",
        )


def _scope(settings: Settings) -> str:
    scope, origin = settings.text("scope") or "", settings.origin("scope")
    # RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    if not all(" " <= character <= "~" and character not in '"\\' for character in scope):
        raise ConfigError(
            f"The scope has a character that none can have: {scope[:120]!a} (from {origin})",
            hint="Separate scopes by single spaces, without quotes.",
        )
    return scope
