"""What may be told of a sign-in: every secret is a label, in events, refusals and errors as in traces."""

from __future__ import annotations

import json

import pytest

from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import ProtocolError, TokenError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.trace.redactor import Redactor


def test_vendors_own_names_are_told_as_tickets() -> None:
    """A reader follows the id of a ticket from `--verbose` to `compare` and `explain` by its label."""
    redactor = Redactor()
    created = HttpResponse(201, (("Content-Type", "application/json"),), b'{"id": "0123456789abcdef"}')
    redactor.clean_response(created, ("id", "data.access_token"))
    polled = HttpRequest("GET", "https://id.example/tickets/0123456789abcdef")
    told = redactor.exchanged(polled, created, step="ticket status request", seconds=0.1)

    assert told.url == "https://id.example/tickets/<ticket#1>"
    assert told.response == '{"id": "<ticket#1>"}'


def test_byte_order_mark_hides_nothing() -> None:
    """RFC 8259 §8.1 lets a parser pass over it, and ours does: what it reads has to be learnt, too."""
    redactor = Redactor()
    body = b'\xef\xbb\xbf{"access_token": "0123456789abcdef"}'
    answer = HttpResponse(200, (("Content-Type", "application/json"),), body)
    redactor.clean_response(answer, ())
    told = redactor.exchanged(HttpRequest("GET", "https://id.example/"), answer, step="poll", seconds=0.1)
    error = ProtocolError("0123456789abcdef was sent", source="RFC 6749 §5.1")
    redactor.clean_error(error)

    assert told.response == '{"access_token": "<access_token#1>"}'
    assert error.message.startswith("<access_token#1> was sent")


def test_usual_names_stay() -> None:
    """A token is called what the specifications call it, wherever the vendor puts it."""
    redactor = Redactor()
    answer = HttpResponse(
        200, (("Content-Type", "application/json"),), b'{"data": {"access_token": "0123456789abcdef"}}'
    )
    redactor.clean_response(answer, ("data.access_token",))
    told = redactor.exchanged(HttpRequest("GET", "https://id.example/"), answer, step="poll", seconds=0.1)

    assert told.response == '{"data": {"access_token": "<access_token#1>"}}'


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnktc3ViamVjdCJ9.c2lnbmF0dXJlLW9mLWNhbmFyeQ"
CANARY = "Canary0Canary1Canary2"


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"access_token": CANARY}},
        {"authed_user": {"id": "U1", "refreshToken": CANARY}},
        {"tokens": [{"idToken": CANARY}, {"deep": [[{"apiKey": CANARY}]]}]},
        {"access_tokens": [CANARY, CANARY]},
        {"access_token": {"value": "a word canary"}},
        {"credentials": [{"text": "a word canary"}]},
        {"anything": JWT},
        {"list": ["x", JWT]},
        {"vendor": {"word": CANARY}},
        {"vendor": f"https://as.example/?{CANARY}#access_token={CANARY}"},
        {"error": "x", "error_description": f"{CANARY} is no token", "debug": {"token": CANARY}},
    ],
)
def test_secret_anywhere_in_an_answer_is_not_told(document: dict[str, object]) -> None:
    """Vendors wrap their answers, and have names of their own."""
    redactor = Redactor()
    answer = HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(document).encode())
    answer = redactor.clean_response(answer, ())
    told = redactor.exchanged(HttpRequest("GET", "https://as.example/"), answer, step="x", seconds=0.1)

    assert json.loads(told.response).keys() == document.keys()
    assert CANARY not in repr(told)
    assert "a word canary" not in repr(told)
    assert JWT.split(".")[1] not in repr(told)


