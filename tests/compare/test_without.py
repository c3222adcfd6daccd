"""`--without`: which twins are put beside a flow, and what is said about them."""

from __future__ import annotations

import json

import pytest
from costs import calls
from jsonschema import Draft202012Validator

from loopback_auth.compare.drawing.document import json_text
from loopback_auth.compare.drawing.outputs import FORMS, render
from loopback_auth.compare.drawing.overview import heading
from loopback_auth.compare.drawing.schema import schema
from loopback_auth.compare.model import FORM_POST, Cell, Comparison, Run
from loopback_auth.compare.running.choices import demo_client
from loopback_auth.compare.running.simulate import ISSUER, simulate
from loopback_auth.compare.twins.defences import BY_DEFENCE, DEFENCES, LESSON, defences_of
from loopback_auth.compare.twins.results import GROUP
from loopback_auth.compare.twins.without import compare_without, twins
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import COMPARED
from loopback_auth.tokens import SignIn
from loopback_auth.trace.evidence import authorization_request, first_exchange
from loopback_auth.trace.reading import parameters_sent

SEEN = {
    "pkce": "pkce-s256",
    "s256": "pkce-s256",
    "state": "state-returned",
    "nonce": "nonce-with-openid",
    "form_post": "form-post-used",
}
"""The check that sees in the trace what a twin goes without."""
TOGETHER = ["code without pkce+nonce", "code without pkce+state+nonce"]


@pytest.fixture(scope="module")
def lesson() -> Comparison:
    """What `--without` shows when nothing is named."""
    return compare_without(twins(""))


@pytest.fixture(scope="module")
def everything() -> Comparison:
    """Every defence on the flow that shows it best."""
    return compare_without(twins("all"))


def titles(text: str, *flows: str) -> list[str]:
    """Return the columns for a value of `--without`."""
    return [twin.title for twin in twins(text, flows)]


def cells(comparison: Comparison, row: str) -> dict[str, Cell]:
    """Return a row by the titles of its columns."""
    found = next(one for one in comparison.rows if one.id == row)
    return {run.title: cell for run, cell in zip(comparison.runs, found.cells, strict=True)}


def run_of(comparison: Comparison, title: str) -> Run:
    """Return a column."""
    return next(run for run in comparison.runs if run.title == title)


def test_lesson_has_the_seven_defences_and_those_that_overlap() -> None:
    """Twelve columns: each flow, its twins, and where one alone would change nothing, twins without more."""
    columns = titles("")

    assert columns[:7] == [
        "code",
        *(f"code without {name}" for name in LESSON if name != "form_post"),
    ]
    assert sorted(columns[7:9]) == TOGETHER
    assert columns[9:] == [
        FORM_POST,
        f"{FORM_POST} without form_post",
        f"{FORM_POST} without pkce+form_post",
    ]


def test_every_defence_is_shown_with_all() -> None:
    """On the flow that it is shown on, alone."""
    shown = {(twin.flow, *(one.name for one in twin.left_out)) for twin in twins("all")}

    assert {(one.shown_on, one.name) for one in DEFENCES} <= shown
    assert set(titles("all pkce+state")) == {*titles("all"), "code without pkce+state"}


@pytest.mark.parametrize(
    ("text", "flows", "columns"),
    [
        ("pkce", ("token", "code"), ["token", "code", "code without pkce"]),
        ("state, pkce", ("code",), ["code", "code without state", "code without pkce"]),
        ("state+pkce", (), ["code", "code without pkce+state"]),
        ("pkce+state+pkce pkce+state", (), ["code", "code without pkce+state"]),
        (
            "pkce nonce",
            ("code",),
            ["code", *(f"code without {one}" for one in ("pkce", "nonce", "pkce+nonce"))],
        ),
        ("dpop", (), ["code + dpop", "code + dpop without dpop"]),
        ("all", ("device",), ["device", *(f"device without {one.name}" for one in defences_of("device"))]),
        (",", ("paste",), ["paste", *titles("pkce,state,iss,nonce", "paste")[1:]]),
    ],
)
def test_twins_are_those_that_were_named(text: str, flows: tuple[str, ...], columns: list[str]) -> None:
    """Each once, beside its flow; the order in which a set is named does not matter."""
    assert titles(text, *flows) == columns


@pytest.mark.parametrize(
    ("text", "flows", "hint"),
    [
        ("pkcee", (), "pkce"),
        ("state+PKCE", (), "pkce"),
        ("code", (), "pkce-enforced"),
        ("pkce+", (), "dpop"),
        ("x" * 10_000, (), "dpop"),
        ("\x1b[31m", (), "dpop"),
        ("all,pkcee", (), "pkce"),
        ("all+pkce", (), "dpop"),
        ("pkce,dpop", ("code",), "code + dpop"),
        ("nonce+user-code-limit", (), "apart"),
        ("form_post", ("token", "ticket"), FORM_POST),
        ("", ("id_token",), "code"),
    ],
)
def test_what_cannot_be_left_out_is_refused(text: str, flows: tuple[str, ...], hint: str) -> None:
    """The hint names what was meant, or where there is such a defence."""
    with pytest.raises(ConfigError) as refused:
        twins(text, flows)

    assert hint in refused.value.hint
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("flow", COMPARED)
def test_every_twin_signs_in(flow: str) -> None:
    """Nobody notices what is missing, until an attacker comes."""
    columns = twins("all", [flow])
    ends = {
        one.title: simulate(
            one.choice(flow, demo_client(ISSUER, openid=True)), one.world(flow, one.server(ISSUER))
        )[1]
        for one in columns
    }

    assert [title for title, end in ends.items() if not isinstance(end, SignIn)] == []
    assert len(ends) == len(columns) > len(defences_of(flow))


