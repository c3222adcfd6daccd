"""Pages that a program renders itself: what is taken of them, and what happens when there is none.

A program's function may fail or return anything, and a user who has approved must still learn how it ended.
What it returns gets a policy under which nothing runs and nothing is loaded, because the address of the page
may hold an authorization code.
"""

from __future__ import annotations

from loopback_auth.events import Notify, Warned
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages.frame import foreign_page
from loopback_auth.program import Page
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_PAGE = 2**20
"""Characters of a page that a program renders itself."""

CLEAN_ADDRESS = 'history.replaceState(null, "", location.pathname)'
"""Takes `?code=...&state=...` out of the address bar, so that a glance, a bookmark or a reload does not
repeat it. The browser's history on disk keeps the first address all the same: only form_post leaves none
there."""


class Renderer:
    """Makes the pages of one sign-in by the function of a program.

    Args:
        page: that function; None: there is none.
        words: in which a failure is told.
        tell: called with the first failure.
    """

    def __init__(self, page: Callable[[Page], str] | None, words: Words, tell: Notify) -> None:
        self._page = page
        self._words = words
        self._tell = tell
        self._told = False

    def rendered(self, page: Page, status: int) -> HttpResponse | None:
        """Return the page as the program renders it; None: it does not, or not so that it can be shown."""
        if self._page is None:
            return None
        try:
            html = self._page(page)
        except Exception as exc:
            why = type(exc).__name__
        else:
            if _can_be_shown(html):
                return foreign_page(status, html, script=CLEAN_ADDRESS)
            if close := getattr(html, "close", None):
                close()  # Of a coroutine, which nothing awaits.
            why = f"{type(html).__name__} is not the HTML of a page"
        if not self._told:
            self._told = True
            self._tell(Warned(self._words.PAGE_NOT_OWN.format(why=why)))
        return None


def _can_be_shown(html: object) -> bool:
    return isinstance(html, str) and 0 < len(html) <= LARGEST_PAGE
