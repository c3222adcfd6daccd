"""Signed authorization responses: what is believed, and when."""

from __future__ import annotations

import json
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest
from client_key_samples import EC, ED25519, public_half, rsa_jwk
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, import_key
from protocol_samples import ATTEMPT, CLIENT, ISSUER, METADATA, NOW, PROPERTY, REDIRECT_URI, asked

from loopback_auth.authorization_messages import AuthorizationRequest, AuthorizationResponse, Callback
from loopback_auth.errors import (
    AuthorizationError,
    ConfigError,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    StateMismatch,
)
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import ClientConfig, ResponseMode, ServerMetadata
from loopback_auth.protocol.authorization import response_mode
from loopback_auth.protocol.jarm import (
    check_signed_mode,
    needs_keys,
    signed_response,
    unverified_state,
    verified_callback,
)
from loopback_auth.protocol.jws import registry_for
from loopback_auth.protocol.paste import NotAccepted, Pasted, pasted_callback
from loopback_auth.protocol.redirect import RedirectEndpoint, RelayPage, TurnedAway, redirect_endpoint
from loopback_auth.protocol.request_checks import carrier, check_response_mode
from loopback_auth.protocol.response import authorization_response

MODES = ("query", "query.jwt", "form_post.jwt", "fragment.jwt", "jwt")
SERVER = replace(METADATA, response_modes_supported=MODES)
SERVER_KEY = {**EC, "kid": "server"}
KEYS = {"keys": [public_half(SERVER_KEY)]}
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": CLIENT.client_id,
    "exp": int(NOW) + 600,
    "code": "PyyFaux2o7Q0YfXBU32jhw.5FXSQpvr8akv9CeRDSd0QA",
    "state": ATTEMPT.state,
}
"""As in the example of JARM §2.1.1."""


def client_of(mode: ResponseMode = "query.jwt", **changes: Any) -> ClientConfig:
    """Return a client that wants signed responses."""
    return replace(CLIENT, response_mode=mode, **changes)


def request_of(client: ClientConfig | None = None) -> AuthorizationRequest:
    """Make its request."""
    return asked(client or client_of(), SERVER)


def jwt(
    claims: Mapping[str, object] = CLAIMS,
    *,
    algorithm: str = "ES256",
    key: Any = SERVER_KEY,
    **header: object,
) -> str:
    """Sign a response as a server does."""
    named = {"alg": algorithm, "kid": "server", **header}
    signing = key if isinstance(key, OctKey) else import_key(dict(key))
    return jws.serialize_compact(named, json.dumps(claims), signing, registry=registry_for(algorithm))


def without(name: str) -> dict[str, object]:
    """Leave out a claim."""
    return {each: value for each, value in CLAIMS.items() if each != name}


def arrived(raw: str, via: Literal["query", "form_post", "relay", "paste"] = "query") -> Callback:
    """Return the callback with a signed response."""
    return Callback((("response", raw),), via, NOW)


def response_to(
    callback: Callback, client: ClientConfig | None = None, keys: Mapping[str, object] = KEYS
) -> AuthorizationResponse:
    """Check a response as the flow does."""
    client = client or client_of()
    request = request_of(client)
    raw = signed_response(callback)
    checked = verified_callback(raw, client=client, request=request, callback=callback, keys=keys)
    return authorization_response(request, checked)


def test_jarm_2_1_1_example() -> None:
    """The code of the example, of a response that is signed by the server."""
    response = response_to(arrived(jwt()))

    assert response.code == CLAIMS["code"]
    assert response.warnings == ()


def test_jarm_2_1_1_refusal_is_believed_when_it_is_signed() -> None:
    """The example of an error response."""
    refused = {**without("code"), "error": "access_denied", "error_description": "no"}
    with pytest.raises(AuthorizationError) as caught:
        response_to(arrived(jwt(refused)))

    assert (caught.value.error, caught.value.error_description) == ("access_denied", "no")


def test_jarm_2_1_2_tokens_in_a_fragment() -> None:
    """The example of `response_type=token`: a number of seconds may be a number."""
    token = {"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bearer", "expires_in": 3600}
    client = client_of("jwt", response_type="token")
    response = response_to(arrived(jwt({**without("code"), **token}), "relay"), client)

    assert response.parameters["access_token"] == token["access_token"]
    assert response.parameters["expires_in"] == "3600"


