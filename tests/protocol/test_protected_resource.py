"""The metadata of a protected resource (RFC 9728): where they are, and which are used."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resource_world import document

from loopback_auth.errors import (
    ConfigError,
    LoopbackAuthError,
    MalformedResponse,
    ResourceMismatch,
    TransportError,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.protected_resource import (
    ProtectedResource,
    check_metadata_url,
    check_resource_identity,
    is_parent,
    metadata_place,
    resource_metadata_request,
    resource_metadata_response,
    resource_metadata_urls,
)

RESOURCE = "https://resource.example.com"
WELL_KNOWN = f"{RESOURCE}/.well-known/oauth-protected-resource"

EXAMPLE = {
    "resource": RESOURCE,
    "authorization_servers": ["https://as1.example.com", "https://as2.example.net"],
    "bearer_methods_supported": ["header", "body"],
    "scopes_supported": ["profile", "email", "phone"],
    "resource_documentation": f"{RESOURCE}/resource_documentation.html",
}
"""The example of RFC 9728 §3.2."""


@pytest.mark.parametrize(
    ("url", "places"),
    [
        # The examples of RFC 9728 §3.1.
        (RESOURCE, (WELL_KNOWN,)),
        (f"{RESOURCE}/resource1", (f"{WELL_KNOWN}/resource1", WELL_KNOWN)),
        # "Any terminating slash following the host component MUST be removed."
        (f"{RESOURCE}/", (WELL_KNOWN,)),
        (f"{RESOURCE}/?a=b", (f"{WELL_KNOWN}?a=b", WELL_KNOWN)),
        # A query belongs to the identifier (§1.2), and so does a slash after a path.
        (f"{RESOURCE}/r?a=b", (f"{WELL_KNOWN}/r?a=b", WELL_KNOWN)),
        (f"{RESOURCE}?a=b", (f"{WELL_KNOWN}?a=b", WELL_KNOWN)),
        (f"{RESOURCE}/r/", (f"{WELL_KNOWN}/r/", WELL_KNOWN)),
        (
            f"{RESOURCE}:8443/a%2Fb",
            (
                f"{RESOURCE}:8443/.well-known/oauth-protected-resource/a%2Fb",
                f"{RESOURCE}:8443/.well-known/oauth-protected-resource",
            ),
        ),
    ],
)
def test_rfc9728_3_1_well_known_part_is_inserted_after_the_host(url: str, places: tuple[str, ...]) -> None:
    """Then comes the root, where MCP servers may have it instead."""
    assert resource_metadata_urls(url) == places
    assert resource_metadata_request(places[0]).method == "GET"


def test_rfc9728_3_2_example() -> None:
    """The members that matter are read; the others are at hand."""
    found = resource_metadata_response(document(EXAMPLE), at=WELL_KNOWN)

    assert found == ProtectedResource(
        RESOURCE, ("https://as1.example.com", "https://as2.example.net"), ("profile", "email", "phone")
    )
    assert found.document["bearer_methods_supported"] == ["header", "body"]


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, ProtectedResource("")),
        ({"resource": 7, "authorization_servers": None}, ProtectedResource("")),
        ({"resource": "r", "authorization_servers": "https://a"}, ProtectedResource("r", ("https://a",))),
        ({"authorization_servers": ["a", 1, None, "a", {}]}, ProtectedResource("", ("a",))),
        ({"authorization_servers": {"a": "b"}}, ProtectedResource("")),
        ({"scopes_supported": []}, ProtectedResource("", scopes_supported=())),
        ({"scopes_supported": ["a", "b c", '"', "é", 1]}, ProtectedResource("", scopes_supported=("a",))),
        ({"scopes_supported": "a b"}, ProtectedResource("", scopes_supported=("a", "b"))),
        ({"dpop_bound_access_tokens_required": True}, ProtectedResource("", (), None, "", True)),
        ({"dpop_bound_access_tokens_required": "yes"}, ProtectedResource("")),
        ({"resource_name": "A\x1b[2Jb"}, ProtectedResource("", resource_name="A[2Jb")),
        # RFC 9728 §2.2: consumers may ignore signed metadata.
        ({"signed_metadata": "e30.e30.e30"}, ProtectedResource("")),
    ],
)
def test_rfc9728_2_members_of_the_wrong_type_count_as_absent(
    members: dict[str, object], found: ProtectedResource
) -> None:
    """What is missing then is said where it is needed."""
    read = resource_metadata_response(document(members), at=WELL_KNOWN)

    assert replace(read, resource_name=read.resource_name.replace("\N{REPLACEMENT CHARACTER}", "")) == found


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(200, (("Content-Type", "text/html"),), b"<html>"),
        HttpResponse(200, (("Content-Type", "application/json"),), b"[]"),
        HttpResponse(200, (("Content-Type", "application/json"),), b'{"resource":"a","resource":"b"}'),
        HttpResponse(200, (("Content-Type", "application/json"),), b"[" * 2000),
        HttpResponse(302, (("Location", "https://evil.example/"),)),
        HttpResponse(404),
        HttpResponse(201, (("Content-Type", "application/json"),), b"{}"),
    ],
)
def test_rfc9728_3_2_anything_but_a_json_object_with_200_is_refused(answer: HttpResponse) -> None:
    """Neither a redirect nor a page leads anywhere."""
    with pytest.raises(MalformedResponse):
        resource_metadata_response(answer, at=WELL_KNOWN)


def test_failing_server_has_said_nothing() -> None:
    """It may be asked again."""
    with pytest.raises(TransportError):
        resource_metadata_response(HttpResponse(503), at=WELL_KNOWN)


URL = f"{RESOURCE}/mcp"
OWN = f"{WELL_KNOWN}/mcp"


@pytest.mark.parametrize(
    ("named", "at", "place"),
    [
        # From a challenge, from anywhere: the resource is the URL that was requested.
        (URL, "https://elsewhere.example/doc", "https://elsewhere.example/doc"),
        (URL, OWN, OWN),
        # A parent on the same origin counts at its own well-known address.
        (RESOURCE, WELL_KNOWN, WELL_KNOWN),
        (f"{RESOURCE}/", WELL_KNOWN, WELL_KNOWN),
        (f"{URL}/", OWN, OWN),
        # What another address says of it is looked up there.
        (RESOURCE, OWN, WELL_KNOWN),
        (RESOURCE, "https://elsewhere.example/doc", WELL_KNOWN),
        (f"{RESOURCE}:443", OWN, f"{RESOURCE}:443/.well-known/oauth-protected-resource"),
    ],
)
def test_rfc9728_3_3_place_from_which_metadata_may_be_used(named: str, at: str, place: str) -> None:
    """§3.3 has two rules: what a challenge named is about the URL, a well-known address about its own."""
    assert metadata_place(ProtectedResource(named), url=URL, at=at) == place


@pytest.mark.parametrize(
    "named",
    [
        "",
        "https://evil.example/mcp",
        "https://resource.example.com.evil.example/",
        "http://resource.example.com/mcp",
        "https://resource.example.com:8443/mcp",
        f"{RESOURCE}/other",
        f"{RESOURCE}/mc",
        f"{RESOURCE}/mcp/below",
        f"{RESOURCE}/?x",
        f"{RESOURCE}/#",
        "https://user@resource.example.com/",
        "resource.example.com",
        "https://",
        "/",
        "\x1b[2J",
    ],
)
def test_rfc9728_3_3_metadata_about_another_resource_must_not_be_used(named: str) -> None:
    """Nor may anything else be requested because of them."""
    with pytest.raises(ResourceMismatch) as refusal:
        metadata_place(ProtectedResource(named), url=URL, at=OWN)

    assert (refusal.value.expected, refusal.value.parameter) == (URL, "resource_server")
    assert "\x1b" not in str(refusal.value)


def test_rfc9728_7_3_own_metadata_name_exactly_that_resource() -> None:
    """The second document, at the parent's own address, is compared byte for byte."""
    check_resource_identity(ProtectedResource(RESOURCE), RESOURCE)
    with pytest.raises(ResourceMismatch):
        check_resource_identity(ProtectedResource(f"{RESOURCE}/"), RESOURCE)


