"""A comparison in which every text is a stranger's, and texts that a renderer could stumble over."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from loopback_auth.compare.model import (
    Attack,
    Cell,
    Change,
    Changes,
    Comparison,
    Difference,
    Finding,
    Row,
    Run,
    Tokens,
)
from loopback_auth.trace.records import Exchange, Secret, Step, Trace

PROPERTY = settings(max_examples=100)

HOSTILE = (
    "plain",
    "",
    "a | b || c",
    "`code` ``` ```mermaid",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "&lt;b&gt; &#60;b&#62;",
    "line\nline\r\nline\u2028line\x85line",
    "\x1b[31mred\x1b]8;;https://evil.example\x1b\\link\x9b31m\x07\x7f",
    "\u202egnp.exe\u2066\u200b",
    "half \ud800 of a pair",
    "end",
    "END loop alt",
    "x; y # z %% {a} #35; ﬂ°°60¶ß",
    "%%{init: {'theme': 'dark'}}%%",
    "wrap: $$x$$ \\n <br/>",
    "@somebody owner/repo#1 https://evil.example/a_b www.evil.example",
    "[text](javascript:alert(1)) ![](x) [1]: x",
    "# title\n---\n- item\n1. item\n> quote",
    "**bold** _it_ ~~gone~~ $x$ \\",
    "a" * 3000,
    "b " * 1500,
    '{"event": "run began"}',
    "?code=<code#1>&a=%zz#<b",
)

TEXTS = (
    st.sampled_from(HOSTILE)
    | st.text(st.characters(), max_size=60)
    | st.text("|`<>&#;%\\\n\x1b*_-[]()@ e", max_size=40)
)


def hostile(text: str) -> Comparison:
    """Put one text into every place of a comparison that anybody else could fill."""
    headers = ((text, text), ("Location", text), ("Content-Type", text))
    entries: tuple[Step | Exchange, ...] = (
        Step(1, 0.0, text, text, ((text, text),)),
        *(
            Step(number, 0.1, name, text)
            for number, name in enumerate(("open", "invite", "approve", "paste"), 2)
        ),
        Exchange(6, 0.2, 0.1, "browser", "server", text, text, text, headers, text, 200, headers, text, text),
        Exchange(7, 0.3, 0.1, "client", "server", text, text, text, request_body=text),
        Exchange(8, 0.4, 0.1, "browser", "server", text, text, text, address=text, observed=False),
        Exchange(9, 0.5, 0.1, "stranger", "client", text, text, text, status=404),
    )
    trace = Trace(text, "file", text, entries, (Secret(text, text, 1),))
    findings = (
        Finding(text, "high", text, "fail", text, text, (1,), text),
        Finding(text, "low", text, "pass", text, text),
    )
    attacks = (Attack(text, text, "fail", text, text), Attack(text, text, "pass", text, text))
    tokens = Tokens(text, None, True, "", text, text, text)
    runs = (
        Run(text, "signed in", trace, tokens=tokens, findings=findings, attacks=attacks),
        Run("code", "failed", trace, reason=text, findings=findings),
    )
    cells = (Cell(text, "known", text), Cell(text, "not observed"))
    rows = (
        Row("id", text, text, cells),
        Row("tried", text, text, (Cell(text, "tried"), Cell("", "observed"))),
    )
    changes = Changes(
        "file",
        f"{text}!",
        1_700_000_000.5,
        f"{text}!",
        (Change(text, text, "check", "new", "high", text, text),),
        (Difference(text, "title", text, text), Difference(text, "advice", text, text)),
        (text,),
        (text,),
    )
    return Comparison("file", text, 1_700_000_000.5, text, runs, rows, changes=changes)
