"""A token as MCP clients read it from a command: one JSON object with the headers of a request.

Claude Code runs the command of `headersHelper`, a key of the server in its configuration, each time it
connects to the server, and puts the headers into its requests. It says for which server it asks in the
variable `CLAUDE_CODE_MCP_SERVER_URL`.

Source: https://code.claude.com/docs/en/mcp, "Use dynamic headers for custom authentication"; Model Context
Protocol 2025-06-18, Authorization, "Token Requirements".
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential

SERVER_VARIABLE = "CLAUDE_CODE_MCP_SERVER_URL"
"""Environment variable with the URL of the server that the headers are for."""


def mcp(credential: Credential) -> str:
    """Return the headers as one line of JSON: their names and values, which are strings.

    Args:
        credential: whose token they have.

    Source: Model Context Protocol 2025-06-18, Authorization, "Access Token Usage"; RFC 6750 §2.1.
    """
    return json.dumps({"Authorization": f"Bearer {credential.token}"}) + "\n"
