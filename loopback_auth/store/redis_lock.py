"""Locks that hosts share: a lease in Redis that is extended for as long as its holder lives.

Each holder gets a number that is higher than that of every holder before (a fencing token). Redis refuses
what a holder writes whose lease has lapsed and was taken by another one. Those that wait are woken when the
holder is done, one at a time, and look again after half a second all the same.

Every step is one script, because Redis runs a script as a whole; each may be repeated without harm, because
a connection can break between a step and its answer.

Source: https://redis.io/docs/latest/develop/use/patterns/distributed-locks/ (random owner, safe release).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

from loopback_auth.errors import LoopbackAuthError, StoreError
from loopback_auth.narrow import is_object
from loopback_auth.store.sign_in_lock import SignInLock

Call = Callable[..., object]
"""Sends one command to Redis and returns its answer, or raises a `StoreError`."""

LOOK_SECONDS = 0.5
"""Seconds after which a lock that is waited for is looked at again: a wake-up can be lost."""
SAID_SECONDS = 3600
"""Seconds for which the end of a sign-in is known to those who waited for it."""

TAKE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('GET', KEYS[2]) end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return redis.call('INCR', KEYS[2]) end
return -redis.call('PTTL', KEYS[1])
"""
"""Returns the number of the holder, or for how many milliseconds the lock is another's, below 0."""
EXTEND = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if redis.call('LLEN', KEYS[2]) == 0 then redis.call('RPUSH', KEYS[2], '1') end
return redis.call('PEXPIRE', KEYS[2], ARGV[2])
"""


class Lease:
    """A lock in Redis, with a thread that extends it.

    Args:
        call: sends one command to Redis.
        key: of the lock; further keys begin with it.
        seconds: after which the lock of a holder that died is free.
    """

    def __init__(self, call: Call, key: str, seconds: float) -> None:
        self._call = call
        self._lock, self._fence, self._wake = key, f"{key}:fence", f"{key}:wake"
        self._owner = os.urandom(16).hex()
        self._seconds = seconds
        self._ended: threading.Event | None = None
        self._lapses_in = 0.0
        self.process: int = 0
        """ID of the process that holds it: in a child that was forked from it, nothing extends it."""
        self.fence: int = 0
        """The number of this holder; 0 while the lock is not held."""

    def take(self) -> bool:
        """Take the lock if it is free; return whether this object has it.

        Raises:
            StoreError: Redis does not answer.
        """
        answer = self._call("EVAL", TAKE, 2, self._lock, self._fence, self._owner, self._milliseconds())
        number = int(answer) if isinstance(answer, int | bytes) else 0
        if number <= 0:
            self._lapses_in = -number / 1000
            return False
        self.fence = number
        self.process, self._ended = os.getpid(), threading.Event()
        threading.Thread(
            target=self._extend, args=(self._ended,), name="loopback_auth lease", daemon=True
        ).start()
        return True

    def wait(self, seconds: float) -> None:
        """Wait until the holder is done or its lease lapses, for half a second at most.

        Raises:
            StoreError: Redis does not answer.
        """
        longest = min(seconds, self._lapses_in + 0.001, LOOK_SECONDS)
        self._call("BLPOP", self._wake, f"{max(longest, 0.001):.3f}")

    def release(self) -> None:
        """Give the lock back, and wake one of those who wait; if Redis does not answer, it lapses."""
        ended, self._ended, self.fence = self._ended, None, 0
        if ended is None:
            return
        ended.set()
        try:
            self._call("EVAL", RELEASE, 2, self._lock, self._wake, self._owner, self._milliseconds())
        except StoreError:
            return

    def _milliseconds(self) -> int:
        return max(1, int(self._seconds * 1000))

    def _extend(self, ended: threading.Event) -> None:
        while not ended.wait(self._seconds / 3):
            try:
                self._call("EVAL", EXTEND, 1, self._lock, self._owner, self._milliseconds())
            except StoreError:
                continue  # It may answer again before the lease has lapsed.


class HeldLease:
    """A lease as a context manager.

    Args:
        lease: to take.
        threads: excludes the other threads that use the same store.
        name: of the sign-in that it protects, for the message.
        timeout: seconds to wait for it.
        held: called with the lease when it is taken, and with None before it is given back.
    """

    def __init__(
        self,
        lease: Lease,
        threads: AbstractContextManager[None],
        name: str,
        timeout: float,
        held: Callable[[Lease | None], None],
    ) -> None:
        self._lease = lease
        self._threads = threads
        self._name = name
        self._timeout = timeout
        self._held = held

    def __enter__(self) -> None:
        """Wait for the lease, and take it.

        Raises:
            StoreError: it was not free in time, or Redis does not answer.
        """
        until = time.monotonic() + self._timeout
        self._threads.__enter__()
        try:
            while not self._lease.take():
                left = until - time.monotonic()
                if left <= 0:
                    waited = f"waited {self._timeout:g} seconds"
                    raise StoreError(
                        f"The sign-in {self._name} is in use by another host: {waited}",
                        hint="Try again in a moment.",
                    )
                self._lease.wait(left)
        except BaseException:
            self._threads.__exit__(None, None, None)
            raise
        self._held(self._lease)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held(None)
        self._lease.release()
        self._threads.__exit__(None, None, None)


class RedisSignInLock(SignInLock):
    """Excludes the other hosts, and lets them know how the sign-in ended.

    Args:
        call: sends one command to Redis.
        key: of the lock.
        seconds: after which the lock of a host that died is free.
    """

    def __init__(self, call: Call, key: str, seconds: float) -> None:
        self._call = call
        self._said_key = f"{key}:said"
        self._lease = Lease(call, key, seconds)

    def lead(self) -> bool:
        """Become the leader if there is none.

        Raises:
            StoreError: Redis does not answer.
        """
        return bool(self._lease.fence) or self._lease.take()

    def leave(self) -> None:
        """Let another host lead."""
        self._lease.release()

    def read_said(self) -> bytes:
        """Return what the leader has said, with the time of its end by the clock of this host."""
        said = self._call("GET", self._said_key)
        if not isinstance(said, bytes):
            return b""
        left = self._call("PTTL", self._said_key)
        content: object = json.loads(said)
        if is_object(content) and "ended_at" in content and isinstance(left, int):
            content["ended_at"] = time.time() - (SAID_SECONDS - left / 1000)
        return json.dumps(content).encode("ascii")

    def say(self, said: bytes) -> None:
        """Let the other hosts know."""
        try:
            self._call("SET", self._said_key, said, "EX", SAID_SECONDS)
        except LoopbackAuthError:
            return  # Without it they sign in themselves.
