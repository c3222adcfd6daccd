"""What a command does last, when signals have their usual effects again: become another program, or run one.

`Termination` turns SIGTERM and SIGHUP into an interruption. Another program must not inherit anything of
that, and what waits for one handles signals itself. So a command that comes to this point raises a
`Continuation`, and the command line completes it outside.

This module is loaded before the browser is started, and imports nothing.
"""

from __future__ import annotations


class Continuation(Exception):
    """The rest of a command."""

    def complete(self) -> int:
        """Do the rest; return the exit status.

        Raises:
            LoopbackAuthError: as a command does.
        """
        raise NotImplementedError
