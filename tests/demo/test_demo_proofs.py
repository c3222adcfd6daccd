"""DPoP at the demo server: which proofs are accepted, and what a token is worth without its key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from demo_conversation import ISSUER, REDIRECT_URI, Conversation, document, error, request
from demo_keys import Holder, ec_key, public, rsa_key
from flow_world import Entropy

from loopback_auth.demo import features
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.features import Features
from loopback_auth.demo.proofs import NONCE_PERIOD, WINDOW
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.challenge import challenges

TOKEN = f"{ISSUER}/token"
RESOURCE = f"{ISSUER}/resource"
SECRET_CLIENT = DemoClient(
    "secret", "s3cret", redirect_uris=(REDIRECT_URI,), client_auth="client_secret_post"
)


def talking(faults: Faults | None = None, **wished: Any) -> Conversation:
    """Begin with a server that offers these features."""
    made = DemoServer(
        ISSUER, entropy=Entropy(), clients=[SECRET_CLIENT], faults=faults, features=Features(**wished)
    )
    return Conversation(made)


def holder(talk: Conversation) -> Holder:
    """Make a client with a key and the right time."""
    return Holder(talk.now)


def signed_in(talk: Conversation, client: Holder, **changes: str | None) -> Any:
    """Sign in with a proof at the token endpoint."""
    response = talk.exchange(talk.code(**changes), client.proof(TOKEN), **changes)
    assert response.status == 200, response.body
    return document(response)


def use(talk: Conversation, token: str, *headers: tuple[str, str], scheme: str = "DPoP") -> HttpResponse:
    """Use an access token."""
    return talk.get("/resource", ("Authorization", f"{scheme} {token}"), *headers)


def challenge(response: HttpResponse) -> tuple[str, str]:
    """Name the scheme and the error of the challenge."""
    [asked] = challenges(response.header("www-authenticate"))
    return asked.scheme, asked.error


def test_token_is_bound_to_the_key_and_used_with_it() -> None:
    """RFC 9449 §5 and §7.1: the whole way."""
    talk = talking()
    client = holder(talk)
    tokens = signed_in(talk, client)
    access_token = tokens["access_token"]

    assert tokens["token_type"] == "DPoP"
    assert use(talk, access_token, client.proof(RESOURCE, "GET", token=access_token)).status == 200
    proof = client.proof(f"{ISSUER}/userinfo", "GET", token=access_token)
    assert talk.get("/userinfo", ("Authorization", f"dpop {access_token}"), proof).status == 200


def test_stolen_token_is_worth_nothing() -> None:
    """That is what the key is for: neither without a proof nor with one of another key."""
    talk = talking()
    thief = replace(holder(talk), key=ec_key("thief"))
    access_token = signed_in(talk, holder(talk))["access_token"]
    answers = [
        use(talk, access_token, scheme="Bearer"),
        use(talk, access_token, thief.proof(RESOURCE, "GET", token=access_token), scheme="Bearer"),
        use(talk, access_token),
        use(talk, access_token, thief.proof(RESOURCE, "GET", token=access_token)),
        talk.send("GET", "/netlify/api/v1/user", None, ("Authorization", f"Bearer {access_token}")),
    ]

    assert [answer.status for answer in answers] == [401] * 5
    assert [challenge(answer) for answer in answers[:4]] == [
        ("dpop", "invalid_token"),
        ("dpop", "invalid_token"),
        ("dpop", "invalid_dpop_proof"),
        ("dpop", "invalid_token"),
    ]


def test_bearer_tokens_go_on_where_dpop_is_only_offered() -> None:
    """A client that sends no proof gets what it always got."""
    talk = talking()
    tokens = talk.tokens()
    client = holder(talk)

    assert tokens["token_type"] == "Bearer"
    assert use(talk, tokens["access_token"], scheme="Bearer").status == 200
    proof = client.proof(RESOURCE, "GET", token=tokens["access_token"])
    assert use(talk, tokens["access_token"], proof).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": f"{ISSUER}/par"},
        {"htu": f"{TOKEN}?x=1"},
        {"htu": f"{TOKEN}#"},
        {"htu": "https://as.example/token"},
        {"htu": "http://[::1/token"},
        {"htu": None},
        {"htu": 7},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"iat": None},
        {"iat": "1000000"},
        {"iat": True},
        {"iat": 10**400},
        {"iat": 1_000_000 - WINDOW - 1},
        {"iat": 1_000_000 + WINDOW + 1},
        {"header": {"typ": "JWT"}},
        {"header": {"alg": "ES384"}},
        {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        # Keys are drawn: they would make other names in each process.
        pytest.param({"header": {"jwk": public(ec_key("another"))}}, id="another key"),
        pytest.param({"header": {"jwk": ec_key("holder").as_dict(private=True)}}, id="private key"),
        {"header": {"jwk": {"kty": "EC"}}},
        {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": 7, "y": []}}},
        {"header": {"jwk": "x"}},
    ],
    ids=str,
)
def test_rfc9449_4_3_proof_is_refused(changes: dict[str, Any]) -> None:
    """Each check of the list, broken alone."""
    talk = talking()
    client = holder(talk)
    proof = client.proof(TOKEN, **changes)

    assert error(talk.exchange(talk.code(), proof)) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "e30.e30.", "W10.W10.AA", "%%.%%.%%", "e30." * 3000])
def test_header_that_holds_no_proof(text: str) -> None:
    """Whatever a client sends, it gets an answer."""
    talk = talking()

    assert error(talk.exchange(talk.code(), ("DPoP", text))) == (400, "invalid_dpop_proof")


def test_rfc9449_4_3_unsigned_proof_is_refused() -> None:
    """The algorithm none proves nothing."""
    talk = talking()
    name, proof = holder(talk).proof(TOKEN)
    unsigned = proof.rpartition(".")[0] + "."

    assert error(talk.exchange(talk.code(), (name, unsigned))) == (400, "invalid_dpop_proof")


def test_rfc9449_4_3_one_header() -> None:
    """Two proofs leave open which one counts."""
    talk = talking()
    client = holder(talk)

    assert error(talk.exchange(talk.code(), client.proof(TOKEN), client.proof(TOKEN))) == (
        400,
        "invalid_dpop_proof",
    )


def test_rfc9449_4_3_url_is_compared_in_its_normal_form() -> None:
    """Scheme and host are not case-sensitive, and the path is."""
    talk = talking()
    client = holder(talk)

    assert talk.exchange(talk.code(), client.proof("HTTP://127.0.0.1:8000/token")).status == 200
    assert talk.exchange(talk.code(), client.proof(f"{ISSUER}/Token")).status == 400


def test_rsa_keys_are_accepted() -> None:
    """The metadata announce RS256 too."""
    talk = talking()

    assert signed_in(talk, replace(holder(talk), key=rsa_key()))["token_type"] == "DPoP"
    assert talk.server.metadata()["dpop_signing_alg_values_supported"] == ["ES256", "RS256"]


def test_rfc9449_11_1_proof_works_once() -> None:
    """Who sees a proof cannot send it again."""
    talk = talking()
    client = holder(talk)
    access_token = signed_in(talk, client)["access_token"]
    proof = client.proof(RESOURCE, "GET", token=access_token)

    assert use(talk, access_token, proof).status == 200
    assert challenge(use(talk, access_token, proof)) == ("dpop", "invalid_dpop_proof")
    talk.wait(2 * WINDOW + 1)
    assert challenge(use(talk, access_token, proof)) == ("dpop", "invalid_dpop_proof")


def test_rfc9449_4_2_proof_is_for_one_access_token() -> None:
    """A proof that came with another token is not accepted."""
    talk = talking()
    client = holder(talk)
    first, second = (signed_in(talk, client)["access_token"] for _ in range(2))

    for proof in (client.proof(RESOURCE, "GET", token=second), client.proof(RESOURCE, "GET")):
        assert challenge(use(talk, first, proof)) == ("dpop", "invalid_dpop_proof")


def test_rfc9449_5_refresh_token_of_a_public_client_is_bound() -> None:
    """Otherwise a thief would get tokens for a key of its own."""
    talk = talking()
    client = holder(talk)
    thief = replace(client, key=ec_key("thief"))
    token = signed_in(talk, client)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "loopback-auth-demo"}

    assert error(talk.post("/token", form)) == (400, "invalid_grant")
    assert error(talk.post("/token", form, thief.proof(TOKEN))) == (400, "invalid_grant")
    assert document(talk.post("/token", form, client.proof(TOKEN)))["token_type"] == "DPoP"


def test_rfc9449_5_refresh_token_of_another_client_is_bound_to_its_secret() -> None:
    """Such a client may change its key."""
    talk = talking()
    client = holder(talk)
    secret = {"client_id": "secret", "client_secret": "s3cret"}
    code = talk.code(client_id="secret", redirect_uri=REDIRECT_URI)
    tokens = document(talk.exchange(code, client.proof(TOKEN), **secret))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **secret}
    other = replace(client, key=ec_key("next"))

    assert document(talk.post("/token", form, other.proof(TOKEN)))["token_type"] == "DPoP"


def test_rfc9449_10_code_is_bound_by_dpop_jkt() -> None:
    """A stolen code is worth nothing either."""
    talk = talking()
    client = holder(talk)
    for headers in ((), (replace(client, key=ec_key("thief")).proof(TOKEN),)):
        code = talk.code(dpop_jkt=client.jkt)
        assert error(talk.exchange(code, *headers)) == (400, "invalid_grant")
        assert talk.exchange(code, client.proof(TOKEN)).status == 200


def test_rfc9449_10_thumbprint_must_be_one() -> None:
    """A value that no key has would only show itself at the token endpoint."""
    location = talking().authorize(dpop_jkt="short").header("location")

    assert "error=invalid_request" in location


def test_rfc9449_10_1_pushed_request_is_bound_by_its_proof() -> None:
    """Proof and parameter say the same, or the request is refused."""
    talk = talking()
    client = holder(talk)
    url = f"{ISSUER}/par"
    pushed = document(talk.post("/par", request(), client.proof(url)))["request_uri"]
    refused = talk.post("/par", request(dpop_jkt=ec_key("thief").thumbprint()), client.proof(url))
    agreed = talk.post("/par", request(dpop_jkt=client.jkt), client.proof(url))

    assert (agreed.status, error(refused)) == (201, (400, "invalid_dpop_proof"))
    step = talk.browse(f"{ISSUER}/authorize?client_id=loopback-auth-demo&request_uri={pushed}")
    sent = step.url.partition("code=")[2].partition("&")[0]
    assert error(talk.exchange(sent)) == (400, "invalid_grant")
    assert talk.exchange(sent, client.proof(TOKEN)).status == 200


def test_required_of_all_clients() -> None:
    """Then no bearer token is issued, and none accepted."""
    talk = talking(dpop="required")
    resource = document(talk.get("/.well-known/oauth-protected-resource/mcp"))

    assert resource["dpop_bound_access_tokens_required"] is True
    assert error(talk.exchange(talk.code())) == (400, "invalid_dpop_proof")
    assert challenge(talk.get("/resource")) == ("dpop", "")
    assert challenge(use(talk, "x", scheme="Bearer")) == ("dpop", "invalid_token")
    assert signed_in(talk, holder(talk))["token_type"] == "DPoP"
    assert "token" not in str(talk.server.metadata()["response_types_supported"]).split("'")
    location = talk.authorize(response_type="token").header("location")
    assert "error=unsupported_response_type" in location


def test_rfc9449_5_2_required_of_a_registered_client() -> None:
    """A client can bind itself to its own promise."""
    talk = talking()
    members = {
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "dpop_bound_access_tokens": True,
    }
    registered = document(talk.send("POST", "/register", members))
    client_id = registered["client_id"]
    code = talk.code(client_id=client_id)

    assert registered["dpop_bound_access_tokens"] is True
    assert error(talk.exchange(code, client_id=client_id)) == (400, "invalid_dpop_proof")
    assert talk.exchange(code, holder(talk).proof(TOKEN), client_id=client_id).status == 200


def test_rfc9449_8_nonces_of_the_authorization_server() -> None:
    """The first proof is refused with a nonce, the second is accepted, and has the next nonce with it."""
    talk = talking(server_nonces=True)
    client = holder(talk)
    code = talk.code()
    first = talk.exchange(code, client.proof(TOKEN))
    client.nonce = first.header("dpop-nonce")
    second = talk.exchange(code, client.proof(TOKEN))

    assert error(first) == (400, "use_dpop_nonce")
    assert (second.status, second.header("dpop-nonce")) == (200, client.nonce)


def test_rfc9449_9_nonces_of_the_resource_are_its_own() -> None:
    """The nonce of one server is of no use at the other."""
    talk = talking(server_nonces=True, resource_nonces=True)
    client = holder(talk)
    client.nonce = talk.post("/token", {}).header("dpop-nonce")
    access_token = signed_in(talk, client)["access_token"]
    refused = use(talk, access_token, client.proof(RESOURCE, "GET", token=access_token))
    client.nonce = refused.header("dpop-nonce")

    assert challenge(refused) == ("dpop", "use_dpop_nonce")
    assert use(talk, access_token, client.proof(RESOURCE, "GET", token=access_token)).status == 200


def test_rfc9449_8_2_nonces_change() -> None:
    """A nonce is accepted until the end of the next period, and can be withdrawn at any time."""
    talk = talking(server_nonces=True)
    client = holder(talk)
    client.nonce = talk.post("/token", {}).header("dpop-nonce")
    talk.wait(NONCE_PERIOD)
    client.now = talk.now
    answer = talk.exchange(talk.code(), client.proof(TOKEN))

    assert answer.status == 200
    assert answer.header("dpop-nonce") not in ("", client.nonce)
    talk.server.rotate_nonces()
    client.nonce = answer.header("dpop-nonce")
    assert error(talk.exchange(talk.code(), client.proof(TOKEN))) == (400, "use_dpop_nonce")


def test_nonces_that_change_each_time() -> None:
    """A client that went on for ever would be noticed here."""
    talk = talking(Faults(nonce_changes=True), server_nonces=True)
    client = holder(talk)
    seen = set()
    for _ in range(5):
        answer = talk.exchange(talk.code(), client.proof(TOKEN))
        client.nonce = answer.header("dpop-nonce")
        seen.add(client.nonce)
        assert error(answer) == (400, "use_dpop_nonce")

    assert len(seen) == 5


def test_wrong_token_type() -> None:
    """A client that asked for a bound token and gets another must not use it (RFC 9449 §5)."""
    talk = talking(Faults(wrong_token_type=True))

    assert signed_in(talk, holder(talk))["token_type"] == "Bearer"


def test_off_means_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not known is ignored (RFC 6749 §3.1), as it is without joserfc."""
    without = talking(dpop="off")
    monkeypatch.setattr(features, "has_cryptography", lambda: False)
    for talk in (without, talking(dpop="required")):
        tokens = document(talk.exchange(talk.code(dpop_jkt="short"), ("DPoP", "nonsense")))

        assert tokens["token_type"] == "Bearer"
        assert "dpop_signing_alg_values_supported" not in talk.server.metadata()
        assert "dpop" not in str(document(talk.get("/.well-known/oauth-protected-resource/mcp")))
        assert challenge(use(talk, tokens["access_token"])) == ("bearer", "")
        members = {"redirect_uris": [REDIRECT_URI], "dpop_bound_access_tokens": True}
        assert error(talk.send("POST", "/register", members)) == (400, "invalid_client_metadata")
