"""Recipes are read strictly: what is misspelled is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.audit.programs.recipe import KEYS, LARGEST, read_recipe
from loopback_auth.errors import ConfigError

WHOLE = """
title = "my tool"
homepage = "https://tool.example"
version = "my-tool"
install.pip = ["my-tool>=1"]
runtime = "python"
driver = "print(1)"
command = ["{python}", "{driver}"]
client_id = "my-tool"
secret = true
scope = "openid"
tls = true
tty = true
port = 8085
input = "y\\n"
success = "signed in"
again = true
here = true
notes = ["It listens on every address."]
[env]
AUTH_URL = "{authorization_endpoint}"
[files]
"~/.config/tool.json" = "{}"
[aliases]
"/oauth/authorize" = "/authorize"
[answers]
"/api/user" = '{"login": "demo"}'
[token_members]
expires = 5
[claims]
oid = "1"
"""


def test_every_key() -> None:
    """What a recipe can say is read, and nothing else can be said."""
    recipe = read_recipe("tool", WHOLE)

    assert (recipe.name, recipe.heading, recipe.port, recipe.success) == (
        "tool",
        "my tool",
        8085,
        "signed in",
    )
    assert recipe.install == {"pip": ("my-tool>=1",)}
    assert all(getattr(recipe, key) for key in KEYS)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "command"),
        ("command = []", "command"),
        ('command = [""]', "command"),
        ('command = "tool login"', "command"),
        ("command = [1]", "command"),
        ('command = ["a"]\nport = 65536', "port"),
        ('command = ["a"]\nport = true', "port"),
        ('command = ["a"]\nport = nan', "port"),
        ('command = ["a"]\ntls = "yes"', "tls"),
        ('command = ["a"]\ncomand = "b"', "comand"),
        ('command = ["a"]\nsuccess = "("', "success"),
        ('command = ["a"]\nruntime = "ruby"', "runtime"),
        ('command = ["a"]\nruntime = ["node"]', "runtime"),
        ('command = ["a"]\nenv = ["A=b"]', "env"),
        ('command = ["a"]\n[env]\n"A=B" = "c"', "env"),
        ('command = ["a"]\n[env]\nA = 1', "env.'A'"),
        ('command = ["a"]\ninstall.brew = ["a"]', "install.'brew'"),
        ('command = ["a"]\n[aliases]\na = "/b"', "aliases"),
        ('command = ["a"]\n[answers]\n"/a?b" = "c"', "answers"),
        ('command = ["a"]\nclient_id = ""', "client_id"),
        ('command = ["a\\u0000b"]', "command"),
        ("command = ", "TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str) -> None:
    """The author sees the recipe and the key."""
    with pytest.raises(ConfigError) as caught:
        read_recipe("tool", text)

    assert "tool" in caught.value.message
    assert named in caught.value.message


@pytest.mark.parametrize("name", ["", "../tool", "Tool", "-tool", "a" * 65, "tool\n"])
def test_names_of_recipes(name: str) -> None:
    """A name is that of a file, in a folder that it cannot leave."""
    with pytest.raises(ConfigError):
        read_recipe(name, 'command = ["a"]')


def test_too_long() -> None:
    """A file that is not a recipe is not read to its end."""
    with pytest.raises(ConfigError, match=str(LARGEST)):
        read_recipe("tool", "#" * (LARGEST + 1))


def test_nested_without_end() -> None:
    """Depth is an error like any other."""
    with pytest.raises(ConfigError):
        read_recipe("tool", f"command = {'[' * 100_000}")


@given(st.text())
def test_any_text(text: str) -> None:
    """Whatever the file holds, it is a recipe or an error of ours."""
    try:
        read_recipe("tool", text)
    except ConfigError:
        return
