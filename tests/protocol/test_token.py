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

from loopback_auth.device_and_ticket import DeviceGrant
from loopback_auth.errors import (
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    TokenError,
    TransportError,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ServerMetadata
from loopback_auth.protocol.device import device_token_request
from loopback_auth.protocol.response import authorization_response
from loopback_auth.protocol.token import (
    EXTRA_LIMIT,
    LONGEST_LIFETIME,
    code_token_request,
    refresh_request,
    token_response,
)
from loopback_auth.quirks import Quirks
from loopback_auth.tokens import TokenSet

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

    assert "token_endpoint" in refusal.value.parameter.split()


def test_further_parameters_and_headers_go_with_every_request_for_tokens() -> None:
    """Entra wants an Origin, Auth0 an audience; what the provider's row has stays, unless it is replaced."""
    quirks = Quirks(token_parameters=(("a", "row"), ("b", "row")), token_headers=(("X-A", "row"),))
    client = replace(
        CLIENT,
        provider=replace(PROVIDER, quirks=quirks),
        token_parameters={"b": "ours", "authorization_details": "[]"},
        token_headers={"x-a": "ours", "Origin": "http://localhost"},
    )
    by_code = code_token_request(client, authorization_response(asked(client), answered(("code", "x"))))
    device = DeviceGrant("d", "u", "https://as.example/d", "", 5, 600, NOW)

    for request in (
        by_code,
        refresh_request(client, METADATA, "r"),
        device_token_request(client, METADATA, device),
    ):
        sent = form(request)
        assert (sent["a"], sent["b"], sent["authorization_details"]) == ("row", "ours", "[]")
        assert (request.values("x-a"), request.header("origin")) == (("ours",), "http://localhost")
    assert "localhost" not in repr(client)


# Answers


def test_answer_becomes_tokens() -> None:
    """RFC 6749 §5.1; unknown members are ignored but handed on for further checks."""
    told = token_response(json_answer(GOOD), requested_scope="a  b")
    tokens, document = told.tokens, told.members

    assert (tokens.access_token, tokens.refresh_token) == ("2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA")
    assert (tokens.token_type, tokens.scope) == ("Bearer", "a b")
    assert (tokens.obtained_at, tokens.expires_at) == (NOW, NOW + 3600)
    assert document == GOOD
    assert "2Yotn" not in repr(tokens)
    assert "tGzv3" not in repr(tokens)


def test_every_member_without_a_field_is_kept() -> None:
    """Salesforce says where its API is, Slack which team it was, others when the refresh token ends."""
    further = {"instance_url": "https://eu5.example", "team": {"id": "T1"}, "refresh_token_expires_in": 86400}
    told = token_response(json_answer(GOOD | further | {"id_token": "x.y.z"}), requested_scope="")

    assert told.tokens.extra == further | {"example_parameter": "example_value"}
    assert "eu5" not in repr(told.tokens)


def test_members_beside_a_token_that_is_further_inside_are_kept_too() -> None:
    """At Slack, where the other token is that of a bot."""
    inside = {"id": "U1", "access_token": "x", "token_type": "Bearer", "more": {"access_token": "not it"}}
    answer = json_answer({"ok": True, "app_id": "A1", "authed_user": inside, "access_token": "bot-1"})
    told = token_response(
        answer, requested_scope="", quirks=Quirks(access_token_path="authed_user.access_token")
    )

    assert told.tokens.access_token == "x"
    assert told.tokens.extra == {
        "ok": True,
        "app_id": "A1",
        "access_token": "bot-1",
        "authed_user": {"id": "U1", "more": {"access_token": "not it"}},
    }


def test_more_than_can_be_kept_is_left_out() -> None:
    """Or the tokens could not be kept either."""
    told = token_response(json_answer(GOOD | {"big": ["x"] * EXTRA_LIMIT}), requested_scope="")

    assert (told.tokens.extra, len(told.warnings)) == ({}, 1)


@pytest.mark.parametrize("token_type", ["bearer", "BEARER", "Bearer"])
def test_token_type_is_compared_without_case(token_type: str) -> None:
    """RFC 6749 §5.1: the value is case insensitive."""
    told = token_response(json_answer(GOOD | {"token_type": token_type}), requested_scope="")

    assert (told.tokens.token_type, told.warnings) == ("Bearer", ())


@pytest.mark.parametrize("token_type", ["mac", "DPoP", "example", "user", 1, True, ["Bearer"], "Bearer, mac"])
def test_unknown_token_type_is_refused(token_type: object) -> None:
    """RFC 6749 §7.1: the client MUST NOT use a token whose type it does not understand."""
    with pytest.raises(MalformedResponse, match="token type") as refusal:
        token_response(json_answer(GOOD | {"token_type": token_type}), requested_scope="")

    assert refusal.value.hint


@pytest.mark.parametrize(
    "document", [without("token_type"), GOOD | {"token_type": None}, GOOD | {"token_type": ""}]
)
def test_missing_token_type_is_bearer_and_told(document: dict[str, object]) -> None:
    """LinkedIn and Shopify leave it out; golang/oauth2 and oauthlib take it for Bearer, too."""
    told = token_response(json_answer(document), requested_scope="")

    assert told.tokens.token_type == "Bearer"
    assert len(told.warnings) == 1


def test_token_types_of_a_provider_are_used_as_bearer() -> None:
    """Slack says `user` and `bot`, Azure DevOps `jwt-bearer`: their tokens go into the same header."""
    quirks = Quirks(token_types=("user", "JWT-Bearer"))
    for token_type in ("User", "jwt-bearer", "bearer"):
        answer = json_answer(GOOD | {"token_type": token_type})

        assert token_response(answer, requested_scope="", quirks=quirks).tokens.token_type == "Bearer"


def test_access_token_may_be_in_an_object() -> None:
    """Slack's `authed_user`: what belongs to the token is beside it, not at the top."""
    quirks = Quirks(access_token_path="authed_user.access_token", token_types=("user",))
    user = {"access_token": "xoxp", "token_type": "user", "scope": "chat:write,users:read", "expires_in": 60}
    answer = json_answer({"ok": True, "token_type": "bot", "scope": "other", "authed_user": user})

    told = token_response(answer, requested_scope="chat:write users:read", quirks=quirks)

    assert (told.tokens.access_token, told.tokens.scope) == ("xoxp", "chat:write users:read")
    assert told.tokens.expires_at == NOW + 60
    assert told.members == user


def test_flow_refresh_may_have_the_access_token_at_the_top() -> None:
    """Slack answers a refresh request so."""
    quirks = Quirks(access_token_path="authed_user.access_token")

    assert token_response(json_answer(GOOD), requested_scope="", quirks=quirks).tokens.access_token


@pytest.mark.parametrize("document", [{"ok": True}, {"authed_user": {"id": "U1"}}, {"authed_user": "U1"}])
def test_missing_object_is_a_missing_token(document: dict[str, object]) -> None:
    """RFC 6749 §5.1: REQUIRED, wherever it is."""
    quirks = Quirks(access_token_path="authed_user.access_token")

    with pytest.raises(MalformedResponse, match=r"authed_user\.access_token"):
        token_response(json_answer(document), requested_scope="", quirks=quirks)


@pytest.mark.parametrize(
    "value", [1, True, ["x"], {"x": 1}, "a\r\nX: y", "a\nb", "a\x00", "a\x7f", "é", "\ud800", "\u2028", " "]
)
def test_token_that_is_no_printable_ascii_is_never_used(value: object) -> None:
    """It would become a second header line wherever it is used (RFC 6749 appendix A.12, CVE-2024-50338).

    The access token is what was asked for; without a usable refresh token the sign-in is still one.
    """
    with pytest.raises(MalformedResponse, match="access_token"):
        token_response(json_answer(GOOD | {"access_token": value}), requested_scope="")
    told = token_response(json_answer(GOOD | {"refresh_token": value}), requested_scope="")

    assert told.tokens.refresh_token is None
    assert len(told.warnings) == 1


@pytest.mark.parametrize(
    "document", [without("access_token"), GOOD | {"access_token": ""}, GOOD | {"access_token": None}, {}]
)
def test_answer_without_access_token_is_refused(document: object) -> None:
    """RFC 6749 §5.1: REQUIRED."""
    with pytest.raises(MalformedResponse, match="no access_token"):
        token_response(json_answer(document), requested_scope="")


@pytest.mark.parametrize(
    "document",
    [
        without("refresh_token"),
        GOOD | {"refresh_token": ""},
        GOOD | {"refresh_token": None},
        GOOD | {"refresh_token": False},
        GOOD | {"refresh_token": []},
    ],
)
def test_refresh_token_may_be_missing(document: object) -> None:
    """RFC 6749 §5.1: OPTIONAL; an empty one is none."""
    told = token_response(json_answer(document), requested_scope="")

    assert (told.tokens.refresh_token, told.warnings) == (None, ())


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        (1, 1),
        ("3600", 3600),
        (" 3600 ", 3600),
        (3600.0, 3600),
        (3600.9, 3600),
        ("3600.0", 3600),
        (10**400, LONGEST_LIFETIME),
        (1e30, LONGEST_LIFETIME),
        ("9" * 300, LONGEST_LIFETIME),
        (None, None),
        ("", None),
        (0, None),
        ("0", None),
    ],
)
def test_lifetime_is_a_number_of_seconds(expires_in: object, lifetime: int | None) -> None:
    """Floats and digits in a string are common slips; no time at all is how GoToSocial says "for ever"."""
    told = token_response(json_answer(GOOD | {"expires_in": expires_in}), requested_scope="")

    assert told.tokens.expires_at == (None if lifetime is None else NOW + lifetime)
    assert told.warnings == ()


