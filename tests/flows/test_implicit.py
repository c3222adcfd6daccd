"""Tokens through the browser, against a whole server in memory, and what comes of them when it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from flow_world import ATTEMPT, ISSUER, OPENID, PROVIDER, at, plain, story, world

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import AUTHORITY, MemoryWorld
from loopback_auth.effects import Browse
from loopback_auth.errors import (
    AttemptExpired,
    AuthorizationError,
    ConfigError,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    TransportError,
)
from loopback_auth.flows.catalog import FlowOptions, flow_named
from loopback_auth.flows.implicit import EXPOSED_IN_FORM, EXPOSED_IN_URL
from loopback_auth.http_messages import FORM, HttpRequest
from loopback_auth.model import ClientConfig, ResponseMode, ResponseType
from loopback_auth.protocol.response import DROPPED
from loopback_auth.tokens import SignIn

START = 1_700_000_000.0
TYPES: tuple[ResponseType, ...] = ("token", "id_token", "id_token token", "code id_token")
WITH_ID_TOKEN = TYPES[1:]


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Make the key of the server once: it takes a moment."""
    made = rsa_signer()
    assert made is not None
    return made


@dataclass(frozen=True)
class Meddling:
    """Signs something else than it was given: None leaves a claim out."""

    signer: Signer
    changes: Mapping[str, object]

    def sign(self, claims: Mapping[str, object]) -> str:
        """Sign the changed claims."""
        changed = {**claims, **self.changes}
        return self.signer.sign({name: value for name, value in changed.items() if value is not None})

    def jwks(self) -> Mapping[str, object]:
        """Publish the true keys."""
        return self.signer.jwks()


def signed_in(
    place: MemoryWorld,
    name: ResponseType = "token",
    client: ClientConfig = OPENID,
    *,
    mode: ResponseMode | None = "fragment",
    verify: bool = True,
) -> SignIn:
    """Run the whole sign-in."""
    client = replace(client, response_mode=mode)
    return place.run(flow_named(name, client, ATTEMPT, FlowOptions(verify_signature=verify)))


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("mode", ["fragment", "form_post", None])
@pytest.mark.parametrize("question_mark", [True, False])
def test_every_response_type_signs_in(
    signer: Signer, name: ResponseType, mode: ResponseMode | None, question_mark: bool
) -> None:
    """By the page that reads the fragment, or by form where the server can; Netlify's `#?` included."""
    place = world(Faults(fragment_question_mark=question_mark), signer=signer)

    sign_in = signed_in(place, name, mode=mode)

    assert sign_in.tokens.account == "demo@example.com"
    assert place.server.active(sign_in.tokens.access_token, START) is (name != "id_token")
    assert (sign_in.tokens.refresh_token is not None) is (name == "code id_token")
    assert (sign_in.tokens.id_token is not None) is (name != "token")
    if sign_in.tokens.id_token is not None:
        assert sign_in.tokens.id_token.signature == "verified"
    assert ("token request" in place.steps()) is (name == "code id_token")
    exposed = EXPOSED_IN_URL if mode == "fragment" else EXPOSED_IN_FORM
    assert place.warnings() == ((exposed,) if "token" in name.split() else ())


def test_token_alone_asks_for_no_nonce_and_no_keys(signer: Signer) -> None:
    """There is nothing that they could be good for; PKCE has nothing to protect either."""
    place = world(signer=signer)
    sign_in = signed_in(place)
    [browse] = [effect for effect in place.effects if isinstance(effect, Browse)]
    query = parse_qs(urlsplit(browse.url).query)

    assert story(place) == ["Bind", "metadata request", "Warn", "Browse", "Receive", "UserInfo request"]
    assert query.keys() == {"response_type", "client_id", "redirect_uri", "state", "scope"}
    assert sign_in.tokens.expires_at == START + 3600


def test_keys_are_fetched_while_the_person_is_away(signer: Signer) -> None:
    """And again if that failed: an ID token from the browser is worth nothing without them."""
    place = replace(world(signer=signer), disturb=at("/jwks", plain(503)))
    signed_in(place, "id_token")

    assert place.steps() == ("metadata request", "key set request", "key set request")
    for trouble in (plain(503), TransportError("cut")):
        cut = replace(world(signer=signer), disturb=at("/jwks", trouble, times=2))
        with pytest.raises(LoopbackAuthError):
            signed_in(cut, "id_token")


def test_server_without_keys_cannot_send_id_tokens_through_the_browser(signer: Signer) -> None:
    """OpenID Connect Core §3.2.2.11: a signature that nobody can check is none."""
    metadata = replace(
        PROVIDER.metadata, authorization_endpoint=f"{ISSUER}/authorize", token_endpoint=f"{ISSUER}/token"
    )
    client = replace(OPENID, provider=replace(PROVIDER, metadata=metadata))

    with pytest.raises(MalformedResponse, match="no keys") as refusal:
        signed_in(world(signer=signer), "id_token", client)
    assert "jwks_uri" in refusal.value.parameter.split()


@pytest.mark.parametrize("name", WITH_ID_TOKEN)
def test_id_token_that_cannot_be_checked_is_not_asked_for(name: ResponseType) -> None:
    """OpenID Connect Core §3.2.2.11: no TLS vouches for what a browser brings."""
    place = world()

    with pytest.raises(ConfigError, match="signature"):
        signed_in(place, name, verify=False)
    assert place.effects == []


