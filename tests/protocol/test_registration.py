"""Dynamic client registration: what is asked for, and what is believed of the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from protocol_samples import json_answer, raw_answer

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    OAuthError,
    RegistrationError,
    TransportError,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.registration import (
    NAME_LIMIT,
    client_document,
    client_name,
    key_thumbprint,
    registered_auth,
    registration_endpoint,
    registration_request,
)
from loopback_auth.protocol.registration_response import VALUE_LIMIT, Registered, registration_response
from loopback_auth.registration import Registrations

ISSUER = "https://server.example.com"
ENDPOINT = f"{ISSUER}/register"
METADATA = ServerMetadata(
    ISSUER,
    f"{ISSUER}/authorize",
    f"{ISSUER}/token",
    discovered=True,
    document={"registration_endpoint": ENDPOINT},
)
CLIENT = ClientConfig.at(ISSUER, client_metadata=ClientMetadata(), scope="read write")
URI = "http://127.0.0.1:49152/callback"
ASKED = client_document(CLIENT, METADATA, URI, name="Tool")
NOW = 1_700_000_000.0

EXAMPLE = {
    "client_id": "s6BhdRkqt3",
    "client_secret": "cf136dc3c1fc93f31185e5885805d",
    "client_id_issued_at": 2893256800,
    "client_secret_expires_at": 2893276800,
    "redirect_uris": ["https://client.example.org/callback", "https://client.example.org/callback2"],
    "grant_types": ["authorization_code", "refresh_token"],
    "client_name": "My Example Client",
    "token_endpoint_auth_method": "client_secret_basic",
    "logo_uri": "https://client.example.org/logo.png",
    "jwks_uri": "https://client.example.org/my_public_keys.jwks",
    "example_extension_parameter": "example_value",
}
"""The response of RFC 7591 §3.2.1."""


def told(changes: Mapping[str, object] | None = None, *, without: tuple[str, ...] = ()) -> dict[str, object]:
    """Return what a server answers that registers what it was asked for."""
    members = {**ASKED, "client_id": "id-1", **(changes or {})}
    return {name: value for name, value in members.items() if name not in without}


def judged(answer: HttpResponse, asked: Mapping[str, object] = ASKED) -> Registered:
    """Check an answer."""
    return registration_response(answer, asked, issuer=ISSUER, endpoint=ENDPOINT)


def registered(changes: Mapping[str, object] | None = None, *, without: tuple[str, ...] = ()) -> Registered:
    """Check an answer with some other members."""
    return judged(replace(json_answer(told(changes, without=without), 201), received_at=NOW))


def test_rfc7591_3_1_request_is_json_in_a_post() -> None:
    """RFC 7591 §3.1: all metadata are top-level members of one JSON object."""
    request = registration_request(ENDPOINT, ASKED)

    assert (request.method, request.url) == ("POST", ENDPOINT)
    assert request.header("content-type") == "application/json"
    assert json.loads(request.body) == ASKED


def test_rfc7591_2_document_of_a_native_public_client() -> None:
    """RFC 7591 §2, OpenID Registration §2: without a secret, and with the redirect URI that is bound."""
    assert ASKED == {
        "redirect_uris": [URI],
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "read write",
        "client_name": "Tool",
    }


def test_program_says_of_itself_what_it_was_given() -> None:
    """RFC 7591 §2: a server may show it to the user, or find all installations of a program by it."""
    said = ClientMetadata(
        client_name="Acme",
        client_uri="https://acme.example",
        logo_uri="https://acme.example/logo.png",
        contacts=("dev@acme.example",),
        software_id="acme-cli",
        software_version="1.2",
        url="https://acme.example/client.json",
    )
    document = client_document(replace(CLIENT, client_metadata=said), METADATA, URI, name="Tool")

    assert document["client_name"] == "Acme"
    assert document["contacts"] == ["dev@acme.example"]
    assert {"client_uri", "logo_uri", "software_id", "software_version"} <= document.keys()
    assert "url" not in document


@pytest.mark.parametrize(
    ("members", "device", "grants"),
    [
        ({}, None, ["authorization_code", "refresh_token"]),
        ({"grant_types_supported": ["authorization_code"]}, None, ["authorization_code"]),
        ({"grant_types_supported": "x"}, None, ["authorization_code", "refresh_token"]),
        (
            {},
            f"{ISSUER}/device",
            ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        ),
        (
            {"grant_types_supported": ["authorization_code", "refresh_token"]},
            f"{ISSUER}/device",
            ["authorization_code", "refresh_token"],
        ),
    ],
)
def test_grants_are_those_that_a_flow_may_use(
    members: Mapping[str, object], device: str | None, grants: list[str]
) -> None:
    """RFC 7591 §2: a server refuses a grant that is not registered, and may not register what it lacks."""
    document = {**METADATA.document, **members}
    metadata = replace(METADATA, document=document, device_authorization_endpoint=device)

    assert client_document(CLIENT, metadata, URI, name="")["grant_types"] == grants


def test_rfc7591_2_1_response_type_fits_the_grants() -> None:
    """RFC 7591 §2.1: a server may refuse types that do not belong together."""
    implicit = client_document(replace(CLIENT, response_type="id_token token"), METADATA, URI, name="")
    hybrid = client_document(replace(CLIENT, response_type="code id_token"), METADATA, URI, name="")

    assert (implicit["response_types"], implicit["grant_types"]) == (["id_token token"], ["implicit"])
    assert hybrid["grant_types"] == ["authorization_code", "implicit", "refresh_token"]


@pytest.mark.parametrize(
    ("offered", "method"),
    [
        (None, "none"),
        (("client_secret_basic", "none"), "none"),
        # Some endpoints of servers of MCP want the secret in the form, whatever they offer.
        (("client_secret_basic", "client_secret_post"), "client_secret_post"),
        (("client_secret_basic",), "client_secret_basic"),
        (("client_secret_post", "private_key_jwt"), "client_secret_post"),
    ],
)
def test_client_is_public_unless_the_server_has_no_public_clients(
    offered: tuple[str, ...] | None, method: str
) -> None:
    """RFC 8252 §8.4: a secret of a native app proves nothing; but some servers demand one."""
    metadata = replace(METADATA, token_endpoint_auth_methods_supported=offered)

    assert registered_auth(CLIENT, metadata) == method


def test_server_whose_authentication_is_not_known_is_refused_before_it_is_asked() -> None:
    """The registration would be of no use, and stay at the server."""
    metadata = replace(METADATA, token_endpoint_auth_methods_supported=("client_secret_jwt",))

    with pytest.raises(ConfigError) as caught:
        registered_auth(CLIENT, metadata)

    assert "client_id" in caught.value.parameter.split()


def test_certificate_cannot_be_registered_by_the_program() -> None:
    """RFC 8705 §2.1.2: its subject would have to be part of the metadata, and nothing here reads it."""
    client = replace(CLIENT, provider=replace(CLIENT.provider, client_auth="tls_client_auth"))

    with pytest.raises(ConfigError):
        registered_auth(client, METADATA)


def test_key_of_the_client_is_registered_without_its_private_half() -> None:
    """RFC 7591 §2 (`jwks`): a server that keeps the private half could sign as the client."""
    key = ECKey.generate_key("P-256")
    client = replace(CLIENT, private_key=json.dumps({**key.as_dict(private=True), "kid": "one"}))
    document = client_document(client, METADATA, URI, name="")

    assert document["token_endpoint_auth_method"] == "private_key_jwt"
    assert document["jwks"] == {"keys": [{**key.as_dict(private=False), "use": "sig", "kid": "one"}]}
    assert '"d"' not in json.dumps(document["jwks"])
    assert (key_thumbprint(client), key_thumbprint(CLIENT)) == (key.thumbprint(), "")


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Acme CLI", "Acme CLI"),
        ("\x1b[1;31mAcme\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "Acme link"),
        ("Ac\u202eme\r\nSet-Cookie: x", "Acme Set-Cookie: x"),
        ("\ud800", ""),
    ],
)
def test_rfc7591_2_2_name_has_no_escapes(name: str, sent: str) -> None:
    """RFC 7591 §2.2: it is made for people, and may have been made for a terminal."""
    assert client_name(name) == sent


@given(st.text(max_size=300))
def test_any_name_can_be_sent(name: str) -> None:
    """A program may take it from its user, or from a file."""
    sent = client_name(name)

    assert len(sent) <= NAME_LIMIT
    assert sent.isprintable()
    assert client_name(sent) == sent
    json.dumps(sent).encode("ascii").decode("ascii").encode("utf-8")


@pytest.mark.parametrize(
    ("endpoint", "error"),
    [
        (None, EndpointMissing),
        ("", EndpointMissing),
        (7, EndpointMissing),
        ("http://server.example.com/register", MalformedResponse),
        ("https://server.example.com/register#x", MalformedResponse),
        ("https://user@server.example.com/register", MalformedResponse),
        ("javascript:alert(1)", MalformedResponse),
        ("https://127.0.0.1/register", MalformedResponse),
        ("https://169.254.169.254/register", MalformedResponse),
        ("https://[::ffff:10.0.0.1]/register", MalformedResponse),
    ],
)
def test_rfc7591_3_endpoint_is_https_and_not_inside(endpoint: object, error: type[LoopbackAuthError]) -> None:
    """RFC 7591 §3 (TLS), RFC 9728 §7.7: a public server must not have us post into the user's network."""
    metadata = replace(METADATA, document={"registration_endpoint": endpoint})

    with pytest.raises(error) as caught:
        registration_endpoint(metadata)

    assert "client_id" in caught.value.parameter.split()


