"""A client ID for a program that has none: its document, a kept registration, or a new one."""

from __future__ import annotations

from pathlib import Path

from loopback_auth import ClientConfig, ClientMetadata, FileTokenStore, Program, login_sync
from loopback_auth.events import silent
from loopback_auth.testing import SimulatedUser, serve

METADATA = ClientMetadata()


def test_program_registers_once_and_signs_in_with_the_same_client(tmp_path: Path) -> None:
    """The registration is kept beside the sign-in, with the redirect URI that was bound (RFC 7591 §3)."""
    user, store = SimulatedUser(), FileTokenStore(tmp_path)
    with serve() as server:
        client = ClientConfig.at(server.issuer, client_metadata=METADATA, scope="profile")
        program = Program("My \x1b[31mTool")
        first = login_sync(
            client, store=store, program=program, open_browser=user.open, notify=silent, wait=True
        )
        kept = store.read_registrations(server.issuer)
        asked = next(one for one in server.log if one.path == "/authorize").parameters

    assert kept is not None
    (registration,) = kept.clients
    assert first.client_id == registration.client_id == asked["client_id"]
    assert registration.redirect_uris == (asked["redirect_uri"],)
    assert first.client_auth == "none"
