"""From settings to a client: what is built, and what a person is told when it cannot be."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from settings_samples import settings_of

from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.settings.configure import client_config

ENDPOINTS = {
    "authorization_endpoint": "https://a.example/authorize",
    "token_endpoint": "https://a.example/token",
}
ISSUER = {"issuer": "https://a.example", "client_id": "abc"}


def test_an_issuer_and_a_client_id_are_enough() -> None:
    """What nobody set is left to the metadata and to the defaults of the model."""
    expected = ClientConfig(
        Provider("a.example", ServerMetadata(issuer="https://a.example")), client_id="abc", extra={}
    )

    assert client_config(settings_of(flags=ISSUER)) == expected


def test_every_setting_finds_its_place() -> None:
    """A setting that goes nowhere would be believed to work."""
    endpoints = {
        **ENDPOINTS,
        "pushed_authorization_request_endpoint": "https://a.example/par",
        "revocation_endpoint": "https://a.example/revoke",
        "userinfo_endpoint": "https://a.example/userinfo",
        "jwks_uri": "https://a.example/jwks",
    }
    flags = {
        **ISSUER,
        **endpoints,
        "client_auth": "post",
        "scope": "openid email",
        "redirect_uri": "http://localhost:8400/cb",
        "response_mode": "form_post",
        "resource": ["https://api.example"],
        "audience": "api",
        "prompt": "login",
        "login_hint": "me@example.com",
        "extra": ["a=b"],
        "pkce": False,
        "push": True,
        "allowed_issuer": "https://b.example/{tenantid}",
        "account_fields": ["login"],
        "scope_separator": ",",
    }
    provider = Provider(
        name="a.example",
        metadata=ServerMetadata(issuer="https://a.example", **endpoints),  # type: ignore[arg-type]
        redirect=Redirect("localhost", (8400,), "/cb"),
        client_auth="client_secret_post",
        pkce=False,
        scope_separator=",",
        allowed_issuer="https://b.example/{tenantid}",
        account_fields=("login",),
    )
    settings = settings_of(flags=flags, environ={"LOOPBACK_AUTH_CLIENT_SECRET": "secret"})

    assert client_config(settings) == ClientConfig(
        provider=provider,
        client_id="abc",
        client_secret="secret",
        scope="openid email",
        response_mode="form_post",
        push=True,
        resource=("https://api.example",),
        audience="api",
        prompt="login",
        login_hint="me@example.com",
        extra={"a": "b"},
    )


REFUSED = [
    ({"client_id": "a"}, "neither an issuer nor authorization_endpoint and token_endpoint", "--issuer"),
    (
        {"client_id": "a", "authorization_endpoint": "https://a.example/x"},
        "neither an issuer nor token_endpoint",
        "--token-endpoint",
    ),
    ({"issuer": "https://a.example"}, "There is no client ID for a.example", "--client-id"),
    ({**ISSUER, "client_id": ""}, "There is no client ID", "Register a client"),
    ({**ISSUER, "client_id": "abc\n"}, "client_id has a character that is not allowed", "Copy it again"),
    ({**ISSUER, "issuer": "http://a.example"}, "plain http", "https://"),
    ({**ISSUER, "issuer": "https://a.example/?x"}, "fragment", "https://"),
    (
        {**ISSUER, **ENDPOINTS, "token_endpoint": "http://a.example/t"},
        "token_endpoint was refused",
        "https://",
    ),
    ({**ISSUER, "userinfo_endpoint": "https://u@a.example/"}, "userinfo_endpoint was refused", "https://"),
    ({**ISSUER, "jwks_uri": "https://a.example/#k"}, "jwks_uri was refused", "https://"),
    ({**ISSUER, "resource": ["api"]}, "absolute URI", "https://"),
    ({**ISSUER, "scope": 'a "b"'}, "The scope has a character", "without quotes"),
    ({**ISSUER, "scope": "a\u00a0b\u00e4"}, "(from flag --scope)", "without quotes"),
    ({**ISSUER, "client_auth": "basic", "flow": "code"}, "no client secret", "LOOPBACK_AUTH_CLIENT_SECRET"),
    (
        {**ISSUER, "redirect_uri": "https://127.0.0.1/cb"},
        "must start with http://",
        "http://127.0.0.1/callback",
    ),
]


@pytest.mark.parametrize(("flags", "message", "hint"), REFUSED)
def test_what_cannot_work_is_refused_with_a_way_out(
    flags: Mapping[str, object], message: str, hint: str
) -> None:
    """Better here than as an error page of the server."""
    with pytest.raises(ConfigError) as caught:
        client_config(settings_of(flags=flags))

    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("provider", "scope", "asked"),
    [
        ("linear", "read,write", "read write"),
        ("linear", "read, write", "read write"),
        ("linear", ["read", "write"], "read write"),
        ("github", "read:org,repo", "read:org,repo"),
    ],
)
def test_commas_separate_scopes_where_the_server_separates_them_so(
    provider: str, scope: object, asked: str
) -> None:
    """As its pages write them; elsewhere a comma may be a part of a scope (RFC 6749 §3.3)."""
    environ = {"LOOPBACK_AUTH_CLIENT_SECRET": "s"}
    settings = settings_of(flags={"client_id": "a", "scope": scope}, provider=provider, environ=environ)

    assert client_config(settings).scope == asked


def test_without_a_client_id_the_preset_says_what_to_register() -> None:
    """The first thing that a newcomer sees has to be the first thing to do."""
    with pytest.raises(ConfigError) as caught:
        client_config(settings_of(flags={}, provider="github"))

    assert "Register an OAuth app" in caught.value.hint
    assert "https://docs.github.com/" in caught.value.hint


def test_a_secret_with_a_line_break_is_refused_without_showing_it() -> None:
    """Copied from a file it often ends in one, and the server would only say invalid_client."""
    environ = {"LOOPBACK_AUTH_CLIENT_SECRET": "hunter2\n"}

    with pytest.raises(ConfigError, match="client_secret has a character") as caught:
        client_config(settings_of(flags=ISSUER, environ=environ))
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_secret_is_not_carried_where_none_is_sent() -> None:
    """With client_auth none the server must not get it, so that nothing else needs it either."""
    environ = {"LOOPBACK_AUTH_CLIENT_SECRET": "hunter2"}
    client = client_config(settings_of(flags={**ISSUER, "client_auth": "none"}, environ=environ))

    assert (client.provider.client_auth, client.client_secret) == ("none", None)


def test_http_endpoints_are_accepted_on_this_machine() -> None:
    """A server under development has no certificate."""
    client = client_config(settings_of(flags={"issuer": "http://127.0.0.1:9000", "client_id": "a"}))

    assert client.provider.metadata.issuer == "http://127.0.0.1:9000"
