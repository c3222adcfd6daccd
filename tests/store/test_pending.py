"""Sign-ins under way on disk: everything comes back as it was, and what was changed is not acted upon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loopback_auth.authorization_messages import Attempt, Callback
from loopback_auth.effects import Tick
from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.quirks import Quirks
from loopback_auth.settings.contracts import CONTRACTS
from loopback_auth.store.pending import PendingStore, is_handle, name_in, new_handle
from loopback_auth.store.pending_sign_in import (
    Ended,
    Failure,
    JournalEntry,
    PendingSignIn,
    from_json,
    to_json,
)
from loopback_auth.store.private_files import SIZE_LIMIT

HANDLE = "as.example-0a1b2c"
NOW = 1_700_000_000.0
CANARY = "canary-7f3a"
METADATA = ServerMetadata(
    issuer="https://as.example", code_challenge_methods_supported=("S256",), discovered=True
)
CLIENT = ClientConfig(
    Provider(
        "as.example",
        METADATA,
        redirect=Redirect("localhost", (8400, 8401), "/back"),
        client_auth="client_secret_post",
        pkce=False,
        account_fields=("login",),
    ),
    "client",
    scope="a b",
    push=False,
    resource=("https://api.example",),
    extra={"access_type": "offline", "\u00e4": "\u20ac"},
)
JOURNAL = (
    JournalEntry("Bind", text="http://localhost:8400/back"),
    JournalEntry("Send", "metadata request", response=HttpResponse(200, (("Date", "now"),), b'{"\xff', NOW)),
    JournalEntry("VerificationPrompt"),
    JournalEntry("Sleep", moment=Tick(NOW, NOW)),
    JournalEntry("Send", "key set request", failure=Failure("TransportError", "No answer.", "Try again.")),
    JournalEntry("Receive", callback=Callback((("code", CANARY), ("state", "s")), "paste", NOW)),
)
HANDED = PendingSignIn(
    HANDLE,
    NOW,
    NOW + 600,
    "paste",
    CLIENT,
    Attempt(f"state-{CANARY}", f"verifier-{CANARY}", f"nonce-{CANARY}"),
    named="work",
    with_secret=True,
    verify_signature=True,
    message="begun at noon",
    url=f"https://as.example/authorize?state=state-{CANARY}",
    user_code="ABCD-EFGH",
    verification_uri="https://as.example/device",
    redirect_uri="http://localhost:8400/back",
    interval=5.0,
    journal=JOURNAL,
)
WAITING = replace(HANDED, journal=JOURNAL[:4])
ENDED = Ended(HANDLE, "as.example", "refused", "The ticket was denied.")


@pytest.fixture
def store(tmp_path: Path) -> PendingStore:
    """Return a store that keeps one sign-in."""
    kept = PendingStore(str(tmp_path))
    kept.save(HANDED)
    return kept


def entries(tmp_path: Path) -> list[str]:
    """List what is in the folder."""
    return sorted(path.name for path in (tmp_path / "pending").iterdir())


def file_of(tmp_path: Path) -> Path:
    """Name the file of the sign-in."""
    return tmp_path / "pending" / f"{HANDLE}.json"


def test_a_sign_in_comes_back_as_it_was(store: PendingStore) -> None:
    """The flow compares what it asks with what it was told: nothing may have changed on the way."""
    assert store.load(HANDLE) == HANDED
    assert store.handles() == (HANDLE,)


@pytest.mark.parametrize("vendor", CONTRACTS)
def test_so_does_every_ticket_contract(vendor: str) -> None:
    """They may have changed in the program meanwhile; the sign-in goes on by the one with which it began."""
    provider = replace(CLIENT.provider, ticket=CONTRACTS[vendor])
    handed = replace(HANDED, flow="ticket", client=replace(CLIENT, provider=provider))

    assert from_json(PendingSignIn, to_json(handed), HANDLE) == handed


def test_the_order_of_parameters_is_kept(store: PendingStore) -> None:
    """They come out in that order in the authorization URL."""
    handed = store.load(HANDLE)

    assert isinstance(handed, PendingSignIn)
    assert list(handed.client.extra) == list(CLIENT.extra)


def test_nothing_is_under_way_where_nothing_was_begun(tmp_path: Path) -> None:
    """Looking makes no folder."""
    store = PendingStore(str(tmp_path / "missing"))
    store.sweep(NOW)

    assert (store.handles(), store.load(HANDLE)) == ((), None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="mode bits")
def test_files_and_folder_are_closed_to_others(tmp_path: Path) -> None:
    """Under any umask, the lock and what is remembered too."""
    before = os.umask(0)
    try:
        store = PendingStore(str(tmp_path / "data"))
        store.save(HANDED)
        with store.lock(HANDLE, 0):
            store.end(ENDED)
            store.save(HANDED)
        paths = list((tmp_path / "data" / "pending").iterdir())
    finally:
        os.umask(before)

    assert len(paths) == 3
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert (tmp_path / "data" / "pending").stat().st_mode & 0o777 == 0o700


def test_what_it_came_to_is_remembered_without_secrets(store: PendingStore, tmp_path: Path) -> None:
    """For those who ask again: an agent that lost the answer, a process that waited for the lock."""
    store.end(ENDED)

    assert store.load(HANDLE) == ENDED
    assert store.handles() == ()
    assert CANARY not in "".join(path.read_text() for path in (tmp_path / "pending").iterdir())


def test_forgetting_twice_is_no_error(store: PendingStore) -> None:
    """Two processes may agree on it."""
    store.end(ENDED)
    store.end(ENDED)

    assert store.load(HANDLE) == ENDED


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "x",
        "../x-0a1b2c",
        "/etc/x-0a1b2c",
        "x-0A1B2C",
        ".x-0a1b2c",
        "x-0a1b2",
        "x-0a1b2c\n",
        "-0a1b2c",
    ],
)
def test_a_handle_cannot_lead_out_of_the_folder(store: PendingStore, handle: str) -> None:
    """It comes from a command line and becomes a file name."""
    for use in (store.load, store.path):
        with pytest.raises(ConfigError, match="not a handle"):
            use(handle)
    with pytest.raises(ConfigError), store.lock(handle, 0):
        pass


def test_handles_are_made_of_names() -> None:
    """So that a person knows which sign-in is meant; and differ, so that there can be two of one name."""
    made = [new_handle("127.0.0.1:9000/Tenant"), new_handle("a" * 200), new_handle("a" * 200)]

    assert all(map(is_handle, made))
    assert made[1] != made[2]
    assert name_in(made[0]) == "127.0.0.1-9000-tenant"


def test_names_that_are_no_handles_are_passed_over(store: PendingStore, tmp_path: Path) -> None:
    """Whatever else is in the folder is not ours."""
    (tmp_path / "pending" / "notes.json").write_text("{}")
    store.sweep(NOW)

    assert store.handles() == (HANDLE,)
    assert "notes.json" in entries(tmp_path)


def _edited(change: Callable[[dict[str, object]], object]) -> bytes:
    members = json.loads(to_json(HANDED))
    change(members)
    return json.dumps(members).encode()


DAMAGED = [
    pytest.param(b"", "not JSON", id="empty"),
    pytest.param(to_json(HANDED)[:200], "not JSON", id="cut off"),
    pytest.param(b"\xff\xfe", "not ASCII", id="no text"),
    pytest.param(b"[]", "not a JSON object", id="a list"),
    pytest.param(b"[" * 100_000, "not JSON", id="too deep"),
    pytest.param(b'{"version": NaN}', "not JSON", id="NaN"),
    pytest.param(b"{}", "format version 2", id="no version"),
    pytest.param(
        _edited(lambda it: it.update(version=1)), "another version of this program", id="another version"
    ),
    pytest.param(_edited(lambda it: it.update(version=True)), "format version 2", id="true for 1"),
    pytest.param(_edited(lambda it: it.update(flow="device")), "changed", id="another flow"),
    pytest.param(_edited(lambda it: it.update(expires_at=9e9)), "changed", id="a longer life"),
    pytest.param(_edited(lambda it: it.pop("digest")), "changed", id="no digest"),
    pytest.param(_edited(lambda it: it.pop("client")), "changed", id="no client"),
    pytest.param(to_json(replace(HANDED, handle="other-0a1b2c")), "another handle", id="renamed"),
]


@pytest.mark.parametrize(("content", "why"), DAMAGED)
def test_a_damaged_file_is_refused_and_left_as_it_is(
    content: bytes, why: str, store: PendingStore, tmp_path: Path
) -> None:
    """It is named, with what is wrong and what to do, and quotes nothing of what is in it."""
    other = replace(HANDED, handle="other-0a1b2c")
    store.save(other)
    file_of(tmp_path).write_bytes(content)
    store.sweep(NOW + 10_000)
    with pytest.raises(StoreError) as error:
        store.load(HANDLE)

    assert str(file_of(tmp_path)) in error.value.message
    assert why in error.value.message
    assert error.value.parameter == "handle"
    assert CANARY not in error.value.message
    assert file_of(tmp_path).read_bytes() == content
    assert store.load("other-0a1b2c") == other


def test_a_slip_in_any_character_is_noticed() -> None:
    """A code verifier with a wrong letter would only be found out by the server, when the code is spent."""
    content = to_json(WAITING)
    unnoticed = []
    for at in range(0, len(content), 7):
        slip = content[:at] + (b"7" if content[at : at + 1] != b"7" else b"8") + content[at + 1 :]
        try:
            same = from_json(PendingSignIn, slip, HANDLE) == WAITING
        except ValueError:
            continue
        unnoticed += [] if same else [at]

    assert unnoticed == []


def test_a_damaged_file_can_be_forgotten(store: PendingStore, tmp_path: Path) -> None:
    """Nothing in it has to be understood for that."""
    file_of(tmp_path).write_text("{")
    store.end(ENDED)

    assert store.load(HANDLE) == ENDED


@pytest.mark.skipif(os.name != "posix", reason="mode bits and links")
def test_a_file_that_others_could_write_is_not_read(store: PendingStore, tmp_path: Path) -> None:
    """Somebody else's journal would sign the person in to somebody else's account."""
    file_of(tmp_path).chmod(0o644)
    with pytest.raises(StoreError, match="0644"):
        store.load(HANDLE)


def test_one_that_cannot_be_read_again_is_not_written(store: PendingStore) -> None:
    """The one that is there is good still."""
    large = JournalEntry("Send", "ticket request", response=HttpResponse(200, body=bytes(SIZE_LIMIT)))
    with pytest.raises(StoreError, match="1 MiB"):
        store.save(replace(HANDED, journal=(large,)))

    assert store.load(HANDLE) == HANDED


LATE = (*JOURNAL[:4], JournalEntry("Send", "poll", response=HttpResponse(200)))


@pytest.mark.parametrize(
    ("journal", "answered"),
    [
        pytest.param((), False, id="nothing"),
        pytest.param(JOURNAL[:2], False, id="before the person was asked"),
        pytest.param(JOURNAL[:3], False, id="asked"),
        pytest.param(JOURNAL[:4], False, id="waiting"),
        pytest.param(LATE, True, id="an answer to a poll"),
        pytest.param((*LATE, JournalEntry("Warn")), True, id="and a warning"),
        pytest.param((*LATE, JOURNAL[3]), False, id="and it was not yet"),
        pytest.param((*JOURNAL[:2], JOURNAL[4]), False, id="keys, while an address is awaited"),
        pytest.param((*JOURNAL[:2], JOURNAL[5]), True, id="an address"),
    ],
)
def test_only_what_waits_can_lapse(journal: tuple[JournalEntry, ...], answered: bool) -> None:
    """An answer that nobody has looked at yet may hold the tokens."""
    handed = replace(HANDED, journal=journal)

    assert handed.answered is answered
    assert handed.lapsed(handed.expires_at) is not answered
    assert not handed.lapsed(handed.expires_at - 1)
    assert handed.lapsed(handed.expires_at + 86400)


def test_what_has_lapsed_is_removed_when_it_is_met(store: PendingStore, tmp_path: Path) -> None:
    """With its secrets; what became of it is known for a while."""
    store.save(WAITING)
    other = replace(HANDED, handle="other-0a1b2c")
    store.save(other)
    store.sweep(NOW + 601)
    ended = store.load(HANDLE)

    assert isinstance(ended, Ended)
    assert (ended.outcome, ended.name) == ("expired", "as.example")
    assert store.handles() == ("other-0a1b2c",)
    assert entries(tmp_path) == [f"{HANDLE}.ended", "other-0a1b2c.json"]


def test_what_is_remembered_is_forgotten_in_time(store: PendingStore, tmp_path: Path) -> None:
    """An hour is enough for those who ask again."""
    store.end(ENDED)
    (tmp_path / "pending" / f"{HANDLE}.json.lock").touch(0o600)
    now = (tmp_path / "pending" / f"{HANDLE}.ended").stat().st_mtime
    store.sweep(now + 3000)
    soon = len(entries(tmp_path))
    store.sweep(now + 4000)

    assert soon == 2
    assert entries(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the lock file goes with its holder")
def test_the_lock_of_what_is_under_way_stays(store: PendingStore, tmp_path: Path) -> None:
    """Removing it would split those who wait for it."""
    store.save(replace(HANDED, expires_at=4e9))
    with store.lock(HANDLE, 0):
        pass
    store.sweep(file_of(tmp_path).stat().st_mtime + 10_000)

    assert entries(tmp_path) == [f"{HANDLE}.json", f"{HANDLE}.json.lock"]


def test_a_lock_goes_with_what_it_protects(store: PendingStore, tmp_path: Path) -> None:
    """Handles are used once; their locks must not pile up."""
    with store.lock(HANDLE, 0):
        store.end(ENDED)

    assert entries(tmp_path) == [f"{HANDLE}.ended"]


def test_what_somebody_is_at_does_not_lapse(store: PendingStore) -> None:
    """The tokens may be on their way."""
    store.save(WAITING)
    with store.lock(HANDLE, 0):
        thread = threading.Thread(target=store.sweep, args=(NOW + 601,))
        thread.start()
        thread.join()

        assert store.load(HANDLE) == WAITING


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills")
def test_a_lock_dies_with_its_process(store: PendingStore, tmp_path: Path) -> None:
    """Killed while it waited for a person, a process must not keep the next one out."""
    script = (
        "import sys\nfrom loopback_auth.store.pending import PendingStore\n"
        "with PendingStore(sys.argv[1]).lock(sys.argv[2], 0):\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), HANDLE]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="held by another process"), store.lock(HANDLE, 0):
            pass
        process.kill()
        process.wait()
    with store.lock(HANDLE, 0):
        found = store.load(HANDLE)

    assert found == HANDED


def test_what_the_tokens_are_for_comes_back(tmp_path: Path) -> None:
    """RFC 8707 §2.2: the process that finishes has to ask for the same, and keeps it for renewals."""
    pendings = PendingStore(str(tmp_path))
    quirks = Quirks(dead_refresh_errors=("gone",), scope_aliases=(("mail", "https://x.example/mail"),))
    client = replace(
        HANDED.client,
        resource=("https://api.example/a", "https://api.example/b"),
        audience="api",
        provider=replace(HANDED.client.provider, quirks=quirks),
    )
    pendings.save(replace(HANDED, client=client))
    found = pendings.load(HANDED.handle)

    assert isinstance(found, PendingSignIn)
    assert found.client == client
