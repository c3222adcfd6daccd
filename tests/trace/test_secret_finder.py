"""Which secrets are found in what goes over the wire."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_from_bytes

import pytest
from dpop_samples import KEY
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.protocol.dpop import DpopKey, proof
from loopback_auth.trace.secret_finder import (
    secret_and_parts,
    secrets_in_form,
    secrets_in_request,
    secrets_in_response,
    secrets_in_url,
)
from loopback_auth.trace.secret_labels import SecretLabels
from loopback_auth.trace.secret_names import SECRET_PARAMETERS


@pytest.mark.parametrize("name", sorted(SECRET_PARAMETERS))
def test_secret_parameters_are_found_by_name(name: str) -> None:
    """In a query, in a fragment, and in a document; what has another name is shown."""
    url = f"https://as.example/?a=1&{name}=in%20query#{name}=in+fragment&b=2"
    document = {name: "in document", "public": "shown", "expires_in": 3600}

    assert list(secrets_in_url(url)) == [(name, "in query"), (name, "in fragment")]
    assert list(secrets_in_response(HttpResponse(200, (), json.dumps(document).encode()))) == [
        (name, "in document")
    ]


@pytest.mark.parametrize(
    "url",
    [
        "//[?code=canary",
        "http://[::1/?code=canary",
        "/callback?code=canary",
        "?code=canary",
        "\ud800?code=canary",
    ],
)
def test_secret_in_a_malformed_url_is_found_all_the_same(url: str) -> None:
    """A request target is whatever a stranger sends."""
    assert list(secrets_in_url(url)) == [("code", "canary")]


@given(st.binary(min_size=1, max_size=24))
def test_no_secret_of_a_form_shows_as_it_was_written(secret: bytes) -> None:
    """Bytes that are not UTF-8 are lost in decoding, and must not be seen either."""
    raw = quote_from_bytes(secret, safe="")
    labels = SecretLabels()
    for kind, found in secrets_in_form(f"a=1&code={raw}"):
        labels.learn(kind, found)

    assert labels.text(f"code={raw}") in ("code=<code#1>", "code=<code#2>")


@pytest.mark.parametrize("password", ["canary canary+", "canary%", "can\u00e4ry"])
def test_password_of_basic_is_found_as_it_was_meant(password: str) -> None:
    """RFC 6749 \u00a72.3.1 has it form-encoded before it goes into base64."""
    credentials = base64.b64encode(f"id:{quote(password, safe='')}".encode()).decode()
    request = HttpRequest("POST", "https://as.example/token", (("Authorization", f"Basic {credentials}"),))

    assert list(secrets_in_request(request)) == [("client_secret", password)]


@pytest.mark.parametrize("claims", ["eyJzdWIiOiJ4In0", "A", "W10"])
def test_parts_of_a_jwt_are_secrets_whatever_its_claims(claims: str) -> None:
    """The payload alone tells who signed in, and need not be one that can be read."""
    token = f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"

    assert list(secret_and_parts("id_token", token)) == [
        ("id_token", token),
        ("id_token_part", claims),
        ("id_token_part", "c2lnbmF0dXJl"),
    ]


def test_the_private_members_of_a_key_are_secret_wherever_it_stands() -> None:
    """Their names are one letter, which means something else in every other object."""
    key = {"kty": "EC", "crv": "P-256", "x": "public", "y": "public", "d": "canary-of-the-key"}
    body = json.dumps({"d": "an ordinary member", "kept": [{"dpop_key": key}]}).encode()
    found = list(secrets_in_response(HttpResponse(200, (("Content-Type", "application/json"),), body)))

    assert ("private_key", "canary-of-the-key") in found
    assert "public" not in [secret for _, secret in found]


def test_a_proof_is_a_secret() -> None:
    """Whoever has it beside the token can send the same request until the server refuses it as too old."""
    text = proof(DpopKey(KEY), "GET", "https://api.example/", Stamp(1.0, "jti-0123456789abcdef"))
    found = dict(secrets_in_request(HttpRequest("GET", "https://api.example/", (("DPoP", text),))))

    assert found["dpop_proof"] == text
    assert found["dpop_proof_part"] == text.rpartition(".")[2]
