"""Messages outside of a sign-in under way: broken between words, coloured where that is wanted."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest

from loopback_auth.cli import tell_error
from loopback_auth.errors import ConfigError
from loopback_auth.terminal import line
from loopback_auth.terminal.line import hanging, wrapped

HINT = "Name one of them, such as python -m loopback_auth token another-sign-in-of-a-long-name, or all."


class Tty(io.StringIO):
    """A terminal, as far as anybody asks."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Tty:
    """A terminal of 80 columns as stderr."""
    # Put in place of stderr by each test: pytest has its own until then.
    screen = Tty()
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(line, "size", lambda: (80, 24))
    return screen


def test_errors_and_hints_are_broken_between_words(terminal: Tty, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal breaks a word wherever the line ends."""
    monkeypatch.setenv("NO_COLOR", "1")
    with redirect_stderr(terminal):
        tell_error(ConfigError("There are several sign-ins: " + ", ".join(["work"] * 20), hint=HINT))
    lines = terminal.getvalue().splitlines()

    assert max(map(len, lines)) <= 80
    assert " ".join(part for one in lines for part in one.split()).endswith(HINT)
    assert "\x1b" not in terminal.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_is_for_terminals_that_want_it(
    terminal: Tty, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """What went wrong is found again in a long scroll; whoever wants plain text gets it."""
    with redirect_stderr(terminal):
        tell_error(ConfigError("It failed."))
    coloured = terminal.getvalue()
    monkeypatch.setenv(name, value)
    with redirect_stderr(terminal):
        tell_error(ConfigError("It failed."))

    assert coloured == "\x1b[1;31merror: It failed.\x1b[0m\n"
    assert terminal.getvalue() == f"{coloured}error: It failed.\n"


def test_what_is_copied_is_left_whole() -> None:
    """A link that we broke is no link."""
    link = "  https://as.example/" + "x" * 100

    assert wrapped(f"Open this:\n{link}", 40) == f"Open this:\n{link}"


@pytest.mark.parametrize("columns", [40, 80])
def test_the_last_column_of_a_table_hangs_below_itself(columns: int) -> None:
    """At 80 columns a scope or a reason is read in one column, and an address stays whole."""
    address = "https://as.example/a/very/long/address/that/cannot/be/broken"
    row = f"github     me@example.com  one two three four five six seven eight nine ten eleven {address}"
    lines = hanging(row, columns, indent=27).splitlines()

    assert " ".join(" ".join(lines).split()) == " ".join(row.split())
    assert lines[0].startswith("github     me@example.com  one")
    assert {len(one) - len(one.lstrip()) for one in lines[1:]} == {27 if columns == 80 else 4}
    assert all(len(one) <= columns for one in lines if address not in one)
