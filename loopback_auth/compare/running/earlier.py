"""The earlier comparison, read from a file that `-o FILE.json` wrote.

The file may have been changed, cut off, or be another one. Only what is needed of it is read, and its types
are checked; a member that is named twice is refused, since readers differ about which one counts.

Source: RFC 8259 §4 (names within an object should be unique).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from loopback_auth.codec import from_members
from loopback_auth.compare.drawing.document import FORMAT, FORMAT_VERSION
from loopback_auth.compare.judging.changes import Earlier
from loopback_auth.compare.model import Kind
from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_object
from loopback_auth.redact import server_text

SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes of a file that are read; a comparison of nine flows has half a million."""
LATEST = 253_402_300_800.0
"""The first second that calendars cannot show: that of the year 10000."""
MADE = "Make one with -o FILE.json, and give that file to --against."


def read_earlier(path: str, kind: Kind = "flows", columns: Sequence[str] = ()) -> Earlier:
    """Read an earlier comparison.

    Args:
        path: of the file.
        kind: what its columns have to be.
        columns: titles of the runs that there will be; empty: not known before.

    Raises:
        ConfigError: the file cannot be read, or is not such a comparison.
    """
    document = _checked(path, _parsed(path, _content(path)))
    if document.kind != kind:
        raise ConfigError(
            f"{path[:200]!a} compares {document.kind}, and this is a comparison of {kind}.",
            hint=f"Give --against a file that the same command has written. {MADE}",
        )
    there = [run.name for run in document.runs]
    if columns and not {*columns} & {*there}:
        raise ConfigError(
            f"{path[:200]!a} has none of the {kind} that are to be compared.",
            hint=f"It has {server_text(', '.join(there)) or 'none'}. {MADE}",
        )
    return document


def _content(path: str) -> bytes:
    try:
        # Asked first, since to open a named pipe would wait for its other end.
        if not Path(path).is_file():
            raise ConfigError(f"{path[:200]!a} is not there, or not a regular file.", hint=MADE)
        with Path(path).open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except OSError as exc:
        raise ConfigError(f"{path[:200]!a} cannot be read: {exc.strerror}", hint=MADE) from exc
    if len(content) > SIZE_LIMIT:
        raise _other(path, f"it is larger than {SIZE_LIMIT // 1024 // 1024} MiB")
    return content


def _parsed(path: str, content: bytes) -> dict[str, object]:
    """Parse JSON, and return its object."""
    if not content.strip():
        raise _other(path, "it is empty")
    try:
        value = json.loads(content, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        known = str(exc) if isinstance(exc, _Refused) else "it is not JSON, or was cut off"
        raise _other(path, known) from None
    if not is_object(value):
        raise _other(path, "it is not a JSON object")
    return value


def _checked(path: str, value: dict[str, object]) -> Earlier:
    if value.get("format") != FORMAT:
        raise _other(path, f"its member format is not {FORMAT}")
    version = value.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ConfigError(
            f"{path[:200]!a} has another format version than {FORMAT_VERSION}.",
            hint=f"Make the earlier comparison again with this version of the program. {MADE}",
        )
    try:
        document = from_members(Earlier, value, name="the comparison", unknown_pass=True)
    except (ValueError, RecursionError) as exc:
        raise _other(path, str(exc)) from None
    if not 0 <= document.made_at < LATEST:
        raise _other(path, "made_at is not a date")
    names = [run.name for run in document.runs]
    if len({*names}) < len(names):
        raise _other(path, "two of its runs have the same name")
    return document


class _Refused(ValueError):
    """What is JSON for Python, and not for us."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Refused("a member is named twice")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise _Refused("it has NaN or Infinity, which are not JSON")


def _other(path: str, why: str) -> ConfigError:
    return ConfigError(f"{path[:200]!a} is not an earlier run of this program: {why}.", hint=MADE)
