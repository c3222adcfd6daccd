"""The outputs that need nothing but the token, and what the tool says in its environment variables."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.outputs.credential import Credential

PLAIN = ("header", "env", "curl", "kubectl", "google", "mcp")
"""Names of these outputs."""


def plain(name: str, credential: Credential, environ: Mapping[str, str]) -> str | None:
    """Return a token in the form of an output; None for an output that needs more.

    Only the output that is asked for is imported.

    Args:
        name: of the output.
        credential: what is written.
        environ: the environment variables.

    Raises:
        ConfigError: the output cannot have this token, or the tool asks for something else.
    """
    match name:
        case "header":
            from loopback_auth.outputs.header import header  # Start-up.

            return header(credential)
        case "env":
            from loopback_auth.outputs.env import env  # Start-up.

            return env(credential)
        case "curl":
            from loopback_auth.outputs.curl import curl  # Start-up.

            return curl(credential)
        case "kubectl":
            from loopback_auth.outputs.kubectl import INFO_VARIABLE, kubectl  # Start-up.

            return kubectl(credential, exec_info=environ.get(INFO_VARIABLE, ""))
        case "google":
            from loopback_auth.outputs.google import REVOKE_VARIABLE, TYPE_VARIABLE, google  # Start-up.

            return google(
                credential,
                token_type=environ.get(TYPE_VARIABLE, ""),
                revokes=environ.get(REVOKE_VARIABLE) == "1",
            )
        case "mcp":
            from loopback_auth.outputs.mcp import SERVER_VARIABLE, mcp  # Start-up.

            # Whether the token belongs to that server is not decided here.
            return None if environ.get(SERVER_VARIABLE) else mcp(credential)
        case _:
            return None
