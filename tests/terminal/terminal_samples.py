"""A sign-in that the tests of a terminal wait for, and the event loops in which they wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.model import ServerMetadata

AUTHORITY = "127.0.0.1:49152"
LINK = f"http://{AUTHORITY}/0123456789abcdef0123456789abcdef"
REDIRECT_URI = f"http://{AUTHORITY}/callback"
STATE = "af0ifjsldkj-af0ifjsldkj-af0ifjsl"
REQUEST = AuthorizationRequest(
    url="https://as.example/authorize",
    parameters=(),
    redirect_uri=REDIRECT_URI,
    response_type="code",
    response_mode="query",
    state=STATE,
    code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    nonce=None,
    metadata=ServerMetadata(),
)


class LoopWithoutReaders(asyncio.SelectorEventLoop):
    """What there is on macOS for /dev/tty, and with the proactor of Windows."""

    def add_reader(self, *_: object) -> None:
        """Refuse."""
        raise OSError(22, "Invalid argument")


LOOPS = [
    pytest.param(asyncio.SelectorEventLoop, id="readers"),
    pytest.param(LoopWithoutReaders, id="thread"),
]
Loop = Callable[[], asyncio.AbstractEventLoop]
