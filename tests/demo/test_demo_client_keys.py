"""Clients of the demo server that sign with a key of their own: assertions, and authorization requests."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from demo_conversation import (
    CHALLENGE,
    ISSUER,
    REDIRECT_URI,
    Conversation,
    answer,
    basic,
    document,
    error,
    request,
)
from demo_keys import Holder, ec_key, keyed_client, public, rsa_key, signed
from flow_world import Entropy

from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.features import Features
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpResponse

KEY = ec_key("client")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def talking(**wished: Any) -> Conversation:
    """Begin with a server that knows a client by its key."""
    clients = [keyed_client(), keyed_client("rsa", key=rsa_key())]
    server = DemoServer(ISSUER, entropy=Entropy(), clients=clients, features=Features(**wished))
    return Conversation(server)


def assertion(talk: Conversation, key: Any = KEY, header: Any = None, **changes: Any) -> dict[str, str]:
    """Write the parameters of an assertion; a change to None leaves a claim out."""
    claims = {"iss": "keyed", "sub": "keyed", "aud": ISSUER, "jti": "1", "exp": int(talk.now) + 60}
    said = {name: value for name, value in (claims | changes).items() if value is not None}
    return {"client_assertion_type": TYPE, "client_assertion": signed(key, said, **(header or {}))}


def push(talk: Conversation, form: dict[str, str], *headers: tuple[str, str]) -> HttpResponse:
    """Push an authorization request, for which a client must be proven."""
    return talk.post("/par", request(client_id=None) | form, *headers)


def test_rfc7523_2_2_client_proves_itself_by_its_signature() -> None:
    """The whole way: pushed request, code and renewal, each with an assertion of its own."""
    talk = talking()
    pushed = document(push(talk, assertion(talk)))["request_uri"]
    step = talk.browse(f"{ISSUER}/authorize?client_id=keyed&request_uri={pushed}")
    code = step.url.partition("code=")[2].partition("&")[0]
    tokens = document(talk.exchange(code, client_id=None, **assertion(talk, jti="2")))
    renewed = talk.refresh(tokens["refresh_token"], client_id=None, **assertion(talk, jti="3"))

    assert renewed.status == 200
    assert "private_key_jwt" in str(talk.server.metadata()["token_endpoint_auth_methods_supported"])


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"iss": "rsa"}, {}),
        ({"iss": None}, {}),
        ({"sub": "rsa"}, {}),
        ({"sub": "loopback-auth-demo", "iss": "loopback-auth-demo"}, {}),
        ({"sub": ["keyed"]}, {}),
        ({"sub": None}, {}),
        ({"aud": "https://other.example"}, {}),
        ({"aud": [ISSUER, "https://other.example"]}, {}),
        ({"aud": f"{ISSUER}/"}, {}),
        ({"aud": None}, {}),
        ({"exp": None}, {}),
        ({"exp": 999_000}, {}),
        ({"exp": 1_000_000 + 3600}, {}),
        ({"exp": "1000060"}, {}),
        ({"exp": 10**400}, {}),
        ({"exp": True}, {}),
        ({"nbf": 1_000_500}, {}),
        ({"nbf": "now"}, {}),
        ({"iat": 1_000_500}, {}),
        ({"iat": []}, {}),
        ({"jti": None}, {}),
        ({"jti": 7}, {}),
        ({}, {"typ": "dpop+jwt"}),
        ({}, {"kid": "another"}),
        ({}, {"alg": "none"}),
        ({}, {"alg": "HS256"}),
        ({}, {"alg": ["ES256"]}),
        ({}, {"crit": ["exp"]}),
    ],
    ids=str,
)
def test_rfc7523_3_assertion_is_refused(changes: dict[str, Any], header: dict[str, Any]) -> None:
    """Each rule, broken alone."""
    talk = talking()

    assert error(push(talk, assertion(talk, header=header, **changes))) == (400, "invalid_client")
    assert push(talk, assertion(talk)).status == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": f"{ISSUER}/token"},
        {"aud": [f"{ISSUER}/par"]},
        {"iat": 1_000_000, "nbf": 1_000_000, "more": {}},
    ],
    ids=str,
)
@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"typ": "client-authentication+jwt"}, {"kid": "one"}])
def test_rfc9126_2_assertion_is_accepted(changes: dict[str, Any], header: dict[str, Any]) -> None:
    """The issuer and both endpoints are good audiences, for clients of today and of tomorrow."""
    talk = talking()

    assert push(talk, assertion(talk, header=header, **changes)).status == 201


def test_rfc7523_3_assertion_works_once() -> None:
    """Who sees one cannot use it again; each client counts its own."""
    talk = talking()
    others = assertion(talk, rsa_key(), sub="rsa", iss="rsa")

    assert push(talk, assertion(talk)).status == 201
    assert push(talk, others).status == 201
    assert error(push(talk, assertion(talk))) == (400, "invalid_client")


def test_key_of_another() -> None:
    """A signature proves nothing but the possession of its key."""
    talk = talking()

    assert error(push(talk, assertion(talk, ec_key("thief")))) == (400, "invalid_client")
    assert error(push(talk, assertion(talk, rsa_key()))) == (400, "invalid_client")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"client_id": "rsa"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_request"),
        ({"client_assertion_type": "urn:other"}, "invalid_client"),
        ({"client_assertion": ""}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_assertion": "e30.e30." + "A" * 17_000}, "invalid_client"),
    ],
)
def test_rfc7521_4_2_what_stands_beside_the_assertion(form: dict[str, str], code: str) -> None:
    """One method alone, and one client."""
    talk = talking()

    assert error(push(talk, assertion(talk) | form)) == (400, code)


def test_rfc6749_2_3_two_methods_are_refused() -> None:
    """A header beside the assertion is a second method."""
    talk = talking()

    assert error(push(talk, assertion(talk), basic("keyed", "x"))) == (400, "invalid_request")


def test_client_with_a_key_has_no_other_method() -> None:
    """Otherwise anybody could leave the assertion out."""
    talk = talking()

    assert error(push(talk, {"client_id": "keyed"})) == (400, "invalid_client")


def test_key_is_registered_by_the_client_itself() -> None:
    """RFC 7591 §2: by value, and only public keys."""
    talk = talking()
    members = {
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public(KEY)]},
    }
    registered = document(talk.send("POST", "/register", members))
    client_id = registered["client_id"]
    bad: list[object] = [
        None,
        [],
        {"keys": []},
        {"keys": [7]},
        {"keys": [KEY.as_dict(private=True)]},
        {"keys": [public(KEY)] * 11},
    ]

    assert "client_secret" not in registered
    assert push(talk, assertion(talk, sub=client_id, iss=client_id)).status == 201
    for jwks in bad:
        response = talk.send("POST", "/register", {**members, "jwks": jwks})
        assert error(response) == (400, "invalid_client_metadata"), jwks
    without = {name: value for name, value in members.items() if name != "jwks"}
    assert error(talk.send("POST", "/register", without)) == (400, "invalid_client_metadata")


def test_key_in_the_document_of_a_client() -> None:
    """A client with a hosted document proves itself by the key in it, and by nothing else."""
    client_id = "https://tool.example/client"
    members = {
        "client_id": client_id,
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public(KEY)]},
    }
    hosted = HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(members).encode())
    talk = Conversation(DemoServer(ISSUER, entropy=Entropy(), fetch=lambda _url: hosted))
    named = {"client_id": client_id}

    assert push(talk, named | assertion(talk, sub=client_id, iss=client_id)).status == 201
    assert error(push(talk, named)) == (400, "invalid_client")
    thief = assertion(talk, ec_key("thief"), sub=client_id, iss=client_id, jti="2")
    assert error(push(talk, named | thief)) == (400, "invalid_client")


def test_refresh_token_of_a_client_with_a_key_is_bound_to_the_client() -> None:
    """RFC 9449 §5: such a client may change the key of its proofs."""
    talk = talking()
    first, second = Holder(talk.now), Holder(talk.now, ec_key("next"))
    url = f"{ISSUER}/token"
    code = talk.code(client_id="keyed")
    tokens = document(talk.exchange(code, first.proof(url), client_id=None, **assertion(talk)))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    assert talk.post("/token", form | assertion(talk, jti="2"), second.proof(url)).status == 200


@pytest.mark.parametrize(("method", "secret"), [("private_key_jwt", None), ("none", "x")])
def test_client_that_does_not_fit_its_method(method: Any, secret: str | None) -> None:
    """The slip of a test's author shows itself at once."""
    with pytest.raises(ConfigError):
        DemoClient("c", secret, (REDIRECT_URI,), method)


