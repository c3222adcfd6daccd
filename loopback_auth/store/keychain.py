"""Keep sign-ins in encrypted files, whose one key the keychain of the system has.

A keychain takes few and small secrets, and has no locks; so it has 32 bytes for each data folder, and all
else is as in `FileTokenStore`: the names and modes of files, the locks, the replacement in one step.
"""

from __future__ import annotations

from loopback_auth.store import FileTokenStore


class KeychainTokenStore(FileTokenStore):
    """Keeps sign-ins in files that are encrypted with a key in the keychain of the system.

        source = TokenSource(client, store=KeychainTokenStore(folder))

    The keychain is the one that `keyring` uses: macOS Keychain, Windows Credential Locker, or the Secret
    Service or KWallet of a Linux desktop. It is asked once in a process at most. Where it is locked, a person
    at the screen is asked to unlock it; over SSH and in CI a locked keychain is an error. Every call ends in
    time.

    Encrypted are the tokens (AES-256-GCM), the keys to which tokens are bound, and the clients that the
    program has registered. Names, sizes and times of files are not. The sign-ins that a `FileTokenStore` has
    kept in the folder are found, and are encrypted when they are written next.

    It protects what leaves the account: a backup, a copy of the folder, a stolen disk without encryption of
    its own. A program that runs as the same user can ask the keychain for the key, too.

    Args:
        folder: the data folder; created when something is kept for the first time.

    Besides the errors of `FileTokenStore` there are `ConfigError` where the extra is missing
    (`pip install 'loopback-auth[keychain]'`), and `StoreError` where there is no keychain, it is locked, or
    it has lost the key. If it has, a new sign-in makes a new key; old files are renamed, never overwritten.
    """

    encrypts = True
