"""Keep sign-ins in Redis, for programs that run on many hosts.

What is kept is encrypted (`encryption`), what hosts do is put in order by leases (`redis_lock`). The lock
alone cannot protect a refresh token from being used twice: a host may die, or stand still for longer than
its lease, after it has sent it. So the use is noted in Redis before, and the note is removed when the answer
is kept. A holder that finds the note of another one knows that the refresh token may be used up.

Needs the extra `redis`, whose packages are imported when a store is made.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import cast

from loopback_auth.errors import ConfigError, SignInRequired, StoreError
from loopback_auth.field_checks import MOST_SECONDS, check_text
from loopback_auth.narrow import is_name
from loopback_auth.registration import Registrations
from loopback_auth.store.encryption import Encryption, Keys
from loopback_auth.store.interface import LOCK_TIMEOUT, TokenStore, checked_name
from loopback_auth.store.locks import thread_lock
from loopback_auth.store.redis_connection import RedisConnection
from loopback_auth.store.redis_lock import HeldLease, Lease, RedisSignInLock
from loopback_auth.store.registered_ports import registration_name
from loopback_auth.tokens import SignIn

LEASE_SECONDS = 10.0
TIMEOUT = 5.0

BEGIN = """
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return -1 end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return -2 end
local user = redis.call('HGET', KEYS[3], 'fence')
local again = ARGV[3] == '1' or redis.call('HGET', KEYS[3], 'stays') == '1'
if user and user ~= ARGV[1] and not again then return 0 end
redis.call('HSET', KEYS[3], 'fence', ARGV[1])
return 1
"""
"""Keys: sign-in, fence, use. Arguments: our fence, the sign-in as read, whether to use it all the same."""
ABANDON = """
if redis.call('HGET', KEYS[1], 'fence') == ARGV[1] then return redis.call('HDEL', KEYS[1], 'fence') end
return 0
"""
WRITE = """
local user = redis.call('HGET', KEYS[3], 'fence')
if redis.call('GET', KEYS[2]) ~= ARGV[1] and user ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
redis.call('DEL', KEYS[3])
if ARGV[3] == '1' then redis.call('HSET', KEYS[3], 'stays', '1') end
return 1
"""
"""Keys: sign-in, fence, use. Arguments: our fence, the new content, whether the refresh token has stayed.

