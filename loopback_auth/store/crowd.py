"""Many processes that want to sign in at once: one leads, the others wait for what comes of it.

Who leads holds a lock of the operating system, so that a leader that dies is replaced without anybody having
to judge whether it is still alive. In the locked file stands who leads and, once it is over, how it ended:
those who were waiting take a refusal as theirs, lest twenty of them ask the same person one after the other.

This is looked at before the browser is started, and importing filelock takes longer than starting Python
does; hence the lock is taken here, in the way in which filelock takes it too.

Source: int128/kubelogin#904, gravitational/teleport#9450 (many tabs); punkpeye/mcp-remote#325.
"""

# Pathlib takes longer to import than all of this to run.

from __future__ import annotations

import os
import sys

from loopback_auth.errors import AttemptCancelled, LoopbackAuthError, SignInRequired
from loopback_auth.store.private_files import make_folder, read_private, system_refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FAR = 1 << 30
"""Where the lock is on Windows: nobody can read a byte that is locked."""


class Crowd:
    """Everybody who wants to sign in under one name; as a context manager, the time that one of them leads.

    Args:
        path: of the file that is locked; its folder is made.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def lead(self) -> bool:
        """Become the leader if there is none; tell whether that is what we are.

        Raises:
            StoreError: the file cannot be made or opened.
        """
        if self._descriptor is not None:
            return True
        make_folder(os.path.dirname(self._path))  # noqa: PTH120
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
        except OSError as exc:
            raise system_refused(exc, self._path, "opened") from exc
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def leader(self) -> int:
        """Return the process that leads, as far as it has said so; otherwise 0."""
        process = self._read().get("process")
        return process if type(process) is int and process > 0 else 0

    def ended_since(self, moment: float) -> bool:
        """Tell whether a sign-in has come to its end since a moment, in Unix seconds.

        Raises:
            SignInRequired: it has, and it failed.
        """
        said = self._read()
        ended_at, error = said.get("ended_at"), said.get("error")
        if not isinstance(ended_at, (int, float)) or not moment <= ended_at:
            return False
        if isinstance(error, str) and error:
            raise SignInRequired(
                f"Another process was signing in, and that ended so: {error}",
                hint="Run the command again to be asked yourself.",
            )
        return True

    def leave(self) -> None:
        """Let somebody else lead."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Crowd:
        """Say that we lead; only once `lead` has said so."""
        self._write({"process": os.getpid()})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Somebody who gives up speaks for this one program alone, and a program that crashes for nobody.
        if exc is None or (isinstance(exc, LoopbackAuthError) and not isinstance(exc, AttemptCancelled)):
            import time

            self._write({"ended_at": time.time(), "error": "" if exc is None else str(exc)})
        self.leave()

    def _read(self) -> Mapping[str, object]:
        import json

        try:
            said = json.loads(read_private(self._path) or b"{}")
        except (ValueError, RecursionError, LoopbackAuthError):
            return {}  # It is being written, or was edited by hand: nothing in it has to be known.
        return said if isinstance(said, dict) else {}

    def _write(self, said: Mapping[str, object]) -> None:
        import json

        if self._descriptor is None:
            return
        content = json.dumps(said).encode("ascii")
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.truncate(self._descriptor, 0)
            os.write(self._descriptor, content)
        except OSError:
            return  # A full disk keeps nobody from signing in; the others will ask for themselves.


def _lock(descriptor: int) -> None:
    """Lock without waiting.

    Raises:
        OSError: somebody else has it.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
