"""Text of strangers on the page of a comparison, field by field: it is shown, and it is never markup."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

import pytest
from comparison_samples import COMPARISON
from jinja2 import UndefinedError
from page_reader import Reader

from loopback_auth.compare import model
from loopback_auth.compare.drawing.report import report, templates
from loopback_auth.trace.records import Exchange, Headers, Secret, Step, Trace

HOSTILE = "\"'><img/src=x/onerror=alert(1)>"
CLASSES = (
    *(model.Comparison, model.Run, model.Tokens, model.Finding, model.Attack, model.Row, model.Cell),
    *(model.Conclusion, model.PlaceConclusion, model.Reason),
    *(Trace, Step, Exchange, Secret),
)
FIELDS = [
    (kind, name) for kind in CLASSES for name, hint in get_type_hints(kind).items() if hint in (str, Headers)
]
REASON = model.Reason("The server offers more.", "RFC 9700 §2.1", "code-in-history")
WHOLE = replace(
    COMPARISON,
    conclusions=tuple(
        model.Conclusion(run.title, "use when", "Use it when nothing else works.", (REASON,))
        for run in COMPARISON.runs
    ),
    places=(model.PlaceConclusion("ssh", "over SSH", "code", "Use code.", (REASON,)),),
)
UNSHOWN = {
    *(f"Tokens.{name}" for name in ("token_type", "scope_asked", "scope_granted", "account")),
    *(
        "Finding.id",
        "Attack.id",
        "Attack.statement",
        "Attack.advice",
        "Conclusion.run",
        "PlaceConclusion.place",
        "PlaceConclusion.run",
        "Reason.finding",
        "Row.id",
        "Secret.label",
        "Secret.kind",
        "Trace.flow",
        "Trace.provider",
    ),
}


def with_text(value: Any, kind: type, name: str) -> Any:
    """Put the text into one field of every object of a class."""
    if isinstance(value, tuple):
        return tuple(with_text(one, kind, name) for one in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {each.name: with_text(getattr(value, each.name), kind, name) for each in fields(value)}
    if isinstance(value, kind):
        several = isinstance(changed[name], tuple)
        changed[name] = ((HOSTILE, HOSTILE),) if several else HOSTILE
    return replace(value, **changed)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=lambda one: getattr(one, "__name__", one))
def test_hostile_text_is_shown_and_not_obeyed(kind: type, name: str) -> None:
    """One field that a template forgot to escape is enough."""
    reader = Reader(report(with_text(WHOLE, kind, name)))
    attributes = [value for _, held in reader.elements for value in held.values()]
    shown = any(HOSTILE in text for text in (reader.words.replace("\n", ""), *attributes))

    assert "img" not in {tag for tag, _ in reader.elements}
    assert not {one for _, held in reader.elements for one in held if one.startswith("on")}
    assert shown == (f"{kind.__name__}.{name}" not in UNSHOWN)


def test_template_without_a_value_is_not_drawn() -> None:
    """A hole in the page would look like nothing to report."""
    with pytest.raises(UndefinedError):
        templates().from_string("{{ missing }}").render()
