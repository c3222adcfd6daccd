"""The page of a comparison: well formed, of one piece, the same for everybody, and no stranger's to steer."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest
from comparison_samples import CODE, COMPARISON
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import example, given
from page_reader import ROOMS, Reader, asset, drawn, harmless, page, policy, section, source_of

from loopback_auth.compare.drawing.report import SCRIPTS, STYLES, report
from loopback_auth.compare.model import Cell, Comparison, Finding, Outcome, Row, Run
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.drawing.page import AS_THEY_ARE, LABELLED
from loopback_auth.flow_table import BY_NAME
from loopback_auth.trace.records import Exchange, Step, Trace

REFERENCES = ("aria-labelledby", "aria-controls", "aria-describedby", "for")


@cache
def simulated() -> Comparison:
    """Compare all flows, once."""
    return compare_simulated()


PAGES = {"simulated": simulated(), "by hand": COMPARISON}
every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_page_is_well_formed_and_its_names_are_unique(name: str) -> None:
    """A browser repairs what is broken, each in its own way."""
    ids = Counter(Reader(report(PAGES[name])).values("id"))

    assert [one for one, times in ids.items() if times > 1] == []


@every_page
def test_every_reference_within_the_page_leads_somewhere(name: str) -> None:
    """A name that a screen reader cannot resolve is no name."""
    reader = Reader(report(PAGES[name]))
    wanted = {one[1:] for one in reader.values("href") if one.startswith("#")}
    wanted |= {one for attribute in REFERENCES for value in reader.values(attribute) for one in value.split()}

    assert wanted
    assert wanted <= set(reader.values("id"))


@every_page
def test_page_loads_nothing(name: str) -> None:
    """It is sent around, opened from disk, and shown where there is no network."""
    assert harmless(Reader(report(PAGES[name])), asset(*STYLES), asset(*SCRIPTS))


def test_page_grows_little_with_each_column() -> None:
    """It is sent around by mail, and opened on telephones."""
    whole = simulated()

    assert len(report(whole)) < 64_000 * len(whole.runs)


@pytest.mark.slow
@PROPERTY
@given(TEXTS)
@example("word")
def test_no_text_becomes_markup(text: str) -> None:
    """Servers, and whoever made a capture, write into this page."""
    html = report(hostile(text))
    html.encode("utf-8")

    assert harmless(Reader(html), asset(*STYLES), asset(*SCRIPTS))


@pytest.mark.slow
@PROPERTY
@given(TEXTS)
def test_pages_of_strangers_keep_their_names_unique(text: str) -> None:
    """Two of the same name, and a link leads to the wrong one."""
    reader = Reader(report(hostile(text)))
    ids = reader.values("id")

    assert len(set(ids)) == len(ids)
    assert {one[1:] for one in reader.values("href") if one.startswith("#")} <= set(ids)


@pytest.mark.parametrize("text", ["<b>&amp;\"'</b>", "</script><script>alert(1)</script>", "$title ${style}"])
def test_hostile_text_is_still_shown(text: str) -> None:
    """Escaping must not eat the text, or the reader sees a hole in the evidence."""
    assert text in Reader(report(hostile(text))).words


def test_invisible_characters_are_not_shown() -> None:
    """An override of the writing direction can make an address read as another (UTR 36 §3)."""
    words = Reader(report(hostile("a\u202eb\x1b[31m"))).words

    assert not {"\u202e", "\x1b"} & set(words)


@every_page
def test_policy_allows_exactly_what_is_inlined(name: str) -> None:
    """A hash that does not fit leaves the page unstyled, a wider source lets injected code run."""
    reader = Reader(report(PAGES[name]))

    assert policy(reader) == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "style-src": source_of(reader.inline["style"]),
        "script-src": source_of(reader.inline["script"]),
    }


def test_policy_comes_before_everything_that_it_is_for() -> None:
    """A policy in a page holds for what comes after it."""
    tags = [tag for tag, _ in Reader(report(COMPARISON)).elements]

    assert tags[:4] == ["html", "head", "meta", "meta"]


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_files_are_those_that_are_used_and_load_nothing(room: Traversable) -> None:
    """A forgotten file is shipped for ever; an import in the stylesheet would be a request."""
    present = {item.name for item in room.iterdir() if item.name.endswith((".html", ".css", ".js"))}
    sources = [path for folder in ROOMS for path in Path(str(folder)).iterdir() if path.is_file()]
    used = {
        name
        for path in sources
        for name in re.findall(r'"(?:drawing/)?(\w+\.(?:html|css|js))"', path.read_text("utf-8"))
    }

    assert present <= used
    for name in present:
        assert not re.search(
            r"https?:|url\(|@import|innerHTML|\beval\b", room.joinpath(name).read_text("utf-8")
        ), name


def test_page_says_where_and_when_it_was_made() -> None:
    """A report without its origin proves nothing."""
    words = Reader(report(replace(COMPARISON, provider="demo"))).words

    assert "Two ways to sign\N{NO-BREAK SPACE}in, side by side" in words
    assert "Demonstration server" in words
    assert "simulated in memory" in words
    assert "loopback_auth 0.1.0" in words


def test_one_flow_is_not_beside_itself() -> None:
    """The same page explains a single sign-in."""
    words = Reader(page(COMPARISON.runs[0])).words

    assert "One way to sign\N{NO-BREAK SPACE}in" in words
    assert "side by side" not in words.split("Conclusions")[0]


@pytest.mark.parametrize(
    ("comparison", "command"),
    [
        (simulated(), "--simulate -o report.html"),
        (COMPARISON, "--flows code,ticket --simulate -o report.html"),
        (replace(COMPARISON, ground="demo"), "--flows code,ticket -o report.html"),
        (replace(simulated(), ground="live"), "demo --client-id ID --live -o report.html"),
    ],
)
def test_command_can_be_copied(comparison: Comparison, command: str) -> None:
    """Whoever doubts the page runs it again."""
    assert f"<code>loopback-auth compare {command}</code>" in report(comparison)


def test_command_is_one_command_whatever_a_flow_is_called() -> None:
    """It is made to be pasted into a shell."""
    shown = page(replace(COMPARISON.runs[0], flow="x; rm -rf ~"))

    assert "--flows &#39;x; rm -rf ~&#39; --simulate" in shown


def test_every_exchange_is_written_out_without_a_script() -> None:
    """What the script shows at an arrow, everybody can open below."""
    html = report(COMPARISON)
    details = section(html, "exchanges") + "".join(html.split('<section class="recorded">')[1:])

    for run in COMPARISON.runs:
        for exchange in run.trace.exchanges():
            assert exchange.step in details
            assert drawn("marked", exchange.url.split("?")[0]) in details
        for step in (entry for entry in run.trace.entries if isinstance(entry, Step)):
            assert drawn("rich", step.words) in details


def test_arrows_can_be_reached_and_have_names() -> None:
    """Pointing at them is not the only way."""
    reader = Reader(report(simulated()))
    arrows = reader.with_class("arrow")
    entries = {held["id"] for tag, held in reader.elements if tag == "details" and "id" in held}

    assert len(arrows) > 50
    assert {arrow["href"][1:] for arrow in arrows} == entries
    assert all(
        arrow["tabindex"] == "0" and arrow["role"] == "link" and arrow["aria-label"] for arrow in arrows
    )


def test_secret_has_one_colour_wherever_it_is() -> None:
    """The eye follows the colour, and the text says the same."""
    reader = Reader(report(simulated()))
    colours: dict[str, set[str]] = {}
    for _, held in reader.elements:
        if "data-secret" in held:
            colours.setdefault(held["data-secret"], set()).update(re.findall(r"\bc\d\b", held["class"]))

    assert {"code#1", "access_token#1", "ticket#1"} <= colours.keys()
    assert all(len(found) == 1 for found in colours.values())


def test_secrets_are_labels_in_text_too() -> None:
    """Never colour alone."""
    assert ">&lt;code#1&gt;</span>" in report(COMPARISON)


@pytest.mark.parametrize("basis", ["observed", "tried", "known", "not observed"])
def test_basis_is_said_in_words(basis: str) -> None:
    """The sign is for those who see it."""
    html = report(COMPARISON)

    assert f"{basis.capitalize()}</dt>" in html
    cells = tuple(
        Cell("so", each) for each in ("observed", "tried", "known", "not observed") if each == basis
    )
    shown = page(COMPARISON.runs[0], rows=(Row("id", "Title", "Group", cells),))
    assert f'<span class="vh">{basis}: </span>so' in shown


def test_what_was_not_observed_is_not_said_twice() -> None:
    """Such a cell has no other words, and they are for all to see."""
    rows = (Row("id", "Title", "Group", (Cell("not observed", "not observed"),)),)

    assert "</svg>not observed</td>" in page(COMPARISON.runs[0], rows=rows)


def test_simulation_has_no_date() -> None:
    """Its clock is part of it, so that the page would be years old."""
    assert not re.search(r"<time|UTC|2023", section_of_origin(report(COMPARISON)))
    assert "2023-11-14 22:13 UTC" in section_of_origin(report(replace(COMPARISON, ground="live")))


def section_of_origin(html: str) -> str:
    """Cut out what the page says about where it is from."""
    return html.partition('<div class="origin">')[2].partition("</header>")[0]


def test_polls_that_look_alike_are_written_out_once() -> None:
    """What repeats itself is told by its times, and the waits between go with it."""
    wait = Step(0, 1.0, "wait", "Wait 5 s.")
    ask = replace(next(CODE.exchanges("client", "server")), step="device token request", status=400, at=6.0)
    entries: tuple[Step | Exchange, ...] = (
        wait,
        ask,
        wait,
        replace(ask, at=11.0),
        wait,
        replace(ask, at=16.0, response_body="{}"),
    )
    numbered = tuple(replace(entry, number=number) for number, entry in enumerate(entries, 1))
    run = Run("device", "signed in", Trace("device", "simulate", "demo", numbered))
    shown, last = page(run).partition('id="exchanges"')[2].split("<details ")[1:]

    assert shown.count("<h4>Request</h4>") == 1
    assert "at 6.00 s, at 11.00 s · took 30 ms" in shown
    assert '<p class="waits">Wait 5 s. (2 times)</p>' in shown
    assert "at 16.00 s" in last


def test_cells_lead_to_their_evidence() -> None:
    """A claim that can be followed to the exchange behind it needs no trust."""
    html = section(report(COMPARISON), "properties")

    assert '<a href="#code/5" aria-label="step 5 of code">5</a>' in html
    assert 'href="https://www.rfc-editor.org/rfc/rfc9700#section-4.3.1"' in html


def test_evidence_that_is_not_there_is_not_linked() -> None:
    """A number that no entry has would lead nowhere."""
    rows = (Row("id", "Title", "Group", (Cell("so", "observed", "", (99, 5)),)),)

    assert 'step <a href="#code/5"' in page(COMPARISON.runs[0], rows=rows)


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "step 1"), (5, "steps 1, 2, 3, 4, 5"), (6, "steps 1, 2, 3 and 3 more")],
)
def test_steps_are_counted_only_where_that_is_shorter(count: int, words: str) -> None:
    """The count of the others takes the room of a number, and cannot be followed."""
    numbers = range(1, count + 1)
    links = [(f"code/{number}", number) for number in numbers]
    shown = drawn("steps", links, "code", file="report_macros.html")

    assert Reader(shown).words == f" {words}"


def test_cards_say_what_a_flow_is() -> None:
    """Whoever has to choose one may never have met it; of a stranger's flow nothing is known."""
    cards = section(report(simulated()), "overview")

    assert all(BY_NAME[run.flow].summary in cards for run in simulated().runs)
    assert 'class="short"' not in page(replace(COMPARISON.runs[0], flow="something else"))


