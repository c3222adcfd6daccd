"""The colour of a program on its pages: readable in both themes, whatever colour that is.

Text in the colour, and text on it, has the contrast that WCAG 2.2 asks for: a colour that has less is mixed
with black on the light sheet, and with white on the dark one, until it has.

Source: WCAG 2.2 §1.4.3 (4.5 to 1), "relative luminance", "contrast ratio".
"""

from __future__ import annotations

from functools import cache

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 255."""

ENOUGH = 4.5
BLACK, WHITE = (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
LIGHT_SHEET, DARK_SHEET = "#ffffff", "#191f20"
"""Background colours, as in style.css."""
_ON_ACCENT = ("#ffffff", "#0c1113")
_LIGHT_TINT, _DARK_TINT = 0.09, 0.14
"""How much of the colour is in the ground of a piece of advice."""


@cache
def accent_style(accent: str) -> str:
    """Return the rules that put a colour into the place of ours.

    Args:
        accent: `#rrggbb`, as `Program` has checked it.
    """
    light = _rules(accent, sheet=LIGHT_SHEET, towards=BLACK, tint=_LIGHT_TINT)
    dark = _rules(accent, sheet=DARK_SHEET, towards=WHITE, tint=_DARK_TINT)
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(_colour(one)), _luminance(_colour(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _rules(accent: str, *, sheet: str, towards: Colour, tint: float) -> str:
    shades = (_written(_mixed(_colour(accent), towards, step / 20)) for step in range(21))
    tinted = ((shade, _written(_mixed(_colour(sheet), _colour(shade), tint))) for shade in shades)
    shown, ground = next((shade, ground) for shade, ground in tinted if contrast(shade, ground) >= ENOUGH)
    on_accent = max(_ON_ACCENT, key=lambda one: contrast(one, shown))
    return f"--accent:{shown};--on-accent:{on_accent};--tint:{ground}"


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _colour(text: str) -> Colour:
    red, green, blue = (int(text[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _written(colour: Colour) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
