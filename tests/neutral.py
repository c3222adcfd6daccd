"""What a sentence for every program must not name, and what its errors may be about."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress

import loopback_auth
from loopback_auth.errors import LoopbackAuthError
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
CLIENT = frozenset(
    name
    for cls in (ClientConfig, Provider, Quirks, ServerMetadata, Redirect, Network)
    for name in inspect.signature(cls).parameters
)
"""What describes a client, and what settings have names for."""


def _arguments() -> Iterator[str]:
    """Yield the names of all arguments of the public functions, classes and methods."""
    for name in loopback_auth.__all__:
        one = getattr(loopback_auth, name)
        methods = vars(one).values() if isinstance(one, type) else ()
        for function in (one, *methods):
            if inspect.isroutine(function) or inspect.isclass(function):
                with suppress(TypeError, ValueError):  # It is not written in Python.
                    yield from inspect.signature(function).parameters


ARGUMENTS = frozenset({*CLIENT, *Options.__annotations__, *_arguments()})
"""What a program can be told to look at: the names of its own arguments."""


def ours_in(text: str) -> list[str]:
    """Return what a text names of our command line."""
    return OURS.findall(OF_OTHERS.sub("", text))


def check_neutral(error: LoopbackAuthError, *shown: str) -> None:
    """Check what a program could show, and that `.parameter` names its arguments.

    Args:
        error: that it met.
        shown: pages and messages that its user saw.
    """
    for text in (str(error), error.hint, *getattr(error, "__notes__", ()), *shown):
        assert ours_in(text) == []
    assert set(error.parameter.split()) <= ARGUMENTS
    assert error.hint
