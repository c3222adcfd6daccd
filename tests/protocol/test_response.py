"""What an authorization response may hold, by response type and by the way it came."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import ATTEMPT, CLIENT, ISSUER, PROPERTY, asked

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import (
    AuthorizationError,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    StateMismatch,
)
from loopback_auth.http_messages import FORM, HttpRequest
from loopback_auth.model import ResponseType
from loopback_auth.protocol.redirect import (
    PAGE_TOKEN,
    RedirectEndpoint,
    RelayPage,
    Repeated,
    TurnedAway,
    redirect_endpoint,
)
from loopback_auth.protocol.response import DROPPED, authorization_response
from loopback_auth.records import get_args

TYPES: tuple[ResponseType, ...] = get_args(ResponseType)
STATE = ("state", ATTEMPT.state)
ISS = ("iss", ISSUER)
CODE = ("code", "c")
ACCESS = ("access_token", "t")
BEARER = ("token_type", "Bearer")
ID_TOKEN = ("id_token", "a.b.c")
REFRESH = ("refresh_token", "r")
GOOD: dict[ResponseType, tuple[tuple[str, str], ...]] = {
    "code": (CODE,),
    "token": (ACCESS, BEARER, ("expires_in", "60"), ("scope", "a")),
    "id_token": (ID_TOKEN,),
    "id_token token": (ID_TOKEN, ACCESS, BEARER),
    "code id_token": (CODE, ID_TOKEN),
}
every_type = pytest.mark.parametrize("response_type", TYPES)
fragment_types = pytest.mark.parametrize("response_type", TYPES[1:])


def request_for(response_type: ResponseType) -> AuthorizationRequest:
    """Ask for something, to come as is usual for it."""
    return asked(replace(CLIENT, response_type=response_type))


def came(
    response_type: ResponseType, *pairs: tuple[str, str], own: tuple[tuple[str, str], ...] = (STATE, ISS)
) -> Callback:
    """Let it come as is usual."""
    return Callback((*pairs, *own), "query" if response_type == "code" else "relay", 7.0)


@every_type
def test_what_was_asked_for_is_taken(response_type: ResponseType) -> None:
    """OAuth 2.0 Multiple Response Types §3, §5; RFC 6749 §4.1.2, §4.2.2."""
    response = authorization_response(
        request_for(response_type), came(response_type, *GOOD[response_type], ("session_state", "x"))
    )

    assert response.code == dict(GOOD[response_type]).get("code", "")
    assert response.parameters == {name: value for name, value in GOOD[response_type] if name != "code"}
    assert (response.received_at, response.warnings) == (7.0, ())
    assert "a.b.c" not in repr(response)


@every_type
@pytest.mark.parametrize("extra", [CODE, ACCESS, ID_TOKEN, REFRESH, ("response", "jwt")])
def test_what_was_not_asked_for_is_refused(response_type: ResponseType, extra: tuple[str, str]) -> None:
    """A server that sends more than was asked for has mixed something up, or somebody has."""
    if extra in GOOD[response_type]:
        return
    callback = came(response_type, *GOOD[response_type], extra)
    if extra == REFRESH and "token" in response_type.split():
        assert authorization_response(request_for(response_type), callback).warnings == (DROPPED,)
        return

    with pytest.raises(MalformedResponse):
        authorization_response(request_for(response_type), callback)


@every_type
def test_half_an_answer_is_none(response_type: ResponseType) -> None:
    """Each word of the response type brings something."""
    for left_out in GOOD[response_type]:
        if left_out[0] not in ("code", "access_token", "id_token"):
            continue
        rest = [pair for pair in GOOD[response_type] if pair != left_out]
        for changed in (rest, [*rest, (left_out[0], "")]):
            with pytest.raises(MalformedResponse):
                authorization_response(request_for(response_type), came(response_type, *changed))


@every_type
def test_refusal_is_understood(response_type: ResponseType) -> None:
    """RFC 6749 §4.1.2.1, §4.2.2.1, and by query too: some servers send all errors there."""
    pairs = (("error", "access_denied"), ("error_description", "No\x1b"), STATE, ISS)
    for via in ("query", "relay") if response_type != "code" else ("query",):
        with pytest.raises(AuthorizationError, match="access_denied") as refusal:
            authorization_response(request_for(response_type), Callback(pairs, via))
        assert refusal.value.error_description == "No"


@every_type
def test_refusal_and_gift_at_once_is_neither(response_type: ResponseType) -> None:
    """Two meanings: RFC 6749 §4.1.2 and §4.1.2.1 exclude each other."""
    callback = came(response_type, ("error", "access_denied"), *GOOD[response_type])

    with pytest.raises(MalformedResponse, match="both an error"):
        authorization_response(request_for(response_type), callback)


@fragment_types
def test_tokens_in_the_query_are_refused(response_type: ResponseType) -> None:
    """RFC 9700 §4.3.1: they are in logs and in the history already; the hint must not ask for more of it."""
    callback = Callback((*GOOD[response_type], STATE, ISS), "query")

    with pytest.raises(MalformedResponse, match="by query") as refusal:
        authorization_response(request_for(response_type), callback)
    assert refusal.value.hint == "Choose the flow code."


def test_code_by_another_way_than_asked_is_refused_with_the_way_out() -> None:
    """OAuth 2.0 Form Post Response Mode §2."""
    with pytest.raises(MalformedResponse, match="form_post") as refusal:
        authorization_response(request_for("code"), Callback((CODE, STATE, ISS), "form_post"))
    assert "form_post" in refusal.value.hint
    assert refusal.value.parameter == "response_mode"


def by_form(response_type: ResponseType, *, demanded: bool) -> AuthorizationRequest:
    """Ask for a form: because the user wants it, or because the metadata list it."""
    request = replace(request_for(response_type), response_mode="form_post")
    return replace(request, mode_demanded=demanded)


@every_type
def test_mode_that_the_program_chose_cannot_end_the_sign_in(response_type: ResponseType) -> None:
    """State and PKCE hold in the usual way as well; a server may list form_post and not do it."""
    via: Literal["query", "relay"] = "query" if response_type == "code" else "relay"
    callback = Callback((*GOOD[response_type], STATE, ISS), via)

    response = authorization_response(by_form(response_type, demanded=False), callback)

    assert len(response.warnings) == 1
    with pytest.raises(MalformedResponse, match="form_post") as refusal:
        authorization_response(by_form(response_type, demanded=True), callback)
    assert "response_mode" in refusal.value.parameter.split()


@fragment_types
def test_tokens_in_the_query_are_refused_whoever_chose_the_mode(response_type: ResponseType) -> None:
    """RFC 9700 §4.3.2."""
    callback = Callback((*GOOD[response_type], STATE, ISS), "query")

    with pytest.raises(MalformedResponse, match="by query"):
        authorization_response(by_form(response_type, demanded=False), callback)


def test_issuer_that_is_escaped_twice_is_the_right_one() -> None:
    """It is no URL, so it can be no other server's name (RFC 8414 §2); Glewlwyd writes it so."""
    response = authorization_response(
        request_for("code"), Callback((CODE, STATE, ("iss", quote(ISSUER, safe=""))), "query")
    )

    assert len(response.warnings) == 1


