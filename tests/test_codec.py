"""The JSON codec: what was written comes back as it was, and what does not fit exactly is refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pytest

from loopback_auth.codec import from_members, read_object, to_members
from loopback_auth.records import EMPTY, dataclass


@dataclass(frozen=True, slots=True)
class Everything:
    """One member of every kind that is kept."""

    text: str
    number: int
    seconds: float
    flag: bool
    octets: bytes
    word: Literal["a", "b"]
    pairs: tuple[tuple[str, str], ...]
    ports: tuple[int, ...]
    anything: object = None
    maybe: str | None = None
    names: Mapping[str, str] = EMPTY


WHOLE = Everything(
    "x", 1, 1.5, True, b"\x00\xff", "a", (("n", "v"),), (1, 2), anything=True, maybe="m", names={"n": "v"}
)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("text", None),
        ("text", 1),
        ("number", True),
        ("number", 1.0),
        ("number", "1"),
        ("seconds", "1"),
        ("seconds", True),
        ("seconds", 1e300),
        ("seconds", float("nan")),
        ("flag", 1),
        ("flag", "true"),
        ("octets", "not base64!"),
        ("octets", 5),
        ("word", "c"),
        ("word", ["a"]),
        ("pairs", [["n"]]),
        ("pairs", [["n", "v", "w"]]),
        ("pairs", {"n": "v"}),
        ("pairs", "nv"),
        ("ports", [1, "2"]),
        ("ports", 1),
        ("maybe", 1),
        ("maybe", None),
        ("names", {"n": 1}),
        ("names", []),
        ("surplus", 1),
    ],
)
def test_a_member_of_another_kind_is_refused(member: str, value: object) -> None:
    """By name, and without its value."""
    members = to_members(WHOLE)
    members[member] = value

    assert from_members(Everything, to_members(WHOLE)) == WHOLE
    with pytest.raises(ValueError, match=r"must (not )?be|unknown"):
        from_members(Everything, members)


@pytest.mark.parametrize("member", ["text", "ports"])
def test_a_member_that_is_missing_is_named(member: str) -> None:
    """Unless it has a default."""
    members = to_members(WHOLE)
    del members[member]
    with pytest.raises(ValueError, match=f"{member} is missing"):
        from_members(Everything, members)


def test_one_is_not_true() -> None:
    """What has its default is left out, and has to come back as what it was."""
    assert from_members(Everything, to_members(replace(WHOLE, anything=1))).anything == 1
    assert from_members(Everything, to_members(replace(WHOLE, anything=None))).anything is None


@pytest.mark.parametrize("value", [None, 1, "x", []])
def test_what_is_no_object_is_refused(value: object) -> None:
    """As a whole, or as a member."""
    with pytest.raises(ValueError, match="Everything must be"):
        from_members(Everything, value)


def test_unknown_members_pass_where_they_may() -> None:
    """A newer version may have written them."""
    members = {**to_members(WHOLE), "surplus": 1}

    assert from_members(Everything, members, unknown_pass=True) == WHOLE


def test_defaults_are_written_where_other_versions_read() -> None:
    """A later version may have other defaults; None alone means the same everywhere."""
    bare = replace(WHOLE, anything=None, maybe=None, names={})
    short, full = to_members(bare), to_members(bare, defaults=True)

    assert "names" not in short
    assert full == {**short, "names": {}}
    assert from_members(Everything, full) == from_members(Everything, short) == bare


def test_null_is_read_where_absence_means_something_else() -> None:
    """A member without a default has to be there, even if it says nothing."""

    @dataclass(frozen=True, slots=True)
    class Told:
        word: str | None

    assert json.dumps(to_members(Told(None))) == '{"word": null}'
    assert from_members(Told, {"word": None}) == Told(None)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"a": NaN}', b"[" * 200_000, '{"\xe4": 1}'.encode("utf-16"), b'{"a": 1'],
    ids=range(6),
)
def test_what_is_not_one_object_is_refused(content: bytes) -> None:
    """Depth, encoding and constants that are not JSON end in one kind of error."""
    with pytest.raises(ValueError, match=r"not (ASCII|JSON|a JSON object)"):
        read_object(content)
