"""Keep programs on this machine: a network namespace in which there is nothing but the loopback interface.

Linux can give a process a network of its own: without other interfaces, and so without a way to any other
machine. The server, the browser and the program all run in it. A process that is not root needs a user
namespace for that, which some systems forbid.

Source: https://man7.org/linux/man-pages/man7/network_namespaces.7.html,
https://man7.org/linux/man-pages/man7/user_namespaces.7.html,
https://man7.org/linux/man-pages/man7/netdevice.7.html.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
REQUEST = "16sH14s"
"""A `struct ifreq` with flags."""


def isolate() -> bool:
    """Take every network but the loopback interface from this process and all that it starts.

    It has to be called in the first thread, before another one is started; it cannot be undone.

    Returns:
        Whether it was done.
    """
    if sys.platform != "linux":
        return False
    # A child tries it: some systems give the namespace and forbid the rest, and half of it has no way back.
    child = os.fork()
    if not child:
        done = False
        try:
            done = _isolated()
        finally:
            os._exit(not done)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and _isolated()


def _isolated() -> bool:
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    if not _unshared(CLONE_NEWNET):
        # Root in a namespace of its own may do it; the numbers of user and group stay what they were.
        if not _unshared(CLONE_NEWUSER | CLONE_NEWNET):
            return False
        with _own_proc():
            with suppress(OSError):
                Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    _raise_loopback()
    # A program that always has the same port, and does not set SO_REUSEADDR, could not be started again for a
    # minute after a connection was closed.
    with suppress(OSError):
        Path("/proc/sys/net/ipv4/tcp_max_tw_buckets").write_text("0", encoding="ascii")
    return True


@contextmanager
def _own_proc() -> Generator[None]:
    """Own the files in /proc/self: they are those of root while a process forbids core dumps (proc(5))."""
    import ctypes  # Start-up: only this needs it.

    library = ctypes.CDLL(None)
    before = library.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)
    library.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    try:
        yield
    finally:
        library.prctl(PR_SET_DUMPABLE, before, 0, 0, 0)


def _unshared(what: int) -> bool:
    import ctypes  # Start-up: only this needs it.

    library = ctypes.CDLL(None, use_errno=True)
    try:
        return int(library.unshare(what)) == 0
    except AttributeError:
        return False


def _raise_loopback() -> None:
    """Bring the loopback interface up, which gives it both of its addresses."""
    if sys.platform != "linux":
        return
    import fcntl  # Not on Windows.

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack(REQUEST, b"lo", 0, b""))
        flags = struct.unpack(REQUEST, answer)[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack(REQUEST, b"lo", flags | IFF_UP, b""))
