"""A client ID for a program that has none: its document, a kept registration, or a new one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from time_leap import leap, leaping

from loopback_auth import (
    AttemptExpired,
    ClientConfig,
    ClientMetadata,
    ConfigError,
    FileTokenStore,
    Registration,
    Registrations,
    SignIn,
    SignInRequired,
    StillPending,
    TokenError,
    login_sync,
    logout_sync,
    renew_sync,
)
from loopback_auth.events import CallbackReceived, Event, Exchanged, LinkOpened, Preparing, silent
from loopback_auth.model import ClientAuth
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.two_step import begin_sync, resume_sync


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an authorization server with open registration."""
    with serve() as demo:
        yield demo


@pytest.fixture
def store(tmp_path: Path) -> FileTokenStore:
    """Return an empty store."""
    return FileTokenStore(tmp_path)


def unregistered(
    server: DemoAuthorizationServer, *, client_auth: ClientAuth | None = None, scope: str = "profile"
) -> ClientConfig:
    """Return a client that has no client ID."""
    client = ClientConfig.at(server.issuer, client_metadata=ClientMetadata(), scope=scope)
    return replace(client, provider=replace(client.provider, client_auth=client_auth))


def sign_in(client: ClientConfig, store: FileTokenStore | None, events: list[Event] | None = None) -> SignIn:
    """Have a simulated user sign in."""
    notify = silent if events is None else events.append
    return login_sync(client, store=store, open_browser=SimulatedUser().open, notify=notify, wait=True)


def kept(store: FileTokenStore, server: DemoAuthorizationServer) -> tuple[Registration, ...]:
    """Return what is kept at a server."""
    found = store.read_registrations(server.issuer)
    return () if found is None else found.clients


def registered(server: DemoAuthorizationServer, method: str = "POST") -> int:
    """Count the registrations, or what was done with them."""
    return sum(one.path.startswith("/register") and one.method == method for one in server.log)


