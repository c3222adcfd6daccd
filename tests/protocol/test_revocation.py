"""Giving up tokens at the server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from protocol_samples import CLIENT, ISSUER, METADATA, SECRET_CLIENT, form, json_answer, raw_answer

from loopback_auth.errors import LoopbackAuthError, RevocationError, TransportError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.revocation import (
    revocation_request,
    revocation_response,
    vendor_revocation_response,
)


def test_request_of_the_specification() -> None:
    """RFC 7009 §2.1 has this request for this client."""
    request = revocation_request(
        SECRET_CLIENT, METADATA, token="45ghiukldjahdnhzdauz", token_type_hint="refresh_token"
    )

    assert request is not None
    assert (request.method, request.url) == ("POST", f"{ISSUER}/revoke")
    assert form(request) == {"token": "45ghiukldjahdnhzdauz", "token_type_hint": "refresh_token"}
    assert request.header("authorization") == "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"


def test_public_client_names_itself() -> None:
    """RFC 7009 §2.1: the server checks that the token was issued to this client."""
    request = revocation_request(CLIENT, METADATA, token="x", token_type_hint="access_token")

    assert request is not None
    assert form(request)["client_id"] == CLIENT.client_id


def test_nothing_is_sent_without_an_endpoint() -> None:
    """A token goes to no other place in the hope that it may be right."""
    metadata = replace(METADATA, revocation_endpoint=None)

    assert revocation_request(CLIENT, metadata, token="x", token_type_hint="access_token") is None


@pytest.mark.parametrize("answer", [HttpResponse(200), HttpResponse(204), json_answer({}), raw_answer(b"[")])
def test_token_is_dead_after_success_whatever_the_body(answer: HttpResponse) -> None:
    """RFC 7009 §2.2: the content of the response body is ignored."""
    revocation_response(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json_answer({"error": "unsupported_token_type"}, 400), RevocationError),
        (json_answer({"error": "invalid_client", "error_description": "x"}, 401), RevocationError),
        (json_answer({}, 400), RevocationError),
        (json_answer({"error": 1}, 400), RevocationError),
        (HttpResponse(401, (("Content-Type", "text/html"),)), RevocationError),
        (HttpResponse(403), RevocationError),
        (HttpResponse(404, (("Content-Type", "text/html"),)), RevocationError),
        (json_answer({"error": "rate_limited"}, 429), TransportError),
        (json_answer({"error": "server_error"}, 500), TransportError),
        (HttpResponse(503, (("Retry-After", "9"),)), TransportError),
        (HttpResponse(302, (("Location", "https://other.example"),)), TransportError),
    ],
)
def test_failure_says_what_to_do(answer: HttpResponse, error: type[LoopbackAuthError]) -> None:
    """The token still lives at the server, and the person can end it there (RFC 7009 §2.2.1)."""
    with pytest.raises(error) as failure:
        revocation_response(answer)

    assert failure.value.hint


@pytest.mark.parametrize("status", [400, 401])
def test_token_that_is_none_any_more_is_no_error(status: int) -> None:
    """RFC 7009 §2.2: "the purpose of the revocation request [...] is already achieved"."""
    revocation_response(json_answer({"error": "invalid_token"}, status))


@pytest.mark.parametrize("status", [200, 202, 204, 401])
def test_vendor_is_asked_with_the_token_itself(status: int) -> None:
    """RFC 6750 §3.1: 401 says that the token is dead, and that is what was wanted."""
    vendor_revocation_response(HttpResponse(status))


@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth", "token_expired"])
def test_vendor_that_says_everything_with_200_says_that_a_token_is_dead(error: str) -> None:
    """Slack's `ok` is what counts there."""
    vendor_revocation_response(json_answer({"ok": False, "error": error}))
    vendor_revocation_response(json_answer({"ok": True, "revoked": True}))


def test_vendor_that_refuses_with_200_has_not_revoked() -> None:
    """The token lives on, whatever the status."""
    with pytest.raises(RevocationError, match="missing_scope"):
        vendor_revocation_response(json_answer({"ok": False, "error": "missing_scope"}))


@pytest.mark.parametrize(("status", "error"), [(403, RevocationError), (503, TransportError)])
def test_vendor_that_does_not_revoke_is_told(status: int, error: type[LoopbackAuthError]) -> None:
    """The token lives on."""
    with pytest.raises(error):
        vendor_revocation_response(HttpResponse(status))


def test_malformed_refusal_is_our_error() -> None:
    """No foreign exception leaves the parser; a refusal is one without words, too."""
    with pytest.raises(RevocationError, match="HTTP status 400"):
        revocation_response(raw_answer(b"[", 400))
