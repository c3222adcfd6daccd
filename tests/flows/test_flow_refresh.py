"""Renewing tokens and giving them up."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from flow_world import (
    CLIENT,
    ISSUER,
    OPENID,
    PROVIDER,
    SECRET_CLIENT,
    Disturb,
    at,
    plain,
    signed_in,
    story,
    world,
)

from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.effects import Send
from loopback_auth.errors import (
    MalformedResponse,
    RevocationError,
    SignInRequired,
    TokenError,
    TransportError,
)
from loopback_auth.flows.refresh import client_of, identified, refresh, withheld
from loopback_auth.flows.revocation import revoke
from loopback_auth.flows.tokens import signed_in as tokens_kept
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.quirks import Quirks
from loopback_auth.tokens import SignIn

NOW = 1_700_000_000.0
LATER = NOW + 4000
JSON = (("Content-Type", "application/json"),)


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Make the key of the server once: it takes a moment."""
    made = rsa_signer()
    assert made is not None
    return made


def forms(world: MemoryWorld) -> list[dict[str, str]]:
    """Return the forms that were sent, in order."""
    bodies = [effect.request.body.decode() for effect in world.effects if isinstance(effect, Send)]
    return [{name: values[0] for name, values in parse_qs(body).items()} for body in bodies]


def later(here: MemoryWorld) -> MemoryWorld:
    """Move the clock past the end of the access token, and forget what was done so far."""
    return replace(here, now=LATER, effects=[])


def renewed(here: MemoryWorld, sign_in: SignIn, *, verify: bool = False) -> SignIn:
    """Renew with nothing but what was kept, and check what came."""
    client = client_of(sign_in, None)
    renewal = here.run(refresh(client, sign_in))
    return here.run(identified(client, renewal, verify_signature=verify))


def answering(document: object, status: int = 200, *headers: tuple[str, str]) -> MemoryWorld:
    """A world whose token endpoint says this at the next request."""
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    kind = "text/html" if isinstance(document, str) else "application/json"
    answer = HttpResponse(status, (*headers, ("Content-Type", kind)), body)
    return replace(world(disturb=at("/token", answer)), now=LATER)


NEW = {"access_token": "new-access-token", "token_type": "Bearer", "expires_in": 60}


def test_refresh_rotates_both_tokens() -> None:
    """RFC 9700 §4.14.2: the new refresh token replaces the old one, which is dead."""
    here = world()
    old = signed_in(here)
    here = later(here)

    new = renewed(here, old)

    assert story(here) == ["refresh request"]
    assert forms(here)[0].keys() == {"grant_type", "refresh_token", "client_id"}
    assert not here.server.active(old.tokens.access_token, LATER)
    assert not here.server.active(old.tokens.refresh_token or "", LATER)
    assert here.server.active(new.tokens.access_token, LATER)
    assert here.server.active(new.tokens.refresh_token or "", LATER)
    assert (new.tokens.obtained_at, new.tokens.expires_at) == (LATER, LATER + 3600)
    assert (new.tokens.account, new.tokens.scope) == ("demo@example.com", "profile email")
    assert replace(new, tokens=old.tokens) == old


def test_second_use_of_a_refresh_token_is_final() -> None:
    """RFC 6749 §5.2 `invalid_grant`: asking again does not help, signing in does."""
    here = world()
    old = signed_in(here)
    here = later(here)
    renewed(here, old)

    with pytest.raises(SignInRequired, match="invalid_grant") as refusal:
        renewed(here, old)

    assert "Sign in again" in refusal.value.hint


def test_old_refresh_token_stays_where_no_new_one_comes() -> None:
    """RFC 6749 §6: the server MAY issue a new one; most do not."""
    old = signed_in(world())

    new = renewed(answering(NEW), old)

    assert new.tokens.refresh_token == old.tokens.refresh_token
    assert (new.tokens.access_token, new.tokens.expires_at) == ("new-access-token", LATER + 60)


