"""Which kept registration is used, which is made anew, and what is left of the others."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from protocol_samples import json_answer
from registration_script import (
    CLIENT,
    HAD,
    ISSUER,
    KEPT,
    METADATA,
    NEW_URI,
    UNMANAGED,
    URI,
    Script,
)

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import (
    EndpointMissing,
    LoopbackAuthError,
    RegistrationError,
    StoreError,
    TokenError,
    TransportError,
)
from loopback_auth.events import Event, Preparing, Warned
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.program import Program
from loopback_auth.records import replace
from loopback_auth.registration import Registration, Registrations
from loopback_auth.signin.registering import registered, registered_again
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.store.registered_ports import registration_name

NOW = time.time()
NEW = {"client_id": "id-2"}
KNOWN = json_answer({"error": "invalid_grant"}, 400)
UNKNOWN = json_answer({"error": "invalid_client"}, 401)
SECRET = {"client_auth": "client_secret_basic", "client_secret": "s3"}


class Events(list[Event]):
    """What a person is told."""

    def tell(self, event: Event) -> None:
        """Remember it."""
        self.append(event)

    @property
    def warnings(self) -> list[str]:
        """The texts of the warnings."""
        return [event.text for event in self if isinstance(event, Warned)]


def store_with(*clients: Registration) -> MemoryTokenStore:
    """Return a store that has some registrations."""
    store = MemoryTokenStore()
    if clients:
        store.write_registrations(ISSUER, Registrations(clients))
    return store


def ids(store: TokenStore) -> list[str]:
    """Return the clients that are kept."""
    kept = store.read_registrations(ISSUER)
    return [] if kept is None else [one.client_id for one in kept.clients]


async def got(
    server: Script,
    store: TokenStore | None,
    *,
    client: ClientConfig = CLIENT,
    uri: str = URI,
    events: Events | None = None,
) -> ClientConfig:
    """Get a client ID; every answer of the server has to be asked for."""
    notify = (Events() if events is None else events).tell
    found = await registered(client, uri, server.run_async, store, Program("Tool"), notify=notify)
    assert server.answers == []
    return found


async def test_registration_that_fits_is_used_after_the_server_has_said_that_it_knows_it() -> None:
    """A made-up code at the token endpoint is enough where registrations cannot be read."""
    managed, unmanaged = Script(json_answer(HAD)), Script(KNOWN)

    assert (await got(managed, store_with(KEPT))).client_id == "id-1"
    assert (await got(unmanaged, store_with(UNMANAGED))).client_id == "id-1"
    assert (managed.asked, unmanaged.asked) == ([("GET", "/register/id-1")], [("POST", "/token")])


@pytest.mark.parametrize(
    ("kept", "says_no"), [(KEPT, HttpResponse(401)), (KEPT, HttpResponse(404)), (UNMANAGED, UNKNOWN)]
)
async def test_forgotten_registration_is_made_anew_once(kept: Registration, says_no: HttpResponse) -> None:
    """RFC 7592 §2.1, RFC 6749 §5.2: the new one is not asked about, so that this cannot go on for ever."""
    store, events = store_with(kept), Events()
    server = Script(says_no, json_answer(NEW, 201))

    assert (await got(server, store, events=events)).client_id == "id-2"
    assert ids(store) == ["id-2"]
    assert Preparing("registration", ISSUER) in events


@pytest.mark.parametrize("unreadable", [HttpResponse(403), HttpResponse(405), TransportError("no answer")])
async def test_registration_that_cannot_be_read_is_not_forgotten(
    unreadable: HttpResponse | LoopbackAuthError,
) -> None:
    """A server may offer no reading, and would get a new client at each sign-in."""
    store = store_with(KEPT)
    server = Script(unreadable, KNOWN)

    assert (await got(server, store)).client_id == "id-1"
    assert server.asked[-1] == ("POST", "/token")


async def test_pushed_request_will_say_whether_the_client_is_known() -> None:
    """RFC 9126 §2.3: the server answers it before the browser goes anywhere, so nothing is made up."""
    metadata = replace(
        METADATA,
        require_pushed_authorization_requests=True,
        pushed_authorization_request_endpoint=f"{ISSUER}/par",
    )
    client = replace(CLIENT, provider=replace(CLIENT.provider, metadata=metadata))

    assert (await got(Script(), store_with(UNMANAGED), client=client)).client_id == "id-1"


async def test_other_port_is_added_where_the_server_lets_it_be_changed() -> None:
    """RFC 7592 §2.2."""
    store = store_with(KEPT)
    changed = {**HAD, "redirect_uris": [NEW_URI, URI]}
    server = Script(json_answer(HAD), json_answer(changed))

    assert (await got(server, store, uri=NEW_URI)).client_id == "id-1"
    kept = store.read_registrations(ISSUER)
    assert kept is not None
    assert kept.redirect_uris == (NEW_URI, URI)


async def test_other_port_needs_another_client_where_it_does_not() -> None:
    """RFC 7591 alone: the first client stays, for its sign-ins may need its secret."""
    store = store_with(UNMANAGED)
    server = Script(json_answer(NEW, 201))

    assert (await got(server, store, uri=NEW_URI)).client_id == "id-2"
    assert ids(store) == ["id-2", "id-1"]

    assert (await got(Script(KNOWN), store)).client_id == "id-1"
    assert (await got(Script(KNOWN), store, uri=NEW_URI)).client_id == "id-2"
    assert ids(store) == ["id-2", "id-1"]


@pytest.mark.parametrize(
    ("issued_at", "expires_at", "used"),
    [
        (NOW - 86400, NOW + 30 * 86400, True),
        (NOW - 3600, NOW + 23 * 3600, True),
        (NOW - 23 * 3600, NOW + 3600, False),
        (NOW - 300 * 86400, NOW + 3600, False),
        (NOW - 86400, NOW - 1, False),
        (None, NOW + 3600, False),
    ],
    # Without the time, which differs from process to process.
    ids=["month", "day", "hour of a day", "hour of a year", "over", "hour of what is not known"],
)
async def test_rfc7591_3_2_1_registration_is_made_anew_before_its_secret_expires(
    issued_at: float | None, expires_at: float, used: bool
) -> None:
    """RFC 7591 §3.2.1: a sign-in that begins now is to be renewed with it for a while."""
    kept = replace(
        UNMANAGED,
        client_auth="client_secret_basic",
        client_secret="s3",
        client_id_issued_at=issued_at,
        client_secret_expires_at=expires_at,
    )
    store = store_with(kept)
    expired = expires_at < NOW
    answers = [*([] if expired else [KNOWN]), *([] if used else [json_answer(NEW, 201)])]

    assert (await got(Script(*answers), store)).client_id == ("id-1" if used else "id-2")
    assert ids(store) == (["id-1"] if used else ["id-2"] if expired else ["id-2", "id-1"])


async def test_server_may_have_another_secret_before_the_old_one_expires() -> None:
    """RFC 7592 §2.1: a read returns it, and the client stays the same."""
    kept = replace(
        KEPT, client_auth="client_secret_basic", client_secret="s3", client_secret_expires_at=NOW - 9
    )
    rotated = {
        **HAD,
        "token_endpoint_auth_method": "client_secret_basic",
        "client_secret": "s4",
        "client_secret_expires_at": NOW + 90 * 86400,
    }
    store = store_with(kept)
    found = await got(Script(json_answer(rotated)), store)

    assert (found.client_id, found.client_secret) == ("id-1", "s4")


async def test_secret_that_expires_tomorrow_is_used_with_a_warning() -> None:
    """The user will have to sign in again then, and is told before."""
    secret = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "canary-1"}
    answer = json_answer({**NEW, **secret, "client_secret_expires_at": int(NOW) + 86400}, 201)
    store, events = store_with(), Events()
    found = await got(Script(replace(answer, received_at=NOW)), store, events=events)

    assert (found.client_id, found.client_secret, found.provider.client_auth) == (
        "id-2",
        "canary-1",
        "client_secret_basic",
    )
    (warning,) = events.warnings
    assert "24 hours" in warning
    assert "canary-1" not in repr((found, events, store.read_registrations(ISSUER)))


async def test_secret_that_does_not_expire_is_no_reason_to_warn() -> None:
    """People stop reading a warning that is always there."""
    secret = {
        "token_endpoint_auth_method": "client_secret_post",
        "client_secret": "s",
        "client_secret_expires_at": 0,
    }
    events = Events()
    await got(Script(json_answer({**NEW, **secret}, 201)), store_with(), events=events)

    assert events.warnings == []


async def test_wider_scope_needs_another_registration_where_it_cannot_be_changed() -> None:
    """RFC 7591 §2 (`scope`): the MCP SDK's server refuses what is not registered."""
    store = store_with(UNMANAGED)
    server = Script(json_answer(NEW, 201))
    client = replace(CLIENT, scope="read write")

    assert (await got(server, store, client=client)).client_id == "id-2"
    assert (await got(Script(KNOWN), store, client=client)).client_id == "id-2"


