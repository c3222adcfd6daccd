"""What servers refuse with, in whatever form, and what is no refusal but trouble."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_samples import CLIENT, ISSUER, NOW, PROVIDER, asked, json_answer, raw_answer

from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.http_messages import FORM, HttpResponse
from loopback_auth.model import ServerMetadata
from loopback_auth.protocol.answer import check_well, members_of, refusal_in, refused
from loopback_auth.protocol.device import device_authorization_response, device_token_response
from loopback_auth.protocol.jws import jwks_response
from loopback_auth.protocol.metadata import is_absent, metadata_doubts, metadata_response
from loopback_auth.protocol.pushed import pushed_authorization_response
from loopback_auth.protocol.revocation import revocation_response
from loopback_auth.protocol.ticket import (
    account_response,
    exchange_response,
    poll_response,
    ticket_response,
)
from loopback_auth.protocol.token import token_response
from loopback_auth.protocol.userinfo import userinfo_response
from loopback_auth.settings.contracts import CONTRACTS

UNDISCOVERED = replace(PROVIDER, metadata=ServerMetadata(issuer=ISSUER))
NETLIFY = CONTRACTS["netlify"]


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        ({"error": "invalid_grant"}, "invalid_grant", ""),
        ({"error": "invalid_grant", "error_description": "used"}, "invalid_grant", "used"),
        ({"error": "invalid_grant", "error_description": ["used"]}, "invalid_grant", ""),
        ({"error": "made_up", "message": "words"}, "made_up", "words"),
        ({"error": "Not Found"}, "Not Found", ""),
        ({"error": "Bad Request", "message": "invalid_grant"}, "invalid_grant", "Bad Request"),
        ({"error": {"code": "invalid_grant"}}, "invalid_grant", ""),
        (
            {"error": {"code": 400, "message": "words", "status": "INVALID_ARGUMENT"}},
            "INVALID_ARGUMENT",
            "words",
        ),
        ({"error": {"error": "invalid_grant", "error_description": "used"}}, "invalid_grant", "used"),
        ({"error": ["words"]}, "", "words"),
        ({"errors": ["words"]}, "", "words"),
        ({"errors": [{"message": "words", "code": "x_y"}]}, "x_y", "words"),
        ({"errors": {"client": ["is invalid"]}}, "", "is invalid"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "", "field required"),
        ({"errorCode": "E0000011", "errorSummary": "Invalid token"}, "E0000011", "Invalid token"),
        ({"fault": {"faultstring": "words", "detail": {"errorcode": "oauth.v2.X"}}}, "oauth.v2.X", "words"),
        ({"type": "about:blank", "title": "Forbidden", "detail": "words", "status": 403}, "", "words"),
        ({"title": "Forbidden"}, "", "Forbidden"),
        ({"id": "unauthorized", "message": "words"}, "unauthorized", "words"),
        ({"id": "req_8a7b", "message": "words"}, "", "words"),
        ({"status": "error", "message": "words"}, "", "words"),
        ({"message": "Invalid token."}, "", "Invalid token."),
        ({"message": "invalid_token"}, "invalid_token", ""),
        ({"message": "Slow down."}, "slow_down", ""),
        ({"message": 7, "detail": None, "error": 5, "errors": [None], "status": 400}, "", ""),
        ({}, "", ""),
    ],
    ids=str,
)
def test_refusal_is_read_in_every_form(members: dict[str, object], code: str, words: str) -> None:
    """RFC 6749 §5.2 has one form, RFC 9457 another, and servers have more; the person wants the words."""
    for kind in ("application/json", "application/problem+json", "text/plain", "text/html"):
        found = refusal_in(HttpResponse(400, (("Content-Type", kind),), json.dumps(members).encode()))

        assert (found.error, found.description) == (code, words)


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("text/plain", b"The code has expired.\n", "The code has expired."),
        ("", b"no", "no"),
        ("text/plain", b"\x1b[2Jno\xff", "[2Jno\ufffd"),
        ("text/html", b"<h1>no", ""),
        ("image/png", b"no", ""),
        (FORM, b"error=access_denied&error_description=You+said+no", "You said no"),
    ],
)
def test_refusal_in_plain_text_is_read_too(kind: str, body: bytes, words: str) -> None:
    """Gateways write a sentence, GitHub a form; of a page nothing is taken."""
    assert refusal_in(HttpResponse(400, (("Content-Type", kind),), body)).description == words


@pytest.mark.parametrize("body", [b"token-canary", b"access_token: token-canary", b"<r>token-canary</r>"])
@pytest.mark.parametrize("kind", ["text/plain", "", "text/xml"])
def test_success_that_is_not_understood_is_never_quoted(kind: str, body: bytes) -> None:
    """It may be the very token, which terminal and page would show: nobody has learnt it as one by then."""
    answer = HttpResponse(200, (("Content-Type", kind),), body)

    with pytest.raises(LoopbackAuthError) as caught:
        token_response(answer, requested_scope="")

    assert "canary" not in repr(refusal_in(answer)) + str(caught.value)


def test_words_of_others_are_bounded() -> None:
    """They go to a terminal, and a server may send a megabyte."""
    assert len(refusal_in(json_answer({"message": "x" * 5000}, 400)).description) <= 200
    assert (
        len(refusal_in(HttpResponse(400, (("Content-Type", "text/plain"),), b"x" * 5000)).description) <= 200
    )


@pytest.mark.parametrize(
    "members",
    [
        {"access_token": "t", "message": "welcome", "status": "ok", "id": "user"},
        {"access_token": "t", "error": None, "errors": []},
        {"ok": True},
        {"success": True, "message": "x"},
    ],
)
def test_success_may_say_anything_but_no(members: dict[str, object]) -> None:
    """With 200 only `error` and the like refuse."""
    assert refused(members, json_answer(members)) is None


@pytest.mark.parametrize(
    "members", [{"ok": False, "error": "invalid_code"}, {"success": False, "message": "no"}]
)
def test_no_is_no_with_a_status_of_success(members: dict[str, object]) -> None:
    """Slack and Cloudflare answer 200."""
    assert refused(members, json_answer(members)) is not None


@pytest.mark.parametrize("status", [407, 408, 425, 429, 500, 502, 503, 504, 511, 599])
@pytest.mark.parametrize("body", [b"", b"{", b'{"error": "invalid_grant"}', b"<html>", b"\xff"])
def test_trouble_is_told_by_the_status_whatever_the_body(status: int, body: bytes) -> None:
    """RFC 9110 §15.6, RFC 6585 §4, §6: who was asked has not judged anything."""
    with pytest.raises(TransportError, match=str(status)) as trouble:
        check_well(raw_answer(body, status, ("Retry-After", "17")), "token endpoint")

    assert trouble.value.retry_after == 17
    assert "17 seconds" in trouble.value.hint


@pytest.mark.parametrize(
    "answer", [json_answer({}), json_answer({"error": "invalid_grant"}, 400), HttpResponse(404)]
)
def test_answer_of_a_server_that_is_well_is_let_through(answer: HttpResponse) -> None:
    """What it means is the caller's question."""
    check_well(answer, "token endpoint")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("0", "2 seconds"),
        ("90", "90 seconds"),
        ("600", "10 minutes"),
        ("86400", "24 hours"),
        ("9" * 40, "999 hours"),
    ],
)
def test_wait_is_told_in_words_for_people(wanted: str, told: str) -> None:
    """RFC 9110 §10.2.3; a wrong clock may make anything of it."""
    with pytest.raises(TransportError) as trouble:
        check_well(HttpResponse(503, (("Retry-After", wanted),)), "token endpoint")

    assert f"in {told}." in trouble.value.hint


