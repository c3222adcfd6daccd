"""An address alone: whether it is a resource or an issuer, and in which order it is asked."""

from __future__ import annotations

import pytest
from resource_world import NOTHING, Answer, ResourceWorld, challenged, document, server_metadata

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import EndpointMissing, ResourceMismatch
from loopback_auth.flows.address import ask_address
from loopback_auth.flows.resource import choose_server
from loopback_auth.flows.resource_answer import ResourceFound
from loopback_auth.flows.reuse import why_foreign
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.records import replace
from loopback_auth.tokens import SignIn, TokenSet

URL = "https://x.example/a"
PLACE = "https://x.example/.well-known/oauth-protected-resource/a"
HERE = "https://x.example/.well-known/oauth-authorization-server/a"
PAGE = HttpResponse(200, (("Content-Type", "text/html"),), b"<!doctype html><title>Welcome</title>")
PROTECTED = document({"resource": URL, "authorization_servers": ["https://as.example"]})


def client(client_id: str = "") -> ClientConfig:
    """Return the client of `login URL`."""
    known = ClientConfig.at(URL, client_id=client_id, client_metadata=ClientMetadata())
    return replace(known, resource_server=URL)


RESOURCE, ISSUER = "resource", "issuer"
KINDS = [
    pytest.param("", {URL: challenged("Bearer")}, RESOURCE, id="a challenge"),
    pytest.param("", {URL: challenged("DPoP algs=ES256")}, RESOURCE, id="a challenge to a bound token"),
    pytest.param("", {URL: PAGE, PLACE: PROTECTED}, RESOURCE, id="metadata without a challenge"),
    pytest.param("", {URL: PAGE, HERE: server_metadata(URL)}, ISSUER, id="an issuer"),
    pytest.param(
        "", {URL: challenged(), HERE: server_metadata(URL)}, ISSUER, id="an issuer that refuses visits"
    ),
    pytest.param(
        "", {URL: challenged('Basic realm="x"'), HERE: server_metadata(URL)}, ISSUER, id="another challenge"
    ),
    pytest.param("", {URL: challenged()}, RESOURCE, id="refused without a challenge"),
    pytest.param(
        "", {URL: challenged("Bearer"), HERE: server_metadata(URL)}, RESOURCE, id="a resource and an issuer"
    ),
    pytest.param(
        "x", {URL: challenged("Bearer"), HERE: server_metadata(URL)}, ISSUER, id="both, and a client there"
    ),
    pytest.param("x", {URL: challenged("Bearer")}, RESOURCE, id="a resource, and a client ID"),
]


@pytest.mark.parametrize(("client_id", "answers", "kind"), KINDS)
def test_what_answers_decides_what_an_address_is(
    client_id: str, answers: dict[str, Answer], kind: str
) -> None:
    """One rule for login, doctor and explain; a client ID belongs to an authorization server."""
    found = ResourceWorld(answers).run(ask_address(client(client_id)))

    assert isinstance(found, ResourceFound if kind == RESOURCE else ServerMetadata)


def test_an_issuer_with_a_client_id_is_asked_for_nothing_else() -> None:
    """Most servers are used by clients that were registered by hand, and nothing changes for these."""
    world = ResourceWorld({HERE: server_metadata(URL)})
    world.run(ask_address(client("x")))

    assert world.asked == [f"GET {URL}/.well-known/openid-configuration", f"GET {HERE}"]


@pytest.mark.parametrize("client_id", ["", "x"])
@pytest.mark.parametrize("answer", [PAGE, NOTHING, HttpResponse(204, ()), document({"hello": "world"})])
def test_what_is_neither_is_said_with_what_came_instead(answer: HttpResponse, client_id: str) -> None:
    """A mistyped address answers with a page, and the person has to see that."""
    with pytest.raises(EndpointMissing, match="does not ask for a token") as caught:
        ResourceWorld({URL: answer}).run(ask_address(client(client_id)))

    assert "resource_server" in caught.value.parameter
    assert "spelling" in caught.value.hint


def test_metadata_of_another_resource_are_refused_and_not_passed_over() -> None:
    """An attack must not become a sign-in of another kind (RFC 9728 §3.3)."""
    answers = {
        URL: PAGE,
        PLACE: document(
            {"resource": "https://bank.example", "authorization_servers": ["https://as.example"]}
        ),
        HERE: server_metadata(URL),
    }

    with pytest.raises(ResourceMismatch):
        ResourceWorld(answers).run(ask_address(client()))


def test_a_resource_is_not_taken_for_its_own_server() -> None:
    """The address is a guess at the issuer, and no wish for that one."""
    world = ResourceWorld(
        {
            URL: challenged("Bearer"),
            PLACE: PROTECTED,
            "https://as.example/.well-known/oauth-authorization-server": server_metadata(
                "https://as.example"
            ),
        }
    )
    found = world.run(ask_address(client()))
    assert isinstance(found, ResourceFound)

    assert world.run(choose_server(client(), found)).metadata.issuer == "https://as.example"


@pytest.mark.parametrize(
    ("issuer", "resource_server", "same"),
    [
        ("https://as.example", URL, True),
        (URL, "", True),
        ("https://as.example", "https://x.example/b", False),
        ("https://as.example", "", False),
    ],
)
def test_a_kept_sign_in_is_compared_as_what_the_address_was(
    issuer: str, resource_server: str, same: bool
) -> None:
    """It is used without asking the address again."""
    tokens = TokenSet("token", "Bearer", 0.0)
    kept = SignIn(
        "x.example-a", "x", "none", ServerMetadata(issuer), "", tokens, resource_server=resource_server
    )

    assert (why_foreign(kept, client()) == "") is same