async def test_two_programs_with_other_authentication_do_not_push_each_other_out() -> None:
    """They share the store of their user, and each would register at each sign-in."""
    store = store_with()
    confidential = replace(CLIENT, provider=replace(CLIENT.provider, client_auth="client_secret_basic"))
    secret = {"client_secret": "s", "client_secret_expires_at": 0}

    await got(Script(json_answer({"client_id": "id-1"}, 201)), store)
    other = await got(Script(json_answer({**NEW, **secret}, 201)), store, client=confidential)
    again = await got(Script(KNOWN), store, client=confidential)

    assert (other.client_id, again.client_id) == ("id-2", "id-2")
    assert (await got(Script(KNOWN), store)).client_id in ids(store)
    assert sorted(ids(store)) == ["id-1", "id-2"]


async def test_document_comes_before_registration() -> None:
    """MCP authorization specification 2025-11-25: given client ID, document, registration, in this order."""
    url = "https://tool.example/client.json"
    metadata = replace(
        METADATA, document={**METADATA.document, "client_id_metadata_document_supported": True}
    )
    provider = replace(CLIENT.provider, metadata=metadata)
    client = replace(CLIENT, provider=provider, client_metadata=ClientMetadata(url=url))
    store = store_with(KEPT)

    assert (await got(Script(), store, client=client)).client_id == url
    assert (await got(Script(), store, client=replace(client, client_id="mine"))).client_id == "mine"
    assert ids(store) == ["id-1"]


