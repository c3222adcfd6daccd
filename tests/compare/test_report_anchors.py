"""Links into the page of a comparison, which other documents make without having seen it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from page_reader import Reader, one_run, page

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.report import report
from loopback_auth.compare.drawing.report_anchors import SECTIONS
from loopback_auth.compare.judging.anchors import anchor
from loopback_auth.compare.model import Finding
from loopback_auth.compare.running.run import compare_simulated

FINDING = Finding("pkce", "high", "PKCE with S256", "pass", "S256 was sent.", "RFC 7636 §4.2")


def test_every_finding_of_every_run_can_be_linked_to_and_links_to_itself() -> None:
    """Those that passed as well: a reader asks why."""
    whole = compare_simulated(["code", "device"], attacks=lambda run: simulated_attacks(run.flow))
    reader = Reader(report(whole))
    ids, links = set(reader.values("id")), set(reader.values("href"))
    wanted = {anchor(one.id) for run in whole.runs for one in run.findings}
    wanted |= {anchor(one.id, run.title) for run in whole.runs for one in run.findings}

    assert len(wanted) > 90
    assert wanted <= ids
    assert {f"#{name}" for name in wanted} <= links


def test_names_that_would_be_the_same_are_told_apart() -> None:
    """Runs of one title, findings called like a part of the page, or twice in one run."""
    findings = tuple(replace(FINDING, id=name) for name in ("findings", "code", "pkce", "pkce", "1"))
    html = page(one_run(*findings), one_run(*findings), replace(one_run(*findings), name="CODE"))
    ids = Counter(Reader(html).values("id"))

    assert max(ids.values()) == 1
    assert {"findings", "findings.2", "code", "pkce", "code/pkce", "code-2/pkce", "code/pkce.2"} <= ids.keys()


def test_ids_of_the_page_cannot_be_those_of_findings() -> None:
    """Either they are reserved, or they have a sign that no anchor has."""
    ids = Reader(page(one_run())).values("id")
    own = [name for name in ids if not re.match(r"code(/\d+)?$", name)]

    assert all(name in SECTIONS or "_" in name for name in own)
    assert "_" not in anchor("a_b", "c_d")
