"""A token as the file `config.json` of docker, which podman, buildkit, skopeo and clusters read too.

The token is the password for a registry. A registry with a token server of its own takes it there by the
method Basic. The file has no place for an expiry: `docker-credential-loopback-auth` is asked anew each time.

Source: https://docs.docker.com/reference/cli/docker/login/, "Credential stores"; Distribution, "Token
Authentication Specification", "Requesting a Token"; RFC 7617 §2.
"""

from __future__ import annotations

import json
from binascii import b2a_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential


def docker(credential: Credential, *, host: str, username: str) -> str:
    """Return the whole file, for one registry.

    Args:
        credential: its token is the password.
        host: of the registry, with its port if that is not 443; the caller knows that the token belongs
            there.
        username: what the registry wants as the name; many ignore it. It has no colon (RFC 7617 §2).

    Raises:
        ConfigError: the name is empty, or has a colon or control characters.

    Source: docker, the file config.json, `auths`; RFC 7617 §2.
    """
    if not username or ":" in username or not username.isprintable():
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            "The user name is empty, or has a colon or control characters.",
            hint="Use another user name.",
            parameter="username",
        )
    pair = b2a_base64(f"{username}:{credential.token}".encode(), newline=False).decode("ascii")
    return json.dumps({"auths": {host: {"auth": pair}}}) + "\n"
