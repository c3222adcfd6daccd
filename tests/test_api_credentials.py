"""A client that cannot prove who it is learns that before a browser is opened."""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace
from typing import Any

import pytest
from client_key_samples import EC, EC_JWK, rsa_pem

from loopback_auth import ClientConfig, ConfigError, Provider, login_sync
from loopback_auth.model import ServerMetadata

NOWHERE = "http://127.0.0.1:1"
METADATA = ServerMetadata(NOWHERE, f"{NOWHERE}/authorize", f"{NOWHERE}/token", jwks_uri=f"{NOWHERE}/jwks")
CLIENT = ClientConfig(Provider("nowhere", METADATA), "client", scope="read")


def refusal_of(client: ClientConfig) -> ConfigError:
    """Sign in, and return why that was refused; nothing may have been opened."""
    opened: list[str] = []
    with pytest.raises(ConfigError) as caught:
        login_sync(client, open_browser=opened.append, notify=lambda event: None, timeout=5)

    assert opened == []
    return caught.value


@pytest.mark.parametrize(
    ("changes", "client_auth", "parameter"),
    [
        ({"private_key": "{}"}, None, "private_key"),
        ({"private_key": '{"kty":"EC","alg":"RS256"}'}, "none", "private_key"),
        ({"private_key": rsa_pem(1024)}, None, "private_key"),
        ({"signed_request": True}, None, "private_key"),
        ({}, "private_key_jwt", "private_key"),
        ({"client_secret": "x"}, "private_key_jwt", "private_key"),
        ({}, "tls_client_auth", "client_cert"),
        ({"private_key": EC_JWK}, "self_signed_tls_client_auth", "client_cert"),
    ],
)
def test_credential_that_is_missing_or_wrong(
    changes: dict[str, Any], client_auth: Any, parameter: str
) -> None:
    """Nothing that the user could do would help."""
    client = replace(CLIENT, provider=replace(CLIENT.provider, client_auth=client_auth), **changes)

    assert refusal_of(client).parameter == parameter


def test_frames_of_the_error_do_not_have_the_key() -> None:
    """Some reporters of errors write down every local variable, by its repr."""
    weak = rsa_pem(1024)
    frames = traceback.walk_tb(refusal_of(replace(CLIENT, private_key=weak)).__traceback__)
    ours = [frame for frame, _ in frames if "loopback_auth" in str(frame.f_globals["__name__"])]

    assert ours
    assert not any(weak[40:80] in repr(value) for frame in ours for value in frame.f_locals.values())


def test_key_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing needs joserfc; the hint says how to install it."""
    monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
    error = refusal_of(replace(CLIENT, private_key=EC_JWK))

    assert (error.parameter, "loopback-auth[oidc]" in error.hint) == ("private_key", True)
    assert EC["d"] not in str(error)
