"""Ask what a value is: what JSON is made of, and texts of some forms.

For type checkers isinstance(value, dict) says nothing about its members. Nearly every other module imports
this one, so it imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeGuard

NAME_LIMIT = 100
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
_PATH_CHARACTERS = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:@/"
)


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


def is_name(text: object) -> bool:
    """Return whether a value can be the name of a sign-in."""
    if not isinstance(text, str) or not 0 < len(text) <= NAME_LIMIT:
        return False
    return text[0] not in "._-" and NAME_CHARACTERS.issuperset(text)


def is_visible(value: str) -> bool:
    """Return whether a text consists of visible ASCII characters and spaces (RFC 6749 appendix A: VSCHAR)."""
    return all(" " <= character <= "~" for character in value)


def is_host(text: str) -> bool:
    """Return whether a text is a host alone: a name or an address, without scheme, port, path or `*`.

    Source: RFC 3986 §3.2.2.
    """
    from ipaddress import ip_address  # Only some settings are hosts.

    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return all(text.removesuffix(".").split(".")) and not set(text) & set("/:@?#*[] ")
    return True


def path_trouble(path: str) -> str:
    """Return why a text cannot be the path of a redirect URI, as a clause; empty when it can.

    Source: RFC 3986 §3.3, §6.2.2.3.
    """
    if not _PATH_CHARACTERS.issuperset(path):
        return "its path has characters that must be percent-encoded"
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in path.split("/")):
        return "browsers remove the segments . and .. from its path"
    return ""


def is_utf8(text: str) -> bool:
    """Return whether a text can be sent.

    An argument or a variable may have bytes that are not UTF-8, which Python keeps as halves of characters.

    Source: PEP 383; RFC 3629 §3 (no surrogates).
    """
    return not any("\ud800" <= character <= "\udfff" for character in text)
