"""Sign-ins of clients with a key: what is signed, how often, and what is believed."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
from client_key_samples import EC, EC_JWK, public_half, verified
from dpop_samples import KEY, proof_of
from flow_world import ATTEMPT, CLIENT, ISSUER, Entropy, at

from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.features import Features
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.effects import Browse, Now, Receive, Send
from loopback_auth.errors import AuthorizationError, ConfigError, MalformedResponse, TokenError
from loopback_auth.flows.catalog import FlowOptions, flow_named
from loopback_auth.flows.code import authorization_code
from loopback_auth.flows.device import device_code
from loopback_auth.flows.implicit import implicit
from loopback_auth.flows.refresh import client_of, refresh
from loopback_auth.flows.revocation import revoke
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ResponseMode
from loopback_auth.tokens import SignIn

REDIRECTS = ("http://127.0.0.1/callback",)
JWKS: dict[str, object] = {"keys": [{**public_half(EC), "kid": "16"}]}
AT_THE_SERVER = (
    DemoClient("with-key", None, REDIRECTS, client_auth="private_key_jwt", jwks=JWKS),
    DemoClient("signs", None, REDIRECTS, jwks=JWKS),
)
KEY_CLIENT = ClientConfig(
    replace(CLIENT.provider, client_auth="private_key_jwt"),
    "with-key",
    scope="profile email",
    private_key=EC_JWK,
)
SIGNING = replace(
    CLIENT,
    provider=replace(CLIENT.provider, client_auth="none"),
    client_id="signs",
    private_key=EC_JWK,
    signed_request=True,
)


@pytest.fixture(scope="module")
def signer() -> Signer:
    """The server's key."""
    made = rsa_signer()
    assert made is not None
    return made


def world(signer: Signer, features: Features | None = None) -> MemoryWorld:
    """Begin with a fresh server that knows these clients."""
    server = DemoServer(ISSUER, entropy=Entropy(), signer=signer, clients=AT_THE_SERVER, features=features)
    return MemoryWorld(server)


def requests(here: MemoryWorld) -> list[HttpRequest]:
    """Return what the flow has sent."""
    return [effect.request for effect in here.effects if isinstance(effect, Send)]


def identifiers(here: MemoryWorld) -> list[object]:
    """Return the identifier of everything that was signed by the client, in order."""
    found: list[object] = []
    for request in requests(here):
        form = dict(parse_qsl(request.body.decode("ascii")))
        if "client_assertion" in form:
            found.append(verified(form["client_assertion"], EC)[1]["jti"])
        if (proof := proof_of(request)) is not None:
            found.append(proof.claims["jti"])
    return found


def test_rfc7523_3_7_each_request_has_an_assertion_of_its_own(signer: Signer) -> None:
    """Pushed request, code, refresh and revocation, each at the time when it is sent."""
    here = world(signer)
    pushing = replace(KEY_CLIENT, push=True)
    kept = here.run(authorization_code(pushing, ATTEMPT))
    renewed = here.run(refresh(client_of(kept, private_key=EC_JWK), kept)).sign_in
    here.run(revoke(client_of(renewed, private_key=EC_JWK), renewed))

    assert kept.client_auth == "private_key_jwt"
    assert len(identifiers(here)) == len(set(identifiers(here))) == 5
    assert here.steps().count("revocation request") == 2


def test_rfc7523_3_7_each_poll_has_an_assertion_of_its_own(signer: Signer) -> None:
    """A device code is polled for ten minutes, and an assertion lasts for one."""
    here = world(signer)
    here.thinking = 120.0
    here.run(device_code(KEY_CLIENT))
    polls = here.steps().count("device token request")

    assert polls > 3
    assert len(identifiers(here)) == len(set(identifiers(here))) == polls + 1


