"""The code flow against a whole server in memory: tokens, and what was asked of the world in which order."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flow_world import (
    ATTEMPT,
    CLIENT,
    ISSUER,
    OPENID,
    PROVIDER,
    SECRET_CLIENT,
    at,
    plain,
    signed_in,
    story,
    world,
)

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import AUTHORITY, MemoryWorld
from loopback_auth.effects import Browse, Receive, Send
from loopback_auth.errors import (
    AttemptExpired,
    AuthorizationError,
    ConfigError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    ProtocolError,
    PushedAuthorizationError,
    TokenError,
    TransportError,
)
from loopback_auth.flows.code import authorization_code
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata

NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Make the key of the server once: it takes a moment."""
    made = rsa_signer()
    assert made is not None
    return made


def browsed(world: MemoryWorld) -> dict[str, list[str]]:
    """Read the query of the URL that the browser was sent to."""
    [url] = [effect.url for effect in world.effects if isinstance(effect, Browse)]
    return parse_qs(urlsplit(url).query)


def sent(world: MemoryWorld, step: str) -> list[HttpRequest]:
    """Return the requests of one step."""
    return [effect.request for effect in world.effects if isinstance(effect, Send) and effect.step == step]


# As it should be


def test_plain_sign_in_gives_tokens_in_this_order() -> None:
    """The flow reads top to bottom in the order of the wire; nothing is asked twice or in vain."""
    here = world()

    sign_in = signed_in(here)

    assert story(here) == [
        "Bind",
        "metadata request",
        "metadata request",  # the demo server without keys is no OpenID provider
        "Browse",
        "Receive",
        "token request",
        "UserInfo request",
    ]
    assert here.server.active(sign_in.tokens.access_token, NOW)
    assert here.server.active(sign_in.tokens.refresh_token or "", NOW)
    assert (sign_in.tokens.expires_at, sign_in.tokens.scope) == (NOW + 3600, "profile email")
    assert (sign_in.tokens.account, sign_in.tokens.id_token) == ("demo@example.com", None)
    assert (sign_in.name, sign_in.client_id, sign_in.client_auth) == ("example", CLIENT.client_id, "none")
    assert (sign_in.requested_scope, sign_in.metadata.issuer) == ("profile email", ISSUER)
    assert here.warnings() == ()


def test_openid_sign_in_fetches_keys_while_the_person_is_away(signer: Signer) -> None:
    """Between the browser's leaving and its return there is time; the ID token names the account."""
    here = world(signer=signer)

    sign_in = signed_in(here, OPENID, verify=True)

    assert story(here) == [
        "Bind",
        "metadata request",
        "Browse",
        "key set request",
        "Receive",
        "token request",
    ]
    assert sign_in.tokens.id_token is not None
    assert sign_in.tokens.id_token.signature == "verified"
    assert sign_in.tokens.id_token.claims["nonce"] == ATTEMPT.nonce
    assert sign_in.tokens.account == "demo@example.com"


def test_server_sees_no_more_requests_than_needed(signer: Signer) -> None:
    """Each request is a wait for the person and a line in somebody's log."""
    here = world(signer=signer)
    signed_in(here, OPENID, verify=True)

    assert here.server.log == Counter(
        {
            ("GET", "/.well-known/openid-configuration"): 1,
            ("GET", "/jwks"): 1,
            ("GET", "/authorize"): 1,
            ("POST", "/sign-in"): 1,
            ("POST", "/consent"): 1,
            ("POST", "/token"): 1,
        }
    )


def test_keys_are_not_fetched_for_nothing(signer: Signer) -> None:
    """Without openid or without verification nobody looks at them."""
    for client, verify in ((OPENID, False), (CLIENT, True)):
        here = world(signer=signer)
        sign_in = signed_in(here, client, verify=verify)

        assert "key set request" not in here.steps()
        assert sign_in.tokens.id_token is None or sign_in.tokens.id_token.signature == "not verified"


def test_an_id_token_that_was_not_asked_for_can_be_read() -> None:
    """It was not checked, so it is no identity; but it is what the server sent."""
    answer = {"access_token": "a", "token_type": "Bearer", "id_token": "x.y.z", "scope": "profile email"}
    kind = (("Content-Type", "application/json"),)
    here = world(disturb=at("/token", HttpResponse(200, kind, json.dumps(answer).encode())))
    sign_in = signed_in(here)

    assert (sign_in.id_token, sign_in.tokens.extra) == (None, {"id_token": "x.y.z"})


