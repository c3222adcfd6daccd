"""A minimal MCP server: it can be initialised, lists two tools, and calls them.

It keeps no session and sends no event of its own, so that each message is answered by one JSON document. The
tool `whoami` says whose token it was called with; `write` takes a note, and needs the scope `mcp:write`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from loopback_auth.demo.grants import Issued
from loopback_auth.demo.wire import json_reply, string_member, text_reply
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.narrow import is_object

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Versions of the protocol, the newest first; what this server needs is the same in all of them."""

TOOLS: tuple[Mapping[str, object], ...] = (
    {
        "name": "whoami",
        "description": "Say whose access token this is, and what it may be used for.",
        "inputSchema": {"type": "object", "properties": {}},
    },
    {
        "name": "write",
        "description": "Take a note. This needs the scope mcp:write.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
)

# JSON-RPC 2.0 §5.1
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602


class _Failed(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def answer_to(
    request: HttpRequest, issued: Issued, demand: Callable[[tuple[str, ...]], None]
) -> HttpResponse:
    """Answer one message of a client whose access token was admitted.

    Args:
        request: a POST with one JSON-RPC message.
        issued: what the access token stands for.
        demand: refuses the request, unless the token has these scopes as well.

    Source: Model Context Protocol 2025-11-25, Transports; JSON-RPC 2.0 §4, §5.
    """
    version = request.header("mcp-protocol-version")
    if version and version not in VERSIONS:
        return _failure(
            None, _Failed(INVALID_REQUEST, "This version of the protocol is not spoken here."), 400
        )
    try:
        message: object = json.loads(request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return _failure(None, _Failed(PARSE_ERROR, "The body is not JSON."), 400)
    if not is_object(message) or message.get("jsonrpc") != "2.0" or not string_member(message, "method"):
        return _failure(None, _Failed(INVALID_REQUEST, "The body is not one message of JSON-RPC 2.0."), 400)
    if "id" not in message:
        return text_reply(202, "")  # a notification has no answer
    request_id = message["id"]
    if not isinstance(request_id, str | int):
        return _failure(None, _Failed(INVALID_REQUEST, "The id is neither a string nor a number."), 400)
    parameters = message.get("params", {})
    try:
        if not is_object(parameters):
            raise _Failed(INVALID_PARAMS, "The params are not an object.")
        result = _result(string_member(message, "method"), parameters, issued, demand)
    except _Failed as failed:
        return _failure(request_id, failed, 200)
    return json_reply({"jsonrpc": "2.0", "id": request_id, "result": result}, 200)


def _result(
    method: str,
    parameters: Mapping[str, object],
    issued: Issued,
    demand: Callable[[tuple[str, ...]], None],
) -> Mapping[str, object]:
    match method:
        case "initialize":
            asked = string_member(parameters, "protocolVersion")
            return {
                "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "loopback-auth-demo", "version": "1"},
            }
        case "ping":
            return {}
        case "tools/list":
            return {"tools": list(TOOLS)}
        case "tools/call":
            return _called(string_member(parameters, "name"), parameters.get("arguments", {}), issued, demand)
        case _:
            raise _Failed(METHOD_NOT_FOUND, "This method is not known here.")


def _called(
    name: str, arguments: object, issued: Issued, demand: Callable[[tuple[str, ...]], None]
) -> Mapping[str, object]:
    if name == "whoami":
        account = issued.grant.account
        known = {"sub": account.sub, "email": account.email, "scope": " ".join(issued.scope)}
        return {"content": [{"type": "text", "text": json.dumps(known)}], "isError": False}
    if name != "write":
        raise _Failed(INVALID_PARAMS, "There is no such tool.")
    demand(("mcp:write",))
    text = string_member(arguments, "text") if is_object(arguments) else ""
    if not text:
        return {"content": [{"type": "text", "text": "The text is missing."}], "isError": True}
    return {"content": [{"type": "text", "text": f"Noted: {len(text)} characters."}], "isError": False}


def _failure(request_id: str | int | None, failed: _Failed, status: int) -> HttpResponse:
    error = {"code": failed.code, "message": str(failed)}
    return json_reply({"jsonrpc": "2.0", "id": request_id, "error": error}, status)
