"""Read what the simulated user agent needs from a page: its first form, and what our scripts would do.

It reads forms with the method post, with hidden fields, radio buttons, text fields and buttons, and nothing
else.
"""

from __future__ import annotations

from contextlib import suppress
from html.parser import HTMLParser

from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpResponse


class Page(HTMLParser):
    """The parts of one page.

    A relaying page sends its fragment to `relay`, with `token`. `waits` means that the page stays open until
    the person has approved at `link`; `user_code` is the code that it shows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.has_form: bool = False
        self.action: str = ""
        self.hidden: list[tuple[str, str]] = []
        self.codes: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []
        self.radios: list[tuple[str, str, str]] = []
        self.relay: str = ""
        self.token: str = ""
        self.link: str = ""
        self.user_code: str = ""
        self.waits: bool = False
        self._checked = 0
        self._inside = False
        self._label = False
        self._code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read the start of an element."""
        given = {name: value or "" for name, value in attrs}
        if tag == "body":
            self.relay, self.token = given.get("data-relay", ""), given.get("data-token", "")
            self.waits = "data-live" in given
        elif tag == "a":
            self.link = self.link or given.get("href", "")
        self._code = "class" in given and "user-code" in given["class"].split()
        if tag == "form" and not self.has_form and given.get("method", "").lower() == "post":
            self.has_form = self._inside = True
            self.action = given.get("action", "")
        if self._inside:
            self._control(tag, given)

    def handle_endtag(self, tag: str) -> None:
        """Read the end of an element."""
        self._code = False
        if tag == "form":
            self._inside = False
        if tag == "label":
            self._label = False

    def handle_data(self, data: str) -> None:
        """Read text: the label of a radio button, or a code to enter on another page."""
        if self._code:
            self.user_code = self.user_code or data.strip()
        if self._label and self.radios:
            name, value, label = self.radios[-1]
            self.radios[-1] = (name, value, (label + data).strip())

    def _control(self, tag: str, given: dict[str, str]) -> None:
        pair = (given.get("name", ""), given.get("value", ""))
        kind = given.get("type", "").lower()
        self._label = self._label or tag == "label"
        if tag == "button" and kind in ("", "submit"):
            self.buttons.append(pair)
        elif tag == "input" and kind == "hidden":
            self.hidden.append(pair)
        elif tag == "input" and kind in ("", "text"):
            self.codes.append(pair)
        elif tag == "input" and kind == "radio":
            if "checked" in given:
                self._checked = len(self.radios)
            self.radios.append((*pair, ""))

    def choose(self, account: str) -> list[tuple[str, str]]:
        """Set the radio buttons.

        Raises:
            ConfigError: the account is not among them.
        """
        if not self.radios:
            return []
        wanted = [radio[:2] for radio in self.radios if account in radio[1:]]
        if account and not wanted:
            raise ConfigError("The page does not offer this account")
        return wanted[:1] if account else [self.radios[self._checked][:2]]

    def press(self, decision: str) -> list[tuple[str, str]]:
        """Press the button of the decision, or the first one; nameless buttons send nothing."""
        wanted = [pair for pair in self.buttons if pair[1] == decision] or self.buttons
        return [pair for pair in wanted[:1] if pair[0]]


def read_page(response: HttpResponse) -> Page:
    """Read an HTML response; anything else is an empty page."""
    page = Page()
    if response.header("content-type").lower().startswith("text/html"):
        # Pages of other programs may be no HTML: then what was read before counts (python/cpython#77057).
        with suppress(AssertionError):
            page.feed(_telling(response.body.decode("utf-8", "replace")))
            page.close()
    return page


def _telling(html: str) -> str:
    """Return the part of a page that is read; parsing the rest would take most of the time."""
    begin, end = html.find("<form"), html.rfind("</form>")
    return html[begin : end + len("</form>")] if 0 <= begin < end else html[max(0, html.find("<body")) :]
