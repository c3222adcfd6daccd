"""The demo server's token, revocation and UserInfo endpoints: each rule kept, and broken by the caller."""

from __future__ import annotations

import base64
import hashlib
import sys

import pytest
from demo_conversation import (
    ISSUER,
    REDIRECT_URI,
    SECRET_CLIENT,
    PlainSigner,
    basic,
    conversation,
    document,
    error,
    id_claims,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.http_messages import HttpRequest

WEB = {"client_id": "with secret", "redirect_uri": "http://127.0.0.1:7/cb"}
SECRET = SECRET_CLIENT.client_secret or ""


def test_code_buys_tokens() -> None:
    """The answer is what RFC 6749 §5.1 says, and is not for caches."""
    talk = conversation()
    response = talk.exchange(talk.code())
    tokens = document(response)

    assert response.status == 200
    assert response.header("cache-control") == "no-store"
    assert response.header("content-type") == "application/json"
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "profile email")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": None}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": REDIRECT_URI.replace("51234", "51235")}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "too-short"}, "invalid_request"),
        ({"code_verifier": "a" * 129}, "invalid_request"),
        ({"code_verifier": "a" * 42 + "+"}, "invalid_request"),
        ({"code_verifier": "a" * 43}, "invalid_grant"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "stranger"}, "invalid_client"),
        ({"client_secret": "public clients have none"}, "invalid_client"),
        ({"resource": "https://not-asked-for.example/"}, "invalid_target"),
    ],
)
def test_bad_code_exchange_is_refused(changes: dict[str, str | None], code: str) -> None:
    """Each binding of a code is checked (RFC 6749 §4.1.3, §5.2; RFC 7636 §4.6), and its error is in JSON."""
    talk = conversation()

    assert error(talk.exchange(talk.code(), **changes)) == (400, code)


def test_refused_exchange_leaves_the_code_alone() -> None:
    """A stranger without the verifier must not be able to spoil a sign-in."""
    talk = conversation()
    code = talk.code()
    talk.exchange(code, code_verifier="a" * 43)

    assert talk.exchange(code).status == 200


def test_code_of_another_client_is_refused() -> None:
    """A code is bound to its client (RFC 6749 §4.1.3)."""
    talk = conversation()
    response = talk.exchange(talk.code(), basic("with secret", SECRET), client_id=None)

    assert error(response) == (400, "invalid_grant")


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400)])
def test_code_lives_a_minute(seconds: int, status: int) -> None:
    """A code is short-lived (RFC 6749 §4.1.2)."""
    talk = conversation()
    code = talk.code()
    talk.now += seconds

    assert talk.exchange(code).status == status


def test_second_use_of_a_code_revokes_its_tokens() -> None:
    """Two holders of a code mean that one is a thief (RFC 6749 §4.1.2)."""
    talk = conversation()
    code = talk.code()
    tokens = document(talk.exchange(code))
    before = talk.server.active(tokens["access_token"], talk.now)
    second = talk.exchange(code)

    assert before
    assert error(second) == (400, "invalid_grant")
    assert not talk.server.active(tokens["access_token"], talk.now)
    assert not talk.server.active(tokens["refresh_token"], talk.now)


def test_second_use_without_verifier_revokes_nothing() -> None:
    """An attacker who only saw a used code must not be able to revoke the tokens of a user."""
    talk = conversation()
    code = talk.code()
    tokens = document(talk.exchange(code))
    talk.exchange(code, code_verifier="a" * 43)

    assert talk.server.active(tokens["access_token"], talk.now)


def test_access_token_expires() -> None:
    """What `expires_in` promises is what happens."""
    talk = conversation()
    token = talk.tokens()["access_token"]
    talk.now += 3600

    assert not talk.server.active(token, talk.now)
    assert talk.userinfo(token).status == 401


def test_refresh_rotates() -> None:
    """Each refresh gives new tokens, and the new refresh token works (RFC 9700 §4.14.2)."""
    talk = conversation()
    first = talk.tokens()
    second = document(talk.refresh(first["refresh_token"]))
    third = talk.refresh(second["refresh_token"])

    assert len({first["refresh_token"], second["refresh_token"], document(third)["refresh_token"]}) == 3
    assert second["access_token"] != first["access_token"]
    assert not talk.server.active(first["refresh_token"], talk.now)


