"""The device grant against a server in memory: codes out, a person elsewhere, tokens in the end."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flow_world import CLIENT, ISSUER, OPENID, SECRET_CLIENT, at, plain, story, world

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.effects import Send, VerificationPrompt
from loopback_auth.errors import (
    AttemptExpired,
    ConfigError,
    DeviceError,
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    TransportError,
)
from loopback_auth.flows.device import device_code
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.quirks import Quirks
from loopback_auth.settings.presets import every_preset
from loopback_auth.tokens import SignIn

START = 1_700_000_000.0
JSON = (("Content-Type", "application/json"),)


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Make the key of the server once: it takes a moment."""
    made = rsa_signer()
    assert made is not None
    return made


def here(
    faults: Faults | None = None, *, thinking: float = 12.0, signer: Signer | None = None
) -> MemoryWorld:
    """Begin with a person who has to find another device first."""
    return replace(world(faults, signer=signer), thinking=thinking)


def signed_in(place: MemoryWorld, client: ClientConfig = CLIENT, *, verify: bool = False) -> SignIn:
    """Run the whole sign-in."""
    return place.run(device_code(client, verify_signature=verify))


def polls(place: MemoryWorld) -> list[HttpRequest]:
    """Return the polls."""
    steps = (effect for effect in place.effects if isinstance(effect, Send))
    return [effect.request for effect in steps if effect.step == "device token request"]


def granting(**changes: object) -> HttpResponse:
    """Answer a device authorization request with something else than the demo server would."""
    members = {
        "device_code": "d",
        "user_code": "WDJB-MJHT",
        "verification_uri": f"{ISSUER}/device",
        "expires_in": 60,
        "interval": 5,
    } | changes
    return HttpResponse(200, JSON, json.dumps(members).encode())


def test_device_gives_tokens_in_this_order() -> None:
    """RFC 8628 §3; who signed in is asked for as in any flow."""
    place = here()

    sign_in = signed_in(place)

    assert [name for name in story(place) if name != "Sleep"] == [
        "metadata request",
        "metadata request",
        "device authorization request",
        "VerificationPrompt",
        "device token request",
        "device token request",
        "device token request",
        "UserInfo request",
    ]
    assert place.now - START == 15
    assert place.server.active(sign_in.tokens.access_token, place.now)
    assert place.server.active(sign_in.tokens.refresh_token or "", place.now)
    assert (sign_in.tokens.account, sign_in.tokens.scope) == ("demo@example.com", "profile email")
    assert place.warnings() == ()


def test_person_gets_the_short_way_and_the_typed_one() -> None:
    """RFC 8628 §3.3.1: the code is shown even where the address holds it, to be compared."""
    place = here()
    signed_in(place)
    [invite] = [effect for effect in place.effects if isinstance(effect, VerificationPrompt)]

    assert invite.url == f"{ISSUER}/device?user_code={invite.user_code}"
    assert (invite.plain_url, invite.lifetime) == (f"{ISSUER}/device", 600)


def test_address_without_the_code_is_enough() -> None:
    """`verification_uri_complete` is optional; peers that forgot it printed nothing."""
    place = replace(
        here(), disturb=at("/device_authorization", granting(verification_uri=f"{ISSUER}/device"))
    )

    with pytest.raises(DeviceError):  # a code that the server never gave
        signed_in(place)
    [invite] = [effect for effect in place.effects if isinstance(effect, VerificationPrompt)]
    assert (invite.url, invite.plain_url) == (f"{ISSUER}/device", f"{ISSUER}/device")


def test_no_poll_is_too_early_for_a_strict_server() -> None:
    """The demo server says `slow_down` to whoever hurries; nobody does."""
    place = here(thinking=200.0)

    signed_in(place)

    answers = [place.server.log[("POST", "/token")]]
    assert answers == [len(polls(place))]
    assert place.now - START < 212
    assert place.warnings() == ()


def test_return_to_our_tab_is_no_reason_to_hurry_the_server() -> None:
    """RFC 8628 §3.5: the interval holds; beyond it the answer is fetched at once."""
    place = replace(here(thinking=21.0), watched=True)

    signed_in(place)

    assert place.now - START < 26


