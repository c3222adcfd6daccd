"""SARIF of a comparison: what becomes a result, where it points, and that no text becomes anything else.

Against its published schema it is held in `tests/foreign/test_sarif_schema.py`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from comparison_samples import COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given

from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.drawing.sarif import sarif
from loopback_auth.compare.judging.changes import against
from loopback_auth.compare.model import Comparison, Finding, Run, Severity
from loopback_auth.compare.running.earlier import read_earlier
from loopback_auth.trace.records import Trace

EMPTY = Trace("code", "demo", "demo", ())


def only_run(comparison: Comparison) -> dict[str, Any]:
    """The one run of the log."""
    log = json.loads(sarif(comparison))
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def finding(name: str, severity: Severity = "high", verdict: Any = "fail", **more: Any) -> Finding:
    """A finding."""
    return Finding(name, severity, f"Title of {name}", verdict, "Evidence.", "RFC 9700 §2.1.2", **more)


def of(*runs: Run) -> Comparison:
    """A comparison of runs alone."""
    return replace(COMPARISON, runs=runs, rows=(), conclusions=())


def test_only_failures_are_results() -> None:
    """GitHub would show every other one as an alert; that it was checked is told by its rule."""
    run = only_run(COMPARISON)

    assert [one["ruleId"] for one in run["results"]] == ["code-in-history"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["code-in-history", "pkce"]


def test_attacks_are_results_too() -> None:
    """One that succeeded is a finding as every other."""
    attacked = Run("code", "signed in", EMPTY, findings=(finding("replay", kind="attack"),))
    run = only_run(of(attacked))

    assert [one["ruleId"] for one in run["results"]] == ["replay"]
    assert "attack" in run["tool"]["driver"]["rules"][0]["properties"]["tags"]


@pytest.mark.parametrize(
    ("severity", "level", "score"),
    [("high", "error", "8.0"), ("medium", "warning", "5.5"), ("low", "note", "3.0"), ("info", "note", None)],
)
def test_severity_is_told_in_the_words_of_code_scanning(
    severity: Severity, level: str, score: str | None
) -> None:
    """The score decides in which list GitHub shows the alert; without one it is none of security."""
    run = only_run(of(Run("code", "signed in", EMPTY, findings=(finding("x-y", severity),))))
    rule = run["tool"]["driver"]["rules"][0]

    assert run["results"][0]["level"] == rule["defaultConfiguration"]["level"] == level
    assert rule["properties"].get("security-severity") == score


def test_rule_has_help_and_a_link() -> None:
    """Who reads the alert has to know what to do, and which clause asks for it."""
    failed = finding("token-in-fragment", advice="Use the code flow.")
    passed = finding("token-in-fragment", verdict="pass")
    runs = [
        Run("code", "signed in", EMPTY, findings=(one,), name=str(n))
        for n, one in enumerate((passed, failed))
    ]
    (rule,) = only_run(of(*runs))["tool"]["driver"]["rules"]

    assert rule["name"] == "TokenInFragment"
    assert rule["help"]["text"].endswith("Source: RFC 9700 §2.1.2. What to do: Use the code flow.")
    assert rule["helpUri"] == "https://www.rfc-editor.org/rfc/rfc9700#section-2.1.2"


def test_location_is_a_path_that_names_the_column() -> None:
    """GitHub refuses a result without; that there is no such file is said."""
    run = Run("code", "signed in", EMPTY, findings=(finding("x"),), name="msal 1.34")
    result = only_run(replace(of(run), kind="programs"))["results"][0]
    (location,) = result["locations"]
    artifact = location["physicalLocation"]["artifactLocation"]

    assert artifact["uri"] == "programs/msal"
    assert "no source file" in artifact["description"]["text"]
    assert location["physicalLocation"]["region"]["startLine"] == 1
    assert location["logicalLocations"][0]["name"] == "msal 1.34"
    assert result["properties"]["anchor"] == "msal-1.34/x"


def fingerprints(comparison: Comparison) -> list[str]:
    """Of all results."""
    return [one["partialFingerprints"]["primaryLocationLineHash"] for one in only_run(comparison)["results"]]


def test_fingerprints_tell_results_apart_for_good() -> None:
    """The evidence may change from run to run; the finding, the column and their kind are what it is."""
    twice = (finding("a"), replace(finding("a"), because="Other."), finding("b"))
    runs = [Run("code", "signed in", EMPTY, findings=twice, name="same name") for _ in range(2)]
    found = fingerprints(of(*runs))
    other = [replace(one, because="Changed.", severity="low") for one in twice]

    assert len({*found}) == len(found) == 6
    assert found == fingerprints(of(*(replace(run, findings=tuple(other)) for run in runs)))
    assert found != fingerprints(replace(of(*runs), kind="programs"))
    assert all(re.fullmatch(r"[0-9a-f]{16}:[1-9]", one) for one in found)


def test_alert_survives_an_upgrade() -> None:
    """GitHub opens a new one where the path or the fingerprint differs; versions side by side stay apart."""
    one, other, third = (
        Run("code", "signed in", EMPTY, findings=(finding("a"),), name=f"msal 1.{number}")
        for number in range(3)
    )
    paths = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in only_run(of(one, other))["results"]
    ]

    assert fingerprints(of(one)) == fingerprints(of(third))
    assert len({*fingerprints(of(one, other))}) == len({*paths}) == 2


def test_state_since_the_earlier_run(tmp_path: Any) -> None:
    """Viewers filter by it; what is gone is no result, since GitHub would show it as an alert."""
    path = tmp_path / "earlier.json"
    before = Run("code", "signed in", EMPTY, findings=(finding("a"), finding("b", "low"), finding("gone")))
    after = replace(
        before, findings=(finding("a"), finding("b"), finding("c"), finding("gone", verdict="pass"))
    )
    path.write_text(json_text(of(before)))
    results = only_run(against(of(after), read_earlier(str(path))))["results"]

    assert {one["ruleId"]: one["baselineState"] for one in results} == {
        "a": "unchanged",
        "b": "updated",
        "c": "new",
    }
    assert "baselineState" not in only_run(of(after))["results"][0]


def test_run_in_which_nothing_was_judged_is_told() -> None:
    """Without results it would look like success."""
    runs = [
        Run("code", "failed", EMPTY, reason="The server ended."),
        Run("device", "not possible", EMPTY, reason="No endpoint."),
        Run("token", "signed in", EMPTY),
    ]
    told = only_run(of(*runs))["invocations"][0]["toolExecutionNotifications"]

    assert [(one["level"], one["message"]["text"]) for one in told] == [
        ("error", "code: failed. The server ended."),
        ("warning", "device: not possible. No endpoint."),
    ]


def messages(value: Any) -> list[str]:
    """Every text that a viewer shows."""
    if isinstance(value, list):
        return [one for each in value for one in messages(each)]
    if not isinstance(value, dict):
        return []
    own = [value[name] for name in ("text", "markdown") if isinstance(value.get(name), str)]
    return [*own, *messages(list(value.values()))]


def harmless(comparison: Comparison) -> None:
    """Nothing is empty, a placeholder, a link or a control; every URI is one."""
    written = sarif(comparison)
    run = only_run(comparison)
    plain = messages(run)

    assert all(one.isascii() and one.isprintable() for one in written.split("\n"))
    assert all(plain)
    assert not any(re.search(r"(?<!\{)(\{\{)*\{(?!\{)", one) for one in plain)
    assert not any(re.search(r"(?<!\\)\]\(", one) for one in plain)
    for result in run["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"(flows|programs|servers)/[a-z0-9.-]+", uri)
        assert result["ruleId"] == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"]
    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule.get("name", "").lower() != rule["id"].lower()
        assert urlsplit(rule.get("helpUri", "https://x")).scheme in ("http", "https")


@pytest.mark.parametrize("text", [*HOSTILE, "{0} {{x}} }{", "[a](b) [c] (d)", "{", "}" * 2_000])
def test_hostile_text_is_only_text(text: str) -> None:
    """SARIF 2.1.0 §3.11.5 and §3.11.6 give braces and brackets a meaning."""
    harmless(hostile(text))


@PROPERTY
@given(TEXTS)
def test_any_text_is_only_text(text: str) -> None:
    """The same for what nobody thought of."""
    harmless(hostile(text))
