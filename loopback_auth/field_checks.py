"""Refuse wrong values when a record is made that programs write, such as a client.

A wrong type would end in an AttributeError in the middle of a sign-in, and a wrong value would be noticed
only when the user has waited in vain. The types are those of the annotations. No error quotes a value,
because it may be a secret. Only fields that do not have their default are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType

from loopback_auth.narrow import is_mapping, is_tuple, is_utf8, is_visible
from loopback_auth.records import Field, fields_of, get_args, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

MOST_SECONDS = 1e9
"""Thirty years; with much more than that no clock can reckon."""

LONGEST_KEY = 16 * 1024
"""Characters of a private key; those of an RSA key with 8192 bits are fewer than 13,000 as a JWK."""

_LARGEST = 1e18

OWN_PARAMETERS = frozenset(
    {
        *("client_assertion", "client_assertion_type", "client_id", "client_secret", "code"),
        *("code_verifier", "device_code", "grant_type"),
        *("redirect_uri", "refresh_token"),
    }
)
"""Parameters of a request for tokens that nothing else may set."""

OWN_HEADERS = frozenset(
    {"authorization", "connection", "content-length", "content-type", "host", "transfer-encoding"}
)

_PLAIN = {str: "a string", bool: "True or False", int: "a whole number", float: "a number", NoneType: "None"}
_SEVERAL = {str: "strings", int: "whole numbers"}
_HINTS = {
    "scope": 'Write one string, with spaces between the scopes: "openid email".',
    "metadata": 'Write ServerMetadata(issuer="https://id.example").',
    "provider": 'Write ClientConfig.at("https://id.example", client_id="my-tool"), or pass a Provider.',
    "ports": "Write (8400,) for one port, (8400, 8401) for several, and (0,) for any free one.",
}


def check_types(record: object) -> None:
    """Refuse a record with a value that does not have the type of its field.

    Raises:
        ConfigError: its parameter is the field.
    """
    for each in fields_of(record) or ():
        value = getattr(record, each.name)
        if value is not each.default:
            kind = kind_of(each)
            if (type(value) is not kind or kind is float) and not _fits(kind, value):
                _refuse_type(record, each, kind, value)


def refuse(message: str, hint: str, parameter: str) -> NoReturn:
    """Raise the error for a value that cannot be used.

    Raises:
        ConfigError: always.
    """
    from loopback_auth.errors import ConfigError  # Start-up.

    raise ConfigError(message, hint=hint, parameter=parameter)


def check_text(value: object, parameter: str) -> None:
    """Refuse an argument that is not a string.

    Raises:
        ConfigError: its parameter is the argument.
    """
    if not isinstance(value, str):
        what = "None" if value is None else f"a value of type {type(value).__name__}"
        refuse(f"{parameter} must be a string, not {what}.", "Pass a string.", parameter)


def check_instance(value: object, kind: type, parameter: str) -> None:
    """Refuse an argument of another class.

    Raises:
        ConfigError: its parameter is the argument.
    """
    if not isinstance(value, kind):
        what = "None" if value is None else f"a value of type {type(value).__name__}"
        refuse(f"{parameter} must be a {kind.__name__}, not {what}.", "", parameter)


def check_choice(value: object, choices: tuple[str, ...], parameter: str) -> None:
    """Refuse an argument that is not one of a few strings.

    Raises:
        ConfigError: its parameter is the argument.
    """
    if value not in choices:
        refuse(f"{parameter} must be {' or '.join(map(repr, choices))}.", "Pass one of these.", parameter)


def check_seconds(value: object, parameter: str) -> None:
    """Refuse an argument that is not a number of seconds; nothing lasts longer than `MOST_SECONDS`.

    Raises:
        ConfigError: its parameter is the argument.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= MOST_SECONDS:
        refuse(
            f"{parameter} must be a number of seconds.",
            f"Pass a number from 0 to {MOST_SECONDS:g}.",
            parameter,
        )


def check_utf8(client: object, fields: tuple[str, ...]) -> None:
    """Refuse texts with bytes that are not UTF-8, as arguments and variables of the system may have them.

    Raises:
        ConfigError: its parameter is the field.

    Source: RFC 6749 appendix B.
    """
    for name in fields:
        value = getattr(client, name) or ""
        texts = [value] if isinstance(value, str) else [*value, *getattr(value, "values", tuple)()]
        if not all(text.isascii() or is_utf8(text) for text in texts):
            refuse(f"{name} has bytes that are not UTF-8.", "Give it again, encoded in UTF-8.", name)


