"""The authorization request, its pushed form, and the judgement of the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import (
    ATTEMPT,
    CHALLENGE,
    CLIENT,
    ISSUER,
    METADATA,
    PROPERTY,
    PROVIDER,
    REDIRECT_URI,
    SECRET_CLIENT,
    VERIFIER,
    answered,
    asked,
    form,
    json_answer,
)

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import (
    AuthorizationError,
    ConfigError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    PushedAuthorizationError,
    StateMismatch,
)
from loopback_auth.hints import HINTS
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, ResponseType, ServerMetadata
from loopback_auth.protocol.authorization import pkce_doubt, response_mode
from loopback_auth.protocol.pushed import (
    pushed_authorization_request,
    pushed_authorization_response,
    pushes,
)
from loopback_auth.protocol.request_checks import RESERVED
from loopback_auth.protocol.response import FREE_TEXT, KNOWN_PARAMETERS, authorization_response, same_secret
from loopback_auth.quirks import Quirks

OPENID = replace(CLIENT, scope="openid profile")


def query(request: AuthorizationRequest) -> dict[str, str]:
    """Read the query of a request; no name may be there twice."""
    pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


# Requests


def test_request_of_the_specification_with_pkce() -> None:
    """RFC 6749 §4.1.1 has these parameters for this client, RFC 7636 §4.3 adds the challenge."""
    assert query(asked()) == {
        "response_type": "code",
        "client_id": "s6BhdRkqt3",
        "redirect_uri": REDIRECT_URI,
        "state": ATTEMPT.state,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "scope": "profile",
    }


def test_verifier_and_unsent_nonce_stay_here() -> None:
    """Whoever sees the URL may learn the challenge and never the verifier (RFC 7636 §7.1)."""
    url = asked(OPENID).url

    assert VERIFIER not in url
    assert ATTEMPT.nonce not in asked().url


def test_request_keeps_what_the_answer_is_compared_with() -> None:
    """Nothing is looked up elsewhere later (RFC 9700 §4.4.2)."""
    request = asked(OPENID)

    assert (request.state, request.code_verifier, request.nonce) == (ATTEMPT.state, VERIFIER, ATTEMPT.nonce)
    assert (request.redirect_uri, request.metadata) == (REDIRECT_URI, METADATA)
    for secret in (ATTEMPT.state, VERIFIER, ATTEMPT.nonce):
        assert secret not in repr(request)


@pytest.mark.parametrize(("scope", "sent"), [("openid", True), ("profile openid", True), ("openid2", False)])
def test_nonce_is_sent_exactly_with_openid(scope: str, sent: bool) -> None:
    """Without openid there is no ID token to carry it back (OpenID Connect Core §3.1.2.1)."""
    request = asked(replace(CLIENT, scope=scope))

    assert ("nonce" in query(request), request.nonce is not None) == (sent, sent)


@pytest.mark.parametrize(
    ("response_type", "pkce", "sent"),
    [("code", True, False), ("code", False, True), ("code id_token", True, True), ("id_token", True, True)],
)
def test_nonce_is_left_out_only_where_pkce_takes_its_place(
    response_type: ResponseType, pkce: bool, sent: bool
) -> None:
    """LinkedIn leaves it out of its ID token; a code is defended by its challenge too (RFC 9700 §4.5.3)."""
    provider = replace(PROVIDER, pkce=pkce, quirks=Quirks(nonce=False))
    request = asked(replace(CLIENT, scope="openid", response_type=response_type, provider=provider))

    assert ("nonce" in query(request), request.nonce is not None) == (sent, sent)


def test_state_is_sent_even_where_pkce_is_switched_off() -> None:
    """State is all that is left against forged answers then (RFC 9700 §4.7.1)."""
    request = asked(replace(CLIENT, provider=replace(PROVIDER, pkce=False)))

    assert query(request)["state"] == ATTEMPT.state
    assert request.code_verifier is None
    assert "code_challenge" not in query(request)


def test_optional_parameters_are_sent_when_given() -> None:
    """RFC 8707 §2 for resource, which may repeat; OpenID Connect Core §3.1.2.1 for the others."""
    client = replace(
        CLIENT,
        resource=("https://a.example", "urn:b"),
        audience="x",
        prompt="login",
        login_hint="a@b",
        acr_values="gold silver",
        max_age=0,
        extra={"access_type": "offline"},
    )
    pairs = parse_qsl(urlsplit(asked(client).url).query)

    assert pairs[-8:] == [
        ("audience", "x"),
        ("prompt", "login"),
        ("login_hint", "a@b"),
        ("acr_values", "gold silver"),
        ("max_age", "0"),
        ("resource", "https://a.example"),
        ("resource", "urn:b"),
        ("access_type", "offline"),
    ]


def test_scope_separator_of_the_provider_is_used() -> None:
    """Some servers want commas, against RFC 6749 §3.3."""
    provider = replace(PROVIDER, scope_separator=",")

    assert query(asked(replace(CLIENT, provider=provider, scope="a  b")))["scope"] == "a,b"


@pytest.mark.parametrize(
    ("endpoint", "start"),
    [
        (f"{ISSUER}/authorize", f"{ISSUER}/authorize?response_type=code&"),
        (f"{ISSUER}/authorize?", f"{ISSUER}/authorize?response_type=code&"),
        (f"{ISSUER}/authorize?p=%2F&q", f"{ISSUER}/authorize?p=%2F&q&response_type=code&"),
        (f"{ISSUER}/authorize?p=1&", f"{ISSUER}/authorize?p=1&response_type=code&"),
    ],
)
def test_query_of_the_endpoint_is_retained(endpoint: str, start: str) -> None:
    """RFC 6749 §3.1: the query component MUST be retained."""
    request = asked(metadata=replace(METADATA, authorization_endpoint=endpoint))

    assert request.url.startswith(start)


@pytest.mark.parametrize("query", ["state=x", "a=1&client_id=x", "redirect_uri", "%73tate="])
def test_endpoint_that_carries_our_parameters_is_refused(query: str) -> None:
    """RFC 6749 §3.1: no parameter MUST be included more than once; which one counts is anybody's guess."""
    with pytest.raises(ConfigError, match="already carries") as refusal:
        asked(metadata=replace(METADATA, authorization_endpoint=f"{ISSUER}/authorize?{query}"))

    assert refusal.value.hint