REFUSED: dict[str, tuple[str, type[LoopbackAuthError]]] = {
    "iss of another server": (jwt({**CLAIMS, "iss": "https://evil.example"}), IssuerMismatch),
    "no iss": (jwt(without("iss")), IssuerMismatch),
    "iss that is a list": (jwt({**CLAIMS, "iss": [ISSUER]}), IssuerMismatch),
    "aud of another client": (jwt({**CLAIMS, "aud": "another"}), MalformedResponse),
    "no aud": (jwt(without("aud")), MalformedResponse),
    "aud that is part of the ID": (jwt({**CLAIMS, "aud": CLIENT.client_id[:4]}), MalformedResponse),
    "exp that has passed": (jwt({**CLAIMS, "exp": NOW - 61}), MalformedResponse),
    "no exp": (jwt(without("exp")), MalformedResponse),
    "exp that is text": (jwt({**CLAIMS, "exp": str(int(NOW) + 600)}), MalformedResponse),
    "exp that is true": (jwt({**CLAIMS, "exp": True}), MalformedResponse),
    "state of another request": (jwt({**CLAIMS, "state": "another"}), StateMismatch),
    "no state": (jwt(without("state")), StateMismatch),
    "code that is a number": (jwt({**CLAIMS, "code": ["x"]}), MalformedResponse),
    "code and error": (jwt({**CLAIMS, "error": "access_denied"}), MalformedResponse),
    "neither code nor error": (jwt(without("code")), MalformedResponse),
    "token that was not requested": (jwt({**CLAIMS, "access_token": "x"}), MalformedResponse),
    "response inside": (jwt({**CLAIMS, "response": "x"}), MalformedResponse),
    "another key": (jwt(key={**ED25519, "kid": "server"}, algorithm="EdDSA"), MalformedResponse),
    "unknown kid": (jwt(kid="another"), MalformedResponse),
    "unknown extension": (jwt(crit=["b64"], b64=True), MalformedResponse),
    "changed": (jwt()[:-8] + "AAAAAAAA", MalformedResponse),
    "not a JWT": ("x", MalformedResponse),
    "encrypted": ("e30.e30.e30.e30.e30", MalformedResponse),
    "too long": (jwt({**CLAIMS, "x": "y" * 70_000}), MalformedResponse),
}


@pytest.mark.parametrize("what", REFUSED)
def test_jarm_2_4_wrong_response_is_refused(what: str) -> None:
    """Each rule of JARM §2.4, and of the formats below it."""
    raw, error = REFUSED[what]
    with pytest.raises(error):
        response_to(arrived(raw))


def unsigned(claims: Mapping[str, object] = CLAIMS, algorithm: str = "none") -> str:
    """Make a JWT that nobody has signed."""
    parts = ({"alg": algorithm, "kid": "server"}, claims)
    encoded = [urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts]
    return f"{'.'.join(encoded)}."


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "", "ES256"])
def test_jarm_2_4_unsigned_response_is_refused(algorithm: str) -> None:
    """The algorithm none MUST NOT be accepted, and a public key is no secret of HMAC (RFC 8725 §2.1)."""
    with pytest.raises(MalformedResponse):
        response_to(arrived(unsigned(algorithm=algorithm)))


def test_jarm_2_4_refusal_without_a_signature_is_not_believed() -> None:
    """An error ends the sign-in, so it is checked like a code."""
    refused = {**without("code"), "error": "access_denied"}
    with pytest.raises(MalformedResponse) as caught:
        response_to(arrived(unsigned(refused)))

    assert not isinstance(caught.value, AuthorizationError)


def test_jarm_4_algorithm_that_the_server_does_not_list_is_refused() -> None:
    """`authorization_signing_alg_values_supported` is the server's own list."""
    metadata = replace(SERVER, authorization_signing_alg_values_supported=("RS256",))
    with pytest.raises(MalformedResponse):
        needs_keys(jwt(), client_of(), metadata)


def test_jarm_3_response_signed_with_the_client_secret() -> None:
    """A client may have registered HS256; without its secret nothing is accepted."""
    secret = "a secret of thirty-two characters"
    client = client_of(client_secret=secret)
    raw = jwt(algorithm="HS256", key=OctKey.import_key(secret))

    assert not needs_keys(raw, client, SERVER)
    assert response_to(arrived(raw), client, keys={}).code == CLAIMS["code"]
    with pytest.raises(MalformedResponse):
        response_to(arrived(raw))


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", rsa_jwk()), ("PS256", rsa_jwk()), ("EdDSA", ED25519)]
)
def test_jarm_2_2_each_kind_of_key(algorithm: str, key: dict[str, Any]) -> None:
    """RS256 is what every server has."""
    keys = {"keys": [public_half({**key, "kid": "server"})]}

    assert response_to(arrived(jwt(algorithm=algorithm, key=key)), keys=keys).code == CLAIMS["code"]


