"""The demo server's protected resources: whom they admit, and what a refusal tells a client."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from demo_conversation import ISSUER, Conversation, conversation, document, error, query, request

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.challenge import challenges

MCP = f"{ISSUER}/mcp"
RESOURCE = f"{ISSUER}/resource"
SOURCE = "/.well-known/oauth-protected-resource"


def bearer(token: str) -> tuple[str, str]:
    """Write the header of an access token."""
    return "Authorization", f"Bearer {token}"


def asked(response: HttpResponse) -> dict[str, str]:
    """Read the parameters of the challenge."""
    [challenge] = challenges(response.header("www-authenticate"))
    return dict(challenge.parameters)


def token(talk: Conversation, scope: str = "mcp:read", resource: str = MCP) -> str:
    """Sign in, and return the access token."""
    issued: str = talk.tokens(scope=scope, resource=resource or None)["access_token"]
    return issued


def rpc(talk: Conversation, access_token: str, method: str, **parameters: object) -> HttpResponse:
    """Send one message to the MCP server."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    return talk.send("POST", "/mcp", message, bearer(access_token))


@pytest.mark.parametrize("path", ["/mcp", "/resource"])
def test_rfc9728_5_1_challenge_leads_to_the_authorization_server(path: str) -> None:
    """A client that knows nothing but the address of a resource finds where to sign in."""
    talk = conversation()
    refused = talk.send("POST", path)
    published = document(talk.get(asked(refused)["resource_metadata"]))

    assert refused.status == 401
    assert asked(refused)["resource_metadata"] == f"{ISSUER}{SOURCE}{path}"
    assert published["resource"] == ISSUER + path
    assert published["authorization_servers"] == [ISSUER]


def test_challenge_of_the_mcp_server_names_its_scope() -> None:
    """The first sign-in asks for what is needed, and for no more (RFC 6750 §3)."""
    refused = conversation().send("POST", "/mcp")

    assert (asked(refused)["scope"], "error" in asked(refused)) == ("mcp:read", False)


@pytest.mark.parametrize(
    ("resource", "mcp", "plain"),
    [(MCP, 200, 401), (RESOURCE, 401, 200), ("", 401, 200), ("https://other.example/", 401, 401)],
)
def test_rfc8707_2_token_is_for_its_resource_alone(resource: str, mcp: int, plain: int) -> None:
    """A server that was given a token must not be able to use it at another one."""
    talk = conversation()
    access_token = token(talk, resource=resource)
    answers = rpc(talk, access_token, "ping"), talk.get("/resource", bearer(access_token))

    assert [answer.status for answer in answers] == [mcp, plain]
    assert {asked(answer)["error"] for answer in answers if answer.status == 401} <= {"invalid_token"}


def test_rfc8707_2_2_token_request_narrows_the_resources() -> None:
    """One grant for two resources gives a token for each, and none for a third."""
    talk = conversation()
    asked_for = [*request(scope="mcp:read").items(), ("resource", MCP), ("resource", RESOURCE)]
    step = talk.browse(f"{ISSUER}/authorize?{urlencode(asked_for)}")
    granted = document(talk.exchange(query(step.url)["code"][0], resource=MCP))
    both = document(talk.refresh(granted["refresh_token"]))
    refused = talk.refresh(both["refresh_token"], resource="https://other.example/")

    def statuses(access_token: str) -> list[int]:
        answers = rpc(talk, access_token, "ping"), talk.get("/resource", bearer(access_token))
        return [answer.status for answer in answers]

    assert (statuses(granted["access_token"]), statuses(both["access_token"])) == ([200, 401], [200, 200])
    assert error(refused) == (400, "invalid_target")


def test_mcp_server_speaks_to_a_client() -> None:
    """What a client does first: initialise, list the tools, call one."""
    talk = conversation()
    access_token = token(talk)
    first = document(rpc(talk, access_token, "initialize", protocolVersion="2025-06-18"))
    ready = talk.send(
        "POST", "/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, bearer(access_token)
    )
    tools = document(rpc(talk, access_token, "tools/list"))["result"]["tools"]
    called = document(rpc(talk, access_token, "tools/call", name="whoami"))["result"]["content"]

    assert (first["id"], first["result"]["protocolVersion"]) == (1, "2025-06-18")
    assert (ready.status, ready.body) == (202, b"")
    assert [tool["name"] for tool in tools] == ["whoami", "write"]
    assert json.loads(called[0]["text"]) == {
        "sub": "demo-1",
        "email": "demo@example.com",
        "scope": "mcp:read",
    }


