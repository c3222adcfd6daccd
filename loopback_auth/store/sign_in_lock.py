"""When several processes want to sign in at once, one of them leads, and the others wait for its result.

The leader holds a lock of the operating system, so that a leader that dies is replaced without a check
whether it is still alive. The locked file names the leader and, afterwards, the result. The waiting processes
share a failure: otherwise twenty of them would ask the same person one after the other.

Source: int128/kubelogin#904, gravitational/teleport#9450 (many tabs); punkpeye/mcp-remote#325.
"""

from __future__ import annotations

import os
import time

from loopback_auth.errors import AttemptCancelled, LoopbackAuthError, SignInRequired
from loopback_auth.narrow import is_object
from loopback_auth.store.private_files import read_private
from loopback_auth.store.process_lock import ProcessLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType


class SignInLock:
    """The lock of one name; as a context manager, the time for which this process leads.

    Args:
        path: of the locked file; its folder is created.
    """

    def __init__(self, path: str) -> None:
        self._lock = ProcessLock(path)

    def lead(self) -> bool:
        """Become the leader if there is none; return whether this process leads.

        Raises:
            StoreError: the file cannot be created or opened.
        """
        return self._lock.take()

    def leader(self) -> int:
        """Return the process ID of the leader; 0 when it is not known."""
        process = self._read().get("process")
        return process if type(process) is int and process > 0 else 0

    def ended_since(self, moment: float) -> bool:
        """Return whether a sign-in has ended since a time, in Unix seconds.

        Raises:
            SignInRequired: it has ended with a failure.
        """
        said = self._read()
        ended_at, error = said.get("ended_at"), said.get("error")
        # A time in the future is from a clock that was wrong, and counts as none.
        if not isinstance(ended_at, (int, float)) or not moment <= ended_at <= time.time():
            return False
        if isinstance(error, str) and error:
            raise SignInRequired(
                f"The sign-in of another process failed: {error}",
                hint="Run the command again to sign in yourself.",
            )
        return True

    def leave(self) -> None:
        """Let another process lead."""
        self._lock.release()

    def __enter__(self) -> SignInLock:
        """Write that this process leads; only after `lead` has returned True."""
        # The browser is not started yet, so json is not imported for this.
        self._write(b'{"process": %d}' % os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A cancelled sign-in, or a crash, concerns this process alone.
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
            return {}  # It is being written, or was edited by hand; its content is optional.
        return said if is_object(said) else {}

    def _write(self, content: bytes) -> None:
        if (descriptor := self._lock.descriptor) is None:
            return
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.truncate(descriptor, 0)
            os.write(descriptor, content)
        except OSError:
            return  # On a full disk the sign-in goes on, and the other processes sign in themselves.