def test_clock_that_is_a_little_wrong_is_no_attack() -> None:
    """Both clocks may differ by a minute."""
    assert response_to(arrived(jwt({**CLAIMS, "exp": NOW - 59}))).code == CLAIMS["code"]


def test_further_claims_are_ignored() -> None:
    """RFC 6749 §4.1.2: a client MUST ignore unrecognized response parameters."""
    extra = {"session_state": "x", "authorization_details": [{"type": "x"}], "nbf": 0, "jti": "y", "n": None}

    assert response_to(arrived(jwt({**CLAIMS, "aud": [CLIENT.client_id], **extra}))).code == CLAIMS["code"]


# What stands beside the JWT


@pytest.mark.parametrize(
    "parameters",
    [
        (("code", "x"), ("state", ATTEMPT.state), ("iss", ISSUER)),
        (("error", "access_denied"), ("state", ATTEMPT.state), ("iss", ISSUER)),
        (("response", jwt()), ("code", "x")),
        (("response", jwt()), ("error", "access_denied")),
        (("response", jwt()), ("response", jwt())),
        (),
    ],
)
def test_response_without_a_signature_is_refused_where_a_signed_one_was_requested(
    parameters: tuple[tuple[str, str], ...],
) -> None:
    """What is signed can be left out by an attacker; what is beside it is not signed."""
    with pytest.raises(MalformedResponse) as caught:
        signed_response(Callback(parameters, "query", NOW))

    assert "response_mode" in caught.value.parameter


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_signed_response_that_was_not_requested_is_refused(mode: ResponseMode) -> None:
    """It would not be checked."""
    client = replace(CLIENT, response_mode=mode)
    metadata = replace(SERVER, response_modes_supported=("form_post",))
    request = asked(client, metadata)
    via: Literal["query", "form_post"] = "query" if mode == "query" else "form_post"
    extra = (("response", jwt()), ("state", ATTEMPT.state), ("code", "x"), ("iss", ISSUER))
    with pytest.raises(MalformedResponse):
        authorization_response(request, Callback(extra, via, NOW))


# The receiver and the paste: the state inside finds the request


def got(raw: str, request: AuthorizationRequest, *, method: str = "GET", more: str = "") -> object:
    """Let a browser bring a signed response."""
    endpoint = RedirectEndpoint("127.0.0.1:49152", "/callback", request, relay_path="/relay", relay_token="t")
    parameters = f"response={raw}{more}"
    headers = [("Host", "127.0.0.1:49152")]
    if method == "GET":
        return redirect_endpoint(endpoint, HttpRequest("GET", f"/callback?{parameters}", tuple(headers)))
    headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    return redirect_endpoint(
        endpoint, HttpRequest("POST", "/callback", tuple(headers), parameters.encode("ascii"))
    )


def test_receiver_finds_the_request_by_the_state_inside() -> None:
    """Nothing else in it is read before the signature is checked."""
    callback = got(jwt({"state": ATTEMPT.state}), request_of())

    assert isinstance(callback, Callback)
    assert dict(callback.parameters).keys() == {"response"}


@pytest.mark.parametrize(
    "raw",
    [
        jwt({**CLAIMS, "state": "another"}),
        jwt(without("state")),
        jwt({**CLAIMS, "state": [ATTEMPT.state]}),
        "x",
        "..",
        "e30.e30.e30.e30.e30",
    ],
)
def test_response_of_a_stranger_does_not_end_the_sign_in(raw: str) -> None:
    """Every web page can make the browser request our port (RFC 6749 §10.12)."""
    verdict = got(raw, request_of())

    assert isinstance(verdict, TurnedAway)
    assert verdict.status == 400
    assert isinstance(got(f"{jwt()}&response={jwt()}", request_of()), TurnedAway)


def test_signed_response_is_turned_away_where_none_was_requested() -> None:
    """Its state counts for nothing then."""
    assert isinstance(got(jwt(), asked()), TurnedAway)


def test_jarm_2_3_3_form_comes_by_post() -> None:
    """And only where a form was requested."""
    assert isinstance(got(jwt(), request_of(client_of("form_post.jwt")), method="POST"), Callback)
    assert isinstance(got(jwt(), request_of(), method="POST"), TurnedAway)


