"""Read the forms of a page that another server wrote, as a browser shows them to a person.

It reads what a login and a consent page are made of: fields, boxes, choices and buttons, also those outside
of their form that name it, and a page that leads on by itself. No script is run.

Source: HTML §4.10 (forms), §4.10.18.3 (the attribute form), §4.2.5.3 (refresh).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from loopback_auth.doctor.destination import page_text
from loopback_auth.http_messages import HttpResponse
from loopback_auth.redact import server_text

MOST = 500
"""Fields of a page that are read."""
BUTTONS = ("submit", "image", "button")
_REFRESH = re.compile(r"(?i)\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"'\s]+)")


@dataclass(slots=True)
class Field:
    """A field, a box, a choice or a button.

    Args:
        name: under which it is sent; empty: it is not.
        value: as the page has it.
        kind: type of an input, or `select` or `textarea`.
        chosen: a box or an option is checked.
        label: what a button says.
        options: values of a choice, the chosen one first.
    """

    name: str
    value: str = field(repr=False)
    kind: str
    chosen: bool = False
    label: str = ""
    options: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Form:
    """One form.

    Args:
        action: where it is sent, as the page has it; empty: to the page itself.
        method: `get` or `post`.
        fields: in order, buttons too.
    """

    action: str
    method: str
    fields: list[Field] = field(default_factory=list[Field])

    def of_kind(self, *kinds: str) -> list[Field]:
        """Return the fields of these kinds."""
        return [one for one in self.fields if one.kind in kinds]


@dataclass(slots=True)
class WebPage:
    """What a person can do on a page.

    Args:
        forms: in order.
        leads_to: where the page goes by itself; empty: nowhere.
        title: of the page, for people.
    """

    forms: list[Form] = field(default_factory=list[Form])
    leads_to: str = ""
    title: str = ""


def read_web_page(response: HttpResponse) -> WebPage:
    """Read a page; anything else than HTML is an empty one.

    Source: HTML §4.10.
    """
    reader = _Reader()
    if "html" in response.header("content-type").lower():
        reader.feed(page_text(response))
        reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = WebPage()
        self._named: dict[str, Form] = {}
        self._open: Form | None = None
        self._button: Field | None = None
        self._choice: Field | None = None
        self._in_title = False
        self._left = MOST

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = self._form(given.get("id", ""))
            self._open.action, self._open.method = given.get("action", ""), given.get("method", "get").lower()
        elif tag == "title":
            self._in_title = True
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            found = _REFRESH.match(given.get("content", ""))
            self.page.leads_to = self.page.leads_to or (found[1] if found else "")
        elif tag in ("input", "button", "select", "textarea"):
            self._field(tag, given)
        elif tag == "option" and self._choice is not None:
            value = given.get("value", "")
            place = 0 if "selected" in given else len(self._choice.options)
            self._choice.options.insert(place, value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "title":
            self._in_title = False
        elif tag == "button":
            self._button = None
        elif tag == "select":
            self._choice = None

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.page.title = server_text(f"{self.page.title} {data}", 100)
        if self._button is not None:
            self._button.label = server_text(f"{self._button.label} {data}", 100)

    def _form(self, name: str) -> Form:
        """Return the form of an id, which a field before it may have named."""
        form = self._named.get(name) if name else None
        if form is None:
            form = Form("", "get")
            self.page.forms.append(form)
            if name:
                self._named[name] = form
        return form

    def _field(self, tag: str, given: dict[str, str]) -> None:
        self._left -= 1
        form = self._form(given["form"]) if given.get("form") else self._open
        if form is None or self._left < 0 or "disabled" in given:
            return
        kind = given.get("type", "").lower() or {"input": "text", "button": "submit"}.get(tag, tag)
        made = Field(given.get("name", ""), given.get("value", ""), kind if tag != "select" else tag)
        made.chosen, made.label = "checked" in given, given.get("value", "") if tag == "input" else ""
        form.fields.append(made)
        if tag == "button":
            self._button = made
        elif tag == "select":
            self._choice = made
