"""The device grant's answers: what may be shown to a person, and what a poll means."""

from __future__ import annotations

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
    SECRET_CLIENT,
    form,
    json_answer,
    raw_answer,
)

from loopback_auth.device_and_ticket import DeviceGrant, Pending
from loopback_auth.errors import (
    DeviceError,
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    TransportError,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.device import (
    GRANT_TYPE,
    device_authorization_request,
    device_authorization_response,
    device_token_request,
    device_token_response,
)

DEVICE = replace(METADATA, device_authorization_endpoint=f"{ISSUER}/device_authorization")
GOOD: dict[str, object] = {  # of RFC 8628 §3.2
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://example.com/device",
    "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 5,
}


def granted(answer: HttpResponse) -> DeviceGrant:
    """Check an answer of a public server."""
    return device_authorization_response(answer, by=f"{ISSUER}/device_authorization")


def without(*names: str) -> dict[str, object]:
    """Leave members out."""
    return {name: value for name, value in GOOD.items() if name not in names}


def test_request_names_client_scope_and_resource() -> None:
    """RFC 8628 §3.1, RFC 8707 §2; a public client proves nothing."""
    client = replace(CLIENT, scope="a  b", resource=("https://api.example",), audience="x")

    request = device_authorization_request(client, DEVICE)

    assert (request.method, request.url) == ("POST", f"{ISSUER}/device_authorization")
    assert form(request) == {
        "client_id": CLIENT.client_id,
        "scope": "a b",
        "resource": "https://api.example",
        "audience": "x",
    }


def test_confidential_client_proves_itself_in_both_requests() -> None:
    """RFC 8628 §3.1, §3.4: as at the token endpoint."""
    grant = granted(json_answer(GOOD))
    for request in (
        device_authorization_request(SECRET_CLIENT, DEVICE),
        device_token_request(SECRET_CLIENT, DEVICE, grant),
    ):
        assert request.header("authorization").startswith("Basic ")
        assert "client_secret" not in form(request)


def test_poll_sends_the_device_code_and_nothing_else() -> None:
    """RFC 8628 §3.4."""
    request = device_token_request(CLIENT, DEVICE, granted(json_answer(GOOD)))

    assert request.url == METADATA.token_endpoint
    assert form(request) == {
        "grant_type": GRANT_TYPE,
        "device_code": GOOD["device_code"],
        "client_id": CLIENT.client_id,
    }


def test_server_without_an_endpoint_is_told_by_name() -> None:
    """So that another flow may be tried."""
    grant = granted(json_answer(GOOD))

    with pytest.raises(EndpointMissing, match="device authorization endpoint"):
        device_authorization_request(CLIENT, METADATA)
    with pytest.raises(EndpointMissing, match="token endpoint"):
        device_token_request(CLIENT, replace(DEVICE, token_endpoint=None), grant)


def test_good_answer_is_kept_as_it_is() -> None:
    """RFC 8628 §3.2; the device code is a secret, the user code is to be shown."""
    grant = granted(json_answer(GOOD))

    assert (grant.device_code, grant.user_code) == (GOOD["device_code"], "WDJB-MJHT")
    assert (grant.verification_uri, grant.verification_uri_complete) == (
        GOOD["verification_uri"],
        GOOD["verification_uri_complete"],
    )
    assert (grant.interval, grant.lifetime, grant.obtained_at) == (5, 1800, NOW)
    assert grant.device_code not in repr(grant)


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        (None, 5),
        (0, 1),
        (-5, 5),
        (1e9, 60),
        (10**400, 60),
        (-(10**400), 5),
        ("5", 5),
        ("7", 7),
        ("soon", 5),
        (True, 5),
        ([5], 5),
        (2.5, 2.5),
    ],
)
def test_interval_is_bent_into_something_sensible(interval: object, seconds: float) -> None:
    """RFC 8628 §3.2: five seconds when nothing is said; nobody should wait for ever, or not at all."""
    members = GOOD | {"interval": interval} if interval is not None else without("interval")

    assert granted(json_answer(members)).interval == seconds


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (600, 600),
        ("600", 600),
        ("600.0", 600),
        (10**300, 3600),
        (0.5, 0.5),
        (0, 600),
        (-1, 600),
        ("", 600),
        ("soon", 600),
        (None, 600),
        (True, 600),
    ],
)
def test_lifetime_has_an_end(expires_in: object, seconds: float) -> None:
    """A program that waits for days has been forgotten, and one told of no time asks until it is refused."""
    answer = json_answer(GOOD | {"expires_in": expires_in})

    assert granted(answer).lifetime == seconds


def test_spelling_of_google_is_understood() -> None:
    """Google says `verification_url`; peers that did not read it printed an empty link."""
    members = without("verification_uri", "verification_uri_complete")

    grant = granted(json_answer(members | {"verification_url": "https://g.example/d"}))

    assert (grant.verification_uri, grant.verification_uri_complete) == ("https://g.example/d", "")