@pytest.mark.parametrize(
    ("issuer", "iss"),
    [
        (ISSUER, quote(ISSUER + "/", safe="")),
        (ISSUER, quote(quote(ISSUER, safe=""), safe="")),
        ("https://as.example/%41", "https://as.example/%2541"),
        (ISSUER, "https://as.exampl%65"),
        (ISSUER, "as.example"),
    ],
)
def test_other_spellings_of_the_issuer_are_refused(issuer: str, iss: str) -> None:
    """RFC 9207 §2.4: simple string comparison; what is a URL may be another server's."""
    request = request_for("code")
    request = replace(request, metadata=replace(request.metadata, issuer=issuer))

    with pytest.raises(IssuerMismatch):
        authorization_response(request, Callback((CODE, STATE, ("iss", iss)), "query"))


@pytest.mark.parametrize("iss", [None, "https://other.example"])
def test_refusal_is_told_though_its_sender_is_not_believed(iss: str | None) -> None:
    """RFC 9207 §2.4 has the answer rejected; who pressed Cancel should not read of an attack alone."""
    own = () if iss is None else (("iss", iss),)
    pairs = (("error", "access_denied"), ("error_description", "No\x1b"), STATE, *own)

    with pytest.raises(IssuerMismatch, match=r"access_denied \(No\)") as refusal:
        authorization_response(request_for("code"), Callback(pairs, "query"))
    assert "refused" in refusal.value.hint