@pytest.mark.parametrize(
    "name",
    sorted({"state", "client_id", "redirect_uri", "response_type", "code_challenge"} | RESERVED),
)
@pytest.mark.parametrize("pkce", [True, False])
def test_extra_parameter_replaces_none_of_ours(name: str, pkce: bool) -> None:
    """The answer is checked against what we sent, so nobody else may choose it, present or not."""
    provider = replace(PROVIDER, pkce=pkce)
    with pytest.raises(ConfigError, match=name) as refusal:
        asked(replace(CLIENT, provider=provider, scope="", extra={name: "x"}))

    assert refusal.value.hint


def test_resource_with_fragment_is_refused() -> None:
    """RFC 8707 §2: the value MUST NOT include a fragment."""
    with pytest.raises(ConfigError):
        asked(replace(CLIENT, resource=("https://a.example#x",)))


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
def test_missing_endpoint_is_known_before_a_person_is_asked(name: str) -> None:
    """Approving for nothing is worse than not being asked."""
    changes: dict[str, Any] = {name: None}
    with pytest.raises(EndpointMissing) as refusal:
        asked(metadata=replace(METADATA, **changes))

    assert refusal.value.hint


# Choices


@pytest.mark.parametrize(
    ("wanted", "supported", "discovered", "chosen"),
    [
        (None, None, True, "query"),
        (None, ("query", "fragment"), True, "query"),
        (None, ("query", "form_post"), True, "form_post"),
        ("query", ("query", "form_post"), True, "query"),
        ("form_post", ("form_post",), True, "form_post"),
        ("form_post", None, False, "form_post"),
    ],
)
def test_form_post_is_chosen_where_it_is_announced(
    wanted: Any, supported: tuple[str, ...] | None, discovered: bool, chosen: str
) -> None:
    """A form body leaves no code in the browser's history (RFC 9700 §4.3.1)."""
    metadata = replace(METADATA, response_modes_supported=supported, discovered=discovered)
    client = replace(CLIENT, response_mode=wanted)

    assert response_mode(client, metadata) == chosen
    assert query(asked(client, metadata)).get("response_mode", "query") == chosen


