"""Clients that register themselves at the demo server, and manage what they registered."""

from __future__ import annotations

from typing import Any

import pytest
from demo_conversation import (
    ISSUER,
    REDIRECT_URI,
    Conversation,
    basic,
    conversation,
    document,
    error,
    hidden,
)
from flow_world import Entropy

from loopback_auth.demo.features import Features
from loopback_auth.demo.server import DemoServer

NATIVE = {
    "redirect_uris": [REDIRECT_URI],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "client_name": "A <b>tool</b>",
    "application_type": "native",
}


def register(talk: Conversation, **changes: object) -> Any:
    """Register a client, and return the client information response."""
    response = talk.send("POST", "/register", NATIVE | changes)
    assert response.status == 201, response.body
    return document(response)


def manage(talk: Conversation, method: str, of: Any, members: object = None, token: str = "") -> Any:
    """Make a request to the client configuration endpoint."""
    header = ("Authorization", f"Bearer {token or of['registration_access_token']}")
    return talk.send(method, of["registration_client_uri"], members, header)


def test_rfc7591_3_2_1_answer_has_everything_that_was_registered() -> None:
    """The client checks what it got, and keeps what it needs later."""
    talk = conversation()
    registered = register(talk, unknown="left out", contacts=["a@example.com"], software_id="x")

    assert {name: registered[name] for name in NATIVE} == NATIVE
    assert "unknown" not in registered
    assert "client_secret" not in registered
    assert (registered["client_id_issued_at"], registered["contacts"]) == (int(talk.now), ["a@example.com"])


def test_registered_client_signs_in() -> None:
    """That is what it registers for."""
    talk = conversation()
    client_id = register(talk)["client_id"]
    code = talk.code(client_id=client_id)
    tokens = document(talk.exchange(code, client_id=client_id))

    assert talk.userinfo(tokens["access_token"]).status == 200
    assert talk.refresh(tokens["refresh_token"], client_id=client_id).status == 200


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", None])
def test_secret_is_issued_and_demanded(method: str | None) -> None:
    """The default of RFC 7591 §2 is client_secret_basic."""
    talk = conversation()
    changes = {} if method is None else {"token_endpoint_auth_method": method}
    members = {name: value for name, value in NATIVE.items() if name != "token_endpoint_auth_method"}
    registered = document(talk.send("POST", "/register", members | changes))
    client_id, secret = registered["client_id"], registered["client_secret"]
    code = talk.code(client_id=client_id)

    assert registered["client_secret_expires_at"] == 0
    assert error(talk.exchange(code, client_id=client_id)) == (400, "invalid_client")
    if method == "client_secret_post":
        answer = talk.exchange(code, client_id=client_id, client_secret=secret)
    else:
        answer = talk.exchange(code, basic(client_id, secret), client_id=None)
    assert answer.status == 200


def test_grant_that_was_not_registered_is_refused() -> None:
    """Without `grant_types` a client has the code grant alone (RFC 7591 §2)."""
    talk = conversation()
    members = {name: value for name, value in NATIVE.items() if name != "grant_types"}
    client_id = document(talk.send("POST", "/register", members))["client_id"]
    tokens = document(talk.exchange(talk.code(client_id=client_id), client_id=client_id))

    assert "refresh_token" not in tokens
    form = {"client_id": client_id}
    assert error(talk.post("/device_authorization", form)) == (400, "unauthorized_client")
    refused = talk.authorize(client_id=client_id, response_type="token").header("location")
    assert "error=unauthorized_client" in refused


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": REDIRECT_URI}, "invalid_redirect_uri"),
        ({"redirect_uris": [7]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://tool.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["my-tool:/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [f"{REDIRECT_URI}#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://127.0.0.1:99999/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://[::1/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://a@127.0.0.1/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://h.example/\n"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [REDIRECT_URI] * 21}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "magic"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": ["none"]}, "invalid_client_metadata"),
        ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"response_types": ["magic"]}, "invalid_client_metadata"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"client_name": "a\u202eb"}, "invalid_client_metadata"),
        ({"client_name": "x" * 3000}, "invalid_client_metadata"),
        ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"contacts": "a@example.com"}, "invalid_client_metadata"),
        ({"scope": ["profile"]}, "invalid_client_metadata"),
        ({"application_type": "browser"}, "invalid_client_metadata"),
    ],
)
def test_rfc7591_3_2_2_bad_metadata_is_refused(changes: dict[str, object], code: str) -> None:
    """A client that says something strange is told which half of it."""
    assert error(conversation().send("POST", "/register", NATIVE | changes)) == (400, code)