def test_old_refresh_token_ends_the_grant() -> None:
    """A rotated token that comes back was stolen, or replaced a stolen one (RFC 9700 §4.14.2)."""
    talk = conversation()
    first = talk.tokens()
    second = document(talk.refresh(first["refresh_token"]))
    again = talk.refresh(first["refresh_token"])

    assert error(again) == (400, "invalid_grant")
    assert error(talk.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert not talk.server.active(second["access_token"], talk.now)


def test_refresh_can_narrow_the_scope_for_one_access_token() -> None:
    """The narrower scope is the access token's; the refresh token keeps its own (RFC 6749 §6)."""
    talk = conversation()
    narrow = document(talk.refresh(talk.tokens()["refresh_token"], scope="email"))
    whole = document(talk.refresh(narrow["refresh_token"]))

    assert (narrow["scope"], whole["scope"]) == ("email", "profile email")
    assert "name" not in document(talk.userinfo(narrow["access_token"]))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"refresh_token": None}, "invalid_request"),
        ({"refresh_token": "unknown"}, "invalid_grant"),
        ({"scope": "profile email offline_access"}, "invalid_scope"),
        ({"client_id": "stranger"}, "invalid_client"),
        ({"resource": "https://not-asked-for.example/"}, "invalid_target"),
    ],
)
def test_bad_refresh_is_refused_and_costs_nothing(changes: dict[str, str | None], code: str) -> None:
    """A mistake is no theft: the token still works afterwards (RFC 6749 §6)."""
    talk = conversation()
    token = talk.tokens()["refresh_token"]

    assert error(talk.refresh(token, **changes)) == (400, code)
    assert talk.refresh(token).status == 200


def test_refresh_token_expires() -> None:
    """A refresh token that is not used for two weeks expires."""
    talk = conversation()
    token = talk.tokens()["refresh_token"]
    talk.now += 14 * 86_400

    assert error(talk.refresh(token)) == (400, "invalid_grant")


def test_granted_resource_may_be_named_again() -> None:
    """A token request may name a part of the resources asked for (RFC 8707 §2.2)."""
    talk = conversation()
    code = talk.code(resource="https://api.example/")

    assert talk.exchange(code, resource="https://api.example/").status == 200


def test_basic_authentication_decodes_both_halves() -> None:
    """Id and secret are form-encoded before Base64 (RFC 6749 §2.3.1)."""
    talk = conversation()
    form = {"client_id": None, "redirect_uri": WEB["redirect_uri"]}

    assert talk.exchange(talk.code(**WEB), basic("with secret", SECRET), **form).status == 200


def test_secret_in_the_form_is_accepted() -> None:
    """The other way to send a secret (RFC 6749 §2.3.1)."""
    talk = conversation()

    assert talk.exchange(talk.code(**WEB), **WEB, client_secret=SECRET).status == 200


@pytest.mark.parametrize(
    "header",
    [
        basic("with secret", "wrong"),
        basic("stranger", SECRET),
        basic("loopback-auth-demo", ""),
        ("Authorization", "Basic not-base64!"),
        ("Authorization", "Basic " + base64.b64encode(b"no colon").decode()),
        ("Authorization", "Basic " + base64.b64encode(b"\xff:x").decode()),
        ("Authorization", "Basic " + base64.b64encode(b"with+secret:%ff").decode()),
        ("Authorization", "Bearer x"),
        ("Authorization", "Basic é"),
    ],
)
def test_failed_basic_authentication_is_challenged(header: tuple[str, str]) -> None:
    """A client that used the Authorization header gets 401 and a challenge (RFC 6749 §5.2)."""
    response = conversation().exchange("code", header, client_id=None)

    assert error(response) == (401, "invalid_client")
    assert response.header("www-authenticate").startswith("Basic ")


def test_wrong_secret_in_the_form_gets_400() -> None:
    """Without an Authorization header there is nothing to challenge (RFC 6749 §5.2)."""
    response = conversation().exchange("code", **WEB, client_secret="wrong")

    assert error(response) == (400, "invalid_client")


def test_confidential_client_cannot_leave_its_secret_out() -> None:
    """Otherwise the secret would protect nothing (RFC 6749 §3.2.1)."""
    assert error(conversation().exchange("code", **WEB)) == (400, "invalid_client")


@pytest.mark.parametrize(
    "form",
    [{"client_secret": SECRET}, {"client_id": "another"}],
)
def test_two_ways_of_authentication_are_refused(form: dict[str, str]) -> None:
    """One request, one method, one client (RFC 6749 §2.3)."""
    changes: dict[str, str | None] = {"client_id": None, **form}
    response = conversation().exchange("code", basic("with secret", SECRET), **changes)

    assert error(response) == (400, "invalid_request")