The last holder may write, and also an earlier one whose refresh token no other has used since: what it brings
replaces what is used up.
"""


class RedisTokenStore(TokenStore):
    """Keeps sign-ins in Redis, encrypted, for programs on any number of hosts.

    One host at a time renews; the others wait and get its result. The lock of a host that dies lapses after
    `lease` seconds.

    A host can die after it has sent a refresh token and before it has kept the answer. No other host can know
    whether the server has got it. At a server that rotates refresh tokens, sending it again would revoke the
    whole grant (RFC 9700 §4.14.2), so by default no host does: `SignInRequired` is raised until the user has
    signed in again, or the first host comes back after all with what it got. This costs a sign-in when the
    host died before the server got the request. With `resend=True` the refresh token is sent again once the
    lease has lapsed: right for servers that accept one twice for a while, and where no user can be asked. A
    refresh token that has stayed the same in an earlier renewal is always sent again.

    An asyncio program uses the same class: its commands run in threads, so that a loop that is busy does not
    lose the lock.

    Redis (6 or later) must keep what it is told: set `maxmemory-policy noeviction`, and switch persistence on
    if a restart must not cost the sign-ins. A failover to a replica that is behind may lose the latest tokens
    or let two hosts hold a lock.

    Args:
        url: `redis://`, `rediss://` (TLS) or `unix://`, with user name and password if needed, as redis-py
            takes it.
        key: encrypts what is kept; Redis never sees it. At least 32 random characters or bytes, the same on
            all hosts. Several of them: the first one encrypts, all decrypt; so put a new one first, and
            remove the old one when all is renewed.
        prefix: with which all keys in Redis begin.
        lease: seconds after which the lock of a host that died is free.
        timeout: seconds to wait for Redis to connect, and to answer; at least 1.
        resend: send a refresh token again that another host may have used before it died.

    Raises:
        ConfigError: an argument cannot be used, or the extra is not installed.
    """

    excludes_processes = True

    def __init__(
        self,
        url: str,
        *,
        key: Keys,
        prefix: str = "loopback_auth",
        lease: float = LEASE_SECONDS,
        timeout: float = TIMEOUT,
        resend: bool = False,
    ) -> None:
        for name, seconds, least in (("lease", lease, 0.01), ("timeout", timeout, 1.0)):
            # Not every caller has a type checker.
            known = isinstance(seconds, int | float)  # pyright: ignore[reportUnnecessaryIsInstance]
            if not known or not least <= seconds <= MOST_SECONDS:
                raise ConfigError(f"{name} must be at least {least:g} seconds.", parameter=name)
        check_text(prefix, "prefix")
        self._encryption = Encryption(key)
        self._connection = RedisConnection(url, timeout)
        self._call = self._connection.call
        self._prefix = prefix
        self._lease_seconds = lease
        self._resend = resend
        self._leases: dict[str, Lease] = {}
        self._sent: dict[str, str | None] = {}

    def __repr__(self) -> str:
        if "_prefix" not in vars(self):
            return "RedisTokenStore()"  # For a report of an error of the constructor.
        return f"RedisTokenStore({self._connection.where!r}, prefix={self._prefix!r})"

    def names(self) -> tuple[str, ...]:
        """Return the names of all kept sign-ins, in alphabetical order.

        Raises:
            StoreError: Redis does not answer.
        """
        start, end = f"{self._prefix}:{{", "}"
        pattern = "".join(f"\\{each}" if each in "*?[]^\\" else each for each in start) + "*" + end
        found: set[str] = set()
        cursor: object = 0
        while True:
            answer = self._call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            cursor, keys = cast("tuple[object, list[bytes]]", answer)
            found.update(each.decode("utf-8", "replace")[len(start) : -len(end)] for each in keys)
            if not int(cast("bytes | int", cursor)):
                return tuple(sorted(name for name in found if is_name(name)))

    def read(self, name: str) -> SignIn | None:
        """Return a sign-in; None when there is none of that name.

        Raises:
            StoreError: Redis does not answer, or the content is not by one of the keys, or was changed.
        """
        content = self._content(name)
        return None if content is None else self._decrypted(content, name)

    def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep or remove a sign-in, under the lock that this object holds, or else under its own.

        Raises:
            StoreError: Redis does not answer; the content there is not by one of the keys; or another host
                has taken over. Then nothing is overwritten.
        """
        lease = self._held(name)
        if lease is None:
            with self.lock(name):
                self.write(name, sign_in)
            return
        before = self._content(name)
        if before is not None:
            self._encryption.check_key(before, name)
        content, stays = b"", False
        if sign_in is not None:
            content = self._encryption.encrypt(sign_in.to_json().encode("ascii"), self._bound(name))
            sent = self._sent.get(name)
            stays = sent is not None and sent == sign_in.tokens.refresh_token
        keys = self._key(name), self._key(name, ":lock:fence"), self._key(name, ":use")
        if not self._call("EVAL", WRITE, 3, *keys, lease.fence, content, int(stays)):
            raise StoreError(
                f"Another host has taken over the sign-in {name}, because this one stood still for too long.",
                hint="Use a longer lease.",
            )

    def lock(self, name: str, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Return a lock that excludes threads, processes and hosts; it lapses when its host dies.

        Raises:
            ConfigError: this cannot be a name.
            StoreError: (on entry) the lock was not free in time, or Redis does not answer.
        """
        lease = Lease(self._call, self._key(checked_name(name), ":lock"), self._lease_seconds)

        def held(taken: Lease | None) -> None:
            self._sent.pop(name, None)
            if taken is None:
                self._leases.pop(name, None)
            else:
                self._leases[name] = taken

        # Of the threads here one holds the lease, even if it lapses: the name says which one is meant.
        return HeldLease(lease, thread_lock(self, name, timeout), name, timeout, held)

    def sign_in_lock(self, name: str) -> RedisSignInLock:
        """Return the lock that lets one host at a time ask the user.

        Raises:
            ConfigError: this cannot be a name.
        """
        return RedisSignInLock(self._call, self._key(checked_name(name), ":turn"), self._lease_seconds)

    def begin_refresh(self, sign_in: SignIn) -> None:
        """Note that a refresh token is about to be sent.

        Raises:
            SignInRequired: another host may have used it.
            StoreError: Redis does not answer, or has other tokens by now.
        """
        name, lease = sign_in.name, self._held(sign_in.name)
        content = self._content(name)
        kept = None if content is None else self._decrypted(content, name)
        if lease is None or content is None or kept is None or _token(kept) != _token(sign_in):
            raise _overtaken(name)
        keys = self._key(name), self._key(name, ":lock:fence"), self._key(name, ":use")
        answer = self._call("EVAL", BEGIN, 3, *keys, lease.fence, content, int(self._resend))
        if answer == 0:
            raise SignInRequired(
                f"The refresh token for {name} may be used up: a host sent it and did not keep the answer.",
                hint="Sign in again.",
            )
        if answer != 1:
            raise _overtaken(name)
        self._sent[name] = _token(sign_in)

    def abandon_refresh(self, sign_in: SignIn) -> None:
        """Note that the refresh token can be sent again.

        Raises:
            StoreError: Redis does not answer.
        """
        if lease := self._held(sign_in.name):
            self._call("EVAL", ABANDON, 1, self._key(sign_in.name, ":use"), lease.fence)

    def read_registrations(self, issuer: str) -> Registrations | None:
        """Return the clients that were registered at an issuer; None when there are none.

        Raises:
            StoreError: Redis does not answer, or the content is not by one of the keys, or was changed.
        """
        name = f"registration:{registration_name(issuer)}"
        content = cast("bytes | None", self._call("GET", f"{self._prefix}:{name}"))
        if content is None:
            return None
        return Registrations.from_json(self._encryption.decrypt(content, self._bound(name)))

    def write_registrations(self, issuer: str, registrations: Registrations | None) -> None:
        """Keep the clients that are registered at an issuer, encrypted; None: remove them.

        Raises:
            StoreError: Redis does not answer.
        """
        name = f"registration:{registration_name(issuer)}"
        if registrations is None:
            self._call("DEL", f"{self._prefix}:{name}")
            return
        content = self._encryption.encrypt(registrations.to_json().encode("ascii"), self._bound(name))
        self._call("SET", f"{self._prefix}:{name}", content)

    def check_writable(self) -> None:
        """Check that Redis answers and takes what is written.

        Raises:
            StoreError: it does not.
        """
        self._call("SET", f"{self._prefix}:writable", "1", "EX", 1)

    def _held(self, name: str) -> Lease | None:
        """Return the lease on a name that this process holds through this object."""
        lease = self._leases.get(name)
        return lease if lease is not None and lease.process == os.getpid() else None

    def _key(self, name: str, part: str = "") -> str:
        # What is in braces decides where a cluster keeps a key; all keys of a name have to be together.
        return f"{self._prefix}:{{{name}}}{part}"

    def _bound(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _content(self, name: str) -> bytes | None:
        return cast("bytes | None", self._call("GET", self._key(name)))

    def _decrypted(self, content: bytes, name: str) -> SignIn:
        return SignIn.from_json(self._encryption.decrypt(content, self._bound(name)))


def _overtaken(name: str) -> StoreError:
    return StoreError(f"Another host has new tokens for {name}.", hint="Try again.")


def _token(sign_in: SignIn) -> str | None:
    return sign_in.tokens.refresh_token
