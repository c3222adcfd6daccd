"""Frozen dataclasses as JSON, and back again, read strictly by their annotations.

Members are the fields by their names; one that has its default is left out, bytes are base64. What is read
has to be exactly of the annotated kind, member by member; a `ValueError` says which one is not, without
quoting it, for it may be a secret. Refuses to know what the values mean and where the text is kept.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from loopback_auth.device_and_ticket import TicketContract

T = TypeVar("T")

FARTHEST = 1e15
"""Of a number that is kept; far beyond every date, so that infinity and nonsense are refused."""


def plain(value: object) -> Any:
    """Turn a value into what JSON can carry."""
    if is_dataclass(value):
        pairs = ((each, getattr(value, each.name)) for each in fields(value))
        return {each.name: plain(member) for each, member in pairs if not _is_default(each, member)}
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [plain(member) for member in value]
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def built(kind: type[T], value: object) -> T:
    """Build a value of a dataclass out of what JSON carried.

    Raises:
        ValueError: it is something else; the text names the member and quotes no value.
    """
    made: T = _built(kind, value, kind.__name__)
    return made


def _built(kind: Any, value: object, place: str) -> Any:
    if not isinstance(value, dict):
        raise _another_kind(place)
    hints = _hints(kind)
    if not hints.keys() >= value.keys():
        raise ValueError(f"{place} has a member that is unknown")
    if missing := [each.name for each in fields(kind) if each.name not in value and not _has_default(each)]:
        raise ValueError(f"{missing[0]} is missing")
    return kind(**{name: _read(hints[name], member, name) for name, member in value.items()})


def _read(kind: Any, value: object, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (inner,) = (each for each in arguments if each is not NoneType)
        return None if value is None else _read(inner, value, place)
    if origin is tuple and isinstance(value, list):
        return _tuple(arguments, value, place)
    if origin is Mapping and isinstance(value, dict):
        return {name: _read(arguments[1], member, place) for name, member in value.items()}
    if is_dataclass(kind):
        return _built(kind, value, place)
    if kind is float and type(value) in (int, float) and -FARTHEST < value < FARTHEST:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    if kind is bytes and isinstance(value, str):
        return base64.b64decode(value, validate=True)
    fits = value in arguments if origin is Literal else kind is object or type(value) is kind
    if not fits or kind is float:
        raise _another_kind(place)
    return value


def _tuple(kinds: tuple[Any, ...], values: list[object], place: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(values)
    if len(kinds) != len(values):
        raise _another_kind(place)
    return tuple(_read(kind, value, place) for kind, value in zip(kinds, values, strict=True))


@lru_cache
def _hints(kind: Any) -> dict[str, Any]:
    # The model names it for type checkers only.
    return get_type_hints(kind, localns={"TicketContract": TicketContract})


def _has_default(each: Field[Any]) -> bool:
    return each.default is not MISSING or each.default_factory is not MISSING


def _is_default(each: Field[Any], value: object) -> bool:
    if each.default_factory is not MISSING:
        return bool(value == each.default_factory())
    # 1 == True, and would come back as what it is not.
    return type(value) is type(each.default) and value == each.default


def _another_kind(place: str) -> ValueError:
    return ValueError(f"{place} is of another kind")
