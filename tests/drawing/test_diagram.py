"""Sequence diagrams: what becomes an arrow, in which phase it is, and that nothing covers anything else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from comparison_samples import CODE, TICKET
from hostile_samples import PROPERTY, TEXTS, hostile
from hypothesis import given
from page_reader import page

from loopback_auth.compare.model import Run
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.drawing.arrows import PHASES, Arrow, Phase, arrows
from loopback_auth.drawing.diagram_layout import GUTTER, TITLE, Diagram, Placed, lay_out
from loopback_auth.drawing.spoken import spoken
from loopback_auth.trace.records import Exchange, Party, Step, Trace

AS = "https://as.example"
TRACES = {run.flow: run.trace for run in compare_simulated().runs}

every_flow = pytest.mark.parametrize("flow", TRACES)


def trace(*entries: Step | Exchange) -> Trace:
    """Number some entries."""
    numbered = tuple(replace(entry, number=number) for number, entry in enumerate(entries, 1))
    return Trace("flow", "simulate", "demo", numbered)


def step(name: str, words: str = "") -> Step:
    """Something that is no exchange."""
    return Step(0, 0.0, name, words)


def exchange(
    sender: Party, receiver: Party, name: str, url: str = AS, *, status: int = 200, body: str = ""
) -> Exchange:
    """One request and its answer."""
    return Exchange(0, 0.0, 0.1, sender, receiver, name, "GET", url, status=status, response_body=body)


def poll(status: int = 400, body: str = "") -> Exchange:
    """Ask once whether the person has approved."""
    return exchange("client", "server", "device token request", status=status, body=body)


def phases(shown: Trace) -> dict[str, list[str]]:
    """Return the labels of the arrows by their phases."""
    drawn = arrows(shown)
    return {phase: [arrow.label for arrow in drawn if arrow.phase == phase] for phase in PHASES}


def row_named(label: str, shown: Trace) -> Placed:
    """Return where the first arrow with a label is."""
    [diagram] = lay_out([shown])
    return next(row for band in diagram.bands for row in band.rows if row.arrow.label == label)


def named(label: str, shown: Trace) -> Arrow:
    """Return the first arrow with a label."""
    return next(arrow for arrow in arrows(shown) if arrow.label == label)


def test_code_comes_back_in_the_answer_and_buys_tokens() -> None:
    """The four phases are what a reader is to see first."""
    shown = phases(CODE)

    assert shown["ask"][-1] == "authorization request"
    assert shown["approve"] == ["the person approves"]
    assert shown["answer"] == ["authorization response"]
    assert shown["tokens"] == ["token request", "signed in"]


def test_device_grant_has_no_answer_leg() -> None:
    """The last poll brings the tokens themselves (RFC 8628 §3.5), and the gap is the point of the picture."""
    assert phases(TRACES["device"])["answer"] == []


def test_implicit_grant_has_no_token_request() -> None:
    """The answer holds the token already (RFC 6749 §4.2.2)."""
    shown = phases(TRACES["token"])

    assert "authorization response" in shown["answer"]
    assert not any("token request" in label for label in shown["tokens"])


def test_ticket_is_answered_by_its_last_status() -> None:
    """Nothing comes back through the browser, but the approval is one request and the token another."""
    shown = phases(TRACES["ticket"])

    assert shown["answer"] == ["ticket status request"]
    assert shown["tokens"][0] == "ticket exchange"


def test_page_of_ours_is_asked_for_before_the_server_is() -> None:
    """The start page is no answer, though the browser calls our port for it."""
    assert "start page" in phases(TRACES["code"])["ask"]
    assert "start page" in phases(TRACES["ticket"])["ask"]


def test_repeated_polls_are_one_arrow() -> None:
    """Twenty arrows that say the same would hide the one that differs."""
    pending: list[Step | Exchange] = [step("wait", "Wait 5 s."), poll()]
    shown = trace(
        step("invite"), *pending, *pending, *pending, poll(200, '{"access_token":"<access_token#1>"}')
    )
    drawn = arrows(shown)

    assert [(arrow.phase, arrow.times, arrow.status) for arrow in drawn[1:]] == [
        ("approve", "×3", "400"),  # noqa: RUF001 - a multiplication sign
        ("tokens", "", "200"),
    ]
    assert [len(arrow.entries) for arrow in drawn] == [1, 6, 1]
    assert drawn[1].number == 3


def test_polls_are_not_folded_over_what_happens_between_them() -> None:
    """That the person approved between two polls is what the picture is to show."""
    drawn = arrows(trace(step("invite"), poll(), step("approve"), poll(), poll(200)))

    assert [arrow.label for arrow in drawn[1:4]] == [
        "device token request",
        "approve or deny",
        "device token request",
    ]


def test_waiting_goes_with_the_poll_that_it_was_for() -> None:
    """The browser acts while we wait: the wait is no part of what it does."""
    page = exchange("browser", "server", "device verification page")
    drawn = arrows(trace(step("invite"), step("wait", "Wait 5 s."), page, poll(200)))

    assert [len(arrow.entries) for arrow in drawn] == [1, 1, 2]


def test_waiting_for_nothing_is_shown() -> None:
    """A flow that ended while it waited has waited."""
    drawn = arrows(trace(step("invite"), step("wait", "Wait 5 s.")))

    assert drawn[-1].label == "wait"


def test_phases_are_read_off_the_trace() -> None:
    """A capture may call a code flow anything."""
    shown = trace(
        exchange("browser", "server", "GET /a"),
        exchange("browser", "server", "POST /b"),
        exchange("browser", "client", "GET /cb", "http://127.0.0.1:1/cb?code=<code#1>"),
        exchange("client", "server", "POST /t"),
    )

    assert phases(shown) == {
        "ask": ["GET /a"],
        "approve": ["POST /b"],
        "answer": ["GET /cb"],
        "tokens": ["POST /t"],
    }


def test_fragment_is_carried_though_it_is_not_sent() -> None:
    """The address bar shows it, and that is where the token of the implicit grant is seen."""
    assert "<access_token#1>" in named("authorization response", TRACES["token"]).sent


def test_secrets_that_only_the_answer_had_are_brought() -> None:
    """What was sent along and echoed is no news."""
    arrow = named("ticket exchange", TRACES["ticket"])

    assert (arrow.sent, arrow.received) == (("<ticket#1>",), ("<access_token#1>",))


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (exchange("client", "server", "token request", status=0), "no response"),
        (replace(exchange("browser", "server", "page", status=0), observed=False), "not observed"),
        (step("bind"), ""),
    ],
)
def test_what_was_not_answered_is_told_from_what_was_not_seen(entry: Step | Exchange, status: str) -> None:
    """Silence of a server and our not looking are two things."""
    [arrow] = arrows(trace(entry))

    assert arrow.status == status


@every_flow
def test_every_entry_is_in_one_arrow(flow: str) -> None:
    """The table refers to entries by number: each has to be found."""
    drawn = arrows(TRACES[flow])
    numbers = [entry.number for arrow in drawn for entry in arrow.entries]

    assert sorted(numbers) == [entry.number for entry in TRACES[flow].entries]
    assert len({arrow.number for arrow in drawn}) == len(drawn)


@every_flow
def test_phases_never_go_back(flow: str) -> None:
    """A diagram is read from top to bottom."""
    order = [PHASES.index(arrow.phase) for arrow in arrows(TRACES[flow])]

    assert order == sorted(order)


@PROPERTY
@given(TEXTS)
def test_any_trace_can_be_drawn(text: str) -> None:
    """Traces may be somebody's capture, with names that nobody has thought of."""
    runs = hostile(text).runs
    for run, diagram in zip(runs, lay_out([run.trace for run in runs]), strict=True):
        drawn = [entry for arrow in diagram.arrows for entry in arrow.entries]

        assert sorted(drawn, key=lambda entry: entry.number) == list(run.trace.entries)


