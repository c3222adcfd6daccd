"""The JSON forms: described by their schema, complete, and harmless wherever they are printed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from comparison_samples import COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given
from jsonschema import Draft202012Validator

from loopback_auth.compare.drawing.document import document, json_text
from loopback_auth.compare.drawing.schema import schema

SCHEMA = schema()
WHOLE = Draft202012Validator(SCHEMA)


def broken(**changed: object) -> dict[str, Any]:
    """The document, with other members in its first exchange."""
    whole: dict[str, Any] = json.loads(json_text(COMPARISON))
    exchange = next(one for one in whole["runs"][0]["entries"] if one["kind"] == "exchange")
    exchange.update(changed)
    return whole


def test_document_obeys_the_schema() -> None:
    """Other programs are written by the schema, not by our source."""
    Draft202012Validator.check_schema(SCHEMA)
    WHOLE.validate(json.loads(json_text(COMPARISON)))
    WHOLE.validate(document(COMPARISON))
    assert WHOLE.is_valid(broken())


@pytest.mark.parametrize("name", SCHEMA["required"])
def test_schema_demands_every_member(name: str) -> None:
    """Else it says nothing."""
    without = {member: value for member, value in document(COMPARISON).items() if member != name}

    assert not WHOLE.is_valid(without)
    assert name == "provider" or name == "version" or not WHOLE.is_valid({**without, name: "x"})


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "letter"},
        {"sender": "somebody"},
        {"status": -1},
        {"status": "200"},
        {"observed": None},
        {"request_headers": [["Accept", "text/html"]]},
        {"request_headers": [{"name": "Accept"}]},
    ],
)
def test_schema_refuses_other_kinds_of_values(changed: dict[str, object]) -> None:
    """Words, numbers and named values, as deep as the document goes."""
    assert not WHOLE.is_valid(broken(**changed))


def test_schema_knows_every_member() -> None:
    """Nothing is written that is not described, and every member is explained."""
    written = document(COMPARISON)
    (run, *_), (row, *_) = cast("tuple[list[Any], list[Any]]", (written["runs"], written["rows"]))
    described = [("root", SCHEMA), *SCHEMA["$defs"].items()]
    unexplained = {
        f"{name}.{member}"
        for name, part in described
        for member, value in part["properties"].items()
        if not value.get("description") and "const" not in value
    }

    assert set(written) == {*SCHEMA["properties"]}
    assert set(run) == {*SCHEMA["$defs"]["run"]["properties"]}
    assert set(row["cells"][0]) == {*SCHEMA["$defs"]["cell"]["properties"]}
    assert all(part["description"] for _, part in described)
    assert unexplained == {"named.name", "named.value"}


def test_document_holds_all_there_is() -> None:
    """Whoever has it needs no other form."""
    written = json.loads(json_text(COMPARISON))
    run = written["runs"][0]

    assert (run["flow"], run["outcome"], run["tokens"]["lifetime"]) == ("code", "signed in", 3600.0)
    assert [entry["kind"] for entry in run["entries"]] == [
        "step",
        "step",
        "exchange",
        "step",
        "exchange",
        "exchange",
        "step",
    ]
    assert run["entries"][5]["request_headers"] == [
        {"name": "Content-Type", "value": "application/x-www-form-urlencoded"}
    ]
    assert run["findings"][0]["steps"] == [5]
    assert [cell["run"] for cell in written["rows"][0]["cells"]] == ["code", "ticket"]
    assert written["runs"][1]["tokens"] is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped(text: str) -> None:
    """Printed on a terminal it steers nothing, and what is said is still there."""
    written = json_text(hostile(text))

    WHOLE.validate(json.loads(written))
    assert all(one.isascii() and one.isprintable() for one in written.split("\n"))
    assert json.loads(written)["runs"][-1]["reason"] == text.replace("\ud800", "?")


@PROPERTY
@given(TEXTS)
def test_any_text_is_escaped(text: str) -> None:
    """The same for what nobody thought of."""
    written = json_text(hostile(text))

    assert all(one.isascii() and one.isprintable() for one in written.split("\n"))
    assert json.loads(written)["runs"][1]["reason"] == text.encode("utf-8", "replace").decode()


def test_no_infinity_is_written() -> None:
    """It is no JSON (RFC 8259 §6), and a reader might take it for one."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(replace(COMPARISON, made_at=float("inf")))