@pytest.mark.parametrize(
    ("response_type", "given", "sent"),
    [
        ("id_token", "", "openid"),
        ("id_token token", "", "openid"),
        ("code id_token", "", "openid"),
        ("id_token", "profile", "profile"),
        ("code", "", None),
        ("token", "", None),
    ],
)
def test_an_id_token_is_asked_for_with_its_scope(response_type: Any, given: str, sent: str | None) -> None:
    """Without `openid` a server refuses the request (OpenID Connect Core 1.0 §3.1.2.1)."""
    client = replace(CLIENT, response_type=response_type, scope=given)

    assert query(asked(client)).get("scope") == sent


def test_fragment_is_said_where_it_was_chosen() -> None:
    """It is the default (OAuth 2.0 Multiple Response Types §5), but not with every server."""
    client = replace(CLIENT, response_type="code id_token", scope="openid")

    assert "response_mode" not in query(asked(client))
    assert query(asked(replace(client, response_mode="fragment")))["response_mode"] == "fragment"
    assert "response_mode" not in query(asked(replace(CLIENT, response_mode="query")))


def test_demanding_form_post_of_a_server_without_it_is_refused() -> None:
    """It would answer by query, and what was meant to stay out of the history would be in it."""
    with pytest.raises(ConfigError) as refusal:
        response_mode(replace(CLIENT, response_mode="form_post"), METADATA)

    assert "response_mode" in refusal.value.parameter.split()


@pytest.mark.parametrize(
    ("methods", "discovered", "pkce", "word"),
    [
        (("S256",), True, True, ""),
        (("plain", "S256"), True, True, ""),
        (None, False, True, ""),
        (None, True, True, "announce"),
        (("plain",), True, True, "announce"),
        (("S256",), True, False, "switched off"),
    ],
)
def test_weak_pkce_is_told(methods: tuple[str, ...] | None, discovered: bool, pkce: bool, word: str) -> None:
    """RFC 9700 §2.1.1: find out whether the server does PKCE; silence says so after discovery."""
    client = replace(CLIENT, provider=replace(PROVIDER, pkce=pkce))
    metadata = replace(METADATA, code_challenge_methods_supported=methods, discovered=discovered)

    doubt = pkce_doubt(client, metadata)

    assert (word in doubt) if word else not doubt
    assert ("code_challenge" in query(asked(client, metadata))) is pkce


@pytest.mark.parametrize(
    ("required", "wanted", "expected"),
    [
        (False, None, False),
        (False, False, False),
        (False, True, True),
        (True, None, True),
        (True, True, True),
    ],
)
def test_request_is_pushed_when_required_or_wanted(
    required: bool, wanted: bool | None, expected: bool
) -> None:
    """RFC 9126 §5: the server may say that it takes no other requests."""
    metadata = replace(METADATA, require_pushed_authorization_requests=required)

    assert pushes(replace(CLIENT, push=wanted), metadata) is expected


def test_forbidding_a_required_push_is_refused() -> None:
    """There is no falling back (RFC 9126 §4)."""
    with pytest.raises(ConfigError) as refusal:
        pushes(replace(CLIENT, push=False), replace(METADATA, require_pushed_authorization_requests=True))

    assert "push" in refusal.value.parameter.split()


def test_push_without_endpoint_is_refused() -> None:
    """Nor when the server contradicts itself."""
    with pytest.raises(EndpointMissing) as refusal:
        pushes(replace(CLIENT, push=True), replace(METADATA, pushed_authorization_request_endpoint=None))

    assert refusal.value.hint


# Pushed requests


@pytest.mark.parametrize("client", [CLIENT, SECRET_CLIENT])
def test_pushed_request_has_the_parameters_in_its_body(client: ClientConfig) -> None:
    """RFC 9126 §2.1: client_id is required there too, also beside Basic; request_uri must not be there."""
    request = asked(client)

    pushed = pushed_authorization_request(client, request)

    assert form(pushed) == dict(request.parameters)
    assert pushed.url == f"{ISSUER}/par"
    assert bool(pushed.header("authorization")) is (client is SECRET_CLIENT)