def test_server_without_client_keys() -> None:
    """Then they are neither announced nor accepted."""
    talk = talking(client_keys=False)

    assert "private_key_jwt" not in str(talk.server.metadata())
    assert error(push(talk, assertion(talk))) == (400, "invalid_client")


def request_object(talk: Conversation, key: Any = KEY, header: Any = None, **changes: Any) -> str:
    """Sign an authorization request; a change to None leaves a claim out."""
    claims: dict[str, Any] = {
        **request(client_id="keyed"),
        "iss": "keyed",
        "aud": ISSUER,
        "exp": int(talk.now) + 300,
    }
    said = {name: value for name, value in (claims | changes).items() if value is not None}
    return signed(key, said, **(header or {}))


def sent(talk: Conversation, compact: str, *more: tuple[str, str]) -> HttpResponse:
    """Make an authorization request that has nothing but a request object."""
    return talk.get(f"/authorize?{urlencode([('client_id', 'keyed'), ('request', compact), *more])}")


def test_rfc9101_4_parameters_come_signed() -> None:
    """What nobody on the way can change is what the server reads."""
    talk = talking()
    page = sent(talk, request_object(talk, header={"typ": "oauth-authz-req+jwt"}))

    assert page.status == 200
    assert talk.server.metadata()["request_parameter_supported"] is True


