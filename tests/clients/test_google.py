"""The credentials for Google's libraries, beyond what all adapters have in common."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.auth.transport.requests import Request

from clients.api import api, source_at
from clients.callers import Call, with_google
from loopback_auth.clients.google import Credentials
from loopback_auth.testing import DemoAuthorizationServer


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an API."""
    with api() as served:
        yield served


def test_token_and_end_are_known_after_a_refresh(server: DemoAuthorizationServer) -> None:
    """Programs refresh credentials that are not valid, and read the token; the first one is not renewed."""
    credentials = Credentials(source_at(server))
    before = credentials.valid
    credentials.refresh(Request())
    expiry = credentials.expiry

    assert (before, credentials.valid, bool(credentials.token)) == (False, True, True)
    assert expiry is not None
    assert timedelta() < expiry - datetime.now(UTC).replace(tzinfo=None) <= timedelta(hours=1)
    assert server.requests("token", grant="refresh_token") == 0


def test_short_lived_tokens_are_not_renewed_at_every_request(server: DemoAuthorizationServer) -> None:
    """google-auth would renew them four minutes before their end; the source decides."""
    server.expires_in = 120
    source = source_at(server)
    answers = with_google(source, [Call(server.resource)] * 20)

    assert {answer.status for answer in answers} == {200}
    assert server.requests("token", grant="refresh_token") == 0