def test_program_registers_and_signs_in_with_that_client(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The registration has the redirect URI that was bound, and is kept (RFC 7591 §3)."""
    events: list[Event] = []
    done = sign_in(unregistered(server), store, events)
    asked = next(one for one in server.log if one.path == "/authorize").parameters

    (registration,) = kept(store, server)
    assert done.client_id == registration.client_id == asked["client_id"]
    assert registration.redirect_uris == (asked["redirect_uri"],)
    assert done.client_auth == "none"
    assert Preparing("registration", server.issuer) in events


def test_second_sign_in_has_the_same_client_and_the_same_port(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """A server may compare the port too, so the registered one is bound first (RFC 6749 §3.1.2.3)."""
    first, second = sign_in(unregistered(server), store), sign_in(unregistered(server), store)

    uris = {one.parameters["redirect_uri"] for one in server.log if one.path == "/authorize"}
    assert (first.client_id, len(uris), registered(server)) == (second.client_id, 1, 1)


def test_taken_port_is_added_to_the_registration(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """Another program may listen there; the client stays the same where it can be changed (RFC 7592 §2.2)."""
    first = sign_in(unregistered(server), store)
    (before,) = kept(store, server)
    with socket.create_server(("127.0.0.1", store.registered_ports(server.issuer)[0])):
        second = sign_in(unregistered(server), store)

    (after,) = kept(store, server)
    assert first.client_id == second.client_id == after.client_id
    assert set(before.redirect_uris) < set(after.redirect_uris)
    assert (registered(server), registered(server, "PUT")) == (1, 1)


def test_forgotten_registration_is_made_anew_once(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """A server that does not know the client shows an error page, and no browser would come back."""
    first = sign_in(unregistered(server), store)
    server.forget_registrations()
    second, third = sign_in(unregistered(server), store), sign_in(unregistered(server), store)

    assert first.client_id != second.client_id == third.client_id
    assert [one.client_id for one in kept(store, server)] == [second.client_id]
    assert registered(server) == 2


def test_scope_that_was_not_registered_is_added(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """Servers let a client ask for no other scope than it is registered with (RFC 7591 §2)."""
    first = sign_in(unregistered(server), store)
    second = sign_in(unregistered(server, scope="profile email"), store)

    (registration,) = kept(store, server)
    assert (first.client_id, registration.scope) == (second.client_id, "profile email")


def test_secret_of_a_registration_renews_the_sign_in(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The program does not know the secret, so that it could not be given (RFC 7591 §3.2.1)."""
    client = unregistered(server, client_auth="client_secret_basic", scope="profile offline_access")
    first = sign_in(client, store)
    (registration,) = kept(store, server)
    renewed = renew_sync(first, store=store, force=True)

    assert registration.client_secret is not None
    assert registration.client_secret not in (
        store.path(first.name) and Path(store.path(first.name)).read_text()
    )
    assert renewed.tokens.access_token != first.tokens.access_token


def test_registration_that_is_lost_requires_a_sign_in(
    server: DemoAuthorizationServer, store: FileTokenStore, tmp_path: Path
) -> None:
    """A damaged file costs this and nothing else; the user cannot give a secret that was never shown."""
    client = unregistered(server, client_auth="client_secret_basic", scope="profile offline_access")
    first = sign_in(client, store)
    (path,) = (tmp_path / "registrations").glob("*.json")
    path.write_text("{half a fi")

    with pytest.raises(SignInRequired, match="registration"):
        renew_sync(first, store=store, force=True)
    second = sign_in(client, store)
    assert renew_sync(second, store=store, force=True).tokens != second.tokens


def test_registration_that_is_forgotten_at_a_renewal_requires_a_sign_in(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The refresh token is bound to the client (RFC 6749 §6), so a new registration does not help it."""
    first = sign_in(unregistered(server, scope="profile offline_access"), store)
    server.forget_registrations()

    for _ in range(2):  # A program asks again, and so do the others.
        with pytest.raises(SignInRequired, match="registration"):
            renew_sync(first, store=store, force=True)

    assert kept(store, server) == ()
    assert sign_in(unregistered(server), store).client_id != first.client_id


def test_logout_leaves_the_registration_unless_it_is_asked(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The next sign-in uses it again; who wants to leave no trace has it deleted (RFC 7592 §2.3)."""
    first = sign_in(unregistered(server), store)
    logout_sync(first, store=store)
    assert [one.client_id for one in kept(store, server)] == [first.client_id]

    second = sign_in(unregistered(server), store)
    logout_sync(second, store=store, unregister=True)
    assert kept(store, server) == ()
    assert (registered(server), registered(server, "DELETE")) == (1, 1)


def test_registration_that_another_sign_in_needs_is_not_deleted(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """Two resources may have one authorization server, and then one client."""
    first = sign_in(unregistered(server), store)
    store.save(replace(first, name="other"))
    logout_sync(first, store=store, unregister=True)

    assert [one.client_id for one in kept(store, server)] == [first.client_id]
    assert registered(server, "DELETE") == 0


def test_registration_can_be_given_up_after_its_sign_in(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The user may have signed out before; what another sign-in needs stays."""
    client = unregistered(server)
    first = sign_in(client, store)
    store.delete(first.name)
    store.save(replace(first, name="other"))
    assert not logout_sync(client, store=store, unregister=True)
    assert [one.client_id for one in kept(store, server)] == [first.client_id]

    store.delete("other")
    assert not logout_sync(client, store=store, unregister=True)
    assert (kept(store, server), registered(server, "DELETE")) == ((), 1)


def test_program_without_a_store_registers_for_this_sign_in(server: DemoAuthorizationServer) -> None:
    """There is nowhere to keep it."""
    assert sign_in(unregistered(server), None).client_id != sign_in(unregistered(server), None).client_id


def test_given_client_id_comes_first(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """MCP authorization specification 2025-11-25, "Client Registration Approaches"."""
    done = sign_in(replace(unregistered(server), client_id=server.client_id), store)

    assert (done.client_id, registered(server)) == (server.client_id, 0)


def unmanaged(store: FileTokenStore, server: DemoAuthorizationServer) -> None:
    """Let what is kept be that of a server which does not offer RFC 7592."""
    clients = tuple(
        replace(one, registration_client_uri="", registration_access_token="") for one in kept(store, server)
    )
    store.write_registrations(server.issuer, Registrations(clients))


def test_server_without_management_is_asked_whether_it_knows_the_client(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """RFC 6749 §5.2: its token endpoint says so; the user would be led to an error page otherwise."""
    first = sign_in(unregistered(server), store)
    unmanaged(store, server)
    second = sign_in(unregistered(server), store)
    server.forget_registrations()
    third = sign_in(unregistered(server), store)

    assert first.client_id == second.client_id != third.client_id
    assert (registered(server), server.requests("authorize", status=400)) == (2, 0)


def test_client_that_a_pushed_request_does_not_know_is_registered_again(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """RFC 9126 §2.3: the browser waits at the start page meanwhile, and is led on once."""
    client = replace(unregistered(server), push=True)
    first = sign_in(client, store)
    unmanaged(store, server)
    server.forget_registrations()
    second = sign_in(client, store)

    assert first.client_id != second.client_id
    assert [one.client_id for one in kept(store, server)] == [second.client_id]
    assert (registered(server), server.requests("authorize")) == (2, 2)


def test_client_that_is_forgotten_while_the_user_approves_is_registered_next_time(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The code is bound to the client (RFC 6749 §4.1.3), so the user has to begin again; once is enough."""

    def forget(event: Event) -> None:
        if isinstance(event, CallbackReceived):
            server.forget_registrations()

    with pytest.raises(TokenError) as caught:
        login_sync(
            unregistered(server), store=store, open_browser=SimulatedUser().open, notify=forget, wait=True
        )
    assert (caught.value.error, "register" in caught.value.hint) == ("invalid_client", True)
    assert not caught.value.parameter  # No setting can mend it.
    assert kept(store, server) == ()

    sign_in(unregistered(server), store)
    assert registered(server) == 2


def test_secrets_of_a_registration_are_in_no_event_and_no_error(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The client secret and the registration access token are credentials like tokens (RFC 7592 §5)."""
    client = unregistered(server, client_auth="client_secret_post")
    events: list[Event] = []
    first = sign_in(client, store, events)
    second = sign_in(client, store, events)
    (registration,) = kept(store, server)
    logout_sync(second, store=store, unregister=True, notify=events.append)

    steps = {event.step for event in events if isinstance(event, Exchanged)}
    assert {"registration request", "registration read request", "registration delete request"} <= steps
    for secret in (registration.client_secret, registration.registration_access_token):
        assert secret
        assert secret not in repr((events, first, second, client, registration))
        assert secret not in str([vars(event) if hasattr(event, "__dict__") else event for event in events])


def leads_to(url: str) -> str:
    """Get a page as a browser does, and return where it leads."""
    where = urlsplit(url)
    connection = HTTPConnection(where.netloc, timeout=60)
    target = f"{where.path}?{where.query}" if where.query else where.path
    connection.request("GET", target, headers={"Accept": "text/html", "User-Agent": "Mozilla/5.0"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers.get("Location", "")


def test_two_steps_share_a_registration_with_a_secret(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The process that finishes has neither been given the secret nor kept it with what is pending."""
    client = unregistered(server, client_auth="client_secret_basic")
    first = sign_in(client, store)
    pending = begin_sync(client, "paste", store=store)
    assert pending.client.client_id == first.client_id

    with pytest.raises(ConfigError):
        resume_sync(pending, save=lambda _: None)
    with pytest.raises(StillPending):
        resume_sync(pending, save=lambda _: None, store=store)
    assert registered(server) == 1


def test_error_page_of_the_server_makes_the_registration_anew(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """RFC 6749 §4.1.2.1: the server must not redirect then, so that the program waits in vain, once."""
    first = sign_in(unregistered(server), store)

    def forget(event: Event) -> None:
        if isinstance(event, LinkOpened):
            server.forget_registrations()
            leap(10.0)

    with pytest.raises(AttemptExpired) as caught:
        login_sync(
            unregistered(server),
            store=store,
            open_browser=SimulatedUser().open,
            notify=forget,
            wait=True,
            flow="code",
            timeout=10.0,
        )
    assert "register" in caught.value.hint
    assert kept(store, server) == ()

    assert sign_in(unregistered(server), store).client_id != first.client_id


def test_user_who_takes_too_long_costs_no_registration(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The server goes on to its own page, so it knows the client."""
    first = sign_in(unregistered(server), store)
    with pytest.raises(AttemptExpired):
        login_sync(
            unregistered(server),
            store=store,
            open_browser=leads_to,
            notify=leaping(10.0, at=LinkOpened),
            wait=True,
            flow="code",
            timeout=10.0,
        )

    assert [one.client_id for one in kept(store, server)] == [first.client_id]
