"""A program's own way to open a page: any callable of a URL, called in a thread, so that it may block.

A browser that is waited for (`BROWSER=w3m`) would otherwise block the loop that has to answer it. What the
callable returns is read here: programs have such functions already, and they know nothing of ours. An
awaitable that it returns is awaited in the loop, by `signin.browsers`.

Loaded before everything else, if the program has an opener; imports nothing slow.
"""

from __future__ import annotations

import subprocess
import threading
from contextvars import copy_context
from types import CoroutineType

from loopback_auth.network.browser import Opening
from loopback_auth.plan.openers import program_name
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

OWN = Words.OPENER_OWN
"""Stands for the name of what was started to open a page."""


class OpenerCall:
    """A running opener: it begins at once, with or without an event loop.

    Args:
        opener: called with the URL, in a thread that does not keep the program alive.
        url: of the page.
    """

    def __init__(self, opener: Callable[[str], object], url: str) -> None:
        self.opener = opener
        self.url = url
        self.program: str = OWN
        self.why_not: str = ""
        self.answer: object = None
        self.error: BaseException | None = None
        # As in a task: the program's own functions may look at context variables.
        self.thread: threading.Thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name="loopback_auth opener", daemon=True
        )
        self.thread.start()

    def _run(self) -> None:
        try:
            self.answer = self.opener(self.url)
        except BaseException as exc:
            # Also of `sys.exit`, which would end this thread alone: it is not a page that was opened.
            self.error = exc

    def wants_a_loop(self) -> bool:
        """Return whether it failed because it needs a running event loop, as `create_task` does."""
        if not isinstance(self.error, RuntimeError) or "event loop" not in str(self.error):
            return False
        # The opener is called again in a loop; the coroutine of this call would be reported as never awaited.
        trace = self.error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_globals.get("__name__", "").startswith("asyncio."):
                for value in trace.tb_frame.f_locals.values():
                    if isinstance(value, CoroutineType):
                        value.close()
            trace = trace.tb_next
        return True


def opened(answer: object) -> Opening:
    """Turn what an opener returned into an `Opening`.

    Args:
        answer: an `Opening`; a string: why no page was opened; False: none was, as `webbrowser.open` says it;
            an exit status, as `os.system` returns it; a process that was started. Anything else: a page was
            opened.
    """
    if isinstance(answer, Opening):
        return answer
    if isinstance(answer, str) and answer:
        return Opening(why_not=answer)
    if answer is False:
        return Opening(why_not="no browser could be started")
    if type(answer) is int and answer != 0:
        return Opening(why_not=f"what should have opened it ended with {answer}")
    if isinstance(answer, subprocess.Popen):
        command = answer.args if isinstance(answer.args, list | tuple) else (answer.args,)
        program = program_name(str(command[0]))
        return Opening(program=program, process=answer)  # pyright: ignore[reportUnknownArgumentType]
    return Opening(program=OWN)


def failed(error: BaseException) -> Opening:
    """Return the `Opening` of an opener that has raised."""
    return Opening(why_not=f"what should have opened it failed ({type(error).__name__})")
