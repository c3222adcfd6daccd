"""Records are dataclasses to everyone who looks, and import neither dataclasses nor typing."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
import pprint
import re
import subprocess
import sys
import typing
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from loopback_auth import device_and_ticket, events, model, quirks
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.records import EMPTY, FrozenMapping, dataclass, field, fields_of, get_args, replace
from loopback_auth.tokens import IdToken, SignIn, TokenSet

PROVIDER = Provider("example", ServerMetadata(issuer="https://id.example"))
CLIENT = ClientConfig(PROVIDER, "my-tool", "secret-1", scope="openid", extra={"a": "b"})
TOKENS = TokenSet("access-1", "Bearer", 1.0, id_token=IdToken({"sub": "1", "aud": ["x"]}, "verified", "r"))
SIGN_IN = SignIn("example", "my-tool", "none", ServerMetadata("https://id.example"), "openid", TOKENS)
VALUES = (CLIENT, TOKENS, SIGN_IN, PROVIDER, Redirect())


@dataclass(frozen=True, slots=True)
class Ours:
    """Made by `records`."""

    first: str
    second: int = 2
    third: str | None = None
    only: float = field(default=0.5, kw_only=True)

    def __post_init__(self) -> None:
        if self.second < 0:
            raise ValueError("negative")


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """Made by the standard library."""

    first: str
    second: int = 2
    third: str | None = None
    only: float = dataclasses.field(default=0.5, kw_only=True)

    def __post_init__(self) -> None:
        if self.second < 0:
            raise ValueError("negative")


def outcome(action: Callable[[type[Any]], object], kind: type[Any]) -> str:
    """Return what came of an action, without the names of the classes and what a repr of ours leaves out."""
    try:
        result = repr(action(kind))
    except Exception as exc:
        result = f"{type(exc).__name__}: {exc}"
    return re.sub("Ours|Theirs|, (second=2|third=None|only=0.5)(?=[,)])", "", result)


def change(value: object, name: str) -> None:
    """Assign to a field, as a caller without a type checker may."""
    setattr(value, name, 1)


@pytest.mark.parametrize(
    "action",
    [
        lambda kind: kind("a", 3, "c"),
        lambda kind: kind("a", third="c", second=3),
        lambda kind: kind("a", only=2.0),
        lambda kind: kind("a", 1, "c", 2.0),
        lambda kind: kind(),
        lambda kind: kind("a", 1, "c", "d"),
        lambda kind: kind("a", first="b"),
        lambda kind: kind("a", fourth=1),
        lambda kind: kind("a", -1),
        lambda kind: kind("a") == kind("a", 2),
        lambda kind: kind("a") == kind("b"),
        lambda kind: kind("a") == "a",
        lambda kind: hash(kind("a")) == hash(kind("a")) != hash(kind("b")),
        lambda kind: change(kind("a"), "first"),
        lambda kind: delattr(kind("a"), "first"),
        lambda kind: kind("a").__dict__,
        lambda kind: kind.__match_args__,
        lambda kind: kind.__slots__,
        lambda kind: inspect.signature(kind),
        lambda kind: [(each.name, each.type, each.default, each.repr) for each in dataclasses.fields(kind)],
        lambda kind: dataclasses.fields(kind("a"))[1].name,
        lambda kind: dataclasses.is_dataclass(kind),
        lambda kind: dataclasses.is_dataclass(kind("a")),
        lambda kind: dataclasses.asdict(kind("a")),
        lambda kind: dataclasses.astuple(kind("a")),
        lambda kind: dataclasses.replace(kind("a"), second=5, third="c"),
        lambda kind: dataclasses.replace(kind("a"), second=-5),
        lambda kind: dataclasses.replace(kind("a"), fourth=5),
        lambda kind: copy.copy(kind("a")) == copy.deepcopy(kind("a")) == kind("a"),
        lambda kind: pickle.loads(pickle.dumps(kind("a", 3, "c"))),  # noqa: S301
        lambda kind: typing.get_type_hints(kind),
        lambda kind: kind.__doc__ and kind.__qualname__,
    ],
)
def test_a_record_is_a_dataclass(action: Callable[[type[Any]], object]) -> None:
    """What is made, refused and said is the same, so that a reader need not know that there are two."""
    assert outcome(action, Ours) == outcome(action, Theirs)


def test_match_takes_a_record_apart() -> None:
    """By position, as with every dataclass."""
    match Ours("a", 3):
        case Ours(first, second):
            assert (first, second) == ("a", 3)


def test_a_dataclass_may_be_derived_from_a_record() -> None:
    """A program may add a field of its own."""

    @dataclasses.dataclass(frozen=True, slots=True)
    class Mine(ClientConfig):
        """With a field more."""

        region: str = "eu"

    mine = Mine(PROVIDER, "my-tool", region="us")

    assert (mine.region, mine.client_id, dataclasses.replace(mine, scope="x").region) == (
        "us",
        "my-tool",
        "us",
    )
    with pytest.raises(FrozenInstanceError):
        change(mine, "client_id")


def test_a_class_that_is_derived_may_have_attributes() -> None:
    """Only what belongs to the record is frozen."""

    class Named(Redirect):
        """With an attribute."""

    named = Named()
    change(named, "label")

    assert vars(named) == {"label": 1}
    with pytest.raises(FrozenInstanceError):
        change(named, "path")
    del named.label  # type: ignore[attr-defined]
    assert vars(named) == {}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_can_be_hashed_copied_and_sent_to_a_process(value: object) -> None:
    """They are keys of a cache and arguments of a worker."""
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301
    assert copy.deepcopy(value) == value
    assert {value: 1}[copy.copy(value)] == 1


def test_a_mapping_in_a_record_is_a_copy_that_cannot_change() -> None:
    """Or a hash would change while a cache has it."""
    given = {"a": "b"}
    client = replace(CLIENT, extra=given)
    given["a"] = "c"

    assert client.extra == {"a": "b"}
    assert (json.dumps(client.extra), {**client.extra}, client.extra | {"c": "d"}) == (  # type: ignore[operator]
        '{"a": "b"}',
        {"a": "b"},
        {"a": "b", "c": "d"},
    )
    changes: tuple[Callable[[Any], object], ...] = (
        lambda one: one.update(a="c"),
        lambda one: one.pop("a"),
        lambda one: one.clear(),
        lambda one: one.__setitem__("a", "c"),
        lambda one: one.__delitem__("a"),
        lambda one: one.setdefault("z"),
        lambda one: one.popitem(),
        lambda one: one.__ior__({"a": "c"}),
    )
    for change_it in changes:
        with pytest.raises(TypeError, match="cannot be changed"):
            change_it(client.extra)


def test_equal_mappings_have_equal_hashes() -> None:
    """Also when there is in them what has no hash."""
    one, other = FrozenMapping(a="b", c=[1]), FrozenMapping(c=[1], a="b")

    assert one == other == {"a": "b", "c": [1]}
    assert hash(one) == hash(other) != hash(EMPTY)
    assert copy.copy(one) is one
    assert type(pickle.loads(pickle.dumps(copy.deepcopy(one)))) is FrozenMapping  # noqa: S301


def test_a_repr_shows_what_differs_from_the_default() -> None:
    """A reader of a log wants to see what was said; and never a secret."""
    assert repr(CLIENT) == (
        "ClientConfig(provider=Provider(name='example', metadata=ServerMetadata("
        "issuer='https://id.example')), client_id='my-tool', scope='openid', extra={'a': 'b'})"
    )
    assert repr(Ours("a")) == "Ours(first='a')"
    assert pprint.pformat(Ours("a")) == "Ours(first='a')"


def test_a_record_must_be_frozen() -> None:
    """Type checkers see the decorator of the standard library, which can do more than ours."""
    with pytest.raises(TypeError, match="frozen"):
        dataclass(frozen=False, slots=True)

    @dataclass(frozen=True, slots=True)
    class Bare:
        """Without fields."""

    assert Bare() == Bare()
    assert repr(Bare()).endswith("Bare()")
    assert field(default=1) is not None


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for module in (model, quirks, device_and_ticket, events)
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__ and fields_of(kind) is not None
    ],
)
def test_every_annotation_can_be_read(kind: type) -> None:
    """By the codec, and by the libraries that read a program's annotations."""
    assert list(typing.get_type_hints(kind)) == [each.name for each in fields_of(kind) or ()]


def test_the_values_of_a_literal_can_be_listed() -> None:
    """As the standard library does, which does not know ours."""
    assert get_args(model.ResponseType) == ("code", "token", "id_token", "id_token token", "code id_token")


def test_a_client_is_made_without_heavy_imports() -> None:
    """A program that has a fresh token should pay for little more than reading it."""
    script = (
        "from loopback_auth import ClientConfig, Provider, ServerMetadata\n"
        "import loopback_auth.sign_in_format, sys\n"
        "ClientConfig(Provider('x', ServerMetadata('https://x.example')), 'x')\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        # Without an environment, for a measurement of coverage would import more than the records.
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={},
    )

    assert set(done.stdout.split()).isdisjoint({"dataclasses", "inspect", "typing", "urllib.parse", "base64"})
