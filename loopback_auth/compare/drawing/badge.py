"""A badge: one line of SVG that says what a comparison concluded, to be shown in a README.

It needs no font, script or image from elsewhere. Each text is set to a width that is known here, so that it
fits in whatever font there is. A screen reader gets the sentence in the title.

Source: SVG 2 §5.8 (title), §11.5 (textLength); WAI-ARIA 1.2 §5.4 (role img); WCAG 2.2 §1.4.3 (contrast).
"""

from __future__ import annotations

from html import escape

from loopback_auth.compare.model import Comparison
from loopback_auth.redact import server_text

HEIGHT, SIZE, PADDING = 20, 11, 6
"""Pixels: of the badge, of the letters, and beside them."""
LONGEST = 60
"""Characters of one of the two texts."""
LABEL = "OAuth audit"
GREY = "#555555"
COLOURS = {
    "A": "#2a6b2a",
    "B": "#4a6a12",
    "C": "#7a5c00",
    "D": "#9a4a00",
    "F": "#a32020",
    "use": "#2a6b2a",
    "use when": "#7a5c00",
    "avoid": "#a32020",
}
"""Colours of the right part: white letters on each have a contrast of 4.5 to 1 or more."""
_WIDTHS = {
    "ijl'|.,:; ": 3.9,
    'frt()[]/-"': 4.9,
    "mwMW@%": 10.2,
    "ABCDEFGHKNOPQRSTUVXYZ&": 7.6,
}
_WIDTH = 6.7
"""Pixels of most letters in a common sans serif of that size."""


def badge(comparison: Comparison) -> str:
    """Draw the badge of a comparison: the grades of servers, or else the advice about each run."""
    said = _said(comparison)
    titles = [run.title for run in comparison.runs]
    label = server_text(titles[0], LONGEST) if len(titles) == 1 else f"{len(titles)} {comparison.kind}"
    if comparison.kind == "servers" and len(titles) == 1:
        label = LABEL
    message = server_text(", ".join(said), LONGEST) or "nothing judged"
    # The worst of them decides the colour: the last that is known here.
    known = [one for one in COLOURS if one in said]
    colour = COLOURS[known[-1]] if known else GREY
    title = " ".join(f"{one.run}: {one.sentence}" for one in comparison.conclusions)
    return _svg(label, message, colour, title=server_text(title, 500) or label)


def _said(comparison: Comparison) -> list[str]:
    """Return the grade or the advice about each run."""
    grades = next((row.cells for row in comparison.rows if row.id == "grade"), None)
    if grades is not None:
        return [cell.text for cell in grades]
    return [one.advice for one in comparison.conclusions]


def _svg(label: str, message: str, colour: str, *, title: str) -> str:
    left, right = (_width(text) + 2 * PADDING for text in (label, message))
    whole, named = left + right, escape(title)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" aria-label="{named}">
<title>{named}</title>
<rect width="{left}" height="{HEIGHT}" fill="{GREY}"/>
<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{colour}"/>
<g fill="#ffffff" font-family="Verdana, 'DejaVu Sans', sans-serif" font-size="{SIZE}">
{_text(label, PADDING)}
{_text(message, left + PADDING)}
</g>
</svg>
"""


def _text(text: str, x: int) -> str:
    fitted = f'textLength="{_width(text)}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x}" y="14" {fitted}>{escape(text)}</text>'


def _width(text: str) -> int:
    return round(sum(next((width for some, width in _WIDTHS.items() if one in some), _WIDTH) for one in text))
