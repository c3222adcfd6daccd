"""A client at an issuer, or for a resource: `ClientConfig.at` and `for_resource` are the doors to it.

Why these doors lead upwards is said in `settings.known`.

A program that prints a kept token makes such a client in each of its processes; hence a module of its own,
without the presets, and for most issuers without what splits URLs and knows addresses.
"""

from __future__ import annotations

from loopback_auth.field_checks import check_text
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.store.interface import sign_in_name

PLAIN_LIMIT = 255
"""Characters of an issuer that needs no closer look."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._/")


def client_at(issuer: str, client_id: str, *, title: str, redirect: Redirect) -> ClientConfig:
    """Return a client at an issuer, named as the command line names it: after the issuer's host and path.

    Raises:
        ConfigError: it is not an issuer.

    Source: RFC 8414 §2.
    """
    check_text(issuer, "issuer")
    if not is_plain(issuer):
        from loopback_auth.protocol.urls import check_issuer  # Start-up.

        check_issuer(issuer)
    check_text(client_id, "client_id")
    provider = Provider(_named_after(issuer), ServerMetadata(issuer), title=title, redirect=redirect)
    return ClientConfig(provider, client_id)


def client_for(url: str, client_id: str, *, title: str, redirect: Redirect) -> ClientConfig:
    """Return a client for a protected resource, named after the resource's host and path.

    Raises:
        ConfigError: it is not the URL of a resource.

    Source: RFC 9728 §1.2 (resource identifier).
    """
    check_text(url, "resource_server")
    if not is_plain(url):
        from loopback_auth.protocol.urls import check_resource_server  # Start-up.

        check_resource_server(url)
    check_text(client_id, "client_id")
    host = url.partition("://")[2].partition("/")[0]
    provider = Provider(_named_after(url), ServerMetadata(), title=title or host, redirect=redirect)
    return ClientConfig(provider, client_id, resource_server=url)


def _named_after(url: str) -> str:
    return sign_in_name(url.partition("://")[2].rstrip("/"))


def is_plain(issuer: str) -> bool:
    """Return whether it can be seen at a glance that `check_issuer` lets an issuer pass, as it does most.

    Plain is https, a host that ends in a word, a port and a path, in characters that need no escape.

    Source: RFC 8414 §2.
    """
    scheme, _, rest = issuer.partition("://")
    authority, _, path = rest.partition("/")
    host, colon, port = authority.partition(":")
    labels = host.split(".")
    return (
        scheme == "https"
        and len(issuer) <= PLAIN_LIMIT
        and all(labels)
        and labels[-1].isalpha()
        and _PLAIN.issuperset(f"{host}{port}{path}")
        and (not colon or (port.isdigit() and 0 < int(port) < 65536))
        and "well-known" not in path
    )