def test_endpoint_may_be_at_another_public_host() -> None:
    """RFC 8414 §2 demands no common host, and some services have one for each function."""
    metadata = replace(METADATA, document={"registration_endpoint": "https://reg.example.net/r?v=1"})

    assert registration_endpoint(metadata) == "https://reg.example.net/r?v=1"


def test_rfc7591_3_2_1_response_of_the_specification() -> None:
    """RFC 7591 §3.2.1 has this answer to the request of §3.1."""
    asked = {
        "redirect_uris": EXAMPLE["redirect_uris"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
    }
    found = judged(json_answer(EXAMPLE, 201), asked)

    registration = found.registration
    assert found.warnings == ()
    assert (registration.client_id, registration.client_auth) == ("s6BhdRkqt3", "client_secret_basic")
    assert registration.client_secret == "cf136dc3c1fc93f31185e5885805d"
    assert registration.client_secret_expires_at == 2893276800
    assert registration.client_id_issued_at == 2893256800
    assert registration.redirect_uris == tuple(asked["redirect_uris"])  # type: ignore[arg-type]


def test_rfc7591_3_2_2_refusal_of_the_specification() -> None:
    """RFC 7591 §3.2.2: a refusal has the codes of this document."""
    answer = json_answer(
        {
            "error": "invalid_redirect_uri",
            "error_description": "The redirection URI http://sketchy.example.com is not allowed by this "
            "server.",
        },
        400,
    )

    with pytest.raises(RegistrationError) as caught:
        judged(answer)

    assert isinstance(caught.value, OAuthError)
    assert (caught.value.error, caught.value.exit_code) == ("invalid_redirect_uri", 4)
    assert caught.value.parameter == "redirect client_id"


@pytest.mark.parametrize("status", [200, 201])
def test_client_id_alone_is_a_registration(status: int) -> None:
    """RFC 7591 §3.2.1 demands all metadata, and 201; servers that are less strict register all the same."""
    found = judged(json_answer({"client_id": "id-1"}, status)).registration

    assert (found.client_id, found.client_auth, found.client_secret) == ("id-1", "none", None)
    assert found.redirect_uris == (URI,)
    assert (found.registration_client_uri, found.client_secret_expires_at) == ("", None)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"redirect_uris": ["http://127.0.0.1:1/other"]}, "redirect URI"),
        ({"redirect_uris": ["http://127.0.0.1/callback"]}, "redirect URI"),
        ({"redirect_uris": ["http://127.0.0.1:49152/callback/"]}, "redirect URI"),
        ({"redirect_uris": []}, "redirect URI"),
        ({"redirect_uris": URI}, "redirect_uris"),
        ({"redirect_uris": [1]}, "redirect_uris"),
        ({"grant_types": ["client_credentials"]}, "authorization_code"),
        ({"grant_types": "authorization_code"}, "grant_types"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "authenticate"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "authenticate"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "authenticate"),
        ({"token_endpoint_auth_method": ["none"]}, "authenticate"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "no secret"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": None}, "client_id"),
        ({"client_id": 17}, "client_id"),
        ({"client_id": "a\x1b[31mb"}, "client_id"),
        ({"client_id": "a\nb"}, "client_id"),
        ({"client_id": "ä"}, "client_id"),
        ({"client_id": "x" * (VALUE_LIMIT + 1)}, "client_id"),
        ({"client_secret": "a\rb"}, "client_secret"),
        ({"client_secret": ["a"]}, "client_secret"),
        ({"registration_access_token": "a\nb", "registration_client_uri": f"{ENDPOINT}/1"}, "token"),
    ],
)
def test_rfc7591_3_2_1_changed_registration_is_refused_before_it_is_used(
    changes: Mapping[str, object], why: str
) -> None:
    """RFC 7591 §3.2.1: a server may replace values, and the client checks whether it can live with them."""
    with pytest.raises(MalformedResponse, match=why) as caught:
        registered(changes)

    assert caught.value.message.isprintable()
    assert "client_id" in caught.value.parameter


