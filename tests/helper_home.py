"""A home with sign-ins for the helpers of other tools, and a server that renews them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from renewing import TokenEndpoint

from loopback_auth.commands._fresh import matching
from loopback_auth.credential_helpers.token_lookup import TokenLookup
from loopback_auth.demo.serve import demo_thread
from loopback_auth.model import ServerMetadata
from loopback_auth.records import replace
from loopback_auth.store import FileTokenStore, settings_match
from loopback_auth.tokens import SignIn, TokenSet

TABLE = """
[providers.{name}]
issuer = "{issuer}"
client_id = "client"
hosts = {hosts}
"""


@dataclass
class Home:
    """What is kept for one person.

    Args:
        folder: with the data and the configuration file.
    """

    folder: Path

    @property
    def store(self) -> FileTokenStore:
        """The store of the command line."""
        return FileTokenStore(self.folder / "data")

    def keep(self, name: str, *hosts: str, issuer: str = "https://id.example", **tokens: object) -> SignIn:
        """Keep a sign-in, and give hosts to its token."""
        now = time.time()
        made = TokenSet(f"canary-{name}", "Bearer", now, now + 3600, "refresh-0", account="alice")
        metadata = ServerMetadata(issuer, token_endpoint=f"{issuer}/token")
        sign_in = SignIn(name, "client", "none", metadata, "", replace(made, **tokens))  # type: ignore[arg-type]
        self.store.save(sign_in)
        if hosts:
            self.configure(TABLE.format(name=name, issuer=issuer, hosts=list(hosts)))
        return sign_in

    def configure(self, text: str) -> None:
        """Add to the configuration file."""
        path = self.folder / "config.toml"
        path.write_text((path.read_text() if path.exists() else "") + text)
        path.chmod(0o600)

    def configure_first(self, text: str) -> None:
        """Add to the configuration file what comes before the tables."""
        path = self.folder / "config.toml"
        path.write_text(text + path.read_text())

    def compare(self, name: str) -> None:
        """Compare a sign-in with the settings, as the commands do, so that a glance is enough afterwards."""
        matching(self.store, name)

    def hosts(self, name: str) -> frozenset[str]:
        """Return the hosts to which the token of a sign-in may be sent now."""
        (found,), _ = TokenLookup().candidates(name)
        return found.hosts

    def token(self, name: str) -> str:
        """Return the access token that is kept now."""
        sign_in = self.store.load(name)
        assert sign_in is not None
        return sign_in.tokens.access_token


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home in which the helpers of this process look."""
    monkeypatch.setenv("LOOPBACK_AUTH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(tmp_path))
    # Nothing has to wait until a file is some seconds old.
    monkeypatch.setattr(settings_match, "SETTLED_SECONDS", -60.0)
    return Home(tmp_path)


@pytest.fixture
def server() -> Iterator[TokenEndpoint]:
    """A server that rotates refresh tokens; the next access token is `access-1`."""
    with demo_thread(server_factory=TokenEndpoint) as demo:
        yield cast("TokenEndpoint", demo.server)