def test_rfc9101_6_3_parameters_beside_it_do_not_count() -> None:
    """Otherwise an attacker could add some."""
    talk = talking()
    compact = request_object(talk, scope="profile", max_age=7, resource=[f"{ISSUER}/mcp"])
    location = sent(talk, request_object(talk, code_challenge=None), ("code_challenge", CHALLENGE))
    page = sent(talk, compact, ("scope", "everything"), ("redirect_uri", "https://evil.example/"))

    assert answer(location)["error"] == "invalid_request"
    assert page.status == 200
    assert b"evil.example" not in page.body


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"client_id": "rsa"}, {}),
        ({"client_id": None}, {}),
        ({"iss": "rsa"}, {}),
        ({"aud": "https://other.example"}, {}),
        ({"aud": None}, {}),
        ({"exp": None}, {}),
        ({"exp": 999_000}, {}),
        ({"exp": 1_000_000 + 86_400}, {}),
        ({"request": "x"}, {}),
        ({"request_uri": "urn:x"}, {}),
        ({"scope": "a\nb"}, {}),
        ({"resource": ["\x00"]}, {}),
        ({}, {"typ": "dpop+jwt"}),
        ({}, {"alg": "none"}),
        ({}, {"kid": "another"}),
    ],
    ids=str,
)
def test_rfc9101_6_2_request_object_is_refused(changes: dict[str, Any], header: dict[str, Any]) -> None:
    """On a page, because nothing in it can be believed, not even where the client is."""
    talk = talking()
    response = sent(talk, request_object(talk, header=header, **changes))

    assert (response.status, response.header("location")) == (400, "")


@pytest.mark.parametrize("compact", ["x", "a.b.c", "e30.e30.", "." * 20])
def test_what_is_no_request_object(compact: str) -> None:
    """Whatever stands there, it gets an answer."""
    assert sent(talking(), compact).status == 400


def test_rfc9101_request_object_of_a_client_without_keys() -> None:
    """There is nothing to check it with."""
    talk = talking()

    assert talk.authorize(("request", request_object(talk))).status == 400


def test_rfc9101_5_twice_is_once_too_often() -> None:
    """By value and by reference, or two of them."""
    talk = talking()
    compact = request_object(talk)

    assert sent(talk, compact, ("request", compact)).status == 400
    assert sent(talk, compact, ("request_uri", "urn:x")).status == 400


def test_rfc9126_3_request_object_is_pushed() -> None:
    """The client in it is the one that has proven itself."""
    talk = talking()
    pushed = talk.post("/par", {"request": request_object(talk), **assertion(talk)})
    others = talk.post("/par", {"request": request_object(talk, client_id="rsa"), **assertion(talk, jti="2")})
    where = document(pushed)["request_uri"]

    assert (pushed.status, error(others)) == (201, (400, "invalid_request_object"))
    assert talk.get(f"/authorize?client_id=keyed&request_uri={where}").status == 200


def test_rfc9101_10_5_required_of_all() -> None:
    """A server that demands it refuses everything else."""
    talk = talking(signed_requests="required")

    assert talk.server.metadata()["require_signed_request_object"] is True
    assert talk.authorize(client_id="keyed").status == 400
    assert sent(talk, request_object(talk)).status == 200


def test_server_without_signed_requests() -> None:
    """It says so to the client (OpenID Connect Core §3.1.2.6)."""
    talk = talking(signed_requests="off")
    returned = answer(talk.authorize(("request", "e30.e30.")))

    assert (returned["error"], returned["state"]) == ("request_not_supported", "a state")
    assert talk.server.metadata()["request_parameter_supported"] is False
