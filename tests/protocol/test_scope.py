"""How scopes are told, and which differences are worth a warning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import NOW, PROPERTY

from loopback_auth.protocol.scope import scope_difference, scope_words
from loopback_auth.quirks import Quirks
from loopback_auth.tokens import IdToken, TokenSet

ID_TOKEN = IdToken({"sub": "ada"}, "not verified", "raw")


def difference(requested: str, granted: str, quirks: Quirks | None = None, **came: object) -> str:
    """Compare what was asked for with what came, in scopes and beside them."""
    refresh = "refresh" if came.get("refresh") else None
    tokens = TokenSet(
        "a",
        "Bearer",
        NOW,
        refresh_token=refresh,
        scope=granted,
        id_token=ID_TOKEN if came.get("id") else None,
    )
    return scope_difference(requested=requested, tokens=tokens, quirks=quirks or Quirks())


@pytest.mark.parametrize(
    ("value", "asked", "words"),
    [
        ("a b", "", ("a", "b")),
        (" a  b ", "", ("a", "b")),
        ("a,b", "a b", ("a", "b")),
        ("a, b,", "", ("a", "b")),
        ("x,y", "x,y", ("x,y",)),
        (["a", "b"], "", ("a", "b")),
        (["a b", "a,c"], "", ("a", "b", "c")),
        ("", "a", ()),
        ([], "a", ()),
        ([""], "a", ()),
        ("a\x1b\u202eb", "", ("ab",)),
        (None, "a", None),
        (1, "a", None),
        (["a", 1], "a", None),
        ({"a": 1}, "a", None),
        (True, "a", None),
    ],
)
def test_scopes_are_read_however_they_are_written(
    value: object, asked: str, words: tuple[str, ...] | None
) -> None:
    """GitHub and Slack write commas, Twitch a list; RFC 6749 §3.3 allows a comma within a scope."""
    assert scope_words(value, asked=asked) == words


def test_long_scope_is_not_cut() -> None:
    """A cut scope would look narrower than the one asked for, today and at each renewal."""
    scope = " ".join(f"https://api.example/auth/resource-{number}" for number in range(100))

    assert " ".join(scope_words(scope, asked="") or ()) == scope


def test_more_scopes_than_anybody_has_are_not_read() -> None:
    """Comparing them takes time, and a server may send a megabyte."""
    assert scope_words(" ".join(map(str, range(5000))), asked="a") is None
    assert len(scope_words(" ".join(map(str, range(900))), asked="a") or ()) == 900


@pytest.mark.parametrize(
    ("requested", "granted", "words"),
    [
        ("a b", "b a", []),
        ("", "a", []),
        ("a b", "a", ["not granted: b"]),
        ("repo", "", ["not granted: repo"]),
        ("a", "a b", ["not requested: b"]),
        ("a b", "a c", ["not granted: b", "not requested: c"]),
        ("openid a", "a", ["not granted: openid"]),
        ("offline_access a", "a", ["not granted: offline_access"]),
        ("email", "user", ["not granted: email", "not requested: user"]),
    ],
)
def test_other_scope_than_asked_for_is_told(requested: str, granted: str, words: list[str]) -> None:
    """RFC 6749 §3.3: the server may grant less; the person should know."""
    said = difference(requested, granted)

    assert bool(said) is bool(words)
    assert all(word in said for word in words)


@pytest.mark.parametrize(
    ("requested", "granted"),
    [
        ("email", "openid https://www.googleapis.com/auth/userinfo.email"),
        ("User.Read offline_access", "User.Read profile openid email"),
        ("User.Read offline_access", "https://graph.microsoft.com/User.Read"),
        ("https://graph.microsoft.com/User.Read", "User.Read"),
        ("user.read", "User.Read"),
        ("https://graph.microsoft.com/.default", "User.Read Mail.Read"),
        ("openid profile email a", "a"),
        ("user user:email", "user"),
        ("a offline_access", "a"),
    ],
)
def test_two_names_of_one_thing_are_no_difference(requested: str, granted: str) -> None:
    """What openid and offline_access stand for has come; Google, Entra and GitHub answer with other names."""
    assert difference(requested, granted, id=True, refresh=True) == ""


def test_provider_may_have_names_of_its_own() -> None:
    """The pairs are in its row, or in a table of the user's file."""
    quirks = Quirks(scope_aliases=(("read:org", "write:org"),), scope_prefixes=("api://x/",))

    assert difference("read:org Files.Read", "write:org api://x/Files.Read", quirks) == ""
    assert difference("read:org Files.Read", "write:org api://x/Files.Read")
    assert difference("write:org", "read:org", quirks)


@PROPERTY
@given(st.text() | st.lists(st.text()), st.text())
def test_any_text_is_read(value: object, asked: str) -> None:
    """Servers choose these texts; what is kept of them is one line of words."""
    words = scope_words(value, asked=asked)

    assert words is not None
    assert all(word and word.isprintable() and word == word.strip() for word in words)
    assert isinstance(difference(asked, " ".join(words)), str)
