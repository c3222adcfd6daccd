"""A token as a configuration file of curl, which `curl -K -` reads from stdin.

The token is a header and not `oauth2-bearer`, which older versions of curl have for mail alone. On a redirect
to another host curl leaves the header Authorization out.

Source: https://curl.se/docs/manpage.html, `--config`: a backslash escapes a quote and itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential


def curl(credential: Credential) -> str:
    """Return the line that gives curl the header of the token.

    Args:
        credential: whose token it has.

    Source: https://curl.se/docs/manpage.html, `--config`; RFC 6750 §2.1.
    """
    token = credential.token.replace("\\", "\\\\").replace('"', '\\"')
    return f'header = "Authorization: Bearer {token}"\n'
