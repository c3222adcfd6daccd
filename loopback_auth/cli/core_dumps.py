"""No secret of a sign-in ends up in a core dump, nor can another process of the same user read our memory.

For the command line alone: a program that embeds us decides for itself. Not on the way to a kept token, nor
before the browser is started, which would wait for these imports.

Source: setrlimit(2), core(5) (a dump that is piped to a program heeds no limit), prctl(2).
"""

from __future__ import annotations

import sys
from contextlib import suppress

PR_SET_DUMPABLE = 4  # of <linux/prctl.h>


def forbid_core_dumps() -> int:
    """Have the system keep our memory to itself, as far as it can; return the limit that was set before."""
    if sys.platform == "win32":
        return 0
    import resource

    before, hard = resource.getrlimit(resource.RLIMIT_CORE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    return before


def allow_core_dumps(limit: int) -> None:
    """Give a program that we become, or start, the limit that was set before; it has a memory of its own."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (limit, resource.getrlimit(resource.RLIMIT_CORE)[1]))
