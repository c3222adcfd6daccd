"""The foreign authorization servers, each started once and ended by its own handle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import CommandLine, missing, program
from helper_home import home, server  # noqa: F401 - fixtures

from foreign.keys import Keys, made_keys

HERE = Path(__file__).parent


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line with an empty home."""
    return CommandLine(tmp_path)


@pytest.fixture(scope="session")
def client_keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Keys and certificates of the clients that `provider.mjs` knows."""
    return made_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def oidc_provider(client_keys: Keys) -> Iterator[dict[str, str]]:
    """The issuers of oidc-provider by what they demand, as `provider.mjs` says."""
    node = program("node", purpose="oidc-provider")
    if not (HERE / "node_modules" / "oidc-provider").is_dir():
        missing("oidc-provider is not installed")
    with serving(node, HERE / "provider.mjs", client_keys.folder) as issuers:
        yield issuers


@pytest.fixture(scope="session")
def oidc_provider_mock() -> Iterator[str]:
    """The issuer of oidc-provider-mock, which is written with Authlib."""
    with serving(sys.executable, HERE / "provider_mock.py") as issuers:
        yield issuers["either"]


@contextmanager
def serving(*command: str | Path) -> Iterator[dict[str, str]]:
    """Run a server that says on stdout where it is, until the block ends."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Both warn of everything that is for development only.
        text=True,
        env={"PATH": os.environ.get("PATH", "")},
    )
    with process:
        try:
            assert process.stdout is not None
            issuers = json.loads(process.stdout.readline())
            assert isinstance(issuers, dict)
            yield issuers
        finally:
            process.kill()
