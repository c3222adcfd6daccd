"""Faults of the demo server around resources and registration: each breaks its own rule, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from demo_conversation import ISSUER, REDIRECT_URI, Conversation, basic, conversation, document, error

from loopback_auth.demo.faults import Faults
from loopback_auth.http_messages import HttpResponse

MEMBERS = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
MCP = f"{ISSUER}/mcp"
SOURCE = "/.well-known/oauth-protected-resource/mcp"
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


def registered(talk: Conversation) -> Any:
    """Register a client."""
    response = talk.send("POST", "/register", MEMBERS)
    assert response.status == 201
    return document(response)


def use(talk: Conversation, path: str = "/resource") -> HttpResponse:
    """Use a good token."""
    tokens = talk.tokens()
    return talk.get(path, ("Authorization", f"Bearer {tokens['access_token']}"))


def test_registration_html() -> None:
    """A proxy answers in place of the server; nothing was registered."""
    talk = conversation(Faults(registration_html=True))
    response = talk.send("POST", "/register", MEMBERS)

    assert (response.status, response.header("content-type")) == (201, "text/html; charset=utf-8")
    assert talk.server.registered == ()


def test_registration_redirect_uri() -> None:
    """The server says that it registered something else."""
    talk = conversation(Faults(registration_redirect_uri="https://evil.example/"))

    assert registered(talk)["redirect_uris"] == ["https://evil.example/"]
    assert [client.redirect_uris for client in talk.server.registered] == [(REDIRECT_URI,)]


def test_registration_secret() -> None:
    """The client has to use what it did not ask for, until it expires."""
    talk = conversation(Faults(registration_secret=86_400))
    client = registered(talk)
    client_id, secret = client["client_id"], client["client_secret"]
    tokens = document(talk.exchange(talk.code(client_id=client_id), basic(client_id, secret), client_id=None))

    assert client["token_endpoint_auth_method"] == "client_secret_basic"
    assert client["client_secret_expires_at"] == talk.now + 86_400
    assert error(talk.exchange(talk.code(client_id=client_id), client_id=client_id))[1] == "invalid_client"
    code = talk.code(client_id=client_id)
    talk.wait(86_400)
    assert tokens["token_type"] == "Bearer"
    assert error(talk.exchange(code, basic(client_id, secret), client_id=None)) == (401, "invalid_client")


def test_exact_redirect_uris() -> None:
    """The port counts, as at some servers."""
    talk = conversation(Faults(exact_redirect_uris=True))
    client_id = registered(talk)["client_id"]

    assert talk.authorize(client_id=client_id).status == 200
    other = REDIRECT_URI.replace("51234", "51235")
    assert talk.authorize(client_id=client_id, redirect_uri=other).status == 400


def test_metadata_of_the_resource() -> None:
    """They name another resource, other servers, or more of them."""
    other = document(conversation(Faults(other_resource="https://evil.example/")).get(SOURCE))
    servers = document(conversation(Faults(authorization_servers=(MCP,), other_servers=2)).get(SOURCE))
    none = document(conversation(Faults(authorization_servers=())).get(SOURCE))

    assert other["resource"] == "https://evil.example/"
    assert servers["authorization_servers"] == [f"{ISSUER}/other-1", f"{ISSUER}/other-2", MCP]
    assert none["authorization_servers"] == []


def test_without_resource_metadata() -> None:
    """An older server has a challenge, and nothing more."""
    talk = conversation(Faults(without_resource_metadata=True))
    refused = talk.send("POST", "/mcp")

    assert talk.get(SOURCE).status == 404
    assert (refused.status, "resource_metadata" in refused.header("www-authenticate")) == (401, False)
    assert "Bearer" in refused.header("www-authenticate")


def test_metadata_loop() -> None:
    """Whoever follows redirects never arrives."""
    talk = conversation(Faults(metadata_loop=True))

    assert talk.get(OAUTH).header("location") == ISSUER + OPENID


@pytest.mark.parametrize("challenge", ['Bearer realm="', "Negotiate abc==, Bearer"])
def test_challenge(challenge: str) -> None:
    """It stands in place of the right one, at resources alone."""
    talk = conversation(Faults(challenge=challenge))

    assert talk.send("POST", "/mcp").header("www-authenticate") == challenge
    assert talk.get("/userinfo").header("www-authenticate") == 'Bearer realm="demo"'
    assert use(talk).header("www-authenticate") == ""


def test_tokens_that_are_never_good_enough() -> None:
    """A client that signs in again and again would be noticed here."""
    refused = use(conversation(Faults(refuse_tokens=True)))
    narrow = use(conversation(Faults(never_enough_scope=True)))

    assert (error(refused), error(narrow)) == ((401, "invalid_token"), (403, "insufficient_scope"))
    assert use(conversation(Faults(refuse_tokens=True, never_enough_scope=True)), "/userinfo").status == 200


def test_unbound_tokens() -> None:
    """A token that was issued for no resource is good everywhere, as before RFC 8707."""

    def status(faults: Faults) -> int:
        talk = conversation(faults)
        bearer = ("Authorization", f"Bearer {talk.tokens(scope='mcp:read')['access_token']}")
        return talk.send("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "ping"}, bearer).status

    assert (status(Faults(unbound_tokens=True)), status(Faults())) == (200, 401)


def test_clock_ahead() -> None:
    """The server and its header agree, and are both wrong."""
    talk = conversation(Faults(clock_ahead=3600))
    response = talk.send("POST", "/register", MEMBERS)

    assert response.header("date") == "Mon, 12 Jan 1970 14:46:40 GMT"
    assert document(response)["client_id_issued_at"] == talk.now + 3600
    assert conversation().get(OAUTH).header("date") == ""
