"""A server to examine, and the client with which it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.model import ClientConfig


@dataclass(frozen=True, slots=True)
class Server:
    """One column of a comparison of servers.

    Args:
        name: of the column.
        client: as registered there; without an ID, what depends on a client is not asked.
    """

    name: str
    client: ClientConfig
