"""Read the value of a setting from text, TOML or a flag, and split a redirect URI into its parts.

Lists are written in the same way everywhere: with commas or spaces between the items, or with a repeated
flag. An unreadable value is a `ValueError` that quotes at most the wrong item. What a setting is for is
decided in `setting`.

This module is loaded before the browser is started, and imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_name, is_object, is_sequence, is_tuple, is_utf8, path_trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
LONGEST_AGE = 999_999_999
"""Seconds; some thirty years."""


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("it must be a string")
    return raw


def _switch(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.lower() if isinstance(raw, str) else ""
    if word not in _TRUE + _FALSE:
        raise ValueError(f"{ascii(raw)[:80]} is not one of {', '.join(_TRUE + _FALSE)}")
    return word in _TRUE


def _seconds(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError("it must be a number of seconds")
    try:
        seconds = float(raw)
    except ValueError:
        raise ValueError(f"{ascii(raw)[:80]} is not a number of seconds") from None
    if not 1 <= seconds <= 3600:
        raise ValueError(f"{raw} is not between 1 and 3600 seconds")
    return seconds


def _age(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= LONGEST_AGE:
        return raw
    if not isinstance(raw, str):
        raise ValueError("it must be a whole number of seconds")
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9):
        raise ValueError(f"{ascii(raw)[:80]} is not a whole number of seconds")
    return int(raw)


def _ports(raw: object) -> tuple[int, ...]:
    items = raw if is_sequence(raw) else [raw]
    texts = [text for item in items for text in _port_texts(item)]
    if not texts:
        raise ValueError("it must be a port number")
    return tuple(map(port_number, texts))


def _port_texts(item: object) -> list[str]:
    if isinstance(item, int) and not isinstance(item, bool):
        return [str(item)]
    if not isinstance(item, str):
        raise ValueError("it must be a list of port numbers")
    return item.replace(",", " ").split()


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests the nearest known word, or lists all of them."""
    import difflib  # Start-up.

    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known names: {', '.join(names)}."


def login_as(name: str, providers: Iterable[str]) -> str:
    """Return the arguments of the login for a name, such as `corp --as work`; empty: there are none.

    Args:
        name: of a sign-in, perhaps that of one of several accounts.
        providers: names of those that can be named.
    """
    for provider in sorted(providers, key=len, reverse=True):
        account = name.removeprefix(f"{provider}-")
        if account != name and is_name(account):
            return f"{provider} --as {account}"
    return ""


def port_number(text: str) -> int:
    """Read a port number of at most five digits.

    Raises:
        ValueError: the text is not a port number.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ValueError(f"{ascii(text)[:80]} is not a port number from 0 to 65535")
    return int(text)


def _words(raw: object) -> tuple[str, ...]:
    """Read several words: a list, or a string with commas or spaces between them."""
    items = [raw] if isinstance(raw, str) else raw
    if not is_sequence(items):
        raise ValueError("it must be a string or a list of strings")
    texts = [item for item in items if isinstance(item, str) and (item or items is not raw)]
    if len(texts) != len(items):
        raise ValueError("every item of the list must be a string")
    return tuple(word for item in texts for part in item.split() for word in _without_commas(part))


def _without_commas(text: str) -> list[str]:
    words: list[str] = []
    for part in text.split(","):
        # A URI may contain a comma (RFC 3986 §3.3); then the next part does not begin like another URI.
        if words and "://" in words[-1] and "://" not in part:
            words[-1] += f",{part}"
        else:
            words.append(part)
    return [word for word in words if word]


def _scope(raw: object) -> str:
    # A scope may contain a comma (RFC 6749 §3.3), so only spaces separate scopes.
    texts = [raw] if isinstance(raw, str) else _strings(raw)
    if texts is None:
        raise ValueError("it must be a string or a list of strings")
    return " ".join(" ".join(texts).split())


def _pairs(raw: object) -> Mapping[str, str]:
    if is_object(raw):
        pairs = [(name, value) for name, value in raw.items() if isinstance(value, str)]
        if len(pairs) != len(raw):
            raise ValueError("every value must be a string")
    else:
        # The items of a list are not split, because a value may contain commas and spaces.
        texts = raw.split() if isinstance(raw, str) else _strings(raw)
        if texts is None:
            raise ValueError("it must have the form name=value")
        pairs = [_pair(text) for text in texts]
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name is repeated")
    return dict(pairs)


def _strings(raw: object) -> list[str] | None:
    texts = [item for item in raw if isinstance(item, str)] if is_sequence(raw) else []
    return texts if is_sequence(raw) and len(texts) == len(raw) else None


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise ValueError(f"{ascii(word)[:80]} does not have the form name=value")
    return name, value


def check_writable(value: object) -> None:
    """Refuse text that cannot be sent.

    Raises:
        ValueError: the text has bytes that are not UTF-8.
    """
    if is_object(value):
        value = (*value, *value.values())
    for text in value if is_tuple(value) else (value,):
        if not isinstance(text, str) or text.isascii():
            continue
        if not is_utf8(text):
            raise ValueError("it has bytes that are not UTF-8")


READERS: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "scope": _scope,
    "switch": _switch,
    "seconds": _seconds,
    "age": _age,
    "ports": _ports,
    "words": _words,
    "pairs": _pairs,
}


def loopback_parts(uri: str) -> tuple[str, int, str]:
    """Split a redirect URI into host, port (0: any) and path; the path is kept byte for byte.

    Raises:
        ConfigError: not a loopback redirect URI with http, or with a part that is not allowed.

    Source: RFC 8252 §7.3, §8.3; RFC 6749 §3.1.2; RFC 3986 §3.3, §6.2.2.3.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "https":
        raise _no_redirect(
            uri, "it must start with http://, because the response does not leave this machine"
        )
    if scheme != "http" or not separator:
        raise _no_redirect(uri, "it must start with http://")
    if "?" in rest or "#" in rest:
        raise _no_redirect(uri, "it must not have a query or a fragment")
    authority, slash, tail = rest.partition("/")
    if "@" in authority:
        raise _no_redirect(uri, "it must not have a user name")
    host, port = _host_and_port(authority, uri)
    path = slash + tail
    if trouble := path_trouble(path):
        raise _no_redirect(uri, trouble)
    return host, port, path


def _host_and_port(authority: str, uri: str) -> tuple[str, int]:
    host, colon, port = authority, "", ""
    if not authority.endswith("]"):
        host, colon, port = authority.rpartition(":") if ":" in authority else (authority, "", "")
    if host not in ("127.0.0.1", "[::1]", "localhost"):
        raise _no_redirect(uri, "its host must be 127.0.0.1, [::1] or localhost")
    if not colon:
        return host, 0
    try:
        return host, port_number(port)
    except ValueError as exc:
        raise _no_redirect(uri, str(exc)) from exc


def _no_redirect(uri: str, reason: str) -> ConfigError:
    return ConfigError(
        f"The redirect URI cannot be used: {reason}: {uri[:120]!a}",
        hint="Use one such as http://127.0.0.1/callback for any port, or http://localhost:8400/callback.",
    )
