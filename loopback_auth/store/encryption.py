"""Encrypt what is kept at a place that other programs can read.

AES-256 in Galois/Counter Mode with a random nonce (NIST SP 800-38D), by a key that is derived from the given
one (RFC 5869). The name of a sign-in is bound to what is encrypted, so that two of them cannot be swapped. An
older content that is put back is not noticed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.narrow import is_sequence

FORM = b"\x01"
"""The first byte of what is encrypted: the form of the rest."""
KEY_SIZE = 32
"""Characters or bytes that a key must have at least."""
_ID_SIZE = 8
_NONCE_SIZE = 12
_HEAD_SIZE = len(FORM) + _ID_SIZE

Keys = str | bytes | Sequence[str | bytes]


class Encryption:
    """Encrypts with the first of several keys, and decrypts with any of them.

    Args:
        keys: one key, or several, the newest first: each of 32 random characters or bytes, or more.
        extra: of this package, which brings the library that encrypts.

    Raises:
        ConfigError: there is no key, one is too short, or the extra is not installed.
    """

    def __init__(self, keys: Keys, extra: str = "redis") -> None:
        try:
            # Of the extra.
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except Exception:  # From a zip it is an AttributeError.
            raise missing_library("cryptography", extra) from None
        self._ciphers: dict[bytes, AESGCM] = {}
        given: object = keys
        for key in given if is_sequence(given) else [given]:
            secret = _checked(key)
            derived = HKDF(SHA256(), KEY_SIZE + _ID_SIZE, None, b"loopback_auth kept sign-ins").derive(secret)
            self._ciphers[derived[KEY_SIZE:]] = AESGCM(derived[:KEY_SIZE])
        if not self._ciphers:
            raise ConfigError("No key was given to encrypt with.", parameter="key")

    @property
    def key_id(self) -> bytes:
        """The 8 bytes that stand for the key with which is encrypted; they say nothing about it."""
        return next(iter(self._ciphers))

    def encrypt(self, content: bytes, name: str) -> bytes:
        """Encrypt the content of a name."""
        key_id, cipher = next(iter(self._ciphers.items()))
        nonce = os.urandom(_NONCE_SIZE)
        head = FORM + key_id
        return head + nonce + cipher.encrypt(nonce, content, head + name.encode())

    def decrypt(self, encrypted: bytes, name: str) -> bytes:
        """Decrypt the content of a name.

        Raises:
            StoreError: it was encrypted with another key, was changed, or belongs to another name.
        """
        from cryptography.exceptions import InvalidTag  # Of the extra.

        self.check_key(encrypted, name)
        head, rest = encrypted[:_HEAD_SIZE], encrypted[_HEAD_SIZE:]
        cipher = self._ciphers[id_in(encrypted)]
        try:
            return cipher.decrypt(rest[:_NONCE_SIZE], rest[_NONCE_SIZE:], head + name.encode())
        except (InvalidTag, ValueError):
            raise StoreError(
                f"The kept sign-in {name} was changed, or moved there from another name.",
                hint="Find out who can write there, and sign in again.",
            ) from None

    def check_key(self, encrypted: bytes, name: str) -> None:
        """Check that a content was encrypted with one of the keys.

        Raises:
            StoreError: it was not.
        """
        if encrypted[: len(FORM)] != FORM or id_in(encrypted) not in self._ciphers:
            raise StoreError(
                f"The kept sign-in {name} was encrypted with another key, or not by this program.",
                hint="Give that key as well, after the new one, or choose another prefix.",
            )


def id_in(encrypted: bytes) -> bytes:
    """Return what stands for the key with which a content was encrypted (see `Encryption.key_id`)."""
    return encrypted[len(FORM) : _HEAD_SIZE]


def missing_library(library: str, extra: str = "redis") -> ConfigError:
    """Return the error for a library of an extra that is not installed."""
    return ConfigError(
        f"The package {library} is not installed.",
        hint=f"Install the extra: pip install 'loopback-auth[{extra}]'.",
    )


def _checked(key: object) -> bytes:
    secret = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    if not isinstance(secret, bytes):
        raise ConfigError(f"key must be text or bytes, not of type {type(key).__name__}.", parameter="key")
    if len(secret) < KEY_SIZE:
        raise ConfigError(
            f"key has {len(secret)} characters or bytes, and must have {KEY_SIZE} at least.",
            hint="Make a random one: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
            parameter="key",
        )
    return secret