@pytest.mark.parametrize("expires_in", [-1, "-1", -0.5, True, "soon", "1e9", "٣", "²", [], {}, [3600], "1 2"])
def test_lifetime_that_cannot_be_read_is_not_told(expires_in: object) -> None:
    """RFC 6749 §5.1: RECOMMENDED, so that an answer without is one; the person learns of it."""
    told = token_response(json_answer(GOOD | {"expires_in": expires_in}), requested_scope="")

    assert told.tokens.expires_at is None
    assert len(told.warnings) == 1


@pytest.mark.parametrize(
    "members", [{"scope": 1}, {"scope": ["a", 1]}, {"scope": {"a": 1}}, {"scopes": True}]
)
def test_scope_that_cannot_be_read_is_not_told(members: dict[str, object]) -> None:
    """RFC 6749 §5.1: where it is not told, it is the one that was asked for."""
    told = token_response(json_answer(GOOD | members), requested_scope="asked  for")

    assert told.tokens.scope == "asked for"
    assert len(told.warnings) == 1


@pytest.mark.parametrize(
    ("members", "scope"),
    [({}, "a b"), ({"scope": None}, "a b"), ({"scope": ""}, ""), ({"scopes": "a c"}, "a c")],
)
def test_scope_is_the_granted_one_or_the_requested(members: dict[str, object], scope: str) -> None:
    """RFC 6749 §5.1: absent means as requested. An empty one is told: GitHub means none by it."""
    told = token_response(json_answer(GOOD | members), requested_scope="a  b")

    assert (told.tokens.scope, told.warnings) == (scope, ())


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_error_is_an_error_whatever_the_status(status: int) -> None:
    """RFC 6749 §5.2 wants 400; GitHub answers 200, and a token beside an error is none."""
    answer = json_answer(GOOD | {"error": "invalid_grant", "error_description": "used\x1b"}, status)

    with pytest.raises(TokenError) as refusal:
        token_response(answer, requested_scope="")

    assert (refusal.value.error, refusal.value.error_description) == ("invalid_grant", "used")
    assert "Sign in again" in refusal.value.hint


