"""A page is judged by its visible words, and a program may write anything into it."""

from __future__ import annotations

import time

import pytest

from loopback_auth.audit.programs.reading import (
    PAGE_LIMIT,
    UUID_BITS,
    Claim,
    claim,
    external,
    holds,
    most_bits,
    page_text,
    quoted,
)
from loopback_auth.http_messages import HttpResponse


def page(body: str, content_type: str = "text/html") -> HttpResponse:
    """Return a page."""
    return HttpResponse(200, (("Content-Type", content_type),), body.encode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Authentication successful! You may now close this window.", "success"),
        ("You are signed in.", "success"),
        ("Authentication complete. You can return to the application.", "success"),
        ("You have completed the login.", "success"),
        ("Login done", "success"),
        ("Authorization complete", "success"),
        ("You can close this window now.", "neither"),
        ("The authentication flow has completed. You may close this window.", "neither"),
        ("", "neither"),
        ("Return to the terminal.", "neither"),
        ("Authentication failed: access_denied", "failure"),
        ("You are not signed in.", "failure"),
        ("Sign-in was not completed", "failure"),
        ("Error: The request was denied. You are still signed in elsewhere.", "failure"),
        ("Die Anmeldung war erfolgreich", "neither"),
    ],
)
def test_a_page_says_success_only_in_such_words(text: str, said: Claim) -> None:
    """A judge that takes silence for a lie is unfair, and one that overlooks a lie is useless."""
    assert claim(text) == said


def test_what_is_not_visible_is_not_said() -> None:
    """Scripts, styles and comments are read by nobody."""
    hidden = "<title>success</title><script>'success'</script><!-- success --><style>success</style>"

    assert page_text(page(f"{hidden}<p class='success'>1 < 2 &amp; b</p>")) == "1 2 & b"


@pytest.mark.parametrize("body", ["<" * 200_000, "<!--" * 50_000, "<script>" * 30_000, "<a" * 99_000])
def test_a_hostile_page_is_read_in_bounded_time(body: str) -> None:
    """The page is another program's, which may send whatever it likes."""
    begun = time.process_time()

    assert len(page_text(page(body))) <= PAGE_LIMIT
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("source", "hosts"),
    [
        ('<img src="https://cdn.example/x.png">', ("cdn.example",)),
        ("<a href=//vendor.example/done>", ("vendor.example",)),
        ("<style>b{background:url('http://cdn.example:80/x')}</style>", ("cdn.example",)),
        ('<img src="/logo.png"><a href="http://127.0.0.1:5/x">', ()),
        ('<img src="https://[">', ()),
        ("https://vendor.example in a sentence", ()),
    ],
)
def test_external_addresses(source: str, hosts: tuple[str, ...]) -> None:
    """RFC 9700 §4.2.4: the page SHOULD NOT include third-party resources or links to external sites."""
    assert external(page(source), ("127.0.0.1",)) == hosts


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        ("", 0),
        ("0123456789", 33),
        ("0123456789abcdef", 64),
        ("abcdefghijklmnop", 83),
        ("aBcDeFgHiJkLmNoP", 96),
        ("3c4f0b7e-9d2a-4b61-8e55-0a1b2c3d4e5f", UUID_BITS),
        ("Uq-_" * 6, 144),
    ],
)
def test_most_bits(value: str, bits: float) -> None:
    """RFC 6749 §10.10 wants 128 bits; a value shows only how many it can have at most."""
    assert most_bits(value) == pytest.approx(bits, abs=0.5)


def test_a_secret_is_found_as_it_is_and_encoded() -> None:
    """Logs have request lines in them, where values are percent-encoded."""
    assert holds("GET /?code=ab%2Fcd%3D%3Dxyz HTTP/1.1", "ab/cd==xyz")
    assert not holds("a short one: abc", "abc")


def test_a_quotation_has_no_control_characters() -> None:
    """What a program prints may try to change the terminal of the person who reads the report."""
    assert quoted("a\x1b[2J\nb") == '"a[2J b"'