def test_who_looks_for_a_mistake_sees_what_is_public() -> None:
    """Keys, identifiers and addresses are no secrets, however odd they look."""
    redactor = Redactor()
    document = {
        "issuer": "https://as.example/realms/0123456789abcdef",
        "sub": "248289761001abcdef0123",
        "keys": [{"kty": "RSA", "kid": "0123456789abcdef0123", "n": "A1" * 40, "e": "AQAB"}],
        "scope": "openid profile urn:x",
        "token_type": "Bearer",
    }
    answer = HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(document).encode())
    told = redactor.exchanged(
        HttpRequest("GET", "https://as.example/"), redactor.clean_response(answer, ()), step="x", seconds=0.1
    )

    assert json.loads(told.response) == document


def test_client_secret_is_known_before_anybody_can_quote_it() -> None:
    """The authorization endpoint answers before the first request of ours has gone out."""
    redactor = Redactor()
    redactor.learn("client_secret", "canary canary+")
    error = ProtocolError(
        "The answer said canary canary+", source="RFC 6749 §4.1.2", received="canary%20canary%2B"
    )
    redactor.clean_error(error)
    refusal = Callback((("error", "x"), ("error_description", "canary canary+ is wrong")), via="query")
    told = redactor.clean_callback(refusal)

    assert "canary" not in repr((error, error.received, told.parameters))


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    "document",
    [
        {"error": "invalid_grant", "error_description": f"{'x' * 190} {CANARY}"},
        {"error": {"code": "forbidden", "message": f"{'x' * 190}{CANARY}"}},
        {"error": "x", "message": f"{'x' * 190}{CANARY}"},
        {"error": "x", "errors": [{"detail": f"{'x' * 190}{CANARY}"}]},
    ],
)
def test_words_of_a_refusal_are_clean_before_anybody_cuts_them(
    document: dict[str, object], status: int
) -> None:
    """Half a secret is not recognised afterwards."""
    redactor = Redactor()
    redactor.learn("code", CANARY)
    answer = HttpResponse(status, (("Content-Type", "application/json"),), json.dumps(document).encode())

    said = redactor.clean_response(answer, ()).body.decode()

    assert "Canary" not in said
    assert "forbidden" in said or "forbidden" not in str(document)


def test_words_in_plain_text_are_clean_too() -> None:
    """Gateways write a sentence."""
    redactor = Redactor()
    redactor.learn("code", CANARY)
    answer = HttpResponse(
        400, (("Content-Type", "text/plain"),), f"{'x' * 190}{CANARY} \xe9".encode("latin-1")
    )

    assert b"Canary" not in redactor.clean_response(answer, ()).body


def test_success_beside_an_empty_error_keeps_its_tokens() -> None:
    """Some servers write every member that they know."""
    redactor = Redactor()
    document = {"access_token": CANARY, "error": None, "message": "ok"}
    answer = HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(document).encode())

    assert json.loads(redactor.clean_response(answer, ()).body) == document


def test_code_of_a_refusal_is_shown() -> None:
    """It is the vendor's word for what went wrong, and no code of an authorization server."""
    redactor = Redactor()
    document = {"error": {"code": "forbidden", "message": "forbidden here"}}
    redactor.clean_response(
        HttpResponse(403, (("Content-Type", "application/json"),), json.dumps(document).encode()), ()
    )
    error = TokenError("forbidden", "forbidden here")

    redactor.clean_error(error)

    assert (error.error, error.error_description) == ("forbidden", "forbidden here")


def test_number_in_a_refusal_may_be_a_secret() -> None:
    """A vendor whose tokens are numbers quotes them as such."""
    redactor = Redactor()
    redactor.learn("access_token", "8675309")
    answer = HttpResponse(400, (), b'{"error": "invalid_token", "detail": [8675309, 5, null]}')

    assert json.loads(redactor.clean_response(answer).body) == {
        "error": "invalid_token",
        "detail": ["<access_token#1>", 5, None],
    }


def test_page_stays_as_it_came() -> None:
    """A form in it may be the answer that a browser posts to us, and its state is to be compared."""
    redactor = Redactor()
    redactor.learn("state", CANARY)
    page = HttpResponse(400, (("Content-Type", "text/html"),), f"<input value={CANARY}>".encode())

    assert redactor.clean_response(page, ()) == page
