"""What a server would answer to us directly: metadata, pushed requests, made-up codes, device codes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import (
    ATTEMPT,
    CLIENT,
    ISSUER,
    METADATA,
    PROPERTY,
    SECRET_CLIENT,
    VERIFIER,
    form,
    json_answer,
    raw_answer,
)

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.doctor.direct_probe import (
    MADE_UP,
    Described,
    GrantType,
    device_probe,
    device_probe_response,
    grant_probe,
    grant_probe_response,
    metadata_probe_response,
    not_listed,
    pushed_probe,
    pushed_probe_response,
)
from loopback_auth.doctor.redirect_probe import ProbeAnswer, authorization_probe
from loopback_auth.errors import EndpointMissing, IssuerMismatch
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata

WHAT = "response_type=code"
URI = "http://127.0.0.1:49152/callback"
DEVICE_CODE: GrantType = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE = replace(METADATA, device_authorization_endpoint=f"{ISSUER}/device_authorization")
FORGETFUL = replace(CLIENT, provider=Provider("example", METADATA, client_auth="client_secret_basic"))
"""A client that authenticates with a secret, which is not there."""


def request() -> AuthorizationRequest:
    """Ask by way of the browser."""
    return authorization_probe(CLIENT, METADATA, ATTEMPT, response_type="code", response_mode="query")


def refusal(error: str, description: str = "", status: int = 400) -> HttpResponse:
    """Refuse."""
    return json_answer({"error": error, "error_description": description}, status)


def pushed(answer: HttpResponse, client: ClientConfig = CLIENT) -> dict[str, str]:
    """Return the verdicts on a pushed request."""
    _, judged = pushed_probe_response(client, request(), WHAT, answer)
    return {one.what: one.verdict for one in judged}


def grant(answer: HttpResponse, client: ClientConfig = CLIENT) -> ProbeAnswer:
    """Judge the answer to a made-up code."""
    return grant_probe_response(client, "authorization_code", answer)


def described(**members: object) -> Described:
    """Read a metadata document with some more members."""
    provider = Provider("example", ServerMetadata(issuer=ISSUER))
    return metadata_probe_response(provider, json_answer({"issuer": ISSUER, **members}))


def test_lists_of_the_metadata_are_told() -> None:
    """They are the server's own words (RFC 8414 §2)."""
    found = described(
        response_types_supported=["code", "id_token code"],
        grant_types_supported=["authorization_code\x1b[2J"],
        code_challenge_methods_supported=["plain", "S256"],
    )

    assert [(one.what, one.verdict) for one in found.answered] == [
        ("metadata", "yes"),
        ("response_types_supported", "yes"),
        ("response_modes_supported", "unknown"),
        ("grant_types_supported", "yes"),
        ("code_challenge_methods_supported", "yes"),
    ]
    said = [one.because for one in found.answered]
    assert "code, id_token code" in said[1]
    assert "query and fragment" in said[2]
    assert all(map(str.isprintable, said))


@pytest.mark.parametrize("listed", [["plain"], []])
def test_missing_s256_is_a_no(listed: list[str]) -> None:
    """It is the only method used here."""
    assert described(code_challenge_methods_supported=listed).answered[-1].verdict == "no"


@pytest.mark.parametrize("value", ["code", 7, None, {"code": True}])
def test_list_that_is_none_is_as_good_as_not_there(value: object) -> None:
    """Leniently: it is a remark here, and a sign-in does not read it."""
    assert described(response_types_supported=value).response_types is None
    assert described(response_types_supported=["code", value]).response_types[:1] == ("code",)  # type: ignore[index]


def test_metadata_of_another_issuer_are_refused() -> None:
    """As by a sign-in (RFC 8414 §3.3)."""
    with pytest.raises(IssuerMismatch):
        described(issuer="https://evil.example")


def test_unlisted_response_type_needs_no_question() -> None:
    """The order of the words is free (RFC 6749 §3.1.1); a server that lists nothing is asked."""
    found = described(response_types_supported=["code", "id_token code"])
    refused = not_listed(found, "id_token")

    assert not_listed(found, "code id_token") is None
    assert refused is not None
    assert (refused.what, refused.verdict) == ("response_type=id_token", "no")
    assert not_listed(described(), "id_token") is None