def test_pushed_request_with_the_secret_in_the_form_has_one_client_id() -> None:
    """The other place for client credentials repeats nothing either (RFC 6749 §3.2)."""
    client = replace(SECRET_CLIENT, provider=replace(PROVIDER, client_auth="client_secret_post"))

    pushed = form(pushed_authorization_request(client, asked(client)))

    assert (pushed["client_id"], pushed["client_secret"]) == (client.client_id, client.client_secret)


def test_pushed_response_of_the_specification() -> None:
    """RFC 9126 §2.2 and §4: the browser carries client_id and the reference, nothing else."""
    request_uri = "urn:ietf:params:oauth:request_uri:bwc4JK-ESC0w8acc191e-Y1LTC2"
    answer = json_answer({"request_uri": request_uri, "expires_in": 60}, 201)

    request = pushed_authorization_response(CLIENT, asked(), answer)

    assert query(request) == {"client_id": CLIENT.client_id, "request_uri": request_uri}
    assert replace(request, url="") == replace(asked(), url="")


@pytest.mark.parametrize(
    "answer",
    [
        json_answer({"request_uri": "urn:x"}, 302),
        json_answer({"request_uri": "urn:\ud800"}, 201),
        json_answer({"request_uri": "urn:x y"}, 201),
        json_answer({"request_uri": "urn:x\r\n"}, 201),
        json_answer({"request_uri": "urn:é"}, 201),
        json_answer({}, 201),
        json_answer({"request_uri": ""}, 201),
        json_answer({"request_uri": ["urn:x"]}, 201),
        json_answer([], 201),
        HttpResponse(201, (("Content-Type", "text/html"),), b"{}"),
        HttpResponse(307, (("Location", "https://other.example"),)),
    ],
)
def test_malformed_pushed_response_is_refused(answer: HttpResponse) -> None:
    """RFC 9126 §2.2: 201 with a request_uri, or it did not work."""
    with pytest.raises(MalformedResponse) as refusal:
        pushed_authorization_response(CLIENT, asked(), answer)

    assert refusal.value.hint


def test_refused_push_says_what_the_server_said() -> None:
    """RFC 9126 §2.3 uses the error codes of the token endpoint; the text is not trusted."""
    answer = json_answer({"error": "invalid_client", "error_description": "no\x1b[31m\u202e!"}, 401)

    with pytest.raises(PushedAuthorizationError) as refusal:
        pushed_authorization_response(CLIENT, asked(), answer)

    assert (refusal.value.error, refusal.value.error_description) == ("invalid_client", "no[31m!")
    assert refusal.value.hint


# Answers


def test_code_with_our_state_and_issuer_is_accepted() -> None:
    """RFC 6749 §4.1.2, with the code of its example."""
    response = authorization_response(asked(), answered(("code", "SplxlOBeZQQYbYS6WxSbIA")))

    assert response.code == "SplxlOBeZQQYbYS6WxSbIA"
    assert response.request == asked()
    assert "Splxl" not in repr(response)


@pytest.mark.parametrize("state", [None, "", "x", ATTEMPT.state[:-1], ATTEMPT.state + "x", "\ud800", "é"])
@pytest.mark.parametrize("pair", [("code", "x"), ("error", "access_denied")])
def test_answer_with_another_state_is_refused_first(state: str | None, pair: tuple[str, str]) -> None:
    """A forged error is as bad as a forged code (RFC 6749 §10.12, RFC 8252 §8.9)."""
    with pytest.raises(StateMismatch) as refusal:
        authorization_response(asked(), answered(pair, state=state, iss="https://other.example"))

    assert refusal.value.hint
    assert ATTEMPT.state not in str(refusal.value)


@pytest.mark.parametrize("pair", [("code", "x"), ("error", "access_denied")])
@pytest.mark.parametrize("iss", ["https://other.example", ISSUER + "/", "https://AS.example"])
def test_answer_of_another_issuer_is_refused(pair: tuple[str, str], iss: str) -> None:
    """RFC 9207 §2.4: compare, and do not go on, for errors as for codes."""
    with pytest.raises(IssuerMismatch) as refusal:
        authorization_response(asked(), answered(pair, iss=iss))

    assert (refusal.value.expected, refusal.value.received) == (ISSUER, iss)
    assert "mix-up" in refusal.value.hint


