"""Read the challenge of a resource server: why it refused an access token, and what scope it wants.

The header comes from any server that the program talks to, so whatever cannot be read counts as absent, and
nothing here raises. A value may hold the challenges of several schemes, whose parameters are separated by the
same comma as the challenges themselves.

Source: RFC 9110 §11.2, §11.3, §11.6.1; RFC 6750 §3; RFC 9449 §7.1; RFC 9470 §3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

MOST_CHARACTERS = 16 * 1024
"""Characters of a header's value that are read."""

MOST_SCOPES = 100
"""Scopes in one challenge; the person would have to read them all."""

MOST_SCOPE_CHARACTERS = 4096
"""Characters of all scopes together: they have to fit into the address of a page, beside the rest."""

TOKEN_SCHEMES = ("bearer", "dpop")
"""Schemes that take an access token: RFC 6750 §2.1, RFC 9449 §7.1."""

MOST_SECONDS = 10 * 365 * 86400
"""Seconds of a `max_age`; no server means more, and a larger number is read as this one."""

_BETWEEN = re.compile(r"[\s,]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKEN68 = re.compile(r"[ \t]+([A-Za-z0-9._~+/-]+=*)[ \t]*(?=,|$)")
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_UNQUOTED = re.compile(r'[^\s,"]+')
"""A value without quotation marks. The grammar allows a token only, but servers send URLs and scopes so."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = re.compile(r'[^,"]*')
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a `WWW-Authenticate` header.

    Args:
        scheme: in lower case, such as `bearer`.
        parameters: by their names in lower case; of two with one name the first.
        token68: what some schemes, such as Negotiate, have in place of parameters; else empty.

    Source: RFC 9110 §11.3.
    """

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    token68: str = ""

    @property
    def error(self) -> str:
        """The error code: `invalid_token`, `insufficient_scope` or another; empty when there is none."""
        return self.parameters.get("error", "").strip().lower()

    @property
    def scope(self) -> str:
        """The scope that the resource wants, separated by spaces; empty when it names none (RFC 6750 §3)."""
        return " ".join(scope_words(self.parameters.get("scope", "").split()))

    @property
    def acr_values(self) -> str:
        """How the user has to be authenticated, separated by spaces; empty when the resource does not say.

        Source: RFC 9470 §3.
        """
        return " ".join(scope_words(self.parameters.get("acr_values", "").split()))

    @property
    def max_age(self) -> int | None:
        """Seconds since the user was authenticated that the resource accepts; None when it does not say.

        Source: RFC 9470 §3.
        """
        text = self.parameters.get("max_age", "").strip()
        if not (text.isascii() and text.isdigit()):
            return None
        return min(int(text.lstrip("0")[:10] or "0"), MOST_SECONDS)


def challenges(value: str) -> tuple[Challenge, ...]:
    """Read the challenges of one or several `WWW-Authenticate` headers, which a comma joins.

    Args:
        value: untrusted.

    Source: RFC 9110 §11.6.1.
    """
    found: list[tuple[str, dict[str, str], str]] = []
    for name, parameter, token68 in _parts(value[:MOST_CHARACTERS]):
        if parameter is None:
            found.append((name, {}, token68))
        elif found:
            # Each parameter occurs once in a challenge (§11.2).
            found[-1][1].setdefault(name, parameter)
    return tuple(Challenge(*each) for each in found)


def token_challenge(value: str) -> Challenge | None:
    """Return the challenge to an access token, with an error if one of them has it; None without any.

    Args:
        value: of the `WWW-Authenticate` header; untrusted.

    Source: RFC 6750 §3; RFC 9449 §7.1.
    """
    ours = [each for each in challenges(value) if each.scheme in TOKEN_SCHEMES]
    return next((each for each in ours if each.error), ours[0] if ours else None)


def demands_bound_tokens(found: Iterable[Challenge]) -> bool:
    """Return whether challenges name the scheme of bound tokens, and not the one of bearer tokens.

    Source: RFC 9449 §7.1, §7.2 (a resource that takes both offers both).
    """
    return {each.scheme for each in found if each.scheme in TOKEN_SCHEMES} == {"dpop"}


def scope_words(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words that can be scopes, each once, and not more than a person could read.

    Source: RFC 6749 §3.3.
    """
    usable = tuple(dict.fromkeys(word for word in words if _is_scope(word)))[:MOST_SCOPES]
    ends = accumulate(len(word) + 1 for word in usable)
    return tuple(word for word, end in zip(usable, ends, strict=True) if end <= MOST_SCOPE_CHARACTERS)


def _parts(value: str) -> Iterator[tuple[str, str | None, str]]:
    """Yield schemes, with a token68 if there is one, and parameters, with their values, in order."""
    position = 0
    while (position := _end(_BETWEEN, value, position)) < len(value):
        name = _TOKEN.match(value, position)
        if name is not None:
            position = name.end()
            equals = _EQUALS.match(value, position)
            if equals is not None:
                parameter, position = _value(value, equals.end())
                if parameter is not None:
                    yield name[0].lower(), parameter, ""
            else:
                token68 = _TOKEN68.match(value, position)
                yield name[0].lower(), None, token68[1] if token68 else ""
                if token68 is None and value[position : position + 1] in (" ", "\t"):
                    continue  # Its first parameter follows without a comma.
                position = token68.end() if token68 else position
        # Only a comma begins something new, whatever a server did not quote before it.
        position = _next_comma(value, position)


def _is_scope(word: str) -> bool:
    return len(word) < MOST_SCOPE_CHARACTERS and _SCOPE.fullmatch(word) is not None


def _value(text: str, position: int) -> tuple[str | None, int]:
    quoted = _QUOTED.match(text, position)
    if quoted is not None:
        return _PAIR.sub(r"\1", quoted[1]), quoted.end()
    unquoted = _UNQUOTED.match(text, position)
    return (unquoted[0], unquoted.end()) if unquoted else (None, position)


def _next_comma(text: str, position: int) -> int:
    """Return where the next comma outside quotation marks is, or the end."""
    while True:
        position = _end(_PLAIN, text, position)
        if text[position : position + 1] != '"':
            return position
        quoted = _QUOTED.match(text, position)
        if quoted is None:
            return len(text)
        position = quoted.end()


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position
