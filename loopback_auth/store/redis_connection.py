"""A connection to Redis, whose errors show neither password nor content.

Needs the extra `redis`, whose package is imported when a connection is made.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.store.encryption import missing_library


class _Client(Protocol):
    def execute_command(self, *command: object) -> object: ...


class RedisConnection:
    """Sends commands to Redis, from any thread; it connects when the first one is sent.

    Args:
        url: as redis-py takes it.
        timeout: seconds to wait for it to connect, and to answer.

    Raises:
        ConfigError: the URL cannot be used, or the extra is not installed.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._client = _connected(url, timeout)
        self.where: str = _address(url)
        """The URL without user name, password and options."""

    def call(self, *command: object) -> object:
        """Send one command, and return its answer as redis-py reads it.

        Raises:
            StoreError: there was no answer, or Redis refused.
        """
        from redis.exceptions import RedisError  # Of the extra.

        try:
            return self._client.execute_command(*command)
        except (RedisError, OSError) as exc:
            raise _failed(exc, self.where) from None


def _connected(url: str, timeout: float) -> _Client:
    try:
        # Of the extra.
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError
        from redis.retry import Retry
    except ImportError:
        raise missing_library("redis") from None
    try:
        made: _Client = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            socket_connect_timeout=timeout,
            socket_timeout=timeout,
            # For a connection that was closed while it was idle.
            retry=Retry(NoBackoff(), 1),
        )
    except (ValueError, TypeError, AttributeError, RedisError):
        # Their text may quote the URL, which has a password.
        raise ConfigError(
            "The URL of Redis cannot be used.",
            hint="Write redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH.",
            parameter="url",
        ) from None
    return made


def _address(url: str) -> str:
    """Return a URL without user name, password and options, which may contain a password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _failed(exc: Exception, where: str) -> StoreError:
    """Return the error for what redis-py raised; of its text only an error code of Redis is shown."""
    from redis.exceptions import (
        AuthenticationError,
        ConnectionError,
        ResponseError,
        TimeoutError,
    )  # Of the extra.

    if isinstance(exc, AuthenticationError):
        return StoreError(f"Redis at {where} refused the user name or password.", hint="Check the URL.")
    if isinstance(exc, TimeoutError | ConnectionError | OSError):
        return StoreError(
            f"Redis at {where} does not answer ({type(exc).__name__}).",
            hint="Check that Redis is running and can be reached, then try again.",
        )
    code = str(exc).partition(" ")[0] if isinstance(exc, ResponseError) else ""
    reason = code if code.isascii() and code.isalpha() and code.isupper() else type(exc).__name__
    return StoreError(
        f"Redis at {where} refused the command: {reason}.", hint="Check the rights of the user."
    )
