"""Servers at a domain of one's own: one name, and the domain that goes into its addresses."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from settings_samples import settings_of

from loopback_auth.errors import ConfigError
from loopback_auth.settings.checks import check_settings
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.templates import TEMPLATES

CLIENT = {"client_id": "a"}


ISSUERS = [
    ("keycloak", "id.example.com/realms/x", "https://id.example.com/realms/x"),
    ("keycloak", "id.example.com:8443/realms/x/", "https://id.example.com:8443/realms/x"),
    ("keycloak", "https://id.example.com/realms/x", "https://id.example.com/realms/x"),
    ("keycloak", "http://127.0.0.1:8080/realms/dev", "http://127.0.0.1:8080/realms/dev"),
    ("auth0", "example.eu.auth0.com", "https://example.eu.auth0.com/"),
    ("auth0", "https://example.eu.auth0.com/", "https://example.eu.auth0.com/"),
    ("okta", "example.okta.com/oauth2/default", "https://example.okta.com/oauth2/default"),
    (
        "cognito",
        "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",
    ),
    ("entra", "8eaef023-2b34", "https://login.microsoftonline.com/8eaef023-2b34/v2.0"),
    ("salesforce", "test.salesforce.com", "https://test.salesforce.com"),
]


@pytest.mark.parametrize(("provider", "domain", "issuer"), ISSUERS)
def test_a_domain_makes_the_issuer(provider: str, domain: str, issuer: str) -> None:
    """Copied from the address bar or from the vendor's page, with a scheme or without."""
    assert (
        client_config(settings_of(provider, {**CLIENT, "domain": domain})).provider.metadata.issuer == issuer
    )


def test_a_development_server_on_this_machine_keeps_its_address() -> None:
    """Keycloak's first page calls itself http://localhost:8080."""
    client = client_config(settings_of("keycloak", {**CLIENT, "domain": "http://localhost:8080/realms/dev"}))

    assert client.provider.metadata.issuer == "http://localhost:8080/realms/dev"


@pytest.mark.parametrize("name", [name for name, row in TEMPLATES.items() if "domain" not in row])
def test_without_its_domain_a_template_says_what_to_give(name: str) -> None:
    """Nobody can guess what the vendor calls it; its note says so, with an example."""
    with pytest.raises(ConfigError, match="needs the domain") as caught:
        check_settings(settings_of(name, CLIENT))

    assert "--domain" in caught.value.hint
    assert str(TEMPLATES[name]["source"]) in caught.value.hint


def test_a_template_may_have_a_usual_domain() -> None:
    """Most people sign in at the common address; one tenant's is said in the same way."""
    usual = settings_of("microsoft").text("token_endpoint")
    tenant = settings_of("microsoft", {"domain": "contoso.onmicrosoft.com"}).text("token_endpoint")

    assert usual == "https://login.microsoftonline.com/common/oauth2/v2.0/token"
    assert tenant == "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"


PLACES = [
    ({}, {"LOOPBACK_AUTH_DOMAIN": "b.example/realms/x"}, {}, "https://b.example/realms/x"),
    ({"domain": "a.example"}, {"LOOPBACK_AUTH_DOMAIN": "b.example"}, {}, "https://a.example"),
    ({}, {}, {"providers": {"keycloak": {"domain": "c.example"}}}, "https://c.example"),
]


@pytest.mark.parametrize(("flags", "environ", "config", "issuer"), PLACES)
def test_the_domain_is_a_setting_like_all_others(
    flags: Mapping[str, object], environ: Mapping[str, str], config: Mapping[str, object], issuer: str
) -> None:
    """Flag, variable and table, and the nearest wins."""
    assert settings_of("keycloak", flags, environ=environ, config=config).text("issuer") == issuer


def test_a_table_can_extend_a_template() -> None:
    """Two realms are two providers, with a name each."""
    config = {"providers": {"work": {"preset": "keycloak", "domain": "id.example/realms/work"}}}
    settings = settings_of("work", config=config)

    assert (settings.name, settings.text("issuer")) == ("work", "https://id.example/realms/work")


def test_an_issuer_takes_the_place_of_a_template() -> None:
    """Whoever gives the whole address has no use for its parts."""
    settings = settings_of("okta", {**CLIENT, "issuer": "https://sso.example"})

    check_settings(settings)
    assert settings.text("issuer") == "https://sso.example"
    assert settings.text("redirect_uri") == TEMPLATES["okta"]["redirect_uri"]


@pytest.mark.parametrize("provider", ["github", "https://id.example", ""])
def test_a_domain_that_goes_nowhere_is_refused(provider: str) -> None:
    """An address that is passed over in silence signs in at another server than the one that was meant."""
    with pytest.raises(ConfigError, match="domain") as caught:
        settings_of(provider, {"domain": "id.example.com"})

    assert "keycloak" in caught.value.hint


def test_a_whole_address_does_not_fit_where_a_part_is_wanted() -> None:
    """Microsoft's tenants are all at one server."""
    with pytest.raises(ConfigError, match="cannot be the domain") as caught:
        check_settings(settings_of("microsoft", {**CLIENT, "domain": "https://contoso.example"}))

    assert "without https://" in caught.value.hint


TENANT = "https://login.microsoftonline.com/8eaef023-2b34/v2.0"


@pytest.mark.parametrize(
    ("provider", "flags"),
    [
        ("microsoft", {"issuer": TENANT}),
        ("microsoft", {"authorization_endpoint": f"{TENANT}/authorize"}),
        ("gitlab", {"issuer": "https://gitlab.com/another"}),
    ],
)
def test_tenants_of_one_server_share_no_address(provider: str, flags: Mapping[str, object]) -> None:
    """A code of one tenant is not for the token endpoint of another (RFC 9700 §4.4)."""
    settings = settings_of(provider, flags)

    for name in ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint"):
        assert settings.get(name) in (None, flags.get(name))


def test_a_domain_in_the_environment_is_for_the_providers_that_have_a_place_for_it() -> None:
    """It stays set in a shell, where people sign in elsewhere too."""
    environ = {"LOOPBACK_AUTH_DOMAIN": "id.example.com"}

    assert settings_of("github", environ=environ).text("token_endpoint") == (
        "https://github.com/login/oauth/access_token"
    )
