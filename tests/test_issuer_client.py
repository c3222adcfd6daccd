"""A client at an issuer: the look that most issuers need, against the rule for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import ConfigError
from loopback_auth.issuer_client import is_plain
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.urls import check_issuer

PIECES = ["https", "http", "://", ":", "/", ".", "..", "a", "id.example", "1", "0x7f", "127.0.0.1", "[::1]"]
ODD = ["?", "#", "@", "%2", "%", "A", "_", "-", "\u0661", "\u00e9", " ", "\\", "65536", "0", "/.well-known/"]


@given(
    st.lists(st.sampled_from([*PIECES, *ODD]), max_size=8).map("".join).map("https://{}".format) | st.text()
)
def test_what_is_plain_is_an_issuer(issuer: str) -> None:
    """The glance may be narrower than the rule, but never wider."""
    if is_plain(issuer):
        assert check_issuer(issuer) == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example",
        "https://id.example/",
        "https://login.example.com/tenant/v2.0",
        "https://localhost:8443/realms/main",
    ],
)
def test_most_issuers_are_plain(issuer: str) -> None:
    """Those that people meet need no closer look."""
    assert is_plain(issuer)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://127.0.0.1:8080",
        "https://id.example?x",
        "https://user@id.example",
        "https://127.1",
        "https://id..example",
        "https://id.example:0",
        "https://id.example/.well-known/openid-configuration",
        f"https://id.example/{'a' * 300}",
    ],
)
def test_the_others_are_looked_at_closely(issuer: str) -> None:
    """Some of them are refused, others not; that is for the rule to say."""
    assert not is_plain(issuer)


def test_a_client_for_a_resource_is_named_after_it() -> None:
    """All programs of a user find its sign-in under that name."""
    client = ClientConfig.for_resource("https://mcp.example/a/mcp", scope="mcp:read")

    assert (client.provider.name, client.provider.shown_name) == ("mcp.example-a-mcp", "mcp.example")
    assert (client.resource_server, client.client_id) == ("https://mcp.example/a/mcp", "")
    assert client.client_metadata == ClientMetadata()
    assert client.provider.metadata.issuer is None


def test_a_client_id_that_is_given_needs_no_registration() -> None:
    """It is what the specification of MCP prefers."""
    assert ClientConfig.for_resource("https://mcp.example/mcp", client_id="mine").client_metadata is None


@pytest.mark.parametrize(
    "url",
    ["", "mcp.example", "http://mcp.example/mcp", "https://mcp.example/#part", "https://me@mcp.example/"],
)
def test_what_is_no_resource_is_refused_at_once(url: str) -> None:
    """Else the user would wait for a browser that has nowhere to go."""
    with pytest.raises(ConfigError) as caught:
        ClientConfig.for_resource(url)

    assert caught.value.parameter == "resource_server"


def test_without_a_client_id_there_must_be_client_metadata() -> None:
    """A client ID that was forgotten is no wish to register."""
    with pytest.raises(ConfigError) as caught:
        ClientConfig.at("https://id.example")

    assert caught.value.parameter == "client_id"
    assert ClientConfig.at("https://id.example", client_metadata=ClientMetadata()).client_id == ""
