"""Whatever a client signs, registers, hosts or says to the MCP server, the demo server gives an answer."""

from __future__ import annotations

import json
from typing import Any

from demo_conversation import ISSUER, REDIRECT_URI, Conversation, PlainSigner, request
from demo_keys import Holder, ec_key, keyed_client, public, signed
from flow_world import Entropy
from hypothesis import given, settings
from hypothesis import strategies as st

from loopback_auth.demo.features import Features
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpRequest, HttpResponse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.dictionaries(st.sampled_from(["typ", "alg", "jwk", "kid", "crit", "b64", "x5c", "cty"]), JSON)
EXAMPLES = 50
"""Signatures take their time."""
RESOURCE = f"{ISSUER}/resource"
CLIENT_ID = "https://tool.example/client"


def talking(document: bytes = b"") -> Conversation:
    """Begin with a server that wants everything at once."""
    hosted = HttpResponse(200, (("Content-Type", "application/json"),), document)
    server = DemoServer(
        ISSUER,
        entropy=Entropy(),
        signer=PlainSigner(),
        clients=[keyed_client()],
        features=Features(server_nonces=True, resource_nonces=True),
        fetch=lambda _url: hosted,
    )
    return Conversation(server)


def send(talk: Conversation, method: str, path: str, body: bytes, *headers: tuple[str, str]) -> int:
    """Send anything; the status is never that of a failure of the server."""
    status = talk.server.handle(HttpRequest(method, path, headers, body), talk.now).status
    assert 200 <= status < 500
    return status


@settings(max_examples=EXAMPLES)
@given(
    claims=st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce"]), JSON),
    header=HEADERS,
    token=st.text(max_size=20),
)
def test_proofs(claims: dict[str, Any], header: dict[str, Any], token: str) -> None:
    """With a signature that fits, and claims of any kind."""
    talk = talking()
    holder = Holder(talk.now, nonce=talk.post("/token", {}).header("dpop-nonce"))
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "loopback-auth-demo"}
    first = talk.post("/token", form, holder.proof(f"{ISSUER}/token", header=header, **claims))
    holder.nonce = talk.get("/resource").header("dpop-nonce")
    proof = holder.proof(RESOURCE, "GET", token="x", header=header, **claims)

    assert first.status == 400
    assert send(talk, "GET", "/resource", b"", ("Authorization", f"DPoP x{token}"), proof) == 401


@settings(max_examples=EXAMPLES)
@given(
    claims=st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", *request(), "resource", "max_age"]),
        JSON,
    ),
    header=HEADERS,
)
def test_assertions_and_signed_requests(claims: dict[str, Any], header: dict[str, Any]) -> None:
    """The browser is sent nowhere but to the client."""
    talk = talking()
    base = {"iss": "keyed", "sub": "keyed", "aud": ISSUER, "exp": talk.now + 60, "jti": "1"}
    compact = signed(ec_key("client"), {**base, **request(client_id="keyed"), **claims}, **header)
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    pushed = talk.post(
        "/par", {"client_assertion_type": kind, "client_assertion": compact, "request": compact}
    )
    answered = talk.get(f"/authorize?client_id=keyed&request={compact}")

    assert pushed.status in (201, 400)
    assert answered.status in (200, 303, 400)
    assert answered.status != 303 or answered.header("location").startswith(f"{REDIRECT_URI}?")


MEMBERS = st.dictionaries(
    st.sampled_from(
        [
            *("redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "client_name"),
            *("client_uri", "contacts", "scope", "application_type", "jwks", "dpop_bound_access_tokens"),
            *("client_id", "client_secret", "logo_uri", "software_id"),
        ]
    ),
    JSON | st.lists(st.sampled_from([REDIRECT_URI, "https://tool.example/cb", "code", "implicit"])),
)


@settings(max_examples=EXAMPLES)
@given(members=MEMBERS)
def test_registrations_and_documents(members: dict[str, Any]) -> None:
    """What is accepted can be read, and used at the authorization endpoint."""
    good = {"redirect_uris": [REDIRECT_URI], "jwks": {"keys": [public(ec_key("client"))]}}
    body = json.dumps(good | members).encode()
    talk = talking(json.dumps({**good, "client_id": CLIENT_ID, **members}).encode())
    kind = ("Content-Type", "application/json")
    registered = talk.server.handle(HttpRequest("POST", "/register", (kind,), body), talk.now)

    assert registered.status in (201, 400)
    send(talk, "GET", f"/authorize?client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}", b"")
    if registered.status == 201:
        made = json.loads(registered.body)
        token = ("Authorization", f"Bearer {made['registration_access_token']}")
        send(talk, "GET", f"/authorize?client_id={made['client_id']}&redirect_uri={REDIRECT_URI}", b"")
        assert send(talk, "PUT", made["registration_client_uri"], body, kind, token) in (200, 400)
        assert send(talk, "DELETE", made["registration_client_uri"], b"", token) == 204


@settings(max_examples=EXAMPLES)
@given(
    members=st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params"]), JSON),
    parameters=st.dictionaries(st.sampled_from(["name", "arguments", "protocolVersion"]), JSON),
    body=st.none() | st.binary(max_size=40),
)
def test_messages_of_the_mcp_server(
    members: dict[str, Any], parameters: dict[str, Any], body: bytes | None
) -> None:
    """Of a client that has a token."""
    talk = talking()
    token = talk.tokens(scope="mcp:read mcp:write", resource=f"{ISSUER}/mcp")["access_token"]
    authorized = ("Authorization", f"Bearer {token}")
    methods = ("initialize", "tools/call", "tools/list", "ping")
    for method in methods:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters} | members
        sent = json.dumps(message).encode() if body is None else body
        assert send(talk, "POST", "/mcp", sent, authorized) in (200, 202, 400)
