"""Many processes that want to sign in at once: one leads, the others wait for what comes of it.

Who leads holds a lock of the operating system, so that a leader that dies is replaced without anybody having
to judge whether it is still alive. In the locked file stands who leads and, once it is over, how it ended:
those who were waiting take a refusal as theirs, lest twenty of them ask the same person one after the other.

Source: int128/kubelogin#904, gravitational/teleport#9450 (many tabs); punkpeye/mcp-remote#325.
"""

from __future__ import annotations

import os
import time

from loopback_auth.errors import AttemptCancelled, LoopbackAuthError, SignInRequired
from loopback_auth.store.private_files import read_private
from loopback_auth.store.process_lock import ProcessLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType


class SignInLock:
    """Everybody who wants to sign in under one name; as a context manager, the time that one of them leads.

    Args:
        path: of the file that is locked; its folder is made.
    """

    def __init__(self, path: str) -> None:
        self._lock = ProcessLock(path)

    def lead(self) -> bool:
        """Become the leader if there is none; return whether that is what we are.

        Raises:
            StoreError: the file cannot be made or opened.
        """
        return self._lock.take()

    def leader(self) -> int:
        """Return the process that leads, as far as it has said so; otherwise 0."""
        process = self._read().get("process")
        return process if type(process) is int and process > 0 else 0

    def ended_since(self, moment: float) -> bool:
        """Return whether a sign-in has come to its end since a moment, in Unix seconds.

        Raises:
            SignInRequired: it has, and it failed.
        """
        said = self._read()
        ended_at, error = said.get("ended_at"), said.get("error")
        # A clock that was ahead and is right again must not make an old end last until then.
        if not isinstance(ended_at, (int, float)) or not moment <= ended_at <= time.time():
            return False
        if isinstance(error, str) and error:
            raise SignInRequired(
                f"Another process was signing in, and that ended so: {error}",
                hint="Run the command again to be asked yourself.",
            )
        return True

    def leave(self) -> None:
        """Let somebody else lead."""
        self._lock.release()

    def __enter__(self) -> SignInLock:
        """Say that we lead; only once `lead` has said so."""
        # Before the browser is started: what would be imported for JSON can wait.
        self._write(b'{"process": %d}' % os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Somebody who gives up speaks for this one program alone, and a program that crashes for nobody.
        if exc is None or (isinstance(exc, LoopbackAuthError) and not isinstance(exc, AttemptCancelled)):
            import json  # Start-up.

            said = {"ended_at": time.time(), "error": "" if exc is None else str(exc)}
            self._write(json.dumps(said).encode("ascii"))
        self.leave()

    def _read(self) -> Mapping[str, object]:
        import json  # Start-up.

        try:
            said = json.loads(read_private(self._lock.path) or b"{}")
        except (ValueError, RecursionError, LoopbackAuthError):
            return {}  # It is being written, or was edited by hand: nothing in it has to be known.
        return said if isinstance(said, dict) else {}

    def _write(self, content: bytes) -> None:
        if (descriptor := self._lock.descriptor) is None:
            return
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.truncate(descriptor, 0)
            os.write(descriptor, content)
        except OSError:
            return  # A full disk keeps nobody from signing in; the others will ask for themselves.
