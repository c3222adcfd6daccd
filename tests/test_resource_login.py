"""Sign in when only the URL of a protected resource is known."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from resource_world import ResourceServer, challenged, document, resource_server, server_metadata

from loopback_auth import (
    Accounts,
    ClientConfig,
    ClientMetadata,
    ConfigError,
    EndpointMissing,
    FileTokenStore,
    MemoryTokenStore,
    Network,
    ResourceMismatch,
    SignIn,
    TokenSource,
    client_for_resource,
    client_for_resource_sync,
    login_sync,
    refresh_sync,
    renew_sync,
)
from loopback_auth.errors import AttemptExpired, LoopbackAuthError, SignInRequired, StoreError, TransportError
from loopback_auth.events import Event, Exchanged, LinkReady, SignInFailed, silent
from loopback_auth.flow_table import TwoStepFlow
from loopback_auth.http_messages import HttpResponse
from loopback_auth.options import Options
from loopback_auth.signin.stores import Store
from loopback_auth.store.pending_sign_in import PendingSignIn, from_json, to_json
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve
from loopback_auth.two_step import PendingStore, begin_sync, resume_sync


@dataclass
class Place:
    """A resource with its authorization server, and a user."""

    server: DemoAuthorizationServer
    resource: ResourceServer
    user: SimulatedUser
    url: str

    @property
    def client(self) -> ClientConfig:
        """Return a client of which nothing but the resource and the client ID is known."""
        return ClientConfig.for_resource(self.url, client_id=self.server.client_id)

    @property
    def options(self) -> Options:
        """Return the options of a login that the user approves."""
        return {"open_browser": self.user.open, "notify": silent, "wait": True}

    def login(self, client: ClientConfig | None = None, store: Store | None = None) -> SignIn:
        """Sign the user in."""
        options = self.options
        options["store"] = store
        return login_sync(client or self.client, **options)

    def named(self, grant: str) -> str | None:
        """Return the resource that the last request with a grant named."""
        return [one for one in self.server.log if one.grant == grant][-1].parameters.get("resource")


@pytest.fixture(scope="module")
def server() -> Generator[DemoAuthorizationServer]:
    """Serve once."""
    with serve() as running:
        yield running


@pytest.fixture
def place(server: DemoAuthorizationServer) -> Generator[Place]:
    """Serve a resource that the server protects."""
    with resource_server() as resource:
        url = resource.protect("/mcp", server.issuer, scopes=("profile", "email"))
        yield Place(server, resource, SimulatedUser(), url)


def test_url_of_a_resource_is_enough_to_sign_in(place: Place) -> None:
    """The authorization server and the scope are found at the resource, and the tokens are for it."""
    sign_in = place.login()
    authorization = [one for one in place.server.log if one.path == "/authorize"][-1]

    assert (sign_in.resource_server, sign_in.resource) == (place.url, (place.url,))
    assert sign_in.metadata.issuer == place.server.issuer
    assert sign_in.requested_scope == "profile email offline_access"
    assert sign_in.tokens.account == "demo@example.com"
    assert authorization.parameters["resource"] == place.named("authorization_code") == place.url


def test_kept_sign_in_is_found_by_the_resource_without_a_request(place: Place, tmp_path: Path) -> None:
    """Every client on a machine that has the URL shares it, and nothing is discovered again."""
    first = place.login(store=FileTokenStore(str(tmp_path))).tokens.access_token
    asked, answered = len(place.resource.asked), len(place.server.log)
    without_id = ClientConfig.for_resource(place.url)
    source = TokenSource(without_id, store=FileTokenStore(str(tmp_path)), interactive=False)

    assert source.token_sync() == first
    assert (len(place.resource.asked), len(place.server.log)) == (asked, answered)


@pytest.mark.parametrize("lost", ["keys/*.json", "sign-ins/*.json"])
def test_what_was_kept_and_is_lost_is_replaced(place: Place, tmp_path: Path, lost: str) -> None:
    """The error about a lost key, or a damaged file, says to sign in again: that must work."""
    store, client = FileTokenStore(str(tmp_path)), replace(place.client, dpop=True)
    place.login(client, store)
    (file,) = tmp_path.glob(lost)
    file.write_text("{")
    with pytest.raises(StoreError):
        store.load(client.provider.name)
    again = place.login(client, store)

    assert store.load(client.provider.name) == again


def test_rfc8707_2_2_renewal_names_the_resource(place: Place) -> None:
    """The renewed token is for the same resource, which is not asked when a token has only become old."""
    store = MemoryTokenStore()
    first, asked = place.login(store=store), len(place.resource.asked)

    store.save(replace(first, tokens=replace(first.tokens, expires_at=first.tokens.obtained_at)))

    renewed = renew_sync(place.client, store=store)

    assert renewed.tokens.access_token != first.tokens.access_token
    assert (place.named("refresh_token"), len(place.resource.asked)) == (place.url, asked)


def test_sign_in_for_another_resource_is_not_used(place: Place) -> None:
    """A token must not go to a resource that it is not for, though both have one name in the store."""
    store = MemoryTokenStore()
    place.login(store=store)
    other = ClientConfig.for_resource(f"{place.url}-other", client_id=place.server.client_id)
    kept = store.read(place.client.provider.name)
    assert kept is not None
    store.write(other.provider.name, replace(kept, name=other.provider.name))

    with pytest.raises(SignInRequired):
        TokenSource(other, store=store, interactive=False).token_sync()


@pytest.mark.parametrize(("asked", "kept"), [("/", ""), ("", "/")])
def test_final_slash_makes_no_other_resource(place: Place, asked: str, kept: str) -> None:
    """Two spellings of one URL have one sign-in, instead of replacing each other's."""
    store = MemoryTokenStore()
    for path in ("/mcp", "/mcp/"):
        place.resource.protect(path, place.server.issuer)
    place.login(ClientConfig.for_resource(place.url + kept, client_id=place.server.client_id), store)
    source = TokenSource(ClientConfig.for_resource(place.url + asked), store=store, interactive=False)

    assert source.token_sync()