def test_known_endpoints_are_not_discovered() -> None:
    """Whoever gives both endpoints wants no further request."""
    by_hand = ServerMetadata(authorization_endpoint=f"{ISSUER}/authorize", token_endpoint=f"{ISSUER}/token")
    here = world()

    sign_in = signed_in(here, replace(CLIENT, provider=replace(PROVIDER, metadata=by_hand)))

    assert story(here) == ["Bind", "Browse", "Receive", "token request"]
    assert sign_in.tokens.account == ""


def test_answer_comes_by_form_where_the_server_announces_it() -> None:
    """The code leaves no trace in the browser's history (RFC 9700 §4.3.1)."""
    here = world()
    signed_in(here)

    [request] = [effect.request for effect in here.effects if isinstance(effect, Receive)]
    assert request.response_mode == "form_post"
    assert browsed(here)["response_mode"] == ["form_post"]


def test_answer_comes_by_query_where_that_is_wanted() -> None:
    """Some browsers hold back a form from https to http; the person may say so."""
    here = world()

    assert signed_in(here, replace(CLIENT, response_mode="query")).tokens.access_token
    assert "response_mode" not in browsed(here)


@pytest.mark.parametrize("required", [True, False])
def test_request_is_pushed_when_required_or_wanted(required: bool) -> None:
    """RFC 9126 §4: the browser then carries a reference and nothing else."""
    here = world(require_push=required)

    sign_in = signed_in(here, replace(CLIENT, push=None if required else True))

    assert story(here)[2:5] == ["metadata request", "pushed authorization request", "Browse"]
    assert sorted(browsed(here)) == ["client_id", "request_uri"]
    assert here.server.active(sign_in.tokens.access_token, NOW)


def test_client_with_a_secret_proves_itself_at_each_endpoint() -> None:
    """Basic at the PAR endpoint and at the token endpoint, the secret in no URL (RFC 6749 §2.3.1)."""
    here = world()
    client = replace(
        CLIENT, client_id=SECRET_CLIENT.client_id, client_secret=SECRET_CLIENT.client_secret, push=True
    )

    sign_in = signed_in(here, client)

    assert sign_in.client_auth == "client_secret_basic"
    for step in ("pushed authorization request", "token request"):
        [request] = sent(here, step)
        assert request.header("authorization").startswith("Basic ")
        assert b"client_secret" not in request.body


def test_effects_show_no_secret(signer: Signer) -> None:
    """Traces print effects; what is labelled is labelled elsewhere, what is hidden is hidden here."""
    here = world(signer=signer)
    sign_in = signed_in(here, OPENID, verify=True)
    shown = repr(here.effects) + repr(sign_in)
    [code] = parse_qs(sent(here, "token request")[0].body.decode())["code"]

    tokens = sign_in.tokens
    assert tokens.id_token is not None
    secrets = [
        code,
        ATTEMPT.state,
        ATTEMPT.code_verifier,
        ATTEMPT.nonce,
        tokens.access_token,
        tokens.id_token.raw,
    ]
    assert not [secret for secret in (*secrets, tokens.refresh_token or "") if secret in shown]


# Strangers


STRANGERS = (
    HttpRequest("GET", "/favicon.ico", (("Host", AUTHORITY),)),
    HttpRequest("GET", "/callback?code=x&state=guessed", (("Host", AUTHORITY),)),
    HttpRequest("GET", "/callback?error=access_denied", (("Host", AUTHORITY),)),
    HttpRequest("GET", f"/callback?code=x&state={ATTEMPT.state}", (("Host", "evil.example:49152"),)),
    HttpRequest("HEAD", f"/callback?code=x&state={ATTEMPT.state}", (("Host", AUTHORITY),)),
    HttpRequest(
        "GET", f"/callback?code=x&state={ATTEMPT.state}", (("Host", AUTHORITY), ("Sec-Fetch-Dest", "image"))
    ),
    HttpRequest("POST", "/callback", (("Host", AUTHORITY), ("Content-Type", FORM)), b"code=x&state=guessed"),
)