@pytest.mark.parametrize(
    ("resource", "url", "parent"),
    [
        ("https://a.example", "https://a.example/x", True),
        ("https://A.example/", "https://a.EXAMPLE/x", True),
        ("https://a.example:443/x", "https://a.example/x/y", True),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x", True),
        ("http://127.0.0.1:1/", "http://127.0.0.1:2/", False),
        ("https://a.example/x", "https://a.example/x/../y", False),
        ("https://a.example/x", "https://a.example/x/%2E%2e/y", False),
        ("https://a.example/x", "https://a.example/X", False),
        ("https://a.example/x", "https://a.example/xy", False),
        ("https://a.example/x?y", "https://a.example/x?y", False),
        ("https://a.example/x", "https://a.example/x?y", True),
        ("https://a.example", "http://a.example", False),
        ("javascript:alert(1)", "https://a.example/", False),
    ],
)
def test_parent_is_above_on_the_same_origin(resource: str, url: str, parent: bool) -> None:
    """RFC 6454 §4: scheme, host and port; then whole segments of the path."""
    assert is_parent(resource, url) is parent


@given(st.text(), st.text(alphabet="abx/.%2eE?"))
def test_nothing_that_a_server_names_raises(named: str, path: str) -> None:
    """Whatever stands there is a parent, or is refused as another resource."""
    for resource in (named, f"{RESOURCE}{path}"):
        with suppress(LoopbackAuthError):
            place = metadata_place(ProtectedResource(resource), url=f"{RESOURCE}/a/b", at=OWN)
            assert resource == f"{RESOURCE}/a/b" or place.startswith(WELL_KNOWN)


@pytest.mark.parametrize(
    "url",
    [
        "http://resource.example.com/doc",
        "https://resource.example.com/doc#x",
        "https://user@resource.example.com/doc",
        "//resource.example.com/doc",
        "/doc",
        "https",
        "javascript:alert(1)",
        "https://resource.example.com/a b",
        "https://0x7f000001/doc",
        "https://" + "a" * 9000,
    ],
)
def test_rfc9728_5_1_address_of_metadata_that_no_request_may_go_to(url: str) -> None:
    """It is text from a stranger."""
    with pytest.raises(ConfigError) as refusal:
        check_metadata_url(url, by=URL)

    assert refusal.value.parameter == "resource_metadata"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/doc",
        "https://localhost/doc",
        "https://10.0.0.1/doc",
        "https://[::1]/doc",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_rfc9728_7_7_public_resource_leads_to_no_private_address(url: str) -> None:
    """A stranger could otherwise have this machine request what only it can reach."""
    with pytest.raises(ConfigError) as refusal:
        check_metadata_url(url, by=URL)
    host = url.partition("://")[2].partition("/")[0]

    assert refusal.value.parameter == "allow_private"
    assert check_metadata_url(url, by=URL, allowed=(host,)) == url
    assert check_metadata_url("http://127.0.0.1:2/doc", by="http://127.0.0.1:1/mcp")