def test_accounts_of_a_resource_stand_side_by_side(place: Place) -> None:
    """Nothing about several accounts depends on where the server was found."""
    accounts = Accounts(place.client, **place.options)

    added = accounts.add_sync()

    assert [one.account for one in accounts.list()] == [added.account]
    assert accounts.source(added.account).token_sync() == added.tokens.access_token


async def test_client_for_resource_knows_the_server(place: Place) -> None:
    """A program may look at what it will ask for before it does."""
    client = await client_for_resource(place.url, client_id=place.server.client_id, scope="email")

    assert client.provider.metadata.issuer == place.server.issuer
    assert (client.resource, client.scope, client.resource_server) == ((place.url,), "email", place.url)


def test_found_client_signs_in_without_asking_the_resource_again(place: Place) -> None:
    """The door and the sign-in find the same, once."""
    client = client_for_resource_sync(place.url, client_id=place.server.client_id)
    asked = len(place.resource.asked)

    sign_in = place.login(client)

    assert (sign_in.resource, len(place.resource.asked)) == ((place.url,), asked)


def test_one_that_has_a_sign_in_is_taken_of_several_servers(place: Place) -> None:
    """The user is not sent to another server than last time because the list was turned round."""
    store = MemoryTokenStore()
    place.login(store=store)
    with serve() as other:
        place.resource.protect("/mcp", other.issuer, place.server.issuer)
        known = client_for_resource_sync(place.url, client_id=place.server.client_id, store=store)
        unknown = client_for_resource_sync(place.url, client_id="x")

    assert known.provider.metadata.issuer == place.server.issuer
    assert unknown.provider.metadata.issuer == other.issuer


def test_sign_in_in_two_steps_begins_at_the_resource(place: Place, tmp_path: Path) -> None:
    """What an agent keeps between its steps knows the server, so that the second asks for nothing more."""
    store = PendingStore(str(tmp_path))
    pending = begin_sync(place.client, "paste")
    asked = len(place.resource.asked)
    pending = from_json(PendingSignIn, to_json(pending), pending.handle)
    sign_in = resume_sync(pending, save=store.save, paste=place.user.paste)

    assert (sign_in.resource_server, sign_in.resource) == (place.url, (place.url,))
    assert len(place.resource.asked) == asked


def test_query_of_a_resource_is_sent_and_not_shown(place: Place, tmp_path: Path) -> None:
    """Some servers have a key in their URL: it is in no event, in no error, and in no file's name."""
    told: list[Event] = []
    options = place.options
    options["notify"] = told.append
    options["store"] = FileTokenStore(str(tmp_path))
    place.resource.protect("/mcp", place.server.issuer)
    url = f"{place.url}?key=s3cret"
    client = ClientConfig.for_resource(url, client_id=place.server.client_id)

    parent = login_sync(client, **options)
    at = "/.well-known/oauth-protected-resource/mcp"
    place.resource.answers[at] = document({"resource": url, "authorization_servers": [place.server.issuer]})
    place.resource.answers["/mcp"] = challenged("Bearer")
    signed_in = login_sync(client, **options)
    place.resource.answers[at] = document({"resource": f"{url}-other"})
    with pytest.raises(ResourceMismatch) as refusal:
        login_sync(client, **options)
    place.resource.answers.clear()
    with pytest.raises(EndpointMissing) as missing:
        login_sync(client, **options)

    assert (parent.resource, signed_in.resource) == ((place.url,), (url,))
    assert f"GET {at}?key=s3cret" in place.resource.asked
    shown = [str(refusal.value), str(missing.value), signed_in.name]
    shown += [repr(event) for event in told if not isinstance(event, Exchanged)]
    shown += [path.name for path in tmp_path.rglob("*")]
    assert not any("s3cret" in one for one in shown)


