"""Registrations at rest: bound to their issuer, private, and none lost to another server or to a crash."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.narrow import is_name
from loopback_auth.registration import MOST, Registration, Registrations
from loopback_auth.signin.stores import OpenStore
from loopback_auth.store import FileTokenStore
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.store.registered_ports import preferred_ports, registration_name
from loopback_auth.tokens import SignIn

ISSUER = "https://as.example/tenant"
SECRET = "canary-secret-5d1c"
TOKEN = "canary-token-90ab"
CLIENT = Registration(
    ISSUER,
    "client-1",
    ("http://127.0.0.1:49152/callback",),
    client_auth="client_secret_basic",
    client_secret=SECRET,
    client_secret_expires_at=1_800_000_000.0,
    client_id_issued_at=1_700_000_000.0,
    registration_client_uri=f"{ISSUER}/register/client-1",
    registration_access_token=TOKEN,
    scope="profile email",
)
KEPT = Registrations((CLIENT,))


class TwoMethods(TokenStore):
    """The least that a program has to write."""

    def read(self, name: str) -> SignIn | None:
        """Know nothing."""
        return None

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Forget it."""


class TwoCoroutines(AsyncTokenStore):
    """The same, asynchronous."""

    async def read(self, name: str) -> SignIn | None:
        """Know nothing."""
        return None

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Forget it."""


@pytest.fixture(params=["file", "memory", "two methods", "two coroutines"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Return each kind of store in turn."""
    stores: dict[str, TokenStore | AsyncTokenStore] = {
        "file": FileTokenStore(tmp_path),
        "memory": MemoryTokenStore(),
        "two methods": TwoMethods(),
        "two coroutines": TwoCoroutines(),
    }
    return OpenStore(stores[request.param])


async def test_what_is_kept_comes_back(store: OpenStore) -> None:
    """A program that registers at each start would fill the server with clients."""
    await store.keep_registrations(ISSUER, KEPT)

    assert await store.registrations(ISSUER) == KEPT
    assert await store.registrations("https://as.example") is None
    assert await store.registered_ports(ISSUER) == (49152,)
    assert await store.registered_ports("") == (49152,)


async def test_what_is_removed_is_gone(store: OpenStore) -> None:
    """A server that has forgotten a client is not asked with it again."""
    await store.keep_registrations(ISSUER, KEPT)
    await store.keep_registrations(ISSUER, None)
    await store.keep_registrations(ISSUER, None)

    assert await store.registrations(ISSUER) is None
    assert await store.registered_ports("") == ()


def test_text_and_pickle_have_the_secrets_and_nothing_else_shows_them() -> None:
    """Loggers and reporters of errors write down what a `repr` says."""
    assert Registrations.from_json(KEPT.to_json()) == KEPT == pickle.loads(pickle.dumps(KEPT))  # noqa: S301
    for text in (repr(KEPT), repr(CLIENT), str(CLIENT)):
        assert SECRET not in text
        assert TOKEN not in text
        assert "register/client-1" not in text


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version":1,"clients":[]}', '{"version":1,"clients":[1]}', KEPT.to_json()[:-9]],
)
def test_text_that_is_none_is_refused_without_a_quotation(text: str) -> None:
    """Half a text may have half a secret in it."""
    with pytest.raises(StoreError) as caught:
        Registrations.from_json(text)

    assert SECRET not in caught.value.message


def test_registrations_of_two_issuers_are_not_kept_as_one() -> None:
    """The secret of one server would go to the other."""
    with pytest.raises(ConfigError):
        Registrations((CLIENT, replace(CLIENT, issuer="https://other.example")))


async def test_store_that_returns_those_of_another_issuer_is_refused() -> None:
    """Two programs may write to the same place of a database; a secret must go to no other server."""

    class Mixed(TwoMethods):
        def read_registrations(self, issuer: str) -> Registrations | None:
            """Return the same for everybody."""
            return KEPT

    with pytest.raises(StoreError, match="another issuer"):
        await OpenStore(Mixed()).registrations("https://other.example")


async def test_ports_of_an_issuer_come_first_and_those_of_others_after_them(store: OpenStore) -> None:
    """Of a resource the issuer is not known yet when the port is bound; one port for all servers is best."""
    for port, name in ((1, "one"), (2, "two"), (3, "three")):
        issuer, uri = f"https://{name}.example", f"http://127.0.0.1:{port}/callback"
        await store.keep_registrations(
            issuer, Registrations((Registration(issuer, "id", (uri, "http://localhost/no-port", uri)),))
        )

    assert (await store.registered_ports("https://two.example"))[0] == 2
    assert sorted(await store.registered_ports("https://two.example")) == [1, 2, 3]
    assert sorted(await store.registered_ports("https://four.example")) == [1, 2, 3]


