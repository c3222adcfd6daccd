"""From the URL of a resource to its server and scope: what is asked, in which order, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from resource_world import NOTHING, Answer, ResourceWorld, challenged, document, server_metadata

from loopback_auth import ClientConfig, ServerMetadata
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    ResourceMismatch,
    TransportError,
)
from loopback_auth.flows.resource import ResourceAccess, find_resource
from loopback_auth.flows.tokens import checked_tokens
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.protected_resource import MOST_SERVERS

URL = "https://mcp.example/mcp"
ORIGIN = "https://mcp.example"
ROOT = f"{ORIGIN}/.well-known/oauth-protected-resource"
PLACE = f"{ROOT}/mcp"
ISSUER = "https://as.example"
AT_ISSUER = f"{ISSUER}/.well-known/oauth-authorization-server"
CLIENT = ClientConfig.for_resource(URL)
DOWN = TransportError("as.example does not answer.")


def protected(*issuers: str, **members: object) -> HttpResponse:
    """Answer with the metadata of the resource."""
    return document({"resource": URL, "authorization_servers": list(issuers or (ISSUER,)), **members})


def a_world(changes: dict[str, Answer] | None = None) -> ResourceWorld:
    """Begin with a resource and a server that do everything right, but for the changes."""
    return ResourceWorld(
        {
            URL: challenged(f'Bearer resource_metadata="{PLACE}"'),
            PLACE: protected(),
            AT_ISSUER: server_metadata(ISSUER),
            **(changes or {}),
        }
    )


def found(world: ResourceWorld, client: ClientConfig = CLIENT, known: tuple[str, ...] = ()) -> ResourceAccess:
    """Find the server."""
    return world.run(find_resource(client, known=known))


def refused(world: ResourceWorld, client: ClientConfig = CLIENT) -> LoopbackAuthError:
    """Find none, and return why."""
    with pytest.raises(LoopbackAuthError) as refusal:
        found(world, client)
    return refusal.value


def test_rfc9728_5_challenge_leads_to_the_server() -> None:
    """Three requests are enough where everything is where it should be."""
    about = f"{ORIGIN}/about"
    world = a_world(
        {
            URL: challenged(f'Bearer resource_metadata="{about}", scope="read"'),
            about: protected(scopes_supported=["read", "write"]),
        }
    )

    access = found(world)

    assert (access.resource, access.metadata.issuer, access.scope) == (URL, ISSUER, "read")
    assert (access.dpop, access.passed_over, world.warnings) == (False, {}, [])
    assert world.asked == [f"GET {URL}", f"GET {about}", f"GET {AT_ISSUER}"]


def test_mcp_both_well_known_places_are_tried_in_order() -> None:
    """Without resource_metadata: that of the path, and then the root, which is about the origin."""
    world = a_world({URL: challenged("Bearer"), PLACE: NOTHING, ROOT: protected(resource=ORIGIN)})

    assert found(world).resource == ORIGIN
    assert world.asked == [f"GET {URL}", f"GET {PLACE}", f"GET {ROOT}", f"GET {AT_ISSUER}"]


def test_mcp_root_is_not_asked_when_the_path_answers() -> None:
    """The order is a priority, and not a list to be gone through."""
    world = a_world({URL: challenged("Bearer")})

    assert found(world).resource == URL
    assert f"GET {ROOT}" not in world.asked


@pytest.mark.parametrize("get", [404, 405, 406, 400, 500])
def test_mcp_server_that_answers_post_alone_is_asked_by_post(get: int) -> None:
    """An MCP client begins with a POST, and some servers have no other method."""
    world = a_world(
        {f"GET {URL}": HttpResponse(get), f"POST {URL}": challenged(f'DPoP resource_metadata="{PLACE}"')}
    )

    assert found(world).dpop
    assert world.asked[:2] == [f"GET {URL}", f"POST {URL}"]


@pytest.mark.parametrize("answer", [document({"open": True}), HttpResponse(307, (("Location", f"{URL}/"),))])
def test_metadata_are_enough_where_no_token_is_demanded(answer: HttpResponse) -> None:
    """Such as an API of which a part is open; nothing is posted to it."""
    world = a_world({URL: answer})

    assert found(world).metadata.issuer == ISSUER
    assert f"POST {URL}" not in world.asked


def test_challenge_that_is_known_already_is_not_asked_for_again() -> None:
    """A client that was refused has it."""
    world = a_world()
    client = replace(CLIENT, challenge=f'Bearer resource_metadata="{PLACE}", scope="write"')

    assert found(world, client).scope == "write"
    assert f"GET {URL}" not in world.asked


@pytest.mark.parametrize(
    ("members", "challenge"), [({"dpop_bound_access_tokens_required": True}, "Bearer"), ({}, "DPoP")]
)
def test_rfc9728_2_resource_may_demand_bound_tokens(members: dict[str, object], challenge: str) -> None:
    """In its metadata, or by offering nothing else."""
    assert found(a_world({URL: challenged(challenge), PLACE: protected(**members)})).dpop


# What is about another resource, or leads to a private network.


def test_rfc9728_3_3_metadata_about_another_resource_are_not_used() -> None:
    """A resource that has tokens requested for another one would get them; nothing more is asked."""
    world = a_world({PLACE: protected(resource="https://bank.example/api")})

    error = refused(world)

    assert isinstance(error, ResourceMismatch)
    assert (error.expected, error.parameter, len(world.asked)) == (URL, "resource_server", 2)


def test_rfc9728_7_3_resource_that_names_the_metadata_of_another_gains_nothing() -> None:
    """The document is the other's own, and says so."""
    bank = "https://bank.example/.well-known/oauth-protected-resource"
    world = a_world(
        {
            URL: challenged(f'Bearer resource_metadata="{bank}"'),
            bank: document({"resource": "https://bank.example", "authorization_servers": [ISSUER]}),
        }
    )

    assert isinstance(refused(world), ResourceMismatch)