def test_strangers_are_turned_away_and_the_sign_in_goes_on() -> None:
    """Any page in any browser can send requests here; none may end the sign-in (RFC 8252 §8.9)."""
    here = replace(world(), strangers=STRANGERS)

    sign_in = signed_in(here)

    assert here.refused == [404, 400, 400, 421, 405, 403, 400]
    assert here.server.active(sign_in.tokens.access_token, NOW)
    assert len(sent(here, "token request")) == 1


def test_stranger_with_our_state_and_a_code_of_his_own_gets_nothing() -> None:
    """The verifier does not fit his code (RFC 7636 §1, RFC 9700 §4.5)."""
    there = world(disturb=at("/token", TransportError("kept back")))
    with pytest.raises(TransportError):
        there.run(authorization_code(CLIENT, replace(ATTEMPT, code_verifier="x" * 43)))
    [code] = parse_qs(sent(there, "token request")[0].body.decode())["code"]
    injected = HttpRequest(
        "POST",
        "/callback",
        (("Host", AUTHORITY), ("Content-Type", FORM)),
        f"code={code}&state={ATTEMPT.state}&iss=https%3A%2F%2Fas.example".encode(),
    )
    here = MemoryWorld(there.server, strangers=(injected,))

    with pytest.raises(TokenError, match=r"invalid_grant .*code_verifier does not fit"):
        signed_in(here)


# No


def test_denial_ends_the_sign_in_without_a_token_request() -> None:
    """RFC 6749 §4.1.2.1; the person said no, and nobody asks again."""
    here = replace(world(), decision="deny")

    with pytest.raises(AuthorizationError) as refusal:
        signed_in(here)

    assert refusal.value.error == "access_denied"
    assert story(here)[-1] == "Receive"


def test_browser_that_does_not_come_back_is_not_waited_for_for_ever() -> None:
    """The receiver sees no callback; here the simulated one says so at once."""
    with pytest.raises(AttemptExpired):
        signed_in(world(Faults(wrong_state=True)))


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Faults(deny_all=True), AuthorizationError, "access_denied"),
        (Faults(wrong_iss=True), IssuerMismatch, "another server"),
        (Faults(omit_iss=True), IssuerMismatch, "no iss"),
        (Faults(duplicate_parameter="code"), MalformedResponse, "repeats code"),
        (Faults(duplicate_parameter="iss"), MalformedResponse, "repeats iss"),
        (Faults(duplicate_parameter="state"), AttemptExpired, "did not come back"),
    ],
)
def test_bad_callback_costs_no_code(fault: Faults, error: type[LoopbackAuthError], words: str) -> None:
    """No request is made with a code that may be anybody's (RFC 9207 §2.4)."""
    here = world(fault)

    with pytest.raises(error, match=words):
        signed_in(here)

    assert "token request" not in here.steps()
    assert story(here)[-1] == "Receive"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Faults(token_status=500), TransportError),
        (Faults(token_status=500, token_html=True), TransportError),
        (Faults(token_status=429, token_html=True), TransportError),
        (Faults(token_status=400, token_html=True), MalformedResponse),
        (Faults(token_html=True), MalformedResponse),
        (Faults(token_body=b""), MalformedResponse),
        (Faults(token_body=b"[]"), MalformedResponse),
        (
            Faults(token_body=b'{"access_token": "a", "access_token": "b", "token_type": "bearer"}'),
            MalformedResponse,
        ),
        (Faults(token_body=b'{"error": "bad_verification_code"}'), TokenError),
        (Faults(redirect_token_endpoint="https://evil.example/token"), MalformedResponse),
        (Faults(omit_members=("access_token",)), MalformedResponse),
    ],
)
def test_bad_token_response_ends_the_sign_in_after_one_request(
    fault: Faults, error: type[LoopbackAuthError]
) -> None:
    """A code is sent once, to one place, and never again after trouble (RFC 6749 §4.1.2)."""
    here = world(fault)

    with pytest.raises(error) as failure:
        signed_in(here)

    assert failure.value.hint
    assert story(here)[-1] == "token request"
    assert [request.url for request in sent(here, "token request")] == [f"{ISSUER}/token"]


