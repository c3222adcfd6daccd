"""In which order a program asks a server for its registration, and what it does after a refusal."""

from __future__ import annotations

import pytest
from protocol_samples import form, json_answer
from registration_script import CLIENT, ENDPOINT, HAD, KEPT, METADATA, NEW_URI, URI, Script

from loopback_auth.errors import (
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    RegistrationError,
    TransportError,
)
from loopback_auth.flows.registration import (
    MADE_UP,
    known_to_server,
    read_registration,
    register,
    reread,
    unregister,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.records import replace


def test_registration_is_dated_when_the_server_does_not_do_it() -> None:
    """When a secret has to be replaced is judged by how long it lives."""
    server = Script(replace(json_answer({"client_id": "id-1"}, 201), received_at=77.0))
    found = server.run(register(CLIENT, METADATA, URI, name="Tool"))

    assert (found.client_id_issued_at, found.redirect_uris, found.scope) == (77.0, (URI,), "read")
    assert [(one.method, one.url) for one in server.requests] == [("POST", ENDPOINT)]


def test_scope_that_is_not_registered_is_left_out_once() -> None:
    """Keycloak and others register known scopes only, and grant more; without a scope nothing is left out."""
    refusal = json_answer({"error": "invalid_client_metadata"}, 400)
    server = Script(refusal, json_answer({"client_id": "id-1"}, 201))
    found = server.run(register(CLIENT, METADATA, URI, name="Tool"))
    again = Script(refusal, refusal)

    assert [body.get("scope") for _, body in server.sent] == ["read", None]
    assert found.scope == "read"
    with pytest.raises(RegistrationError):
        again.run(register(CLIENT, METADATA, URI, name="Tool"))
    with pytest.raises(RegistrationError):
        Script(refusal).run(register(replace(CLIENT, scope=""), METADATA, URI, name="Tool"))


def test_redirect_uri_that_is_refused_is_not_about_the_scope() -> None:
    """A second request would say the same."""
    server = Script(json_answer({"error": "invalid_redirect_uri"}, 400))

    with pytest.raises(RegistrationError, match="invalid_redirect_uri"):
        server.run(register(CLIENT, METADATA, URI, name="Tool"))


def test_server_without_registration_is_not_asked() -> None:
    """The hint says to give a client ID."""
    server = Script()

    with pytest.raises(EndpointMissing) as caught:
        server.run(register(CLIENT, replace(METADATA, document={}), URI, name="Tool"))

    assert caught.value.parameter == "client_id"


def test_registration_that_fits_is_read_and_not_changed() -> None:
    """RFC 7592 §2.1: the server may have another secret by now, which takes the place of the kept one."""
    secret = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "new"}
    server = Script(json_answer({**HAD, **secret, "client_secret_expires_at": 0}))
    found = server.run(reread(CLIENT, METADATA, KEPT, URI))

    assert found == replace(KEPT, client_auth="client_secret_basic", client_secret="new")
    assert [method for method, _ in server.sent] == ["GET"]


def test_redirect_uri_and_scope_are_added_to_what_is_there() -> None:
    """RFC 7592 §2.2: an update replaces everything, so all that was read is sent again."""
    client = replace(CLIENT, scope="write")
    changed = {**HAD, "redirect_uris": [NEW_URI, URI], "scope": "read write"}
    server = Script(json_answer(HAD), json_answer(changed))
    found = server.run(reread(client, METADATA, KEPT, NEW_URI))

    assert found == replace(KEPT, redirect_uris=(NEW_URI, URI), scope="read write")
    assert server.sent == [("GET", {}), ("PUT", changed)]


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(403),
        HttpResponse(405),
        HttpResponse(401),
        json_answer(HAD),
        json_answer({"error": "invalid_redirect_uri"}, 400),
        TransportError("no answer"),
    ],
)
def test_what_was_read_is_kept_when_the_update_fails(answer: HttpResponse | LoopbackAuthError) -> None:
    """The token that came with the read is the only valid one by then (RFC 7592 §2.1)."""
    rotated = {**HAD, "registration_access_token": "reg-2", "registration_client_uri": f"{ENDPOINT}/id-1"}
    found = Script(json_answer(rotated), answer).run(reread(CLIENT, METADATA, KEPT, NEW_URI))

    assert found == replace(KEPT, registration_access_token="reg-2")


@pytest.mark.parametrize("status", [401, 404])
def test_forgotten_registration_is_none(status: int) -> None:
    """RFC 7592 §2.1: 401 for a client that does not exist."""
    assert Script(HttpResponse(status)).run(reread(CLIENT, METADATA, KEPT, URI)) is None
    assert Script(HttpResponse(status)).run(read_registration(KEPT)) is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HttpResponse(403), RegistrationError),
        (HttpResponse(503), TransportError),
        (json_answer({"client_id": "other"}), MalformedResponse),
    ],
)
def test_registration_that_cannot_be_read_is_an_error(
    answer: HttpResponse, error: type[LoopbackAuthError]
) -> None:
    """It says nothing about whether the client is known."""
    with pytest.raises(error):
        Script(answer).run(read_registration(KEPT))


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (json_answer({"error": "invalid_grant"}, 400), True),
        (json_answer({"error": "invalid_client"}, 401), False),
        (json_answer({"error": "invalid_client"}, 400), False),
        (json_answer({"error": "unauthorized_client"}, 401), False),
        (json_answer({"error": "unauthorized_client"}, 400), True),
        (json_answer({"error": "use_dpop_nonce"}, 400), True),
        (json_answer({"error": "invalid_request"}, 400), True),
        (HttpResponse(401), True),
        (HttpResponse(404), True),
        (HttpResponse(503), True),
        (TransportError("no answer"), True),
    ],
)
def test_rfc6749_5_2_token_endpoint_says_whether_it_knows_the_client(
    answer: HttpResponse | LoopbackAuthError, known: bool
) -> None:
    """RFC 6749 §5.2: invalid_client; in doubt the registration is used, for a new one each time is worse."""
    server = Script(answer)

    assert server.run(known_to_server(replace(CLIENT, client_id="id-1"), METADATA)) is known
    sent = form(server.requests[0])
    assert (sent["client_id"], sent["code"], sent["grant_type"]) == ("id-1", MADE_UP, "authorization_code")
    assert code_challenge(sent["code_verifier"])


@pytest.mark.parametrize(("status", "gone"), [(204, True), (404, True), (405, False)])
def test_client_is_deleted_where_that_is_offered(status: int, gone: bool) -> None:
    """RFC 7592 §2.3."""
    server = Script(HttpResponse(status))

    assert server.run(unregister(KEPT)) is gone
    assert [one.method for one in server.requests] == ["DELETE"]


def test_client_without_an_address_is_not_deleted() -> None:
    """RFC 7591 alone offers no deletion, and no address is made up."""
    assert Script().run(unregister(replace(KEPT, registration_client_uri=""))) is False
