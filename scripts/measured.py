"""What was measured of the public programs that have a recipe: the record, and the README's table of it.

`scripts/programs` writes the record. A failure that a person doubts after reading the program's source goes
into `DOUBTED`, with the reason, and is then recorded as not observed: to say too little of another's program
is better than to say something false.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.narrow import is_list, is_object

RECORD = Path(__file__).parent / "measured.json"
COMPLETED = "The page says that the flow has completed, which need not mean that it succeeded."
DRIVER = "The audit's own driver printed them, or its traceback did."
LAUNCHER = "What was left may have been the launcher of the simulated browser."
OPENER = "The audit's own driver opens every address that it is given."
SIGNED_IN = "The response was taken, and the user saw the page; only the program's end was held up."
OF_THE_CODE = "The page speaks of the code, which had indeed come."
DOUBTED: Mapping[tuple[str, str], str] = {
    ("azure-identity", "denied-page"): COMPLETED,
    ("azure-identity", "failed-page"): COMPLETED,
    ("cli-oauth2", "denied-page"): COMPLETED,
    ("cli-oauth2", "failed-page"): COMPLETED,
    ("codex", "failed-page"): COMPLETED,
    ("google-auth-oauthlib", "denied-page"): COMPLETED,
    ("google-auth-oauthlib", "failed-page"): COMPLETED,
    ("pydrive2", "denied-page"): COMPLETED,
    ("pydrive2", "failed-page"): COMPLETED,
    ("msal", "failed-page"): COMPLETED,
    ("msal-node", "failed-page"): OF_THE_CODE,
    ("msal-node", "strange-scheme"): OPENER,
    ("oauth-callback", "strange-scheme"): OPENER,
    ("wrangler", "silent-connections"): SIGNED_IN,
}
"""Why a failure is not believed, by the names of the recipe and the finding."""
OURS = "loopback_auth"
"""Name of this package's own login in the record; it needs no recipe."""
PRIVATE = ("shell-command",)
"""Findings that a program's authors hear of before anybody else, so that no record has them."""
SHOWN = (
    "msal",
    "google-auth-oauthlib",
    "wrangler",
    "codex",
    "mcp-remote",
    "httpx-auth",
    "spotipy",
    OURS,
)
"""The recipes in the README's table; the record has them all."""
STRANGERS = (
    ("sign you in to their account", ("login-csrf", "injected-code")),
    ("use a code that they read", ("stolen-code",)),
    ("reach the port from other machines", ("binds-loopback",)),
    ("put HTML into its page", ("markup",)),
    (
        "end the sign-in",
        ("wrong-state", "missing-state", "repeated-state", "forged-error", "forged-by-script"),
    ),
    ("hold it up", ("silent-connections",)),
)
"""What other programs and web pages can do, and by which findings that is known."""
BROWSERS = (
    ("a favicon request", ("favicon",)),
    ("an unused connection", ("preconnect",)),
    ("an empty callback", ("empty-callback",)),
    ("a prefetch", ("prefetch-of-callback",)),
)
"""What browsers do by themselves that ends a sign-in or uses it up."""
LEAKS = (
    ("code printed", ("code-in-output",)),
    ("tokens on stderr", ("tokens-in-stderr",)),
    ("secrets in a command line", ("secrets-in-argv",)),
    ("tokens in a file that others can read", ("file-modes",)),
    ("says success when the user has denied", ("denied-page",)),
    ("says success before it knows", ("failed-page",)),
)
"""What is left behind, or told wrongly."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one audit of a program found.

    Args:
        name: of the recipe.
        title: of the program's column, with its version.
        date: of the audit, YYYY-MM-DD.
        advice: of the conclusion.
        failed: what showed each failure, by the id of the finding.
        not_observed: the same for what could not be seen.
        not_applicable: ids of the findings that do not apply to it.
        passed: ids of the others.
    """

    name: str
    title: str
    date: str
    advice: str
    failed: Mapping[str, str]
    not_observed: Mapping[str, str]
    not_applicable: tuple[str, ...]
    passed: tuple[str, ...]