def check_private_key(text: str, parameter: str) -> None:
    """Refuse a text that, by its outer form alone, cannot be a private key.

    Raises:
        ConfigError: it is neither PEM nor JSON, is encrypted, or is not a private key.

    Source: RFC 7468 §10, §11, §13; RFC 7517 §4.
    """
    if "-----BEGIN " in text and "PRIVATE KEY-----" not in text:
        refuse(
            f"{parameter} is a public key or a certificate.",
            "Give the private key that belongs to it.",
            parameter,
        )
    if "-----BEGIN " in text and "ENCRYPTED" in text:
        refuse(
            f"{parameter} is encrypted.", "Decrypt it first; it is used in memory and never kept.", parameter
        )
    if "-----BEGIN " not in text and not text.lstrip().startswith("{"):
        refuse(
            f"{parameter} is neither PEM nor a JWK in JSON.",
            "Give the content of the file with the key, not its name.",
            parameter,
        )
    if len(text) > LONGEST_KEY:
        refuse(f"{parameter} is too long for one key.", "Give one key alone.", parameter)


def check_visible(value: str, parameter: str) -> None:
    """Refuse a text that cannot be sent as a credential.

    Raises:
        ConfigError: it has other characters than visible ASCII and spaces.

    Source: RFC 6749 appendix A.1, A.2.
    """
    if not is_visible(value):
        refuse(
            f"{parameter} has a character that is not allowed, such as a line break.",
            "Copy it again, without any characters before or after it.",
            parameter,
        )


def check_scope(scope: str) -> None:
    """Refuse a scope that cannot be sent.

    Raises:
        ConfigError: it has quotation marks, backslashes, or anything but visible ASCII and spaces.

    Source: RFC 6749 §3.3 (`scope-token`).
    """
    if not is_visible(scope) or '"' in scope or "\\" in scope:
        refuse("scope has a character that is not allowed.", _HINTS["scope"], "scope")


def check_pairs(pairs: Mapping[str, str], own: frozenset[str], parameter: str) -> None:
    """Refuse parameters or headers that cannot be sent, or that would replace those of the program.

    Args:
        pairs: names and values.
        own: names in lower case that the program sets itself.
        parameter: the field that has them.

    Raises:
        ConfigError: a name or a value cannot be used; the message names the former.

    Source: RFC 9110 §5.5, §5.6.2.
    """
    for name, value in pairs.items():
        if name.lower() in own:
            refuse(f"{parameter} has {name}, which the program sets itself.", "Leave it out.", parameter)
        # A line break would start another header.
        if not (name.isascii() and name.replace("-", "_").isidentifier() and is_visible(value)):
            refuse(
                f"{parameter} has an entry that cannot be sent: {ascii(name)[:80]}.",
                "Use letters, digits, - and _ in the name, and visible ASCII in the value.",
                parameter,
            )


def _fits(kind: Any, value: object) -> bool:
    arguments = get_args(kind)
    if not arguments:
        # True is a number to Python, and no port.
        if isinstance(value, bool):
            return kind in (bool, object)
        if kind is float:  # Neither JSON nor a clock has infinite numbers.
            return isinstance(value, int | float) and -_LARGEST < value < _LARGEST
        return isinstance(value, kind)
    origin = getattr(kind, "__origin__", None)
    if origin is tuple:
        if not is_tuple(value):
            return False
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return len(kinds) == len(value) and all(map(_fits, kinds, value))
    if origin is Mapping:
        return is_mapping(value) and all(
            _fits(str, name) and _fits(arguments[1], one) for name, one in value.items()
        )
    if NoneType in arguments:
        return any(_fits(one, value) for one in arguments)
    return value in arguments


def _refuse_type(record: object, each: Field, kind: Any, value: object) -> NoReturn:
    what = type(value).__name__ if value is not None else "None"
    hint = _HINTS.get(each.name, "")
    if not hint and isinstance(value, list):
        hint = "Write a tuple: (value,) for one value, (one, other) for two."
    refuse(
        f"{type(record).__name__}: {each.name} must be {_described(kind)}, and is of type {what}.",
        hint or "Pass a value of that type.",
        each.name,
    )


def _described(kind: Any) -> str:
    arguments = get_args(kind)
    if not arguments:
        return _PLAIN.get(kind) or f"of type {kind.__name__}"
    origin = getattr(kind, "__origin__", None)
    if origin is tuple:
        return f"a tuple of {_SEVERAL.get(arguments[0], 'pairs of strings')}"
    if origin is Mapping:
        return "a mapping of strings to strings" if arguments[1] is str else "a mapping with names"
    if NoneType in arguments:
        return " or ".join(map(_described, arguments))
    return f"one of {', '.join(map(repr, arguments))}"
