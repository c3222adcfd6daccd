"""A registration is read, changed and deleted where the server offers that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from protocol_samples import json_answer, raw_answer

from loopback_auth.errors import LoopbackAuthError, MalformedResponse, RegistrationError, TransportError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.registration_management import (
    MOST_URIS,
    deletion_response,
    is_forgotten,
    management_request,
    management_response,
    update_request,
    with_redirect_uri,
)
from loopback_auth.registration import Registration

ISSUER = "https://server.example.com"
URI = "https://server.example.com/register/s6BhdRkqt3"
TOKEN = "reg-23410913-abewfq.123483"
KEPT = Registration(
    ISSUER,
    "s6BhdRkqt3",
    ("https://client.example.org/callback", "https://client.example.org/callback2"),
    client_auth="client_secret_basic",
    client_secret="cf136dc3c1fc93f31185e5885805d",
    client_secret_expires_at=2893276800,
    client_id_issued_at=2893256800,
    registration_client_uri=URI,
    registration_access_token=TOKEN,
)
EXAMPLE = {
    "registration_access_token": TOKEN,
    "registration_client_uri": URI,
    "client_id": "s6BhdRkqt3",
    "client_secret": "cf136dc3c1fc93f31185e5885805d",
    "client_id_issued_at": 2893256800,
    "client_secret_expires_at": 2893276800,
    "client_name": "My Example Client",
    "client_name#ja-Jpan-JP": "クライアント名",
    "redirect_uris": ["https://client.example.org/callback", "https://client.example.org/callback2"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "client_secret_basic",
    "logo_uri": "https://client.example.org/logo.png",
    "jwks_uri": "https://client.example.org/my_public_keys.jwks",
    "policy_uri": None,
}
"""The response of RFC 7592 §3, and a member that is null."""


def test_rfc7592_2_1_read_request_of_the_specification() -> None:
    """RFC 7592 §2.1: a GET of the address as it was given, with the registration access token."""
    request = management_request(KEPT, "GET")

    assert (request.method, request.url, request.body) == ("GET", URI, b"")
    assert request.header("authorization") == f"Bearer {TOKEN}"
    assert TOKEN not in repr(request)


def test_rfc7592_2_3_delete_request_of_the_specification() -> None:
    """RFC 7592 §2.3: a DELETE of the same."""
    request = management_request(KEPT, "DELETE")

    assert (request.method, request.url) == ("DELETE", URI)
    assert request.header("authorization") == f"Bearer {TOKEN}"


def test_rfc7592_2_2_update_has_all_members_but_four() -> None:
    """RFC 7592 §2.2: what is left out would be deleted, and four members MUST NOT be sent."""
    request = update_request(KEPT, EXAMPLE, {"redirect_uris": ["http://127.0.0.1:1/callback"]})
    sent = json.loads(request.body)

    assert (request.method, request.url) == ("PUT", URI)
    assert request.header("content-type") == "application/json"
    assert request.header("authorization") == f"Bearer {TOKEN}"
    assert sent == {
        "client_id": "s6BhdRkqt3",
        "client_secret": "cf136dc3c1fc93f31185e5885805d",
        "client_name": "My Example Client",
        "client_name#ja-Jpan-JP": "クライアント名",
        "redirect_uris": ["http://127.0.0.1:1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic",
        "logo_uri": "https://client.example.org/logo.png",
        "jwks_uri": "https://client.example.org/my_public_keys.jwks",
    }


def test_rfc7592_2_2_client_id_and_secret_are_the_issued_ones() -> None:
    """RFC 7592 §2.2: client_id MUST be there and be the same, and a secret MUST match the issued one."""
    sent = json.loads(update_request(KEPT, {"client_id": "x", "client_secret": "y"}, {}).body)
    public = json.loads(update_request(replace(KEPT, client_secret=None), {"client_id": "x"}, {}).body)

    assert sent == {"client_id": "s6BhdRkqt3", "client_secret": "cf136dc3c1fc93f31185e5885805d"}
    assert public == {"client_id": "s6BhdRkqt3"}


def test_redirect_uris_are_added_and_bounded() -> None:
    """A sign-in that is under way on another port must come back, and the list must not grow for ever."""
    registration = replace(KEPT, redirect_uris=())
    for port in range(1, MOST_URIS + 1):
        uris = with_redirect_uri(registration, f"http://127.0.0.1:{port}/callback")
        assert uris is not None
        registration = replace(registration, redirect_uris=tuple(uris))

    assert registration.redirect_uris[0].endswith(f":{MOST_URIS}/callback")
    assert len(registration.redirect_uris) == MOST_URIS
    assert with_redirect_uri(registration, "http://127.0.0.1:99/callback") is None


def test_rfc7592_3_response_of_the_specification() -> None:
    """RFC 7592 §3 has this answer to the request of §2.1."""
    found, members = management_response(json_answer(EXAMPLE), KEPT, {})

    assert found.registration == KEPT
    assert found.warnings == ()
    assert members == EXAMPLE


def test_rfc7592_2_2_new_secret_and_token_take_the_place_of_the_old_ones() -> None:
    """RFC 7592 §2.1, §2.2: the client MUST discard the previous ones immediately."""
    rotated = {**EXAMPLE, "client_secret": "new", "registration_access_token": "reg-2"}
    del rotated["client_secret_expires_at"]
    found = management_response(json_answer(rotated), KEPT, {})[0].registration

    assert (found.client_secret, found.client_secret_expires_at) == ("new", None)
    assert found.registration_access_token == "reg-2"


def test_what_a_server_does_not_repeat_stays() -> None:
    """Some show the secret once only."""
    found = management_response(json_answer({"client_id": KEPT.client_id}), KEPT, {})[0].registration

    assert found == KEPT


@pytest.mark.parametrize("status", [401, 404, 410])
def test_rfc7592_2_1_client_that_does_not_exist(status: int) -> None:
    """RFC 7592 §2.1: the server MUST answer 401; others answer that there is nothing."""
    assert is_forgotten(HttpResponse(status))
    assert not is_forgotten(HttpResponse(403))
    assert deletion_response(HttpResponse(status))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HttpResponse(403), RegistrationError),
        (HttpResponse(405), RegistrationError),
        (json_answer({"error": "invalid_client_metadata"}, 400), RegistrationError),
        (HttpResponse(503), TransportError),
        (json_answer({}), MalformedResponse),
        (json_answer({**EXAMPLE, "client_id": "other"}), MalformedResponse),
        (json_answer({**EXAMPLE, "token_endpoint_auth_method": "x"}), MalformedResponse),
        (json_answer(EXAMPLE, 302), MalformedResponse),
        (raw_answer(b"<html>", 200, ("Content-Type", "text/html")), MalformedResponse),
    ],
)
def test_answer_that_is_not_this_registration(answer: HttpResponse, error: type[LoopbackAuthError]) -> None:
    """RFC 7592 §2.2: client_id MUST be the issued one; nothing else takes its place."""
    with pytest.raises(error):
        management_response(answer, KEPT, {})


@pytest.mark.parametrize(
    "changes", [{"redirect_uris": ["https://evil.example/"]}, {"redirect_uris": []}, {"grant_types": ["x"]}]
)
def test_update_that_the_server_has_changed_is_refused(changes: Mapping[str, object]) -> None:
    """RFC 7592 §2.2: a server may replace values, and returns what it has."""
    asked = {"redirect_uris": ["http://127.0.0.1:1/callback"], "grant_types": ["authorization_code"]}

    with pytest.raises(MalformedResponse):
        management_response(json_answer({**EXAMPLE, **changes}), KEPT, asked)


def test_redirect_uris_that_a_server_adds_are_not_ours() -> None:
    """As at the registration: a server must not choose where we listen."""
    added = {**EXAMPLE, "redirect_uris": ["http://127.0.0.1:6000/callback", *KEPT.redirect_uris[:1]]}
    found = management_response(json_answer(added), KEPT, {})[0].registration

    assert found.redirect_uris == KEPT.redirect_uris[:1]


def test_token_is_not_sent_to_where_an_answer_points() -> None:
    """RFC 7592 §5: a bearer token stays with its server, also when an answer names another address."""
    moved = {**EXAMPLE, "registration_client_uri": "https://evil.example/register"}
    found = management_response(json_answer(moved), KEPT, {})[0]

    assert (found.registration.registration_client_uri, len(found.warnings)) == ("", 1)


@pytest.mark.parametrize(("status", "gone"), [(204, True), (200, True), (405, False), (501, False)])
def test_rfc7592_2_3_answers_to_a_deletion(status: int, gone: bool) -> None:
    """RFC 7592 §2.3: 204, and 405 where it is not offered."""
    assert deletion_response(HttpResponse(status)) is gone


@pytest.mark.parametrize(
    ("status", "error"), [(400, RegistrationError), (403, RegistrationError), (503, TransportError)]
)
def test_deletion_that_fails_is_said(status: int, error: type[LoopbackAuthError]) -> None:
    """A user who wants the client gone has to know that it is not."""
    with pytest.raises(error):
        deletion_response(HttpResponse(status))
