"""Sign-ins whose tokens are bound to a key: which requests have a proof, and what counts as bound."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Literal, TypedDict, Unpack
from urllib.parse import parse_qsl, urlsplit

import pytest
from dpop_samples import KEY, OTHER_KEY, Proof, digest, proof_of
from flow_world import ATTEMPT, CLIENT, ISSUER, PROVIDER, Disturb, at, world

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.features import Features
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.effects import Browse, Send
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    MalformedResponse,
    SignInRequired,
    TokenError,
)
from loopback_auth.flows.code import authorization_code
from loopback_auth.flows.device import device_code
from loopback_auth.flows.implicit import implicit
from loopback_auth.flows.refresh import client_of, refresh, refreshed
from loopback_auth.flows.reuse import why_foreign, why_not_reusable
from loopback_auth.flows.revocation import revoke
from loopback_auth.flows.sending import prover_of, send
from loopback_auth.flows.ticket import ticket
from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.dpop import thumbprint
from loopback_auth.tokens import SignIn

BOUND = replace(CLIENT, dpop=True)
ATTEMPT_WITH_KEY = replace(ATTEMPT, dpop_key=KEY)


class Wanted(TypedDict, total=False):
    """What the server is to do."""

    dpop: Literal["off", "offered", "required"]
    server_nonces: bool
    resource_nonces: bool


PROVEN = {"/par": "POST", "/token": "POST", "/userinfo": "GET"}


@dataclass
class Watch:
    """Sees every proof on its way to the demo server, which has another clock if that is wanted.

    Args:
        ahead: seconds by which the clock of the server is ahead of ours.
        disturb: answers in place of the server.
        proofs: of the requests that have to have one, by path.
    """

    ahead: float = 0.0
    disturb: Disturb = lambda request: None
    proofs: list[tuple[str, Proof | None]] = field(default_factory=list[tuple[str, Proof | None]])
    here: MemoryWorld | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse | None:
        """Answer in place of the server; None: the server answers."""
        path = urlsplit(request.url).path
        if path in PROVEN:
            self.proofs.append((path, proof_of(request)))
        if (answer := self.disturb(request)) is not None or not self.ahead:
            return answer
        assert self.here is not None
        now = self.here.now + self.ahead
        answer = self.here.server.handle(request, now)
        return replace(answer, headers=(*answer.headers, ("Date", formatdate(now, usegmt=True))))

    def tries(self, path: str) -> list[object]:
        """Return the nonces of the proofs that went to a path."""
        seen = [proof for where, proof in self.proofs if where == path]
        return [None if proof is None else proof.claims.get("nonce") for proof in seen]


def bound_world(
    watch: Watch | None = None, faults: Faults | None = None, **features: Unpack[Wanted]
) -> MemoryWorld:
    """Make a world whose server binds tokens."""
    watch = watch or Watch()
    watch.here = world(faults, disturb=watch, features=Features(**features))
    return watch.here


def signed_in(here: MemoryWorld, client: ClientConfig = BOUND) -> SignIn:
    """Run the whole sign-in with a key."""
    return here.run(authorization_code(client, ATTEMPT_WITH_KEY))


def test_the_tokens_and_their_key_are_kept_together() -> None:
    """Without the key the token is of no use."""
    kept = signed_in(bound_world())

    assert (kept.tokens.token_type, dict(kept.dpop_key)) == ("DPoP", KEY)
    assert SignIn.from_json(kept.to_json()) == kept


def test_rfc9449_5_and_10_1_every_request_to_the_server_has_a_proof() -> None:
    """Each with method and target of its request, and with the hash of the token where one is sent."""
    watch = Watch()
    kept = signed_in(bound_world(watch), replace(BOUND, push=True))

    claims = {path: proof.claims for path, proof in watch.proofs if proof is not None}
    assert {path: (one["htm"], one["htu"]) for path, one in claims.items()} == {
        path: (method, ISSUER + path) for path, method in PROVEN.items()
    }
    assert {path: one.get("ath") for path, one in claims.items()} == {
        "/par": None,
        "/token": None,
        "/userinfo": digest(kept.tokens.access_token),
    }
    assert len({one["jti"] for one in claims.values()}) == len(PROVEN)


@pytest.mark.parametrize("push", [False, True])
def test_rfc9449_10_the_authorization_request_names_the_key(push: bool) -> None:
    """A code that is stolen on its way is of no use without the key."""
    here = bound_world()
    signed_in(here, replace(BOUND, push=push))

    asked = [urlsplit(each.url).query for each in here.effects if isinstance(each, Browse)]
    pushed = [each.request.body.decode() for each in here.effects if isinstance(each, Send)]
    [found] = [dict(parse_qsl(text)) for text in (pushed if push else asked) if "dpop_jkt" in text]
    assert found["dpop_jkt"] == thumbprint(KEY)
    assert KEY["d"] not in " ".join((*asked, *pushed))


def test_rfc9449_8_a_nonce_of_the_server_is_used_for_what_follows() -> None:
    """One more request for all of the sign-in, not one for each step."""
    watch = Watch()
    signed_in(bound_world(watch, server_nonces=True), replace(BOUND, push=True))

    assert [path for path, _ in watch.proofs] == ["/par", "/par", "/token", "/userinfo"]
    assert watch.tries("/par")[0] is None
    assert watch.tries("/par")[1:] == watch.tries("/token") != [None]


def test_rfc9449_9_the_userinfo_endpoint_has_a_nonce_of_its_own() -> None:
    """It is a protected resource, at the same origin here."""
    watch = Watch()
    kept = signed_in(bound_world(watch, server_nonces=True, resource_nonces=True))

    assert [path for path, _ in watch.proofs] == ["/token", "/token", "/userinfo", "/userinfo"]
    assert kept.account


def test_a_server_whose_nonce_changes_each_time_is_not_asked_for_ever() -> None:
    """Its own error reaches the person."""
    watch = Watch()
    with pytest.raises(TokenError) as caught:
        signed_in(bound_world(watch, Faults(nonce_changes=True), server_nonces=True))

    assert (caught.value.error, caught.value.parameter) == ("use_dpop_nonce", "dpop")
    assert len(watch.proofs) == 2


def test_a_wrong_clock_here_is_no_reason_to_fail() -> None:
    """The proof is refused once, and then has the time of the server."""
    watch = Watch(ahead=-3600.0)
    kept = signed_in(bound_world(watch))

    assert len(watch.tries("/token")) == 2
    assert kept.tokens.token_type == "DPoP"


def test_a_wrong_clock_and_a_nonce() -> None:
    """The server looks at the nonce first."""
    watch = Watch(ahead=-3600.0)
    signed_in(bound_world(watch, server_nonces=True))

    assert len(watch.tries("/token")) == 3


def test_rfc9449_5_a_bearer_token_must_be_discarded_where_binding_is_demanded() -> None:
    """The person was promised a token that cannot be stolen."""
    with pytest.raises(MalformedResponse) as caught:
        signed_in(bound_world(faults=Faults(wrong_token_type=True)))

    assert caught.value.parameter == "dpop"


@pytest.mark.parametrize("demanded", [True, None])
def test_a_server_that_does_not_know_dpop(demanded: bool | None) -> None:
    """It is refused where binding is demanded; elsewhere nothing is lost, and no token looks bound."""
    here, client = bound_world(dpop="off"), replace(CLIENT, dpop=demanded)
    if demanded:
        with pytest.raises(MalformedResponse):
            signed_in(here, client)
    else:
        kept = signed_in(here, client)
        assert (kept.tokens.token_type, dict(kept.dpop_key)) == ("Bearer", {})
    assert [text for text in here.warnings() if "DPoP" in text]


def test_a_bound_token_that_was_not_asked_for_is_refused() -> None:
    """There is no key to use it with (RFC 6749 §7.1)."""

    def bound(request: HttpRequest) -> HttpResponse | None:
        if not request.url.endswith("/token"):
            return None
        members = {"access_token": "t", "token_type": "DPoP"}
        return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(members).encode())

    here = bound_world(Watch(disturb=bound))
    with pytest.raises(MalformedResponse):
        here.run(authorization_code(CLIENT, ATTEMPT))


def test_a_server_that_demands_a_proof_says_so() -> None:
    """The hint names what to switch on."""
    here = bound_world(dpop="required")
    with pytest.raises(TokenError) as caught:
        here.run(authorization_code(CLIENT, ATTEMPT))

    assert (caught.value.error, caught.value.parameter) == ("invalid_dpop_proof", "dpop")


def test_rfc9449_5_1_a_server_without_our_algorithm_ends_it_before_the_person_is_asked() -> None:
    """Every proof would be refused."""

    def others(request: HttpRequest) -> HttpResponse | None:
        answer = here.server.handle(request, here.now)
        if "/.well-known/" not in request.url or answer.status != 200:
            return answer
        members = {**json.loads(answer.body), "dpop_signing_alg_values_supported": ["RS256"]}
        return replace(answer, body=json.dumps(members).encode())

    here = bound_world(Watch(disturb=others))
    with pytest.raises(ConfigError) as caught:
        signed_in(here)

    assert caught.value.parameter == "dpop"
    assert not [each for each in here.effects if isinstance(each, Browse)]


def test_without_binding_nothing_has_a_proof() -> None:
    """The client has switched it off, although there is a key."""
    watch = Watch()
    here = bound_world(watch)
    signed_in(here, replace(CLIENT, dpop=False))

    assert [proof for _, proof in watch.proofs] == [None, None]
    assert not [each for each in here.effects if isinstance(each, Browse) and "dpop_jkt" in each.url]


def test_an_attempt_without_a_key_ends_before_the_person_is_asked() -> None:
    """A flow by itself has no chance: what begins it makes the key."""
    here = bound_world()
    with pytest.raises(ConfigError):
        here.run(authorization_code(BOUND, ATTEMPT))

    assert not [each for each in here.effects if isinstance(each, Browse)]


def test_a_device_code_is_exchanged_with_proofs() -> None:
    """Each poll has one of its own, with the nonce once it is known."""
    watch = Watch()
    here = replace(bound_world(watch, server_nonces=True), thinking=12.0)
    watch.here = here
    kept = here.run(device_code(BOUND, KEY))

    polls = [proof for path, proof in watch.proofs if path == "/token" and proof is not None]
    assert (kept.tokens.token_type, dict(kept.dpop_key)) == ("DPoP", KEY)
    assert len({proof.claims["jti"] for proof in polls}) == len(polls) > 2
    assert [nonce is None for nonce in watch.tries("/token")] == [True] + [False] * (len(polls) - 1)


def test_what_is_signed_in_a_request_has_another_identifier_than_its_proof() -> None:
    """oidc-provider remembers those of assertions and proofs together, and takes each once."""
    refusal = HttpResponse(400, (("DPoP-Nonce", "n"),), b'{"error": "use_dpop_nonce"}')
    watch, identifiers = Watch(disturb=at("/token", refusal)), list[object]()

    def made(stamp: Stamp) -> HttpRequest:
        identifiers.append(stamp.unique)
        return HttpRequest("POST", f"{ISSUER}/token")

    bound_world(watch).run(send(made, "token request", prover_of(KEY)))

    identifiers += [proof.claims["jti"] for _, proof in watch.proofs if proof is not None]
    assert len(identifiers) == len(set(identifiers)) == 4


def test_a_ticket_cannot_be_bound() -> None:
    """Another flow of the same sign-in may go on."""
    provider = replace(PROVIDER, ticket=demo_contract("netlify", ISSUER))
    here = bound_world()
    with pytest.raises(EndpointMissing) as caught:
        here.run(ticket(replace(BOUND, provider=provider), ATTEMPT_WITH_KEY))

    assert caught.value.parameter == "flow dpop"
    assert not here.effects


def test_a_token_from_the_browser_cannot_be_bound() -> None:
    """RFC 9449 binds what the token endpoint issues; an ID token alone needs no binding."""
    here = bound_world()
    with pytest.raises(ConfigError) as caught:
        here.run(implicit(replace(BOUND, response_type="token"), ATTEMPT_WITH_KEY))

    assert caught.value.parameter == "flow dpop"
    assert not here.effects


def test_rfc9449_5_a_renewal_proves_with_the_same_key() -> None:
    """The refresh token of a public client is bound to it."""
    watch = Watch()
    here = bound_world(watch, server_nonces=True)
    kept = signed_in(here)
    watch.proofs.clear()

    renewed = here.run(refresh(client_of(kept, None), kept)).sign_in

    keys = [proof.header["jwk"] for _, proof in watch.proofs if proof is not None]
    assert keys == [{name: KEY[name] for name in ("crv", "kty", "x", "y")}] * 2
    assert (renewed.tokens.token_type, dict(renewed.dpop_key)) == ("DPoP", KEY)


def test_a_renewal_with_another_key_does_not_end_the_sign_in() -> None:
    """The proof is refused and not the refresh token, which stays valid."""
    here = bound_world()
    kept = signed_in(here)

    with pytest.raises((TokenError, SignInRequired)):
        here.run(refresh(client_of(kept, None), replace(kept, dpop_key=OTHER_KEY)))
    assert here.run(refresh(client_of(kept, None), kept)).trouble is None


@pytest.mark.parametrize("error", ["use_dpop_nonce", "invalid_dpop_proof"])
def test_a_refused_proof_is_no_reason_to_sign_in_again(error: str) -> None:
    """What the server dislikes is the proof: the refresh token is as good as before."""
    kept = signed_in(bound_world())
    refusal = HttpResponse(400, (("Content-Type", "application/json"),), b'{"error": "%s"}' % error.encode())
    here = bound_world(Watch(disturb=lambda request: refusal))

    with pytest.raises(TokenError) as caught:
        here.run(refresh(client_of(kept, None), kept))
    assert (caught.value.error, caught.value.parameter) == (error, "dpop")


def test_a_renewal_that_brings_a_bearer_token_keeps_the_refresh_token() -> None:
    """The old one is used up by then; the access token is never handed out."""
    kept = signed_in(bound_world())
    members = {"access_token": "t", "token_type": "Bearer", "refresh_token": "the next one"}
    answer = HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(members).encode())
    here = bound_world(Watch(disturb=lambda request: answer))

    renewal = here.run(refresh(client_of(kept, None), kept))

    assert isinstance(renewal.trouble, MalformedResponse)
    assert renewal.sign_in.tokens.refresh_token == "the next one"
    assert renewal.sign_in.tokens.access_token == kept.tokens.access_token


def test_a_refresh_token_from_elsewhere_has_no_key() -> None:
    """A server would refuse it, and a new key would not help."""
    here = bound_world()
    with pytest.raises(ConfigError) as caught:
        here.run(refreshed(BOUND, "a-refresh-token"))

    assert caught.value.parameter == "dpop"
    assert not here.effects


def test_giving_up_bound_tokens() -> None:
    """RFC 7009 authenticates the client, and asks for no proof; a renewal afterwards is refused."""
    here = bound_world(server_nonces=True)
    kept = signed_in(here)

    assert here.run(revoke(client_of(kept, None), kept))
    with pytest.raises(SignInRequired):
        here.run(refresh(client_of(kept, None), kept))


def test_the_revocation_request_of_a_vendor_has_a_proof() -> None:
    """The token itself authorizes it, which is of no use without its key (RFC 9449 §7.1)."""
    kept = replace(signed_in(bound_world()), revoke_method="POST", revoke_url=f"{ISSUER}/vendor/revoke")
    sent: list[HttpRequest] = []

    def vendor(request: HttpRequest) -> HttpResponse:
        sent.append(request)
        return HttpResponse(204)

    assert bound_world(Watch(disturb=vendor)).run(revoke(client_of(kept, None), kept))

    [request] = sent
    proof = proof_of(request)
    assert request.header("authorization") == f"DPoP {kept.tokens.access_token}"
    assert proof is not None
    assert proof.claims["ath"] == digest(kept.tokens.access_token)


@pytest.mark.parametrize(
    ("dpop", "kind", "why"),
    [
        (None, "DPoP", False),
        (None, "Bearer", False),
        (True, "DPoP", False),
        (True, "Bearer", True),
        (False, "DPoP", True),
        (False, "Bearer", False),
    ],
)
def test_a_kept_sign_in_is_bound_as_the_client_demands(dpop: bool | None, kind: str, why: bool) -> None:
    """Otherwise the user signs in again."""
    kept = signed_in(bound_world(), BOUND if kind == "DPoP" else CLIENT)

    assert kept.tokens.token_type == kind or kind == "Bearer"
    kept = replace(kept, tokens=replace(kept.tokens, token_type=kind))
    assert bool(why_not_reusable(kept, replace(CLIENT, dpop=dpop))) == why
    assert why_foreign(kept, replace(CLIENT, dpop=dpop)) == ""