@pytest.mark.parametrize("iss", [None, ""])
def test_missing_issuer_is_refused_where_it_was_announced(iss: str | None) -> None:
    """RFC 9207 §2.4: a server that always says it has not said this."""
    with pytest.raises(IssuerMismatch, match="no iss"):
        authorization_response(asked(), answered(("code", "x"), iss=iss))


def test_issuer_is_compared_where_it_was_not_announced() -> None:
    """RFC 9207 §2.4 leaves that to us; nothing is gained by looking away."""
    request = asked(metadata=replace(METADATA, authorization_response_iss_parameter_supported=False))

    assert authorization_response(request, answered(("code", "x"), iss=None)).code == "x"
    with pytest.raises(IssuerMismatch):
        authorization_response(request, answered(("code", "x"), iss="https://other.example"))


def test_issuer_without_anything_to_compare_it_with_is_ignored() -> None:
    """Endpoints given by hand have no issuer; unknown parameters are ignored (RFC 6749 §4.1.2)."""
    by_hand = ServerMetadata(authorization_endpoint=f"{ISSUER}/a", token_endpoint=f"{ISSUER}/t")

    assert authorization_response(asked(metadata=by_hand), answered(("code", "x"))).code == "x"


@pytest.mark.parametrize("name", sorted(KNOWN_PARAMETERS - FREE_TEXT - {"state"}))
def test_repeated_parameter_is_refused(name: str) -> None:
    """RFC 6749 §3.1: it has two meanings; not even equal values are let through, but where none decides."""
    pairs = [("code", "x"), (name, "v"), (name, "v")]

    with pytest.raises(MalformedResponse, match=f"repeats .*{name}") as refusal:
        authorization_response(asked(), answered(*pairs))

    assert refusal.value.source == "RFC 6749 §3.1"


def test_empty_value_counts_as_absent() -> None:
    """RFC 6749 §3.1: parameters sent without a value MUST be treated as omitted."""
    callback = answered(("code", ""), ("error", ""), ("code", "x"), ("access_token", ""))

    assert authorization_response(asked(), callback).code == "x"


def test_unknown_parameters_are_ignored_even_repeated() -> None:
    """RFC 6749 §4.1.2: the client MUST ignore unrecognized response parameters."""
    callback = answered(("session_state", "a"), ("session_state", "b"), ("code", "x"))

    assert authorization_response(asked(), callback).code == "x"


@pytest.mark.parametrize(
    ("pairs", "source"),
    [
        ([], "RFC 6749 §4.1.2"),
        ([("code", "")], "RFC 6749 §4.1.2"),
        ([("code", "x"), ("error", "access_denied")], "RFC 6749 §4.1.2"),
        ([("code", "x"), ("access_token", "t")], "OAuth 2.0 Multiple Response Types §3"),
        ([("code", "x"), ("id_token", "t")], "OAuth 2.0 Multiple Response Types §3"),
        ([("access_token", "t"), ("token_type", "bearer")], "OAuth 2.0 Multiple Response Types §3"),
        ([("refresh_token", "t")], "OAuth 2.0 Multiple Response Types §3"),
        ([("response", "a.b.c")], "OAuth 2.0 Multiple Response Types §3"),
        ([("code", "é")], "RFC 6749 appendix A.11"),
        ([("code", "a\u202eb")], "RFC 6749 appendix A.11"),
        ([("code", "a\r\nb")], "RFC 6749 appendix A.11"),
    ],
)
def test_answer_that_cannot_be_one_is_refused(pairs: list[tuple[str, str]], source: str) -> None:
    """What was not asked for is not taken, and its value is not shown."""
    with pytest.raises(MalformedResponse) as refusal:
        authorization_response(asked(), answered(*pairs))

    assert refusal.value.source == source
    assert not any(value in str(refusal.value).split() for _, value in pairs if value)


def test_answer_by_another_mode_is_refused() -> None:
    """A code in the query is in the history, where a form was asked for to keep it out."""
    callback = replace(answered(("code", "x")), via="form_post")

    with pytest.raises(MalformedResponse, match="form_post") as refusal:
        authorization_response(asked(), callback)

    assert "response_mode" in refusal.value.parameter.split()


