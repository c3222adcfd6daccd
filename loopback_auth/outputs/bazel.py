"""A token as build tools read it from a credential helper: Bazel, Buck2, and others on the same protocol.

The tool runs the helper with the argument `get`, writes one JSON object with the URI of its request to stdin,
and puts the headers of the answer into that request. It keeps them until they expire.

Source: https://github.com/EngFlow/credential-helper-spec/blob/main/spec.md, `get`, and its schemas.
"""

from __future__ import annotations

import json

from loopback_auth.narrow import is_object
from loopback_auth.outputs.timestamps import timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential

LONGEST_REQUEST = 64 * 1024
"""Bytes of the request on stdin."""
_HINT = "Let Bazel start it, as the credential helper in .bazelrc."


def bazel(credential: Credential) -> str:
    """Return the answer to `get`: one line of JSON with the headers, and with the expiry if it is known.

    Args:
        credential: whose token the header has. Whether that may be sent to the URI is for the caller to know.

    Source: Credential Helpers Specification, `get`, Output; RFC 3339 §5.6.
    """
    answer: dict[str, object] = {"headers": {"Authorization": [f"Bearer {credential.token}"]}}
    if expires_at := timestamp(credential.expires_at):
        answer["expires"] = expires_at
    return json.dumps(answer) + "\n"


def requested_uri(request: bytes) -> str:
    """Return the URI of a request that a tool has written.

    Args:
        request: what was on stdin; members other than `uri` are ignored, as the specification wants it.

    Raises:
        ConfigError: it is not such a request. The error quotes nothing of it.

    Source: Credential Helpers Specification, `get`, Input.
    """
    try:
        document: object = json.loads(request) if len(request) <= LONGEST_REQUEST else None
    except (ValueError, RecursionError):
        document = None
    uri = document.get("uri") if is_object(document) else None
    if not (isinstance(uri, str) and "://" in uri and uri.isascii() and uri.isprintable()):
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            "The content of stdin is not a request to a credential helper: a JSON object with a uri.",
            hint=_HINT,
        )
    return uri
