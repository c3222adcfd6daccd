"""The text of a report: clauses become links, nothing else does, and it can be told from its ground."""

from __future__ import annotations

import re

import pytest
from hostile_samples import PROPERTY, TEXTS
from hypothesis import given
from page_reader import Reader, asset, drawn

from loopback_auth.drawing.page_text import lines


def clause(source: str) -> str:
    """Draw a source with its links."""
    return drawn("clause", source)


@pytest.mark.parametrize(
    ("source", "links"),
    [
        ("RFC 9700 §2.1.2", {"rfc9700#section-2.1.2": "RFC 9700 §2.1.2"}),
        (
            "RFC 9700 §4.5.3.1, §4.6.1",
            {"rfc9700#section-4.5.3.1": "RFC 9700 §4.5.3.1", "rfc9700#section-4.6.1": "§4.6.1"},
        ),
        ("RFC 6749 appendix A.7", {"rfc6749": "RFC 6749", "rfc6749#appendix-A.7": "appendix A.7"}),
        (
            "RFC 6749 §4.1; RFC 7636 §4",
            {"rfc6749#section-4.1": "RFC 6749 §4.1", "rfc7636#section-4": "RFC 7636 §4"},
        ),
    ],
)
def test_clauses_lead_to_the_text_of_the_rfc(source: str, links: dict[str, str]) -> None:
    """A clause that has to be looked up is not looked up."""
    found = re.findall(r'<a href="https://www\.rfc-editor\.org/rfc/([^"]+)"[^>]*>([^<]+)</a>', clause(source))

    assert dict(found) == links


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("https://github.com/netlify/open-api: swagger.yml", "https://github.com/netlify/open-api"),
        ("jupyter/notebook#4260", "https://github.com/jupyter/notebook/issues/4260"),
        ("OpenID Connect Core 1.0 §3.1.3.7", "https://openid.net/specs/openid-connect-core-1_0.html"),
    ],
)
def test_pages_and_issues_are_linked(source: str, url: str) -> None:
    """The same for what is no RFC."""
    assert re.findall(r'href="([^"]*)"', clause(source)) == [url]


@pytest.mark.parametrize("source", ["§4.1", "javascript:alert(1)", "http://as.example/", "nothing", ""])
def test_what_is_no_reference_is_no_link(source: str) -> None:
    """Sources may be a stranger's too."""
    assert "<a" not in clause(source)


def test_section_after_another_document_is_not_of_the_rfc_before_it() -> None:
    """A wrong link is worse than none."""
    assert "rfc6749#section-3" not in clause("RFC 6749 §4.1; OpenID Connect Core 1.0 §3.1")


@PROPERTY
@given(TEXTS)
def test_links_of_any_source_lead_to_the_web_only(text: str) -> None:
    """The one attribute that is built from text that may be a stranger's."""
    reader = Reader(clause(text))

    assert all(set(held) == {"href", "rel"} for _, held in reader.elements)
    assert all(
        re.fullmatch(r"https://[\w.-]+(:\d+)?(/[^\s\"'<>]*)?", link) or "'" in link
        for link in reader.values("href")
    )


def test_indentation_is_kept_and_controls_are_not() -> None:
    """JSON is read by its indentation."""
    assert lines('{\n  "a":\x1b "<b>"\n}') == '{\n  "a": "<b>"\n}'


def scheme(dark: bool) -> dict[str, str]:
    """Read the colours of the stylesheet."""
    light, _, rest = asset("drawing/page.css").partition("@media (prefers-color-scheme: dark)")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rest.split("\n}\n")[0] if dark else light))


def luminance(colour: str) -> float:
    """Compute the relative luminance of a colour (WCAG 2.2)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_told_from_its_ground(dark: bool) -> None:
    """WCAG 2.2 §1.4.3, also for the drawings, which no checker of pages looks into."""
    colours = scheme(dark)
    pairs = [(f"c{number}", f"t{number}") for number in range(10)]
    pairs += [
        (ink, ground)
        for ink in ("ink", "soft", "accent", "bad", "warn")
        for ground in ("sheet", "ground", "band", "tint")
    ]
    pairs += [
        ("sheet", "bad"),
        ("warn", "warn-tint"),
        ("soft", "plain-tint"),
        ("ink", "plain-tint"),
        ("on-accent", "accent"),
    ]
    ratios = {
        pair: (max(light) + 0.05) / (min(light) + 0.05)
        for pair in pairs
        if (light := [luminance(colours[name]) for name in pair])
    }

    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}