def test_rfc7591_3_2_1_missing_client_id_is_refused() -> None:
    """RFC 7591 §3.2.1: client_id is REQUIRED."""
    with pytest.raises(MalformedResponse, match="client_id"):
        registered(without=("client_id",))


def test_redirect_uris_that_a_server_adds_are_not_ours() -> None:
    """Their ports would be bound at the next sign-in, and a server must not choose where we listen."""
    added = ["http://127.0.0.1:6000/callback", URI, "https://evil.example/"]

    assert registered({"redirect_uris": added}).registration.redirect_uris == (URI,)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_rfc7591_3_2_1_server_may_hand_out_a_secret_and_a_method(method: str) -> None:
    """RFC 7591 §3.2.1: it may replace the method; one that we speak is followed."""
    changes = {"token_endpoint_auth_method": method, "client_secret": "s3", "client_secret_expires_at": 0}
    found = registered(changes).registration

    assert (found.client_auth, found.client_secret, found.client_secret_expires_at) == (method, "s3", None)


def test_rfc7591_2_secret_without_a_method_goes_into_basic() -> None:
    """RFC 7591 §2: the method that is left out is client_secret_basic."""
    found = registered(
        {"client_secret": "s3", "client_secret_expires_at": 0}, without=("token_endpoint_auth_method",)
    ).registration

    assert (found.client_auth, found.client_secret) == ("client_secret_basic", "s3")


