"""Servers that others wrote, examined and attacked as a developer would do with their own.

What is asserted is what these versions do: oidc-provider with its pages for development, Authlib with the
small server of these tests, and django-oauth-toolkit as it is installed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from foreign.client import client
from foreign.conftest import HERE, serving
from foreign.django_server import PASSWORD, USER
from loopback_auth.audit.attacking import attack
from loopback_auth.audit.examining import examine_servers
from loopback_auth.audit.servers.attacks.person import Person
from loopback_auth.audit.servers.server import Server
from loopback_auth.compare.model import Comparison

pytestmark = pytest.mark.foreign

ADA = Person(USER, PASSWORD)


@pytest.fixture(scope="module")
def authlib() -> Iterator[str]:
    """The server made with Authlib."""
    with serving(sys.executable, HERE / "authlib_server.py") as issuers:
        yield issuers["either"]


@pytest.fixture(scope="module")
def toolkit() -> Iterator[str]:
    """The server made with django-oauth-toolkit."""
    with serving(sys.executable, HERE / "django_server.py") as issuers:
        yield issuers["either"]


def attacked(issuer: str, scope: str, other: str = "") -> Comparison:
    """Attack a server."""
    server = Server("foreign", client(issuer, scope=scope))
    return asyncio.run(attack(server, ADA, other_client_id=other))


def failed(comparison: Comparison) -> set[str]:
    """Return what is wrong with a server, but for what only informs."""
    (run,) = comparison.runs
    return {one.id for one in run.findings if one.verdict == "fail" and one.severity != "info"}


def decided(comparison: Comparison) -> set[str]:
    """Return the attacks that could be tried."""
    return {one.id for one in comparison.runs[0].attacks if one.verdict in ("pass", "fail")}


@pytest.mark.parametrize("kind", ["either", "pushed"])
def test_oidc_provider(oidc_provider: dict[str, str], kind: str) -> None:
    """It withstands every attack; its login page is one for development, which anybody can frame."""
    comparison = attacked(oidc_provider[kind], "openid email offline_access")

    assert failed(comparison) == {"frames", "referrer", "implicit"}
    assert decided(comparison) >= {"code-twice", "refresh-family", "code-other-client", "password-forwarded"}
    assert not any(one.verdict == "fail" for one in comparison.runs[0].attacks)


def test_authlib(authlib: str) -> None:
    """What its users leave out: iss, revocation after a replay, and an exact redirect URI."""
    comparison = attacked(authlib, "email")

    assert failed(comparison) >= {"mix-up", "tokens-after-replay", "redirect-similar", "frames"}
    assert decided(comparison) >= {"code-without-verifier", "code-twice", "redirect-approved"}


def test_django_oauth_toolkit(toolkit: str) -> None:
    """A user logs in by Django's own form, with a token against forged requests, and consents."""
    comparison = attacked(toolkit, "openid email", other="other")

    assert failed(comparison) == {
        "implicit",
        "mix-up",
        "password-offered",
        "plain-challenge",
        "refresh-family",
        "token-in-url",
        "token-repeated",
        "tokens-after-replay",
    }
    assert decided(comparison) >= {"code-other-client", "refresh-other-client", "consent-more"}


def test_servers_side_by_side(oidc_provider: dict[str, str], authlib: str, toolkit: str) -> None:
    """Without a sign-in, and in one table."""
    issuers = {"oidc-provider": oidc_provider["either"], "Authlib": authlib, "toolkit": toolkit}
    servers = [Server(name, client(issuer)) for name, issuer in issuers.items()]
    comparison = asyncio.run(examine_servers(servers))
    grades = next(row for row in comparison.rows if row.id == "grade")

    assert [run.title for run in comparison.runs] == [*issuers]
    assert {cell.text for cell in grades.cells} <= set("ABCDF")
    assert [run.outcome for run in comparison.runs] == ["examined"] * 3
