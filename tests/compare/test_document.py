"""The JSON forms: described by their schema, complete, and harmless wherever they are printed."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from importlib.resources import files
from typing import get_args

import pytest
from comparison_samples import COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given
from jsonschema import Draft202012Validator

from loopback_auth.compare import nouns
from loopback_auth.compare.drawing.document import FORMAT, FORMAT_VERSION, document, events, json_text
from loopback_auth.trace import Exchange, Ground, Party, Secret, Step

FOLDER = files("loopback_auth.compare.drawing")
SCHEMA = json.loads(FOLDER.joinpath("comparison.schema.json").read_text("utf-8"))
PARTS = SCHEMA["$defs"]
NOUNS = {
    "step": Step,
    "exchange": Exchange,
    "secret": Secret,
    "finding": nouns.Finding,
    "attack": nouns.Attack,
    "tokens": nouns.Tokens,
    "row": nouns.Row,
}


def whole() -> Draft202012Validator:
    """Judge a document."""
    return Draft202012Validator(SCHEMA)


def line() -> Draft202012Validator:
    """Judge a line."""
    return Draft202012Validator({**SCHEMA, "$ref": "#/$defs/event", "required": [], "properties": {}})


def test_schema_is_one() -> None:
    """A slip in a schema lets everything pass."""
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["properties"]["format"] == {"const": FORMAT}
    assert SCHEMA["properties"]["format_version"] == {"const": FORMAT_VERSION}


def test_document_obeys_the_schema() -> None:
    """Other programs are written by the schema, not by our source."""
    whole().validate(json.loads(json_text(COMPARISON)))
    whole().validate(document(COMPARISON))


@pytest.mark.parametrize("broken", ["runs", "made_at", "format_version"])
def test_schema_refuses_what_is_none(broken: str) -> None:
    """Else it says nothing."""
    without = {name: value for name, value in document(COMPARISON).items() if name != broken}

    assert not whole().is_valid(without)
    assert not whole().is_valid({**document(COMPARISON), broken: "x"})


@pytest.mark.parametrize("name", NOUNS)
def test_schema_describes_every_field(name: str) -> None:
    """A field that was added to a noun is described as well, and is always there."""
    expected = [field.name for field in fields(NOUNS[name])]

    assert list(PARTS[name]["properties"]) == PARTS[name]["required"] == expected


def test_schema_knows_every_member() -> None:
    """Nothing is written that is not described."""
    written = document(COMPARISON)
    runs = written["runs"]
    assert isinstance(runs, list)

    assert set(written) == {*SCHEMA["properties"], *PARTS["origin"]["properties"]}
    assert set(runs[0]) == {*PARTS["run"]["properties"], *PARTS["ending"]["properties"]}


def test_schema_knows_every_word() -> None:
    """The words that a member can be are those of the types."""
    assert PARTS["ground"]["enum"] == [*get_args(Ground)]
    assert PARTS["party"]["enum"] == [*get_args(Party)]
    assert PARTS["verdict"]["enum"] == [*get_args(nouns.Verdict)]
    assert PARTS["ending"]["properties"]["outcome"]["enum"] == [*get_args(nouns.Outcome)]
    assert PARTS["finding"]["properties"]["severity"]["enum"] == [*get_args(nouns.Severity)]
    assert PARTS["cell"]["properties"]["basis"]["enum"] == [*get_args(nouns.Basis)]


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
    assert [cell["flow"] for cell in written["rows"][0]["cells"]] == ["code", "ticket"]
    assert written["runs"][1]["tokens"] is None


def test_events_are_in_order() -> None:
    """A reader of lines can follow a run while it is read."""
    lines = [json.loads(one) for one in events(COMPARISON)]
    code = [one["event"] for one in lines if one["flow"] == "code"]

    assert code == [
        "run began",
        *["step", "step", "exchange", "step", "exchange", "exchange", "step"],
        *["finding", "finding", "attack"],
        "run ended",
    ]
    assert [one["number"] for one in lines if one["flow"] == "ticket" and "number" in one] == [1, 2, 3, 4, 5]
    assert lines[-1] == {
        "event": "run ended",
        "flow": "ticket",
        "outcome": "refused",
        "reason": "The server did not exchange it <script>alert(1)</script>",
        "tokens": None,
    }


def test_events_obey_the_schema() -> None:
    """The lines have one, too."""
    for one in events(COMPARISON):
        line().validate(json.loads(one))

    assert not line().is_valid({"event": "nonsense", "flow": "code"})
    assert not line().is_valid({"event": "step", "flow": "code"})


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped(text: str) -> None:
    """Printed on a terminal it steers nothing; every event stays one line; what is said is still there."""
    whole().validate(json.loads(json_text(hostile(text))))
    lines = list(events(hostile(text)))

    assert all(one.isascii() and one.isprintable() for one in lines)
    assert all(one.isascii() and one.isprintable() for one in json_text(hostile(text)).split("\n"))
    assert json.loads(lines[-1])["reason"] == text.replace("\ud800", "?")


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
