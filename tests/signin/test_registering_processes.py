"""Registration by several processes, and by one that is killed: one client, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import SOON

from loopback_auth import ClientConfig, ClientMetadata, FileTokenStore, login_sync
from loopback_auth.events import silent
from loopback_auth.testing import SimulatedUser, serve

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")

CROWD = """
import json, os, sys
from loopback_auth import ClientConfig, ClientMetadata, FileTokenStore, TokenSource
from loopback_auth.signin import client_resolver, session  # before the fork, once
from loopback_auth.testing import SimulatedUser
issuer, folder, names = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
go, told = os.pipe(), os.pipe()
def one(name):
    from dataclasses import replace
    client = ClientConfig.at(issuer, client_metadata=ClientMetadata(), scope="profile")
    client = replace(client, provider=replace(client.provider, name=name))
    user = SimulatedUser()
    source = TokenSource(
        client, store=FileTokenStore(folder), open_browser=user.open, notify=lambda _: None, wait=True
    )
    os.read(go[0], 1)
    token = source.token_sync()
    os.write(told[1], (json.dumps([token, source.sign_in_sync().client_id]) + "\\n").encode())
for name in names:
    if not os.fork():
        status = 1
        try:
            one(name)
            status = 0
        finally:
            os._exit(status)
os.write(go[1], b"." * len(names))
failed = sum(os.wait()[1] != 0 for _ in names)
os.close(told[1])
with open(told[0]) as lines:
    print(json.dumps([failed, [json.loads(line) for line in lines]]))
"""

WAITS = """
import sys
from loopback_auth import ClientConfig, ClientMetadata, FileTokenStore, login_sync
from loopback_auth.network.browser import Opening
client = ClientConfig.at(sys.argv[1], client_metadata=ClientMetadata(), scope="profile")
opener = lambda link: Opening(program="a browser that does not come")
login_sync(client, store=FileTokenStore(sys.argv[2]), open_browser=opener, notify=lambda _: None, wait=True)
"""


def crowd(issuer: str, folder: Path, names: list[str]) -> tuple[list[str], list[str]]:
    """Have a process for each name get a token at the same moment; return the tokens and the client IDs."""
    command = [sys.executable, "-c", CROWD, issuer, str(folder), json.dumps(names)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SOON, check=False)
    assert done.returncode == 0, done.stderr
    failed, told = json.loads(done.stdout)
    assert failed == 0, done.stderr
    return [token for token, _ in told], [client_id for _, client_id in told]


@posix
def test_twenty_processes_make_one_registration(tmp_path: Path) -> None:
    """A user is asked once, and the server has one client more."""
    with serve() as server:
        tokens, client_ids = crowd(server.issuer, tmp_path, ["demo"] * 20)
        registrations = server.requests("register", status=201)
        visits = server.requests("authorize")

    assert (len(tokens), len(set(tokens)), len(set(client_ids))) == (20, 1, 1)
    assert (registrations, visits) == (1, 1)


@posix
def test_sign_ins_to_several_resources_of_one_server_disturb_each_other_in_nothing(tmp_path: Path) -> None:
    """Each has a port of its own at the same time, and each redirect URI is registered."""
    with serve() as server:
        tokens, client_ids = crowd(server.issuer, tmp_path, [f"resource-{number}" for number in range(6)])
        kept = FileTokenStore(tmp_path).read_registrations(server.issuer)

    assert len(set(tokens)) == 6
    assert kept is not None
    assert {one.client_id for one in kept.clients} == set(client_ids)
    assert len(kept.redirect_uris) == 6


def test_registration_outlives_a_process_that_is_killed_before_the_user_has_signed_in(tmp_path: Path) -> None:
    """It is kept before the browser is led on, so nothing is lost and nothing is registered twice."""
    store, deadline = FileTokenStore(tmp_path), time.monotonic() + SOON
    with serve() as server:
        process = subprocess.Popen(
            [sys.executable, "-c", WAITS, server.issuer, str(tmp_path)], stderr=subprocess.PIPE
        )
        while store.read_registrations(server.issuer) is None:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.communicate()
        kept = store.read_registrations(server.issuer)
        client = ClientConfig.at(server.issuer, client_metadata=ClientMetadata(), scope="profile")
        done = login_sync(client, store=store, open_browser=SimulatedUser().open, notify=silent, wait=True)
        registrations = server.requests("register", status=201)

    assert kept is not None
    assert (done.client_id, registrations) == (kept.clients[0].client_id, 1)
    assert store.read_registrations(server.issuer) == kept