def test_no_client_is_registered_for_a_flow_that_the_server_does_not_offer(tmp_path: Path) -> None:
    """A program tries one flow after the other, and would leave a client at the server for each."""
    with resource_server() as resource:
        url = resource.protect("/mcp", resource.origin)
        resource.answers["/.well-known/oauth-authorization-server"] = server_metadata(resource.origin)
        with pytest.raises(EndpointMissing):
            begin_sync(ClientConfig.for_resource(url), "device", store=FileTokenStore(str(tmp_path)))

        assert [line for line in resource.asked if "register" in line] == []


@pytest.mark.parametrize("flow", ["paste", "device"])
def test_sign_in_in_two_steps_registers_the_redirect_uri_of_its_second(
    place: Place, tmp_path: Path, flow: TwoStepFlow
) -> None:
    """Nothing listens there, but the server compares it; by device there is none."""
    store, pendings = FileTokenStore(str(tmp_path)), PendingStore(str(tmp_path))
    registered = place.server.requests("register")

    pending = begin_sync(ClientConfig.for_resource(place.url), flow, store=store)
    if flow == "device":
        place.user.visit(pending.url, user_code=pending.user_code)
        place.user.page_sync()
    sign_in = resume_sync(pending, save=pendings.save, store=store, wait=10.0, paste=place.user.paste)
    again = begin_sync(ClientConfig.for_resource(place.url), "device", store=store)

    assert sign_in.resource == (place.url,)
    assert again.client.client_id == sign_in.client_id
    assert place.server.requests("register") == registered + 1


@pytest.mark.parametrize("name", ["store", "program", "notify"])
def test_sign_in_in_two_steps_checks_its_arguments(place: Place, name: str) -> None:
    """Before anything is requested."""
    wrong: dict[str, Any] = {name: 7}

    with pytest.raises(ConfigError) as refusal:
        begin_sync(place.client, "paste", **wrong)

    assert (refusal.value.parameter, place.resource.asked) == (name, [])


def test_device_request_names_the_resource(place: Place) -> None:
    """RFC 8707 has the parameter in every request that asks for tokens."""
    begin_sync(place.client, "device")

    request = [one for one in place.server.log if one.path == "/device_authorization"][-1]
    assert request.parameters["resource"] == place.url


def test_refresh_token_of_another_keeper_is_renewed_at_the_server_of_the_resource(place: Place) -> None:
    """The same client can be passed to every door."""
    tokens = place.login().tokens
    assert tokens.refresh_token is not None

    renewed = refresh_sync(place.client, tokens.refresh_token)

    assert renewed.access_token != tokens.access_token
    assert place.named("refresh_token") == place.url


def test_refresh_token_has_a_client_already(place: Place) -> None:
    """A client that was registered now could not use it."""
    with pytest.raises(ConfigError) as refusal:
        refresh_sync(ClientConfig.for_resource(place.url), "token")

    assert refusal.value.parameter == "client_id"


def test_browser_is_shown_why_the_resource_cannot_be_used(place: Place) -> None:
    """It has been sent to the start page before the resource was asked."""
    told: list[Event] = []
    place.resource.answers["/.well-known/oauth-protected-resource/mcp"] = document(
        {"resource": "https://bank.example/", "authorization_servers": [place.server.issuer]}
    )

    with pytest.raises(ResourceMismatch):
        login_sync(place.client, open_browser=place.user.open, notify=told.append, wait=True)

    kinds = [type(event) for event in told]
    assert kinds.index(LinkReady) < kinds.index(SignInFailed)
    assert "bank.example" in place.user.page_sync()


def test_accounts_share_one_registration(place: Place) -> None:
    """The client is the same for all of them, and a server may limit how many it registers."""
    accounts = Accounts(ClientConfig.for_resource(place.url), **place.options)
    registered = place.server.requests("register")
    for _ in range(2):
        accounts.add_sync()

    assert place.server.requests("register") == registered + 1