@pytest.mark.parametrize("error", [1, True, {"x": 1}])
def test_error_that_says_nothing_is_no_success(error: object) -> None:
    """RFC 6749 §5.2: a single ASCII code; anything else is still no token response."""
    with pytest.raises(MalformedResponse, match="error code"):
        token_response(json_answer(GOOD | {"error": error}), requested_scope="")


@pytest.mark.parametrize("error", [None, "", False, {}, []])
def test_empty_error_is_none(error: object) -> None:
    """Some servers write every member that they know."""
    answer = json_answer(GOOD | {"error": error, "error_description": ""})

    assert token_response(answer, requested_scope="").tokens.access_token


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (json_answer({"message": "down"}, 503), "down"),
        (json_answer({"error": "invalid_grant"}, 500), "invalid_grant"),
        (json_answer({"error": "server_error", "error_description": "sorry"}, 400), "sorry"),
        (json_answer({"error": "temporarily_unavailable"}, 200), "temporarily_unavailable"),
        (json_answer({"error": "too_many"}, 429), "too_many"),
        (HttpResponse(502, (), b"<html><title>Bad gateway</title>"), "Bad gateway"),
        (HttpResponse(500), "500"),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
def test_server_that_is_not_well_has_refused_nothing(answer: HttpResponse, detail: str) -> None:
    """Scripts tell "try again" by the class; RFC 6749 §4.1.2.1 says what these codes mean."""
    with pytest.raises(TransportError, match=detail) as trouble:
        token_response(answer, requested_scope="")

    assert "code" in trouble.value.hint


