"""Finding out about a server: where it is asked, when it stops, and what is believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Provider, ServerMetadata

OIDC = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


def asked(world: MemoryWorld) -> list[str]:
    """Return the addresses that were asked, below the issuer."""
    return [effect.request.url.removeprefix(ISSUER) for effect in world.effects if isinstance(effect, Send)]


def said(document: Mapping[str, object], status: int = 200, kind: str = "application/json") -> HttpResponse:
    """Answer with an object."""
    return HttpResponse(status, (("Content-Type", kind),), json.dumps(document).encode())


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "application/octet-stream", ""])
def test_document_is_read_under_any_media_type(kind: str) -> None:
    """Static hosts do not know better, and what begins like an object is one (RFC 8259)."""
    metadata = world().run(discover(PROVIDER))
    document = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"}

    found = world(disturb=at(OIDC, said(document, kind=kind))).run(discover(PROVIDER))

    assert (found.token_endpoint, metadata.token_endpoint) == (f"{ISSUER}/t", f"{ISSUER}/token")


def test_member_that_is_wanted_is_looked_for_in_the_other_document() -> None:
    """OpenID Connect Discovery knows no device endpoint; RFC 8414 §2 and RFC 8628 §4 do."""
    document = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"}
    wanting, content = (world(disturb=at(OIDC, said(document))) for _ in range(2))

    metadata = wanting.run(discover(PROVIDER, "device_authorization_endpoint"))
    content.run(discover(PROVIDER))

    assert (asked(wanting), asked(content)) == ([OIDC, OAUTH], [OIDC])
    assert metadata.device_authorization_endpoint == f"{ISSUER}/device_authorization"
    assert metadata.token_endpoint == f"{ISSUER}/t"


@pytest.mark.parametrize(
    "other",
    [
        plain(404),
        plain(500),
        TransportError("cut"),
        said({"issuer": "https://other.example", "device_authorization_endpoint": "https://other.example/d"}),
        said({"issuer": ISSUER, "device_authorization_endpoint": "http://127.0.0.1/d"}),
    ],
)
def test_other_document_is_believed_as_little_and_may_be_missing(other: HttpResponse | Exception) -> None:
    """RFC 8414 §3.3 holds for it as well; the first one was enough to begin with."""
    document = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"}
    answers = {OIDC: said(document), OAUTH: other}

    def disturb(request: HttpRequest) -> HttpResponse | None:
        answer = answers.get(request.url.removeprefix(ISSUER))
        if isinstance(answer, Exception):
            raise answer
        return answer

    here = world(disturb=disturb)

    found = here.run(discover(PROVIDER, "device_authorization_endpoint"))

    assert asked(here) == [OIDC, OAUTH]
    assert (found.token_endpoint, found.device_authorization_endpoint) == (f"{ISSUER}/t", None)


def test_members_of_no_use_are_told_and_cost_nothing() -> None:
    """RFC 8414 §2: OPTIONAL; nobody may ever want them."""
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/a",
        "token_endpoint": f"{ISSUER}/t",
        "revocation_endpoint": "",
        "jwks_uri": ["x"],
        "code_challenge_methods_supported": "S256",
    }
    here = world(disturb=at(OIDC, said(document)))

    found = here.run(discover(PROVIDER))

    assert (found.revocation_endpoint, found.jwks_uri) == (None, None)
    assert found.code_challenge_methods_supported == ("S256",)
    assert [("jwks_uri" in text, "revocation" in text) for text in here.warnings()] == [(True, False)]


def test_openid_document_ends_the_search() -> None:
    """One answer is enough."""
    here = MemoryWorld(DemoServer(ISSUER, entropy=Entropy(), signer=rsa_signer()))

    metadata = here.run(discover(PROVIDER))

    assert asked(here) == [OIDC]
    assert (metadata.issuer, metadata.discovered) == (ISSUER, True)
    assert metadata.token_endpoint == f"{ISSUER}/token"


@pytest.mark.parametrize(
    "absent",
    [
        plain(404),
        plain(405),
        plain(401),
        plain(200, "<html>a single page"),
        said({}),
        said({"error": "not_found"}),
        said({"message": "no"}, 404),
    ],
)
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
    assert "issuer" in refusal.value.parameter.split()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (plain(500), TransportError),
        (plain(429), TransportError),
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


def test_redirect_is_not_followed_and_the_next_place_is_looked_at() -> None:
    """Many servers send whoever asks for a page that they do not have to their log-in page."""
    away = HttpResponse(302, (("Location", "https://other.example"),))
    here = world(disturb=at(OIDC, away))

    metadata = here.run(discover(PROVIDER))

    assert metadata.issuer == ISSUER
    assert asked(here) == [OIDC, OAUTH]


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

    assert "issuer" in refusal.value.parameter.split()


def test_no_keys_are_asked_for_where_none_are_published() -> None:
    """A server without `jwks_uri` signs nothing that we could check."""
    here = world()

    assert here.run(signing_keys(ServerMetadata(issuer=ISSUER))) is None
    assert here.effects == []


def test_client_is_usable_with_what_was_found() -> None:
    """The whole point of asking."""
    here = world()

    assert signed_in(here, CLIENT).metadata == here.run(discover(PROVIDER))
