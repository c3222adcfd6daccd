"""Convert records to JSON, and back again strictly by their annotations.

Members are the fields by their names, without those that do not count in comparisons; bytes are base64. A
value that is read must have exactly the annotated type, member by member, because Python takes True for 1 and
JSON writers take numbers for strings. A `ValueError` says which member is wrong without quoting its value,
for that may be a secret. Refuses to know what the values mean and where the text is kept.

Source: RFC 8259 §6 (no NaN, no infinity).
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from types import NoneType

from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_list, is_mapping, is_object, is_tuple
from loopback_auth.records import Field, fields_of, get_args, kinds_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeVar

    T = TypeVar("T")

LARGEST = 1e15
"""Bound of a number; far beyond every date in Unix seconds, so that infinity and nonsense are refused."""


def to_members(value: object, *, defaults: bool = False) -> Any:
    """Turn a value into what JSON can carry.

    Args:
        value: a record, or what can be a member of one.
        defaults: write members that have their default value too, except None and whole records, so that a
            reader with other defaults reads the same.
    """
    if (fields := fields_of(value)) is not None:
        pairs = ((each, getattr(value, each.name)) for each in fields)
        return {
            each.name: to_members(member, defaults=defaults)
            for each, member in pairs
            if _is_kept(each, member, defaults=defaults)
        }
    if is_mapping(value):
        return dict(value)  # Of what JSON has; bytes in it would come back as strings.
    if is_tuple(value):
        return [to_members(member, defaults=defaults) for member in value]
    return b2a_base64(value, newline=False).decode("ascii") if isinstance(value, bytes) else value


def from_members(kind: type[T], value: object, *, name: str = "", unknown_pass: bool = False) -> T:
    """Build a record from what JSON carried.

    Args:
        kind: the class of the record.
        value: what `to_members` returned, or any other value of JSON; untrusted.
        name: what errors call it; by default the name of the class.
        unknown_pass: ignore members that the class does not have, as a later version may have written.

    Raises:
        ValueError: the value does not fit; the text names the member and quotes no value.
    """
    made: T = _Reader(unknown_pass=unknown_pass).build(kind, value, name or kind.__name__)
    return made


def read_object(content: str | bytes) -> dict[str, object]:
    """Parse a text of ours: one JSON object in ASCII.

    Raises:
        ValueError: the content is something else; the text quotes nothing of it.
    """
    # Not every caller has a type checker.
    if not isinstance(content, str | bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError("neither text nor bytes")
    # Checked first, because a UnicodeDecodeError would carry the whole content.
    if not content.isascii():
        raise ValueError("not ASCII")
    try:
        members = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not is_object(members):
        raise ValueError("not a JSON object")
    return members


class _Reader:
    def __init__(self, *, unknown_pass: bool) -> None:
        self._unknown_pass = unknown_pass

    def build(self, kind: Any, value: object, member: str) -> Any:
        if not is_object(value):
            raise _must_be("an object", member)
        hints = _kinds(kind)
        if not self._unknown_pass and not hints.keys() >= value.keys():
            raise ValueError(f"{member} has an unknown member")
        arguments: dict[str, Any] = {}
        for each in fields_of(kind) or ():
            if each.name in value:
                arguments[each.name] = self._member(each, hints[each.name], value[each.name])
            elif each.default is ...:
                raise ValueError(f"{each.name} is missing")
        try:
            return kind(**arguments)
        except ConfigError:
            # Its text may have a part of the value.
            raise ValueError(f"{member} has a value that cannot be used") from None

    def _member(self, each: Field, kind: Any, value: object) -> Any:
        # Where None is the default it is not written, so null is not read either.
        if value is None and each.default is None and kind is not object:
            raise ValueError(f"{each.name} must not be null")
        return self._read(kind, value, each.name)

    def _read(self, kind: Any, value: object, member: str) -> Any:
        origin, arguments = getattr(kind, "__origin__", None), get_args(kind)
        if NoneType in arguments:
            (inner,) = (each for each in arguments if each is not NoneType)
            return None if value is None else self._read(inner, value, member)
        if origin is tuple:
            return self._tuple(arguments, value, member)
        if origin is Mapping:
            if not is_object(value):
                raise _must_be("an object", member)
            return {name: self._read(arguments[1], each, name) for name, each in value.items()}
        if fields_of(kind) is not None:
            return self.build(kind, value, member)
        return _scalar(kind, value, member)

    def _tuple(self, kinds: tuple[Any, ...], value: object, member: str) -> tuple[Any, ...]:
        if not is_list(value):
            raise _must_be("a list", member)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        if len(kinds) != len(value):
            raise _must_be(f"a list of {len(kinds)}", member)
        return tuple(self._read(kind, each, member) for kind, each in zip(kinds, value, strict=True))


def _scalar(kind: Any, value: object, member: str) -> Any:
    if allowed := get_args(kind):
        if value not in allowed:
            raise _must_be(f"one of: {', '.join(map(str, allowed))}", member)
        return value
    if kind is float:
        if type(value) not in (int, float) or not -LARGEST < value < LARGEST:  # type: ignore[operator]
            raise _must_be("a number", member)
        return float(value)  # type: ignore[arg-type]
    if kind is bytes and isinstance(value, str):
        try:
            return a2b_base64(value, strict_mode=True)
        except ValueError:
            raise _must_be("base64", member) from None
    if kind is not object and type(value) is not kind:
        raise _must_be(_NAMES[kind], member)
    return value


_NAMES = {str: "a string", bytes: "base64", bool: "true or false", int: "a whole number"}


_kinds = lru_cache(kinds_of)


def _is_kept(each: Field, member: object, *, defaults: bool) -> bool:
    # A field that does not count in comparisons says where a value is from, and is not part of it.
    if not each.compared or not _is_default(each, member):
        return each.compared
    return defaults and member is not None and fields_of(member) is None


def _is_default(each: Field, value: object) -> bool:
    # 1 == True, but must be read back as 1.
    return type(value) is type(each.default) and value == each.default


def _must_be(what: str, member: str) -> ValueError:
    return ValueError(f"{member} must be {what}")


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError
