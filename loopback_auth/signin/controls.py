"""Controls for a program that reads the keys or clicks of a person while a sign-in is open.

Made by the caller of `api.login` and given to it; of use for as long as the sign-in is under way.
"""

from __future__ import annotations

from collections.abc import Callable


class Controls:
    """Begins further flows of a sign-in by hand; before and after it, `waiting` is empty."""

    def __init__(self) -> None:
        self._begin: Callable[[str], None] | None = None
        self._waiting: Callable[[], tuple[str, ...]] | None = None
        self._link: Callable[[bool], str] | None = None

    def connect(
        self,
        begin: Callable[[str], None],
        waiting: Callable[[], tuple[str, ...]],
        link: Callable[[bool], str],
    ) -> None:
        """Let a sign-in be controlled from here; the sign-in calls this.

        Args:
            begin: begins a flow, given its name.
            waiting: returns the names of the flows that could be begun.
            link: returns a link to the start page that still works, given whether a program will be started
                with it; an empty string if there is none.
        """
        self._begin, self._waiting, self._link = begin, waiting, link

    def disconnect(self) -> None:
        """Forget the sign-in, which is over."""
        self._begin = self._waiting = self._link = None

    @property
    def waiting(self) -> tuple[str, ...]:
        """The flows that could be begun now and have not been."""
        return self._waiting() if self._waiting is not None else ()

    def start_link(self, *, exposed: bool) -> str:
        """Return a link to the page where the sign-in begins, which still works; empty if there is none.

        Args:
            exposed: a program will be started with it, and other users can read its command line.
        """
        return self._link(exposed) if self._link is not None else ""

    def begin(self, flow: str) -> bool:
        """Begin a flow while others are open; return whether that was possible."""
        if self._begin is None or flow not in self.waiting:
            return False
        self._begin(flow)
        return True
