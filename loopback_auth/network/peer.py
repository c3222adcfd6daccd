"""Which user of this machine is at the other end of a loopback connection, where the system says so.

A link that was given to a browser's opener shows in the process list, and another user who reads it there is
faster than any browser. On Linux the kernel says which user has a socket. If it does not, the request
is not refused: a connection that a daemon forwards (published ports of containers, WSL) is root's or has its
other end in another network namespace, a forwarder of ours (ssh, an editor's) has our own user id, and other
systems say nothing.

Weak spots, admitted. Root counts as our own user, and so does a user who can make a program of root's or ours
fetch an address and show the answer. Other systems than Linux are not asked.

Source: sock_diag(7), tcp(7) and proc_pid_net(5); user_namespaces(7) for ids that have no name here.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

AS_ANOTHER = frozenset(
    {
        "chroot",
        "doas",
        "docker",
        "gosu",
        "machinectl",
        "nerdctl",
        "nsenter",
        "pkexec",
        "podman",
        "run0",
        "runuser",
        "setpriv",
        "ssh",
        "su",
        "sudo",
        "systemd-run",
    }
)
"""Openers that may start a browser as another user, or elsewhere."""
ROOT = 0
UNMAPPED = 65534
"""What the kernel says of a user who has no id in our user namespace; outside of one it is `nobody`."""
UNSET = 2**32 - 1
LEFT = -1
"""No user id: a socket that its program has closed has none."""

_ESTABLISHED = 1
"""The first octet of `tcp_info`: neither end has said that it is done (RFC 9293 §3.3.2)."""
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_HEADER = struct.Struct("=IHHII")
_QUERY = struct.Struct("=BBxxI")
_SOCKET = struct.Struct("!HH16s16s")
_FOUND = struct.Struct("=4x48x3I2I")
"""`inet_diag_msg`: after the socket's identity expires, rqueue and wqueue, then uid and inode."""


def runs_as_another(program: str) -> bool:
    """Return whether a program that opens a browser may do that as another user."""
    return program in AS_ANOTHER


def ends(connection: socket.socket) -> tuple[tuple[str, int], tuple[str, int]]:
    """Return the far and the near end of a connection."""
    return connection.getpeername()[:2], connection.getsockname()[:2]


def other_user(theirs: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """Return the id of another user who holds the far end of a connection.

    Args:
        theirs: address and port of the far end.
        ours: those of the near end.

    Returns:
        A user id; None if it is our own user or root, or the system does not tell.
    """
    found = _owner(theirs, ours)
    if found is None or found == LEFT or found in _own_users():
        return None
    return found


def is_open(connection: socket.socket) -> bool:
    """Return whether the other side of a connection is still open, as far as this system tells.

    A socket that was closed has no user, though the end of the connection may not have arrived yet: it comes
    after all data that was sent before. So the state of our own end alone is not enough.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # Where TCP is emulated, as on WSL 1, it may not tell its state.
            if connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _ESTABLISHED:
                return False
    try:
        if _owner(*ends(connection)) == LEFT:
            return False
        connection.setblocking(False)
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:  # Nothing has come since.
        return True
    except OSError:
        return False


def _owner(theirs: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """Return the id of the user who has the far end, or `LEFT`; None if the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        return _by_netlink(theirs, ours)
    except OSError:  # Some sandboxes have no netlink; the table takes longer with every connection.
        with suppress(OSError, ValueError):
            return _by_table(theirs, ours)
    return None


def _own_users() -> set[int]:
    """Return the user ids that count as ours: after `sudo` or `su` the browser is still the person's."""
    if sys.platform != "linux":
        return set()
    users = {ROOT, os.getuid(), os.geteuid()}
    with suppress(OSError, ValueError):
        users.add(int(Path("/proc/self/loginuid").read_text("ascii")))
    if os.geteuid() == ROOT:
        given = (os.environ.get(name, "") for name in ("SUDO_UID", "PKEXEC_UID"))
        users |= {int(one) for one in given if one.isascii() and one.isdigit()}
    with suppress(OSError, ValueError):
        inside, outside, count = map(int, Path("/proc/self/uid_map").read_text("ascii").split()[:3])
        if (inside, outside, count) != (0, 0, UNSET):
            users.add(UNMAPPED)
    return users


def _by_netlink(theirs: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """Ask for the one socket."""
    if sys.platform != "linux":
        return None
    family = socket.AF_INET6 if ":" in theirs[0] else socket.AF_INET
    near, far = (socket.inet_pton(family, one[0]) for one in (theirs, ours))
    identity = _SOCKET.pack(theirs[1], ours[1], near, far) + bytes(4) + b"\xff" * 8
    asked = _QUERY.pack(family, socket.IPPROTO_TCP, UNSET) + identity
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as one:
        one.settimeout(1.0)
        one.send(_HEADER.pack(_HEADER.size + len(asked), _SOCK_DIAG_BY_FAMILY, 1, 0, 0) + asked)
        answer = one.recv(4096)
    kind = _HEADER.unpack_from(answer)[1]
    if kind != _SOCK_DIAG_BY_FAMILY:
        number = -struct.unpack_from("=i", answer, _HEADER.size)[0]
        if number == errno.ENOENT:
            return None
        raise OSError(number, os.strerror(number))
    _, _, _, user, inode = _FOUND.unpack_from(answer, _HEADER.size)
    return user if inode else LEFT


def _by_table(theirs: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """Read the list of all sockets; one for IPv6 may hold IPv4 addresses too."""
    wanted = {(_spelt(theirs, mapped=mapped), _spelt(ours, mapped=mapped)) for mapped in (False, True)}
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with suppress(FileNotFoundError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                columns = line.split()
                if (columns[1], columns[2]) in wanted:
                    return int(columns[7]) if columns[9] != "0" else LEFT
    return None


def _spelt(end: tuple[str, int], *, mapped: bool) -> str:
    """Spell an address and port as the kernel does: in words of 32 bits, each in this machine's order."""
    if ":" in end[0]:
        raw = socket.inet_pton(socket.AF_INET6, end[0])
    else:
        raw = (bytes(10) + b"\xff\xff") * mapped + socket.inet_pton(socket.AF_INET, end[0])
    words = struct.unpack(f"={len(raw) // 4}I", raw)
    return f"{''.join(f'{word:08X}' for word in words)}:{end[1]:04X}"
