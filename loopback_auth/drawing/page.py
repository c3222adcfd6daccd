"""The frame of a page that is a file: its templates, and what may run in it.

Such a page needs no network and no server. It contains the text of one stylesheet and one script, each
allowed by its hash in the policy of the page, and escaped text. Which pages there are is decided elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from loopback_auth.drawing import page_text as text
from loopback_auth.drawing.diagram_layout import CAPTION
from loopback_auth.drawing.mermaid import PARTICIPANTS
from loopback_auth.drawing.spoken import spoken
from loopback_auth.pages.frame import file_text

PHASE_NAMES = {"ask": "Request", "approve": "Approval", "answer": "Response", "tokens": "Tokens"}
NOTHING = {
    "ask": "no request",
    "approve": "nothing observed",
    "answer": "no response",
    "tokens": "no token request",
}
"""What is written where a phase is empty."""
SIGNS = {"done": "m-2.7 .2l2 2 3.6-4", "failed": "m-2.2-2.2l4.4 4.4m0-4.4l-4.4 4.4"}
"""A tick and a cross, from the middle of a dot."""
LABELLED = "Coloured labels stand for secrets: the same label is always the same secret."
AS_THEY_ARE = "Warning: this page contains the secrets themselves. Anyone who has the page can use them."

_SHARED = "drawing/"
"""Before the names of files that several pages use."""


def templates(
    package: str, filters: Mapping[str, Callable[..., object]], values: Mapping[str, object]
) -> Environment:
    """Return templates that escape every value, and fail where one is missing.

    Args:
        package: whose files they are; a name that begins with `drawing/` is of this package.
        filters: those of these pages, besides those for every page.
        values: that every template can use.
    """

    def load(name: str) -> str:
        return page_file(name, package)

    made = Environment(
        autoescape=True,
        keep_trailing_newline=True,
        loader=FunctionLoader(load),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    for_all: dict[str, Callable[..., object]] = {
        **{one.__name__: one for one in (text.bare, text.clean, text.colour, text.lines, text.parts)},
        **{one.__name__: one for one in (text.references, text.short, text.spans, spoken)},
        "begun": _begun,
        "dashed": _dashed,
        "n": _number,
    }
    known: dict[str, Any] = made.filters
    known.update({**for_all, **filters})
    used: dict[str, Any] = {
        "CAPTION": CAPTION,
        "NOTHING": NOTHING,
        "PARTICIPANTS": PARTICIPANTS,
        "PHASE_NAMES": PHASE_NAMES,
        "SIGNS": SIGNS,
        **values,
    }
    made.globals.update(used)
    return made


def inlined(package: str, styles: Iterable[str], scripts: Iterable[str]) -> dict[str, str]:
    """Return the stylesheet and the script of a page, and the policy that allows them and nothing else.

    Args:
        package: whose files they are; a name that begins with `drawing/` is of this package.
        styles: names of the stylesheets, in order.
        scripts: names of the scripts, in order.
    """
    style, script = ("".join(page_file(name, package) for name in names) for names in (styles, scripts))
    return {"style": style, "script": script, "policy": _policy(style, script)}


def page_file(name: str, package: str) -> str:
    """Read a file of a page; a name that begins with `drawing/` is of this package."""
    shared = name.startswith(_SHARED)
    return file_text(name.removeprefix(_SHARED), str(__package__) if shared else package)


def _policy(style: str, script: str) -> str:
    """Allow these two inline texts and nothing else (CSP Level 3 §2.3.1).

    What frames may do cannot be said inside a page (§4.3).
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )


def _hash(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _dashed(words: str) -> str:
    return words.replace(" ", "-")


def _number(length: float) -> str:
    return f"{length:.1f}".removesuffix(".0")
