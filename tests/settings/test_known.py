"""First guesses: a client at an issuer in one line, and what the presets know, from a program."""

from __future__ import annotations

import ast
import inspect
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from loopback_auth import model
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.errors import ConfigError
from loopback_auth.model import ClientConfig, Provider, Redirect
from loopback_auth.narrow import is_name
from loopback_auth.protocol.contract import check_contract
from loopback_auth.settings import resolve
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.contracts import CONTRACTS, NETLIFY
from loopback_auth.settings.presets import every_preset

DOMAINS = {
    name: "id.example.com/realms/x" if name == "keycloak" else "example.com"
    for name, row in every_preset().items()
    if any("{domain}" in str(value) for value in row.values())
}
"""A domain for every template."""


def from_settings(provider: str, **flags: str) -> ClientConfig:
    """Make the client that the command line makes."""
    return client_config(
        resolve(provider=provider, flags=flags, environ={}, config={}, config_path="config.toml")
    )


@pytest.mark.parametrize(
    ("issuer", "name", "shown"),
    [
        ("https://id.example", "id.example", "id.example"),
        ("https://id.example/", "id.example", "id.example"),
        ("https://id.example/realms/Dev", "id.example-realms-dev", "id.example-realms-dev"),
        ("http://localhost:8080/realms/dev", "localhost-8080-realms-dev", "localhost-8080-realms-dev"),
        ("http://127.0.0.1:4444", "127.0.0.1-4444", "127.0.0.1:4444"),
    ],
)
def test_an_issuer_and_a_client_id_are_enough(issuer: str, name: str, shown: str) -> None:
    """The command line gives the same name, so that both find the same sign-in."""
    client = ClientConfig.at(issuer, client_id="my-tool", scope="openid email")

    assert client == from_settings("", issuer=issuer, client_id="my-tool", scope="openid email")
    assert (client.provider.name, client.provider.shown_name) == (name, shown)


def test_what_a_client_has_can_be_given() -> None:
    """Each by its name, and what people call the server."""
    redirect = Redirect("localhost", (8400,), "/cb")
    client = ClientConfig.at(
        "https://id.example", client_id="x", title="Acme Cloud", redirect=redirect, prompt="login"
    )

    assert (client.provider.shown_name, client.provider.redirect, client.prompt) == (
        "Acme Cloud",
        redirect,
        "login",
    )
    with pytest.raises(TypeError, match="unexpected keyword argument 'scopes'"):
        ClientConfig.at("https://id.example", client_id="x", scopes="a")  # type: ignore[call-arg]


@pytest.mark.parametrize("issuer", ["id.example", "http://id.example", "https://id.example?x", "", None])
def test_what_is_no_issuer_is_refused_by_name(issuer: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError) as caught:
        ClientConfig.at(issuer, client_id="x")

    assert caught.value.parameter == "issuer"


def test_every_optional_field_can_be_given_to_the_doors() -> None:
    """Type checkers know them by a second list."""
    tree = ast.parse(inspect.getsource(model))
    (listed,) = (
        [ast.unparse(each) for each in node.body if isinstance(each, ast.AnnAssign)]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name == "ClientFields"
    )

    assert listed == [
        f"{each.name}: {each.type}" for each in fields(ClientConfig) if each.default is not MISSING
    ]


@pytest.mark.parametrize("name", every_preset())
def test_every_preset_can_be_had_from_code(name: str) -> None:
    """The same that the command line uses."""
    domain = DOMAINS.get(name, "")
    client = ClientConfig.known(name, client_id="x", client_secret="secret-1", domain=domain)
    flags = {"client_id": "x", "client_secret": "secret-1"} | ({"domain": domain} if domain else {})

    assert client == from_settings(name, **flags)
    assert Provider.known(name, domain=domain) == replace(
        client.provider, client_auth=Provider.known(name, domain=domain).client_auth
    )
    assert is_name(client.provider.name)
    assert client.provider.title
    assert "(" not in client.provider.shown_name


@pytest.mark.parametrize(
    ("name", "title"), [("github", "GitHub"), ("slack", "Slack"), ("microsoft", "Microsoft")]
)
def test_people_read_the_title(name: str, title: str) -> None:
    """And programs the name."""
    assert Provider.known(name).shown_name == title
    assert Provider.known(name).name == name


