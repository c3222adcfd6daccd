"""Where requests are forwarded to: below the base, and at no other host."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.errors import ConfigError
from loopback_auth.proxy.target import base_of, check_target

BASE = base_of("https://api.example/v1", mount="/secret")
ROOT = base_of("https://api.example")


@pytest.mark.parametrize(
    ("base", "target", "url"),
    [
        ("https://api.example", "/", "https://api.example/"),
        ("https://api.example", "/a?b=c", "https://api.example/a?b=c"),
        ("https://api.example/", "/a", "https://api.example/a"),
        ("https://api.example/v1", "/a", "https://api.example/v1/a"),
        ("https://api.example/v1/", "/a", "https://api.example/v1/a"),
        ("https://api.example/mcp", "/?a", "https://api.example/mcp?a"),
        ("https://api.example/mcp", "/", "https://api.example/mcp"),
        ("https://api.example/mcp/", "/?a", "https://api.example/mcp/?a"),
        ("https://api.example", "/a%2Fb", "https://api.example/a%2Fb"),
        ("https://api.example", "//evil.example/a", "https://api.example//evil.example/a"),
        ("https://api.example", "/@evil.example/", "https://api.example/@evil.example/"),
        ("https://api.example", "/http://evil.example/", "https://api.example/http://evil.example/"),
        ("http://127.0.0.1:8080", "/a", "http://127.0.0.1:8080/a"),
    ],
)
def test_what_comes_from_a_client_stands_behind_the_base(base: str, target: str, url: str) -> None:
    """The host is that of the base, and the spelling of the target is the client's."""
    assert base_of(base).url(target) == url


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
def test_no_target_reaches_another_host(rest: str) -> None:
    """The token is in each of these requests."""
    target = f"/{rest}"
    if not check_target(target):
        parts = urlsplit(BASE.url(target))

        assert (parts.scheme, parts.netloc) == ("https", "api.example")
        assert parts.path == "/v1" or parts.path.startswith("/v1/")


@pytest.mark.parametrize(
    "target",
    [
        "/..",
        "/../admin",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "/a/..?x",
        "/%2e%2e/admin",
        "/%2E./admin",
        "/%252e%252e/admin",
        "/..%2fadmin",
        "/..%5cadmin",
        "/..\\admin",
        "/..;a=b/admin",
        "/%2e%2e%3b/admin",
        "/a%2f..%2fb",
        "/%25252525252e",
        "evil.example/",
        "@evil.example/",
        "http://evil.example/",
        "*",
        "",
        "/a b",
        "/a\tb",
        "/a\u00e9",
        "/a\udcff",
        "/a\r\nb",
        "/a#b",
        "/a\\b",
    ],
)
def test_a_target_that_climbs_or_is_no_path_is_refused(target: str) -> None:
    """Servers disagree on what is resolved when, and each reading must stay below the base."""
    assert check_target(target)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/a..b",
        "/...",
        "/.well-known/x",
        "/compare/a...b",
        "/100%25",
        "/a%2Fb",
        "/a?../b",
        "/a?u=http://x/../y",
    ],
)
def test_a_target_that_only_looks_like_climbing_is_not(target: str) -> None:
    """Such paths are in use: comparisons, encoded names, queries."""
    assert not check_target(target)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("https://api.example/v1/b?c#d", "/secret/b?c#d"),
        ("HTTPS://API.example:443/v1/b", "/secret/b"),
        ("/v1/b", "/secret/b"),
        ("b", "/secret/b"),
        ("../v1/b", "/secret/b"),
        ("?page=2", "/secret/a?page=2"),
        ("https://api.example/v1", "/secret"),
        ("/v1/", "/secret/"),
        ("/v2/b", "https://api.example/v2/b"),
        ("/v10", "https://api.example/v10"),
        ("/", "https://api.example/"),
        ("https://evil.example/v1/b", "https://evil.example/v1/b"),
        ("//evil.example/v1/b", "https://evil.example/v1/b"),
        ("http://api.example/v1/b", "http://api.example/v1/b"),
        ("https://api.example:8443/v1/b", "https://api.example:8443/v1/b"),
        ("https://me@api.example/v1/b", "https://me@api.example/v1/b"),
        ("https://api.example.evil.example/v1", "https://api.example.evil.example/v1"),
        ("/v1/%2e%2e/v2", "https://api.example/v1/%2e%2e/v2"),
        ("https://[", "https://["),
        ("https://api.example:99999/v1", "https://api.example:99999/v1"),
    ],
)
def test_rfc9110_10_2_2_a_redirect_leads_through_the_proxy_only_below_the_base(
    value: str, shown: str
) -> None:
    """What leads elsewhere is for the client, which has no token for it."""
    assert BASE.location(value, "https://api.example/v1/a") == shown


def test_a_redirect_names_no_host_by_its_path() -> None:
    """Without a mount, `//evil.example` on our own server would be another host for the client."""
    there = "https://api.example//evil.example/"

    assert ROOT.location(there, "https://api.example/a") == there
    assert ROOT.location("/b", "https://api.example/a") == "/b"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example",
        "api.example",
        "ftp://api.example",
        "https://me:secret@api.example",
        "https://api.example/?a=b",
        "https://api.example/v1?",
        "https://api.example/#a",
        "https://api.example/a/../b",
        "https://api.example/%2e%2e/b",
        "",
    ],
)
def test_a_base_that_would_send_the_token_in_the_clear_or_astray_is_refused(url: str) -> None:
    """RFC 6750 §5.3; a base with a query has nothing below it."""
    with pytest.raises(ConfigError):
        base_of(url, name="--to")
