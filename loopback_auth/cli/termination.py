"""SIGTERM and SIGHUP act as Ctrl-C does: the running command is cancelled, and has time to end.

On Windows these are SIGTERM and SIGBREAK, which Ctrl-Break and the closing of a console window send.

By default they end a process at once. Between the answer to a refresh request and the write to the disk, the
only valid refresh token would be lost. `timeout`, a build server that cancels a job and a closed terminal
send these signals. Afterwards the process ends by the signal all the same, as its sender expects.

What a handler raises is lost where Python cannot pass it on, as in the weakref callback that each import ends
with. Such an interruption is repeated, Ctrl-C too, until it arrives.

Loaded before the browser is started.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from _thread import start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

NAMES = ("SIGTERM", "SIGHUP", "SIGBREAK")
REPEAT_SECONDS = 0.01
"""Seconds until an interruption that was lost is repeated: what it was lost in should be over by then."""


class Termination:
    """Hears the signals that end a program, for as long as the block lasts."""

    def __init__(self) -> None:
        self._heard = 0
        self._usual: list[int] = []
        self._blocked = False
        self._report: Callable[[sys.UnraisableHookArgs], object] | None = None

    def __enter__(self) -> Termination:
        if threading.current_thread() is not threading.main_thread():
            return self
        self._report, sys.unraisablehook = sys.unraisablehook, self._unraisable
        # Who ignores them, as below nohup, wants them ignored.
        numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        self._usual = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
        if self._usual and signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
            self._stand_in()
        for number in self._usual:
            signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in self._usual:
            signal.signal(number, signal.SIG_DFL)
        if self._report is not None:
            sys.unraisablehook, self._report = self._report, None
        if sys.platform != "win32" and self._blocked:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        # On Windows that would not end by a signal, but at once and with an unexpected status.
        if self._heard and sys.platform != "win32":
            os.kill(os.getpid(), self._heard)

    def _stand_in(self) -> None:
        """Have asyncio cancel its task as on Ctrl-C, which is ignored here, as in jobs of a script.

        It is so only where Ctrl-C has its usual handler; blocked, it goes on being ignored.
        """
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._blocked = True

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._heard = self._heard or number
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    def _unraisable(self, lost: sys.UnraisableHookArgs) -> None:
        """Repeat an interruption that Python had to ignore; report whatever else it ignored."""
        if issubclass(lost.exc_type, KeyboardInterrupt):
            start_new_thread(self._repeat, ())  # Here it would be lost again.
        elif self._report is not None:
            self._report(lost)

    def _repeat(self) -> None:
        time.sleep(REPEAT_SECONDS)
        if self._report is None:  # The command has ended meanwhile.
            return
        number = self._heard or signal.SIGINT
        if sys.platform == "win32":
            signal.raise_signal(number)
        else:
            # To that thread, so that what it may wait for by now is interrupted.
            signal.pthread_kill(threading.main_thread().ident or 0, number)


class Continuation(Exception):
    """The rest of a command, which it does when signals have their usual effects again.

    Another program must inherit nothing of `Termination`, and what waits for one handles signals itself. So a
    command that becomes another program, or runs one, raises this, and the command line completes it outside.
    """

    def complete(self) -> int:
        """Do the rest; return the exit status.

        Raises:
            LoopbackAuthError: as a command does.
        """
        raise NotImplementedError