def test_trouble_in_a_renewal_costs_nothing_and_says_when_to_come_back() -> None:
    """There is no code to be spent; RFC 9110 §10.2.3."""
    answer = json_answer({"error": "slow"}, 429, ("Retry-After", "30"))

    with pytest.raises(TransportError) as trouble:
        token_response(answer, requested_scope="", renewal=True)

    assert trouble.value.retry_after == 30
    assert "30 seconds" in trouble.value.hint
    assert "code" not in trouble.value.hint


@pytest.mark.parametrize("status", [200, 201, 203])
def test_any_success_is_one(status: int) -> None:
    """RFC 6749 §5.1 says 200; the tokens are the same."""
    assert token_response(json_answer(GOOD, status), requested_scope="").tokens.access_token


@pytest.mark.parametrize("status", [204, 206, 400, 404])
def test_answer_without_tokens_is_no_success(status: int) -> None:
    """RFC 6749 §5.1, §5.2."""
    with pytest.raises(MalformedResponse):
        token_response(json_answer({}, status), requested_scope="")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_refused(status: int) -> None:
    """Following a 307 would carry code and verifier to wherever it points (RFC 9700 §4.12)."""
    with pytest.raises(MalformedResponse, match="redirect") as refusal:
        token_response(json_answer(GOOD, status, ("Location", "https://evil.example")), requested_scope="")

    assert refusal.value.hint
    assert "evil" not in str(refusal.value)


@pytest.mark.parametrize("status", [200, 400, 403, 404])
def test_page_is_no_answer_of_an_authorization_server(status: int) -> None:
    """A proxy or a bot check stands before it; what the page says is not for us but for its title."""
    page = HttpResponse(status, (("Content-Type", "text/html"),), b"<title>Just a moment</title><h1>canary")
    with pytest.raises(MalformedResponse, match="Just a moment") as refusal:
        token_response(page, requested_scope="")

    assert "firewall" in str(refusal.value)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/octet-stream", ""])
