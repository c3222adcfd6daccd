"""Sign-ins whose tokens are bound to a key: which requests have a proof, and what counts as bound."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from dpop_samples import KEY, Proof, digest, proof_of
from flow_world import ATTEMPT, CLIENT, ISSUER, world

from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.effects import Browse, Send
from loopback_auth.errors import ConfigError, MalformedResponse, TokenError
from loopback_auth.flows.code import authorization_code
from loopback_auth.flows.refresh import client_of, refresh
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.dpop import thumbprint
from loopback_auth.tokens import SignIn

BOUND = replace(CLIENT, dpop=True)
ATTEMPT_WITH_KEY = replace(ATTEMPT, dpop_key=KEY)
PROVEN = {"/par": "POST", "/token": "POST", "/userinfo": "GET"}


@dataclass
class Binding:
    """What stands before the demo server and binds its tokens.

    Args:
        nonces: that it demands, one after the other; the last one for ever.
        token_type: of its tokens.
        proofs: what it has seen, by path.
    """

    nonces: tuple[str, ...] = ()
    token_type: str = "DPoP"
    proofs: list[tuple[str, Proof | None]] = field(default_factory=list[tuple[str, Proof | None]])
    server: DemoServer | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse | None:
        """Answer in place of the server; None: the server answers."""
        path = urlsplit(request.url).path
        if path not in PROVEN:
            return None
        proof = proof_of(request)
        self.proofs.append((path, proof))
        if self.nonces and proof is not None and proof.claims.get("nonce") != self.nonces[0]:
            answer = HttpResponse(400, (("DPoP-Nonce", self.nonces[0]),), b'{"error": "use_dpop_nonce"}')
            self.nonces = self.nonces[1:] or self.nonces
            return answer
        bearer = tuple(
            (name, value.replace("DPoP ", "Bearer ") if name == "Authorization" else value)
            for name, value in request.headers
        )
        assert self.server is not None
        answer = self.server.handle(replace(request, headers=bearer), 1_700_000_000.0)
        if path != "/token" or answer.status != 200:
            return answer
        members = {**json.loads(answer.body), "token_type": self.token_type}
        return replace(answer, body=json.dumps(members).encode())


def bound_world(binding: Binding) -> MemoryWorld:
    """Make a world with a server that binds tokens."""
    here = world(disturb=binding)
    binding.server = here.server
    return here


def signed_in(here: MemoryWorld, client: ClientConfig = BOUND) -> SignIn:
    """Run the whole sign-in with a key."""
    return here.run(authorization_code(client, ATTEMPT_WITH_KEY))


def test_the_tokens_and_their_key_are_kept_together() -> None:
    """Without the key the token is of no use."""
    kept = signed_in(bound_world(Binding()))

    assert (kept.tokens.token_type, dict(kept.dpop_key)) == ("DPoP", KEY)
    assert SignIn.from_json(kept.to_json()) == kept


def test_rfc9449_5_and_10_1_every_request_to_the_server_has_a_proof() -> None:
    """Each with method and target of its request, and with the hash of the token where one is sent."""
    binding = Binding()
    kept = signed_in(bound_world(binding), replace(BOUND, push=True))

    claims = {path: proof.claims for path, proof in binding.proofs if proof is not None}
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
    here = bound_world(Binding())
    signed_in(here, replace(BOUND, push=push))

    asked = [urlsplit(each.url).query for each in here.effects if isinstance(each, Browse)]
    pushed = [each.request.body.decode() for each in here.effects if isinstance(each, Send)]
    [found] = [dict(parse_qsl(text)) for text in (pushed if push else asked) if "dpop_jkt" in text]
    assert found["dpop_jkt"] == thumbprint(KEY)
    assert KEY["d"] not in " ".join((*asked, *pushed))


def test_rfc9449_8_a_nonce_of_the_token_endpoint_is_used_for_what_follows() -> None:
    """One more request for all of the sign-in, not one for each step."""
    binding = Binding(nonces=("one",))
    signed_in(bound_world(binding), replace(BOUND, push=True))

    assert [path for path, _ in binding.proofs] == ["/par", "/par", "/token", "/userinfo"]


def test_a_server_whose_nonce_changes_each_time_is_not_asked_for_ever() -> None:
    """Its own error reaches the person."""
    binding = Binding(nonces=tuple(f"nonce-{number}" for number in range(9)))
    with pytest.raises(TokenError) as caught:
        signed_in(bound_world(binding))

    assert caught.value.error == "use_dpop_nonce"
    assert len(binding.proofs) == 2


def test_rfc9449_5_a_bearer_token_must_be_discarded_where_binding_is_demanded() -> None:
    """The person was promised a token that cannot be stolen."""
    with pytest.raises(MalformedResponse) as caught:
        signed_in(bound_world(Binding(token_type="Bearer")))

    assert caught.value.parameter == "dpop"


def test_a_bearer_token_is_taken_where_binding_is_not_demanded() -> None:
    """Nothing is lost, and nothing is kept that would make the token look bound."""
    kept = signed_in(bound_world(Binding(token_type="bearer")), CLIENT)

    assert (kept.tokens.token_type, dict(kept.dpop_key)) == ("Bearer", {})


def test_a_bound_token_that_was_not_asked_for_is_refused() -> None:
    """There is no key to use it with (RFC 6749 §7.1)."""
    here = bound_world(Binding())
    with pytest.raises(MalformedResponse):
        here.run(authorization_code(CLIENT, ATTEMPT))


def test_without_binding_nothing_has_a_proof() -> None:
    """The client has switched it off, although there is a key."""
    binding = Binding(token_type="Bearer")
    here = bound_world(binding)
    signed_in(here, replace(CLIENT, dpop=False))

    assert [proof for _, proof in binding.proofs] == [None, None]
    assert not [each for each in here.effects if isinstance(each, Browse) and "dpop_jkt" in each.url]


def test_an_attempt_without_a_key_ends_before_the_person_is_asked() -> None:
    """A flow by itself has no chance: what begins it makes the key."""
    here = bound_world(Binding())
    with pytest.raises(ConfigError):
        here.run(authorization_code(BOUND, ATTEMPT))

    assert not [each for each in here.effects if isinstance(each, Browse)]


def test_rfc9449_5_a_renewal_proves_with_the_same_key() -> None:
    """The refresh token of a public client is bound to it."""
    binding = Binding(nonces=("one",))
    here = bound_world(binding)
    kept = signed_in(here)
    binding.proofs.clear()

    renewed = here.run(refresh(client_of(kept, None), kept)).sign_in

    keys = [proof.header["jwk"] for _, proof in binding.proofs if proof is not None]
    assert keys == [{name: KEY[name] for name in ("crv", "kty", "x", "y")}] * 2
    assert (renewed.tokens.token_type, dict(renewed.dpop_key)) == ("DPoP", KEY)


def test_a_renewal_that_brings_a_bearer_token_keeps_the_refresh_token() -> None:
    """The old one is used up by then; the access token is never handed out."""
    binding = Binding()
    here = bound_world(binding)
    kept = signed_in(here)
    binding.token_type = "Bearer"

    renewal = here.run(refresh(client_of(kept, None), kept))

    assert isinstance(renewal.trouble, MalformedResponse)
    assert renewal.sign_in.tokens.refresh_token not in (None, kept.tokens.refresh_token)