def test_a_renewal_adds_to_what_the_server_said() -> None:
    """Salesforce repeats where its API is, others say it once; an ID token may come unasked, too."""
    first = signed_in(world())
    old = replace(
        first, tokens=replace(first.tokens, extra={"team": "T1", "instance_url": "https://a.example"})
    )

    new = renewed(answering(NEW | {"instance_url": "https://b.example", "id_token": "x.y.z"}), old)

    assert new.tokens.extra == {"team": "T1", "instance_url": "https://b.example", "id_token": "x.y.z"}


def test_what_the_client_adds_to_token_requests_is_sent_at_a_renewal() -> None:
    """Also by a program that has nothing but the kept sign-in."""
    client = replace(CLIENT, token_parameters={"region": "eu"}, token_headers={"Origin": "http://localhost"})
    here = world()
    old = signed_in(here, client)
    here = later(here)
    renewed(here, old)

    assert forms(here)[0]["region"] == "eu"
    assert old.quirks.token_headers == (("Origin", "http://localhost"),)


def test_token_whose_end_is_left_out_lives_as_long_as_the_last_one() -> None:
    """RFC 6749 §5.1 only recommends the member; a token that is taken for endless is never renewed again."""
    old = signed_in(world())
    endless = replace(old, tokens=replace(old.tokens, expires_at=None))
    without = {name: value for name, value in NEW.items() if name != "expires_in"}

    assert renewed(answering(without), old).tokens.expires_at == LATER + 3600
    assert renewed(answering(NEW), old).tokens.expires_at == LATER + 60
    assert renewed(answering(without), endless).tokens.expires_at is None
    assert renewed(answering(without), withheld(old)).tokens.expires_at is None


def test_scope_stays_as_granted_where_the_server_says_nothing() -> None:
    """RFC 6749 §6: the same as before; not what was once asked for."""
    old = signed_in(world())
    old = replace(old, tokens=replace(old.tokens, scope="email"))

    assert renewed(answering(NEW), old).tokens.scope == "email"
    assert renewed(answering(NEW | {"scope": "other"}), old).tokens.scope == "other"


def test_client_with_a_secret_proves_itself() -> None:
    """The secret is kept elsewhere than the sign-in, the way to prove it within."""
    here = world()
    client = replace(CLIENT, client_id=SECRET_CLIENT.client_id, client_secret=SECRET_CLIENT.client_secret)
    old = signed_in(here, client)
    here = later(here)

    new = here.run(refresh(client_of(old, SECRET_CLIENT.client_secret), old))

    assert here.server.active(new.sign_in.tokens.access_token, LATER)
    assert "client_secret" not in forms(here)[0]


def test_without_refresh_token_a_person_is_needed() -> None:
    """Nothing is sent that must fail."""
    here = world()
    old = signed_in(here)
    here = later(here)

    with pytest.raises(SignInRequired) as refusal:
        renewed(here, replace(old, tokens=replace(old.tokens, refresh_token=None)))

    assert refusal.value.hint
    assert here.effects == []


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (200, {"error": "bad_refresh_token"}),
        (400, {"error": "interaction_required"}),
        (400, {"error": "login_required"}),
        (400, {"error": "consent_required"}),
        (400, {"error": "account_selection_required"}),
        (400, {"error": "invalid_request"}),
        (403, {"error": "unauthorized_client"}),
        (401, {"id": "unauthorized", "message": "x"}),
        (400, {"message": "x"}),
        (400, {"error": {"message": "x"}}),
        (400, {"errors": ["x"]}),
        (401, "<html>"),
        (404, {}),
        (400, ""),
    ],
)
def test_refused_refresh_token_means_a_new_sign_in_under_any_name(status: int, document: object) -> None:
    """RFC 6749 §5.2 has `invalid_grant` for it, and servers have a dozen other ways to say it."""
    old = signed_in(world())

    with pytest.raises(SignInRequired) as refusal:
        renewed(answering(document, status), old)

    assert refusal.value.hint


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, "invalid_client"), (400, "invalid_client"), (200, "incorrect_client_credentials")],
)
def test_refused_client_is_told_as_that(status: int, error: str) -> None:
    """Another sign-in would end in the same way: the registration or the secret is wrong."""
    old = signed_in(world())

    with pytest.raises(TokenError, match=error):
        renewed(answering({"error": error}, status), old)


