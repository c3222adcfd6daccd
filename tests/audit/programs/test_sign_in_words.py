"""What a program wrote before it ended is quoted: it says why, and may be anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_sign_in import recipe

from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.sign_in_words import LAST_LINES, LONGEST_LINE, READ, last_lines

SECRET = "a-secret-of-the-user-0123456789"


def setup(typed: str = "") -> ProgramSetup:
    """Return a setup whose redactor knows a secret."""
    made = ProgramSetup(replace(recipe(), input=typed), {})
    made.redactor.learn("variable", SECRET)
    return made


def test_the_last_lines_are_quoted() -> None:
    """The last line of a traceback names the error."""
    said = last_lines("first\nsecond\n\nthird\r\n  \nValueError: no issuer\n", setup())

    assert said == '"second / third / ValueError: no issuer"'


@pytest.mark.parametrize("output", ["", "\n\n \t\r\n", "\x1b[0m\x07"])
def test_a_program_that_wrote_nothing_is_not_quoted(output: str) -> None:
    """Empty quotation marks would say nothing."""
    assert last_lines(output, setup()) == ""


@pytest.mark.parametrize(
    "output",
    [
        f"{'x' * LONGEST_LINE}{SECRET}",
        f"{'x' * (LONGEST_LINE - 10)}{SECRET}",
        f"{SECRET}{'y' * (READ - 12)}\nend",
        f"\x1b[1m{SECRET[:9]}\x1b[0m{SECRET[9:]}",
        f"open http://127.0.0.1:1/?access_token={SECRET[::-1]}",
    ],
)
def test_no_part_of_a_secret_is_quoted(output: str) -> None:
    """A secret that is cut in two would not be recognised, so it is taken out before."""
    said = last_lines(output, setup())

    parts = [one[at : at + 8] for one in (SECRET, SECRET[::-1]) for at in range(len(SECRET) - 7)]
    assert [part for part in parts if part in said] == []


def test_what_was_typed_is_not_quoted() -> None:
    """A terminal echoes a password that the program did not hide."""
    assert "correct horse" not in last_lines("Password: correct horse\nwrong", setup("ada\ncorrect horse\n"))


@pytest.mark.parametrize(
    "output", ["\x00\x07\x1b]0;title\x07\x9b31m\u202eabc\ud800", "z" * 1_000_000, "line\n" * 200_000]
)
def test_a_quotation_is_short_and_harmless(output: str) -> None:
    """A program may write anything, and the reader has a terminal."""
    said = last_lines(output, setup())

    assert len(said) <= LAST_LINES * (LONGEST_LINE + 3) + 2
    assert said.isprintable()