@pytest.mark.parametrize("name", ["device_code", "user_code", "verification_uri"])
@pytest.mark.parametrize("value", [None, "", [], True, "\x1b"])
def test_required_members_are_required(name: str, value: object) -> None:
    """RFC 8628 §3.2; nothing to show or to ask with is no grant."""
    members = without(name) if value is None else GOOD | {name: value}

    with pytest.raises(MalformedResponse):
        granted(json_answer(members))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://example.com/device",
        "https://user@example.com/device",
        "https://example.com/\x1b[2J",
        "https://example.com/ x",
        "https://exam\u202eple.com/",
        "//example.com/device",
        "-psn",
        "https://[",
        "http://127.0.0.1/admin",
        "https://localhost/x",
        "https://10.0.0.5/admin?reboot=1",
        "http://[::1]:631/",
        "https://printer.localhost/",
    ],
)
def test_unsafe_addresses_are_not_shown(url: str) -> None:
    """They would be opened or typed in good faith (CVE-2025-6514), or lead inside (RFC 9728 §7.7)."""
    with pytest.raises(MalformedResponse):
        granted(json_answer(GOOD | {"verification_uri": url}))

    grant = granted(json_answer(GOOD | {"verification_uri_complete": url}))
    assert (grant.verification_uri, grant.verification_uri_complete) == (GOOD["verification_uri"], "")


def test_server_of_this_machine_may_name_this_machine() -> None:
    """The demonstration server is one."""
    here = json_answer(GOOD | {"verification_uri": "http://127.0.0.1:8000/device"})

    grant = device_authorization_response(here, by="http://127.0.0.1:8000/device_authorization")

    assert grant.verification_uri == "http://127.0.0.1:8000/device"


def test_host_inside_may_be_allowed_by_name() -> None:
    """Whoever runs the server knows where its page is."""
    inside = "https://10.0.0.5/device"
    answer = json_answer(GOOD | {"verification_uri": inside, "verification_uri_complete": f"{inside}?c=x"})

    grant = device_authorization_response(answer, by=ISSUER, allowed=("10.0.0.5",))

    assert (grant.verification_uri, grant.verification_uri_complete) == (inside, f"{inside}?c=x")
    with pytest.raises(MalformedResponse):
        device_authorization_response(answer, by=ISSUER, allowed=("10.0.0.6",))


def test_device_code_of_digits_may_come_as_a_number() -> None:
    """It is sent back as it was written."""
    assert (
        granted(json_answer(GOOD | {"device_code": 123456789012345678901})).device_code
        == "123456789012345678901"
    )


def test_user_code_of_digits_may_come_as_a_number() -> None:
    """It is shown and typed, and nothing is compared with it."""
    assert granted(json_answer(GOOD | {"user_code": 123456})).user_code == "123456"


def test_user_code_is_cleaned_for_the_terminal() -> None:
    """A code that moves the cursor could show another code than the server's page."""
    answer = json_answer(GOOD | {"user_code": "WDJB\x1b[2K\u202e-MJHT\r\n" + "x" * 100})

    code = granted(answer).user_code

    assert code.startswith("WDJB[2K-MJHT x")
    assert code.isprintable()
    assert len(code) <= 64


def test_refusal_is_reported_in_the_words_of_the_server() -> None:
    """RFC 8628 §3.2 refers to RFC 6749 §5.2; some answer 200."""
    for status in (400, 401, 200):
        refusal = {
            "error": "invalid_client",
            "error_description": "Who?\x1b",
            "error_uri": "https://e.example",
        }
        with pytest.raises(DeviceError) as caught:
            granted(json_answer(refusal, status))

        assert (caught.value.error, caught.value.error_description) == ("invalid_client", "Who?")
        assert caught.value.error_uri == "https://e.example"
        assert caught.value.hint


@pytest.mark.parametrize("status", [429, 500, 503])
def test_server_that_is_not_well_is_no_refusal(status: int) -> None:
    """Trying again later helps, another client id does not."""
    with pytest.raises(TransportError, match=str(status)):
        granted(HttpResponse(status))


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(404, (("Content-Type", "text/html"),)),
        raw_answer(b"[]"),
        raw_answer(b'{"device_code": "a", "device_code": "b"}'),
        json_answer(GOOD, 302),
    ],
)
def test_anything_else_is_malformed(answer: HttpResponse) -> None:
    """RFC 8628 §3.2: 200, and JSON with one meaning."""
    with pytest.raises(MalformedResponse):
        granted(answer)


# Polls


def said(error: str, status: int = 400, *headers: tuple[str, str]) -> HttpResponse:
    """Answer a poll with an error code."""
    return json_answer({"error": error, "error_description": "words"}, status, *headers)


@pytest.mark.parametrize("status", [400, 403, 428, 200, 429, 500])
def test_not_yet_is_not_yet_whatever_the_status(status: int) -> None:
    """RFC 8628 §3.5 names the codes; the numbers differ from vendor to vendor."""
    assert device_token_response(said("authorization_pending", status)) == Pending()
    assert device_token_response(said("slow_down", status)) == Pending(slow_down=True)


