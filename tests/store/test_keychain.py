"""Sign-ins that are encrypted with a key in the keychain: found again, never in plain text, never lost."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fake_keychain
import pytest
from fake_keychain import CANARY as OF_KEYCHAIN
from fake_keychain import be_wrong, calls, environment, lose_all, new_process
from keyring import core
from test_pending import HANDED

from loopback_auth import KeychainTokenStore, TokenSource
from loopback_auth.credential_helpers.keyring_backend import LoopbackAuthKeyring
from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.registration import Registration, Registrations
from loopback_auth.store import FileTokenStore, keychain_backend, keychain_question
from loopback_auth.store.keychain_backend import may_ask
from loopback_auth.store.pending import PendingStore
from loopback_auth.tokens import SignIn, TokenSet

CANARY = "canary-7f3a"
NOW = time.time()
TOKENS = TokenSet(CANARY, "Bearer", obtained_at=NOW, expires_at=NOW + 3600, refresh_token=f"r-{CANARY}")
ISSUER = "https://as.example"
SIGN_IN = SignIn("as.example", "client", "none", ServerMetadata(issuer=ISSUER), "", TOKENS)
KEY = {"kty": "EC", "crv": "P-256", "x": "public", "y": "public", "d": CANARY}
BOUND = replace(SIGN_IN, name="bound", tokens=replace(TOKENS, token_type="DPoP"), dpop_key=KEY)
REGISTERED = Registrations((Registration(ISSUER, "id", ("http://127.0.0.1:8123/",), client_secret=CANARY),))

not_windows = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows' embeddable Python takes no module from PYTHONPATH"
)


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have a keychain, and return its folder."""
    with fake_keychain.keychain(tmp_path / "secrets", monkeypatch) as folder:
        yield folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the data folder."""
    return tmp_path / "data"


@pytest.fixture
def store(data: Path, secrets: Path) -> KeychainTokenStore:
    """Return a store that keeps a sign-in."""
    kept = KeychainTokenStore(data)
    kept.save(SIGN_IN)
    return kept


def contents(data: Path) -> dict[str, bytes]:
    """Return what is in every file of the data folder."""
    return {
        path.relative_to(data).as_posix(): path.read_bytes() for path in data.rglob("*") if path.is_file()
    }


def test_nothing_secret_is_in_plain_text(store: KeychainTokenStore, data: Path) -> None:
    """A copy of the folder, as a backup has it, is worth nothing without the keychain."""
    store.save(BOUND)
    store.write_registrations(ISSUER, REGISTERED)
    (data / "sign-ins" / "as.example.json").write_bytes(b"\x01" + CANARY.encode())
    store.save(SIGN_IN)

    written = contents(data)
    aside = {name for name in written if ".corrupt-" in name}
    assert len(aside) == 1
    assert [name for name, content in written.items() if CANARY.encode() in content] == [*aside]
    assert (store.load("as.example"), store.load("bound")) == (SIGN_IN, BOUND)
    assert store.read_registrations(ISSUER) == REGISTERED
    assert store.registered_ports(ISSUER) == (8123,)


def test_a_file_is_worthless_in_the_place_of_another(store: KeychainTokenStore, data: Path) -> None:
    """Otherwise a token would be sent to the server of another name (NIST SP 800-38D, associated data)."""
    (data / "sign-ins" / "other.json").write_bytes((data / "sign-ins" / "as.example.json").read_bytes())

    with pytest.raises(StoreError):
        store.load("other")


@pytest.mark.parametrize("at", [0, 1, 9, 21, -1])
def test_a_changed_byte_is_noticed(store: KeychainTokenStore, data: Path, at: int) -> None:
    """The mode of encryption authenticates; a file that was changed is damaged."""
    path = data / "sign-ins" / "as.example.json"
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)

    with pytest.raises(StoreError):
        store.load("as.example")
    store.save(SIGN_IN)
    assert store.load("as.example") == SIGN_IN
    assert len(list(path.parent.glob("*.corrupt-*"))) == 1


@pytest.mark.parametrize("length", [0, 1, 8, 20, 36])
def test_a_file_that_was_cut_off_is_damaged(store: KeychainTokenStore, data: Path, length: int) -> None:
    """A disk may have lost the end, and no error but ours may come of it."""
    path = data / "sign-ins" / "as.example.json"
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(StoreError):
        store.load("as.example")


def test_the_keychain_is_asked_once_in_a_process(
    store: KeychainTokenStore, data: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question may be a window in front of a person."""
    store.save(BOUND)
    store.load("bound")
    made = calls(secrets)
    new_process(monkeypatch)
    for _ in range(3):
        KeychainTokenStore(data).load("bound")
        FileTokenStore(data).load("as.example")

    assert made == ["get", "set", "get"]
    assert calls(secrets) == [*made, "get"]


