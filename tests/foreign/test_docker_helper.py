"""The helper with docker's clients: its Python library, its command line and skopeo at a registry."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from command_line import PATIENCE, missing
from helper_home import Home
from renewing import TokenEndpoint

from foreign.token_site import Site, registry, served

pytestmark = [pytest.mark.foreign, pytest.mark.slow]


@pytest.fixture
def site() -> Iterator[Site]:
    """A registry with one image, which takes the token of the sign-in `work`."""
    with served(registry(), "canary-work") as site:
        yield site


@pytest.fixture
def environ(home: Home, site: Site, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A person's settings of docker, which name the helper for that registry."""
    settings = home.folder / ".docker"
    settings.mkdir()
    (settings / "config.json").write_text(json.dumps({"credHelpers": {site.host: "loopback-auth"}}))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    folders = {name: value for name, value in os.environ.items() if name.endswith(("DATA_DIR", "CONFIG_DIR"))}
    return {"PATH": path, "HOME": str(home.folder), "DOCKER_CONFIG": str(settings), **folders}


def run(environ: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a client, or skip where it is not installed."""
    program = shutil.which(command[0])
    if program is None:
        missing(f"there is no {command[0]}")
    return subprocess.run(
        [program, *command[1:]],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_the_library_of_docker_asks_the_helper(home: Home, site: Site, environ: dict[str, str]) -> None:
    """It reads the settings, runs the program and compares the texts; docker-compose is built on it."""
    auth = importlib.import_module("docker.auth")
    errors = importlib.import_module("docker.credentials.errors")
    credentials = importlib.import_module("docker.credentials")
    home.keep("work", site.host)
    config = auth.load_config(environ["DOCKER_CONFIG"] + "/config.json")
    store = credentials.Store("loopback-auth")

    resolved = config.resolve_authconfig(site.host)
    assert (resolved["Username"], resolved["Password"]) == ("alice", "canary-work")
    assert store.list() == {site.host: "alice"}
    with pytest.raises(errors.CredentialsNotFound):
        store.get("ghcr.io")
    with pytest.raises(errors.StoreError):
        store.store("ghcr.io", "bob", "canary-of-others")
    store.erase(site.host)
    assert home.token("work") == "canary-work"


def test_an_identity_token_is_given_where_the_settings_say_so(
    home: Home, site: Site, environ: dict[str, str]
) -> None:
    """The library takes the user name for what the protocol says."""
    auth = importlib.import_module("docker.auth")
    home.keep("work", site.host)
    home.configure('token_username = "<token>"\n')
    config = auth.load_config(environ["DOCKER_CONFIG"] + "/config.json")

    assert config.resolve_authconfig(site.host)["IdentityToken"] == "canary-work"


def test_skopeo_reads_an_image(
    home: Home, site: Site, environ: dict[str, str], server: TokenEndpoint
) -> None:
    """And the next time with a token that was renewed on the way."""
    home.keep("work", site.host)
    command = ("skopeo", "inspect", "--tls-verify=false", f"docker://{site.host}/tests/image:latest")
    first = run(environ, *command)
    assert first.returncode == 0, first.stderr
    home.keep("work", issuer=server.issuer, expires_at=time.time() - 1)
    (home.folder / "config.toml").unlink()
    home.keep("work", site.host, issuer=server.issuer, expires_at=time.time() - 1)
    site.tokens = {"access-1"}
    second = run(environ, *command)

    assert (second.returncode, json.loads(second.stdout)["Name"]) == (0, f"{site.host}/tests/image")
    assert set(site.authorizations) == {"Basic alice:canary-work", "Basic alice:access-1"}


def test_skopeo_sends_nothing_to_another_registry(home: Home, site: Site, environ: dict[str, str]) -> None:
    """The settings may name the helper for all; the registry is asked without a password."""
    Path(environ["DOCKER_CONFIG"], "config.json").write_text('{"credsStore": "loopback-auth"}')
    home.keep("work", site.host)
    with served(registry(), "canary-work") as other:
        done = run(
            environ, "skopeo", "inspect", "--tls-verify=false", f"docker://{other.host}/tests/image:latest"
        )

    assert done.returncode != 0
    # It says then that it has neither user name nor password.
    assert set(other.authorizations) <= {"Basic :"}


def test_the_command_line_of_docker_reads_a_manifest(home: Home, environ: dict[str, str]) -> None:
    """It needs no daemon for that, and asks the helper by itself."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker, which scripts/install does not install")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with served(registry(), "canary-work", tls=context) as site:
        settings = {"credHelpers": {site.host: "loopback-auth"}}
        Path(environ["DOCKER_CONFIG"], "config.json").write_text(json.dumps(settings))
        home.keep("work", site.host)
        done = run(environ, "docker", "manifest", "inspect", "--insecure", f"{site.host}/tests/image:latest")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["schemaVersion"] == 2
    assert set(site.authorizations) == {"Basic alice:canary-work"}