@pytest.mark.parametrize(
    "members",
    [
        {"status": 400, "message": "authorization_pending"},
        {"detail": "authorization_pending"},
        {"error": {"code": "authorization_pending", "message": "wait"}},
        {"error": "Bad Request", "message": "Authorization Pending"},
        {"error": "AUTHORIZATION_PENDING"},
        {"code": "authorizationPending"},
        {"errors": [{"code": "authorization_pending", "title": "Wait"}]},
        {"detail": [{"msg": "authorization_pending"}]},
        {"error": "invalid_request", "error_description": "authorization_pending"},
    ],
    ids=str,
)
def test_not_yet_is_understood_in_other_shapes(members: dict[str, object]) -> None:
    """Twitch, frameworks and gateways have forms of their own; the word is that of RFC 8628 §3.5."""
    assert device_token_response(json_answer(members, 400)) == Pending()


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_not_yet_is_understood_in_a_form(content_type: str) -> None:
    """GitHub writes a form to whoever does not ask for JSON."""
    body = b"error=authorization_pending&error_description=wait"

    assert device_token_response(HttpResponse(200, (("Content-Type", content_type),), body)) == Pending()


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(202),
        HttpResponse(204),
        HttpResponse(200),
        json_answer({}),
        json_answer({}, 202),
        json_answer({"status": "waiting"}, 202),
        json_answer({"error": "pending"}, 400),
        json_answer({"error": "pending"}, 202),
        json_answer("authorization_pending", 400),
        json_answer(["authorization_pending"], 400),
        HttpResponse(400, (("Content-Type", "text/plain"),), b"authorization_pending"),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body.decode()}",
)
def test_answer_that_grants_and_refuses_nothing_is_waited_out(answer: HttpResponse) -> None:
    """RFC 9110 §15.3.3: accepted, not done; to end here would lose what a person is about to approve."""
    pending = device_token_response(answer)

    assert isinstance(pending, Pending)
    assert not pending.trouble


def test_accepted_with_tokens_is_a_success() -> None:
    """Any status of success is one, and the code is spent by it."""
    answer = json_answer({"access_token": "x", "token_type": "Bearer"}, 202)

    assert device_token_response(answer) is answer


def test_trouble_told_with_a_status_of_refusal_is_waited_out() -> None:
    """RFC 6749 §4.1.2.1: `temporarily_unavailable` judges nothing."""
    pending = device_token_response(said("temporarily_unavailable", 400, ("Retry-After", "7")))

    assert isinstance(pending, Pending)
    assert pending.trouble
    assert pending.retry_after == 7


def test_wish_for_quiet_is_heard_beside_the_code() -> None:
    """RFC 9110 §10.2.3."""
    assert device_token_response(said("slow_down", 429, ("Retry-After", "9"))) == Pending(
        slow_down=True, retry_after=9
    )


@pytest.mark.parametrize("status", [400, 401, 200, 500])
@pytest.mark.parametrize(
    "error", ["access_denied", "authorization_declined", "expired_token", "invalid_grant"]
)
def test_final_words_end_it(error: str, status: int) -> None:
    """RFC 8628 §3.5; whoever answers such a word with 500 means it all the same."""
    with pytest.raises(DeviceError, match=error) as refusal:
        device_token_response(said(error, status))

    assert refusal.value.error_description == "words"
    assert refusal.value.hint


def test_other_errors_end_it_but_not_those_of_a_failing_server() -> None:
    """RFC 8628 §3.5: any other code stops the polling; `server_error` with 503 is no judgement."""
    with pytest.raises(DeviceError, match="invalid_client"):
        device_token_response(said("invalid_client", 401))
    pending = device_token_response(said("server_error", 503))

    assert isinstance(pending, Pending)
    assert "503" in pending.trouble


def test_success_is_handed_on_unread() -> None:
    """What is in it is judged where every token response is."""
    answer = json_answer({"access_token": "t"})

    assert device_token_response(answer) is answer


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(307, (("Location", "https://elsewhere.example"),)),
        HttpResponse(404, (("Content-Type", "text/html"),)),
        HttpResponse(200, (("Content-Type", "text/plain"),), b"wait"),
        raw_answer(b"{", 200),
        raw_answer(b"{}", 400),
    ],
)
def test_what_will_not_pass_ends_it(answer: HttpResponse) -> None:
    """To wait on would be silence until the code has expired."""
    with pytest.raises(MalformedResponse):
        device_token_response(answer)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.slow
@PROPERTY
@given(
    st.dictionaries(st.sampled_from([*GOOD, "error", "verification_url"]), JSON_VALUES),
    st.sampled_from([200, 400, 429, 500]),
)
def test_no_document_is_too_strange(members: dict[str, object], status: int) -> None:
    """Either there is something that can be shown, or an error of ours says why not."""
    for changed in (members, GOOD | members):
        try:
            grant = granted(json_answer(changed, status))
        except LoopbackAuthError:
            continue
        assert grant.user_code.isprintable()
        assert 1 <= grant.interval <= 60
        assert 0 < grant.lifetime <= 3600
