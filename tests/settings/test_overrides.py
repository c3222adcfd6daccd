"""What the settings say to the plan."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from loopback_auth.plan.model import NO, YES
from loopback_auth.settings import Settings, resolve
from loopback_auth.settings.overrides import capabilities_of, overrides_of


def resolved(
    provider: str = "", flags: Mapping[str, object] | None = None, config: Mapping[str, object] | None = None
) -> Settings:
    """Resolve flags and a configuration file, without an environment."""
    return resolve(
        provider=provider, flags=flags or {}, environ={}, config=config or {}, config_path="c.toml"
    )


def test_a_default_is_nobodys_wish() -> None:
    """What was detected would never count."""
    assert overrides_of(resolved()) == {}


@pytest.mark.parametrize(
    ("setting", "fact"),
    [("browser", "opens"), ("reachable", "reaches"), ("person", "person"), ("wait", "waits")],
)
def test_a_switch_decides_its_fact(setting: str, fact: str) -> None:
    """A person knows better than any detection, and is told where it was said, by the flag's own name."""
    assert overrides_of(resolved(flags={setting: True})) == {fact: (YES, f"flag --{setting}")}
    assert overrides_of(resolved(flags={setting: False})) == {fact: (NO, f"flag --no-{setting}")}


def test_a_wish_in_the_file_names_the_file() -> None:
    """It may have been forgotten there."""
    assert overrides_of(resolved(config={"browser": False})) == {"opens": (NO, "file c.toml")}


def test_the_demonstration_allows_everything() -> None:
    """Nothing of it is configured, since it is started with the sign-in."""
    allowed = capabilities_of(resolved())

    assert (allowed.refused, allowed.any_port) == ({}, True)


@pytest.mark.parametrize(
    ("provider", "refused"),
    [
        ("https://id.example", ["ticket"]),
        ("microsoft", ["ticket"]),
        ("npm", ["code", "device", "paste"]),
        ("spotify", ["ticket", "device"]),
        ("github", ["code", "ticket", "paste"]),
    ],
)
def test_what_is_not_declared_is_refused(provider: str, refused: list[str]) -> None:
    """Without asking anybody; an issuer may still name what is not known here."""
    assert list(capabilities_of(resolved(provider)).refused) == refused


def test_a_secret_that_is_there_opens_the_way() -> None:
    """It is what GitHub wants with a code."""
    settings = resolved("github").with_secret("hunter2")

    assert list(capabilities_of(settings).refused) == ["ticket"]


@pytest.mark.parametrize(
    ("flags", "any_port"),
    [
        ({}, True),
        ({"redirect_uri": "http://localhost/callback"}, True),
        ({"redirect_uri": "http://localhost:8400/callback"}, False),
        ({"port": ["8400", "0"]}, False),
    ],
)
def test_a_fixed_port_is_told(flags: dict[str, object], any_port: bool) -> None:
    """It may be taken, and then the redirect cannot be."""
    assert capabilities_of(resolved("https://id.example", flags)).any_port is any_port