def test_error_that_a_provider_has_for_dead_tokens_is_believed() -> None:
    """A provider may call them by a name that means something else in the RFC."""
    old = replace(signed_in(world()), quirks=Quirks(dead_refresh_errors=("invalid_client", "server_error")))

    for status, error in ((401, "invalid_client"), (500, "server_error")):
        with pytest.raises(SignInRequired, match=error):
            renewed(answering({"error": error}, status), old)


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (503, {"message": "down"}),
        (500, {"error": "server_error"}),
        (503, {"error": "temporarily_unavailable"}),
        (400, {"error": "temporarily_unavailable"}),
        (200, {"error": "server_error"}),
        (502, {"error": "invalid_grant"}),
        (429, {"error": "too_many"}),
        (429, {"error": "invalid_grant"}),
        (408, {}),
        (503, "<html>"),
        (500, ""),
        (200, {"ok": False, "error": "ratelimited"}),
        (400, {"error": "rate_limit_exceeded"}),
        (400, {"error": "Too Many Requests"}),
        (200, {"ok": False, "error": "internal_error"}),
        (200, "<title>Log in to this network</title>"),
        (403, "<title>Just a moment</title>"),
        (451, "<title>Blocked</title>"),
    ],
)
def test_server_that_is_not_well_has_judged_nothing(status: int, document: object) -> None:
    """RFC 9110 §15.6, RFC 6585 §4: it says nothing of the refresh token, and all is kept."""
    old = signed_in(world())
    here = answering(document, status)

    with pytest.raises(TransportError) as trouble:
        renewed(here, old)

    assert "kept" in trouble.value.hint
    assert story(here) == ["refresh request"]


def test_server_says_when_to_try_again() -> None:
    """RFC 9110 §10.2.3."""
    with pytest.raises(TransportError) as trouble:
        renewed(answering({}, 503, ("Retry-After", "17")), signed_in(world()))

    assert "17 seconds" in trouble.value.hint


def test_cut_connection_is_reported_and_nothing_is_sent_again() -> None:
    """A rotating server may have used up the refresh token already (RFC 9700 §4.14.2)."""
    old = signed_in(world())
    here = world(disturb=at("/token", TransportError("cut", hint="Look at the network.")))

    with pytest.raises(TransportError) as trouble:
        renewed(here, old)

    assert "kept" in trouble.value.hint
    assert trouble.value.hint.endswith("Look at the network.")
    assert story(here) == ["refresh request"]


def test_refusal_that_names_a_time_to_come_back_is_for_now_only() -> None:
    """RFC 9110 §10.2.3; GitHub limits rates with 403."""
    with pytest.raises(TransportError) as trouble:
        renewed(answering({"message": "slow down"}, 403, ("Retry-After", "30")), signed_in(world()))

    assert trouble.value.retry_after == 30


@pytest.mark.parametrize(("status", "document"), [(307, {}), (200, {}), (204, {})])
def test_answer_that_says_nothing_leaves_what_is_kept(status: int, document: object) -> None:
    """There are no flags to check for who renews: it is tried again, or somebody signs in again."""
    with pytest.raises(MalformedResponse) as trouble:
        renewed(answering(document, status), signed_in(world()))

    assert "kept" in trouble.value.hint


@pytest.mark.parametrize(
    "document",
    [
        {"refresh_token": "rotated", "token_type": "Bearer"},
        {"refresh_token": "rotated", "access_token": "x", "token_type": "mac"},
        {"refresh_token": "rotated", "access_token": ["x"], "token_type": "Bearer"},
        {"refresh_token": "rotated", "access_token": "line\nbreak", "token_type": "Bearer"},
    ],
)
def test_new_refresh_token_is_taken_from_an_answer_that_is_of_no_other_use(document: object) -> None:
    """The old one is used up, whatever else is wrong with the answer (RFC 9700 §4.14.2)."""
    old = signed_in(world())
    client = client_of(old, None)
    here = answering(document)

    renewal = here.run(refresh(client, old))

    assert renewal.sign_in == replace(old, tokens=replace(old.tokens, refresh_token="rotated"))
    with pytest.raises(MalformedResponse):
        here.run(identified(client, renewal))


