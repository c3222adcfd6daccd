"""What a sentence for every program must not name, and what its errors may be about."""

from __future__ import annotations

import inspect
import re

from loopback_auth.model import ClientConfig, Network, Provider, Redirect, ServerMetadata
from loopback_auth.options import Options
from loopback_auth.quirks import Quirks

OURS = re.compile(
    r"(?<![\w-])--[a-z]|python -m loopback_auth|loopback-auth |LOOPBACK_AUTH_|command again|\bflags?\b",
    re.IGNORECASE,
)
"""Flags, variables and commands of our command line."""
OF_OTHERS = re.compile(
    r"--tcp |--network host|--clipboard|--input|--collect-data"  # coder, docker, xsel, PyInstaller
    r"|--[a-z-]+:|var\(--[a-z-]+\)"  # style sheets
)
ARGUMENTS = {
    "client",
    *Options.__annotations__,
    *(
        name
        for cls in (ClientConfig, Provider, Quirks, ServerMetadata, Redirect, Network)
        for name in inspect.signature(cls).parameters
    ),
}
"""What a program can be told to look at: the names of its own arguments."""


def ours_in(text: str) -> list[str]:
    """Return what a text names of our command line."""
    return OURS.findall(OF_OTHERS.sub("", text))
