"""What a person may still ask for while a sign-in is open, for whoever reads their keys or clicks.

Made by the caller of `api.login`, handed to it, and usable for as long as the sign-in is under way.
"""

from __future__ import annotations

from collections.abc import Callable


class Controls:
    """Begins further flows by hand; before and after the sign-in there is nothing to begin."""

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
        """Let a sign-in be controlled from here; called by it."""
        self._begin, self._waiting, self._link = begin, waiting, link

    def disconnect(self) -> None:
        """Note that the sign-in is over."""
        self._begin = self._waiting = self._link = None

    @property
    def waiting(self) -> tuple[str, ...]:
        """The flows that could be begun now and have not been."""
        return self._waiting() if self._waiting is not None else ()

    def start_link(self, *, exposed: bool) -> str:
        """Return a link to the page where the sign-in begins, one that still works; empty: there is none.

        Args:
            exposed: it will be given to a program, in whose command line others can read it.
        """
        return self._link(exposed) if self._link is not None else ""

    def begin(self, flow: str) -> bool:
        """Begin a flow beside those that are open; return whether that was possible."""
        if self._begin is None or flow not in self.waiting:
            return False
        self._begin(flow)
        return True
