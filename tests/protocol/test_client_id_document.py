"""Client ID Metadata Documents: what a program hosts, and why a server would refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import json_answer, raw_answer

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Redirect, ServerMetadata
from loopback_auth.protocol.client_id_document import (
    check_client_id_document,
    check_client_id_url,
    client_by_document,
    client_id_document,
)

URL = "https://app.example.com/oauth/client-metadata.json"
PROGRAM = ClientMetadata(client_name="Example MCP Client", client_uri="https://app.example.com", url=URL)
DOCUMENT = client_id_document(PROGRAM)
CLIENT = ClientConfig.at("https://as.example", client_metadata=PROGRAM)
SUPPORTED = ServerMetadata(
    "https://as.example", document={"client_id_metadata_document_supported": True}, discovered=True
)


def test_document_has_what_mcp_demands() -> None:
    """MCP authorization specification 2025-11-25: client_id, client_name and redirect_uris at least."""
    assert DOCUMENT == {
        "client_id": URL,
        "client_name": "Example MCP Client",
        "client_uri": "https://app.example.com",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "application_type": "native",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


def test_fixed_ports_are_in_the_document() -> None:
    """RFC 8252 §7.3 lets a native app have any port, but not each server follows it."""
    redirect = Redirect("localhost", (3000, 3001), "/cb")

    assert client_id_document(PROGRAM, redirect)["redirect_uris"] == [
        "http://localhost:3000/cb",
        "http://localhost:3001/cb",
    ]


def test_keys_in_the_document_are_public() -> None:
    """Draft §4.1: private key material MUST NOT be included."""
    public = {"keys": [{"kty": "EC", "crv": "P-256", "x": "a", "y": "b"}]}
    private = {"keys": [{**public["keys"][0], "d": "canary"}]}

    document = client_id_document(PROGRAM, jwks=public)
    assert (document["token_endpoint_auth_method"], document["jwks"]) == ("private_key_jwt", public)
    with pytest.raises(ConfigError) as caught:
        client_id_document(PROGRAM, jwks=private)
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://app.example.com/client.json",
        "http://127.0.0.1/client.json",
        "https://app.example.com",
        "https://user@app.example.com/client.json",
        "https://app.example.com/client.json#x",
        "https://app.example.com/../client.json",
        "https://app.example.com/a/%2e%2E/client.json",
        "https://app.example.com/./client.json",
        "https:///client.json",
        "https://app.example.com/a b",
        "https://app.example.com/\x1b[31m",
        "javascript:alert(1)",
        f"https://app.example.com/{'x' * 9000}",
    ],
)
def test_address_that_cannot_be_a_client_id(url: str) -> None:
    """Draft §3: https, a path, and neither fragment, user information nor dot segments."""
    with pytest.raises(ConfigError) as caught:
        check_client_id_url(url)

    assert (caught.value.parameter, caught.value.message.isprintable()) == ("client_metadata", True)


@pytest.mark.parametrize("url", [URL, "https://app.example.com/", "https://app.example.com:8443/a?b=c"])
def test_address_that_can_be_a_client_id(url: str) -> None:
    """Draft §3: a port MAY be there; a query and a path of / are not recommended."""
    assert check_client_id_url(url) == url


def test_address_is_the_client_id_where_the_server_says_so() -> None:
    """Draft §6: without the member in its metadata the user would end on an error page."""
    found = client_by_document(CLIENT, SUPPORTED)

    assert found is not None
    assert (found.client_id, found.provider.client_auth, found.client_secret) == (URL, "none", None)


@pytest.mark.parametrize("said", [False, None, "true", 1, ["x"]])
def test_server_that_knows_no_documents(said: object) -> None:
    """Draft §6: a boolean; what is anything else means no."""
    metadata = replace(SUPPORTED, document={"client_id_metadata_document_supported": said})

    assert client_by_document(CLIENT, metadata) is None
    assert client_by_document(replace(CLIENT, client_metadata=ClientMetadata()), SUPPORTED) is None


def test_client_with_a_key_authenticates_with_it() -> None:
    """Draft §8.2: a client that published a key MUST be authenticated by it."""
    found = client_by_document(replace(CLIENT, private_key="{}"), SUPPORTED)

    assert found is not None
    assert found.provider.client_auth == "private_key_jwt"


def test_own_document_has_no_flaws() -> None:
    """What the program prints to host has to pass its own check."""
    assert check_client_id_document(URL, json_answer(DOCUMENT)) == ()
    fixed = Redirect(ports=(3000, 3001))
    assert check_client_id_document(URL, json_answer(client_id_document(PROGRAM, fixed)), fixed) == ()


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({"client_id": f"{URL}/"}, "§4"),
        ({"client_id": None}, "§4"),
        ({"client_id": "\x1b[2J"}, "§4"),
        ({"client_name": ""}, "MCP"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "§4.1"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "§4.1"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "§4.1"),
        ({"token_endpoint_auth_method": None}, "§4.1"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "RFC 7591 §2"),
        ({"client_secret": "x"}, "§4.1"),
        ({"client_secret_expires_at": 0}, "§4.1"),
        ({"jwks": {"keys": [{"kty": "EC", "d": "canary"}]}}, "§4.1"),
        ({"redirect_uris": ["http://localhost/callback"]}, "RFC 6749 §3.1.2.3"),
        ({"redirect_uris": "http://127.0.0.1/callback"}, "RFC 6749 §3.1.2.3"),
        ({"redirect_uris": None}, "RFC 6749 §3.1.2.3"),
        ({"grant_types": ["client_credentials"]}, "RFC 7591 §2"),
        ({"grant_types": "authorization_code"}, "RFC 7591 §2"),
        ({"response_types": ["token"]}, "RFC 7591 §2"),
    ],
)
def test_flaw_for_which_a_server_refuses_a_document(changes: Mapping[str, object], clause: str) -> None:
    """Draft §4, §4.1: each is said with its clause, and the first one is not all."""
    changed = {name: value for name, value in {**DOCUMENT, **changes}.items() if value is not None}
    (flaw,) = check_client_id_document(URL, json_answer(changed))

    assert flaw.must
    assert clause in flaw.source
    assert flaw.text.isprintable()
    assert "canary" not in flaw.text


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        (URL, {"grant_types": ["authorization_code"]}),
        (URL, {"logo_uri": "http://app.example.com/logo.png"}),
        (URL, {"client_uri": 7}),
        (URL, {"software_version": "x" * 6000}),
        (f"{URL}?v=2", {"client_id": f"{URL}?v=2"}),
    ],
)
def test_flaw_with_which_a_document_still_works(url: str, changes: Mapping[str, object]) -> None:
    """Draft §3, §8.7: what is not recommended, or larger than each server reads."""
    (flaw,) = check_client_id_document(url, json_answer({**DOCUMENT, **changes}))

    assert not flaw.must


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(301, (("Location", URL),)),
        HttpResponse(404),
        json_answer(DOCUMENT, 201),
        raw_answer(b"<html></html>", 200, ("Content-Type", "text/html")),
        raw_answer(b"[]", 200, ("Content-Type", "application/json")),
        raw_answer(b'{"a":1,"a":2}', 200, ("Content-Type", "application/json")),
        raw_answer(b"{" * 5000, 200, ("Content-Type", "application/json")),
        raw_answer(b"", 200, ("Content-Type", "application/json")),
    ],
)
def test_draft_5_document_that_is_none(answer: HttpResponse) -> None:
    """Draft §5: status 200 alone, no redirect is followed; §4: one JSON object."""
    flaws = check_client_id_document(URL, answer)

    assert [flaw.must for flaw in flaws][-1:] == [True]


def test_content_type_may_be_a_more_specific_one() -> None:
    """Draft §4: application/<AS-defined>+json."""
    answer = json_answer(DOCUMENT)

    assert (
        check_client_id_document(URL, replace(answer, headers=(("Content-Type", "application/x+json"),)))
        == ()
    )


@given(
    st.dictionaries(
        st.sampled_from((*DOCUMENT, "jwks", "jwks_uri", "client_secret")),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda one: (
                st.lists(one, max_size=3)
                | st.dictionaries(st.sampled_from(("keys", "d", "x")), one, max_size=3)
            ),
            max_leaves=6,
        ),
    )
)
def test_no_document_does_more_than_have_flaws(changes: dict[str, Any]) -> None:
    """A page of another person stands at an address that is mistyped."""
    flaws = check_client_id_document(URL, json_answer({**DOCUMENT, **changes}))

    assert all(flaw.text.isprintable() for flaw in flaws)
