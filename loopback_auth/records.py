"""Frozen dataclasses that cost next to nothing to import, because nothing of `inspect` and `typing` is.

A program that asks for a kept token makes a dozen values and reads one file; importing `dataclasses` would
cost it more than all of that. For type checkers the names here are those of the standard library. Its
`fields`, `replace`, `asdict` and `is_dataclass` work on records as on every dataclass, because what they look
for is made when they look. `__init__` is compiled when the first instance is made.

A record is always frozen and has slots. A mapping in it becomes a `FrozenMapping`, so that each instance can
be hashed, and a `repr` leaves out the fields that have their default value. This module refuses to know any
record.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter

from loopback_auth.narrow import is_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, replace
    from typing import Any, Literal, NoReturn, get_args
else:

    def dataclass(*, frozen, slots):
        """Return the decorator that makes a record of a class."""
        if not (frozen and slots):
            raise TypeError("a record is frozen and has slots")
        return _record

    def field(*, default=..., repr=True, compare=True, kw_only=False):
        """Return what is said about a field beside its type; a default of `...` means that it has none."""
        return Field(default, shown=repr, compared=compare, keyword_only=kw_only)

    def replace(value, /, **changes):
        """Return the same record with other values in some fields."""
        return value.__replace__(**changes)

    class Literal:
        """Makes a class of some strings, because a class can be combined with None by `|`."""

        def __class_getitem__(cls, values):
            return type("Literal", (str,), {"__args__": values if isinstance(values, tuple) else (values,)})

    def get_args(kind):
        """Return the arguments of a type; of a `Literal` its values."""
        return getattr(kind, "__args__", ())


__all__ = [
    "EMPTY",
    "Field",
    "FrozenMapping",
    "Literal",
    "dataclass",
    "field",
    "fields_of",
    "frozen_mapping",
    "get_args",
    "kind_of",
    "kinds_of",
    "replace",
]


class Field:
    """One field of a record.

    Args:
        name: of the field.
        kind: its annotation, as written.
        module: where the annotation is to be understood.
        default: `...` when there is none.
        shown: a `repr` may have its value.
        compared: it counts in comparisons and in the hash.
        keyword_only: it cannot be given by position.
    """

    __slots__ = ("compared", "default", "keyword_only", "kind", "module", "name", "shown")

    def __init__(
        self, default: object, *, shown: bool = True, compared: bool = True, keyword_only: bool = False
    ) -> None:
        self.name: str = ""
        self.kind: str = ""
        self.module: str = ""
        self.default: object = default
        self.shown: bool = shown
        self.compared: bool = compared
        self.keyword_only: bool = keyword_only


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("this mapping cannot be changed; dict() makes a copy that can be")


class FrozenMapping(dict[str, "Any"]):
    """A dict that refuses to be changed and can be hashed. It equals every dict with the same members."""

    __slots__ = ()

    __setitem__: Any = _refuse
    __delitem__: Any = _refuse
    __ior__: Any = _refuse
    clear: Any = _refuse
    pop: Any = _refuse
    popitem: Any = _refuse
    setdefault: Any = _refuse
    update: Any = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        # Lists and objects of JSON have no hash. Equal mappings have equal hashes without them, too.
        return hash(frozenset((key, value) for key, value in self.items() if isinstance(value, str)))

    def __copy__(self) -> FrozenMapping:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenMapping, (dict(self),)


EMPTY: Mapping[str, Any] = FrozenMapping()
"""The default of a field that is a mapping."""


def frozen_mapping(value: Any) -> Any:
    """Return a mapping as one that cannot be changed, and other values as they are."""
    return FrozenMapping(value) if type(value) is not FrozenMapping and is_mapping(value) else value


def fields_of(kind: object) -> tuple[Field, ...] | None:
    """Return the fields of a record or of its class, in order; None for everything else."""
    found: tuple[Field, ...] | None = getattr(kind, "__record_fields__", None)
    return found


def kinds_of(kind: type) -> dict[str, Any]:
    """Return the types of a record's fields by their names, as `typing.get_type_hints` does."""
    return {each.name: kind_of(each) for each in fields_of(kind) or ()}


def prepare(*records: type) -> None:
    """Compile now what the first instance of each record would need, while no user waits."""
    for record in records:
        getattr(record, "__init__")  # noqa: B009 - looking for it compiles it


def kind_of(field: Field) -> Any:
    """Return the type of a field."""
    return _evaluated(field.module, field.kind)


@lru_cache
def _evaluated(module: str, annotation: str) -> Any:
    return eval(annotation, vars(sys.modules[module]))  # noqa: S307 - an annotation of ours