@pytest.mark.parametrize(
    "body",
    [
        b'{"refresh_token": "rotated", "access_token": "x", "expires_in": NaN}',
        b'{"refresh_token": "rotated", "access_token": "x", "access_token": "y", "token_type": "Bearer"}',
        b'{"refresh_token": "rotated", "more": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"refresh_token": "rotated", "access_token": "x"}<!-- 3 ms -->',
        b'{"refresh_token": "rotated", "name": "Andr\xe9", "access_token": "x"',
        b'[{"refresh_token": "rotated", "access_token": "x"}]',
        b'{"data": {"refresh_token": "rotated", "access_token": "x"}}',
        b'{"refresh_token": "rotated", "access_token": "", "error": null}',
        b'{"refresh_token": "rotated", "again": {"refresh_token": "rotated"}, "access_token": ""}',
        b"expires_in=9&refresh_token=rotated",
        '{"refresh_token": "rotated", "access_token": "x"}'.encode("utf-16"),
    ],
)
def test_new_refresh_token_is_taken_from_a_document_that_is_refused(body: bytes) -> None:
    """Who reads strictly has to read on where the only good refresh token is at stake."""
    old = signed_in(world())
    here = replace(world(disturb=at("/token", HttpResponse(200, JSON, body))), now=LATER)

    renewal = here.run(refresh(client_of(old, None), old))

    assert renewal.sign_in.tokens.refresh_token == "rotated"
    assert isinstance(renewal.trouble, MalformedResponse)


@pytest.mark.parametrize(
    "document",
    [
        {"token_type": "Bearer"},
        {"refresh_token": "a\nb"},
        {"refresh_token": "", "access_token": 7},
        [1],
        '{"refresh_token": "one", "refresh_token": "two"}',
        [{"refresh_token": "one"}, {"refresh_token": "two"}],
        {"note": '"refresh_token": "one"'},
        '{"refresh_token": "cut off',
    ],
)
def test_answer_without_anything_to_keep_is_an_error(document: object) -> None:
    """Nothing in it can replace what is kept."""
    old = signed_in(world())

    with pytest.raises(MalformedResponse):
        answering(document).run(refresh(client_of(old, None), old))


def test_narrower_scope_is_told_once() -> None:
    """RFC 6749 §5.1, §6: the member says so where it differs from before."""
    old = signed_in(world())
    here = answering(NEW | {"scope": "email"})
    new = renewed(here, old)
    again = answering(NEW | {"scope": "email"})
    renewed(again, new)

    assert [warning for warning in here.warnings() if "profile" in warning]
    assert again.warnings() == ()


def test_flow_refresh_names_what_the_tokens_are_for() -> None:
    """RFC 8707 §2.2: without it the server may give a token for something else."""
    resource = ("https://api.example/a", "https://api.example/b")
    old = signed_in(world(), replace(CLIENT, resource=resource, audience="api"))
    here = answering(NEW)
    renewed(here, old)
    (sent,) = [parse_qs(one.request.body.decode()) for one in here.effects if isinstance(one, Send)]

    assert (tuple(sent["resource"]), sent["audience"]) == (resource, ["api"])


# ID tokens


@pytest.mark.parametrize("verify", [True, False])
def test_refreshed_id_token_is_checked_and_kept(signer: Signer, verify: bool) -> None:
    """OpenID Connect Core §12.2; it has no nonce, and its keys are fetched only to verify."""
    here = world(signer=signer)
    old = signed_in(here, OPENID, verify=verify)
    here = later(here)

    new = renewed(here, old, verify=verify)

    assert here.steps() == (("refresh request", "key set request") if verify else ("refresh request",))
    assert new.tokens.id_token is not None
    assert new.tokens.id_token.signature == ("verified" if verify else "not verified")
    assert new.tokens.id_token.claims["iat"] == LATER
    assert new.tokens.account == "demo@example.com"


@pytest.mark.parametrize("trouble", [TransportError("cut"), plain(503), HttpResponse(200, JSON, b"[]")])
def test_keys_that_cannot_be_had_cost_no_token(signer: Signer, trouble: HttpResponse | Exception) -> None:
    """OpenID Connect Core §3.1.3.7 (6): TLS from the token endpoint can stand in for the signature."""
    here = world(signer=signer)
    old = signed_in(here, OPENID, verify=True)
    here = replace(later(here), disturb=at("/jwks", trouble))

    new = renewed(here, old, verify=True)

    assert here.server.active(new.tokens.refresh_token or "", LATER)
    assert new.tokens.id_token is not None
    assert new.tokens.id_token.signature == "not verified"
    assert [warning.split(",")[0] for warning in here.warnings()] == [
        "The server's keys could not be fetched"
    ]


