"""How the value of a setting is read from text, from TOML or from a flag, and a redirect URI taken apart.

Lists are written in one way everywhere: with commas or blanks between the items, or an item at a time. What
cannot be read is a `ValueError` that never quotes more than the item at fault.

The module is loaded before the browser is started and imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_PATH_CHARACTERS = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:@/"
)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("text is expected")
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
        raise ValueError("a number of seconds is expected")
    try:
        seconds = float(raw)
    except ValueError:
        raise ValueError(f"{ascii(raw)[:80]} is not a number of seconds") from None
    if not 1 <= seconds <= 3600:
        raise ValueError(f"{raw} seconds are not between 1 and 3600")
    return seconds


def _ports(raw: object) -> tuple[int, ...]:
    items = raw if isinstance(raw, (list, tuple)) else [raw]
    texts = [text for item in items for text in _port_texts(item)]
    if not texts:
        raise ValueError("a port number is expected")
    return tuple(map(port_number, texts))


def _port_texts(item: object) -> list[str]:
    if isinstance(item, int) and not isinstance(item, bool):
        return [str(item)]
    if not isinstance(item, str):
        raise ValueError("port numbers are expected")
    return item.replace(",", " ").split()


def is_visible(value: str) -> bool:
    """Return whether a text is visible ASCII and blanks alone (RFC 6749 appendix A: VSCHAR)."""
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


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a sentence that helps with a misspelt word."""
    import difflib  # Start-up.

    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(names)}."


def port_number(text: str) -> int:
    """Read a port number of at most five digits.

    Raises:
        ValueError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ValueError(f"{ascii(text)[:80]} is not a port number from 0 to 65535")
    return int(text)


def _words(raw: object) -> tuple[str, ...]:
    """Read several texts: a list, or a text with commas or blanks between them."""
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, (list, tuple)):
        raise ValueError("text or a list of texts is expected")
    if not all(isinstance(item, str) and item for item in items if items is raw):
        raise ValueError("every item of the list has to be text")
    return tuple(word for item in items for part in item.split() for word in _without_commas(part))


def _without_commas(text: str) -> list[str]:
    words: list[str] = []
    for part in text.split(","):
        # A URI may have a comma in it; then what follows does not begin like another one (RFC 3986 §3.3).
        if words and "://" in words[-1] and "://" not in part:
            words[-1] += f",{part}"
        else:
            words.append(part)
    return [word for word in words if word]


def _scope(raw: object) -> str:
    # A comma may be a part of a scope (RFC 6749 §3.3), and only blanks separate them.
    items = [raw] if isinstance(raw, str) else raw
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ValueError("text or a list of texts is expected")
    return " ".join(" ".join(items).split())


def _pairs(raw: object) -> Mapping[str, str]:
    if isinstance(raw, dict):
        pairs = list(raw.items())
    else:
        items = raw.split() if isinstance(raw, str) else raw
        if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
            raise ValueError("texts of the form name=value are expected")
        # Repeated ones are taken as they are: a value may have commas and blanks.
        pairs = [_pair(item) for item in items]
    if not all(isinstance(value, str) for _, value in pairs):
        raise ValueError("every value has to be text")
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a parameter is given twice")
    return dict(pairs)


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise ValueError(f"{ascii(word)[:80]} is not of the form name=value")
    return name, value


def check_writable(value: object) -> None:
    """Refuse text that cannot be sent.

    Raises:
        ValueError: it has bytes that are not UTF-8.
    """
    if isinstance(value, dict):
        value = (*value, *value.values())
    for text in value if isinstance(value, tuple) else (value,):
        if not isinstance(text, str) or text.isascii():
            continue
        from loopback_auth.redact import is_utf8  # Hardly ever needed.

        if not is_utf8(text):
            raise ValueError("it has bytes that are not UTF-8")


READERS: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "scope": _scope,
    "switch": _switch,
    "seconds": _seconds,
    "ports": _ports,
    "words": _words,
    "pairs": _pairs,
}


def loopback_parts(uri: str) -> tuple[str, int, str]:
    """Take a redirect URI apart into host, port (0: any) and path; the path is kept byte for byte.

    Raises:
        ConfigError: this is no loopback redirect over http, or has something that none may have.

    Source: RFC 8252 §7.3, §8.3; RFC 6749 §3.1.2; RFC 3986 §3.3, §6.2.2.3.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "https":
        raise _no_redirect(uri, "a loopback redirect is plain http, the answer never leaves this machine")
    if scheme != "http" or not separator:
        raise _no_redirect(uri, "it has to start with http://")
    if "?" in rest or "#" in rest:
        raise _no_redirect(uri, "it has neither query nor fragment")
    authority, slash, tail = rest.partition("/")
    if "@" in authority:
        raise _no_redirect(uri, "it has no user information")
    host, port = _host_and_port(authority, uri)
    path = slash + tail
    if not _PATH_CHARACTERS.issuperset(path):
        raise _no_redirect(uri, "its path has characters that have to be percent-encoded")
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in path.split("/")):
        raise _no_redirect(uri, "browsers take the dots out of its path")
    return host, port, path


def _host_and_port(authority: str, uri: str) -> tuple[str, int]:
    host, colon, port = authority, "", ""
    if not authority.endswith("]"):
        host, colon, port = authority.rpartition(":") if ":" in authority else (authority, "", "")
    if host not in ("127.0.0.1", "[::1]", "localhost"):
        raise _no_redirect(uri, "its host has to be 127.0.0.1, [::1] or localhost")
    if not colon:
        return host, 0
    try:
        return host, port_number(port)
    except ValueError as exc:
        raise _no_redirect(uri, str(exc)) from exc


def _no_redirect(uri: str, reason: str) -> ConfigError:
    return ConfigError(
        f"The redirect URI cannot be used: {reason}: {uri[:120]!a}",
        hint="Give one such as http://127.0.0.1/callback for any port, or http://localhost:8400/callback.",
    )
