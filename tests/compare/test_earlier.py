"""The earlier comparison as a file: what was written is read, and everything else is refused with advice."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from comparison_samples import COMPARISON
from hostile_samples import HOSTILE, PROPERTY, hostile
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.judging.changes import against
from loopback_auth.compare.running.earlier import SIZE_LIMIT, read_earlier
from loopback_auth.errors import ConfigError

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "earlier.json"


def refused(path: Path) -> ConfigError:
    """The error for a file."""
    with pytest.raises(ConfigError) as caught:
        read_earlier(str(path))
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 600
    assert "-o FILE.json" in caught.value.hint
    return caught.value


def test_what_was_written_is_read(path: Path) -> None:
    """And held against itself it has not changed."""
    path.write_text(json_text(COMPARISON))
    changes = against(COMPARISON, read_earlier(str(path))).changes

    assert changes is not None
    assert (changes.findings, changes.differences, changes.came, changes.went) == ((), (), (), ())
    assert (changes.ground, changes.version, changes.made_at) == ("simulate", "0.1.0", 1_700_000_000.0)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_read(text: str, path: Path) -> None:
    """A program may have any name, and a server says anything."""
    path.write_text(json_text(hostile(text)))

    assert len(read_earlier(str(path)).runs) == 2


def test_members_of_later_versions_are_passed_over(path: Path) -> None:
    """Members may be added under the same format version."""
    document = json.loads(json_text(COMPARISON))
    document["added"] = document["runs"][0]["added"] = document["runs"][0]["findings"][0]["added"] = [{}]
    path.write_text(json.dumps(document))

    assert len(read_earlier(str(path)).runs) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_file_that_a_shell_wrote_is_read(encoding: str, path: Path) -> None:
    """PowerShell redirects text in UTF-16, and editors of Windows put a byte order mark before it."""
    path.write_bytes(json_text(COMPARISON).encode(encoding))

    assert len(read_earlier(str(path)).runs) == 2


def _set(*keys: str | int, to: object) -> Edit:
    def edit(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = to

    return edit


def _without(*keys: str | int) -> Edit:
    def edit(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return edit


WRONG: dict[str, Edit] = {
    "other format": _set("format", to="har"),
    "no format": _without("format"),
    "version 1": _set("format_version", to=1),
    "version 3": _set("format_version", to=3),
    "version as text": _set("format_version", to="2"),
    "version as float": _set("format_version", to=2.0),
    "version as bool": _set("format_version", to=True),
    "other kind": _set("kind", to="servers"),
    "unknown kind": _set("kind", to="letters"),
    "kind as list": _set("kind", to=["flows"]),
    "no kind": _without("kind"),
    "unknown ground": _set("ground", to="moon"),
    "date as text": _set("made_at", to="yesterday"),
    "date before time": _set("made_at", to=-1),
    "date after time": _set("made_at", to=1e14),
    "date beyond numbers": _set("made_at", to=10**400),
    "provider as number": _set("provider", to=1),
    "no version": _without("version"),
    "runs as object": _set("runs", to={}),
    "runs as null": _set("runs", to=None),
    "no runs": _without("runs"),
    "run as text": _set("runs", 0, to="code"),
    "run without name": _without("runs", 0, "name"),
    "name as list": _set("runs", 0, "name", to=["code"]),
    "name twice": _set("runs", 1, "name", to="code"),
    "unknown outcome": _set("runs", 0, "outcome", to="won"),
    "findings as text": _set("runs", 0, "findings", to="none"),
    "finding as number": _set("runs", 0, "findings", 0, to=1),
    "unknown severity": _set("runs", 0, "findings", 0, "severity", to="critical"),
    "unknown verdict": _set("runs", 0, "findings", 0, "verdict", to="FAIL"),
    "verdict as bool": _set("runs", 0, "findings", 0, "verdict", to=False),
    "finding without kind": _without("runs", 0, "findings", 0, "kind"),
    "no conclusions": _without("conclusions"),
    "unknown advice": _set("conclusions", to=[{"run": "code", "advice": "maybe"}]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_such_a_comparison_is_refused(wrong: str, path: Path) -> None:
    """Before anything is run, with a sentence that says what it is."""
    document = json.loads(json_text(COMPARISON))
    WRONG[wrong](document)
    path.write_text(json.dumps(document))

    refused(path)


def test_other_columns_are_refused(path: Path) -> None:
    """Held against another thing everything would be new; one column in common is enough."""
    path.write_text(json_text(COMPARISON))
    with pytest.raises(ConfigError) as caught:
        read_earlier(str(path), columns=["device", "paste"])

    assert "code, ticket" in caught.value.hint
    assert len(read_earlier(str(path), columns=["device", "ticket"]).runs) == 2


WHOLE = json_text(COMPARISON).encode()
CONTENTS = {
    "empty": b"",
    "blank": b" \n",
    "text": b"2 flows with demo",
    "html": b"<!doctype html>",
    "list": b"[]",
    "null": b"null",
    "number": b"2",
    "cut off": WHOLE[:-100],
    "two documents": WHOLE + WHOLE,
    "NaN": WHOLE.replace(b"1700000000.0", b"NaN"),
    "Infinity": WHOLE.replace(b"1700000000.0", b"-Infinity"),
    "too large a number": WHOLE.replace(b"1700000000.0", b"1e999"),
    "digits": WHOLE.replace(b"1700000000.0", b"9" * 5_000),
    "named twice": WHOLE.replace(b'"provider":', b'"kind": "flows", "kind": "servers", "provider":', 1),
    "nested lists": b"[" * 200_000,
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested in a member": WHOLE[:-2] + b', "added": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "not UTF-8": b'{"format": "\xff\xfe"}',
    "zero bytes": b"\x00" * 1000,
    "too large": b" " * (SIZE_LIMIT + 1),
}


@pytest.mark.parametrize("content", CONTENTS)
def test_other_content_is_refused(content: str, path: Path) -> None:
    """Whatever is in the file, it is an error of ours, and soon."""
    path.write_bytes(CONTENTS[content])

    assert path.name in refused(path).message


def test_reason_quotes_nothing_of_the_file(path: Path) -> None:
    """It may be any file of the user, with secrets in it."""
    document = json.loads(json_text(COMPARISON))
    document["ground"] = document["runs"][0]["outcome"] = secret = "secret-canary-9Kq2"
    path.write_text(json.dumps(document))

    assert secret not in repr(refused(path))


@pytest.mark.parametrize("name", ["nowhere.json", "a\x00b", "x" * 300, "\udc80.json"])
def test_file_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    """Names that no file can have are no crash."""
    refused(tmp_path / name)


def test_folder_is_refused(tmp_path: Path) -> None:
    """It cannot be read as a file."""
    refused(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="named pipes of POSIX")
def test_named_pipe_is_not_waited_for(path: Path) -> None:
    """To open it would wait for somebody who writes."""
    os.mkfifo(path)

    refused(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = sorted(set(re.findall(r'"(\w+)":', WHOLE.decode())))


@PROPERTY
@given(st.lists(st.tuples(st.sampled_from(MEMBERS), JSON), min_size=1, max_size=4))
def test_any_values_in_any_members_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, object]]
) -> None:
    """Never another error than ours."""
    text = WHOLE.decode()
    for member, value in edits:
        text = re.sub(rf'"{member}": ("[^"]*"|[\w.]+)', lambda _: f'"{member}": {json.dumps(value)}', text)  # noqa: B023
    path = tmp_path_factory.getbasetemp() / "edited.json"
    path.write_text(text)
    with suppress(ConfigError):
        assert len(read_earlier(str(path)).runs) <= 2
