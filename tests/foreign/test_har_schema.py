"""Our HTTP Archive by the published schema (npm har-schema), which har-validator and others go by."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from command_line import missing
from jsonschema import Draft6Validator
from referencing import Registry
from referencing.jsonschema import DRAFT6

from foreign.conftest import HERE
from loopback_auth.compare.drawing.har import har
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.flow_table import COMPARED
from loopback_auth.trace.records import Exchange

pytestmark = pytest.mark.foreign

SCHEMAS = HERE / "node_modules" / "har-schema" / "lib"
HOSTILE = "\x1b[31m \ud800 \u202e <code#1> %zz # ? & [ \n"


@pytest.fixture(scope="module")
def published() -> Draft6Validator:
    """The schema, made of a file a part."""
    if not SCHEMAS.is_dir():
        missing("har-schema is not installed")
    parts = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    resources = [(f"{name}#", DRAFT6.create_resource(part)) for name, part in parts.items()]
    return Draft6Validator(parts["har.json"], registry=Registry().with_resources(resources))


def test_every_flow_obeys_the_schema(published: Draft6Validator) -> None:
    """Importers reject what lacks a mandatory member."""
    written = json.loads(har(compare_simulated()))
    published.validate(written)

    assert len(written["log"]["pages"]) == len(COMPARED)
    assert len(written["log"]["entries"]) > 30


def test_hostile_exchange_obeys_the_schema(published: Draft6Validator) -> None:
    """Whatever was captured can be opened."""
    comparison = compare_simulated(["code"])
    headers = ((HOSTILE, HOSTILE), ("Location", HOSTILE), ("Content-Type", HOSTILE))
    exchange = Exchange(
        1,
        0,
        -1,
        "browser",
        "server",
        HOSTILE,
        HOSTILE,
        HOSTILE,
        headers,
        HOSTILE,
        200,
        headers,
        HOSTILE,
        HOSTILE,
    )
    run = comparison.runs[0]
    trace = replace(run.trace, entries=(exchange, replace(exchange, number=2, status=0, observed=False)))
    written = json.loads(har(replace(comparison, runs=(replace(run, reason=HOSTILE, trace=trace),), rows=())))
    published.validate(written)

    assert len(written["log"]["entries"]) == 2


@pytest.mark.parametrize("member", ["startedDateTime", "request", "response", "cache", "timings"])
def test_schema_can_refuse(published: Draft6Validator, member: str) -> None:
    """Else it would prove nothing."""
    written = json.loads(har(compare_simulated(["code"])))
    del written["log"]["entries"][0][member]

    assert not published.is_valid(written)