def test_secret_of_a_public_client_is_not_kept() -> None:
    """RFC 7591 §2 (`none`): it has none; some servers make one up for every client."""
    found = registered({"client_secret": "s3", "client_secret_expires_at": 0}).registration

    assert (found.client_auth, found.client_secret) == ("none", None)


SECRET = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "s3"}


@pytest.mark.parametrize(
    ("expires_at", "kept"),
    [(0, None), (NOW + 86400, NOW + 86400), (None, None), (1e300, 1e12), (str(int(NOW + 60)), NOW + 60)],
)
def test_rfc7591_3_2_1_secret_expires_when_the_server_says(expires_at: object, kept: float | None) -> None:
    """RFC 7591 §3.2.1: 0 means never."""
    found = registered({**SECRET, "client_secret_expires_at": expires_at}).registration

    assert found.client_secret_expires_at == kept


@pytest.mark.parametrize("expires_at", [1, NOW - 1, NOW])
def test_rfc7591_3_2_1_secret_that_has_expired_already_is_refused(expires_at: float) -> None:
    """The sign-in would end with a refusal after the user has approved."""
    with pytest.raises(MalformedResponse, match="expired"):
        registered({**SECRET, "client_secret_expires_at": expires_at})


def test_expiry_is_judged_by_the_clock_of_the_server() -> None:
    """RFC 9110 §6.6.1: ours may be wrong, and its `Date` says so."""
    answer = json_answer(told({**SECRET, "client_secret_expires_at": 2000}), 201)
    dated = (*answer.headers, ("Date", formatdate(1000, usegmt=True)))

    found = judged(replace(answer, headers=dated, received_at=NOW)).registration
    assert found.client_secret_expires_at == 2000


