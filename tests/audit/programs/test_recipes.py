"""The recipes that come with the package: each can be read, installed as written, and followed up."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from loopback_auth.audit.programs.recipe import Recipe, read_recipe
from loopback_auth.audit.programs.templates import PLACEHOLDERS, filled, server_values
from loopback_auth.demo.setup import PATHS

FOLDER = files("loopback_auth.audit") / "recipes"
NAMES = sorted(one.name.removesuffix(".toml") for one in FOLDER.iterdir() if one.name.endswith(".toml"))
OF_THE_RUNTIME = {"driver", "bin", "node_modules"}
AT_SERVER = {*PATHS.values(), "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}


def recipe(name: str) -> Recipe:
    """Read one."""
    return read_recipe(name, (FOLDER / f"{name}.toml").read_text("utf-8"))


def test_there_are_enough() -> None:
    """A dozen public programs can be audited without thinking about their settings."""
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_what_is_installed_is_exact(name: str) -> None:
    """A finding about a program is worth nothing without its version; Debian's are those of the release."""
    one = recipe(name)

    assert one.install
    for installer, packages in one.install.items():
        for package in packages:
            assert installer == "apt" or re.fullmatch(r"(@[\w.-]+/)?[\w.-]+(==|@)\d[\w.]*", package), (
                f"{package} has no version"
            )
    assert one.version


@pytest.mark.parametrize("name", NAMES)
def test_where_it_comes_from(name: str) -> None:
    """The reader finds the program, and why it is started like this."""
    one = recipe(name)

    assert one.homepage.startswith("https://")
    assert one.notes
    assert all(note.endswith(".") for note in one.notes)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_of_the_server(name: str) -> None:
    """Something in it names the server, by placeholders that exist; a misspelled one stays as it is."""
    one = recipe(name)
    texts = [*one.command, one.driver, one.input, *one.env.values(), *one.files.values()]
    named = {found for text in texts for found in re.findall(r"\{([a-z_]+)\}", text)}

    assert named <= {*PLACEHOLDERS, *OF_THE_RUNTIME}
    values = server_values("http://127.0.0.1:9", client_id="c", client_secret="s", scope="openid")
    assert any("127.0.0.1:9" in filled(text, values) for text in texts)
    assert bool(one.driver) == ("driver" in named)
    assert set(one.aliases.values()) <= AT_SERVER


@pytest.mark.parametrize("name", NAMES)
def test_no_server_elsewhere(name: str) -> None:
    """A recipe leads to no real provider: every URL in what is run is a comment's, or names this machine."""
    one = recipe(name)
    code = "\n".join(line.partition("# ")[0] for line in one.driver.splitlines())
    texts = [*one.command, code, one.input, *one.env.values(), *one.files.values(), *one.answers.values()]
    hosts = {host for text in texts for host in re.findall(r"https?://([\w.-]+)", text)}

    scopes = {"www.googleapis.com"}  # Google's scopes are URLs, which are not opened.
    assert hosts <= {"127.0.0.1", "localhost", *scopes}
