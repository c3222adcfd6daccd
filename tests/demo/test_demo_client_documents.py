"""Client IDs at the demo server that are the address of a document about the client."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from demo_conversation import ISSUER, REDIRECT_URI, Conversation, document, hidden
from flow_world import Entropy

from loopback_auth.demo.client_documents import FRESH, is_document_url
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpRequest, HttpResponse

CLIENT_ID = "https://tool.example/client.json"
JSON = (("Content-Type", "application/json"),)
DOCUMENT: dict[str, object] = {
    "client_id": CLIENT_ID,
    "client_name": "Tool",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}


def answering(members: object = DOCUMENT) -> HttpResponse:
    """Serve a document."""
    return HttpResponse(200, JSON, json.dumps(members).encode())


def talking(fetch: Callable[[str], HttpResponse | None]) -> Conversation:
    """Begin with a server that fetches documents so."""
    return Conversation(DemoServer(ISSUER, entropy=Entropy(), fetch=fetch))


def test_client_signs_in_without_registration() -> None:
    """The document is fetched once for a sign-in, and again when it is not fresh any more."""
    fetched: list[str] = []

    def fetch(url: str) -> HttpResponse:
        fetched.append(url)
        return answering()

    talk = talking(fetch)
    tokens = document(talk.exchange(talk.code(client_id=CLIENT_ID), client_id=CLIENT_ID))

    assert talk.server.metadata()["client_id_metadata_document_supported"] is True
    assert fetched == [CLIENT_ID]
    talk.wait(FRESH)
    assert talk.refresh(tokens["refresh_token"], client_id=CLIENT_ID).status == 200
    assert fetched == [CLIENT_ID] * 2


def test_other_clients_are_not_fetched() -> None:
    """Nor is anything at an endpoint that asks for no client."""

    def fetch(url: str) -> HttpResponse:
        raise AssertionError(url)

    talk = talking(fetch)

    assert talk.tokens()["token_type"] == "Bearer"
    assert talk.get(f"/userinfo?client_id={CLIENT_ID}").status == 401
    assert talk.get("/authorize?client_id=&client_id=%ff").status == 400
    assert talk.server.handle(HttpRequest("GET", "/authorize?" + "a=&" * 200), 0).status == 400


@pytest.mark.parametrize(
    "answer",
    [
        None,
        HttpResponse(404, JSON, json.dumps(DOCUMENT).encode()),
        HttpResponse(302, (("Location", "/x"), *JSON), json.dumps(DOCUMENT).encode()),
        HttpResponse(200, (("Content-Type", "text/html"),), json.dumps(DOCUMENT).encode()),
        HttpResponse(200, JSON, b"\xff"),
        HttpResponse(200, JSON, b"[" * 5000),
        answering([]),
        answering({**DOCUMENT, "client_id": f"{CLIENT_ID}/"}),
        answering({**DOCUMENT, "client_id": [CLIENT_ID]}),
        answering({name: value for name, value in DOCUMENT.items() if name != "client_id"}),
        answering({**DOCUMENT, "client_secret": "x"}),
        answering({**DOCUMENT, "token_endpoint_auth_method": "client_secret_post"}),
        answering({**DOCUMENT, "token_endpoint_auth_method": ["none"]}),
        answering({**DOCUMENT, "redirect_uris": ["http://evil.example/"]}),
        answering({**DOCUMENT, "client_name": "x" * 6000}),
    ],
    ids=range(15),
)
def test_unusable_document(answer: HttpResponse | None) -> None:
    """The person is told, and the browser is not sent anywhere."""
    talk = talking(lambda _url: answer)
    refused = talk.authorize(client_id=CLIENT_ID)

    assert (refused.status, refused.header("location")) == (400, "")
    assert b"client&#x27;s document" in refused.body


def test_document_that_went_bad_is_not_used_further() -> None:
    """What was true a minute ago need not be."""
    answers = [answering(), None]
    talk = talking(lambda _url: answers.pop(0))
    code = talk.code(client_id=CLIENT_ID)
    talk.wait(FRESH)

    assert talk.exchange(code, client_id=CLIENT_ID).status == 400
    assert answers == []


def test_redirect_uri_must_be_in_the_document() -> None:
    """The address of a document is public: only what it lists may get the code."""
    talk = talking(lambda _url: answering())

    assert talk.authorize(client_id=CLIENT_ID, redirect_uri="http://127.0.0.1:5/other").status == 400
    assert talk.authorize(client_id=CLIENT_ID, redirect_uri=REDIRECT_URI).status == 200


def test_consent_page_shows_the_address() -> None:
    """It is all that is proven about the client."""
    talk = talking(lambda _url: answering({**DOCUMENT, "client_name": "<i>Bank</i>"}))
    page = talk.authorize(client_id=CLIENT_ID)
    consent = talk.post("/sign-in", {"interaction": hidden(page), "account": "demo-1"}).body

    assert CLIENT_ID.encode() in consent
    assert b"&lt;i&gt;Bank" in consent
    assert b"<i>Bank" not in consent + page.body


@pytest.mark.parametrize(
    ("url", "good"),
    [
        (CLIENT_ID, True),
        ("https://tool.example:8443/a/b?c=d", True),
        ("http://127.0.0.1:8000/client", True),
        ("http://[::1]:8000/client", True),
        ("http://tool.example/client", False),
        ("https://tool.example", False),
        ("https://tool.example/", False),
        ("https://tool.example/a/../b", False),
        ("https://tool.example/./b", False),
        ("https://tool.example/a#b", False),
        ("https://me@tool.example/a", False),
        ("https:///a", False),
        ("https://[::1/a", False),
        ("https://tool.example:0/a", False),
        ("https://tool.example:x/a", False),
        ("https://tool.example/a b", False),
        ("https://tool.ex\u00e4mple/a", False),
        ("file:///etc/passwd", False),
        ("loopback-auth-demo", False),
        ("", False),
    ],
)
def test_addresses_of_documents(url: str, good: bool) -> None:
    """Only https, or http on this machine, with a path (draft, section 3)."""
    assert is_document_url(url) is good


def test_without_a_fetcher_an_address_is_an_unknown_client() -> None:
    """Then the metadata announce nothing either."""
    server = DemoServer(ISSUER, entropy=Entropy())

    assert "client_id_metadata_document_supported" not in server.metadata()
    assert Conversation(server).authorize(client_id=CLIENT_ID).status == 400
