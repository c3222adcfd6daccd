"""Diagrams in Mermaid: who asks whom, what is carried along, and that no text can be anything but text.

That Mermaid itself understands and draws them is for `tests/browser`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from comparison_samples import CODE, COMPARISON, TICKET
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given

from loopback_auth.compare.drawing.outputs import render
from loopback_auth.drawing.mermaid import mermaid
from loopback_auth.trace.records import Exchange, Step, Trace

NAME = "(?:User|Browser|Program|Server|Stranger)"
TEXT = r"(?:[\w .,/:?=()'+*!@§…×-]|#\d+;|<br/>)*"  # noqa: RUF001 - a multiplication sign
LINE = re.compile(
    rf"sequenceDiagram|    (?:actor|participant) {NAME}"
    rf"|    (?:    )?(?:{NAME}(?:->>|-->>|-\)|-x){NAME}|Note over {NAME}(?:,{NAME})?): {TEXT}"
    r"|    loop \d+ times|    end"
)
POLL = next(TICKET.exchanges("client", "server"))


def trace(*entries: Step | Exchange) -> Trace:
    """A trace of these."""
    return replace(CODE, entries=entries)


def drawn(*entries: Step | Exchange) -> list[str]:
    """The lines of a diagram behind its heading."""
    return [line.strip() for line in mermaid(trace(*entries)).splitlines()[5:]]


def test_sign_in_is_drawn_in_order() -> None:
    """Requests are arrows there and back; steps are arrows or notes; numbers are those of the trace."""
    shown = mermaid(CODE).splitlines()

    assert shown[:5] == [
        "sequenceDiagram",
        "    actor User",
        "    participant Browser",
        "    participant Program",
        "    participant Server",
    ]
    assert [re.sub(r": .*", "", line.strip()) for line in shown[5:]] == [
        "Note over Program",
        "Program->>Browser",
        "Browser->>Server",
        "Server-->>Browser",
        "User->>Browser",
        "Browser->>Program",
        "Program-->>Browser",
        "Program->>Server",
        "Server-->>Program",
        "Note over Program",
    ]
    assert shown[12] == (
        "    Program->>Server: 6 token request<br/>POST /token"
        "<br/>with #60;code#35;1#62;, #60;code_verifier#35;1#62;"
    )
    assert shown[13] == "    Server-->>Program: 200<br/>with #60;access_token#35;1#62;"


def test_redirect_names_its_target() -> None:
    """Where the browser is sent to, without the parameters."""
    location = (("Location", "http://127.0.0.1:1/c?code=<code#1>"),)

    assert drawn(replace(POLL, status=302, response_headers=location, response_body=""))[1] == (
        "Server-->>Program: 302 to http://127.0.0.1:1/c<br/>with #60;code#35;1#62;"
    )


def test_fragment_is_a_note_at_the_browser() -> None:
    """It is in the address bar and in no request."""
    callback = Exchange(
        1,
        0,
        0,
        "browser",
        "client",
        "x",
        "GET",
        "http://a/c",
        status=200,
        address="http://a/c#t=<access_token#1>",
    )

    assert drawn(callback)[2] == "Note over Browser: address bar<br/>with #60;access_token#35;1#62;"


def test_unobserved_and_unanswered_are_other_arrows() -> None:
    """What nobody saw gets no answer drawn; what was not answered says so."""
    assert drawn(replace(POLL, observed=False)) == [
        "Program-)Server: 1 ticket request<br/>POST /api/v1/oauth/tickets<br/>(not observed)"
    ]
    assert drawn(replace(POLL, status=0)) == [
        "Program-xServer: 1 ticket request<br/>POST /api/v1/oauth/tickets<br/>(no answer)"
    ]


def test_repetition_is_drawn_once() -> None:
    """Forty polls are one arrow and a number."""
    polls = [replace(POLL, number=number) for number in (1, 2, 3)]
    wait = Step(0, 0, "wait", "Wait.")

    assert [line.split(":")[0] for line in drawn(*polls)] == [
        "loop 3 times",
        "Program->>Server",
        "Server-->>Program",
        "end",
    ]
    assert [line.split(":")[0] for line in drawn(wait, POLL, wait, POLL, replace(POLL, status=500))] == [
        "loop 2 times",
        "Note over Program",
        "Program->>Server",
        "Server-->>Program",
        "end",
        "Program->>Server",
        "Server-->>Program",
    ]


def test_stranger_is_there_only_when_one_came() -> None:
    """Else everybody would look for what it did."""
    stranger = replace(POLL, sender="stranger", receiver="client")

    assert "Stranger" not in mermaid(CODE)
    assert "    participant Stranger\n" in mermaid(trace(stranger))


def test_one_file_holds_all_flows() -> None:
    """Below each other, each under its name and outcome."""
    shown = render(COMPARISON, ".mmd")

    assert shown.count("sequenceDiagram") == 1
    assert "\n    Note over User,Server: code: signed in\n" in shown
    assert "\n    Note over User,Server: ticket: refused\n" in shown


def test_long_texts_are_broken_and_cut() -> None:
    """A wide note would make the whole diagram unreadable."""
    (note,) = drawn(Step(1, 0, "warn", "word " * 100))

    assert max(map(len, note.split("<br/>"))) < 70
    assert len(note) < 250
    assert note.endswith("…")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    """No line is anything but what we draw."""
    for diagram in (mermaid(hostile(text).runs[0].trace), render(hostile(text), ".mmd")):
        assert all(LINE.fullmatch(line) for line in diagram.rstrip("\n").split("\n"))
        assert not re.search(r":.*\bend\b", diagram, re.I)


@PROPERTY
@given(TEXTS)
def test_any_text_is_only_text(text: str) -> None:
    """The same for what nobody thought of."""
    assert all(LINE.fullmatch(line) for line in render(hostile(text), ".mmd").rstrip("\n").split("\n"))
