"""The headers of a request to an MCP server, and what is remembered of its answers.

There are two kinds of requests. Since version 2026-07-28 each one says its version itself, and some of what
it says is repeated in headers. Before, a session began with `initialize`, and its ID and version go with
every later request. One client may send both kinds, to find out what the server speaks.

Source: MCP 2025-11-25, Transports, "Session Management", "Protocol Version Header"; MCP 2026-07-28,
Streamable HTTP, "Request Metadata".
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping

from loopback_auth.narrow import is_list, is_mapping
from loopback_auth.proxy.mcp_messages import Message

SESSION_ID, PROTOCOL_VERSION = "Mcp-Session-Id", "MCP-Protocol-Version"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose parameter of this name is repeated in the header `Mcp-Name`."""
HEADER_OF_PARAMETER = "x-mcp-header"
MOST_TOOLS = 10_000
"""Tools whose annotations are remembered."""

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,4096}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_ENCODED = re.compile(r"=\?base64\?.*\?=")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SAFE_INTEGER = 2**53 - 1

_Path = tuple[str, ...]


def header_value(text: str) -> str:
    """Return a text as the value of a header, encoded if it would not arrive as it is.

    Source: MCP 2026-07-28, Streamable HTTP, "Value Encoding".
    """
    if (_HEADER_VALUE.fullmatch(text) or not text) and not _ENCODED.fullmatch(text):
        return text
    return f"=?base64?{b64encode(text.encode('utf-8', 'replace')).decode('ascii')}?="


class McpSession:
    """What is known about the server and its session so far."""

    def __init__(self) -> None:
        self.id: str = ""
        """The ID of the session; empty: there is none, or the server has given it no ID."""
        self.version: str = ""
        """The version that `initialize` has negotiated; empty: there was no such request."""
        self.initialize: Message | None = None
        """The request that began the session."""
        self._tools: dict[str, dict[_Path, str]] = {}

    def headers(self, message: Message | None = None) -> dict[str, str]:
        """Return the headers of a request.

        Args:
            message: that it carries; None: a request for the messages of the server, or for the end of the
                session.
        """
        if message is not None and message.version:
            return self._mirrored(message)
        if message is not None and message.method == "initialize":
            # "Subsequent HTTP requests" have both.
            return {}
        found = {SESSION_ID: self.id, PROTOCOL_VERSION: self.version}
        return {name: value for name, value in found.items() if value}

    def _mirrored(self, message: Message) -> dict[str, str]:
        found = {PROTOCOL_VERSION: header_value(message.version), "Mcp-Method": header_value(message.method)}
        name = message.params.get(NAMED.get(message.method, ""))
        if not isinstance(name, str):
            return found
        found["Mcp-Name"] = header_value(name)
        arguments = message.params.get("arguments")
        if message.method == "tools/call" and is_mapping(arguments):
            for path, header in self._tools.get(name, {}).items():
                text = _header_text(arguments, path)
                if text is not None:
                    found[f"Mcp-Param-{header}"] = header_value(text)
        return found

    def begun(self, request: Message, answer: Message, session_id: str) -> None:
        """Remember what the answer to `initialize` says.

        Args:
            request: that was answered.
            answer: to it.
            session_id: the value of the answer's header; untrusted.
        """
        result = answer.document.get("result")
        if not is_mapping(result):
            return
        version = result.get("protocolVersion")
        self.version = version if isinstance(version, str) and _SESSION_ID.fullmatch(version) else ""
        # MCP: the session ID MUST only contain visible ASCII characters.
        self.id = session_id if _SESSION_ID.fullmatch(session_id) else ""
        self.initialize = request

    def without_wrong_tools(self, answer: Message) -> tuple[Mapping[str, object] | None, list[str]]:
        """Learn from a list of tools which of their parameters go into headers.

        Returns:
            The answer without tools whose annotations break the rules, or None if all obey; and the names of
            those that were left out.

        Source: MCP 2026-07-28, Streamable HTTP, "Schema Extension" (clients MUST exclude the invalid tool).
        """
        result = answer.document.get("result")
        tools = result.get("tools") if is_mapping(result) else None
        if not is_mapping(result) or not is_list(tools):
            return None, []
        kept: list[object] = []
        wrong: list[str] = []
        for tool in tools:
            name = tool.get("name") if is_mapping(tool) else None
            if not is_mapping(tool) or not isinstance(name, str):
                kept.append(tool)
                continue
            found = header_annotations(tool.get("inputSchema"))
            if found is None:
                wrong.append(name)
                continue
            kept.append(tool)
            self._tools.pop(name, None)
            if found and len(self._tools) < MOST_TOOLS:
                self._tools[name] = found
        if not wrong:
            return None, []
        return {**answer.document, "result": {**result, "tools": kept}}, wrong


def header_annotations(schema: object) -> dict[_Path, str] | None:
    """Return the headers of a tool's parameters by their paths in the arguments; None: one breaks a rule.

    Args:
        schema: of the tool's arguments; untrusted.

    Source: MCP 2026-07-28, Streamable HTTP, "Schema Extension".
    """
    found: dict[_Path, str] = {}
    waiting: list[tuple[_Path | None, object]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        if is_list(node):
            waiting.extend((None, each) for each in node)
        if not is_mapping(node):
            continue
        if HEADER_OF_PARAMETER in node:
            header = node[HEADER_OF_PARAMETER]
            is_usable = isinstance(header, str) and _FIELD_NAME.fullmatch(header)
            taken = {each.lower() for each in found.values()}
            if not path or not is_usable or str(header).lower() in taken:
                return None
            if node.get("type") not in ("string", "integer", "boolean"):
                return None
            found[path] = str(header)
        for name, each in node.items():
            if name == "properties" and is_mapping(each):
                waiting.extend(((*path, key) if path is not None else None, one) for key, one in each.items())
            elif name not in ("default", "examples", "const", "enum"):  # These are data, and no schemas.
                waiting.append((None, each))
    return found


def _header_text(arguments: Mapping[str, object], path: _Path) -> str | None:
    value: object = arguments
    for name in path:
        value = value.get(name) if is_mapping(value) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) <= _SAFE_INTEGER:
        return str(value)
    return value if isinstance(value, str) else None
