"""The flows side by side: every property that distinguishes them, from the evidence of each run.

A cell was observed in the trace, was tried as an attack, is a known fact with a public source, or was not
observed. The cell says which of these, so that readers do not take a claim for an observation.
"""

from __future__ import annotations

from loopback_auth.compare.judging import attacker_rows, course_rows, known_rows, result_rows, secret_rows
from loopback_auth.compare.judging.attack_results import tried
from loopback_auth.compare.model import Row, Run

PROPERTIES = (
    *known_rows.NATURE,
    *course_rows.PROPERTIES,
    *secret_rows.PROPERTIES,
    *attacker_rows.PROPERTIES,
    *known_rows.RISKS,
    *result_rows.RESULTS,
    *result_rows.REQUIREMENTS,
    *known_rows.LIMITS,
)
"""Every property, in the order of a table, group by group."""


def rows(runs: tuple[Run, ...]) -> tuple[Row, ...]:
    """Return every property of every run.

    Returns:
        Rows whose cells are in the order of the runs.
    """
    return tuple(
        Row(each.id, each.title, each.group, tuple(tried(run, each.id, each.cell(run)) for run in runs))
        for each in PROPERTIES
    )