@pytest.mark.parametrize(
    ("ports", "registered", "tried"),
    [
        ((0,), (), (0,)),
        ((0,), (5, 6), (5, 6, 0)),
        ((8400, 8401), (8401, 5), (8401, 8400)),
        ((8400, 0), (5, 8400), (5, 8400, 0)),
        ((8400,), (5,), (8400,)),
    ],
)
def test_registered_ports_are_tried_first_as_far_as_they_are_allowed(
    ports: tuple[int, ...], registered: tuple[int, ...], tried: tuple[int, ...]
) -> None:
    """A program that names its ports has a reason, such as a firewall or a container."""
    assert preferred_ports(ports, registered) == tried


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://127.0.0.1:x/", "x:1"]
)
def test_what_is_no_port_is_not_bound(tmp_path: Path, uri: str) -> None:
    """A file may have been written by another version, or by hand."""
    store = FileTokenStore(tmp_path)
    store.write_registrations(ISSUER, Registrations((replace(CLIENT, redirect_uris=(uri,)),)))

    assert store.registered_ports(ISSUER) == ()


def test_file_is_private_and_bound_to_its_issuer(tmp_path: Path) -> None:
    """It is a secret like a refresh token; another issuer's file under this name counts as none."""
    store = FileTokenStore(tmp_path)
    store.write_registrations(ISSUER, KEPT)
    (path,) = (tmp_path / "registrations").iterdir()

    assert path.name == f"{registration_name(ISSUER)}.json"
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700

    other = "https://other.example"
    path.rename(path.with_name(f"{registration_name(other)}.json"))
    assert store.read_registrations(other) is None


@pytest.mark.parametrize("content", ["", "{", '{"version":2,"clients":[]}', "\0" * 50, '"text"'])
def test_damaged_file_counts_as_none_and_is_kept_aside(tmp_path: Path, content: str) -> None:
    """A registration can be made anew; but what is in the file may help, so it is not overwritten."""
    store = FileTokenStore(tmp_path)
    store.write_registrations(ISSUER, KEPT)
    (path,) = (tmp_path / "registrations").iterdir()
    path.write_text(content)

    assert store.read_registrations(ISSUER) is None
    assert store.registered_ports("") == ()

    store.write_registrations(ISSUER, KEPT)
    aside = [one for one in path.parent.iterdir() if ".corrupt-" in one.name]
    assert store.read_registrations(ISSUER) == KEPT
    assert [one.read_text() for one in aside] == [content]

    store.write_registrations(ISSUER, None)
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Its secret may be known by now, and who can write it can choose the server's answers."""
    store = FileTokenStore(tmp_path)
    store.write_registrations(ISSUER, KEPT)
    (path,) = (tmp_path / "registrations").iterdir()
    path.chmod(0o644)

    with pytest.raises(StoreError, match="0644"):
        store.read_registrations(ISSUER)


@given(st.text(max_size=200), st.text(max_size=200))
def test_two_issuers_have_two_names(one: str, other: str) -> None:
    """Otherwise a server could choose an issuer whose registrations push those of another out."""
    names = {f"https://{text}": registration_name(f"https://{text}") for text in (one, other)}

    assert all(map(is_name, names.values()))
    assert len(set(names.values())) == len(names)


def test_names_of_issuers_can_be_read() -> None:
    """A person who looks at the folder sees whose file it is."""
    assert registration_name("https://as.example") == "as.example"
    assert registration_name("https://as.example/tenant") == "as.example_2f_tenant"
    assert registration_name("http://as.example") != registration_name("https://as.example")


def test_clients_of_one_issuer_are_bounded_and_the_last_used_is_first() -> None:
    """Each client has its secret, which its sign-ins need; but a file must not grow for ever."""
    kept = KEPT
    for number in range(MOST + 3):
        kept = kept.used(replace(CLIENT, client_id=f"new-{number}"))
    again = kept.used(replace(CLIENT, client_id="new-7", scope="wider"))

    assert [len(each.clients) for each in (kept, again)] == [MOST, MOST]
    assert again.clients[0] == again.of("new-7") == replace(CLIENT, client_id="new-7", scope="wider")
    assert kept.of("client-1") is None
    assert KEPT.without("client-1") is None
    assert kept.without("unknown") == kept