async def test_server_that_registers_nothing_is_said() -> None:
    """The hint names the client ID, which the program cannot get by itself."""
    provider = replace(CLIENT.provider, metadata=replace(METADATA, document={}))

    with pytest.raises(EndpointMissing) as caught:
        await got(Script(), store_with(), client=replace(CLIENT, provider=provider))

    assert caught.value.parameter == "client_id"


async def test_refused_registration_leaves_the_store_as_it_was() -> None:
    """A damaged answer must cost nothing that was there."""
    store = store_with(replace(UNMANAGED, redirect_uris=("http://127.0.0.1:1/callback",)))

    with pytest.raises(RegistrationError):
        await got(Script(json_answer({"error": "invalid_redirect_uri"}, 400)), store)

    assert ids(store) == ["id-1"]


async def test_damaged_file_is_a_registration_anew(tmp_path: Path) -> None:
    """Nothing else is lost: the damaged file is set aside, and those of other issuers stay."""
    store = FileTokenStore(tmp_path)
    other = Registrations((replace(KEPT, issuer="https://other.example"),))
    store.write_registrations(other.issuer, other)
    store.write_registrations(ISSUER, Registrations((KEPT,)))
    path = tmp_path / "registrations" / f"{registration_name(ISSUER)}.json"
    path.write_text("{half a fi")

    assert (await got(Script(json_answer(NEW, 201)), store)).client_id == "id-2"
    assert (ids(store), store.read_registrations(other.issuer)) == (["id-2"], other)


async def test_registration_that_cannot_be_kept_is_an_error_before_the_user_is_asked() -> None:
    """A sign-in with a secret that is lost at once could not be renewed."""

    class Full(MemoryTokenStore):
        def write_registrations(self, issuer: str, registrations: Registrations | None) -> None:
            """Fail as a full disk does."""
            raise OSError("no space left")

    with pytest.raises(StoreError):
        await got(Script(json_answer(NEW, 201)), Full())


@pytest.mark.parametrize("answered", [False, True])
async def test_client_that_is_refused_during_the_sign_in_is_forgotten(answered: bool) -> None:
    """Before the browser has come back the sign-in goes on; after that the user has to begin again."""
    store = store_with(KEPT)
    server = Script(*([] if answered else [json_answer(NEW, 201)]))
    refusal = TokenError("invalid_client")
    again = await registered_again(
        replace(CLIENT, client_id="id-1"),
        refusal,
        URI,
        server.run_async,
        store,
        None,
        declared=None,
        notify=Events().tell,
        answered=answered,
    )

    assert (None if again is None else again.client_id) == (None if answered else "id-2")
    assert ids(store) == ([] if answered else ["id-2"])
    assert ("register" in refusal.hint) is answered


@pytest.mark.parametrize(
    ("client_id", "error"),
    [("given", "invalid_client"), ("id-1", "invalid_scope"), ("id-1", "access_denied")],
)
async def test_refusal_that_is_not_about_a_registration_stands(client_id: str, error: str) -> None:
    """A client that was given by hand is not ours to replace."""
    store, server = store_with(KEPT), Script()
    again = await registered_again(
        replace(CLIENT, client_id=client_id),
        TokenError(error),
        URI,
        server.run_async,
        store,
        None,
        declared=None,
        notify=Events().tell,
        answered=False,
    )

    assert (again, ids(store)) == (None, ["id-1"])