def test_jarm_2_3_2_fragment_is_fetched_by_our_page() -> None:
    """With tokens in front, `jwt` means the fragment."""
    request = request_of(client_of("jwt", response_type="id_token"))
    endpoint = RedirectEndpoint("127.0.0.1:49152", "/callback", request, relay_path="/relay", relay_token="t")
    visit = HttpRequest("GET", "/callback", (("Host", "127.0.0.1:49152"),))

    assert isinstance(redirect_endpoint(endpoint, visit), RelayPage)


@pytest.mark.parametrize("form", ["{uri}?response={raw}", "response={raw}", "?response={raw}"])
def test_signed_response_can_be_pasted(form: str) -> None:
    """The address bar shows it."""
    raw = jwt()
    pasted = pasted_callback(form.format(uri=REDIRECT_URI, raw=raw), request_of())

    assert isinstance(pasted, Pasted)
    assert signed_response(pasted.callback) == raw


@pytest.mark.parametrize("text", ["a-code-alone", f"a-code#{ATTEMPT.state}", f"response={unsigned({})}"])
def test_what_is_not_signed_cannot_be_pasted(text: str) -> None:
    """A code alone says nothing of the server that issued it."""
    assert isinstance(pasted_callback(text, request_of()), NotAccepted)


@given(st.text(max_size=300))
@PROPERTY
def test_any_text_has_a_state_or_none(text: str) -> None:
    """It is read before anything is checked, and must never fail."""
    assert isinstance(unverified_state(text), str)
    assert isinstance(unverified_state(f"e30.{text}.e30"), str)


JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "state", "code", "error", "response", "nbf", "access_token"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.lists(st.text()),
    )
)
@PROPERTY
def test_any_signed_claims_are_accepted_or_refused_by_an_error_of_ours(claims: dict[str, object]) -> None:
    """A server that has lost its mind ends the sign-in with an error that can be read."""
    try:
        response = response_to(arrived(jwt({**CLAIMS, **claims})))
    except LoopbackAuthError:
        return
    assert response.request.state == ATTEMPT.state


# Before the browser is opened


@pytest.mark.parametrize(
    ("mode", "response_type", "way"),
    [
        ("jwt", "code", "query"),
        ("jwt", "code id_token", "fragment"),
        ("query.jwt", "code", "query"),
        ("form_post.jwt", "id_token token", "form_post"),
        ("form_post", "code", "form_post"),
    ],
)
def test_jarm_2_3_4_jwt_is_the_default_of_the_response_type(mode: str, response_type: str, way: str) -> None:
    """So that one word will do for every flow."""
    assert carrier(mode, response_type) == way
    check_response_mode(response_type, mode)


@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token"])
def test_jarm_2_3_1_tokens_are_not_in_a_query(response_type: str) -> None:
    """Unless the response is encrypted, which it never is here."""
    with pytest.raises(ConfigError):
        check_response_mode(response_type, "query.jwt")


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
def test_jarm_4_mode_that_the_server_does_not_list_is_refused(mode: ResponseMode) -> None:
    """`response_modes_supported` lists them; a server that does not know them answers without a signature."""
    with pytest.raises(ConfigError) as caught:
        response_mode(client_of(mode), METADATA)

    assert caught.value.parameter == "response_mode"
    assert response_mode(client_of(mode), SERVER) == mode


def test_signed_responses_are_never_the_default() -> None:
    """They need the extra, and a server whose keys can be fetched."""
    assert response_mode(CLIENT, SERVER) == "query"


def test_request_names_the_mode() -> None:
    """It is never the default of a server."""
    assert dict(request_of().parameters)["response_mode"] == "query.jwt"


@pytest.mark.parametrize(
    ("metadata", "secret", "refused"),
    [
        (SERVER, None, ""),
        (replace(SERVER, jwks_uri=None), None, "jwks_uri"),
        (replace(SERVER, jwks_uri=None), "secret", ""),
        (replace(SERVER, issuer=None), None, "issuer"),
    ],
)
def test_server_whose_responses_cannot_be_checked_is_refused(
    metadata: ServerMetadata, secret: str | None, refused: str
) -> None:
    """Before the user is asked: the response could not be believed."""
    client = client_of(client_secret=secret)
    if not refused:
        check_signed_mode(client, metadata)
        return
    with pytest.raises(ConfigError) as caught:
        check_signed_mode(client, metadata)

    assert refused in caught.value.parameter


def test_without_the_extra_no_signed_response_is_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint says how to install it."""
    monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
    with pytest.raises(ConfigError) as caught:
        check_signed_mode(client_of(), SERVER)

    assert "loopback-auth[oidc]" in caught.value.hint
