"""Finding out about a server: where it is asked, when it stops, and what is believed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flow_world import CLIENT, ISSUER, PROVIDER, Entropy, at, plain, signed_in, story, world

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.effects import Send
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    TransportError,
)
from loopback_auth.flows.discovery import discover, signing_keys
from loopback_auth.model import HttpResponse, Provider, ServerMetadata

OIDC = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


def asked(world: MemoryWorld) -> list[str]:
    """Return the addresses that were asked, below the issuer."""
    return [effect.request.url.removeprefix(ISSUER) for effect in world.effects if isinstance(effect, Send)]


def test_openid_document_ends_the_search() -> None:
    """One answer is enough."""
    here = MemoryWorld(DemoServer(ISSUER, entropy=Entropy(), signer=rsa_signer()))

    metadata = here.run(discover(PROVIDER))

    assert asked(here) == [OIDC]
    assert (metadata.issuer, metadata.discovered) == (ISSUER, True)
    assert metadata.token_endpoint == f"{ISSUER}/token"


@pytest.mark.parametrize("absent", [plain(404), plain(405), plain(401), plain(200, "<html>a single page")])
def test_oauth_document_is_asked_for_next(absent: HttpResponse) -> None:
    """RFC 8414 §3.1 has another place; servers say in many ways that a document is not there."""
    here = world(disturb=at(OIDC, absent))

    metadata = here.run(discover(PROVIDER))

    assert asked(here) == [OIDC, OAUTH]
    assert metadata.token_endpoint == f"{ISSUER}/token"


def test_issuer_with_a_path_has_three_places() -> None:
    """RFC 8414 §5: some servers insert where OpenID Connect appends."""
    issuer = f"{ISSUER}/tenant"
    here = world()

    with pytest.raises(EndpointMissing):
        here.run(discover(Provider("example", ServerMetadata(issuer=issuer))))

    assert asked(here) == [f"/tenant{OIDC}", f"{OAUTH}/tenant", f"{OIDC}/tenant"]


def test_server_without_any_document_is_unavailable_for_this_flow() -> None:
    """Another route may do, so it is no failure of the server; the hint names the way out."""
    here = world(Faults(without_metadata=True))

    with pytest.raises(EndpointMissing) as refusal:
        here.run(discover(PROVIDER))

    assert asked(here) == [OIDC, OAUTH]
    assert "--issuer" in refusal.value.hint


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (plain(500), MalformedResponse),
        (HttpResponse(302, (("Location", "https://other.example"),)), MalformedResponse),
        (HttpResponse(200, (("Content-Type", "application/json"),), b"{"), MalformedResponse),
        (TransportError("cut"), TransportError),
    ],
)
def test_trouble_ends_the_search(answer: HttpResponse | Exception, error: type[LoopbackAuthError]) -> None:
    """A server in trouble does not lead us to a document that may be an older one."""
    here = world(disturb=at(OIDC, answer))

    with pytest.raises(error):
        here.run(discover(PROVIDER))

    assert asked(here) == [OIDC]


def test_lying_issuer_is_refused_before_the_browser_opens() -> None:
    """RFC 8414 §3.3: the first half of a mix-up."""
    here = world(Faults(metadata_issuer="https://other.example"))

    with pytest.raises(IssuerMismatch, match="another issuer"):
        signed_in(here)

    assert "Browse" not in story(here)


def test_known_endpoints_need_no_request() -> None:
    """And silence of metadata that nobody read means nothing."""
    known = replace(
        PROVIDER,
        metadata=ServerMetadata(authorization_endpoint=f"{ISSUER}/a", token_endpoint=f"{ISSUER}/t"),
    )
    here = world()

    assert here.run(discover(known)) == known.metadata
    assert here.effects == []
    assert not known.metadata.discovered


def test_one_endpoint_by_hand_is_laid_over_what_is_found() -> None:
    """Configured values win, the rest is discovered."""
    known = ServerMetadata(issuer=ISSUER, token_endpoint="https://proxy.example/token")
    here = world()

    metadata = here.run(discover(replace(PROVIDER, metadata=known)))

    assert metadata.token_endpoint == "https://proxy.example/token"
    assert metadata.authorization_endpoint == f"{ISSUER}/authorize"


def test_nothing_known_is_our_own_mistake() -> None:
    """Without an issuer there is nobody to ask."""
    with pytest.raises(ConfigError) as refusal:
        world().run(discover(Provider("example", ServerMetadata(authorization_endpoint=f"{ISSUER}/a"))))

    assert "--issuer" in refusal.value.hint


def test_no_keys_are_asked_for_where_none_are_published() -> None:
    """A server without `jwks_uri` signs nothing that we could check."""
    here = world()

    assert here.run(signing_keys(ServerMetadata(issuer=ISSUER))) is None
    assert here.effects == []


def test_client_is_usable_with_what_was_found() -> None:
    """The whole point of asking."""
    here = world()

    assert signed_in(here, CLIENT).metadata == here.run(discover(PROVIDER))
