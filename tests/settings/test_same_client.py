"""Whether a sign-in would take the place of another client's: also where only an address is known."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from settings_samples import settings_of

from loopback_auth.errors import ConfigError
from loopback_auth.model import ServerMetadata
from loopback_auth.settings.same_client import check_same_client
from loopback_auth.store import FileTokenStore, sign_in_name
from loopback_auth.tokens import SignIn, TokenSet

HERE, ELSEWHERE = "https://a.example/x", "https://a.example-x"
AS = "https://as.example"
"""The authorization server of the resource."""


@pytest.mark.parametrize(
    ("provider", "flags", "issuer", "resource_server", "same"),
    [
        pytest.param(HERE, {}, AS, HERE, True, id="a bare address was a resource"),
        pytest.param(HERE, {}, HERE, "", True, id="a bare address was an issuer"),
        pytest.param(HERE, {}, AS, ELSEWHERE, False, id="another resource"),
        pytest.param(HERE, {}, ELSEWHERE, "", False, id="another issuer"),
        pytest.param("", {"resource_server": HERE}, AS, HERE, True, id="the same resource"),
        pytest.param("", {"resource_server": HERE}, AS, ELSEWHERE, False, id="another resource by flag"),
        pytest.param("", {"issuer": HERE}, AS, HERE, False, id="an issuer with the name of a resource"),
        pytest.param(HERE, {"client_id": "x"}, AS, HERE, True, id="the client that is kept"),
        pytest.param(HERE, {"client_id": "y"}, AS, HERE, False, id="another client"),
    ],
)
def test_a_kept_sign_in_of_another_client_is_not_replaced(
    provider: str, flags: dict[str, object], issuer: str, resource_server: str, same: bool, tmp_path: Path
) -> None:
    """Different addresses may lead to one name, and a registration by itself has any client ID."""
    settings, store = settings_of(provider, flags), FileTokenStore(tmp_path / "data")
    tokens = TokenSet("token", "Bearer", 0.0)
    store.save(
        SignIn(
            sign_in_name(settings.name),
            "x",
            "none",
            ServerMetadata(issuer),
            "",
            tokens,
            resource_server=resource_server,
        )
    )

    with nullcontext() if same else pytest.raises(ConfigError, match="Another client"):
        check_same_client(settings, store)
