"""Controls for a program with keys or buttons of its own, of use while a sign-in is open.

controls = Controls()
button.on_click(lambda: controls.begin("device"))
await login(client, controls=controls, notify=notify, confirm=confirm)
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager


class Controls:
    """Begins further flows of a sign-in when the user wants them, as by a button "I have no browser here".

    Make one for each sign-in that may be open at the same time, and pass it to `login`. The event
    `FlowsAvailable` says when `waiting` changes. Before and after the sign-in, `waiting` is empty and `begin`
    does nothing. Call the methods in the thread of the event loop.
    """

    def __init__(self) -> None:
        self._reach: Reach | None = None

    @property
    def waiting(self) -> tuple[str, ...]:
        """The flows that could be begun now and have not been, by their names."""
        return self._reach.waiting() if self._reach is not None else ()

    def start_link(self, *, exposed: bool = False) -> str:
        """Return a link to the page where the sign-in begins, which still works; empty if there is none.

        Args:
            exposed: a program will be started with it, and other users can read its command line.
        """
        return self._reach.link(exposed) if self._reach is not None else ""

    def begin(self, flow: str) -> bool:
        """Begin a flow while others are open; return whether that was possible."""
        if self._reach is None or flow not in self._reach.waiting():
            return False
        self._reach.begin(flow)
        return True


class Reach:
    """What controls can do with a sign-in while it is open.

    Args:
        begin: begins a flow, given its name.
        waiting: returns the names of the flows that could be begun.
        link: returns a link to the start page that still works, given whether a program will be started with
            it; an empty string if there is none.
    """

    def __init__(
        self,
        begin: Callable[[str], None],
        waiting: Callable[[], tuple[str, ...]],
        link: Callable[[bool], str],
    ) -> None:
        self.begin = begin
        self.waiting = waiting
        self.link = link

    @contextmanager
    def given_to(self, controls: Controls) -> Generator[None]:
        """Let a sign-in be controlled for as long as the block lasts."""
        controls._reach = self  # pyright: ignore[reportPrivateUsage] - not for the program that has them
        try:
            yield
        finally:
            controls._reach = None  # pyright: ignore[reportPrivateUsage]
