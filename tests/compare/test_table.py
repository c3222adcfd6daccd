"""The table: it fits the terminal, says what a cell rests on, and no text in it can steer the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from comparison_samples import CODE, COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.table import first_screen, scrolled_table, table
from loopback_auth.compare.model import (
    Attack,
    Cell,
    Change,
    Changes,
    Comparison,
    Conclusion,
    Finding,
    Reason,
    Row,
    Run,
    Severity,
)
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.drawing.columns import fitting, grid, hanging, wrapped
from loopback_auth.flow_table import COMPARED

FLOWS = ("code", "code form_post", "token", "ticket", "device", "paste")


def six(*rows: Row) -> Comparison:
    """Six flows side by side."""
    return replace(COMPARISON, runs=tuple(Run(flow, "signed in", CODE) for flow in FLOWS), rows=rows)


def row(*texts: str, name: str = "row", title: str = "Property") -> Row:
    """A row of what was observed."""
    return Row(name, title, "Group", tuple(Cell(text, "observed") for text in texts))


def test_overview_comes_first() -> None:
    """Who reads no further knows which flow worked, and what the worst of each is."""
    shown = table(COMPARISON).splitlines()

    assert shown[0] == "2 flows with demo, simulated in memory"
    assert shown[2].split("  ")[0] == "Flow"
    assert re.fullmatch(r"code +signed in +1 low +0 of 1\*", shown[4])
    assert re.fullmatch(r"ticket +refused +not checked +\?", shown[5])


def test_overview_comes_last_where_the_end_is_in_sight() -> None:
    """A terminal scrolls: who has to look for the answer may not find it."""
    shown, read = scrolled_table(COMPARISON, width=100, colour=False), table(COMPARISON)
    overview = "\n".join(read.splitlines()[:10])

    assert overview.startswith("2 flows with demo")
    assert shown.endswith(overview.partition("\n")[2] + "\n\n\n2 flows with demo, simulated in memory\n")
    assert sorted(filter(None, shown.splitlines())) == sorted(filter(None, read.splitlines()))


def test_overview_is_made_of_rows() -> None:
    """What the overview says is not said again below, and has its basis there too."""
    rows = (
        row(*["1: approve"] * 6, name="person", title="A long title"),
        Row("address-bar", "In the address bar", "Group", (Cell("not observed", "not observed"),) * 6),
        Row("learnt", "Another long title", "Group", (Cell("polling", "tried"),) * 6),
    )
    shown = table(six(*rows))

    assert re.search(r"^code +signed in +1: approve +\? +polling\* +not checked$", shown, re.M)
    assert "Another long title" not in shown
    assert "Group" not in shown


@pytest.mark.parametrize(
    ("severities", "told"),
    [(("low", "low"), "2 low"), (("low", "high", "info"), "1 high, 2 more"), ((), "none")],
)
def test_overview_counts_what_failed(severities: tuple[Severity, ...], told: str) -> None:
    """The names of checks take the room of what they are about, and say what should have been."""
    passed = Finding("fine", "high", "Fine holds", "pass", "It did.", "RFC 3 §3")
    failed = [replace(passed, severity=severity, verdict="fail") for severity in severities]
    runs = (Run("code", "signed in", CODE, findings=(passed, *failed)),)

    assert re.search(rf"^code +signed in +{told}$", table(replace(COMPARISON, runs=runs, rows=())), re.M)


def test_overview_counts_the_attacks_that_succeeded() -> None:
    """Of those that could be tried: what does not concern a flow is no merit of it."""
    held = Attack("x", "Somebody tries.", "pass", "It was refused.", "RFC 1 §1")
    attacks = (held, replace(held, verdict="fail"), replace(held, verdict="not applicable"))
    runs = (Run("code", "signed in", CODE, attacks=attacks), Run("token", "signed in", CODE))
    shown = table(replace(COMPARISON, runs=runs, rows=()))

    assert re.search(r"^code +signed in +not checked +1 of 2\*$", shown, re.M)
    assert re.search(r"^token +signed in +not checked +\?$", shown, re.M)


def test_overview_breaks_no_outcome_in_80_columns() -> None:
    """What is read first is read at once, in the usual terminal."""
    whole = compare_simulated(attacks=lambda run: simulated_attacks(run.flow))
    shown = table(whole, width=80).splitlines()[:60]

    assert sum("  signed in  " in line for line in shown) == len(COMPARED)
    assert max(map(len, shown)) <= 80


def test_conclusions_fit_one_screen() -> None:
    """Whoever has to decide reads one screen, and each flow stands on it with its advice."""
    whole = compare_simulated(attacks=lambda run: simulated_attacks(run.flow))
    shown = first_screen(whole, width=80, colour=False)
    begun = re.findall(r"^(USE WHEN|USE|AVOID) +([^:]*):", shown, re.M)

    assert len(shown.splitlines()) <= 30
    assert max(map(len, shown.splitlines())) <= 80
    assert sorted(name for _, names in begun for name in names.split(", ")) == sorted(COMPARED)
    assert re.search(r"^  Over SSH, in a container: use device\.$", shown, re.M)
    count = sum(finding.verdict == "fail" for run in whole.runs for finding in run.findings)
    assert f"findings: {count} failed, " in shown


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize(
    "said", ["::error::Pwned.", "Said:\n::stop-commands::x", "word " * 20 + "::error::x"]
)
def test_text_of_a_server_is_no_command_of_a_build_server(said: str, width: int) -> None:
    """What a CI job prints at the beginning of a line, also behind blanks, can steer the job."""
    found = replace(COMPARISON.runs[0].findings[0], verdict="fail", title=said, because=said)
    runs = tuple(replace(one, findings=(found,)) for one in COMPARISON.runs)
    advised = (Conclusion(runs[0].title, "avoid", said, (Reason(said),)),)
    whole = replace(COMPARISON, runs=runs, conclusions=advised)

    for shown in (first_screen(whole, width=width, colour=False), table(whole, width=width)):
        assert not re.search(r"^\s*::", shown, re.M)


def test_advice_is_painted() -> None:
    """Red is what to avoid; the same word in a reason stays as it is."""
    reason = Reason("AVOID is a word.")
    bad = Conclusion("token", "avoid", "Avoid it.", (reason,))
    shown = first_screen(replace(COMPARISON, conclusions=(bad,)), width=80, colour=True)

    assert shown.splitlines()[2] == "\x1b[31mAVOID\x1b[0m  token: Avoid it. AVOID is a word."


def test_cells_say_what_they_rest_on() -> None:
    """A claim without its ground is what this program is not to make."""
    cells = (
        Cell("seen", "observed"),
        Cell("withstood", "tried"),
        Cell("so it is", "known", "RFC 6749 §4.1"),
        Cell("maybe", "not observed"),
        Cell("not observed", "not observed"),
        Cell("so it is, too", "known", "RFC 8628 §3"),
    )
    shown = table(six(Row("row", "Property", "Group", cells)))

    assert re.search(
        r"^  seen +withstood\* +so it is\[1\] +maybe\? +\? +so it is, too\[2\]$",
        shown.replace("too\n", "too "),
        re.M,
    )
    assert "\n[1] RFC 6749 §4.1\n[2] RFC 8628 §3\n" in shown


def test_alike_cells_are_said_once() -> None:
    """What does not tell flows apart takes one line."""
    assert "\nClient secret: none (all)\n" in table(six(row(*["none"] * 6, title="Client secret")))


def test_cells_stand_below_their_flow() -> None:
    """In 80 columns six flows are still beside each other."""
    shown = table(six(row("yes", "no", "yes", "no", "maybe", "no")), width=80).splitlines()
    title = shown.index("Property")

    assert shown[title + 1].index("maybe") == next(line for line in shown if "device" in line[5:]).index(
        "device"
    )


def test_long_cells_are_written_flow_by_flow() -> None:
    """Fourteen characters a line are no way to read a sentence."""
    long = "we: " + "token request, " * 8
    shown = table(six(row(long, long, "short", "short", "short", long)))

    assert re.search(r"^  code, code +we: token request", shown, re.M)
    assert re.search(r"^  form_post, ", shown, re.M)
    assert re.search(r"^  token,? .*short$", shown, re.M)


def test_narrow_terminals_have_flows_under_each_other() -> None:
    """Forty columns are a phone or half a screen."""
    shown = table(six(row("yes", "no", "yes", "no", "yes", "no")), width=40)

    assert re.search(r"^  code, token, +yes$", shown, re.M)
    assert re.search(r"^  code +no$", shown, re.M)


def test_failed_checks_are_told_once_for_all_flows() -> None:
    """Worst first; the same reason for three flows is one reason."""
    low = Finding("low-one", "low", "Low holds", "fail", "It did not.", "RFC 1 §1", advice="Mend it.")
    high = Finding("high-one", "high", "High holds", "fail", "Nor did this.", "RFC 2 §2")
    passed = Finding("fine", "high", "Fine holds", "pass", "It did.", "RFC 3 §3")
    runs = (
        Run("code", "signed in", CODE, findings=(low, passed)),
        Run("token", "signed in", CODE, findings=(replace(high), low)),
    )
    shown = table(replace(COMPARISON, runs=runs, rows=()))

    assert shown.endswith(
        "Findings\n--------\n"
        "\nHIGH high-one [RFC 2 §2]\n  token: Nor did this.\n  Expected: High holds.\n"
        "\nLOW low-one [RFC 1 §1]\n  code, token: It did not.\n  Expected: Low holds.\n"
        "  What to do: Mend it.\n"
        "\n4 findings: 3 failed, 1 passed.\n"
    )


def test_attacks_say_how_they_ended() -> None:
    """Worst first: what succeeded for one flow was prevented by another."""
    attack = Attack("x", "Somebody tries.", "pass", "It was refused.", "RFC 1 §1")
    runs = (
        Run("code", "signed in", CODE, attacks=(attack,)),
        Run("token", "signed in", CODE, attacks=(replace(attack, verdict="fail", because="It was taken."),)),
        Run("paste", "signed in", CODE, attacks=(attack,)),
        Run(
            "device", "failed", CODE, attacks=(replace(attack, verdict="not applicable", because="No code."),)
        ),
    )
    shown = table(replace(COMPARISON, runs=runs, rows=()))

    assert shown.endswith(
        "\nSomebody tries. [RFC 1 §1]\n  SUCCEEDED: token. It was taken.\n"
        "  prevented: code, paste. It was refused.\n  not applicable: device. No code.\n"
    )


def test_reasons_are_given() -> None:
    """Which flow did not work, and what said so."""
    assert "\nticket: The server did not exchange it" in table(COMPARISON)


def test_nothing_checked_is_said() -> None:
    """An empty list must not read as a good result."""
    assert "Nothing was checked." in table(
        replace(COMPARISON, runs=(Run("code", "signed in", CODE),), rows=())
    )


def test_nothing_compared_is_no_crash() -> None:
    """Whoever chose no flow gets an empty table."""
    empty = replace(COMPARISON, runs=(), rows=(Row("row", "Property", "Group", ()),))

    assert table(empty).startswith("0 flows with demo")


def test_colours_are_for_verdicts_and_only_when_asked_for() -> None:
    """The words are the same; the escape sequences are ours."""
    plain, painted = table(COMPARISON), table(COMPARISON, colour=True)

    assert "\x1b" not in plain
    assert "\x1b[32msigned in\x1b[0m" in painted
    assert "\x1b[31mrefused\x1b[0m" in painted
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain


@pytest.mark.parametrize("width", [40, 41, 60, 72, 80, 100, 132])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_neither_steers_nor_overflows(text: str, width: int) -> None:
    """Escape sequences, controls and long words of a server stay text, inside the margins."""
    shown = table(hostile(text), width=width).split("\n")

    assert all(line.isprintable() for line in shown)
    assert max(map(len, shown)) <= width


@pytest.mark.slow
@PROPERTY
@given(TEXTS)
def test_any_text_is_harmless(text: str) -> None:
    """The same for what nobody thought of."""
    assert all(line.isprintable() for line in table(hostile(text)).split("\n"))
    assert re.sub(r"\x1b\[\d+m", "", table(hostile(text), colour=True)) == table(hostile(text))


@PROPERTY
@given(TEXTS, st.integers(1, 30))
def test_wrapped_text_is_whole(text: str, width: int) -> None:
    """Nothing is lost at the end of a line, and no line is too long."""
    shown = wrapped(text[:500], width)

    assert all(0 < len(line) <= width for line in shown)
    assert "".join(shown).replace(" ", "") == "".join(wrapped(text[:500], 5000)).replace(" ", "")


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("two words", 9, ["two words"]),
        ("two words", 8, ["two", "words"]),
        ("<access_token#1>", 12, ["<access_", "token#1>"]),
        ("http://127.0.0.1:49152/callback", 14, ["http://", "127.0.0.1:", "49152/callback"]),
        ("verifier[14]", 11, ["verifier", "[14]"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("", 3, []),
    ],
)
def test_words_are_broken_at_their_joints(text: str, width: int, shown: list[str]) -> None:
    """Half a label is still known; a mark alone on a line is, too."""
    assert wrapped(text, width) == shown


def test_columns_get_what_they_need() -> None:
    """Short columns are no wider than their text, so that long ones have the room; too many do not fit."""
    rows = [("a", "some words that need room"), ("bb", "more words of the same kind")]

    assert fitting(rows, 20, least=5) == [2, 16]
    assert fitting(rows, 80, least=5) == [2, 27]
    assert fitting([["aaaaaaaaa"] * 5], 30, least=5) is None
    assert list(grid([("a", "b c"), ("", "d")], [2, 1])) == ["a   b", "    c", "    d"]


def test_hanging_text_stands_below_itself() -> None:
    """Or below the start, where that takes the room."""
    assert list(hanging("- ", "one two three", width=9)) == ["- one two", "  three"]
    assert list(hanging("start: ", "one two", width=9)) == ["start:", "    one", "    two"]
    assert list(hanging("HIGH ", "one two", width=12, indent=2)) == ["HIGH one two"]


def changed(count: int) -> Comparison:
    """A comparison with some new findings, and one that is fixed."""
    new = tuple(
        Change("code", f"finding-{number}", "check", "new", "high", "Title", "Evidence.")
        for number in range(count)
    )
    fixed = Change("ticket", "replay", "attack", "fixed", "low", "Title", "Refused.")
    return replace(
        COMPARISON, changes=Changes("simulate", "demo", 1.0, "0.1.0", (*new, fixed), came=("code",))
    )


def test_changes_come_before_everything_else() -> None:
    """Whoever held it against an earlier run wants to know that first."""
    for shown in (first_screen(changed(1), width=100, colour=False), table(changed(1))):
        assert shown.splitlines()[2:6] == [
            "Findings since the earlier run: 1 new, 1 fixed.",
            "  NEW high finding-0 (code): Evidence.",
            "  FIXED low replay (ticket): Refused.",
            "Not in the earlier run: code.",
        ]


def test_many_changes_leave_room_on_the_first_screen() -> None:
    """The whole list is in the table."""
    assert "  and 23 more" in first_screen(changed(30), width=100, colour=False).splitlines()
    assert table(changed(30)).count("  NEW high") == 30


def test_findings_are_counted_and_not_lines() -> None:
    """One line tells of several runs, and the heading counts each."""
    many = changed(8)
    changes = many.changes
    assert changes is not None
    twice = tuple(replace(one, run=run) for one in changes.findings for run in ("code", "ticket"))
    shown = first_screen(replace(many, changes=replace(changes, findings=twice)), width=100, colour=False)

    assert "Findings since the earlier run: 16 new, 2 fixed." in shown
    assert "  and 2 more" in shown.splitlines()


def test_changes_are_painted() -> None:
    """Red for what is new, green for what is fixed."""
    shown = first_screen(changed(1), width=100, colour=True)

    assert "\x1b[31mNEW\x1b[0m" in shown
    assert "\x1b[32mFIXED\x1b[0m" in shown