def test_pushed_request_that_is_taken_settles_the_redirect_uri() -> None:
    """It was checked whole (RFC 9126 §2.1); the visit that follows may still say more of the rest."""
    answer = json_answer({"request_uri": "urn:x:1", "expires_in": 60}, 201)
    taken, _ = pushed_probe_response(CLIENT, request(), WHAT, answer)

    assert taken is not None
    assert "request_uri=urn%3Ax%3A1" in taken.url
    assert pushed(answer) == {"pushed_authorization_request": "yes", "redirect_uri": "yes", WHAT: "likely"}


@pytest.mark.parametrize(
    ("answer", "verdicts"),
    [
        (refusal("invalid_redirect_uri"), {"redirect_uri": "no", WHAT: "unknown"}),
        (
            refusal("invalid_request", "The redirect_uri is not valid"),
            {"redirect_uri": "no", WHAT: "unknown"},
        ),
        (refusal("invalid_client", "", 401), {"pushed_authorization_request": "no", WHAT: "unknown"}),
        (refusal("unsupported_response_type"), {WHAT: "no"}),
        (refusal("invalid_scope"), {WHAT: "unknown"}),
        (refusal("server_error", "", 500), {"pushed_authorization_request": "unknown"}),
        (raw_answer(b"<html>"), {"pushed_authorization_request": "unknown"}),
        (HttpResponse(502), {"pushed_authorization_request": "unknown"}),
    ],
)
def test_pushed_request_is_refused_for_what_is_named(answer: HttpResponse, verdicts: dict[str, str]) -> None:
    """RFC 9126 §2.3 names a wrong redirect URI only in the description."""
    assert pushed(answer) == verdicts


def test_missing_secret_is_no_verdict() -> None:
    """Nobody is asked for it here, and without it a server may refuse before it looks at anything."""
    wanted = refusal("invalid_client", "", 401)

    assert pushed(wanted, FORGETFUL)["pushed_authorization_request"] == "unknown"
    assert (grant(wanted, FORGETFUL).verdict, grant(wanted).verdict) == ("unknown", "no")
    assert device_probe_response(FORGETFUL, wanted).verdict == "unknown"
    assert "none here" in grant(wanted, FORGETFUL).because


def test_client_without_its_secret_asks_by_its_name() -> None:
    """A request that authenticates with nothing could not be made."""
    for question in (
        pushed_probe(FORGETFUL, request()),
        grant_probe(FORGETFUL, METADATA, ATTEMPT, "refresh_token"),
        device_probe(FORGETFUL, DEVICE),
    ):
        assert form(question)["client_id"] == CLIENT.client_id
        assert question.header("authorization") == ""


def test_client_with_a_secret_authenticates_as_always() -> None:
    """RFC 6749 §2.3.1."""
    question = grant_probe(SECRET_CLIENT, METADATA, ATTEMPT, "authorization_code")

    assert question.header("authorization").startswith("Basic ")
    assert "client_secret" not in form(question)


def test_code_is_made_up_and_the_rest_is_as_always() -> None:
    """A server that wants a verifier refuses its absence before it looks for the code."""
    assert form(grant_probe(CLIENT, METADATA, ATTEMPT, "authorization_code")) == {
        "grant_type": "authorization_code",
        "code": MADE_UP,
        "redirect_uri": URI,
        "code_verifier": VERIFIER,
        "client_id": CLIENT.client_id,
    }


def test_verifier_stays_away_where_pkce_is_off() -> None:
    """There it is an error of its own."""
    client = replace(CLIENT, provider=Provider("x", METADATA, pkce=False))

    assert "code_verifier" not in form(grant_probe(client, METADATA, ATTEMPT, "authorization_code"))


@pytest.mark.parametrize(
    ("grant_type", "name"), [("refresh_token", "refresh_token"), (DEVICE_CODE, "device_code")]
)
def test_tokens_and_device_codes_are_made_up(grant_type: GrantType, name: str) -> None:
    """RFC 6749 §6, RFC 8628 §3.4."""
    assert form(grant_probe(CLIENT, METADATA, ATTEMPT, grant_type)) == {
        "grant_type": grant_type,
        name: MADE_UP,
        "client_id": CLIENT.client_id,
    }


