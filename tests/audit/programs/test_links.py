"""Links are found in what programs print, as a user would copy them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.audit.programs.links import authority_of, is_here, links_in, port_of, repeated

LINK = "http://127.0.0.1:8000/authorize?state=kKsS&scope=a%20b"


@pytest.mark.parametrize(
    "text",
    [
        LINK,
        f"Open {LINK}.",
        f"Open ({LINK}), please",
        f'{{"url": "{LINK}"}}',
        f"<{LINK}>",
        f"\x1b[4m{LINK}\x1b[0m",
        f"\x1b]8;;{LINK}\x1b\\click here\x1b]8;;\x1b\\",
        f"\x1b]8;id=1;{LINK}\x07click here\x1b]8;;\x07",
        LINK.replace("&", "\\u0026"),
        f"{LINK}\r\nWaiting",
        f"\x00\xff{LINK}\u2026",
        f"{LINK} {LINK}",
    ],
)
def test_one_link(text: str) -> None:
    """Whatever is around it: sentences, quotes, colours, hyperlinks of terminals, JSON."""
    assert links_in(text) == (LINK,)


def test_brackets_of_the_link() -> None:
    """A bracket that the link has opened belongs to it."""
    assert links_in("http://[::1]:80/a_(b)") == ("http://[::1]:80/a_(b)",)


@given(st.text())
def test_any_text(text: str) -> None:
    """Whatever a program prints, looking at it raises nothing."""
    for link in links_in(text):
        authority_of(link)
        port_of(link)


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://a:8/", 8), ("https://a", 443), ("http://a:99999/", 0), ("http://[", 0), ("", 0)],
)
def test_ports(url: str, port: int) -> None:
    """The usual one where there is none; 0 for what is no address."""
    assert port_of(url) == port


def test_repeated() -> None:
    """Each name once, in order."""
    assert repeated(["a", "b", "a", "c", "b", "a"]) == ("a", "b")


def test_brackets_without_end() -> None:
    """A program cannot stop the audit with a link that ends in thousands of brackets."""
    begun = time.process_time()

    assert links_in(f"http://a/{')' * 60_000} " * 8) == ("http://a/",)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000/", True),
        ("https://[::1]/", True),
        ("http://127.8.9.1/", True),
        ("http://LOCALHOST./", True),
        ("http://app.localhost:1/", True),
        ("http://localhost.example/", False),
        ("http://127.0.0.1.example/", False),
        ("http://127.0.0.1@id.example/", False),
        ("http://0.0.0.0/", False),
        ("http://192.0.2.1/", False),
        ("http://127.0.0.1:99999/", False),
        ("http://[::1/", False),
        ("file://localhost/etc/passwd", False),
    ],
)
def test_only_this_machine_is_here(url: str, here: bool) -> None:
    """The simulated browser asks nothing else (RFC 6761 §6.3; RFC 8252 §7.3)."""
    assert is_here(url) is here
