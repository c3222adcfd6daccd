"""The topic `ci`: its workflows are valid, and their steps do what the text says.

What GitHub and GitLab do with the files cannot be tried here; by published schemas they take these workflows.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from command_line import CommandLine
from ruamel.yaml import YAML

from loopback_auth.cli import command_of
from loopback_auth.commands._gate import STOPPED
from loopback_auth.commands.help import topic
from loopback_auth.compare.drawing.outputs import ending

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="steps for a shell of POSIX")]

BLOCKS = re.findall(r"(?m)(?:^  .*\n)+", topic("ci"))
(GITHUB,) = (block for block in BLOCKS if "runs-on:" in block)
(GITLAB,) = (block for block in BLOCKS if "script:" in block)
OURS = re.compile(r"python -m loopback_auth (audit .*?) -- tool login")


def read(block: str) -> dict[str, Any]:
    """The workflow, by the rules of YAML 1.2, in which `on` is a string."""
    workflow = YAML(typ="safe", pure=True).load(block)
    assert isinstance(workflow, dict)
    return workflow


def steps_of_github() -> list[dict[str, Any]]:
    """The steps of the job."""
    steps: list[dict[str, Any]] = read(GITHUB)["jobs"]["sign-in"]["steps"]
    return steps


def lines_of_gitlab() -> list[str]:
    """The lines of the script."""
    lines: list[str] = read(GITLAB)["sign-in"]["script"]
    return lines


@pytest.mark.parametrize(
    ("schema", "block"), [("vendor.github-workflows", GITHUB), ("vendor.gitlab-ci", GITLAB)]
)
def test_workflow_obeys_the_schema_of_its_service(schema: str, block: str, tmp_path: Path) -> None:
    """A file that the service refuses is no ten lines."""
    path = tmp_path / "workflow.yml"
    path.write_text(block)
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    path.write_text(block.replace("run:", "ran:").replace("script:", "scripts:"))
    broken = subprocess.run(checked.args, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout) == (0, "ok -- validation done\n"), checked.stdout
    assert broken.returncode == 1
    assert len(block.splitlines()) <= 13


def test_commands_can_be_typed_as_they_stand_there() -> None:
    """With flags that there are, and before the program that is looked at."""
    texts = [step.get("run", "") for step in steps_of_github()] + lines_of_gitlab()
    found = [match[1] for text in texts if (match := OURS.search(text))]

    assert len(found) == 2
    for line in found:
        command, *arguments = shlex.split(line)
        options = command_of(command)[1].read([*arguments, "--", "tool", "login"])
        assert options.fail_on == "high"
        assert all(ending(path) for path in options.output)


def test_extra_is_one_of_ours() -> None:
    """Else pip warns, and the command asks for what is missing."""
    texts = [step.get("run", "") for step in steps_of_github()] + lines_of_gitlab()

    assert sum(text == "pip install 'loopback-auth[audit]'" for text in texts) == 2


def test_steps_of_github_leave_what_the_next_ones_take(command_line: CommandLine, tmp_path: Path) -> None:
    """The build stops with our status, and the summary and the SARIF file are there all the same."""
    (step,) = (step for step in steps_of_github() if OURS.search(step.get("run", "")))
    (summarize,) = (step for step in steps_of_github() if "GITHUB_STEP_SUMMARY" in step.get("run", ""))
    (upload,) = (step for step in steps_of_github() if "upload-sarif" in step.get("uses", ""))
    page = tmp_path / "page.md"
    gated = in_shell(command_line, step["run"], tmp_path)
    summarized = in_shell(command_line, summarize["run"], tmp_path, GITHUB_STEP_SUMMARY=str(page))
    log = json.loads((tmp_path / upload["with"]["sarif_file"]).read_text())

    assert (gated, summarized) == (STOPPED, 0)
    assert "token-in-fragment" in page.read_text()
    assert "token-in-fragment" in {result["ruleId"] for result in log["runs"][0]["results"]}
    assert summarize["if"] == upload["if"] == "always()"
    assert read(GITHUB)["permissions"]["security-events"] == "write"


def test_script_of_gitlab_leaves_what_its_artifacts_name(command_line: CommandLine, tmp_path: Path) -> None:
    """Also where the job fails."""
    (line,) = (line for line in lines_of_gitlab() if OURS.search(line))
    artifacts = read(GITLAB)["sign-in"]["artifacts"]
    gated = in_shell(command_line, line, tmp_path)
    report = ElementTree.parse(tmp_path / artifacts["reports"]["junit"])  # noqa: S314 - it is ours

    assert gated == STOPPED
    assert report.find(".//failure") is not None
    assert all((tmp_path / path).is_file() for path in artifacts["paths"])
    assert artifacts["when"] == "always"


def in_shell(command_line: CommandLine, step: str, folder: Path, **environment: str) -> int:
    """Run a step as a runner does, with our flows in place of the program that is looked at."""
    line = OURS.sub(r"python -m loopback_auth \1 --simulate --flows code,token", step)
    line = line.replace("loopback_auth audit", "loopback_auth compare")
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    (folder / "bin").mkdir(exist_ok=True)
    python = folder / "bin" / "python"
    python.unlink(missing_ok=True)
    python.symlink_to(sys.executable)
    environment |= {"PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        ["sh", "-e", "-c", line],
        cwd=folder,
        env=command_line.environment(environment),
        capture_output=True,
        check=False,
    )
    return ended.returncode