def test_what_is_left_out_is_not_in_the_trace(everything: Comparison) -> None:
    """And everything else is, as in the whole flow."""

    def sent(title: str) -> set[str]:
        trace = run_of(everything, title).trace
        message, exchange = authorization_request(trace), first_exchange(trace, "token request")
        assert message is not None
        assert exchange is not None
        return {*message.parameters, *dict(parameters_sent(exchange))}

    whole = sent("code")

    assert whole - sent("code without pkce") == {"code_challenge", "code_challenge_method", "code_verifier"}
    assert whole - sent("code without state") == {"state"}
    assert whole - sent("code without nonce") == {"nonce"}
    assert sent("resource") - sent("resource without resource") == {"resource"}
    assert sent(FORM_POST) - sent(f"{FORM_POST} without form_post") == {"response_mode"}
    assert whole == sent("code without iss")


@pytest.mark.parametrize(("name", "check"), SEEN.items())
def test_checks_see_what_is_left_out(everything: Comparison, name: str, check: str) -> None:
    """A reader of the trace can find it without any attack."""
    flow = BY_DEFENCE[name].shown_on
    verdicts = [
        next(one.verdict for one in run_of(everything, title).findings if one.id == check)
        for title in (flow, f"{flow} without {name}")
    ]

    assert verdicts == ["pass", "fail"]


def test_rows_say_what_each_defence_stops(lesson: Comparison) -> None:
    """They come first, and every renderer draws rows."""
    assert [row.id for row in lesson.rows if row.group == GROUP] == [row.id for row in lesson.rows[:3]]
    assert cells(lesson, "lets-through")["code"].text == "none"
    assert cells(lesson, "lets-through")["code without iss"] == Cell("mix-up", "tried")
    assert "injected-code (nonce)" in cells(lesson, "still-stopped")["code without pkce"].text
    assert "fixation" in cells(lesson, "lets-through")["code without pkce+state+nonce"].text
    assert cells(lesson, "status")["code without pkce"].text == "not to be used"
    assert cells(lesson, "status")["code"].text != "not to be used"
    assert "RFC 9207 §2.4" in cells(lesson, "left-out")["code without iss"].source


def test_a_twin_is_never_advised(everything: Comparison) -> None:
    """Not even one to which nothing more succeeds; and the conclusion about the whole flow is its own."""
    advice = {one.run: one.advice for one in everything.conclusions}

    assert {advice[run.title] for run in everything.runs if run.name} == {"avoid"}
    assert advice["code"] == "use"
    assert {one.run for one in everything.places} <= set(COMPARED) | {""}
    assert any(one.run for one in everything.places)


def test_conclusion_names_the_clause_and_what_still_stops_the_rest(lesson: Comparison) -> None:
    """So the first screen is the lesson."""
    told = {
        one.run: " ".join((one.sentence, *(each.text for each in one.reasons))) for one in lesson.conclusions
    }

    assert "RFC 7636 §1" in told["code without pkce"]
    assert "stolen-code" in told["code without pkce"]
    assert "Still stopped by the nonce: injected-code" in told["code without pkce"]
    assert "no further attack" in told[f"{FORM_POST} without form_post"]
    assert "Still stopped by PKCE: history" in told[f"{FORM_POST} without form_post"]
    assert "stolen-code" not in told["code without pkce+state+nonce"]


def test_lesson_is_the_same_each_time(lesson: Comparison) -> None:
    """In memory, so that two reports can be held against each other."""
    assert compare_without(twins("")) == lesson
    assert lesson.ground == "simulate"


@pytest.mark.usefixtures("lesson")
def test_lesson_is_soon_there() -> None:
    """It takes 5.5 million calls and less than a second; calls are counted, for a machine may be busy."""
    assert calls(lambda: compare_without(twins(""))) < 8_000_000


@pytest.mark.parametrize("ending", FORMS)
def test_every_renderer_draws_twins(lesson: Comparison, ending: str) -> None:
    """Their titles are the columns."""
    assert "code without pkce" in render(lesson, ending)


def test_heading_counts_twins_apart(lesson: Comparison) -> None:
    """A reader who sees two flows is not to look for twelve."""
    assert heading(lesson) == "2 flows and 10 twins with demo, simulated in memory"
    assert heading(compare_without(twins("dpop"))).startswith("1 flow and 1 twin with")


def test_document_follows_the_schema(everything: Comparison) -> None:
    """A twin has a name of its own, and the flow by which it is known."""
    document = json.loads(json_text(everything))

    assert list(Draft202012Validator(schema()).iter_errors(document)) == []
    assert ("code without pkce", "code") in {(run["name"], run["flow"]) for run in document["runs"]}


def test_secrets_stay_when_they_are_asked_for() -> None:
    """With labels nobody could try a request again."""
    [_, run] = compare_without(twins("s256"), secrets=True).runs

    assert "<code" not in repr(run.trace)
