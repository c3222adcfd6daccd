"""Addresses of the server are handed to a program by names in braces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.audit.programs.templates import (
    PLACEHOLDERS,
    assignment,
    filled,
    inner_path,
    server_values,
)
from loopback_auth.errors import ConfigError

VALUES = server_values("http://127.0.0.1:8000", client_id="me", client_secret="", scope="openid email")


def test_every_placeholder_of_the_server_is_explained() -> None:
    """A name that is filled in and not in the table does not exist for a reader."""
    assert set(VALUES) <= set(PLACEHOLDERS)


def test_names_are_filled_in() -> None:
    """Several in one text, and an empty one."""
    text = filled("--auth={authorization_endpoint}&id={client_id}&secret={client_secret}.", VALUES)

    assert text == "--auth=http://127.0.0.1:8000/authorize&id=me&secret=."


@pytest.mark.parametrize(
    "text", ['{"installed": {}}', "{unknown}", "{ issuer }", "{ISSUER}", "${HOME}", "{", "{}"]
)
def test_other_braces_stay(text: str) -> None:
    """JSON and the templates of other programs are full of them."""
    assert filled(text, VALUES) == text


def test_values_are_not_filled_in_again() -> None:
    """What stands in a value is not a name."""
    assert filled("{a}", {"a": "{b}", "b": "c"}) == "{b}"


@given(st.text())
def test_any_text(text: str) -> None:
    """Whatever the text is, filling it in raises nothing."""
    filled(text, VALUES)


@pytest.mark.parametrize("text", ["NAME", "=text", " =text", "NA\0ME=text", ""])
def test_what_is_no_assignment(text: str) -> None:
    """The error names the flag."""
    with pytest.raises(ConfigError, match="--env"):
        assignment(text, "--env")


def test_assignment() -> None:
    """The text may have more of the signs, and be empty."""
    assert assignment("NAME=a=b", "--env") == ("NAME", "a=b")
    assert assignment("NAME=", "--env") == ("NAME", "")


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../out", "a/../../out", "~/../out", "~/", "a\0b", "~//etc"]
)
def test_paths_that_lead_out(path: str) -> None:
    """A file of the program is in its own folders."""
    with pytest.raises(ConfigError):
        inner_path(path)


def test_paths_inside() -> None:
    """In the working folder, and in the home folder."""
    assert inner_path("config/a.json") == (False, "config/a.json")
    assert inner_path("~/.config/a.json") == (True, ".config/a.json")
