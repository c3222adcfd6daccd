"""Reads the page of a comparison, strictly, and draws pages of which little matters."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

from comparison_samples import CODE, COMPARISON

from loopback_auth.compare.drawing.report import report, templates
from loopback_auth.compare.model import Attack, Finding, Row, Run
from loopback_auth.drawing.page import page_file

VOID = frozenset({"meta", "input", "br", "link", "img"})
ROOMS = (
    files("loopback_auth.compare.drawing"),
    files("loopback_auth.explain"),
    files("loopback_auth.drawing"),
)
"""Where the files of pages are: those of the report, of explanations, and of all pages."""


class Reader(HTMLParser):
    """Reads a page as strictly as one can: what is opened is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inline: dict[str, str] = {}
        self.words = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element with its attributes, each of which it has once."""
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element of a drawing, closed at once."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text, that of style and script apart."""
        if self.cdata_elem is not None:
            self.inline[self.cdata_elem] = self.inline.get(self.cdata_elem, "") + data
        else:
            self.words += data

    def handle_comment(self, data: str) -> None:
        """Refuse comments: nobody is to read them."""
        raise AssertionError(data)

    def values(self, name: str) -> list[str]:
        """Return every value of an attribute, in order."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]

    def with_class(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of the elements of a class."""
        return [held for _, held in self.elements if name in held.get("class", "").split()]


def asset(*names: str, package: str = "loopback_auth.compare.drawing") -> str:
    """Read files of the package, one after the other; a name that begins with `drawing/` is of all pages."""
    return "".join(page_file(name, package) for name in names)


def drawn(macro: str, *values: object, file: str = "drawing/macros.html") -> str:
    """Draw one of the macros that the templates share."""
    return str(getattr(templates().get_template(file).module, macro)(*values))


def section(html: str, name: str) -> str:
    """Cut out a section by its id."""
    return html.split(f'<section id="{name}"')[1].split("</section>")[0]


def one_run(*findings: Finding, attacks: tuple[Attack, ...] = (), flow: str = "code") -> Run:
    """Run a flow of which nothing matters but the verdicts."""
    return Run(flow, "signed in", CODE, findings=findings, attacks=attacks)


def page(*runs: Run, rows: tuple[Row, ...] = ()) -> str:
    """Draw the page of some runs."""
    return report(replace(COMPARISON, runs=runs, rows=rows))


def harmless(reader: Reader, style: str, script: str) -> bool:
    """Return whether nothing is loaded or run but the two texts of ours."""
    names = {name for _, attributes in reader.elements for name in attributes}
    links = [held["href"] for tag, held in reader.elements if tag == "a"]
    uses = [held["href"] for tag, held in reader.elements if tag == "use"]
    tags = Counter(tag for tag, _ in reader.elements)
    return (
        not names
        & {"src", "srcset", "style", "action", "formaction", "background", "ping", "poster", "xlink:href"}
        and not any(name.startswith("on") for name in names)
        and all(link.startswith(("#", "https://")) for link in links)
        and all(use.startswith("#") for use in uses)
        and tags.keys().isdisjoint(
            {"img", "link", "iframe", "object", "embed", "base", "form", "video", "audio"}
        )
        and (tags["script"], tags["style"]) == (1, 1)
        and reader.inline == {"style": style, "script": script}
    )


def policy(reader: Reader) -> dict[str, str]:
    """Return the directives of the policy in a page."""
    [content] = [held["content"] for _, held in reader.elements if "http-equiv" in held]
    return dict(one.split(" ", 1) for one in content.split("; "))


def source_of(text: str) -> str:
    """Hash an inline text as a browser does (CSP Level 3 §6.7.3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