@pytest.mark.parametrize(
    "faults",
    [
        Faults(device_interval=0),
        Faults(device_interval=-5),
        Faults(device_interval="5"),
        Faults(omit_device_interval=True),
        Faults(device_interval=2.5),
        Faults(verification_url=True),
        Faults(slow_down_storm=3),
        Faults(server_errors=2, rate_limited=1, html_answers=1),
        Faults(approve_after=2),
    ],
)
def test_odd_servers_are_put_up_with(faults: Faults) -> None:
    """RFC 8628 §3.2, §3.5; Google's spelling; trouble that passes."""
    place = here(faults)

    assert signed_in(place).tokens.access_token


def test_absurd_interval_is_bent() -> None:
    """Nobody waits for thirty years; the server of such a number is none to be strict."""
    place = here(Faults(device_interval=1e9))

    signed_in(place)

    assert place.now - START == 60


@pytest.mark.parametrize(
    ("faults", "error"),
    [(Faults(deny_all=True), "access_denied"), (Faults(expires_early=8.0), "expired_token")],
)
def test_no_is_an_answer(faults: Faults, error: str) -> None:
    """RFC 8628 §3.5: both end it, with a hint what to do."""
    place = here(faults)

    with pytest.raises(DeviceError, match=error) as refusal:
        signed_in(place)
    assert refusal.value.hint


def test_nobody_comes() -> None:
    """The grant's own lifetime is the deadline."""
    place = replace(here(thinking=1e6), disturb=at("/device_authorization", granting()))
    pending = HttpResponse(400, JSON, b'{"error": "authorization_pending"}')
    first = place.disturb
    assert first is not None
    place.disturb = lambda request: pending if request.url == f"{ISSUER}/token" else first(request)

    with pytest.raises(AttemptExpired):
        signed_in(place)
    assert place.now - START == 60


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        (f"{ISSUER}/device", False),
        ("https://evil.example.org/device", True),
        ("https://www.as.example/device", False),
        ("https://as.example.evil.org/device", True),
    ],
)
def test_strange_host_is_remarked_upon(url: str, warned: bool) -> None:
    """Providers do use other hosts, and so do thieves: the person decides, once."""
    one, other = {"verification_uri": url}, {"verification_uri_complete": url + "?code=x"}
    for changes in (one, other, one | other):
        place = replace(here(), disturb=at("/device_authorization", granting(**changes)))
        with pytest.raises(LoopbackAuthError):
            signed_in(place)

        assert len(place.warnings()) == warned
        assert not warned or "evil" in place.warnings()[0]


@pytest.mark.parametrize(
    ("one", "other", "warned"),
    [
        ("login.good.co.uk", "good.co.uk", False),
        ("evil.co.uk", "good.co.uk", True),
        ("a.b.io", "b.io", False),
    ],
)
def test_public_suffixes_are_no_family(one: str, other: str, warned: bool) -> None:
    """Everybody can have a name below co.uk."""
    answer = granting(verification_uri=f"https://{one}/device")
    metadata = replace(
        CLIENT.provider.metadata,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        device_authorization_endpoint=f"https://{other}/device_authorization",
    )
    client = replace(CLIENT, provider=replace(CLIENT.provider, metadata=metadata))
    place = replace(here(), disturb=lambda request: answer if other in request.url else None)

    with pytest.raises(LoopbackAuthError):
        signed_in(place, client)
    assert len(place.warnings()) == warned