def test_registered_method_is_the_only_way_in() -> None:
    """A client registered for one method cannot use the other (RFC 7591 §2)."""
    client = DemoClient(
        "c", "secret", redirect_uris=("http://127.0.0.1/callback",), client_auth="client_secret_post"
    )
    talk = conversation(clients=[client])
    code = talk.code(client_id="c")

    assert error(talk.exchange(code, basic("c", "secret"), client_id=None)) == (401, "invalid_client")
    assert talk.exchange(code, client_id="c", client_secret="secret").status == 200


def test_repeated_parameter_is_refused() -> None:
    """No parameter may come twice (RFC 6749 §3.2)."""
    response = conversation().post("/token", [("grant_type", "refresh_token")] * 2)

    assert error(response) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/token?client_id=loopback-auth-demo", "/revoke?token=x"])
def test_parameters_in_the_address_are_refused(path: str) -> None:
    """Addresses end up in logs (RFC 6749 §2.3.1)."""
    assert error(conversation().post(path, {"token": "x"})) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("application/json", b"{}"), ("", b"a=b"), ("application/x-www-form-urlencoded", b"a=\xc3\xa9")],
)
def test_other_bodies_are_refused(media_type: str, body: bytes) -> None:
    """The body is a form in ASCII (RFC 6749 §4.1.3, appendix B)."""
    request = HttpRequest("POST", "/token", (("Content-Type", media_type),), body)

    assert error(conversation().server.handle(request, 0)) == (400, "invalid_request")


def test_revoked_access_token_is_dead_and_leaves_the_rest() -> None:
    """The grant goes on without it (RFC 7009 §2.1)."""
    talk = conversation()
    tokens = talk.tokens()
    form = {"client_id": "loopback-auth-demo", "token": tokens["access_token"]}

    assert [talk.post("/revoke", form).status for _ in range(2)] == [200, 200]
    assert not talk.server.active(tokens["access_token"], talk.now)
    assert talk.refresh(tokens["refresh_token"]).status == 200


def test_revoked_refresh_token_takes_the_grant_along() -> None:
    """With the refresh token all access tokens of its grant go (RFC 7009 §2.1)."""
    talk = conversation()
    tokens = talk.tokens()
    form = {"token": tokens["refresh_token"], "client_id": "loopback-auth-demo"}
    response = talk.post("/revoke", form | {"token_type_hint": "access_token"})

    assert response.status == 200
    assert not talk.server.active(tokens["access_token"], talk.now)
    assert error(talk.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"client_id": "loopback-auth-demo"}, (400, "invalid_request")),
        ({"client_id": "stranger", "token": "t"}, (400, "invalid_client")),
    ],
)
def test_bad_revocation_is_refused(form: dict[str, str], expected: tuple[int, str]) -> None:
    """The errors of RFC 6749 §5.2 apply (RFC 7009 §2.2.1)."""
    assert error(conversation().post("/revoke", form)) == expected


def test_unknown_token_counts_as_revoked() -> None:
    """A client can do nothing about an invalid token (RFC 7009 §2.2)."""
    assert conversation().post("/revoke", {"client_id": "loopback-auth-demo", "token": "t"}).status == 200


def test_token_of_another_client_is_not_revoked() -> None:
    """A client may give up its own tokens only (RFC 7009 §2.1)."""
    talk = conversation()
    token = talk.tokens()["access_token"]
    response = talk.post("/revoke", {"token": token}, basic("with secret", SECRET))

    assert error(response) == (400, "invalid_grant")
    assert talk.server.active(token, talk.now)


@pytest.mark.parametrize(
    ("scope", "members"),
    [
        ("profile email", {"sub", "name", "email", "email_verified"}),
        ("email", {"sub", "email", "email_verified"}),
        (None, {"sub", "name"}),
    ],
)
def test_userinfo_tells_what_the_scope_allows(scope: str | None, members: set[str]) -> None:
    """Claims follow scope values (OpenID Connect Core §5.4)."""
    talk = conversation()
    response = talk.userinfo(talk.tokens(scope=scope)["access_token"])

    assert (response.status, document(response).keys()) == (200, members)
    assert document(response)["sub"] == "demo-1"