def test_a_preset_at_another_server_has_no_title() -> None:
    """GitHub Enterprise is no GitHub to those who work there."""
    settings = resolve(
        provider="github",
        flags={"client_id": "x", "client_secret": "s"},
        environ={},
        config={
            "providers": {
                "github": {
                    "preset": "github",
                    "authorization_endpoint": "https://ghe.example/a",
                    "token_endpoint": "https://ghe.example/t",
                }
            }
        },
        config_path="config.toml",
    )

    assert client_config(settings).provider.title == ""


def test_netlify_has_its_tickets() -> None:
    """Without anything to register but the client ID."""
    assert Provider.known("netlify").ticket == TicketContract.known("netlify") == NETLIFY
    assert ClientConfig.known("doppler").client_id == ""
    assert ClientConfig.known("google", client_id="x", client_secret="s", extra={"hd": "a"}).extra == {
        "access_type": "offline",
        "hd": "a",
    }


@pytest.mark.parametrize(
    ("name", "domain", "parameter", "hint"),
    [
        ("gihub", "", "provider", "github"),
        ("demo", "", "provider", "ClientConfig.at"),
        ("https://id.example", "", "provider", "ClientConfig.at"),
        ("keycloak", "", "domain", "keycloak.org"),
        ("keycloak", "id example", "domain", "https"),
        ("github", "example.com", "domain", "ClientConfig.at"),
    ],
)
def test_a_wrong_guess_is_corrected(name: str, domain: str, parameter: str, hint: str) -> None:
    """By a sentence that says what would do, and that names no flag."""
    for door in (Provider.known, ClientConfig.known):
        with pytest.raises(ConfigError) as caught:
            door(name, domain=domain)
        assert caught.value.parameter == parameter
        assert hint in caught.value.hint
        assert "--" not in caught.value.hint


@pytest.mark.parametrize(("name", "parameter"), [("github", "client_id"), ("netlify", "client_id")])
def test_a_client_id_that_is_needed_must_be_given(name: str, parameter: str) -> None:
    """No preset has one: each program registers its own."""
    with pytest.raises(ConfigError) as caught:
        ClientConfig.known(name)

    assert caught.value.parameter == parameter


@pytest.mark.parametrize(
    ("parameter", "fields"),
    [
        ("client_id", {"client_id": 5}),
        ("client_id", {"client_id": "a\n"}),
        ("client_secret", {"client_id": "a", "client_secret": b"s"}),
        ("client_secret", {"client_id": "a", "client_secret": "s\n"}),
        ("domain", {"client_id": "a", "domain": 5}),
        ("scope", {"client_id": "a", "scope": ["repo"]}),
        ("extra", {"client_id": "a", "extra": "a=b"}),
        ("token_headers", {"client_id": "a", "token_headers": {"Host": "a"}}),
    ],
)
def test_a_wrong_value_names_no_flag(parameter: str, fields: Any) -> None:
    """The presets are read by the machinery of the command line, whose errors name its flags."""
    for door in (ClientConfig.known, ClientConfig.at):
        if door is ClientConfig.at and "domain" in fields:
            continue
        with pytest.raises(ConfigError) as caught:
            door("github" if door is ClientConfig.known else "https://id.example", **fields)
        assert caught.value.parameter == parameter
        assert "--" not in f"{caught.value} {caught.value.hint}"


def test_a_secret_that_is_needed_must_be_given() -> None:
    """Before the person has approved; unless there is another way to sign in."""
    with pytest.raises(ConfigError) as caught:
        ClientConfig.known("notion", client_id="x")

    assert caught.value.parameter == "client_secret"
    assert ClientConfig.known("github", client_id="x").client_secret is None


def test_a_contract_can_be_at_another_address() -> None:
    """Of a vendor that follows it, or of a test server."""
    contract = TicketContract.known("netlify", base="https://api.example/v1/", ui="https://app.example")

    assert (contract.base, contract.ui) == ("https://api.example/v1", "https://app.example")
    for vendor in CONTRACTS:
        check_contract(TicketContract.known(vendor))


@pytest.mark.parametrize(
    ("vendor", "base", "ui", "parameter"),
    [
        ("netlfy", "", "", "vendor"),
        ("netlify", "https://api.example", "", "ui"),
        ("netlify", "", "https://app.example", "base"),
        ("npm", "registry.example", "", "base"),
    ],
)
def test_a_contract_that_cannot_be_is_refused(vendor: str, base: str, ui: str, parameter: str) -> None:
    """A ticket at one address could be exchanged for the token at the other."""
    with pytest.raises(ConfigError) as caught:
        TicketContract.known(vendor, base=base, ui=ui)

    assert caught.value.parameter == parameter