@pytest.mark.parametrize(
    ("provider", "page", "warned"),
    [
        ("google", "https://www.google.com/device", False),
        ("microsoft", "https://microsoft.com/devicelogin", False),
        ("microsoft", "https://login.microsoft.com/device", False),
        ("huggingface", "https://hf.co/oauth/device", False),
        ("twitch", "https://www.twitch.tv/activate", False),
        ("google", "https://www.google.com.evil.org/device", True),
        ("google", "https://evil.google.com/device", True),
        ("github", "https://www.google.com/device", True),
    ],
)
def test_the_page_that_a_providers_row_names_is_expected(provider: str, page: str, warned: bool) -> None:
    """A remark at every sign-in is none; and a host is expected for its own provider alone."""
    hosts = every_preset()[provider].get("approval_hosts", ())
    assert isinstance(hosts, tuple)
    client = replace(CLIENT, provider=replace(CLIENT.provider, quirks=Quirks(approval_hosts=hosts)))
    answer = granting(verification_uri=page)
    place = replace(here(), disturb=at("/device_authorization", answer))

    with pytest.raises(LoopbackAuthError):
        signed_in(place, client)
    assert len(place.warnings()) == warned


def test_unsafe_address_is_never_shown() -> None:
    """CVE-2025-6514: it would be opened."""
    answer = granting(verification_uri="javascript:alert(1)")
    place = replace(here(), disturb=at("/device_authorization", answer))

    with pytest.raises(MalformedResponse):
        signed_in(place)
    assert "VerificationPrompt" not in story(place)


def test_secret_that_is_missing_is_missed_before_anything_is_sent() -> None:
    """Better than after the person has typed a code."""
    provider = replace(CLIENT.provider, client_auth="client_secret_basic")
    place = here()

    with pytest.raises(ConfigError):
        signed_in(place, replace(CLIENT, provider=provider))
    assert "device authorization request" not in story(place)


def test_client_with_a_secret_proves_itself() -> None:
    """RFC 8628 §3.1, §3.4."""
    client = replace(CLIENT, client_id=SECRET_CLIENT.client_id, client_secret=SECRET_CLIENT.client_secret)

    assert signed_in(here(), client).client_auth == "client_secret_basic"


def test_server_without_the_grant_is_told() -> None:
    """Endpoints that were given by hand are not searched for more."""
    metadata = replace(
        CLIENT.provider.metadata,
        issuer=None,
        authorization_endpoint=f"{ISSUER}/a",
        token_endpoint=f"{ISSUER}/t",
    )

    with pytest.raises(EndpointMissing, match="device"):
        signed_in(here(), replace(CLIENT, provider=replace(CLIENT.provider, metadata=metadata)))


def test_broken_device_endpoint_is_no_refusal() -> None:
    """Trying again later helps."""
    with pytest.raises(TransportError):
        signed_in(replace(here(), disturb=at("/device_authorization", plain(503))))


# ID tokens


@pytest.mark.parametrize("verify", [True, False])
def test_id_token_is_checked_without_a_nonce(signer: Signer, verify: bool) -> None:
    """OpenID Connect Core §3.1.3.7; there was no request that could have had one."""
    sign_in = signed_in(here(signer=signer), OPENID, verify=verify)

    assert sign_in.tokens.id_token is not None
    assert sign_in.tokens.id_token.signature == ("verified" if verify else "not verified")
    assert sign_in.tokens.account == "demo@example.com"


@pytest.mark.parametrize(
    ("faults", "verify"), [(Faults(wrong_audience=True), False), (Faults(bad_signature=True), True)]
)
def test_id_token_for_somebody_else_is_refused(signer: Signer, faults: Faults, verify: bool) -> None:
    """No token is handed out before every check has passed (RFC 9700 §4.5.3.2)."""
    with pytest.raises(MalformedResponse):
        signed_in(here(faults, signer=signer), OPENID, verify=verify)


@pytest.mark.parametrize(
    ("name", "issuer", "shown"),
    [
        ("127.0.0.1-9000", "http://127.0.0.1:9000", "127.0.0.1:9000"),
        ("id.example", "https://id.example/realms/x", "id.example"),
        ("id.example", "https://ID.example", "ID.example"),
        ("work", "https://id.example", "work"),
        ("github", None, "github"),
    ],
)
def test_page_is_named_as_the_person_knows_it(name: str, issuer: str | None, shown: str) -> None:
    """The name of a file has no colon; a page to approve at has the host that the person gave."""
    assert Provider(name, ServerMetadata(issuer=issuer)).shown_name == shown
