"""What all adapters decide alike, without a server, and an adapter without its library."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import cast

import pytest

from loopback_auth import TokenSource
from loopback_auth.clients import requests as for_requests
from loopback_auth.clients.aiohttp import bearer
from loopback_auth.clients.azure import TokenCredential
from loopback_auth.clients.bearer import Refusals, check_destination, rewound, start_of
from loopback_auth.clients.google import Credentials
from loopback_auth.clients.httpx import BearerAuth
from loopback_auth.errors import ConfigError


@pytest.mark.parametrize("library", ["httpx", "httpx2", "requests", "google", "azure"])
def test_missing_library_says_what_to_install(library: str) -> None:
    """None of them comes with this package."""
    parts = {"google": "google.auth", "azure": "azure.core.credentials"}.get(library, library)
    code = f"import sys; sys.modules[{parts!r}] = None\nimport loopback_auth.clients.{library}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "ImportError: loopback_auth.clients" in done.stderr.splitlines()[-1]
    assert "pip install" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "url",
    ["http://api.example/", "http://192.0.2.1/", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "", "x"],
)
def test_where_no_token_goes(url: str) -> None:
    """Neither in the clear nor by another protocol (RFC 6750 §5.3)."""
    with pytest.raises(ConfigError):
        check_destination(url)


@pytest.mark.parametrize(
    "url", ["https://api.example/", "http://127.0.0.1:8/", "http://[::1]/", "http://localhost/"]
)
def test_where_a_token_may_go(url: str) -> None:
    """Encrypted, or on this machine."""
    check_destination(url)


def test_each_remedy_is_tried_once() -> None:
    """A server that refuses everything is believed in the end."""
    refusals = Refusals(interactive=True)
    step_up = 'Bearer error="insufficient_scope", scope="more"'

    assert refusals.token_arguments(401, "", "t") == {"refused": "t"}
    assert refusals.token_arguments(401, "", "t") is None
    assert refusals.token_arguments(403, step_up, "t") == {"challenge": step_up}
    assert refusals.token_arguments(403, step_up, "t") is None
    assert refusals.token_arguments(200, step_up, "t") is None
    for error in ("insufficient_user_authentication", "invalid_token"):
        challenge = f'DPoP error="{error}"'
        refusals = Refusals(interactive=True)
        assert refusals.token_arguments(401, challenge, "t") == {"refused": "t", "challenge": challenge}
        assert refusals.token_arguments(401, challenge, "t") is None


def test_scope_can_be_missing_with_either_status() -> None:
    """Some servers say 401; a renewed token would lack it as well."""
    step_up = 'Bearer error="insufficient_scope", scope="more"'

    assert Refusals(interactive=True).token_arguments(401, step_up, "t") == {"challenge": step_up}
    assert Refusals(interactive=False).token_arguments(401, step_up, "t") is None


@pytest.mark.parametrize(
    "adapter", [BearerAuth, for_requests.BearerAuth, bearer, Credentials, TokenCredential]
)
def test_source_of_another_kind_is_refused_at_once(adapter: Callable[[TokenSource], object]) -> None:
    """Otherwise the first request would end with an attribute that is missing."""
    with pytest.raises(ConfigError) as caught:
        adapter(cast("TokenSource", "a token"))

    assert caught.value.parameter == "source"


class Tape:
    """A file that cannot go back."""

    def tell(self) -> int:
        """Say where it is."""
        return 3

    def seek(self, position: int) -> int:
        """Refuse to move."""
        raise OSError


def test_bodies_that_cannot_go_back() -> None:
    """They are not sent again."""
    pieces = iter([b"x"])

    assert not rewound(pieces, start_of(pieces))
    assert not rewound(Tape(), start_of(Tape()))
    assert rewound(None, None)