def test_rfc9728_7_7_server_whose_name_leads_inside_is_not_asked(place: Place) -> None:
    """The name of a server looks like any other; its address is looked at before anything is sent there."""
    network = Network(public=True, allow_private=("127.0.0.1",))
    client = replace(place.client, provider=replace(place.client.provider, network=network))
    inside = place.server.issuer.replace("127.0.0.1", "localhost")
    place.resource.protect("/mcp", inside)
    answered = len(place.server.log)

    with pytest.raises(TransportError) as refusal:
        place.login(client)

    assert refusal.value.parameter == "allow_private"
    assert len(place.server.log) == answered


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(200, (("Content-Type", "application/json"),), b'{"resource": "' + b"a" * (1 << 20)),
        HttpResponse(302, (("Location", "/elsewhere"),)),
    ],
    ids=["too large", "redirect"],
)
def test_metadata_that_are_too_large_or_elsewhere_are_not_read(place: Place, answer: HttpResponse) -> None:
    """Neither fills the memory, nor leads the program to another address."""
    place.resource.answers["/.well-known/oauth-protected-resource/mcp"] = answer
    place.resource.answers["/elsewhere"] = document(
        {"resource": place.url, "authorization_servers": [place.server.issuer]}
    )

    with pytest.raises(LoopbackAuthError):
        client_for_resource_sync(place.url)

    assert not any("elsewhere" in line for line in place.resource.asked)


def test_server_that_hangs_is_not_said_to_be_a_user_who_did_not_come(place: Place) -> None:
    """The time that the user has begins with the link, and a server can use it up."""
    hanging = "/.well-known/oauth-authorization-server"
    place.server.hang.add(hanging)
    options = place.options
    options["timeout"] = 0.3
    try:
        with pytest.raises(AttemptExpired) as expired:
            login_sync(place.client, **options)
    finally:
        place.server.hang.discard(hanging)

    assert expired.value.parameter == "timeout"


@pytest.mark.parametrize(
    "url", ["http://mcp.example/mcp", "https://mcp.example/#x", "https://u@mcp.example/", "mcp.example"]
)
def test_url_that_cannot_be_one_is_refused_before_anything_is_opened(url: str) -> None:
    """The error names the argument, and no browser comes up."""
    for door in (ClientConfig.for_resource, client_for_resource_sync):
        with pytest.raises(ConfigError) as refusal:
            door(url)
        assert refusal.value.parameter == "resource_server"
    given = ClientConfig.at("https://as.example", client_metadata=ClientMetadata(), resource_server=url)
    with pytest.raises(ConfigError) as refusal:
        login_sync(given, wait=True)
    assert refusal.value.parameter == "resource_server"


def test_resource_that_wants_no_token_says_so(place: Place) -> None:
    """Nothing leads from there to a server."""
    errors: list[LoopbackAuthError] = []
    place.resource.answers.clear()
    for answer in (document({"hello": "world"}), document([], 404), document({}, 500)):
        place.resource.answers["/mcp"] = answer
        with pytest.raises(LoopbackAuthError) as error:
            client_for_resource_sync(place.url)
        errors.append(error.value)

    assert [type(one) for one in errors] == [EndpointMissing] * 3
    assert {one.parameter for one in errors} == {"resource_server"}


def test_rfc9728_5_2_refused_token_is_not_renewed_at_a_server_that_was_left(
    place: Place,
) -> None:
    """The resource names another server by now, at which the user signs in, with another client."""
    store = MemoryTokenStore()
    options = place.options
    options["store"] = store
    source = TokenSource(ClientConfig.for_resource(place.url), **options)
    first, before = source.token_sync(), source.sign_in_sync()
    with serve() as other:
        place.resource.protect("/mcp", other.issuer)
        renewals = place.server.requests("token", grant="refresh_token")
        second = source.token_sync(refused=first)
        after = source.sign_in_sync()

    assert (before.metadata.issuer, after.metadata.issuer) == (place.server.issuer, other.issuer)
    assert first != second
    assert before.client_id != after.client_id
    assert place.server.requests("token", grant="refresh_token") == renewals


@pytest.mark.parametrize("answer", [document({}, 503), document({"resource": "https://x.example"})])
def test_resource_that_says_nothing_does_not_end_a_sign_in(place: Place, answer: HttpResponse) -> None:
    """A token that expires while the resource's metadata are out of order is renewed."""
    source = TokenSource(place.client, **place.options)
    first = source.token_sync()
    place.resource.answers["/.well-known/oauth-protected-resource/mcp"] = answer

    assert source.token_sync(refused=first) != first
