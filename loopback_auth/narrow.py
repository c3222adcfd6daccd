"""What JSON is made of, for type checkers: isinstance(value, dict) says nothing about its members."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Return whether a value that was read from JSON is an object."""
    return isinstance(value, dict)


def is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    """Return whether a value has named members: an object of JSON, or a copy of one that cannot change."""
    from collections.abc import Mapping  # Start-up: what is read before the browser starts are dicts.

    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Return whether a value that was read from JSON is a list."""
    return isinstance(value, list)


def is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    """Return whether a value is a tuple."""
    return isinstance(value, tuple)


def is_collection(
    value: object,
) -> TypeGuard[list[object] | tuple[object, ...] | set[object] | frozenset[object]]:
    """Return whether a value is one of Python's lists, tuples and sets."""
    return isinstance(value, list | tuple | set | frozenset)


def is_sequence(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    """Return whether a value is a list or a tuple."""
    return isinstance(value, list | tuple)


def is_strings(value: object) -> TypeGuard[list[str]]:
    """Return whether a value that was read from JSON is a list of strings."""
    return is_list(value) and all(isinstance(item, str) for item in value)