def test_both_stores_read_what_either_has_kept(store: KeychainTokenStore, data: Path) -> None:
    """While files are moved, and afterwards, processes of before go on with what they have."""
    files = FileTokenStore(data)
    assert files.load("as.example") == SIGN_IN

    plain = replace(SIGN_IN, name="plain")
    elsewhere = FileTokenStore(data.parent / "elsewhere")
    elsewhere.save(plain)
    Path(elsewhere.path("plain")).rename(data / "sign-ins" / "plain.json")
    assert store.load("plain") == plain


def test_what_writes_to_an_encrypted_folder_encrypts(store: KeychainTokenStore, data: Path) -> None:
    """A program that was started before the sign-ins were moved would otherwise write plain text again."""
    FileTokenStore(data).save(replace(SIGN_IN, name="later"))

    assert all(CANARY.encode() not in content for content in contents(data).values())


def test_a_new_folder_without_the_keychain_needs_none(data: Path, secrets: Path) -> None:
    """The keychain is only for those who chose it."""
    FileTokenStore(data).check_writable()
    FileTokenStore(data).save(SIGN_IN)

    assert calls(secrets) == []
    assert not (data / "keychain.json").exists()


@not_windows
def test_two_processes_make_one_key(data: Path, secrets: Path) -> None:
    """A keychain replaces a secret that is there: the key of the first would be lost with its sign-in."""
    script = (
        "import sys; from dataclasses import replace; from loopback_auth import KeychainTokenStore\n"
        "sys.path.insert(0, sys.argv[3]); from test_keychain import SIGN_IN\n"
        "store = KeychainTokenStore(sys.argv[1]); sys.stdin.readline()\n"
        "store.save(replace(SIGN_IN, name=sys.argv[2]))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(data), f"name-{number}", str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()

    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert len(json.loads((secrets / "secrets").read_text())) == 1
    assert all(FileTokenStore(data).load(f"name-{number}") for number in range(4))


def test_a_crash_while_the_key_is_made_leaves_one_key(
    data: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is kept before it is made, so that the next process goes on with it."""
    be_wrong(secrets, "exits")
    with pytest.raises(StoreError):
        KeychainTokenStore(data).save(SIGN_IN)
    be_wrong(secrets, "")
    new_process(monkeypatch)
    KeychainTokenStore(data).save(SIGN_IN)

    document = json.loads((data / "keychain.json").read_text())
    assert [*json.loads((secrets / "secrets").read_text())] == [
        f"loopback_auth {document['keys'][0]['user']}"
    ]


def test_a_lost_key_loses_no_file_and_signing_in_again_works(
    store: KeychainTokenStore, data: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keychain is reset with a forgotten password; when a backup of it comes back, so do the sign-ins."""
    store.save(BOUND)
    store.write_registrations(ISSUER, REGISTERED)
    before, old = contents(data), (secrets / "secrets").read_text()
    lose_all(secrets)
    new_process(monkeypatch)
    with pytest.raises(StoreError):
        store.load("as.example")
    assert contents(data) == before
    assert store.read_registrations(ISSUER) is None
    assert store.registered_ports(ISSUER) == ()

    again = replace(SIGN_IN, client_id="again")
    store.check_writable()
    store.save(again)
    assert store.load("as.example") == again
    assert before["sign-ins/as.example.json"] in contents(data).values()

    new = json.loads((secrets / "secrets").read_text())
    (secrets / "secrets").write_text(json.dumps({**json.loads(old), **new}))
    new_process(monkeypatch)
    assert (store.load("bound"), store.load("as.example")) == (BOUND, again)


@pytest.mark.parametrize(
    "fault",
    ["locked", "not allowed", "talks", "exits", "forgets", "truncates", "bytes", "another", "empty"],
)
def test_a_keychain_with_a_fault_is_refused_before_anything_is_kept(
    data: Path, secrets: Path, fault: str
) -> None:
    """With a key that cannot be read back, all that is encrypted with it would be lost."""
    be_wrong(secrets, fault)

    for act in (KeychainTokenStore(data).check_writable, lambda: KeychainTokenStore(data).save(SIGN_IN)):
        with pytest.raises(StoreError) as caught:
            act()
        assert OF_KEYCHAIN not in f"{caught.value} {caught.value.hint}"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    assert list(data.rglob("as.example*.json")) == []


@pytest.mark.parametrize(
    "fault", ["locked", "not allowed", "talks", "truncates", "bytes", "another", "empty"]
)
def test_a_fault_of_the_keychain_changes_no_file(
    store: KeychainTokenStore, data: Path, secrets: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read now may be there again in a minute."""
    before = contents(data)
    be_wrong(secrets, fault)
    new_process(monkeypatch)
    with pytest.raises(StoreError):
        store.load("as.example")

    assert {name: contents(data)[name] for name in before} == before
    be_wrong(secrets, "")
    new_process(monkeypatch)
    assert store.load("as.example") == SIGN_IN


def test_a_keychain_that_hangs_is_not_waited_for(
    store: KeychainTokenStore, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon on D-Bus may be stopped; and it is asked no second time while it hangs."""
    monkeypatch.setattr(keychain_question, "ANSWER_SECONDS", 0.05)
    monkeypatch.setenv("CI", "1")
    be_wrong(secrets, "hangs")
    new_process(monkeypatch)
    asked = len(calls(secrets))
    for _ in range(3):
        with pytest.raises(StoreError):
            store.load("as.example")

    assert len(calls(secrets)) - asked <= 1


@pytest.mark.parametrize(
    "name",
    [
        "keyring.backends.fail.Keyring",
        "keyring.backends.null.Keyring",
        "keyring.backends.chainer.ChainerBackend",
        "fake_keychain.Plain",
        "fake_keychain.NoPriority",
        "no_such_module.Keyring",
        "fake_keychain.NoSuchClass",
        "fake_keychain",
        "json.JSONDecoder",
        "..",
    ],
)
def test_what_is_no_keychain_is_refused(
    data: Path, secrets: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each can be named in the configuration of keyring, and the key would be nowhere, or open."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)

    with pytest.raises(StoreError):
        KeychainTokenStore(data).check_writable()
    assert calls(secrets) == []


@pytest.mark.parametrize(
    "text",
    [
        "[backend",
        "[backend]\ndefault-keyring=no_such.Keyring",
        "\0",
        pytest.param(
            "[backend]\n",
            marks=pytest.mark.skipif(
                sys.platform == "win32", reason="Windows has its keychain without a bus"
            ),
        ),
    ],
)
def test_a_configuration_of_keyring_that_is_wrong_is_said(
    data: Path, tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a class in it, and without a bus, there is no keychain either."""
    new_process(monkeypatch)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    monkeypatch.setattr(core, "_config_path", lambda: tmp_path / "keyringrc.cfg")
    (tmp_path / "keyringrc.cfg").write_text(text)

    with pytest.raises(StoreError):
        KeychainTokenStore(data).check_writable()


def test_a_folder_can_be_moved(store: KeychainTokenStore, data: Path) -> None:
    """The name of the key is not that of the folder: a home is renamed, or comes from a backup."""
    data.rename(data.parent / "elsewhere")

    assert KeychainTokenStore(data.parent / "elsewhere").load("as.example") == SIGN_IN


@pytest.mark.parametrize("display", ["", ":0"])
def test_a_person_is_waited_for_where_one_can_answer(
    store: KeychainTokenStore, secrets: Path, display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password takes longer to type than a daemon to answer."""
    monkeypatch.setattr(keychain_backend, "may_ask", lambda environ, platform: bool(display))
    monkeypatch.setattr(keychain_question, "ANSWER_SECONDS", 0.01)
    be_wrong(secrets, "asks")
    new_process(monkeypatch)
    if display:
        assert store.load("as.example") == SIGN_IN
    else:
        with pytest.raises(StoreError):
            store.load("as.example")


def test_a_back_end_of_ours_is_never_asked(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers with tokens, for which the key is needed."""
    name = f"{LoopbackAuthKeyring.__module__}.{LoopbackAuthKeyring.__qualname__}"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    new_process(monkeypatch)

    with pytest.raises(StoreError, match="sign-ins themselves"):
        KeychainTokenStore(data).check_writable()


def test_without_the_extra_it_says_what_to_install(
    data: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line to type is the whole answer."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setitem(sys.modules, "keyring.core", None)

    with pytest.raises(ConfigError) as caught:
        KeychainTokenStore(data).check_writable()
    assert "loopback-auth[keychain]" in caught.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"version": 2}', b'{"version": 1, "keys": 1}', b"\xff"]
)
def test_a_damaged_description_of_the_key_encrypts_nothing(
    store: KeychainTokenStore, data: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written in plain text because the file cannot be read that says whether to encrypt."""
    (data / "keychain.json").write_bytes(content)
    new_process(monkeypatch)

    for kept in (store, FileTokenStore(data)):
        with pytest.raises(StoreError):
            kept.load("as.example")
        with pytest.raises(StoreError):
            kept.save(SIGN_IN)


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1"}, "linux", False),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", False),
        ({"DISPLAY": ":0", "CI": "false"}, "linux", True),
        ({}, "darwin", True),
        ({"SSH_TTY": "/dev/ttys1"}, "darwin", False),
        ({"GITHUB_ACTIONS": "true"}, "win32", False),
    ],
)
def test_a_person_is_asked_only_where_one_can_answer(
    environ: dict[str, str], platform: str, expected: bool
) -> None:
    """A window that opens on another screen, or on none, would be waited for."""
    assert may_ask(environ, platform) is expected


@not_windows
def test_a_token_is_printed_from_the_keychain(store: KeychainTokenStore, data: Path, secrets: Path) -> None:
    """The command says nothing of where it is from."""
    command = [sys.executable, "-m", "loopback_auth", "token", "as.example"]
    environ = {**environment(secrets), "HOME": str(data.parent), "LOOPBACK_AUTH_DATA_DIR": str(data)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{CANARY}\n", "")


def test_pending_sign_ins_are_encrypted_too(store: KeychainTokenStore, data: Path) -> None:
    """A code verifier or the id of a ticket is as good as the tokens until they are exchanged."""
    pendings = PendingStore(data)
    pendings.save(HANDED)

    assert pendings.load(HANDED.handle) == HANDED
    assert (data / "pending" / f"{HANDED.handle}.json").read_bytes()[:1] == b"\x01"


def test_what_is_too_large_to_be_encrypted_is_not_kept(store: KeychainTokenStore) -> None:
    """What is kept must be read again, and a larger file is refused as foreign."""
    for size in (1024 * 1024 - 900, 1024 * 1024):
        large = replace(SIGN_IN, name="large", tokens=replace(TOKENS, access_token="x" * size))
        try:
            store.save(large)
        except StoreError:
            continue
        assert store.load("large") == large


def test_a_client_at_a_store_of_the_keychain_is_one_line(data: Path, secrets: Path) -> None:
    """Embedding programs pass it where they pass any other."""
    kept = KeychainTokenStore(data)
    kept.save(SIGN_IN)
    client = ClientConfig.at(ISSUER, client_id="client")

    assert TokenSource(client, store=kept, interactive=False).token_sync() == CANARY


def test_a_keychain_that_hangs_is_waited_for_once(
    store: KeychainTokenStore, data: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of twenty sign-ins must not take twenty times as long."""
    monkeypatch.setattr(keychain_question, "ANSWER_SECONDS", 0.3)
    monkeypatch.setenv("CI", "1")
    be_wrong(secrets, "hangs")
    new_process(monkeypatch)
    begun = time.monotonic()
    for _ in range(20):
        with pytest.raises(StoreError):
            store.load("as.example")

    assert time.monotonic() - begun < 3.0