def test_order_of_the_calls_is_left_to_the_diagrams() -> None:
    """A paragraph in a narrow column says what the drawing shows, and is read by nobody."""
    shown = section(report(simulated()), "properties")

    [order] = [row for row in simulated().rows if row.id == "order"]
    assert order.title not in shown


def test_source_of_a_whole_row_is_said_once() -> None:
    """Six times the same clause is noise."""
    cells = (Cell("a", "known", "RFC 8252 §7.3"), Cell("b", "known", "RFC 8252 §7.3"))
    html = section(report(replace(COMPARISON, rows=(Row("id", "Title", "Group", cells),))), "properties")

    assert html.count("rfc8252") == 1


def test_table_has_groups_and_headers() -> None:
    """Without them a screen reader reads numbers without meaning."""
    reader = Reader(section(report(COMPARISON), "properties").partition(">")[2])
    scopes = Counter(held["scope"] for tag, held in reader.elements if tag == "th")

    assert scopes == {"col": 1 + len(COMPARISON.runs), "rowgroup": 2, "row": 2}
    assert ("caption", {"class": "vh"}) in reader.elements


def test_flow_that_did_not_run_has_its_reason() -> None:
    """Not every provider can do everything, and that is an answer too."""
    empty = Run(
        "device", "not possible", Trace("device", "simulate", "demo", ()), reason="No endpoint <here>."
    )
    shown = page(empty, COMPARISON.runs[0])

    assert "Not possible" in shown
    assert "No endpoint &lt;here&gt;." in shown
    assert "Nothing was recorded." in shown.partition('id="exchanges"')[2]