def test_code_is_not_sent_again_when_the_connection_breaks() -> None:
    """Nobody knows whether it arrived (RFC 6749 §4.1.2)."""
    here = world(disturb=at("/token", TransportError("cut")))

    with pytest.raises(TransportError, match="cut"):
        signed_in(here)

    assert story(here)[-1] == "token request"
    assert len(sent(here, "token request")) == 1


@pytest.mark.parametrize(
    ("fault", "claim"),
    [
        (Faults(wrong_nonce=True), "nonce"),
        (Faults(wrong_audience=True), "aud"),
        (Faults(bad_signature=True), "signature"),
        (Faults(omit_members=("id_token",)), "no ID token"),
    ],
)
def test_bad_id_token_ends_the_sign_in(signer: Signer, fault: Faults, claim: str) -> None:
    """Nothing is handed out before every check has passed (RFC 9700 §4.5.3.2)."""
    here = world(fault, signer=signer)

    with pytest.raises(ProtocolError, match=claim):
        signed_in(here, OPENID, verify=True)

    assert story(here)[-1] == "token request"


def test_claims_are_checked_without_the_signature_too(signer: Signer) -> None:
    """Whoever has no joserfc still has a nonce (OpenID Connect Core §3.1.3.7)."""
    with pytest.raises(MalformedResponse, match="nonce"):
        signed_in(world(Faults(wrong_nonce=True), signer=signer), OPENID)


# Told, and gone on


def test_server_that_does_not_announce_pkce_is_told_about() -> None:
    """RFC 9700 §2.1.1: it is used anyway; a server that ignores it does no harm."""
    here = world(Faults(pkce_unannounced=True))

    assert signed_in(here).tokens.access_token
    assert [text for text in here.warnings() if "PKCE" in text]
    assert browsed(here)["code_challenge_method"] == ["S256"]
    assert story(here).index("Warn") < story(here).index("Browse")


def test_narrower_scope_is_told_about_and_kept() -> None:
    """RFC 6749 §3.3: less may be granted; what was granted is what is written down."""
    here = world(Faults(narrow_scope="email"))

    sign_in = signed_in(here)

    assert (sign_in.tokens.scope, sign_in.requested_scope) == ("email", "profile email")
    assert here.warnings() == ("The scope differs: not granted: profile.",)


# Keys


def test_keys_that_could_not_be_fetched_early_are_fetched_when_needed(signer: Signer) -> None:
    """A hiccup while the person is away must not cost the sign-in."""
    for trouble in (TransportError("cut"), plain(503), plain(200, "{}")):
        here = world(signer=signer, disturb=at("/jwks", trouble))

        sign_in = signed_in(here, OPENID, verify=True)

        assert here.steps().count("key set request") == 2
        assert sign_in.tokens.id_token is not None
        assert sign_in.tokens.id_token.signature == "verified"


@pytest.mark.parametrize(
    "trouble",
    [
        plain(503),
        plain(302),
        plain(200, "<html>"),
        TransportError("cut"),
        HttpResponse(200, (("Content-Type", "application/json"),), b"{}"),
    ],
)
def test_keys_that_never_come_leave_the_signature_to_tls(
    signer: Signer, trouble: HttpResponse | Exception
) -> None:
    """The person has approved, and OpenID Connect Core §3.1.3.7 (6) is content with TLS."""
    here = world(signer=signer, disturb=at("/jwks", trouble, times=2))

    sign_in = signed_in(here, OPENID, verify=True)

    assert here.steps().count("key set request") == 2
    assert [warning for warning in here.warnings() if "signature" in warning]
    assert sign_in.tokens.id_token is not None
    assert sign_in.tokens.id_token.signature == "not verified"


OLD_KEYS = HttpResponse(
    200,
    (("Content-Type", "application/json"),),
    json.dumps({"keys": [{"kty": "RSA", "kid": "old"}]}).encode(),
)


def test_unknown_key_is_looked_for_once_more(signer: Signer) -> None:
    """Keys change while people approve (OpenID Connect Core §10.1.1)."""
    here = world(signer=signer, disturb=at("/jwks", OLD_KEYS))

    sign_in = signed_in(here, OPENID, verify=True)

    assert here.steps()[-3:] == ("key set request", "token request", "key set request")
    assert sign_in.tokens.id_token is not None
    assert sign_in.tokens.id_token.signature == "verified"