@pytest.mark.parametrize(
    ("headers", "status", "challenge"),
    [
        ([], 401, 'Bearer realm="demo"'),
        ([basic("a", "b")], 401, 'Bearer realm="demo"'),
        ([("Authorization", "Bearer unknown")], 401, 'Bearer realm="demo", error="invalid_token"'),
        ([("Authorization", "Bearer")], 400, 'Bearer realm="demo", error="invalid_request"'),
        ([("Authorization", "Bearer a")] * 2, 400, 'Bearer realm="demo", error="invalid_request"'),
    ],
)
def test_userinfo_challenges(headers: list[tuple[str, str]], status: int, challenge: str) -> None:
    """Each refusal says what is missing (RFC 6750 §3)."""
    response = conversation().get("/userinfo", *headers)

    assert (response.status, response.header("www-authenticate")) == (status, challenge)


def test_id_token_says_who_for_whom_and_when() -> None:
    """The claims of OpenID Connect Core §2 and §3.1.3.6."""
    talk = conversation(signer=PlainSigner())
    tokens = talk.tokens(scope="openid email", nonce="n-1")
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]

    assert id_claims(tokens["id_token"]) == {
        "iss": ISSUER,
        "sub": "demo-1",
        "aud": "loopback-auth-demo",
        "exp": 1_003_600,
        "iat": 1_000_000,
        "auth_time": 1_000_000,
        "acr": "urn:demo:chosen",
        "nonce": "n-1",
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        "email": "demo@example.com",
        "email_verified": True,
    }


def test_id_token_comes_only_with_openid() -> None:
    """Without the scope this is plain OAuth (OpenID Connect Core §3.1.2.1)."""
    assert "id_token" not in conversation(signer=PlainSigner()).tokens()


def test_refreshed_id_token_keeps_auth_time_and_drops_nonce() -> None:
    """The person did not sign in again (OpenID Connect Core §12.2)."""
    talk = conversation(signer=PlainSigner())
    first = talk.tokens(scope="openid", nonce="n-1")
    talk.now += 100
    said = id_claims(document(talk.refresh(first["refresh_token"]))["id_token"])

    assert (said["auth_time"], said["iat"]) == (1_000_000, 1_000_100)
    assert "nonce" not in said


def test_real_signature_verifies_with_the_published_key() -> None:
    """The key set is good for what it is published for (RFC 7515 §5.2, RFC 7517 §5)."""
    talk = conversation(signer=rsa_signer())
    token = talk.tokens(scope="openid")["id_token"]
    keys = document(talk.get("/jwks"))
    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256"])

    assert decoded.claims["sub"] == "demo-1"
    assert "d" not in keys["keys"][0]


def test_without_joserfc_there_is_no_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional, and the demo then serves plain OAuth."""
    monkeypatch.setitem(sys.modules, "joserfc.jwk", None)

    assert rsa_signer() is None


@pytest.mark.parametrize(("needed", "status"), [("", 200), ("?scope=profile", 200), ("?scope=email", 403)])
def test_resource_needs_a_token_with_the_scope(needed: str, status: int) -> None:
    """Clients that ask for more scope need a resource that wants it (RFC 6750 §3.1)."""
    talk = conversation()
    token = talk.tokens(scope="profile")["access_token"]
    response = talk.get(f"/resource{needed}", ("Authorization", f"Bearer {token}"))

    assert response.status == status
    assert (status == 403) == (
        'error="insufficient_scope", scope="email"' in response.header("www-authenticate")
    )


def test_access_tokens_expire_on_request() -> None:
    """A client has to be told by a 401 what it cannot know."""
    talk = conversation()
    tokens = talk.tokens()
    talk.server.expire_access_tokens()

    assert not talk.server.active(tokens["access_token"], talk.now)
    assert talk.server.active(tokens["refresh_token"], talk.now)


def test_all_tokens_are_revoked_on_request() -> None:
    """After that only the user can help."""
    talk = conversation()
    tokens = talk.tokens()
    talk.server.revoke_all()

    assert not talk.server.active(tokens["access_token"], talk.now)
    assert not talk.server.active(tokens["refresh_token"], talk.now)


def test_faults_are_changed_while_the_server_runs() -> None:
    """Its metadata is kept as a text, which must not outlive the change."""
    talk = conversation()
    before = talk.get("/.well-known/oauth-authorization-server").status
    talk.server.faults = Faults(without_metadata=True)

    assert (before, talk.get("/.well-known/oauth-authorization-server").status) == (200, 404)
    assert talk.server.faults.without_metadata