def test_phases_begin_at_the_same_height() -> None:
    """Beside each other is where the flows can be compared."""
    diagrams = lay_out(list(TRACES.values()))

    assert len({tuple((band.phase, band.top, band.height) for band in each.bands) for each in diagrams}) == 1
    assert len({(each.width, each.height) for each in diagrams}) == 1


def tops(diagram: Diagram) -> dict[tuple[Phase, str], list[float]]:
    """Return where the steps of each name stand, phase by phase."""
    found: dict[tuple[Phase, str], list[float]] = {}
    for band in diagram.bands:
        for row in band.rows:
            found.setdefault((band.phase, row.arrow.label), []).append(row.top)
    return found


def test_common_steps_stand_at_one_height() -> None:
    """Who looks across sees what flows have in common, and what one of them has alone."""
    simulated = list(TRACES.values())
    placed = [tops(diagram) for diagram in lay_out(simulated)]
    for step in (
        ("ask", "authorization request"),
        ("approve", "the user approves"),
        ("answer", "authorization response"),
        ("tokens", "signed in"),
    ):
        assert len({tuple(each[step]) for each in placed if step in each}) == 1, step


def test_steps_of_one_flow_take_no_room_from_others() -> None:
    """What they have in common would be torn apart by every step that only one has."""
    alone = trace(*(exchange("client", "server", f"own {number}", f"{AS}{number}") for number in range(3)))
    other = trace(*(exchange("client", "server", f"else {number}", f"{AS}{number}") for number in range(3)))
    both, one = lay_out([alone, other]), lay_out([alone])

    assert both[0].height == one[0].height


def rows_fit(diagram: Diagram) -> bool:
    """Return whether the rows follow each other inside of their bands."""
    return all(
        all(one.top + one.height <= next_one.top + 0.01 for one, next_one in pairwise(band.rows))
        and all(band.top + TITLE <= row.top for row in band.rows)
        and all(row.top + row.height <= band.top + band.height for row in band.rows)
        for band in diagram.bands
    )


