"""A client at an issuer: `ClientConfig.at` is the door to it, for reasons that `settings.known` gives.

A program that prints a kept token makes such a client in each of its processes; hence a module of its own,
without the presets.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.field_checks import check_text
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.protocol.urls import check_issuer
from loopback_auth.store.interface import sign_in_name


def client_at(issuer: str, client_id: str, *, title: str, redirect: Redirect) -> ClientConfig:
    """Return a client at an issuer, named as the command line names it: after the issuer's host and path.

    Raises:
        ConfigError: it is not an issuer.

    Source: RFC 8414 §2.
    """
    check_text(issuer, "issuer")
    check_issuer(issuer)
    check_text(client_id, "client_id")
    if not client_id:
        raise ConfigError(
            "client_id is empty.",
            hint="Give the ID that the server has for your client.",
            parameter="client_id",
        )
    name = sign_in_name(issuer.partition("://")[2].rstrip("/"))
    return ClientConfig(Provider(name, ServerMetadata(issuer), title=title, redirect=redirect), client_id)
