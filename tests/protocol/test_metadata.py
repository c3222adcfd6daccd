"""What is believed of a metadata document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import ISSUER, METADATA, PROPERTY, PROVIDER, json_answer, raw_answer

from loopback_auth.errors import ConfigError, IssuerMismatch, MalformedResponse, TransportError
from loopback_auth.flow_table import ENDPOINTS
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import Network, Provider, ServerMetadata
from loopback_auth.protocol.metadata import (
    NEEDED,
    is_absent,
    merged,
    metadata_doubts,
    metadata_requests,
    metadata_response,
)
from loopback_auth.protocol.urls import check_endpoint, is_loopback_url

UNDISCOVERED = replace(PROVIDER, metadata=ServerMetadata(issuer=ISSUER))
DOCUMENT: dict[str, object] = {
    "issuer": ISSUER,
    **{name: getattr(METADATA, name) for name in ENDPOINTS},
    "response_modes_supported": ["query"],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
    "scopes_supported": ["openid"],
}


def at(issuer: str) -> Provider:
    """Name a provider by its issuer alone."""
    return Provider("example", ServerMetadata(issuer=issuer))


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://as.example",
            [
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "https://as.example/",
            [
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server",
            ],
        ),
        (
            "https://example.com:8443/issuer1",  # RFC 8414 §3.1 has this path
            [
                "https://example.com:8443/issuer1/.well-known/openid-configuration",
                "https://example.com:8443/.well-known/oauth-authorization-server/issuer1",
                "https://example.com:8443/.well-known/openid-configuration/issuer1",
            ],
        ),
        (
            "https://as.example/a/b/",
            [
                "https://as.example/a/b/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server/a/b",
                "https://as.example/.well-known/openid-configuration/a/b",
            ],
        ),
    ],
)
def test_metadata_is_looked_for_in_both_standard_places(issuer: str, urls: list[str]) -> None:
    """OpenID Connect appends, RFC 8414 §3.1 inserts; servers have the one or the other."""
    requests = metadata_requests(issuer)

    assert [request.url for request in requests] == urls
    assert {(request.method, request.header("accept")) for request in requests} == {
        ("GET", "application/json")
    }


def test_no_request_is_made_for_what_is_no_issuer() -> None:
    """The address is about to be asked for where to send secrets (RFC 8414 §2)."""
    with pytest.raises(ConfigError):
        metadata_requests("http://as.example")


@pytest.mark.parametrize(
    ("status", "content_type", "absent"),
    [
        (404, "text/html", True),
        (405, "", True),
        (410, "", True),
        (401, "application/json", True),
        (200, "text/html", True),
        (200, "application/json", True),
        (500, "text/html", False),
        (204, "", True),
        (301, "text/html", True),
        (501, "text/html", True),
        (302, "text/html", True),
        (429, "application/json", False),
    ],
)
def test_missing_document_is_told_from_trouble(status: int, content_type: str, absent: bool) -> None:
    """Only a document that is not there sends us to the next place (RFC 8414 §3.2)."""
    assert is_absent(HttpResponse(status, (("Content-Type", content_type),))) is absent


@pytest.mark.parametrize(
    ("body", "absent"), [(b"null", True), (b" [] ", True), (b"", True), (b"{bad", False)]
)
def test_json_that_is_no_object_is_no_document(body: bytes, absent: bool) -> None:
    """The right one may be at the next place; one that is broken is told as that."""
    assert is_absent(HttpResponse(200, (("Content-Type", "application/json"),), body)) is absent


@pytest.mark.parametrize(
    ("value", "promised"),
    [(True, True), ("true", True), ("True", True), ("false", False), (1, False), (None, False)],
)
def test_promise_of_an_issuer_is_heard_in_words_too(value: object, promised: bool) -> None:
    """RFC 9207 §3: who promises `iss` must send it, and leaving the check out is what a mix-up needs."""
    name = "authorization_response_iss_parameter_supported"
    found = metadata_response(UNDISCOVERED, json_answer(DOCUMENT | {name: value}))

    assert found.authorization_response_iss_parameter_supported is promised


def test_address_of_the_metadata_is_no_issuer() -> None:
    """People copy what they have opened in a browser; an issuer has no such part (RFC 8414 §3)."""
    with pytest.raises(ConfigError) as refusal:
        metadata_requests(f"{ISSUER}/.well-known/openid-configuration")

    assert ".well-known" in refusal.value.hint


def test_document_becomes_metadata() -> None:
    """Everything that later steps compare with is in it, and that it was read is noted."""
    assert metadata_response(UNDISCOVERED, json_answer(DOCUMENT)) == METADATA


def test_every_member_of_the_document_can_be_read() -> None:
    """A program that registers clients, or asks which scopes there are, need not fetch it again."""
    further = {"registration_endpoint": f"{ISSUER}/register", "scopes_supported": ["openid"]}
    found = metadata_response(UNDISCOVERED, json_answer(DOCUMENT | further))

    assert found.document == DOCUMENT | further
    assert found == METADATA
    assert "register" not in repr(found)


@pytest.mark.parametrize(
    "named",
    [
        "https://AS.example",
        "https://as.example/",
        "https://as.example:443",
        "http://as.example",
        "https://as.example.attacker.example",
        "https://as.example/tenant",
        "",
        None,
        ["https://as.example"],
        [[[[]]]] * 1000,
    ],
)
def test_document_of_another_issuer_is_refused(named: object) -> None:
    """Equal means equal, byte for byte: this is the defence against mix-up (RFC 8414 §3.3)."""
    with pytest.raises(IssuerMismatch, match="another issuer") as refusal:
        metadata_response(UNDISCOVERED, json_answer(DOCUMENT | {"issuer": named}))

    assert (refusal.value.expected, refusal.value.source) == (ISSUER, "RFC 8414 §3.3")
    assert "issuer" in refusal.value.parameter.split()
    assert len(str(refusal.value)) < 400


def test_document_without_issuer_is_refused() -> None:
    """Silence is not agreement (RFC 8414 §2: issuer is required)."""
    document = {name: value for name, value in DOCUMENT.items() if name != "issuer"}

    with pytest.raises(IssuerMismatch):
        metadata_response(UNDISCOVERED, json_answer(document))


def test_other_issuer_is_accepted_where_the_provider_declares_it() -> None:
    """Some servers break the rule and say so; the exception has one name and is compared as strictly."""
    other = "https://sts.example/tenant"
    provider = replace(UNDISCOVERED, allowed_issuer=other)

    assert metadata_response(provider, json_answer(DOCUMENT | {"issuer": other})).issuer == other
    with pytest.raises(IssuerMismatch):
        metadata_response(provider, json_answer(DOCUMENT | {"issuer": other + "/"}))


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("value", [None, ""])
def test_empty_endpoint_is_none(name: str, value: object) -> None:
    """Some servers write every member that they know."""
    answer = json_answer(DOCUMENT | {name: value})

    assert getattr(metadata_response(UNDISCOVERED, answer), name) is None
    assert metadata_doubts(UNDISCOVERED, answer) == ""


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "url",
    [
        "http://as.example/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//as.example/x",
        "/token",
        "https://user@as.example/x",
        "https://as.example/x#y",
        "-x",
        "https://as.example/x\r\nHost: other",
        "https://as.example/" + "x" * 10_000,
        "https://\u0430s.example/x",
        ["https://as.example/x"],
        1,
        {},
    ],
)
def test_unfit_endpoint_is_never_used(name: str, url: object) -> None:
    """RFC 8414 §2: what every sign-in needs is refused; the rest may never be wanted, so it is left out."""
    answer = json_answer(DOCUMENT | {name: url})
    if name in NEEDED:
        with pytest.raises(MalformedResponse, match=name) as refusal:
            metadata_response(UNDISCOVERED, answer)

        assert len(str(refusal.value)) < 400
        return

    assert getattr(metadata_response(UNDISCOVERED, answer), name) is None
    assert name in metadata_doubts(UNDISCOVERED, answer)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoint_by_hand_is_not_looked_for_in_the_document(name: str) -> None:
    """That the document has it wrong is a reason to give it by hand."""
    by_hand = f"{ISSUER}/by-hand"
    changed: dict[str, Any] = {name: by_hand}
    provider = replace(UNDISCOVERED, metadata=replace(UNDISCOVERED.metadata, **changed))

    found = metadata_response(provider, json_answer(DOCUMENT | {name: "http://as.example/x"}))

    assert getattr(found, name) == by_hand


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, "http://127.0.0.1:9/x"),
        (ISSUER, "https://127.0.0.1/x"),
        (ISSUER, "https://localhost/x"),
        (ISSUER, "https://localhost./x"),
        (ISSUER, "https://[::ffff:127.0.0.1]/x"),
        (ISSUER, "https://169.254.169.254/latest/meta-data"),
        (ISSUER, "https://192.168.0.1/x"),
        ("https://10.0.0.5", "http://127.0.0.1:9/x"),
        ("https://10.0.0.5", "https://localhost/x"),
    ],
)
def test_server_elsewhere_may_not_point_into_our_network(issuer: str, url: str) -> None:
    """Server-side request forgery: the request would come from within (RFC 9728 §7.7)."""
    with pytest.raises(MalformedResponse) as refusal:
        metadata_response(at(issuer), json_answer(DOCUMENT | {"issuer": issuer, "token_endpoint": url}))
    assert refusal.value.source.startswith("RFC 9728")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("10.1.2.3", "https://10.1.2.3/token"),
        ("[FD00::1]", "https://[fd00::1]:8443/token"),
        ("localhost", "http://localhost:8000/token"),
    ],
)
def test_server_elsewhere_may_point_to_a_host_that_is_allowed(host: str, url: str) -> None:
    """Who knows that the host is inside says so by name, as the refusal advises."""
    document = json_answer(DOCUMENT | {"issuer": ISSUER, "token_endpoint": url})
    with pytest.raises(MalformedResponse) as refusal:
        metadata_response(at(ISSUER), document)
    allowing = replace(at(ISSUER), network=Network(allow_private=(host,)))

    assert f"unless you know that {host.strip('[]').lower()} belongs" in refusal.value.hint
    assert refusal.value.parameter == "allow_private"
    assert metadata_response(allowing, document).token_endpoint == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/token", "http://[::1]:1/token"])
def test_server_on_this_machine_may_point_to_this_machine(url: str) -> None:
    """Development servers live on loopback; RFC 8252 §8.3 finds plain http acceptable there."""
    issuer = "http://127.0.0.1:8000"

    found = metadata_response(at(issuer), json_answer({"issuer": issuer, "token_endpoint": url}))

    assert found.token_endpoint == url


@pytest.mark.parametrize("name", ["response_modes_supported", "code_challenge_methods_supported"])
@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("S256", ("S256",)),
        ("S256 plain", ("S256", "plain")),
        (["S256", None], ("S256",)),
        ([1], ()),
        ({"S256": True}, None),
        (True, None),
    ],
)
def test_list_of_another_type_is_read_as_far_as_it_goes(
    name: str, value: object, read: tuple[str, ...] | None
) -> None:
    """A string would pass a membership test letter by letter, so it becomes a list (RFC 8414 §2)."""
    answer = json_answer(DOCUMENT | {name: value})

    assert getattr(metadata_response(UNDISCOVERED, answer), name) == read
    assert name in metadata_doubts(UNDISCOVERED, answer)


@pytest.mark.parametrize(
    "answer", [HttpResponse(302), HttpResponse(200), HttpResponse(404), json_answer(DOCUMENT, 302)]
)
def test_answer_that_is_no_document_is_refused_with_advice(answer: HttpResponse) -> None:
    """Redirects are not followed: who answers has to be who was asked (RFC 8414 §3.2)."""
    with pytest.raises(MalformedResponse) as refusal:
        metadata_response(UNDISCOVERED, answer)

    assert "issuer" in refusal.value.parameter.split()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_server_that_is_not_well_is_to_be_asked_later(status: int) -> None:
    """Nothing is wrong with the address (RFC 9110 §15.6)."""
    with pytest.raises(TransportError):
        metadata_response(UNDISCOVERED, json_answer({"error": "x"}, status))


def test_duplicate_member_is_refused() -> None:
    """Two token endpoints are one too many (RFC 8259 §4)."""
    body = b'{"issuer": "https://as.example", "token_endpoint": "https://a.example", "token_endpoint": "https://b.example"}'

    with pytest.raises(MalformedResponse):
        metadata_response(UNDISCOVERED, raw_answer(body))


def test_configured_value_wins_over_the_document() -> None:
    """Whoever sets an endpoint by hand means it; all else, and the issuer, is as found."""
    configured = ServerMetadata(
        issuer="https://old.example", token_endpoint="https://proxy.example/token", jwks_uri=None
    )

    assert merged(METADATA, configured) == replace(METADATA, token_endpoint="https://proxy.example/token")


NEAR_URLS = st.sampled_from(
    [ISSUER, ISSUER + "/", "https://other.example/x", "http://as.example/x", "http://127.0.0.1:1/x", "", "x"]
)
MEMBERS = st.one_of(
    NEAR_URLS, st.text(max_size=20), st.none(), st.booleans(), st.integers(), st.lists(NEAR_URLS, max_size=2)
)
ISSUERS = st.sampled_from([ISSUER, "http://127.0.0.1:8000", "https://10.0.0.5/tenant"])


@PROPERTY
@given(ISSUERS, st.dictionaries(st.sampled_from(sorted(DOCUMENT)), MEMBERS, max_size=3))
def test_accepted_document_names_its_issuer_and_only_fit_endpoints(
    issuer: str, mutation: dict[str, object]
) -> None:
    """Whatever is changed in a good document, what comes out keeps the rules or our error comes out."""
    try:
        found = metadata_response(at(issuer), json_answer(DOCUMENT | {"issuer": issuer} | mutation))
    except (IssuerMismatch, MalformedResponse):
        return

    assert found.issuer == issuer
    for name in ENDPOINTS:
        url = getattr(found, name)
        if url is not None:
            assert check_endpoint(url, name=name) == url
            assert is_loopback_url(issuer) or not is_loopback_url(url)
