"""The table of flows, and that all else that knows flows by name agrees with it."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from loopback_auth import flow_table
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.demo.setup import PATHS
from loopback_auth.flow_table import (
    BY_NAME,
    CHOOSABLE,
    COMPARED,
    ENDPOINTS,
    FLOWS,
    NAMES,
    POLLED,
    REDIRECTING,
    TWO_STEP,
)
from loopback_auth.model import ResponseType, ServerMetadata
from loopback_auth.records import get_args
from loopback_auth.settings.setting import SETTINGS

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("name", "names"), [("FlowName", NAMES), ("ChoosableFlow", CHOOSABLE), ("TwoStepFlow", TWO_STEP)]
)
def test_types_name_the_flows_of_the_table(name: str, names: tuple[str, ...]) -> None:
    """Type checkers read the list by hand, and would let through what the program refuses."""
    tree = ast.parse(Path(flow_table.__file__).read_text())
    [listed] = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    assert isinstance(listed, ast.Subscript)

    assert ast.literal_eval(listed.slice) == names == get_args(getattr(flow_table, name))


def test_flows_that_redirect_are_the_response_types() -> None:
    """The catalog runs them by their response type."""
    assert get_args(ResponseType) == REDIRECTING


def test_traits_go_together() -> None:
    """A flow that is polled, say, holds no port, and can be begun by one process and finished by another."""
    assert len(BY_NAME) == len(FLOWS)
    assert all(flow.two_step is not flow.needs_port for flow in FLOWS)
    assert all(not flow.needs_port and flow.approved_by_anybody for flow in FLOWS if flow.polled)
    assert all(flow.needs == ("ticket",) or set(flow.needs) <= {*ENDPOINTS} for flow in FLOWS)
    assert all(flow.variant_of in ("", *NAMES) for flow in FLOWS)
    assert not any(flow.variant_of and flow.choosable for flow in FLOWS)
    assert set(CHOOSABLE) <= set(COMPARED)
    assert {flow.name for flow in FLOWS if flow.key} == set(POLLED)


def test_settings_offer_the_flows_of_the_table() -> None:
    """Flags, variables and the configuration file take what the table has, and nothing else."""
    settings = {setting.name: setting for setting in SETTINGS}

    assert settings["flow"].choices == NAMES
    assert settings["allowed_flows"].choices == settings["allowed_flows"].default == CHOOSABLE


def test_every_flow_that_is_compared_signs_in_at_the_demo_server() -> None:
    """A flow that the catalog does not run, or the demo server does not know, cannot be tried."""
    assert {run.flow: run.reason for run in compare_simulated(COMPARED).runs} == dict.fromkeys(COMPARED, "")


def test_the_readme_has_every_flow_that_is_compared() -> None:
    """The other ones, by their response types, are named below the table."""
    text = (ROOT / "README.md").read_text()
    rows = re.findall(r"^\| `([\w ]+)`", text.partition("\n## The flows\n")[2].partition("\n## ")[0], re.M)
    [others] = re.findall(r"^Also (.+?)\. ", text, re.M)

    assert {*rows, *re.findall(r"`(.+?)`", others)} == set(NAMES)
    assert set(rows) == set(COMPARED) & set(NAMES)


def test_every_endpoint_is_a_setting_and_can_be_found_in_metadata() -> None:
    """The demo server has all of them, so that whatever is declared can be rehearsed with it."""
    settings = {setting.name for setting in SETTINGS}

    assert set(ENDPOINTS) <= settings
    assert set(ENDPOINTS) == set(PATHS)
    assert [
        field.name for field in fields(ServerMetadata) if field.name.endswith(("_endpoint", "_uri"))
    ] == list(ENDPOINTS)
