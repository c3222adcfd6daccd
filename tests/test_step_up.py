"""A server wants more than another token: more scope, or a stronger or more recent authentication."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from clients.api import api, source_at
from renewing import keeping, sign_in_at

from loopback_auth import ClientConfig, TokenSource
from loopback_auth.demo.setup import ACR_VALUES
from loopback_auth.errors import AuthorizationError, RedirectUnavailable, SignInRequired, StillRefused
from loopback_auth.events import silent
from loopback_auth.flows.requirement import Authentication, Requirement, challenged
from loopback_auth.model import Provider
from loopback_auth.records import replace
from loopback_auth.signin.process_state import MOST_ASKED
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser

BEST = " ".join(reversed(ACR_VALUES))
STRONGER = f'Bearer error="insufficient_user_authentication", acr_values="{BEST}", max_age="300"'
MORE_SCOPE = 'Bearer error="insufficient_scope", scope="email"'


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an API and its authorization server."""
    with api() as served:
        yield served


def asked(server: DemoAuthorizationServer) -> list[tuple[str, str, str]]:
    """Return scope, acr_values and max_age of every authorization request."""
    requests = [one.parameters for one in server.log if one.path == "/authorize" and one.method == "GET"]
    names = ("scope", "acr_values", "max_age")
    return [(one.get(names[0], ""), one.get(names[1], ""), one.get(names[2], "")) for one in requests]


async def test_rfc9470_4_user_signs_in_again_with_what_the_challenge_names(
    server: DemoAuthorizationServer,
) -> None:
    """The token that was refused is never returned again, and nothing that was granted is lost."""
    source = source_at(server)
    old = await source.token()
    new = await source.token(challenge=STRONGER)

    assert new != old
    assert asked(server)[-1] == ("profile", BEST, "300")
    assert await source.token() == new


async def test_rfc9470_5_renewal_is_not_tried(server: DemoAuthorizationServer) -> None:
    """A refresh token continues the authentication that the server finds too weak."""
    source = source_at(server)
    await source.token(refused=await source.token(), challenge=STRONGER)

    assert server.requests("token", grant="refresh_token") == 0


async def test_user_authenticates_once_for_all_requests(server: DemoAuthorizationServer) -> None:
    """Twenty requests meet the same challenge, and there is one user."""
    source = source_at(server)
    old = await source.token()
    came = await asyncio.gather(*(source.token(refused=old, challenge=STRONGER) for _ in range(20)))

    assert (len(set(came)), old in came) == (1, False)
    assert len(asked(server)) == 2


def test_user_authenticates_once_for_all_threads(server: DemoAuthorizationServer) -> None:
    """The same, where a program has no event loop."""
    source = source_at(server)
    old = source.token_sync()
    with ThreadPoolExecutor(8) as pool:
        came = set(pool.map(lambda _: source.token_sync(refused=old, challenge=STRONGER), range(16)))

    assert (len(came), old in came) == (1, False)
    assert len(asked(server)) == 2


async def test_server_that_is_never_satisfied_is_no_loop(server: DemoAuthorizationServer) -> None:
    """The user has just authenticated in the way that the server names."""
    source = source_at(server)
    await source.token()
    await source.token(challenge=STRONGER)
    with pytest.raises(SignInRequired) as refusal:
        await source.token(challenge=STRONGER)

    assert (refusal.value.acr_values, refusal.value.max_age) == (BEST, 300)
    assert len(asked(server)) == 2


async def test_another_authentication_is_asked_for_though_one_was_just_made(
    server: DemoAuthorizationServer,
) -> None:
    """It is another wish, and each is bounded by itself."""
    source = source_at(server)
    await source.token(challenge=STRONGER)
    await source.token(challenge=STRONGER.replace(BEST, ACR_VALUES[0]))

    assert asked(server)[-1] == ("profile", ACR_VALUES[0], "300")


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer error="insufficient_scope", scope="mcp:{}"',
        'Bearer error="insufficient_user_authentication", max_age="{}"',
    ],
)
async def test_server_that_wants_something_else_each_time_is_no_loop(
    server: DemoAuthorizationServer, challenge: str
) -> None:
    """Each wish is new, but there is one user, who would see a tab for each request."""
    source = source_at(server)
    await source.token()
    refusals = 0
    for number in range(MOST_ASKED + 5):
        try:
            await source.token(challenge=challenge.format(number))
        except SignInRequired:
            refusals += 1
        except AuthorizationError:
            continue  # The demo server knows no such scope.

    assert len(asked(server)) == 1 + MOST_ASKED
    assert refusals == 5
    assert await source.token()


@pytest.mark.parametrize("refused", [None, "access-0"])
async def test_challenge_is_an_error_where_no_user_may_be_asked(refused: str | None) -> None:
    """The program that catches it can ask in its own way; the weaker token is not returned."""
    kept = sign_in_at("http://127.0.0.1:1")
    kept = replace(kept, tokens=replace(kept.tokens, expires_at=None))
    client = ClientConfig(Provider(kept.name, kept.metadata), kept.client_id)
    source = TokenSource(client, store=keeping(kept), interactive=False)
    with pytest.raises(SignInRequired) as refusal:
        await source.token(refused=refused, challenge=STRONGER)

    assert not isinstance(refusal.value, StillRefused)
    assert (refusal.value.acr_values, refusal.value.max_age) == (BEST, 300)
    assert refusal.value.parameter == "acr_values max_age"
    assert await source.token() == "access-0"


