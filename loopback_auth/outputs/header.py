"""A token as the header line of an HTTP request, for programs that read headers from a file or from stdin.

Source: RFC 6750 §2.1.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential


def header(credential: Credential) -> str:
    """Return the line `Authorization: Bearer ...`, which `curl -H @-` reads from stdin.

    Args:
        credential: whose token it has.

    Source: RFC 6750 §2.1.
    """
    return f"Authorization: Bearer {credential.token}\n"
