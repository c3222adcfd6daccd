"""What docker, podman and skopeo say to a credential helper, and what a helper answers.

The action is the only argument. `get` and `erase` get the address of a registry on stdin, `store` a JSON
object, `list` nothing. An error is a text on stdout with the exit status 1. Clients compare three of them
byte for byte: only "credentials not found in native keychain" makes them go on without a password.

A token is the password beside a user name. The user name `<token>` makes of it what the protocol calls an
identity token: the client exchanges it at the registry's token service, as a refresh token. That is for
registries that document it; a refresh token of the sign-in is never given (RFC 9700 §4.14.2).

Source: https://github.com/docker/docker-credential-helpers (README, credentials/credentials.go and error.go);
https://distribution.github.io/distribution/spec/auth/oauth/ (identity tokens).
"""

from __future__ import annotations

import json

from loopback_auth.narrow import is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.outputs.credential import Credential

REQUEST_LIMIT = 1 << 20
"""Bytes of a request; addresses and passwords are short."""
NOT_FOUND = "credentials not found in native keychain"
"""The helper's "no", by which clients go on without a password."""
NO_SERVER = "no credentials server URL"
NO_USERNAME = "no credentials username"


def read_server(content: bytes) -> str:
    """Return the address of the registry that `get` and `erase` are about.

    Args:
        content: of stdin; untrusted.

    Raises:
        ValueError: with the text of the protocol: there is no address, or it is not one line of text.
    """
    server = _text(content).strip()
    if not server or not server.isprintable():
        raise ValueError(NO_SERVER)
    return server


def read_stored(content: bytes) -> tuple[str, str, str]:
    """Return server, user name and secret of `store`.

    Args:
        content: of stdin; untrusted.

    Raises:
        ValueError: with the text of the protocol: it is not such an object, or a member is missing. The text
            quotes no value.
    """
    try:
        members: object = json.loads(_text(content))
    except (ValueError, RecursionError):
        raise ValueError("the credentials are not a JSON object") from None
    found = members if is_object(members) else {}
    server, username, secret = (found.get(name) for name in ("ServerURL", "Username", "Secret"))
    if not isinstance(server, str) or not server:
        raise ValueError(NO_SERVER)
    if not isinstance(username, str) or not username:
        raise ValueError(NO_USERNAME)
    return server, username, secret if isinstance(secret, str) else ""


def docker_credential(credential: Credential, *, server: str, username: str) -> str:
    """Return the answer to `get`: one line of JSON with a secret in it.

    Args:
        credential: the token.
        server: as the client gave it.
        username: that goes with the token.

    Source: docker-credential-helpers, credentials.go: `Get`.
    """
    return json.dumps({"ServerURL": server, "Username": username, "Secret": credential.token}) + "\n"


def docker_list(users: Mapping[str, str]) -> str:
    """Return the answer to `list`: one line of JSON, registries to user names.

    Source: docker-credential-helpers, credentials.go: `List`.
    """
    return json.dumps(dict(users), sort_keys=True) + "\n"


def _text(content: bytes) -> str:
    """Return a request as text; empty when it is too long, or is not text."""
    try:
        return content.decode("utf-8") if len(content) <= REQUEST_LIMIT else ""
    except UnicodeDecodeError:
        return ""