@every_type
@pytest.mark.parametrize("name", ["code", "access_token", "id_token", "state", "iss", "error", "token_type"])
def test_repeated_parameter_has_no_meaning(response_type: ResponseType, name: str) -> None:
    """RFC 6749 §3.1, in a fragment as anywhere."""
    pairs = (*GOOD[response_type], STATE, ISS, (name, "other"), (name, "another"))

    with pytest.raises((MalformedResponse, StateMismatch)):
        authorization_response(request_for(response_type), came(response_type, *pairs, own=()))


def test_refusal_with_two_descriptions_is_one() -> None:
    """They decide nothing (RFC 6749 §4.1.2.1), and the person has refused."""
    pairs = (
        ("error", "access_denied"),
        *(("error_description", text) for text in ("No", "Nein")),
        STATE,
        ISS,
    )

    with pytest.raises(AuthorizationError) as refusal:
        authorization_response(request_for("code"), Callback(pairs, "query"))
    assert refusal.value.error == "access_denied"


def test_token_type_beside_a_code_means_nothing() -> None:
    """It is no token, and what has no meaning is ignored (RFC 6749 §4.1.2)."""
    response = authorization_response(request_for("code"), Callback((CODE, BEARER, STATE, ISS), "query"))

    assert response.code == CODE[1]


@every_type
def test_state_and_issuer_come_first(response_type: ResponseType) -> None:
    """RFC 6749 §10.12, RFC 9207 §2.4: before anything that it says is believed."""
    for pairs in (GOOD[response_type], (("error", "access_denied"),)):
        for own in ((ISS,), (("state", "x"), ISS), (("state", ""), ISS)):
            with pytest.raises(StateMismatch):
                authorization_response(request_for(response_type), came(response_type, *pairs, own=own))
        told = "id_token" in dict(pairs)  # An ID token names the issuer, too.
        for own in ((STATE, ("iss", "https://other.example")), *(() if told else ((STATE,),))):
            with pytest.raises(IssuerMismatch):
                authorization_response(request_for(response_type), came(response_type, *pairs, own=own))


@PROPERTY
@given(
    st.sampled_from(TYPES),
    st.lists(
        st.tuples(st.sampled_from([*"abc", "code", "access_token", "error", "iss", "scope"]), st.text()),
        max_size=4,
    ),
    st.sampled_from(["query", "form_post", "relay", "paste"]),
)
def test_no_answer_is_too_strange(
    response_type: ResponseType, pairs: list[tuple[str, str]], via: str
) -> None:
    """It is believed or refused, by an error of ours."""
    callback = Callback((*pairs, STATE, ISS), via)  # type: ignore[arg-type]
    try:
        response = authorization_response(request_for(response_type), callback)
    except LoopbackAuthError:
        return

    assert bool(response.code) is ("code" in response_type.split())
    assert response.code.isascii()


# The relay of the fragment

AUTHORITY = "127.0.0.1:49152"
RELAY = RedirectEndpoint(
    AUTHORITY, "/callback", request_for("token"), relay_path="/relay/key", relay_token="page-token"
)
BODY = f"access_token=t&token_type=Bearer&state={ATTEMPT.state}&iss={ISSUER}".encode()
HEADERS = {
    "Host": AUTHORITY,
    "Origin": f"http://{AUTHORITY}",
    "Content-Type": FORM,
    "Sec-Fetch-Site": "same-origin",
    PAGE_TOKEN: "page-token",
}