@pytest.mark.parametrize(
    ("outcome", "said"), [("signed in", "none"), ("not possible", "not checked"), ("failed", "not checked")]
)
def test_nothing_found_where_nothing_was_checked_is_not_praised(outcome: Outcome, said: str) -> None:
    """A flow that was not possible shows no fault because it shows nothing."""
    passed = Finding("pkce", "high", "PKCE with S256", "pass", "S256 was sent.", "RFC 7636 §4.2")
    run = Run("code", outcome, Trace("code", "simulate", "demo", ()), findings=(passed,))
    shown = page(run).partition("<dt>Worst finding</dt>")[2].partition("</dd>")[0]

    assert re.sub("<[^>]*>", "", shown).endswith(said)


@pytest.mark.slow
def test_samples_of_hostile_text_are_all_drawn() -> None:
    """Each of them by itself, so that none depends on luck."""
    assert all(harmless(Reader(report(hostile(text))), asset(*STYLES), asset(*SCRIPTS)) for text in HOSTILE)


def test_page_with_secrets_says_so() -> None:
    """Whoever passes it on has to know what is in it."""
    raw = report(compare_simulated(["code"], secrets=True))
    harmless = report(compare_simulated(["code"]))

    assert (AS_THEY_ARE in raw, LABELLED in raw) == (True, False)
    assert (AS_THEY_ARE in harmless, LABELLED in harmless) == (False, True)