@pytest.mark.parametrize("name", TYPES)
def test_query_is_refused_before_anything_is_sent(name: ResponseType, signer: Signer) -> None:
    """OAuth 2.0 Multiple Response Types §3: tokens never travel in a query."""
    place = world(signer=signer)

    with pytest.raises(ConfigError, match="query"):
        signed_in(place, name, mode="query")
    assert "Browse" not in story(place)


def test_refresh_token_in_the_fragment_is_dropped_with_a_word(signer: Signer) -> None:
    """RFC 6749 §4.2.2: it must not be issued; whoever read the address has it."""
    place = world(Faults(refresh_token_in_fragment=True), signer=signer)

    sign_in = signed_in(place)

    assert sign_in.tokens.refresh_token is None
    assert place.warnings() == (EXPOSED_IN_URL, DROPPED)


@pytest.mark.parametrize("name", TYPES)
def test_denial_in_the_fragment_is_understood(name: ResponseType, signer: Signer) -> None:
    """RFC 6749 §4.2.2.1; the person has said no, and need not wait for the deadline."""
    place = replace(world(signer=signer), decision="deny")

    with pytest.raises(AuthorizationError, match="access_denied"):
        signed_in(place, name)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(wrong_state=True), AttemptExpired),
        (Faults(wrong_iss=True), IssuerMismatch),
        (Faults(duplicate_parameter="access_token"), MalformedResponse),
        (Faults(duplicate_parameter="token_type"), MalformedResponse),
        (Faults(wrong_nonce=True), MalformedResponse),
        (Faults(wrong_audience=True), MalformedResponse),
        (Faults(bad_signature=True), MalformedResponse),
    ],
)
def test_fault_is_noticed(signer: Signer, faults: Faults, error: type[LoopbackAuthError]) -> None:
    """In a fragment as in a query; an answer that is not ours leaves the sign-in waiting."""
    with pytest.raises(error):
        signed_in(world(faults, signer=signer), "id_token token")


def test_issuer_is_named_by_the_parameter_or_by_the_id_token(signer: Signer) -> None:
    """Servers that send an ID token leave the parameter out: the token says the same, signed."""
    with pytest.raises(IssuerMismatch):
        signed_in(world(Faults(omit_iss=True), signer=signer), "token")

    assert (
        signed_in(world(Faults(omit_iss=True), signer=signer), "id_token token").tokens.id_token is not None
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *((name, {"nonce": value}) for name in WITH_ID_TOKEN for value in (None, "other", "")),
        *(("id_token token", {"at_hash": value}) for value in (None, "other", "", 1)),
        *(("code id_token", {"c_hash": value}) for value in (None, "other", "", 1)),
        *((name, {"s_hash": value}) for name in WITH_ID_TOKEN for value in ("other", "", 1)),
        *((name, {"iss": "https://other.example"}) for name in WITH_ID_TOKEN),
        *((name, {"exp": START - 3600}) for name in WITH_ID_TOKEN),
    ],
)
def test_id_token_that_belongs_to_something_else_is_refused(
    signer: Signer, name: ResponseType, changes: Mapping[str, object]
) -> None:
    """OpenID Connect Core §3.2.2.9, §3.3.2.10-11; the signature is right, the rest is not."""
    place = world(signer=Meddling(signer, changes))

    with pytest.raises(MalformedResponse, match=next(iter(changes))):
        signed_in(place, name)
    assert "token request" not in place.steps()


def test_state_hash_is_not_demanded(signer: Signer) -> None:
    """FAPI has it, OpenID Connect Core does not."""
    place = world(signer=Meddling(signer, {"s_hash": None}))

    assert signed_in(place, "code id_token").tokens.access_token


def forged(
    changes: Mapping[str, str | None], *, method: Literal["GET", "POST"] = "POST", token: str = "guess"
) -> HttpRequest:
    """Send to our port what another page in the same browser could."""
    headers: dict[str, str | None] = {
        "Host": AUTHORITY,
        "Origin": f"http://{AUTHORITY}",
        "Content-Type": FORM,
        "X-Loopback-Relay": token,
        **changes,
    }
    body = f"access_token=evil&token_type=Bearer&state={ATTEMPT.state}&iss={ISSUER}"
    pairs = tuple((name, value) for name, value in headers.items() if value is not None)
    return HttpRequest(method, "/relay/memory", pairs, body.encode())


def test_forged_relays_do_not_end_the_waiting(signer: Signer) -> None:
    """Whoever has the state even: our own page is known by its token and its origin."""
    strangers = (
        forged({}),
        forged({"Origin": None}, token="memory"),
        forged({"Origin": "null"}, token="memory"),
        forged({"Origin": "https://evil.example"}, token="memory"),
        forged({"Content-Type": "text/plain"}, token="memory"),
        forged({"Host": "evil.example"}, token="memory"),
        forged({"Sec-Fetch-Site": "cross-site"}, token="memory"),
        forged({}, method="GET", token="memory"),
    )
    place = replace(world(signer=signer), strangers=strangers)

    sign_in = signed_in(place)

    assert sign_in.tokens.access_token != "evil"
    assert place.refused == [403, 403, 403, 403, 415, 421, 403, 405]


def test_scope_that_differs_is_told(signer: Signer) -> None:
    """RFC 6749 §4.2.2, as in any token response."""
    place = world(Faults(narrow_scope="openid"), signer=signer)

    assert signed_in(place).tokens.scope == "openid"
    assert any("not granted" in warning for warning in place.warnings())