def test_key_that_stays_unknown_is_not_looked_for_for_ever(signer: Signer) -> None:
    """One more time is enough; a token can name any number of keys."""
    here = world(signer=signer, disturb=at("/jwks", OLD_KEYS, times=9))

    with pytest.raises(MalformedResponse, match="no key"):
        signed_in(here, OPENID, verify=True)

    assert here.steps().count("key set request") == 2


def test_server_without_published_keys_leaves_the_signature_to_tls(signer: Signer) -> None:
    """OpenID Connect Core §3.1.3.7 (6) allows it for the token endpoint, and the result says so."""
    by_hand = ServerMetadata(
        issuer=ISSUER, authorization_endpoint=f"{ISSUER}/authorize", token_endpoint=f"{ISSUER}/token"
    )
    here = world(signer=signer)

    sign_in = signed_in(here, replace(OPENID, provider=replace(PROVIDER, metadata=by_hand)), verify=True)

    assert "key set request" not in here.steps()
    assert sign_in.tokens.id_token is not None
    assert sign_in.tokens.id_token.signature == "not verified"


# Who it was


@pytest.mark.parametrize(
    "trouble",
    [
        TransportError("cut"),
        plain(500),
        plain(200, "<html>"),
        HttpResponse(200, (("Content-Type", "application/json"),), b"["),
    ],
)
def test_unknown_account_does_not_fail_the_sign_in(trouble: HttpResponse | Exception) -> None:
    """The name is a courtesy; the tokens are good."""
    here = world(disturb=at("/userinfo", trouble))

    sign_in = signed_in(here)

    assert here.server.active(sign_in.tokens.access_token, NOW)
    assert sign_in.tokens.account == ""


def test_account_of_another_subject_is_discarded(signer: Signer) -> None:
    """OpenID Connect Core §5.3.2: else a server could show one person and be another's."""
    here = world(Faults(wrong_subject=True), signer=signer)

    sign_in = signed_in(here, replace(OPENID, scope="openid"))

    assert here.steps()[-1] == "UserInfo request"
    assert sign_in.tokens.account == "demo-1"


def test_access_token_travels_in_the_header_only() -> None:
    """RFC 6750 §2.3: in a URL it would be logged."""
    here = world()
    sign_in = signed_in(here)

    [request] = sent(here, "UserInfo request")
    assert request.header("authorization") == f"Bearer {sign_in.tokens.access_token}"
    assert sign_in.tokens.access_token not in request.url


# Before anybody is asked


@pytest.mark.parametrize(
    ("client", "metadata", "error"),
    [
        (replace(CLIENT, provider=replace(PROVIDER, client_auth="client_secret_basic")), None, ConfigError),
        (replace(CLIENT, extra={"state": "x"}), None, ConfigError),
        (replace(CLIENT, resource=("relative",)), None, ConfigError),
        (replace(CLIENT, push=True), {"pushed_authorization_request_endpoint": None}, EndpointMissing),
        (CLIENT, {"token_endpoint": None}, EndpointMissing),
        (CLIENT, {"authorization_endpoint": None}, EndpointMissing),
    ],
)
def test_what_cannot_work_is_known_before_the_browser_opens(
    client: ClientConfig, metadata: dict[str, None] | None, error: type[LoopbackAuthError]
) -> None:
    """A person who has approved should not learn then that it was for nothing."""
    plain_world = world()
    answer = plain_world.server.handle(
        HttpRequest("GET", f"{ISSUER}/.well-known/oauth-authorization-server"), NOW
    )
    answer = replace(answer, body=json.dumps(json.loads(answer.body) | (metadata or {})).encode())
    here = world(disturb=lambda request: answer if "/.well-known/" in request.url else None)

    with pytest.raises(error) as refusal:
        signed_in(here, client)

    assert refusal.value.hint
    assert "Browse" not in story(here)


def test_refused_push_ends_it_before_the_browser_opens() -> None:
    """RFC 9126 §2.3: the server says what is wrong to us, not to the person."""
    here = world(require_push=True)

    with pytest.raises(PushedAuthorizationError, match="invalid_scope"):
        signed_in(here, replace(CLIENT, scope="unheard-of"))

    assert story(here)[-1] == "pushed authorization request"
