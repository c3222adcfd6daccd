"""Wrong values are refused when they are made, by an error that names the field and quotes no value."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from loopback_auth.api import login_sync
from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientConfig, Network, Provider, Redirect, ServerMetadata
from loopback_auth.quirks import Quirks
from loopback_auth.settings.contracts import NETLIFY
from loopback_auth.tokens import IdToken, SignIn, TokenSet

CANARY = "canary-1"
METADATA: Any = ServerMetadata("https://id.example")
PROVIDER: Any = Provider("example", METADATA)
CLIENT: Any = ClientConfig(PROVIDER, "my-tool")
TOKENS: Any = TokenSet("a", "Bearer", 1.0)
ANY: Any = {
    "ClientConfig": ClientConfig,
    "Provider": Provider,
    "ServerMetadata": ServerMetadata,
    "Redirect": Redirect,
    "Network": Network,
    "Quirks": Quirks,
    "TokenSet": TokenSet,
    "IdToken": IdToken,
    "SignIn": SignIn,
}
"""The classes without their types, as a program without a type checker sees them."""


@pytest.mark.parametrize(
    ("parameter", "make"),
    [
        ("metadata", lambda: ANY["Provider"]("x", "https://id.example")),
        ("metadata", lambda: ANY["Provider"]("x", {"issuer": "https://id.example"})),
        ("name", lambda: ANY["Provider"](None, METADATA)),
        ("name", lambda: Provider("Acme Cloud", METADATA)),
        ("name", lambda: Provider("", METADATA)),
        ("name", lambda: Provider("../x", METADATA)),
        ("name", lambda: Provider("x" * 101, METADATA)),
        ("title", lambda: Provider("x", METADATA, title="a\nb")),
        ("client_auth", lambda: replace(PROVIDER, client_auth="private_key")),
        ("pkce", lambda: replace(PROVIDER, pkce=1)),
        ("account_fields", lambda: replace(PROVIDER, account_fields=["email"])),
        ("ticket", lambda: replace(PROVIDER, ticket="netlify")),
        ("redirect", lambda: replace(PROVIDER, redirect="http://127.0.0.1/callback")),
        ("issuer", lambda: ANY["ServerMetadata"](b"https://id.example")),
        ("response_modes_supported", lambda: ANY["ServerMetadata"](response_modes_supported=["query"])),
        ("document", lambda: ANY["ServerMetadata"](document=[CANARY])),
        ("provider", lambda: ANY["ClientConfig"]("https://id.example", "x")),
        ("client_id", lambda: ClientConfig.at("https://id.example", client_id="")),
        ("client_id", lambda: login_sync(ClientConfig(PROVIDER, ""))),
        ("client_id", lambda: ClientConfig(PROVIDER, f"{CANARY}\n")),
        ("client_id", lambda: ANY["ClientConfig"](PROVIDER, None)),
        ("client_secret", lambda: ClientConfig(PROVIDER, "x", "")),
        ("client_secret", lambda: ClientConfig(PROVIDER, "x", f"{CANARY}\n")),
        ("client_secret", lambda: ANY["ClientConfig"](PROVIDER, "x", CANARY.encode())),
        ("scope", lambda: replace(CLIENT, scope=["openid", CANARY])),
        ("scope", lambda: replace(CLIENT, scope='"openid"')),
        ("scope", lambda: replace(CLIENT, scope="op\u00e9n")),
        ("scope", lambda: replace(CLIENT, scope=None)),
        ("response_mode", lambda: replace(CLIENT, response_mode="frgment")),
        ("response_type", lambda: replace(CLIENT, response_type="code token")),
        ("push", lambda: replace(CLIENT, push="yes")),
        ("resource", lambda: replace(CLIENT, resource="https://api.example")),
        ("resource", lambda: replace(CLIENT, resource=("urn:\udcff",))),
        ("audience", lambda: replace(CLIENT, audience=("api",))),
        ("audience", lambda: replace(CLIENT, audience="\udcff")),
        ("prompt", lambda: replace(CLIENT, prompt="\udcff")),
        ("login_hint", lambda: replace(CLIENT, login_hint="\udcff")),
        ("extra", lambda: replace(CLIENT, extra={"a": 1})),
        ("extra", lambda: replace(CLIENT, extra="a=b")),
        ("extra", lambda: replace(CLIENT, extra={"\udcff": "x"})),
        ("extra", lambda: replace(CLIENT, extra={"x": "\udcff"})),
        ("token_parameters", lambda: replace(CLIENT, token_parameters={"grant_type": CANARY})),
        ("token_parameters", lambda: replace(CLIENT, token_parameters={"a": f"{CANARY}\n"})),
        ("token_parameters", lambda: replace(CLIENT, audience="a", token_parameters={"audience": "b"})),
        ("token_headers", lambda: replace(CLIENT, token_headers={"Authorization": CANARY})),
        ("token_headers", lambda: replace(CLIENT, token_headers={"X-A": f"{CANARY}\r\nX-B: c"})),
        ("token_headers", lambda: replace(CLIENT, token_headers={"X A": CANARY})),
        ("ports", lambda: ANY["Redirect"](ports=8400)),
        ("ports", lambda: ANY["Redirect"](ports=[8400])),
        ("ports", lambda: ANY["Redirect"](ports=("8400",))),
        ("ports", lambda: Redirect(ports=(True,))),
        ("ports", lambda: Redirect(ports=())),
        ("ports", lambda: Redirect(ports=(65536,))),
        ("ports", lambda: Redirect(ports=(-1,))),
        ("path", lambda: Redirect(path="callback")),
        ("path", lambda: Redirect(path="/a b")),
        ("path", lambda: Redirect(path="/a?b")),
        ("path", lambda: Redirect(path="/../b")),
        ("host", lambda: ANY["Redirect"](host="my.host")),
        ("host", lambda: ANY["Redirect"](host="::1")),
        ("allow_private", lambda: Network(allow_private=("https://a.example",))),
        ("allow_private", lambda: ANY["Network"](allow_private="a.example")),
        ("client_cert", lambda: Network(client_key="key.pem")),
        ("ca_file", lambda: ANY["Network"](ca_file=None)),
        ("token_headers", lambda: ANY["Quirks"](token_headers={"a": "b"})),
        ("token_headers", lambda: ANY["Quirks"](token_headers=(("a", "b", "c"),))),
        ("access_token", lambda: ANY["TokenSet"](None, "Bearer", 1.0)),
        ("obtained_at", lambda: ANY["TokenSet"](CANARY, "Bearer", "1.0")),
        ("obtained_at", lambda: TokenSet(CANARY, "Bearer", True)),
        ("signature", lambda: ANY["IdToken"]({}, "checked", CANARY)),
        ("claims", lambda: ANY["IdToken"]({1: 2}, "verified", CANARY)),
        ("tokens", lambda: ANY["SignIn"]("x", "y", "none", METADATA, "", CANARY)),
        ("interval", lambda: replace(NETLIFY, interval="1")),  # type: ignore[arg-type]
        ("create", lambda: replace(NETLIFY, create=None)),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_value_is_refused_at_once(parameter: str, make: Callable[[], object]) -> None:
    """Else it is an AttributeError in the middle of a sign-in, or a wait for nobody."""
    with pytest.raises(ConfigError) as caught:
        make()

    error = caught.value
    assert error.parameter == parameter
    assert error.hint
    assert CANARY not in repr((error, error.hint))
    assert "--" not in f"{error} {error.hint}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Redirect(path=""),
        lambda: Redirect("[::1]", (0, 65535), "/a/b;c=d%20e"),
        lambda: Network(allow_private=("a.example", "[::1]", "10.0.0.1")),
        lambda: Provider("a.b_c-9", METADATA, title="Ä & Söhne (Cloud)"),
        lambda: replace(CLIENT, scope="a:b/c,d!"),
        lambda: replace(CLIENT, extra={"näme": "wért", "": ""}),
        lambda: replace(CLIENT, token_parameters={"scope": "a", "authorization_details": '[{"type": "x"}]'}),
        lambda: ClientConfig(replace(PROVIDER, ticket=NETLIFY), ""),
        lambda: TokenSet("a", "Bearer", 1, expires_at=2),
        lambda: IdToken({"aud": ["a"], "x": None}, "verified", "r"),
    ],
)
def test_what_may_be_is_let_through(make: Callable[[], object]) -> None:
    """Other servers have other habits."""
    assert make() == make()


def test_a_class_of_ones_own_is_checked_too() -> None:
    """Its module does not know our types."""

    class Mine(ClientConfig):
        """Derived."""

    assert Mine(PROVIDER, "x", audience="a").audience == "a"
    with pytest.raises(ConfigError, match="scope"):
        Mine(PROVIDER, "x", scope=["a"])  # type: ignore[arg-type]


def test_a_kept_text_with_such_a_value_is_no_sign_in() -> None:
    """It was changed by hand, or by an attacker."""
    members = json.loads(SignIn("x", "y", "none", METADATA, "", TOKENS).to_json())
    members["network"] = {"allow_private": [f"https://{CANARY}"]}

    with pytest.raises(Exception, match="network") as caught:
        SignIn.from_json(json.dumps(members))
    assert CANARY not in repr((caught.value, caught.value.__cause__, caught.value.__context__))


def test_a_right_value_imports_nothing_for_errors() -> None:
    """Most values are right."""
    script = (
        "import sys; from loopback_auth.model import *\n"
        "provider = Provider('x', ServerMetadata('https://x.example'))\n"
        "ClientConfig(provider, 'x', scope='a', resource=('urn:v',))\n"
        "print('loopback_auth.errors' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("parameter", "metadata"),
    [
        ("issuer", ServerMetadata("id.example")),
        ("issuer", ServerMetadata("http://id.example")),
        ("issuer authorization_endpoint token_endpoint", ServerMetadata()),
        (
            "issuer authorization_endpoint token_endpoint",
            ServerMetadata(token_endpoint="https://x.example/t"),
        ),
        ("authorization_endpoint", ServerMetadata("https://x.example", authorization_endpoint="x")),
        ("token_endpoint", ServerMetadata("https://x.example", token_endpoint="ftp://x.example/t")),
        ("jwks_uri", ServerMetadata("https://x.example", jwks_uri="")),
    ],
)
def test_an_address_that_cannot_work_is_refused_before_anything_is_opened(
    parameter: str, metadata: ServerMetadata
) -> None:
    """A person who sees a page thinks that it was their mistake."""
    opened: list[str] = []
    for client in (
        ClientConfig(Provider("example", metadata), "x"),
        ClientConfig(Provider("example", METADATA), "x", resource=("no uri",)),
    ):
        with pytest.raises(ConfigError) as caught:
            login_sync(client, open_browser=opened.append)
        assert caught.value.parameter in (parameter, "resource")

    assert opened == []