def test_key_that_is_not_published_costs_no_token(signer: Signer) -> None:
    """The tokens are good; only the newer ID token cannot be believed."""
    here = world(signer=signer)
    old = signed_in(here, OPENID, verify=True)
    here = replace(later(here), disturb=at("/jwks", HttpResponse(200, JSON, b'{"keys": []}')))

    new = renewed(here, old, verify=True)

    assert here.server.active(new.tokens.refresh_token or "", LATER)
    assert new.tokens.id_token == old.tokens.id_token
    assert len(here.warnings()) == 1


def test_keys_are_not_fetched_where_no_id_token_can_come(signer: Signer) -> None:
    """Each request is a wait for the person."""
    here = world(signer=signer)
    old = signed_in(here)
    here = later(here)

    renewed(here, old, verify=True)

    assert here.steps() == ("refresh request",)


def id_token(header: object = None, **changes: object) -> str:
    """Write a refreshed ID token for the demo account."""
    claims = {
        "iss": ISSUER,
        "sub": "demo-1",
        "aud": CLIENT.client_id,
        "iat": LATER,
        "exp": LATER + 60,
    } | changes
    parts = (json.dumps(part).encode() for part in (header or {"alg": "RS256"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "AAAA"])


@pytest.mark.parametrize(
    "raw",
    [
        7,
        ["a", "b"],
        {"a": 1},
        True,
        "no token",
        "a.b.c",
        id_token(aud="another-client"),
        id_token(aud=[]),
        id_token(aud=["another-client", "one-more"]),
        id_token(nonce="another"),
        id_token(exp=NOW),
        id_token(exp="soon"),
        id_token(iat=LATER + 600),
        id_token(nbf=LATER + 600),
        id_token(sub=7),
        id_token(sub=""),
        id_token(at_hash="AAAA"),
        id_token({"alg": "none"}),
        id_token({"alg": "HS256"}),
        id_token({"alg": "RS256", "crit": ["x"]}),
    ],
)
def test_renewed_id_token_that_is_of_no_use_costs_nothing_else(signer: Signer, raw: object) -> None:
    """OpenID Connect Core §12.2: the answer need not have one, so that the tokens are as good without."""
    old = signed_in(world(signer=signer), OPENID)
    here = answering(NEW | {"refresh_token": "rotated", "id_token": raw})

    new = renewed(here, old)

    assert (new.tokens.access_token, new.tokens.refresh_token) == ("new-access-token", "rotated")
    assert (new.tokens.id_token, new.tokens.account) == (old.tokens.id_token, old.tokens.account)
    assert len([one for one in here.warnings() if "ID token" in one]) == 1


@pytest.mark.parametrize("raw", ["", None])
def test_empty_id_token_is_none(signer: Signer, raw: object) -> None:
    """Some servers send the member always."""
    old = signed_in(world(signer=signer), OPENID)
    here = answering(NEW | {"id_token": raw})

    assert renewed(here, old).tokens.id_token == old.tokens.id_token
    assert here.warnings() == ()


@pytest.mark.parametrize("changes", [{"sub": "demo-2"}, {"iss": "https://other.example"}])
def test_renewed_id_token_of_another_person_is_refused_after_keeping(
    signer: Signer, changes: dict[str, object]
) -> None:
    """OpenID Connect Core §12.2: same issuer and subject; the refresh token is not to be lost for it."""
    old = signed_in(world(signer=signer), OPENID)
    client = client_of(old, None)
    assert renewed(answering(NEW | {"id_token": id_token()}), old).tokens.id_token != old.tokens.id_token
    here = answering(NEW | {"refresh_token": "rotated", "id_token": id_token(**changes)})

    renewal = here.run(refresh(client, old))
    with pytest.raises(MalformedResponse, match=next(iter(changes))):
        here.run(identified(client, renewal))

    assert renewal.sign_in.tokens.refresh_token == "rotated"
    assert not withheld(renewal.sign_in).tokens.alive(LATER)


def test_old_id_token_stays_where_no_new_one_comes(signer: Signer) -> None:
    """OpenID Connect Core §12.2: the response might not contain one."""
    old = signed_in(world(signer=signer), OPENID)

    assert renewed(answering(NEW), old).tokens.id_token == old.tokens.id_token


def test_id_token_that_was_never_asked_for_is_ignored() -> None:
    """There is no first one that it could be compared with."""
    old = signed_in(world())

    assert renewed(answering(NEW | {"id_token": id_token(sub="x")}), old).tokens.id_token is None


def test_exception_for_the_issuer_outlives_the_sign_in(signer: Signer) -> None:
    """What was accepted once as the issuer of this person's tokens is what is expected again."""
    other = "https://sts.example/tenant"
    old = signed_in(world(signer=signer), OPENID)
    assert old.tokens.id_token is not None
    claims = dict(old.tokens.id_token.claims) | {"iss": other}
    old = replace(old, tokens=replace(old.tokens, id_token=replace(old.tokens.id_token, claims=claims)))

    assert renewed(answering(NEW | {"id_token": id_token(iss=other)}), old).tokens.id_token
    with pytest.raises(MalformedResponse, match="iss"):
        renewed(answering(NEW | {"id_token": id_token()}), old)


# Revocation


def test_both_tokens_are_revoked_the_refresh_token_first() -> None:
    """RFC 7009 §2.1: it should take its access tokens along, but need not."""
    here = world()
    old = signed_in(here)
    here = replace(here, effects=[])

    assert here.run(revoke(client_of(old, None), old)) is True

    assert [(form["token"], form["token_type_hint"]) for form in forms(here)] == [
        (old.tokens.refresh_token, "refresh_token"),
        (old.tokens.access_token, "access_token"),
    ]
    assert not here.server.active(old.tokens.refresh_token or "", NOW)
    assert not here.server.active(old.tokens.access_token, NOW)


@pytest.mark.parametrize("failing", ["refresh_token", "access_token"])
@pytest.mark.parametrize("trouble", [TransportError("cut"), plain(503)])
def test_second_token_is_revoked_though_one_fails(failing: str, trouble: HttpResponse | Exception) -> None:
    """Half a log-out is better than none, and the trouble is told afterwards."""
    here = world()
    old = signed_in(here)

    def disturb(request: HttpRequest) -> HttpResponse | None:
        if failing not in parse_qs(request.body.decode()).get("token_type_hint", []):
            return None
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    here = replace(here, effects=[], disturb=disturb)
    with pytest.raises(TransportError):
        here.run(revoke(client_of(old, None), old))

    assert story(here) == ["revocation request", "revocation request"]
    other = old.tokens.access_token if failing == "refresh_token" else old.tokens.refresh_token
    assert not here.server.active(other or "", NOW)


def test_first_trouble_or_the_second_is_raised() -> None:
    """One of them is enough to know that something is left."""
    here = world()
    old = signed_in(here)
    here = replace(here, effects=[])

    with pytest.raises(RevocationError, match="invalid_client"):
        here.run(revoke(replace(client_of(old, None), client_id="unknown"), old))

    assert len(here.effects) == 2


def test_access_token_alone_is_revoked() -> None:
    """Not everybody has a refresh token."""
    here = world()
    old = signed_in(here)
    old = replace(old, tokens=replace(old.tokens, refresh_token=None))
    here = replace(here, effects=[])

    assert here.run(revoke(client_of(old, None), old)) is True
    assert [form["token_type_hint"] for form in forms(here)] == ["access_token"]


def refusing(hint: str, error: str) -> Disturb:
    """Refuse to revoke one kind of token."""

    def disturb(request: HttpRequest) -> HttpResponse | None:
        if hint not in parse_qs(request.body.decode()).get("token_type_hint", []):
            return None
        return HttpResponse(400, JSON, json.dumps({"error": error}).encode())

    return disturb


@pytest.mark.parametrize(("error", "notes"), [("invalid_token", 0), ("unsupported_token_type", 1)])
def test_access_token_ends_with_its_refresh_token_or_by_itself(error: str, notes: int) -> None:
    """RFC 7009 §2.1, §2.2: Google's is dead by then, and Cognito revokes refresh tokens only."""
    here = world()
    old = signed_in(here)
    here = replace(here, effects=[], disturb=refusing("access_token", error))

    assert here.run(revoke(client_of(old, None), old)) is True
    assert len(here.warnings()) == notes


@pytest.mark.parametrize(("refused", "kept"), [("refresh_token", True), ("access_token", False)])
def test_kind_of_token_that_is_not_revoked_is_told_where_it_lives_on(refused: str, kept: bool) -> None:
    """Nothing has ended it."""
    here = world()
    old = signed_in(here)
    old = replace(old, tokens=replace(old.tokens, refresh_token=old.tokens.refresh_token if kept else None))
    here = replace(here, disturb=refusing(refused, "unsupported_token_type"))

    with pytest.raises(RevocationError, match="unsupported_token_type"):
        here.run(revoke(client_of(old, None), old))


@pytest.mark.parametrize("revoke_url", ["", f"{ISSUER}/vendor"])
def test_without_any_token_there_is_nothing_to_revoke(revoke_url: str) -> None:
    """RFC 7009 §2.1 wants a token; `response_type=id_token` has brought none."""
    here = world()
    old = signed_in(here)
    old = replace(old, tokens=replace(old.tokens, access_token="", refresh_token=None), revoke_url=revoke_url)
    here = replace(here, effects=[])

    assert here.run(revoke(client_of(old, None), old)) is True
    assert here.effects == []


def test_vendor_revokes_tokens_of_every_flow() -> None:
    """Netlify's call takes what came by a redirect as well as by a ticket."""
    here = world()
    contract = demo_contract("netlify", ISSUER, binding=False)
    client = replace(CLIENT, provider=replace(PROVIDER, ticket=contract))
    plain_client = signed_in(here, client)
    assert plain_client.revoke_url == ""  # The server has an endpoint of RFC 7009.
    known = replace(plain_client.metadata, revocation_endpoint=None)
    by_code = tokens_kept(client, known, plain_client.tokens, client_auth="none")

    assert (by_code.revoke_method, by_code.revoke_url) == (
        "DELETE",
        f"{ISSUER}/netlify/api/v1/access_tokens/revoke",
    )


def test_server_without_revocation_is_asked_nothing() -> None:
    """The caller can tell that the tokens still live there."""
    here = world()
    old = signed_in(here)
    old = replace(old, metadata=replace(old.metadata, revocation_endpoint=None, discovered=False))
    here = replace(here, effects=[])

    assert here.run(revoke(client_of(old, None), old)) is False
    assert here.effects == []


def test_client_is_rebuilt_from_what_was_kept() -> None:
    """A kept sign-in outlives the configuration that made it."""
    old = signed_in(world())

    client = client_of(old, "secret")

    assert (client.client_id, client.client_secret, client.scope) == (
        old.client_id,
        "secret",
        "profile email",
    )
    assert (client.provider.name, client.provider.metadata) == (PROVIDER.name, old.metadata)
    assert client.provider.client_auth == old.client_auth


def test_a_renewal_knows_the_quirks_of_the_sign_in() -> None:
    """It has no other setting, and has to speak to the server as the sign-in did."""
    quirks = Quirks(dead_refresh_errors=("bad_refresh_token",))
    old = signed_in(world(), replace(CLIENT, provider=replace(PROVIDER, quirks=quirks)))

    assert client_of(old, None).provider.quirks == quirks


def test_revocation_is_looked_for_where_openid_metadata_cannot_have_it() -> None:
    """It is RFC 8414 §2 that knows a revocation endpoint; the document of OpenID Connect was read first."""
    here = world()
    old = signed_in(here)
    old = replace(old, metadata=replace(old.metadata, revocation_endpoint=None))
    here = replace(later(here), now=NOW + 60)

    assert here.run(revoke(client_of(old, None), old)) is True
    assert not here.server.active(old.tokens.access_token, NOW + 60)
    assert not here.server.active(old.tokens.refresh_token or "", NOW + 60)