@pytest.mark.parametrize("members", [None, [], "x", 7])
def test_body_that_is_no_object(members: object) -> None:
    """Nothing was said, so nothing is registered."""
    response = conversation().send("POST", "/register", members)

    assert response.status == 400


def test_name_of_a_client_is_shown_as_unverified_text() -> None:
    """Anybody can register as anything (RFC 7591 §5)."""
    talk = conversation()
    client_id = register(talk)["client_id"]
    page = talk.authorize(client_id=client_id)
    form = {"interaction": hidden(page), "account": "demo-1"}
    consent = talk.post("/sign-in", form).body.decode()

    assert "A &lt;b&gt;tool&lt;/b&gt;" in consent
    assert "<b>tool" not in consent + page.body.decode()
    assert client_id in consent
    assert "has not verified it" in consent


def test_rfc7592_2_1_read() -> None:
    """A client can ask what it is registered with."""
    talk = conversation()
    registered = register(talk)

    assert document(manage(talk, "GET", registered)) == registered


def test_rfc7592_2_2_update() -> None:
    """An update replaces everything but the ID, and keeps the secret."""
    talk = conversation()
    registered = register(talk, token_endpoint_auth_method="client_secret_post")
    client_id = registered["client_id"]
    wanted = NATIVE | {
        "client_id": client_id,
        "token_endpoint_auth_method": "client_secret_post",
        "client_name": "Renamed",
        "redirect_uris": ["http://127.0.0.1/other"],
    }
    updated = document(manage(talk, "PUT", registered, wanted))

    assert (updated["client_name"], updated["client_secret"]) == ("Renamed", registered["client_secret"])
    assert talk.authorize(client_id=client_id).status == 400
    assert talk.authorize(client_id=client_id, redirect_uri="http://127.0.0.1:5/other").status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"client_id": "another"},
        {"client_id": "ID", "client_secret": "made up"},
        {"client_id": "ID", "registration_access_token": "x"},
        {"client_id": "ID", "client_secret_expires_at": 0},
        {"client_id": "ID", "redirect_uris": []},
    ],
)
def test_rfc7592_2_2_bad_update_changes_nothing(changes: dict[str, object]) -> None:
    """A client cannot choose its own ID, secret or token."""
    talk = conversation()
    registered = register(talk)
    wanted = {name: registered["client_id"] if value == "ID" else value for name, value in changes.items()}

    assert manage(talk, "PUT", registered, NATIVE | wanted).status == 400
    assert document(manage(talk, "GET", registered)) == registered


def test_rfc7592_2_3_delete_ends_the_grants() -> None:
    """Nothing of a client is left that does not want to be known any more."""
    talk = conversation()
    registered = register(talk)
    client_id = registered["client_id"]
    tokens = document(talk.exchange(talk.code(client_id=client_id), client_id=client_id))
    deleted = manage(talk, "DELETE", registered)

    assert (deleted.status, deleted.body) == (204, b"")
    assert talk.userinfo(tokens["access_token"]).status == 401
    assert talk.authorize(client_id=client_id).status == 400
    assert manage(talk, "GET", registered).status == 401


@pytest.mark.parametrize("token", ["wrong", " ", "\xe9"])
def test_rfc7592_2_token_is_demanded(token: str) -> None:
    """The address alone gives no power, nor does the token of another registration."""
    talk = conversation()
    registered, another = register(talk), register(talk)

    for wrong in (token, another["registration_access_token"]):
        assert manage(talk, "DELETE", registered, token=wrong).status == 401
    assert talk.get(registered["registration_client_uri"]).status == 401
    assert manage(talk, "GET", registered).status == 200


def test_client_given_to_the_server_cannot_be_managed() -> None:
    """It was not registered here, and has no token."""
    response = conversation().get("/register/loopback-auth-demo", ("Authorization", "Bearer "))

    assert response.status == 401


def test_forgotten_registrations() -> None:
    """A server that lost them knows nobody, but registers again."""
    talk = conversation()
    registered = register(talk)
    talk.server.forget_registrations()

    assert talk.authorize(client_id=registered["client_id"]).status == 400
    assert manage(talk, "GET", registered).status == 401
    assert register(talk)["client_id"] != registered["client_id"]


def test_server_without_registration() -> None:
    """Then it is not announced, and not there."""
    talk = Conversation(DemoServer(ISSUER, entropy=Entropy(), features=Features(registration=False)))

    assert "registration_endpoint" not in talk.server.metadata()
    assert talk.send("POST", "/register", NATIVE).status == 404
