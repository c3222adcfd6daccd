"""`compare --fail-on --against`: the exit status for a build, and what is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from jsonschema import Draft202012Validator

from loopback_auth.commands._gate import STOPPED
from loopback_auth.compare.drawing.schema import schema

pytestmark = pytest.mark.slow

GOOD = ("compare", "--simulate", "--flows", "code + dpop")
BAD = ("compare", "--simulate", "--flows", "code,token")


def test_findings_at_the_threshold_give_a_status_of_their_own(
    command_line: CommandLine, tmp_path: Path
) -> None:
    """The reports are written all the same, and stderr says which findings and where to read on."""
    page = tmp_path / "report.html"
    ended = command_line.run(*BAD, "--fail-on", "high", "-o", str(page))
    told = [line.strip() for line in ended.stderr.splitlines()]

    assert ended.status == STOPPED
    assert 'id="token/token-in-fragment"' in page.read_text()
    assert any(line.startswith("token: token-in-fragment (high)") for line in told)
    assert not any(line.startswith("code:") for line in told)
    assert told[-1] == f"Read on: {page.resolve()}#token/token-in-fragment"


def test_where_to_read_on_without_a_page(command_line: CommandLine) -> None:
    """The advice can be followed."""
    assert command_line.run(*BAD, "--fail-on", "high").stderr.splitlines()[-1].endswith("-o report.html")


@pytest.mark.parametrize("names", ["token", "code device", "demo code"])
def test_flow_in_the_place_of_a_provider_is_refused_with_the_flag(
    command_line: CommandLine, names: str
) -> None:
    """It was advised to add --live, which would have ended in another error."""
    ended = command_line.run("compare", *names.split())

    assert ended.status == 2
    assert "--flows" in ended.stderr


def test_no_finding_at_the_threshold_ends_with_success(command_line: CommandLine) -> None:
    """And without a threshold nothing changes: a finding is an answer, and no error."""
    assert command_line.run(*GOOD, "--fail-on", "high").status == 0
    assert command_line.run(*BAD).status == 0


def test_answer_of_json_stays_one_document(command_line: CommandLine) -> None:
    """What the gate has to say goes to stderr."""
    ended = command_line.run(*BAD, "--fail-on", "low", "--json")

    assert ended.status == STOPPED
    assert ended.json["changes"] is None


def test_only_news_count_against_an_earlier_run(command_line: CommandLine, tmp_path: Path) -> None:
    """A build that was red for known findings goes on, and stops at the next one."""
    known, less = tmp_path / "known.json", tmp_path / "less.json"
    assert command_line.run(*BAD, "-o", str(known)).status == 0
    document = json.loads(known.read_text())
    for finding in document["runs"][1]["findings"]:
        if finding["id"] == "token-in-fragment":
            finding["verdict"] = "pass"
    less.write_text(json.dumps(document))
    same = command_line.run(*BAD, "--fail-on", "low", "--against", str(known))
    new = command_line.run(*BAD, "--fail-on", "low", "--against", str(less), "--json")
    changes = new.json["changes"]
    assert isinstance(changes, dict)

    assert same.status == 0
    assert new.status == STOPPED
    assert [(one["run"], one["finding"], one["movement"]) for one in changes["findings"]] == [
        ("token", "token-in-fragment", "new")
    ]
    assert list(Draft202012Validator(schema()).iter_errors(new.json)) == []


@pytest.mark.parametrize("content", ["", "[]", '{"format_version": 1}', '{"format": "har"}'])
def test_file_that_is_no_earlier_run_is_refused_before_anything_is_run(
    command_line: CommandLine, tmp_path: Path, content: str
) -> None:
    """Six consents are not given for nothing."""
    path = tmp_path / "earlier.json"
    path.write_text(content)
    ended = command_line.run("compare", "--live", "--against", str(path), "--fail-on", "high")

    assert (ended.status, ended.stdout) == (2, "")
    assert "earlier.json" in ended.complaint
    assert "-o FILE.json" in ended.complaint


def test_unknown_threshold_is_refused(command_line: CommandLine) -> None:
    """With those that there are."""
    ended = command_line.run(*GOOD, "--fail-on", "critical")

    assert (ended.status, ended.stdout) == (2, "")
    assert "'high', 'medium', 'low'" in ended.complaint