def test_json_is_read_under_any_media_type(content_type: str) -> None:
    """RFC 6749 §5.1 says application/json; what begins like an object has one reading all the same."""
    answer = HttpResponse(200, (("Content-Type", content_type),), b" " + json.dumps(GOOD).encode(), NOW)

    assert token_response(answer, requested_scope="").tokens.expires_at == NOW + 3600


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded; charset=utf-8"])
def test_form_is_read_as_well(content_type: str) -> None:
    """GitHub and Facebook answered so for years."""
    body = b"access_token=gho_x&expires_in=3600&scope=repo%2Cgist&token_type=bearer"
    answer = HttpResponse(200, (("Content-Type", content_type),), body, NOW)

    tokens = token_response(answer, requested_scope="repo gist").tokens

    assert (tokens.access_token, tokens.scope) == ("gho_x", "repo gist")
    assert tokens.expires_at == NOW + 3600


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"all is well"),
        ("text/plain", b"access_token=a&access_token=b&token_type=bearer"),
        ("application/x-www-form-urlencoded", b"access_token=a&access_token=b&token_type=bearer"),
        ("application/x-www-form-urlencoded", b"access_token=\xff&token_type=bearer"),
        ("application/x-www-form-urlencoded", b"access_token=%ff&token_type=bearer"),
        ("application/xml", b"<token/>"),
        ("application/octet-stream", b"access_token=a"),
    ],
)
def test_what_has_no_single_reading_is_refused(content_type: str, body: bytes) -> None:
    """RFC 6749 §3.2: no parameter more than once."""
    with pytest.raises(MalformedResponse):
        token_response(HttpResponse(200, (("Content-Type", content_type),), body), requested_scope="")


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        ({"message": "The code has expired"}, "HTTP status 400", "The code has expired"),
        ({"errors": [{"message": "no such code"}]}, "HTTP status 400", "no such code"),
        ({"error": {"code": "forbidden", "message": "Not yours"}}, "forbidden", "Not yours"),
        (
            {"error": {"message": "Bad code", "type": "OAuthException", "code": 100}},
            "OAuthException",
            "Bad code",
        ),
        ({"error": "invalid_grant", "message": "too old"}, "invalid_grant", "too old"),
        ({"fault": {"faultstring": "Invalid key"}}, "HTTP status 400", "Invalid key"),
        ({"title": "Bad", "detail": "Wrong code"}, "HTTP status 400", "Wrong code"),
        ({"id": "unauthorized", "message": "Invalid credentials"}, "unauthorized", "Invalid credentials"),
        ({"status": "BAD_AUTH_CODE", "message": "unknown code"}, "BAD_AUTH_CODE", "unknown code"),
        ({"errors": [{"errorType": "invalid_grant", "message": "used"}]}, "invalid_grant", "used"),
        ({"messages": ["No"], "success": False}, "HTTP status 400", "No"),
    ],
    ids=str,
)
def test_words_of_the_server_are_shown_in_whatever_form(
    members: dict[str, object], code: str, words: str
) -> None:
    """They say what the person can do: Vercel, Facebook, Apigee, RFC 9457, Heroku, HubSpot, Fitbit."""
    with pytest.raises(TokenError) as refusal:
        token_response(json_answer(members, 400), requested_scope="")

    assert (refusal.value.error, refusal.value.error_description) == (code, words)


def test_words_of_the_server_are_cut_and_cleaned() -> None:
    """They go to a terminal."""
    with pytest.raises(TokenError) as refusal:
        token_response(json_answer({"message": "\x1b[2J" + "x" * 5000}, 400), requested_scope="")

    assert refusal.value.error_description.isprintable()
    assert len(refusal.value.error_description) <= 200


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
        return token_response(answer, requested_scope="a").tokens
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
MEMBERS = st.sampled_from(
    [
        *GOOD,
        "scope",
        "scopes",
        "error",
        "errors",
        "message",
        "detail",
        "status",
        "ok",
        "error_uri",
        "id_token",
    ]
)


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
        tokens = token_response(raw_answer(body), requested_scope="").tokens
    except (MalformedResponse, TokenError, TransportError):
        return

    assert tokens.access_token


@pytest.mark.parametrize(("types", "warned"), [((), True), (("user",), True), (("none",), False)])
def test_a_type_that_is_known_not_to_be_told_is_not_warned_of(types: tuple[str, ...], warned: bool) -> None:
    """A warning at every sign-in teaches people to overlook the next one."""
    answer = json_answer({"access_token": "a"})
    told = token_response(answer, requested_scope="", quirks=Quirks(token_types=types))

    assert (told.tokens.token_type, bool(told.warnings)) == ("Bearer", warned)