def _record(cls: type) -> type:
    namespace = dict(cls.__dict__)
    kinds: dict[str, str] = namespace.get("__annotations__", {})
    names = tuple(kinds)
    fields: list[Field] = []
    for name, kind in kinds.items():
        said = namespace.pop(name, ...)
        one = said if isinstance(said, Field) else Field(said)
        one.name, one.kind, one.module = name, kind, cls.__module__
        fields.append(one)
    for name in ("__dict__", "__weakref__"):
        namespace.pop(name, None)
    namespace |= {
        "__qualname__": cls.__qualname__,
        "__slots__": names,
        "__match_args__": tuple(each.name for each in fields if not each.keyword_only),
        "__record_fields__": tuple(fields),
        "__init__": _Init(),
        "__dataclass_fields__": _AsDataclass(),
        "__dataclass_params__": _AsDataclass(),
        "__setattr__": _setattr,
        "__delattr__": _delattr,
        "__getstate__": _getstate,
        "__setstate__": _setstate,
        "__replace__": _replace,
        **_comparison(tuple(each.name for each in fields if each.compared)),
    }
    namespace.setdefault("__repr__", _repr)
    return type(cls)(cls.__name__, cls.__bases__, namespace)


class _Init:
    """Becomes the `__init__` of a record when it is first looked for."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self._record = owner

    def __get__(self, instance: object, _: type) -> Any:
        cls: Any = self._record
        names: dict[str, Any] = {"__name__": cls.__module__, "frozen_mapping": frozen_mapping}
        places, keywords = ["self"], ["*"]
        body: list[str] = []
        for each in cls.__record_fields__:
            name = each.name
            parameters = keywords if each.keyword_only else places
            parameters.append(name if each.default is ... else f"{name}=default_{name}")
            names |= {f"default_{name}": each.default, f"set_{name}": cls.__dict__[name].__set__}
            body.append(
                f"set_{name}(self, {f'frozen_mapping({name})' if each.kind.startswith('Mapping[') else name})"
            )
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        # As dataclasses does; the text has nothing but names of fields.
        parameters = places + keywords if len(keywords) > 1 else places
        exec(f"def __init__({', '.join(parameters)}): {'; '.join(body) or 'pass'}", names)  # noqa: S102
        made = names["__init__"]
        made.__qualname__ = f"{cls.__qualname__}.__init__"
        made.__annotations__ = {**cls.__annotations__, "return": None}
        cls.__init__ = made
        return made.__get__(instance, cls)


class _AsDataclass:
    """Becomes what the functions of `dataclasses` look for in a class, when they look."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self._record = owner
        self._name = name

    def __get__(self, instance: object, _: type) -> Any:
        from dataclasses import MISSING, field, make_dataclass  # Start-up.

        fields: list[tuple[str, str, Any]] = []
        for each in self._record.__record_fields__:
            default = MISSING if each.default is ... else each.default
            more = field(default=default, repr=each.shown, compare=each.compared, kw_only=each.keyword_only)
            fields.append((each.name, each.kind, more))
        twin = make_dataclass(self._record.__name__, fields, frozen=True, slots=True)
        made = getattr(twin, self._name)
        setattr(self._record, self._name, made)
        return made


def _comparison(names: tuple[str, ...]) -> dict[str, Callable[..., Any]]:
    # A record without such fields equals every other one of its class.
    values = attrgetter(*(names or ("__class__",)))

    def __eq__(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: object) -> int:
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _repr(self: Any) -> str:
    pairs = ((each, getattr(self, each.name)) for each in self.__record_fields__ if each.shown)
    shown = (
        f"{each.name}={value!r}" for each, value in pairs if each.default is ... or value != each.default
    )
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _setattr(self: Any, name: str, value: object) -> None:
    _check_changeable(self, name, "assign to")
    object.__setattr__(self, name, value)


def _delattr(self: Any, name: str) -> None:
    _check_changeable(self, name, "delete")
    object.__delattr__(self, name)


def _check_changeable(self: Any, name: str, change: str) -> None:
    """Refuse to change a record; a class that is derived from one may have other attributes."""
    if "__record_fields__" in vars(self.__class__) or any(
        name == each.name for each in self.__record_fields__
    ):
        from dataclasses import FrozenInstanceError  # Start-up.

        raise FrozenInstanceError(f"cannot {change} field {name!r}")


def _getstate(self: Any) -> dict[str, object]:
    return {each.name: getattr(self, each.name) for each in self.__record_fields__}


def _setstate(self: Any, state: dict[str, object]) -> None:
    for each in self.__record_fields__:
        object.__setattr__(self, each.name, state.get(each.name, each.default))


def _replace(self: Any, /, **changes: object) -> Any:
    return self.__class__(**{**_getstate(self), **changes})