@pytest.mark.parametrize(
    ("challenge", "wish"), [(STRONGER, ("", BEST, 300)), (MORE_SCOPE, ("email", "", None))]
)
async def test_where_nobody_waits_the_error_says_what_is_wanted(
    server: DemoAuthorizationServer, challenge: str, wish: tuple[str, str, int | None]
) -> None:
    """In a CI job the sign-in would fail with a sentence about the machine alone."""
    held = source_at(server)
    source = TokenSource(held.client, store=held.store, wait=False)
    with pytest.raises(SignInRequired) as refusal:
        await source.token(challenge=challenge)

    assert (refusal.value.scope, refusal.value.acr_values, refusal.value.max_age) == wish


async def test_what_else_is_wrong_with_this_machine_is_told_as_it_is(server: DemoAuthorizationServer) -> None:
    """A port that is in use has nothing to do with what the server wants."""
    held = source_at(server)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        redirect = replace(held.client.provider.redirect, ports=(taken.getsockname()[1],))
        client = replace(held.client, provider=replace(held.client.provider, redirect=redirect))
        source = TokenSource(
            client, store=held.store, open_browser=SimulatedUser().open, notify=silent, flow="code"
        )
        with pytest.raises(RedirectUnavailable):
            await source.token(challenge=MORE_SCOPE)


async def test_both_challenges_one_after_the_other_lose_nothing(server: DemoAuthorizationServer) -> None:
    """The second sign-in asks for the scope of the first as well."""
    source = source_at(server)
    await source.token()
    await source.token(challenge=MORE_SCOPE)
    await source.token(challenge=STRONGER)

    assert asked(server)[-2:] == [("profile email", "", ""), ("profile email", BEST, "300")]


async def test_source_that_never_asks_renews(server: DemoAuthorizationServer) -> None:
    """It shares tokens with the one that may ask, and says so where only the user can help."""
    source = source_at(server)
    quiet = source.without_asking()
    old = await quiet.token()

    assert await quiet.token(refused=old) == await source.token() != old
    with pytest.raises(SignInRequired):
        await quiet.token(challenge=MORE_SCOPE)
    assert (quiet.interactive, source.interactive) == (False, True)
    assert len(asked(server)) == 1


@pytest.mark.parametrize(
    ("challenge", "refused", "scope", "authentication"),
    [
        (STRONGER, "latest", "", Authentication(BEST, 300)),
        ('DPoP error="insufficient_user_authentication"', "latest", "", Authentication()),
        ('Bearer error="insufficient_user_authentication", max_age=0', "latest", "", Authentication("", 0)),
        ('Bearer error="invalid_token", scope="a"', "latest", "", None),
        ('DPoP error="insufficient_scope", scope="a"', "", "a", None),
        ('Bearer error="insufficient_scope"', "", "", None),
        ('Bearer scope="a"', "", "", None),
        ('Basic error="insufficient_user_authentication"', "", "", None),
        ("=,=,", "", "", None),
    ],
)
def test_what_a_challenge_changes(
    challenge: str, refused: str, scope: str, authentication: Authentication | None
) -> None:
    """Only what is about our token, and only what the server names."""
    client = ClientConfig.at("https://id.example", client_id="c")
    needed = challenged(Requirement(client, interactive=True), challenge, latest="latest")

    assert (needed.refused, needed.challenge_scope, needed.authentication) == (refused, scope, authentication)
    assert needed.asking(None).challenge == ""


RESOURCE = ClientConfig.for_resource("https://mcp.example/mcp")
KEPT = replace(
    sign_in_at("https://id.example"),
    resource_server="https://mcp.example/mcp",
    requested_scope="a offline_access",
)


@pytest.mark.parametrize(
    ("challenge", "kept", "scope"),
    [
        # What the challenge names is read with the metadata, which may add offline_access.
        ('Bearer scope="a b", resource_metadata="https://mcp.example/x"', None, ""),
        ('Bearer error="insufficient_scope", scope="a b"', None, ""),
        ('Bearer error="insufficient_scope", scope="b"', KEPT, "a offline_access b"),
        # The metadata name it, and what they name is added then.
        ('Bearer error="insufficient_scope"', KEPT, "a offline_access"),
        ('Bearer error="invalid_token", scope="b"', KEPT, "a offline_access b"),
    ],
)
def test_rfc9728_5_1_client_of_a_resource_takes_the_challenge_along(
    challenge: str, kept: object, scope: str
) -> None:
    """It says where the metadata are, and which scope; what was granted before is asked for again."""
    needed = challenged(Requirement(RESOURCE, interactive=True), challenge, latest="")
    client = needed.asking(KEPT if kept else None)

    assert (client.challenge, client.scope) == (challenge, scope)
