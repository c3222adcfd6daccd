"""A comparison of each kind that a page has to show, made by hand."""

from __future__ import annotations

from dataclasses import replace

from comparison_samples import CODE, COMPARISON

from loopback_auth.compare.judging.checks import with_attacks
from loopback_auth.compare.model import (
    Attack,
    Cell,
    Change,
    Changes,
    Comparison,
    Conclusion,
    Finding,
    PlaceConclusion,
    Reason,
    Row,
    Run,
)
from loopback_auth.trace.records import Exchange, Trace

PKCE = Finding(
    "pkce", "high", "PKCE with S256", "fail", "S256 is missing.", "RFC 9700 §2.1.1", (1,), "Offer it."
)
STATE = Finding("state", "low", "State is random", "pass", "It is long.", "RFC 6749 §10.12")
STOLEN = Attack(
    "stolen-code", "The code is read.", "fail", "It got tokens.", "RFC 7636 §1", advice="Use PKCE."
)
HELD = Attack("replay", "The code is sent twice.", "pass", "It was refused.", "RFC 6749 §4.1.2", "low")
REASON = Reason("S256 is not there.", "RFC 9700 §2.1.1", "pkce")


def servers() -> Comparison:
    """Two servers with grades, of which only requests were recorded."""
    at = "https://id.example/.well-known/openid-configuration"
    asked = Exchange(1, 0.0, 0.1, "client", "server", "metadata request", "GET", at, status=200)
    runs = tuple(
        Run("code", "examined", Trace("code", "live", provider, (asked,)), findings=(PKCE, STATE), name=title)
        for provider, title in (("github", "GitHub"), ("id.example", "id.example"))
    )
    cells = tuple(Cell(grade, "observed") for grade in "BF")
    return replace(
        COMPARISON,
        kind="servers",
        ground="live",
        provider="GitHub, id.example",
        runs=runs,
        rows=(Row("grade", "Grade", "Verdict", cells), Row("pkce", "PKCE", "Request", cells)),
        conclusions=(
            Conclusion("GitHub", "use", "Grade B: nearly all.", (REASON,)),
            Conclusion("id.example", "avoid", "Grade F: it breaks rules.", (REASON,)),
        ),
    )


def programs() -> Comparison:
    """Three programs: one that was recorded, one that was not, one that did not sign in."""
    empty = replace(CODE, entries=(), secrets=())
    runs = (
        with_attacks(Run("code", "signed in", CODE, findings=(STATE,), name="ours 1.0"), (HELD,)),
        with_attacks(Run("code", "signed in", empty, findings=(PKCE,), name="tool 2.0"), (STOLEN, HELD)),
        Run("code", "failed", empty, reason="It never opened a browser.", name="other"),
    )
    cells = (Cell("S256", "observed"), Cell("none", "observed"), Cell("not observed", "not observed"))
    return replace(
        COMPARISON,
        kind="programs",
        ground="demo",
        runs=runs,
        rows=(Row("pkce", "PKCE", "What it asks", cells),),
        conclusions=(
            Conclusion("ours 1.0", "use", "Use it.", (Reason("1 check and 1 attack found no grave fault."),)),
            Conclusion("tool 2.0", "avoid", "Avoid it.", (REASON,)),
            Conclusion("other", "not judged", "Not judged: it did not sign in.", ()),
        ),
    )


def lesson() -> Comparison:
    """A flow, the same without a defence, and what changed since an earlier run."""
    whole = with_attacks(COMPARISON.runs[0], (replace(STOLEN, verdict="pass"), HELD))
    twin = with_attacks(replace(whole, name="code without pkce", findings=(PKCE,)), (STOLEN, HELD))
    row = Row("pkce", "PKCE", "Group", (Cell("S256", "observed"), Cell("none", "observed")))
    left_out = (Cell("nothing", "known"), Cell("no challenge", "known"))
    change = Change(
        "code", "code-in-history", "check", "new", "low", "No code in the history", "It is there."
    )
    gone = replace(change, run="ticket", finding="phishing", movement="fixed")
    return replace(
        COMPARISON,
        runs=(whole, twin),
        rows=(row, Row("left-out", "Left out", "Defences", left_out)),
        conclusions=(
            Conclusion("code", "use", "Use it where a browser can reach this machine.", ()),
            Conclusion("code without pkce", "use when", "Without PKCE, codes are stolen.", (REASON,)),
        ),
        places=(PlaceConclusion("ssh", "over SSH", "code", "Use code, and `finish` it.", (REASON,)),),
        changes=Changes(
            "demo", "demo", 1_700_000_000.0, "0.0.9", (change, gone), came=("code without pkce",)
        ),
    )


KINDS = {"servers": servers(), "programs": programs(), "lesson": lesson()}
