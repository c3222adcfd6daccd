"""What goes into headers, and what a line is: the rules of MCP, one by one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.proxy.mcp_messages import Lines, NotAMessage, error_line, read_message
from loopback_auth.proxy.mcp_session import McpSession, header_annotations, header_value


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    names = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "_meta"])
    return st.lists(inner) | st.dictionaries(names, inner | st.just("2.0"))


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("us-west1", "us-west1"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ("two words", "two words"),
        ("", ""),
        ("a\r\nAuthorization: x", "=?base64?YQ0KQXV0aG9yaXphdGlvbjogeA==?="),
        ("\ud800", "=?base64?Pw==?="),
    ],
)
def test_mcp_2026_value_encoding_examples(value: str, encoded: str) -> None:
    """Those of the specification; and what could begin another header cannot."""
    assert header_value(value) == encoded


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"properties": {"a": {"type": "string", "x-mcp-header": ""}}}, id="empty"),
        pytest.param({"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}}, id="no token"),
        pytest.param({"properties": {"a": {"type": "string", "x-mcp-header": "a\r\nb"}}}, id="line break"),
        pytest.param({"properties": {"a": {"type": "string", "x-mcp-header": 1}}}, id="no text"),
        pytest.param({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}, id="number"),
        pytest.param({"properties": {"a": {"type": "object", "x-mcp-header": "A"}}}, id="object"),
        pytest.param({"properties": {"a": {"x-mcp-header": "A"}}}, id="no type"),
        pytest.param({"type": "string", "x-mcp-header": "A"}, id="root"),
        pytest.param(
            {
                "properties": {
                    "a": {"type": "string", "x-mcp-header": "A"},
                    "b": {"type": "string", "x-mcp-header": "a"},
                }
            },
            id="twice",
        ),
        pytest.param(
            {"properties": {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}},
            id="items",
        ),
        pytest.param({"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]}, id="anyOf"),
        pytest.param({"$defs": {"a": {"type": "string", "x-mcp-header": "A"}}}, id="behind a reference"),
    ],
)
def test_mcp_2026_schema_extension_constraints(schema: object) -> None:
    """Clients MUST reject a tool whose definition violates one of them."""
    assert header_annotations(schema) is None


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}, {("a",): "A"}),
        ({"properties": {"x-mcp-header": {"type": "string"}}}, {}),
        ({"properties": {"a": {"default": {"x-mcp-header": "data"}}}}, {}),
        (None, {}),
        ("text", {}),
    ],
)
def test_mcp_2026_schema_extension_is_found(schema: object, found: object) -> None:
    """A parameter may have the name of the annotation."""
    assert header_annotations(schema) == found


@pytest.mark.parametrize("value", [None, 1.5, 2**53, [], {}])
def test_mcp_2026_values_without_a_header(value: object) -> None:
    """Null MUST be left out, and what has no text form cannot be in a header."""
    session = McpSession()
    tool = {"name": "t", "inputSchema": {"properties": {"a": {"type": "integer", "x-mcp-header": "A"}}}}
    listed = {"jsonrpc": "2.0", "id": 1, "result": {"tools": [tool, 7, {"name": 1}]}}
    answer = read_message(_json(listed))
    assert session.without_wrong_tools(answer) == (None, [])
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    params = {"name": "t", "arguments": {"a": value}, "_meta": meta}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}

    assert "Mcp-Param-A" not in session.headers(read_message(_json(call)))


@pytest.mark.parametrize("session_id", ["", "two words", "a\r\nb", "é", "x" * 5000])
def test_mcp_session_id_is_visible_ascii(session_id: str) -> None:
    """It MUST only contain visible ASCII characters; another one is not sent back."""
    session = McpSession()
    request = read_message(b'{"jsonrpc":"2.0","id":1,"method":"initialize"}')
    answer = read_message(b'{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}')
    session.begun(request, answer, session_id)

    assert session.headers() == {"MCP-Protocol-Version": "2025-06-18"}


def test_message_is_passed_on_as_it_was_written() -> None:
    """Numbers, order and spelling are for the two ends; only line breaks go (MCP, stdio)."""
    text = b'{"jsonrpc" : "2.0",\r\n "id":1.0, "method":"x", "params":{"n":1e400, "s":"\\u00e9"}}'

    assert read_message(text).text == text.replace(b"\r\n", b"  ")


def _read(value: object) -> bytes:
    """Read a message, or return how one that is none is answered."""
    try:
        return read_message(_json(value)).text
    except NotAMessage as exc:
        return error_line(exc.id, exc.code, str(exc)).rstrip(b"\n")


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), _nested, max_leaves=8)
)
def test_anything_is_a_message_or_is_answered(value: object) -> None:
    """Nothing else is raised, and each is one line, which is a message."""
    line = _read(value)

    assert b"\n" not in line
    assert read_message(line).text == line


@given(st.lists(st.sampled_from([b"a", b"bb", b"\n", b"\r\n", b" "])))
def test_lines_do_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    """However the pipe cuts them."""
    whole, cut = Lines(), Lines()
    text = b"".join(pieces)
    expected = [*whole.feed(text), *whole.end()]

    assert [line for piece in pieces for line in cut.feed(piece)] + list(cut.end()) == expected
    assert expected == [line for line in text.split(b"\n") if line.strip()]


def test_line_that_is_too_long_is_told_once() -> None:
    """And is not held; the next one is found."""
    lines = Lines(limit=10)

    assert [line for piece in [b"x" * 8] * 100 + [b"\n", b"y\n"] for line in lines.feed(piece)] == [
        None,
        b"y",
    ]