def test_mcp_parent_is_asked_at_its_own_place() -> None:
    """What another document says of the parent does not count, and there is no third document."""
    world = a_world(
        {PLACE: protected("https://wrong.example", resource=ORIGIN), ROOT: protected(resource=ORIGIN)}
    )

    access = found(world)

    assert (access.resource, access.metadata.issuer, access.found.at) == (ORIGIN, ISSUER, ROOT)
    for third in (URL, f"{ORIGIN}/", "https://bank.example"):
        assert isinstance(
            refused(a_world({PLACE: protected(resource=ORIGIN), ROOT: protected(resource=third)})),
            ResourceMismatch,
        )


@pytest.mark.parametrize("url", ["/about", "http://mcp.example/about", "https", "", "javascript:alert(1)"])
def test_address_of_metadata_that_cannot_be_one_is_warned_of(url: str) -> None:
    """The well-known places are safe in any case, so that such a server still works."""
    world = a_world({URL: challenged(f'Bearer resource_metadata="{url}"')})

    assert found(world).metadata.issuer == ISSUER
    assert len(world.warnings) == bool(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://10.0.0.1/", "https://localhost/"])
def test_rfc9728_7_7_metadata_in_a_private_network_are_not_requested(url: str) -> None:
    """The user may allow the host; nothing else is tried in its place."""
    world = a_world({URL: challenged(f'Bearer resource_metadata="{url}"')})

    error = refused(world)

    assert isinstance(error, ConfigError)
    assert (error.parameter, world.asked) == ("allow_private", [f"GET {URL}"])


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:1", "https://192.168.1.1", "https://localhost"])
def test_rfc9728_7_7_server_in_a_private_network_is_not_asked(issuer: str) -> None:
    """Nor may its public metadata lead there."""
    world = a_world({PLACE: protected(issuer)})
    endpoint = a_world({AT_ISSUER: server_metadata(ISSUER, token_endpoint=f"{issuer}/token")})

    for one in (world, endpoint):
        error = refused(one)
        assert isinstance(error, MalformedResponse)
        assert error.parameter == "allow_private"
        assert not any(issuer in line for line in one.asked)


# The authorization server's metadata.


@pytest.mark.parametrize(
    ("issuer", "places"),
    [
        (
            f"{ISSUER}/tenant1",
            (
                f"{ISSUER}/.well-known/oauth-authorization-server/tenant1",
                f"{ISSUER}/.well-known/openid-configuration/tenant1",
                f"{ISSUER}/tenant1/.well-known/openid-configuration",
            ),
        ),
        (ISSUER, (AT_ISSUER, f"{ISSUER}/.well-known/openid-configuration")),
    ],
)
def test_mcp_metadata_of_the_server_are_tried_in_this_order(issuer: str, places: tuple[str, ...]) -> None:
    """The specification: clients MUST try these endpoints in this priority order."""
    for last in places:
        world = a_world({PLACE: protected(issuer), AT_ISSUER: NOTHING, last: server_metadata(issuer)})

        assert found(world).metadata.issuer == issuer
        assert world.asked[2:] == [f"GET {place}" for place in places[: places.index(last) + 1]]


def test_mcp_pkce_may_stand_in_a_later_document() -> None:
    """A server whose first document is silent about it may say it in that of OpenID Connect."""
    silent = server_metadata(ISSUER, code_challenge_methods_supported=None)
    world = a_world(
        {AT_ISSUER: silent, f"{ISSUER}/.well-known/openid-configuration": server_metadata(ISSUER)}
    )

    assert found(world).metadata.issuer == ISSUER
    error = refused(a_world({AT_ISSUER: silent}))
    assert isinstance(error, EndpointMissing)
    assert error.parameter == "resource_server"


@pytest.mark.parametrize(("named", "issuer"), [(f"{ISSUER}/", ISSUER), (ISSUER, f"{ISSUER}/")])
def test_slash_at_the_end_of_the_origin_makes_no_other_server(named: str, issuer: str) -> None:
    """Many resources spell it otherwise than their server, whose own spelling counts from then on."""
    world = a_world({PLACE: protected(named), AT_ISSUER: server_metadata(issuer)})

    assert found(world).metadata.issuer == issuer


def test_rfc8414_3_3_server_that_names_another_issuer_is_refused() -> None:
    """The only server: its own error says what is wrong."""
    error = refused(a_world({AT_ISSUER: server_metadata("https://other.example")}))

    assert isinstance(error, IssuerMismatch)
    assert error.parameter == "resource_server"


# Several servers.


def test_rfc9728_7_6_servers_that_cannot_be_used_are_passed_over() -> None:
    """In the order of the list, and the user hears why."""
    weak, down, good = "https://weak.example", "https://down.example", "https://good.example"
    world = a_world(
        {
            PLACE: protected(weak, down, "not an issuer", good),
            f"{weak}/.well-known/oauth-authorization-server": server_metadata(
                weak, code_challenge_methods_supported=[]
            ),
            f"{down}/.well-known/oauth-authorization-server": DOWN,
            f"{good}/.well-known/oauth-authorization-server": server_metadata(good),
        }
    )

    access = found(world)

    assert access.metadata.issuer == good
    assert list(access.passed_over) == [weak, down, "not an issuer"]
    assert len(world.warnings) == 1
    assert all(one in world.warnings[0] for one in access.passed_over)


def test_known_server_comes_first() -> None:
    """One with a sign-in or a registration costs the user least; its slash does not matter."""
    other = "https://other.example"
    world = a_world({PLACE: protected(other, ISSUER)})

    assert found(world, known=(f"{ISSUER}/",)).metadata.issuer == ISSUER
    assert not any(other in line for line in world.asked)


def test_client_at_a_given_issuer_uses_no_other() -> None:
    """The client ID is of use there alone."""
    provider = replace(CLIENT.provider, metadata=ServerMetadata(issuer=ISSUER))
    client = replace(CLIENT, provider=provider, client_id="x")

    assert (
        found(a_world({PLACE: protected("https://other.example", ISSUER)}), client).metadata.issuer == ISSUER
    )
    assert isinstance(refused(a_world({PLACE: protected("https://other.example")}), client), EndpointMissing)
    silent = a_world({URL: challenged("Bearer"), PLACE: NOTHING})
    assert found(silent, client).metadata.issuer == ISSUER


@pytest.mark.parametrize("number", [10, 11, 5_000])
def test_servers_without_number_are_not_all_asked(number: int) -> None:
    """A resource cannot send the program round the world, nor fill the screen."""
    world = a_world({PLACE: protected(*(f"https://as{one}.example" for one in range(number)))})

    error = refused(world)

    assert isinstance(error, EndpointMissing)
    assert len(world.asked) <= 2 + 3 * MOST_SERVERS
    assert len(str(error)) < 2_000


@pytest.mark.parametrize("issuers", [(ISSUER,) * 500, (ORIGIN, URL, ORIGIN), (f"{ISSUER}/a", f"{ISSUER}/b")])
def test_servers_in_a_loop_end(issuers: tuple[str, ...]) -> None:
    """One that is named twice is asked once, and a server that is the resource leads nowhere further."""
    world = a_world({PLACE: protected(*issuers), AT_ISSUER: NOTHING})

    assert isinstance(refused(world), EndpointMissing)
    assert len(world.asked) == len(set(world.asked)) <= 8


def test_servers_that_are_all_down_may_be_asked_again() -> None:
    """The error is that of a network, and one server's error is passed on as it is."""
    other = "https://other.example"
    both = {AT_ISSUER: DOWN, f"{other}/.well-known/oauth-authorization-server": DOWN}

    assert type(refused(a_world({PLACE: protected(ISSUER, other), **both}))) is TransportError
    assert refused(a_world({AT_ISSUER: DOWN})) is DOWN


# Servers that are older than RFC 9728.


def test_rfc9728_2_without_servers_the_origin_is_asked() -> None:
    """authorization_servers is optional; but then the origin must publish metadata."""
    bare = document({"resource": URL})
    at_origin = f"{ORIGIN}/.well-known/oauth-authorization-server"

    assert found(a_world({PLACE: bare, at_origin: server_metadata(ORIGIN)})).metadata.issuer == ORIGIN
    assert isinstance(refused(a_world({PLACE: bare})), EndpointMissing)


def test_mcp_2025_03_26_origin_publishes_the_metadata() -> None:
    """As in "Authorization Base URL": the path of the MCP server is discarded."""
    oauth = f"{ORIGIN}/oauth"
    endpoints = {"authorization_endpoint": f"{oauth}/authorize", "token_endpoint": f"{oauth}/token"}
    world = ResourceWorld(
        {
            URL: challenged("Bearer"),
            f"{ORIGIN}/.well-known/oauth-authorization-server": server_metadata(ORIGIN, **endpoints),
        }
    )

    access = found(world)

    assert (access.resource, access.metadata.issuer) == (URL, ORIGIN)
    assert access.metadata.token_endpoint == f"{oauth}/token"


@pytest.mark.parametrize(
    ("named", "accepted"),
    [
        (f"{ORIGIN}/oauth", True),
        (f"{ORIGIN}/a/../b", False),
        (f"{ORIGIN}.evil.example/oauth", False),
        (f"{ORIGIN}/oauth?x", False),
        ("http://mcp.example/oauth", False),
        (ISSUER, False),
    ],
)
def test_mcp_2025_03_26_issuer_of_the_origin_may_have_a_path(named: str, accepted: bool) -> None:
    """Nothing has named the issuer, so that what is at the origin may do that; for no other origin."""
    place = f"{ORIGIN}/.well-known/oauth-authorization-server"
    world = ResourceWorld({URL: challenged("Bearer"), place: server_metadata(named)})
    if accepted:
        assert found(world).metadata.issuer == named
    else:
        assert isinstance(refused(world), EndpointMissing | IssuerMismatch | MalformedResponse)


def test_rfc8414_3_3_issuer_that_a_resource_names_has_no_other_path() -> None:
    """The same metadata are refused where the resource has named its issuer."""
    place = f"{ORIGIN}/.well-known/oauth-authorization-server"
    world = a_world({PLACE: protected(ORIGIN), place: server_metadata(f"{ORIGIN}/oauth")})

    assert isinstance(refused(world), IssuerMismatch)


def test_mcp_2025_03_26_without_metadata_the_default_endpoints_are_used() -> None:
    """Whether such a server knows PKCE cannot be known; it is used."""
    access = found(ResourceWorld({f"GET {URL}": NOTHING, f"POST {URL}": challenged("Bearer")}))

    assert (access.resource, access.metadata.issuer) == (URL, ORIGIN)
    assert access.metadata.authorization_endpoint == f"{ORIGIN}/authorize"
    assert access.metadata.token_endpoint == f"{ORIGIN}/token"


def test_resource_that_names_openid_need_not_have_an_openid_provider() -> None:
    """The user did not ask for an ID token; with a client of an issuer, a missing one is an error."""
    answer = document({"access_token": "a", "token_type": "bearer"})
    client = replace(CLIENT, client_id="x", scope="openid read")
    metadata = ServerMetadata(issuer=ISSUER)
    checked = checked_tokens(client, metadata, answer, nonce="n", keys=None, verify_signature=False)

    tokens = ResourceWorld({}).run(checked)

    assert (tokens.access_token, tokens.id_token) == ("a", None)
    at_issuer = replace(client, resource_server="")
    with pytest.raises(MalformedResponse):
        ResourceWorld({}).run(
            checked_tokens(at_issuer, metadata, answer, nonce="n", keys=None, verify_signature=False)
        )


# Answers that lead nowhere.


@pytest.mark.parametrize("url", ["https://mcp.example/about", "/about"])
def test_resource_that_names_its_metadata_is_not_an_old_one(url: str) -> None:
    """Without them, nothing may be guessed in their place."""
    world = ResourceWorld({URL: challenged(f'Bearer resource_metadata="{url}"')})

    assert isinstance(refused(world), EndpointMissing)
    assert not any("authorization-server" in line for line in world.asked)


def test_address_that_demands_nothing_is_not_a_resource() -> None:
    """The error says what came, and where a redirect leads."""
    plain = refused(ResourceWorld({}))
    moved = refused(ResourceWorld({URL: HttpResponse(308, (("Location", f"{URL}/\x1b[2J"),))}))

    assert (type(plain), type(moved)) == (EndpointMissing, EndpointMissing)
    assert f"{URL}/" in moved.hint
    assert "\x1b" not in moved.hint


@pytest.mark.parametrize("at", [URL, PLACE])
def test_resource_that_does_not_answer_ends_the_search(at: str) -> None:
    """No other document takes the place of one that could not be read now."""
    assert refused(a_world({at: DOWN})) is DOWN
    assert isinstance(refused(a_world({PLACE: HttpResponse(503)})), TransportError)