def relayed(
    changes: dict[str, str | None] | None = None,
    *,
    method: str = "POST",
    url: str = "/relay/key",
    body: bytes = BODY,
    endpoint: RedirectEndpoint = RELAY,
) -> Callback | RelayPage | Repeated | TurnedAway:
    """Send what our own page sends, but for some headers."""
    headers = HEADERS | (changes or {})
    pairs = tuple((name, value) for name, value in headers.items() if value is not None)
    return redirect_endpoint(endpoint, HttpRequest(method, url, pairs, body))


@pytest.mark.parametrize("body", [BODY, b"?" + BODY])
@pytest.mark.parametrize("changes", [{}, {"Sec-Fetch-Site": None}, {"Content-Type": f"{FORM};charset=UTF-8"}])
def test_relay_of_our_page_is_the_answer(body: bytes, changes: dict[str, str | None]) -> None:
    """Netlify's fragments begin with a question mark; old browsers send no fetch metadata."""
    callback = relayed(changes, body=body)

    assert isinstance(callback, Callback)
    assert authorization_response(request_for("token"), callback).parameters["access_token"] == "t"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:49153"}, 403),
        ({"Origin": "http://localhost:49152"}, 403),
        ({PAGE_TOKEN: None}, 403),
        ({PAGE_TOKEN: "other"}, 403),
        ({PAGE_TOKEN: ""}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": None}, 415),
        ({"Content-Type": "application/json"}, 415),
        ({"Host": "evil.example"}, 421),
        ({"Host": None}, 421),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_relay_of_another_page_is_turned_away(changes: dict[str, str | None], status: int) -> None:
    """Any page can post to our port; the sign-in goes on waiting."""
    verdict = relayed(changes)

    assert isinstance(verdict, TurnedAway)
    assert verdict.status == status
    assert isinstance(relayed(), Callback)


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "HEAD"])
def test_relay_is_a_post(method: str) -> None:
    """A GET would put the token into an address; a preflight is answered with no."""
    verdict = relayed(method=method)

    assert isinstance(verdict, TurnedAway)
    assert verdict.status in (403, 405)


def test_relay_without_our_state_is_turned_away() -> None:
    """The token of somebody else's sign-in is no answer to ours."""
    verdict = relayed(body=b"access_token=t&token_type=Bearer&state=other")

    assert isinstance(verdict, TurnedAway)
    assert verdict.status == 400


def test_second_relay_is_gone() -> None:
    """The first one counts."""
    verdict = relayed(endpoint=replace(RELAY, answered=True))

    assert isinstance(verdict, TurnedAway)
    assert verdict.status == 410


def test_relay_is_for_the_page_of_this_sign_in() -> None:
    """Its address is 128 random bits, and before there is a request it leads nowhere."""
    assert isinstance(relayed(url="/relay/other"), TurnedAway)
    assert isinstance(relayed(endpoint=replace(RELAY, relay_path="")), TurnedAway)
    assert isinstance(relayed(endpoint=replace(RELAY, request=None)), TurnedAway)


def test_page_is_served_for_an_empty_query_only() -> None:
    """RFC 6749 §4.2 step E; an error in the query needs no script to be read."""
    plain: dict[str, str | None] = {
        "Origin": None,
        "Content-Type": None,
        "Sec-Fetch-Site": None,
        PAGE_TOKEN: None,
    }

    assert isinstance(relayed(plain, method="GET", url="/callback"), RelayPage)
    assert isinstance(relayed(plain, method="GET", url="/callback?x=1"), RelayPage)
    error = relayed(plain, method="GET", url=f"/callback?error=access_denied&state={ATTEMPT.state}")
    assert isinstance(error, Callback)
    forged = relayed(plain, method="GET", url="/callback?error=access_denied&state=other")
    assert isinstance(forged, TurnedAway)