def test_nothing_stands_on_anything_else() -> None:
    """Two labels in one place can be read by nobody."""
    for diagram in lay_out(list(TRACES.values())):
        assert rows_fit(diagram)
        for row in (row for band in diagram.bands for row in band.rows):
            boxes = sorted((cargo.y, cargo.x, cargo.x + cargo.width) for cargo in row.cargo)

            assert all(one[0] < other[0] or one[2] < other[1] for one, other in pairwise(boxes))
            assert all(left >= 0 and right <= diagram.width for _, left, right in boxes)
            assert all(row.top < top and top + 12 <= row.top + row.height for top, _, _ in boxes)


@pytest.mark.parametrize(
    "label",
    [
        "pushed authorization request",
        "the user approves",
        "a sentence that is longer than there is room for it",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
        "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 30,
    ],
)
def test_label_covers_no_number_and_stays_in_its_column(label: str) -> None:
    """Numbers are on the left, and the column of another flow is on the right."""
    ends: tuple[tuple[Party, Party], ...] = (
        ("person", "browser"),
        ("client", "server"),
        ("client", "client"),
    )
    for sender, receiver in ends:
        [diagram] = lay_out([trace(exchange(sender, receiver, label))])
        [row] = [row for band in diagram.bands for row in band.rows]
        # Most of a line is text of the label's size, and letters are half as wide as they are high or more.
        half = len(f"{row.label} {row.arrow.status}") * 11.25 * 0.45 / 2

        assert row.label.rstrip("…") == label[: len(row.label.rstrip("…"))]
        assert row.label_x - half >= GUTTER - 8
        assert row.label_x + half <= diagram.width + 8


def test_label_is_cut_only_where_it_does_not_fit() -> None:
    """The names of the specifications are what a reader searches for."""
    for diagram in lay_out(list(TRACES.values())):
        rows = [row for band in diagram.bands for row in band.rows]

        assert [row.label for row in rows if row.arrow.status != "no response"] == [
            row.arrow.label for row in rows if row.arrow.status != "no response"
        ]


def test_bands_follow_each_other() -> None:
    """From the top to the end there is no gap."""
    [diagram] = lay_out([CODE])
    ends = [band.top + band.height for band in diagram.bands]

    assert [0.0, *ends[:-1]] == pytest.approx([band.top for band in diagram.bands])
    assert ends[-1] == pytest.approx(diagram.height)


def test_stranger_has_a_lane_only_where_there_was_one() -> None:
    """An empty lane would say that somebody was there."""
    stranger = trace(exchange("stranger", "client", "forged callback"))

    assert lay_out([CODE])[0].lanes == ("person", "browser", "client", "server")
    assert lay_out([CODE, stranger])[0].lanes == ("person", "browser", "client", "server", "stranger")


def test_secret_that_is_missing_without_a_defence_is_shown_as_missing() -> None:
    """A gap is not seen; what is struck through is."""
    whole = trace(
        exchange("client", "server", "token request", body=""),
        replace(
            exchange("client", "server", "token request", f"{AS}/2"), request_body="<code#1><code_verifier#1>"
        ),
    )
    bare = trace(
        exchange("client", "server", "token request", body=""),
        replace(exchange("client", "server", "token request", f"{AS}/2"), request_body="<code#2>"),
        exchange("client", "server", "another request"),
    )
    [_, twin] = lay_out([whole, bare], {1: 0})
    [first, second, other] = [row for band in twin.bands for row in band.rows]

    assert [(one.label, one.lost) for one in second.cargo] == [
        ("<code#2>", False),
        ("<code_verifier#1>", True),
    ]
    assert not any(one.lost for row in (first, other) for one in row.cargo)
    assert "It lacks code_verifier." in spoken(second)


def test_arrows_are_said_in_words() -> None:
    """Whoever cannot see the drawing hears who asks whom for what, and what that brings."""
    assert spoken(row_named("token request", CODE)) == (
        "6 token request 200 code code_verifier access_token."
        " Program to Server: POST https://as.example/token. The response has access_token."
    )


def test_steps_are_said_in_words() -> None:
    """The sentence of a step says more than its label."""
    words = spoken(row_named("open the start page in a browser", CODE))

    assert words == "2 open the start page in a browser. Open the start page in a browser."


def drawing(shown: Trace) -> str:
    """Draw one trace, beside another one."""
    whole = page(Run("flow", "signed in", shown), Run("code", "signed in", CODE))
    return whole.partition('<div class="diagram"')[2].partition("</figure>")[0]


def test_empty_phase_says_so() -> None:
    """A gap could be taken for a fault of the drawing."""
    assert "no response" in drawing(TRACES["device"])


def test_phase_that_was_never_reached_is_no_empty_phase() -> None:
    """A flow that failed before the tokens has shown nothing about how they come."""
    shown = drawing(TICKET)

    assert "not reached" in shown
    assert "no token request" not in shown


def test_nothing_happened_is_drawn_too() -> None:
    """A flow that is not possible here has a trace without entries."""
    assert drawing(trace()).count("not reached") == len(PHASES)
