"""Token requests and what is believed of their answers."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import (
    CLIENT,
    ISSUER,
    METADATA,
    NOW,
    PROPERTY,
    PROVIDER,
    REDIRECT_URI,
    SECRET_CLIENT,
    VERIFIER,
    answered,
    asked,
    form,
    json_answer,
    raw_answer,
)

from loopback_auth.errors import (
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    TokenError,
    TransportError,
)
from loopback_auth.model import HttpResponse, ServerMetadata, TokenSet
from loopback_auth.protocol.response import authorization_response
from loopback_auth.protocol.token import (
    LONGEST_LIFETIME,
    code_token_request,
    refresh_request,
    scope_difference,
    token_response,
)

# RFC 6749 §5.1
EXAMPLE: dict[str, object] = {
    "access_token": "2YotnFZFEjr1zCsicMWpAA",
    "token_type": "example",
    "expires_in": 3600,
    "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA",
    "example_parameter": "example_value",
}
GOOD = EXAMPLE | {"token_type": "Bearer"}


def without(name: str) -> dict[str, object]:
    """Leave a member out of a good answer."""
    return {key: value for key, value in GOOD.items() if key != name}


# Requests


def test_code_request_of_the_specification() -> None:
    """RFC 6749 §4.1.3 with its client and code, and the verifier of RFC 7636 §4.5."""
    response = authorization_response(asked(SECRET_CLIENT), answered(("code", "SplxlOBeZQQYbYS6WxSbIA")))

    request = code_token_request(SECRET_CLIENT, response)

    assert (request.method, request.url) == ("POST", f"{ISSUER}/token")
    assert request.header("authorization") == "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
    assert form(request) == {
        "grant_type": "authorization_code",
        "code": "SplxlOBeZQQYbYS6WxSbIA",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    assert "Splxl" not in repr(request)
    assert "Splxl" not in request.url


def test_code_request_of_a_public_client_names_it_and_the_resource() -> None:
    """RFC 6749 §3.2.1 and RFC 8707 §2.2."""
    client = replace(CLIENT, resource=("https://api.example",))

    sent = form(code_token_request(client, authorization_response(asked(client), answered(("code", "x")))))

    assert (sent["client_id"], sent["resource"]) == (CLIENT.client_id, "https://api.example")


def test_no_verifier_is_sent_where_no_challenge_was() -> None:
    """RFC 9700 §2.1.1: a verifier without a challenge is refused by servers that keep the rules."""
    client = replace(CLIENT, provider=replace(PROVIDER, pkce=False))

    request = code_token_request(client, authorization_response(asked(client), answered(("code", "x"))))

    assert "code_verifier" not in form(request)


def test_code_goes_to_the_server_that_was_asked() -> None:
    """RFC 9700 §4.4: the endpoint comes with the answer, not from anywhere else."""
    metadata = replace(METADATA, token_endpoint="https://other.example/token")
    response = authorization_response(asked(metadata=metadata), answered(("code", "x")))

    assert code_token_request(CLIENT, response).url == "https://other.example/token"


def test_refresh_request_of_the_specification() -> None:
    """RFC 6749 §6; the scope is left out, which means as before."""
    request = refresh_request(SECRET_CLIENT, METADATA, "tGzv3JOkF0XG5Qx2TlKWIA")

    assert form(request) == {"grant_type": "refresh_token", "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA"}
    assert request.header("authorization").startswith("Basic ")


def test_refresh_without_token_endpoint_is_refused() -> None:
    """There is nowhere to send it."""
    with pytest.raises(EndpointMissing) as refusal:
        refresh_request(CLIENT, ServerMetadata(), "x")

    assert "--token-endpoint" in refusal.value.hint


# Answers


def test_answer_becomes_tokens() -> None:
    """RFC 6749 §5.1; unknown members are ignored but handed on for further checks."""
    tokens, document = token_response(json_answer(GOOD), requested_scope="a  b")

    assert (tokens.access_token, tokens.refresh_token) == ("2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA")
    assert (tokens.token_type, tokens.scope) == ("Bearer", "a b")
    assert (tokens.obtained_at, tokens.expires_at) == (NOW, NOW + 3600)
    assert document == GOOD
    assert "2Yotn" not in repr(tokens)
    assert "tGzv3" not in repr(tokens)


@pytest.mark.parametrize("token_type", ["bearer", "BEARER", "Bearer"])
def test_token_type_is_compared_without_case(token_type: str) -> None:
    """RFC 6749 §5.1: the value is case insensitive."""
    assert (
        token_response(json_answer(GOOD | {"token_type": token_type}), requested_scope="")[0].token_type
        == "Bearer"
    )


@pytest.mark.parametrize("token_type", ["", "mac", "DPoP", "example", None, 1, ["Bearer"], "Bearer "])
def test_unknown_token_type_is_refused(token_type: object) -> None:
    """RFC 6749 §7.1: the client MUST NOT use a token whose type it does not understand."""
    for document in (GOOD | {"token_type": token_type}, without("token_type")):
        with pytest.raises(MalformedResponse, match="token type") as refusal:
            token_response(json_answer(document), requested_scope="")

        assert refusal.value.hint


@pytest.mark.parametrize(
    "value", [1, True, ["x"], {"x": 1}, "a\r\nX: y", "a\nb", "a\x00", "a\x7f", "é", "\ud800", "\u2028"]
)
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_token_that_is_no_printable_ascii_is_refused(name: str, value: object) -> None:
    """It would become a second header line wherever it is used (RFC 6749 appendix A.12, CVE-2024-50338)."""
    with pytest.raises(MalformedResponse, match=name):
        token_response(json_answer(GOOD | {name: value}), requested_scope="")


@pytest.mark.parametrize(
    "document", [without("access_token"), GOOD | {"access_token": ""}, GOOD | {"access_token": None}, {}]
)
def test_answer_without_access_token_is_refused(document: object) -> None:
    """RFC 6749 §5.1: REQUIRED."""
    with pytest.raises(MalformedResponse, match="no access_token"):
        token_response(json_answer(document), requested_scope="")


@pytest.mark.parametrize(
    "document", [without("refresh_token"), GOOD | {"refresh_token": ""}, GOOD | {"refresh_token": None}]
)
def test_refresh_token_may_be_missing(document: object) -> None:
    """RFC 6749 §5.1: OPTIONAL; an empty one is none."""
    assert token_response(json_answer(document), requested_scope="")[0].refresh_token is None


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        (0, 0),
        (1, 1),
        ("3600", 3600),
        ("0", 0),
        (10**30, LONGEST_LIFETIME),
        ("9" * 20, LONGEST_LIFETIME),
        (None, None),
    ],
)
def test_lifetime_is_a_number_of_seconds(expires_in: object, lifetime: int | None) -> None:
    """Digits in a string are a common slip (RFC 6749 §5.1); what is absurd is cut, so times stay finite."""
    tokens, _ = token_response(json_answer(GOOD | {"expires_in": expires_in}), requested_scope="")

    assert tokens.expires_at == (None if lifetime is None else NOW + lifetime)


@pytest.mark.parametrize(
    "expires_in", [-1, "-1", True, 3600.5, 1e30, "", "abc", "1e9", "٣", "²", [], {}, "9" * 21]
)
def test_lifetime_that_is_none_is_refused(expires_in: object) -> None:
    """A guess here would be a token used too long or never."""
    with pytest.raises(MalformedResponse, match="expires_in"):
        token_response(json_answer(GOOD | {"expires_in": expires_in}), requested_scope="")


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("a b", "a b"),
        (" a  b ", "a b"),
        ("a,b", "a b"),
        ("", "asked for"),
        (None, "asked for"),
        ("a\x1b\u202eb", "ab"),
    ],
)
def test_scope_is_the_granted_one_or_the_requested(scope: object, granted: str) -> None:
    """RFC 6749 §5.1: absent means as requested. GitHub separates by commas, and sends an empty one."""
    assert (
        token_response(json_answer(GOOD | {"scope": scope}), requested_scope="asked  for")[0].scope == granted
    )


def test_long_scope_is_not_cut() -> None:
    """A cut scope would look narrower than the one asked for, today and at each renewal."""
    scope = " ".join(f"https://api.example/auth/resource-{number}" for number in range(100))

    for document in (GOOD | {"scope": scope}, GOOD):
        tokens, _ = token_response(json_answer(document), requested_scope=scope)

        assert tokens.scope == scope
        assert scope_difference(requested=scope, granted=tokens.scope) == ""


@pytest.mark.parametrize("scope", [1, ["a"], {"a": 1}, True])
def test_scope_of_another_type_is_refused(scope: object) -> None:
    """RFC 6749 §3.3: a list of strings in a string."""
    with pytest.raises(MalformedResponse, match="scope"):
        token_response(json_answer(GOOD | {"scope": scope}), requested_scope="")


@pytest.mark.parametrize(
    ("requested", "granted", "words"),
    [
        ("a b", "b a", []),
        ("", "a", []),
        ("a b", "a", ["not granted: b"]),
        ("a", "a b", ["beyond what was asked: b"]),
        ("a b", "a c", ["not granted: b", "beyond what was asked: c"]),
    ],
)
def test_other_scope_than_asked_for_is_told(requested: str, granted: str, words: list[str]) -> None:
    """RFC 6749 §3.3: the server may grant less; the person should know."""
    difference = scope_difference(requested=requested, granted=granted)

    assert bool(difference) is bool(words)
    assert all(word in difference for word in words)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_error_is_an_error_whatever_the_status(status: int) -> None:
    """RFC 6749 §5.2 wants 400; GitHub answers 200, and a token beside an error is none."""
    answer = json_answer(GOOD | {"error": "invalid_grant", "error_description": "used\x1b"}, status)

    with pytest.raises(TokenError) as refusal:
        token_response(answer, requested_scope="")

    assert (refusal.value.error, refusal.value.error_description) == ("invalid_grant", "used")
    assert "Sign in again" in refusal.value.hint


@pytest.mark.parametrize("error", [1, {"message": "no"}, ["x"], True, ""])
def test_error_of_another_type_is_no_success(error: object) -> None:
    """RFC 6749 §5.2: a single ASCII code; anything else is still no token response."""
    with pytest.raises(MalformedResponse, match="without a readable error code"):
        token_response(json_answer(GOOD | {"error": error}), requested_scope="")


@pytest.mark.parametrize("status", [201, 204, 206, 400, 500])
def test_other_status_than_200_is_no_success(status: int) -> None:
    """RFC 6749 §5.1: with a 200 (OK) status code."""
    with pytest.raises(MalformedResponse):
        token_response(json_answer(GOOD, status), requested_scope="")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_refused(status: int) -> None:
    """Following a 307 would carry code and verifier to wherever it points (RFC 9700 §4.12)."""
    with pytest.raises(MalformedResponse, match="redirect") as refusal:
        token_response(json_answer(GOOD, status, ("Location", "https://evil.example")), requested_scope="")

    assert refusal.value.hint
    assert "evil" not in str(refusal.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, TransportError), (503, TransportError), (429, TransportError), (400, MalformedResponse)],
)
def test_answer_in_html_is_the_trouble_of_whoever_sent_it(
    status: int, error: type[LoopbackAuthError]
) -> None:
    """A gateway in trouble is no broken rule, a web page instead of JSON is."""
    with pytest.raises(error) as refusal:
        token_response(
            HttpResponse(status, (("Content-Type", "text/html"),), b"<h1>canary"), requested_scope=""
        )

    assert refusal.value.hint
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/x-www-form-urlencoded", ""])
def test_other_media_type_is_refused(content_type: str) -> None:
    """RFC 6749 §5.1: application/json; what a page says of itself is not for us."""
    with pytest.raises(MalformedResponse):
        token_response(
            HttpResponse(200, (("Content-Type", content_type),), json.dumps(GOOD).encode()),
            requested_scope="",
        )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b'{"access_token": "a", "access_token": "b", "token_type": "bearer"}',
        b'{"access_token": "a", "token_type": "bearer", "expires_in": NaN}',
        b'{"access_token": "a", "token_type": "bearer", "expires_in": 1e999}',
        b'{"access_token": "a", "token_type": "bearer", "expires_in": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_malformed_body_is_refused(body: bytes) -> None:
    """One reading or none."""
    with pytest.raises(MalformedResponse):
        token_response(raw_answer(body), requested_scope="")


def outcome_of(answer: HttpResponse) -> TokenSet | str:
    """Return the tokens, or the message of our error; no other error may come."""
    try:
        return token_response(answer, requested_scope="a")[0]
    except LoopbackAuthError as exc:
        return str(exc)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["Bearer", "x", 10**400, -1, "3600", "invalid_grant"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
MEMBERS = st.sampled_from([*GOOD, "scope", "error", "error_description", "error_uri", "id_token"])


@PROPERTY
@given(st.dictionaries(MEMBERS, JSON, max_size=3), st.sampled_from([200, 200, 200, 400, 500, 302]))
def test_any_answer_gives_usable_tokens_or_our_error(mutation: dict[str, object], status: int) -> None:
    """A success has tokens that fit a header and a finite end; a failure is one that callers know."""
    tokens = outcome_of(json_answer(GOOD | mutation, status))
    if isinstance(tokens, str):
        assert tokens.isprintable()
        return

    assert status == 200
    assert tokens.access_token
    for token in (tokens.access_token, tokens.refresh_token or ""):
        assert token.isascii()
        assert token.isprintable()
    assert tokens.expires_at is None or (math.isfinite(tokens.expires_at) and tokens.expires_at >= NOW)
    assert tokens.scope.isprintable()


@PROPERTY
@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_bytes_give_tokens_or_our_error(body: bytes) -> None:
    """No foreign exception may leave the parser."""
    try:
        tokens, _ = token_response(raw_answer(body), requested_scope="")
    except (MalformedResponse, TokenError):
        return

    assert tokens.access_token