def test_unknown_version_is_answered_with_ours() -> None:
    """Client and server agree on what both speak (Model Context Protocol, Lifecycle)."""
    talk = conversation()
    first = document(rpc(talk, token(talk), "initialize", protocolVersion="1999-01-01"))

    assert first["result"]["protocolVersion"] == "2025-11-25"


def test_rfc6750_3_1_writing_needs_more_scope() -> None:
    """The challenge names all that the call needs, so that one step-up is enough."""
    talk = conversation()
    refused = rpc(talk, token(talk), "tools/call", name="write", arguments={"text": "x"})
    wide = token(talk, scope="mcp:read mcp:write")
    written = rpc(talk, wide, "tools/call", name="write", arguments={"text": "x"})

    assert error(refused) == (403, "insufficient_scope")
    assert (asked(refused)["error"], asked(refused)["scope"]) == ("insufficient_scope", "mcp:read mcp:write")
    assert document(written)["result"]["isError"] is False


def test_token_without_the_first_scope_is_not_let_in() -> None:
    """The server demands its scope before it looks at the message."""
    talk = conversation()
    refused = rpc(talk, token(talk, scope="profile"), "ping")

    assert (refused.status, asked(refused)["scope"]) == (403, "mcp:read")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32700),
        (b"\xff", 400, -32700),
        (b"[" * 60_000, 400, -32700),
        (b"[]", 400, -32600),
        (b"7", 400, -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 200, -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}', 200, -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}', 200, -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 7}}', 200, -32602),
    ],
)
def test_bad_messages(body: bytes, status: int, code: int) -> None:
    """Each is refused in the form of JSON-RPC 2.0 §5.1."""
    talk = conversation()
    request = HttpRequest("POST", "/mcp", (bearer(token(talk)),), body)
    response = talk.server.handle(request, talk.now)

    assert (response.status, document(response)["error"]["code"]) == (status, code)


@pytest.mark.parametrize("arguments", [None, [], {"text": ""}, {"text": 7}, {}])
def test_tool_reports_what_it_was_called_with(arguments: Any) -> None:
    """A model can correct its own call, so this is a result and no error of the protocol."""
    talk = conversation()
    wide = token(talk, scope="mcp:read mcp:write")
    answer = rpc(talk, wide, "tools/call", name="write", arguments=arguments)

    assert document(answer)["result"]["isError"] is True


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (("Origin", "https://evil.example"), 403),
        (("Origin", "null"), 403),
        (("Origin", ISSUER), 200),
        (("MCP-Protocol-Version", "2026-99-99"), 400),
        (("MCP-Protocol-Version", "2025-06-18"), 200),
    ],
)
def test_headers_of_the_transport(header: tuple[str, str], status: int) -> None:
    """Pages of other sites are kept out, also those with a token, and so are unknown versions."""
    talk = conversation()
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

    assert talk.send("POST", "/mcp", message, bearer(token(talk)), header).status == status


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_mcp_server_without_streams_and_sessions(method: str) -> None:
    """It says so to clients that have a token; the others need one first."""
    talk = conversation()
    answered = talk.send(method, "/mcp", None, bearer(token(talk)))

    assert (answered.status, answered.header("allow")) == (405, "POST")
    assert "resource_metadata" in asked(talk.send(method, "/mcp"))


def test_consent_page_shows_the_resource() -> None:
    """A person approves access to one place, and can read which."""
    seen: list[bytes] = []
    talk = conversation()
    handle = talk.server.handle

    def noted(request: HttpRequest, now: float) -> HttpResponse:
        answer = handle(request, now)
        seen.append(answer.body)
        return answer

    talk.server.handle = noted  # type: ignore[method-assign]
    token(talk)

    assert any(MCP.encode() in body and b"Allow access?" in body for body in seen)
