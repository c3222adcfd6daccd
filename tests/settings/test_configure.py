"""From settings to a client: what is built, and what a person is told when it cannot be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from client_key_samples import EC, EC_JWK, public_pem, rsa_pem
from settings_samples import settings_of

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.settings.checks import check_settings
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
        "resource_server": "https://api.example/v1",
        "dpop": True,
        "acr_values": "urn:a urn:b",
        "max_age": "0",
        "extra": ["a=b"],
        "pkce": False,
        "push": True,
        "allowed_issuer": "https://b.example/{tenantid}",
        "account_fields": ["login"],
        "scope_separator": ",",
    }
    provider = Provider(
        name="api.example-v1",
        title="api.example",
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
        resource_server="https://api.example/v1",
        dpop=True,
        acr_values="urn:a urn:b",
        max_age=0,
    )


RESOURCE = "https://mcp.example/mcp?tenant=a"


@pytest.mark.parametrize("url", [RESOURCE, "https://mcp.example/", "http://127.0.0.1:9000/mcp"])
def test_a_resource_makes_the_client_that_a_program_would_make(url: str) -> None:
    """A sign-in of either is kept under one name, so that they share it."""
    client = client_config(settings_of(flags={"resource_server": url}))

    assert client == replace(ClientConfig.for_resource(url), extra={})


def test_a_client_without_an_id_says_of_itself_what_the_settings_say() -> None:
    """A server shows the name, and takes the address for the client ID (RFC 7591 §2)."""
    flags = {"client_name": "Tool", "client_metadata_url": "https://tool.example/client.json"}
    client = client_config(settings_of("https://a.example", flags))
    known = client_config(settings_of("https://a.example", {**flags, "client_id": "x"}))

    assert client.client_metadata == ClientMetadata("Tool", url="https://tool.example/client.json")
    assert (client.client_id, known.client_id, known.client_metadata) == ("", "x", None)


BARE = [
    ("https://a.example/x", {}, ("https://a.example/x", "https://a.example/x")),
    ("https://a.example/x", {"client_id": "x"}, ("https://a.example/x", "https://a.example/x")),
    ("https://a.example/x?y=z", {}, (None, "https://a.example/x?y=z")),
    ("https://a.example", {"issuer": "https://b.example"}, ("https://b.example", None)),
    (
        "https://a.example",
        {"resource_server": "https://b.example"},
        ("https://a.example", "https://b.example"),
    ),
]


@pytest.mark.parametrize(("url", "flags", "decided"), BARE)
def test_a_bare_address_is_a_resource_or_an_issuer_until_it_is_asked(
    url: str, flags: Mapping[str, object], decided: tuple[str | None, str | None]
) -> None:
    """People have one address and need not know which it is; a flag decides, and so does a query."""
    settings = settings_of(url, flags)

    assert (settings.text("issuer"), settings.text("resource_server")) == decided


def test_the_private_key_is_in_the_client_and_in_no_message(tmp_path: Path) -> None:
    """It signs for the client, so that whoever has it is the client (RFC 7523 §2.2)."""
    file = tmp_path / "key.pem"
    file.write_text(EC_JWK)
    file.chmod(0o600)
    flags = {
        **ISSUER,
        "client_auth": "private_key_jwt",
        "private_key_file": str(file),
        "signed_request": True,
    }
    settings = settings_of(flags=flags)
    client = client_config(settings)

    assert (client.private_key, client.signed_request) == (EC_JWK, True)
    assert EC["d"] not in repr(client) + repr(settings)


@pytest.mark.parametrize("content", ["key", "{}", "-----BEGIN PRIVATE KEY-----", public_pem(), rsa_pem(1024)])
def test_a_file_whose_key_cannot_sign_is_refused_with_its_origin(content: str, tmp_path: Path) -> None:
    """Before the browser is started; the server would refuse it when the person has approved."""
    file = tmp_path / "key.pem"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        check_settings(settings_of(flags={**ISSUER, "private_key_file": str(file)}))

    assert "flag --private-key-file" in caught.value.message
    assert caught.value.parameter == "private_key_file"


def unfit_key(folder: Path, kind: str) -> str:
    """Make a file that is no private key, and return its path."""
    file = folder / "key.pem"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file, 0o600)
    elif kind != "missing":
        file.write_bytes({"empty": b" \n", "binary": b"\xff", "long": b"x" * 70_000}.get(kind, b"key"))
        file.chmod({"for others": 0o604, "for the group": 0o640}.get(kind, 0o600))
    return str(file)


@pytest.mark.skipif(os.name != "posix", reason="On Windows modes mean nothing, and there are no such pipes.")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "cannot be read"),
        ("folder", "not a regular file"),
        ("pipe", "not a regular file"),
        ("empty", "no private key"),
        ("binary", "no private key"),
        ("long", "no private key"),
        ("for others", "other users"),
        ("for the group", "other users"),
    ],
)
def test_a_file_that_is_no_private_key_is_refused_with_its_origin(
    kind: str, words: str, tmp_path: Path
) -> None:
    """Before the browser is started; a pipe would keep the person waiting for ever."""
    with pytest.raises(ConfigError, match=words) as caught:
        check_settings(settings_of(flags={**ISSUER, "private_key_file": unfit_key(tmp_path, kind)}))

    assert "flag --private-key-file" in caught.value.message
    assert caught.value.parameter == "private_key_file"


REFUSED = [
    ({"client_id": "a"}, "neither an issuer nor authorization_endpoint and token_endpoint", "--issuer"),
    (
        {"client_id": "a", "authorization_endpoint": "https://a.example/x"},
        "neither an issuer nor token_endpoint",
        "--token-endpoint",
    ),
    (ENDPOINTS, "There is no client ID for a.example", "--client-id"),
    ({"resource_server": "http://a.example/mcp"}, "resource_server was refused", "https://"),
    ({"resource_server": "https://a.example/#x"}, "resource_server was refused", "https://"),
    ({"resource_server": "https://a.example/", "client_metadata_url": "a"}, "client_metadata_url", "https"),
    ({**ISSUER, "client_auth": "private_key_jwt"}, "needs the private key", "--private-key-file"),
    ({**ISSUER, "client_auth": "tls_client_auth"}, "needs a client certificate", "--client-cert"),
    ({**ISSUER, "signed_request": True}, "needs the private key", "--private-key-file"),
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