def from_report(recipe: Recipe, report: object, *, date: str) -> Measured:
    """Take what is recorded out of the JSON of a report; of several programs the last one counts.

    Args:
        recipe: of the program.
        report: as JSON was read.
        date: of the audit, YYYY-MM-DD.

    Raises:
        ValueError: it is not such a report.
    """
    members = _members(report)
    run, conclusion = _list(members.get("runs"))[-1], _list(members.get("conclusions"))[-1]
    every = (_members(one) for one in _list(_members(run).get("findings")))
    findings = [one for one in every if _text(one, "id") not in PRIVATE]
    because = {_text(one, "id"): _text(one, "because") for one in findings}
    verdict = {_text(one, "id"): _text(one, "verdict") for one in findings}

    def ids(wanted: str) -> tuple[str, ...]:
        return tuple(id for id, given in verdict.items() if given == wanted)

    measured = Measured(
        recipe.name,
        _text(_members(run), "name"),
        date,
        _text(_members(conclusion), "advice"),
        {id: because[id] for id in ids("fail")},
        {id: because[id] for id in ids("not observed")},
        ids("not applicable"),
        ids("pass"),
    )
    return _believed(recipe, measured)


def recorded() -> list[Measured]:
    """Read the record."""
    return [_measured(_members(one)) for one in _list(json.loads(RECORD.read_text("utf-8")))]


def record(measured: Measured) -> None:
    """Put what one audit found into the record, in place of what was there of the same recipe."""
    others = [one for one in recorded() if one.name != measured.name] if RECORD.exists() else []
    every = sorted([*others, measured], key=lambda one: one.name)
    text = json.dumps([asdict(one) for one in every], indent=1, ensure_ascii=True)
    RECORD.write_text(text + "\n", "utf-8")


def table() -> str:
    """Return the README's table, in Markdown."""
    every = {one.name: one for one in recorded()}
    head = ("program", "conclusion", "a web page or program can", "browsers end it by", "leaves or tells")
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for name in SHOWN:
        one = every[name]
        cells = (one.title, one.advice, *(_phrases(one, group) for group in (STRANGERS, BROWSERS, LEAKS)))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _phrases(measured: Measured, group: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    found = [text for text, ids in group if any(id in measured.failed for id in ids)]
    return ", ".join(found) or "-"


def _believed(recipe: Recipe, measured: Measured) -> Measured:
    """Move failures that are doubted to what was not observed."""
    doubted = {id: why for id in measured.failed if (why := _doubt(recipe, id))}
    left = {id: because for id, because in measured.failed.items() if id not in doubted}
    return replace(measured, failed=left, not_observed={**measured.not_observed, **doubted})


def _doubt(recipe: Recipe, id: str) -> str:
    if id == "processes-left":
        return LAUNCHER
    if id == "terminal-escapes" and recipe.driver:
        return DRIVER
    return DOUBTED.get((recipe.name, id), "")


def _measured(members: Mapping[str, object]) -> Measured:
    return Measured(
        _text(members, "name"),
        _text(members, "title"),
        _text(members, "date"),
        _text(members, "advice"),
        {id: str(because) for id, because in _members(members.get("failed")).items()},
        {id: str(because) for id, because in _members(members.get("not_observed")).items()},
        tuple(map(str, _list(members.get("not_applicable")))),
        tuple(map(str, _list(members.get("passed")))),
    )


def _members(value: object) -> Mapping[str, object]:
    if not is_object(value):
        raise ValueError("an object is missing")
    return value


def _list(value: object) -> list[object]:
    if not is_list(value):
        raise ValueError("a list is missing")
    return value


def _text(members: Mapping[str, object], name: str) -> str:
    text = members.get(name)
    if not isinstance(text, str):
        raise ValueError(f"the text {name} is missing")
    return text