NAMES = st.sampled_from(
    [
        "access_token", "token_type", "expires_in", "scope", "scopes", "refresh_token", "id_token", "error",
        "error_description", "error_uri", "errors", "message", "messages", "detail", "status", "code", "id",
        "ok", "success", "title", "fault", "device_code", "user_code", "verification_uri", "interval",
        "verification_uri_complete", "request_uri", "issuer", "token_endpoint", "jwks_uri", "keys",
        "response_modes_supported", "authorized", "client_id", "email", "sub",
    ]
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 0.5, "3600", "", "access_denied", "authorization_pending", "Bearer"])
    | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
BODIES = (
    st.binary(max_size=60)
    | st.text(max_size=30).map(str.encode)
    | st.dictionaries(NAMES, JSON_VALUES, max_size=5).map(lambda members: json.dumps(members).encode())
    | st.lists(st.sampled_from([b"{", b"}", b'"', b":", b"<", b"&", b"=", b"error", b"\x00"])).map(b"".join)
)
ANSWERS = st.builds(
    HttpResponse,
    st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 407, 429, 500, 503]),
    st.tuples(
        st.tuples(
            st.just("Content-Type"),
            st.sampled_from(["application/json", "text/plain", "text/html", FORM, "", "image/png"])
            | st.text(max_size=6),
        ),
        st.tuples(st.just("Retry-After"), st.sampled_from(["", "7", "x", "1.5"]) | st.text(max_size=6)),
    ),
    BODIES,
    st.just(NOW),
)

READERS: dict[str, Callable[[HttpResponse], object]] = {
    "token": lambda answer: token_response(answer, requested_scope="a"),
    "renewal": lambda answer: token_response(answer, requested_scope="a", renewal=True),
    "device": lambda answer: device_authorization_response(answer, by=ISSUER),
    "device poll": device_token_response,
    "ticket": lambda answer: ticket_response(NETLIFY, {"client_id": "c", "message": ""}, answer),
    "ticket poll": lambda answer: poll_response(NETLIFY, answer),
    "exchange": lambda answer: exchange_response(NETLIFY, answer),
    "account": lambda answer: account_response(NETLIFY, answer),
    "pushed": lambda answer: pushed_authorization_response(CLIENT, asked(), answer),
    "revocation": revocation_response,
    "userinfo": lambda answer: userinfo_response(answer, None, fields=("email", "sub")),
    "metadata": lambda answer: metadata_response(UNDISCOVERED, answer),
    "keys": jwks_response,
    "members": lambda answer: members_of(answer, what="answer", source="RFC 8259"),
}


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=120, deadline=None)
@given(ANSWERS)
def test_no_answer_is_too_strange(reader: str, answer: HttpResponse) -> None:
    """Whatever comes is understood or refused by an error of ours, whose words can be shown."""
    trouble = ""
    try:
        READERS[reader](answer)
    except LoopbackAuthError as exc:
        trouble = f"{exc} {exc.hint}"

    assert trouble.isprintable()


@settings(max_examples=120, deadline=None)
@given(ANSWERS)
def test_polls_and_lookups_never_raise_for_what_only_looks(answer: HttpResponse) -> None:
    """They decide what is asked next, so that nothing may escape them."""
    assert isinstance(is_absent(answer), bool)
    assert refusal_in(answer).error.isprintable()
    try:
        metadata_response(UNDISCOVERED, answer)
    except LoopbackAuthError:
        return
    assert metadata_doubts(UNDISCOVERED, answer).isprintable()
