"""Hand the addresses of the demonstration server to a program: names in braces stand for them.

    my-tool login --auth-url {authorization_endpoint} --client-id {client_id}

Every name in braces that is not in `PLACEHOLDERS` stays as it is, because braces are common in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from loopback_auth.demo.setup import PATHS
from loopback_auth.errors import ConfigError

PLACEHOLDERS: Mapping[str, str] = {
    "issuer": "the server, such as http://127.0.0.1:54321",
    "authority": "its host and port, such as 127.0.0.1:54321",
    "metadata_url": "its metadata document (RFC 8414 §3)",
    "openid_configuration": "the same document (OpenID Connect Discovery §4)",
    "authorization_endpoint": "where the browser is sent",
    "token_endpoint": "where codes are exchanged",
    "device_authorization_endpoint": "where a device login begins",
    "pushed_authorization_request_endpoint": "where authorization requests are pushed",
    "revocation_endpoint": "where tokens are revoked",
    "userinfo_endpoint": "where the account of a token is asked for",
    "jwks_uri": "the keys of ID tokens",
    "client_id": "a public client that the server knows",
    "client_secret": "its secret; empty without --secret",
    "scope": "scopes that the server knows",
    "resource": "a URL that wants an access token",
    "mcp": "the URL of an MCP server that wants an access token",
    "folder": "the working folder of the program",
    "home": "its home folder",
    "here": "the folder in which this command runs",
    "ca_file": "the certificate authority of the server; empty without --tls",
    "python": "this Python",
}
"""What each placeholder stands for."""

_NAMED = re.compile(r"\{([a-z_]+)\}")


def server_values(issuer: str, *, client_id: str, client_secret: str, scope: str) -> dict[str, str]:
    """Return what the placeholders of a server stand for.

    Args:
        issuer: origin of the server.
        client_id: of the client that it knows.
        client_secret: of that client; empty for a public one.
        scope: names separated by spaces.
    """
    endpoints = {name: issuer + path for name, path in PATHS.items()}
    return endpoints | {
        "issuer": issuer,
        "authority": issuer.partition("://")[2],
        "metadata_url": f"{issuer}/.well-known/oauth-authorization-server",
        "openid_configuration": f"{issuer}/.well-known/openid-configuration",
        "client_id": client_id,
        "client_secret": client_secret,
        "scope": scope,
        "resource": f"{issuer}/resource",
        "mcp": f"{issuer}/mcp",
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of their names; names without a value stay as they are."""
    return _NAMED.sub(lambda found: values.get(found[1], found[0]), text)


def fixed_parts(*texts: str) -> tuple[str, ...]:
    """Return what texts have between the places of names, such as a password beside an issuer."""
    return tuple(part for text in texts for part in _NAMED.split(text)[::2] if part)


def uses(text: str, name: str) -> bool:
    """Return whether a text has a placeholder."""
    return f"{{{name}}}" in text


def assignment(text: str, flag: str) -> tuple[str, str]:
    """Split NAME=TEXT.

    Args:
        text: as it was typed.
        flag: for the error.

    Raises:
        ConfigError: there is no name, or no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or "\0" in text:
        raise ConfigError(f"{flag} must be NAME=TEXT.", hint=f"Write for example {flag} NAME=TEXT.")
    return name.strip(), value


def inner_path(path: str) -> tuple[bool, str]:
    """Return whether the path of a file is below the home folder (`~/`), and the rest of it.

    Other paths are below the working folder.

    Raises:
        ConfigError: the path leads out of both.
    """
    at_home, rest = path.startswith("~/"), path.removeprefix("~/")
    parts = PurePosixPath(rest).parts
    if not parts or rest.startswith("/") or ".." in parts or "\0" in rest:
        raise ConfigError(
            f"A file for the program has a path that cannot be used: {ascii(path)[:80]}",
            hint="Name one below the working folder, such as a.json, or below the home, such as ~/.a.json.",
        )
    return at_home, str(PurePosixPath(rest))