def test_nothing_is_asked_where_there_is_nobody() -> None:
    """The endpoint is named, so that it can be given."""
    with pytest.raises(EndpointMissing, match="token endpoint"):
        grant_probe(CLIENT, replace(METADATA, token_endpoint=None), ATTEMPT, "refresh_token")
    with pytest.raises(EndpointMissing, match="device authorization endpoint"):
        device_probe(CLIENT, METADATA)


@pytest.mark.parametrize(
    ("error", "description", "verdict"),
    [
        ("invalid_grant", "", "yes"),
        ("bad_verification_code", "", "yes"),
        ("expired_token", "", "yes"),
        ("authorization_pending", "", "yes"),
        ("unsupported_grant_type", "", "no"),
        ("unauthorized_client", "", "no"),
        ("invalid_client", "", "no"),
        ("incorrect_client_credentials", "", "no"),
        # as oidc-provider says it
        ("invalid_request", "requested grant type is not allowed for this client", "no"),
        ("invalid_request", "The code is malformed", "unknown"),
        ("invalid_scope", "", "unknown"),
        ("Not Found", "", "unknown"),
    ],
)
def test_refusal_of_what_was_made_up_tells_of_the_grant(error: str, description: str, verdict: str) -> None:
    """Who looks for a code answers the grant (RFC 6749 §5.2); GitHub refuses with status 200."""
    for status in (400, 401, 200):
        assert grant(refusal(error, description, status)).verdict == verdict
    assert error in grant(refusal(error, description)).because


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(503),
        raw_answer(b"{", 400),
        HttpResponse(302),
        json_answer({}, 404),
        raw_answer(b"[]", 200),
    ],
)
def test_token_endpoint_that_is_none_decides_nothing(answer: HttpResponse) -> None:
    """Something else may have answered."""
    assert grant(answer).verdict == "unknown"


def test_tokens_for_what_was_made_up_are_suspicious() -> None:
    """And they are not shown."""
    answered = grant(json_answer({"access_token": "hunter2", "token_type": "bearer"}))

    assert answered.verdict == "unknown"
    assert "made up" in answered.because
    assert "hunter2" not in repr(answered)


def test_device_code_is_left_to_lapse() -> None:
    """It is a secret, and nobody will enter it."""
    answered = device_probe_response(
        CLIENT,
        json_answer(
            {
                "device_code": "hunter2",
                "user_code": "WDJB-MJHT",
                "verification_uri": "https://example.com/device",
                "expires_in": 1800,
            }
        ),
    )

    assert answered.verdict == "yes"
    assert "hunter2" not in repr(answered)
    assert "WDJB" not in repr(answered)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (refusal("unauthorized_client"), "no"),
        (refusal("device_flow_disabled", "", 200), "no"),
        (refusal("invalid_request", "not allowed for this client"), "no"),
        (refusal("invalid_client", "", 401), "no"),
        (refusal("invalid_scope"), "unknown"),
        (refusal("slow_down", "", 429), "unknown"),
        (HttpResponse(503), "unknown"),
        (json_answer({"device_code": "x"}), "unknown"),
    ],
)
def test_device_code_is_refused_or_not(answer: HttpResponse, verdict: str) -> None:
    """The request was a real one, so what refuses it would refuse a sign-in (RFC 8628 §3.2)."""
    assert device_probe_response(CLIENT, answer).verdict == verdict


@PROPERTY
@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.binary(max_size=60),
        st.dictionaries(
            st.sampled_from(["error", "error_description", "request_uri"]), st.text(max_size=9)
        ).map(lambda members: json_answer(members).body),
    ),
)
def test_no_answer_breaks_the_judges(status: int, body: bytes) -> None:
    """Whatever comes, the other questions are still asked."""
    answer = raw_answer(body, status)
    judged = [
        *pushed_probe_response(CLIENT, request(), WHAT, answer)[1],
        grant(answer),
        device_probe_response(CLIENT, answer),
    ]

    assert all(one.because.isprintable() for one in judged)
