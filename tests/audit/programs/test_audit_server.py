"""The server of an audit lets in what public programs send, and says what they want to hear."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.server import AuditServer
from loopback_auth.demo.agent import browse
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.narrow import is_object
from loopback_auth.trace.redactor import Redactor

ISSUER = "http://127.0.0.1:9000"
REDIRECT = "http://localhost:8080"
PUBLIC = Recipe("tool", ("tool",), client_id="tool")


def server(recipe: Recipe, *, secret: str = "") -> AuditServer:
    """Make the server of a recipe."""
    return AuditServer(
        ISSUER, recipe, secret=secret, faults=Faults(), signer=rsa_signer(), redactor=Redactor()
    )


def exchanged(
    at: AuditServer, *, header: str = "", path: str = "/token", form: Mapping[str, str] | None = None
) -> HttpResponse:
    """Let the user approve a request without PKCE, and exchange the code."""
    asked = {"response_type": "code", "client_id": "tool", "redirect_uri": REDIRECT, "scope": "openid"}
    steps = browse(f"{ISSUER}/authorize?{urlencode(asked)}")
    request = next(steps)
    while not request.url.startswith(REDIRECT):
        request = steps.send(at.answer(request, time.time()))
    code = request.url.partition("code=")[2].partition("&")[0]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **(form or {})}
    headers = (
        ("Host", "127.0.0.1:9000"),
        ("Content-Type", FORM),
        *([("Authorization", header)] * bool(header)),
    )
    return at.handle(HttpRequest("POST", path, headers, urlencode(sent).encode()), time.time())


def members(answer: HttpResponse) -> dict[str, object]:
    """Read a token response."""
    document = json.loads(answer.body)
    assert answer.status == 200, document
    assert is_object(document)
    return document


@pytest.mark.parametrize("secret", ["", "of-the-client"])
def test_rfc6749_2_3_1_basic_of_a_client_with_an_empty_secret(secret: str) -> None:
    """Some programs send Basic for every client, and a public one then has an empty secret."""
    header = "Basic " + base64.b64encode(f"tool:{secret}".encode()).decode()

    assert "access_token" in members(exchanged(server(PUBLIC, secret=secret), header=header))


def test_a_client_with_a_secret_has_to_send_it() -> None:
    """Otherwise a program that forgets its secret would look well."""
    answer = exchanged(server(PUBLIC, secret="of-the-client"), form={"client_id": "tool"})

    assert answer.status in (400, 401)


def test_a_query_of_the_token_endpoint_is_ignored() -> None:
    """Some programs tell their version there."""
    answer = exchanged(server(PUBLIC), path="/token?client-request-id=1", form={"client_id": "tool"})

    assert "access_token" in members(answer)


@pytest.mark.parametrize(
    ("path", "is_page"),
    [
        ("/authorize?client_id=tool", True),
        ("/oauth/authorize?client_id=tool", True),
        ("/device", True),
        ("/mcp", False),
        ("/token", False),
        ("/.well-known/openid-configuration", False),
    ],
)
def test_which_printed_links_are_pages(path: str, is_page: bool) -> None:
    """A program that prints where it sends requests has not asked its user to open that."""
    at = server(replace(PUBLIC, aliases={"/oauth/authorize": "/authorize"}))

    assert at.is_page(ISSUER + path) == is_page
    assert not at.is_page("http://127.0.0.1:9001" + path)


def test_what_a_recipe_adds_to_tokens() -> None:
    """Members come along, some of them with others in them, and claims are in the ID token."""
    recipe = replace(
        PUBLIC,
        token_members={"access_token": "{id_token}", "other_tokens": []},
        claims={"oid": "1", "sub": "no"},
    )

    got = members(exchanged(server(recipe), form={"client_id": "tool"}))

    assert got["access_token"] == got["id_token"]
    assert got["other_tokens"] == []
    claims = json.loads(base64.urlsafe_b64decode(str(got["id_token"]).split(".")[1] + "=="))
    assert (claims["oid"], claims["sub"]) == ("1", "demo-1")