def test_no_identifier_is_used_twice_when_a_proof_is_refused(signer: Signer) -> None:
    """oidc-provider remembers those of assertions and proofs in one list (RFC 7523 §3, RFC 9449 §11.1)."""
    here = world(signer, Features(server_nonces=True, resource_nonces=True))
    attempt = replace(ATTEMPT, dpop_key=KEY)
    here.run(authorization_code(replace(KEY_CLIENT, push=True, dpop=True), attempt))

    assert here.steps().count("pushed authorization request") == 2
    assert len(identifiers(here)) == len(set(identifiers(here))) > 4


@pytest.mark.parametrize("ahead", [-1800.0, -300.0, 300.0, 1800.0])
def test_rfc7523_3_4_refusal_for_a_wrong_clock_is_answered_by_the_clock_of_the_server(
    signer: Signer, ahead: float
) -> None:
    """The clock of a laptop is wrong now and then, and the refresh token is still good."""
    here = world(signer)
    kept = here.run(authorization_code(KEY_CLIENT, ATTEMPT))

    def other_clock(request: HttpRequest) -> HttpResponse:
        now = here.now + ahead
        answer = here.server.handle(request, now)
        return replace(answer, headers=(*answer.headers, ("Date", formatdate(now, usegmt=True))))

    here.disturb = other_clock
    renewed = here.run(refresh(client_of(kept, private_key=EC_JWK), kept)).sign_in

    assert renewed.tokens.access_token != kept.tokens.access_token
    assert here.steps().count("refresh request") == 2
    assert len(set(identifiers(here))) == 3


@pytest.mark.parametrize("date", ["", "yesterday", formatdate(1_700_000_001.0, usegmt=True)])
def test_refusal_for_another_reason_is_not_answered(signer: Signer, date: str) -> None:
    """A server that does not know the client is asked once."""
    here = world(signer)
    refused = b'{"error": "invalid_client"}'
    headers = (("Content-Type", "application/json"), ("Date", date))
    here.disturb = at("/token", HttpResponse(401, headers, refused), 9)
    with pytest.raises(TokenError):
        here.run(authorization_code(KEY_CLIENT, ATTEMPT))

    assert here.steps().count("token request") == 1


def test_clock_that_runs_away_is_followed_once(signer: Signer) -> None:
    """Never a loop."""
    here = world(signer)
    headers = (("Content-Type", "application/json"), ("Date", formatdate(1_900_000_000.0, usegmt=True)))
    here.disturb = at("/token", HttpResponse(401, headers, b'{"error": "invalid_client"}'), 9)
    with pytest.raises(TokenError):
        here.run(authorization_code(KEY_CLIENT, ATTEMPT))

    assert here.steps().count("token request") == 2


def test_renewal_without_the_key_is_refused_before_the_refresh_token_is_sent(signer: Signer) -> None:
    """The refresh token stays what it is."""
    here = world(signer)
    kept = here.run(authorization_code(KEY_CLIENT, ATTEMPT))
    before = len(requests(here))
    with pytest.raises(ConfigError) as caught:
        here.run(refresh(client_of(kept), kept))

    assert caught.value.parameter == "private_key"
    assert len(requests(here)) == before


def test_key_that_the_server_does_not_know_is_refused_by_the_server(signer: Signer) -> None:
    """The error is the server's."""
    from client_key_samples import rsa_pem

    with pytest.raises(TokenError) as caught:
        world(signer).run(authorization_code(replace(KEY_CLIENT, private_key=rsa_pem()), ATTEMPT))

    assert caught.value.error == "invalid_client"


def test_clients_without_a_key_ask_for_no_stamp(signer: Signer) -> None:
    """What is kept of a sign-in in two steps stays as it was."""
    here = world(signer)
    here.run(authorization_code(CLIENT, ATTEMPT))

    assert not any(isinstance(effect, Now) for effect in here.effects)


# RFC 9101


