"""Our SARIF by the schema of version 2.1.0, as Microsoft's @microsoft/jest-sarif carries it."""

from __future__ import annotations

import json

import pytest
from command_line import missing
from hostile_samples import HOSTILE, hostile
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import best_match

from foreign.conftest import HERE
from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.sarif import sarif
from loopback_auth.compare.model import Comparison
from loopback_auth.compare.running.run import compare_simulated

pytestmark = pytest.mark.foreign

SCHEMA = HERE / "node_modules" / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"


@pytest.fixture(scope="module")
def published() -> Draft7Validator:
    """The schema; what it is written in is a part of draft 7."""
    if not SCHEMA.is_file():
        missing("@microsoft/jest-sarif is not installed")
    return Draft7Validator(json.loads(SCHEMA.read_text()), format_checker=FormatChecker())


@pytest.fixture(scope="module")
def compared() -> Comparison:
    """All flows, with attacks, without sockets."""
    return compare_simulated(attacks=lambda run: simulated_attacks(run.flow))


def test_every_flow_obeys_the_schema(published: Draft7Validator, compared: Comparison) -> None:
    """Code hosts refuse what does not."""
    log = json.loads(sarif(compared))

    assert best_match(published.iter_errors(log)) is None
    assert len(log["runs"][0]["results"]) > 20
    log["runs"][0]["results"][0]["level"] = "high"
    assert not published.is_valid(log)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_obey_the_schema(published: Draft7Validator, text: str) -> None:
    """Whatever a server said."""
    assert best_match(published.iter_errors(json.loads(sarif(hostile(text))))) is None


def test_what_code_scanning_demands_is_there(compared: Comparison) -> None:
    """The properties that GitHub Docs, "SARIF support for code scanning", call required."""
    (run,) = json.loads(sarif(compared))["runs"]

    assert run["tool"]["driver"]["name"]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["id"]
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
    for result in run["results"]:
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert result["message"]["text"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]
        assert place["artifactLocation"]["uri"]
        assert {*place["region"]} == {"startLine", "startColumn", "endLine", "endColumn"}
