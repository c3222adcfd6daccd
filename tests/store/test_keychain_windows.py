"""Sign-ins under a key in the Credential Locker of Windows."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_keychain import new_process
from test_keychain import SIGN_IN, TOKENS

from loopback_auth import KeychainTokenStore
from loopback_auth.store import FileTokenStore
from loopback_auth.store.keychain_key import read_keychain
from loopback_auth.store.migration import move

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="the Credential Locker of Windows")


def test_a_token_that_the_locker_could_not_take_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 2560 bytes (CRED_MAX_CREDENTIAL_BLOB_SIZE), which the tokens of some servers exceed."""
    large = replace(SIGN_IN, tokens=replace(TOKENS, access_token="x" * 6000))
    FileTokenStore(tmp_path).save(large)
    assert move(str(tmp_path), encrypt=True).moved == 1

    new_process(monkeypatch)
    assert KeychainTokenStore(tmp_path).load(large.name) == large
    assert [key.backend for key in read_keychain(str(tmp_path)).keys] == [
        "keyring.backends.Windows.WinVaultKeyring"
    ]
    assert move(str(tmp_path), encrypt=False).moved == 1