@pytest.mark.parametrize("push", [None, True])
def test_rfc9101_5_browser_carries_the_request_object_alone(signer: Signer, push: bool | None) -> None:
    """Or, if it was pushed, the reference to it (RFC 9126 §3)."""
    here = world(signer)
    kept = here.run(authorization_code(replace(SIGNING, push=push), ATTEMPT))
    urls = [effect.url for effect in here.effects if isinstance(effect, Browse)]
    names = {name for name, _ in parse_qsl(urlsplit(urls[0]).query)}

    assert kept.tokens.access_token
    assert names == {"client_id", "request_uri" if push else "request"}


def test_rfc9101_10_5_required_request_object_is_sent_without_being_asked_for(signer: Signer) -> None:
    """`require_signed_request_object`: and it is refused here, where it cannot be."""
    here = world(signer, Features(signed_requests="required"))
    required = replace(SIGNING, signed_request=None)

    assert here.run(authorization_code(required, ATTEMPT)).tokens.access_token
    for unable in (replace(required, signed_request=False), replace(required, private_key=None)):
        again = world(signer, Features(signed_requests="required"))
        with pytest.raises(ConfigError):
            again.run(authorization_code(unable, ATTEMPT))

        assert not any(isinstance(effect, Browse) for effect in again.effects)


# JARM


def signed_in(here: MemoryWorld, mode: ResponseMode, name: str = "code") -> SignIn:
    """Sign in with a signed response."""
    client = replace(CLIENT, scope="openid email", response_mode=mode)
    return here.run(flow_named(name, client, ATTEMPT, FlowOptions(verify_signature=True)))


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
@pytest.mark.parametrize("name", ["code", "code id_token", "id_token token"])
def test_jarm_2_3_every_mode_and_response_type(
    signer: Signer, mode: Literal["jwt", "query.jwt", "form_post.jwt"], name: str
) -> None:
    """But tokens are never in a query (JARM §2.3.1)."""
    here = world(signer)
    if mode == "query.jwt" and name != "code":
        with pytest.raises(ConfigError):
            signed_in(here, mode, name)
        return
    kept = signed_in(here, mode, name)

    assert kept.tokens.id_token is not None
    assert here.steps().count("key set request") == 1
    assert here.warnings() == () or "token" in name


def test_jarm_signed_response_is_pasted_from_the_address_bar(signer: Signer) -> None:
    """The paste asks for the query, and the address bar has it."""
    here = world(signer)
    here.paste = True

    assert signed_in(here, "form_post.jwt", "paste").tokens.id_token is not None
    request = next(effect.request for effect in here.effects if isinstance(effect, Receive))
    assert request.response_mode == "query.jwt"


def test_jarm_signed_refusal(signer: Signer) -> None:
    """It is believed because it is signed."""
    here = world(signer)
    here.decision = "deny"
    with pytest.raises(AuthorizationError) as caught:
        signed_in(here, "query.jwt")

    assert caught.value.error == "access_denied"


def test_jarm_2_4_without_keys_nothing_is_believed(signer: Signer) -> None:
    """The keys are asked for once more, and the code is not sent."""
    here = world(signer)
    here.disturb = at("/jwks", HttpResponse(200, (("Content-Type", "application/json"),), b'{"keys": []}'), 9)
    with pytest.raises(MalformedResponse):
        signed_in(here, "query.jwt")

    assert "token request" not in here.steps()


def test_jarm_4_server_without_signed_responses_is_refused_before_the_person_is_asked(
    signer: Signer,
) -> None:
    """It would answer without a signature."""
    here = world(signer, Features(signed_responses=False))
    with pytest.raises(ConfigError):
        signed_in(here, "query.jwt")

    assert not any(isinstance(effect, Browse) for effect in here.effects)


def test_jarm_implicit_tokens_are_signed(signer: Signer) -> None:
    """Tokens in front are then protected by the server's signature."""
    here = world(signer)
    client = replace(CLIENT, response_type="token", response_mode="jwt")

    assert here.run(implicit(client, ATTEMPT)).tokens.access_token
