"""How strange text is made safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loopback_auth.redact import SERVER_TEXT_LIMIT, error_code, server_text

PROPERTY = settings(max_examples=200)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("  two \t words\r\nand  more ", "two words and more"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b31m", "31m"),
        ("a\x00b\x07c\x7fd\x85e", "abcd e"),
        ("\u202egnp.exe", "gnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("a\u2028b\u2029c", "a b c"),
        ("\ud800x", "x"),
        ("\U000e0041x", "x"),
        ("Grüße, 你好 ☕", "Grüße, 你好 ☕"),
        ("x" * 600, "x" * 499 + "…"),
        ("x" * 500, "x" * 500),
        ("", ""),
    ],
)
def test_text_of_a_server_is_made_harmless(text: str, shown: str) -> None:
    """Escape sequences in a prompt have hidden the real host before (CVE-2024-50349)."""
    assert server_text(text) == shown


@PROPERTY
@given(st.text(st.characters(), max_size=60), st.integers(1, 20))
@example("ab cd", 4)
@example(" \u200b a", 2)
def test_harmless_text_is_printable_short_and_final(text: str, limit: int) -> None:
    """Cleaning twice changes nothing, so nobody needs to know whether it was done."""
    for shown, longest in ((server_text(text, limit), limit), (server_text(text), SERVER_TEXT_LIMIT)):
        assert len(shown) <= longest
        assert shown.isprintable()
        assert shown == shown.strip()
        assert not any(
            unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in shown
        )
        assert server_text(shown, longest) == shown


@PROPERTY
@given(st.text(st.characters(), max_size=100))
def test_error_code_is_never_empty(text: str) -> None:
    """An empty one would read as no error."""
    assert error_code(text)
    assert len(error_code(text)) <= 80
