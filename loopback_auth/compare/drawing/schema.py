"""The JSON Schema of a comparison, made from the classes that a comparison consists of.

What a member means is what the docstring of its class says about the field. Three things differ between the
classes and the document: a run has the entries and secrets of its trace as members of its own, an entry says
of which kind it is, and a cell names its run.

Source: JSON Schema 2020-12 (Core §8.2 for `$ref` and `$defs`, Validation §6 for the keywords).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from loopback_auth.compare.drawing.document import FORMAT, FORMAT_VERSION
from loopback_auth.compare.model import (
    Attack,
    Cell,
    Change,
    Changes,
    Comparison,
    Conclusion,
    Difference,
    Finding,
    PlaceConclusion,
    Reason,
    Row,
    Run,
    Tokens,
)
from loopback_auth.trace.records import Exchange, Secret, Step, Trace

Schema = dict[str, Any]

PLAIN: dict[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    int: {"type": "integer", "minimum": 0},  # Numbers of entries, statuses and lengths.
}


def schema() -> Schema:
    """Return the schema, as JSON has it."""
    trace = _object(Trace)["properties"]
    of_trace = {name: trace[name] for name in ("entries", "secrets")}
    head = {"format": {"const": FORMAT}, "format_version": {"const": FORMAT_VERSION}}
    text = PLAIN[str]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:loopback-auth:comparison:{FORMAT_VERSION}",
        "title": "Comparison of sign-in flows",
        **_object(Comparison, head),
        "$defs": {
            "run": _object(Run, of_trace, without=["trace"]),
            "tokens": _object(Tokens),
            "step": _object(Step, {"kind": {"const": "step"}}),
            "exchange": _object(Exchange, {"kind": {"const": "exchange"}}),
            "secret": _object(Secret),
            "finding": _object(Finding),
            "attack": _object(Attack),
            "row": _object(Row),
            "conclusion": _object(Conclusion),
            "placeconclusion": _object(PlaceConclusion),
            "reason": _object(Reason),
            "changes": _object(Changes),
            "change": _object(Change),
            "difference": _object(Difference),
            "cell": _object(Cell, {"run": text | {"description": "Name of the run."}}),
            "named": _closed("A name and its value; a name may come twice.", {"name": text, "value": text}),
        },
    }


def _object(kind: Any, more: Schema | None = None, *, without: Iterable[str] = ()) -> Schema:
    """Describe an object whose members are the fields of a class, and some more."""
    hints, meanings = get_type_hints(kind), _meanings(kind)
    properties = {
        each.name: _value(hints[each.name]) | {"description": meanings.get(each.name, "")}
        for each in fields(kind)
        if each.name not in without
    }
    return _closed(meanings[""], (more or {}) | properties)


def _meanings(kind: type) -> dict[str, str]:
    """Read what a docstring says about each field, and in its first line, under an empty name, about all."""
    first, *rest = re.split(r"\n {8}(?=\w+: )", kind.__doc__ or "")
    named = (" ".join(text.split()).partition(": ") for text in rest)
    return {"": first.partition("\n")[0], **{name: meaning for name, _, meaning in named}}


def _closed(description: str, properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }


def _value(kind: Any) -> Schema:
    """Describe a value by its annotation."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, UnionType):
        return {"oneOf": [{"type": "null"} if one is NoneType else _value(one) for one in arguments]}
    if arguments == (str, str):
        return {"$ref": "#/$defs/named"}
    if origin is tuple:
        return {"type": "array", "items": _value(arguments[0])}
    return PLAIN.get(kind) or {"$ref": f"#/$defs/{kind.__name__.lower()}"}