@pytest.mark.parametrize(
    ("uri", "managed"),
    [
        (f"{ENDPOINT}/id-1", True),
        (f"{ISSUER}/other?client_id=id-1", True),
        ("https://SERVER.example.com/register/id-1", True),
        ("https://evil.example/register/id-1", False),
        ("https://server.example.com:8443/register/id-1", False),
        ("http://server.example.com/register/id-1", False),
        ("https://server.example.com@evil.example/x", False),
        ("https://127.0.0.1/x", False),
        ("file:///etc/passwd", False),
        (f"{ENDPOINT}/id-1#x", False),
        ("x" * 9000, False),
    ],
)
def test_rfc7592_3_token_of_the_registration_goes_to_no_other_host(uri: str, managed: bool) -> None:
    """RFC 7592 §3, §5: it is a bearer token of this server; the registration itself can be used."""
    found = registered({"registration_client_uri": uri, "registration_access_token": "reg-1"})

    registration = found.registration
    assert registration.client_id == "id-1"
    assert (registration.registration_client_uri, registration.registration_access_token) == (
        (uri, "reg-1") if managed else ("", "")
    )
    assert len(found.warnings) == (not managed)
    assert all(warning.isprintable() for warning in found.warnings)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            raw_answer(b"<html><title>Sign in</title></html>", 200, ("Content-Type", "text/html")),
            MalformedResponse,
        ),
        (raw_answer(b"<html></html>", 404, ("Content-Type", "text/html")), MalformedResponse),
        (HttpResponse(302, (("Location", "https://evil.example/register"),)), MalformedResponse),
        (HttpResponse(307, (("Location", "https://evil.example/register"),)), MalformedResponse),
        (HttpResponse(201), MalformedResponse),
        (HttpResponse(204), MalformedResponse),
        (HttpResponse(401), MalformedResponse),
        (json_answer(EXAMPLE, 302), MalformedResponse),
        (json_answer([EXAMPLE], 201), MalformedResponse),
        (raw_answer(b'{"client_id":"a","client_id":"b"}', 201), MalformedResponse),
        (raw_answer(b'{"client_id":"' + b"x" * (1 << 20) + b'"}', 201), MalformedResponse),
        (raw_answer(b'{"a":' * 2000, 201), MalformedResponse),
        (json_answer({"error": "invalid_client_metadata"}, 400), RegistrationError),
        (json_answer({"error": "invalid_client_metadata", "client_id": "a"}, 201), RegistrationError),
        (json_answer({"error": "access_denied"}, 403), RegistrationError),
        (json_answer({"error": "invalid_token"}, 401), RegistrationError),
        (json_answer({}, 503), TransportError),
        (json_answer({"error": "temporarily_unavailable"}, 400), TransportError),
        (json_answer({"error": "x"}, 429), TransportError),
    ],
)
def test_answer_that_is_no_registration(answer: HttpResponse, error: type[LoopbackAuthError]) -> None:
    """A gateway, a captive portal or a closed registration may answer; each has an error that says so."""
    with pytest.raises(error) as caught:
        judged(answer)

    assert type(caught.value) is error
    assert caught.value.hint


@given(
    st.dictionaries(
        st.sampled_from(
            (
                *("client_id", "client_secret", "client_secret_expires_at", "client_id_issued_at"),
                *("redirect_uris", "grant_types", "token_endpoint_auth_method", "scope"),
                *("registration_client_uri", "registration_access_token", "error"),
            )
        ),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_no_answer_does_more_than_fail(members: dict[str, object]) -> None:
    """Whatever a server sends, the program has an error of ours or a registration that can be kept."""
    try:
        found = judged(json_answer(members, 201)).registration
    except LoopbackAuthError:
        return

    assert URI in found.redirect_uris
    kept = Registrations((found,))
    assert Registrations.from_json(kept.to_json()) == kept
