"""The form in which a sign-in is kept: one JSON object, format version 1.

Members are the fields of `SignIn` and of what is in it, by their names; a field that is `None` is left out,
and so are quirks where a provider has none, and a network that says nothing.
Reading is strict about version, shapes and types, and a `ValueError` says which member is wrong without
quoting it, for it may be a secret. Members that we do not know are passed over. Refuses to know where the
text is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar, get_args

from loopback_auth.model import (
    ClientAuth,
    IdToken,
    Network,
    ServerMetadata,
    SignatureStatus,
    SignIn,
    TokenSet,
)
from loopback_auth.quirks import Quirks, TokenBody, UserinfoMethod

FORMAT_VERSION = 1
LATEST_TIME = 1e15
"""Unix seconds; far beyond every date, so that infinity and nonsense are refused."""

NOT_WRITTEN = (None, Quirks(), Network())

T = TypeVar("T", SignIn, ServerMetadata, TokenSet, IdToken, Quirks, Network)


def to_json(sign_in: SignIn) -> bytes:
    """Write a sign-in as ASCII JSON, ending in a line break.

    Raises:
        ValueError: a claim is not something that JSON can carry.
    """
    members = {"version": FORMAT_VERSION, **_members(sign_in)}
    try:
        return json.dumps(members, indent=1, allow_nan=False).encode("ascii") + b"\n"
    except (TypeError, ValueError, RecursionError):
        raise ValueError("a claim of the ID token is not JSON") from None


def from_json(content: bytes, name: str) -> SignIn:
    """Read a sign-in back.

    Args:
        content: what `to_json` wrote, or anything at all.
        name: the name that the sign-in must bear.

    Raises:
        ValueError: it is something else; the text names the member and quotes no value.
    """
    # Asked beforehand, because a UnicodeDecodeError would carry the whole content.
    if not content.isascii():
        raise ValueError("not ASCII")
    try:
        members = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(members, dict):
        raise ValueError("not a JSON object")
    version = members.get("version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"not of format version {FORMAT_VERSION}")
    sign_in = _build(SignIn, members)
    if sign_in.name != name:
        raise ValueError("written for another name")
    return sign_in


def _members(value: object) -> Any:
    if is_dataclass(value):
        pairs = ((each.name, getattr(value, each.name)) for each in fields(value))
        return {name: _members(member) for name, member in pairs if member not in NOT_WRITTEN}
    return dict(value) if isinstance(value, Mapping) else value


def _build(kind: type[T], value: object) -> T:
    if not isinstance(value, dict):
        raise ValueError(f"{kind.__name__} is not an object")
    arguments = {each.name: _member(each, value) for each in fields(kind) if _given(each, value)}
    return kind(**arguments)


def _given(each: Field[Any], members: Mapping[str, object]) -> bool:
    if each.name in members:
        return True
    if each.default is MISSING and each.default_factory is MISSING:
        raise ValueError(f"{each.name} is missing")
    return False


def _member(each: Field[Any], members: Mapping[str, object]) -> Any:
    value = members[each.name]
    fits, read = _READERS[str(each.type)]
    if not fits(value):
        raise ValueError(f"{each.name} is of another kind")
    return read(value)


def _no_constant(_: str) -> None:
    raise ValueError


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_texts(each) and len(each) == 2 for each in value)


def _tuples(value: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(each) for each in value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _time(value: Any) -> bool:
    return type(value) in (int, float) and -LATEST_TIME < value < LATEST_TIME


def _object(value: Any) -> bool:
    return isinstance(value, dict)


_READERS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any], Any]]] = {
    "str": (_text, _same),
    "str | None": (_text, _same),
    "bool": (_flag, _same),
    "float": (_time, float),
    "float | None": (_time, float),
    "tuple[str, ...]": (_texts, tuple),
    "tuple[str, ...] | None": (_texts, tuple),
    "tuple[tuple[str, str], ...]": (_pairs, _tuples),
    "Mapping[str, object]": (_object, _same),
    "ClientAuth": (get_args(ClientAuth).__contains__, _same),
    "SignatureStatus": (get_args(SignatureStatus).__contains__, _same),
    "TokenBody": (get_args(TokenBody).__contains__, _same),
    "UserinfoMethod": (get_args(UserinfoMethod).__contains__, _same),
    "Quirks": (_object, lambda value: _build(Quirks, value)),
    "Network": (_object, lambda value: _build(Network, value)),
    "ServerMetadata": (_object, lambda value: _build(ServerMetadata, value)),
    "TokenSet": (_object, lambda value: _build(TokenSet, value)),
    "IdToken | None": (_object, lambda value: _build(IdToken, value)),
}
"""By the annotation in the model: what a member must be in JSON, and how it becomes ours."""