@pytest.mark.parametrize("length", [1, 60_000])
def test_code_may_have_any_length(length: int) -> None:
    """RFC 6749 §4.1.2: the client should avoid making assumptions about code value sizes."""
    assert authorization_response(asked(), answered(("code", "~" * length))).code == "~" * length


@pytest.mark.parametrize(
    "error",
    sorted(error for step, error in HINTS if step == "authorization request"),
)
def test_error_of_the_server_has_advice(error: str) -> None:
    """RFC 6749 §4.1.2.1 and its extensions: each code leads to something that a person can do."""
    with pytest.raises(AuthorizationError) as refusal:
        authorization_response(asked(), answered(("error", error), ("error_description", "Because.")))

    assert (refusal.value.error, refusal.value.error_description) == (error, "Because.")
    assert not refusal.value.hint.startswith("Ask the server's documentation")


def test_text_of_the_server_is_cleaned_and_cut() -> None:
    """It ends in a terminal (CVE-2024-50349); line breaks are Microsoft's habit."""
    pairs = [
        ("error", "bad\x1b]0;x\x07\u202e"),
        ("error_description", "AADSTS65004: declined.\r\nTrace ID: 1 " + "x" * 1000),
        ("error_uri", "https://as.example/\x9b31m"),
    ]

    with pytest.raises(AuthorizationError) as refusal:
        authorization_response(asked(), answered(*pairs))

    assert refusal.value.error == "bad]0;x"
    assert refusal.value.error_description.startswith("AADSTS65004: declined. Trace ID: 1 xxx")
    assert len(refusal.value.error_description) == 500
    assert refusal.value.error_uri == "https://as.example/31m"
    assert str(refusal.value).isprintable()


def test_error_code_of_nothing_but_controls_is_still_named() -> None:
    """An empty error would read as no error at all."""
    with pytest.raises(AuthorizationError, match="unreadable error code"):
        authorization_response(asked(), answered(("error", "\u202e\u200b")))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("", "", True),
        ("a", "a", True),
        ("a", "b", False),
        ("é", "é", True),
        ("\ud800", "\ud800", True),
        ("a", "", False),
    ],
)
def test_any_text_can_be_compared(one: str, other: str, same: bool) -> None:
    """The comparison of the standard library refuses text outside ASCII with an error of its own."""
    assert same_secret(one, other) is same


VALUES = st.sampled_from(["x", "", ATTEMPT.state, ISSUER, "bearer", "é"]) | st.text(max_size=4)
PAIRS = st.tuples(st.sampled_from(sorted(KNOWN_PARAMETERS)) | st.just("foo"), VALUES)


@PROPERTY
@given(st.lists(PAIRS, max_size=6), st.booleans())
def test_accepted_answer_keeps_every_rule(pairs: list[tuple[str, str]], good_start: bool) -> None:
    """Whatever is in the callback: our error, or one code, our state, our issuer and nothing repeated."""
    good = [("code", "x"), ("state", ATTEMPT.state), ("iss", ISSUER)] if good_start else []
    parameters = (*good, *pairs)
    try:
        response = authorization_response(asked(), Callback(parameters, "query"))
    except LoopbackAuthError:
        return
    decisive = KNOWN_PARAMETERS - FREE_TEXT
    present = [(name, value) for name, value in parameters if value and name in decisive]

    assert len(dict(present)) == len(present)
    assert {"code": response.code, "state": ATTEMPT.state, "iss": ISSUER}.items() <= dict(present).items()
    assert not dict(present).keys() & {"error", "access_token", "id_token", "refresh_token", "response"}


@pytest.mark.parametrize("via", ["query", "form_post", "relay"])
def test_refusal_is_one_whichever_way_it_came(via: Literal["query", "form_post", "relay"]) -> None:
    """Some servers answer in the fragment whatever was asked for, and the person has pressed Deny."""
    callback = replace(answered(("error", "access_denied")), via=via)
    with pytest.raises(AuthorizationError) as caught:
        authorization_response(asked(), callback)

    assert caught.value.error == "access_denied"
